//! The one limiter of a job: every attempt takes a permit here, retries and probes too.
//!
//! A token bucket (governor's GCRA) at the current rate. It runs on tokio's clock, so that tests and simulations may pause
//! time.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// A timer of tokio wakes up to this late, and what is lost so is made up by as many permits: one, up to 666 requests a
/// second, so that no second sees more than the rate and two. Without it a limiter holds 132 of 150 requests a second.
const LATENESS: f64 = 0.0015;

/// The rate is set anew when it has changed by more than this share.
const STEP: f64 = 0.01;

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

/// Gives permits at a rate.
#[derive(Debug)]
pub(super) struct Limiter {
    burst: u32,
    clock: TokioClock,
    bucket: Bucket,
    rate: f64,
    /// When the last permit was given.
    last_permit: Option<Instant>,
    /// Until a new rate has its first permit: a period behind the last one, however often the rate changes meanwhile.
    not_before: Option<Instant>,
}

impl Limiter {
    /// `rate`: requests a second.
    pub(super) fn new(rate: f64, burst: u32) -> Limiter {
        let clock = TokioClock { start: Instant::now() };
        let bucket = bucket(rate, burst, &clock);
        // What makes up for lateness is not there before anything was late.
        take(&bucket, capacity(rate, burst) - burst);
        Limiter { burst, clock, bucket, rate, last_permit: None, not_before: None }
    }

    /// Changes the rate, where it differs by more than a hundredth.
    pub(super) fn set_rate(&mut self, rate: f64) {
        if (rate - self.rate).abs() <= self.rate * STEP {
            return;
        }
        self.rate = rate;
        self.bucket = bucket(rate, self.burst, &self.clock);
        // A new bucket is full, but permits were taken a moment ago: one is left, for its time.
        take(&self.bucket, capacity(rate, self.burst) - 1);
        self.not_before = self.last_permit.map(|last| last + Duration::from_secs_f64(1.0 / rate));
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// The earliest time at which there may be one.
    pub(super) fn take(&mut self) -> Result<(), Instant> {
        let now = Instant::now();
        if let Some(at) = self.not_before.filter(|at| *at > now) {
            return Err(at);
        }
        match self.bucket.check() {
            Ok(()) => {
                self.last_permit = Some(now);
                Ok(())
            }
            Err(not_yet) => Err(now + not_yet.wait_time_from(self.clock.now())),
        }
    }
}

fn capacity(rate: f64, burst: u32) -> u32 {
    burst + ((rate * LATENESS).ceil() as u32).max(1)
}

fn take(bucket: &Bucket, permits: u32) {
    if let Some(permits) = NonZeroU32::new(permits) {
        let _ = bucket.check_n(permits);
    }
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
    use tokio::time::sleep_until;

    async fn times(limiter: &mut Limiter, count: usize) -> Vec<f64> {
        let start = Instant::now();
        let mut times = Vec::new();
        while times.len() < count {
            match limiter.take() {
                Ok(()) => times.push(start.elapsed().as_secs_f64()),
                Err(at) => sleep_until(at).await,
            }
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
            let mut limiter = Limiter::new(rate, 1);
            let times = times(&mut limiter, (rate * 20.0) as usize).await;
            let held = times.len() as f64 / times.last().expect("permits");
            assert!(held >= 0.98 * rate, "{rate}: {held}");
            let most = rate.ceil() as usize + capacity(rate, 1) as usize;
            assert!(most_in_a_second(&times) <= most, "{rate}: {}", most_in_a_second(&times));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fractional_rates_work() {
        let times = times(&mut Limiter::new(0.5, 1), 5).await;
        assert!((6.0..=8.1).contains(times.last().expect("permits")), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_rate_begins_a_period_behind_the_last_permit() {
        let mut limiter = Limiter::new(10.0, 1);
        times(&mut limiter, 10).await;
        limiter.set_rate(2.0);
        let times = times(&mut limiter, 3).await;
        // What makes up for lateness has filled up meanwhile.
        assert!((0.4..0.51).contains(&times[0]) && (0.49..0.51).contains(&(times[2] - times[0])), "{times:?}");
    }
}
