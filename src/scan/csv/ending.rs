//! How the records of a file end: their line breaks, and what stands behind the last of them.

use super::splitter::{RecordError, Splitter};
use std::io::Read;

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
}
