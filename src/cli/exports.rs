//! Reads the exports of a job: scan, selection, shuffle. Nothing is built or sent yet.

use super::exit::{Exit, Failure};
use super::machine;
use crate::build::{Builder, Rules};
use crate::job::Job;
use crate::scan::{Export, Location, Rows, ScanError};
use crate::shuffle::{KEY, Shuffle, Shuffled, Tally};
use arrow::array::BooleanArray;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::mem::ManuallyDrop;
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};

/// Batches of visits read and not yet grouped, at most.
const VISITS_AHEAD: usize = 8;
/// Batches of scenes that are read while the visits still come in, if they fit into this share of the memory. A batch
/// is about so many bytes.
const SCENES_AHEAD: std::ops::RangeInclusive<u64> = 2..=128;
const SHARE_AHEAD: u64 = 32;
const BATCH_BYTES: u64 = 600_000;
/// Batches of scenes that are taken in at once.
const BATCHES_AT_ONCE: usize = 16;

/// Which of the exports' visits are meant.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    /// By visit_date, inclusive.
    pub(super) from: Option<NaiveDate>,
    /// By visit_date, inclusive.
    pub(super) to: Option<NaiveDate>,
    /// The first so many.
    pub(super) limit: Option<u64>,
    /// Whether scene rows that nobody can assign are passed over.
    pub(super) ignore_unreadable_scenes: bool,
}

/// A job's exports, read and grouped.
#[derive(Debug)]
pub(super) struct Exports {
    /// Needed to the end of the process, which gives back everything in one go: half a gigabyte of pieces, one by one, would
    /// take a twentieth of the time of a check.
    pub(super) shuffled: ManuallyDrop<Shuffled>,
    pub(super) flat: bool,
    pub(super) warnings: Vec<String>,
    pub(super) order: Order,
}

/// The order of the exports: their files one after the other, those of the visits first.
#[derive(Debug)]
pub(super) struct Order {
    files: HashMap<String, usize>,
}

impl Order {
    fn new<'p>(files: impl Iterator<Item = &'p Path>) -> Order {
        // A flat export has its files twice, and then the first time counts.
        let mut order = Order { files: HashMap::new() };
        for (at, file) in files.enumerate() {
            order.files.entry(file.display().to_string()).or_insert(at);
        }
        order
    }

    /// Leaves of what was found in several parts the first ones.
    pub(super) fn keep_first<T>(&self, found: &mut Vec<T>, most: usize, place: impl Fn(&T) -> &Location) {
        found.sort_by_key(|found| {
            let place = place(found);
            (self.files.get(&*place.file), place.row)
        });
        found.truncate(most);
    }
}

/// The files of a job, found and with the columns that it names, but not read.
#[derive(Debug)]
pub(super) struct Opened {
    visits: Export,
    scenes: Export,
}

impl Opened {
    pub(super) fn new(job: &Job) -> Result<Opened, Failure> {
        match (Export::open(job.visits.clone()), Export::open(job.scenes.clone())) {
            (Ok(visits), Ok(scenes)) => Ok(Opened { visits, scenes }),
            (visits, scenes) => Err(job.missing(visits.err().into_iter().chain(scenes.err()).collect())?.into()),
        }
    }

    /// The files of both exports.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.visits.paths().chain(self.scenes.paths())
    }

    /// Reads everything: each export on a thread of its own, while this one groups. `now`: the run's start, in epoch
    /// seconds.
    pub(super) fn read(self, job: &Job, selection: &Selection, now: i64) -> Result<Exports, Failure> {
        let flat = self.scenes.has_the_files_of(&self.visits);
        let memory = job.memory.unwrap_or_else(machine::half_of_its_memory);
        let ahead = (memory / SHARE_AHEAD / BATCH_BYTES).clamp(*SCENES_AHEAD.start(), *SCENES_AHEAD.end()) as usize;
        let expected = self.visits.expected_memory() + self.scenes.expected_memory();
        // What is read and not yet grouped is a part of it.
        let mut shuffle = Shuffle::new(flat, memory - memory / 16, expected);
        let mut selector = Selector { selection, rules: &job.rules, now, kept: HashSet::new(), keyless: 0 };
        std::thread::scope(|scope| -> Result<(), Failure> {
            let visits = read_ahead(scope, &self.visits, ahead.min(VISITS_AHEAD));
            let scenes = read_ahead(scope, &self.scenes, ahead);
            for rows in visits {
                let mut rows = rows?;
                let keep = selector.keep(&mut rows);
                shuffle.add_visits(rows, keep.as_ref())?;
            }
            while let Ok(first) = scenes.recv() {
                // What has been read meanwhile is taken in on all cores at once.
                let more = scenes.try_iter().take(BATCHES_AT_ONCE - 1);
                shuffle.add_scenes(std::iter::once(first).chain(more).collect::<Result<_, _>>()?)?;
            }
            Ok(())
        })?;
        let shuffled = shuffle.finish()?;
        if shuffled.parts() > 1 {
            tracing::info!("the exports are larger than the memory for grouping: using temporary files");
        }
        refuse_unreadable(shuffled.tally(), selection)?;
        let mut warnings: Vec<String> = self.visits.warnings().to_vec();
        if !flat {
            warnings.extend(self.scenes.warnings().iter().cloned());
        }
        let order = Order::new(self.paths());
        Ok(Exports { shuffled: ManuallyDrop::new(shuffled), flat, warnings, order })
    }
}

