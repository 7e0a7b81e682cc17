//! The result file of a run: claimed before anything is read, begun before anything is sent, finished in one rename.
//!
//! It decides what becomes of a result file or journal that is already there, and when its rows may not be used: they are
//! another job's, or under other ids.

use super::context::rfc3339;
use super::earlier::{Earlier, Sources};
use super::error::InTheWay;
use super::run_inputs::RunInputs;
use super::{AppError, Context};
use crate::host;
use crate::job::{Job, Target};
use crate::ledger::{Origin, Wanted};
use crate::outcome::Status;
use crate::results::{
    Counts, FORMAT, Input, Journal, Lock, Manifest, Mark, Reads, ResultsError, RunOptions, beside, is_result_file,
    look_ahead, make_room, move_aside, read, refuse_journal_name, resolve_path,
};
use crate::summary::RunReport;
use crate::suspicion::{Suspicion, SuspicionCode};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What a manifest calls the sandbox.
pub(super) const SANDBOX: &str = "sandbox";

/// A result file that this process alone may write to.
#[derive(Debug)]
pub(super) struct ResultFile {
    pub(super) path: PathBuf,
    prior: Prior,
    /// Whether the journal that is taken up, if one is, must be one of the same visits.
    needs_the_same: bool,
    /// What a person should know of the file system of the results.
    pub(super) warning: Option<String>,
    /// What there was when the journal was begun.
    before: Before,
    /// Held to the end of the run.
    lock: Lock,
}

/// What there was before the journal was begun.
#[derive(Debug, Default)]
struct Before {
    journal: bool,
    manifest: Option<Vec<u8>>,
}

/// What becomes of a result file or a journal that is already there.
#[derive(Debug)]
enum Prior {
    /// There is none.
    Nothing,
    /// It is moved aside.
    ToMoveAside,
    /// Its rows are used: the run resumes.
    Resumed {
        /// Which of its undelivered visits are sent again.
        wanted: Wanted,
        /// How many rows it had when the run ended that wrote them; `None` where that run did not end.
        rows: Option<u64>,
        /// Whether undelivered rows are dropped whose visits are no longer in the exports.
        forgets_gone: bool,
    },
}

/// What a run does with a result file or a journal that is already there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Beginning {
    /// Takes up a journal of the same job and options; refuses a finished file.
    #[default]
    New,
    /// Moves them aside.
    Fresh,
    /// Goes on with whatever there is of the same job.
    Continue,
}

impl ResultFile {
    /// Claims the result file of a run of a job.
    pub(super) fn claim(
        cx: &Context,
        job: &Job,
        options: &RunOptions,
        beginning: Beginning,
    ) -> Result<ResultFile, AppError> {
        let path = resolve_path(&job.results)?;
        refuse_journal_name(&job.results)?;
        make_room(&path)?;
        let lock = Lock::take(&path)?;
        let warning = look_ahead(&path)?;
        for taken in [&beside(&path, "partial"), &path] {
            if is_foreign(taken)? {
                return Err(AppError::NotAResultFile(taken.clone()));
            }
        }
        let prior = match beginning {
            Beginning::Fresh => Prior::ToMoveAside,
            Beginning::New if !is_journal_to_resume(cx, job, options, &path)? => Prior::Nothing,
            Beginning::New => Prior::Resumed { wanted: Wanted::Undelivered, rows: None, forgets_gone: false },
            Beginning::Continue => to_continue(cx, job, &path)?,
        };
        let needs_the_same = beginning == Beginning::New;
        Ok(ResultFile { path, prior, needs_the_same, before: Before::default(), warning, lock })
    }

    /// Claims a result file for a rerun: `path`, whose `manifest` says what it holds.
    pub(super) fn reclaim(
        path: PathBuf,
        manifest: &Manifest,
        wanted: Wanted,
        forgets_gone: bool,
    ) -> Result<ResultFile, AppError> {
        let lock = Lock::take(&path)?;
        // With a journal beside it, a later run has begun, and the manifest is that run's.
        let rows = manifest.rows().filter(|_| !beside(&path, "partial").exists());
        let warning = look_ahead(&path)?;
        Ok(ResultFile {
            path,
            prior: Prior::Resumed { wanted, rows, forgets_gone },
            needs_the_same: false,
            before: Before::default(),
            warning,
            lock,
        })
    }

