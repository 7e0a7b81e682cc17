//! A row of a result file, as it is written and read again. Nobody else knows the columns.

use crate::upload::{Outcome, Status};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// The columns, in their order.
pub(super) const COLUMNS: [&str; 14] = [
    "visit_id",
    "session_uid",
    "status",
    "http_status",
    "error_code",
    "error",
    "attempts",
    "elapsed_ms",
    "finished_at",
    "store_number",
    "visit_date",
    "scenes",
    "payload_sha256",
    "source",
];

/// One row, every cell as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ResultRow {
    pub(super) visit_id: String,
    pub(super) session_uid: String,
    pub(super) status: String,
    http_status: String,
    pub(super) error_code: String,
    pub(super) error: String,
    attempts: String,
    elapsed_ms: String,
    finished_at: String,
    store_number: String,
    visit_date: String,
    scenes: String,
    payload_sha256: String,
    source: String,
}

impl ResultRow {
    pub(super) fn new(outcome: &Outcome, finished_at: DateTime<Utc>) -> ResultRow {
        let identity = &outcome.identity;
        ResultRow {
            visit_id: identity.visit_id.clone(),
            session_uid: identity.session_uid.map(|uid| uid.to_string()).unwrap_or_default(),
            status: outcome.status.name().to_owned(),
            http_status: outcome.http_status.map(|status| status.to_string()).unwrap_or_default(),
            error_code: outcome.error_code.map(|code| code.name()).unwrap_or_default().to_owned(),
            error: no_formula(&outcome.error),
            attempts: outcome.attempts.to_string(),
            elapsed_ms: outcome.elapsed_ms.to_string(),
            finished_at: finished_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            store_number: no_formula(&identity.store_number),
            visit_date: no_formula(&identity.visit_date),
            scenes: identity.scenes.to_string(),
            payload_sha256: outcome.payload_sha256.as_ref().map(hex).unwrap_or_default(),
            source: no_formula(&identity.source.to_string()),
        }
    }

    /// The status, if it is one of the contract's.
    pub(super) fn status(&self) -> Option<Status> {
        Status::from_name(&self.status)
    }
}

/// A spreadsheet runs what starts like a formula; an apostrophe makes text of it. Keys and ids are kept as they are,
/// for they have to be found again.
fn no_formula(text: &str) -> String {
    match text.bytes().next() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') => format!("'{text}"),
        _ => text.to_owned(),
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
