//! The records of one bucket in memory: pieces of text of about the same size, so that nothing is moved as they grow.

use super::record::{SceneRecord, records};

/// The bytes of a slab, unless a single record needs more.
const SLAB: usize = 1 << OFFSET_BITS;
/// A place is the number of a slab and, in so many bits, the offset there.
const OFFSET_BITS: u32 = 15;
const MAX_SLABS: usize = 1 << (u32::BITS - OFFSET_BITS);

/// Records, each at a place of 32 bits.
#[derive(Clone, Debug, Default)]
pub(super) struct RecordArena {
    slabs: Vec<String>,
}

impl RecordArena {
    /// Whether records of so many bytes in all can be held as well.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        // A slab is at least half full, if the record counts that did not fit.
        self.slabs.len() + 2 * (bytes / SLAB) + 2 < MAX_SLABS
    }

    /// The text to which a whole record of at most so many bytes is to be appended.
    #[inline]
    pub(super) fn text_for(&mut self, bytes: usize) -> &mut String {
        match self.slabs.last() {
            Some(slab) if slab.len() + bytes <= SLAB => {}
            _ => self.slabs.push(String::with_capacity(bytes.max(SLAB))),
        }
        let last = self.slabs.len() - 1;
        &mut self.slabs[last]
    }

    /// The record at a place that [`records`](Self::records) has given.
    #[inline]
    pub(super) fn at(&self, place: u32) -> SceneRecord<'_> {
        SceneRecord::at(&self.slabs[(place >> OFFSET_BITS) as usize], place as usize % SLAB)
    }

    /// All records with their places, in the order in which they were appended. Each has `width` cells.
    #[inline]
    pub(super) fn records(&self, width: usize) -> impl Iterator<Item = (u32, SceneRecord<'_>)> {
        (0u32..).zip(&self.slabs).flat_map(move |(number, slab)| {
            let place = move |offset: usize| number << OFFSET_BITS | offset as u32;
            records(slab, width).flatten().map(move |(offset, record)| (place(offset), record))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shuffle::record::{push_cell, push_head};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn records_are_found_at_their_places(
            cells in proptest::collection::vec(prop_oneof![0..40usize, Just(5_000), Just(40_000)], 0..60),
        ) {
            let mut arena = RecordArena::default();
            for (number, &length) in (0..).zip(&cells) {
                let text = arena.text_for(length + 20);
                push_head(text, 7, number);
                push_cell(text, &"x".repeat(length));
            }
            let all: Vec<_> = arena.records(1).collect();
            prop_assert_eq!(all.len(), cells.len());
            for ((number, (place, record)), length) in (0..).zip(all).zip(cells) {
                for record in [record, arena.at(place)] {
                    prop_assert_eq!((record.group(), record.number()), (7, number));
                    prop_assert_eq!(record.pick(1, [0])[0].len(), length);
                }
            }
        }
    }
}
