//! The request to end a run early, and its reason. The first reason counts.
//!
//! It does not know what has to be ended; every wait of a run listens to it.

use crate::outcome::StopReason;
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Carries the request to end a run early to all parts of it. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    reason: watch::Sender<Option<StopReason>>,
    /// What the reason alone does not say.
    words: Arc<OnceLock<String>>,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { reason: watch::Sender::new(None), words: Arc::default() }
    }
}

impl Stop {
    /// Asks the run to end. Returns whether this is the first reason.
    pub(crate) fn request(&self, reason: StopReason) -> bool {
        self.reason.send_if_modified(|current| match current {
            None => {
                *current = Some(reason);
                true
            }
            Some(_) => false,
        })
    }

    /// Says more than the reason does. The first words count.
    pub(crate) fn explain(&self, words: String) {
        let _ = self.words.set(words);
    }

    /// What was said beside the reason.
    pub(crate) fn words(&self) -> &str {
        self.words.get().map_or("", String::as_str)
    }

    /// Asks the run to end at a moment. The future never completes; it is dropped when the run ends.
    pub(crate) async fn when_time_is_up(&self, at: Instant) -> Infallible {
        sleep_until(at).await;
        if self.request(StopReason::TimeIsUp) {
            tracing::warn!("stopping: the time of max_duration is up; requests under way are finished");
        }
        std::future::pending().await
    }

    /// The reason to end; `None` while the run may go on.
    pub(crate) fn reason(&self) -> Option<StopReason> {
        *self.reason.borrow()
    }

    /// Waits until there is a reason to end.
    pub(crate) async fn requested(&self) -> StopReason {
        let mut watcher = self.reason.subscribe();
        match watcher.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(StopReason::Interrupted),
            // Cannot happen while `self` holds the sender.
            Err(_) => std::future::pending().await,
        }
    }
}
