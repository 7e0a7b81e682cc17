//! What an earlier run left: its rows read again, by visit.

use super::copying::{Copied, RowsOfFile};
use super::reading::{Damaged, for_each_row, line_at};
use super::strays::Strays;
use super::visits::{Place, Visit, Visits};
use super::{Counts, Draft, ResultsError};
use crate::key_index;
use crate::outcome::Status;
use std::io;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The rows of an earlier run, by visit. The rows themselves stay on the disk.
#[derive(Debug, Default)]
pub(crate) struct Previous {
    files: Vec<PathBuf>,
    visits: Visits,
    strays: Strays,
    /// Rows of all kinds, the damaged ones among them, of a delivered visit one.
    rows: u64,
    /// Rows as they were read, whether or not others of the same visit count.
    misnamed: Vec<Misnamed>,
    passed: Vec<Passed>,
}

/// Rows of a file whose session_uid was not made from the visit_id that they name.
#[derive(Clone, Debug)]
pub(crate) struct Misnamed {
    /// How many there are.
    pub(crate) rows: u64,
    /// The file.
    pub(crate) file: PathBuf,
    /// The line of the first, counted from 1.
    pub(crate) line: u64,
    /// What that one names.
    pub(crate) visit_id: String,
}

/// Rows of a file that are damaged, and were passed over.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// How many there are.
    pub(crate) rows: u64,
    /// The file.
    pub(crate) file: PathBuf,
    /// The line of the first, counted from 1.
    pub(crate) line: u64,
}

impl Previous {
    /// Reads what is there of a result file: the journal of a run that died, the finished file before it. `None` where
    /// there is neither. `uid`: the session id that a visit has now.
    ///
    /// # Errors
    /// Where one cannot be read, or is no result file.
    pub(crate) fn find(results: &Path, uid: impl Fn(&str) -> Uuid) -> Result<Option<Previous>, ResultsError> {
        let files = [super::beside(results, "partial"), results.to_owned()];
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        if files.is_empty() {
            return Ok(None);
        }
        // What an earlier one of the files says of a delivered visit counts.
        let mut previous = Previous { files, ..Previous::default() };
        for file in 0..previous.files.len() {
            previous.add(file, &uid)?;
        }
        previous.reunite(&uid);
        Ok(Some(previous))
    }

