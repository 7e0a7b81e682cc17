//! What would fail at the end of a run, looked for before anything is read: a result file appears there in one rename, and
//! every row until then has to reach the disk.

use super::error::ResultsError;
use super::journal::is_without_sync;
use super::paths::beside;
use crate::host::Mounts;
use crate::owned_file::{PRIVATE, create_like};
use std::io;
use std::path::Path;

/// Looks for what would fail. Returns what a person should know of the file system of the results.
///
/// # Errors
/// Where the result file could not be written.
pub(crate) fn look_ahead(results: &Path) -> Result<Option<String>, ResultsError> {
    // Its name is as long as the longest that a run makes beside a result file.
    let tried = beside(results, "partial.try");
    let mounts = Mounts::now();
    for path in [results.to_owned(), beside(results, "partial"), beside(results, "json")] {
        if mounts.has_point(&path) {
            return Err(ResultsError::MountPoint(path.display().to_string()));
        }
        if belongs_to_others_alone(&path) {
            return Err(ResultsError::Sticky(path.display().to_string()));
        }
        if is_immutable(&path) {
            return Err(ResultsError::Immutable(path.display().to_string()));
        }
    }
    match try_out(&tried, &beside(results, "partial.end")) {
        Err(error) if is_without_sync(&error) => Ok(Some(format!(
            "the file system of {} cannot force rows to the disk ({error}): if the machine loses power, rows of the last \
             moments may be lost. The API answers 409 for their visits then",
            results.display()
        ))),
        Err(source) => Err(ResultsError::write(&tried, source)),
        Ok(()) => Ok(None),
    }
}

/// Makes a file, forces it to the disk, renames it as a journal is at the end, and removes it again.
fn try_out(path: &Path, renamed: &Path) -> io::Result<()> {
    let file = create_like(path, None, PRIVATE)?;
    let synced = file.sync_all();
    std::fs::rename(path, renamed)?;
    std::fs::remove_file(renamed)?;
    synced
}

/// Whether a file in a folder such as `/tmp` may be replaced by its owner alone, who is somebody else.
#[cfg(unix)]
fn belongs_to_others_alone(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    const STICKY: u32 = 0o1000;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(file), Ok(folder)) = (path.symlink_metadata(), folder.metadata()) else { return false };
    let user = rustix::process::geteuid().as_raw();
    folder.mode() & STICKY != 0 && ![0, file.uid(), folder.uid()].contains(&user)
}

/// Whether a file is marked so that nobody can replace it.
#[cfg(target_os = "linux")]
fn is_immutable(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    let marks = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|found| found.stx_attributes.intersects(marks))
}

#[cfg(not(target_os = "linux"))]
fn is_immutable(_: &Path) -> bool {
    false
}

#[cfg(not(unix))]
fn belongs_to_others_alone(_: &Path) -> bool {
    false
}
