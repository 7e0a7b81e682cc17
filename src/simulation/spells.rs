//! Servers with one kind of bad spell each, in paused time: what a run makes of them.
//!
//! Goodput is the time that the best client would have needed, by what the server would have accepted, over the time that
//! the run took. The clock is the simulation's, so the figures are the same on every machine.

use super::prepared;
use crate::outcome::{Outcome, Status, StopReason};
use crate::upload::{Config, Look, Network, Reply, Start, Stop, Traffic, upload};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const SEEDS: u64 = 5;

/// What a server does with a request.
type Script = fn(&Load) -> Answer;

/// What a server sees when a request comes.
pub(super) struct Load {
    pub(super) second: f64,
    /// Requests accepted in the last second.
    pub(super) in_last_second: usize,
    /// Requests accepted in this stretch of ten seconds.
    in_ten_seconds: usize,
    /// Requests under way, with this one.
    pub(super) in_flight: usize,
    /// Requests so far, with this one.
    pub(super) requests: usize,
    /// Which visit it is for, by the order in which they first came; and how often it came, with this time.
    pub(super) visit: usize,
    pub(super) times: usize,
    /// Seconds since the last request that was accepted.
    since_accepted: f64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Answer {
    Accept,
    Status(u16),
    RetryAfter(u16, f64),
    Page(u16),
    Says(u16, &'static str),
    Cut,
    /// Accepted, and answered at this second.
    AcceptAt(f64),
}

struct Server<'a> {
    script: &'a dyn Fn(&Load) -> Answer,
    latency: f64,
    start: Instant,
    seen: RefCell<Seen>,
}

#[derive(Default)]
struct Seen {
    accepted: VecDeque<f64>,
    accepted_in_ten: (u64, usize),
    visits: HashMap<Uuid, (usize, usize)>,
    in_flight: usize,
    arrivals: Vec<f64>,
    refused: Vec<f64>,
    last_answer: f64,
}

impl Server<'_> {
    fn second(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    fn arrive(&self, visit: Uuid) -> Answer {
        let second = self.second();
        let mut seen = self.seen.borrow_mut();
        let seen = &mut *seen;
        seen.in_flight += 1;
        seen.arrivals.push(second);
        while seen.accepted.front().is_some_and(|at| *at <= second - 1.0) && seen.accepted.len() > 1 {
            seen.accepted.pop_front();
        }
        let ten = (second / 10.0) as u64;
        if seen.accepted_in_ten.0 != ten {
            seen.accepted_in_ten = (ten, 0);
        }
        let known = seen.visits.len();
        let (number, times) = seen.visits.entry(visit).or_insert((known, 0));
        *times += 1;
        let load = Load {
            second,
            in_last_second: seen.accepted.iter().filter(|at| **at > second - 1.0).count(),
            in_ten_seconds: seen.accepted_in_ten.1,
            in_flight: seen.in_flight,
            requests: seen.arrivals.len(),
            visit: *number,
            times: *times,
            since_accepted: seen.accepted.back().map_or(f64::INFINITY, |last| second - last),
        };
        let answer = (self.script)(&load);
        match answer {
            Answer::Accept | Answer::AcceptAt(_) => {
                seen.accepted.push_back(second);
                seen.accepted_in_ten.1 += 1;
            }
            _ => seen.refused.push(second),
        }
        answer
    }
}

impl Network for Server<'_> {
    async fn put(&self, visit: Uuid, _body: Bytes) -> Reply {
        let answer = self.arrive(visit);
        let wait = match answer {
            Answer::AcceptAt(second) => second - self.second(),
            _ => self.latency,
        };
        sleep(Duration::from_secs_f64(wait.max(0.0))).await;
        let mut seen = self.seen.borrow_mut();
        seen.in_flight -= 1;
        seen.last_answer = self.second();
        let reply = |status, retry_after: Option<f64>, text: &str, look| Reply::Answer {
            status,
            retry_after: retry_after.map(Duration::from_secs_f64),
            text: text.to_owned(),
            look,
        };
        match answer {
            Answer::Accept | Answer::AcceptAt(_) => reply(200, None, "", Look::Plain),
            Answer::Status(status) => reply(status, None, "", Look::Plain),
            Answer::RetryAfter(status, seconds) => reply(status, Some(seconds), "", Look::Plain),
            Answer::Page(status) => reply(status, None, "Log in", Look::Page),
            Answer::Says(status, text) => reply(status, None, text, Look::Plain),
            Answer::Cut => Reply::Broken("connection reset".to_owned()),
        }
    }
}

