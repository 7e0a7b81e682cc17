//! How fast a run may send, as far as the server's answers tell. Pure: times and answers in, requests a second out.
//!
//! ```text
//! rate
//!   ^  ceiling ------.                                        .------
//!   |                |                             climb   _-'
//!   |                | 429                              _-'
//!   |                v                hold             '
//!   |                :  pause  .----------------------'
//!   |                          | known
//!   +----------------------------------------------------------------> time
//! ```
//!
//! After a 429 the run goes on from what the server was seen to accept, as BBR takes the bandwidth of the bottleneck. It holds
//! that rate for a while and then climbs, slowly at first and then faster, as TCP CUBIC does beyond the last loss. The longer
//! a limit has lasted, the longer is the hold: a lasting limit is touched rarely, and one that is lifted is noticed within a
//! part of the time that it lasted.

use super::machine::Time;
use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

/// What the server accepted is measured over this time.
const WINDOW: Duration = Duration::from_secs(2);
/// At the beginning of a run, over less; but not over less than this.
const SHORTEST_WINDOW: Duration = Duration::from_secs(1);
const SLICE: Duration = Duration::from_millis(100);
/// Slices of a second.
const SLICES: u64 = 10;
/// How near a refused rate, and how near what was accepted, a run goes on.
const BELOW_REFUSED: f64 = 0.97;
const BELOW_ACCEPTED: f64 = 0.99;
/// However little was accepted, one refusal takes no more than half of the rate.
const LEAST: f64 = 0.5;
/// However many refusals there are, a run goes on at this share of its rate at least.
const SLOWEST: f64 = 1.0 / 256.0;
/// How long a climb takes to double the rate.
const DOUBLING: Duration = Duration::from_millis(1_200);
/// How long a hold is at least and at most, and what part of the time that the limit has lasted.
const SHORTEST_HOLD: Duration = Duration::from_secs(1);
const LONGEST_HOLD: Duration = Duration::from_secs(30);
const HOLD_PART: f64 = 0.8;
/// The part where the server accepted more before, so that the limit is likely to be lifted.
const HOLD_PART_OF_A_SPELL: f64 = 0.1;
/// So many holds after a refusal, it is remembered still.
const SOON: u32 = 3;
/// So much below what was accepted before, a limit is a spell.
const SPELL: f64 = 0.9;
/// From here on a rate is beyond what is known to be accepted.
const CLIMBING: f64 = 1.005;
/// A rate that is so many times the one that was refused before shows that the limit is another one.
const OTHER_LIMIT: f64 = 1.3;

/// The rate of a run.
#[derive(Clone, Debug)]
pub(super) struct RateControl {
    /// What the job asks for, in requests a second.
    ceiling: f64,
    /// Where sending went on after the last refusal; the ceiling where there was none.
    known: f64,
    /// When it went on; `None` before the first refusal, and during a spell of refusals.
    resumed: Option<Time>,
    /// Since when the limit lasts, and the rate that was refused last.
    limit: Option<(Time, f64)>,
    hold: Duration,
    /// The most requests that were accepted in a second.
    most: u32,
    /// Requests that were accepted lately, by the slice of time in which they were answered.
    accepted: VecDeque<(u64, u32)>,
}

impl RateControl {
    /// `ceiling`: what the job asks for, in requests a second.
    pub(super) fn new(ceiling: f64) -> RateControl {
        RateControl {
            ceiling,
            known: ceiling,
            resumed: None,
            limit: None,
            hold: SHORTEST_HOLD,
            most: 0,
            accepted: VecDeque::new(),
        }
    }

    /// How fast to send now, in requests a second.
    pub(super) fn rate(&self, now: Time) -> f64 {
        let Some(resumed) = self.resumed else { return self.known };
        let climbing = now.saturating_sub(resumed + self.hold).as_secs_f64() / DOUBLING.as_secs_f64();
        (self.known * (1.0 + climbing.powi(3))).min(self.ceiling)
    }

    /// Whether the rate is beyond what the server was seen to accept.
    pub(super) fn is_climbing(&self, now: Time) -> bool {
        let rate = self.rate(now);
        self.limit.is_some() && rate > self.known * CLIMBING && rate < self.ceiling
    }

    /// The server took a request, whatever it said of the visit.
    pub(super) fn accepted(&mut self, now: Time) {
        let slice = slice_of(now);
        match self.accepted.back_mut() {
            Some((last, count)) if *last == slice => *count += 1,
            _ => {
                let last_second = self.accepted.iter().filter(|(earlier, _)| earlier + SLICES >= slice);
                self.most = self.most.max(last_second.map(|(_, count)| count).sum());
                self.accepted.push_back((slice, 1));
            }
        }
        let oldest = slice_of(now.saturating_sub(WINDOW));
        while self.accepted.front().is_some_and(|(slice, _)| *slice < oldest) {
            self.accepted.pop_front();
        }
    }

