//! Counts of requests, for progress and summary.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counters of requests, which may be read while a run goes on.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    requests: AtomicU64,
    retries: AtomicU64,
    throttled: AtomicU64,
    pauses: AtomicU64,
    was_answered: AtomicBool,
}

impl Traffic {
    /// Requests sent: all attempts.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Requests sent, without the first of each visit.
    pub(crate) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Requests answered 429.
    pub(crate) fn rate_limited(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// Pauses after answers of 429. Several such answers may share one pause.
    pub(crate) fn pauses(&self) -> u64 {
        self.pauses.load(Ordering::Relaxed)
    }

    /// Whether any request was answered over HTTP.
    pub(crate) fn was_answered(&self) -> bool {
        self.was_answered.load(Ordering::Relaxed)
    }

    pub(super) fn answered(&self) {
        self.was_answered.store(true, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, is_retry: bool) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.retries.fetch_add(u64::from(is_retry), Ordering::Relaxed);
    }

    pub(super) fn throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn paused(&self) {
        self.pauses.fetch_add(1, Ordering::Relaxed);
    }
}
