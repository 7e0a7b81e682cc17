//! The course of one run from its exports to its result file, whether it is the first of its job or not.

use super::accounting;
use super::earlier::Earlier;
use super::ending::Ended;
use super::exit::{Exit, Failure};
use super::exports::{Exports, Opened, Selection, no_visits};
use super::metrics::Figures;
use super::next::quoted;
use super::report;
use super::screen::Console;
use super::send::{Sending, Sent, http_failure, results_failure};
use super::signals::Signals;
use super::summary::Summary;
use super::survey::{Survey, survey};
use super::taking_up::target_name;
use super::text::count;
use crate::job::{Job, Target};
use crate::outcome::Status;
use crate::results::{Counts, Journal, Lock, Manifest, RunOptions, Wanted, move_aside};
use crate::shuffle::Tally;
use crate::upload::{Http, Stop, Token, Traffic};
use chrono::{DateTime, SecondsFormat, Utc};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// One run of a job.
pub(super) struct Run<'a> {
    pub(super) command: &'static str,
    pub(super) job: Job,
    pub(super) selection: Selection,
    pub(super) options: RunOptions,
    pub(super) before: Before,
    pub(super) now: DateTime<Utc>,
    /// The start of the process.
    pub(super) began: Instant,
    pub(super) json: bool,
    pub(super) console: &'a Console,
}

/// What becomes of a result file or a journal that is there already.
pub(super) enum Before {
    /// There is none.
    Nothing,
    /// It is moved aside.
    MovedAside,
    /// Its rows are taken over.
    TakenUp {
        /// Of its undelivered visits these are sent again.
        wanted: Wanted,
        /// How many rows there were when the run ended that wrote them, if it did.
        rows: Option<u64>,
    },
}

/// What a run is after everything was read and checked, and before anything is sent.
struct Ready {
    exports: Exports,
    survey: Survey,
    earlier: Earlier,
    /// Rows that stay of visits that are not in the exports any more.
    gone: u64,
}

