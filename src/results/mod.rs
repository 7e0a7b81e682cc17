//! The only writer and reader of result files: the journal of a run, the finished file, the rows of an earlier one.
//!
//! It knows nothing of the network.

mod cells;
mod copying;
mod counts;
mod framing;
mod header;
mod journal;
mod located;
mod lock;
mod manifest;
mod outstanding;
mod previous;
mod reading;
mod recorder;
mod row;
mod strays;
mod visits;

pub use cells::Row;
pub use counts::{Cause, Counts};
pub use header::is_result_file;
pub use journal::{Draft, Journal};
pub(crate) use located::follow;
pub use located::located;
pub use lock::{Lock, LockError};
pub use manifest::{Manifest, RunOptions};
pub use outstanding::{Candidate, Decision, Wanted, decide, keeps_row, outstanding};
pub use previous::{Misnamed, Passed, Previous};
pub use reading::read;
pub use recorder::record;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// What can go wrong with result files.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// Writing failed.
    #[error("cannot write {path}: {source}; is there room, and may you write there?")]
    Write {
        /// The file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
    /// Reading failed, or it is no result file.
    #[error("cannot read {path}: {reason}; is it the right file?")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// It was one, but something has changed it.
    #[error("{path} is not as the run wrote it: {reason}, or put an untouched copy in its place")]
    Changed {
        /// The file.
        path: String,
        /// What it is now, and how to mend that.
        reason: String,
    },
    /// The path is taken by something that is no file.
    #[error("the result path {0} is a folder; name a file in it")]
    Folder(String),
    /// Likewise: a device, a pipe, a socket.
    #[error("{0} is not a regular file; a result file is read again and replaced, so name one that can be")]
    NotRegular(String),
    /// The path is a link that leads nowhere.
    #[error("{0} is a link of links without an end; name the file itself")]
    Links(String),
}

impl ResultsError {
    fn write(path: &Path, source: io::Error) -> ResultsError {
        ResultsError::Write { path: path.display().to_string(), source }
    }
}

/// A file that belongs to a result file: `results.csv.partial` and the like.
pub fn beside(results: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(results);
    name.push(".");
    name.push(ending);
    name.into()
}

/// Makes the folder of a result file.
///
/// # Errors
/// Where that is not possible.
pub fn make_room(results: &Path) -> Result<(), ResultsError> {
    match results.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|source| ResultsError::write(folder, source)),
        None => Ok(()),
    }
}

/// Moves a result file and what belongs to it aside, under names with `stamp` in them. Returns the new name of the
/// result file or, where there was none, of its journal.
///
/// # Errors
/// Where a file cannot be renamed.
pub fn move_aside(results: &Path, stamp: &str) -> Result<Option<PathBuf>, ResultsError> {
    let aside =
        (0..).map(|n| beside(results, &if n == 0 { format!("{stamp}.old") } else { format!("{stamp}-{n}.old") }));
    let taken = |aside: &PathBuf| aside.exists() || beside(aside, "partial").exists();
    let Some(aside) = aside.into_iter().find(|aside| !taken(aside)) else { return Ok(None) };
    let mut moved = None;
    for (from, to) in [
        (results.to_owned(), aside.clone()),
        (beside(results, "partial"), beside(&aside, "partial")),
        (beside(results, "json"), beside(&aside, "json")),
        (beside(results, "html"), beside(&aside, "html")),
    ] {
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|source| ResultsError::write(&from, source))?;
            moved.get_or_insert(to);
        }
    }
    Ok(moved)
}