    /// Where the file system has no locks, nothing keeps a second run away.
    pub(super) fn without_lock(&self) -> Option<Suspicion> {
        let message = format!(
            "the file system of {} has no locks, so nothing keeps a second run off this result file, and both would send the \
             same visits and spoil each other's rows. Put the results on a local disk. Accepted, see to it yourself that no \
             two runs share a result file",
            self.path.display()
        );
        (!self.lock.is_held()).then(|| Suspicion::new(SuspicionCode::NoLock, message))
    }

    /// A journal of exports or of another folder is not taken up: the result file would lack visits that only one of them
    /// has. `prepared_sha256`: the folder that is sent, if it is one.
    pub(super) fn refuse_other_visits(&self, prepared_sha256: Option<&str>) -> Result<(), AppError> {
        if !self.needs_the_same || !matches!(self.prior, Prior::Resumed { .. }) {
            return Ok(());
        }
        let journal = beside(&self.path, "partial");
        let manifest = Manifest::read(&self.path)
            .map_err(|source| AppError::JournalWithoutManifest { journal: journal.clone(), source })?;
        if manifest.prepared_sha256.as_deref() == prepared_sha256 {
            return Ok(());
        }
        let of = |hash: Option<&str>| match hash {
            Some(hash) => format!("the prepared visits {}", &hash[..hash.len().min(12)]),
            None => "the exports".to_owned(),
        };
        let (then, now) = (of(manifest.prepared_sha256.as_deref()), of(prepared_sha256));
        Err(AppError::JournalOfOtherOptions { journal, results: self.path.clone(), then, now })
    }

    /// Has the rows of the file not count: they are of other ids, and nothing was delivered under those.
    pub(super) fn begin_anew(&mut self) {
        self.prior = Prior::Nothing;
    }

    /// Where this run looks before it sends: into its own rows, where it resumes, and into result files of other runs, unless
    /// it starts over.
    pub(super) fn sources(&self, job: &Job, inputs: &[Input]) -> Sources {
        let mut sources = Sources::default();
        if let Prior::Resumed { wanted, rows, forgets_gone } = &self.prior {
            sources = own_sources(&self.path, job, inputs);
            (sources.wanted, sources.rows_then, sources.forgets_gone) = (wanted.clone(), *rows, *forgets_gone);
        }
        if !matches!(self.prior, Prior::ToMoveAside) {
            sources.look_for_earlier(job, &self.path, &origin(job));
        }
        sources
    }

    /// Begins the journal with the rows that stay. `inputs`: what the run reads, which is never moved away.
    ///
    /// The manifest is written first: it says which job a journal belongs to.
    pub(super) fn begin(
        &mut self,
        cx: &Context,
        manifest: &Manifest,
        inputs: &[PathBuf],
        earlier: &Earlier,
        marks: &HashMap<Uuid, Mark>,
        counts: &Counts,
    ) -> Result<Journal, AppError> {
        if matches!(self.prior, Prior::ToMoveAside) {
            self.move_aside(cx, inputs)?;
        }
        self.before = Before {
            journal: beside(&self.path, "partial").exists(),
            manifest: std::fs::read(beside(&self.path, "json")).ok(),
        };
        manifest.write(&self.path)?;
        earlier.begin_journal(&self.path, counts, marks).map_err(|error| {
            // Nothing was sent, and what is there is as before. Where not even this works, the manifest of now is as good.
            let _ = Manifest::put_back(&self.path, self.before.manifest.as_deref());
            error.into()
        })
    }