    fn add(&mut self, file: usize, uid: &impl Fn(&str) -> Uuid) -> Result<(), ResultsError> {
        let path = &self.files[file];
        let (mut misnamed, mut first) = (Damaged::default(), String::new());
        let mut rows = 0;
        let damaged = for_each_row(path, |row, found| {
            let Some(status) = row.status() else { return false };
            rows += 1;
            let (visit, then) = (row.visit_id(), row.session_uid());
            match then {
                Some(then) if then != uid(visit) => {
                    if misnamed.first.is_none() {
                        visit.clone_into(&mut first);
                    }
                    misnamed.add(found.bytes.start);
                    self.strays.add(then, visit, status, Place { file, found });
                }
                Some(_) => {
                    let before = self.visits.iter().len();
                    self.visits.add(visit.as_bytes(), status, Place { file, found });
                    // Rows that differ have one key and are invalid, but a delivered visit has one row: another hides that
                    // a third is missing.
                    rows -= u64::from(status.is_delivered() && self.visits.iter().len() == before);
                }
                // Nobody knows whose it is: its key may be damaged too.
                None if status.is_delivered() => {
                    rows -= 1;
                    return false;
                }
                // Its key could not be read: the exports have none that it could be found by.
                None if row.session_uid_text().is_empty() => {}
                None => {
                    self.visits.add(visit.as_bytes(), status, Place { file, found });
                }
            }
            true
        })?;
        self.rows += rows + damaged.rows;
        let line = |start| {
            line_at(path, start).map_err(|error| ResultsError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            })
        };
        if let Some(start) = damaged.first {
            self.passed.push(Passed { rows: damaged.rows, file: path.clone(), line: line(start)? });
        }
        if let Some(start) = misnamed.first {
            let (file, line) = (path.clone(), line(start)?);
            self.misnamed.push(Misnamed { rows: misnamed.rows, file, line, visit_id: first });
        }
        Ok(())
    }

    /// Brings rows that name another visit together with the rows that their visits have besides, so that there is one
    /// of each. Such there are where a file was sent again that a spreadsheet had damaged.
    fn reunite(&mut self, uid: &impl Fn(&str) -> Uuid) {
        if self.strays.is_empty() {
            return;
        }
        let uids: Vec<Uuid> = (0..self.visits.iter().len()).map(|at| uid(text(self.visits.key(at)))).collect();
        let found = self.strays.rows().find_all(uids.iter().map(|uid| uid.as_bytes().as_slice()));
        let mut is_taken = vec![false; self.strays.rows().iter().len()];
        for (at, stray) in found.into_iter().enumerate().filter(|(_, stray)| *stray != key_index::NOT_FOUND) {
            let row = self.strays.rows().get(stray as usize);
            if row.status.is_delivered() && !self.visits.get(at).status.is_delivered() {
                self.visits.replace(at, row.status, row.place.clone());
            }
            is_taken[stray as usize] = true;
        }
        if is_taken.contains(&true) {
            self.strays = std::mem::take(&mut self.strays).without(&is_taken);
        }
    }

    /// How it ended for visits of the exports, where they have a row; and notes that these are still in them. `uid`: the
    /// session id that a visit has now.
    pub(crate) fn meet<'k>(
        &self,
        visit_ids: impl Iterator<Item = &'k str> + Clone,
        uid: impl Fn(&str) -> Uuid,
    ) -> Vec<Option<Status>> {
        let meet = |number: u32| {
            let visit = self.visits.iter().as_slice().get(number as usize)?;
            visit.meet();
            Some(visit.status)
        };
        let numbers = self.visits.find_all(visit_ids.clone().map(str::as_bytes));
        let mut before: Vec<Option<Status>> = numbers.into_iter().map(meet).collect();
        if !self.strays.is_empty() {
            let unknown = || before.iter().zip(visit_ids.clone()).filter(|(status, _)| status.is_none());
            let strays: Vec<(&str, Uuid)> = unknown().map(|(_, visit)| (visit, uid(visit))).collect();
            let mut strays = self.strays.meet(&strays).into_iter();
            for status in before.iter_mut().filter(|status| status.is_none()) {
                *status = strays.next().flatten();
            }
        }
        before
    }

    /// A delivered row that names a visit which was [met](Previous::meet) and has no row of its own, with a session id
    /// that is of no visit met: the name, and the id of then.
    pub(crate) fn unclear_id(&self) -> Option<(&str, Uuid)> {
        self.strays.unclear()
    }

    /// Rows that name another visit than their session id was made from.
    pub(crate) fn misnamed(&self) -> &[Misnamed] {
        &self.misnamed
    }

    /// Visits of such rows that were not [met](Previous::meet).
    pub(crate) fn misnamed_and_gone(&self) -> u64 {
        self.strays.rows().iter().filter(|row| !row.is_met()).count() as u64
    }

    /// How many rows there are of all kinds, those that are passed over among them, of a delivered visit one.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that were passed over, because they are none any more.
    pub(crate) fn passed(&self) -> &[Passed] {
        &self.passed
    }

    /// How many visits there are that were not [met](Previous::meet), delivered ones or the others.
    pub(crate) fn not_met(&self, delivered: bool) -> u64 {
        let gone = |visit: &Visit| !visit.is_met() && visit.status.is_delivered() == delivered;
        let gone_strays = self.strays.rows().iter().enumerate();
        // An undelivered visit that is there under its name is sent, whatever its id was.
        let gone_strays = gone_strays.filter(|(at, row)| gone(row) && (delivered || !self.strays.is_name_met(*at)));
        (self.visits.iter().filter(|visit| gone(visit)).count() + gone_strays.count()) as u64
    }

    /// Writes the rows of delivered visits to what will be the journal. They stay whatever the exports hold, so that
    /// nothing need have been met. Rows that name another visit wait for [`Previous::complete`].
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub(crate) fn draft(&self, results: &Path) -> Result<Draft, ResultsError> {
        let mut draft = Draft::new(results)?;
        let mut normal = Vec::new();
        self.each_row(
            &self.visits,
            |_, visit| visit.status.is_delivered(),
            |at, visit, row| {
                let name = visit.is_misnamed.then(|| text(self.visits.key(at)));
                draft.add(row.whole_line(name, &mut normal))
            },
        )?;
        Ok(draft)
    }

    /// Adds the rows of undelivered visits that stay as they are, and those that name another visit under the right name
    /// where that is known; and counts all that stay. `keep` is told how a visit ended and whether it was
    /// [met](Previous::meet).
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub(crate) fn complete(
        &self,
        draft: &mut Draft,
        keep: impl Fn(Status, bool) -> bool,
        counts: &Counts,
    ) -> Result<(), ResultsError> {
        for visit in self.visits.iter().filter(|visit| visit.status.is_delivered()) {
            counts.carry_over(visit.status, "", "", "");
        }
        let mut normal = Vec::new();
        let mut add = |status: Status, row: Copied<'_>, name: Option<&str>| {
            draft.add(row.whole_line(name, &mut normal))?;
            if status.is_delivered() {
                // Nobody asks why.
                counts.carry_over(status, "", "", "");
                return Ok(());
            }
            row.read(|row| {
                counts.carry_over(status, name.unwrap_or(row.visit_id()), row.error_code(), row.error());
            });
            Ok(())
        };
        let stays = |visit: &Visit| keep(visit.status, visit.is_met());
        self.each_row(
            &self.visits,
            |_, visit| !visit.status.is_delivered() && stays(visit),
            |_, visit, row| add(visit.status, row, None),
        )?;
        self.each_row(
            self.strays.rows(),
            |_, visit| stays(visit),
            |at, visit, row| add(visit.status, row, self.strays.key(at)),
        )
    }

    /// Hands on the rows of these visits as they are in the files, in their order there, with the visits' numbers.
    fn each_row(
        &self,
        visits: &Visits,
        is_wanted: impl Fn(usize, &Visit) -> bool,
        mut each: impl FnMut(usize, &Visit, Copied<'_>) -> Result<(), ResultsError>,
    ) -> Result<(), ResultsError> {
        let all = visits.iter().enumerate();
        let mut wanted: Vec<u32> = all.filter(|(at, visit)| is_wanted(*at, visit)).map(|(at, _)| at as u32).collect();
        let place = |at: &u32| &visits.get(*at as usize).place;
        // They are in this order already, but for visits that failed in a row before the one that counts.
        wanted.sort_by_key(|at| (place(at).file, place(at).found.bytes.start));
        for numbers in wanted.chunk_by(|one, next| place(one).file == place(next).file) {
            let path = &self.files[place(&numbers[0]).file];
            let unreadable = |error: io::Error| ResultsError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            let mut rows = RowsOfFile::open(path).map_err(unreadable)?;
            for at in numbers {
                let row = rows.at(&place(at).found).map_err(unreadable)?;
                each(*at as usize, visits.get(*at as usize), row)?;
            }
        }
        Ok(())
    }
}

