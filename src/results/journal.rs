//! The journal of a run: rows appended as they happen, one rename at the end.
//!
//! Rows are handed to the system within 20 ms (`recorder`), so that a killed process loses no more than those of such a
//! moment, and synced at least every second, so that a machine that loses power loses those of a second at most.

use super::{ResultsError, row};
use crate::outcome::Outcome;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

/// What a journal starts with, `PATH.partial.new`: the rows of earlier runs. It becomes the journal once they are
/// complete; dropped before, it leaves nothing.
#[derive(Debug)]
pub struct Draft {
    results: PathBuf,
    new: Remove,
    rows: BufWriter<File>,
}

impl Draft {
    /// A journal for the result file `results` that has no rows yet.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn new(results: &Path) -> Result<Draft, ResultsError> {
        let new = super::beside(results, "partial.new");
        let file = File::create(&new).map_err(|source| ResultsError::write(&new, source))?;
        let rows = BufWriter::with_capacity(1 << 18, file);
        let mut draft = Draft { results: results.to_owned(), new: Remove(new), rows };
        draft.add(format!("{}\n", row::COLUMNS.join(",")).as_bytes())?;
        Ok(draft)
    }

    /// Adds whole rows.
    pub(super) fn add(&mut self, rows: &[u8]) -> Result<(), ResultsError> {
        self.rows.write_all(rows).map_err(|source| ResultsError::write(&self.new.0, source))
    }

    /// Makes it the journal, in place of one that is there.
    ///
    /// Such a one is replaced by what is on the disk already, for its rows may be nowhere else. Otherwise they are in the
    /// finished file until the journal takes its place, and the first [`Journal::sync`] is soon enough.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub fn begin(self) -> Result<Journal, ResultsError> {
        let Draft { results, new, rows } = self;
        let failed = |source| ResultsError::write(&new.0, source);
        let file = rows.into_inner().map_err(|error| failed(error.into_error()))?;
        let path = super::beside(&results, "partial");
        let is_synced = path.exists();
        if is_synced {
            file.sync_all().map_err(failed)?;
        }
        std::fs::rename(&new.0, &path).map_err(|source| ResultsError::write(&path, source))?;
        sync_folder(&path);
        let file = OpenOptions::new().append(true).open(&path).map_err(|source| ResultsError::write(&path, source))?;
        Ok(Journal { results, path, file, buffer: Vec::new(), is_synced })
    }
}

/// A file that goes when nobody needs it any more.
#[derive(Debug)]
struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        // After the rename it has another name, and nothing is there.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// An open journal, `PATH.partial`.
#[derive(Debug)]
pub struct Journal {
    results: PathBuf,
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    is_synced: bool,
}

impl Journal {
    /// Hands rows to the system.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub fn write(&mut self, outcomes: &[Outcome]) -> Result<(), ResultsError> {
        self.buffer.clear();
        row::write(outcomes, &mut self.buffer);
        self.is_synced = false;
        self.file.write_all(&self.buffer).map_err(|source| ResultsError::write(&self.path, source))
    }

    /// Has the system bring everything written to the disk.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub fn sync(&mut self) -> Result<(), ResultsError> {
        if !self.is_synced {
            self.file.sync_data().map_err(|source| ResultsError::write(&self.path, source))?;
            self.is_synced = true;
        }
        Ok(())
    }

    /// Makes the journal the result file.
    ///
    /// # Errors
    /// Where the disk is full or gone; the journal then stays under its name.
    pub fn finish(mut self) -> Result<(), ResultsError> {
        self.sync()?;
        std::fs::rename(&self.path, &self.results).map_err(|source| ResultsError::write(&self.results, source))?;
        sync_folder(&self.results);
        Ok(())
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A rename lasts once its folder is on the disk. Systems that cannot sync a folder do without.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}
