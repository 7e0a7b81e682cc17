//! When which visit is sent, and what its replies come to: one machine without I/O, without a clock, without tasks.
//!
//! ```text
//!                     429, or a limit in other words
//!            ┌──────────────────────────────────────────┐
//!            │      ┌───────────── pause over, probe accepted
//!            │      v                                    v
//!  refused ┌─┴─────────┐   10 visits in a row fail   ┌────────┐
//!  key  ┌──┤  Sending  ├──────────────┐              │ Paused │──> 429: a longer pause
//!       │  └───────────┘              v              └────────┘
//!       v      ^     ^            ┌────────┐             ^
//!  ┌──────────┐│     └────────────┤  Down  ├─────────────┘ 429: the API is there
//!  │ Doubting ├┘ another visit    └───┬────┘
//!  └────┬─────┘  gets through         │ patience is over
//!       │ refused again               v
//!       └──────────────────────> stopped: what is under way is still taken in (draining), nothing more goes out
//! ```
//!
//! In every mode but `Sending` one visit at a time goes out, as a probe. What is in a mode is lost when it ends; what is
//! known of a visit stays with the visit. Waits are data: the time of a visit's next attempt in a heap, the time of a probe
//! in its mode. [`Machine::next`] says what to do now, and [`Machine::reply`] takes in what came of it.

use super::classify::{AttemptError, Verdict};
use super::concurrency::Concurrency;
use super::config::{Backoff, Config};
use super::rate::RateControl;
use crate::outcome::{Status, StopReason};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

/// Since the run began to send.
pub(super) type Time = Duration;

/// A visit, by the order in which it was taken in.
pub(super) type VisitNumber = u64;

/// So many different visits in a row, and it is not them: that fail, or that get the same strange answer.
const IN_A_ROW: usize = 10;
/// Without a Retry-After, no pause after a 429 is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// A visit that is refused as one too many again, while so many others were taken since, is refused for itself.
const TAKEN_BETWEEN: u64 = 10;
/// Probes of an outage are at least so far apart, and at most this part of how long it has lasted.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);
const PROBES_OF_OUTAGE: u32 = 20;
/// However long an outage lasts, probes follow each other in no more than this part of the patience: there may be many
/// visits that always fail before one that shows that the API is there.
const PROBES_OF_PATIENCE: u32 = 100;
/// Visits that only the API's own errors hold back are given up after this time, where others had answers.
const POISONED_AFTER: Duration = Duration::from_secs(30);
/// Among so many answers, more failures than this are a limit told in other words.
const RECENT: usize = 100;
const TOLERATED: usize = 5;
/// Visits that wait for another attempt are not under way; this many times the requests under way may be open at once, and
/// never fewer than it takes to tell an outage.
const OPEN_PER_REQUEST: usize = 4;
const FEWEST_OPEN: usize = 40;
/// In an outage, so many more: those that were tried already may be what is wrong.
const MORE_IN_OUTAGE: usize = 256;

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Send this visit, as soon as there is a permit: then call [`Machine::begin`].
    Send(VisitNumber),
    /// Nothing before this time, unless a reply, a visit or a stop comes first.
    Wait(Option<Time>),
}

/// What has become of a visit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settled {
    pub(super) visit: VisitNumber,
    pub(super) status: Status,
    /// Of the last answer.
    pub(super) http_status: Option<u16>,
    /// Why it was not delivered.
    pub(super) error: Option<AttemptError>,
    pub(super) attempts: u32,
    /// From the first attempt to the last answer.
    pub(super) elapsed: Duration,
}

/// What a person should hear of.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Notice {
    /// All sending pauses. `rate`: what was too fast, in requests a second.
    Paused { rate: f64, pause: Duration, reason: AttemptError },
    /// The API looks down.
    Down { reason: Option<AttemptError> },
    /// It answers again.
    Up { after: Duration },
    /// The key was refused for one visit; the next one decides.
    KeyDoubted { reason: AttemptError },
    /// `max_in_flight` holds the rate down; `needed` would do.
    HeldDown { needed: usize },
    /// The run ends early.
    Stopped { reason: StopReason, error: Option<AttemptError>, wait: Option<Duration> },
}

