//! The visits that the exports have today, as far as rows of earlier runs are looked up among them. All rows of the exports
//! count, also those that `only`, dates or a limit leave out: what they leave out is not gone.

use super::buckets::HashSet;
use super::known::{Hashing, Known, first_half};
use crate::build::{Builder, Rules};
use crate::scan::Rows;
use crate::shuffle::KEY;
use chrono::NaiveDate;
use rayon::prelude::*;
use uuid::Uuid;

/// What is kept of a visit: three hashes here, and mostly a row of an earlier run.
const BYTES_PER_VISIT: u64 = (3 * size_of::<u64>() + size_of::<Known>()) as u64;
/// How many rows one thread takes at once.
const ROWS_AT_ONCE: usize = 1024;

/// Hashes of what rows of earlier runs are looked up by.
#[derive(Debug, Default)]
pub(crate) struct Today {
    sessions: HashSet,
    folds: HashSet,
    stores_and_days: HashSet,
}

impl Today {
    /// Whether the exports probably have the visit of a session.
    pub(crate) fn has(&self, uid: Uuid) -> bool {
        self.sessions.contains(first_half(uid))
    }

    pub(super) fn has_fold(&self, fold: u64) -> bool {
        self.folds.contains(fold)
    }

    pub(super) fn has_store_and_day(&self, hash: u64) -> bool {
        self.stores_and_days.contains(hash)
    }
}

/// Collects the visits as they are read.
#[derive(Debug)]
pub(crate) struct TodayBuilder {
    hashing: Hashing,
    sessions: Vec<u64>,
    folds: Vec<u64>,
    stores_and_days: Vec<u64>,
}

impl TodayBuilder {
    pub(crate) fn new(hashing: Hashing) -> TodayBuilder {
        TodayBuilder { hashing, sessions: Vec::new(), folds: Vec::new(), stores_and_days: Vec::new() }
    }

    pub(crate) fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// The memory that the ledger takes for each visit, in bytes.
    pub(crate) fn bytes_per_visit(&self) -> u64 {
        BYTES_PER_VISIT
    }

    /// Adds a batch of visit rows. `now`: the start of the run, in epoch seconds.
    pub(crate) fn add(&mut self, rows: &Rows, rules: &Rules, now: i64) {
        let count = rows.batch.num_rows();
        let hashing = &self.hashing;
        let (hashes, days): (Vec<Option<(u64, u64)>>, Vec<u64>) = rayon::join(
            || {
                let chunks = (0..count).into_par_iter().with_min_len(ROWS_AT_ONCE);
                chunks
                    .map_init(String::new, |scratch, row| {
                        let key = rows.text(KEY, row);
                        let uid = rules.ids.session(key).uid;
                        (!key.is_empty()).then(|| (first_half(uid), hashing.fold(key, scratch)))
                    })
                    .collect()
            },
            || {
                let mut days = Vec::new();
                Builder::each_store_and_date(rules, rows, now, |store, day| {
                    days.extend(hashing.store_and_day(hashing.store(store), day));
                });
                days
            },
        );
        for (session, fold) in hashes.into_iter().flatten() {
            self.sessions.push(session);
            self.folds.push(fold);
        }
        // Rows of one store and day mostly follow each other; the rest of the repetition ends in `finish`.
        for hash in days {
            if self.stores_and_days.last() != Some(&hash) {
                self.stores_and_days.push(hash);
            }
        }
    }

    /// Adds one visit. `uid`: its session, if it has a key.
    pub(crate) fn add_visit(&mut self, uid: Option<Uuid>, key: &str, store: &str, day: Option<NaiveDate>) {
        if let Some(uid) = uid {
            self.sessions.push(first_half(uid));
            self.folds.push(self.hashing.fold(key, &mut String::new()));
        }
        self.stores_and_days.extend(self.hashing.store_and_day(self.hashing.store(store), day));
    }

    pub(crate) fn finish(self) -> Today {
        Today {
            sessions: HashSet::new(self.sessions),
            folds: HashSet::new(self.folds),
            stores_and_days: HashSet::new(self.stores_and_days),
        }
    }
}
