//! Finds the group of a key.
//!
//! Looking up eight million scenes among a million visits is waiting for memory and little else. So the table holds
//! whole hashes, the keys lie in one piece, and a batch is looked up in steps whose accesses do not depend on each
//! other: the processor then waits for many at once.

use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;

/// No group.
pub(super) const NO_GROUP: u32 = u32::MAX;

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u64,
    group: u32,
    /// Where its key lies.
    length: u32,
    start: u64,
}

/// The groups by key; groups are numbered in the order in which they are added.
#[derive(Debug, Default)]
pub(super) struct Index {
    hasher: DefaultHashBuilder,
    table: HashTable<Slot>,
    /// All keys, one behind the other, and where each ends.
    keys: Vec<u8>,
    ends: Vec<usize>,
}

impl Index {
    pub(super) fn new(hasher: DefaultHashBuilder) -> Index {
        Index { hasher, ..Index::default() }
    }

    pub(super) fn hasher(&self) -> DefaultHashBuilder {
        self.hasher.clone()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    #[inline]
    pub(super) fn hash(&self, key: &[u8]) -> u64 {
        self.hasher.hash_one(key)
    }

    #[inline]
    pub(super) fn key(&self, group: u32) -> &[u8] {
        let group = group as usize;
        let start = if group == 0 { 0 } else { self.ends[group - 1] };
        &self.keys[start..self.ends[group]]
    }

    #[inline]
    fn key_of(&self, slot: &Slot) -> &[u8] {
        let start = slot.start as usize;
        &self.keys[start..start + slot.length as usize]
    }

    /// The group of a key.
    pub(super) fn find(&self, hash: u64, key: &[u8]) -> Option<u32> {
        self.table.find(hash, |slot| slot.hash == hash && self.key_of(slot) == key).map(|slot| slot.group)
    }

    /// Adds a key that is not there yet, and returns its group.
    pub(super) fn add(&mut self, hash: u64, key: &[u8]) -> u32 {
        let group = self.ends.len() as u32;
        let slot = Slot { hash, group, length: key.len() as u32, start: self.keys.len() as u64 };
        self.keys.extend_from_slice(key);
        self.ends.push(self.keys.len());
        self.table.insert_unique(hash, slot, |slot| slot.hash);
        group
    }

    /// The groups of many keys, `NO_GROUP` where there is none.
    pub(super) fn find_all<'k>(&self, keys: impl Iterator<Item = &'k [u8]> + Clone) -> Vec<u32> {
        let hashes: Vec<u64> = keys.clone().map(|key| self.hash(key)).collect();
        let by_hash = |hash: &u64| self.table.find(*hash, |slot| slot.hash == *hash);
        let slots: Vec<Option<&Slot>> = hashes.iter().map(by_hash).collect();
        let mut groups = Vec::with_capacity(slots.len());
        for ((slot, hash), key) in slots.into_iter().zip(hashes).zip(keys) {
            groups.push(match slot {
                None => NO_GROUP,
                Some(slot) if self.key_of(slot) == key => slot.group,
                // Two keys of one hash: rare enough to look again.
                Some(_) => self.find(hash, key).unwrap_or(NO_GROUP),
            });
        }
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_found_one_by_one_and_all_at_once(known in proptest::collection::hash_set("[a-c]{0,3}", 0..20), asked in proptest::collection::vec("[a-d]{0,3}", 0..40)) {
            let mut index = Index::default();
            let known: Vec<String> = known.into_iter().collect();
            for key in &known {
                index.add(index.hash(key.as_bytes()), key.as_bytes());
            }
            let expected: Vec<u32> = asked.iter().map(|key| known.iter().position(|k| k == key).map_or(NO_GROUP, |at| at as u32)).collect();
            prop_assert_eq!(index.find_all(asked.iter().map(String::as_bytes)), expected.clone());
            let one_by_one: Vec<u32> = asked.iter().map(|key| index.find(index.hash(key.as_bytes()), key.as_bytes()).unwrap_or(NO_GROUP)).collect();
            prop_assert_eq!(one_by_one, expected);
        }
    }
}
