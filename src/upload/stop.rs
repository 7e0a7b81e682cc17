//! Why a run ends before its visits do; the first reason counts.

use std::convert::Infallible;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// Why no new visits are sent any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The API is down for longer than the patience.
    ApiDown,
    /// The key is refused.
    KeyRefused,
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// The job's time is up.
    TimeIsUp,
    /// Outcomes cannot be written any more.
    ResultsBroken,
}

impl Reason {
    /// The name in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Reason::ApiDown => "api_down",
            Reason::KeyRefused => "key_refused",
            Reason::Interrupted => "interrupted",
            Reason::Terminated => "terminated",
            Reason::TimeIsUp => "max_duration",
            Reason::ResultsBroken => "results_broken",
        }
    }
}

/// Tells everybody concerned that a run has to end.
#[derive(Clone, Debug)]
pub struct Stop {
    reason: watch::Sender<Option<Reason>>,
}

impl Default for Stop {
    fn default() -> Self {
        Stop { reason: watch::Sender::new(None) }
    }
}

impl Stop {
    /// Asks for the end. Returns whether this is the first reason.
    pub fn request(&self, reason: Reason) -> bool {
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
        if self.request(Reason::TimeIsUp) {
            tracing::warn!("stopping: the time of max_duration is up; requests under way are finished");
        }
        std::future::pending().await
    }

    /// The reason, once there is one.
    pub fn reason(&self) -> Option<Reason> {
        *self.reason.borrow()
    }

    /// Waits until there is one.
    pub async fn requested(&self) -> Reason {
        let mut watcher = self.reason.subscribe();
        match watcher.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or(Reason::Interrupted),
            // Not while `self` holds the sender.
            Err(_) => std::future::pending().await,
        }
    }
}
