//! What can be wrong with a whole export. What is wrong with one cell or row is a [`Fault`](super::Fault).

use crate::storage::{CommandError, StorageError};
use std::io;

/// A column that the job names and no file of an export has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingColumn {
    /// The column, as the job names it.
    pub column: String,
    /// That it is missing, in which files, and which column may have been meant.
    pub message: String,
}

impl std::borrow::Borrow<str> for MissingColumn {
    fn borrow(&self) -> &str {
        &self.message
    }
}

/// Why an export cannot be opened or read to its end. Nothing is sent after any of these.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// A path of the job is not there, or may not be read.
    #[error("cannot open {path}: {source}; check `path` in the job file, and that you may read it")]
    Missing {
        /// As the job gives it.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// A path in object storage cannot be found or read.
    #[error("cannot read {path}: {reason}")]
    Storage {
        /// As the job gives it.
        path: String,
        /// What happened, and what to do next.
        reason: String,
    },
    /// A path is not a pattern that `glob` understands.
    #[error("{path} is not a valid pattern: {source}; fix `path` in the job file")]
    BadGlob {
        /// As the job gives it.
        path: String,
        /// What is wrong with it, and where.
        source: glob::PatternError,
    },
    /// A pattern matches neither a file nor a folder.
    #[error("no file matches {path}; is the export there, and is `path` in the job file right?")]
    NothingMatches {
        /// As the job gives it.
        path: String,
    },
    /// A path is a pipe, a socket or a device.
    #[error(
        "{path} is not a regular file: it is a pipe, a socket or a device, which can be read only once; let traxload start the program that writes it, in place of `path`: command = [\"program\", \"argument\"]"
    )]
    NoFile {
        /// As the job gives it.
        path: String,
    },
    /// A folder is a table of a table format, or lies in one.
    #[error(
        "{path} belongs to {} {format} table: its files hold deleted and replaced rows too. Let a program that knows the format read it, in place of `path`: command = [{}], or write the table to a plain folder with Spark and name that",
        if *.format == "Iceberg" { "an" } else { "a" }, table_command(.format, .table)
    )]
    TableFormat {
        /// As the job gives it.
        path: String,
        /// Delta, Iceberg or Hudi.
        format: &'static str,
        /// The folder of the table.
        table: String,
    },
    /// A file is neither CSV nor Parquet, whatever its name says.
    #[error("{file} is {what}, not {expected}: {way_on}")]
    Container {
        /// The file.
        file: String,
        /// What its first bytes show.
        what: &'static str,
        /// The format that its name or the job says.
        expected: &'static str,
        /// What to do.
        way_on: String,
    },
    /// A command produced no export.
    #[error("the {section} command produced no export: {reason}")]
    Command {
        /// `visits` or `scenes`.
        section: &'static str,
        /// What happened, and what to do.
        reason: String,
        /// Where its output cannot be kept: what the system says.
        source: Option<io::Error>,
    },
    /// A file is Parquet where CSV was expected, or the other way round.
    #[error("{file} is {found}, not {expected}: set `format` in the job file, or rename the file")]
    OtherFormat {
        /// The file.
        file: String,
        /// What its first bytes say.
        found: &'static str,
        /// The format that its name or the job says.
        expected: &'static str,
    },
    /// A file has not even a header line.
    #[error("{file} is empty: it has no header line; export it again")]
    Empty {
        /// The file.
        file: String,
    },
    /// The job names columns that no file of the section has.
    #[error("{section}: {}; name one of its columns in the job file: {found}", .missing.join("; "))]
    NoColumns {
        /// `visits` or `scenes`.
        section: &'static str,
        /// Each missing column with its message.
        missing: Vec<MissingColumn>,
        /// The columns of all files, separated by commas.
        found: String,
    },
    /// A file has a mapped column twice.
    #[error(
        "{file} has the column {column:?} more than once, so it is unclear which of them is meant; rename one of them"
    )]
    ColumnTwice {
        /// The file.
        file: String,
        /// The column.
        column: String,
    },
    /// The header line is not text in the file's encoding.
    #[error(
        "{file}: the header line is not valid {encoding}; set `encoding` in the job file, most often `encoding = \"windows-1252\"`"
    )]
    BadHeader {
        /// The file.
        file: String,
        /// The encoding that the job names.
        encoding: &'static str,
    },
    /// A file is UTF-16, lacks the byte order mark that would say so, and the job names another encoding.
    #[error(
        "{file}: every second byte of the header line is zero: the file is UTF-16; set `encoding = \"utf-16\"` in the job file"
    )]
    Utf16 {
        /// The file.
        file: String,
    },
    /// A mapped column is of a type that is neither text, number nor time.
    #[error("{file}: the column {column:?} holds {found}, which cannot be used here; export it as text")]
    ColumnType {
        /// The file.
        file: String,
        /// The column.
        column: String,
        /// Its Parquet or Arrow type.
        found: String,
    },
    /// A quote of the header is still open at the end of a file.
    #[error(
        "{file}:{line}: a quote that is opened in the header is never closed, so the file cannot be split into rows; check `quote` and `escape` in the job file"
    )]
    OpenQuote {
        /// The file.
        file: String,
        /// The line on which it opens, from 1.
        line: u64,
    },
    /// A row has the names of the header in another order.
    #[error(
        "{file}:{line}: this row has the names of the header ({header}) in another order: files with other columns were joined, and the rows below would be read into the wrong columns; export them as files of their own"
    )]
    OtherOrder {
        /// The file.
        file: String,
        /// The line of the row, from 1.
        line: u64,
        /// Where the header stands.
        header: String,
    },
    /// A row is longer than 64 MiB.
    #[error(
        "{file}:{line}: this row is longer than {megabytes} MiB; probably a quote in it is never closed: check `quote` and `escape` in the job file; `quote = \"\"` where quotes mean nothing"
    )]
    TooLong {
        /// The file.
        file: String,
        /// The line on which the row starts, from 1.
        line: u64,
        /// The limit, in MiB.
        megabytes: usize,
    },
    /// Reading broke off: the file is cut short or damaged, or its disk is.
    #[error("{file} cannot be read to its end: {reason}; copy or export it again")]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader says.
        reason: String,
    },
    /// Another process changed the file meanwhile.
    #[error("{file} was changed while it was being read; run again when its export is complete")]
    Changed {
        /// The file.
        file: String,
    },
}

