//! Opens, reads and groups the exports of a job. Nothing is built or sent here.

use super::context::rfc3339;
use super::file_ends::unterminated;
use super::outputs::Outputs;
use super::selection::Selector;
use super::{AppError, Context, Selection, unwanted};
use crate::host;
use crate::job::Job;
use crate::ledger::TodayBuilder;
use crate::near_key::{Folding, without_case};
use crate::results::Input;
use crate::scan::{Export, Location, ReadFile, Remarks, Rows, ScanError};
use crate::shuffle::{Shuffle, Shuffled, Tally};
use crate::summary::Filters;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::count;
use chrono::NaiveDate;
use std::collections::{HashMap, HashSet};
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

/// Batches of visits that are read and not yet grouped, at most.
const VISITS_AHEAD: usize = 8;
/// Batches of scenes that are read while the visits still come in, within this share of the memory.
const SCENES_AHEAD: std::ops::RangeInclusive<u64> = 2..=128;
const SHARE_AHEAD: u64 = 32;
/// About the size of a batch, in bytes.
const BATCH_BYTES: u64 = 600_000;
/// Batches of scenes that are grouped at once.
const BATCHES_AT_ONCE: usize = 16;

/// The files of a job, found and with the columns that it names, but not read.
#[derive(Debug)]
pub(super) struct Exports {
    visits: Export,
    scenes: Export,
    /// Whether scenes of no visit are kept, to be listed.
    keeps_orphans: bool,
}

/// The visits of a job with their scenes.
#[derive(Debug)]
pub(super) struct GroupedVisits {
    /// Kept to the end of the process, which gives all memory back in one go: freeing half a gigabyte of pieces one by one
    /// takes a twentieth of the time of a check.
    pub(super) shuffled: ManuallyDrop<Shuffled>,
    /// Whether one flat export holds visits and scenes.
    pub(super) is_flat: bool,
    /// What opening and reading the exports has shown.
    pub(super) remarks: Remarks,
    pub(super) order: ExportOrder,
    /// The day that names the exports, if one does and all of their visits are meant.
    pub(super) day: Option<NaiveDate>,
    /// What leaves visit rows out.
    pub(super) filters: Filters,
}

impl GroupedVisits {
    /// Whether two visits have keys that differ in their case only. Such keys are in one partition.
    pub(super) fn has_keys_told_apart_by_case(&self) -> Result<bool, AppError> {
        let mut found = false;
        self.shuffled.each(|grouped| -> Result<(), AppError> {
            let mut seen = HashSet::new();
            let mut firsts = (0..grouped.len()).map(|at| grouped.visit(at)).filter(|visit| visit.is_first());
            found |= firsts.any(|visit| !seen.insert(without_case(visit.key()).into_owned()));
            Ok(())
        })?;
        Ok(found)
    }
}

/// The order of the exports: their files one after the other, those of the visits first.
#[derive(Debug)]
pub(super) struct ExportOrder {
    files: HashMap<String, usize>,
}

impl ExportOrder {
    fn new<'p>(files: impl Iterator<Item = &'p str>) -> ExportOrder {
        // A flat export has its files twice, and then the first time counts.
        let mut order = ExportOrder { files: HashMap::new() };
        for (at, file) in files.enumerate() {
            order.files.entry(file.to_owned()).or_insert(at);
        }
        order
    }

    /// Of things found in several partitions, keeps the `most` that come first in the exports.
    pub(super) fn keep_first<T>(&self, found: &mut Vec<T>, most: usize, location: impl Fn(&T) -> &Location) {
        found.sort_by_key(|found| {
            let location = location(found);
            (self.files.get(&*location.file), location.row)
        });
        found.truncate(most);
    }
}

