//! Why a run ends before its visits do; the first reason counts.

use crate::outcome::StopReason;
use std::convert::Infallible;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Tells everybody concerned that a run has to end.
#[derive(Clone, Debug)]
pub struct Stop {
    reason: watch::Sender<Option<StopReason>>,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { reason: watch::Sender::new(None) }
    }
}

impl Stop {
    /// Asks for the end. Returns whether this is the first reason.
    pub fn request(&self, reason: StopReason) -> bool {
        self.reason.send_if_modified(|current| match current {
            None => {
                *current = Some(reason);
                true
            }
            Some(_) => false,
        })
    }

    /// Asks for the end at that moment. Pauses and outages end with it too: all waits listen to the stop. It never
    /// comes to an end itself, and is dropped when there is nothing left to stop.
    pub async fn when_time_is_up(&self, at: Instant) -> Infallible {
        sleep_until(at).await;
        if self.request(StopReason::TimeIsUp) {
            tracing::warn!("stopping: the time of max_duration is up; requests under way are finished");
        }
        std::future::pending().await
    }

    /// The reason, once there is one.
    pub fn reason(&self) -> Option<StopReason> {
        *self.reason.borrow()
    }

    /// Waits until there is one.
    pub async fn requested(&self) -> StopReason {
        let mut watcher = self.reason.subscribe();
        match watcher.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(StopReason::Interrupted),
            // Not while `self` holds the sender.
            Err(_) => std::future::pending().await,
        }
    }
}
