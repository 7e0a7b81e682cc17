//! What stands before the first record of a file: a line that names the delimiter, and lines that the job leaves out.

use super::splitter::{Splitter, line_break};
use std::io::{self, Read};

impl<R: Read> Splitter<R> {
    /// Skips a first line such as `sep=;`, by which Excel names the delimiter, and uses that delimiter.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(in crate::scan) fn take_separator_line(&mut self) -> io::Result<()> {
        while self.end - self.start < 16 && !self.at_end {
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

    /// Leaves out the lines before the line `first`, from 1. Quotes mean nothing there.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub(in crate::scan) fn skip_lines_before(&mut self, first: u64) -> io::Result<()> {
        while self.line < first {
            let rest = &self.buffer[self.start..self.end];
            let line_end = memchr::memchr2(b'\n', b'\r', rest);
            let length = line_end.and_then(|at| match rest[at] {
                b'\n' => Some(at + 1),
                _ => line_break(rest, at, self.at_end).map(|length| at + length),
            });
            match length {
                Some(length) => {
                    self.start += length;
                    self.line += 1;
                }
                None if self.at_end => {
                    self.start = self.end;
                    return Ok(());
                }
                None => self.fill()?,
            }
        }
        Ok(())
    }
}
