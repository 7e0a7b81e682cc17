//! A run in slices of time. The length of the run is known only at its end, so slices are joined whenever there are more
//! than a chart can show. That bounds the memory, whatever times the file holds.

use super::latency::Latencies;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;

/// The screen of a phone has room for this many slices.
const MAX_SLICES: i64 = 120;
/// The lengths of slices in milliseconds, each a multiple of the one before.
const LENGTHS: [i64; 16] = [
    100,
    500,
    1_000,
    5_000,
    10_000,
    30_000,
    60_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    10_800_000,
    21_600_000,
    43_200_000,
    86_400_000,
    864_000_000,
];

/// Visits by the time at which they were finished.
#[derive(Debug)]
pub(super) struct Timeline {
    length_ms: i64,
    /// By number; slice 0 begins with 1970.
    slices: BTreeMap<i64, TimeSlice>,
}

/// Visits that were finished in one slice of time.
#[derive(Clone, Debug, Default)]
pub(super) struct TimeSlice {
    pub(super) delivered: u64,
    pub(super) undelivered: u64,
    /// Visits that were sent more than once.
    pub(super) resent: u64,
    pub(super) latencies: Latencies,
}

impl TimeSlice {
    pub(super) fn finished(&self) -> u64 {
        self.delivered + self.undelivered
    }

    pub(super) fn merge(&mut self, other: &TimeSlice) {
        self.delivered += other.delivered;
        self.undelivered += other.undelivered;
        self.resent += other.resent;
        self.latencies.merge(&other.latencies);
    }
}

impl Default for Timeline {
    fn default() -> Self {
        Timeline { length_ms: LENGTHS[0], slices: BTreeMap::new() }
    }
}

impl Timeline {
    /// Counts a visit that was finished at this time.
    pub(super) fn add(&mut self, at: DateTime<Utc>, is_delivered: bool, is_resent: bool, elapsed_ms: Option<u64>) {
        let at = at.timestamp_millis();
        let slice = self.slices.entry(at.div_euclid(self.length_ms)).or_default();
        match is_delivered {
            true => slice.delivered += 1,
            false => slice.undelivered += 1,
        }
        slice.resent += u64::from(is_resent);
        if let Some(ms) = elapsed_ms {
            slice.latencies.add(ms);
        }
        while self.span() > MAX_SLICES {
            self.join();
        }
    }

    /// The number of slices from the first to the last, including empty ones.
    fn span(&self) -> i64 {
        match (self.slices.first_key_value(), self.slices.last_key_value()) {
            (Some((first, _)), Some((last, _))) => last - first + 1,
            _ => 0,
        }
    }

    /// Joins slices to longer ones.
    fn join(&mut self) {
        let longer = LENGTHS.into_iter().find(|length| *length > self.length_ms);
        let longer = longer.unwrap_or(self.length_ms * 10);
        let factor = longer / self.length_ms;
        for (at, slice) in std::mem::take(&mut self.slices) {
            self.slices.entry(at.div_euclid(factor)).or_default().merge(&slice);
        }
        self.length_ms = longer;
    }

    /// The length of a slice in milliseconds.
    pub(super) fn length_ms(&self) -> i64 {
        self.length_ms
    }

    /// When the first slice begins and the last one ends.
    pub(super) fn range(&self) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
        let (first, _) = self.slices.first_key_value()?;
        let (last, _) = self.slices.last_key_value()?;
        let time = |at: i64| DateTime::from_timestamp_millis(at * self.length_ms);
        Some((time(*first)?, time(last + 1)?))
    }

    /// The slices that are not empty, with their positions in the run, counted from 0.
    pub(super) fn slices(&self) -> impl Iterator<Item = (usize, &TimeSlice)> {
        let first = self.slices.first_key_value().map_or(0, |(first, _)| *first);
        self.slices.iter().map(move |(at, slice)| ((at - first) as usize, slice))
    }

    /// The number of slices, including empty ones.
    pub(super) fn len(&self) -> usize {
        self.span() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_a_multiple_of_the_one_before() {
        assert!(LENGTHS.windows(2).all(|pair| pair[1] % pair[0] == 0));
    }

    #[test]
    fn slices_are_joined_and_lose_nothing() {
        let mut timeline = Timeline::default();
        let start = 1_709_625_600_000;
        // An hour in no order, and two times far from it, as an editor may leave them.
        let times = (0..3600).map(|n| start + n * 7919 % 3600 * 1000).chain([0, start * 4]);
        for (n, ms) in times.enumerate() {
            timeline.add(DateTime::from_timestamp_millis(ms).expect("a time"), n % 10 > 0, false, Some(n as u64));
            assert!(timeline.slices.len() as i64 <= MAX_SLICES);
            assert!(timeline.span() <= MAX_SLICES);
        }
        let finished: u64 = timeline.slices().map(|(_, slice)| slice.finished()).sum();
        let delivered: u64 = timeline.slices().map(|(_, slice)| slice.delivered).sum();
        assert_eq!((finished, delivered), (3602, 3241));
        assert_eq!(timeline.slices().next().map(|(at, _)| at), Some(0));
        assert!(timeline.range().is_some());
    }
}
