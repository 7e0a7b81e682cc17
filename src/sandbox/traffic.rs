//! Which requests are let through, and the counts behind `GET /sandbox/stats`.
//!
//! It counts every request except those under `/sandbox/`. It does not know what a request is about.

use std::collections::BTreeMap;
use std::time::Instant;

use axum::http::StatusCode;
use serde::Serialize;

use super::Options;
use super::answers::Refusal;
use super::limit::Window;

#[derive(Debug, Default)]
pub(super) struct Traffic {
    counts: Counts,
    /// All attempts, for the peak rate.
    attempts: Window,
    /// The attempts that the rate limit let through. Refused attempts must not count.
    admitted: Window,
    admissions: u64,
    first: Option<Instant>,
    last: Option<Instant>,
}

/// The body of `GET /sandbox/stats`.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Counts {
    /// All requests that arrived, refused ones included.
    attempts: u64,
    by_status: BTreeMap<u16, u64>,
    /// The most attempts in any sliding second.
    peak_per_second: usize,
    /// The time from the first attempt to the last.
    seconds: f64,
    in_flight: usize,
    peak_in_flight: usize,
}

impl Traffic {
    /// Counts an attempt. Returns the refusal of one that is not let through.
    pub(super) fn arrive(&mut self, now: Instant, options: &Options) -> Result<(), Refusal> {
        let counts = &mut self.counts;
        counts.attempts += 1;
        counts.in_flight += 1;
        counts.peak_in_flight = counts.peak_in_flight.max(counts.in_flight);
        counts.peak_per_second = counts.peak_per_second.max(self.attempts.add(now));
        let first = *self.first.get_or_insert(now);
        let last = *self.last.insert(now);
        counts.seconds = last.saturating_duration_since(first).as_secs_f64();

        if let Some(limit) = options.rate_limit
            && !self.admitted.try_add(now, limit)
        {
            return Err(Refusal::RateLimited { retry_after: options.retry_after });
        }
        self.admissions += 1;
        match options.fail_every {
            // No count is a multiple of 0, so 0 has the effect of `None`.
            Some(every) if self.admissions.is_multiple_of(every) => Err(Refusal::Internal),
            _ => Ok(()),
        }
    }

    pub(super) fn decided(&mut self, status: StatusCode) {
        *self.counts.by_status.entry(status.as_u16()).or_default() += 1;
    }

    /// The answer was sent, or the client has gone.
    pub(super) fn left(&mut self) {
        self.counts.in_flight -= 1;
    }

    pub(super) fn counts(&self) -> Counts {
        self.counts.clone()
    }

    /// Starts counting anew. The rate limit and the count to the next failure go on, because answers depend on them.
    pub(super) fn clear(&mut self) {
        let in_flight = self.counts.in_flight;
        self.counts = Counts { in_flight, peak_in_flight: in_flight, ..Counts::default() };
        self.attempts = Window::default();
        self.first = None;
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_nth_request_fails() {
        let options = Options { fail_every: Some(3), ..Options::default() };
        let mut traffic = Traffic::default();
        let now = Instant::now();
        let failed: Vec<bool> = (0..7).map(|_| traffic.arrive(now, &options).is_err()).collect();
        assert_eq!(failed, [false, false, true, false, false, true, false]);
    }

    #[test]
    fn fail_every_0_means_no_failures() {
        let options = Options { fail_every: Some(0), ..Options::default() };
        assert_eq!(Traffic::default().arrive(Instant::now(), &options), Ok(()));
    }

    #[test]
    fn the_peak_counts_refused_attempts_too() {
        let options = Options { rate_limit: Some(2), retry_after: Some(7), ..Options::default() };
        let mut traffic = Traffic::default();
        let start = Instant::now();
        for at in [0, 100, 200, 1050, 3000] {
            let answer = traffic.arrive(start + Duration::from_millis(at), &options);
            let refused = Err(Refusal::RateLimited { retry_after: Some(7) });
            assert_eq!(answer, if at == 200 { refused } else { Ok(()) }, "{at}");
            traffic.decided(StatusCode::OK);
            traffic.left();
        }
        let counts = traffic.counts();
        assert_eq!(counts.attempts, 5);
        assert_eq!(counts.peak_per_second, 3);
        assert_eq!((counts.in_flight, counts.peak_in_flight), (0, 1));
        assert_eq!(counts.seconds, 3.0);
        assert_eq!(counts.by_status, BTreeMap::from([(200, 5)]));
    }

    #[test]
    fn clearing_forgets_counts_but_not_the_rate() {
        let options = Options { rate_limit: Some(1), ..Options::default() };
        let mut traffic = Traffic::default();
        let now = Instant::now();
        assert!(traffic.arrive(now, &options).is_ok());
        traffic.clear();
        traffic.left();
        assert!(traffic.arrive(now, &options).is_err());
        let counts = traffic.counts();
        assert_eq!((counts.attempts, counts.peak_per_second), (1, 1));
    }
}
