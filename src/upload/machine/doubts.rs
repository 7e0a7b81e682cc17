//! Answers that say something of one visit, or of all: the key is refused, somebody else answers in place of the API, or the
//! last attempt failed. The answers to other visits decide.

use super::super::classify::AttemptError;
use super::{IN_A_ROW, Machine, Mode, Notice, Time, VisitNumber};
use crate::outcome::{Status, StopReason};
use std::cmp::Reverse;
use std::time::Duration;

/// A visit whose last answer may be everybody's.
#[derive(Debug)]
pub(super) struct Open {
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
        let Some(visit) = self.visits.get_mut(&number) else { return };
        visit.strange = Some(status);
        self.other_words.answered(visit.began_beside);
        if let Mode::Down { since, .. } = self.mode {
            // Somebody is there, but not the API.
            self.tried.push(Reverse((now, number)));
            self.is_still_down(since, error, is_probe, now);
            return;
        }
        self.leave_open(number, error.clone(), status, now);
        if self.failed_in_a_row.len() < IN_A_ROW || self.stopped.is_some() {
            if is_probe && matches!(self.mode, Mode::Paused { .. }) {
                // It got through, to somebody.
                self.rate.resumed(now);
                self.set_mode(Mode::Sending);
            }
            return;
        }
        let same = self.open.iter().filter(|open| open.error.status == error.status).count();
        if self.last_taken_began.is_none() && is_of_address && same >= IN_A_ROW {
            self.stop_with(StopReason::AddressRefused, Some(error), None);
            return;
        }
        self.goes_down(error, now);
    }

    /// What a visit came to is left open until another visit, which is sent later, gets an answer. Where one got through since
    /// it was left open before, it is the visit's own.
    pub(super) fn leave_open(&mut self, number: VisitNumber, error: AttemptError, status: Status, now: Time) {
        let Some(visit) = self.visits.get_mut(&number) else { return };
        let is_its_own = visit.left_open.is_some_and(|before| self.last_taken_began > Some(before));
        if is_its_own {
            self.settle(number, status, error.status, Some(error));
            return;
        }
        visit.left_open = Some(now);
        self.failed_in_a_row.insert(number);
        self.open.push(Open { number, error, status, answered: now });
    }

    /// Another visit got an answer. `began`: when that one was sent; `None` where it does not matter any more.
    pub(super) fn settle_open(&mut self, began: Option<Time>) {
        let is_settled = |visit: &Open| began.is_none_or(|began| visit.answered <= began);
        let (settled, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.open).into_iter().partition(is_settled);
        self.open = open;
        for Open { number, error, status, .. } in settled {
            self.settle(number, status, error.status, Some(error));
        }
    }

    /// What is left open has another attempt.
    pub(super) fn try_open_again(&mut self, now: Time) {
        for open in std::mem::take(&mut self.open) {
            self.tried.push(Reverse((now, open.number)));
        }
    }

    /// Nothing else is left, or may be taken in. A visit that failed as often as it may, and nobody was answered since it failed
    /// first: an outage.
    pub(super) fn decide_what_is_open(&mut self, now: Time) {
        let first_failed = |open: &&Open| self.visits.get(&open.number).and_then(|visit| visit.first_failed);
        match self.open.iter().find(|open| !self.is_complete || first_failed(open) > self.last_sign_of_life) {
            Some(open) => self.goes_down(open.error.clone(), now),
            None => self.settle_open(None),
        }
    }

    /// The key is refused. One visit may be the reason, two are not.
    pub(super) fn key_refused(
        &mut self,
        number: VisitNumber,
        error: AttemptError,
        is_certain: bool,
        is_probe: bool,
        now: Time,
    ) {
        let is_second = match &self.mode {
            Mode::Doubting { first, .. } => *first != number,
            Mode::Down { refused_key, .. } => {
                refused_key.is_some_and(|first| first != number) || self.is_complete && self.visits.len() == 1
            }
            Mode::Sending | Mode::Paused { .. } => false,
        };
        if let Mode::Down { since, .. } = self.mode
            && !is_certain
            && !is_second
        {
            // It may be the visit's, and shows nothing of the API.
            self.remember(number, false, &error);
            self.tried.push(Reverse((now, number)));
            self.is_still_down(since, error, is_probe, now);
            if let Mode::Down { refused_key, .. } = &mut self.mode {
                *refused_key = Some(number);
            }
            return;
        }
        self.note_sign_of_life(now);
        self.settle_open(self.visits.get(&number).map(|visit| visit.began));
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
        if !self.untried.is_empty() || !self.throttled_visits.is_empty() || !self.tried.is_empty() {
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
