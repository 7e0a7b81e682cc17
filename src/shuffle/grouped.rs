//! Visits with their scenes, as views over the columns.

use super::groups::{Entry, NO_GROUP};
use super::scenes::{Packed, Scenes};
use super::{KEY, Tally};
use crate::scan::{Location, Rows};
use hashbrown::HashMap;

/// All visits of an export in its order, each with its scenes. One element for each result row.
#[derive(Debug)]
pub struct Grouped {
    /// The first entry of each group.
    pub(super) groups: Vec<u32>,
    pub(super) visits: Vec<Rows>,
    pub(super) entries: Vec<Entry>,
    pub(super) conflicts: HashMap<u32, Vec<u32>>,
    pub(super) scenes: Option<Packed>,
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

    /// What was counted while grouping.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The batches that [`Visit::batch`] counts.
    pub fn visits(&self) -> &[Rows] {
        &self.visits
    }

    /// So many visits that follow each other had best be built by one thread: the scenes of each other are then near.
    pub fn stretch(&self) -> usize {
        self.scenes.as_ref().map_or(usize::MAX, Packed::reach)
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
    /// Where the first of them are.
    pub others: Vec<Location>,
    /// Whether there are more.
    pub more: bool,
    /// How many rows have the key, the visit's own among them.
    pub rows: usize,
}

/// So many of the rows that a visit conflicts with are named.
const NAMED: usize = 3;

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
    pub fn place(&self) -> Location {
        self.grouped.visits[self.batch()].place(self.row())
    }

    /// Its key; empty where the row has none.
    pub fn key(&self) -> &'a str {
        self.grouped.visits[self.batch()].text(KEY, self.row())
    }

    /// The first row with its key; of those without a key, each is one.
    pub fn first(&self) -> Visit<'a> {
        match self.entry().group {
            NO_GROUP => *self,
            group => Visit { grouped: self.grouped, entry: self.grouped.groups[group as usize] },
        }
    }

    /// Whether it is that row.
    pub fn is_first(&self) -> bool {
        self.first().entry == self.entry
    }

    /// Set when other rows have the same key and other values.
    pub fn conflict(&self) -> Option<Conflict> {
        if self.grouped.conflicts.is_empty() {
            return None;
        }
        let entries = self.grouped.conflicts.get(&self.entry().group)?;
        let others = entries.iter().filter(|&&other| other != self.entry);
        let others = others.take(NAMED).map(|&entry| Visit { grouped: self.grouped, entry }.place()).collect();
        Some(Conflict { others, more: entries.len() - 1 > NAMED, rows: entries.len() })
    }

    /// Its scenes.
    pub fn scenes(&self) -> Scenes<'a> {
        match (&self.grouped.scenes, self.entry().group) {
            (None, _) | (_, NO_GROUP) => Scenes::default(),
            (Some(scenes), group) => scenes.of(group),
        }
    }
}
