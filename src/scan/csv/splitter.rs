//! Splits CSV text into records and cells, for every dialect that the job file can describe.
//!
//! The `csv` crate reads our other tables. Exports need three things that it does not offer: the line on which a record
//! starts (also after blank lines and `\r\n`), what is odd about its quotes (one that is still open where the file ends,
//! text behind a closing one), and escapes that act only before a quote, themselves or a line break. For the plain dialect this splitter is property-tested with `csv`
//! as the oracle.
//!
//! It knows bytes only: no header, no encoding, no column.

use super::line_patterns::{LinePatterns, Matched};
use super::marks::{MARKED, Marks};
use super::quoted::{QuotedCell, plain_end, quoted_cell};
use super::syntax::Syntax;
use super::text_end::zeros_and_end_marks;
use std::io::{self, Read};

/// Why an export cannot be split into records any further.
#[derive(Debug)]
pub(in crate::scan) enum RecordError {
    Read(io::Error),
    /// From `line` on there are more than [`LONGEST_RECORD`] bytes that are zero.
    Zeros {
        line: u64,
    },
    /// The record that starts on `line` is longer than [`LONGEST_RECORD`] bytes.
    TooLong {
        line: u64,
    },
}

/// The longest record, in bytes. No visit is this large: a longer record has a quote that is never closed.
pub(in crate::scan) const LONGEST_RECORD: usize = 64 << 20;

/// How many zeros at the end of a record that is too long show that the file was not written to its end.
const MANY_ZEROS: usize = 1 << 20;

const FIRST_BUFFER: usize = 256 << 10;

/// Where a cell stands.
#[derive(Clone, Copy)]
pub(super) struct CellSpan {
    start: usize,
    end: usize,
    /// Whether it is in `scratch`, because something was unescaped, and not in `buffer`.
    unescaped: bool,
}

/// A quoted cell of the current record that is worth a look: it spans lines, or its quotes are odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct QuotedCellMark {
    /// Which cell of the record it is.
    pub(super) cell: usize,
    /// The line on which its quote opens, from 1.
    pub(super) line: u64,
    pub(super) spans_lines: bool,
    /// How many bytes of the cell's text stand behind its closing quote.
    pub(super) behind: usize,
    /// Whether the file ends before the quote is closed.
    pub(super) is_open: bool,
}

/// Gives the records of one file one at a time. A cell is copied only where something in it is unescaped.
pub(in crate::scan) struct Splitter<R> {
    input: R,
    pub(super) syntax: Syntax,
    /// Lines that are no records.
    pub(super) ignored: LinePatterns,
    /// Bytes that end an unquoted piece of text: delimiter, line breaks, and the escape where quoting is off.
    special: [bool; 256],
    /// Finds these bytes, and quotes and escapes.
    marks: Marks,
    pub(super) buffer: Vec<u8>,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) at_end: bool,
    /// Line of `buffer[start]`, from 1.
    pub(super) line: u64,
    record_line: u64,
    pub(super) cells: Vec<CellSpan>,
    scratch: Vec<u8>,
    quoted: Vec<QuotedCellMark>,
    /// How many zeros the file ends with. They are no part of its text.
    pub(super) zeros_at_end: usize,
    /// Whether Ctrl-Z stands behind the text.
    pub(super) has_end_mark: bool,
    /// Whether the last record has no line end.
    pub(super) is_cut: bool,
}

/// What an attempt to split a record off the buffer comes to.
enum Step {
    /// A whole record. The next one starts at `next`, on `line`.
    Record { next: usize, line: u64 },
    /// The buffer ends before the record does.
    More,
    /// There are no more records.
    End,
}

impl<R: Read> Splitter<R> {
    pub(in crate::scan) fn new(input: R, syntax: Syntax) -> Self {
        let mut splitter = Splitter {
            input,
            syntax,
            ignored: LinePatterns::default(),
            special: [false; 256],
            marks: Marks::new([0; MARKED]), // until the delimiter is set
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            at_end: false,
            line: 1,
            record_line: 1,
            cells: Vec::new(),
            scratch: Vec::new(),
            quoted: Vec::new(),
            zeros_at_end: 0,
            has_end_mark: false,
            is_cut: false,
        };
        splitter.set_delimiter(syntax.delimiter);
        splitter
    }

