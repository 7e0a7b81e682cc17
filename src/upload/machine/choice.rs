//! Which visit goes next, and when.

use super::{Effect, Machine, Mode, Next, Notice, TAKEN_BETWEEN, Time, VisitNumber};
use std::cmp::Reverse;
use std::time::Duration;

impl Machine {
    /// What to do now. Asked again without an event between, it says the same.
    pub(in crate::upload) fn next(&mut self, now: Time) -> Next {
        if self.stopped.is_some() {
            return Next::Wait(None);
        }
        let candidate = match &self.mode {
            Mode::Sending => self.next_of_all(now).map(|(at, visit)| (at.max(self.paused_until), visit)),
            _ if self.probe.is_some() => None,
            mode => {
                let earliest = match mode {
                    Mode::Paused { until, .. } => *until,
                    Mode::Down { next_probe, .. } => (*next_probe).max(self.asked_not_before.unwrap_or_default()),
                    Mode::Sending | Mode::Doubting { .. } => Duration::ZERO,
                };
                let is_down = matches!(mode, Mode::Down { .. });
                self.next_probe(is_down).map(|(at, visit)| (at.max(earliest).max(self.paused_until), visit))
            }
        };
        let is_held = matches!(candidate, Some((at, _)) if at <= now) && self.in_flight >= self.concurrency.most();
        if let Some(needed) = self.concurrency.holds_down(is_held, now) {
            self.effects.push_back(Effect::Notice(Notice::HeldDown { needed }));
        }
        match candidate {
            // A reply makes room.
            Some((at, _)) if at <= now && is_held && matches!(self.mode, Mode::Sending) => Next::Wait(None),
            Some((at, visit)) if at <= now => Next::Send(visit),
            Some((at, _)) => Next::Wait(Some(at)),
            None => Next::Wait(None),
        }
    }

    /// While all may be sent: whose wait is over; who was one too many and let others go first; who is new.
    fn next_of_all(&self, now: Time) -> Option<(Time, VisitNumber)> {
        let due = self.tried.peek().map(|Reverse(due)| *due);
        let let_others_go = |visit: &&VisitNumber| {
            let refused_at = self.visits.get(visit).and_then(|visit| visit.refusal).map_or(0, |refusal| refusal.taken);
            self.untried.is_empty() || self.taken >= refused_at + TAKEN_BETWEEN
        };
        due.filter(|(at, _)| *at <= now)
            .or_else(|| self.throttled_visits.front().filter(let_others_go).map(|visit| (now, *visit)))
            .or_else(|| self.untried.front().map(|visit| (now, *visit)))
            .or(due)
    }

    /// A visit that was not tried first: those that were may be what is wrong. Where the API is there, they wait for their time.
    fn next_probe(&self, is_down: bool) -> Option<(Time, VisitNumber)> {
        let fresh = self.untried.front().or(self.throttled_visits.front()).map(|visit| (Duration::ZERO, *visit));
        fresh.or_else(|| {
            let Reverse((at, visit)) = self.tried.peek()?;
            Some((if is_down { Duration::ZERO } else { *at }, *visit))
        })
    }
}
