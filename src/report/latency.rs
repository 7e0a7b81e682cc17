//! How long visits took: a histogram of bounded size, from which percentiles are read.

use hdrhistogram::Histogram;

/// Longer times count as this long, which is 24 days.
const LONGEST_MS: u64 = 1 << 31;
/// Times are exact up to 255 ms and right to 1% above.
const DIGITS: u8 = 2;

/// Times in milliseconds. It takes 13 kB, however many times it holds; a page has at most 121 of them.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Histogram<u32>);

impl Default for Latencies {
    #[expect(clippy::expect_used, reason = "the bounds are constants that the crate accepts")]
    fn default() -> Latencies {
        Latencies(Histogram::new_with_bounds(1, LONGEST_MS, DIGITS).expect("valid bounds"))
    }
}

impl Latencies {
    pub(super) fn add(&mut self, ms: u64) {
        self.0.saturating_record(ms.min(LONGEST_MS));
    }

    pub(super) fn merge(&mut self, other: &Latencies) {
        // Adding fails only for histograms of different bounds.
        let _ = self.0.add(&other.0);
    }

    /// The time within which this share of the visits was finished, in milliseconds; `None` without visits.
    pub(super) fn quantile(&self, share: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share))
    }

    /// The longest time in milliseconds; `None` without visits.
    pub(super) fn longest(&self) -> Option<u64> {
        self.quantile(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_a_hundred_times() {
        let mut latencies = Latencies::default();
        assert_eq!((latencies.quantile(0.5), latencies.longest()), (None, None));
        (1..=50).for_each(|ms| latencies.add(ms));
        let mut more = Latencies::default();
        (51..=100).for_each(|ms| more.add(ms * 1000));
        latencies.merge(&more);
        assert_eq!(latencies.quantile(0.5), Some(50));
        assert!(latencies.quantile(0.95).is_some_and(|ms| ms.abs_diff(95_000) < 950));
        assert!(latencies.longest().is_some_and(|ms| ms.abs_diff(100_000) < 1_000));
    }

    #[test]
    fn no_time_is_too_short_or_too_long() {
        let mut latencies = Latencies::default();
        [0, u64::MAX].into_iter().for_each(|ms| latencies.add(ms));
        assert_eq!(latencies.quantile(0.5), Some(0));
        assert!(latencies.longest().is_some_and(|ms| ms >= LONGEST_MS));
    }

    #[test]
    fn a_histogram_is_as_small_as_its_documentation_says() {
        assert!(Latencies::default().0.distinct_values() * size_of::<u32>() < 14_000);
    }
}
