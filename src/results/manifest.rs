//! The manifest beside a result file, `PATH.json`: what a rerun must know to do the same again.

use super::{ResultsError, beside};
use crate::outcome::Status;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What was run, with which ids, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program's version.
    pub traxload: String,
    /// The job file, as it was given.
    pub job: PathBuf,
    /// Where it was given.
    pub working_directory: PathBuf,
    /// What the command line said about the job.
    pub options: RunOptions,
    /// The namespace of the ids.
    pub namespace: String,
    /// 5, or 4 where they are marked so.
    pub ids_version: u8,
    /// The API's address.
    pub base_url: String,
    /// The project.
    pub project: String,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// `None` while the run goes on, or when it died.
    pub finished_at: Option<String>,
    /// Likewise.
    pub exit_code: Option<u8>,
    /// Rows of the result file by status, and the counts beside them.
    pub counts: BTreeMap<String, u64>,
}

/// The options of a run that decide what it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOptions {
    /// What `{date}` stood for, as a day.
    pub date: Option<String>,
    /// By visit_date, inclusive.
    pub from: Option<String>,
    /// By visit_date, inclusive.
    pub to: Option<String>,
    /// The first so many visits.
    pub limit: Option<u64>,
    /// In place of the job's rate.
    pub rate: Option<String>,
    /// In place of the job's memory.
    pub memory: Option<String>,
    /// Whether scene rows that nobody can assign were passed over.
    pub ignore_unreadable_scenes: bool,
    /// Whether an empty export is fine.
    pub allow_empty: bool,
}

impl Manifest {
    /// Reads the manifest of a result file.
    ///
    /// # Errors
    /// Where it is missing or damaged.
    pub fn read(results: &Path) -> Result<Manifest, ResultsError> {
        let path = beside(results, "json");
        let unreadable = |reason: String| ResultsError::Unreadable { path: path.display().to_string(), reason };
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(error.to_string()))?;
        serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))
    }

    /// How many rows the result file has, where the run ended.
    pub fn rows(&self) -> Option<u64> {
        let by_status = Status::ALL.iter().filter_map(|status| self.counts.get(status.name()));
        self.finished_at.is_some().then(|| by_status.sum())
    }

    /// Writes it, in place of an older one in one step.
    ///
    /// # Errors
    /// Where the disk is full or gone.
    pub fn write(&self, results: &Path) -> Result<(), ResultsError> {
        let path = beside(results, "json");
        let new = beside(results, "json.new");
        let failed = |source| ResultsError::write(&new, source);
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = File::create(&new).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(|source| ResultsError::write(&path, source))
    }
}