    /// Makes the journal the result file. First the manifest: where it cannot be written, the journal stays, and the same
    /// command resumes.
    pub(super) fn finish(self, manifest: Manifest, journal: Journal) -> Result<(), AppError> {
        let manifest = Manifest { sha256: Some(journal.sha256()), ..manifest };
        manifest.write(&self.path).map_err(AppError::Journal)?;
        journal.finish().map_err(AppError::Journal)
    }

    /// Nothing was sent: leaves what there was before, so that the same command works again. A journal that was taken up
    /// stays: it has the rows of what was delivered.
    pub(super) fn give_back(self, journal: Journal) -> Result<(), AppError> {
        if self.before.journal {
            return Ok(());
        }
        journal.discard().map_err(AppError::Journal)?;
        Manifest::put_back(&self.path, self.before.manifest.as_deref()).map_err(AppError::Journal)
    }

    fn move_aside(&self, cx: &Context, inputs: &[PathBuf]) -> Result<(), AppError> {
        if self.path.canonicalize().is_ok_and(|path| inputs.contains(&path)) {
            return Err(AppError::ResultsAreInput(self.path.clone()));
        }
        let stamp = cx.now.format("%Y%m%dT%H%M%SZ").to_string();
        if let Some(moved) = move_aside(&self.path, &stamp)? {
            cx.emit(super::Event::Note(&format!("the older result file is now {}", moved.display())));
        }
        Ok(())
    }
}

/// The journal and the finished file of a result path.
///
/// `inputs`: what this run reads.
fn own_sources(results: &Path, job: &Job, inputs: &[Input]) -> Sources {
    let files = [beside(results, "partial"), results.to_owned()];
    let has_journal = files[0].exists();
    let manifest = Manifest::read(results);
    // Of exports that have changed since, what a run that died was waiting for may have been another body.
    let reads_the_same = manifest.as_ref().is_ok_and(|manifest| same_inputs(&manifest.inputs, inputs));
    Sources {
        own: files.into_iter().filter(|file| file.exists()).collect(),
        own_keeps_hashes: manifest.is_ok_and(|manifest| manifest.keeps_hashes()),
        // A run that died was waiting for so many answers at most.
        in_flight: if has_journal && reads_the_same { job.upload.most_in_flight() as u64 } else { 0 },
        ..Sources::default()
    }
}

/// Whether a run read the same files as another one. Manifests of older versions do not say what was read.
fn same_inputs(then: &[Input], now: &[Input]) -> bool {
    let is_same = |(then, now): (&Input, &Input)| {
        let is_as_old = then.modified == now.modified || then.command.is_some();
        (&then.path, then.bytes, &then.tag) == (&now.path, now.bytes, &now.tag) && is_as_old
    };
    then.is_empty() || then.len() == now.len() && then.iter().zip(now).all(is_same)
}

/// Where a check looks: where a run or a rerun of the job would.
pub(super) fn sources_of_check(job: &Job) -> Result<Sources, AppError> {
    let path = resolve_path(&job.results)?;
    refuse_journal_name(&job.results)?;
    let mut sources = Sources::default();
    let is_ours = Manifest::read(&path).is_ok_and(|manifest| changes(job, &manifest).is_empty());
    if is_ours && !is_foreign(&path)? && !is_foreign(&beside(&path, "partial"))? {
        sources = own_sources(&path, job, &[]);
    }
    sources.look_for_earlier(job, &path, &origin(job));
    Ok(sources)
}

/// Where the sessions of a job go, and how their ids are made.
fn origin(job: &Job) -> Origin {
    let ids = &job.rules.ids;
    Origin {
        base_url: target_name(job),
        project: job.endpoint.project.clone(),
        namespace: ids.namespace().to_string(),
        ids_version: ids.version().number(),
    }
}

