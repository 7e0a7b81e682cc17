//! Visits in, outcomes out. The machine decides; this loop takes permits, sends, sleeps, and says what happens.

use super::classify::{AttemptError, classify};
use super::config::Config;
use super::limiter::Limiter;
use super::machine::{Effect, Machine, Next, Notice, Settled, Start, Time, VisitNumber};
use super::network::{Network, Reply};
use super::rate_file::RateFile;
use super::stop::Stop;
use super::traffic::Traffic;
use super::vendor::remedy_of_refused_key;
use crate::build::{Identity, Parts, Prepared};
use crate::outcome::{Outcome, Status, StopReason};
use crate::text::{duration, rate, shortened};
use bytes::Bytes;
use chrono::Utc;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

/// The longest reason of an outage that is said, in characters; the result file has more.
const LONGEST_REASON: usize = 160;

/// What a run begins with.
#[derive(Debug, Default)]
pub(crate) struct Beginning {
    /// What its decisions depend on.
    pub(crate) machine: Start,
    /// Through which it shares its rate with other runs.
    pub(crate) rate_file: Option<RateFile>,
}

impl From<Start> for Beginning {
    fn from(machine: Start) -> Beginning {
        Beginning { machine, rate_file: None }
    }
}

/// Sends all visits that come, by the batch, until there are no more or something asks to stop; then the rest comes out as not
/// attempted. Every visit taken in gives exactly one outcome.
pub(crate) async fn upload<N: Network>(
    network: &N,
    config: &Config,
    stop: &Stop,
    traffic: &Traffic,
    start: Beginning,
    mut visits: mpsc::Receiver<Vec<Prepared>>,
    outcomes: mpsc::Sender<Outcome>,
) {
    let began = Instant::now();
    let now = || began.elapsed();
    let mut machine = Machine::new(config, start.machine);
    let mut limiter = Limiter::new(config.rate, config.burst);
    if let Some(file) = start.rate_file {
        limiter = limiter.sharing(file, config.patience);
    }
    let mut paused_until = Time::ZERO;
    let mut open = OpenVisits::default();
    let mut in_flight = FuturesUnordered::new();
    let mut waiting = Vec::new().into_iter();
    loop {
        if let Some(reason) = stop.reason() {
            machine.stop(reason);
        }
        while machine.wants_more()
            && let Some(visit) = waiting.next()
        {
            machine.add(open.add(visit));
        }
        if machine.paused_until() > paused_until {
            paused_until = machine.paused_until();
            limiter.pause(paused_until.saturating_sub(now()));
        }
        let wake = loop {
            match machine.next(now()) {
                Next::Wait(until) => break until.map(|until| began + until),
                Next::Send(number) => {
                    limiter.set_rate(machine.rate(now()));
                    if let Err(at) = limiter.take() {
                        break Some(at);
                    }
                    let is_retry = machine.begin(number, now());
                    traffic.sent(is_retry);
                    let Some((session_uid, body)) = open.request(number) else { continue };
                    let reply = network.put(session_uid, body);
                    in_flight.push(async move { (number, reply.await) });
                }
            }
        };
        for effect in machine.effects().collect::<Vec<_>>() {
            match effect {
                Effect::Notice(notice) => say(notice, config, stop, traffic),
                Effect::Settled(settled) => {
                    let Some(outcome) = open.settle(settled) else { continue };
                    if outcomes.send(outcome).await.is_err() {
                        // Nobody writes down what happens any more: nothing more may happen.
                        stop.request(StopReason::ResultsBroken);
                        return;
                    }
                }
            }
        }
        if machine.is_done() {
            return;
        }
        tokio::select! {
            biased;
            Some((number, reply)) = in_flight.next(), if !in_flight.is_empty() => {
                take_in(&mut machine, &open, number, &reply, traffic, now());
            }
            _ = stop.requested(), if stop.reason().is_none() => {}
            batch = visits.recv(), if machine.wants_more() && waiting.len() == 0 => match batch {
                Some(batch) => waiting = batch.into_iter(),
                None => machine.complete(now()),
            },
            () = sleep_until(wake.unwrap_or(began)), if wake.is_some() => {}
        }
    }
}

fn take_in(machine: &mut Machine, open: &OpenVisits, number: VisitNumber, reply: &Reply, traffic: &Traffic, now: Time) {
    tracing::debug!(visit = open.key(number), attempt = machine.attempts(number), %reply, "answered");
    let http_status = match reply {
        Reply::Answer { status, .. } => Some(*status),
        _ => None,
    };
    if http_status.is_some() {
        traffic.answered();
    }
    if http_status == Some(429) {
        traffic.throttled();
    }
    let verdict = classify(reply, machine.may_have_arrived(number));
    machine.reply(number, verdict, http_status, now);
}