/// Reads an export on a thread of its own, a few batches ahead of whoever takes them.
fn read_ahead<'scope, 'env>(
    scope: &'scope std::thread::Scope<'scope, 'env>,
    export: &'env Export,
    ahead: usize,
) -> Receiver<Result<Rows, ScanError>> {
    let (batches, taken) = sync_channel(ahead);
    // It ends with the export, or when nobody takes any more.
    scope.spawn(move || export.batches().try_for_each(|rows| batches.send(rows).map_err(drop)));
    taken
}

/// A scene that nobody can assign may belong to any visit, and none could be mended once it is sent without it.
fn refuse_unreadable(tally: &Tally, selection: &Selection) -> Result<(), Failure> {
    if tally.unreadable == 0 || selection.ignore_unreadable_scenes {
        return Ok(());
    }
    let mut message = format!(
        "{} of the scenes export cannot be assigned to a visit, so no visit can be trusted to be complete and nothing is sent:",
        super::text::count(tally.unreadable, "row", "rows")
    );
    for (place, reason) in tally.unreadable_places.iter().take(10) {
        message.push_str(&format!("\n  {place}: {reason}"));
    }
    if tally.unreadable > 10 {
        message.push_str(&format!("\n  … and {} more", tally.unreadable - 10));
    }
    message.push_str("\nMend the export, or pass over such rows with --ignore-unreadable-scenes.");
    Err(Failure::new(Exit::Usage, message))
}

/// Why there is nothing to do, and what makes that fine.
pub(super) fn no_visits(tally: &Tally) -> String {
    match tally.visits_left_out {
        0 => "there are no visits in the exports; is the export late? --allow-empty makes that fine".to_owned(),
        rows => format!(
            "`only`, dates or the limit leave out {}; --allow-empty makes that fine",
            super::text::count(rows, "visit row, the only one of the exports", "visit rows, all of the exports")
        ),
    }
}

/// Applies `only`, the dates and the limit, in this order.
struct Selector<'a> {
    selection: &'a Selection,
    rules: &'a Rules,
    /// The run's start, in epoch seconds.
    now: i64,
    /// The keys within the limit.
    kept: HashSet<String>,
    keyless: u64,
}

impl Selector<'_> {
    fn keep(&mut self, rows: &mut Rows) -> Option<BooleanArray> {
        let only = rows.keep.take();
        let Selection { from, to, limit, .. } = *self.selection;
        if from.is_none() && to.is_none() && limit.is_none() {
            return only;
        }
        let count = rows.batch.num_rows();
        let mut keep: Vec<bool> = (0..count).map(|row| only.as_ref().is_none_or(|only| only.value(row))).collect();
        if from.is_some() || to.is_some() {
            let dates = Builder::visit_dates(self.rules, rows, self.now);
            for (row, (keep, date)) in keep.iter_mut().zip(dates).enumerate() {
                // Which cell is the date of a row with too few or too many is anybody's guess.
                let readable = rows.faults_of(row).iter().all(|fault| fault.column.is_some());
                if let Some(date) = date.filter(|_| readable) {
                    *keep &= from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to);
                }
            }
        }
        if let Some(limit) = limit {
            for (row, keep) in keep.iter_mut().enumerate().filter(|(_, keep)| **keep) {
                *keep = self.is_within(rows.text(KEY, row), limit);
            }
        }
        Some(BooleanArray::from(keep))
    }

    fn is_within(&mut self, key: &str, limit: u64) -> bool {
        let full = self.kept.len() as u64 + self.keyless >= limit;
        if key.is_empty() {
            self.keyless += u64::from(!full);
            return !full;
        }
        if full {
            return self.kept.contains(key);
        }
        self.kept.insert(key.to_owned());
        true
    }
}
