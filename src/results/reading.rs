//! Result files as they are read again, one row at a time: a torn last row and damaged ones are passed over.

use super::ResultsError;
use super::framing::{Frame, Framing, Quotes};
use super::header::is_result_file;
use super::row::COLUMNS;
use crate::upload::Status;
use chrono::{DateTime, NaiveDate, Utc};
use csv_core::ReadRecordResult;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
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
    fn is_tidy(self) -> bool {
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

/// Rows of a file that are no rows any more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Damaged {
    pub(super) rows: u64,
    /// Where the first of them begins.
    pub(super) first: Option<u64>,
}

impl Damaged {
    pub(super) fn add(&mut self, start: u64) {
        self.rows += 1;
        self.first.get_or_insert(start);
    }
}

/// Hands every whole row of a result file or of a journal to `each`, and returns how many damaged ones there are. A
/// journal's torn last row is none of them: its visit had no time to get a row.
///
/// # Errors
/// Where the file cannot be read, or is no result file.
pub fn read(path: &Path, mut each: impl FnMut(Row<'_>)) -> Result<u64, ResultsError> {
    for_each_row(path, |row, _| {
        each(row);
        true
    })
    .map(|damaged| damaged.rows)
}

/// The line of a file, counted from 1, that begins with this byte: of what is found wrong with millions of rows, only the
/// first one's line is told.
pub(super) fn line_at(path: &Path, start: u64) -> io::Result<u64> {
    let mut before = BufReader::with_capacity(1 << 18, File::open(path)?.take(start));
    let mut lines = 1;
    loop {
        let some = before.fill_buf()?;
        if some.is_empty() {
            return Ok(lines);
        }
        lines += memchr::memchr_iter(b'\n', some).count() as u64;
        let length = some.len();
        before.consume(length);
    }
}

/// Where a row is in its file, and in which state.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its bytes, its line break and what stands before it included.
    pub(super) bytes: Range<u64>,
    /// Whether they are such as we write. Others are read as well as may be, and not copied as they are.
    pub(super) is_tidy: bool,
}

/// Hands every row to `each` with its place in the file, and returns how many others there are, those among them that
/// `each` makes nothing of. A row that a dying process left half written is none of them.
pub(super) fn for_each_row(path: &Path, mut each: impl FnMut(Row<'_>, Found) -> bool) -> Result<Damaged, ResultsError> {
    let unreadable = |reason: String| ResultsError::Unreadable { path: path.display().to_string(), reason };
    if !is_result_file(path)? {
        return Err(unreadable("it is no result file of traxload: its columns are others".to_owned()));
    }
    let failed = |error: io::Error| unreadable(error.to_string());
    let mut framing = Framing::of(path).map_err(failed)?;
    let (mut cells, mut bytes, mut damaged) = (Cells::new(), Vec::new(), Damaged::default());
    let mut is_header = true;
    while let Some((start, frame)) = framing.next(&mut bytes).map_err(failed)? {
        cells.split(&bytes, |row, is_as_written, within| {
            // Where an editor has ended lines with nothing but a carriage return, it is the last of many that is torn.
            if frame == Frame::Torn && within.end == bytes.len() {
                return;
            }
            // Spreadsheets fill up with rows of nothing but commas, and files that were put together have a header each.
            let is_none = row.cells().all(str::is_empty) || row.cells().eq(COLUMNS);
            if std::mem::take(&mut is_header) || is_none {
                return;
            }
            let bytes = start + within.start as u64..start + within.end as u64;
            let is_tidy = is_as_written && frame == Frame::Whole && row.is_tidy();
            // A damaged row is none: its visit is sent again, and the API says that it has it.
            if row.cells.len() != COLUMNS.len() || !each(row, Found { bytes: bytes.clone(), is_tidy }) {
                damaged.add(bytes.start);
            }
        });
    }
    Ok(damaged)
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

    #[test]
    fn damaged_rows_are_counted_and_a_torn_one_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("r.csv.partial");
        let row = "V1,,uploaded,200,,,1,5,2024-03-05T08:00:00.000Z,1001,2024-03-05,1,,visits.csv:2\n";
        std::fs::write(&path, format!("{}\n{row}V2,short\n{row}V3,,uplo", COLUMNS.join(","))).expect("written");
        let mut seen = Vec::new();
        let damaged = read(&path, |row| seen.push((row.visit_id().to_owned(), row.status()))).expect("readable");
        assert_eq!(seen, [("V1".to_owned(), Some(Status::Uploaded)), ("V1".to_owned(), Some(Status::Uploaded))]);
        assert_eq!(damaged, 1);
    }
}
