//! What goes over the wire, counted for progress and summary.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that may be read while a run goes on.
#[derive(Debug, Default)]
pub struct Traffic {
    requests: AtomicU64,
    retries: AtomicU64,
    refused: AtomicU64,
    pauses: AtomicU64,
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

    /// Pauses that such answers have led to.
    pub fn pauses(&self) -> u64 {
        self.pauses.load(Ordering::Relaxed)
    }

    pub(super) fn sent(&self, is_retry: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u64::from(is_retry), Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn paused(&self) {
        self.pauses.fetch_add(1, Ordering::Relaxed);
    }
}
