//! When a run stood still: stretches in which no visit was settled, however long the run and in whatever order its rows are.
//!
//! It knows only what rows tell: when a visit was settled, how long that took, how often it was sent. What the API answered
//! in between is in no row, but for visits that failed in the end.

use super::latency::Latencies;
use std::collections::BTreeMap;

/// Answers that are at most so far apart belong together, at first; in milliseconds.
const NEAR_MS: i64 = 1_000;
/// So many stretches are kept apart. Past that, those that are farther apart are joined too.
const STRETCHES: usize = 2_048;
/// A shorter standstill is not worth a word.
const SHORTEST_MS: i64 = 2_000;
/// Nine of ten answers follow the one before within a time; so many times that time without an answer is no chance.
const LULLS: i64 = 5;

/// Follows the answers of a run.
#[derive(Debug)]
pub(super) struct Standstills {
    near_ms: i64,
    /// Stretches in which visits were settled, by their start in milliseconds since 1970.
    busy: BTreeMap<i64, Busy>,
    /// The times between an answer and the next.
    lulls: Latencies,
    latest: Option<i64>,
    /// Whether rows came out of the order in which they were written: somebody has sorted them.
    is_mixed: bool,
}

/// A stretch in which visits were settled.
#[derive(Debug)]
struct Busy {
    end: i64,
    waited: Waited,
}

/// What is known of visits that were under way before the stretch in which they were settled, so that they waited
/// through the standstill before it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waited {
    pub(super) visits: u64,
    /// Those that were sent more than once.
    pub(super) resent: u64,
    /// Those of them that waited through this standstill alone, so that it is the one that they were sent again for.
    pub(super) resent_for_it: u64,
    /// Those that failed.
    pub(super) failed: u64,
    /// The error of the first one that failed.
    pub(super) error: Option<String>,
}

/// A time in which no visit was settled, in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standstill {
    pub(super) from: i64,
    pub(super) to: i64,
    /// `None` where the order of the rows no longer tells.
    pub(super) waited: Option<Waited>,
}

/// A visit that was settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled<'r> {
    /// When, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) elapsed_ms: u64,
    pub(super) attempts: u64,
    /// Why it failed; `None` where it did not.
    pub(super) error: Option<&'r str>,
}

impl Default for Standstills {
    fn default() -> Standstills {
        Standstills {
            near_ms: NEAR_MS,
            busy: BTreeMap::new(),
            lulls: Latencies::default(),
            latest: None,
            is_mixed: false,
        }
    }
}

impl Standstills {
    pub(super) fn add(&mut self, visit: Settled<'_>) {
        let at = visit.at;
        match self.latest {
            Some(latest) if at >= latest => self.lulls.add((at - latest) as u64),
            Some(latest) => self.is_mixed |= at < latest - NEAR_MS,
            None => {}
        }
        self.latest = self.latest.max(Some(at));
        let near = self.near_ms;
        // Most often it is the last stretch.
        let met = self.busy.range_mut(..=at.saturating_add(near)).next_back();
        match met.filter(|(_, busy)| at <= busy.end.saturating_add(near)) {
            Some((start, busy)) => {
                busy.end = busy.end.max(at);
                let start = *start;
                if at < start
                    && let Some(busy) = self.busy.remove(&start)
                {
                    self.busy.insert(at, busy);
                }
                if self.is_mixed {
                    self.join();
                }
            }
            None => {
                self.busy.insert(at, Busy { end: at, waited: Waited::default() });
                while self.busy.len() > STRETCHES {
                    self.near_ms *= 2;
                    self.join();
                }
            }
        }
        self.count_waiting(visit);
    }

    /// Counts a visit for every standstill that it waited through.
    fn count_waiting(&mut self, visit: Settled<'_>) {
        let began = visit.at.saturating_sub_unsigned(visit.elapsed_ms);
        let mut waited = Vec::new();
        let mut later = None;
        for (start, busy) in self.busy.range(..=visit.at).rev() {
            if let Some(later) = later {
                // Whoever began in the last moment of a standstill waited for nothing.
                if began >= later - (later - busy.end) / 10 {
                    break;
                }
                waited.push(later);
            }
            later = Some(*start);
        }
        let is_only_one = waited.len() == 1;
        for (at, start) in waited.into_iter().enumerate() {
            if let Some(busy) = self.busy.get_mut(&start) {
                // A failure was told at the end of the last one.
                let error = visit.error.filter(|_| at == 0);
                busy.waited.add(Settled { error, ..visit });
                busy.waited.resent_for_it += u64::from(is_only_one && visit.attempts > 1);
            }
        }
    }

