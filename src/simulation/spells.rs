//! Servers with one kind of bad spell each, in paused time: what a run makes of them.
//!
//! Goodput is the time that the best client would have needed, by what the server would have accepted, over the time that
//! the run took. The clock is the simulation's, so the figures are the same on every machine.

use super::prepared;
use crate::outcome::{Outcome, Status, StopReason};
use crate::upload::{Config, Look, Network, Reply, Stop, Traffic, upload};
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
struct Load {
    second: f64,
    /// Requests accepted in the last second.
    in_last_second: usize,
    /// Requests accepted in this stretch of ten seconds.
    in_ten_seconds: usize,
    /// Requests under way, with this one.
    in_flight: usize,
    /// Requests so far, with this one.
    requests: usize,
    /// Which visit it is for, by the order in which they first came; and how often it came, with this time.
    visit: usize,
    times: usize,
    /// Seconds since the last request that was accepted.
    since_accepted: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Accept,
    Status(u16),
    RetryAfter(u16, f64),
    Page(u16),
    Says(u16, &'static str),
    Cut,
    /// Accepted, and answered at this second.
    AcceptAt(f64),
}

struct Server {
    script: Script,
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

impl Server {
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

impl Network for Server {
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
struct Run {
    /// In the order in which the server first saw them.
    outcomes: Vec<Outcome>,
    stopped: Option<StopReason>,
    /// When requests came, and when those came that were not accepted.
    arrivals: Vec<f64>,
    refused: Vec<f64>,
    pauses: u64,
    seconds: f64,
}

impl Run {
    fn count(&self, status: Status) -> usize {
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

    /// Requests that came in this second.
    fn requests_in(&self, second: std::ops::Range<f64>) -> usize {
        self.arrivals.iter().filter(|at| second.contains(*at)).count()
    }
}

/// Sends so many visits at this rate to a server of this latency.
fn run(visits: usize, rate: f64, latency: f64, script: Script, seed: u64) -> Run {
    with(visits, &Config { rate, ..Config::default() }, latency, script, seed)
}

fn with(visits: usize, config: &Config, latency: f64, script: Script, seed: u64) -> Run {
    let mut made = None;
    prepared(visits, |list| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        made = Some(runtime.unwrap().block_on(async {
            let server = Server { script, latency, start: Instant::now(), seen: RefCell::default() };
            let (visits, queue) = mpsc::channel(1);
            let (outcomes, mut rows) = mpsc::channel(1);
            let feed = async {
                for visit in list {
                    visits.send(vec![visit]).await.expect("taken");
                }
                drop(visits);
            };
            let (stop, traffic, random) = (Stop::default(), Traffic::default(), fastrand::Rng::with_seed(seed));
            let send = upload(&server, config, &stop, &traffic, random, false, queue, outcomes);
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
        }));
    });
    made.expect("one partition")
}

/// A kind of spell: its name, visits, rate, latency, the seconds that the best client needs, the goal, and the server.
type Spell = (&'static str, usize, f64, f64, f64, f64, Script);

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
    ("300/s wanted, 150/s allowed", 9000, 300.0, 0.01, 60.0, 0.95, |load| match load.in_last_second {
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
    ("one connection in 12 is cut", 2400, 120.0, 0.05, 21.8, 0.75, |load| match load.requests.wrapping_mul(7919) % 12 {
        5 => Answer::Cut,
        _ => Answer::Accept,
    }),
];

#[test]
fn a_bad_spell_costs_little_more_than_itself() {
    let only = std::env::var("SPELL").unwrap_or_default();
    let mut short = Vec::new();
    for (name, visits, rate, latency, best, goal, script) in SPELLS {
        if !name.contains(&only) {
            continue;
        }
        for seed in std::env::var("SEED").map_or(0..SEEDS, |s| { let s: u64 = s.parse().unwrap(); s..s+1 }) {
            let run = run(visits, rate, latency, script, seed);
            let goodput = best / run.seconds;
            let line = format!(
                "{name} [{seed}]: goodput {goodput:.3} (goal {goal}), {} requests, {} not accepted, {} pauses, {} in the \
                 busiest second",
                run.arrivals.len(),
                run.refused.len(),
                run.pauses,
                run.busiest_second()
            );
            eprintln!("{line}");
            if goodput < goal || run.count(Status::Uploaded) != visits || run.busiest_second() as f64 > rate + 2.0 {
                short.push(line);
            }
        }
    }
    assert!(short.is_empty(), "{}", short.join("\n"));
}