/// What comes out of the machine.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Effect {
    Settled(Settled),
    Notice(Notice),
}

/// What is known of a visit that is not settled.
#[derive(Debug, Default)]
struct Visit {
    attempts: u32,
    /// Attempts that count towards `max_attempts`.
    counted: u32,
    may_have_arrived: bool,
    first: Option<Time>,
    last: Option<Time>,
    error: Option<AttemptError>,
    /// How many pauses there had been when its request went out: a 429 to a request of before a pause is part of its cause.
    pauses_before: u64,
    /// How many requests had been taken when it was last refused as one too many.
    taken_at_429: Option<u64>,
    /// The API's own errors, and how many of them were 500; those that came a second apart or more.
    server_errors: u32,
    errors_500: u32,
    first_server_error: Option<Time>,
    last_server_error: Option<Time>,
    /// How many other requests were under way when its own began.
    began_beside: usize,
    /// How long the server has asked it to wait so far.
    asked_to_wait: Duration,
}

#[derive(Debug)]
enum Mode {
    Sending,
    /// After a 429. Behind `until` one visit goes out to try.
    Paused {
        until: Time,
        in_a_row: u32,
    },
    /// Nothing gets through. One visit at a time goes out to try.
    Down {
        since: Time,
        next_probe: Time,
    },
    /// The key was refused for `first`; one other visit goes out to try.
    Doubting {
        first: VisitNumber,
        error: AttemptError,
    },
}

/// Answers that are not in the vendor's list: of these visits, in a row.
#[derive(Debug, Default)]
struct Strange {
    status: u16,
    visits: Vec<(VisitNumber, AttemptError, Status)>,
}

/// Decides for all visits of a run.
#[derive(Debug)]
pub(super) struct Machine {
    config: Config,
    random: fastrand::Rng,
    visits: HashMap<VisitNumber, Visit>,
    /// Visits without an attempt, in the order in which they came.
    untried: VecDeque<VisitNumber>,
    /// Visits that wait for another attempt, by its time.
    tried: BinaryHeap<Reverse<(Time, VisitNumber)>>,
    in_flight: usize,
    /// Whether no more visits come.
    is_complete: bool,
    mode: Mode,
    /// The visit that is under way as a probe of the mode.
    probe: Option<VisitNumber>,
    rate: RateControl,
    concurrency: Concurrency,
    pauses: u64,
    /// Requests that the API has taken, whatever it said of the visit.
    taken: u64,
    had_answers: bool,
    last_answer: Option<Time>,
    /// Whether any request was answered in this run, whatever the answer.
    was_answered: bool,
    /// Since when there has been no way to the API.
    no_way_since: Option<Time>,
    /// The first of the 429s that nothing else came between.
    only_429_since: Option<Time>,
    /// Visits that failed since the last answer.
    failed_in_a_row: HashSet<VisitNumber>,
    /// No probe before: the shortest wait that the server asked for since the last answer.
    asked_not_before: Option<Time>,
    /// Of the last answers, whether each was a failure such as a gateway's at its limit.
    recent: VecDeque<bool>,
    /// Beside how few requests under way one has failed for want of a connection, among the last answers.
    fewest_beside: usize,
    strange: Strange,
    stopped: Option<StopReason>,
    effects: VecDeque<Effect>,
}

impl Machine {
    /// `had_answers`: whether the result file that the run goes on with shows answers of the API.
    pub(super) fn new(config: &Config, had_answers: bool, random: fastrand::Rng) -> Machine {
        Machine {
            config: config.clone(),
            random,
            visits: HashMap::new(),
            untried: VecDeque::new(),
            tried: BinaryHeap::new(),
            in_flight: 0,
            is_complete: false,
            mode: Mode::Sending,
            probe: None,
            rate: RateControl::new(config.rate),
            concurrency: Concurrency::new(config.max_in_flight, config.rate),
            pauses: 0,
            taken: 0,
            had_answers,
            last_answer: None,
            was_answered: false,
            no_way_since: None,
            only_429_since: None,
            failed_in_a_row: HashSet::new(),
            asked_not_before: None,
            recent: VecDeque::with_capacity(RECENT),
            fewest_beside: usize::MAX,
            strange: Strange::default(),
            stopped: None,
            effects: VecDeque::new(),
        }
    }

