//! Whole runs, days of them, in paused time: a server with outages, limits, lost answers and expiring keys; a client
//! that is killed and started again with its journal cut at any byte. After each seed everything must be true that the
//! result file says.
//!
//! `SEEDS=100000 cargo test --release --lib simulation` runs more of them, `FIRST=50000` begins
//! with a later one, `SEED=17` replays one.

mod limits;
mod outages;
mod spells;
mod world;

use crate::build::{Builder, Field, Ids, Prepared, Rules, Version, Visits};
use crate::ledger::{Candidate, Fate, Hashing, OwnRows, Record, Today, Wanted, body};
use crate::near_key::Folding;
use crate::outcome::{Exit, Status, StopReason};
use crate::results::{self, Counts, Draft, record};
use crate::scan::{Lines, Rows};
use crate::shuffle::{Grouped, Shuffle, ShuffleError, Shuffled};
use crate::upload::{Backoff, Config, Look, Network, Reply, Start, Stop, Traffic, upload};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field as ArrowField, Schema};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use uuid::Uuid;
use world::World;

const SEEDS: u64 = 400;
const MOST_PREPARED: usize = 9000;
/// 2024-06-01, long after every visit.
const NOW: i64 = 1_717_200_000;
/// The server's longest silence, after which an attempt ends.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(31);

#[test]
fn whatever_happens_every_visit_has_one_true_row() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => number("FIRST").unwrap_or(0)..number("SEEDS").unwrap_or(SEEDS),
    };
    for seed in seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let visits = fastrand::Rng::with_seed(!seed).usize(1..150);
        let mut complaints = Vec::new();
        let simulated = exports(visits).each(|grouped| {
            complaints = runtime.block_on(simulate(seed, grouped));
            Ok::<(), ShuffleError>(())
        });
        simulated.expect("in memory");
        assert!(complaints.is_empty(), "replay with SEED={seed}:\n{}", complaints.join("\n"));
    }
}

/// A server that is up, and stumbles over some visits whenever they come.
struct Stumbling {
    over: HashSet<Uuid>,
    /// All that it was asked for, and when.
    asked: RefCell<Vec<(Uuid, Instant)>>,
}

impl Network for Stumbling {
    async fn put(&self, visit: Uuid, _body: Bytes) -> Reply {
        self.asked.borrow_mut().push((visit, Instant::now()));
        sleep(Duration::from_millis(1)).await;
        let status = if self.over.contains(&visit) { 500 } else { 200 };
        Reply::Answer { status, retry_after: None, text: String::new(), look: Look::Plain }
    }
}

