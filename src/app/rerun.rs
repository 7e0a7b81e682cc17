//! `rerun`: sends again what a result file shows as not delivered. The manifest beside it says which job made it.

use super::after::After;
use super::pipeline::send_all;
use super::result_file::{ResultFile, goes_on_under_other_ids, is_foreign, is_of_job, refuse_other_job};
use super::run_inputs::RunInputs;
use super::{AppError, Context, JobRequest, RerunHint, Selection, clock};
use crate::job::{DateArg, ExportsMeant, Job, Options, PreparedMeant};
use crate::ledger::Wanted;
use crate::outcome::Status;
use crate::render::quoted;
use crate::results::{Lock, LockError, Manifest, RunOptions, beside, refuse_journal_name, resolve_path};
use crate::summary::{RunCommand, RunReport};
use crate::suspicion::SuspicionCode;
use chrono::NaiveDate;
use std::path::{Path, PathBuf};

/// What [`rerun`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct RerunRequest {
    /// The result file of the run before.
    pub results: PathBuf,
    /// Sends only undelivered visits with these statuses again; empty: all of them.
    pub statuses: Vec<Status>,
    /// In place of the earlier run's rate, such as `120/s`.
    pub rate: Option<String>,
    /// In place of the earlier run's memory for grouping, such as `4GB`.
    pub memory: Option<String>,
    /// Stops softly this long after the start of the program, such as `5h`. The earlier run's limit does not count.
    pub max_duration: Option<String>,
    /// Exports without visits are fine, beside what the earlier run allowed.
    pub allow_empty: bool,
    /// Codes of suspicions and problems that are none this time, beside those that the earlier run accepted.
    pub accept: Vec<String>,
    /// The job file, where it is not the one that the manifest names.
    pub job: Option<PathBuf>,
    /// Drops undelivered visits that are no longer in the exports.
    pub forget_gone: bool,
}

/// Sends again what a result file shows as not delivered, and replaces it with one row per visit again.
///
/// Visits that the file does not know are sent as well. Relative paths of the job mean what they meant to the earlier run.
///
/// # Errors
/// As [`run`](super::run()); and where the job would send the same visits under other ids.
pub fn rerun(cx: &Context, request: &RerunRequest) -> Result<RunReport, AppError> {
    clock::check(cx)?;
    let path = find(cx, &request.results)?;
    let mut manifest = Manifest::read(&path).map_err(|error| unless_running(&path, AppError::NoManifest(error)))?;
    if let Some(job) = &request.job {
        let job = cx.base_dir.join(job);
        manifest.job = std::path::absolute(&job).unwrap_or(job);
        if !manifest.working_directory.is_dir() {
            manifest.working_directory = cx.full_base_dir();
        }
    }
    let manifest = manifest;
    let mut file = ResultFile::reclaim(path.clone(), &manifest, wanted(&request.statuses), request.forget_gone)?;
    let cx = &cx.clone().in_folder(base_dir(cx, &manifest)?);
    let options = options(request, &manifest);
    let job = load(cx, request, &options, &manifest, &path)?;
    if request.job.is_some() {
        refuse_other_job(cx, &job, &manifest, &path)?;
    }
    let after = After::announce(cx, RunCommand::Rerun, &job);
    let selection = Selection { from: day(&options.from), to: day(&options.to), limit: options.limit };
    let start_over = || Some(start_over(cx, &manifest, &path));
    let report = goes_on_under_other_ids(cx, &job, &manifest, &path, start_over).and_then(|is_anew| {
        if is_anew {
            file.begin_anew();
        }
        let cx = &cx.clone().limited_to(job.max_duration);
        send_all(cx, &RunInputs { command: RunCommand::Rerun, job: &job, selection, options }, || Ok(file))
    });
    after.finish(cx, report)
}

fn load(
    cx: &Context,
    request: &RerunRequest,
    options: &RunOptions,
    manifest: &Manifest,
    results: &Path,
) -> Result<Job, AppError> {
    let job_options = job_options(cx, request, manifest, options, results);
    Job::load(&manifest.job, &job_options).map_err(|error| {
        // The day of a rerun is that of the run before.
        let of_some_day = Options { date: Some(DateArg::Today), ..job_options };
        let job = Job::load(&manifest.job, &of_some_day).ok().filter(|_| options.date.is_none());
        match job.map(|job| is_of_job(cx, &job, manifest)) {
            Some(is_same) => AppError::DayUnknown { results: results.to_owned(), job: manifest.job.clone(), is_same },
            None => error.into(),
        }
    })
}

fn wanted(statuses: &[Status]) -> Wanted {
    if statuses.is_empty() { Wanted::Undelivered } else { Wanted::Only(statuses.to_vec()) }
}

/// The full path of a result file that is there, or whose journal is.
fn find(cx: &Context, named: &Path) -> Result<PathBuf, AppError> {
    let path = resolve_path(&cx.base_dir.join(named))?;
    refuse_journal_name(named)?;
    let path = std::path::absolute(&path).unwrap_or(path);
    if is_foreign(&path)? {
        return Err(AppError::NotToRerun { named: named.to_owned(), job: job_hint(cx, named) });
    }
    if !path.exists() && !beside(&path, "partial").exists() {
        return Err(unless_running(&path, AppError::NoResultFile(named.to_owned())));
    }
    Ok(path)
}