    pub(super) fn set_delimiter(&mut self, delimiter: u8) {
        self.syntax.delimiter = delimiter;
        self.special = [false; 256];
        for byte in [delimiter, b'\n', b'\r', self.unquoted_escape().unwrap_or(delimiter)] {
            self.special[usize::from(byte)] = true;
        }
        let (quote, escape) = (self.syntax.quote.unwrap_or(delimiter), self.syntax.escape.unwrap_or(delimiter));
        self.marks = Marks::new([delimiter, b'\n', b'\r', quote, escape]);
    }

    /// Moves to the next record. `false` at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read on, or not be split on.
    pub(in crate::scan) fn advance(&mut self) -> Result<bool, RecordError> {
        loop {
            match self.split() {
                Step::Record { next, line } => {
                    self.start = next;
                    self.line = line;
                    return Ok(true);
                }
                Step::End => return Ok(false),
                Step::More => self.more()?,
            }
        }
    }

    /// The line on which the current record starts, from 1.
    pub(in crate::scan) fn record_line(&self) -> u64 {
        self.record_line
    }

    /// How many cells the current record has.
    pub(in crate::scan) fn len(&self) -> usize {
        self.cells.len()
    }

    /// The bytes of a cell of the current record.
    #[inline]
    pub(in crate::scan) fn cell(&self, at: usize) -> Option<&[u8]> {
        self.cell_within(at).map(|(bytes, start, end)| &bytes[start..end])
    }

    /// A cell of the current record within the bytes around it: these, and where the cell starts and ends in them.
    #[inline]
    pub(in crate::scan) fn cell_within(&self, at: usize) -> Option<(&[u8], usize, usize)> {
        let span = self.cells.get(at)?;
        let bytes = if span.unescaped { &self.scratch } else { &self.buffer };
        Some((bytes, span.start, span.end))
    }

    /// The quoted cells of the current record that span lines or whose quotes are odd.
    #[inline]
    pub(super) fn quoted(&self) -> &[QuotedCellMark] {
        &self.quoted
    }

    /// The line on which a quote opens that is still open at the end of the file, from 1.
    pub(in crate::scan) fn open_quote(&self) -> Option<u64> {
        self.quoted.last().filter(|cell| cell.is_open).map(|cell| cell.line)
    }

    /// Whether a cell of the current record stands in quotes. It is known until the next record is read.
    pub(super) fn is_quoted(&self, at: usize) -> bool {
        self.cells.get(at).is_some_and(|span| {
            let before = span.start.checked_sub(1).and_then(|before| self.buffer.get(before).copied());
            self.syntax.quote.is_some() && (span.unescaped || before == self.syntax.quote)
        })
    }

    /// Reads on, because the buffer ends before the record does.
    fn more(&mut self) -> Result<(), RecordError> {
        let had = self.end - self.start;
        if had > LONGEST_RECORD {
            let line = self.record_line;
            let is_zeros = self.buffer[self.end - MANY_ZEROS..self.end].iter().all(|byte| *byte == 0);
            return Err(if is_zeros { RecordError::Zeros { line } } else { RecordError::TooLong { line } });
        }
        self.fill().map_err(RecordError::Read)?;
        // A long record is split anew with twice as much of it, not at every piece that comes in.
        while had >= FIRST_BUFFER && self.end - self.start < had * 2 && !self.at_end {
            self.fill().map_err(RecordError::Read)?;
        }
        Ok(())
    }

