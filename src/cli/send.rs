//! The second half of a run: builds visits again, bit by bit, as fast as they can be sent, and writes down what becomes
//! of each.
//!
//! ```text
//! this thread: build --visits--> network thread: upload --outcomes--> journal thread
//!                 \----------------- invalid visits -----------------/
//! ```
//!
//! Both channels are short: a slow API or a slow disk holds back the building.

use super::exit::{Exit, Failure};
use super::progress;
use super::screen::Console;
use crate::build::{Builder, CHUNKS_PER_THREAD, Prepared, in_order};
use crate::job::{Job, Target};
use crate::outcome::Outcome;
use crate::results::{Counts, Journal, ResultsError, record};
use crate::sandbox;
use crate::shuffle::{Grouped, ShuffleError, Shuffled};
use crate::upload::{self, Http, HttpError, Stop, Token, Traffic};
use std::ops::{ControlFlow, Range};
use std::time::Instant;
use tokio::sync::mpsc;

/// Chunks of visits that are built and not yet taken by the network, at most.
const AHEAD: usize = 4;
/// Outcomes not yet written, at most.
const BEHIND: usize = 4096;

/// What is to be sent, and by which rules.
pub(super) struct Sending<'a> {
    pub(super) job: &'a Job,
    pub(super) shuffled: &'a Shuffled,
    /// The run's start, in epoch seconds.
    pub(super) now: i64,
    /// Which visits of a stretch get a new row.
    pub(super) outstanding: &'a (dyn Fn(&Grouped, Range<usize>) -> Vec<usize> + Sync),
    /// Rows that the result file will have, for the progress.
    pub(super) rows: u64,
    pub(super) stop: &'a Stop,
    /// When the run has to come to an end.
    pub(super) deadline: Option<Instant>,
    pub(super) counts: &'a Counts,
    pub(super) traffic: &'a Traffic,
}

/// What came of it, beside the counts.
#[derive(Debug)]
pub(super) struct Sent {
    /// Visits of the exports whose rows stay as they were.
    pub(super) kept: u64,
}

/// Visits that follow each other, built.
#[derive(Default)]
struct Chunk {
    /// Visits whose rows stay as they were.
    kept: u64,
    valid: Vec<Prepared>,
    /// What has its outcome without being sent.
    settled: Vec<Outcome>,
    /// For bodies that nobody wants.
    scratch: Vec<u8>,
}

/// Why not everything was handed over.
enum Unfed {
    Shuffle(ShuffleError),
    NobodyTakes,
}

impl From<ShuffleError> for Unfed {
    fn from(error: ShuffleError) -> Self {
        Unfed::Shuffle(error)
    }
}

