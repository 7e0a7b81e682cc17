//! One row of a result file taken apart: its cells and what they mean, also where a spreadsheet or an editor was at them.

use super::row::COLUMNS;
use crate::outcome::Status;
use chrono::{DateTime, NaiveDate, Utc};
use csv_core::ReadRecordResult;
use std::ops::Range;
use uuid::Uuid;

/// One row of a result file. What a cell means is read when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r> {
    text: &'r str,
    /// Where in the text each cell is.
    cells: &'r [Range<usize>],
}

impl<'r> Row<'r> {
    pub(super) fn cells(self) -> impl Iterator<Item = &'r str> {
        self.cells.iter().map(move |cell| self.text.get(cell.clone()).unwrap_or_default())
    }

    fn cell(self, column: Column) -> &'r str {
        let cell = self.cells.get(column as usize).cloned();
        cell.and_then(|cell| self.text.get(cell)).unwrap_or_default()
    }

    /// The key of the visit; empty where its row has none.
    pub fn visit_id(self) -> &'r str {
        self.cell(Column::VisitId)
    }

    /// The id under which the API knows the visit, where it has one.
    pub fn session_uid(self) -> Option<Uuid> {
        Uuid::parse_str(self.session_uid_text()).ok()
    }

    /// The same as it stands there; empty for a visit that never had one.
    pub(super) fn session_uid_text(self) -> &'r str {
        self.cell(Column::SessionUid).trim()
    }

    /// The status, if it is one of the contract's.
    pub fn status(self) -> Option<Status> {
        let cell = self.cell(Column::Status);
        Status::from_name(cell).or_else(|| Status::from_name(&cell.trim().to_lowercase()))
    }

    /// Whether the cells that are read again are spelled as we spell them.
    pub(super) fn is_tidy(self) -> bool {
        let uid = self.cell(Column::SessionUid);
        self.status().is_none_or(|status| self.cell(Column::Status) == status.name())
            && matches!(uid.len(), 0 | 36)
            && !uid.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b' ')
    }

    /// Why it was not delivered; empty where it was.
    pub fn error_code(self) -> &'r str {
        self.cell(Column::ErrorCode)
    }

    /// The same for people.
    pub fn error(self) -> &'r str {
        self.cell(Column::Error)
    }

    /// Requests that were sent for it.
    pub fn attempts(self) -> u64 {
        self.cell(Column::Attempts).parse().unwrap_or(0)
    }

    /// From the first attempt to the last answer.
    pub fn elapsed_ms(self) -> Option<u64> {
        self.cell(Column::ElapsedMs).parse().ok()
    }

    /// When it was settled.
    pub fn finished_at(self) -> Option<DateTime<Utc>> {
        DateTime::parse_from_rfc3339(self.cell(Column::FinishedAt)).ok().map(|time| time.to_utc())
    }

    /// As far as it could be read.
    pub fn store_number(self) -> &'r str {
        self.cell(Column::StoreNumber)
    }

    /// The day of the visit, where it is one.
    pub fn visit_date(self) -> Option<NaiveDate> {
        let text = self.cell(Column::VisitDate);
        // Years of other lengths are dates to chrono and to nobody else.
        text.parse().ok().filter(|_| text.len() == "2024-03-05".len())
    }

    /// File and row of the visit in the export.
    pub fn source(self) -> &'r str {
        self.cell(Column::Source)
    }
}

/// Where a column of [`COLUMNS`] stands.
#[derive(Clone, Copy)]
enum Column {
    VisitId = 0,
    SessionUid = 1,
    Status = 2,
    ErrorCode = 4,
    Error = 5,
    Attempts = 6,
    ElapsedMs = 7,
    FinishedAt = 8,
    StoreNumber = 9,
    VisitDate = 10,
    Source = 13,
}

/// Whether a line is a row by itself. A line that ends a cell of several lines is none: there is a quote in it that means
/// nothing.
pub(super) fn is_row(line: &[u8]) -> bool {
    let mut quotes = Quotes::default();
    quotes.go_over(line);
    let mut is_row = false;
    if !quotes.are_odd {
        Cells::new().split(line, |row, _, _| {
            let has_id = row.session_uid().is_some() || row.session_uid_text().is_empty();
            is_row |= row.cells.len() == COLUMNS.len() && has_id && row.status().is_some();
        });
    }
    is_row
}

/// Splits rows into their cells.
pub(super) struct Cells {
    reader: csv_core::Reader,
    cells: Vec<Range<usize>>,
    /// What `reader` makes of a row.
    output: Vec<u8>,
    ends: Vec<usize>,
    /// Cells that are no UTF-8, as well as may be.
    text: String,
}

impl Cells {
    pub(super) fn new() -> Cells {
        // The reader's default value is one that was not made ready.
        let reader = csv_core::Reader::new();
        Cells { reader, cells: Vec::new(), output: Vec::new(), ends: Vec::new(), text: String::new() }
    }

