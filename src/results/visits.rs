//! The visits of earlier result files by key, and where their rows are. There may be ten millions of them, so nothing
//! of a row is kept but what has to be asked of every visit of the exports.

use super::reading::RowSpan as Found;
use crate::key_index::{self, KeyIndex};
use crate::outcome::Status;
use std::sync::atomic::{AtomicBool, Ordering};

/// Where a row is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Which of the files, counted from 0.
    pub(super) file: usize,
    /// Where in that.
    pub(super) found: Found,
}

/// A visit that has a row.
#[derive(Debug)]
pub(super) struct Visit {
    /// How it ended.
    pub(super) status: Status,
    /// Where it says so.
    pub(super) place: Place,
    /// Whether the row there names another visit.
    pub(super) is_misnamed: bool,
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
    /// The number of a key is the place of its visit.
    index: KeyIndex,
    visits: Vec<Visit>,
}

impl Visits {
    /// The numbers of the visits of many keys, [`key_index::NOT_FOUND`] where a key has no row.
    pub(super) fn find_all<'k>(&self, keys: impl Iterator<Item = &'k [u8]>) -> Vec<u32> {
        self.index.find_all(keys)
    }

    /// The key of the visit with this number.
    pub(super) fn key(&self, at: usize) -> &[u8] {
        self.index.key(at as u32)
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
    pub(super) fn add(&mut self, key: &[u8], status: Status, place: Place) -> Option<usize> {
        let hash = self.index.hash(key);
        if let Some(at) = self.index.find(hash, key) {
            let visit = &mut self.visits[at as usize];
            if visit.status.is_delivered() || !status.is_delivered() {
                return None;
            }
            (visit.status, visit.place) = (status, place);
            return Some(at as usize);
        }
        // Four billion rows are a terabyte; what comes behind them is sent again, and the API has it already.
        if self.visits.len() >= key_index::NOT_FOUND as usize {
            return None;
        }
        self.visits.push(Visit { status, place, is_misnamed: false, is_met: AtomicBool::new(false) });
        Some(self.index.add(hash, key) as usize)
    }

    /// Has a row that names another visit be the one of this visit.
    pub(super) fn replace(&mut self, at: usize, status: Status, place: Place) {
        let visit = &mut self.visits[at];
        (visit.status, visit.place, visit.is_misnamed) = (status, place, true);
    }
}
