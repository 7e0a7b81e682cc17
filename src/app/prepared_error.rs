//! Why a folder of prepared visits cannot be written or sent.

use crate::prepared::SUCCESS;
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
    #[error("cannot write {folder}: {source}. The folder is not complete: it has no {SUCCESS}")]
    Unwritten {
        /// The folder.
        folder: String,
        /// What the system says.
        source: io::Error,
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
