//! `traxload run`: from a job file to a run of it.

use super::RunArgs;
use super::course::{Before, Run};
use super::ending::{Ended, Ending};
use super::exit::{Exit, Failure};
use super::next::this_command_with;
use super::screen::Console;
use super::signals::Signals;
use super::taking_up::{is_foreign, is_in_the_way, refuse_other_ids, refuse_other_job};
use super::token::token;
use crate::job::Job;
use crate::results::{Lock, LockError, Manifest, Wanted, beside, located, make_room};
use crate::upload::Stop;
use chrono::{DateTime, Utc};
use std::path::Path;
use std::time::Instant;

pub(super) fn run(args: &RunArgs, now: DateTime<Utc>, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let signals = Signals::listen(&stop);
    let job = Job::load(&args.job.job, &args.job.options(now))?;
    let ending = Ending::new("run", &job, began, console);
    signals.at_the_end(&ending);
    ending.after(first(args, job, now, began, &stop, &signals, console))
}

/// A run with a job, which has to have an end of its own from here on.
fn first(
    args: &RunArgs,
    mut job: Job,
    now: DateTime<Utc>,
    began: Instant,
    stop: &Stop,
    signals: &Signals,
    console: &Console,
) -> Result<Ended, Failure> {
    let token = token(&job, console)?;
    job.results = located(&job.results).map_err(|error| Failure::of_results(&error))?;
    make_room(&job.results).map_err(|error| Failure::of_results(&error))?;
    let lock = lock(&job.results)?;
    let before = if args.job.fresh {
        Before::MovedAside
    } else if unfinished(&job, console)? {
        Before::TakenUp { wanted: Wanted::Undelivered, rows: None }
    } else {
        Before::Nothing
    };
    let run = Run {
        command: "run",
        selection: args.job.selection()?,
        options: args.job.run_options(job.date),
        job,
        before,
        now,
        began,
        json: args.job.json,
        console,
    };
    run.finish(token, stop, signals, lock)
}

/// Whether there is what a run left that died, which is taken up. A finished result file is not for `run`.
fn unfinished(job: &Job, console: &Console) -> Result<bool, Failure> {
    let results = &job.results;
    let partial = beside(results, "partial");
    for path in [&partial, results] {
        if is_foreign(path)? {
            let message = format!(
                "{} is there already and is no result file of traxload; move it away, or name another one with --results",
                path.display()
            );
            return Err(Failure::new(Exit::Usage, message));
        }
    }
    if results.exists() {
        return Err(is_in_the_way(job));
    }
    let is_there = partial.exists();
    if is_there {
        if let Ok(manifest) = Manifest::read(results) {
            refuse_other_ids(job, &manifest, || this_command_with("--fresh"))?;
            refuse_other_job(job, &manifest)?;
        }
        console.report(&format!("taking up {}, which a run left that did not finish\n", partial.display()));
    }
    Ok(is_there)
}

pub(super) fn lock(results: &Path) -> Result<Lock, Failure> {
    Lock::take(results).map_err(|error| match &error {
        LockError::Held { .. } => Failure::new(Exit::Locked, error.to_string()),
        LockError::Unwritable { source, .. } => Failure::new(Exit::of_write(source), error.to_string()),
    })
}