    /// A spell of refusals begins. However many follow, the rate comes down once.
    pub(super) fn refused(&mut self, now: Time) {
        let refused = self.rate(now);
        // Back at the ceiling, a refusal soon after the one before is of the same limit, just below it.
        let is_soon = self.resumed.is_some_and(|resumed| now < resumed + self.hold * SOON + DOUBLING);
        let is_the_same = |before: f64| (refused < self.ceiling || is_soon) && refused <= before * OTHER_LIMIT;
        let since = self.limit.filter(|(_, before)| is_the_same(*before)).map_or(now, |(since, _)| since);
        self.limit = Some((since, refused));
        let part = if refused <= f64::from(self.most) * SPELL { HOLD_PART_OF_A_SPELL } else { HOLD_PART };
        self.hold = (now - since).mul_f64(part).clamp(SHORTEST_HOLD, LONGEST_HOLD);
        let seen = self.seen(now) * BELOW_ACCEPTED;
        let known = seen.clamp(refused * LEAST, refused * BELOW_REFUSED);
        self.known = known.max(self.ceiling * SLOWEST).min(self.ceiling);
        self.resumed = None;
    }

    /// The spell is over: a request was accepted again.
    pub(super) fn resumed(&mut self, now: Time) {
        self.resumed = Some(now);
    }

    /// Requests a second that the server accepted lately, pauses not counted. A server that counts over a second counts what it
    /// accepted before a pause too.
    fn seen(&self, now: Time) -> f64 {
        let since = self.resumed.unwrap_or_default().max(now.saturating_sub(WINDOW));
        let of_sending = self.count_since(since) / (now - since).max(SHORTEST_WINDOW).as_secs_f64();
        of_sending.max(self.count_since(now.saturating_sub(SHORTEST_WINDOW)) / SHORTEST_WINDOW.as_secs_f64())
    }

    /// Of the oldest slice, the part that is not older.
    fn count_since(&self, since: Time) -> f64 {
        let oldest = slice_of(since);
        let part = 1.0 - (since.as_secs_f64() / SLICE.as_secs_f64()).fract();
        let counted = self.accepted.iter().map(|(slice, count)| match slice.cmp(&oldest) {
            Ordering::Less => 0.0,
            Ordering::Equal => f64::from(*count) * part,
            Ordering::Greater => f64::from(*count),
        });
        counted.sum()
    }
}

fn slice_of(time: Time) -> u64 {
    (time.as_millis() / SLICE.as_millis()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn seconds(seconds: f64) -> Time {
        Duration::from_secs_f64(seconds)
    }

    /// A control that had so many answers a second until `until`.
    fn after_answers(ceiling: f64, per_second: f64, until: f64) -> RateControl {
        let mut control = RateControl::new(ceiling);
        (0..(per_second * until) as u32).for_each(|n| control.accepted(seconds(f64::from(n) / per_second)));
        control
    }

    #[test]
    fn a_spell_in_which_nothing_is_accepted_lowers_the_rate_by_a_few_percent() {
        let mut control = after_answers(120.0, 120.0, 5.0);
        control.refused(seconds(5.0));
        control.resumed(seconds(25.0));
        assert!((110.0..117.0).contains(&control.rate(seconds(25.0))), "{}", control.rate(seconds(25.0)));
        assert_eq!(control.rate(seconds(27.0)), 120.0);
    }

    #[test]
    fn it_goes_on_from_what_was_accepted() {
        let mut control = RateControl::new(300.0);
        (0..150).for_each(|n| control.accepted(seconds(f64::from(n) / 300.0)));
        control.refused(seconds(0.5));
        assert_eq!(control.rate(seconds(0.6)), 150.0);
    }

    #[test]
    fn a_limit_that_lasts_is_touched_more_and_more_rarely() {
        let mut control = RateControl::new(300.0);
        let mut refusals = Vec::new();
        let mut at = 0.0;
        while at < 60.0 {
            if control.rate(seconds(at)) > 150.0 {
                refusals.push(at);
                control.refused(seconds(at));
                at += 0.25;
                control.resumed(seconds(at));
            }
            control.accepted(seconds(at));
            at += 1.0 / control.rate(seconds(at)).min(150.0);
        }
        assert!(refusals.len() <= 8, "{refusals:?}");
    }

    #[test]
    fn a_limit_that_is_lifted_is_noticed_in_seconds() {
        let mut control = after_answers(150.0, 75.0, 20.0);
        control.refused(seconds(20.0));
        control.resumed(seconds(20.2));
        assert_eq!(control.rate(seconds(23.5)), 150.0);
    }

    proptest! {
        #[test]
        fn it_stays_between_the_slowest_rate_and_the_ceiling(
            ceiling in 0.1f64..1000.0,
            steps in prop::collection::vec((0u8..3, 0.0f64..5.0), 1..200),
        ) {
            let mut control = RateControl::new(ceiling);
            let mut now = Duration::ZERO;
            for (what, wait) in steps {
                now += seconds(wait);
                match what {
                    0 => control.accepted(now),
                    1 => control.refused(now),
                    _ => control.resumed(now),
                }
                let rate = control.rate(now);
                prop_assert!(rate >= ceiling * SLOWEST * 0.999 && rate <= ceiling, "{rate} of {ceiling}");
            }
        }
    }
}
