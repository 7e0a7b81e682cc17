//! The type [`Job`]: a job file without mistakes, as the other rooms take it. How it comes about is in `load`.

use super::column_places::{ColumnPlace, missing_columns};
use super::error::JobError;
use super::nights::Nights;
use super::options::PreparedMeant;
use super::quantities::MaxInvalid;
use crate::build::Rules;
use crate::notify::Notify;
use crate::scan::{ScanError, Source};
use crate::suspicion::SuspicionCode;
use crate::upload::{Config, Endpoint};
use chrono::NaiveDate;
use std::path::PathBuf;
use std::time::Duration;

/// A job without mistakes. Only [`Job::load`] makes one.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// Its name, by which results are filed.
    pub(crate) name: String,
    /// The path of the job file, as it was given.
    pub(crate) file: PathBuf,
    /// The day that `{date}` stands for.
    pub(crate) date: Option<NaiveDate>,
    /// The same day, where a path or a command of an export names it down to the day: its visits are then of about that
    /// day.
    pub(crate) dated_day: Option<NaiveDate>,
    /// The visits export.
    pub(crate) visits: Source,
    /// The scenes export.
    pub(crate) scenes: Source,
    /// The paths or commands of both exports as the job file has them.
    pub(crate) reads: [Vec<String>; 2],
    /// The folder of prepared visits that is sent in place of exports.
    pub(crate) prepared: Option<PreparedMeant>,
    /// How visits are read and checked.
    pub(crate) rules: Rules,
    /// Suspicions that are none in this job.
    pub(crate) accepted: Vec<SuspicionCode>,
    /// How many invalid visits are too many.
    pub(crate) max_invalid: MaxInvalid,
    /// The memory for grouping, in bytes; `None`: half of what is free.
    pub(crate) memory: Option<u64>,
    /// Where sessions go.
    pub(crate) target: Target,
    /// The address and its parts; for a sandbox, the one that it stands for.
    pub(crate) endpoint: Endpoint,
    /// Where the token is found.
    pub(crate) token: TokenSource,
    /// How sessions are sent.
    pub(crate) upload: Config,
    /// How long a run may take, from the start of its process.
    pub(crate) max_duration: Option<Duration>,
    /// The result file.
    pub(crate) results: PathBuf,
    /// The result files of other days, where it runs once a day.
    pub(crate) nights: Option<Nights>,
    /// Globs of the result files of earlier runs.
    pub(crate) earlier: Vec<String>,
    /// Where the figures of a run are left for Prometheus.
    pub(crate) metrics: Option<PathBuf>,
    /// Where to send a notification of how a run ended, and of which runs.
    pub(crate) notify: Option<Notify>,
    /// Whether a page is made beside the result file.
    pub(crate) report: bool,
    /// What is allowed and yet worth a word.
    pub(crate) warnings: Vec<String>,
    /// Where the job file names the columns of its exports.
    pub(super) column_places: Vec<ColumnPlace>,
}

/// Where sessions go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A server with an address.
    Server,
    /// A sandbox inside this process.
    Sandbox,
}

/// Where the token is found. The token itself is never part of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    /// An environment variable.
    Env(String),
    /// A file that holds nothing else.
    File(PathBuf),
}

impl Job {
    /// All places where the job file names columns that its exports do not have, in the order of the file.
    ///
    /// # Errors
    /// The first error that is not about missing columns: an export cannot be opened for another reason.
    pub(crate) fn missing_columns(&self, errors: Vec<ScanError>) -> Result<JobError, ScanError> {
        missing_columns(&self.column_places, errors)
    }

    /// The API as requests reach it: the sandbox is on this machine, where no certificate is needed.
    pub(crate) fn reached(&self) -> Endpoint {
        match self.target {
            Target::Server => self.endpoint.clone(),
            Target::Sandbox => Endpoint { base_url: "http://localhost".to_owned(), ..self.endpoint.clone() },
        }
    }
}