/// The visits that are not settled, for which the machine has numbers.
#[derive(Default)]
struct OpenVisits {
    last: VisitNumber,
    visits: HashMap<VisitNumber, OpenVisit>,
}

struct OpenVisit {
    identity: Identity,
    session_uid: Uuid,
    body: Bytes,
    payload_sha256: [u8; 32],
}

impl OpenVisits {
    fn add(&mut self, visit: Prepared) -> VisitNumber {
        let Parts { identity, session_uid, body, payload_sha256 } = visit.into_parts();
        self.last += 1;
        self.visits.insert(self.last, OpenVisit { identity, session_uid, body: Bytes::from(body), payload_sha256 });
        self.last
    }

    fn request(&self, number: VisitNumber) -> Option<(Uuid, Bytes)> {
        self.visits.get(&number).map(|visit| (visit.session_uid, visit.body.clone()))
    }

    fn key(&self, number: VisitNumber) -> &str {
        self.visits.get(&number).map_or("", |visit| &visit.identity.visit_id)
    }

    fn settle(&mut self, settled: Settled) -> Option<Outcome> {
        let Settled { visit, status, http_status, error, attempts, elapsed } = settled;
        let OpenVisit { identity, payload_sha256, .. } = self.visits.remove(&visit)?;
        if status == Status::NotAttempted {
            return Some(Outcome::not_attempted(identity, payload_sha256));
        }
        Some(Outcome {
            identity,
            status,
            http_status,
            error_code: error.as_ref().map(|error| error.code),
            error: error.map(|error| error.text).unwrap_or_default(),
            attempts,
            elapsed_ms: elapsed.as_millis() as u64,
            finished_at: Utc::now(),
            payload_sha256: Some(payload_sha256),
        })
    }
}

/// Says what a person should hear of, and hands a stop on to the other parts of the run.
fn say(notice: Notice, config: &Config, stop: &Stop, traffic: &Traffic) {
    let shown = |error: &AttemptError| shortened(&error.to_string(), LONGEST_REASON);
    let patience = duration(config.patience);
    match notice {
        Notice::Paused { rate: too_fast, pause, reason } => {
            traffic.paused();
            let pause = match pause.as_millis() {
                ms @ 0..100 => format!("{} ms", ms.max(1)),
                _ => duration(pause),
            };
            let rate = rate(too_fast);
            match reason.status {
                Some(429) => tracing::warn!("HTTP 429, too many requests at {rate}: pausing for {pause}"),
                _ => tracing::warn!(
                    "at {rate} some requests fail while others succeed ({}): pausing for {pause}",
                    shown(&reason)
                ),
            }
        }
        Notice::Down { reason } => {
            let reason = reason.as_ref().map(shown).unwrap_or_default();
            tracing::warn!("the API looks down ({reason}); probing for up to {patience}");
        }
        Notice::Up { after } => tracing::warn!("the API answers again after {}", duration(after)),
        Notice::KeyDoubted { reason } => {
            tracing::warn!("the key was refused for one visit ({}); trying another one", shown(&reason));
        }
        Notice::HeldDown { needed } => tracing::warn!(
            "answers take so long that max_in_flight holds the rate down; max_in_flight = {needed} would do, or leave it out"
        ),
        Notice::Stopped { reason, error, wait } => {
            if !stop.request(reason) {
                return;
            }
            let said = error.as_ref().map(shown).unwrap_or_default();
            match (reason, wait) {
                // Whether anything was sent all the same is known when what is under way has ended.
                (StopReason::Unusable, _) => stop.explain(error.map(|error| error.text).unwrap_or_default()),
                (StopReason::KeyRefused, _) => tracing::error!(
                    "the API refuses the key: {said}; nothing more is sent until a rerun {}",
                    error.as_ref().map_or("", |error| remedy_of_refused_key(&error.text))
                ),
                (StopReason::AddressRefused, _) => tracing::error!(
                    "the first visits were all answered {said}: base_url, version, project or resource is wrong, or somebody \
                     else answers in place of the API; nothing more is sent"
                ),
                (_, Some(wait)) => tracing::error!(
                    "the API asks to come back in {}, and patience ({patience}) is over before; nothing more is sent until a \
                     rerun",
                    duration(wait)
                ),
                _ if error.as_ref().is_some_and(|error| error.status == Some(429)) => tracing::error!(
                    "the API refused everything for more than {patience} (patience), with 429 at last; nothing more is sent until a rerun"
                ),
                _ => tracing::error!(
                    "the API was down for more than {patience} (patience); nothing more is sent until a rerun"
                ),
            }
        }
    }
}
