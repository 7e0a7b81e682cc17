//! The record of all sessions: the rows of the own result path, those of earlier runs that are of visits of today, and which
//! visits are gone.

use super::buckets::HashSet;
use super::files::{EarlierFile, unread};
use super::gone::Gone;
use super::known::{Hashing, Known, Rows, compact};
use super::today::Today;
use super::{Candidate, Decision, Explanation, Fate, Wanted, decide, explain};
use crate::near_key::Folding;
use crate::outcome::Status;
use crate::results::{Counts, Damaged, Draft, Mark, ResultsError, StoredRows, for_each_row, line_at};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use uuid::Uuid;

/// Past so many rows, those of earlier files are compacted.
const ROWS_AT_LEAST: usize = 1 << 16;

/// Rows of a file that are damaged and were passed over.
#[derive(Clone, Debug)]
pub(crate) struct DamagedRows {
    /// How many there are.
    pub(crate) rows: u64,
    /// The file.
    pub(crate) file: PathBuf,
    /// The line of the first, counted from 1.
    pub(crate) line: u64,
}

/// The journal and the finished file of the own result path.
#[derive(Debug, Default)]
pub(crate) struct OwnRows {
    files: Vec<PathBuf>,
    rows: Vec<Known>,
    /// Rows of all kinds, of a delivered session one.
    count: u64,
    damaged: Vec<DamagedRows>,
}

impl OwnRows {
    /// Reads the files, of which the first counts first. `keeps_hashes`: as of [`EarlierFile`].
    ///
    /// # Errors
    /// Where one cannot be read, or is no result file.
    pub(crate) fn read(files: &[PathBuf], hashing: &Hashing, keeps_hashes: bool) -> Result<OwnRows, ResultsError> {
        let mut own = OwnRows { files: files.to_vec(), ..OwnRows::default() };
        for (number, path) in files.iter().enumerate() {
            let mut without_session = 0;
            let damaged = for_each_row(path, |row, span| {
                // A visit without a key has no session, and is found anew in the exports.
                if row.session_uid_text().is_empty() && row.status().is_some_and(|status| !status.is_delivered()) {
                    without_session += 1;
                    return true;
                }
                let known = Known::of(row, &span, number as u32, hashing, keeps_hashes);
                own.rows.extend(known);
                known.is_some()
            })?;
            own.count += without_session + damaged.rows;
            own.damaged.extend(damaged_rows(path, damaged)?);
        }
        Ok(own)
    }
}

fn damaged_rows(path: &Path, damaged: Damaged) -> Result<Option<DamagedRows>, ResultsError> {
    let Some(start) = damaged.first else { return Ok(None) };
    let line = line_at(path, start)
        .map_err(|error| ResultsError::Unreadable { path: path.display().to_string(), reason: error.to_string() })?;
    Ok(Some(DamagedRows { rows: damaged.rows, file: path.to_owned(), line }))
}

/// What became of the visit of an own row.
mod state {
    pub(super) const NOT_SEEN: u8 = 0;
    pub(super) const REPLACED: u8 = 1;
    pub(super) const KEPT: u8 = 2;
}

/// What is on record of all sessions.
#[derive(Debug, Default)]
pub(crate) struct Record {
    hashing: Hashing,
    own: Rows,
    /// By the number of the first row of a session in `own`.
    own_states: Vec<AtomicU8>,
    own_folds: OnceLock<HashSet>,
    earlier: Rows,
    gone: Gone,
    today: Today,
    /// Those of the own path first.
    files: Vec<PathBuf>,
    own_count: u64,
    damaged: Vec<DamagedRows>,
    warnings: Vec<String>,
}

impl Record {
    /// Reads the files of earlier runs, those rows that are of visits of today.
    pub(crate) fn read(own: OwnRows, earlier: &[EarlierFile], today: Today, hashing: Hashing) -> Record {
        let first = own.files.len() as u32;
        let read = |part: Part, (number, file): (usize, &EarlierFile)| {
            part.read(file, first + number as u32, &today, &hashing)
        };
        let all = earlier.par_iter().enumerate().fold(Part::default, read).reduce(Part::default, Part::joined);
        let Part { rows, gone, warnings, damaged, .. } = all;
        let mut rows = in_one(rows);
        compact(&mut rows);
        let files = own.files.into_iter().chain(earlier.iter().map(|file| file.path.clone())).collect();
        let own_rows = Rows::new(own.rows);
        let own_states = (0..own_rows.len()).map(|_| AtomicU8::new(state::NOT_SEEN)).collect();
        let delivered = |rows: &[Known]| rows.iter().filter(|row| row.status.is_delivered()).count().saturating_sub(1);
        let repeated: usize = own_rows.sessions().map(|(_, rows)| delivered(rows)).sum();
        let own_count = own.count + (own_rows.len() - repeated) as u64;
        let damaged = own.damaged.into_iter().chain(damaged).collect();
        Record {
            hashing,
            own: own_rows,
            own_states,
            own_folds: OnceLock::new(),
            earlier: Rows::new(rows),
            gone,
            today,
            files,
            own_count,
            damaged,
            warnings,
        }
    }

