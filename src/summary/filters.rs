//! What leaves rows of the exports out, and which values.

use serde::Serialize;

/// What a job or a command uses to leave visit rows out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filters {
    /// `only` under `[visits]`.
    pub only: bool,
    /// The first day.
    pub from: bool,
    /// The last day.
    pub to: bool,
    /// A number of visits.
    pub limit: bool,
}

/// A value of a column that `only` leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnwantedValue {
    /// `visits` or `scenes`.
    pub section: &'static str,
    /// The column of the export.
    pub column: String,
    /// The value; `None` for all that are not listed.
    pub value: Option<String>,
    /// Rows with it.
    pub rows: u64,
}
