//! The manifest beside a result file, `PATH.json`: what a rerun must know to do the same again. Its field names are part of
//! the file format.

use super::error::ResultsError;
use super::journal::tolerantly;
use super::paths::beside;
use crate::outcome::Status;
use crate::owned_file::{PRIVATE, create_like};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What was run, with which ids, and how it ended.
///
/// Manifests of older versions lack keys, and each has a default. Only the job has none: without it there is nothing to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    /// The version of the program that wrote it, with the commit where it is known: `0.2.0 (36591c6)`.
    #[serde(default)]
    pub(crate) traxload: String,
    /// The path of the job file as the command line had it: `jobs/nightly.toml`.
    pub(crate) job: PathBuf,
    /// The absolute path of the folder in which the run was started: `/srv/trax`. Relative paths of the job start here.
    #[serde(default)]
    pub(crate) working_directory: PathBuf,
    /// The options of the command line that choose what is sent.
    #[serde(default)]
    pub(crate) options: RunOptions,
    /// What tells the job from others. `None` in files of the first version.
    #[serde(default)]
    pub(crate) reads: Option<Reads>,
    /// The user whose rights the run had: `trax`.
    #[serde(default)]
    pub(crate) user: Option<String>,
    /// The machine: `web-1`.
    #[serde(default)]
    pub(crate) host: Option<String>,
    /// What was read, in its order: the files of the visits, then those of the scenes.
    #[serde(default)]
    pub(crate) inputs: Vec<Input>,
    /// The namespace of the session ids, a UUID; empty: not known. `6ba7b811-9dad-11d1-80b4-00c04fd430c8`.
    #[serde(default)]
    pub(crate) namespace: String,
    /// The version that the ids are marked with: 5, or 4 for a server that insists on 4.
    #[serde(default = "usual_version")]
    pub(crate) ids_version: u8,
    /// The address of the API without a slash at its end: `https://services.traxretail.com`, or `sandbox`.
    #[serde(default)]
    pub(crate) base_url: String,
    /// The project of the API: `my-project`.
    #[serde(default)]
    pub(crate) project: String,
    /// The start of the run in UTC, RFC 3339: `2024-03-05T08:12:33.000Z`.
    #[serde(default)]
    pub(crate) started_at: String,
    /// The end of the run, written as `started_at` is. `None` while the run goes on, and after it died.
    #[serde(default)]
    pub(crate) finished_at: Option<String>,
    /// The exit code of the run, 0 to 143. `None` while the run goes on, and after it died.
    #[serde(default)]
    pub(crate) exit_code: Option<u8>,
    /// The hash of the prepared folder that was sent; `None` where exports were read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prepared_sha256: Option<String>,
    /// Numbers of rows. For each status its rows in the result file (`uploaded`: 12), and besides `rows_read`,
    /// `identical_duplicates`, `carried_over`, `carried_over_not_in_exports`; and `rate_limited`, requests answered 429.
    #[serde(default)]
    pub(crate) counts: BTreeMap<String, u64>,
    /// The SHA-256 of the result file, in hexadecimal digits. `None` while the run goes on, and after it died.
    #[serde(default)]
    pub(crate) sha256: Option<String>,
    /// What rows mean. From 2 on, the hash of a delivered row is that of the body that Trax has; the first version, which did
    /// not write this, wrote the hash of its own body beside a 409 as well.
    #[serde(default = "first_format")]
    pub(crate) format: u32,
}

/// What rows of this version mean.
pub(crate) const FORMAT: u32 = 2;

fn first_format() -> u32 {
    1
}

fn usual_version() -> u8 {
    5
}

/// A file that a run has read, or what a command has printed to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Input {
    /// Its path as the job gives it, with what a folder or a glob adds to it: `exports/visits.csv`.
    pub(crate) path: String,
    /// Its size: 1024.
    pub(crate) bytes: u64,
    /// When it was last changed, RFC 3339 in UTC; of an object when its storage got it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) modified: Option<String>,
    /// What the storage of an object calls its content (the ETag).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tag: Option<String>,
    /// The command that printed it, with its arguments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) command: Option<Vec<String>>,
}

/// Which job it was, wherever its file is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reads {
    /// The name of the job: `nightly`.
    pub(crate) name: String,
    /// The paths or the command of the visits as the job file has them: `exports/{date}/visits.csv`.
    pub(crate) visits: Vec<String>,
    /// Those of the scenes.
    pub(crate) scenes: Vec<String>,
    /// In place of both: the folder of prepared visits, as the command line had it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) prepared: Option<String>,
}

