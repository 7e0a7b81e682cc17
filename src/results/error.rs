//! What can go wrong with result files.

use std::io::{self, ErrorKind};
use std::path::Path;

/// Why a result file, or a file that belongs to it, cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResultsError {
    /// Writing failed.
    #[error("cannot write {path}: {source}; {}", way_on(.source))]
    Write {
        /// The file.
        path: String,
        /// The system's error.
        source: io::Error,
    },
    /// Reading failed, or the file is not a result file.
    #[error("cannot read {path}: {reason}; is it the right file?")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        reason: String,
    },
    /// The file was a result file, but another program has changed its form.
    #[error("{path} was changed after the run wrote it: {reason}, or replace it with an untouched copy")]
    Changed {
        /// The file.
        path: String,
        /// What changed, and how to undo it.
        reason: String,
    },
    /// The result path names a folder.
    #[error("the result path {0} is a folder; name a file in it")]
    Folder(String),
    /// The result path has the name of a journal.
    #[error(
        "{0} has the name of a journal, which a run keeps beside its result file until it ends: name the result file, {1}"
    )]
    JournalName(String, String),
    /// The system lets nobody change a file.
    #[error(
        "{0} is marked so that nobody can replace it when the run ends (lsattr shows it): take the mark away with chattr -i -a, \
         or name another result file"
    )]
    Immutable(String),
    /// The result path names a device, a pipe or a socket.
    #[error("{0} is not a regular file; a result file must be one, because later runs read and replace it")]
    NotRegular(String),
    /// Something is mounted at the path of the result file or of one beside it.
    #[error(
        "{0} is mounted by itself, so it cannot be replaced when the run ends: mount the folder around it in its place, or \
         name a result file in another folder"
    )]
    MountPoint(String),
    /// The file belongs to another user, and only its owner may replace it.
    #[error(
        "{0} belongs to another user, in a folder in which only its owner may replace it: run as that user, or name a result \
         file in another folder"
    )]
    Sticky(String),
    /// The result path is a link that leads back to itself.
    #[error("{0} is part of a loop of links; name the file itself")]
    LinkLoop(String),
}

impl ResultsError {
    pub(super) fn write(path: &Path, source: io::Error) -> ResultsError {
        ResultsError::Write { path: path.display().to_string(), source }
    }

    pub(super) fn unreadable(path: &Path, reason: impl ToString) -> ResultsError {
        ResultsError::Unreadable { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// What to do where a file cannot be written.
pub(super) fn way_on(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "make room there, or name a result file on another disk",
        ErrorKind::PermissionDenied => "you have no permission to write there: name a result file in another folder",
        ErrorKind::ReadOnlyFilesystem => "its file system is mounted read-only: name a result file on another one",
        ErrorKind::InvalidFilename => {
            "a run adds endings to the name, such as .partial.new, and then it is too long: name a shorter one"
        }
        ErrorKind::IsADirectory => "there is a folder in its place: move it away, or name another result file",
        _ => "is there free space, and do you have permission to write there?",
    }
}