/// What a run against such a server came to.
pub(super) struct Run {
    /// In the order in which the server first saw them.
    pub(super) outcomes: Vec<Outcome>,
    pub(super) stopped: Option<StopReason>,
    /// When requests came, and when those came that were not accepted.
    pub(super) arrivals: Vec<f64>,
    refused: Vec<f64>,
    pub(super) pauses: u64,
    pub(super) seconds: f64,
}

impl Run {
    pub(super) fn count(&self, status: Status) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.status == status).count()
    }

    fn busiest_second(&self) -> usize {
        let mut from = 0;
        let mut most = 0;
        for (to, at) in self.arrivals.iter().enumerate() {
            while self.arrivals[from] <= at - 1.0 {
                from += 1;
            }
            most = most.max(to - from + 1);
        }
        most
    }
}

/// Sends so many visits at this rate to a server of this latency.
pub(super) fn run(visits: usize, rate: f64, latency: f64, script: impl Fn(&Load) -> Answer, seed: u64) -> Run {
    with(visits, &Config { rate, ..Config::default() }, latency, script, seed)
}

pub(super) fn with(visits: usize, config: &Config, latency: f64, script: impl Fn(&Load) -> Answer, seed: u64) -> Run {
    let list = prepared(visits);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let server = Server { script: &script, latency, start: Instant::now(), seen: RefCell::default() };
        let (visits, queue) = mpsc::channel(1);
        let (outcomes, mut rows) = mpsc::channel(1);
        let feed = async {
            visits.send(list).await.expect("taken");
            drop(visits);
        };
        let (stop, traffic) = (Stop::default(), Traffic::default());
        let start = Start { random: fastrand::Rng::with_seed(seed), ..Start::default() };
        let send = upload(&server, config, &stop, &traffic, start.into(), queue, outcomes);
        let count = async {
            let mut outcomes = Vec::new();
            while let Some(outcome) = rows.recv().await {
                outcomes.push(outcome);
            }
            outcomes
        };
        let ((), (), outcomes) = tokio::join!(feed, send, count);
        let seen = server.seen.into_inner();
        Run {
            outcomes,
            stopped: stop.reason(),
            arrivals: seen.arrivals,
            refused: seen.refused,
            pauses: traffic.pauses(),
            seconds: seen.last_answer,
        }
    })
}