    pub(super) fn fill(&mut self) -> io::Result<()> {
        self.marks.forget();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.at_end = true;
                    // Neither zeros nor Ctrl-Z end a record, so all of them are in the buffer.
                    let (zeros, end_marks) = zeros_and_end_marks(&self.buffer[self.start..self.end]);
                    self.zeros_at_end = zeros;
                    self.has_end_mark = end_marks > 0;
                    self.end -= zeros + end_marks;
                }
                Ok(n) => self.end += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }

    /// One attempt to split a whole record off the buffer. After [`Step::More`] it starts over: at most one record per
    /// buffer is split twice.
    fn split(&mut self) -> Step {
        let bytes = &self.buffer[..self.end];
        let mut line = self.line;
        let mut at = self.start;
        loop {
            match bytes.get(at) {
                None => return if self.at_end { Step::End } else { Step::More },
                Some(b'\n') => at += 1,
                Some(b'\r') => match line_break(bytes, at, self.at_end) {
                    Some(length) => at += length,
                    None => return Step::More,
                },
                Some(_) if self.ignored.is_empty() => break,
                Some(_) => match self.ignored.take(&bytes[at..], self.at_end, line) {
                    Matched::No => break,
                    Matched::More => return Step::More,
                    Matched::Line { length } => {
                        at += length;
                        // It must not be counted again where the record behind it is split anew.
                        (self.start, self.line) = (at, line + 1);
                    }
                },
            }
            line += 1;
        }
        self.record_line = line;
        self.cells.clear();
        self.scratch.clear();
        self.quoted.clear();
        loop {
            let mut quoted = self.syntax.quote.is_some_and(|quote| bytes.get(at) == Some(&quote));
            if !quoted && self.syntax.blanks && matches!(bytes.get(at), Some(b' ' | b'\t')) {
                match self.quote_behind_blanks(bytes, at) {
                    Some(quote) if quote == bytes.len() && !self.at_end => return Step::More,
                    Some(quote) => (at, quoted) = (quote, quote < bytes.len()),
                    None => {}
                }
            }
            let cell_start = at;
            let mut copied = None;
            if quoted && let Some(end) = plain_end(bytes, at + 1, &self.syntax, &mut self.marks) {
                self.cells.push(CellSpan { start: at + 1, end, unescaped: false });
                at = end + 1;
            } else if quoted {
                let opened = line;
                let scratch = &mut self.scratch;
                let (span, is_open) = match quoted_cell(bytes, at + 1, &self.syntax, self.at_end, scratch, &mut line) {
                    QuotedCell::More => return Step::More,
                    QuotedCell::Plain { end } => {
                        at = end + 1;
                        (CellSpan { start: cell_start + 1, end, unescaped: false }, false)
                    }
                    QuotedCell::Unescaped { from, end } => {
                        at = end + 1;
                        (CellSpan { start: from, end: self.scratch.len(), unescaped: true }, false)
                    }
                    QuotedCell::Open { from } => {
                        at = bytes.len();
                        let in_buffer = CellSpan { start: cell_start + 1, end: at, unescaped: false };
                        let in_scratch = |start| CellSpan { start, end: self.scratch.len(), unescaped: true };
                        (from.map_or(in_buffer, in_scratch), true)
                    }
                };
                at = self.behind_blanks(bytes, at);
                let spans_lines = line != opened;
                let has_more = !self.ends_cell(bytes, at);
                if spans_lines || has_more || is_open {
                    let mark = QuotedCellMark { cell: self.cells.len(), line: opened, spans_lines, behind: 0, is_open };
                    self.quoted.push(mark);
                }
                if !has_more {
                    self.cells.push(span);
                } else if span.unescaped {
                    copied = Some(span.start);
                } else {
                    // Text behind the closing quote belongs to the cell, as in other readers.
                    copied = Some(self.scratch.len());
                    self.scratch.extend_from_slice(&bytes[span.start..span.end]);
                }
            }
            if !quoted || copied.is_some() {
                let mut stretch = at;
                let mut null = false;
                loop {
                    at = self.marks.next(bytes, at);
                    while bytes.get(at).is_some_and(|&byte| !self.special[usize::from(byte)]) {
                        at = self.marks.next(bytes, at + 1);
                    }
                    if at == bytes.len() && !self.at_end {
                        return Step::More;
                    }
                    if at == bytes.len()
                        || self.unquoted_escape() != Some(bytes[at])
                        || bytes[at] == self.syntax.delimiter
                    {
                        break;
                    }
                    // Quoting is off and an escape stands here.
                    if at + 2 >= bytes.len() && !self.at_end {
                        return Step::More;
                    }
                    let Some(&escaped) = bytes.get(at + 1) else {
                        at += 1; // an escape as the last byte of the file stands for itself
                        break;
                    };
                    if escaped == b'N' && at == cell_start && self.ends_cell(bytes, at + 2) {
                        null = true;
                        at += 2;
                        break;
                    }
                    let from = *copied.get_or_insert(self.scratch.len());
                    debug_assert!(from <= self.scratch.len());
                    self.scratch.extend_from_slice(&bytes[stretch..at]);
                    self.scratch.push(unescape(escaped));
                    at += 2;
                    if escaped == b'\r' && bytes.get(at) == Some(&b'\n') {
                        self.scratch.push(b'\n');
                        at += 1;
                    }
                    if matches!(escaped, b'\r' | b'\n') {
                        line += 1;
                    }
                    stretch = at;
                }
                self.cells.push(match copied {
                    // A null is an empty cell to all that follows.
                    _ if null => CellSpan { start: 0, end: 0, unescaped: false },
                    None => CellSpan { start: stretch, end: at, unescaped: false },
                    Some(from) => {
                        self.scratch.extend_from_slice(&bytes[stretch..at]);
                        if quoted && let Some(mark) = self.quoted.last_mut() {
                            mark.behind = at - stretch;
                        }
                        CellSpan { start: from, end: self.scratch.len(), unescaped: true }
                    }
                });
            }
            match bytes.get(at) {
                None if self.at_end => {
                    self.is_cut = true;
                    return Step::Record { next: at, line };
                }
                None => return Step::More,
                Some(&b) if b == self.syntax.delimiter => {
                    at += 1;
                    if at == bytes.len() && !self.at_end {
                        return Step::More;
                    }
                }
                Some(b'\n') => return Step::Record { next: at + 1, line: line + 1 },
                Some(_) => {
                    return match line_break(bytes, at, self.at_end) {
                        Some(length) => Step::Record { next: at + length, line: line + 1 },
                        None => Step::More,
                    };
                }
            }
        }
    }

    /// The escape, where it acts outside quotes.
    #[inline]
    fn unquoted_escape(&self) -> Option<u8> {
        if self.syntax.quote.is_none() { self.syntax.escape } else { None }
    }

    /// Where the quote stands that only blanks from `at` on stand before. The end of the buffer, where they go on to there.
    #[cold]
    fn quote_behind_blanks(&self, bytes: &[u8], at: usize) -> Option<usize> {
        let quote = self.syntax.quote?;
        let blanks = bytes[at..].iter().take_while(|byte| self.syntax.is_blank(**byte)).count();
        let behind = at + blanks;
        bytes.get(behind).is_none_or(|byte| *byte == quote).then_some(behind)
    }

    /// Where the cell ends whose closing quote stands before `at`, and behind that only blanks; else `at`.
    fn behind_blanks(&self, bytes: &[u8], at: usize) -> usize {
        if !self.syntax.blanks {
            return at;
        }
        let blanks = bytes[at..].iter().take_while(|byte| self.syntax.is_blank(**byte)).count();
        if self.ends_cell(bytes, at + blanks) { at + blanks } else { at }
    }

    /// Whether a cell that was just read ends at `at`. At the end of the buffer the caller asks for more.
    fn ends_cell(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at).is_none_or(|&b| b == self.syntax.delimiter || matches!(b, b'\n' | b'\r'))
    }
}

/// The length of the line break that starts with the `\r` at `at`, in bytes. `None`: only the byte behind the buffer can
/// tell.
pub(super) fn line_break(bytes: &[u8], at: usize, at_end: bool) -> Option<usize> {
    match bytes.get(at + 1) {
        Some(b'\n') => Some(2),
        Some(_) => Some(1),
        None if at_end => Some(1),
        None => None,
    }
}

/// The byte that an escape and `escaped` stand for in PostgreSQL's and MySQL's text formats.
fn unescape(escaped: u8) -> u8 {
    match escaped {
        b't' => b'\t',
        b'n' => b'\n',
        b'r' => b'\r',
        b'b' => 0x08,
        b'f' => 0x0c,
        b'v' => 0x0b,
        b'0' => 0x00,
        other => other,
    }
}

#[cfg(test)]
#[path = "splitter_tests.rs"]
mod tests;
