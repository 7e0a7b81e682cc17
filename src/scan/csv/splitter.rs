//! Splits CSV text into records and cells, for every dialect that the job file can describe.
//!
//! The `csv` crate reads our other tables. Exports need three things that it does not offer: the line on which a record
//! starts (also after blank lines and `\r\n`), whether a quote is still open where the file ends, and escapes that act
//! only before a quote, themselves or a line break. For the plain dialect this splitter is property-tested with `csv`
//! as the oracle.
//!
//! It knows bytes only: no header, no encoding, no column.

use super::marks::{MARKED, Marks};
use super::quoted::{QuotedCell, plain_end, quoted_cell};
use super::syntax::Syntax;
use std::io::{self, Read};

/// Why an export cannot be split into records any further.
#[derive(Debug)]
pub(in crate::scan) enum RecordError {
    Read(io::Error),
    /// A quote opened in the record that starts on `line` is still open at the end of the file.
    OpenQuote {
        line: u64,
    },
    /// The record that starts on `line` is longer than [`LONGEST_RECORD`] bytes.
    TooLong {
        line: u64,
    },
}

/// The longest record, in bytes. No visit is this large: a longer record has a quote that is never closed.
pub(super) const LONGEST_RECORD: usize = 64 << 20;

const FIRST_BUFFER: usize = 256 << 10;

/// Where a cell stands.
#[derive(Clone, Copy)]
struct CellSpan {
    start: usize,
    end: usize,
    /// Whether it is in `scratch`, because something was unescaped, and not in `buffer`.
    unescaped: bool,
}

/// Gives the records of one file one at a time. A cell is copied only where something in it is unescaped.
pub(in crate::scan) struct Splitter<R> {
    input: R,
    syntax: Syntax,
    /// Bytes that end an unquoted piece of text: delimiter, line breaks, and the escape where quoting is off.
    special: [bool; 256],
    /// Finds these bytes, and quotes and escapes.
    marks: Marks,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Line of `buffer[start]`, from 1.
    line: u64,
    record_line: u64,
    cells: Vec<CellSpan>,
    scratch: Vec<u8>,
}

/// What an attempt to split a record off the buffer comes to.
enum Step {
    /// A whole record. The next one starts at `next`, on `line`.
    Record { next: usize, line: u64 },
    /// The buffer ends before the record does.
    More,
    /// There are no more records.
    End,
    /// The file ends within a quoted cell.
    OpenQuote { line: u64 },
}

impl<R: Read> Splitter<R> {
    pub(in crate::scan) fn new(input: R, syntax: Syntax) -> Self {
        let mut splitter = Splitter {
            input,
            syntax,
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
        };
        splitter.set_delimiter(syntax.delimiter);
        splitter
    }

    fn set_delimiter(&mut self, delimiter: u8) {
        self.syntax.delimiter = delimiter;
        self.special = [false; 256];
        for byte in [delimiter, b'\n', b'\r', self.unquoted_escape().unwrap_or(delimiter)] {
            self.special[usize::from(byte)] = true;
        }
        let (quote, escape) = (self.syntax.quote.unwrap_or(delimiter), self.syntax.escape.unwrap_or(delimiter));
        self.marks = Marks::new([delimiter, b'\n', b'\r', quote, escape]);
    }

    /// Skips a first line such as `sep=;`, by which Excel names the delimiter, and uses that delimiter.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(in crate::scan) fn take_separator_line(&mut self) -> io::Result<()> {
        while self.end < 16 && !self.at_end {
            self.fill()?;
        }
        let head = &self.buffer[self.start..self.end];
        let line_end = head.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(head.len());
        let line = &head[..line_end];
        let line = match line {
            [b'"', inner @ .., b'"'] => inner,
            other => other,
        };
        let [s, e, p, b'=', delimiter] = line else {
            return Ok(());
        };
        if ![*s, *e, *p].eq_ignore_ascii_case(b"sep") {
            return Ok(());
        }
        let delimiter = *delimiter;
        let line_break = if head[line_end..].starts_with(b"\r\n") { 2 } else { 1 };
        self.start = (self.start + line_end + line_break).min(self.end);
        self.line += 1;
        self.set_delimiter(delimiter);
        Ok(())
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
                Step::OpenQuote { line } => return Err(RecordError::OpenQuote { line }),
                Step::More => {
                    if self.end - self.start > LONGEST_RECORD {
                        return Err(RecordError::TooLong { line: self.record_line });
                    }
                    self.fill().map_err(RecordError::Read)?;
                }
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

    fn fill(&mut self) -> io::Result<()> {
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
                Ok(0) => self.at_end = true,
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
                Some(_) => break,
            }
            line += 1;
        }
        self.record_line = line;
        self.cells.clear();
        self.scratch.clear();
        loop {
            let quoted = self.syntax.quote.is_some_and(|quote| bytes.get(at) == Some(&quote));
            let cell_start = at;
            let mut copied = None;
            if quoted && let Some(end) = plain_end(bytes, at + 1, &self.syntax, &mut self.marks) {
                self.cells.push(CellSpan { start: at + 1, end, unescaped: false });
                at = end + 1;
            } else if quoted {
                let scratch = &mut self.scratch;
                match quoted_cell(bytes, at + 1, &self.syntax, self.at_end, scratch, &mut line) {
                    QuotedCell::Plain { end } => {
                        at = end + 1;
                        if self.ends_cell(bytes, at) {
                            self.cells.push(CellSpan { start: cell_start + 1, end, unescaped: false });
                        } else {
                            // Text behind the closing quote belongs to the cell, as in other readers.
                            let from = self.scratch.len();
                            self.scratch.extend_from_slice(&bytes[cell_start + 1..end]);
                            copied = Some(from);
                        }
                    }
                    QuotedCell::Unescaped { from, end } => {
                        at = end + 1;
                        if self.ends_cell(bytes, at) {
                            let end = self.scratch.len();
                            self.cells.push(CellSpan { start: from, end, unescaped: true });
                        } else {
                            copied = Some(from);
                        }
                    }
                    QuotedCell::More => return Step::More,
                    QuotedCell::Open => return Step::OpenQuote { line: self.record_line },
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
                        CellSpan { start: from, end: self.scratch.len(), unescaped: true }
                    }
                });
            }
            match bytes.get(at) {
                None if self.at_end => return Step::Record { next: at, line },
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

    /// Whether a cell that was just read ends at `at`. At the end of the buffer the caller asks for more.
    fn ends_cell(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at).is_none_or(|&b| b == self.syntax.delimiter || matches!(b, b'\n' | b'\r'))
    }
}

/// The length of the line break that starts with the `\r` at `at`, in bytes. `None`: only the byte behind the buffer can
/// tell.
fn line_break(bytes: &[u8], at: usize, at_end: bool) -> Option<usize> {
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
