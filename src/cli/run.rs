//! `traxload run` and `traxload rerun`: the plan of a job from its file to its result.

use super::ending::{Ended, Ending};
use super::exit::{Exit, Failure};
use super::exports::{Opened, Selection};
use super::metrics::Figures;
use super::next::quoted;
use super::report;
use super::screen::Console;
use super::send::{Sending, Sent, http_failure, results_failure};
use super::signals::Signals;
use super::summary::Summary;
use super::survey::{Survey, SurveyError, survey};
use super::taking_up::{is_foreign, refuse_other_ids, refuse_other_job, target_name};
use super::text::count;
use super::token::token;
use super::{RerunArgs, RunArgs};
use crate::job::{DateArg, Job, Options};
use crate::results::{
    Candidate, Counts, Journal, Lock, LockError, Manifest, Previous, ResultsError, RunOptions, Wanted, beside,
    keeps_row, make_room, move_aside, outstanding,
};
use crate::shuffle::{Grouped, Tally};
use crate::upload::{Http, Status, Stop, Token, Traffic};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// One run of a job, whether it is the first or not.
struct Run<'a> {
    command: &'static str,
    job: Job,
    selection: Selection,
    options: RunOptions,
    wanted: Wanted,
    previous: Option<Previous>,
    /// Whether an older result file is moved aside.
    fresh: bool,
    now: DateTime<Utc>,
    /// The start of the process.
    began: Instant,
    json: bool,
    console: &'a Console,
}

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
    job: Job,
    now: DateTime<Utc>,
    began: Instant,
    stop: &Stop,
    signals: &Signals,
    console: &Console,
) -> Result<Ended, Failure> {
    let token = token(&job, console)?;
    make_room(&job.results).map_err(|error| usage(&error))?;
    let lock = lock(&job.results)?;
    let results = &job.results;
    if !args.job.fresh
        && let Some(path) = [beside(results, "partial"), results.clone()].iter().find(|path| is_foreign(path))
    {
        let message =
            format!("{} is there already and is no result file of traxload; name another one", path.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    let mut previous = None;
    if !args.job.fresh {
        if results.exists() {
            let path = results.display();
            return Err(Failure::new(
                Exit::Usage,
                format!(
                    "{path} is there already, from a finished run.\n\
                     To send what it shows as not delivered: traxload rerun {path}\n\
                     To begin anew and keep the old file aside: add --fresh"
                ),
            ));
        }
        previous = Previous::find(results).map_err(|error| usage(&error))?;
    }
    if previous.is_some() {
        if let Ok(manifest) = Manifest::read(results) {
            refuse_other_ids(&job, &manifest)?;
            refuse_other_job(&job, &manifest)?;
        }
        let path = beside(results, "partial");
        console.report(&format!("taking up {}, which a run left that did not finish\n", path.display()));
    }
    let options = args.job.run_options(job.date);
    let selection = args.job.selection()?;
    let wanted = Wanted::Undelivered;
    let fresh = args.job.fresh;
    let run = Run {
        command: "run",
        job,
        selection,
        options,
        wanted,
        previous,
        fresh,
        now,
        began,
        json: args.job.json,
        console,
    };
    run.finish(token, stop, signals, lock)
}

pub(super) fn rerun(args: &RerunArgs, now: DateTime<Utc>, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let signals = Signals::listen(&stop);
    let wanted = wanted(&args.status)?;
    let results = std::path::absolute(&args.results).map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
    if !results.exists() && !beside(&results, "partial").exists() {
        let message = format!(
            "there is no result file {} and no journal of one; is the path right? A first run is traxload run JOB",
            args.results.display()
        );
        return Err(Failure::new(Exit::Usage, message));
    }
    let manifest = Manifest::read(&results).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!(
                "{error}\nThe manifest beside a result file says which job it belongs to; without it, use traxload run."
            ),
        )
    })?;
    let lock = lock(&results)?;
    // The job's relative paths mean what they meant.
    std::env::set_current_dir(&manifest.working_directory).map_err(|error| {
        let folder = manifest.working_directory.display();
        Failure::new(Exit::Usage, format!("cannot go to {folder}, from where the run was started: {error}; put the folder back, or begin anew with traxload run"))
    })?;
    let mut options = manifest.options.clone();
    options.rate = args.rate.clone().or(options.rate);
    options.memory = args.memory.clone().or(options.memory);
    options.ignore_unreadable_scenes |= args.ignore_unreadable_scenes;
    options.allow_empty |= args.allow_empty;
    let day = |day: &Option<String>| -> Option<NaiveDate> { day.as_deref().and_then(|day| day.parse().ok()) };
    let job_options = Options {
        date: day(&options.date).map(DateArg::Day),
        now,
        results: Some(results.clone()),
        rate: options.rate.clone(),
        memory: options.memory.clone(),
        // Not the earlier run's: its window was another one.
        max_duration: args.max_duration.clone(),
    };
    let job = Job::load(&manifest.job, &job_options)?;
    let ending = Ending::new("rerun", &job, began, console);
    signals.at_the_end(&ending);
    let again = || {
        refuse_other_ids(&job, &manifest)?;
        let token = token(&job, console)?;
        let previous = Previous::find(&results).map_err(|error| usage(&error))?;
        let selection = Selection {
            from: day(&options.from),
            to: day(&options.to),
            limit: options.limit,
            ignore_unreadable_scenes: options.ignore_unreadable_scenes,
        };
        let fresh = false;
        let run = Run {
            command: "rerun",
            job,
            selection,
            options,
            wanted,
            previous,
            fresh,
            now,
            began,
            json: args.json,
            console,
        };
        run.finish(token, &stop, &signals, lock)
    };
    ending.after(again())
}

