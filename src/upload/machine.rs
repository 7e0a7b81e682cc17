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
//! `machine/` has a file for each way out of `Sending`: `pauses`, `outage`, `doubts`; `choice` says which visit goes next, and
//! `ending` how visits and runs end.
//!
//! In every mode but `Sending` one visit at a time goes out, as a probe. A mode's data ends with the mode; what is
//! known of a visit stays with the visit. Waits are data: the time of a visit's next attempt in a heap, the time of a probe
//! in its mode. [`Machine::next`] says what to do now, and [`Machine::reply`] takes in what came of it.

mod choice;
mod doubts;
mod ending;
mod outage;
mod pauses;
#[cfg(test)]
mod tests;

use super::classify::{AttemptError, Verdict};
use super::concurrency::Concurrency;
use super::config::Config;
use super::other_words::OtherWords;
use super::rate::RateControl;
use crate::outcome::{Status, StopReason};
use doubts::Open;
use outage::ServerErrors;
use pauses::Refusal;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};
use std::time::Duration;

/// Since the run began to send.
pub(super) type Time = Duration;

/// A visit, by the order in which it was taken in.
pub(super) type VisitNumber = u64;

/// This many different visits in a row that fail, or that get a strange answer: then it is not the visits.
const IN_A_ROW: usize = 10;
/// A visit that gets 429 again although this many others were accepted in between is refused for its own sake.
const TAKEN_BETWEEN: u64 = 10;
/// Visits that wait for another attempt are not under way; this many times the requests under way may be open at once, and
/// never fewer than it takes to tell an outage.
const OPEN_PER_REQUEST: usize = 4;
const FEWEST_OPEN: usize = 40;
/// So many more may wait for another attempt: they hold up no others, but take memory.
const MORE_WAITING: usize = 2000;
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
    /// The run ends early. `wait`: when the server asks to come back.
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
    /// When it was first sent, and last sent or answered.
    first_sent: Option<Time>,
    last: Option<Time>,
    /// When its last request went out.
    began: Time,
    error: Option<AttemptError>,
    /// How many pauses there had been when its request went out: a 429 to a request of before a pause is part of its cause.
    pauses_before: u64,
    refusal: Option<Refusal>,
    server_errors: ServerErrors,
    /// How many other requests were under way when its own began.
    began_beside: usize,
    /// When it failed first.
    first_failed: Option<Time>,
    /// When it was last left open whether its answer is its own; what it is if its last answer, in none of the vendor's words,
    /// is.
    left_open: Option<Time>,
    strange: Option<Status>,
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
        /// Told in other words.
        is_in_other_words: bool,
    },
    /// Nothing gets through. One visit at a time goes out to try.
    Down {
        since: Time,
        next_probe: Time,
        /// The key was refused for the visit that was the last probe.
        refused_key: Option<VisitNumber>,
    },
    /// The key was refused for `first`; one other visit goes out to try.
    Doubting {
        first: VisitNumber,
        error: AttemptError,
    },
}

/// What a run begins with.
#[derive(Debug, Default)]
pub(crate) struct Start {
    /// Spreads waits.
    pub(crate) random: fastrand::Rng,
    /// Whether it goes on with a result file that shows answers of the API.
    pub(crate) had_answers: bool,
    /// How many connections this machine allows, where they are fewer than may be needed.
    pub(crate) connections: Option<usize>,
}

