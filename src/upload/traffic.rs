//! What goes over the wire, counted for progress and summary.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that may be read while a run goes on.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
    pauses: AtomicU64,
    /// The bits of the rate, in requests a second.
    rate: AtomicU64,
}

impl Traffic {
    /// Requests sent.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Of those, all but the first of each visit.
    pub fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Requests answered 429.
    pub fn rate_limited(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Pauses after a 429.
    pub fn pauses(&self) -> u64 {
        self.pauses.load(Ordering::Relaxed)
    }

    /// The current rate, in requests a second.
    pub fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    pub(super) fn sent(&self, is_retry: bool, rate: f64) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u64::from(is_retry), Ordering::Relaxed);
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn refused(&self, paused: bool) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        self.pauses.fetch_add(u64::from(paused), Ordering::Relaxed);
    }
}