/// A run that still reads has left nothing yet: then the user has to wait for that run.
fn unless_running(results: &Path, error: AppError) -> AppError {
    match beside(results, "lock").exists().then(|| Lock::take(results)) {
        Some(Err(held @ LockError::Held { .. })) => held.into(),
        _ => error,
    }
}

/// Most often the user named the job file, as for `run`.
fn job_hint(cx: &Context, named: &Path) -> Option<RerunHint> {
    let job = JobRequest { file: named.to_owned(), ..JobRequest::default() }.load(cx).ok()?;
    let is_there = job.results.exists() || beside(&job.results, "partial").exists();
    Some(if is_there { RerunHint::Results(job.results) } else { RerunHint::FirstRun })
}

/// The folder that the job's relative paths start from: where the earlier run was started. Where that folder was moved, they
/// mean the same in the one where the rerun is started, if the job file is there. Ids and address tell later that it is the
/// same job.
fn base_dir(cx: &Context, manifest: &Manifest) -> Result<PathBuf, AppError> {
    let folder = &manifest.working_directory;
    let is_there = |folder: &Path| folder.join(&manifest.job).is_file();
    let here = cx.full_base_dir();
    // A manifest of an older version may not say.
    if here == *folder || folder.as_os_str().is_empty() {
        return Ok(cx.base_dir.clone());
    }
    if manifest.job.is_relative() && !is_there(folder) && is_there(&here) {
        cx.warn(&format!(
            "{} is no longer in {}, where the run was started; using the one in this folder",
            manifest.job.display(),
            folder.display()
        ));
        return Ok(cx.base_dir.clone());
    }
    let gone = |source| AppError::FolderGone { folder: folder.clone(), job: manifest.job.clone(), source };
    std::fs::read_dir(folder).map_err(gone)?;
    Ok(folder.clone())
}

/// What the earlier run was told about the job, and what this request has of its own.
fn options(request: &RerunRequest, manifest: &Manifest) -> RunOptions {
    let mut options = manifest.options.clone();
    options.rate = request.rate.clone().or(options.rate);
    options.memory = request.memory.clone().or(options.memory);
    options.allow_empty |= request.allow_empty;
    if std::mem::take(&mut options.ignore_unreadable_scenes) {
        options.accept.push(SuspicionCode::UnreadableScenes.name().to_owned());
    }
    let more = request.accept.iter().filter(|code| !manifest.options.accept.contains(code));
    options.accept.extend(more.cloned());
    options
}

fn job_options(
    cx: &Context,
    request: &RerunRequest,
    manifest: &Manifest,
    options: &RunOptions,
    results: &Path,
) -> Options {
    Options {
        base_dir: cx.base_dir.clone(),
        date: day(&options.date).map(DateArg::Day),
        now: cx.now,
        results: Some(results.to_owned()),
        rate: options.rate.clone(),
        memory: options.memory.clone(),
        max_duration: request.max_duration.clone(),
        accept: options.accept.clone(),
        exports: match manifest.reads.as_ref().and_then(|reads| reads.prepared.clone()) {
            Some(folder) => ExportsMeant::Prepared(PreparedMeant { folder, expect: options.expect.clone() }),
            None => ExportsMeant::OfJob,
        },
    }
}

fn day(day: &Option<String>) -> Option<NaiveDate> {
    day.as_deref().and_then(|day| day.parse().ok())
}

/// The command that starts the job over with the options of the earlier run.
fn start_over(cx: &Context, manifest: &Manifest, results: &Path) -> String {
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut command = String::new();
    if !cx.base_dir.as_os_str().is_empty() {
        command.push_str(&format!("cd {} && ", path(&cx.base_dir)));
    }
    let job = path(&manifest.job);
    command.push_str(&match manifest.reads.as_ref().and_then(|reads| reads.prepared.as_ref()) {
        Some(folder) => format!("traxload upload {job} {}", quoted(folder)),
        None => format!("traxload run {job}"),
    });
    command.push_str(&format!(" --results {}", path(results)));
    let RunOptions { date, from, to, limit, rate, memory, allow_empty, expect, accept, ignore_unreadable_scenes: _ } =
        &manifest.options;
    let limit = limit.map(|limit| limit.to_string());
    let accept = Some(accept.join(",")).filter(|codes| !codes.is_empty());
    let valued = [
        ("date", date),
        ("from", from),
        ("to", to),
        ("limit", &limit),
        ("rate", rate),
        ("memory", memory),
        ("expect", expect),
        ("accept", &accept),
    ];
    for (name, value) in valued {
        if let Some(value) = value {
            command.push_str(&format!(" --{name} {}", quoted(value)));
        }
    }
    if *allow_empty {
        command.push_str(" --allow-empty");
    }
    command + " --fresh"
}