/// Decides for all visits of a run.
#[derive(Debug)]
pub(super) struct Machine {
    config: Config,
    random: fastrand::Rng,
    visits: HashMap<VisitNumber, Visit>,
    /// Visits without an attempt, in the order in which they came.
    untried: VecDeque<VisitNumber>,
    /// Visits that were one too many, by a 429 or in other words. They have no wait of their own, but let others go first.
    throttled_visits: VecDeque<VisitNumber>,
    /// Visits that wait for another attempt, by its time.
    tried: BinaryHeap<Reverse<(Time, VisitNumber)>>,
    in_flight: usize,
    /// Whether no more visits come.
    is_complete: bool,
    mode: Mode,
    /// The visit that is under way as a probe of the mode.
    probe: Option<VisitNumber>,
    /// The end of the last pause. Nothing goes out before, whatever the mode becomes.
    paused_until: Time,
    rate: RateControl,
    concurrency: Concurrency,
    pauses: u64,
    /// Requests that the API has taken, whatever it said of the visit.
    taken: u64,
    /// Whether it took one in this run, or in the run that this one goes on with.
    had_answers: bool,
    /// When the latest of these requests went out.
    last_taken_began: Option<Time>,
    /// When the API last showed that it is there: it took a request, or said 429 or 401.
    last_sign_of_life: Option<Time>,
    /// Whether any request was answered in this run, whatever the answer.
    was_answered: bool,
    /// Since when there has been no way to the API.
    no_way_since: Option<Time>,
    /// The first of the 429s that nothing else came between.
    only_429_since: Option<Time>,
    /// Visits that failed, or got a strange answer, since the last sign of life.
    failed_in_a_row: HashSet<VisitNumber>,
    /// No probe before: the shortest wait that the server asks for now.
    asked_not_before: Option<Time>,
    other_words: OtherWords,
    /// Visits whose last answer may be everybody's.
    open: Vec<Open>,
    stopped: Option<StopReason>,
    effects: VecDeque<Effect>,
}

impl Machine {
    pub(super) fn new(config: &Config, start: Start) -> Machine {
        Machine {
            config: config.clone(),
            random: start.random,
            visits: HashMap::new(),
            untried: VecDeque::new(),
            throttled_visits: VecDeque::new(),
            tried: BinaryHeap::new(),
            in_flight: 0,
            is_complete: false,
            mode: Mode::Sending,
            probe: None,
            paused_until: Duration::ZERO,
            rate: RateControl::new(config.rate),
            concurrency: Concurrency::new(config.max_in_flight, config.rate).within(start.connections),
            pauses: 0,
            taken: 0,
            had_answers: start.had_answers,
            last_taken_began: None,
            last_sign_of_life: None,
            was_answered: false,
            no_way_since: None,
            only_429_since: None,
            failed_in_a_row: HashSet::new(),
            asked_not_before: None,
            other_words: OtherWords::default(),
            open: Vec::new(),
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
        let (all, waiting) = (self.visits.len(), self.tried.len());
        let has_room = match self.mode {
            Mode::Down { .. } => all < most || self.untried.is_empty() && all < most + MORE_IN_OUTAGE,
            _ => all - waiting < most && all < most + MORE_WAITING,
        };
        !self.is_complete && (self.stopped.is_some() || has_room)
    }

    /// Whether every visit is settled, and no more come.
    pub(super) fn is_done(&self) -> bool {
        self.is_complete && self.visits.is_empty()
    }

    /// How fast to send now, in requests a second.
    pub(super) fn rate(&self, now: Time) -> f64 {
        self.rate.rate(now)
    }

    /// The end of the last pause.
    pub(super) fn paused_until(&self) -> Time {
        self.paused_until
    }

    /// What has come out since the last call.
    pub(super) fn effects(&mut self) -> impl Iterator<Item = Effect> + '_ {
        self.effects.drain(..)
    }

    /// Whether an earlier attempt of the visit may have arrived.
    pub(super) fn may_have_arrived(&self, visit: VisitNumber) -> bool {
        self.visits.get(&visit).is_some_and(|visit| visit.may_have_arrived)
    }

    /// How often the visit was sent.
    pub(super) fn attempts(&self, visit: VisitNumber) -> u32 {
        self.visits.get(&visit).map_or(0, |visit| visit.attempts)
    }

