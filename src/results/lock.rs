//! Keeps two runs off one result file. The system drops the lock with its process, however that ends.

use chrono::{SecondsFormat, Utc};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

/// Held for as long as a run may write to its result file.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    // Unlocked when it is closed.
    _file: File,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// Another run has it.
    #[error("another run is writing {results}: {holder}; wait for it to end")]
    Held {
        /// The result file.
        results: String,
        /// Process and start of that run.
        holder: String,
    },
    /// The lock file cannot be made.
    #[error("cannot write next to the result file: {path}: {source}; a run needs room there and the right to write")]
    Unwritable {
        /// The lock file.
        path: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Lock {
    /// Takes the lock of a result file.
    ///
    /// # Errors
    /// Where another run has it, or the folder cannot be written.
    pub fn take(results: &Path) -> Result<Lock, LockError> {
        let path = super::beside(results, "lock");
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
                        if holder.is_empty() { "it has just begun".to_owned() } else { holder.trim().to_owned() };
                    return Err(LockError::Held { results: results.display().to_string(), holder });
                }
                Err(TryLockError::Error(source)) => return Err(unwritable(source)),
            }
            // The run before may have removed the file between our opening and locking it.
            if !is_still(&path, &file) {
                continue;
            }
            let since = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
            file.set_len(0).and_then(|()| file.rewind()).map_err(unwritable)?;
            write!(file, "process {}, since {since}", std::process::id()).map_err(unwritable)?;
            return Ok(Lock { path, _file: file });
        }
    }
}

#[cfg(unix)]
fn is_still(path: &Path, file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => (there.dev(), there.ino()) == (ours.dev(), ours.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_still(path: &Path, _file: &File) -> bool {
    // An open file cannot be removed there.
    path.exists()
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still held: whoever opened it meanwhile notices that it is gone.
        let _ = std::fs::remove_file(&self.path);
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
