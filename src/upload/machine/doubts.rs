//! Answers that say something of one visit, or of all: the key is refused, or somebody else answers in place of the API. The
//! answers to other visits decide.

use super::super::classify::AttemptError;
use super::{IN_A_ROW, Machine, Mode, Notice, Time, VisitNumber};
use crate::outcome::{Status, StopReason};
use std::cmp::Reverse;
use std::time::Duration;

/// Visits in a row that got the same answer in none of the vendor's words.
#[derive(Debug, Default)]
pub(super) struct Strange {
    status: Option<u16>,
    visits: Vec<StrangeVisit>,
}

#[derive(Debug)]
struct StrangeVisit {
    number: VisitNumber,
    error: AttemptError,
    /// What it is if the answer is the visit's own.
    status: Status,
    answered: Time,
}

impl Machine {
    /// A refusal in none of the vendor's words: of the visit, or of the address and of all visits.
    pub(super) fn strange(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        status: Status,
        is_of_address: bool,
        is_probe: bool,
        now: Time,
    ) {
        let beside = self.visits.get(&number).map_or(0, |visit| visit.began_beside);
        self.other_words.answered(beside);
        if let Mode::Down { since, .. } = self.mode {
            // Somebody is there, but not the API.
            self.tried.push(Reverse((now, number)));
            if is_probe {
                self.probe_failed(since, error, None, now);
            }
            return;
        }
        if self.strange.status != error.status {
            // Another answer than before settles those before, but says nothing of the API.
            self.settle_strange(None);
            self.strange.status = error.status;
        }
        self.strange.visits.push(StrangeVisit { number, error: error.clone(), status, answered: now });
        if self.strange.visits.len() < IN_A_ROW {
            if is_probe && matches!(self.mode, Mode::Paused { .. }) {
                // It got through, to somebody.
                self.rate.resumed(now);
                self.set_mode(Mode::Sending);
            }
            return;
        }
        if self.last_taken_began.is_none() && is_of_address {
            self.stop_with(StopReason::AddressRefused, Some(error), None);
            return;
        }
        for visit in std::mem::take(&mut self.strange).visits {
            self.tried.push(Reverse((now, visit.number)));
        }
        self.goes_down(error, now);
    }

    /// Strange answers are their visits' own, once another visit that was sent later got another answer. `began`: when that
    /// one was sent; `None` where it does not matter any more.
    pub(super) fn settle_strange(&mut self, began: Option<Time>) {
        let is_settled = |visit: &StrangeVisit| began.is_none_or(|began| visit.answered <= began);
        let (settled, open): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.strange.visits).into_iter().partition(is_settled);
        self.strange.visits = open;
        for StrangeVisit { number, error, status, .. } in settled {
            self.settle(number, status, error.status, Some(error));
        }
    }

    /// The key is refused. One visit may be the reason, two are not.
    pub(super) fn key_refused(&mut self, number: VisitNumber, error: AttemptError, is_certain: bool, now: Time) {
        self.is_there(now);
        self.settle_strange(self.visits.get(&number).map(|visit| visit.began));
        let is_second = matches!(&self.mode, Mode::Doubting { first, .. } if *first != number);
        if !is_certain && !is_second {
            self.remember(number, false, &error);
            self.notice(Notice::KeyDoubted { reason: error.clone() });
            self.leave_mode_for(Mode::Doubting { first: number, error }, now);
            // Where nothing is left to try, it is decided at once.
            return;
        }
        self.end_doubt();
        self.settle(number, Status::Rejected, error.status, Some(error.clone()));
        self.stop_with(StopReason::KeyRefused, Some(error), None);
    }

    /// The refusal was of the one visit, or the run ends.
    pub(super) fn end_doubt(&mut self) {
        if let Mode::Doubting { .. } = self.mode
            && let Mode::Doubting { first, error } = self.set_mode(Mode::Sending)
        {
            self.settle(first, Status::Rejected, error.status, Some(error));
        }
    }

    /// No other visit is left to try the key with. What was sent after the doubted visit and taken shows that the key is good.
    pub(super) fn decide_a_last_doubt(&mut self) {
        let Mode::Doubting { first, error } = &self.mode else { return };
        let began = self.visits.get(first).map_or(Duration::ZERO, |visit| visit.began);
        if !self.untried.is_empty() || !self.refused.is_empty() || !self.tried.is_empty() {
            return;
        }
        let error = error.clone();
        let is_good = self.last_taken_began.is_some_and(|taken| taken > began);
        self.end_doubt();
        if !is_good {
            self.stop_with(StopReason::KeyRefused, Some(error), None);
        }
    }
}
