//! What a run came to.

use super::coverage::FieldCoverage;
use super::filters::{Filters, UnwantedValue};
use crate::job::MaxInvalid;
use crate::outcome::{Exit, Status, StopReason};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// Which command made the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RunCommand {
    /// A first run of its result file, or one that resumes a journal.
    Run,
    /// A run that sends again what a result file shows as not delivered.
    Rerun,
    /// A run that sends the visits of a folder that was prepared before.
    Upload,
}

/// A number of visits for each status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByStatus([u64; Status::ALL.len()]);

impl ByStatus {
    /// Asks for the number of every status.
    pub fn new(count: impl Fn(Status) -> u64) -> ByStatus {
        ByStatus(Status::ALL.map(count))
    }

    /// Visits of this status.
    pub fn get(&self, status: Status) -> u64 {
        self.iter().find(|(other, _)| *other == status).map_or(0, |(_, count)| count)
    }

    /// All of them, in the order of summaries.
    pub fn iter(&self) -> impl Iterator<Item = (Status, u64)> {
        Status::ALL.into_iter().zip(self.0)
    }

    /// Visits of all statuses.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Visits that the API has.
    pub fn delivered(&self) -> u64 {
        self.iter().filter(|(status, _)| status.is_delivered()).map(|(_, count)| count).sum()
    }
}

impl Serialize for ByStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (status, count) in self.iter() {
            map.serialize_entry(status.name(), &count)?;
        }
        map.end()
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Progress {
    /// Rows that are written.
    pub rows: u64,
    /// Rows that the result file will have.
    pub of: u64,
    /// Rows written by status.
    #[serde(flatten)]
    pub visits: ByStatus,
    /// Requests sent.
    pub requests: u64,
    /// Requests answered 429.
    pub rate_limited: u64,
}

/// Visits that were not delivered for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UndeliveredCause {
    /// Their status.
    pub status: Status,
    /// Their error code, as the result file has it; empty where it has none.
    pub error_code: String,
    /// How many visits.
    pub count: u64,
    /// How many of these are rows of an earlier run that stay as they were.
    pub from_earlier_run: u64,
    /// The first visits: key and error.
    #[serde(skip)]
    pub examples: Vec<(String, String)>,
}

/// What a run came to. The counts add up: `rows_read + carried_over_not_in_exports = result_rows + identical_duplicates`.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Which command made it.
    pub command: RunCommand,
    /// The job's name.
    pub job: String,
    /// Whether the visits went to the sandbox inside the process, so that Trax has none of them.
    pub sandbox: bool,
    /// Visit rows of the exports that were taken in.
    pub rows_read: u64,
    /// Visit rows that equal an earlier one in all mapped columns.
    pub identical_duplicates: u64,
    /// Visit rows left out by `only`, the dates or the limit.
    pub left_out: u64,
    /// What leaves visit rows out.
    #[serde(skip)]
    pub filters: Filters,
    /// The values that `only` leaves out, the most frequent first.
    pub left_out_values: Vec<UnwantedValue>,
    /// Rows of the result file.
    pub result_rows: u64,
    /// Rows of the result file by status.
    #[serde(flatten)]
    pub visits: ByStatus,
    /// Rows of an earlier run that stay as they were.
    pub carried_over: u64,
    /// Carried-over rows whose visit has left the exports.
    pub carried_over_not_in_exports: u64,
    /// Undelivered visits of an earlier run that have left the exports; their rows stay, unless `--forget-gone` drops them.
    pub undelivered_not_in_exports: u64,
    /// Whether they were dropped.
    #[serde(skip)]
    pub forgot_gone: bool,
    /// Visits that result files of other runs show as delivered; they were not sent.
    pub delivered_before: u64,
    /// Delivered visits that differ from what Trax has.
    pub changed_since_delivery: u64,
    /// Visits under whose key Trax keeps another one.
    pub reused_keys: u64,
    /// Those of them that an earlier run has told.
    pub reused_keys_known: u64,
    /// Those of them whose own rows show what Trax has, and so are delivered.
    #[serde(skip)]
    pub reused_keys_delivered: u64,
    /// Visits that the API has already, and nothing says since when.
    pub unexplained_409: u64,
    /// Scene rows of the exports that were taken in.
    pub scene_rows: u64,
    /// Scenes whose visit is not in the exports.
    pub orphans: u64,
    /// Scene rows that equal an earlier one in all mapped columns.
    pub identical_scenes: u64,
    /// Scene rows that could not be assigned to a visit and were passed over.
    pub unreadable_scenes: u64,
    /// How many of the visits that can be sent have each field, and how many of their scenes.
    pub coverage: Vec<FieldCoverage>,
    /// Why visits were not delivered, by status and error code.
    pub causes: Vec<UndeliveredCause>,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Requests that were not the first of their visit.
    pub retries: u64,
    /// Requests answered 429.
    pub rate_limited: u64,
    /// Pauses of the whole run after a 429.
    pub pauses: u64,
    /// From the start of the program, in seconds as JSON.
    #[serde(rename = "elapsed_seconds", serialize_with = "super::seconds")]
    pub elapsed: Duration,
    /// The result file.
    pub results: PathBuf,
    /// What ended the run before its visits did.
    pub stopped: Option<StopReason>,
    /// How the run ended, as its exit code.
    #[serde(rename = "exit_code")]
    pub exit: Exit,
    /// The job file.
    #[serde(skip)]
    pub job_file: PathBuf,
    /// How many invalid visits the job allows.
    #[serde(skip)]
    pub max_invalid: MaxInvalid,
    /// How long the job allowed the run to take.
    #[serde(skip)]
    pub max_duration: Option<Duration>,
    /// From the first request to the last answer.
    #[serde(skip)]
    pub sending: Duration,
}

impl RunReport {
    /// Result rows that were not delivered.
    pub fn undelivered(&self) -> u64 {
        self.result_rows.saturating_sub(self.visits.delivered())
    }

    /// Whether nothing is left for anybody to do. What an earlier run has told of keys that were used again was told.
    pub fn needs_nothing(&self) -> bool {
        self.undelivered() == self.reused_keys_known && self.reused_keys_delivered == 0
    }

    /// The counts that the manifest keeps: what a later reader of the result file cannot count in its rows.
    pub fn manifest_counts(&self) -> BTreeMap<String, u64> {
        let by_status = self.visits.iter().map(|(status, count)| (status.name(), count));
        let beside = [
            ("carried_over", self.carried_over),
            ("carried_over_not_in_exports", self.carried_over_not_in_exports),
            ("rows_read", self.rows_read),
            ("identical_duplicates", self.identical_duplicates),
            ("rate_limited", self.rate_limited),
        ];
        by_status.chain(beside).map(|(name, count)| (name.to_owned(), count)).collect()
    }
}
