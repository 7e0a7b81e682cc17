//! What a check came to.

use super::Window;
use super::coverage::FieldCoverage;
use super::filters::{Filters, UnwantedValue};
use crate::build::Code;
use crate::job::MaxInvalid;
use crate::outcome::Exit;
use chrono::NaiveDate;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;
use std::time::Duration;

/// What a check came to: what a run would send, and what is wrong with the rest.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Always `check`.
    pub command: &'static str,
    /// The job's name.
    pub job: String,
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
    /// Rows that a result file would have.
    pub result_rows: u64,
    /// Visits that would be sent.
    pub valid: u64,
    /// Visits with problems.
    pub invalid: u64,
    /// Visits that earlier result files show as delivered; they are not sent again.
    pub delivered_before: u64,
    /// Those of them that differ from what Trax has.
    pub changed_since_delivery: u64,
    /// Visits under whose key Trax keeps another one.
    pub reused_keys: u64,
    /// Those of them that are delivered by the job's own file, and so are not invalid.
    #[serde(skip)]
    pub reused_keys_delivered: u64,
    /// Problems by their code.
    #[serde(serialize_with = "counts")]
    pub problems: BTreeMap<Code, ProblemCount>,
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
    /// The earliest visit_date of a valid visit.
    #[serde(serialize_with = "super::text_or_null")]
    pub first_visit_date: Option<NaiveDate>,
    /// The latest visit_date of a valid visit.
    #[serde(serialize_with = "super::text_or_null")]
    pub last_visit_date: Option<NaiveDate>,
    /// The first valid visit of the exports, as it was read: swapped days and months, or a wrong zone, show there.
    pub first_visit: Option<FirstVisit>,
    /// How long sending takes at the job's rate, in seconds as JSON.
    #[serde(rename = "upload_seconds", serialize_with = "super::seconds")]
    pub upload: Duration,
    /// Whether the upload fits into `max_duration`.
    pub window: Option<Window>,
    /// How the check ends, as its exit code.
    #[serde(rename = "exit_code")]
    pub exit: Exit,
    /// Whether one flat export holds visits and scenes.
    #[serde(skip)]
    pub is_flat: bool,
    /// The first orphans.
    #[serde(skip)]
    pub first_orphans: Vec<Orphan>,
    /// The bytes of all bodies together.
    #[serde(skip)]
    pub body_bytes: u64,
    /// Requests a second.
    #[serde(skip)]
    pub rate: f64,
    /// How many invalid visits the job allows.
    #[serde(skip)]
    pub max_invalid: MaxInvalid,
}

/// Problems of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProblemCount {
    /// How many.
    pub count: u64,
    /// The first ones: field, message and location.
    pub examples: Vec<String>,
}

/// A scene whose visit is not in the exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// The visit_id that the scene names.
    pub visit_id: String,
    /// Its row, as `file:row`.
    pub location: String,
}

/// A visit as it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FirstVisit {
    /// Its key.
    pub visit_id: String,
    /// Its store.
    pub store_number: String,
    /// Its date, as it would be sent.
    pub visit_date: String,
    /// Its start in UTC, RFC 3339.
    pub session_start_time: String,
    /// Its start in the zone by which its local time is known, RFC 3339.
    pub local_start_time: Option<String>,
    /// That zone.
    pub timezone: Option<String>,
    /// Its scenes.
    pub scenes: u32,
    /// Its row, as `file:row`.
    pub source: String,
}

fn counts<S: Serializer>(problems: &BTreeMap<Code, ProblemCount>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(problems.len()))?;
    for (code, found) in problems {
        map.serialize_entry(code.name(), &found.count)?;
    }
    map.end()
}