impl Exports {
    /// Finds the files and looks for every column that the job names. Reads no row.
    pub(super) fn open(cx: &Context, job: &Job) -> Result<Exports, AppError> {
        let mut outputs = Outputs::new(cx, job);
        // A command may take long: what is wrong with the other export ends the run before it is started.
        let (visits, scenes) = match (&job.visits.command, &job.scenes.command) {
            (None, None) => (Some(outputs.open(&job.visits)), Some(outputs.open(&job.scenes))),
            (Some(_), None) => {
                let scenes = outputs.open(&job.scenes);
                (scenes.is_ok().then(|| outputs.open(&job.visits)), Some(scenes))
            }
            (_, Some(_)) => {
                let visits = outputs.open(&job.visits);
                let scenes = visits.is_ok().then(|| outputs.open(&job.scenes));
                (Some(visits), scenes)
            }
        };
        match (visits, scenes) {
            (Some(Ok(visits)), Some(Ok(scenes))) => Ok(Exports { visits, scenes, keeps_orphans: false }),
            (visits, scenes) => {
                let errors = [visits, scenes].into_iter().flatten().filter_map(Result::err);
                Err(job.missing_columns(errors.collect())?.into())
            }
        }
    }

    /// The same exports, read so that scenes of no visit can be listed.
    pub(super) fn keeping_orphans(self, keeps_orphans: bool) -> Exports {
        Exports { keeps_orphans, ..self }
    }

    /// What the manifest has of what is read: a flat export once.
    pub(super) fn inputs(&self, job: &Job) -> Vec<Input> {
        let mut names = HashSet::new();
        let sections = [(&self.visits, &job.visits), (&self.scenes, &job.scenes)];
        let files = sections.into_iter().flat_map(|(export, source)| export.files().map(move |file| (file, source)));
        let inputs = files.map(|((name, stamp), source)| Input {
            path: name.to_owned(),
            bytes: stamp.bytes,
            modified: stamp.modified().map(|time| rfc3339(time.into())),
            tag: stamp.tag().map(str::to_owned),
            command: source.command.clone(),
        });
        inputs.filter(|input| names.insert(input.command.clone().unwrap_or_else(|| vec![input.path.clone()]))).collect()
    }

    /// The files that are there, and the job file: what a wrong result path must not move away.
    pub(super) fn paths(&self, cx: &Context, job: &Job) -> Vec<PathBuf> {
        let exports = self.visits.paths().chain(self.scenes.paths()).map(Path::to_owned);
        exports.chain([cx.base_dir.join(&job.file)]).filter_map(|path| path.canonicalize().ok()).collect()
    }

    /// The files as they were opened, for a last look at them.
    pub(super) fn read_files(&self) -> Vec<ReadFile> {
        let mut names = HashSet::new();
        let all = self.visits.read_files().chain(self.scenes.read_files());
        all.filter(|file| names.insert(file.name.clone())).collect()
    }

