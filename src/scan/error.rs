//! What can be wrong with an export before a single row of it is looked at, or while it is read.

use crate::storage::StorageError;
use std::io;

/// A column that is in no file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    /// As the job names it.
    pub column: String,
    /// That it is missing, where, and what may have been meant.
    pub message: String,
}

impl std::borrow::Borrow<str> for MissingColumn {
    fn borrow(&self) -> &str {
        &self.message
    }
}

/// An export that cannot be opened or read to its end. Nothing is sent after any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A path of the job that is not there, or may not be read.
    #[error("cannot open {path}: {source}; check `path` in the job file, and that you may read it")]
    Missing {
        /// As the job gives it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A path in object storage that cannot be found or read.
    #[error("cannot read {path}: {reason}")]
    Storage {
        /// As the job gives it.
        path: String,
        /// What happened, and what to do next.
        reason: String,
    },
    /// A pattern that `glob` does not understand.
    #[error("{path} is not a valid pattern: {source}; mend `path` in the job file")]
    BadGlob {
        /// As the job gives it.
        path: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
    /// A pattern without a file.
    #[error("no file matches {path}; is the export there, and `path` in the job file right?")]
    NothingMatches {
        /// As the job gives it.
        path: String,
    },
    /// A workbook under whatever name.
    #[error("{file} is an Excel workbook, not {expected}: save it as CSV UTF-8 (or Parquet) and name that file")]
    Workbook {
        /// The file.
        file: String,
        /// What the job takes it for.
        expected: &'static str,
    },
    /// Parquet where CSV was expected or the other way round.
    #[error("{file} is {found}, not {expected}: set `format` in the job file, or rename it")]
    OtherFormat {
        /// The file.
        file: String,
        /// What its first bytes say.
        found: &'static str,
        /// What its name or the job says.
        expected: &'static str,
    },
    /// Not even a header.
    #[error("{file} is empty: it has no header line; export it again")]
    Empty {
        /// The file.
        file: String,
    },
    /// Columns that the job names and no file of the section has.
    #[error("{section}: {}; name one of its columns in the job file: {found}", .missing.join("; "))]
    NoColumns {
        /// `visits` or `scenes`.
        section: &'static str,
        /// Each of them, with what is said of it.
        missing: Vec<MissingColumn>,
        /// All columns of all files.
        found: String,
    },
    /// A mapped column that a file has twice.
    #[error(
        "{file}: the column {column:?} is there more than once, so it is unclear which one is meant; rename one of them"
    )]
    ColumnTwice {
        /// The file.
        file: String,
        /// Its column.
        column: String,
    },
    /// A header that is no text.
    #[error(
        "{file}: the header line is not valid {encoding}; set `encoding` in the job file, most often `encoding = \"windows-1252\"`"
    )]
    BadHeader {
        /// The file.
        file: String,
        /// The encoding that the job names.
        encoding: &'static str,
    },
    /// UTF-16 without the mark that would say so.
    #[error(
        "{file}: every second byte of the header line is zero: the file is UTF-16; set `encoding = \"utf-16\"` in the job file"
    )]
    Utf16 {
        /// The file.
        file: String,
    },
    /// A column of a type that nothing can be made of.
    #[error("{file}: the column {column:?} holds {found}, which cannot be used here; export it as text")]
    ColumnType {
        /// The file.
        file: String,
        /// Its column.
        column: String,
        /// Its Parquet or Arrow type.
        found: String,
    },
    /// A quote that is still open at the end of a file.
    #[error(
        "{file}:{line}: a quote that is opened in this row is never closed, so the rest of the file cannot be told apart; is `quote` or `escape` in the job file right?"
    )]
    OpenQuote {
        /// The file.
        file: String,
        /// Where the row starts.
        line: u64,
    },
    /// A row of more than 64 MiB.
    #[error(
        "{file}:{line}: this row is longer than {megabytes} MiB; a quote in it is probably never closed: is `quote` or `escape` in the job file right?"
    )]
    TooLong {
        /// The file.
        file: String,
        /// Where the row starts.
        line: u64,
        /// The limit.
        megabytes: usize,
    },
    /// Reading broke off: cut short, damaged, or the disk's fault.
    #[error("{file}: cannot read on: {reason}; copy or export it again")]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader says.
        reason: String,
    },
    /// Somebody wrote to the file meanwhile.
    #[error("{file} was changed while it was being read; run again when its export is complete")]
    Changed {
        /// The file.
        file: String,
    },
}

impl ScanError {
    /// A file that cannot be opened.
    pub(super) fn unopened(path: &str, error: io::Error) -> ScanError {
        match StorageError::within(&error) {
            Some(error) => ScanError::stored(path, error),
            None => ScanError::Missing { path: path.to_owned(), source: error },
        }
    }

    /// What object storage does not give.
    pub(super) fn stored(path: &str, error: &StorageError) -> ScanError {
        match error {
            StorageError::Changed => ScanError::Changed { file: path.to_owned() },
            StorageError::Other(reason) => ScanError::Storage { path: path.to_owned(), reason: reason.clone() },
        }
    }
}
