//! Finds the number of a key: of a visit's group, of a row of earlier results.
//!
//! To look up eight million scenes among a million visits is to wait for memory and little else. So the table is small, four
//! bytes for a number and a piece of the hash together, and the slots of many keys are read before the first of these keys
//! is looked up: the processor then waits for many of them at once.
//!
//! It knows keys and numbers, and not what they belong to.

use hashbrown::DefaultHashBuilder;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;

/// In place of the number of a key that is not there.
pub(crate) const NOT_FOUND: u32 = u32::MAX;

/// How many keys are looked up together: all that is read for them stays in the processor's nearest cache meanwhile.
const KEYS_AT_ONCE: usize = 256;

/// The hash of a key: of its bytes alone, without its length, since nothing is hashed behind it.
#[inline]
pub(crate) fn hash(hasher: &DefaultHashBuilder, key: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(key);
    state.finish()
}

/// An entry of the table. Its lower bits, as many as it takes to count all slots, are the number of a key. Its other bits are
/// those of the upper half of the key's hash, whose lower half says in which slot to look first.
type Slot = u32;

/// The most slots: as many as a number of 32 bits can count.
const MAX_SLOTS: usize = 1 << if usize::BITS > 32 { 32 } else { 31 };

/// A slot without a key has all bits set. No key has that number, since there are fewer keys than slots.
const FREE: Slot = u32::MAX;

/// Keys, numbered from 0 in the order in which they are added.
#[derive(Debug, Default)]
pub(crate) struct KeyIndex {
    hasher: DefaultHashBuilder,
    /// Their number is a power of two, and at most half of them are in use. If a key's slot is taken, the next one is tried.
    slots: Vec<Slot>,
    keys: Keys,
}

/// The text of all keys, one behind the other.
#[derive(Debug, Default)]
struct Keys {
    text: Vec<u8>,
    /// Where each ends in the text.
    ends: Vec<usize>,
}

impl Keys {
    #[inline]
    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.text[start..self.ends[at]]
    }

    fn push(&mut self, key: &[u8]) {
        self.text.extend_from_slice(key);
        self.ends.push(self.text.len());
    }
}

impl KeyIndex {
    /// An index in which keys are hashed as they are elsewhere.
    pub(crate) fn new(hasher: DefaultHashBuilder) -> KeyIndex {
        KeyIndex { hasher, ..KeyIndex::default() }
    }

    pub(crate) fn hasher(&self) -> DefaultHashBuilder {
        self.hasher.clone()
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.keys.ends.len()
    }

    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.hasher, key)
    }

    /// The key with a number.
    ///
    /// # Panics
    /// If there are not that many keys.
    #[inline]
    pub(crate) fn key(&self, number: u32) -> &[u8] {
        self.keys.get(number as usize)
    }

    /// The number of a key, whose hash is given.
    pub(crate) fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        let mask = self.mask();
        let mut at = hash as u32 & mask;
        loop {
            let slot = *self.slots.get(at as usize)?;
            let number = slot & mask;
            if number == FREE & mask {
                return None;
            }
            if is_of(slot, hash, mask) && self.key(number) == key {
                return Some(number);
            }
            at = at.wrapping_add(1) & mask;
        }
    }

    /// The bits of a slot that are a number, which are also those of a hash that say where to look.
    #[inline]
    fn mask(&self) -> u32 {
        (self.slots.len() as u32).wrapping_sub(1)
    }

    /// Adds a key that is not there yet, and returns its number. At most [`NOT_FOUND`] keys can be added.
    pub(crate) fn add(&mut self, hash: u64, key: &[u8]) -> u32 {
        let number = self.len() as u32;
        self.keys.push(key);
        if self.len() * 2 > self.slots.len() && self.slots.len() < MAX_SLOTS {
            self.grow();
        } else {
            put(&mut self.slots, hash, number);
        }
        number
    }

    fn grow(&mut self) {
        let mut slots = vec![FREE; (self.len() * 2).next_power_of_two().clamp(64, MAX_SLOTS)];
        for number in 0..self.len() as u32 {
            put(&mut slots, self.hash(self.key(number)), number);
        }
        self.slots = slots;
    }

    /// Reads the slots of many keys, so that they are in the processor's cache when they are looked up one by one next.
    pub(crate) fn prefetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        self.prefetch_hashes(keys.map(|key| self.hash(key)));
    }

    #[inline]
    fn prefetch_hashes(&self, hashes: impl Iterator<Item = u64>) {
        let mask = self.mask();
        let slots = hashes.filter_map(|hash| self.slots.get((hash as u32 & mask) as usize));
        black_box(slots.fold(0, |all, slot| all ^ slot));
    }

    /// The number of each of many keys, [`NOT_FOUND`] for a key that is not there.
    pub(crate) fn find_all<'k>(&self, mut keys: impl Iterator<Item = &'k [u8]>) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(keys.size_hint().0);
        let mut some: Vec<(u64, &[u8])> = Vec::with_capacity(KEYS_AT_ONCE);
        loop {
            some.clear();
            some.extend(keys.by_ref().take(KEYS_AT_ONCE).map(|key| (self.hash(key), key)));
            if some.is_empty() {
                return numbers;
            }
            self.prefetch_hashes(some.iter().map(|(hash, _)| *hash));
            numbers.extend(some.iter().map(|&(hash, key)| self.find(hash, key).unwrap_or(NOT_FOUND)));
        }
    }
}

/// Whether a slot that is not free may be that of a key with this hash.
#[inline]
fn is_of(slot: Slot, hash: u64, mask: u32) -> bool {
    (slot ^ (hash >> 32) as u32) & !mask == 0
}

fn put(slots: &mut [Slot], hash: u64, number: u32) {
    let mask = (slots.len() as u32).wrapping_sub(1);
    let mut at = hash as u32 & mask;
    while slots[at as usize] & mask != mask {
        at = at.wrapping_add(1) & mask;
    }
    slots[at as usize] = (hash >> 32) as u32 & !mask | number;
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_found_one_by_one_and_all_at_once(
            known in proptest::collection::hash_set("[a-c]{0,3}|[ab]{6,40}", 0..100),
            asked in proptest::collection::vec("[a-d]{0,3}|[ab]{6,40}", 0..600),
        ) {
            let mut index = KeyIndex::default();
            let known: Vec<String> = known.into_iter().collect();
            for key in &known {
                index.add(index.hash(key.as_bytes()), key.as_bytes());
            }
            let number = |key: &String| known.iter().position(|k| k == key).map_or(NOT_FOUND, |at| at as u32);
            let expected: Vec<u32> = asked.iter().map(number).collect();
            prop_assert_eq!(index.find_all(asked.iter().map(String::as_bytes)), expected.clone());
            let found = |key: &String| index.find(index.hash(key.as_bytes()), key.as_bytes()).unwrap_or(NOT_FOUND);
            prop_assert_eq!(asked.iter().map(found).collect::<Vec<u32>>(), expected);
        }
    }
}
