//! Why a run ends before its visits do; the first reason counts.

use tokio::sync::watch;

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
    /// Outcomes cannot be written any more.
    ResultsBroken,
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