    /// Hands on what the bytes of a row hold, whether that is all there is of it, and where it is among them. There is more
    /// than one row where lines end with nothing but a carriage return.
    pub(super) fn split(&mut self, bytes: &[u8], mut take: impl FnMut(Row<'_>, bool, Range<usize>)) {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr::memchr3(b'"', b'\r', b'\n', line).is_some() {
            return self.split_by_the_rules(bytes, take);
        }
        if !line.is_empty() {
            self.cells.clear();
            let mut start = 0;
            for comma in memchr::memchr_iter(b',', line) {
                self.cells.push(start..comma);
                start = comma + 1;
            }
            self.cells.push(start..line.len());
            hand_on(&mut self.cells, line, &mut self.text, |row, is_all| take(row, is_all, 0..bytes.len()));
        }
    }

    /// The same for any row.
    fn split_by_the_rules(&mut self, bytes: &[u8], mut take: impl FnMut(Row<'_>, bool, Range<usize>)) {
        self.reader.reset();
        self.output.resize(bytes.len(), 0);
        self.ends.resize(bytes.len() + 1, 0);
        let mut at = 0;
        loop {
            let start = at;
            let (mut written, mut ends) = (0, 0);
            // At the end of the bytes, nothing more is read: that closes the last record.
            let is_record = loop {
                let (output, end_of) = (&mut self.output[written..], &mut self.ends[ends..]);
                let (read, consumed, more, ended) = self.reader.read_record(&bytes[at..], output, end_of);
                (at, written, ends) = (at + consumed, written + more, ends + ended);
                match read {
                    ReadRecordResult::InputEmpty => {}
                    ReadRecordResult::Record => break true,
                    // There is as much room as a row can take.
                    ReadRecordResult::End | ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                        break false;
                    }
                }
            };
            if !is_record {
                return;
            }
            let mut from = 0;
            self.cells.clear();
            self.cells.extend(self.ends[..ends].iter().map(|&end| std::mem::replace(&mut from, end)..end));
            let output = &self.output[..written];
            hand_on(&mut self.cells, output, &mut self.text, |row, is_all| take(row, is_all, start..at));
        }
    }
}

/// Hands on the row of these cells, and whether that is all there is of it.
fn hand_on(cells: &mut Vec<Range<usize>>, bytes: &[u8], text: &mut String, take: impl FnOnce(Row<'_>, bool)) {
    // Spreadsheets add columns without anything.
    let is_wide = cells.len() > COLUMNS.len();
    if is_wide && cells[COLUMNS.len()..].iter().all(Range::is_empty) {
        cells.truncate(COLUMNS.len());
    }
    let whole = std::str::from_utf8(bytes);
    if whole.is_err() {
        // Saved in an old code page: the ids and the status are ASCII in any of them.
        text.clear();
        for cell in cells.iter_mut() {
            let start = text.len();
            text.push_str(&String::from_utf8_lossy(&bytes[cell.clone()]));
            *cell = start..text.len();
        }
    }
    take(Row { text: whole.unwrap_or(text), cells }, whole.is_ok() && !is_wide);
}

/// Whether a quote is open, by the rules of the `csv` crate.
#[derive(Debug, Default)]
pub(super) struct Quotes {
    place: Place,
    /// Whether any quote has stood where it means nothing.
    pub(super) are_odd: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    StartOfCell,
    Cell,
    Quoted,
    /// Behind a quote within a quoted cell: the end of it, or the first of two.
    Closed,
}

impl Quotes {
    /// Goes on with these bytes.
    pub(super) fn go_over(&mut self, bytes: &[u8]) {
        // Most rows have none.
        if self.place == Place::StartOfCell && memchr::memchr(b'"', bytes).is_none() {
            return;
        }
        for byte in bytes {
            self.place = match (self.place, byte) {
                (Place::StartOfCell, b'"') => Place::Quoted,
                (Place::Quoted, b'"') => Place::Closed,
                (Place::Closed, b'"') => Place::Quoted,
                (Place::Quoted, _) => Place::Quoted,
                (_, b',' | b'\r' | b'\n') => Place::StartOfCell,
                (place, byte) => {
                    self.are_odd |= place == Place::Closed || *byte == b'"';
                    Place::Cell
                }
            };
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.place == Place::Quoted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_where_it_is_looked_for() {
        let header = COLUMNS.join(",");
        let mut cells = Cells::new();
        let mut rows = 0;
        cells.split(header.as_bytes(), |row, is_all, _| {
            stands_where_it_is_looked_for(row);
            rows += 1;
            assert!(is_all);
        });
        assert_eq!(rows, 1);
    }

    fn stands_where_it_is_looked_for(row: Row<'_>) {
        let at = |column| row.cell(column);
        assert_eq!((at(Column::VisitId), at(Column::SessionUid)), ("visit_id", "session_uid"));
        assert_eq!(at(Column::Status), "status");
        assert_eq!((at(Column::ErrorCode), at(Column::Error)), ("error_code", "error"));
        assert_eq!((at(Column::Attempts), at(Column::ElapsedMs)), ("attempts", "elapsed_ms"));
        assert_eq!((at(Column::FinishedAt), at(Column::StoreNumber)), ("finished_at", "store_number"));
        assert_eq!((at(Column::VisitDate), at(Column::Source)), ("visit_date", "source"));
    }
}
