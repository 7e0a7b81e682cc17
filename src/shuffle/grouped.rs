//! Visits with their scenes, as views over the columns.

use super::buckets::{Buckets, NO_GROUP};
use super::key_column::KEY;
use super::near::NearKeys;
use super::orphans::{Orphan, Orphans};
use super::scenes::Scenes;
use super::tally::Tally;
use super::visits::{RowRef, VisitTable};
use crate::near_key::Folding;
use crate::scan::{Location, Rows};
use hashbrown::HashMap;

/// How many of the rows that a visit conflicts with are named.
const MAX_NAMED: usize = 3;

/// Visits in the order of the export, each with its scenes: one visit for each result row.
#[derive(Debug)]
pub(crate) struct Grouped {
    pub(super) visits: VisitTable,
    /// `None` if there were no scenes at all.
    pub(super) scenes: Option<Buckets>,
    /// The keys of orphans that are nearly those of a group.
    pub(super) near: HashMap<u32, NearKeys>,
    pub(super) folding: Folding,
    /// `None` unless the caller wants to see them.
    pub(super) orphans: Option<Orphans>,
    pub(super) tally: Tally,
}

impl Grouped {
    /// How many visits there are. Rows with one key and other values count each.
    pub(crate) fn len(&self) -> usize {
        self.visits.rows.len()
    }

    /// What was counted while grouping.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The scenes of no visit, if they were asked for.
    pub(crate) fn orphans(&self) -> impl Iterator<Item = Orphan<'_>> {
        self.orphans.iter().flat_map(Orphans::views)
    }

    /// The batches of visits, by [`Visit::batch`].
    pub(crate) fn visits(&self) -> &[Rows] {
        &self.visits.batches
    }

    /// How many visits that follow each other had best be built by one thread, at most: the scenes of so many lie together
    /// in memory. `usize::MAX` where it does not matter.
    pub(crate) fn groups_per_bucket(&self) -> usize {
        self.scenes.as_ref().map_or(usize::MAX, Buckets::groups_per_bucket)
    }

    /// The visit at this place in the order of the export, from 0.
    ///
    /// # Panics
    /// Its methods do, if there are not that many visits.
    pub(crate) fn visit(&self, at: usize) -> Visit<'_> {
        Visit { grouped: self, number: at as u32 }
    }
}

/// One visit: a view of its row, and of its scenes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    grouped: &'a Grouped,
    number: u32,
}

/// The rows that share a visit's key and differ from it.
#[derive(Clone, Debug)]
pub(crate) struct Conflict {
    /// Where the first of the other rows are.
    pub(crate) others: Vec<Location>,
    /// Whether there are more others.
    pub(crate) more: bool,
    /// Whether another one was left out, and so is none of the others.
    pub(crate) left_out: bool,
}

impl<'a> Visit<'a> {
    fn row_ref(&self) -> RowRef {
        self.grouped.visits.rows[self.number as usize]
    }

    /// The batch of its row, among [`Grouped::visits`].
    pub(crate) fn batch(&self) -> usize {
        self.row_ref().batch as usize
    }

    /// Its row in that batch.
    pub(crate) fn row(&self) -> usize {
        self.row_ref().row as usize
    }

    /// Where its row stands in the export.
    pub(crate) fn location(&self) -> Location {
        self.grouped.visits.batches[self.batch()].location(self.row())
    }

    /// Its key; empty if the row has none.
    pub(crate) fn key(&self) -> &'a str {
        self.grouped.visits.batches[self.batch()].text(KEY, self.row())
    }

    /// The first row with its key. A row without a key is its own first.
    pub(crate) fn first(&self) -> Visit<'a> {
        match self.row_ref().group {
            NO_GROUP => *self,
            group => Visit { grouped: self.grouped, number: self.grouped.visits.first_rows[group as usize] },
        }
    }

    /// Whether it is the first row with its key.
    pub(crate) fn is_first(&self) -> bool {
        self.first().number == self.number
    }

    /// The other rows with its key, if there are any that are not identical to it.
    pub(crate) fn conflict(&self) -> Option<Conflict> {
        let VisitTable { conflicts, contradicted, .. } = &self.grouped.visits;
        if conflicts.is_empty() && contradicted.is_empty() {
            return None;
        }
        let group = self.row_ref().group;
        let left_out = contradicted.contains(&group);
        let rows = conflicts.get(&group).map(Vec::as_slice).unwrap_or_default();
        if rows.is_empty() && !left_out {
            return None;
        }
        let others = rows.iter().filter(|&&other| other != self.number).take(MAX_NAMED);
        let others = others.map(|&number| Visit { grouped: self.grouped, number }.location()).collect();
        Some(Conflict { others, more: rows.len().saturating_sub(1) > MAX_NAMED, left_out })
    }

    /// The keys of orphans that are nearly its own, if there are any.
    #[inline]
    pub(crate) fn near(&self) -> Option<&'a NearKeys> {
        let near = &self.grouped.near;
        if near.is_empty() { None } else { near.get(&self.row_ref().group) }
    }

    /// What its key and one that is near it differ in, for people.
    pub(crate) fn differences(&self, near: &str) -> String {
        self.grouped.folding.differences(self.key(), near)
    }

    /// Its scenes. The rows of one key share them.
    pub(crate) fn scenes(&self) -> Scenes<'a> {
        let scenes = self.grouped.scenes.as_ref();
        scenes.map_or_else(Scenes::default, |scenes| scenes.scenes(self.row_ref().group))
    }
}