/// A kind of spell: its name, visits, rate, latency, the seconds that the best client needs, the goal, and the server.
type Spell = (&'static str, usize, f64, f64, f64, f64, Script);

const LASTING: &str = "300/s wanted, 150/s allowed";

const SPELLS: [Spell; 16] = [
    ("429 from second 5 to 10", 2400, 120.0, 0.05, 25.0, 0.9, |load| match load.second {
        5.0..10.0 => Answer::Status(429),
        _ => Answer::Accept,
    }),
    ("429 from second 5 to 25", 2400, 120.0, 0.05, 40.0, 0.9, |load| match load.second {
        5.0..25.0 => Answer::Status(429),
        _ => Answer::Accept,
    }),
    ("75/s in place of 150/s from 5 to 20", 3000, 150.0, 0.05, 27.5, 0.9, |load| {
        let limit = if (5.0..20.0).contains(&load.second) { 75 } else { 150 };
        if load.in_last_second < limit { Answer::Accept } else { Answer::Status(429) }
    }),
    ("300 in each 10 s", 1200, 120.0, 0.05, 32.5, 0.9, |load| match load.in_ten_seconds {
        0..300 => Answer::Accept,
        _ => Answer::Status(429),
    }),
    ("300 in each 10 s, with Retry-After", 1200, 120.0, 0.05, 32.5, 0.95, |load| match load.in_ten_seconds {
        0..300 => Answer::Accept,
        _ => Answer::RetryAfter(429, (10.0 - load.second % 10.0).ceil()),
    }),
    ("500 for 10 s", 2400, 120.0, 0.05, 30.0, 0.95, |load| match load.second {
        5.0..15.0 => Answer::Status(500),
        _ => Answer::Accept,
    }),
    ("connections cut for 10 s", 2400, 120.0, 0.05, 30.0, 0.95, |load| match load.second {
        5.0..15.0 => Answer::Cut,
        _ => Answer::Accept,
    }),
    ("404 of a balancer for 2 s", 2400, 120.0, 0.05, 22.0, 0.9, |load| match load.second {
        5.0..7.0 => Answer::Status(404),
        _ => Answer::Accept,
    }),
    ("latency of 2 s", 3000, 150.0, 2.0, 22.0, 0.95, |_| Answer::Accept),
    (LASTING, 9000, 300.0, 0.01, 60.0, 0.95, |load| match load.in_last_second {
        0..150 => Answer::Accept,
        _ => Answer::Status(429),
    }),
    ("a gateway that says 503 past 60/s", 2400, 120.0, 0.05, 40.0, 0.9, |load| match load.in_last_second {
        0..60 => Answer::Accept,
        _ => Answer::Status(503),
    }),
    // As nginx's limit_req with a small burst: a leaky bucket.
    ("a gateway that spaces requests at 60/s", 2400, 120.0, 0.05, 40.0, 0.9, |load| {
        if load.in_last_second < 62 && load.since_accepted >= 0.004 { Answer::Accept } else { Answer::Status(503) }
    }),
    ("a cap of 8 connections", 2400, 120.0, 0.1, 30.0, 0.9, |load| match load.in_flight {
        0..=8 => Answer::Accept,
        _ => Answer::Cut,
    }),
    ("steady 150/s", 3000, 150.0, 0.05, 20.0, 0.99, |_| Answer::Accept),
    ("one request in 100 gets 503", 2400, 120.0, 0.05, 20.2, 0.95, |load| match load.requests % 100 {
        99 => Answer::Status(503),
        _ => Answer::Accept,
    }),
    // More than a gateway at its limit would be forgiven, but a slower run gets as many of them.
    ("one connection in 12 is cut", 2400, 120.0, 0.05, 21.8, 0.75, |load| {
        match load.requests.wrapping_mul(7919) % 12 {
            5 => Answer::Cut,
            _ => Answer::Accept,
        }
    }),
];

fn runs_that_fall_short(spell: &Spell) -> Vec<String> {
    let (name, visits, rate, latency, best, goal, script) = *spell;
    let mut short = Vec::new();
    for seed in 0..SEEDS {
        let run = run(visits, rate, latency, script, seed);
        let (goodput, refused, busiest) = (best / run.seconds, run.refused.len(), run.busiest_second());
        let line = format!(
            "{name} [{seed}]: goodput {goodput:.3} (goal {goal}), {} requests, {refused} not accepted, {} pauses, {busiest} in \
             the busiest second",
            run.arrivals.len(),
            run.pauses,
        );
        eprintln!("{line}");
        let is_touched_too_often = name == LASTING && refused > 15;
        let is_too_fast = busiest as f64 > rate + 2.0;
        if goodput < goal || run.count(Status::Uploaded) != visits || is_too_fast || is_touched_too_often {
            short.push(line);
        }
    }
    short
}

#[test]
fn a_bad_spell_costs_little_more_than_itself() {
    let only = std::env::var("SPELL").unwrap_or_default();
    let spells: Vec<&Spell> = SPELLS.iter().filter(|spell| spell.0.contains(&only)).collect();
    let short: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = spells.into_iter().map(|spell| scope.spawn(|| runs_that_fall_short(spell))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(short.is_empty(), "{}", short.join("\n"));
}

#[test]
fn a_server_that_stalls_for_two_seconds_gets_no_flood_when_it_wakes() {
    let run = run(
        3000,
        150.0,
        0.05,
        |load| if (5.0..7.0).contains(&load.second) { Answer::AcceptAt(7.0) } else { Answer::Accept },
        1,
    );
    assert_eq!(run.count(Status::Uploaded), 3000);
    assert!(run.busiest_second() <= 152, "{}", run.busiest_second());
    assert!(run.seconds < 23.0, "{}", run.seconds);
}

#[test]
fn one_visit_that_always_gets_the_same_refusal_slows_nobody() {
    let scripts: [Script; 3] = [
        |load| if load.visit == 100 { Answer::Status(429) } else { Answer::Accept },
        |load| if load.visit == 100 { Answer::Status(503) } else { Answer::Accept },
        |load| if load.visit == 100 { Answer::Status(500) } else { Answer::Accept },
    ];
    for script in scripts {
        for seed in 0..SEEDS {
            let run = run(2400, 120.0, 0.05, script, seed);
            assert_eq!((run.count(Status::Uploaded), run.count(Status::Failed), run.stopped), (2399, 1, None));
            assert!(run.pauses <= 1 && run.refused.len() <= 6 && run.seconds < 22.0, "{} {}", run.pauses, run.seconds);
        }
    }
}

#[test]
fn a_long_retry_after_of_one_visit_holds_back_no_other() {
    let run = run(
        2400,
        120.0,
        0.05,
        |load| match (load.visit, load.times) {
            (100, 1) => Answer::RetryAfter(503, 900.0),
            _ => Answer::Accept,
        },
        1,
    );
    assert_eq!((run.count(Status::Uploaded), run.refused.len()), (2400, 1));
    assert_eq!(run.arrivals.iter().filter(|at| **at > 21.0).count(), 1);
    // It waits as long as an outage would be waited out.
    assert!((600.0..603.0).contains(&run.seconds), "{}", run.seconds);
}

#[test]
fn nothing_is_sent_before_the_wait_that_the_server_asks_all_for() {
    for status in [429, 503] {
        let script: Script = match status {
            429 => |load| if load.second < 65.0 { Answer::RetryAfter(429, 20.0) } else { Answer::Accept },
            _ => |load| if load.second < 65.0 { Answer::RetryAfter(503, 20.0) } else { Answer::Accept },
        };
        let run = run(1200, 120.0, 0.05, script, 1);
        assert_eq!(run.count(Status::Uploaded), 1200);
        // One request after each wait.
        assert_eq!(run.arrivals.iter().filter(|at| (1.0..79.0).contains(*at)).count(), 3, "{status}");
        assert!(run.arrivals.iter().filter(|at| **at < 1.0).count() <= 20, "{status}");
        assert!((80.0..94.0).contains(&run.seconds), "{status}: {}", run.seconds);
    }
}

#[test]
fn a_wait_beyond_patience_ends_the_run_at_once() {
    let scripts: [Script; 2] = [|_| Answer::RetryAfter(429, 900.0), |_| Answer::RetryAfter(503, 900.0)];
    for script in scripts {
        let run = run(1200, 120.0, 0.05, script, 1);
        assert_eq!(run.stopped, Some(StopReason::ApiDown));
        assert!(run.seconds < 2.0 && run.arrivals.len() <= 20, "{} {}", run.seconds, run.arrivals.len());
        assert_eq!(run.outcomes.len(), 1200);
    }
}

#[test]
fn the_same_strange_answer_to_the_first_ten_visits_ends_the_run() {
    let scripts: [Script; 4] =
        [|_| Answer::Page(200), |_| Answer::Status(404), |_| Answer::Status(302), |_| Answer::Status(207)];
    for (script, status) in
        scripts.into_iter().zip([Status::Failed, Status::Rejected, Status::Rejected, Status::Failed])
    {
        let run = run(200, 120.0, 0.05, script, 1);
        assert_eq!(run.stopped, Some(StopReason::AddressRefused));
        assert!((10..20).contains(&run.arrivals.len()), "{}", run.arrivals.len());
        assert_eq!(run.count(status) + run.count(Status::NotAttempted), 200);
        assert_eq!(run.count(status), run.arrivals.len());
    }
}

#[test]
fn a_project_that_is_locked_is_waited_for() {
    let run = run(
        200,
        120.0,
        0.05,
        |load| match load.second {
            0.0..30.0 => Answer::Says(409, "project is locked"),
            _ => Answer::Accept,
        },
        1,
    );
    assert_eq!((run.stopped, run.count(Status::Uploaded)), (None, 200));
}

#[test]
fn a_key_is_doubted_for_one_visit_and_refused_for_two() {
    let for_one: [Script; 2] = [
        |load| if load.visit == 100 { Answer::Says(401, "the API key is invalid") } else { Answer::Accept },
        |load| {
            if load.visit == 100 {
                Answer::Says(403, "A forbidden resource has been requested x")
            } else {
                Answer::Accept
            }
        },
    ];
    for script in for_one {
        let run = run(600, 120.0, 0.05, script, 1);
        assert_eq!((run.stopped, run.count(Status::Uploaded), run.count(Status::Rejected)), (None, 599, 1));
        assert!(run.seconds < 5.3, "{}", run.seconds);
    }
    let run = run(600, 120.0, 0.05, |load| if load.second < 2.0 { Answer::Accept } else { Answer::Status(401) }, 1);
    assert_eq!(run.stopped, Some(StopReason::KeyRefused));
    assert!(run.refused.len() <= 9, "{}", run.refused.len());
    // What was under way is recorded, too.
    assert_eq!(run.count(Status::Rejected), run.refused.len());
}

#[test]
fn one_page_of_a_firewall_is_its_visit_s() {
    let run = run(600, 120.0, 0.05, |load| if load.visit == 100 { Answer::Page(403) } else { Answer::Accept }, 1);
    assert_eq!((run.stopped, run.count(Status::Uploaded), run.count(Status::Rejected)), (None, 599, 1));
    assert_eq!(run.arrivals.len(), 600);
}

#[test]
fn visits_that_always_get_500_end_a_small_run_soon() {
    // Nine of them, where the others were taken: no outage.
    let run = run(40, 120.0, 0.05, |load| if load.visit < 9 { Answer::Status(500) } else { Answer::Accept }, 1);
    assert_eq!((run.stopped, run.count(Status::Uploaded), run.count(Status::Failed)), (None, 31, 9));
    assert!(run.seconds < 90.0, "{}", run.seconds);
}
