//! One file of an export, found and not yet opened.

use crate::storage::DataFile;
use std::path::PathBuf;

/// One file of an export.
#[derive(Clone, Debug)]
pub(in crate::scan) struct FoundFile {
    /// Where to open it.
    pub(in crate::scan) data: DataFile,
    /// The path as the job gives it, with what a folder or a glob adds to it.
    pub(in crate::scan) given: PathBuf,
    /// `given` as text: how messages and results name the file.
    pub(in crate::scan) name: String,
}

impl FoundFile {
    pub(super) fn new(data: DataFile, given: PathBuf) -> FoundFile {
        FoundFile { data, name: given.display().to_string(), given }
    }
}