    pub(crate) fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// What has to be said of files that do not count.
    pub(crate) fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Rows that are damaged and were passed over.
    pub(crate) fn damaged(&self) -> &[DamagedRows] {
        &self.damaged
    }

    /// How many rows the files of the own path have, damaged ones among them, of a delivered session one.
    pub(crate) fn own_count(&self) -> u64 {
        self.own_count
    }

    /// Whether there are rows of the own path.
    pub(crate) fn has_own(&self) -> bool {
        self.own.len() > 0
    }

    /// The file with a number.
    pub(crate) fn file(&self, number: u32) -> &Path {
        self.files.get(number as usize).map_or(Path::new(""), PathBuf::as_path)
    }

    /// Whether a row is in a file of the own path.
    pub(crate) fn is_own(&self, row: &Known) -> bool {
        self.own.find(row.uid).1.iter().any(|own| (own.file, own.span().bytes) == (row.file, row.span().bytes))
    }

    /// Whether a session is on record at all.
    pub(crate) fn knows(&self, uid: Uuid) -> bool {
        !self.own.find(uid).1.is_empty() || !self.earlier.find(uid).1.is_empty()
    }

    /// What becomes of a visit.
    pub(crate) fn decide(&self, uid: Uuid, visit: &Candidate, wanted: &Wanted, accepts_reused: bool) -> Decision {
        decide(visit, self.own.find(uid).1, self.earlier.find(uid).1, wanted, accepts_reused)
    }

    /// What a 409 says of a visit: [`explain`].
    pub(crate) fn explain(
        &self,
        uid: Uuid,
        visit: &Candidate,
        may_be_this: bool,
        accepts_reused: bool,
    ) -> Option<Explanation> {
        explain(visit, self.own.find(uid).1, self.earlier.find(uid).1, may_be_this, accepts_reused)
    }

    /// Notes what becomes of a visit, so that its own row is known to be of one that the exports have.
    pub(crate) fn note(&self, uid: Uuid, fate: Fate) {
        let (at, rows) = self.own.find(uid);
        if !rows.is_empty() {
            let now = if matches!(fate, Fate::Keep(_)) { state::KEPT } else { state::REPLACED };
            // A second row with the key is settled anew, and the first one stays.
            self.own_states[at].fetch_max(now, Ordering::Relaxed);
        }
    }

    /// Writes the own rows that stay to what will be the journal, and counts them. `keeps_gone`: whether undelivered ones stay
    /// whose visits are no longer in the exports; `marks`: what the row of a session is to say in place of its error.
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub(crate) fn write_own(
        &self,
        draft: &mut Draft,
        keeps_gone: bool,
        marks: &HashMap<Uuid, Mark>,
        counts: &Counts,
    ) -> Result<(), ResultsError> {
        let rows = self.own_rows_that_stay(keeps_gone);
        for rows in rows.chunk_by(|one, next| one.file == next.file) {
            let mut stored = StoredRows::open(self.file(rows[0].file))?;
            for known in rows {
                let row = stored.at(&known.span())?;
                // Of a row that the first version wrote for a 409, nobody knows the hash of what Trax has.
                let keeps_hash = known.body.is_some() || known.status != Status::AlreadyReceived;
                draft.add_row(row, marks.get(&known.uid), keeps_hash)?;
                if known.status.is_delivered() {
                    counts.carry_over(known.status, "", "", "");
                } else {
                    row.read(|row| counts.carry_over(known.status, row.visit_id(), row.error_code(), row.error()));
                }
            }
        }
        Ok(())
    }

    /// The own rows that stay, in the order of their files.
    fn own_rows_that_stay(&self, keeps_gone: bool) -> Vec<Known> {
        let stays = |(at, rows): (usize, &[Known])| {
            let row = rows.first()?;
            let state = self.own_states[at].load(Ordering::Relaxed);
            let stays = match state {
                state::NOT_SEEN => keeps_gone || row.status.is_delivered(),
                state => state == state::KEPT || row.status.is_delivered(),
            };
            stays.then_some(*row)
        };
        let mut all: Vec<Known> = self.own.sessions().filter_map(stays).collect();
        all.par_sort_unstable_by_key(|row| (row.file, row.span().bytes.start));
        all
    }

