//! Failures after which another attempt may succeed: of a visit, or of the API, which is then down.

use super::super::classify::AttemptError;
use super::{IN_A_ROW, Machine, Mode, Notice, Time, Visit, VisitNumber};
use crate::outcome::{ErrorCode, Status, StopReason};
use std::cmp::Reverse;
use std::time::Duration;

/// Probes of an outage are at least so far apart, and at most this part of how long it has lasted.
const BETWEEN_PROBES: Duration = Duration::from_secs(1);
const PROBES_OF_OUTAGE: u32 = 20;
/// However long an outage lasts, probes follow each other in no more than this part of the patience: there may be many
/// visits that always fail before one that shows that the API is there.
const PROBES_OF_PATIENCE: u32 = 100;
/// Visits that only the API's own errors hold back are given up after this time, where others had answers.
const POISONED_AFTER: Duration = Duration::from_secs(30);

/// The API's own errors of a visit.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ServerErrors {
    /// Those that came a second apart or more, the first and the last of them.
    apart: u32,
    first: Option<Time>,
    last: Option<Time>,
    /// Those of 500, however soon.
    of_500: u32,
}

impl ServerErrors {
    fn note(&mut self, status: Option<u16>, now: Time) {
        let Some(status) = status.filter(|status| (500..600).contains(status)) else { return };
        self.of_500 += u32::from(status == 500);
        if self.last.is_some_and(|last| now < last + BETWEEN_PROBES) {
            return;
        }
        self.apart += 1;
        self.first.get_or_insert(now);
        self.last = Some(now);
    }

    /// Whether so many, over so long a time, are of the visit where others had answers.
    fn are_its_own(&self, most: u32, after: Duration, now: Time) -> bool {
        self.apart >= most && self.first.is_some_and(|first| now - first >= after)
    }
}

impl Machine {
    /// A failure after which another attempt may succeed.
    pub(super) fn failed(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        retry_after: Option<Duration>,
        is_probe: bool,
        now: Time,
    ) {
        if self.take_as_limit(number, &error, retry_after, is_probe, now) {
            return;
        }
        if let Some(wait) = retry_after {
            // The shortest of those that are not over.
            let known = self.asked_not_before.filter(|at| *at > now).unwrap_or(Duration::MAX);
            self.asked_not_before = Some(known.min(now + wait));
        }
        self.failed_in_a_row.insert(number);
        let Some(visit) = self.visits.get_mut(&number) else { return };
        visit.server_errors.note(error.status, now);
        // Where no answer came in time, it failed at any moment since it was sent.
        let is_silence = error.code == ErrorCode::Timeout && error.status.is_none();
        let first_failed = *visit.first_failed.get_or_insert(if is_silence { visit.began } else { now });
        let is_last = visit.counted + 1 >= self.config.max_attempts;
        // A single attempt leaves nobody the time to be answered.
        let nobody_answered = visit.counted > 0 && self.last_sign_of_life < Some(first_failed);
        match self.mode {
            Mode::Down { since, .. } => {
                self.tried.push(Reverse((now, number)));
                self.is_still_down(since, error, is_probe, now);
            }
            _ if self.failed_in_a_row.len() >= IN_A_ROW || is_last && nobody_answered => {
                self.tried.push(Reverse((now, number)));
                self.goes_down(error, now);
            }
            _ if is_last => self.leave_open(number, error, Status::Failed, now),
            _ => self.count_against(number, error, retry_after, now),
        }
    }

    pub(super) fn goes_down(&mut self, reason: AttemptError, now: Time) {
        self.try_open_again(now);
        if self.is_asked_to_wait_beyond(now + self.config.patience, &reason, now) {
            return;
        }
        let next_probe = now + self.between_probes(Duration::ZERO);
        self.leave_mode_for(Mode::Down { since: now, next_probe, refused_key: None }, now);
        self.notice(Notice::Down { reason: Some(reason) });
    }

    /// A request of an outage failed as well.
    pub(super) fn is_still_down(&mut self, since: Time, error: AttemptError, is_probe: bool, now: Time) {
        let end = since + self.config.patience;
        if self.is_asked_to_wait_beyond(end, &error, now) || !is_probe {
            return;
        }
        if now >= end {
            // Where the patience of the API and that of its last visits end together, it is the visits.
            if self.is_complete && self.in_flight == 0 {
                self.give_up_poisoned(now);
            }
            if !matches!(self.mode, Mode::Down { .. }) {
                return;
            }
            self.stop_with(StopReason::ApiDown, Some(error), None);
            return;
        }
        // The last probe goes out when the patience ends.
        let next_probe = (now + self.between_probes(now - since)).min(end.max(now + BETWEEN_PROBES));
        self.set_mode(Mode::Down { since, next_probe, refused_key: None });
    }

    /// Whether the API asks to come back after this time: then the run stops at once.
    fn is_asked_to_wait_beyond(&mut self, end: Time, error: &AttemptError, now: Time) -> bool {
        let asked = self.asked_not_before.filter(|at| *at > end);
        if let Some(at) = asked {
            self.stop_with(StopReason::ApiDown, Some(error.clone()), Some(at.saturating_sub(now)));
        }
        asked.is_some()
    }

    /// How long to wait for the next probe of an outage that has lasted for so long.
    fn between_probes(&mut self, lasted: Duration) -> Duration {
        let most = (self.config.patience / PROBES_OF_PATIENCE).max(BETWEEN_PROBES);
        let longest = (lasted / PROBES_OF_OUTAGE).clamp(BETWEEN_PROBES, most);
        // Spread, so that several machines do not knock at once.
        longest.mul_f64(1.0 + self.random.f64() / 4.0)
    }

    /// Where the API answered others, a few visits that it always stumbles over are not an outage.
    pub(super) fn give_up_poisoned(&mut self, now: Time) {
        let is_down = matches!(self.mode, Mode::Down { .. });
        if !is_down || self.stopped.is_some() || !self.had_answers || self.visits.len() >= IN_A_ROW {
            return;
        }
        let most = self.config.max_attempts;
        let after = POISONED_AFTER.min(self.config.patience);
        let is_poisoned = |visit: &Visit| visit.server_errors.are_its_own(most, after, now);
        // What got an answer in none of the vendor's words waits for what becomes of the others.
        let mut failed = self.visits.values().filter(|visit| visit.strange.is_none()).peekable();
        if failed.peek().is_none()
            || !failed.clone().all(|visit| visit.server_errors.of_500 >= most) && !failed.all(is_poisoned)
        {
            return;
        }
        let mut left: Vec<VisitNumber> = self.visits.keys().copied().collect();
        left.sort_unstable();
        for number in left {
            let Some(visit) = self.visits.get(&number) else { continue };
            let (error, status) = (visit.error.clone(), visit.strange.unwrap_or(Status::Failed));
            self.settle(number, status, error.as_ref().and_then(|error| error.status), error);
        }
        self.untried.clear();
        self.throttled_visits.clear();
        self.tried.clear();
        self.set_mode(Mode::Sending);
    }
}
