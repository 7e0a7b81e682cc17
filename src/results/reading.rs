//! Reads a result file or a journal row by row. Rows that are damaged are skipped and counted; a last row that is torn is
//! skipped.

use super::cells::RowSplitter;
use super::error::ResultsError;
use super::framing::{Frame, Framing};
use super::header::{is_sep_line, layout};
use super::row::Row;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// Rows of a file that can no longer be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damaged {
    /// How many there are.
    pub(crate) rows: u64,
    /// The offset of the first of them in bytes.
    pub(crate) first: Option<u64>,
}

impl Damaged {
    pub(super) fn add(&mut self, start: u64) {
        self.rows += 1;
        self.first.get_or_insert(start);
    }
}

/// Calls `each` for every whole row of a result file or a journal, and returns the number of damaged rows. The torn last
/// row of a journal does not count as damaged: the process died while it wrote the row.
///
/// # Errors
/// If the file cannot be read, or if it is not a result file or was saved in another form.
pub fn read(path: &Path, mut each: impl FnMut(Row<'_>)) -> Result<u64, ResultsError> {
    for_each_row(path, |row, _| {
        each(row);
        true
    })
    .map(|damaged| damaged.rows)
}

/// The number of the line, counted from 1, that begins at this offset. It reads the file up to there, because lines are
/// not counted while rows are read.
pub(crate) fn line_at(path: &Path, start: u64) -> io::Result<u64> {
    let mut before = BufReader::with_capacity(1 << 18, File::open(path)?.take(start));
    let mut lines = 1;
    loop {
        let bytes = before.fill_buf()?;
        if bytes.is_empty() {
            return Ok(lines);
        }
        lines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        let length = bytes.len();
        before.consume(length);
    }
}

/// Where a row is in its file, and whether it can be copied byte for byte.
#[derive(Clone, Debug)]
pub(crate) struct RowSpan {
    /// The offsets of its bytes, with its line break.
    pub(crate) bytes: Range<u64>,
    /// Whether the bytes are as this program writes them. Other rows are written anew when they are copied.
    pub(crate) is_tidy: bool,
}

/// Calls `each` for every row with its span in the file, and returns the damaged rows. A row is damaged if it has too few
/// or too many cells, or if `each` returns `false`. The torn last row of a journal is skipped and does not count.
pub(crate) fn for_each_row(
    path: &Path,
    mut each: impl FnMut(Row<'_>, RowSpan) -> bool,
) -> Result<Damaged, ResultsError> {
    let Some(layout) = layout(path)? else {
        return Err(ResultsError::unreadable(path, "it is not a result file of traxload: its columns are different"));
    };
    let failed = |error: io::Error| ResultsError::unreadable(path, error);
    let mut framing = Framing::of(path, &layout).map_err(failed)?;
    let (mut splitter, mut bytes, mut damaged) = (RowSplitter::new(&layout), Vec::new(), Damaged::default());
    let mut is_header = true;
    while let Some((start, frame)) = framing.next(&mut bytes).map_err(failed)? {
        if is_header && is_sep_line(&bytes) {
            continue;
        }
        splitter.split(&bytes, |row, is_as_written, within| {
            // If an editor ended lines with a carriage return alone, this frame has many rows, and only the last is torn.
            if frame == Frame::Torn && within.end == bytes.len() {
                return;
            }
            // Spreadsheets add rows of commas, and files that were joined have several headers.
            let is_filler = row.cells().all(str::is_empty) || row.is_header();
            if std::mem::take(&mut is_header) || is_filler {
                return;
            }
            let bytes = start + within.start as u64..start + within.end as u64;
            let is_tidy = layout.is_ours() && is_as_written && frame == Frame::Whole && row.is_tidy();
            // The visit of a damaged row is sent again; the API answers 409 if it has it.
            if !row.has_all_cells() || !each(row, RowSpan { bytes: bytes.clone(), is_tidy }) {
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
    use crate::results::row::COLUMNS;

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
