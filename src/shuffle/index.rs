//! Finds the group of a key.
//!
//! Looking up eight million scenes among a million visits is waiting for memory and little else. So the table is as
//! small as can be, four bytes for the number of a group and a piece of the hash, and a batch is looked up in steps whose accesses do
//! not depend on each other: the processor then waits for many at once.

use arrow::array::{Array, StringArray};
use hashbrown::DefaultHashBuilder;
use std::hash::{BuildHasher, Hasher};
use std::hint::black_box;

/// No group.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// So many keys are looked up together: all that is read for them stays in the processor's nearest cache meanwhile.
const NEAR: usize = 256;

/// The hash of a key. Its bytes alone: a key is not followed by anything, so that its length need not be mixed in.
#[inline]
pub(super) fn hash(hasher: &DefaultHashBuilder, key: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(key);
    state.finish()
}

/// A place of the table. Its lower bits, as many as number all places, are a group; the others are the same bits of the
/// upper half of the key's hash, whose lower half says where to look for the place.
type Slot = u32;

/// All bits set: there are never as many groups as places.
const FREE: Slot = u32::MAX;

/// The groups by key; groups are numbered in the order in which they are added.
#[derive(Debug, Default)]
pub(super) struct Index {
    hasher: DefaultHashBuilder,
    /// A power of two of them, at most half in use. Who finds a slot taken goes on to the next one.
    slots: Vec<Slot>,
    keys: Keys,
}

/// The keys of all groups, one behind the other.
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
    fn first_byte(&self, group: u32) -> u8 {
        let at = group as usize;
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

impl Index {
    pub(super) fn new(hasher: DefaultHashBuilder) -> Index {
        Index { hasher, ..Index::default() }
    }

    pub(super) fn hasher(&self) -> DefaultHashBuilder {
        self.hasher.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.count
    }

    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        hash(&self.hasher, key)
    }

    #[inline]
    pub(super) fn key(&self, group: u32) -> &[u8] {
        self.keys.get(group as usize)
    }

    /// The group of a key.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.candidates(hash).find(|&group| is_same(self.key(group), key))
    }

    /// The groups whose keys may have this hash.
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

    /// The bits of a slot that are a group, and those of a hash that say where to look.
    #[inline]
    fn mask(&self) -> u32 {
        (self.slots.len() as u32).wrapping_sub(1)
    }

    /// Adds a key that is not there yet, and returns its group.
    pub(super) fn add(&mut self, hash: u64, key: &[u8]) -> u32 {
        let group = self.keys.count as u32;
        self.keys.push(key);
        if self.keys.count * 2 > self.slots.len() {
            self.grow();
        } else {
            put(&mut self.slots, hash, group);
        }
        group
    }

    fn grow(&mut self) {
        let mut slots = vec![FREE; (self.keys.count * 2).next_power_of_two().max(64)];
        for group in 0..self.keys.count as u32 {
            put(&mut slots, self.hash(self.key(group)), group);
        }
        self.slots = slots;
    }

    /// Gets the slots of many keys nearer, for whoever looks them up one by one next.
    pub(super) fn bring_near(&self, keys: &StringArray) {
        let mask = self.mask();
        let slots = cells(keys).filter_map(|key| self.slots.get((self.hash(key) as u32 & mask) as usize));
        black_box(slots.fold(0, |near, slot| near ^ slot));
    }

    /// The groups of many keys, `NO_GROUP` where there is none.
    pub(super) fn find_all(&self, keys: &StringArray) -> Vec<u32> {
        let mut groups = vec![NO_GROUP; keys.len()];
        let text = keys.value_data();
        let mut hashes = [0; NEAR];
        for (at, groups) in groups.chunks_mut(NEAR).enumerate() {
            let ends = &keys.value_offsets()[at * NEAR..];
            let keys = ends.windows(2).take(groups.len()).map(|cell| &text[cell[0] as usize..cell[1] as usize]);
            self.find_some(keys, groups, &mut hashes);
        }
        groups
    }

    /// The groups of as many keys as there are places for them, in steps in each of which nothing is decided by what is
    /// still under way.
    #[inline]
    fn find_some<'k>(
        &self,
        keys: impl Iterator<Item = &'k [u8]> + Clone,
        groups: &mut [u32],
        hashes: &mut [u64; NEAR],
    ) {
        let mask = self.mask();
        for (hash, key) in hashes.iter_mut().zip(keys.clone()) {
            *hash = self.hash(key);
        }
        let mut slots = [FREE; NEAR];
        for ((slot, &hash), _) in slots.iter_mut().zip(hashes.iter()).zip(groups.iter()) {
            *slot = self.slots.get((hash as u32 & mask) as usize).copied().unwrap_or(FREE);
        }
        for ((group, &hash), slot) in groups.iter_mut().zip(hashes.iter()).zip(slots) {
            *group = match slot & mask {
                free if free == mask => NO_GROUP,
                group if is_of(slot, hash, mask) => group,
                _ => self.candidates(hash).next().unwrap_or(NO_GROUP),
            };
        }
        black_box(groups.iter().fold(0, |near, &group| near ^ self.keys.first_byte(group)));
        for ((group, key), &hash) in groups.iter_mut().zip(keys).zip(hashes.iter()) {
            if *group != NO_GROUP && !is_same(self.key(*group), key) {
                *group = self.find(hash, key).unwrap_or(NO_GROUP);
            }
        }
    }
}

/// The text of each cell.
#[inline]
fn cells(column: &StringArray) -> impl Iterator<Item = &[u8]> + Clone {
    let text = column.value_data();
    column.value_offsets().windows(2).map(|cell| &text[cell[0] as usize..cell[1] as usize])
}

/// Whether a slot that is taken may be that of a key with this hash.
#[inline]
fn is_of(slot: Slot, hash: u64, mask: u32) -> bool {
    (slot ^ (hash >> 32) as u32) & !mask == 0
}

fn put(slots: &mut [Slot], hash: u64, group: u32) {
    let mask = (slots.len() as u32).wrapping_sub(1);
    let mut at = hash as u32 & mask;
    while slots[at as usize] & mask != mask {
        at = at.wrapping_add(1) & mask;
    }
    slots[at as usize] = (hash >> 32) as u32 & !mask | group;
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
        fn keys_are_found_one_by_one_and_all_at_once(known in proptest::collection::hash_set("[a-c]{0,3}|[ab]{6,40}", 0..100), asked in proptest::collection::vec("[a-d]{0,3}|[ab]{6,40}", 0..40)) {
            let mut index = Index::default();
            let known: Vec<String> = known.into_iter().collect();
            for key in &known {
                index.add(index.hash(key.as_bytes()), key.as_bytes());
            }
            let expected: Vec<u32> = asked.iter().map(|key| known.iter().position(|k| k == key).map_or(NO_GROUP, |at| at as u32)).collect();
            prop_assert_eq!(index.find_all(&StringArray::from(asked.clone())), expected.clone());
            let one_by_one: Vec<u32> = asked.iter().map(|key| index.find(index.hash(key.as_bytes()), key.as_bytes()).unwrap_or(NO_GROUP)).collect();
            prop_assert_eq!(one_by_one, expected);
        }
    }
}
