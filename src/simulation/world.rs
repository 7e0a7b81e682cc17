//! The server of a simulation: it forgets nothing, and it treats its clients as badly as its seed says.

use crate::upload::{Look, Network, Reply};
use bytes::Bytes;
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// What an outage looks like from outside.
#[derive(Clone, Copy, Debug)]
enum Outage {
    Unreachable,
    Errors,
    Silence,
    /// A balancer without a backend.
    NotFound,
    /// A portal's login page, with status 200.
    Login,
    /// A 409 that says something else.
    Locked,
    /// Any of these, by turns: backends that are down behind a balancer that says so in its own way.
    Mixed,
}

const OUTAGES: [Outage; 7] = [
    Outage::Unreachable,
    Outage::Errors,
    Outage::Silence,
    Outage::NotFound,
    Outage::Login,
    Outage::Locked,
    Outage::Mixed,
];

/// The server, alive through all deaths of its client.
pub(super) struct World {
    state: RefCell<State>,
}

struct State {
    random: fastrand::Rng,
    start: Instant,
    outages: Vec<(f64, f64, Outage)>,
    /// Requests it takes in any second; what it refuses does not count.
    limit: Option<usize>,
    retry_after: Option<Duration>,
    /// What the limit is told with: 429, 503, or 403 in words of a gateway.
    limit_status: u16,
    /// What errors of an outage ask to wait.
    outage_retry_after: Option<Duration>,
    /// Until when the last answer asked to wait.
    asked_until: f64,
    latency: Duration,
    /// The share of requests that go wrong for no reason.
    faults: f64,
    key_expires: Option<f64>,
    /// Visits that are always refused, and visits that it always stumbles over.
    refused: HashSet<Uuid>,
    cursed: HashSet<Uuid>,
    /// Visits that are always answered in none of the vendor's words, or as one too many, or as if the key were wrong.
    odd: HashMap<Uuid, u16>,
    received: HashMap<Uuid, u64>,
    accepted_times: Vec<f64>,
    arrivals: Vec<f64>,
    /// What the client has on record as delivered and must not send again.
    settled: HashSet<Uuid>,
    complaints: Vec<String>,
    last_good: Option<f64>,
    healthy: bool,
}

impl World {
    pub(super) fn new(seed: u64) -> World {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut outages = Vec::new();
        let mut at = 0.0;
        for _ in 0..random.usize(0..4) {
            at += random.f64() * 2_000.0;
            let length = 10f64.powf(random.f64() * 4.0);
            let kind = OUTAGES[random.usize(0..OUTAGES.len())];
            outages.push((at, at + length, kind));
            at += length;
        }
        let limit = random.bool().then(|| random.usize(3..200));
        let retry_after = random.bool().then(|| Duration::from_secs(random.u64(0..90)));
        let limit_status = [429, 429, 429, 503, 403][random.usize(0..5)];
        let outage_retry_after = (random.u8(0..4) == 0).then(|| Duration::from_secs(random.u64(0..900)));
        let latency = Duration::from_millis(random.u64(1..400));
        let faults = if random.bool() { random.f64() * 0.2 } else { 0.0 };
        let key_expires = (random.u8(0..6) == 0).then(|| random.f64() * 3_000.0);
        World {
            state: RefCell::new(State {
                random,
                start: Instant::now(),
                outages,
                limit,
                retry_after,
                limit_status,
                outage_retry_after,
                asked_until: 0.0,
                latency,
                faults,
                key_expires,
                refused: HashSet::new(),
                cursed: HashSet::new(),
                odd: HashMap::new(),
                received: HashMap::new(),
                accepted_times: Vec::new(),
                arrivals: Vec::new(),
                settled: HashSet::new(),
                complaints: Vec::new(),
                last_good: None,
                healthy: false,
            }),
        }
    }

