//! Limits told in other words: a gateway's 503 past its rate, connections closed past its number. Pure.
//!
//! One such failure is bad luck. More than one in twenty of the last hundred answers, among successes, are a limit. Whether
//! they were one shows when sending goes on more slowly: where as many fail as before, they have nothing to do with the rate,
//! and to slow down for them would help nobody.

use super::machine::VisitNumber;
use std::collections::VecDeque;

/// Among so many answers, more failures than this are a limit.
const RECENT: usize = 100;
const TOLERATED: usize = 5;
/// So many answers without such a failure show that it helped to slow down.
const CLEAN: u32 = 50;
/// It was tried so often, and did not help.
const MOST_UNHELPFUL: u32 = 3;

/// What an answer was, and how many other requests were under way when its own began.
#[derive(Clone, Copy, Debug)]
struct Seen {
    failed: Option<VisitNumber>,
    beside: usize,
}

/// The answers of late.
#[derive(Debug, Default)]
pub(super) struct OtherWords {
    recent: VecDeque<Seen>,
    /// Answers in a row without a failure since the run came down, up to [`CLEAN`]; `None` where it never did.
    clean: Option<u32>,
    unhelpful: u32,
}

/// A limit that was told.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// The visits that failed for it.
    pub(super) visits: Vec<VisitNumber>,
    /// How many requests may be under way, if it is they that are limited.
    pub(super) connections: Option<usize>,
}

impl OtherWords {
    /// An answer that is no such failure.
    pub(super) fn answered(&mut self, beside: usize) {
        self.see(Seen { failed: None, beside });
        if let Some(clean) = &mut self.clean {
            *clean = (*clean + 1).min(CLEAN);
            if *clean == CLEAN {
                self.unhelpful = 0;
            }
        }
    }

    /// Such a failure. `is_climbing`: the rate is beyond what the server is known to bear. Returns the limit that it tells of.
    pub(super) fn failed(&mut self, visit: VisitNumber, beside: usize, is_climbing: bool) -> Option<Limit> {
        self.see(Seen { failed: Some(visit), beside });
        let failures = self.recent.iter().filter(|seen| seen.failed.is_some()).count();
        let helped = self.clean.is_some_and(|clean| clean == CLEAN);
        self.clean = self.clean.map(|_| if helped { CLEAN } else { 0 });
        let is_limit = helped && is_climbing || failures > TOLERATED && failures < self.recent.len();
        if !is_limit || !helped && self.unhelpful >= MOST_UNHELPFUL {
            return None;
        }
        self.unhelpful += u32::from(self.clean.is_some() && !helped);
        self.clean = Some(0);
        let limit = Limit {
            visits: self.recent.iter().filter_map(|seen| seen.failed).collect(),
            connections: self.connections(failures),
        };
        self.recent.clear();
        Some(limit)
    }

    /// Whether slowing down was tried and did not help.
    pub(super) fn has_nothing_to_do_with_the_rate(&self) -> bool {
        self.unhelpful >= MOST_UNHELPFUL
    }

    /// Beside how few requests one failed, where hardly any beside so many succeeded.
    fn connections(&self, failures: usize) -> Option<usize> {
        let fewest = self.recent.iter().filter(|seen| seen.failed.is_some()).map(|seen| seen.beside).min()?;
        let succeeded = self.recent.iter().filter(|seen| seen.failed.is_none() && seen.beside >= fewest).count();
        (succeeded <= failures / 2).then_some(fewest)
    }

    fn see(&mut self, seen: Seen) {
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(seen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_one_in_twenty_is_a_limit_and_one_in_twenty_is_not() {
        let first_limit = |every: u64| {
            let mut words = OtherWords::default();
            (1..400).find(|n| match n % every {
                0 => words.failed(*n, 3, false).is_some(),
                _ => {
                    words.answered(3);
                    false
                }
            })
        };
        assert_eq!(first_limit(20), None);
        assert_eq!(first_limit(15), Some(90));
    }

    #[test]
    fn nothing_but_failures_is_an_outage_and_no_limit() {
        let mut words = OtherWords::default();
        assert!((0..100).all(|n| words.failed(n, 3, false).is_none()));
    }

    #[test]
    fn a_cap_of_connections_is_told_by_how_many_were_beside() {
        let mut words = OtherWords::default();
        let mut limit = None;
        for n in 0..60 {
            if n % 4 == 3 {
                limit = limit.or(words.failed(n, 8 + (n % 3) as usize, false));
            } else {
                words.answered((n % 8) as usize);
            }
        }
        assert_eq!(limit, Some(Limit { visits: vec![3, 7, 11, 15, 19, 23], connections: Some(8) }));
    }

    #[test]
    fn failures_that_a_slower_rate_does_not_help_against_are_no_limit() {
        let mut words = OtherWords::default();
        let limits = (0..2_000u64).filter(|n| match n % 10 {
            0 => words.failed(*n, (n % 7) as usize, true).is_some(),
            _ => {
                words.answered((n % 7) as usize);
                false
            }
        });
        assert_eq!(limits.count(), 1 + MOST_UNHELPFUL as usize);
        assert!(words.has_nothing_to_do_with_the_rate());
        (0..CLEAN).for_each(|_| words.answered(3));
        assert!(!words.has_nothing_to_do_with_the_rate());
    }

    #[test]
    fn where_it_helped_one_failure_of_a_climb_is_enough() {
        let mut words = OtherWords::default();
        (0..20).for_each(|_| words.answered(3));
        assert!((0..6).any(|n| words.failed(n, 3, false).is_some()));
        (0..CLEAN).for_each(|_| words.answered(3));
        assert_eq!(words.failed(7, 3, false), None);
        assert!(words.failed(8, 3, true).is_some());
    }
}
