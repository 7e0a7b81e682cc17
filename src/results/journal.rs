//! The journal of a run: rows appended as they happen, one rename at the end.
//!
//! The recorder hands rows to the system within 20 ms and syncs them every second. A process that is killed loses the rows
//! of 20 ms at most, a machine that loses power those of a second.

use super::copying::{Mark, StoredRow};
use super::error::ResultsError;
use super::paths::beside;
use super::row;
use crate::outcome::Outcome;
use crate::owned_file::{PRIVATE, create_like};
use crate::text::hex;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A journal in the making, `PATH.partial.new`: the header and the rows of earlier runs. [`Draft::begin`] makes it the
/// journal; a draft that is dropped before removes its file.
#[derive(Debug)]
pub(crate) struct Draft {
    results: PathBuf,
    new: RemoveOnDrop,
    rows: BufWriter<File>,
    /// The hash of all rows, and of the header.
    written: Sha256,
}

impl Draft {
    /// A draft without rows for the result file `results`.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(crate) fn new(results: &Path) -> Result<Draft, ResultsError> {
        let new = beside(results, "partial.new");
        // The journal becomes the result file, so it is what that one was, or the journal before it.
        let older = results.metadata().or_else(|_| beside(results, "partial").metadata()).ok();
        let file = create_like(&new, older.as_ref(), PRIVATE).map_err(|source| ResultsError::write(&new, source))?;
        let rows = BufWriter::with_capacity(1 << 18, file);
        let mut draft = Draft { results: results.to_owned(), new: RemoveOnDrop(new), rows, written: Sha256::new() };
        draft.add(format!("{}\n", row::COLUMNS.join(",")).as_bytes())?;
        Ok(draft)
    }

    /// Appends whole rows, each with its line break.
    pub(super) fn add(&mut self, rows: &[u8]) -> Result<(), ResultsError> {
        self.written.update(rows);
        self.rows.write_all(rows).map_err(|source| ResultsError::write(&self.new.0, source))
    }

    /// Appends a row of an earlier file. `mark`: in place of its error; `keeps_hash`: whether the hash of its body stays.
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub(crate) fn add_row(
        &mut self,
        row: StoredRow<'_>,
        mark: Option<&Mark>,
        keeps_hash: bool,
    ) -> Result<(), ResultsError> {
        let mut normal = Vec::new();
        self.add(row.line(mark, keeps_hash, &mut normal))
    }

    /// Makes the draft the journal, in place of an older journal.
    ///
    /// The rows of an older journal may be nowhere else, so the draft is synced before it replaces one. Without an older
    /// journal the rows are still in the finished file, and the first [`Journal::sync`] is early enough.
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub(crate) fn begin(self) -> Result<Journal, ResultsError> {
        let Draft { results, new, rows, written } = self;
        let failed = |source| ResultsError::write(&new.0, source);
        let file = rows.into_inner().map_err(|error| failed(error.into_error()))?;
        let path = beside(&results, "partial");
        let is_synced = path.exists();
        if is_synced {
            tolerantly(file.sync_all()).map_err(failed)?;
        }
        std::fs::rename(&new.0, &path).map_err(|source| ResultsError::write(&path, source))?;
        sync_folder(&path);
        Ok(Journal { results, path, file, buffer: Vec::new(), is_synced, written })
    }
}

/// Removes a file when it is dropped.
#[derive(Debug)]
struct RemoveOnDrop(PathBuf);

impl Drop for RemoveOnDrop {
    fn drop(&mut self) {
        // After the rename there is no file of this name.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An open journal, `PATH.partial`.
#[derive(Debug)]
pub(crate) struct Journal {
    results: PathBuf,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    is_synced: bool,
    /// The hash of the whole file.
    written: Sha256,
}

impl Journal {
    /// Appends the rows of these outcomes in one write to the system. They are on the disk after [`Journal::sync`].
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub(crate) fn write(&mut self, outcomes: &[Outcome]) -> Result<(), ResultsError> {
        self.buffer.clear();
        row::write(outcomes, &mut self.buffer);
        self.is_synced = false;
        self.written.update(&self.buffer);
        self.file.write_all(&self.buffer).map_err(|source| ResultsError::write(&self.path, source))
    }

    /// Waits until everything written is on the disk.
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub(crate) fn sync(&mut self) -> Result<(), ResultsError> {
        if !self.is_synced {
            tolerantly(self.file.sync_data()).map_err(|source| ResultsError::write(&self.path, source))?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Syncs the journal and renames it to the result file.
    ///
    /// # Errors
    /// If the disk is full or gone; the journal then keeps its name.
    pub(crate) fn finish(mut self) -> Result<(), ResultsError> {
        self.sync()?;
        std::fs::rename(&self.path, &self.results).map_err(|source| ResultsError::write(&self.results, source))?;
        sync_folder(&self.results);
        Ok(())
    }

    /// The SHA-256 of the file as it is now, in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        hex(&self.written.clone().finalize())
    }

    /// Removes the journal.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(crate) fn discard(self) -> Result<(), ResultsError> {
        std::fs::remove_file(&self.path).map_err(|source| ResultsError::write(&self.path, source))
    }

    /// The path of the journal.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// A file system that cannot force anything to the disk is a warning at the start, and no error.
pub(super) fn tolerantly(synced: io::Result<()>) -> io::Result<()> {
    synced.or_else(|error| if is_without_sync(&error) { Ok(()) } else { Err(error) })
}

/// Whether it is not this file that cannot be forced to the disk, but none of its file system.
pub(super) fn is_without_sync(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported)
}

/// A rename is durable once its folder is on the disk. Some systems cannot sync a folder; that is not an error.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
