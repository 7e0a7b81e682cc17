//! A sliding window of one second. It does not know the clock: the caller hands in instants.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// The events of the last second. An event leaves the window exactly one second after it happened.
#[derive(Debug, Default)]
pub(super) struct Window {
    events: VecDeque<Instant>,
}

impl Window {
    /// Adds an event. Returns how many events the window then holds.
    pub(super) fn add(&mut self, now: Instant) -> usize {
        self.slide(now);
        self.events.push_back(now);
        self.events.len()
    }

    /// Adds an event if the window then holds at most `limit`. Returns whether it was added.
    pub(super) fn try_add(&mut self, now: Instant, limit: u32) -> bool {
        self.slide(now);
        let fits = self.events.len() < limit as usize;
        if fits {
            self.events.push_back(now);
        }
        fits
    }

    fn slide(&mut self, now: Instant) {
        while let Some(first) = self.events.front()
            && now.saturating_duration_since(*first) >= SECOND
        {
            self.events.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn no_more_than_the_limit_fits_in_any_second() {
        let start = Instant::now();
        let mut window = Window::default();
        assert!(window.try_add(start, 2));
        assert!(window.try_add(start + ms(600), 2));
        assert!(!window.try_add(start + ms(999), 2));
        assert!(window.try_add(start + ms(1000), 2));
        // A window that started anew each second would let this one through.
        assert!(!window.try_add(start + ms(1500), 2));
        assert!(window.try_add(start + ms(1600), 2));
    }

    #[test]
    fn refused_events_do_not_count() {
        let start = Instant::now();
        let mut window = Window::default();
        assert!(window.try_add(start, 1));
        for at in 1..100 {
            assert!(!window.try_add(start + ms(at * 10), 1));
        }
        assert!(window.try_add(start + ms(1000), 1));
    }

    #[test]
    fn a_limit_of_zero_lets_nothing_through() {
        assert!(!Window::default().try_add(Instant::now(), 0));
    }

    #[test]
    fn all_are_counted_without_a_limit() {
        let start = Instant::now();
        let mut window = Window::default();
        assert_eq!(window.add(start), 1);
        assert_eq!(window.add(start + ms(999)), 2);
        assert_eq!(window.add(start + ms(1000)), 2);
        assert_eq!(window.add(start + ms(5000)), 1);
    }
}