/// What a server that stumbles over so many of the first visits was asked for, and how many of all were delivered.
fn over_the_first(stumbling: usize, visits: usize, config: &Config) -> (Vec<(Uuid, Instant)>, usize) {
    let mut seen = (Vec::new(), 0);
    let uploaded = exports(visits).each(|grouped| {
        let rules = rules();
        let builder = Builder::new(&rules, grouped, NOW);
        let uid = |at: usize| rules.ids.session(grouped.visit(at).key()).uid;
        let network = Stumbling { over: (0..stumbling).map(uid).collect(), asked: RefCell::default() };
        let (visits, queue) = mpsc::channel(1);
        let (outcomes, mut rows) = mpsc::channel(1);
        let feed = async {
            for at in 0..grouped.len() {
                visits.send(vec![builder.prepare(at).expect("valid")]).await.expect("taken");
            }
            drop(visits);
        };
        let (stop, traffic) = (Stop::default(), Traffic::default());
        let start = Start { random: fastrand::Rng::with_seed(1), ..Start::default() };
        let send = upload(&network, config, &stop, &traffic, start.into(), queue, outcomes);
        let count = async {
            let mut count = 0;
            while let Some(outcome) = rows.recv().await {
                count += usize::from(outcome.status.is_delivered());
            }
            count
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let ((), (), count) = runtime.unwrap().block_on(async { tokio::join!(feed, send, count) });
        seen = (network.asked.into_inner(), count);
        Ok::<(), ShuffleError>(())
    });
    uploaded.expect("in memory");
    seen
}

#[test]
fn visits_that_nobody_could_deliver_hold_back_none_of_those_behind_them() {
    // As many as are told from an outage, and more than are open at once; and so many that it can be nothing else, of which
    // few are asked for.
    for (stumbling, delivered) in [(10, 590), (100, 500), (600, 0)] {
        let config = Config { max_in_flight: Some(4), patience: Duration::from_secs(600), ..Config::default() };
        let (asked, count) = over_the_first(stumbling, 600, &config);
        assert_eq!(count, delivered);
        let asked: HashSet<Uuid> = asked.into_iter().map(|(visit, _)| visit).collect();
        assert!(delivered > 0 || asked.len() <= 296, "{}", asked.len());
    }
}

#[test]
fn the_first_probe_of_an_outage_waits_for_its_own_permit_and_for_nobody_else_s() {
    let config = Config { rate: 0.5, max_in_flight: Some(64), patience: Duration::from_secs(600), ..Config::default() };
    let (asked, _) = over_the_first(300, 300, &config);
    // One request every two seconds, from the tenth failure on in an outage.
    let after = asked[10].1 - asked[9].1;
    assert!(after < Duration::from_secs(5), "{after:?}");
}

/// The rules of a job in which everything but the ids is plain.
fn rules() -> Rules {
    Rules {
        ids: Ids::new(Uuid::NAMESPACE_URL, Version::V5),
        client_session_uid: None,
        store_number: Field::column(1),
        visit_date: Some(Field::column(2)),
        session_start_time: Field::column(3),
        visit_type_id: None,
        session_end_time: None,
        email_address: None,
        scene_id: Field::column(1),
        task_code: None,
        scene_count: None,
        task_code_required: false,
        zone: None,
        local_day: None,
        stores: None,
        users: None,
        task_codes: None,
        visit_types: None,
        accepted: Vec::new(),
    }
}

fn batch(columns: Vec<Vec<String>>) -> Rows {
    let fields: Vec<ArrowField> =
        (0..columns.len()).map(|at| ArrowField::new(format!("c{at}"), DataType::Utf8, true)).collect();
    let arrays = columns.into_iter().map(|cells| Arc::new(StringArray::from(cells)) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap();
    Rows {
        batch,
        file: "visits.csv".into(),
        lines: Lines::From(2),
        faults: Vec::new(),
        keep: None,
        unwanted: Vec::new(),
    }
}

fn exports(visits: usize) -> Shuffled {
    let keys: Vec<String> = (0..visits).map(|visit| format!("V{visit}")).collect();
    let same = |text: &str| vec![text.to_owned(); visits];
    let mut shuffle = Shuffle::new(false, u64::MAX, 0, Folding::default());
    let columns = vec![keys.clone(), same("S1"), same("2024-03-05"), same("2024-03-05T08:00:00Z")];
    shuffle.add_visits(batch(columns), None).unwrap();
    shuffle.add_scenes(vec![batch(vec![keys, same("scene")])]).unwrap();
    shuffle.finish().unwrap()
}

/// So many visits, prepared. They are made once for all simulations.
fn prepared(visits: usize) -> Vec<Prepared> {
    static ALL: LazyLock<Vec<Prepared>> = LazyLock::new(|| {
        let mut list = Vec::new();
        let all = exports(MOST_PREPARED).each(|grouped| {
            let rules = rules();
            let builder = Builder::new(&rules, grouped, NOW);
            list.extend((0..grouped.len()).map(|at| builder.prepare(at).expect("valid")));
            Ok::<(), ShuffleError>(())
        });
        all.expect("in memory");
        list
    });
    ALL[..visits].to_vec()
}

/// A folder in memory where there is one: the journals of a simulation sync as often as real ones.
fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

struct Simulation<'a> {
    world: &'a World,
    random: fastrand::Rng,
    config: Config,
    grouped: &'a Grouped,
    rules: &'a Rules,
    results: PathBuf,
    complaints: Vec<String>,
}

async fn simulate(seed: u64, grouped: &Grouped) -> Vec<String> {
    let world = World::new(seed);
    let mut random = world.random();
    let rules = rules();
    let uids: Vec<Uuid> = (0..grouped.len()).map(|at| rules.ids.session(grouped.visit(at).key()).uid).collect();
    world.curse(&uids);
    let config = Config {
        rate: [0.3, 2.0, 20.0, 150.0][random.usize(0..4)],
        burst: 1,
        max_in_flight: random.bool().then(|| random.usize(1..40)),
        max_attempts: random.u32(1..6),
        backoff: Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) },
        patience: Duration::from_secs(random.u64(30..2_000)),
    };
    let folder = folder();
    let mut simulation = Simulation {
        world: &world,
        random,
        config,
        grouped,
        rules: &rules,
        results: folder.path().join("results.csv"),
        complaints: Vec::new(),
    };
    let mut left = 25;
    loop {
        left -= 1;
        if left == 0 {
            world.heal();
        }
        let exit = simulation.process(left > 0).await;
        if left <= 0 && exit.is_some() || exit == Some(Exit::Done) || left < -5 {
            break;
        }
        // Somebody looks at it, sooner or later; a second passes at least, for a new process knows nothing of the
        // requests of the one before.
        let pause = 1.0 + 3_600.0 * 4.0 * simulation.random.f64();
        sleep(Duration::from_secs_f64(pause)).await;
        if world.key_has_expired() {
            world.renew_key();
        }
    }
    simulation.everything_arrived();
    simulation.the_rate_was_held();
    let mut complaints = world.complaints();
    complaints.extend(simulation.complaints);
    complaints
}

