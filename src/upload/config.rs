//! What the job decides about sending: plain values.

use super::concurrency::Concurrency;
use std::path::PathBuf;
use std::time::Duration;

/// How fast visits are sent, how many at once, and how persistently.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// Requests per second, all attempts counted. The vendor's ceiling is 150.
    pub(crate) rate: f64,
    /// How many requests may go out at once after a quiet time.
    pub(crate) burst: u32,
    /// The most requests under way at the same time. `None`: as many as rate and latency need.
    pub(crate) max_in_flight: Option<usize>,
    /// The most attempts for one visit. Attempts during an outage and attempts answered 429 do not count.
    pub(crate) max_attempts: u32,
    /// The waits between the attempts of a visit.
    pub(crate) backoff: Backoff,
    /// How long an outage of the API may last before the run stops.
    pub(crate) patience: Duration,
}

/// Exponential backoff with full jitter: a random wait up to `first`, then up to twice that, …, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Backoff {
    /// The longest first wait.
    pub(crate) first: Duration,
    /// The longest wait.
    pub(crate) max: Duration,
}

impl Config {
    /// The most requests that may ever be under way.
    pub(crate) fn most_in_flight(&self) -> usize {
        Concurrency::upper_bound(self.max_in_flight, self.rate)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rate: 120.0,
            burst: 1,
            max_in_flight: None,
            max_attempts: 5,
            backoff: Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) },
            patience: Duration::from_secs(600),
        }
    }
}

/// Where sessions are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// The address of the API, without a slash at its end.
    pub(crate) base_url: String,
    /// The API's version, such as `v4`.
    pub(crate) version: String,
    /// "Project name as provided by Trax" (vendor's page Sessions Input).
    pub(crate) project: String,
    /// `session` or `sessions`: the vendor's page Sessions Input has both.
    pub(crate) resource: String,
    /// The time for a whole request.
    pub(crate) timeout: Duration,
    /// The time for the connection alone.
    pub(crate) connect_timeout: Duration,
    /// A certificate (PEM) to trust in addition to the system's.
    pub(crate) ca_file: Option<PathBuf>,
}