    /// Own rows of visits that were not seen in the exports, delivered ones or the others.
    pub(crate) fn own_gone(&self, delivered: bool) -> u64 {
        let sessions =
            self.own.sessions().filter(|(at, _)| self.own_states[*at].load(Ordering::Relaxed) == state::NOT_SEEN);
        sessions.filter(|(_, rows)| rows.first().is_some_and(|row| row.status.is_delivered() == delivered)).count()
            as u64
    }

    /// Whether a visit that is not on record may be one that is, under a new key: nearly the same one.
    pub(crate) fn has_near(&self, key: &str, scratch: &mut String) -> bool {
        let fold = self.hashing.fold(key, scratch);
        let own = || self.own_folds.get_or_init(|| HashSet::new(self.own.all().map(|row| row.fold).collect()));
        self.gone.near.contains_key(&fold) || (self.has_own() && own().contains(fold))
    }

    /// Whether a store and a day are those of a delivered visit of an earlier file that is gone.
    pub(crate) fn has_gone_at(&self, store_and_day: u64) -> bool {
        self.gone.stores_and_days.contains(&store_and_day)
    }

    /// Stores and days of delivered own rows whose visits are gone.
    pub(crate) fn own_gone_at(&self) -> std::collections::HashSet<u64> {
        let gone = self.own_gone_rows().filter(|row| row.status.is_delivered());
        gone.filter_map(|row| self.hashing.store_and_day(row.store, row.day)).collect()
    }

    /// The keys of visits that are gone and near this one.
    ///
    /// # Errors
    /// Where a file of the own path cannot be read.
    pub(crate) fn gone_near(&self, key: &str) -> Result<Vec<Box<str>>, ResultsError> {
        let fold = self.hashing.fold(key, &mut String::new());
        let mut keys = self.gone.near.get(&fold).cloned().unwrap_or_default();
        for row in self.own_gone_rows().filter(|row| row.fold == fold) {
            let mut stored = StoredRows::open(self.file(row.file))?;
            stored.at(&row.span())?.read(|row| keys.push(row.visit_id().into()));
        }
        // The same key of another session: something has changed the file, such as a spreadsheet.
        keys.retain(|gone| **gone == *key || self.folding().are_near(gone, key));
        Ok(keys)
    }

    pub(crate) fn folding(&self) -> &Folding {
        &self.hashing.folding
    }

    fn own_gone_rows(&self) -> impl Iterator<Item = &Known> {
        let is_gone = |(at, rows): &(usize, &[Known])| {
            self.own_states[*at].load(Ordering::Relaxed) == state::NOT_SEEN
                && rows.first().is_some_and(|row| !self.today.has(row.uid))
        };
        self.own.sessions().filter(is_gone).filter_map(|(_, rows)| rows.first())
    }
}

/// What one thread has read of earlier files.
#[derive(Debug, Default)]
struct Part {
    /// In several lists: one that grows would take twice its memory each time.
    rows: Vec<Vec<Known>>,
    /// How many rows there were after the last compaction.
    compacted: usize,
    gone: Gone,
    warnings: Vec<String>,
    damaged: Vec<DamagedRows>,
}

impl Part {
    fn read(mut self, file: &EarlierFile, number: u32, today: &Today, hashing: &Hashing) -> Part {
        let (mut scratch, mut rows) = (String::new(), Vec::new());
        let read = for_each_row(&file.path, |row, span| {
            let Some(uid) = row.session_uid() else { return row.session_uid_text().is_empty() };
            if today.has(uid) {
                let known = Known::of(row, &span, number, hashing, file.keeps_hashes);
                rows.extend(known);
                return known.is_some();
            }
            self.gone.look(row, today, hashing, &mut scratch);
            true
        });
        match read.and_then(|damaged| damaged_rows(&file.path, damaged)) {
            Ok(damaged) => self.damaged.extend(damaged),
            Err(error) => self.warnings.push(unread(&error)),
        }
        self.rows.push(rows);
        self.compacted()
    }

    fn joined(mut self, other: Part) -> Part {
        self.rows.extend(other.rows);
        self.gone.add(other.gone);
        self.warnings.extend(other.warnings);
        self.damaged.extend(other.damaged);
        self.compacted()
    }

    /// A visit may be in every one of a thousand files.
    fn compacted(mut self) -> Part {
        if self.rows.iter().map(Vec::len).sum::<usize>() > ROWS_AT_LEAST.max(2 * self.compacted) {
            let mut rows = in_one(self.rows);
            compact(&mut rows);
            self.compacted = rows.len();
            self.rows = vec![rows];
        }
        self
    }
}

/// The rows of all lists, each of which is given up as soon as it is copied.
fn in_one(lists: Vec<Vec<Known>>) -> Vec<Known> {
    let mut all = Vec::with_capacity(lists.iter().map(Vec::len).sum());
    lists.into_iter().for_each(|rows| all.extend(rows));
    all
}
