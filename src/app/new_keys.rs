//! Visits that earlier runs know and that come again under new keys: they would be sent a second time.

use super::AppError;
use crate::build::Visits;
use crate::ledger::Record;
use crate::scan::Location;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::grouped;
use std::collections::HashSet;

/// So many visits under new keys, of one store and day each with a visit that is gone, are no coincidence.
const MANY: u64 = 10;

/// Visits that no earlier run knows, as far as they may be those that are gone.
#[derive(Debug, Default)]
pub(super) struct NewVisits {
    visits: u64,
    /// Those that share store and day with a delivered visit of an earlier file that is gone.
    at_gone: u64,
    /// Store and day of the others, where the own file has rows of which it is not known yet whether they are gone.
    others_at: Vec<u64>,
    /// Those whose key is near one that is probably gone.
    near: Vec<(String, Location)>,
}

impl NewVisits {
    /// Looks at a visit that no earlier run knows.
    pub(super) fn look(&mut self, record: &Record, builder: &dyn Visits, at: usize, day: Option<chrono::NaiveDate>) {
        let hashing = record.hashing();
        self.visits += 1;
        if let Some(hash) = hashing.store_and_day(hashing.store(builder.store_number(at)), day) {
            if record.has_gone_at(hash) {
                self.at_gone += 1;
            } else if record.has_own() {
                self.others_at.push(hash);
            }
        }
        let (key, location) = builder.key(at);
        if record.has_near(key, &mut String::new()) {
            self.near.push((key.to_owned(), location));
        }
    }

    pub(super) fn add(&mut self, other: NewVisits) {
        self.visits += other.visits;
        self.at_gone += other.at_gone;
        self.others_at.extend(other.others_at);
        self.near.extend(other.near);
    }

    /// What is probably a mistake of the whole export. To be asked once every visit was looked at. `needs_case`: whether two
    /// visits have keys that differ in their case only.
    pub(super) fn suspicions(
        &self,
        record: &Record,
        needs_case: impl FnOnce() -> Result<bool, AppError>,
    ) -> Result<Vec<Suspicion>, AppError> {
        Ok(self.near_ones(record, needs_case)?.into_iter().chain(self.made_anew(record)).collect())
    }

    fn near_ones(
        &self,
        record: &Record,
        needs_case: impl FnOnce() -> Result<bool, AppError>,
    ) -> Result<Option<Suspicion>, AppError> {
        let folding = record.folding();
        let mut pairs = Vec::new();
        for (key, location) in &self.near {
            let gone = record.gone_near(key)?.into_iter().next();
            pairs.extend(gone.map(|gone| (key, location, folding.need_case(&gone, key), gone)));
        }
        // Where upper and lower case tell visits of the export apart, they may be other visits.
        if pairs.iter().any(|(_, _, needs_case, _)| *needs_case) && needs_case()? {
            pairs.retain(|(_, _, needs_case, _)| !needs_case);
        }
        if pairs.is_empty() {
            return Ok(None);
        }
        pairs.sort_by_key(|(_, location, ..)| (location.file.clone(), location.row));
        let message = "visits that earlier result files know are gone, and visits have come whose keys are almost theirs: \
                       sent under them, they would be there twice, for ever. Write the keys as they were";
        let place = |(key, location, _, gone): (&String, &Location, bool, Box<str>)| {
            let different = if *gone == **key { "the session" } else { &folding.differences(&gone, key) };
            format!("{location}: {key:?} has come and {gone:?} is gone (different: {different})")
        };
        Ok(Some(pairs.into_iter().map(place).fold(Suspicion::new(SuspicionCode::NewKeys, message), Suspicion::at)))
    }

    fn made_anew(&self, record: &Record) -> Option<Suspicion> {
        let own = if self.others_at.is_empty() { HashSet::new() } else { record.own_gone_at() };
        let at_gone = self.at_gone + self.others_at.iter().filter(|hash| own.contains(hash)).count() as u64;
        if at_gone < MANY || at_gone * 2 <= self.visits {
            return None;
        }
        let message = format!(
            "{} of {} visits that no earlier run knows are of the same store and day as delivered visits that are gone: most \
             likely the keys are made anew at each export, and the visits would be there twice, for ever",
            grouped(at_gone),
            grouped(self.visits)
        );
        let mut suspicion = Suspicion::new(SuspicionCode::NewKeys, message);
        suspicion.count = 0;
        Some(suspicion)
    }
}
