//! For how long object storage is waited for.
//!
//! A storage that has answered once is waited for when it is down: that passes. One that never answered is probably
//! named wrongly, and whoever waits should know soon.

use object_store::{BackoffConfig, RetryConfig};
use std::time::Duration;

/// Until a connection stands, and until the first answer of all.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// Until the metadata service of a machine answers, which is next door or not there.
pub(super) const METADATA: Duration = Duration::from_secs(2);
/// Without a byte.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// From the first attempt to the last, where there never was an answer.
pub(super) const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// From the first attempt to the last, where there was one.
const RETRIES: Duration = Duration::from_secs(120);
/// A request with all its attempts, however slowly its bytes come. Whoever waits counts it, not the runtime.
pub(super) const WHOLE: Duration = Duration::from_secs(600);

/// Between attempts.
pub(super) fn retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(10), base: 2. };
    RetryConfig { backoff, max_retries: 20, retry_timeout: RETRIES }
}
