//! Finds the bytes that end a cell, 64 bytes at a time.
//!
//! Cells are a dozen bytes long, and a search for the end of each would cost more than the reading. So 64 bytes are
//! searched at once, in plain Rust that compilers turn into vector instructions, and what was found is kept as bits until
//! it is used up.

/// How many bytes are searched at once.
const BLOCK: usize = 64;
/// How many different bytes can be marked.
pub(super) const MARKED: usize = 5;

/// Where the marked bytes of a text stand. The text is read from its beginning to its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    marked: [u8; MARKED],
    /// Where the block begins that `bits` describes. Before the first block, so far away that no position is within it.
    base: usize,
    /// A bit for each byte of the block: whether it is marked.
    bits: u64,
}

impl Marks {
    pub(super) fn new(marked: [u8; MARKED]) -> Marks {
        Marks { marked, base: usize::MAX / 2, bits: 0 }
    }

    /// Forgets what was found, because the text has changed or moved.
    pub(super) fn forget(&mut self) {
        *self = Marks::new(self.marked);
    }

    /// Where the first marked byte at or behind `at` stands. The end of the text, if there is none.
    #[inline(always)]
    pub(super) fn next(&mut self, text: &[u8], at: usize) -> usize {
        match self.rest(at) {
            0 => self.search(text, at),
            rest => at + rest.trailing_zeros() as usize,
        }
    }

    /// The bits of the block from `at` on.
    #[inline(always)]
    fn rest(&self, at: usize) -> u64 {
        let within = at.wrapping_sub(self.base);
        if within < BLOCK { self.bits >> within } else { 0 }
    }

    /// Does the work of [`Marks::next`] where the block has no more marked bytes.
    #[inline(never)]
    fn search(&mut self, text: &[u8], mut at: usize) -> usize {
        if at.wrapping_sub(self.base) < BLOCK {
            at = self.base + BLOCK;
        }
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            self.base = at;
            self.bits = match rest.first_chunk() {
                Some(block) => bits(block, self.marked),
                None => {
                    let few = rest.iter().enumerate().filter(|(_, byte)| self.marked.contains(byte));
                    few.fold(0, |bits, (at, _)| bits | 1 << at)
                }
            };
            if self.bits != 0 {
                return at + self.bits.trailing_zeros() as usize;
            }
            at += BLOCK;
        }
        text.len()
    }
}

/// A bit for each byte of a block: whether it is one of the marked bytes.
#[inline]
fn bits(block: &[u8; BLOCK], [a, b, c, d, e]: [u8; MARKED]) -> u64 {
    // First a byte for each, so that the compiler compares many in one step.
    let mut found = [0; BLOCK];
    for (found, &byte) in found.iter_mut().zip(block) {
        *found = u8::from((byte == a) | (byte == b) | (byte == c) | (byte == d) | (byte == e));
    }
    // The multiplication moves the lowest bits of eight bytes next to each other, into the highest byte.
    let words = found.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080));
    words.rev().fold(0, |bits, word| bits << 8 | word >> 56)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const THESE: [u8; MARKED] = *b",\n\r\"\\";

    proptest! {
        #[test]
        fn the_marks_of_a_block_are_those_of_its_bytes(
            block in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&THESE[..])], BLOCK),
        ) {
            let block: [u8; BLOCK] = block.try_into().expect("of that length");
            let one_by_one = (0..BLOCK).fold(0, |bits, at| bits | u64::from(THESE.contains(&block[at])) << at);
            prop_assert_eq!(bits(&block, THESE), one_by_one);
        }

        #[test]
        fn the_next_mark_is_the_first_one_from_there_on(text in "[ab,\n]{0,200}|a{0,200}", at in 0..220usize) {
            let mut marks = Marks::new(THESE);
            let text = text.as_bytes();
            let mut from = at.min(text.len());
            while from < text.len() {
                let expected = text[from..].iter().position(|byte| THESE.contains(byte));
                prop_assert_eq!(marks.next(text, from), expected.map_or(text.len(), |rest| from + rest));
                from += 1;
            }
        }
    }
}
