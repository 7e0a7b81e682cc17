//! Where temporary files go. They are for what does not fit the memory, so a folder that is kept in memory is no place for
//! them, and many systems have `/tmp` there.

use super::mounts::Mounts;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// For temporary files that are large, by the Filesystem Hierarchy Standard; it is on a disk.
const LARGE: &str = "/var/tmp";

/// The folder for temporary files: what `TMPDIR` names, else that of the system, unless it is kept in memory and
/// `/var/tmp` is not.
pub(crate) fn temporary_folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir();
        let is_named = std::env::var_os("TMPDIR").is_some_and(|named| !named.is_empty());
        let large = Path::new(LARGE);
        let is_better = !is_named && is_in_memory(&folder) && !is_in_memory(large);
        if is_better && tempfile::tempfile_in(large).is_ok() { large.to_owned() } else { folder }
    })
}

/// A file without a name, for this process alone. Nothing of it stays behind, whatever happens to the process.
///
/// # Errors
/// Where the folder cannot be written to.
pub(crate) fn temporary_file() -> io::Result<File> {
    tempfile::tempfile_in(temporary_folder())
}

/// Whether temporary files fill the memory.
pub(crate) fn temporary_is_in_memory() -> bool {
    is_in_memory(temporary_folder())
}

fn is_in_memory(folder: &Path) -> bool {
    folder.canonicalize().is_ok_and(|folder| Mounts::now().is_in_memory(&folder))
}
