//! The journal of a run: rows appended as they happen, one rename at the end.
//!
//! Rows are handed to the system at once, so that a killed process loses none, and synced at least every second, so
//! that a machine that loses power loses a moment's at most.

use super::{ResultsError, row};
use crate::upload::Outcome;
use chrono::{DateTime, Utc};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// Begins a journal for the result file `results`, in place of one that is there. `kept` writes the rows that it
    /// starts with; the file appears under its name only when they are complete.
    pub(super) fn begin(
        results: &Path,
        kept: impl FnOnce(&mut csv::Writer<&mut File>) -> Result<(), ResultsError>,
    ) -> Result<Journal, ResultsError> {
        let path = super::beside(results, "partial");
        let new = super::beside(results, "partial.new");
        let mut file = File::create(&new).map_err(|source| ResultsError::write(&new, source))?;
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut file);
        writer.write_record(row::COLUMNS).map_err(|error| ResultsError::write(&new, error.into()))?;
        kept(&mut writer)?;
        writer.flush().map_err(|source| ResultsError::write(&new, source))?;
        drop(writer);
        file.sync_all().map_err(|source| ResultsError::write(&new, source))?;
        std::fs::rename(&new, &path).map_err(|source| ResultsError::write(&path, source))?;
        sync_folder(&path);
        let file = OpenOptions::new().append(true).open(&path).map_err(|source| ResultsError::write(&path, source))?;
        Ok(Journal { results: results.to_owned(), path, file, buffer: Vec::new(), is_synced: true })
    }

    /// Hands rows to the system.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub fn write(&mut self, outcomes: &[Outcome], finished_at: DateTime<Utc>) -> Result<(), ResultsError> {
        self.buffer.clear();
        row::write(outcomes, finished_at, &mut self.buffer);
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
