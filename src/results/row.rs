//! A row of a result file: its columns, how an outcome is written, how a row is read. A new column is a line in
//! [`columns`], a line in [`write`] and, where it is read, a method of [`Row`]; no other file knows the columns' order.

use crate::outcome::{Outcome, Status};
use crate::text::hex;
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

        /// The positions of columns that [`Layout::ours`] has.
        pub(super) mod position {
            #![allow(non_upper_case_globals, dead_code, reason = "named as the columns are, and not all are asked for")]
            use super::ResultColumn;
            $(pub(in crate::results) const $name: usize = ResultColumn::$name as usize;)+
        }

        /// A row as it is serialized.
        #[derive(Serialize)]
        struct WireRow<'a> { $($name: $type,)+ }

        /// The position of a column, counted from 0.
        #[derive(Clone, Copy)]
        #[allow(non_camel_case_types, dead_code, reason = "variants are named as the columns are, and not all are read")]
        pub(super) enum ResultColumn { $($name,)+ }
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

/// Where the columns of a file are: they go by their names, and a spreadsheet saves them with other delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Layout {
    /// What stands between cells: `,`, `;` or a tab.
    pub(super) delimiter: u8,
    /// The position of each of our columns; `None` for one that an older version did not write.
    at: [Option<u8>; COLUMNS.len()],
    /// How many columns there are.
    width: usize,
}

impl Layout {
    /// The layout of a file with these names in its header, all of which are ours.
    pub(super) fn of_header(delimiter: u8, names: &[String]) -> Layout {
        let mut at = [None; COLUMNS.len()];
        for (at, column) in at.iter_mut().zip(COLUMNS) {
            *at = names.iter().position(|name| name == column).and_then(|at| u8::try_from(at).ok());
        }
        Layout { delimiter, at, width: names.len() }
    }

    /// The layout of the files that this version writes.
    pub(super) fn ours() -> Layout {
        Layout { delimiter: b',', at: std::array::from_fn(|at| Some(at as u8)), width: COLUMNS.len() }
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether rows of such a file may stand in one that this version writes.
    pub(super) fn is_ours(&self) -> bool {
        *self == Layout::ours()
    }
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
            payload_sha256: outcome.payload_sha256.as_ref().map(|hash| hex(hash)).unwrap_or_default(),
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

/// One row of a result file that is read again. A cell is parsed when it is asked for, and a cell that cannot be parsed
/// counts as empty: a spreadsheet or an editor may have changed it.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    text: &'r str,
    /// Where in `text` each cell is.
    cells: &'r [Range<usize>],
    layout: &'r Layout,
}

impl<'r> Row<'r> {
    /// The row whose cells are at these places in `text`.
    pub(super) fn new(text: &'r str, cells: &'r [Range<usize>], layout: &'r Layout) -> Row<'r> {
        Row { text, cells, layout }
    }

    /// The cells in the order in which this version writes them; empty where the file lacks a column.
    pub(super) fn record(self) -> [&'r str; COLUMNS.len()] {
        self.layout.at.map(|at| at.map_or("", |at| self.cell_at(at.into())))
    }

    /// All cells as text, in the order of the file.
    pub(super) fn cells(self) -> impl Iterator<Item = &'r str> {
        self.cells.iter().map(move |cell| self.text.get(cell.clone()).unwrap_or_default())
    }

    /// Whether it is a header once more: files were joined.
    pub(super) fn is_header(self) -> bool {
        let is = |column: ResultColumn, name: &str| self.cell(column).trim().eq_ignore_ascii_case(name);
        is(ResultColumn::visit_id, "visit_id") && is(ResultColumn::session_uid, "session_uid")
    }

    fn cell(self, column: ResultColumn) -> &'r str {
        self.layout.at[column as usize].map_or("", |at| self.cell_at(at.into()))
    }

    fn cell_at(self, at: usize) -> &'r str {
        self.cells.get(at).cloned().and_then(|cell| self.text.get(cell)).unwrap_or_default()
    }

    /// Whether the row has as many cells as its file has columns.
    pub(super) fn has_all_cells(self) -> bool {
        self.cells.len() == self.layout.width
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
    pub(crate) fn session_uid_text(self) -> &'r str {
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
            // All bytes, and no branch: it is asked of each of millions of rows.
            && !uid.bytes().fold(false, |found, byte| found | byte.is_ascii_uppercase() | (byte == b' '))
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
        // By hand: it is asked of each of millions of rows, and chrono takes its time.
        let &[a, b, c, d, b'-', e, f, b'-', g, h] = self.cell(ResultColumn::visit_date).as_bytes() else { return None };
        let number = |digits: &[u8]| {
            let add = |sum: u32, digit: &u8| digit.is_ascii_digit().then(|| sum * 10 + u32::from(digit - b'0'));
            digits.iter().try_fold(0, add)
        };
        NaiveDate::from_ymd_opt(number(&[a, b, c, d])?.cast_signed(), number(&[e, f])?, number(&[g, h])?)
    }

    /// The number of scenes; `None` where the cell is not a number.
    pub fn scenes(self) -> Option<u32> {
        self.cell(ResultColumn::scenes).trim().parse().ok()
    }

    /// The SHA-256 of the body. `None` where the cell is empty or is not such a hash.
    pub fn payload_sha256(self) -> Option<[u8; 32]> {
        let text = self.cell(ResultColumn::payload_sha256).trim().as_bytes();
        let (pairs, rest) = text.as_chunks::<2>();
        let mut hash = [0; 32];
        if pairs.len() != hash.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in hash.iter_mut().zip(pairs) {
            let digit = |digit: u8| char::from(digit).to_digit(16).map(|digit| digit as u8);
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(hash)
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
        RowSplitter::new(&Layout::ours()).split(text.as_bytes(), |row, is_as_written, _| {
            rows += 1;
            assert!(is_as_written && row.has_all_cells() && row.is_tidy());
            assert_eq!((row.visit_id(), row.session_uid()), ("V1", Some(Uuid::NAMESPACE_OID)));
            assert_eq!((row.status(), row.error_code()), (Some(Status::Failed), "server_error"));
            assert_eq!((row.error(), row.attempts()), ("'=down, \"again\"", 5));
            assert_eq!((row.elapsed_ms(), row.store_number()), (Some(1_500), "1001"));
            assert_eq!(row.finished_at().map(|time| time.timestamp_millis()), Some(1_709_626_353_007));
            assert_eq!((row.visit_date(), row.source()), (NaiveDate::from_ymd_opt(2024, 3, 5), "v.csv:2"));
            assert_eq!((row.scenes(), row.payload_sha256()), (Some(3), Some([0xab; 32])));
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