impl Simulation<'_> {
    /// One process: `traxload run`, or `rerun` where a result file is there. `None` if it was killed.
    async fn process(&mut self, may_die: bool) -> Option<Exit> {
        let builder = Builder::new(self.rules, self.grouped, NOW);
        let files = [results::beside(&self.results, "partial"), self.results.clone()];
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        let hashing = Hashing::default();
        let own = OwnRows::read(&files, &hashing, true).unwrap();
        let ledger = Record::read(own, &[], Today::default(), hashing);
        let fates: Vec<Fate> = (0..self.grouped.len())
            .map(|at| {
                let (identity, hash) = builder.identify(at, &mut Vec::new()).expect("valid");
                let uid = identity.session_uid.expect("it has a key");
                let visit = Candidate { body: Some(body(&hash)), store: None, day: None, is_first: true };
                let fate = ledger.decide(uid, &visit, &Wanted::Undelivered, false).fate;
                ledger.note(uid, fate);
                fate
            })
            .collect();
        let delivered = (0..self.grouped.len()).filter(|at| matches!(fates[*at], Fate::Keep(Some(_))));
        self.world.settle(delivered.map(|at| self.rules.ids.session(self.grouped.visit(at).key()).uid));
        let counts = Counts::default();
        let mut draft = Draft::new(&self.results).unwrap();
        ledger.write_own(&mut draft, true, &HashMap::new(), &counts).unwrap();
        let journal = draft.begin().unwrap();
        let synced = journal.path().metadata().unwrap().len();
        let (stop, traffic) = (Stop::default(), Traffic::default());
        let (visits, queue) = mpsc::channel(8);
        let (outcomes, rows) = mpsc::channel(8);
        let feed = async {
            for (at, fate) in fates.iter().enumerate() {
                if *fate == Fate::Send {
                    let prepared = builder.prepare(at).expect("valid");
                    visits.send(vec![prepared]).await.expect("taken");
                }
            }
            drop(visits);
        };
        let start = Start { random: self.random.fork(), had_answers: !files.is_empty(), connections: None };
        let send = upload(&self.world, &self.config, &stop, &traffic, start.into(), queue, outcomes);
        let before = self.world.arrivals().len();
        let began = Instant::now();
        let work = async {
            tokio::join!(
                feed,
                send,
                record(journal, rows, |_| (), |outcomes| outcomes.iter().for_each(|outcome| counts.add(outcome)))
            )
            .2
        };
        let soon = |random: &mut fastrand::Rng| Duration::from_secs_f64(10f64.powf(random.f64() * 4.5 - 1.0));
        let dies = (may_die && self.random.bool()).then(|| soon(&mut self.random));
        let interrupted = (may_die && self.random.u8(0..5) == 0).then(|| soon(&mut self.random));
        let longest = (may_die && self.random.u8(0..5) == 0).then(|| soon(&mut self.random));
        let time = async {
            match longest {
                Some(longest) => match stop.when_time_is_up(began + longest).await {},
                None => std::future::pending().await,
            }
        };
        let after = |wait: Option<Duration>| async move {
            match wait {
                Some(wait) => sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        let signal = async {
            after(interrupted).await;
            stop.request(StopReason::Interrupted);
            std::future::pending::<()>().await;
        };
        let journal = tokio::select! {
            biased;
            () = after(dies) => None,
            journal = work => Some(journal.unwrap()),
            () = signal => None,
            () = time => None,
        };
        let Some(journal) = journal else {
            self.cut_the_journal(synced);
            return None;
        };
        journal.finish().unwrap();
        if let Some(longest) = longest.filter(|longest| began.elapsed() > *longest + LONGEST_ATTEMPT) {
            self.complaints.push(format!("a run of at most {longest:?} took {:?}", began.elapsed()));
        }
        let longest = self.config.patience.max(self.config.backoff.max) + LONGEST_ATTEMPT;
        for pair in self.world.arrivals()[before..].windows(2).filter(|pair| pair[1] - pair[0] > longest.as_secs_f64())
        {
            self.complaints.push(format!("nothing was sent from {:.1} to {:.1} s", pair[0], pair[1]));
        }
        let exit = Exit::of_run(
            stop.reason(),
            false,
            Status::ALL
                .into_iter()
                .filter(|status| status.is_delivered())
                .map(|status| counts.get(status))
                .sum::<u64>()
                == counts.rows(),
        );
        self.check_results(exit, stop.reason(), &counts);
        Some(exit)
    }

    /// The last writes of a dying process may be torn anywhere, but not what was synced before.
    fn cut_the_journal(&mut self, synced: u64) {
        let path = results::beside(&self.results, "partial");
        let Ok(file) = OpenOptions::new().write(true).open(path) else { return };
        let length = file.metadata().unwrap().len();
        if self.random.bool() && length > synced {
            file.set_len(length - self.random.u64(0..(length - synced).min(400))).unwrap();
        }
    }

    fn rows(&self) -> HashMap<String, Vec<Status>> {
        let mut rows: HashMap<String, Vec<Status>> = HashMap::new();
        let mut reader = csv::Reader::from_path(&self.results).unwrap();
        for record in reader.records() {
            let record = record.unwrap();
            rows.entry(record[0].to_owned()).or_default().push(Status::from_name(&record[2]).expect("a status"));
        }
        rows
    }

    fn check_results(&mut self, exit: Exit, stopped: Option<StopReason>, counts: &Counts) {
        let rows = self.rows();
        let mut complaints = Vec::new();
        for at in 0..self.grouped.len() {
            let key = self.grouped.visit(at).key();
            let is_there = self.world.has(self.rules.ids.session(key).uid);
            match rows.get(key).map(Vec::as_slice) {
                Some([status]) if status.is_delivered() && !is_there => {
                    complaints.push(format!("{key} is shown as {status}, and the server has not got it"));
                }
                Some([_]) => {}
                other => complaints.push(format!("{key} has the rows {other:?}")),
            }
        }
        if rows.len() != self.grouped.len() || counts.rows() != self.grouped.len() as u64 {
            complaints.push(format!("{} rows, {} counted, {} visits", rows.len(), counts.rows(), self.grouped.len()));
        }
        let all_delivered = rows.values().flatten().all(|status| status.is_delivered());
        let any = |wanted: Status| rows.values().flatten().any(|status| *status == wanted);
        let fits = match exit {
            Exit::Done => all_delivered,
            Exit::NotAllDelivered => {
                !all_delivered && (stopped == Some(StopReason::TimeIsUp) || !any(Status::NotAttempted))
            }
            Exit::KeyRefused => self.world.key_has_expired() || self.world.has_odd_answers(),
            // Nothing settled anything for as long as the job is patient, or the server asked to wait beyond that.
            Exit::ApiDown => {
                let since = self.world.since_last_good().max(self.world.asked_since_last_good());
                since >= self.config.patience.as_secs_f64()
            }
            Exit::Interrupted => true,
            _ => false,
        };
        if !fits {
            complaints
                .push(format!("the run ended with {exit:?}; {} s without a good answer", self.world.since_last_good()));
        }
        self.complaints.append(&mut complaints);
    }

    /// In the end nothing is missing but what the server refuses for good.
    fn everything_arrived(&mut self) {
        for at in 0..self.grouped.len() {
            let key = self.grouped.visit(at).key();
            let uid = self.rules.ids.session(key).uid;
            if !self.world.has(uid) && !self.world.is_refused(uid) {
                self.complaints.push(format!("{key} never arrived"));
            }
        }
    }

    fn the_rate_was_held(&mut self) {
        let arrivals = self.world.arrivals();
        let most = (self.config.rate + 2.0).floor() as usize;
        let mut from = 0;
        for (to, at) in arrivals.iter().enumerate() {
            while arrivals[from] < at - 0.999_999 {
                from += 1;
            }
            if to - from + 1 > most {
                self.complaints.push(format!("{} requests in the second before {at:.3} s", to - from + 1));
                return;
            }
        }
    }
}
