//! How many requests may be under way at once. Pure.
//!
//! By Little's law, a rate needs rate × latency requests under way. Where the job sets no `max_in_flight`, it is
//! twice that, so that growing latency does not hold the rate down. It is bounded, because a stalled server gets that many
//! requests at once when it wakes.

use super::machine::Time;
use std::time::Duration;

/// However fast the server is.
const FEWEST: usize = 8;
/// More connections than this no server is asked for unless the job says so.
const MOST: usize = 1024;
/// The latency that is assumed before the first answer, and the longest that is made up for.
const FIRST_LATENCY: f64 = 1.0;
const LONGEST_LATENCY: f64 = 3.0;
/// How much one answer moves the measured latency.
const WEIGHT: f64 = 0.1;
/// After this many answers, one more request than a limit of connections showed may be under way; each time that the limit
/// shows again, after twice as many.
const RECOVERY: u32 = 400;
const LONGEST_RECOVERY: u32 = 25_600;
/// How long `max_in_flight` may hold the rate down before a person is told, and for what part of that time.
const HELD_DOWN: Duration = Duration::from_secs(10);
const HELD_PART: u32 = 3;

/// How many requests may be under way.
#[derive(Clone, Debug)]
pub(super) struct Concurrency {
    /// What the job says.
    given: Option<usize>,
    /// What follows from rate and latency.
    needed: usize,
    /// What a server that closes connections was seen to bear, and what is tried now.
    borne: usize,
    cap: usize,
    /// No cap is higher.
    bound: usize,
    answers_at_cap: u32,
    recovery: u32,
    /// In seconds; `None` before the first answer.
    latency: Option<f64>,
    rate: f64,
    /// Since when it is measured how long the rate is held down, how long that was, and since when it is now.
    measured_from: Time,
    held: Duration,
    held_since: Option<Time>,
    was_told: bool,
}

impl Concurrency {
    /// `given`: what the job says. `rate`: what it asks for, in requests a second.
    pub(super) fn new(given: Option<usize>, rate: f64) -> Concurrency {
        Concurrency {
            given,
            needed: needed(rate, FIRST_LATENCY),
            borne: MOST,
            cap: MOST,
            bound: MOST,
            answers_at_cap: 0,
            recovery: RECOVERY,
            latency: None,
            rate,
            measured_from: Duration::ZERO,
            held: Duration::ZERO,
            held_since: None,
            was_told: false,
        }
    }

    /// However many are needed, this machine allows no more.
    pub(super) fn within(self, connections: Option<usize>) -> Concurrency {
        let bound = connections.unwrap_or(MOST);
        Concurrency { borne: bound, cap: bound, bound, ..self }
    }

    /// The most requests that may ever be under way.
    pub(super) fn upper_bound(given: Option<usize>, rate: f64) -> usize {
        given.unwrap_or_else(|| needed(rate, LONGEST_LATENCY))
    }

    /// The most requests that may be under way.
    pub(super) fn most(&self) -> usize {
        self.given.unwrap_or(self.needed).min(self.cap).max(1)
    }

    /// Something is held back because too many requests are under way, or nothing is. Returns, once a run, how many would be
    /// enough, where that has held the rate down for a while.
    pub(super) fn holds_down(&mut self, holds: bool, now: Time) -> Option<usize> {
        if let Some(since) = self.held_since.take() {
            self.held += now - since;
        }
        self.held_since = holds.then_some(now);
        let measured = now - self.measured_from;
        if measured < HELD_DOWN {
            return None;
        }
        let is_much = self.held * HELD_PART >= measured;
        self.measured_from = now;
        self.held = Duration::ZERO;
        let enough = needed(self.rate, 2.0 * self.latency.unwrap_or(FIRST_LATENCY));
        let is_the_job = self.given.is_some_and(|given| given <= self.cap && given < enough);
        let tell = is_much && is_the_job && !self.was_told;
        self.was_told |= tell;
        tell.then_some(enough)
    }

    /// The server took a request, and answered after `latency`.
    pub(super) fn answered(&mut self, latency: Duration, beside: usize) {
        let latency = latency.as_secs_f64();
        let smoothed = self.latency.map_or(latency, |known| known + (latency - known) * WEIGHT);
        self.latency = Some(smoothed);
        self.needed = needed(self.rate, (2.0 * smoothed).min(LONGEST_LATENCY));
        if self.cap > self.borne && beside >= self.borne {
            // One more than before, and it was answered.
            self.borne = self.cap;
            self.recovery = (self.recovery / 2).max(RECOVERY);
        }
        self.answers_at_cap += 1;
        if self.answers_at_cap >= self.recovery && self.cap < self.bound {
            self.answers_at_cap = 0;
            self.borne = self.cap;
            self.cap += 1;
        }
    }