/// Whether a run left a journal that is to be resumed.
///
/// With other options that choose visits, the result file would lack the visits that only the journal's options choose, and
/// nothing would say so.
fn is_journal_to_resume(cx: &Context, job: &Job, options: &RunOptions, results: &Path) -> Result<bool, AppError> {
    let journal = beside(results, "partial");
    if results.exists() {
        return Err(AppError::ResultsInTheWay { results: results.to_owned(), why: why_in_the_way(cx, job, results) });
    }
    if !journal.exists() {
        return Ok(false);
    }
    let manifest = Manifest::read(results)
        .map_err(|source| AppError::JournalWithoutManifest { journal: journal.clone(), source })?;
    refuse_other_job(cx, job, &manifest, &journal)?;
    if goes_on_under_other_ids(cx, job, &manifest, results, || None)? {
        return Ok(false);
    }
    if !manifest.options.chooses_as(options) {
        let (then, now) = (manifest.options.choice(), options.choice());
        return Err(AppError::JournalOfOtherOptions { journal, results: results.to_owned(), then, now });
    }
    cx.emit(super::Event::Note(&format!("resuming {}, which an unfinished run left", journal.display())));
    Ok(true)
}

/// What there is to go on with, whatever the options of the run before were: what they did not choose has no row, and is sent.
fn to_continue(cx: &Context, job: &Job, results: &Path) -> Result<Prior, AppError> {
    let journal = beside(results, "partial");
    let (is_finished, is_begun) = (results.exists(), journal.exists());
    if !is_finished && !is_begun {
        return Ok(Prior::Nothing);
    }
    let taken = if is_begun { journal } else { results.to_owned() };
    let manifest = match Manifest::read(results) {
        Ok(manifest) => manifest,
        Err(_) if is_finished => {
            let why = InTheWay::WithoutManifest;
            return Err(AppError::ResultsInTheWay { results: results.to_owned(), why });
        }
        Err(source) => return Err(AppError::JournalWithoutManifest { journal: taken, source }),
    };
    refuse_other_job(cx, job, &manifest, &taken)?;
    if goes_on_under_other_ids(cx, job, &manifest, results, || None)? {
        return Ok(Prior::Nothing);
    }
    cx.emit(super::Event::Note(&format!("going on with {}", taken.display())));
    let rows = manifest.rows().filter(|_| !is_begun);
    Ok(Prior::Resumed { wanted: Wanted::Undelivered, rows, forgets_gone: false })
}

fn why_in_the_way(cx: &Context, job: &Job, results: &Path) -> InTheWay {
    match Manifest::read(results) {
        Err(_) => InTheWay::WithoutManifest,
        Ok(manifest) if !is_of_job(cx, job, &manifest) => InTheWay::OtherJob(job_file(&manifest)),
        Ok(manifest) if was_trial(job, &manifest) => InTheWay::Trial,
        Ok(manifest) => match changes(job, &manifest) {
            changes if changes.is_empty() => InTheWay::Finished,
            changes => InTheWay::OtherIds(changes),
        },
    }
}

/// Whether something else than a result file is there.
///
/// # Errors
/// Where it was a result file and something has changed it, and where it cannot be read.
pub(super) fn is_foreign(path: &Path) -> Result<bool, ResultsError> {
    Ok(path.exists() && !is_result_file(path)?)
}

/// Whether the ids or the target of the job differ from those of the manifest, and nothing was delivered under those: then
/// everything is sent under the new ones. `start_over`: the command that starts over, where the caller knows one.
///
/// # Errors
/// Where something was delivered: the API would take every visit a second time.
pub(super) fn goes_on_under_other_ids(
    cx: &Context,
    job: &Job,
    manifest: &Manifest,
    results: &Path,
    start_over: impl FnOnce() -> Option<String>,
) -> Result<bool, AppError> {
    let changes = changes(job, manifest);
    if changes.is_empty() {
        return Ok(false);
    }
    let was_trial = was_trial(job, manifest);
    let mut delivered = was_trial;
    for path in [beside(results, "partial"), results.to_owned()].iter().filter(|path| path.exists()) {
        read(path, |row| delivered |= row.status().is_some_and(Status::is_delivered))?;
    }
    if delivered {
        return Err(AppError::OtherIds { was_trial, changes, job: job.file.clone(), start_over: start_over() });
    }
    cx.warn(&format!(
        "ids or address are not those of the run before, and nothing was delivered under those: everything is sent anew\n{}",
        changes.join("\n")
    ));
    Ok(true)
}