    /// Some visits are refused for good, fewer still are always answered 500, or oddly.
    pub(super) fn curse(&self, visits: &[Uuid]) {
        let mut state = self.state.borrow_mut();
        for visit in visits {
            match state.random.u8(0..60) {
                0 => drop(state.refused.insert(*visit)),
                1 => drop(state.cursed.insert(*visit)),
                2 if state.random.bool() => {
                    let status = [200, 207, 302, 401, 403, 404, 409, 413, 429, 503][state.random.usize(0..10)];
                    state.odd.insert(*visit, status);
                }
                _ => {}
            }
        }
    }

    pub(super) fn has(&self, visit: Uuid) -> bool {
        self.state.borrow().received.contains_key(&visit)
    }

    pub(super) fn is_refused(&self, visit: Uuid) -> bool {
        self.state.borrow().refused.contains(&visit)
    }

    pub(super) fn settle(&self, visits: impl IntoIterator<Item = Uuid>) {
        self.state.borrow_mut().settled.extend(visits);
    }

    pub(super) fn complaints(&self) -> Vec<String> {
        self.state.borrow().complaints.clone()
    }

    /// How long ago anything but failures and 429s was answered, in seconds.
    pub(super) fn since_last_good(&self) -> f64 {
        let state = self.state.borrow();
        state.start.elapsed().as_secs_f64() - state.last_good.unwrap_or(0.0)
    }

    /// How long ago that was at the time until which the server asked to wait, in seconds.
    pub(super) fn asked_since_last_good(&self) -> f64 {
        let state = self.state.borrow();
        state.asked_until - state.last_good.unwrap_or(0.0)
    }

    /// Whether somebody else may answer in place of the API, or refuse the key for one visit.
    pub(super) fn has_odd_answers(&self) -> bool {
        let state = self.state.borrow();
        let is_odd = |kind: &Outage| matches!(kind, Outage::NotFound | Outage::Login | Outage::Locked | Outage::Mixed);
        !state.odd.is_empty() || state.outages.iter().any(|(.., kind)| is_odd(kind))
    }

    pub(super) fn key_has_expired(&self) -> bool {
        let state = self.state.borrow();
        state.key_expires.is_some_and(|at| at <= state.start.elapsed().as_secs_f64())
    }

    pub(super) fn renew_key(&self) {
        self.state.borrow_mut().key_expires = None;
    }

    /// From here on everything works but what is refused for good.
    pub(super) fn heal(&self) {
        let mut state = self.state.borrow_mut();
        state.healthy = true;
        state.key_expires = None;
        state.cursed.clear();
        state.odd.clear();
    }

    pub(super) fn arrivals(&self) -> Vec<f64> {
        self.state.borrow().arrivals.clone()
    }

    pub(super) fn random(&self) -> fastrand::Rng {
        self.state.borrow_mut().random.fork()
    }

