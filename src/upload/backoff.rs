//! Exponential backoff with full jitter, as the AWS Architecture Blog describes and measures it ("Exponential Backoff And
//! Jitter").

use super::config::Backoff;
use std::time::Duration;

impl Backoff {
    /// A random wait before the attempt that follows `failures` failed ones, at least one.
    pub(super) fn wait(self, failures: u32, random: &mut fastrand::Rng) -> Duration {
        self.longest(failures).mul_f64(random.f64())
    }

    fn longest(self, failures: u32) -> Duration {
        let doubled = 2u32.saturating_pow(failures.saturating_sub(1).min(30));
        self.first.saturating_mul(doubled).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_are_spread_from_nothing_on() {
        let backoff = Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) };
        let longest: Vec<u64> = (1..=9).map(|n| backoff.longest(n).as_millis() as u64).collect();
        assert_eq!(longest, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        let mut random = fastrand::Rng::with_seed(7);
        let waits: Vec<Duration> = (0..1_000).map(|_| backoff.wait(5, &mut random)).collect();
        assert!(waits.iter().all(|wait| *wait <= Duration::from_secs(8)));
        let short = waits.iter().filter(|wait| **wait < Duration::from_secs(4)).count();
        assert!((400..600).contains(&short), "{short} of 1000 in the lower half");
    }
}
