//! 429, and limits told in other words: all sending pauses, one visit tries, and it goes on more slowly.

use super::super::classify::AttemptError;
use super::super::config::Backoff;
use super::{Machine, Mode, Notice, TAKEN_BETWEEN, Time, VisitNumber};
use crate::outcome::{ErrorCode, StopReason};
use std::cmp::Reverse;
use std::time::Duration;

/// Without a Retry-After, no pause after a 429 is longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The first wait of a pause, as a part of the first wait of a visit that failed: whoever is at a limit is served again soon.
const FIRST_PAUSE: u32 = 4;
/// So many pauses in a row for a limit in other words, and it may be an outage as well.
const OTHER_WORDS_IN_A_ROW: u32 = 4;

/// The last 429 of a visit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    /// How many requests had been taken, and how many pauses there had been.
    pub(super) taken: u64,
    pauses: u64,
    /// Whether it was refused for itself, and not as one too many.
    is_its_own: bool,
}

/// Why all sending pauses.
pub(super) struct Cause {
    pub(super) error: AttemptError,
    pub(super) retry_after: Option<Duration>,
    pub(super) is_in_other_words: bool,
}

impl Machine {
    /// A 429.
    pub(super) fn throttled(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        retry_after: Option<Duration>,
        is_probe: bool,
        now: Time,
    ) {
        let only_429_since = self.only_429_since.unwrap_or(now);
        self.note_sign_of_life(now);
        if self.judge_429(number) {
            self.count_against(number, error, retry_after, now);
            return;
        }
        self.only_429_since = Some(only_429_since);
        // It may be an outage that says 429 now and then.
        self.try_open_again(now);
        self.throttled_visits.push_back(number);
        let waits_until = now + retry_after.unwrap_or_default();
        if waits_until > only_429_since + self.config.patience {
            self.stop_with(StopReason::ApiDown, Some(error), retry_after);
            return;
        }
        self.pause(number, Cause { error, retry_after, is_in_other_words: false }, is_probe, now);
    }

    /// Takes in a 429, and says whether the visit is refused for itself: so many others were taken between two refusals of it.
    /// Then it stays so until another visit is refused too.
    fn judge_429(&mut self, number: VisitNumber) -> bool {
        let (taken, pauses) = (self.taken, self.pauses);
        let Some(visit) = self.visits.get_mut(&number) else { return false };
        let is_its_own = visit.refusal.is_some_and(|before| {
            taken >= before.taken + TAKEN_BETWEEN || before.is_its_own && pauses == before.pauses
        });
        visit.refusal = Some(Refusal { taken, pauses, is_its_own });
        is_its_own
    }

    /// Begins a pause, or makes the one that is there longer.
    fn pause(&mut self, number: VisitNumber, cause: Cause, is_probe: bool, now: Time) {
        let Cause { error, retry_after, is_in_other_words } = cause;
        // A request of before a pause that is over is part of its cause.
        let is_late = self.visits.get(&number).is_some_and(|visit| visit.pauses_before < self.pauses) && !is_probe;
        let in_a_row = match &mut self.mode {
            Mode::Paused { in_a_row, .. } if is_probe => *in_a_row + 1,
            Mode::Paused { until, .. } => {
                // It may still know better how long to wait.
                *until = (*until).max(now + retry_after.unwrap_or_default());
                self.paused_until = *until;
                return;
            }
            _ if is_late && retry_after.is_none() => return,
            _ => 1,
        };
        let rate = self.rate.rate(now);
        let first = self.config.backoff.first / FIRST_PAUSE;
        let backoff = Backoff { first, max: self.config.backoff.max.min(LONGEST_PAUSE) };
        let asked = retry_after.filter(|wait| !wait.is_zero());
        let pause = asked.unwrap_or_else(|| backoff.wait(in_a_row, &mut self.random));
        self.pauses += 1;
        if let Some(refusal) = self.visits.get_mut(&number).and_then(|visit| visit.refusal.as_mut()) {
            refusal.pauses = self.pauses;
        }
        self.paused_until = self.paused_until.max(now + pause);
        self.leave_mode_for(Mode::Paused { until: self.paused_until, in_a_row, is_in_other_words }, now);
        if in_a_row == 1 && !is_late {
            self.rate.refused(now);
        }
        self.notice(Notice::Paused { rate, pause, reason: error });
    }

    /// Takes a failure for a limit told in other words, if it is one: then no attempt counts.
    pub(super) fn take_as_limit(
        &mut self,
        number: VisitNumber,
        error: &AttemptError,
        retry_after: Option<Duration>,
        is_probe: bool,
        now: Time,
    ) -> bool {
        let is_connection = error.code == ErrorCode::Connection;
        let Some(visit) = self.visits.get(&number).filter(|_| is_connection || error.status == Some(503)) else {
            return false;
        };
        let (beside, is_late) = (visit.began_beside, visit.pauses_before < self.pauses);
        let is_of_a_pause = match self.mode {
            Mode::Down { .. } => return false,
            Mode::Paused { in_a_row, is_in_other_words: true, .. } => {
                is_late || is_probe && in_a_row < OTHER_WORDS_IN_A_ROW
            }
            _ => false,
        };
        if is_of_a_pause && !is_probe || is_connection && self.concurrency.take_back_one_more(beside) {
            self.try_again(number, retry_after, now);
            return true;
        }
        let is_climbing = self.rate.is_climbing(now);
        let limit = match self.failed_in_a_row.len() < super::IN_A_ROW / 2 {
            true => self.other_words.failed(number, beside, is_climbing),
            false => None,
        };
        if self.other_words.has_nothing_to_do_with_the_rate() {
            self.concurrency.lift();
        }
        if limit.is_none() && !is_of_a_pause {
            return false;
        }
        // What failed for the limit has counted, but for this failure.
        let counted = limit.iter().flat_map(|limit| &limit.visits).filter(|visit| **visit != number);
        for visit in counted {
            if let Some(visit) = self.visits.get_mut(visit) {
                visit.counted = visit.counted.saturating_sub(1);
            }
        }
        if let Some(connections) = limit.and_then(|limit| limit.connections).filter(|_| is_connection) {
            self.concurrency.lower(connections);
        }
        self.try_again(number, retry_after, now);
        self.pause(number, Cause { error: error.clone(), retry_after: None, is_in_other_words: true }, is_probe, now);
        true
    }

    /// A visit that was one too many. What others get meanwhile shows that the wait is asked of it alone.
    fn try_again(&mut self, number: VisitNumber, retry_after: Option<Duration>, now: Time) {
        match self.wait_asked_of(number, retry_after) {
            Duration::ZERO => self.throttled_visits.push_back(number),
            wait => self.tried.push(Reverse((now + wait, number))),
        }
    }
}
