//! The second half of a run: builds visits again, chunk by chunk, as fast as they can be sent, and writes down what becomes
//! of each.
//!
//! ```text
//! this thread: build --visits--> network thread: upload --outcomes--> journal thread: record
//!                 \----------------- invalid visits -----------------/
//! ```
//!
//! Both channels are short: a slow API or a slow disk holds back the building.

use super::earlier::{Earlier, Task};
use super::run_visits::RunVisits;
use super::{AppError, Context, Event};
use crate::build::{CHUNKS_PER_THREAD, Prepared, Visits, in_order};
use crate::job::{Job, Target};
use crate::outcome::{Outcome, Status};
use crate::results::{Counts, Journal, ResultsError, record};
use crate::sandbox;
use crate::shuffle::ShuffleError;
use crate::summary::{ByStatus, Progress};
use crate::upload::{Beginning, Http, RateFile, Start, Token, Traffic, make_room, upload};
use std::ops::{ControlFlow, Range};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;
use tokio::sync::mpsc;

/// Chunks of visits that are built and not yet taken by the network, at most.
const CHUNKS_AHEAD: usize = 4;
/// Outcomes that are not yet written, at most.
const OUTCOMES_BEHIND: usize = 4096;
/// How often listeners hear how far the run is.
const TICK: Duration = Duration::from_millis(200);

/// The one set of counters of a run, read while it goes on.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// Rows of the result file.
    pub(super) counts: Counts,
    /// What goes over the wire.
    pub(super) traffic: Traffic,
}

/// What is delivered, and by which rules.
pub(super) struct Dispatch<'a> {
    pub(super) cx: &'a Context,
    pub(super) job: &'a Job,
    pub(super) visits: &'a RunVisits,
    /// What is to be done for a visit, by the number of its partition and its own there.
    pub(super) task: &'a (dyn Fn(usize, usize) -> Task + Sync),
    /// What earlier runs know of the visits.
    pub(super) earlier: &'a Earlier,
    /// Rows that the result file will have.
    pub(super) rows: u64,
    pub(super) counters: &'a Counters,
}

/// Visits that follow each other, built.
#[derive(Default)]
struct Chunk {
    /// Visits that keep the rows they have.
    kept: u64,
    valid: Vec<Prepared>,
    /// What has its outcome without being sent.
    settled: Vec<Outcome>,
    /// For bodies that are not needed.
    scratch: Vec<u8>,
}

/// Why not everything was handed over.
enum Unfed {
    Unread(AppError),
    ReceiverGone,
}

impl From<ShuffleError> for Unfed {
    fn from(error: ShuffleError) -> Self {
        Unfed::Unread(error.into())
    }
}

impl From<AppError> for Unfed {
    fn from(error: AppError) -> Self {
        Unfed::Unread(error)
    }
}

/// Delivers everything outstanding. `token`: `None` where nothing may be sent; then valid visits come out as not attempted.
/// Returns the journal, and how many visits keep the rows that they have.
pub(super) fn deliver(
    dispatch: &Dispatch<'_>,
    token: Option<Token>,
    journal: Journal,
) -> Result<(Journal, u64), AppError> {
    let Dispatch { cx, counters, .. } = *dispatch;
    let (outcomes, rows) = mpsc::channel(OUTCOMES_BEHIND);
    let (visits, queue) = mpsc::channel(CHUNKS_AHEAD);
    let (over, until_over) = channel::<()>();
    let sends = token.is_some();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| write(cx, journal, rows, dispatch.earlier, &counters.counts));
        let network = {
            let outcomes = outcomes.clone();
            scope.spawn(move || dispatch.send(token, queue, outcomes))
        };
        let ticker = scope.spawn(move || dispatch.tell_progress(&until_over));
        let feed = || dispatch.feed(sends, &visits, &outcomes);
        let kept = if sends { beside_the_network(feed) } else { feed() };
        drop((visits, outcomes));
        let sent = network.join();
        let journal = writer.join();
        drop(over);
        let _ = ticker.join();
        // A journal that cannot be written is the cause of whatever else went wrong.
        let journal = journal.map_err(|_| AppError::panicked("journal"))?.map_err(AppError::Journal)?;
        sent.map_err(|_| AppError::panicked("network"))??;
        Ok((journal, kept?))
    })
}

