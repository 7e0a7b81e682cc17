//! The visits of earlier result files by key, and where their rows are. There may be ten millions of them, so nothing
//! of a row is kept but what has to be asked of every visit of the exports.

use crate::upload::Status;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::BuildHasher;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a row is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which of the files, counted from 0.
    pub(super) file: usize,
    /// Its bytes in the file, its line break and what stands before it included.
    pub(super) bytes: Range<u64>,
}

/// A visit that has a row.
#[derive(Debug)]
pub(super) struct Visit {
    /// Where its key ends among the keys; it begins where the one before it ends.
    key_end: usize,
    /// How it ended.
    pub(super) status: Status,
    /// Where it says so.
    pub(super) place: Place,
    is_met: AtomicBool,
}

impl Visit {
    /// Whether it was asked for, that is, whether it is still in the exports.
    pub(super) fn is_met(&self) -> bool {
        self.is_met.load(Ordering::Relaxed)
    }

    /// Notes that it is still in the exports.
    pub(super) fn meet(&self) {
        // Most threads only look: a line of memory that nobody writes to can be in all caches.
        if !self.is_met() {
            self.is_met.store(true, Ordering::Relaxed);
        }
    }
}

/// The visits, in the order in which their keys came up.
#[derive(Debug, Default)]
pub(super) struct Visits {
    hasher: DefaultHashBuilder,
    table: HashTable<u32>,
    keys: String,
    visits: Vec<Visit>,
}

impl Visits {
    pub(super) fn find(&self, key: &str) -> Option<&Visit> {
        let is_it = |at: &u32| self.key(*at as usize) == key;
        self.table.find(self.hasher.hash_one(key), is_it).map(|at| &self.visits[*at as usize])
    }

    /// The key of the visit with this number.
    pub(super) fn key(&self, at: usize) -> &str {
        key(&self.keys, &self.visits, at)
    }

    /// The visit with this number.
    pub(super) fn get(&self, at: usize) -> &Visit {
        &self.visits[at]
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Visit> {
        self.visits.iter()
    }

    /// Adds a row. Of several for one key the first delivered one tells what the API has, and where there is none the
    /// first. Returns the visit's number if it is this row that counts, and `None` if it is another.
    pub(super) fn add(&mut self, name: &str, status: Status, place: Place) -> Option<usize> {
        let Visits { hasher, table, keys, visits } = self;
        let is_it = |at: &u32| key(keys, visits, *at as usize) == name;
        let hash_of = |at: &u32| hasher.hash_one(key(keys, visits, *at as usize));
        match table.entry(hasher.hash_one(name), is_it, hash_of) {
            Entry::Occupied(known) => {
                let at = *known.get() as usize;
                let visit = &mut visits[at];
                if visit.status.is_delivered() || !status.is_delivered() {
                    return None;
                }
                (visit.status, visit.place) = (status, place);
                Some(at)
            }
            Entry::Vacant(free) => {
                let at = visits.len();
                // Four billion rows are a terabyte; what comes behind them is sent again, and the API has it already.
                free.insert(u32::try_from(at).ok()?);
                keys.push_str(name);
                visits.push(Visit { key_end: keys.len(), status, place, is_met: AtomicBool::new(false) });
                Some(at)
            }
        }
    }
}

fn key<'k>(keys: &'k str, visits: &[Visit], at: usize) -> &'k str {
    let from = if at == 0 { 0 } else { visits[at - 1].key_end };
    &keys[from..visits[at].key_end]
}
