//! How long the program waits for object storage.
//!
//! It waits longer for a storage that has answered before and is down now, for that passes. A storage that never answered
//! is probably named wrongly, and the user should know soon.

use object_store::{BackoffConfig, RetryConfig};
use std::time::Duration;

/// The longest wait for a connection, and for the very first answer.
pub(super) const CONNECT: Duration = Duration::from_secs(10);
/// The longest wait for the metadata service of a machine, which is near or not there.
pub(super) const METADATA: Duration = Duration::from_secs(2);
/// The longest wait for the next byte.
pub(super) const SILENCE: Duration = Duration::from_secs(30);
/// How long a request is tried again while the storage has never answered.
pub(super) const FIRST_ANSWER: Duration = Duration::from_secs(5);
/// How long a request is tried again after the storage has answered once.
const RETRIES: Duration = Duration::from_secs(120);
/// How long a request may take with all its attempts, however slowly its bytes come. The waiting thread counts it, not
/// the runtime.
pub(super) const WHOLE: Duration = Duration::from_secs(600);

/// How often, and after which waits, `object_store` tries a request again.
pub(super) fn retries() -> RetryConfig {
    let backoff =
        BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(10), base: 2. };
    RetryConfig { backoff, max_retries: 20, retry_timeout: RETRIES }
}
