//! `traxload rerun`: from a result file, by the manifest beside it, to another run of the same job.

use super::RerunArgs;
use super::course::{Before, Run};
use super::ending::Ending;
use super::exit::{Exit, Failure};
use super::exports::Selection;
use super::next::{quoted, rerun as rerun_of};
use super::run::lock;
use super::screen::Console;
use super::signals::Signals;
use super::taking_up::{is_foreign, refuse_other_ids};
use super::token::token;
use crate::job::{DateArg, Job, Options};
use crate::outcome::Status;
use crate::results::{Manifest, RunOptions, Wanted, beside, located};
use crate::upload::Stop;
use chrono::{DateTime, NaiveDate, Utc};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub(super) fn rerun(args: &RerunArgs, now: DateTime<Utc>, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let signals = Signals::listen(&stop);
    let wanted = wanted(&args.status)?;
    let results = find(&args.results, now)?;
    let manifest = Manifest::read(&results).map_err(|error| {
        let message = format!(
            "{error}\nThe manifest beside a result file says which job it belongs to; without it, use traxload run."
        );
        unless_running(&results, Failure::new(Exit::Usage, message))
    })?;
    let lock = lock(&results)?;
    let here = std::env::current_dir().ok();
    go_where_it_was_started(&manifest, here.as_deref(), console)?;
    let options = options(args, &manifest);
    let job = Job::load(&manifest.job, &job_options(args, &options, &results, now))?;
    let ending = Ending::new("rerun", &job, began, console);
    signals.at_the_end(&ending);
    let again = || {
        refuse_other_ids(&job, &manifest, || anew(&manifest, &results, here.as_deref()))?;
        let token = token(&job, console)?;
        let selection = Selection {
            from: day(&options.from),
            to: day(&options.to),
            limit: options.limit,
            ignore_unreadable_scenes: options.ignore_unreadable_scenes,
        };
        let run = Run {
            command: "rerun",
            job,
            selection,
            options,
            before: Before::TakenUp { wanted, rows: rows_then(&manifest, &results) },
            now,
            began,
            json: args.json,
            console,
        };
        run.finish(token, &stop, &signals, lock)
    };
    ending.after(again())
}

/// How many rows the result file had when its run ended, where no later one has begun.
fn rows_then(manifest: &Manifest, results: &Path) -> Option<u64> {
    manifest.rows().filter(|_| !beside(results, "partial").exists())
}

fn wanted(statuses: &[String]) -> Result<Wanted, Failure> {
    if statuses.is_empty() {
        return Ok(Wanted::Undelivered);
    }
    let known = || Status::ALL.into_iter().filter(|status| !status.is_delivered());
    let parsed = statuses.iter().map(|name| {
        known().find(|status| status.name() == name.trim()).ok_or_else(|| {
            let names: Vec<&str> = known().map(Status::name).collect();
            Failure::new(
                Exit::Usage,
                format!("{name:?} is no status that can be sent again; there are {}", names.join(", ")),
            )
        })
    });
    parsed.collect::<Result<_, _>>().map(Wanted::Only)
}

/// The full path of a result file that is there, or whose journal is.
fn find(named: &Path, now: DateTime<Utc>) -> Result<PathBuf, Failure> {
    let path = located(named).map_err(|error| Failure::of_results(&error))?;
    let path = std::path::absolute(path).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    if is_foreign(&path)? {
        return Err(no_result_file(named, now));
    }
    if !path.exists() && !beside(&path, "partial").exists() {
        let message = format!(
            "there is no result file {} and no journal of one; is the path right? A first run is traxload run JOB",
            named.display()
        );
        return Err(unless_running(&path, Failure::new(Exit::Usage, message)));
    }
    Ok(path)
}

/// A run that still reads has left nothing yet: then it is that run which has to be waited for.
fn unless_running(results: &Path, failure: Failure) -> Failure {
    match beside(results, "lock").exists().then(|| lock(results)) {
        Some(Err(locked)) if locked.exit == Exit::Locked => locked,
        _ => failure,
    }
}

