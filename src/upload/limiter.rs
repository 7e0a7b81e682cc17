//! The one limiter of a job: every attempt takes a permit here, retries and probes too.
//!
//! The generic cell rate algorithm: all that is kept is the time at which the next permit is due, so that the rate may change
//! at any time without a gap and without a burst. It runs on tokio's clock, so that tests and simulations may pause time.

use std::time::Duration;
use tokio::time::Instant;

/// A timer of tokio wakes up to this late, and what is lost so is made up by as many permits: one, up to 666 requests a
/// second, so that no second sees more than the rate and two. Without it a limiter holds 132 of 150 requests a second.
const LATENESS: f64 = 0.0015;

/// The rate is set anew when it has changed by more than this share.
const STEP: f64 = 0.01;

/// Gives permits at a rate.
#[derive(Debug)]
pub(super) struct Limiter {
    burst: u32,
    rate: f64,
    /// When the next permit is due, if none is to make up for lateness and none is part of a burst.
    due: Instant,
    last_permit: Option<Instant>,
}

impl Limiter {
    /// `rate`: requests a second.
    pub(super) fn new(rate: f64, burst: u32) -> Limiter {
        // What makes up for lateness is not there before anything was late.
        let due = Instant::now() + period(rate) * late(rate);
        Limiter { burst, rate, due, last_permit: None }
    }

    /// Changes the rate, where it differs by more than a hundredth. The new one begins a period behind the last permit, without
    /// what the old one has left.
    pub(super) fn set_rate(&mut self, rate: f64) {
        if (rate - self.rate).abs() <= self.rate * STEP {
            return;
        }
        self.rate = rate;
        self.due = self.last_permit.unwrap_or_else(Instant::now) + period(rate) + self.ahead();
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// The earliest time at which there may be one.
    pub(super) fn take(&mut self) -> Result<(), Instant> {
        let now = Instant::now();
        let earliest = self.due.checked_sub(self.ahead()).unwrap_or(now);
        if now < earliest {
            return Err(earliest);
        }
        self.due = self.due.max(now) + period(self.rate);
        self.last_permit = Some(now);
        Ok(())
    }

    /// How long before its time a permit may be taken.
    fn ahead(&self) -> Duration {
        period(self.rate) * (self.burst.saturating_sub(1) + late(self.rate))
    }
}

fn period(rate: f64) -> Duration {
    Duration::from_secs_f64(1.0 / rate).max(Duration::from_nanos(1))
}

/// The permits that make up for lateness.
fn late(rate: f64) -> u32 {
    ((rate * LATENESS).ceil() as u32).max(1)
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
            let most = rate.ceil() as usize + 1 + late(rate) as usize;
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
        assert!((0.4..0.51).contains(&times[0]) && (0.99..1.01).contains(&(times[2] - times[0])), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_that_climbs_with_every_permit_makes_no_burst() {
        let mut limiter = Limiter::new(10.0, 1);
        let start = Instant::now();
        let mut times = Vec::new();
        for step in 0..200 {
            limiter.set_rate(10.0 * 1.015f64.powi(step));
            while let Err(at) = limiter.take() {
                sleep_until(at).await;
            }
            times.push(start.elapsed().as_secs_f64());
        }
        for (step, pair) in times.windows(2).enumerate() {
            let period = 1.0 / (10.0 * 1.015f64.powi(step as i32 + 1));
            assert!(pair[1] - pair[0] > period * 0.99 - 0.001, "{step}: {pair:?}");
        }
    }
}
