//! How the records of a file end: their line breaks, and what stands behind the last of them.

use super::splitter::{RecordError, Splitter};
use std::io::Read;

/// What old systems write behind the end of a text: Ctrl-Z.
pub(super) const END_MARK: u8 = 0x1a;

impl<R: Read> Splitter<R> {
    /// The line break that ends the current record, while no other was read.
    pub(super) fn line_end(&self) -> &[u8] {
        let text = &self.buffer[..self.start];
        let breaks: [&[u8]; 3] = [b"\r\n", b"\n", b"\r"];
        breaks.into_iter().find(|line_break| text.ends_with(line_break)).unwrap_or_default()
    }

    /// Once all records are read: whether the last one has no line end, nor the mark that old systems put at the end.
    pub(super) fn is_cut(&self) -> bool {
        self.is_cut && !self.has_end_mark
    }

    /// Once all records are read: how many zeros the file ends with.
    pub(super) fn zeros_at_end(&self) -> usize {
        self.zeros_at_end
    }

    /// Whether nothing but line breaks is left behind the current record. Its cells cannot be read afterwards.
    ///
    /// # Errors
    /// Where the file cannot be read on.
    pub(super) fn is_last(&mut self) -> Result<bool, RecordError> {
        loop {
            if self.buffer[self.start..self.end].iter().any(|byte| !matches!(byte, b'\n' | b'\r')) {
                return Ok(false);
            }
            if self.at_end {
                return Ok(true);
            }
            self.cells.clear();
            self.fill().map_err(RecordError::Read)?;
        }
    }

    /// Leaves out zeros and Ctrl-Z at the end of the file. Neither ends a record, so all of them are in the buffer.
    pub(super) fn drop_what_is_behind_the_text(&mut self) {
        let text = &self.buffer[self.start..self.end];
        self.zeros_at_end = text.iter().rev().take_while(|byte| **byte == 0).count();
        let text = &text[..text.len() - self.zeros_at_end];
        let marks = text.iter().rev().take_while(|byte| **byte == END_MARK).count();
        self.has_end_mark = marks > 0;
        self.end -= self.zeros_at_end + marks;
    }
}
