//! Splits CSV text into records and cells, for every dialect that the job file can describe.
//!
//! The `csv` crate reads our other tables; exports need three things that it does not tell: the line on
//! which a record starts (also after blank lines and `\r\n`), whether a quote is still open where the file
//! ends, and escapes that act only before a quote, themselves or a line break. Against `csv` as the oracle
//! this splitter is property-tested for the plain dialect.
//!
//! It knows bytes only: no header, no encoding, no column.

mod marks;

use marks::{MARKED, Marks};
use std::io::{self, Read};

/// How records are written. All of them are single bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    pub(crate) delimiter: u8,
    /// `None`: quotes are ordinary characters, and `escape` acts everywhere (PostgreSQL's text format).
    pub(crate) quote: Option<u8>,
    pub(crate) escape: Option<u8>,
}

/// Why an export cannot be split into records any further.
#[derive(Debug)]
pub(crate) enum RecordError {
    Read(io::Error),
    /// A quote opened in the record that starts on `line` is still open at the end of the file.
    OpenQuote {
        line: u64,
    },
    /// The record that starts on `line` is larger than [`LONGEST_RECORD`].
    TooLong {
        line: u64,
    },
}

/// No visit is this large; a record that is has a quote that was never closed.
pub(crate) const LONGEST_RECORD: usize = 64 << 20;

const FIRST_BUFFER: usize = 256 << 10;

#[derive(Clone, Copy)]
struct Span {
    start: usize,
    end: usize,
    /// In `scratch` (something was unescaped) instead of in `buffer`.
    unescaped: bool,
}

/// The records of one file, one at a time, without a copy of cells that need no unescaping.
pub(crate) struct Records<R> {
    input: R,
    syntax: Syntax,
    /// Bytes that end an unquoted stretch: delimiter, line breaks, and the escape where quoting is off.
    special: [bool; 256],
    /// Where these stand, and quotes and escapes everywhere.
    marks: Marks,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
    /// Line of `buffer[start]`, from 1.
    line: u64,
    record_line: u64,
    cells: Vec<Span>,
    scratch: Vec<u8>,
}

enum Step {
    /// A whole record; the next one starts here, on this line.
    Record {
        next: usize,
        line: u64,
    },
    More,
    End,
    OpenQuote {
        line: u64,
    },
}

