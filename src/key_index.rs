//! Finds the number of a key: of a visit's group, of a row of earlier results.
//!
//! To look up eight million scenes among a million visits is to wait for memory and little else. So the table is small, four
//! bytes for a number and a piece of the hash together, and many keys are looked up in steps whose accesses do not depend
//! on each other: the processor then waits for many of them at once.
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
    count: usize,
    length: Length,
}

/// How long keys are. Those of one system are mostly alike, and then nothing must be looked up to find one.
#[derive(Debug)]
enum Length {
    Alike(usize),
    /// Where each ends.
    Different(Vec<usize>),
}

impl Default for Length {
    fn default() -> Self {
        Length::Alike(0)
    }
}

impl Keys {
    #[inline]
    fn get(&self, at: usize) -> &[u8] {
        match &self.length {
            Length::Alike(length) => &self.text[at * length..(at + 1) * length],
            Length::Different(ends) => &self.text[if at == 0 { 0 } else { ends[at - 1] }..ends[at]],
        }
    }

    /// To be read ahead of the key itself, so that the memory of many keys is waited for together.
    #[inline]
    fn first_byte(&self, number: u32) -> u8 {
        let at = number as usize;
        let start = match &self.length {
            Length::Alike(length) => Some(at.wrapping_mul(*length)),
            Length::Different(ends) => ends.get(at.wrapping_sub(1)).copied(),
        };
        start.and_then(|start| self.text.get(start)).copied().unwrap_or_default()
    }

    fn push(&mut self, key: &[u8]) {
        match &mut self.length {
            Length::Alike(length) if self.count == 0 => *length = key.len(),
            Length::Alike(length) if *length == key.len() => {}
            Length::Alike(length) => {
                let mut ends: Vec<usize> = (1..=self.count).map(|at| at * *length).collect();
                ends.push(self.text.len() + key.len());
                self.length = Length::Different(ends);
            }
            Length::Different(ends) => ends.push(self.text.len() + key.len()),
        }
        self.text.extend_from_slice(key);
        self.count += 1;
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
        self.keys.count
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
        self.candidates(hash).find(|&number| is_same(self.key(number), key))
    }

    /// The numbers of the keys that may have this hash.
    #[inline]
    fn candidates(&self, hash: u64) -> impl Iterator<Item = u32> {
        let mask = self.mask();
        let mut at = hash as u32 & mask;
        std::iter::from_fn(move || {
            loop {
                let slot = self.slots.get(at as usize).copied().filter(|slot| slot & mask != mask)?;
                at = at.wrapping_add(1) & mask;
                if is_of(slot, hash, mask) {
                    return Some(slot & mask);
                }
            }
        })
    }

    /// The bits of a slot that are a number, which are also those of a hash that say where to look.
    #[inline]
    fn mask(&self) -> u32 {
        (self.slots.len() as u32).wrapping_sub(1)
    }

    /// Adds a key that is not there yet, and returns its number. At most [`NOT_FOUND`] keys can be added.
    pub(crate) fn add(&mut self, hash: u64, key: &[u8]) -> u32 {
        let number = self.keys.count as u32;
        self.keys.push(key);
        if self.keys.count * 2 > self.slots.len() && self.slots.len() < MAX_SLOTS {
            self.grow();
        } else {
            put(&mut self.slots, hash, number);
        }
        number
    }

    fn grow(&mut self) {
        let mut slots = vec![FREE; (self.keys.count * 2).next_power_of_two().clamp(64, MAX_SLOTS)];
        for number in 0..self.keys.count as u32 {
            put(&mut slots, self.hash(self.key(number)), number);
        }
        self.slots = slots;
    }

    /// Reads the slots of many keys, so that they are in the processor's cache when they are looked up one by one next.
    pub(crate) fn prefetch<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) {
        let mask = self.mask();
        let slots = keys.filter_map(|key| self.slots.get((self.hash(key) as u32 & mask) as usize));
        black_box(slots.fold(0, |all, slot| all ^ slot));
    }

    /// The number of each of many keys, [`NOT_FOUND`] for a key that is not there.
    pub(crate) fn find_all<'k>(&self, mut keys: impl Iterator<Item = &'k [u8]>) -> Vec<u32> {
        let mut numbers = Vec::with_capacity(keys.size_hint().0);
        let mut some: [&[u8]; KEYS_AT_ONCE] = [&[]; KEYS_AT_ONCE];
        loop {
            let count = some.iter_mut().zip(&mut keys).map(|(into, key)| *into = key).count();
            if count == 0 {
                return numbers;
            }
            self.find_some(&some[..count], &mut numbers);
        }
    }

    /// The numbers of a few keys, in steps that each do one thing for all of them: no access waits for another one.
    #[inline]
    fn find_some(&self, keys: &[&[u8]], numbers: &mut Vec<u32>) {
        let mask = self.mask();
        let (mut hashes, mut slots) = ([0; KEYS_AT_ONCE], [FREE; KEYS_AT_ONCE]);
        for (hash, key) in hashes.iter_mut().zip(keys) {
            *hash = self.hash(key);
        }
        let hashes = &hashes[..keys.len()];
        for (slot, &hash) in slots.iter_mut().zip(hashes) {
            *slot = self.slots.get((hash as u32 & mask) as usize).copied().unwrap_or(FREE);
        }
        let first = numbers.len();
        numbers.extend(hashes.iter().zip(slots).map(|(&hash, slot)| match slot & mask {
            free if free == mask => NOT_FOUND,
            number if is_of(slot, hash, mask) => number,
            _ => self.candidates(hash).next().unwrap_or(NOT_FOUND),
        }));
        let numbers = &mut numbers[first..];
        black_box(numbers.iter().fold(0, |all, &number| all ^ self.keys.first_byte(number)));
        for ((number, key), &hash) in numbers.iter_mut().zip(keys).zip(hashes) {
            if *number != NOT_FOUND && !is_same(self.key(*number), key) {
                *number = self.find(hash, key).unwrap_or(NOT_FOUND);
            }
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

/// Whether two keys are the same: for the usual lengths without a call.
#[inline]
fn is_same(a: &[u8], b: &[u8]) -> bool {
    fn ends<const N: usize>(key: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
        Some((key.first_chunk()?, key.last_chunk()?))
    }
    a.len() == b.len()
        && match a.len() {
            8..=16 => ends::<8>(a) == ends::<8>(b),
            17..=32 => ends::<16>(a) == ends::<16>(b),
            _ => a == b,
        }
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
