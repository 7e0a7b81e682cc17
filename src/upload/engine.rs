//! Visits in, outcomes out: many visits open at once, each with its attempts, under one pace and one health.
//!
//! The order of waits before an attempt is: the visit's own backoff, in an outage the line of those that were tried and
//! then that of all for the next probe, a place in flight, the permit of the pace.

use super::classify::{AttemptError, Verdict, classify};
use super::config::Config;
use super::health::{Health, Seen};
use super::network::{Network, Reply};
use super::pace::{Pace, Permit};
use super::stop::Stop;
use super::traffic::Traffic;
use crate::build::{Identity, Parts, Prepared};
use crate::outcome::{Outcome, Status, StopReason};
use crate::text::{duration, rate, start_of};
use bytes::Bytes;
use chrono::Utc;
use futures_util::FutureExt;
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::cell::{Cell, RefCell};
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Notify, Semaphore, SemaphorePermit, mpsc};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

/// Visits that wait for another attempt hold no place in flight; this many times the places may be open at once, and
/// never fewer than it takes to tell an outage.
const OPEN_PER_PLACE: usize = 4;
const FEWEST_OPEN: usize = 40;
/// In an outage, so many more: those that were tried already may be what is wrong.
const MORE_IN_OUTAGE: usize = 256;

/// The longest reason of an outage that is said, in characters; the result file has more.
const LONGEST_REASON: usize = 160;

/// Sends all visits that come, by the batch, until there are no more or something asks to stop; then the rest comes out as not
/// attempted. Every visit taken in gives exactly one outcome.
pub(crate) async fn upload<N: Network>(
    network: &N,
    config: &Config,
    stop: &Stop,
    traffic: &Traffic,
    random: fastrand::Rng,
    mut visits: mpsc::Receiver<Vec<Prepared>>,
    outcomes: mpsc::Sender<Outcome>,
) {
    let engine = Engine {
        network,
        config,
        stop,
        traffic,
        pace: Pace::new(config),
        health: Health::new(config),
        slots: Semaphore::new(config.max_in_flight),
        line: Mutex::new(()),
        probing: Mutex::new(()),
        outage: Notify::new(),
        recovered: Notify::new(),
        untried: Cell::new(0),
        all_tried: Notify::new(),
        untried_wanted: Notify::new(),
        random: RefCell::new(random),
    };
    let most_open = config.max_in_flight.saturating_mul(OPEN_PER_PLACE).max(FEWEST_OPEN);
    let mut open = FuturesUnordered::new();
    let mut more = true;
    let mut waiting = Vec::new().into_iter();
    let mut number = 0;
    while more || !open.is_empty() || waiting.len() > 0 {
        // Answers that have come are looked at before another visit is opened.
        let answer = open.next().now_or_never().flatten();
        let room = open.len() < most_open || open.len() < most_open + MORE_IN_OUTAGE && engine.lacks_untried();
        let outcome = match answer {
            Some(outcome) => outcome,
            None if room && waiting.len() > 0 => match waiting.next() {
                Some(visit) if stop.reason().is_none() => {
                    number += 1;
                    engine.untried.set(engine.untried.get() + 1);
                    open.push(engine.deliver(number, visit));
                    continue;
                }
                Some(visit) => {
                    let Parts { identity, payload_sha256, .. } = visit.into_parts();
                    Outcome::not_attempted(identity, payload_sha256)
                }
                None => continue,
            },
            None => tokio::select! {
                biased;
                Some(outcome) = open.next(), if !open.is_empty() => outcome,
                batch = visits.recv(), if more && room => {
                    match batch {
                        None => more = false,
                        Some(batch) => waiting = batch.into_iter(),
                    }
                    continue;
                }
                () = engine.untried_wanted.notified(), if !room => continue,
            },
        };
        if outcomes.send(outcome).await.is_err() {
            // Nobody writes down what happens any more: nothing more may happen.
            stop.request(StopReason::ResultsBroken);
            break;
        }
    }
}

struct Engine<'a, N> {
    network: &'a N,
    config: &'a Config,
    stop: &'a Stop,
    traffic: &'a Traffic,
    pace: Pace,
    health: Health,
    slots: Semaphore,
    /// Held by the one among the visits already tried that is the next of them to probe an outage.
    line: Mutex<()>,
    /// Held by the one visit that probes an outage; the others wait for it in line.
    probing: Mutex<()>,
    /// Told when an outage begins.
    outage: Notify,
    recovered: Notify,
    /// Open visits without an attempt yet.
    untried: Cell<usize>,
    all_tried: Notify,
    untried_wanted: Notify,
    random: RefCell<fastrand::Rng>,
}

/// Leave to send one request.
struct Admission<'e> {
    permit: Permit,
    _slot: Option<SemaphorePermit<'e>>,
    probe: Option<MutexGuard<'e, ()>>,
}

