//! A row of a result file: its columns, how an outcome is written, how a row is read. A new column is a line in
//! [`columns`], a line in [`write`] and, where it is read, a method of [`Row`]; no other file knows the columns' order.

use crate::outcome::{Outcome, Status};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;
use std::borrow::Cow;
use std::ops::Range;
use uuid::Uuid;

/// Makes three things from one table: `COLUMNS`, the header; `WireRow`, the row that is written; `ResultColumn`, a
/// column's position when a row is read.
macro_rules! columns {
    ($($name:ident: $type:ty,)+) => {
        /// The names of the columns, in the order of the file.
        pub(super) const COLUMNS: &[&str] = &[$(stringify!($name)),+];

        /// A row as it is serialized.
        #[derive(Serialize)]
        struct WireRow<'a> { $($name: $type,)+ }

        /// The position of a column, counted from 0.
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, dead_code, reason = "variants are named as the columns are, and not all are read")]
        enum ResultColumn { $($name,)+ }
    };
}

columns! {
    visit_id: &'a str,
    session_uid: &'a str,
    status: &'static str,
    http_status: Option<u16>,
    error_code: &'static str,
    error: Cow<'a, str>,
    attempts: u32,
    elapsed_ms: u64,
    finished_at: &'a str,
    store_number: Cow<'a, str>,
    visit_date: Cow<'a, str>,
    scenes: u32,
    payload_sha256: String,
    source: String,
}