fn usage(error: &ResultsError) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}

fn lock(results: &Path) -> Result<Lock, Failure> {
    Lock::take(results).map_err(|error| match &error {
        LockError::Held { .. } => Failure::new(Exit::Locked, error.to_string()),
        LockError::Unwritable { source, .. } if source.kind() == ErrorKind::StorageFull => {
            Failure::new(Exit::Unexpected, error.to_string())
        }
        LockError::Unwritable { .. } => Failure::new(Exit::Usage, error.to_string()),
    })
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

impl Run<'_> {
    /// Reads, checks, sends and writes the result file. `lock` is held to the end.
    fn finish(&self, token: Token, stop: &Stop, signals: &Signals, lock: Lock) -> Result<Ended, Failure> {
        let opened = Opened::new(&self.job)?;
        for warning in &self.job.warnings {
            self.console.warn(warning);
        }
        let inputs = opened.paths().chain([self.job.file.as_path()]).filter_map(|path| path.canonicalize().ok());
        let inputs: Vec<PathBuf> = inputs.collect();
        let exports = opened.read(&self.job, &self.selection)?;
        for warning in &exports.warnings {
            self.console.warn(warning);
        }
        let previous = |visit: &str| self.previous.as_ref().and_then(|previous| previous.status(visit));
        let outstanding = |grouped: &Grouped, range: Range<usize>| {
            let visits = range.map(|at| {
                let visit = grouped.visit(at);
                Candidate { at, key: visit.key(), is_first: visit.is_first() }
            });
            outstanding(previous, visits, &self.wanted)
        };
        let mut known = HashSet::new();
        let survey = survey(
            &exports.shuffled,
            &self.job.rules,
            self.now.timestamp(),
            &outstanding,
            |grouped| self.note_known(grouped, &mut known),
            None,
        );
        let survey = survey.map_err(|error| match error {
            SurveyError::Shuffle(error) => error.into(),
            SurveyError::Write(error) => Failure::new(Exit::Unexpected, error.to_string()),
        })?;
        if survey.rows() == 0 && !self.options.allow_empty {
            return Err(Failure::new(
                Exit::NoVisits,
                "there are no visits in the exports; is the export late? --allow-empty makes that fine",
            ));
        }
        for warning in survey.warnings(exports.flat) {
            self.console.warn(&warning);
        }
        self.refuse_changed_ids(&known)?;
        // Fails where the token or a certificate cannot be used, before anything is touched.
        Http::new(&self.job.endpoint, token.clone(), 1).map_err(http_failure)?;
        if self.fresh {
            self.move_aside(&inputs)?;
        }
        let counts = Counts::default();
        let traffic = Traffic::default();
        self.write_manifest(&survey.tally, &counts, 0, None)?;
        let journal = self.begin_journal(&known, &counts).map_err(|error| results_failure(&error))?;
        let carried_and_gone = counts.carried_over() - survey.passed_over;
        let too_many = self.too_many_invalid(&survey, &counts);
        signals.soften();
        let sending = Sending {
            job: &self.job,
            shuffled: &exports.shuffled,
            now: self.now.timestamp(),
            outstanding: &outstanding,
            rows: survey.rows() + carried_and_gone,
            stop,
            deadline: self.job.max_duration.map(|longest| self.began + longest),
            counts: &counts,
            traffic: &traffic,
        };
        let sent_from = Instant::now();
        let (Sent { kept }, journal) = sending.run((!too_many).then_some(token), journal, self.console)?;
        let sending = sent_from.elapsed();
        self.account(&survey.tally, &counts, kept, carried_and_gone)?;
        let exit = Exit::of(stop.reason(), too_many, &counts);
        // First the manifest: where it cannot be written, the journal stays and the same command goes on.
        self.write_manifest(&survey.tally, &counts, carried_and_gone, Some(exit))?;
        journal.finish().map_err(|error| results_failure(&error))?;
        drop(lock);
        let summary = Summary {
            command: self.command,
            name: &self.job.name,
            results: &self.job.results,
            tally: &survey.tally,
            identical_scenes: survey.identical_scenes,
            counts: &counts,
            traffic: &traffic,
            elapsed: self.began.elapsed(),
            stopped: stop.reason(),
            max_duration: self.job.max_duration,
            exit,
            carried_and_gone,
            undelivered_and_gone: self.undelivered_and_gone(&known),
        };
        if summary.undelivered_and_gone > 0 {
            let gone = count(summary.undelivered_and_gone, "visit", "visits");
            self.console
                .warn(&format!("{gone} of the earlier run, not delivered, left the exports and so the result file; if they matter, export them again and rerun"));
        }
        if too_many {
            self.console.error(&format!(
                "{} of {} visits are invalid, more than max_invalid = {}: nothing was sent; traxload check {} lists the problems",
                counts.get(Status::Invalid),
                survey.rows(),
                self.job.max_invalid,
                quoted(&self.job.file.display().to_string())
            ));
        }
        let json = summary.json();
        self.console.finish(&summary.text(), &json);
        if self.console.is_quiet() && exit != Exit::Done {
            self.console.error(&summary.in_short());
        }
        if self.job.report {
            report::beside_results(&self.job.results, self.console);
        }
        if self.json {
            self.console.data(&json.to_string())?;
        }
        let figures = Figures {
            visits: Status::ALL.map(|status| (status, counts.get(status))),
            requests: traffic.requests(),
            retries: traffic.retries(),
            pauses: traffic.pauses(),
            sending,
        };
        Ok(Ended { exit, figures, in_short: summary.in_short(), summary: json })
    }

    /// `inputs`: what the run reads, which no wrong `--results` may move away.
    fn move_aside(&self, inputs: &[PathBuf]) -> Result<(), Failure> {
        let results = &self.job.results;
        if results.canonicalize().is_ok_and(|results| inputs.contains(&results)) {
            let message = format!("{} is what the job reads; name another result file", results.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        let stamp = self.now.format("%Y%m%dT%H%M%SZ").to_string();
        if let Some(moved) = move_aside(&self.job.results, &stamp).map_err(|error| usage(&error))? {
            self.console.report(&format!("the older result file is now {}\n", moved.display()));
        }
        Ok(())
    }

    /// Which visits of the earlier run are still in the exports.
    fn note_known(&self, grouped: &Grouped, known: &mut HashSet<String>) {
        let Some(previous) = &self.previous else { return };
        let there = previous.visits().filter(|(visit, ..)| grouped.contains(visit));
        known.extend(there.map(|(visit, ..)| visit.to_owned()));
    }

    /// A journal that was written under other ids would hide visits that the API has not got under these.
    fn refuse_changed_ids(&self, known: &HashSet<String>) -> Result<(), Failure> {
        let Some(previous) = &self.previous else { return Ok(()) };
        let changed = previous.visits().find_map(|(visit, status, uid)| {
            let now = self.job.rules.ids.session(visit).uid;
            let uid = uid.filter(|uid| status.is_delivered() && *uid != now && known.contains(visit))?;
            Some(format!("the visit {visit:?} was {uid} and would now be {now}"))
        });
        match changed {
            None => Ok(()),
            Some(changed) => Err(Failure::new(
                Exit::Usage,
                format!(
                    "the ids of the job have changed since the run before: {changed}. Set namespace, version, base_url or project back, or begin anew with --fresh."
                ),
            )),
        }
    }

    fn begin_journal(&self, known: &HashSet<String>, counts: &Counts) -> Result<Journal, ResultsError> {
        let Some(previous) = &self.previous else { return crate::results::begin(&self.job.results) };
        let keeps = |visit: &str, status| keeps_row(status, known.contains(visit), &self.wanted);
        let (journal, kept) = previous.carry_over(&self.job.results, keeps)?;
        for (status, rows) in kept {
            counts.carry_over(status, rows);
        }
        Ok(journal)
    }

    fn undelivered_and_gone(&self, known: &HashSet<String>) -> u64 {
        let Some(previous) = &self.previous else { return 0 };
        let gone = previous.visits().filter(|(visit, status, _)| !status.is_delivered() && !known.contains(*visit));
        gone.count() as u64
    }

    /// Invalid visits whose rows stay as they are count as well: the share is that of the whole export.
    fn too_many_invalid(&self, survey: &Survey, counts: &Counts) -> bool {
        let invalid = survey.invalid + counts.get(Status::Invalid);
        self.job.max_invalid.is_exceeded(invalid, survey.rows())
    }

    /// Every visit row of the exports ends in exactly one result row, and the counts add up.
    fn account(&self, tally: &Tally, counts: &Counts, kept: u64, carried_and_gone: u64) -> Result<(), Failure> {
        let rows = counts.rows();
        let in_exports = rows - carried_and_gone;
        let adds_up = tally.visit_rows == in_exports + tally.identical_duplicates
            && kept + carried_and_gone == counts.carried_over();
        if adds_up {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Unexpected,
            format!(
                "the counts do not add up: {} rows read, {in_exports} result rows, {} identical duplicates, {kept} kept. \
                 This is a bug of traxload; please report it. The rows are in {}.",
                tally.visit_rows,
                tally.identical_duplicates,
                beside(&self.job.results, "partial").display()
            ),
        ))
    }

    fn write_manifest(&self, tally: &Tally, counts: &Counts, gone: u64, exit: Option<Exit>) -> Result<(), Failure> {
        let written = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut by_status: BTreeMap<String, u64> =
            Status::ALL.into_iter().map(|status| (status.name().to_owned(), counts.get(status))).collect();
        by_status.insert("carried_over".to_owned(), counts.carried_over());
        // The sum of a run, for whoever reads its result file later.
        by_status.insert("carried_over_not_in_exports".to_owned(), gone);
        by_status.insert("rows_read".to_owned(), tally.visit_rows);
        by_status.insert("identical_duplicates".to_owned(), tally.identical_duplicates);
        let manifest = Manifest {
            traxload: env!("CARGO_PKG_VERSION").to_owned(),
            job: self.job.file.clone(),
            working_directory: std::env::current_dir().unwrap_or_else(|_| PathBuf::from(".")),
            options: self.options.clone(),
            namespace: self.job.rules.ids.namespace().to_string(),
            ids_version: self.job.rules.ids.version().number(),
            base_url: target_name(&self.job),
            project: self.job.endpoint.project.clone(),
            started_at: written(self.now),
            finished_at: exit.map(|_| written(Utc::now())),
            exit_code: exit.map(Exit::code),
            counts: by_status,
        };
        manifest.write(&self.job.results).map_err(|error| results_failure(&error))
    }
}