impl Run<'_> {
    /// Reads, checks, sends and writes the result file. `lock` is held to the end.
    pub(super) fn finish(&self, token: Token, stop: &Stop, signals: &Signals, lock: Lock) -> Result<Ended, Failure> {
        let opened = self.open()?;
        let inputs = self.inputs(&opened);
        let mut ready = self.read(opened)?;
        // Fails where the token or a certificate cannot be used, before anything is touched.
        Http::new(&self.job.endpoint, token.clone(), 1).map_err(http_failure)?;
        if matches!(self.before, Before::MovedAside) {
            self.move_aside(&inputs)?;
        }
        let (counts, traffic) = (Counts::default(), Traffic::default());
        let journal = self.begin_journal(&mut ready, &counts)?;
        let too_many = self.too_many_invalid(&ready.survey, &counts);
        signals.soften();
        let sent_from = Instant::now();
        let journal = self.send(&ready, (!too_many).then_some(token), stop, &counts, &traffic, journal)?;
        let sending = sent_from.elapsed();
        let exit = Exit::of_run(stop.reason(), too_many, counts.delivered() == counts.rows());
        // First the manifest: where it cannot be written, the journal stays and the same command goes on.
        self.write_manifest(&ready, &counts, Some(exit))?;
        journal.finish().map_err(|error| results_failure(&error))?;
        drop(lock);
        let summary = self.summary(&ready, &counts, &traffic, stop, exit);
        if too_many {
            self.console.error(&self.why_nothing_was_sent(&ready.survey, &counts));
        }
        self.tell(&summary, sending)
    }

    /// The exports, found and with their columns, but not read.
    fn open(&self) -> Result<Opened, Failure> {
        let opened = Opened::new(&self.job)?;
        for warning in &self.job.warnings {
            self.console.warn(warning);
        }
        Ok(opened)
    }

    /// What the run reads, which no wrong `--results` may move away.
    fn inputs(&self, opened: &Opened) -> Vec<PathBuf> {
        opened.paths().chain([self.job.file.as_path()]).filter_map(|path| path.canonicalize().ok()).collect()
    }

    /// Reads everything and builds every visit once, so that it is known what there is to send.
    fn read(&self, opened: Opened) -> Result<Ready, Failure> {
        let (exports, earlier) = std::thread::scope(|scope| {
            let earlier = scope.spawn(|| self.earlier());
            let exports = opened.read(&self.job, &self.selection, self.now.timestamp());
            let panicked = |_| {
                Failure::new(
                    Exit::Unexpected,
                    "reading the earlier results broke off; this is a bug of traxload, please report it",
                )
            };
            Ok::<_, Failure>((exports?, earlier.join().map_err(panicked)??))
        })?;
        for warning in &exports.warnings {
            self.console.warn(warning);
        }
        let survey = survey(
            &exports,
            &self.job.rules,
            self.now.timestamp(),
            &|grouped, range| earlier.outstanding(grouped, range),
            None,
        )?;
        if survey.rows() == 0 && !self.options.allow_empty {
            return Err(Failure::new(Exit::NoVisits, no_visits(&survey.tally)));
        }
        for warning in survey.warnings(exports.flat) {
            self.console.warn(&warning);
        }
        accounting::scenes(&survey.tally, survey.grouped_scenes)?;
        for warning in earlier.warnings() {
            self.console.warn(&warning);
        }
        earlier.refuse_changed_ids()?;
        let gone = earlier.delivered_and_gone();
        Ok(Ready { exports, survey, earlier, gone })
    }

    /// The rows of the run before that are taken over.
    fn earlier(&self) -> Result<Earlier, Failure> {
        let Before::TakenUp { wanted, rows } = &self.before else { return Ok(Earlier::none(&self.job.rules.ids)) };
        Earlier::read(&self.job.results, wanted.clone(), *rows, &self.job.rules.ids)
            .map_err(|error| Failure::of_results(&error))
    }

    fn move_aside(&self, inputs: &[PathBuf]) -> Result<(), Failure> {
        let results = &self.job.results;
        if results.canonicalize().is_ok_and(|results| inputs.contains(&results)) {
            let message = format!("{} is what the job reads; name another result file", results.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        let stamp = self.now.format("%Y%m%dT%H%M%SZ").to_string();
        if let Some(moved) = move_aside(results, &stamp).map_err(|error| Failure::of_results(&error))? {
            self.console.report(&format!("the older result file is now {}\n", moved.display()));
        }
        Ok(())
    }

    /// First the manifest, which says of a journal which job it belongs to and how many rows it is to have.
    fn begin_journal(&self, ready: &mut Ready, counts: &Counts) -> Result<Journal, Failure> {
        self.write_manifest(ready, counts, None)?;
        ready.earlier.begin_journal(&self.job.results, counts).map_err(|error| results_failure(&error))
    }

    /// Invalid visits whose rows stay as they are count as well: the share is that of the whole export.
    fn too_many_invalid(&self, survey: &Survey, counts: &Counts) -> bool {
        let invalid = survey.invalid + counts.get(Status::Invalid);
        self.job.max_invalid.is_exceeded(invalid, survey.rows())
    }

    fn why_nothing_was_sent(&self, survey: &Survey, counts: &Counts) -> String {
        format!(
            "{} of {} visits are invalid, more than max_invalid = {}: nothing was sent; traxload check {} lists the problems",
            counts.get(Status::Invalid),
            survey.rows(),
            self.job.max_invalid,
            quoted(&self.job.file.display().to_string())
        )
    }

    /// Sends what is outstanding, and makes sure that every visit has its row.
    fn send(
        &self,
        ready: &Ready,
        token: Option<Token>,
        stop: &Stop,
        counts: &Counts,
        traffic: &Traffic,
        journal: Journal,
    ) -> Result<Journal, Failure> {
        let sending = Sending {
            job: &self.job,
            shuffled: &ready.exports.shuffled,
            now: self.now.timestamp(),
            outstanding: &|grouped, range| ready.earlier.outstanding(grouped, range),
            rows: ready.survey.rows() + ready.gone,
            stop,
            deadline: self.job.max_duration.map(|longest| self.began + longest),
            counts,
            traffic,
        };
        let (Sent { kept }, journal) = sending.run(token, journal, self.console)?;
        accounting::visits(&ready.survey.tally, counts, kept, ready.gone, &self.job.results)?;
        Ok(journal)
    }

    fn write_manifest(&self, ready: &Ready, counts: &Counts, exit: Option<Exit>) -> Result<(), Failure> {
        let written = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
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
            counts: sums(&ready.survey.tally, counts, ready.gone),
        };
        manifest.write(&self.job.results).map_err(|error| results_failure(&error))
    }

    fn summary<'s>(
        &'s self,
        ready: &'s Ready,
        counts: &'s Counts,
        traffic: &'s Traffic,
        stop: &Stop,
        exit: Exit,
    ) -> Summary<'s> {
        Summary {
            command: self.command,
            name: &self.job.name,
            is_sandbox: self.job.target == Target::Sandbox,
            results: &self.job.results,
            tally: &ready.survey.tally,
            identical_scenes: ready.survey.identical_scenes,
            counts,
            traffic,
            elapsed: self.began.elapsed(),
            stopped: stop.reason(),
            max_duration: self.job.max_duration,
            exit,
            carried_and_gone: ready.gone,
            undelivered_and_gone: ready.earlier.undelivered_and_gone(),
        }
    }

    /// Everything that is said at the end: warnings, the summary, the page.
    fn tell(&self, summary: &Summary<'_>, sending: Duration) -> Result<Ended, Failure> {
        if summary.undelivered_and_gone > 0 {
            let gone = count(summary.undelivered_and_gone, "visit", "visits");
            self.console
                .warn(&format!("{gone} of the earlier run, not delivered, left the exports and so the result file; if they matter, export them again and rerun"));
        }
        let json = summary.json();
        self.console.finish(&summary.text(), &json);
        if self.console.is_quiet() && summary.exit != Exit::Done {
            self.console.error(&summary.in_short());
        }
        if self.job.report {
            report::beside_results(&self.job.results, self.console);
        }
        if self.json {
            self.console.data(&json.to_string())?;
        }
        let figures = Figures {
            visits: Status::ALL.map(|status| (status, summary.counts.get(status))),
            requests: summary.traffic.requests(),
            retries: summary.traffic.retries(),
            pauses: summary.traffic.pauses(),
            sending,
        };
        Ok(Ended { exit: summary.exit, figures, in_short: summary.in_short(), summary: json })
    }
}

/// The counts of a manifest: rows by status, and the sum of the run for whoever reads its result file later.
fn sums(tally: &Tally, counts: &Counts, gone: u64) -> BTreeMap<String, u64> {
    let by_status = Status::ALL.into_iter().map(|status| (status.name(), counts.get(status)));
    let beside = [
        ("carried_over", counts.carried_over()),
        ("carried_over_not_in_exports", gone),
        ("rows_read", tally.visit_rows),
        ("identical_duplicates", tally.identical_duplicates),
    ];
    by_status.chain(beside).map(|(name, count)| (name.to_owned(), count)).collect()
}
