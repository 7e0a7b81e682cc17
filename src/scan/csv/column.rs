//! Collects the cells of one column, straight from the splitter into the buffers of an Arrow column.

use super::splitter::Splitter;
use crate::scan::cleaning::Cleaning;
use crate::scan::rows::{BATCH_ROWS, CellFault, Fault};
use crate::small_copy;
use arrow::array::StringArray;
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::io::Read;

/// The growing buffers of one text column.
pub(super) struct ColumnBuffer<'w> {
    /// The index of the column in the file.
    from: usize,
    /// The index of the column among the wanted ones.
    at: usize,
    cleaning: &'w Cleaning,
    text: Vec<u8>,
    /// A zero, then where each cell ends in `text`.
    ends: Vec<i32>,
}

impl<'w> ColumnBuffer<'w> {
    /// An empty buffer for the column with index `from` in the file and `at` among the wanted ones, with room for `room`
    /// bytes of text.
    pub(super) fn new(from: usize, at: usize, cleaning: &'w Cleaning, room: usize) -> ColumnBuffer<'w> {
        let mut ends = Vec::with_capacity(BATCH_ROWS + 1);
        ends.push(0);
        ColumnBuffer { from, at, cleaning, text: Vec::with_capacity(room), ends }
    }

    /// How many bytes of text the buffer holds.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// Adds the column's cell of the current record: an empty one, if the record is too short.
    #[inline]
    pub(super) fn push<R: Read>(&mut self, record: &Splitter<R>) {
        if let Some((bytes, start, end)) = record.cell_within(self.from) {
            let cell = &bytes[start..end];
            let clean = self.cleaning.clean(cell);
            if clean.len() == cell.len() {
                small_copy::append(&mut self.text, bytes, start, end);
            } else {
                self.text.extend_from_slice(clean);
            }
        }
        self.ends.push(self.text.len() as i32);
    }

    /// The column. Every cell that is not UTF-8 is empty in it and a fault.
    ///
    /// # Errors
    /// Where Arrow does not take the buffers.
    pub(super) fn finish(mut self, faults: &mut Vec<Fault>) -> Result<StringArray, ArrowError> {
        // A cell may end in the middle of a letter, and the next one begin with the rest of it.
        let is_sound = |text: &str| self.ends.iter().all(|&end| text.is_char_boundary(end as usize));
        if !self.text.is_ascii() && !std::str::from_utf8(&self.text).is_ok_and(is_sound) {
            let cells = std::mem::take(&mut self.text);
            let mut start = 0;
            for (row, end) in self.ends.iter_mut().skip(1).enumerate() {
                let cell = &cells[start..*end as usize];
                start = *end as usize;
                match std::str::from_utf8(cell) {
                    Ok(_) => self.text.extend_from_slice(cell),
                    Err(_) => {
                        let what = CellFault::Undecodable(String::from_utf8_lossy(cell).into_owned());
                        faults.push(Fault { row: row as u32, column: Some(self.at as u16), what });
                    }
                }
                *end = self.text.len() as i32;
            }
        }
        if self.ends.len() <= BATCH_ROWS / 2 {
            // The last rows of a file. There may be thousands of files, and the unused memory of each adds up.
            self.text.shrink_to_fit();
            self.ends.shrink_to_fit();
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::try_new(offsets, Buffer::from_vec(self.text), None)
    }
}
