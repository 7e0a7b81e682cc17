//! The one limiter of a job: every attempt takes a permit here, retries and probes too.
//!
//! A token bucket (governor's GCRA) at the current rate, in front of which everything pauses after a 429. It runs on
//! tokio's clock, so that tests and simulations may pause time.

use super::climb::Climb;
use super::config::{Backoff, Config};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::cell::RefCell;
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until};

/// A timer of tokio wakes up to this late, and what is lost so is made up by as many permits: one, up to 666 requests a
/// second, so that no second sees more than the rate and two. Without it a limiter holds 132 of 150 requests a second.
const LATENESS: f64 = 0.0015;

/// The rate is set anew when the climb has changed it by more than this share.
const STEP: f64 = 0.01;

/// However many 429s there are, a job goes on at this share of its rate at least.
const SLOWEST: f64 = 1.0 / 256.0;

#[derive(Clone, Debug)]
struct TokioClock {
    start: Instant,
}

impl Clock for TokioClock {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.start.elapsed()
    }
}

type Bucket = RateLimiter<NotKeyed, InMemoryState, TokioClock, NoOpMiddleware<Duration>>;

/// Paces a job.
#[derive(Debug)]
pub(super) struct Pace {
    ceiling: f64,
    burst: u32,
    backoff: Backoff,
    clock: TokioClock,
    /// Held while waiting for a permit: who came first goes first, and only one timer runs.
    turn: tokio::sync::Mutex<()>,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    bucket: Bucket,
    rate: f64,
    climb: Option<(Climb, Instant)>,
    paused_until: Option<Instant>,
    /// When the last permit was given.
    last_permit: Option<Instant>,
    /// Until a new rate has its first permit: a period behind the last one, however often the rate changes meanwhile.
    not_before: Option<Instant>,
    /// Pauses since the last answer that was no 429.
    pauses_in_a_row: u32,
    pauses: u64,
}

/// A permit to send one request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Permit {
    /// How many pauses there had been: a 429 to a request of before a pause is part of its cause.
    pauses: u64,
}

impl Pace {
    pub(super) fn new(config: &Config) -> Pace {
        let clock = TokioClock { start: Instant::now() };
        let bucket = bucket(config.rate, config.burst, &clock);
        // What makes up for lateness is not there before anything was late.
        if let Some(more) = NonZeroU32::new(capacity(config.rate, config.burst) - config.burst) {
            let _ = bucket.check_n(more);
        }
        Pace {
            ceiling: config.rate,
            burst: config.burst,
            backoff: config.backoff,
            clock,
            turn: tokio::sync::Mutex::new(()),
            state: RefCell::new(State {
                bucket,
                rate: config.rate,
                climb: None,
                paused_until: None,
                last_permit: None,
                not_before: None,
                pauses_in_a_row: 0,
                pauses: 0,
            }),
        }
    }

    /// Waits for a permit.
    pub(super) async fn permit(&self) -> Permit {
        let _turn = self.turn.lock().await;
        loop {
            let pause = self.state.borrow().paused_until;
            if let Some(until) = pause {
                if Instant::now() < until {
                    sleep_until(until).await;
                    continue;
                }
                self.go_on();
            }
            self.climb();
            let not_before = self.state.borrow().not_before.filter(|at| *at > Instant::now());
            if let Some(at) = not_before {
                sleep_until(at).await;
                continue;
            }
            let wait = {
                let mut state = self.state.borrow_mut();
                match state.bucket.check() {
                    Ok(()) => {
                        state.last_permit = Some(Instant::now());
                        return Permit { pauses: state.pauses };
                    }
                    Err(not_yet) => not_yet.wait_time_from(self.clock.now()),
                }
            };
            sleep(wait).await;
        }
    }

    /// A request was refused as one too many: pauses everything and halves the rate, once for each pause.
    /// Returns how long the pause is, or `None` if the refusal belongs to a pause that was already made.
    pub(super) fn refused(
        &self,
        permit: Permit,
        retry_after: Option<Duration>,
        random: &mut fastrand::Rng,
    ) -> Option<Duration> {
        let mut state = self.state.borrow_mut();
        let now = Instant::now();
        if permit.pauses < state.pauses {
            // It may still know better how long to wait.
            if let (Some(wait), Some(until)) = (retry_after, state.paused_until) {
                state.paused_until = Some(until.max(now + wait));
            }
            return None;
        }
        state.pauses += 1;
        state.pauses_in_a_row += 1;
        let wait = retry_after.unwrap_or_else(|| self.backoff.wait(state.pauses_in_a_row, random));
        let refused = state.rate.max(self.ceiling * SLOWEST * 2.0);
        let until = now + wait;
        state.paused_until = Some(until);
        state.climb = Some((Climb::after(refused, self.ceiling), until));
        Some(wait)
    }

    /// Some other answer came: the next pause is a first one again.
    pub(super) fn answered(&self) {
        self.state.borrow_mut().pauses_in_a_row = 0;
    }

    /// The current rate, in requests a second.
    pub(super) fn rate(&self) -> f64 {
        self.state.borrow().rate
    }

    fn go_on(&self) {
        let mut state = self.state.borrow_mut();
        state.paused_until = None;
        if let Some((climb, since)) = &mut state.climb {
            *since = Instant::now();
            let rate = climb.rate(0.0);
            self.set_rate(&mut state, rate);
        }
    }

