//! Visits with their scenes, as views over the columns.

use super::{Entry, Group, NO_GROUP, Tally};
use crate::scan::{Place, Rows};
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};
use std::hash::BuildHasher;

/// All visits of an export in its order, each with its scenes. One element for each result row.
#[derive(Debug)]
pub struct Grouped {
    pub(super) hasher: DefaultHashBuilder,
    pub(super) groups: Vec<Group>,
    pub(super) index: HashTable<u32>,
    pub(super) visits: Vec<Rows>,
    pub(super) entries: Vec<Entry>,
    pub(super) conflicts: HashMap<u32, Vec<u32>>,
    pub(super) scenes: Vec<Rows>,
    /// For each batch of scenes the number of its first scene.
    pub(super) starts: Vec<u32>,
    /// For each group where its scenes end in `order`, behind a 0.
    pub(super) ends: Vec<u32>,
    pub(super) order: Vec<u32>,
    pub(super) tally: Tally,
}

impl Grouped {
    /// How many visits there are, differing rows of one key counted each.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no visit at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a visit has this key.
    pub fn contains(&self, key: &str) -> bool {
        let hash = self.hasher.hash_one(key);
        super::find(&self.index, &self.groups, &self.entries, &self.visits, hash, key).is_some()
    }

    /// What was counted while grouping.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The batches that [`Visit::batch`] counts.
    pub fn visits(&self) -> &[Rows] {
        &self.visits
    }

    /// The batches that [`Visit::scenes`] names.
    pub fn scenes(&self) -> &[Rows] {
        &self.scenes
    }

    /// The visit at this place of the export's order, from 0.
    pub fn visit(&self, at: usize) -> Visit<'_> {
        Visit { grouped: self, entry: at as u32 }
    }
}

/// One visit: where its row and those of its scenes are.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    grouped: &'a Grouped,
    entry: u32,
}

/// The rows that share a visit's key and differ from it.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Where they are.
    pub others: Vec<Place>,
}

impl<'a> Visit<'a> {
    fn entry(&self) -> Entry {
        self.grouped.entries[self.entry as usize]
    }

    /// The batch of its row.
    pub fn batch(&self) -> usize {
        self.entry().batch as usize
    }

    /// Its row in that batch.
    pub fn row(&self) -> usize {
        self.entry().row as usize
    }

    /// Where its row stands.
    pub fn place(&self) -> Place {
        self.grouped.visits[self.batch()].place(self.row())
    }

    /// Its key; empty where the row has none.
    pub fn key(&self) -> &'a str {
        self.grouped.visits[self.batch()].text(super::KEY, self.row())
    }

    /// Whether it is the first row with its key; rows without a key always are.
    pub fn is_first(&self) -> bool {
        match self.entry().group {
            NO_GROUP => true,
            group => self.grouped.groups[group as usize].first == self.entry,
        }
    }

    /// Set when other rows have the same key and other values.
    pub fn conflict(&self) -> Option<Conflict> {
        if self.grouped.conflicts.is_empty() {
            return None;
        }
        let entries = self.grouped.conflicts.get(&self.entry().group)?;
        let others = entries.iter().filter(|&&other| other != self.entry);
        let others = others.map(|&entry| Visit { grouped: self.grouped, entry }.place()).collect();
        Some(Conflict { others })
    }

    /// Its scenes as batch and row, in the order of the export.
    pub fn scenes(&self) -> impl ExactSizeIterator<Item = (usize, usize)> + use<'a> {
        let grouped = self.grouped;
        let group = self.entry().group;
        let range = match group {
            NO_GROUP => 0..0,
            group => grouped.ends[group as usize] as usize..grouped.ends[group as usize + 1] as usize,
        };
        grouped.order[range].iter().map(|&scene| {
            let batch = grouped.starts.partition_point(|&start| start <= scene) - 1;
            (batch, (scene - grouped.starts[batch]) as usize)
        })
    }
}