/// What is known of a visit so far.
struct Delivery {
    identity: Identity,
    payload_sha256: [u8; 32],
    attempts: u32,
    /// Attempts that count towards `max_attempts`.
    counted: u32,
    may_have_arrived: bool,
    first: Option<Instant>,
    last: Option<Instant>,
    refused: Option<AttemptError>,
}

impl Delivery {
    fn outcome(self, status: Status, http_status: Option<u16>, refused: Option<AttemptError>) -> Outcome {
        let elapsed = match (self.first, self.last) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        };
        Outcome {
            identity: self.identity,
            status,
            http_status,
            error_code: refused.as_ref().map(|refused| refused.code),
            error: refused.map(|refused| refused.text).unwrap_or_default(),
            attempts: self.attempts,
            elapsed_ms: elapsed.as_millis() as u64,
            finished_at: Utc::now(),
            payload_sha256: Some(self.payload_sha256),
        }
    }

    fn settled(self, status: Status, http_status: u16) -> Outcome {
        self.outcome(status, Some(http_status), None)
    }

    fn refused(self, status: Status, refused: AttemptError) -> Outcome {
        let http_status = refused.status;
        self.outcome(status, http_status, Some(refused))
    }

    /// The run stopped between attempts, or before the first.
    fn stopped(mut self) -> Outcome {
        match self.refused.take() {
            Some(mut refused) => {
                refused.text.push_str(" (the run stopped before another attempt)");
                self.refused(Status::Failed, refused)
            }
            None => Outcome::not_attempted(self.identity, self.payload_sha256),
        }
    }
}

