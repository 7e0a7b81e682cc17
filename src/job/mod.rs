//! The job file, checked once, before anything else happens.
//!
//! `file` has its keys as they are written, `checked` turns them into what the rooms take: only a job file
//! without a mistake makes a [`Job`]. It opens the job file and the small lists that it names, and no export.

mod checked;
mod columns;
mod error;
mod file;
mod formats;
mod looks;
mod named;
mod notify;
mod parse;
mod paths;
mod quantities;
mod schema;
mod secrets;
mod snippet;

pub(crate) use columns::known_values;
pub use error::{JobError, Mistake};
pub(crate) use file::OPEN;
pub use paths::DateArg;
pub use quantities::{MaxInvalid, VENDOR_CEILING};
pub use schema::schema;

use crate::build::Rules;
use crate::notify::Notify;
use crate::scan::Source;
use crate::upload::{Config, Endpoint};
use chrono::{DateTime, NaiveDate, Utc};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the command line and the clock add to a job file.
#[derive(Clone, Debug)]
pub struct Options {
    /// What `{date}` becomes.
    pub date: Option<DateArg>,
    /// The run's start: `{time}`, and what `today` means.
    pub now: DateTime<Utc>,
    /// In place of the job's result path.
    pub results: Option<PathBuf>,
    /// In place of the job's rate, as written there.
    pub rate: Option<String>,
    /// In place of the job's memory, as written there.
    pub memory: Option<String>,
    /// In place of the job's longest duration, as written there.
    pub max_duration: Option<String>,
}

/// Where sessions go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A server with an address.
    Server,
    /// A sandbox inside this process.
    Sandbox,
}

/// Where the token is found. The token itself is never part of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// An environment variable.
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
}

/// A job without mistakes.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its name, by which results are filed.
    pub name: String,
    /// The job file.
    pub file: PathBuf,
    /// The day that `{date}` stands for.
    pub date: Option<NaiveDate>,
    /// The visits export.
    pub visits: Source,
    /// The scenes export.
    pub scenes: Source,
    /// How visits are read and checked.
    pub rules: Rules,
    /// How many invalid visits are too many.
    pub max_invalid: MaxInvalid,
    /// The memory for grouping, in bytes; `None`: half of the machine's.
    pub memory: Option<u64>,
    /// Where sessions go.
    pub target: Target,
    /// The address and its parts; for a sandbox, the one that it stands for.
    pub endpoint: Endpoint,
    /// Where the token is found.
    pub token: TokenSource,
    /// How they are sent.
    pub upload: Config,
    /// How long a run may take, from the start of its process.
    pub max_duration: Option<Duration>,
    /// The result file.
    pub results: PathBuf,
    /// Where the figures of a run are left for Prometheus.
    pub metrics: Option<PathBuf>,
    /// Whom to tell how a run ended.
    pub notify: Option<Notify>,
    /// Whether a page is made of it.
    pub report: bool,
    /// What is allowed and yet worth a word.
    pub warnings: Vec<String>,
    /// Where it names the columns of its exports.
    named: Vec<named::Named>,
}

impl Job {
    /// Reads and checks a job file.
    ///
    /// # Errors
    /// All mistakes that can be told, with their places.
    pub fn load(path: &Path, options: &Options) -> Result<Job, JobError> {
        let bytes = std::fs::read(path).map_err(|source| JobError::Unreadable { path: path.to_owned(), source })?;
        if looks::is_export(path, &bytes) {
            return Err(JobError::Export { path: path.to_owned() });
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            JobError::NoText { path: path.to_owned(), line }
        })?;
        // Editors of Windows begin a file with it; it is part of no line.
        checked::job(path, text.strip_prefix('\u{feff}').unwrap_or(text), options)
    }
}