    /// The request of a visit goes out. Returns whether it is not its first.
    pub(super) fn begin(&mut self, visit: VisitNumber, now: Time) -> bool {
        if self.untried.front() == Some(&visit) {
            self.untried.pop_front();
        } else if self.throttled_visits.front() == Some(&visit) {
            self.throttled_visits.pop_front();
        } else if self.tried.peek().is_some_and(|Reverse((_, first))| *first == visit) {
            self.tried.pop();
        }
        let began_beside = self.in_flight;
        self.in_flight += 1;
        if !matches!(self.mode, Mode::Sending) {
            self.probe = Some(visit);
        }
        let pauses = self.pauses;
        let Some(visit) = self.visits.get_mut(&visit) else { return false };
        visit.attempts += 1;
        visit.first_sent.get_or_insert(now);
        visit.last = Some(now);
        visit.began = now;
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
            Verdict::Strange { error, status, may_have_arrived, is_of_address } => {
                self.remember(number, may_have_arrived, &error);
                self.strange(number, error, status, is_of_address, is_probe, now);
            }
            Verdict::KeyRefused { error, is_certain } => self.key_refused(number, error, is_certain, is_probe, now),
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

    /// An answer that settles something, or at least shows that the API takes requests.
    fn answered(&mut self, number: VisitNumber, is_probe: bool, now: Time) {
        let Some(visit) = self.visits.get(&number) else { return };
        let (began, beside) = (visit.began, visit.began_beside);
        self.taken += 1;
        self.had_answers = true;
        self.last_taken_began = self.last_taken_began.max(Some(began));
        self.concurrency.answered(now.saturating_sub(began), beside);
        self.rate.accepted(now);
        self.other_words.answered(beside);
        self.note_sign_of_life(now);
        self.settle_open(Some(began));
        match &self.mode {
            Mode::Paused { .. } if is_probe => {
                self.rate.resumed(now);
                self.set_mode(Mode::Sending);
            }
            Mode::Doubting { first, .. } => {
                // Another visit gets through, so the refusal was of the one visit.
                let first_began = self.visits.get(first).map_or(Duration::ZERO, |visit| visit.began);
                if *first != number && (is_probe || began > first_began) {
                    self.end_doubt();
                }
            }
            _ => {}
        }
    }

    /// The API is there, and an outage is over.
    fn note_sign_of_life(&mut self, now: Time) {
        self.failed_in_a_row.clear();
        self.only_429_since = None;
        self.asked_not_before = None;
        self.last_sign_of_life = Some(now);
        if let Mode::Down { since, .. } = self.mode {
            self.set_mode(Mode::Sending);
            self.notice(Notice::Up { after: now.saturating_sub(since) });
        }
    }

    /// What was a probe of the mode before is none of the new one.
    fn set_mode(&mut self, mode: Mode) -> Mode {
        self.probe = None;
        std::mem::replace(&mut self.mode, mode)
    }

    /// Goes on to another mode, and keeps what has to be kept of the one that ends.
    fn leave_mode_for(&mut self, mode: Mode, now: Time) {
        match self.set_mode(mode) {
            Mode::Doubting { first, .. } => self.tried.push(Reverse((now, first))),
            Mode::Paused { .. } => self.rate.resumed(now),
            Mode::Sending | Mode::Down { .. } => {}
        }
    }

    fn remember(&mut self, number: VisitNumber, may_have_arrived: bool, error: &AttemptError) {
        if let Some(visit) = self.visits.get_mut(&number) {
            visit.may_have_arrived |= may_have_arrived;
            visit.error = Some(error.clone());
            visit.strange = None;
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
        let backoff = self.config.backoff.wait(visit.counted, &mut self.random);
        let wait = self.wait_asked_of(number, retry_after).max(backoff);
        self.tried.push(Reverse((now + wait, number)));
    }

    /// However often and long a single visit is asked to wait, it waits no longer than an outage may last.
    fn wait_asked_of(&mut self, number: VisitNumber, retry_after: Option<Duration>) -> Duration {
        let Some(visit) = self.visits.get_mut(&number) else { return Duration::ZERO };
        let asked = retry_after.unwrap_or_default().min(self.config.patience.saturating_sub(visit.asked_to_wait));
        visit.asked_to_wait += asked;
        asked
    }

    fn notice(&mut self, notice: Notice) {
        // Once the run ends, a person need not hear of pauses and outages.
        if self.stopped.is_none() {
            self.effects.push_back(Effect::Notice(notice));
        }
    }
}
