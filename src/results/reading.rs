//! Result files as they are read again, one row at a time: a torn last row and damaged ones are passed over.

use super::ResultsError;
use super::cells::{Cells, Row};
use super::framing::{Frame, Framing};
use super::header::is_result_file;
use super::row::COLUMNS;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

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
    /// Its bytes, with its line break.
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
            if row.cells().count() != COLUMNS.len() || !each(row, Found { bytes: bytes.clone(), is_tidy }) {
                damaged.add(bytes.start);
            }
        });
    }
    Ok(damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Status;

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