/// The rows of a result file or a journal belong to the job that began it.
pub(super) fn refuse_other_job(cx: &Context, job: &Job, manifest: &Manifest, taken: &Path) -> Result<(), AppError> {
    match is_of_job(cx, job, manifest) {
        true => Ok(()),
        false => Err(AppError::OtherJob { taken: taken.to_owned(), job: job_file(manifest) }),
    }
}

/// Whether a result file is this job's: of the same name, and with the same exports as written. A job file may have been
/// moved.
pub(super) fn is_of_job(cx: &Context, job: &Job, manifest: &Manifest) -> bool {
    match &manifest.reads {
        Some(reads) => reads.is_of_job(&reads_of(job)),
        // The first version kept the path of the job file only.
        None => full(&job_file(manifest)) == full(&cx.base_dir.join(&job.file)),
    }
}

/// The job file that a manifest names.
fn job_file(manifest: &Manifest) -> PathBuf {
    manifest.working_directory.join(&manifest.job)
}

fn full(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

fn reads_of(job: &Job) -> Reads {
    let [visits, scenes] = job.reads.clone();
    let prepared = job.prepared.as_ref().map(|meant| meant.folder.clone());
    Reads { name: job.name.clone(), visits, scenes, prepared }
}

/// Where sessions go. The sandbox has a name of its own: what it got, Trax has not.
fn target_name(job: &Job) -> String {
    match job.target {
        Target::Sandbox => SANDBOX.to_owned(),
        Target::Server => job.endpoint.base_url.clone(),
    }
}

/// What has changed since the manifest that decides ids and target, one line each.
fn changes(job: &Job, manifest: &Manifest) -> Vec<String> {
    let listed = |origin: Origin| {
        let Origin { base_url, project, namespace, ids_version } = origin;
        [("namespace", namespace), ("version", ids_version.to_string()), ("base_url", base_url), ("project", project)]
    };
    let (now, then) = (listed(origin(job)), listed(Origin::of(manifest)));
    now.iter()
        .zip(then)
        // Of a manifest that lacks one, the ids of the rows tell.
        .filter(|((_, now), (_, then))| now != then && !then.is_empty())
        .map(|((name, now), (_, then))| format!("  {name} was {then:?} and is now {now:?}"))
        .collect()
}

/// Whether a result file's visits have the same ids in the same place as this job's.
pub(super) fn same_target(job: &Job, manifest: &Manifest) -> bool {
    changes(job, manifest).is_empty()
}

/// Whether the earlier run went to the sandbox, and the job goes to Trax now.
fn was_trial(job: &Job, manifest: &Manifest) -> bool {
    manifest.base_url == SANDBOX && job.target == Target::Server
}

/// The manifest of a run. `report`: what it has come to; `is_over`: whether that is its end.
/// `inputs`: what it reads, and the hash of the prepared folder among it.
pub(super) fn manifest(
    cx: &Context,
    run: &RunInputs<'_>,
    (inputs, prepared_sha256): (&[Input], Option<&String>),
    report: &RunReport,
    is_over: bool,
) -> Manifest {
    let job = run.job;
    Manifest {
        traxload: env!("TRAXLOAD_VERSION").to_owned(),
        job: job.file.clone(),
        working_directory: cx.full_base_dir(),
        options: run.options.clone(),
        user: host::user(),
        host: host::name(),
        inputs: inputs.to_vec(),
        prepared_sha256: prepared_sha256.cloned(),
        reads: Some(reads_of(job)),
        namespace: job.rules.ids.namespace().to_string(),
        ids_version: job.rules.ids.version().number(),
        base_url: target_name(job),
        project: job.endpoint.project.clone(),
        started_at: rfc3339(cx.now),
        finished_at: is_over.then(|| rfc3339(cx.time())),
        exit_code: is_over.then(|| report.exit.code()),
        counts: report.manifest_counts(),
        sha256: None,
        format: FORMAT,
    }
}