    /// Joins stretches that are near each other.
    fn join(&mut self) {
        let mut joined: BTreeMap<i64, Busy> = BTreeMap::new();
        for (start, busy) in std::mem::take(&mut self.busy) {
            match joined.last_entry() {
                Some(mut last) if start <= last.get().end.saturating_add(self.near_ms) => {
                    let last = last.get_mut();
                    last.end = last.end.max(busy.end);
                }
                _ => {
                    joined.insert(start, busy);
                }
            }
        }
        self.busy = joined;
    }

    /// The standstills of the run, in order.
    pub(super) fn found(&self) -> Vec<Standstill> {
        let usual = self.lulls.quantile(0.9).map_or(0, |ms| i64::try_from(ms).unwrap_or(i64::MAX));
        let shortest = usual.saturating_mul(LULLS).max(SHORTEST_MS);
        let pairs = self.busy.iter().zip(self.busy.iter().skip(1));
        pairs
            .map(|((_, before), (start, after))| Standstill {
                from: before.end,
                to: *start,
                waited: (!self.is_mixed).then(|| after.waited.clone()),
            })
            .filter(|still| still.to - still.from >= shortest)
            .collect()
    }
}

impl Waited {
    fn add(&mut self, visit: Settled<'_>) {
        self.visits += 1;
        self.resent += u64::from(visit.attempts > 1);
        if let Some(error) = visit.error {
            self.failed += 1;
            self.error.get_or_insert_with(|| error.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(at: i64) -> Settled<'static> {
        Settled { at, elapsed_ms: 40, attempts: 1, error: None }
    }

    /// Two seconds at 50 a second, ten seconds of nothing, three more seconds; the first five visits afterwards waited.
    fn run() -> Vec<Settled<'static>> {
        let before = (0..100).map(|n| visit(n * 20));
        let waited = (0..5).map(|n| Settled { elapsed_ms: 9_000, attempts: 3, ..visit(11_980 + n) });
        let after = (0..150).map(|n| visit(12_000 + n * 20));
        before.chain(waited).chain(after).collect()
    }

    #[test]
    fn a_standstill_is_found_with_those_that_waited_through_it() {
        let mut standstills = Standstills::default();
        run().into_iter().for_each(|visit| standstills.add(visit));
        let waited = Waited { visits: 5, resent: 5, resent_for_it: 5, ..Waited::default() };
        assert_eq!(standstills.found(), [Standstill { from: 1_980, to: 11_980, waited: Some(waited) }]);
    }

    #[test]
    fn a_visit_that_waited_through_two_standstills_counts_for_both() {
        let mut standstills = Standstills::default();
        let later = Settled { elapsed_ms: 4_500, attempts: 2, ..visit(20_000) };
        let settled = run().into_iter().chain([later]);
        settled.for_each(|visit| standstills.add(visit));
        let waited: Vec<u64> = standstills.found().into_iter().filter_map(|still| Some(still.waited?.visits)).collect();
        assert_eq!(waited, [5, 1]);
        let earlier = Settled { elapsed_ms: 18_000, attempts: 2, ..visit(20_001) };
        standstills.add(earlier);
        assert_eq!(standstills.found()[0].waited.as_ref().map(|waited| waited.visits), Some(6));
    }

    #[test]
    fn rows_that_were_sorted_show_the_same_standstill_and_not_who_waited() {
        let mut rows = run();
        fastrand::Rng::with_seed(1).shuffle(&mut rows);
        let mut standstills = Standstills::default();
        rows.into_iter().for_each(|visit| standstills.add(visit));
        assert_eq!(standstills.found(), [Standstill { from: 1_980, to: 11_980, waited: None }]);
    }

    #[test]
    fn a_slow_rate_stands_still_no_more_than_a_fast_one() {
        let mut standstills = Standstills::default();
        (0..100).for_each(|n| standstills.add(visit(n * 4_000)));
        assert_eq!(standstills.found(), []);
    }

    #[test]
    fn memory_is_bounded_and_the_longest_standstill_stays() {
        let mut standstills = Standstills::default();
        let far = |n: i64| if n < 5_000 { n * 3_000 } else { 3_600_000 + n * 3_000 };
        (0..10_000).for_each(|n| standstills.add(visit(far(n))));
        assert!(standstills.busy.len() <= STRETCHES);
        let found = standstills.found();
        assert_eq!(found.iter().map(|still| still.to - still.from).collect::<Vec<_>>(), [3_603_000]);
    }
}