    /// Takes a visit in. After a stop it is settled at once.
    pub(super) fn add(&mut self, visit: VisitNumber) {
        self.visits.insert(visit, Visit::default());
        self.untried.push_back(visit);
        if self.stopped.is_some() {
            self.settle_what_waits();
        }
    }

    /// No more visits come.
    pub(super) fn complete(&mut self, now: Time) {
        self.is_complete = true;
        self.decide(now);
    }

    /// Whether more visits should be taken in now.
    pub(super) fn wants_more(&self) -> bool {
        let most = self.concurrency.most().saturating_mul(OPEN_PER_REQUEST).max(FEWEST_OPEN);
        let more = match self.mode {
            Mode::Down { .. } if self.untried.is_empty() => MORE_IN_OUTAGE,
            _ => 0,
        };
        !self.is_complete && (self.stopped.is_some() || self.visits.len() < most + more)
    }

    /// Whether every visit is settled, and no more come.
    pub(super) fn is_done(&self) -> bool {
        self.is_complete && self.visits.is_empty()
    }

    /// How fast to send now, in requests a second.
    pub(super) fn rate(&self, now: Time) -> f64 {
        self.rate.rate(now)
    }

    /// What has come out since the last call.
    pub(super) fn effects(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.effects.drain(..)
    }

    /// Whether an earlier attempt of the visit may have arrived.
    pub(super) fn may_have_arrived(&self, visit: VisitNumber) -> bool {
        self.visits.get(&visit).is_some_and(|visit| visit.may_have_arrived)
    }

    /// What to do now. Asked again without an event between, it says the same.
    pub(super) fn next(&mut self, now: Time) -> Next {
        if self.stopped.is_some() {
            return Next::Wait(None);
        }
        let earliest = match &self.mode {
            Mode::Sending => {
                let next = match (self.tried.peek(), self.untried.front()) {
                    (Some(Reverse((at, visit))), _) if *at <= now => Next::Send(*visit),
                    (_, Some(visit)) => Next::Send(*visit),
                    (Some(Reverse((at, _))), None) => return Next::Wait(Some(*at)),
                    (None, None) => return Next::Wait(None),
                };
                if self.in_flight < self.concurrency.most() {
                    return next;
                }
                if let Some(needed) = self.concurrency.holds_down(now) {
                    self.effects.push_back(Effect::Notice(Notice::HeldDown { needed }));
                }
                return Next::Wait(None);
            }
            Mode::Paused { until, .. } => *until,
            Mode::Down { next_probe, .. } => (*next_probe).max(self.asked_not_before.unwrap_or_default()),
            Mode::Doubting { .. } => now,
        };
        if self.probe.is_some() {
            return Next::Wait(None);
        }
        if earliest > now {
            return Next::Wait(Some(earliest));
        }
        // A visit that was not tried first: those that were may be what is wrong.
        let candidate = self.untried.front().copied().or(self.tried.peek().map(|Reverse((_, visit))| *visit));
        candidate.map_or(Next::Wait(None), Next::Send)
    }

    /// The request of a visit goes out. Returns whether it is not its first.
    pub(super) fn begin(&mut self, visit: VisitNumber, now: Time) -> bool {
        if self.untried.front() == Some(&visit) {
            self.untried.pop_front();
        } else if self.tried.peek().is_some_and(|Reverse((_, first))| *first == visit) {
            self.tried.pop();
        }
        let began_beside = self.in_flight;
        self.in_flight += 1;
        self.concurrency.begun();
        if !matches!(self.mode, Mode::Sending) {
            self.probe = Some(visit);
        }
        let pauses = self.pauses;
        let Some(visit) = self.visits.get_mut(&visit) else { return false };
        visit.attempts += 1;
        visit.first.get_or_insert(now);
        visit.last = Some(now);
        visit.pauses_before = pauses;
        visit.began_beside = began_beside;
        visit.attempts > 1
    }

