//! What an earlier run left: its rows read again, by visit.

use super::reading::for_each_record;
use super::row::{COLUMNS, ResultRow};
use super::{Counts, Journal, ResultsError};
use crate::upload::Status;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The rows of an earlier run, by visit. The rows themselves stay on the disk.
#[derive(Debug, Default)]
pub struct Previous {
    files: Vec<PathBuf>,
    /// Status and session id of every visit that has a key.
    visits: HashMap<String, (Status, Option<Uuid>)>,
}

impl Previous {
    /// Reads what is there of a result file: the journal of a run that died, the finished file before it. `None` where
    /// there is neither.
    ///
    /// # Errors
    /// Where one cannot be read, or is no result file.
    pub fn find(results: &Path) -> Result<Option<Previous>, ResultsError> {
        let files = [super::beside(results, "partial"), results.to_owned()];
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        if files.is_empty() { Ok(None) } else { Previous::read(files).map(Some) }
    }

    /// Reads result files; what an earlier one of the list says of a delivered visit counts.
    fn read(files: Vec<PathBuf>) -> Result<Previous, ResultsError> {
        let mut previous = Previous { files, ..Previous::default() };
        for path in &previous.files.clone() {
            previous.add(path)?;
        }
        Ok(previous)
    }

    fn add(&mut self, path: &Path) -> Result<(), ResultsError> {
        let previous = self;
        for_each_row(path, |row| {
            let Some(status) = row.status() else { return Ok(()) };
            if row.visit_id.is_empty() {
                return Ok(());
            }
            let uid = Uuid::parse_str(&row.session_uid).ok();
            let known = previous.visits.entry(row.visit_id).or_insert((status, uid));
            // Of several rows for one key a delivered one tells what the API has.
            if status.is_delivered() && !known.0.is_delivered() {
                *known = (status, uid);
            }
            Ok(())
        })
    }

    /// How it ended for a visit, if it has a row.
    pub fn status(&self, visit_id: &str) -> Option<Status> {
        self.visits.get(visit_id).map(|(status, _)| *status)
    }

    /// The key of a visit, if it has a row.
    pub fn key(&self, visit_id: &str) -> Option<&str> {
        self.visits.get_key_value(visit_id).map(|(key, _)| key.as_str())
    }

    /// All visits with their status and session id.
    pub fn visits(&self) -> impl Iterator<Item = (&str, Status, Option<Uuid>)> {
        self.visits.iter().map(|(visit, (status, uid))| (visit.as_str(), *status, *uid))
    }

    /// Begins a journal with the rows of these visits, as they were. Of several rows for one visit a single one is
    /// kept, and counted.
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub fn carry_over(
        &self,
        results: &Path,
        keep: impl Fn(&str, Status) -> bool,
        counts: &Counts,
    ) -> Result<Journal, ResultsError> {
        let mut seen = HashSet::new();
        Journal::begin(results, |writer| {
            self.files.iter().try_for_each(|file| {
                for_each_row(file, |row| {
                    let Some(status) = row.status() else { return Ok(()) };
                    let stays = self.status(&row.visit_id) == Some(status) && keep(&row.visit_id, status);
                    if stays && !seen.contains(&row.visit_id) {
                        writer.serialize(&row).map_err(|error| ResultsError::write(results, error.into()))?;
                        counts.carry_over(status, &row.visit_id, &row.error_code, &row.error);
                        seen.insert(row.visit_id);
                    }
                    Ok(())
                })
            })
        })
    }
}

/// Hands every whole row to `each`.
fn for_each_row(path: &Path, mut each: impl FnMut(ResultRow) -> Result<(), ResultsError>) -> Result<(), ResultsError> {
    let header = csv::StringRecord::from(COLUMNS.to_vec());
    for_each_record(path, |record| match record.deserialize(Some(&header)) {
        Ok(row) => each(row),
        // A whole record is fourteen texts, and those are a row.
        Err(_) => Ok(()),
    })?;
    Ok(())
}
