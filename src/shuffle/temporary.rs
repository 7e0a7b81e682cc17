//! Temporary files without a name, and what goes wrong with them.
//!
//! Without one from the start: whatever happens to the process, nothing of them stays behind.

use super::ShuffleError;
use std::fs::File;
use std::io;
use std::path::PathBuf;

/// A file without a name.
pub(super) fn temporary() -> Result<File, ShuffleError> {
    tempfile::tempfile().map_err(disk)
}

pub(super) fn disk(source: io::Error) -> ShuffleError {
    let folder = folder().display().to_string();
    match source.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ShuffleError::Spoilt { folder, source },
        _ => ShuffleError::Disk { folder, source },
    }
}

/// Where temporary files are made.
fn folder() -> PathBuf {
    std::env::temp_dir()
}
