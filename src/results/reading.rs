//! Result files as they are read again, one row at a time: a torn last row and damaged ones are passed over.

use super::ResultsError;
use super::header::is_result_file;
use super::row::COLUMNS;
use super::swallowed::swallowed;
use crate::upload::Status;
use chrono::{DateTime, NaiveDate, Utc};
use csv::{ByteRecord, Position, StringRecord};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;
use uuid::Uuid;

/// One row of a result file. What a cell means is read when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Row<'r>(&'r StringRecord);

impl<'r> Row<'r> {
    pub(super) fn new(record: &'r StringRecord) -> Row<'r> {
        Row(record)
    }

    fn cell(self, column: Column) -> &'r str {
        self.0.get(column as usize).unwrap_or_default()
    }

    /// The key of the visit; empty where its row has none.
    pub fn visit_id(self) -> &'r str {
        self.cell(Column::VisitId)
    }

    /// The id under which the API knows the visit, where it has one.
    pub fn session_uid(self) -> Option<Uuid> {
        Uuid::parse_str(self.cell(Column::SessionUid).trim()).ok()
    }

    /// The status, if it is one of the contract's.
    pub fn status(self) -> Option<Status> {
        let cell = self.cell(Column::Status);
        Status::from_name(cell).or_else(|| Status::from_name(&cell.trim().to_lowercase()))
    }

    /// Whether the cells that are read again are spelled as we spell them.
    fn is_tidy(self) -> bool {
        let is_spaced = |cell: &str| cell.trim().len() != cell.len();
        self.status().is_none_or(|status| self.cell(Column::Status) == status.name())
            && !is_spaced(self.cell(Column::SessionUid))
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
    for_each_record(path, |record, _| {
        each(Row(record));
        true
    })
    .map(|damaged| damaged.rows)
}

/// The line of a file, counted from 1, on which the record at this byte stands: of what is found wrong with millions of
/// rows, only the first one's line is told.
pub(super) fn line_at(path: &Path, start: u64) -> io::Result<u64> {
    let mut file = BufReader::with_capacity(1 << 18, File::open(path)?);
    let mut before = (&mut file).take(start);
    let mut lines = 1;
    loop {
        let some = before.fill_buf()?;
        if some.is_empty() {
            break;
        }
        lines += memchr::memchr_iter(b'\n', some).count() as u64;
        let length = some.len();
        before.consume(length);
    }
    // What ends the line before, or is a line without anything, may be counted with the record.
    for byte in file.bytes() {
        match byte? {
            b'\n' => lines += 1,
            b'\r' => {}
            _ => break,
        }
    }
    Ok(lines)
}

/// Where a row is in its file, and in which state.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Its bytes, its line break and what stands before it included.
    pub(super) bytes: Range<u64>,
    /// Whether they are such as we write. Others are read as well as may be, and not copied as they are.
    pub(super) is_tidy: bool,
}

/// Hands every whole record to `each` with its place in the file, and returns how many others there are, those among
/// them that `each` makes nothing of. The bytes end with the record's line break, but of `\r\n` the second is the first
/// byte of the record behind. A row that a dying process left half written can only be the last.
pub(super) fn for_each_record(
    path: &Path,
    mut each: impl FnMut(&StringRecord, Found) -> bool,
) -> Result<Damaged, ResultsError> {
    let unreadable = |reason: String| ResultsError::Unreadable { path: path.display().to_string(), reason };
    if !is_result_file(path)? {
        return Err(unreadable("it is no result file of traxload: its columns are others".to_owned()));
    }
    let open = || File::open(path).map_err(|error| unreadable(error.to_string()));
    let (file, again) = (open()?, open()?);
    // Only a journal can be torn; somebody's editor may have taken a finished file's last line break.
    let is_journal = path.extension().is_some_and(|ending| ending == "partial");
    let ends_whole = !is_journal || ends_with_line_break(&file).map_err(|error| unreadable(error.to_string()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).buffer_capacity(1 << 18).from_reader(file);
    let mut damaged = Damaged::default();
    let (mut next, mut record) = (ByteRecord::new(), ByteRecord::new());
    let read = |reader: &mut csv::Reader<File>, record: &mut ByteRecord| {
        reader.read_byte_record(record).map_err(|error| unreadable(error.to_string()))
    };
    let mut is_there = read(&mut reader, &mut next)?;
    while is_there {
        std::mem::swap(&mut record, &mut next);
        is_there = read(&mut reader, &mut next)?;
        let end = if is_there { next.position() } else { None }.map_or(reader.position().byte(), Position::byte);
        let bytes = record.position().map_or(end, Position::byte)..end;
        if memchr::memchr(b'\n', record.as_slice()).is_some() {
            let behind = swallowed(&again, bytes.clone()).map_err(|error| unreadable(error.to_string()))?;
            if let Some(behind) = behind {
                damaged.add(bytes.start);
                let mut place = Position::new();
                place.set_byte(behind);
                reader.seek(place).map_err(|error| unreadable(error.to_string()))?;
                is_there = read(&mut reader, &mut next)?;
                continue;
            }
        }
        if !is_there && !ends_whole {
            break;
        }
        record = take(record, bytes, &mut damaged, &mut each);
    }
    Ok(damaged)
}

/// Hands on one record. Its memory serves another one.
fn take(
    record: ByteRecord,
    bytes: Range<u64>,
    damaged: &mut Damaged,
    each: &mut impl FnMut(&StringRecord, Found) -> bool,
) -> ByteRecord {
    let (mut text, is_text) = match StringRecord::from_byte_record(record) {
        Ok(text) => (text, true),
        // Saved in an old code page: the ids and the status are ASCII in any of them.
        Err(error) => (StringRecord::from_byte_record_lossy(error.into_byte_record()), false),
    };
    // Spreadsheets add columns without anything, and rows of nothing but commas.
    let is_wide = text.len() > COLUMNS.len();
    if is_wide && text.iter().skip(COLUMNS.len()).all(str::is_empty) {
        text.truncate(COLUMNS.len());
    }
    let is_empty = text.iter().all(str::is_empty);
    let is_tidy = is_text && !is_wide && Row(&text).is_tidy();
    // A damaged row is none: its visit is sent again, and the API says that it has it.
    if !is_empty && (text.len() != COLUMNS.len() || !each(&text, Found { bytes: bytes.clone(), is_tidy })) {
        damaged.add(bytes.start);
    }
    text.into_byte_record()
}

fn ends_with_line_break(mut file: &File) -> std::io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    file.rewind()?;
    Ok(last == *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_where_it_is_looked_for() {
        let record = StringRecord::from(COLUMNS.to_vec());
        let at = |column| Row(&record).cell(column);
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