/// Most often it is the job file, with which `run` begins.
fn no_result_file(named: &Path, now: DateTime<Utc>) -> Failure {
    let mut message = format!(
        "{} is no result file of traxload; a rerun takes the result file of the run before, not its job",
        named.display()
    );
    let options = Options { date: None, now, results: None, rate: None, memory: None, max_duration: None };
    if let Ok(job) = Job::load(named, &options) {
        let command = if job.results.exists() || beside(&job.results, "partial").exists() {
            rerun_of(&job.results)
        } else {
            format!("traxload run {}", quoted(&named.display().to_string()))
        };
        message.push_str(&format!(". For this job: {command}"));
    }
    Failure::new(Exit::Usage, message)
}

/// The job's relative paths mean what they meant. Where its folder was moved, they mean the same in the one where the
/// rerun is started, if the job file is there: that it is the same job, its ids and its address tell later.
fn go_where_it_was_started(manifest: &Manifest, here: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let folder = &manifest.working_directory;
    let is_there = |folder: &Path| folder.join(&manifest.job).is_file();
    if manifest.job.is_relative() && !is_there(folder) && here.is_some_and(is_there) {
        let job = manifest.job.display();
        console.warn(&format!(
            "{job} is not in {} any more, where the run was started; taking the one in this folder",
            folder.display()
        ));
        return Ok(());
    }
    std::env::set_current_dir(folder).map_err(|error| {
        let message = format!(
            "cannot go to {}, from where the run was started: {error}. Where it was moved, go to the folder in which {} is \
             now and rerun from there",
            folder.display(),
            manifest.job.display()
        );
        Failure::new(Exit::Usage, message)
    })
}

/// Those of the run before, and what this command line has of its own.
fn options(args: &RerunArgs, manifest: &Manifest) -> RunOptions {
    let mut options = manifest.options.clone();
    options.rate = args.rate.clone().or(options.rate);
    options.memory = args.memory.clone().or(options.memory);
    options.ignore_unreadable_scenes |= args.ignore_unreadable_scenes;
    options.allow_empty |= args.allow_empty;
    options
}

fn job_options(args: &RerunArgs, options: &RunOptions, results: &Path, now: DateTime<Utc>) -> Options {
    Options {
        date: day(&options.date).map(DateArg::Day),
        now,
        results: Some(results.to_owned()),
        rate: options.rate.clone(),
        memory: options.memory.clone(),
        // Not the earlier run's: its window was another one.
        max_duration: args.max_duration.clone(),
    }
}

fn day(day: &Option<String>) -> Option<NaiveDate> {
    day.as_deref().and_then(|day| day.parse().ok())
}

/// The command that begins the job anew with the same options, typed in the folder `here`.
fn anew(manifest: &Manifest, results: &Path, here: Option<&Path>) -> String {
    let path = |path: &Path| quoted(&path.display().to_string());
    let mut command = String::new();
    // By now this process is where the run was started.
    let there = std::env::current_dir().ok();
    if let Some(there) = there.filter(|there| here != Some(there)) {
        command.push_str(&format!("cd {} && ", path(&there)));
    }
    command.push_str(&format!("traxload run {} --results {}", path(&manifest.job), path(results)));
    let RunOptions { date, from, to, limit, rate, memory, ignore_unreadable_scenes, allow_empty } = &manifest.options;
    let limit = limit.map(|limit| limit.to_string());
    let valued = [("date", date), ("from", from), ("to", to), ("limit", &limit), ("rate", rate), ("memory", memory)];
    for (name, value) in valued {
        if let Some(value) = value {
            command.push_str(&format!(" --{name} {}", quoted(value)));
        }
    }
    for (name, is_set) in [("ignore-unreadable-scenes", ignore_unreadable_scenes), ("allow-empty", allow_empty)] {
        if *is_set {
            command.push_str(&format!(" --{name}"));
        }
    }
    command + " --fresh"
}
