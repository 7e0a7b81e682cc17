//! One file of an export, known to be readable as far as its header, and where the cells of wanted columns come from.
//!
//! It does not know how a file is read.

use super::cells::CellForm;
use super::cleaning::Cleaning;
use super::error::ScanError;
use super::formats::{Compression, Format};
use super::partitions::{folder_columns, folder_value};
use super::source::Source;
use crate::storage::{DataFile, Stamp, StorageError};
use std::path::PathBuf;
use std::sync::Arc;

/// One file, known to be readable at least as far as its header.
#[derive(Debug)]
pub(super) struct ExportFile {
    /// Where to open it.
    pub(super) data: DataFile,
    /// The path as the job gives it, with what a folder or a glob adds to it.
    pub(super) given: PathBuf,
    /// `given` as text: how messages and results name the file.
    pub(super) name: Arc<str>,
    pub(super) format: Format,
    pub(super) compression: Option<Compression>,
    /// Of CSV.
    pub(super) delimiter: u8,
    /// The columns of the file itself, in its order. Empty for a file without a single byte.
    pub(super) header: Vec<String>,
    /// Its state when it was found.
    pub(super) stamp: Stamp,
    /// Wanted columns that it lacks and other files have, where that is worth no more than a warning.
    pub(super) lacking: Vec<String>,
}

/// Where the cells of a wanted column come from in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ColumnSource {
    /// The column with this index in the file's own header.
    Header(usize),
    /// A `key=value` folder with this value.
    Folder(String),
    /// Nowhere: every cell is empty.
    Absent,
}

/// A column to read from a file: one that a pick is made from, or that a filter looks at.
#[derive(Clone, Debug)]
pub(super) struct WantedColumn {
    /// Its name in the export.
    pub(super) column: String,
    pub(super) from: ColumnSource,
    pub(super) form: CellForm,
    /// Which of its cells count as empty.
    pub(super) cleaning: Cleaning,
}

impl ExportFile {
    /// The wanted columns: those of the picks of the source, then those of its filters.
    pub(super) fn wanted(&self, source: &Source) -> Vec<WantedColumn> {
        let picks = source.picks.iter().flat_map(|pick| {
            let (form, cleaning) = (CellForm::of(pick), Cleaning::new(source.trim, [&source.nulls, &pick.nulls]));
            pick.columns.iter().map(move |column| (column, form, cleaning.clone()))
        });
        let of_filters = Cleaning::new(source.trim, [&source.nulls]);
        let filters = source.only.iter().map(|only| (&only.column, CellForm::Filter, of_filters.clone()));
        let wanted = picks.chain(filters).map(|(column, form, cleaning)| {
            let own = self.header.iter().position(|name| name == column).map(ColumnSource::Header);
            let value = || folder_value(&self.given, column).filter(|value| !cleaning.is_null(value));
            let folder = || value().map(ColumnSource::Folder);
            let from = own.or_else(folder).unwrap_or(ColumnSource::Absent);
            WantedColumn { column: column.clone(), from, form, cleaning }
        });
        wanted.collect()
    }

    /// The columns of the file itself, then those that folders add.
    pub(super) fn columns(&self) -> impl Iterator<Item = String> {
        self.header.iter().cloned().chain(folder_columns(&self.given))
    }

    /// Whether the file itself or a folder has a column of this name.
    pub(super) fn has(&self, column: &String) -> bool {
        self.header.contains(column) || folder_value(&self.given, column).is_some()
    }

    /// Whether it is what a command has written.
    pub(super) fn is_output(&self) -> bool {
        matches!(self.data, DataFile::Output(..))
    }

    /// How many bytes its mapped columns may fill in memory: a guess from its size.
    pub(super) fn expected_memory(&self) -> u64 {
        match (self.format, self.compression) {
            (Format::Csv, None) => self.stamp.bytes * 2,
            // Compressed files, and Parquet, are about five times smaller than text.
            _ => self.stamp.bytes * 10,
        }
    }

    /// Checks that the file is still the one that was found.
    ///
    /// # Errors
    /// Where it was changed, and where object storage does not tell.
    pub(super) fn check_unchanged(&self) -> Result<(), ScanError> {
        match self.data.stamp() {
            Ok(now) if now.same_content(&self.stamp) => Ok(()),
            Err(error) if StorageError::within(&error).is_some() => Err(ScanError::unopened(&self.name, error)),
            _ => Err(ScanError::Changed { file: self.name.to_string() }),
        }
    }
}