impl Sending<'_> {
    /// Sends everything outstanding. `token`: `None` where nothing may be sent at all; then valid visits come out as
    /// not attempted.
    pub(super) fn run(
        &self,
        token: Option<Token>,
        journal: Journal,
        console: &Console,
    ) -> Result<(Sent, Journal), Failure> {
        let (outcomes, rows) = mpsc::channel(BEHIND);
        let (visits, queue) = mpsc::channel(AHEAD);
        let (done, until_done) = progress::until_done();
        let sends = token.is_some();
        std::thread::scope(|scope| {
            let writer = scope.spawn(|| write(journal, rows, self.counts));
            let network = {
                let outcomes = outcomes.clone();
                scope.spawn(move || self.network(token, queue, outcomes))
            };
            let shown = scope.spawn(move || progress::show(console, self.rows, self.counts, self.traffic, &until_done));
            let feed = || self.feed(sends, &visits, &outcomes);
            let kept = if sends { beside_the_network(feed) } else { feed() };
            drop((visits, outcomes));
            let sent = network.join();
            let journal = writer.join();
            drop(done);
            let _ = shown.join();
            let panicked = |what| {
                Failure::new(
                    Exit::Unexpected,
                    format!(
                        "the {what} thread broke off; this is a bug of traxload, please report it; the same command takes up what was done"
                    ),
                )
            };
            // A journal that cannot be written is the cause of whatever else went wrong.
            let journal = journal.map_err(|_| panicked("journal"))?.map_err(|error| results_failure(&error))?;
            sent.map_err(|_| panicked("network"))??;
            Ok((Sent { kept: kept? }, journal))
        })
    }

    /// Builds and hands over, part by part. Returns how many visits keep the rows that they have. `sends`: whether
    /// anything may be sent.
    fn feed(
        &self,
        sends: bool,
        visits: &mpsc::Sender<Vec<Prepared>>,
        outcomes: &mpsc::Sender<Outcome>,
    ) -> Result<u64, ShuffleError> {
        let mut kept = 0;
        let fed = self.shuffled.each(|grouped| {
            let builder = Builder::new(&self.job.rules, grouped, self.now);
            let chunk = |range: Range<usize>| {
                let count = range.len();
                let visits = (self.outstanding)(grouped, range);
                let mut chunk = Chunk { kept: (count - visits.len()) as u64, ..Chunk::default() };
                // What is never sent needs no body of its own. There may be millions of them, and whoever has ended the
                // run waits for the last one.
                let is_over = !sends || self.stop.reason().is_some();
                for visit in visits {
                    let settled = if is_over {
                        let identified = builder.identify(visit, &mut chunk.scratch);
                        identified.map(|(identity, payload_sha256)| Outcome::not_attempted(identity, payload_sha256))
                    } else {
                        match builder.prepare(visit) {
                            Ok(prepared) => {
                                chunk.valid.push(prepared);
                                continue;
                            }
                            Err(invalid) => Err(invalid),
                        }
                    };
                    chunk.settled.push(settled.unwrap_or_else(|invalid| Outcome::invalid(*invalid)));
                }
                chunk
            };
            // A chunk for each thread while others are busy: several of them would be milliseconds in which a server on this
            // machine, or whatever brings the answers, has no processor, and the thread that sends has nothing to do.
            let together = if sends { 1 } else { CHUNKS_PER_THREAD };
            let fed = in_order(grouped.len(), together, chunk, |chunk| {
                kept += chunk.kept;
                let is_taken = chunk.settled.into_iter().all(|outcome| outcomes.blocking_send(outcome).is_ok())
                    && (chunk.valid.is_empty() || visits.blocking_send(chunk.valid).is_ok());
                if is_taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            if fed.is_break() { Err(Unfed::NobodyTakes) } else { Ok(()) }
        });
        match fed {
            // The other end is gone only after a failure that its own thread reports; no further part is of use to it.
            Ok(()) | Err(Unfed::NobodyTakes) => Ok(kept),
            Err(Unfed::Shuffle(error)) => Err(error),
        }
    }

    fn network(
        &self,
        token: Option<Token>,
        queue: mpsc::Receiver<Vec<Prepared>>,
        outcomes: mpsc::Sender<Outcome>,
    ) -> Result<(), Failure> {
        // Nothing may be sent, and nothing comes.
        let Some(token) = token else { return Ok(()) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| {
            Failure::new(Exit::Unexpected, format!("cannot start the network: {error}; the same command tries again"))
        })?;
        runtime.block_on(async {
            let mut endpoint = self.job.endpoint.clone();
            let _sandbox = match self.job.target {
                Target::Server => None,
                Target::Sandbox => {
                    let failed = |error| {
                        Failure::new(
                            Exit::Unexpected,
                            format!("cannot start the sandbox: {error}; the same command tries again"),
                        )
                    };
                    let running = sandbox::start(sandbox::Options::default()).await.map_err(failed)?;
                    endpoint.base_url = running.base_url();
                    Some(running)
                }
            };
            let config = &self.job.upload;
            let http = Http::new(&endpoint, token, config.max_in_flight).map_err(http_failure)?;
            let random = fastrand::Rng::new();
            let upload = upload::upload(&http, config, self.stop, self.traffic, random, queue, outcomes);
            match self.deadline {
                None => upload.await,
                // First the time: where it is up already, nothing is sent.
                Some(at) => tokio::select! {
                    biased;
                    never = self.stop.when_time_is_up(at.into()) => match never {},
                    () = upload => {}
                },
            }
            Ok(())
        })
    }
}

/// Builds with a thread fewer than there are processors: the one that sends is busy all the time where no rate holds it
/// back, and whatever takes its processor from it holds everything up. Parts are still loaded from temporary files by all.
fn beside_the_network<R: Send>(build: impl FnOnce() -> R + Send) -> R {
    let threads = rayon::current_num_threads().saturating_sub(1).max(1);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(build),
        // Where a process may have no more threads, those that it has do as well.
        Err(_) => build(),
    }
}

