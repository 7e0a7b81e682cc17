//! Temporary files without a name, and what goes wrong with them.
//!
//! They have no name from the start, so that nothing of them stays behind, whatever happens to the process.

use crate::host::{temporary_file, temporary_folder};
use crate::shuffle::error::ShuffleError;
use std::fs::File;
use std::io::{self, ErrorKind};

/// Makes a file without a name, to write to and to read back.
pub(super) fn create() -> Result<File, ShuffleError> {
    temporary_file().map_err(file_error)
}

/// What went wrong with a temporary file.
pub(super) fn file_error(source: io::Error) -> ShuffleError {
    let folder = temporary_folder().display().to_string();
    match source.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => ShuffleError::Damaged { folder, source },
        _ => ShuffleError::Disk { folder, source },
    }
}

/// What is read is not what was written.
pub(super) fn damaged() -> ShuffleError {
    file_error(ErrorKind::InvalidData.into())
}