    /// Reads and groups everything: each export on a thread of its own, while this thread groups. `today`: collects the visits
    /// that rows of earlier runs are looked up among.
    pub(super) fn read(
        self,
        cx: &Context,
        job: &Job,
        selection: Selection,
        today: Option<&mut TodayBuilder>,
    ) -> Result<GroupedVisits, AppError> {
        let is_flat = self.scenes.has_the_files_of(&self.visits);
        let memory = job.memory.unwrap_or_else(host::free_for_one_run);
        tracing::debug!("memory for grouping: {} MB", memory / 1_000_000);
        let mut today = today;
        let ahead = (memory / SHARE_AHEAD / BATCH_BYTES).clamp(*SCENES_AHEAD.start(), *SCENES_AHEAD.end()) as usize;
        let expected = self.visits.expected_memory() + self.scenes.expected_memory();
        // The parts of a joined key are folded one by one.
        let separator = job.visits.picks.first().map(|key| key.separator.as_str()).filter(|text| !text.is_empty());
        // Batches that are read and not yet grouped take a part of the memory.
        let mut shuffle = Shuffle::new(is_flat, memory - memory / 16, expected, Folding::new(separator));
        if let Some(today) = &today {
            shuffle.leave_room(today.bytes_per_visit());
        }
        if self.keeps_orphans {
            shuffle.keep_orphans();
        }
        let mut selector = Selector::new(selection, &job.rules, cx.now.timestamp());
        let read = std::thread::scope(|scope| -> Result<[Remarks; 2], AppError> {
            let (visits, visits_read) = read_ahead(scope, &self.visits, ahead.min(VISITS_AHEAD));
            let (scenes, scenes_read) = read_ahead(scope, &self.scenes, ahead);
            while let Some(rows) = cx.next_of(&visits)? {
                let mut rows = rows?;
                if let Some(today) = &mut today {
                    today.add(&rows, &job.rules, cx.now.timestamp());
                }
                let keep = selector.keep(&mut rows);
                shuffle.add_visits(rows, keep.as_ref())?;
            }
            while let Some(first) = cx.next_of(&scenes)? {
                // Batches that have come in meanwhile are grouped on all cores at once.
                let more = scenes.try_iter().take(BATCHES_AT_ONCE - 1);
                let batches: Vec<Rows> = std::iter::once(first).chain(more).collect::<Result<_, _>>()?;
                shuffle.add_scenes(batches)?;
            }
            let [visits, scenes] = [visits_read, scenes_read].map(ScopedJoinHandle::join);
            let broke_off = |_| AppError::panicked("reading");
            Ok([visits.map_err(broke_off)?, scenes.map_err(broke_off)?])
        })?;
        let shuffled = shuffle.finish()?;
        if shuffled.partitions() > 1 {
            tracing::info!("the exports are larger than the memory for grouping: using temporary files");
            if host::temporary_is_in_memory() {
                let folder = host::temporary_folder().display();
                cx.warn(&format!(
                    "temporary files go to {folder}, which is itself kept in memory: set TMPDIR to a folder on a disk, or \
                     allow more memory under [shuffle]"
                ));
            }
        }
        let [of_visits, of_scenes] = read;
        let mut remarks = self.visits.remarks().clone();
        remarks.add(of_visits);
        let mut scenes = self.scenes.remarks().clone();
        scenes.add(of_scenes);
        let ends = std::mem::take(&mut remarks.ends);
        remarks.add(unterminated(&ends, if is_flat { &[] } else { &scenes.ends }));
        if is_flat && job.scenes.only == job.visits.only {
            scenes.unwanted.clear();
        }
        // Of a flat export, what is said of a file as a whole is said once.
        remarks.add_new(scenes);
        remarks.suspicions.extend(unwanted::suspicions(&remarks.unwanted));
        remarks.suspicions.extend(remarks.id_forms.suspicions());
        remarks.suspicions.extend(unreadable_scenes(shuffled.tally()));
        let order = ExportOrder::new(self.visits.names().chain(self.scenes.names()));
        let filters = selection.filters(job);
        // A part of an export need not have a visit of its day.
        let day = job.dated_day.filter(|_| !(filters.from || filters.to || filters.limit));
        Ok(GroupedVisits { shuffled: ManuallyDrop::new(shuffled), is_flat, remarks, order, day, filters })
    }
}

/// Reads an export on a thread of its own, a few batches ahead of the receiver. The thread returns what reading has shown.
fn read_ahead<'scope, 'env>(
    scope: &'scope Scope<'scope, 'env>,
    export: &'env Export,
    ahead: usize,
) -> (Receiver<Result<Rows, ScanError>>, ScopedJoinHandle<'scope, Remarks>) {
    let (batches, taken) = sync_channel(ahead);
    // It ends with the export, or when the receiver is gone.
    let reading = scope.spawn(move || {
        let mut all = export.batches();
        let _ = all.try_for_each(|rows| batches.send(rows).map_err(drop));
        all.into_remarks()
    });
    (taken, reading)
}

/// An unreadable scene may belong to any visit, and a visit that was sent without one of its scenes cannot be fixed.
fn unreadable_scenes(tally: &Tally) -> Option<Suspicion> {
    let message = format!(
        "{} of the scenes export cannot be assigned to a visit, so no visit can be trusted to be complete; fix the export",
        count(tally.unreadable, "row", "rows")
    );
    let places = tally.unreadable_places.iter().map(|(location, reason)| format!("{location}: {reason}"));
    let mut suspicion = places.fold(Suspicion::new(SuspicionCode::UnreadableScenes, message), Suspicion::at);
    suspicion.count = tally.unreadable;
    (tally.unreadable > 0).then_some(suspicion)
}
