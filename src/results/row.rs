//! A row of a result file, as it is written. What its columns are read for, `cells` knows.

use crate::outcome::Outcome;
use chrono::SecondsFormat;
use std::borrow::Cow;
use uuid::Uuid;

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

/// Writes the rows of outcomes that came at one time.
pub(super) fn write(outcomes: &[Outcome], into: &mut Vec<u8>) {
    // Many have the same time, which is written out once.
    let (mut written, mut finished_at) = (None, String::new());
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(into);
    let mut uid = Uuid::encode_buffer();
    for outcome in outcomes {
        let identity = &outcome.identity;
        let millis = outcome.finished_at.timestamp_millis();
        if written != Some(millis) {
            (written, finished_at) = (Some(millis), outcome.finished_at.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        let row = (
            identity.visit_id.as_str(),
            identity.session_uid.map(|id| &*id.hyphenated().encode_lower(&mut uid)).unwrap_or_default(),
            outcome.status.name(),
            outcome.http_status,
            outcome.error_code.map(|code| code.name()).unwrap_or_default(),
            no_formula(&outcome.error),
            outcome.attempts,
            outcome.elapsed_ms,
            finished_at.as_str(),
            no_formula(&identity.store_number),
            no_formula(&identity.visit_date),
            identity.scenes,
            outcome.payload_sha256.as_ref().map(hex).unwrap_or_default(),
            no_formula(&identity.source.to_string()).into_owned(),
        );
        // Writing to memory does not fail.
        let _ = writer.serialize(row);
    }
}

/// A spreadsheet runs what starts like a formula; an apostrophe makes text of it. Keys and ids are kept as they are,
/// for they have to be found again.
fn no_formula(text: &str) -> Cow<'_, str> {
    match text.bytes().next() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n') => Cow::Owned(format!("'{text}")),
        _ => Cow::Borrowed(text),
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Identity;
    use chrono::DateTime;

    #[test]
    fn every_row_has_the_time_of_its_own_outcome() {
        let settled = |millis| {
            let source = crate::scan::Location { file: "v.csv".into(), row: 2 };
            let identity = Identity {
                visit_id: "V1".to_owned(),
                session_uid: None,
                store_number: String::new(),
                visit_date: String::new(),
                scenes: 1,
                source,
            };
            let finished_at = DateTime::from_timestamp_millis(millis).expect("in range");
            Outcome { finished_at, ..Outcome::not_attempted(identity, [0; 32]) }
        };
        let mut rows = Vec::new();
        write(&[settled(1_709_626_353_000), settled(1_709_626_353_000), settled(1_709_626_353_007)], &mut rows);
        let text = String::from_utf8(rows).expect("text");
        let times: Vec<&str> = text.lines().filter_map(|row| row.split(',').nth(8)).collect();
        assert_eq!(times, ["2024-03-05T08:12:33.000Z", "2024-03-05T08:12:33.000Z", "2024-03-05T08:12:33.007Z"]);
    }
}