    /// Takes in the reply to a request. `http_status`: of the answer, if there was one.
    pub(super) fn reply(&mut self, number: VisitNumber, verdict: Verdict, http_status: Option<u16>, now: Time) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let is_probe = self.probe == Some(number);
        if is_probe {
            self.probe = None;
        }
        if let Some(visit) = self.visits.get_mut(&number) {
            self.concurrency.answered(now - visit.last.unwrap_or(now), self.config.rate);
            visit.last = Some(now);
        }
        self.was_answered |= http_status.is_some();
        if !matches!(verdict, Verdict::NoWay { .. }) {
            self.no_way_since = None;
        }
        match verdict {
            Verdict::NoWay { error, wait } => {
                self.remember(number, false, &error);
                let lasted = now - *self.no_way_since.get_or_insert(now);
                if !self.was_answered && lasted >= wait.min(self.config.patience) {
                    self.tried.push(Reverse((now, number)));
                    self.stop_with(StopReason::Unusable, Some(error), None);
                } else {
                    self.failed(number, error, None, is_probe, now);
                }
            }
            Verdict::Uploaded => {
                self.answered(number, is_probe, now);
                self.settle(number, Status::Uploaded, http_status, None);
            }
            Verdict::AlreadyReceived => {
                self.answered(number, is_probe, now);
                self.settle(number, Status::AlreadyReceived, http_status, None);
            }
            Verdict::Rejected(error) => {
                self.answered(number, is_probe, now);
                self.settle(number, Status::Rejected, http_status, Some(error));
            }
            Verdict::Strange { error, status, may_have_arrived } => {
                self.remember(number, may_have_arrived, &error);
                self.strange(number, error, status, http_status.unwrap_or_default(), is_probe, now);
            }
            Verdict::KeyRefused { error, is_certain } => self.key_refused(number, error, is_certain, now),
            Verdict::Throttled { error, retry_after } => {
                self.remember(number, false, &error);
                self.throttled(number, error, retry_after, is_probe, now);
            }
            Verdict::Retryable { error, may_have_arrived, retry_after } => {
                self.remember(number, may_have_arrived, &error);
                self.failed(number, error, retry_after, is_probe, now);
            }
        }
        self.decide(now);
    }

    /// Ends the run: what is under way is still taken in, everything else is settled at once.
    pub(super) fn stop(&mut self, reason: StopReason) {
        if self.stopped.is_none() {
            self.stopped = Some(reason);
            self.settle_what_waits();
        }
    }

    // ---- what a reply shows of the API ----

    /// An answer that settles something, or at least shows that the API takes requests.
    fn answered(&mut self, number: VisitNumber, is_probe: bool, now: Time) {
        self.taken += 1;
        self.had_answers = true;
        self.rate.accepted(now);
        self.record(false);
        self.is_there(now);
        let strange = std::mem::take(&mut self.strange);
        for (visit, error, status) in strange.visits {
            self.settle(visit, status, error.status, Some(error));
        }
        match &self.mode {
            Mode::Paused { .. } if is_probe => {
                self.rate.resumed(now);
                self.mode = Mode::Sending;
            }
            // Another visit gets through, so the refusal was of the one visit.
            Mode::Doubting { first, .. } if is_probe && *first != number => {
                if let Mode::Doubting { first, error } = std::mem::replace(&mut self.mode, Mode::Sending) {
                    self.settle(first, Status::Rejected, error.status, Some(error));
                }
            }
            _ => {}
        }
    }

    /// Somebody is there, and an outage is over.
    fn is_there(&mut self, now: Time) {
        self.failed_in_a_row.clear();
        self.only_429_since = None;
        self.asked_not_before = None;
        self.last_answer = Some(now);
        if let Mode::Down { since, .. } = self.mode {
            self.mode = Mode::Sending;
            self.notice(Notice::Up { after: now - since });
        }
    }

    /// A 429, or a limit in other words.
    fn throttled(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        retry_after: Option<Duration>,
        is_probe: bool,
        now: Time,
    ) {
        let taken = self.taken;
        let Some(visit) = self.visits.get_mut(&number) else { return };
        let of_the_visit = visit.taken_at_429.is_some_and(|before| taken >= before + TAKEN_BETWEEN);
        let pauses_before = visit.pauses_before;
        visit.taken_at_429 = Some(taken);
        if of_the_visit {
            self.count_against(number, error, retry_after, now);
            return;
        }
        let only_429_since = self.only_429_since.unwrap_or(now);
        self.is_there(now);
        self.only_429_since = Some(only_429_since);
        if retry_after.is_some_and(|wait| wait > self.config.patience) {
            self.tried.push(Reverse((now, number)));
            self.stop_with(StopReason::ApiDown, Some(error), retry_after);
            return;
        }
        if now - only_429_since > self.config.patience {
            self.tried.push(Reverse((now, number)));
            self.stop_with(StopReason::ApiDown, Some(error), None);
            return;
        }
        self.pause(pauses_before, is_probe, error, retry_after, now);
        // Behind others, so that it shows whether the limit is for all.
        let until = if let Mode::Paused { until, .. } = self.mode { until } else { now };
        let behind = Duration::from_secs_f64(TAKEN_BETWEEN as f64 / self.config.rate).max(self.backoff(1));
        self.tried.push(Reverse((until + behind, number)));
    }

    /// Begins a pause, or makes the one that is there longer.
    fn pause(
        &mut self,
        pauses_before: u64,
        is_probe: bool,
        error: AttemptError,
        retry_after: Option<Duration>,
        now: Time,
    ) {
        let in_a_row = match self.mode {
            Mode::Paused { in_a_row, .. } if is_probe => in_a_row + 1,
            Mode::Paused { until, in_a_row } => {
                // A request of before the pause. It may still know better how long to wait.
                let until = retry_after.map_or(until, |wait| until.max(now + wait));
                self.mode = Mode::Paused { until, in_a_row };
                return;
            }
            // A request of before a pause that is over is part of its cause.
            _ if pauses_before < self.pauses && !is_probe => return,
            _ => 1,
        };
        let rate = self.rate.rate(now);
        self.pauses += 1;
        if in_a_row == 1 {
            self.leave_mode(now);
            self.rate.refused(now);
        }
        let backoff = Backoff { max: self.config.backoff.max.min(LONGEST_PAUSE), ..self.config.backoff };
        let pause = retry_after.unwrap_or_else(|| backoff.wait(in_a_row, &mut self.random));
        self.mode = Mode::Paused { until: now + pause, in_a_row };
        if std::env::var_os("TRACE_SPELL").is_some() {
            eprintln!(
                "TRACE {:.2} pause {:.2} in_a_row {in_a_row} rate {rate:.1} known {:?}",
                now.as_secs_f64(),
                pause.as_secs_f64(),
                self.rate
            );
        }
        self.notice(Notice::Paused { rate, pause, reason: error });
    }

    /// A failure after which another attempt may succeed.
    fn failed(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        retry_after: Option<Duration>,
        is_probe: bool,
        now: Time,
    ) {
        let is_limit = matches!(error.status, None | Some(503));
        if is_limit && !matches!(self.mode, Mode::Down { .. }) && self.is_a_limit() {
            if error.status.is_none() {
                let began_beside = self.visits.get(&number).map_or(0, |visit| visit.began_beside);
                self.concurrency.lower(self.fewest_beside.min(began_beside));
            }
            self.fewest_beside = usize::MAX;
            self.recent.clear();
            self.throttled(number, error, retry_after, is_probe, now);
            return;
        }
        if is_limit {
            self.record(true);
            let began_beside = self.visits.get(&number).map_or(usize::MAX, |visit| visit.began_beside);
            self.fewest_beside = self.fewest_beside.min(began_beside);
        }
        if let Some(wait) = retry_after {
            let at = now + wait;
            self.asked_not_before = Some(self.asked_not_before.map_or(at, |before| before.min(at)));
        }
        self.failed_in_a_row.insert(number);
        self.note_server_error(number, error.status, now);
        let Some(visit) = self.visits.get(&number) else { return };
        let is_last = visit.counted + 1 >= self.config.max_attempts;
        let nobody_answered = self.last_answer.is_none_or(|answer| visit.first.is_none_or(|first| answer < first));
        match self.mode {
            Mode::Down { since, .. } => {
                if is_probe {
                    self.probe_failed(since, error, retry_after, now);
                }
                self.tried.push(Reverse((now, number)));
            }
            _ if self.failed_in_a_row.len() >= IN_A_ROW || is_last && nobody_answered => {
                self.tried.push(Reverse((now, number)));
                self.goes_down(Some(error), now);
            }
            _ => {
                // While sending pauses, the next probe may be another visit's.
                self.count_against(number, error, retry_after, now);
            }
        }
    }

    fn goes_down(&mut self, reason: Option<AttemptError>, now: Time) {
        self.leave_mode(now);
        let next_probe = now + self.between_probes(Duration::ZERO);
        self.mode = Mode::Down { since: now, next_probe };
        self.notice(Notice::Down { reason });
    }

    /// What has to be kept of a mode that ends for another one.
    fn leave_mode(&mut self, now: Time) {
        self.probe = None;
        match std::mem::replace(&mut self.mode, Mode::Sending) {
            Mode::Doubting { first, .. } => self.tried.push(Reverse((now, first))),
            Mode::Paused { .. } => self.rate.resumed(now),
            Mode::Sending | Mode::Down { .. } => {}
        }
    }

    fn probe_failed(&mut self, since: Time, error: AttemptError, retry_after: Option<Duration>, now: Time) {
        let end = since + self.config.patience;
        if retry_after.is_some_and(|wait| now + wait > end) && retry_after > Some(self.config.patience) {
            self.stop_with(StopReason::ApiDown, Some(error), retry_after);
        } else if now >= end {
            self.stop_with(StopReason::ApiDown, Some(error), None);
        } else {
            // The last probe goes out when the patience ends.
            let next_probe = (now + self.between_probes(now - since)).min(end.max(now + BETWEEN_PROBES));
            self.mode = Mode::Down { since, next_probe };
        }
    }

    /// How long to wait for the next probe of an outage that has lasted for so long.
    fn between_probes(&mut self, lasted: Duration) -> Duration {
        let most = (self.config.patience / PROBES_OF_PATIENCE).max(BETWEEN_PROBES);
        let longest = (lasted / PROBES_OF_OUTAGE).clamp(BETWEEN_PROBES, most);
        // Spread, so that several machines do not knock at once.
        longest.mul_f64(1.0 + self.random.f64() / 4.0)
    }

    /// A refusal in none of the vendor's words: of the visit, or of the address and of all visits.
    fn strange(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        status: Status,
        http_status: u16,
        is_probe: bool,
        now: Time,
    ) {
        if self.strange.status != http_status {
            // Another answer than before settles those before, but says nothing of the API.
            let before = std::mem::take(&mut self.strange);
            for (visit, error, status) in before.visits {
                self.settle(visit, status, error.status, Some(error));
            }
            self.strange.status = http_status;
        }
        self.strange.visits.push((number, error.clone(), status));
        self.record(false);
        if self.strange.visits.len() < IN_A_ROW {
            match self.mode {
                // It got through, to somebody.
                Mode::Paused { .. } if is_probe => {
                    self.rate.resumed(now);
                    self.mode = Mode::Sending;
                }
                Mode::Down { since, .. } if is_probe => self.probe_failed(since, error, None, now),
                _ => {}
            }
            return;
        }
        if !self.had_answers {
            self.stop_with(StopReason::AddressRefused, Some(error), None);
            return;
        }
        for (visit, ..) in std::mem::take(&mut self.strange).visits {
            if let Some(visit) = self.visits.get_mut(&visit) {
                visit.counted = 0;
            }
            self.tried.push(Reverse((now, visit)));
        }
        match self.mode {
            Mode::Down { since, .. } => self.probe_failed(since, error, None, now),
            _ => self.goes_down(Some(error), now),
        }
    }

    fn key_refused(&mut self, number: VisitNumber, error: AttemptError, is_certain: bool, now: Time) {
        self.is_there(now);
        match &self.mode {
            _ if is_certain => {}
            Mode::Doubting { first, .. } if *first != number => {}
            _ if self.others_are_left(number) => {
                self.leave_mode(now);
                self.notice(Notice::KeyDoubted { reason: error.clone() });
                self.remember(number, false, &error);
                self.mode = Mode::Doubting { first: number, error };
                return;
            }
            _ => {}
        }
        self.settle(number, Status::Rejected, error.status, Some(error.clone()));
        if let Mode::Doubting { first, error } = std::mem::replace(&mut self.mode, Mode::Sending) {
            self.settle(first, Status::Rejected, error.status, Some(error));
        }
        self.stop_with(StopReason::KeyRefused, Some(error), None);
    }

    /// Whether another visit could still be sent.
    fn others_are_left(&self, number: VisitNumber) -> bool {
        !self.is_complete || self.visits.keys().any(|other| *other != number && !self.is_strange(*other))
    }

    fn is_strange(&self, number: VisitNumber) -> bool {
        self.strange.visits.iter().any(|(visit, ..)| *visit == number)
    }

    // ---- what a reply shows of its visit ----

    fn remember(&mut self, number: VisitNumber, may_have_arrived: bool, error: &AttemptError) {
        if let Some(visit) = self.visits.get_mut(&number) {
            visit.may_have_arrived |= may_have_arrived;
            visit.error = Some(error.clone());
        }
    }

    /// A failed attempt of the visit's own: it waits for another one, or is given up.
    fn count_against(&mut self, number: VisitNumber, error: AttemptError, retry_after: Option<Duration>, now: Time) {
        let Some(visit) = self.visits.get_mut(&number) else { return };
        visit.counted += 1;
        if visit.counted >= self.config.max_attempts {
            self.settle(number, Status::Failed, error.status, Some(error));
            return;
        }
        // However often and long a single visit is asked to wait, it waits no longer than an outage may last.
        let asked = retry_after.unwrap_or_default().min(self.config.patience.saturating_sub(visit.asked_to_wait));
        visit.asked_to_wait += asked;
        let counted = visit.counted;
        let wait = self.backoff(counted).max(asked);
        self.tried.push(Reverse((now + wait, number)));
    }

    fn note_server_error(&mut self, number: VisitNumber, status: Option<u16>, now: Time) {
        let Some(visit) = self.visits.get_mut(&number) else { return };
        let Some(status) = status.filter(|status| (500..600).contains(status)) else { return };
        if visit.last_server_error.is_some_and(|last| now < last + BETWEEN_PROBES) {
            return;
        }
        visit.server_errors += 1;
        visit.errors_500 += u32::from(status == 500);
        visit.first_server_error.get_or_insert(now);
        visit.last_server_error = Some(now);
    }

    fn backoff(&mut self, failures: u32) -> Duration {
        self.config.backoff.wait(failures, &mut self.random)
    }

    /// Whether failures among successes are so many that they are a limit.
    fn is_a_limit(&self) -> bool {
        let failures = self.recent.iter().filter(|failed| **failed).count();
        failures >= TOLERATED && failures < self.recent.len() && self.failed_in_a_row.len() < IN_A_ROW / 2
    }

    fn record(&mut self, failed: bool) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(failed);
    }

    // ---- what follows when nothing else can come ----

    /// Decisions that depend on what is left.
    fn decide(&mut self, now: Time) {
        if self.stopped.is_some() {
            self.settle_what_waits();
            return;
        }
        if !self.is_complete || self.in_flight > 0 {
            return;
        }
        if let Mode::Doubting { first, .. } = self.mode
            && !self.others_are_left(first)
            && let Mode::Doubting { first, error } = std::mem::replace(&mut self.mode, Mode::Sending)
        {
            self.settle(first, Status::Rejected, error.status, Some(error.clone()));
            self.stop_with(StopReason::KeyRefused, Some(error), None);
            return;
        }
        if self.untried.is_empty() && self.tried.is_empty() {
            let strange = std::mem::take(&mut self.strange);
            for (visit, error, status) in strange.visits {
                self.settle(visit, status, error.status, Some(error));
            }
        }
        self.give_up_poisoned(now);
    }

    /// Where the API answered others, a few visits that it always stumbles over are not an outage.
    fn give_up_poisoned(&mut self, now: Time) {
        if !matches!(self.mode, Mode::Down { .. }) || !self.had_answers || self.visits.len() >= IN_A_ROW {
            return;
        }
        let most = self.config.max_attempts;
        let after = POISONED_AFTER.min(self.config.patience);
        let is_poisoned = |visit: &Visit| {
            visit.server_errors >= most && visit.first_server_error.is_some_and(|first| now - first >= after)
        };
        let all_500 = self.visits.values().all(|visit| visit.errors_500 >= most);
        if self.visits.is_empty() || !all_500 && !self.visits.values().all(is_poisoned) {
            return;
        }
        let mut left: Vec<VisitNumber> = self.visits.keys().copied().collect();
        left.sort_unstable();
        for number in left {
            let error = self.visits.get(&number).and_then(|visit| visit.error.clone());
            self.settle(number, Status::Failed, error.as_ref().and_then(|error| error.status), error);
        }
        self.untried.clear();
        self.tried.clear();
        self.mode = Mode::Sending;
    }

    fn stop_with(&mut self, reason: StopReason, error: Option<AttemptError>, wait: Option<Duration>) {
        if self.stopped.is_none() {
            self.notice(Notice::Stopped { reason, error, wait });
            self.stop(reason);
        }
    }

    /// After a stop, no visit waits for anything: it was not attempted, or failed before.
    fn settle_what_waits(&mut self) {
        let mut waiting: Vec<VisitNumber> = self.untried.drain(..).collect();
        waiting.extend(self.tried.drain().map(|Reverse((_, visit))| visit));
        if let Mode::Doubting { first, error } = std::mem::replace(&mut self.mode, Mode::Sending) {
            self.settle(first, Status::Rejected, error.status, Some(error));
        }
        for (visit, error, status) in std::mem::take(&mut self.strange).visits {
            self.settle(visit, status, error.status, Some(error));
        }
        waiting.sort_unstable();
        for number in waiting {
            match self.visits.get_mut(&number).and_then(|visit| visit.error.take()) {
                Some(mut error) => {
                    error.text.push_str(" (the run stopped before another attempt)");
                    self.settle(number, Status::Failed, error.status, Some(error));
                }
                None => self.settle(number, Status::NotAttempted, None, None),
            }
        }
    }

    fn settle(&mut self, number: VisitNumber, status: Status, http_status: Option<u16>, error: Option<AttemptError>) {
        let Some(visit) = self.visits.remove(&number) else { return };
        self.failed_in_a_row.remove(&number);
        let elapsed = match (visit.first, visit.last) {
            (Some(first), Some(last)) => last - first,
            _ => Duration::ZERO,
        };
        self.effects.push_back(Effect::Settled(Settled {
            visit: number,
            status,
            http_status,
            error,
            attempts: visit.attempts,
            elapsed,
        }));
    }

    fn notice(&mut self, notice: Notice) {
        // Once the run ends, a person need not hear of pauses and outages.
        if self.stopped.is_none() {
            self.effects.push_back(Effect::Notice(notice));
        }
    }
}