pub(super) fn http_failure(error: HttpError) -> Failure {
    Failure::new(Exit::Usage, error.to_string())
}

pub(super) fn results_failure(error: &ResultsError) -> Failure {
    Failure::new(
        Exit::Unexpected,
        format!(
            "{error}\nWhat was answered until then is in the journal; when the disk is mended, the same command goes on from there."
        ),
    )
}

/// The journal's own thread.
fn write(journal: Journal, rows: mpsc::Receiver<Outcome>, counts: &Counts) -> Result<Journal, ResultsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime =
        runtime.map_err(|source| ResultsError::Write { path: journal.path().display().to_string(), source })?;
    runtime.block_on(record(journal, rows, counts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exports::{Opened, Selection};
    use crate::job::Options;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const VISITS: usize = 2_000;

    /// A job with so many visits and so little memory that they are parted on disk.
    fn job(folder: &std::path::Path) -> Job {
        let file = |name: &str, content: String| {
            let path = folder.join(name);
            std::fs::write(&path, content).expect("written");
            path
        };
        let rows = |row: fn(usize) -> String| (0..VISITS).map(row).collect::<String>();
        let visits = file("v.csv", "id,store,start\n".to_owned() + &rows(|n| format!("V{n},S,2024-03-05T08:00:00Z\n")));
        let scenes = file("s.csv", "id,scene\n".to_owned() + &rows(|n| format!("V{n},S{n}\n")));
        let toml = format!(
            "name = \"parts\"\n[visits]\npath = {visits:?}\n[visits.columns]\nvisit_id = \"id\"\nstore_number = \"store\"\n\
             session_start_time = \"start\"\n[scenes]\npath = {scenes:?}\n[scenes.columns]\nvisit_id = \"id\"\n\
             scene_id = \"scene\"\n[time]\ntimezone = \"UTC\"\n[shuffle]\nmemory = \"1KB\"\n[api]\nbase_url = \"sandbox\"\n\
             [results]\npath = \"r.csv\"\n"
        );
        let now = chrono::DateTime::from_timestamp(1_709_700_000, 0).expect("in range");
        let options = Options { date: None, now, results: None, rate: None, memory: None, max_duration: None };
        Job::load(&file("job.toml", toml), &options).expect("a job")
    }

    #[test]
    fn once_nobody_takes_visits_no_further_part_is_built() {
        let folder = tempfile::tempdir().expect("a folder");
        let job = job(folder.path());
        let exports = Opened::new(&job).and_then(|opened| opened.read(&job, &Selection::default(), 1_709_700_000));
        let shuffled = exports.expect("readable").shuffled;
        assert!(shuffled.parts() > 4, "{} parts", shuffled.parts());
        for (sends, is_stopped) in [(true, false), (true, true), (false, false)] {
            let seen = AtomicUsize::new(0);
            let (stop, counts, traffic) = (Stop::default(), Counts::default(), Traffic::default());
            if is_stopped {
                stop.request(crate::outcome::StopReason::TimeIsUp);
            }
            let sending = Sending {
                job: &job,
                shuffled: &shuffled,
                now: 1_709_700_000,
                outstanding: &|_, range| {
                    seen.fetch_add(range.len(), Ordering::Relaxed);
                    range.collect()
                },
                rows: VISITS as u64,
                stop: &stop,
                deadline: None,
                counts: &counts,
                traffic: &traffic,
            };
            let (visits, _) = mpsc::channel(AHEAD);
            let (outcomes, _) = mpsc::channel(BEHIND);
            assert_eq!(sending.feed(sends, &visits, &outcomes).expect("readable"), 0);
            let seen = seen.into_inner();
            assert!(seen > 0 && seen < VISITS / 2, "{seen} of {VISITS} visits were looked at");
        }
    }
}
