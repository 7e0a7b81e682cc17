//! Why a folder of prepared visits cannot be written or sent.

use crate::build::Flaw;
use crate::prepared::SUCCESS;
use crate::text::count;
use std::fmt;
use std::io;

/// Why a folder of prepared visits cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PreparedError {
    /// Something is there already.
    #[error("{folder} is there already, and is left as it is; name another folder, or replace it with --overwrite")]
    IsThere {
        /// The folder.
        folder: String,
    },
    /// It holds something that `prepare` has not written.
    #[error(
        "{folder} holds {name:?}, which `prepare` has not written, so the folder is not replaced; name another one, or clear it \
         yourself"
    )]
    Foreign {
        /// The folder.
        folder: String,
        /// What is in it.
        name: String,
    },
    /// It cannot be written.
    #[error(
        "cannot write {folder}: {source}. It is not complete, and has no {SUCCESS}; once this is fixed, --overwrite replaces it"
    )]
    Unwritten {
        /// The folder.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// There is no such folder.
    #[error("there is no folder {folder}, or it is empty; `traxload prepare JOB -o {folder}` makes one")]
    Missing {
        /// The folder.
        folder: String,
    },
    /// It was not written to its end, or is still being copied.
    #[error(
        "{folder} has no {SUCCESS}, so it is not complete: it was not written to its end, has too many invalid visits, or is \
         still being copied. Prepare or copy it again"
    )]
    Incomplete {
        /// The folder.
        folder: String,
    },
    /// What says that it is complete was cut or changed.
    #[error("{folder}/{SUCCESS} cannot be read, so the folder may not be complete. Prepare or copy it again")]
    BrokenSeal {
        /// The folder.
        folder: String,
    },
    /// It has no Parquet file.
    #[error("{folder} has no Parquet file; `traxload prepare` makes a folder of prepared visits")]
    NoFiles {
        /// The folder.
        folder: String,
    },
    /// A name that is neither a path nor an address.
    #[error(
        "{folder} is neither a folder here nor object storage that is known; write it as s3://, gs:// or az://, or as a path"
    )]
    Address {
        /// What was named.
        folder: String,
    },
    /// Something else writes there at the same time.
    #[error("something else has begun to write {folder} at the same time; nothing of it was changed")]
    Taken {
        /// The folder.
        folder: String,
    },
    /// It is there and not complete.
    #[error(
        "{folder} is there already and is not complete: an earlier `prepare` broke off, found too many invalid visits, or is \
         still at work. Replace it with --overwrite, or name another folder"
    )]
    Unfinished {
        /// The folder.
        folder: String,
    },
    /// It is a folder of something else.
    #[error("{folder} holds something else than prepared visits: it has no column {}. `traxload prepare` makes such a folder",
        .missing.join(", "))]
    NotPrepared {
        /// The folder.
        folder: String,
        /// The columns that it lacks.
        missing: Vec<String>,
    },
    /// It holds no visit.
    #[error("{folder} holds no visits; --allow-empty makes that fine")]
    Empty {
        /// The folder.
        folder: String,
    },
    /// It is another one than the one that is expected.
    #[error(
        "{folder} is not {}: its prepared_sha256 is {found}, and {expected} is expected. A file of it was changed, is \
         missing, or is one too many; nothing was sent",
        if *.is_signed { "the folder that was signed off" } else { "as it was when it was written" }
    )]
    OtherHash {
        /// The folder.
        folder: String,
        /// Whether the caller expects it; else its own `_SUCCESS`.
        is_signed: bool,
        /// What is expected.
        expected: String,
        /// What it is.
        found: String,
    },
    /// Rows do not hold what they promise.
    #[error("{folder} cannot be sent, and nothing was: {rows}")]
    Flawed {
        /// The folder.
        folder: String,
        /// Which rows.
        rows: FlawedRows,
    },
    /// It was changed between two readings.
    #[error("{folder} is no longer what it was when it was checked")]
    Changed {
        /// The folder.
        folder: String,
    },
    /// It cannot be read.
    #[error("cannot read {folder}: {source}")]
    Unreadable {
        /// The folder.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
}

impl PreparedError {
    pub(super) fn unwritten(folder: &str, source: io::Error) -> PreparedError {
        PreparedError::Unwritten { folder: folder.to_owned(), source }
    }

    pub(super) fn unreadable(folder: &str, source: io::Error) -> PreparedError {
        PreparedError::Unreadable { folder: folder.trim_end_matches('/').to_owned(), source }
    }
}

/// Rows of a folder that do not hold what they promise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlawedRows {
    /// How many.
    pub count: u64,
    /// The first ones: place, and what is wrong.
    pub first: Vec<String>,
}

/// How many rows are shown.
const SHOWN: usize = 5;

impl FlawedRows {
    pub(super) fn add(&mut self, flaw: Flaw) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(format!("{}: {}", flaw.location, flaw.what));
        }
    }
}

impl fmt::Display for FlawedRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", count(self.count, "row is not what it should be", "rows are not what they should be"))?;
        self.first.iter().try_for_each(|row| write!(f, "\n  {row}"))?;
        let more = self.count.saturating_sub(self.first.len() as u64);
        if more > 0 { write!(f, "\n  … and {more} more") } else { Ok(()) }
    }
}