    fn climb(&self) {
        let mut state = self.state.borrow_mut();
        let Some((climb, since)) = state.climb else { return };
        let seconds = since.elapsed().as_secs_f64();
        let rate = climb.rate(seconds);
        if climb.is_over(seconds) {
            state.climb = None;
            self.set_rate(&mut state, self.ceiling);
        } else if rate > state.rate * (1.0 + STEP) {
            self.set_rate(&mut state, rate);
        }
    }

    fn set_rate(&self, state: &mut State, rate: f64) {
        state.rate = rate;
        state.bucket = bucket(rate, self.burst, &self.clock);
        // A new bucket is full, but permits were taken a moment ago: one is left, for its time.
        if let Some(more) = NonZeroU32::new(capacity(rate, self.burst) - 1) {
            let _ = state.bucket.check_n(more);
        }
        state.not_before = state.last_permit.map(|last| last + Duration::from_secs_f64(1.0 / rate));
    }
}

fn capacity(rate: f64, burst: u32) -> u32 {
    burst + ((rate * LATENESS).ceil() as u32).max(1)
}

fn bucket(rate: f64, burst: u32, clock: &TokioClock) -> Bucket {
    let period = Duration::from_secs_f64(1.0 / rate).max(Duration::from_nanos(1));
    let capacity = NonZeroU32::new(capacity(rate, burst)).unwrap_or(NonZeroU32::MIN);
    // A period of at least a nanosecond is all that a quota asks for.
    let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MIN));
    RateLimiter::direct_with_clock(quota.allow_burst(capacity), clock.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(rate: f64) -> Pace {
        Pace::new(&Config { rate, ..Config::default() })
    }

    async fn times(pace: &Pace, count: usize) -> Vec<f64> {
        let start = Instant::now();
        let mut times = Vec::new();
        for _ in 0..count {
            pace.permit().await;
            times.push(start.elapsed().as_secs_f64());
        }
        times
    }

    fn most_in_a_second(times: &[f64]) -> usize {
        let window = |from: &f64| times.iter().filter(|time| (*from..=*from + 1.0).contains(*time)).count();
        times.iter().map(window).max().unwrap_or(0)
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_held_and_never_passed_by_more_than_two_in_a_second() {
        for rate in [150.0, 140.0, 33.3, 1000.0] {
            let pace = pace(rate);
            let times = times(&pace, (rate * 20.0) as usize).await;
            let held = times.len() as f64 / times.last().expect("permits");
            assert!(held >= 0.98 * rate, "{rate}: {held}");
            let most = rate.ceil() as usize + capacity(rate, 1) as usize;
            assert!(most_in_a_second(&times) <= most, "{rate}: {}", most_in_a_second(&times));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fractional_rates_work() {
        let times = times(&pace(0.5), 5).await;
        assert!((6.0..=8.1).contains(times.last().expect("permits")), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_pauses_everything_in_full_and_halves_the_rate_once() {
        let pace = pace(100.0);
        let permits = [pace.permit().await, pace.permit().await, pace.permit().await];
        let mut random = fastrand::Rng::with_seed(1);
        let hour = Duration::from_secs(3600);
        assert_eq!(pace.refused(permits[0], Some(hour), &mut random), Some(hour));
        assert_eq!(pace.refused(permits[1], Some(hour), &mut random), None);
        assert_eq!(pace.refused(permits[2], None, &mut random), None);
        let start = Instant::now();
        pace.permit().await;
        assert!(start.elapsed() >= hour, "{:?}", start.elapsed());
        assert!((50.0..55.0).contains(&pace.rate()), "{}", pace.rate());
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pause_a_slow_rate_goes_on_at_half_and_climbs() {
        for (rate, pause) in [(2.0, 0), (1.0, 1), (5.0, 1), (20.0, 1), (0.1, 0), (120.0, 1)] {
            let pace = pace(rate);
            for _ in 0..10 {
                pace.permit().await;
            }
            let permit = pace.permit().await;
            let pause = Duration::from_secs(pause);
            pace.refused(permit, Some(pause), &mut fastrand::Rng::with_seed(1));
            let start = Instant::now();
            let times = times(&pace, 12).await;
            assert!(start.elapsed() >= pause);
            // The first one is a period of half the rate behind the last one, or at the end of the pause.
            let first = (2.0 / rate).max(pause.as_secs_f64());
            assert!((times[0] - first).abs() < 0.05 * first + 0.003, "{rate}: {times:?}");
            // From then on every gap lies between those of half the rate and of the whole one.
            let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
            for gap in gaps {
                assert!((0.99 / rate - 0.002..2.05 / rate + 0.003).contains(&gap), "{rate}: {gap} in {times:?}");
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_settles_just_below_a_limit_that_it_does_not_know() {
        let pace = pace(300.0);
        let mut random = fastrand::Rng::with_seed(3);
        let start = Instant::now();
        let mut accepted: Vec<f64> = Vec::new();
        let mut refused = 0;
        while start.elapsed() < Duration::from_secs(120) {
            let permit = pace.permit().await;
            let now = start.elapsed().as_secs_f64();
            if accepted.iter().rev().take_while(|time| **time > now - 1.0).count() >= 150 {
                refused += 1;
                pace.refused(permit, None, &mut random);
            } else {
                accepted.push(now);
                pace.answered();
            }
        }
        let rate = accepted.len() as f64 / 120.0;
        assert!(rate >= 0.85 * 150.0, "{rate}/s");
        assert!(refused * 50 < accepted.len(), "{refused} refused of {}", accepted.len());
    }
}