impl Reads {
    /// Whether both are of one job. Where its visits were prepared, and in which folder, plays no part: folders are moved.
    pub(crate) fn is_of_job(&self, other: &Reads) -> bool {
        (&self.name, &self.visits, &self.scenes) == (&other.name, &other.visits, &other.scenes)
    }
}

/// The options of a run that decide what it sends.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct RunOptions {
    /// The day for `{date}` in the paths of the job, `--date`: `2024-03-05`.
    pub(crate) date: Option<String>,
    /// The first visit_date to send, `--from`: `2024-03-01`.
    pub(crate) from: Option<String>,
    /// The last visit_date to send, `--to`: `2024-03-31`.
    pub(crate) to: Option<String>,
    /// The number of visits to send, the first of the exports, `--limit`: 10.
    pub(crate) limit: Option<u64>,
    /// Requests per second or minute in place of the job's rate, `--rate`: `50/s`.
    pub(crate) rate: Option<String>,
    /// Memory for grouping in place of the job's, `--memory`: `4GB`.
    pub(crate) memory: Option<String>,
    /// Whether exports without visits are not an error, `--allow-empty`.
    pub(crate) allow_empty: bool,
    /// The hash of the prepared folder that was signed off, `--expect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expect: Option<String>,
    /// Codes that were let through, `--accept`: `unreadable_scenes`.
    pub(crate) accept: Vec<String>,
    /// What the first version had in place of `accept = ["unreadable_scenes"]`.
    #[serde(skip_serializing)]
    pub(crate) ignore_unreadable_scenes: bool,
}

impl RunOptions {
    /// Whether these options choose the visits that other ones choose. The rest of them only says how visits are sent.
    pub(crate) fn chooses_as(&self, other: &RunOptions) -> bool {
        self.chosen() == other.chosen()
    }

    /// The options that choose visits, as they are typed; empty where there are none.
    pub(crate) fn choice(&self) -> String {
        let given = self.chosen().into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
        given.collect::<Vec<_>>().join(" ")
    }

    fn chosen(&self) -> [(&'static str, Option<String>); 4] {
        let limit = self.limit.map(|limit| limit.to_string());
        [("--date", self.date.clone()), ("--from", self.from.clone()), ("--to", self.to.clone()), ("--limit", limit)]
    }
}

impl Manifest {
    /// Reads the manifest of the result file `results`.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub(crate) fn read(results: &Path) -> Result<Manifest, ResultsError> {
        let path = beside(results, "json");
        let text = std::fs::read_to_string(&path).map_err(|error| ResultsError::unreadable(&path, error))?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|error| ResultsError::unreadable(&path, error))?;
        if manifest.job.as_os_str().is_empty() {
            return Err(ResultsError::unreadable(&path, "it names no job file"));
        }
        Ok(manifest)
    }

    /// Puts back what was there before a manifest was written, byte for byte; or nothing.
    ///
    /// # Errors
    /// If the system does not allow it.
    pub(crate) fn put_back(results: &Path, before: Option<&[u8]>) -> Result<(), ResultsError> {
        let path = beside(results, "json");
        let done = match before {
            Some(bytes) => std::fs::write(&path, bytes),
            None => std::fs::remove_file(&path),
        };
        done.map_err(|source| ResultsError::write(&path, source))
    }

    /// Whether rows that were not sent have the hash of the body that Trax has.
    pub(crate) fn keeps_hashes(&self) -> bool {
        self.format >= 2
    }

    /// When the run started; `None` if the time cannot be read.
    pub(crate) fn start(&self) -> Option<DateTime<Utc>> {
        time(&self.started_at)
    }

    /// When the run ended; `None` if it has not, or if the time cannot be read.
    pub(crate) fn end(&self) -> Option<DateTime<Utc>> {
        time(self.finished_at.as_ref()?)
    }

    /// The number of rows that the result file had when the run ended; `None` if it has not ended.
    pub(crate) fn rows(&self) -> Option<u64> {
        let by_status = Status::ALL.iter().filter_map(|status| self.counts.get(status.name()));
        (self.finished_at.is_some() && !self.counts.is_empty()).then(|| by_status.sum())
    }

    /// Writes the manifest of the result file `results`. An older one is replaced in one rename.
    ///
    /// # Errors
    /// If the disk is full or gone.
    pub(crate) fn write(&self, results: &Path) -> Result<(), ResultsError> {
        let path = beside(results, "json");
        let new = beside(results, "json.new");
        let failed = |source| ResultsError::write(&new, source);
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        let mut file = create_like(&new, path.metadata().ok().as_ref(), PRIVATE).map_err(failed)?;
        file.write_all(&text).and_then(|()| tolerantly(file.sync_all())).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(|source| ResultsError::write(&path, source))
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}
