//! How a visit ends, and how a run does: what is settled when nothing more can be told, and when all stops.

use super::super::classify::AttemptError;
use super::{Effect, Machine, Notice, Settled, Time, VisitNumber};
use crate::outcome::{Status, StopReason};
use std::cmp::Reverse;
use std::time::Duration;

impl Machine {
    /// Ends the run: what is under way is still taken in, everything else is settled at once.
    pub(in crate::upload) fn stop(&mut self, reason: StopReason) {
        if self.stopped.is_none() {
            self.stopped = Some(reason);
            self.settle_what_waits();
        }
    }

    pub(super) fn stop_with(&mut self, reason: StopReason, error: Option<AttemptError>, wait: Option<Duration>) {
        if self.stopped.is_none() {
            self.notice(Notice::Stopped { reason, error, wait });
            self.stop(reason);
        }
    }

    /// Decisions that depend on what is left.
    pub(super) fn decide(&mut self, now: Time) {
        if self.stopped.is_some() {
            self.settle_what_waits();
            return;
        }
        // Where nothing more may be open, nobody comes who could show what is wrong.
        if self.in_flight > 0 || !self.is_complete && self.wants_more() {
            return;
        }
        self.decide_a_last_doubt();
        if self.stopped.is_none()
            && self.untried.is_empty()
            && self.throttled_visits.is_empty()
            && self.tried.is_empty()
        {
            self.decide_what_is_open(now);
        }
        self.give_up_poisoned(now);
    }

    /// After a stop, no visit waits for anything: it was not attempted, or failed before.
    pub(super) fn settle_what_waits(&mut self) {
        let mut waiting: Vec<VisitNumber> = self.untried.drain(..).chain(self.throttled_visits.drain(..)).collect();
        waiting.extend(self.tried.drain().map(|Reverse((_, visit))| visit));
        self.end_doubt();
        self.settle_open(None);
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

    pub(super) fn settle(
        &mut self,
        number: VisitNumber,
        status: Status,
        http_status: Option<u16>,
        error: Option<AttemptError>,
    ) {
        let Some(visit) = self.visits.remove(&number) else { return };
        let elapsed = match (visit.first_sent, visit.last) {
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
}
