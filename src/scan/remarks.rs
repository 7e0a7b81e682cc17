//! What a reader of an export notices that is not wrong with a single row.

use super::decimal_ids::IdForms;
use super::file_end::FileEnd;
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
    /// Adds what another look at the same files has shown, but for what is known.
    pub(crate) fn add_new(&mut self, other: Remarks) {
        let Remarks { warnings, suspicions, unwanted, id_forms, ends: _ } = other;
        self.unwanted.extend(unwanted);
        self.id_forms.add(id_forms);
        self.warnings
            .extend(warnings.into_iter().filter(|warning| !self.warnings.contains(warning)).collect::<Vec<_>>());
        let new = suspicions.into_iter().filter(|suspicion| !self.suspicions.contains(suspicion));
        let new: Vec<Suspicion> = new.collect();
        self.suspicions.extend(new);
    }

    /// Adds what another part of the export has shown.
    pub(crate) fn add(&mut self, other: Remarks) {
        self.warnings.extend(other.warnings);
        self.suspicions.extend(other.suspicions);
        self.unwanted.extend(other.unwanted);
        self.id_forms.add(other.id_forms);
        self.ends.extend(other.ends);
    }
}
