//! What a reader of an export notices that is not wrong with a single row.

use super::csv::FileEnd;
use super::decimal_ids::IdForms;
use super::unwanted::UnwantedColumn;
use crate::suspicion::Suspicion;

/// What opening or reading an export has shown beside its rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remarks {
    /// What is allowed and yet worth a word.
    pub(crate) warnings: Vec<String>,
    /// What is probably a mistake of the whole export.
    pub(crate) suspicions: Vec<Suspicion>,
    /// What `only` has left out, column by column.
    pub(crate) unwanted: Vec<UnwantedColumn>,
    /// How identifiers are written. What follows from it is known once both exports are read.
    pub(crate) id_forms: IdForms,
    /// How its CSV files end.
    pub(crate) ends: Vec<FileEnd>,
}

impl Remarks {
    /// Adds what another part of the export has shown.
    pub(crate) fn add(&mut self, other: Remarks) {
        self.warnings.extend(other.warnings);
        self.suspicions.extend(other.suspicions);
        self.unwanted.extend(other.unwanted);
        self.id_forms.add(other.id_forms);
        self.ends.extend(other.ends);
    }
}
