//! What the job decides about sending.

use std::path::PathBuf;
use std::time::Duration;

/// Pace, concurrency and persistence.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Requests a second, all attempts counted. The vendor's ceiling is 150.
    pub rate: f64,
    /// How many requests may go at once after a quiet time.
    pub burst: u32,
    /// Requests under way at the same time, at most.
    pub max_in_flight: usize,
    /// Attempts for one visit, at most; those in an outage and those answered 429 do not count.
    pub max_attempts: u32,
    /// The waits between the attempts of a visit.
    pub backoff: Backoff,
    /// How long an outage of the whole API is waited out.
    pub patience: Duration,
}

/// Exponential backoff with full jitter: a random wait up to `first`, then up to twice that, …, up to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest first wait.
    pub first: Duration,
    /// The longest wait.
    pub max: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            rate: 120.0,
            burst: 1,
            max_in_flight: 64,
            max_attempts: 5,
            backoff: Backoff { first: Duration::from_millis(500), max: Duration::from_secs(60) },
            patience: Duration::from_secs(600),
        }
    }
}

/// Where sessions are sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Without a slash at its end.
    pub base_url: String,
    /// Such as `v4`.
    pub version: String,
    /// The project's name, as Trax gave it.
    pub project: String,
    /// `session` or `sessions`.
    pub resource: String,
    /// For a whole request.
    pub timeout: Duration,
    /// For the connection alone.
    pub connect_timeout: Duration,
    /// A certificate (PEM) to trust beside the system's.
    pub ca_file: Option<PathBuf>,
}
