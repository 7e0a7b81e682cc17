//! What a command came to, as data: a [`RunReport`] or a [`CheckReport`]. Everything that is said of a run is made from
//! these and nothing else: summary, JSON, manifest, metrics, notification.
//!
//! As JSON (serde) they are what `--json` prints. It knows nothing of how they came about, and no words for people.

mod check;
mod coverage;
mod filters;
mod prepare;
mod run;
mod window;

pub use check::{CheckReport, FirstVisit, Orphan, ProblemCount};
pub use coverage::{CoveredRows, FieldCoverage};
pub use filters::{Filters, UnwantedValue};
pub use prepare::PrepareReport;
pub use run::{ByStatus, Progress, RunCommand, RunReport, UndeliveredCause};
pub use window::{DaySlice, Window};

use serde::Serializer;
use std::time::Duration;

/// A duration as a number of seconds.
fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

/// What people would read, as JSON text.
fn text<T: std::fmt::Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// What people would read, or null.
fn text_or_null<T: std::fmt::Display, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
