//! Visits that earlier runs know and the exports no longer have, as far as unknown visits may be those under new keys.

use super::known::Hashing;
use super::today::Today;
use crate::results::Row;
use std::collections::{HashMap, HashSet};

/// How many keys with one fold are kept.
const KEYS_OF_A_FOLD: usize = 3;

/// What is known of visits that are gone.
#[derive(Debug, Default)]
pub(super) struct Gone {
    /// Their keys that are near one of the exports, by the hash of the fold.
    pub(super) near: HashMap<u64, Vec<Box<str>>>,
    /// Stores and days that the exports have as well, of delivered ones.
    pub(super) stores_and_days: HashSet<u64>,
}

impl Gone {
    /// Looks at a row whose visit the exports do not have.
    pub(super) fn look(&mut self, row: Row<'_>, today: &Today, hashing: &Hashing, scratch: &mut String) {
        let fold = hashing.fold(row.visit_id(), scratch);
        if today.has_fold(fold) {
            self.add_near(fold, row.visit_id().into());
        }
        let is_delivered = row.status().is_some_and(|status| status.is_delivered());
        if is_delivered
            && let Some(hash) = hashing.store_and_day(hashing.store(row.store_number()), row.visit_date())
            && today.has_store_and_day(hash)
        {
            self.stores_and_days.insert(hash);
        }
    }

    fn add_near(&mut self, fold: u64, key: Box<str>) {
        let keys = self.near.entry(fold).or_default();
        if keys.len() < KEYS_OF_A_FOLD && !keys.contains(&key) {
            keys.push(key);
        }
    }

    pub(super) fn add(&mut self, other: Gone) {
        for (fold, keys) in other.near {
            keys.into_iter().for_each(|key| self.add_near(fold, key));
        }
        self.stores_and_days.extend(other.stores_and_days);
    }
}