/// What reads a table of a format, as the parts of a command.
fn table_command(format: &str, table: &str) -> String {
    let call = match format {
        "Delta" => "delta_scan",
        "Iceberg" => "iceberg_scan",
        // DuckDB has none.
        _ => return "\"program\", \"argument\"".to_owned(),
    };
    let folder = table.replace('\'', "''");
    format!("\"duckdb\", \"-csv\", \"-c\", \"SELECT * FROM {call}('{folder}')\"")
}

impl ScanError {
    /// A command produced no export.
    pub(crate) fn of_command(section: &'static str, error: CommandError) -> ScanError {
        let reason = error.to_string();
        let source = match error {
            CommandError::Disk { source, .. } => Some(source),
            _ => None,
        };
        ScanError::Command { section, reason, source }
    }

    /// A file cannot be opened.
    pub(super) fn unopened(path: &str, error: io::Error) -> ScanError {
        match StorageError::within(&error) {
            Some(error) => ScanError::stored(path, error),
            None => ScanError::Missing { path: path.to_owned(), source: error },
        }
    }

    /// The bytes of a file cannot be read on, or not be decompressed.
    pub(super) fn broken(file: &str, error: &io::Error) -> ScanError {
        if let Some(error) = StorageError::within(error) {
            return ScanError::stored(file, error);
        }
        let reason = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "the compressed file is cut short, or has other bytes behind its end".to_owned()
            }
            _ => error.to_string(),
        };
        ScanError::Unreadable { file: file.to_owned(), reason }
    }

    /// Object storage does not give what it is asked for.
    pub(super) fn stored(path: &str, error: &StorageError) -> ScanError {
        match error {
            StorageError::Changed => ScanError::Changed { file: path.to_owned() },
            StorageError::Other(reason) => ScanError::Storage { path: path.to_owned(), reason: reason.clone() },
        }
    }
}