/// Appends the rows of these outcomes to `into`, each with its line break.
pub(super) fn write(outcomes: &[Outcome], into: &mut Vec<u8>) {
    // Outcomes of one batch often have the same time, so it is formatted once.
    let (mut formatted, mut finished_at) = (None, String::new());
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(into);
    let mut uid = Uuid::encode_buffer();
    for outcome in outcomes {
        let identity = &outcome.identity;
        let millis = outcome.finished_at.timestamp_millis();
        if formatted != Some(millis) {
            (formatted, finished_at) = (Some(millis), outcome.finished_at.to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        let row = WireRow {
            visit_id: &identity.visit_id,
            session_uid: identity.session_uid.map(|id| &*id.hyphenated().encode_lower(&mut uid)).unwrap_or_default(),
            status: outcome.status.name(),
            http_status: outcome.http_status,
            error_code: outcome.error_code.map(|code| code.name()).unwrap_or_default(),
            error: no_formula(&outcome.error),
            attempts: outcome.attempts,
            elapsed_ms: outcome.elapsed_ms,
            finished_at: &finished_at,
            store_number: no_formula(&identity.store_number),
            visit_date: no_formula(&identity.visit_date),
            scenes: identity.scenes,
            payload_sha256: outcome.payload_sha256.as_ref().map(hex).unwrap_or_default(),
            source: no_formula(&identity.source.to_string()).into_owned(),
        };
        // Writing to memory does not fail.
        let _ = writer.serialize(row);
    }
}

/// A spreadsheet runs a cell that starts like a formula; an apostrophe makes it text. Keys and ids are written
/// unchanged, because later runs look them up.
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

/// One row of a result file that is read again. A cell is parsed when it is asked for, and a cell that cannot be parsed
/// counts as empty: a spreadsheet or an editor may have changed it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    text: &'r str,
    /// Where in `text` each cell is.
    cells: &'r [Range<usize>],
}

impl<'r> Row<'r> {
    /// The row whose cells are at these places in `text`.
    pub(super) fn new(text: &'r str, cells: &'r [Range<usize>]) -> Row<'r> {
        Row { text, cells }
    }

    /// All cells as text, in the order of the file.
    pub(super) fn cells(self) -> impl Iterator<Item = &'r str> {
        self.cells.iter().map(move |cell| self.text.get(cell.clone()).unwrap_or_default())
    }

    fn cell(self, column: ResultColumn) -> &'r str {
        let cell = self.cells.get(column as usize).cloned();
        cell.and_then(|cell| self.text.get(cell)).unwrap_or_default()
    }

    /// Whether the row has as many cells as a result file has columns.
    pub(super) fn has_all_cells(self) -> bool {
        self.cells.len() == COLUMNS.len()
    }

    /// The key of the visit; empty if the visit had none.
    pub fn visit_id(self) -> &'r str {
        self.cell(ResultColumn::visit_id)
    }

    /// The id under which the API knows the visit. `None` if the cell is empty or is not a UUID.
    pub fn session_uid(self) -> Option<Uuid> {
        Uuid::parse_str(self.session_uid_text()).ok()
    }

    /// The cell of the session id without spaces around it; empty for a visit that never had an id.
    pub(super) fn session_uid_text(self) -> &'r str {
        self.cell(ResultColumn::session_uid).trim()
    }

    /// The status, in any case and with spaces around it. `None` if the cell holds anything else.
    pub fn status(self) -> Option<Status> {
        let cell = self.cell(ResultColumn::status);
        Status::from_name(cell).or_else(|| Status::from_name(&cell.trim().to_lowercase()))
    }

    /// Whether status and session id are spelled as [`write`] spells them.
    pub(super) fn is_tidy(self) -> bool {
        let uid = self.cell(ResultColumn::session_uid);
        self.status().is_none_or(|status| self.cell(ResultColumn::status) == status.name())
            && matches!(uid.len(), 0 | 36)
            && !uid.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b' ')
    }

    /// The name of the error code; empty if the visit was delivered.
    pub fn error_code(self) -> &'r str {
        self.cell(ResultColumn::error_code)
    }

    /// Why the visit was not delivered, in words; empty if it was.
    pub fn error(self) -> &'r str {
        self.cell(ResultColumn::error)
    }

    /// How many requests were sent for the visit.
    pub fn attempts(self) -> u64 {
        self.cell(ResultColumn::attempts).parse().unwrap_or(0)
    }

    /// Milliseconds from the first attempt to the last answer, waits between attempts included.
    pub fn elapsed_ms(self) -> Option<u64> {
        self.cell(ResultColumn::elapsed_ms).parse().ok()
    }

    /// When the outcome was known.
    pub fn finished_at(self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(self.cell(ResultColumn::finished_at)).ok().map(|time| time.to_utc())
    }

    /// The store number; empty if it could not be read.
    pub fn store_number(self) -> &'r str {
        self.cell(ResultColumn::store_number)
    }

    /// The day of the visit, `2024-03-05` in the file. `None` if the cell is not such a date.
    pub fn visit_date(self) -> Option<NaiveDate> {
        let text = self.cell(ResultColumn::visit_date);
        // chrono also reads years with more or fewer than four digits.
        text.parse().ok().filter(|_| text.len() == "2024-03-05".len())
    }

    /// The visit's location in the exports, `visits.csv:17`.
    pub fn source(self) -> &'r str {
        self.cell(ResultColumn::source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::Identity;
    use crate::outcome::ErrorCode;
    use crate::results::cells::RowSplitter;

    fn outcome(finished_at_ms: i64) -> Outcome {
        let identity = Identity {
            visit_id: "V1".to_owned(),
            session_uid: Some(Uuid::NAMESPACE_OID),
            store_number: "1001".to_owned(),
            visit_date: "2024-03-05".to_owned(),
            scenes: 3,
            source: crate::scan::Location { file: "v.csv".into(), row: 2 },
        };
        Outcome {
            identity,
            status: Status::Failed,
            http_status: Some(503),
            error_code: Some(ErrorCode::ServerError),
            error: "=down, \"again\"".to_owned(),
            attempts: 5,
            elapsed_ms: 1_500,
            finished_at: DateTime::from_timestamp_millis(finished_at_ms).expect("in range"),
            payload_sha256: Some([0xab; 32]),
        }
    }

    fn written(outcomes: &[Outcome]) -> String {
        let mut rows = Vec::new();
        write(outcomes, &mut rows);
        String::from_utf8(rows).expect("text")
    }

    #[test]
    fn every_column_is_written_and_read_in_its_place() {
        let text = written(&[outcome(1_709_626_353_007)]);
        let hash = "ab".repeat(32);
        assert_eq!(
            text,
            format!(
                "V1,6ba7b812-9dad-11d1-80b4-00c04fd430c8,failed,503,server_error,\"'=down, \"\"again\"\"\",5,1500,\
                 2024-03-05T08:12:33.007Z,1001,2024-03-05,3,{hash},v.csv:2\n"
            )
        );
        let mut rows = 0;
        RowSplitter::new().split(text.as_bytes(), |row, is_as_written, _| {
            rows += 1;
            assert!(is_as_written && row.has_all_cells() && row.is_tidy());
            assert_eq!((row.visit_id(), row.session_uid()), ("V1", Some(Uuid::NAMESPACE_OID)));
            assert_eq!((row.status(), row.error_code()), (Some(Status::Failed), "server_error"));
            assert_eq!((row.error(), row.attempts()), ("'=down, \"again\"", 5));
            assert_eq!((row.elapsed_ms(), row.store_number()), (Some(1_500), "1001"));
            assert_eq!(row.finished_at().map(|time| time.timestamp_millis()), Some(1_709_626_353_007));
            assert_eq!((row.visit_date(), row.source()), (NaiveDate::from_ymd_opt(2024, 3, 5), "v.csv:2"));
        });
        assert_eq!(rows, 1);
    }

    /// The header is part of the contract.
    #[test]
    fn the_columns_keep_their_names_and_their_order() {
        assert_eq!(
            COLUMNS.join(","),
            "visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,store_number,\
             visit_date,scenes,payload_sha256,source"
        );
    }

    #[test]
    fn every_row_has_the_time_of_its_own_outcome() {
        let text = written(&[outcome(1_709_626_353_000), outcome(1_709_626_353_000), outcome(1_709_626_353_007)]);
        let times: Vec<&str> = text.lines().filter_map(|row| row.split(',').nth(9)).collect();
        assert_eq!(times, ["2024-03-05T08:12:33.000Z", "2024-03-05T08:12:33.000Z", "2024-03-05T08:12:33.007Z"]);
    }
}
