//! Splits the bytes of a result file into rows and cells, also after a spreadsheet or an editor has saved it. What a cell
//! means is in `row`.

use super::row::{Layout, Row};
use csv_core::ReadRecordResult;
use std::ops::Range;

/// Whether a line is a complete row by itself. The last line of a cell with several lines is not: it holds a quote in the
/// middle of a cell.
pub(super) fn is_row(line: &[u8], layout: &Layout) -> bool {
    let mut quotes = Quotes::of(layout);
    quotes.go_over(line);
    let mut is_row = false;
    if !quotes.has_stray {
        RowSplitter::new(layout).split(line, |row, _, _| {
            let has_id = row.session_uid().is_some() || row.session_uid_text().is_empty();
            is_row |= row.has_all_cells() && has_id && row.status().is_some();
        });
    }
    is_row
}

/// Splits rows into their cells. Its buffers are used again from row to row.
pub(super) struct RowSplitter<'l> {
    layout: &'l Layout,
    /// Made for the first row that needs it: that takes longer than a small file.
    reader: Option<csv_core::Reader>,
    cells: Vec<Range<usize>>,
    /// The cells of one row without quotes, as `reader` writes them, and where each of them ends.
    output: Vec<u8>,
    ends: Vec<usize>,
    /// The cells of a row that is not UTF-8, with replacement characters.
    text: String,
}

impl RowSplitter<'_> {
    pub(super) fn new(layout: &Layout) -> RowSplitter<'_> {
        RowSplitter {
            layout,
            reader: None,
            cells: Vec::new(),
            output: Vec::new(),
            ends: Vec::new(),
            text: String::new(),
        }
    }

    /// Calls `take` for each row in `bytes` with the row, whether the row holds exactly what the bytes do (valid UTF-8, no
    /// extra columns), and the row's range in `bytes`. Usually that is one row; there are more if an editor ends lines with
    /// a carriage return alone.
    pub(super) fn split(&mut self, bytes: &[u8], mut take: impl FnMut(Row<'_>, bool, Range<usize>)) {
        let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if memchr::memchr3(b'"', b'\r', b'\n', line).is_some() {
            return self.split_quoted(bytes, take);
        }
        if !line.is_empty() {
            self.cells.clear();
            let mut start = 0;
            for comma in memchr::memchr_iter(self.layout.delimiter, line) {
                self.cells.push(start..comma);
                start = comma + 1;
            }
            self.cells.push(start..line.len());
            hand_on(self.layout, &mut self.cells, line, &mut self.text, |row, is_all| {
                take(row, is_all, 0..bytes.len())
            });
        }
    }

    /// Splits rows that contain quotes or line breaks, by the rules of CSV.
    fn split_quoted(&mut self, bytes: &[u8], mut take: impl FnMut(Row<'_>, bool, Range<usize>)) {
        let delimiter = self.layout.delimiter;
        let reader = self.reader.get_or_insert_with(|| csv_core::ReaderBuilder::new().delimiter(delimiter).build());
        reader.reset();
        self.output.resize(bytes.len(), 0);
        self.ends.resize(bytes.len() + 1, 0);
        let mut at = 0;
        loop {
            let start = at;
            let (mut written, mut ends) = (0, 0);
            // Reading nothing at the end of the bytes closes the last record.
            let is_record = loop {
                let (output, end_of) = (&mut self.output[written..], &mut self.ends[ends..]);
                let (read, consumed, more, ended) = reader.read_record(&bytes[at..], output, end_of);
                (at, written, ends) = (at + consumed, written + more, ends + ended);
                match read {
                    ReadRecordResult::InputEmpty => {}
                    ReadRecordResult::Record => break true,
                    // The buffers hold any row of these bytes, so they are never full.
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
            hand_on(self.layout, &mut self.cells, output, &mut self.text, |row, is_all| take(row, is_all, start..at));
        }
    }
}

/// Calls `take` with the row of these cells, and whether the row holds exactly what the bytes do.
fn hand_on(
    layout: &Layout,
    cells: &mut Vec<Range<usize>>,
    bytes: &[u8],
    text: &mut String,
    take: impl FnOnce(Row<'_>, bool),
) {
    // Spreadsheets add empty columns.
    let is_wide = cells.len() > layout.width();
    if is_wide && cells[layout.width()..].iter().all(Range::is_empty) {
        cells.truncate(layout.width());
    }
    let whole = std::str::from_utf8(bytes);
    if whole.is_err() {
        // The file was saved in an old code page. Ids and statuses are ASCII in all of them.
        text.clear();
        for cell in cells.iter_mut() {
            let start = text.len();
            text.push_str(&String::from_utf8_lossy(&bytes[cell.clone()]));
            *cell = start..text.len();
        }
    }
    take(Row::new(whole.unwrap_or(text), cells, layout), whole.is_ok() && !is_wide);
}

/// Follows quotes through a text by the rules of the `csv` crate: is the cell at its end inside quotes?
#[derive(Debug)]
pub(super) struct Quotes {
    delimiter: u8,
    state: CellState,
    /// Whether there was a quote in the middle of a cell, or text after a closing quote.
    pub(super) has_stray: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum CellState {
    /// Before the first byte of a cell.
    #[default]
    Start,
    /// In a cell without quotes around it.
    Plain,
    /// Inside quotes.
    Quoted,
    /// After a quote in a quoted cell: either its end or the first of two that stand for one.
    AfterQuote,
}

impl Quotes {
    /// The beginning of a row of such a file.
    pub(super) fn of(layout: &Layout) -> Quotes {
        Quotes { delimiter: layout.delimiter, state: CellState::Start, has_stray: false }
    }

    /// Goes over the bytes that come next.
    pub(super) fn go_over(&mut self, bytes: &[u8]) {
        // Most rows have no quotes.
        if self.state == CellState::Start && memchr::memchr(b'"', bytes).is_none() {
            return;
        }
        for byte in bytes {
            self.state = match (self.state, byte) {
                (CellState::Start, b'"') => CellState::Quoted,
                (CellState::Quoted, b'"') => CellState::AfterQuote,
                (CellState::AfterQuote, b'"') => CellState::Quoted,
                (CellState::Quoted, _) => CellState::Quoted,
                (_, b'\r' | b'\n') => CellState::Start,
                (_, byte) if *byte == self.delimiter => CellState::Start,
                (state, byte) => {
                    self.has_stray |= state == CellState::AfterQuote || *byte == b'"';
                    CellState::Plain
                }
            };
        }
    }

    /// Whether the text ends inside quotes.
    pub(super) fn is_open(&self) -> bool {
        self.state == CellState::Quoted
    }
}
