//! Whether the API as a whole is down: told from a row of failures of different visits, without an answer between.
//!
//! In an outage one probe at a time goes out until one is answered or the patience is over.

use super::config::{Backoff, Config};
use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;
use tokio::time::Instant;

/// So many different visits in a row, and it is not them.
const IN_A_ROW: usize = 10;
/// However long an outage lasts, probes follow each other in no more than this part of the patience, or than the first
/// backoff: there may be many visits that always fail before one that shows that the API is there.
const PROBES: u32 = 100;

#[derive(Debug)]
pub(super) struct Health {
    patience: Duration,
    backoff: Backoff,
    state: RefCell<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Visits that failed since the last answer.
    failed: HashSet<u64>,
    last_answer: Option<Instant>,
    /// The first of the 429s that nothing else came between.
    refused_since: Option<Instant>,
    outage: Option<Outage>,
}

#[derive(Clone, Copy, Debug)]
struct Outage {
    since: Instant,
    probes: u32,
    next_probe: Instant,
}

/// What a failure showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is this visit's own.
    Own,
    /// It belongs to an outage, and does not count against the visit.
    Outage { began: bool },
    /// The outage lasts longer than the patience.
    OutOfPatience,
}

impl Health {
    pub(super) fn new(config: &Config) -> Health {
        Health { patience: config.patience, backoff: config.backoff, state: RefCell::default() }
    }

    /// When the next probe may go out; `None` while the API answers.
    pub(super) fn next_probe(&self) -> Option<Instant> {
        self.state.borrow().outage.map(|outage| outage.next_probe)
    }

    /// An answer that settles something, or at least shows that somebody is there. Returns how long an outage
    /// lasted that ends with it.
    pub(super) fn answered(&self) -> Option<Duration> {
        let mut state = self.state.borrow_mut();
        state.failed.clear();
        state.refused_since = None;
        state.last_answer = Some(Instant::now());
        state.outage.take().map(|outage| outage.since.elapsed())
    }

    /// A 429. `false` when there was nothing else for longer than the patience.
    pub(super) fn refused(&self) -> bool {
        let since = self.state.borrow().refused_since;
        self.answered();
        let since = since.unwrap_or_else(Instant::now);
        self.state.borrow_mut().refused_since = Some(since);
        since.elapsed() <= self.patience
    }

    /// A retryable failure of a visit whose first attempt began at `first`; `last_try`: it has no attempt left; `probe`:
    /// the attempt was the one that an outage allows.
    pub(super) fn failed(
        &self,
        visit: u64,
        first: Instant,
        last_try: bool,
        probe: bool,
        random: &mut fastrand::Rng,
    ) -> Seen {
        let mut state = self.state.borrow_mut();
        let now = Instant::now();
        state.failed.insert(visit);
        if let Some(mut outage) = state.outage {
            if !probe {
                return Seen::Outage { began: false };
            }
            let end = outage.since + self.patience;
            if now >= end {
                return Seen::OutOfPatience;
            }
            outage.probes += 1;
            // The last probe goes out when the patience ends.
            let longest = (self.patience / PROBES).max(self.backoff.first).min(self.backoff.max);
            let backoff = Backoff { max: longest, ..self.backoff };
            outage.next_probe = (now + backoff.wait(outage.probes + 1, random)).min(end);
            state.outage = Some(outage);
            return Seen::Outage { began: false };
        }
        let nobody_answered = state.last_answer.is_none_or(|answer| answer < first);
        if state.failed.len() >= IN_A_ROW || (last_try && nobody_answered) {
            let wait = self.backoff.wait(1, random).min(self.patience);
            state.outage = Some(Outage { since: now, probes: 0, next_probe: now + wait });
            return Seen::Outage { began: true };
        }
        Seen::Own
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn health() -> (Health, fastrand::Rng) {
        (Health::new(&Config::default()), fastrand::Rng::with_seed(1))
    }

    #[tokio::test(start_paused = true)]
    async fn ten_different_visits_in_a_row_are_an_outage_and_one_visit_often_is_none() {
        let (health, mut random) = health();
        let start = Instant::now();
        for _ in 0..20 {
            assert_eq!(health.failed(1, start, false, false, &mut random), Seen::Own);
        }
        for visit in 2..10 {
            assert_eq!(health.failed(visit, start, false, false, &mut random), Seen::Own);
        }
        assert_eq!(health.failed(10, start, false, false, &mut random), Seen::Outage { began: true });
        assert!(health.next_probe().is_some());
        assert!(health.answered().is_some() && health.next_probe().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_between_breaks_the_row() {
        let (health, mut random) = health();
        let start = Instant::now();
        for visit in 0..9 {
            health.failed(visit, start, false, false, &mut random);
        }
        health.answered();
        assert_eq!(health.failed(9, start, false, false, &mut random), Seen::Own);
    }

    #[tokio::test(start_paused = true)]
    async fn a_visit_out_of_attempts_tells_an_outage_only_if_nobody_else_was_answered() {
        let (health, mut random) = health();
        let first = Instant::now();
        advance(Duration::from_secs(1)).await;
        health.answered();
        assert_eq!(health.failed(1, first, true, false, &mut random), Seen::Own);
        advance(Duration::from_secs(1)).await;
        assert_eq!(health.failed(2, Instant::now(), true, false, &mut random), Seen::Outage { began: true });
    }

    #[tokio::test(start_paused = true)]
    async fn probes_go_on_until_the_patience_ends() {
        let (health, mut random) = health();
        let start = Instant::now();
        health.failed(1, start, true, false, &mut random);
        let mut probes = 0;
        loop {
            tokio::time::sleep_until(health.next_probe().expect("down")).await;
            probes += 1;
            match health.failed(1, start, true, true, &mut random) {
                Seen::OutOfPatience => break,
                seen => assert_eq!(seen, Seen::Outage { began: false }),
            }
        }
        assert!(start.elapsed() >= Config::default().patience && probes > 10, "{probes} in {:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_but_429_is_borne_as_long_as_an_outage() {
        let (health, _) = health();
        assert!(health.refused());
        advance(Duration::from_secs(601)).await;
        assert!(!health.refused());
        health.answered();
        assert!(health.refused());
    }
}
