//! Servers with one kind of bad spell each, in paused time: what a run makes of them. Goodput is the time that the best client
//! would have needed, by what the server would have accepted, over the time that the run took.

use super::{exports, rules};
use crate::build::Builder;
use crate::shuffle::ShuffleError;
use crate::upload::{Config, Look, Network, Reply, Stop, Traffic, upload};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// What a server does with a request that comes at this second, as the accepted of the last second, of this window, and the
/// requests under way.
type Script = fn(&Load) -> Answer;

/// What a server sees when a request comes.
struct Load {
    second: f64,
    /// Requests accepted in the last second.
    in_last_second: usize,
    /// Requests accepted in this stretch of ten seconds.
    in_ten_seconds: usize,
    in_flight: usize,
    /// Requests before this one.
    requests: usize,
    /// Seconds since the last request that was accepted.
    since_accepted: f64,
}

#[derive(Clone, Copy, PartialEq)]
enum Answer {
    Accept,
    Status(u16),
    RetryAfter(f64),
    Cut,
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
    in_flight: usize,
    arrivals: Vec<f64>,
    refused: usize,
    last_answer: f64,
}

impl Server {
    fn second(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }
}

impl Network for Server {
    async fn put(&self, _visit: Uuid, _body: Bytes) -> Reply {
        let second = self.second();
        let answer = {
            let mut seen = self.seen.borrow_mut();
            seen.in_flight += 1;
            seen.arrivals.push(second);
            let load = Load {
                second,
                in_last_second: seen.accepted.iter().rev().take_while(|at| **at > second - 1.0).count(),
                in_ten_seconds: seen
                    .accepted
                    .iter()
                    .rev()
                    .take_while(|at| **at >= (second / 10.0).floor() * 10.0)
                    .count(),
                in_flight: seen.in_flight,
                requests: seen.arrivals.len(),
                since_accepted: seen.accepted.back().map_or(f64::INFINITY, |last| second - last),
            };
            let answer = (self.script)(&load);
            match answer {
                Answer::Accept => seen.accepted.push_back(second),
                _ => seen.refused += 1,
            }
            answer
        };
        sleep(Duration::from_secs_f64(self.latency)).await;
        let mut seen = self.seen.borrow_mut();
        seen.in_flight -= 1;
        seen.last_answer = self.second();
        let reply = |status, retry_after| Reply::Answer { status, retry_after, text: String::new(), look: Look::Plain };
        match answer {
            Answer::Accept => reply(200, None),
            Answer::Status(status) => reply(status, None),
            Answer::RetryAfter(seconds) => reply(429, Some(Duration::from_secs_f64(seconds))),
            Answer::Cut => Reply::Broken("connection reset".to_owned()),
        }
    }
}

/// What a run against such a server came to.
#[derive(Debug)]
struct Run {
    delivered: usize,
    requests: usize,
    refused: usize,
    pauses: u64,
    seconds: f64,
    busiest_second: usize,
}

fn run(visits: usize, rate: f64, latency: f64, script: Script, seed: u64) -> Run {
    let mut made = None;
    let uploaded = exports(visits).each(|grouped| {
        let rules = rules();
        let builder = Builder::new(&rules, grouped, super::NOW);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let (seen, delivered, pauses) = runtime.unwrap().block_on(async {
            let server = Server { script, latency, start: Instant::now(), seen: RefCell::default() };
            let config = Config { rate, ..Config::default() };
            let (visits, queue) = mpsc::channel(1);
            let (outcomes, mut rows) = mpsc::channel(1);
            let feed = async {
                for at in 0..grouped.len() {
                    visits.send(vec![builder.prepare(at).expect("valid")]).await.expect("taken");
                }
                drop(visits);
            };
            let (stop, traffic, random) = (Stop::default(), Traffic::default(), fastrand::Rng::with_seed(seed));
            let send = upload(&server, &config, &stop, &traffic, random, false, queue, outcomes);
            let count = async {
                let mut count = 0;
                while let Some(outcome) = rows.recv().await {
                    count += usize::from(outcome.status.is_delivered());
                }
                count
            };
            let ((), (), count) = tokio::join!(feed, send, count);
            (server.seen.into_inner(), count, traffic.pauses())
        });
        let window = |from: &f64| seen.arrivals.iter().filter(|at| (*from..*from + 1.0).contains(*at)).count();
        made = Some(Run {
            delivered,
            requests: seen.arrivals.len(),
            refused: seen.refused,
            pauses,
            seconds: seen.last_answer,
            busiest_second: seen.arrivals.iter().map(window).max().unwrap_or(0),
        });
        Ok::<(), ShuffleError>(())
    });
    uploaded.expect("in memory");
    made.expect("one partition")
}

/// A kind of spell: its name, visits, rate, latency, the seconds that the best client needs, the goal, and the server.
type Spell = (&'static str, usize, f64, f64, f64, f64, Script);

const SPELLS: [Spell; 14] = [
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
        _ => Answer::RetryAfter((10.0 - load.second % 10.0).ceil()),
    }),
    ("500 for 10 s", 2400, 120.0, 0.05, 30.0, 0.95, |load| match load.second {
        5.0..15.0 => Answer::Status(500),
        _ => Answer::Accept,
    }),
    ("connections cut for 10 s", 2400, 120.0, 0.05, 30.0, 0.95, |load| match load.second {
        5.0..15.0 => Answer::Cut,
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
    ("a gateway that spaces requests at 60/s", 2400, 120.0, 0.05, 40.0, 0.9, |load| {
        // As nginx's limit_req with a small burst: a leaky bucket.
        if load.in_last_second < 62 && load.since_accepted >= 0.004 { Answer::Accept } else { Answer::Status(503) }
    }),
    ("a cap of 8 connections", 2400, 120.0, 0.1, 30.0, 0.9, |load| match load.in_flight {
        0..=8 => Answer::Accept,
        _ => Answer::Cut,
    }),
    ("steady 150/s", 3000, 150.0, 0.05, 20.0, 0.99, |_| Answer::Accept),
    ("one request in 100 gets 503", 2400, 120.0, 0.05, 20.0, 0.95, |load| match load.requests % 100 {
        99 => Answer::Status(503),
        _ => Answer::Accept,
    }),
];

#[test]
fn a_bad_spell_costs_little_more_than_itself() {
    let only = std::env::var("SPELL").unwrap_or_default();
    for (name, visits, rate, latency, best, goal, script) in SPELLS {
        if !name.contains(&only) {
            continue;
        }
        for seed in 0..5 {
            let run = run(visits, rate, latency, script, seed);
            let goodput = best / run.seconds;
            eprintln!("{name} [{seed}]: goodput {goodput:.3} (goal {goal}) {run:?}");
        }
    }
}