    fn arrive(&self, visit: Uuid) -> Plan {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let now = state.start.elapsed().as_secs_f64();
        state.arrivals.push(now);
        if state.settled.contains(&visit) {
            state.complaints.push(format!("{visit} was sent again at {now:.3} s, though its delivery was on record"));
        }
        let latency = state.latency.mul_f64(0.5 + state.random.f64());
        let plan = |wait, stores, answer| Plan { wait, stores, answer };
        let says = |status, retry_after, text, look| Answer::Says { status, retry_after, text, look };
        let plainly = |status, retry_after| says(status, retry_after, "", Look::Plain);
        if state.key_expires.is_some_and(|at| at <= now) {
            state.last_good = Some(now);
            return plan(latency, false, plainly(401, None));
        }
        if !state.healthy {
            if let Some((.., kind)) = state.outages.iter().find(|(from, to, _)| (*from..*to).contains(&now)) {
                let stores = state.random.u8(0..5) == 0;
                let kind = match kind {
                    Outage::Mixed => OUTAGES[state.random.usize(0..OUTAGES.len() - 1)],
                    kind => *kind,
                };
                return match kind {
                    Outage::Unreachable => plan(Duration::from_millis(1), false, Answer::NotSent),
                    Outage::Errors => {
                        let asked = state.outage_retry_after.unwrap_or_default().as_secs_f64();
                        state.asked_until = state.asked_until.max(now + latency.as_secs_f64() + asked);
                        plan(latency, stores, plainly(503, state.outage_retry_after))
                    }
                    Outage::Silence => plan(Duration::from_secs(30), stores, Answer::Nothing),
                    Outage::NotFound => plan(latency, false, plainly(404, None)),
                    Outage::Login => plan(latency, false, says(200, None, "Log in", Look::Page)),
                    Outage::Locked => plan(latency, false, says(409, None, "project is locked", Look::Plain)),
                    Outage::Mixed => unreachable!("one of the others"),
                };
            }
            let recent = state.accepted_times.iter().rev().take_while(|at| **at > now - 1.0).count();
            if state.limit.is_some_and(|limit| recent >= limit) {
                let asked = state.retry_after.unwrap_or_default().as_secs_f64();
                state.asked_until = state.asked_until.max(now + latency.as_secs_f64() + asked);
                let text = if state.limit_status == 403 { "Rate_Limit exceeded" } else { "" };
                return plan(latency, false, says(state.limit_status, state.retry_after, text, Look::Plain));
            }
        }
        state.accepted_times.push(now);
        if state.cursed.contains(&visit) {
            return plan(latency, false, plainly(500, None));
        }
        if let Some(status) = state.odd.get(&visit) {
            let text = match status {
                401 => "the API key is invalid",
                403 => "A forbidden resource has been requested",
                409 => "a version conflict",
                _ => "",
            };
            let look = if *status == 200 { Look::ErrorInside } else { Look::Plain };
            return plan(latency, false, says(*status, None, text, look));
        }
        if !state.healthy && state.random.f64() < state.faults {
            return match state.random.u8(0..5) {
                0 => plan(latency, false, Answer::NotSent),
                1 => plan(latency, true, Answer::Cut),
                2 => plan(Duration::from_secs(30), true, Answer::Nothing),
                3 => plan(latency, false, plainly(500, None)),
                _ => plan(latency, true, plainly(502, None)),
            };
        }
        if state.refused.contains(&visit) {
            state.last_good = Some(now);
            return plan(latency, false, says(400, None, "Unknown Store 7", Look::Plain));
        }
        plan(latency, true, Answer::Settled)
    }
}

struct Plan {
    wait: Duration,
    stores: bool,
    answer: Answer,
}

enum Answer {
    Settled,
    Says { status: u16, retry_after: Option<Duration>, text: &'static str, look: Look },
    NotSent,
    Nothing,
    Cut,
}

impl Network for &World {
    async fn put(&self, visit: Uuid, _body: Bytes) -> Reply {
        let plan = self.arrive(visit);
        // The visit is stored halfway: a client that dies meanwhile may leave it there or not.
        sleep(plan.wait / 2).await;
        let is_new = plan.stores && {
            let mut state = self.state.borrow_mut();
            let times = state.received.entry(visit).or_default();
            *times += 1;
            *times == 1
        };
        sleep(plan.wait / 2).await;
        let reply =
            |status, retry_after, text: &str, look| Reply::Answer { status, retry_after, text: text.to_owned(), look };
        match plan.answer {
            Answer::Settled => {
                let mut state = self.state.borrow_mut();
                let now = state.start.elapsed().as_secs_f64();
                state.last_good = Some(now);
                reply(if is_new { 200 } else { 409 }, None, "", Look::Plain)
            }
            Answer::Says { status, retry_after, text, look } => reply(status, retry_after, text, look),
            Answer::NotSent => Reply::NotSent("connection refused".to_owned()),
            Answer::Nothing => Reply::TimedOut,
            Answer::Cut => Reply::Broken("connection reset".to_owned()),
        }
    }
}
