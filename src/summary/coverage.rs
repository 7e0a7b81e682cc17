//! How many visits and scenes have each field of the API.

use serde::Serialize;

/// What a field is a field of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CoveredRows {
    /// Of visits that can be sent.
    Visits,
    /// Of their scenes.
    Scenes,
}

/// How many have a field, of the visits that can be sent or of their scenes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct FieldCoverage {
    /// The field, as the API names it.
    pub field: &'static str,
    /// What it is a field of.
    pub of: CoveredRows,
    /// How many have it.
    pub filled: u64,
    /// How many there are.
    pub all: u64,
    /// Whether the job names a column or a value for it.
    pub mapped: bool,
}
