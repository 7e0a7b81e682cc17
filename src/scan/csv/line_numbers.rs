//! Collects the line numbers of a batch.

use crate::scan::rows::Lines;

/// Collects line numbers. Nearly always they are consecutive, and then they take no memory.
#[derive(Default)]
pub(super) struct LineNumbers {
    first: u64,
    count: u64,
    offsets: Option<Vec<u32>>,
}

impl LineNumbers {
    /// Adds the line on which the next row starts.
    #[inline]
    pub(super) fn push(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        let offset = line - self.first;
        match &mut self.offsets {
            None if offset == self.count => {}
            None => {
                let mut offsets: Vec<u32> = (0..self.count as u32).collect();
                offsets.push(u32::try_from(offset).unwrap_or(u32::MAX));
                self.offsets = Some(offsets);
            }
            Some(offsets) => offsets.push(u32::try_from(offset).unwrap_or(u32::MAX)),
        }
        self.count += 1;
    }

    /// The lines of all rows that were added.
    pub(super) fn finish(self) -> Lines {
        match self.offsets {
            None => Lines::From(self.first),
            Some(offsets) => Lines::Each(self.first, offsets),
        }
    }
}