    /// The server closes connections: it bears no more than this.
    pub(super) fn lower(&mut self, borne: usize) {
        if self.cap < self.bound {
            self.recovery = (self.recovery * 2).min(LONGEST_RECOVERY);
        }
        self.cap = borne.clamp(1, self.most());
        self.borne = self.cap;
        self.answers_at_cap = 0;
    }

    /// A connection was closed beside which so many requests were under way. Returns whether it was one more than the server is
    /// known to bear, tried on purpose.
    pub(super) fn take_back_one_more(&mut self, beside: usize) -> bool {
        let tried = self.cap > self.borne && beside >= self.borne;
        if tried {
            self.lower(self.borne);
        }
        tried
    }

    /// It was not the number of connections that closed them.
    pub(super) fn lift(&mut self) {
        (self.borne, self.cap) = (self.bound, self.bound);
    }
}

fn needed(rate: f64, latency: f64) -> usize {
    ((rate * latency).ceil() as usize).clamp(FEWEST, MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(latency: f64, answers: usize, rate: f64) -> usize {
        let mut concurrency = Concurrency::new(None, rate);
        (0..answers).for_each(|_| concurrency.answered(Duration::from_secs_f64(latency), 0));
        concurrency.most()
    }

    #[test]
    fn it_follows_twice_what_rate_and_latency_need_within_bounds() {
        assert_eq!(Concurrency::new(None, 150.0).most(), 150);
        assert_eq!(after(0.01, 50, 150.0), 8);
        assert_eq!(after(0.2, 50, 150.0), 60);
        assert_eq!(after(2.0, 50, 150.0), 450);
        assert_eq!(after(30.0, 50, 150.0), 450);
    }

    #[test]
    fn few_descriptors_are_a_bound_and_not_a_number() {
        let mut concurrency = Concurrency::new(None, 150.0).within(Some(50));
        assert_eq!(concurrency.most(), 50);
        (0..50).for_each(|_| concurrency.answered(Duration::from_millis(10), 0));
        assert_eq!(concurrency.most(), 8);
        concurrency.lower(4);
        concurrency.lift();
        (0..50).for_each(|_| concurrency.answered(Duration::from_secs(2), 0));
        assert_eq!(concurrency.most(), 50);
    }

    #[test]
    fn what_the_job_says_counts() {
        let mut concurrency = Concurrency::new(Some(4), 150.0);
        concurrency.answered(Duration::from_secs(2), 0);
        assert_eq!(concurrency.most(), 4);
    }

    #[test]
    fn a_server_that_closes_connections_gets_fewer() {
        let mut concurrency = Concurrency::new(Some(16), 150.0);
        concurrency.lower(9);
        assert_eq!(concurrency.most(), 9);
        (0..RECOVERY).for_each(|_| concurrency.answered(Duration::from_millis(10), 0));
        assert_eq!(concurrency.most(), 10);
        assert!(!concurrency.take_back_one_more(8) && concurrency.take_back_one_more(9));
        assert_eq!(concurrency.most(), 9);
        (0..2 * RECOVERY).for_each(|_| concurrency.answered(Duration::from_millis(10), 0));
        concurrency.answered(Duration::from_millis(10), 9);
        assert!(!concurrency.take_back_one_more(9), "ten were borne before");
        assert_eq!(concurrency.most(), 10);
    }

    #[test]
    fn a_person_is_told_once_that_it_holds_the_rate_down() {
        let told = |holds: fn(u64) -> bool| {
            let mut concurrency = Concurrency::new(Some(4), 150.0);
            concurrency.answered(Duration::from_secs(1), 0);
            let tenths = (0..300).map(|tenth| (holds(tenth), Duration::from_millis(tenth * 100)));
            tenths.filter_map(|(holds, now)| concurrency.holds_down(holds, now)).collect::<Vec<_>>()
        };
        assert_eq!(told(|tenth| tenth % 10 < 8), [300]);
        assert!(told(|tenth| tenth % 10 < 2).is_empty());
    }
}