impl<R: Read> Records<R> {
    pub(crate) fn new(input: R, syntax: Syntax) -> Self {
        let mut records = Records {
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
        records.set_delimiter(syntax.delimiter);
        records
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

    /// Reads over a first line `sep=;`, by which Excel says what the delimiter is, and takes its word.
    pub(crate) fn take_separator_line(&mut self) -> io::Result<()> {
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
    pub(crate) fn advance(&mut self) -> Result<bool, RecordError> {
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
    pub(crate) fn record_line(&self) -> u64 {
        self.record_line
    }

    /// How many cells the current record has.
    pub(crate) fn len(&self) -> usize {
        self.cells.len()
    }

    /// A cell of the current record.
    #[inline]
    pub(crate) fn cell(&self, at: usize) -> Option<&[u8]> {
        self.cell_within(at).map(|(bytes, start, end)| &bytes[start..end])
    }

    /// The same with the bytes around it.
    #[inline]
    pub(crate) fn cell_within(&self, at: usize) -> Option<(&[u8], usize, usize)> {
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

    /// One attempt to split a whole record off the buffer. It starts over when there is more to read: at most
    /// one record a buffer is seen twice.
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
                self.cells.push(Span { start: at + 1, end, unescaped: false });
                at = end + 1;
            } else if quoted {
                let scratch = &mut self.scratch;
                match quoted_cell(bytes, at + 1, &self.syntax, self.at_end, scratch, &mut line) {
                    Quoted::Plain { end } => {
                        at = end + 1;
                        if self.ends_cell(bytes, at) {
                            self.cells.push(Span { start: cell_start + 1, end, unescaped: false });
                        } else {
                            // Text behind the closing quote belongs to the cell, as other readers have it.
                            let from = self.scratch.len();
                            self.scratch.extend_from_slice(&bytes[cell_start + 1..end]);
                            copied = Some(from);
                        }
                    }
                    Quoted::Unescaped { from, end } => {
                        at = end + 1;
                        if self.ends_cell(bytes, at) {
                            let end = self.scratch.len();
                            self.cells.push(Span { start: from, end, unescaped: true });
                        } else {
                            copied = Some(from);
                        }
                    }
                    Quoted::More => return Step::More,
                    Quoted::Open => return Step::OpenQuote { line: self.record_line },
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
                    // An empty cell and a null are the same to whoever reads on.
                    _ if null => Span { start: 0, end: 0, unescaped: false },
                    None => Span { start: stretch, end: at, unescaped: false },
                    Some(from) => {
                        self.scratch.extend_from_slice(&bytes[stretch..at]);
                        Span { start: from, end: self.scratch.len(), unescaped: true }
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

    /// Whether a cell that was just read ends here; at the end of the buffer the caller asks for more.
    fn ends_cell(&self, bytes: &[u8], at: usize) -> bool {
        bytes.get(at).is_none_or(|&b| b == self.syntax.delimiter || matches!(b, b'\n' | b'\r'))
    }
}

/// How long the line break is that starts with the `\r` at `at`; `None` where only the next byte can tell.
fn line_break(bytes: &[u8], at: usize, at_end: bool) -> Option<usize> {
    match bytes.get(at + 1) {
        Some(b'\n') => Some(2),
        Some(_) => Some(1),
        None if at_end => Some(1),
        None => None,
    }
}

/// PostgreSQL's text format, and MySQL's: what a backslash and this byte stand for.
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

enum Quoted {
    /// The cell's text is in the buffer as it is, up to the closing quote at `end`.
    Plain {
        end: usize,
    },
    /// The cell's text is in the scratch from `from` on; the closing quote is at `end`.
    Unescaped {
        from: usize,
        end: usize,
    },
    More,
    Open,
}

/// Where a quoted cell ends, read from behind its opening quote, if it is one like nearly all: text without quotes,
/// escapes and line breaks, the closing quote, and another cell or line behind it.
#[inline]
fn plain_end(bytes: &[u8], start: usize, syntax: &Syntax, marks: &mut Marks) -> Option<usize> {
    let mut end = marks.next(bytes, start);
    // A delimiter is a character like any other here, unless it is the escape as well.
    while bytes.get(end) == Some(&syntax.delimiter) && syntax.escape != Some(syntax.delimiter) {
        end = marks.next(bytes, end + 1);
    }
    let &[last, next] = bytes.get(end..)?.first_chunk()?;
    let is_behind = next == syntax.delimiter || matches!(next, b'\n' | b'\r');
    (Some(last) == syntax.quote && is_behind && Some(next) != syntax.quote).then_some(end)
}

/// Reads a quoted cell from behind its opening quote; adds the line breaks in it to `line`.
fn quoted_cell(
    bytes: &[u8],
    start: usize,
    syntax: &Syntax,
    at_end: bool,
    scratch: &mut Vec<u8>,
    line: &mut u64,
) -> Quoted {
    let Some(quote) = syntax.quote else { return Quoted::Open };
    let escape = syntax.escape.unwrap_or(quote);
    let missing = || if at_end { Quoted::Open } else { Quoted::More };
    let mut from = None;
    let mut stretch = start;
    let mut at = start;
    loop {
        let Some(found) = memchr::memchr2(quote, escape, bytes.get(at..).unwrap_or_default()) else {
            return missing();
        };
        at += found;
        let next = bytes.get(at + 1).copied();
        if bytes[at] == quote {
            match next {
                Some(b) if b == quote => {
                    from.get_or_insert(scratch.len());
                    scratch.extend_from_slice(&bytes[stretch..=at]);
                    at += 2;
                    stretch = at;
                }
                None if !at_end => return Quoted::More,
                _ => break,
            }
        } else {
            match next {
                None => return missing(),
                Some(b) if b == quote || b == escape || matches!(b, b'\r' | b'\n') => {
                    from.get_or_insert(scratch.len());
                    scratch.extend_from_slice(&bytes[stretch..at]);
                    scratch.push(b);
                    at += 2;
                    stretch = at;
                }
                Some(_) => at += 1,
            }
        }
    }
    *line += line_breaks(&bytes[start..at]);
    match from {
        None => Quoted::Plain { end: at },
        Some(from) => {
            scratch.extend_from_slice(&bytes[stretch..at]);
            Quoted::Unescaped { from, end: at }
        }
    }
}

/// How many lines end in `bytes`: at `\n`, `\r\n` and lone `\r`.
fn line_breaks(bytes: &[u8]) -> u64 {
    let breaks =
        memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
    breaks.count() as u64
}

#[cfg(test)]
mod tests;