impl<N: Network> Engine<'_, N> {
    async fn deliver(&self, number: u64, visit: Prepared) -> Outcome {
        let Parts { identity, session_uid, body, payload_sha256 } = visit.into_parts();
        let body = Bytes::from(body);
        let mut delivery = Delivery {
            identity,
            payload_sha256,
            attempts: 0,
            counted: 0,
            may_have_arrived: false,
            first: None,
            last: None,
            refused: None,
        };
        loop {
            // Most often there is leave at once, and nothing has to listen for the stop.
            let admission = tokio::select! {
                biased;
                admission = self.admission(delivery.attempts > 0) => admission,
                _ = self.stop.requested() => return delivery.stopped(),
            };
            if self.stop.reason().is_some() {
                return delivery.stopped();
            }
            let reply = self.attempt(&mut delivery, session_uid, &body).await;
            let Admission { permit, _slot: slot, probe } = admission;
            drop(slot);
            let verdict = classify(&reply, delivery.may_have_arrived);
            tracing::debug!(visit = delivery.identity.visit_id, attempt = delivery.attempts, %reply, "answered");
            if !matches!(verdict, Verdict::Retryable { .. } | Verdict::Throttled { .. }) {
                self.answered();
            }
            let status = match reply {
                Reply::Answer { status, .. } => status,
                _ => 0,
            };
            let wait = match verdict {
                Verdict::Uploaded => return delivery.settled(Status::Uploaded, status),
                Verdict::AlreadyReceived => return delivery.settled(Status::AlreadyReceived, status),
                Verdict::Rejected(refused) => return delivery.refused(Status::Rejected, refused),
                Verdict::KeyRefused(refused) => {
                    if self.stop.request(StopReason::KeyRefused) {
                        tracing::error!(
                            "the API refuses the key: {}; nothing more is sent until a rerun with a valid token",
                            refused.text
                        );
                    }
                    return delivery.refused(Status::Rejected, refused);
                }
                Verdict::Throttled { error, retry_after } => {
                    delivery.refused = Some(error);
                    self.throttled(permit, retry_after);
                    Duration::ZERO
                }
                Verdict::Retryable { error, may_have_arrived, retry_after } => {
                    delivery.may_have_arrived |= may_have_arrived;
                    delivery.refused = Some(error.clone());
                    match self.failed(number, &mut delivery, probe.is_some()) {
                        // However long a single visit is to wait, the run does not outlast an outage for it.
                        Next::Retry(wait) => wait.max(retry_after.unwrap_or_default().min(self.config.patience)),
                        Next::Probe => Duration::ZERO,
                        Next::GiveUp => return delivery.refused(Status::Failed, error),
                    }
                }
            };
            drop(probe);
            if !wait.is_zero() {
                tokio::select! {
                    biased;
                    _ = self.stop.requested() => return delivery.stopped(),
                    () = sleep(wait) => {}
                }
            }
        }
    }

    async fn attempt(&self, delivery: &mut Delivery, session_uid: Uuid, body: &Bytes) -> Reply {
        if delivery.attempts == 0 {
            self.untried.set(self.untried.get() - 1);
            if self.untried.get() == 0 {
                self.all_tried.notify_waiters();
            }
        }
        delivery.attempts += 1;
        delivery.first.get_or_insert_with(Instant::now);
        self.traffic.sent(delivery.attempts > 1);
        let reply = self.network.put(session_uid, body.clone()).await;
        delivery.last = Some(Instant::now());
        reply
    }

    /// Waits until a request may be sent for a visit that was `tried` before, or was not.
    async fn admission(&self, tried: bool) -> Admission<'_> {
        loop {
            let probe = match self.health.next_probe() {
                None => None,
                Some(_) => match self.probe(tried).await {
                    None => {
                        // Not all of those at once that may be what is wrong, before any that was not tried.
                        if tried {
                            let wait = self.config.backoff.wait(1, &mut self.random.borrow_mut());
                            sleep(wait).await;
                        }
                        continue;
                    }
                    probe => probe,
                },
            };
            let outage = self.outage.notified();
            let admission = async {
                let slot = self.slots.acquire().await.ok();
                (slot, self.pace.permit().await)
            };
            let (slot, permit) = tokio::select! {
                biased;
                admission = admission => admission,
                // A reason to wait in line: the probe must not wait for a place or a permit behind this one.
                () = outage, if probe.is_none() => continue,
            };
            if probe.is_some() || self.health.next_probe().is_none() {
                return Admission { permit, _slot: slot, probe };
            }
        }
    }

    /// Waits in line for the next probe of an outage; `None` once it is over.
    ///
    /// A few visits that are always answered with an error may be all that is wrong. Those already tried let the others
    /// go first, and only one of them at a time into the line, so that one opened later has its turn after the next: it is
    /// opened when the probe before it has failed, and by then one of the tried is in line for the next.
    async fn probe(&self, tried: bool) -> Option<MutexGuard<'_, ()>> {
        let first_of_the_tried = if tried { Some(self.behind_the_untried().await) } else { None };
        let turn = self.probing.lock().await;
        drop(first_of_the_tried);
        let recovered = self.recovered.notified();
        let at = self.health.next_probe()?;
        tokio::select! {
            biased;
            () = recovered => {}
            () = sleep_until(at) => {}
        }
        self.health.next_probe().map(|_| turn)
    }

    async fn behind_the_untried(&self) -> MutexGuard<'_, ()> {
        let first = self.line.lock().await;
        while self.untried.get() > 0 && self.health.next_probe().is_some() {
            self.all_tried.notified().await;
        }
        first
    }

    /// Whether only a visit that is not open yet could show that the API is there.
    fn lacks_untried(&self) -> bool {
        self.untried.get() == 0 && self.health.next_probe().is_some()
    }

    fn answered(&self) {
        self.pace.answered();
        if let Some(outage) = self.health.answered() {
            tracing::warn!("the API answers again after {}", duration(outage));
            self.recovered.notify_waiters();
            self.all_tried.notify_waiters();
        }
    }

    fn throttled(&self, permit: Permit, retry_after: Option<Duration>) {
        let pause = self.pace.refused(permit, retry_after, &mut self.random.borrow_mut());
        self.traffic.throttled();
        if let Some(pause) = pause {
            self.traffic.paused();
            let (rate, pause) = (rate(self.pace.rate()), duration(pause));
            tracing::warn!("HTTP 429, too many requests at {rate}: pausing for {pause}");
        }
        let was_down = self.health.next_probe().is_some();
        if !self.health.refused() && self.stop.request(StopReason::ApiDown) {
            let patience = duration(self.config.patience);
            tracing::error!(
                "the API answered only 429 for more than {patience} (patience); nothing more is sent until a rerun"
            );
        }
        if was_down {
            self.recovered.notify_waiters();
            self.all_tried.notify_waiters();
        }
    }

    fn failed(&self, number: u64, delivery: &mut Delivery, probe: bool) -> Next {
        delivery.counted += 1;
        let last_try = delivery.counted >= self.config.max_attempts;
        let first = delivery.first.unwrap_or_else(Instant::now);
        let random = &mut self.random.borrow_mut();
        let seen = self.health.failed(number, first, last_try, probe, random);
        if self.lacks_untried() {
            self.untried_wanted.notify_one();
        }
        match seen {
            Seen::Own if last_try => Next::GiveUp,
            Seen::Own => Next::Retry(self.config.backoff.wait(delivery.counted, random)),
            Seen::Outage { began } => {
                delivery.counted -= 1;
                if began {
                    self.outage.notify_waiters();
                }
                // Once the run ends, the user need not hear of an outage.
                if began && self.stop.reason().is_none() {
                    let reason = delivery.refused.as_ref().map(AttemptError::to_string).unwrap_or_default();
                    let (reason, patience) = (start_of(&reason, LONGEST_REASON), duration(self.config.patience));
                    tracing::warn!("the API looks down ({reason}); probing for up to {patience}");
                }
                Next::Probe
            }
            Seen::OutOfPatience => {
                if self.stop.request(StopReason::ApiDown) {
                    let patience = duration(self.config.patience);
                    tracing::error!(
                        "the API was down for more than {patience} (patience); nothing more is sent until a rerun"
                    );
                }
                Next::Probe
            }
        }
    }
}

enum Next {
    /// After this wait, or the one that the server asks for.
    Retry(Duration),
    /// In its turn among those that find out whether the API is up again.
    Probe,
    GiveUp,
}
