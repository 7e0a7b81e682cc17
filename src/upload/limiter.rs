//! The one limiter of a job: every attempt takes a permit here, retries and probes too.
//!
//! A permit takes two: one of the run's own rate, which may change with every answer, and one of the rate that all runs of the
//! machine share. The clock is tokio's, so that tests and simulations may pause time.

use super::gate::{Gate, Pace};
use super::rate_file::RateFile;
use super::sharing::{Refused, Sharing};
use std::time::Duration;
use tokio::time::Instant;

/// The rate is set anew when it has changed by more than this share.
const STEP: f64 = 0.01;

/// Gives permits at a rate.
#[derive(Debug)]
pub(crate) struct Limiter {
    rate: f64,
    gate: Gate,
    origin: Instant,
    last_permit: Option<Duration>,
    sharing: Option<Sharing>,
}

impl Limiter {
    /// `rate`: requests a second.
    pub(crate) fn new(rate: f64, burst: u32) -> Limiter {
        let gate = Gate::new(Pace::new(rate, burst), Duration::ZERO);
        Limiter { rate, gate, origin: Instant::now(), last_permit: None, sharing: None }
    }

    /// Shares rate and pauses with other runs through this file. A time further ahead than `patience` is ignored.
    pub(crate) fn sharing(mut self, file: RateFile, patience: Duration) -> Limiter {
        self.sharing = Some(Sharing::new(file, self.gate.pace(), patience));
        self
    }

    /// Changes the run's own rate, where it differs by more than a hundredth. The new one begins a period behind the last permit,
    /// without what the old one has left.
    pub(super) fn set_rate(&mut self, rate: f64) {
        if (rate - self.rate).abs() <= self.rate * STEP {
            return;
        }
        self.rate = rate;
        let pace = Pace::new(rate, self.gate.pace().burst);
        self.gate.set_pace(pace);
        self.gate.set_number(self.last_permit.unwrap_or_else(|| self.origin.elapsed()) + pace.period + pace.ahead());
    }

    /// Takes a permit.
    ///
    /// # Errors
    /// The earliest time at which there may be one.
    pub(crate) fn take(&mut self) -> Result<(), Instant> {
        let now = self.origin.elapsed();
        let before = self.gate.number();
        let refused = |wait| Instant::now() + wait;
        self.gate.take(now).map_err(refused)?;
        if let Err(wait) = self.of_all(Sharing::take) {
            // The run's own permit was not used.
            self.gate.set_number(before);
            return Err(refused(wait));
        }
        self.last_permit = Some(now);
        Ok(())
    }

    /// The other runs pause as well.
    pub(super) fn pause(&mut self, pause: Duration) {
        // Where the file is busy, the others have to hear it from the server.
        let _ = self.of_all(|sharing| sharing.pause(pause));
    }

    /// What cannot be shared any more does not hold up this run.
    fn of_all(&mut self, act: impl FnOnce(&mut Sharing) -> Result<(), Refused>) -> Result<(), Duration> {
        match self.sharing.as_mut().map_or(Ok(()), act) {
            Ok(()) => Ok(()),
            Err(Refused::For(wait)) => Err(wait),
            Err(Refused::Broken(reason)) => {
                tracing::info!("this run shares its rate with no other one any more: {reason}");
                self.sharing = None;
                Ok(())
            }
        }
    }
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
            let most = rate.ceil() as usize + 1 + Pace::new(rate, 1).late() as usize;
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