impl Dispatch<'_> {
    /// Builds and hands over, piece by piece. Returns how many visits keep the rows that they have. `sends`:
    /// whether anything may be sent.
    fn feed(
        &self,
        sends: bool,
        visits: &mpsc::Sender<Vec<Prepared>>,
        outcomes: &mpsc::Sender<Outcome>,
    ) -> Result<u64, AppError> {
        let (mut kept, mut piece) = (0, 0);
        let fed = self.visits.each(self.cx, self.job, |visits_here| {
            let number = piece;
            piece += 1;
            let chunk = |range| self.build(visits_here, number, range, sends);
            // While the network is busy, a chunk per thread: several would be milliseconds in which a server on this machine
            // has no processor, and the thread that sends has nothing to do.
            let chunks_per_thread = if sends { 1 } else { CHUNKS_PER_THREAD };
            let fed = in_order(visits_here.len(), chunks_per_thread, chunk, |chunk| {
                kept += chunk.kept;
                let is_taken = chunk.settled.into_iter().all(|outcome| outcomes.blocking_send(outcome).is_ok())
                    && (chunk.valid.is_empty() || visits.blocking_send(chunk.valid).is_ok());
                if is_taken { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            if fed.is_break() { Err(Unfed::ReceiverGone) } else { Ok(()) }
        });
        match fed {
            // The receiver is gone only after a failure that its own thread reports. It needs no further partition.
            Ok(()) | Err(Unfed::ReceiverGone) => Ok(kept),
            Err(Unfed::Unread(error)) => Err(broke_off(error)),
        }
    }

    /// Builds the visits of a range that get a new row.
    fn build(&self, builder: &dyn Visits, partition: usize, range: Range<usize>, sends: bool) -> Chunk {
        let mut chunk = Chunk::default();
        // A visit that is never sent needs no body. There may be millions, and the user who stopped the run waits for the
        // last of them.
        let is_over = !sends || self.cx.stop.reason().is_some();
        for visit in range {
            match (self.task)(partition, visit) {
                Task::Send => {}
                Task::Keep => {
                    chunk.kept += 1;
                    continue;
                }
                Task::Settle => {
                    chunk.settled.push(self.earlier.settle(builder, visit, &mut chunk.scratch));
                    continue;
                }
            }
            if is_over {
                chunk.settled.push(match builder.identify(visit, &mut chunk.scratch) {
                    Ok((identity, payload_sha256)) => Outcome::not_attempted(identity, payload_sha256),
                    Err(invalid) => Outcome::invalid(*invalid),
                });
            } else {
                match builder.prepare(visit) {
                    Ok(prepared) => chunk.valid.push(prepared),
                    Err(invalid) => chunk.settled.push(Outcome::invalid(*invalid)),
                }
            }
        }
        chunk
    }

    /// The network's own thread.
    fn send(
        &self,
        token: Option<Token>,
        queue: mpsc::Receiver<Vec<Prepared>>,
        outcomes: mpsc::Sender<Outcome>,
    ) -> Result<(), AppError> {
        // Nothing may be sent, and nothing comes.
        let Some(token) = token else { return Ok(()) };
        let start = |what| move |source| AppError::Start { what, source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(start("the network"))?.block_on(async {
            let mut endpoint = self.job.endpoint.clone();
            let sandbox = match self.job.target {
                Target::Server => None,
                Target::Sandbox => {
                    Some(sandbox::start(sandbox::Options::default()).await.map_err(start("the sandbox"))?)
                }
            };
            if let Some(sandbox) = &sandbox {
                endpoint.base_url = sandbox.base_url();
            }
            let stop = &self.cx.stop;
            let config = &self.job.upload;
            let most = config.most_in_flight();
            let connections = make_room(most);
            if let Some(room) = connections {
                self.cx.warn(&format!(
                    "this machine allows {room} connections, and {most} may be needed: raise its limit of open files (ulimit -n)"
                ));
            }
            // Runs against a sandbox of their own have nothing to share.
            let share = || RateFile::of(&token, &endpoint.base_url, config.rate);
            let rate_file = if sandbox.is_none() { share() } else { None };
            let http = Http::new(&endpoint, token, connections.or(config.max_in_flight))?;
            // Rows that were carried over show that the API was there.
            let is_answer = |status: &Status| status.is_delivered() || *status == Status::Rejected;
            let had_answers = Status::ALL.iter().any(|status| is_answer(status) && self.counters.counts.get(*status) > 0);
            let machine = Start { random: fastrand::Rng::new(), had_answers, connections };
            let start = Beginning { machine, rate_file };
            let upload = upload(&http, config, stop, &self.counters.traffic, start, queue, outcomes);
            match self.job.max_duration.map(|longest| self.cx.began + longest) {
                None => upload.await,
                // The time first: where it is up already, nothing is sent.
                Some(deadline) => tokio::select! {
                    biased;
                    never = stop.when_time_is_up(deadline.into()) => match never {},
                    () = upload => {}
                },
            }
            Ok(())
        })
    }

    fn tell_progress(&self, until_over: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = until_over.recv_timeout(TICK) {
            let Counters { counts, traffic } = self.counters;
            let visits = ByStatus::new(|status| counts.get(status));
            let progress = Progress {
                rows: visits.total(),
                of: self.rows,
                visits,
                requests: traffic.requests(),
                rate_limited: traffic.rate_limited(),
            };
            self.cx.emit(Event::Progress(&progress));
        }
    }
}

/// What was to be sent cannot be read any more: something may have been sent.
fn broke_off(error: AppError) -> AppError {
    match error {
        AppError::Scan(_) | AppError::Prepared(_) => AppError::BrokeOff(error.to_string()),
        other => other,
    }
}

/// Builds with one thread fewer than there are processors. The thread that sends is busy all the time where no rate holds it
/// back, and holds everything up where it has to wait for a processor.
fn beside_the_network<R: Send>(build: impl FnOnce() -> R + Send) -> R {
    let threads = rayon::current_num_threads().saturating_sub(1).max(1);
    match rayon::ThreadPoolBuilder::new().num_threads(threads).build() {
        Ok(pool) => pool.install(build),
        // Where the process may have no more threads, those that it has do as well.
        Err(_) => build(),
    }
}

/// The journal's own thread.
fn write(
    cx: &Context,
    journal: Journal,
    rows: mpsc::Receiver<Outcome>,
    earlier: &Earlier,
    counts: &Counts,
) -> Result<Journal, ResultsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime =
        runtime.map_err(|source| ResultsError::Write { path: journal.path().display().to_string(), source })?;
    let explain = |outcome: &mut Outcome| earlier.explain(outcome);
    runtime.block_on(record(journal, rows, explain, |outcomes| {
        outcomes.iter().for_each(|outcome| counts.add(outcome));
        cx.emit(Event::Settled(outcomes));
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Selection;
    use crate::app::exports::Exports;
    use crate::job::Options;
    use crate::outcome::StopReason;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const VISITS: usize = 2_000;

    /// A job whose visits are many and whose memory is small, so that they are partitioned on disk.
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
        let options = Options {
            base_dir: std::path::PathBuf::new(),
            date: None,
            now,
            results: None,
            rate: None,
            memory: None,
            max_duration: None,
            accept: Vec::new(),
            exports: crate::job::ExportsMeant::OfJob,
        };
        Job::load(&file("job.toml", toml), &options).expect("a job")
    }

    #[test]
    fn once_the_receiver_is_gone_no_further_partition_is_built() {
        let folder = tempfile::tempdir().expect("a folder");
        let job = job(folder.path());
        for (sends, is_stopped) in [(true, false), (true, true), (false, false)] {
            let cx = Context::new(|_| {});
            let exports =
                Exports::open(&cx, &job).and_then(|exports| exports.read(&cx, &job, Selection::default(), None));
            let grouped = exports.expect("readable");
            assert!(grouped.shuffled.partitions() > 4, "{} partitions", grouped.shuffled.partitions());
            let grouped = RunVisits::Exports(Box::new(grouped));
            let seen = AtomicUsize::new(0);
            if is_stopped {
                cx.stop(StopReason::TimeIsUp);
            }
            let dispatch = Dispatch {
                cx: &cx,
                job: &job,
                visits: &grouped,
                task: &|_, _| {
                    seen.fetch_add(1, Ordering::Relaxed);
                    Task::Send
                },
                earlier: &Earlier::default(),
                rows: VISITS as u64,
                counters: &Counters::default(),
            };
            let (visits, _) = mpsc::channel(CHUNKS_AHEAD);
            let (outcomes, _) = mpsc::channel(OUTCOMES_BEHIND);
            assert_eq!(dispatch.feed(sends, &visits, &outcomes).expect("readable"), 0);
            let seen = seen.into_inner();
            assert!(seen > 0 && seen < VISITS / 2, "{seen} of {VISITS} visits were looked at");
        }
    }
}
