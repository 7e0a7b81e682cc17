//! Keeps two runs from writing one result file. The system releases the lock when its process ends, however it ends.

use super::error::way_on;
use super::paths::beside;
use crate::host;
use chrono::{SecondsFormat, Utc};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// The lock of a result file, `PATH.lock`. A run holds it for as long as it may write to the file.
#[derive(Debug)]
pub struct Lock {
    // Closing the file releases the lock. `None`: the file system has no locks.
    held: Option<(PathBuf, File)>,
}

/// Why a run did not get the lock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run holds it.
    #[error("another run is writing {results}: {holder}; wait for it to end")]
    Held {
        /// The result file.
        results: String,
        /// Process, machine and start of that run: `process 4711 on web-1, since 2024-03-05T08:12:33Z`.
        holder: String,
    },
    /// The lock file cannot be created.
    #[error("cannot create {path}: {source}; {}", way_on(.source))]
    Unwritable {
        /// The lock file.
        path: String,
        /// The system's error.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of a result file.
    ///
    /// # Errors
    /// If another run holds it, or if the lock file cannot be created.
    pub fn take(results: &Path) -> Result<Lock, LockError> {
        let path = beside(results, "lock");
        let unwritable = |source| LockError::Unwritable { path: path.display().to_string(), source };
        loop {
            let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = file.map_err(unwritable)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.take(200).read_to_string(&mut holder);
                    let holder =
                        if holder.is_empty() { "it has just started".to_owned() } else { holder.trim().to_owned() };
                    return Err(LockError::Held { results: results.display().to_string(), holder });
                }
                Err(TryLockError::Error(error)) if is_without_locks(&error) => {
                    let _ = std::fs::remove_file(&path);
                    return Ok(Lock { held: None });
                }
                Err(TryLockError::Error(source)) => return Err(unwritable(source)),
            }
            // The run before may have removed the file between our open and our lock.
            if !is_file_at(&path, &file) {
                continue;
            }
            let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
            file.set_len(0).and_then(|()| file.rewind()).map_err(unwritable)?;
            let host = host::name().map(|name| format!(" on {name}")).unwrap_or_default();
            write!(file, "process {}{host}, since {since}", std::process::id()).map_err(unwritable)?;
            return Ok(Lock { held: Some((path, file)) });
        }
    }

    /// Whether a second run is kept away. Where the file system has no locks, none is.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }
}

/// Whether it is not this lock that fails, but locks of this file system.
#[cfg(unix)]
fn is_without_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let codes = [Errno::NOLCK, Errno::NOTSUP, Errno::NOSYS, Errno::INVAL].map(Errno::raw_os_error);
    error.kind() == io::ErrorKind::Unsupported || error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Whether it is not this lock that fails, but locks of this file system.
#[cfg(not(unix))]
fn is_without_locks(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

/// Whether `file` is still the file at this path.
#[cfg(unix)]
fn is_file_at(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
    }
}

/// Whether `file` is still the file at this path.
#[cfg(not(unix))]
fn is_file_at(path: &Path, _file: &File) -> bool {
    // Such a system does not remove a file that is open.
    path.exists()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While the lock is still held: a process that opened the file meanwhile notices that it was removed.
        if let Some((path, _)) = &self.held {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_run_is_told_who_has_the_file_and_a_third_gets_it_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let results = folder.path().join("r.csv");
        let first = Lock::take(&results).expect("free");
        let error = Lock::take(&results).expect_err("held").to_string();
        assert!(error.contains(&format!("process {}", std::process::id())), "{error}");
        drop(first);
        Lock::take(&results).expect("free again");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 0);
    }
}