/// A key, every one of which was text when it was added.
fn text(key: &[u8]) -> &str {
    std::str::from_utf8(key).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::row::COLUMNS;
    use crate::results::{Wanted, decide, keeps_row, read};
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};

    const KEYS: [&str; 6] = ["7", "07", "007", "8", "08", "100"];

    fn uid(key: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes())
    }

    proptest! {
        /// Rows as a spreadsheet leaves them, several of a visit as well; the oracle goes by their session ids alone.
        #[test]
        fn whatever_their_keys_have_become_no_delivered_row_is_lost_and_no_visit_has_two(
            rows in proptest::collection::vec((0..KEYS.len(), 0usize..6, any::<bool>()), 0..12),
            now in proptest::collection::hash_set(0..KEYS.len(), 0..6),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let results = folder.path().join("r.csv");
            let mut text = format!("{}\n", COLUMNS.join(","));
            let (mut delivered, mut has_row) = (HashSet::new(), HashSet::new());
            for (key, status, is_damaged) in &rows {
                let (key, status) = (KEYS[*key], Status::ALL[*status]);
                let shown = if *is_damaged { key.trim_start_matches('0') } else { key };
                text.push_str(&format!("{shown},{},{},,,,1,1,,1,2024-03-05,1,,v.csv:2\n", uid(key), status.name()));
                has_row.insert(key);
                if status.is_delivered() {
                    delivered.insert(key);
                }
            }
            std::fs::write(&results, text).expect("written");
            let previous = Previous::find(&results, uid).expect("readable").expect("there");
            let exports: Vec<&str> = now.iter().map(|at| KEYS[*at]).collect();
            let before = previous.meet(exports.iter().copied(), uid);
            let wanted = Wanted::Undelivered;
            for (key, before) in exports.iter().zip(&before) {
                prop_assert_eq!(before.is_some(), has_row.contains(key), "{}", key);
                prop_assert_eq!(before.is_some_and(Status::is_delivered), delivered.contains(key), "{}", key);
                prop_assert_eq!(decide(*before, &wanted) == crate::results::Decision::Keep, delivered.contains(key));
            }
            let here = |key: &&&str| exports.contains(*key);
            prop_assert_eq!(previous.not_met(true) as usize, delivered.iter().filter(|key| !here(key)).count());
            let unclear = previous.unclear_id().map(|(name, _)| name.to_owned());
            if let Some(name) = unclear {
                prop_assert!(exports.contains(&&*name) && !has_row.contains(&*name), "{}", name);
            }
            let counts = Counts::default();
            let mut draft = previous.draft(&results).expect("written");
            previous.complete(&mut draft, |status, is_met| keeps_row(status, is_met, &wanted), &counts).expect("written");
            let journal = draft.begin().expect("written");
            let mut left = HashMap::new();
            let damaged = read(journal.path(), |row| {
                let uid = row.session_uid().expect("an id");
                assert!(left.insert(uid, row.visit_id().to_owned()).is_none(), "two rows of {uid}");
            });
            prop_assert_eq!(damaged.expect("readable"), 0);
            prop_assert_eq!(left.len(), delivered.len());
            prop_assert_eq!(counts.rows() as usize, delivered.len());
            for key in &delivered {
                let name = left.get(&uid(key));
                prop_assert!(name.is_some(), "{} is lost", key);
                prop_assert!(!here(&key) || name.is_some_and(|name| name == key), "{} is named {:?}", key, name);
            }
        }
    }
}
