//! What a reader of an export notices that is not wrong with a single row.

use super::csv::FileEnd;
use crate::suspicion::Suspicion;

/// What opening or reading an export has shown beside its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remarks {
    /// What is allowed and yet worth a word.
    pub(crate) warnings: Vec<String>,
    /// What is probably a mistake of the whole export.
    pub(crate) suspicions: Vec<Suspicion>,
    /// How its CSV files end.
    pub(crate) ends: Vec<FileEnd>,
}

impl Remarks {
    /// Adds what another part of the export has shown.
    pub(crate) fn add(&mut self, other: Remarks) {
        self.warnings.extend(other.warnings);
        self.suspicions.extend(other.suspicions);
        self.ends.extend(other.ends);
    }
}
