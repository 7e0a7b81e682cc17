//! The one seam between sending and the world: a request goes out, a reply of some kind comes back.

use bytes::Bytes;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// Sends one session. Over HTTP in real life; in tests and simulations whatever they need.
pub trait Network {
    /// One attempt. It must end by itself, within the timeouts it was made with.
    fn put(&self, session_uid: Uuid, body: Bytes) -> impl Future<Output = Reply>;
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// An HTTP answer, whatever its status.
    Answer {
        /// The HTTP status.
        status: u16,
        /// How long to wait before the next request, as the server says.
        retry_after: Option<Duration>,
        /// What it says went wrong, on one line.
        text: String,
    },
    /// No connection: the request certainly did not arrive.
    NotSent(String),
    /// No answer in time: it may have arrived.
    TimedOut,
    /// The connection broke, or what came back is no HTTP: it may have arrived.
    Broken(String),
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Answer { status, text, .. } if text.is_empty() => write!(f, "HTTP {status}"),
            Reply::Answer { status, text, .. } => write!(f, "HTTP {status} {text}"),
            Reply::NotSent(reason) => write!(f, "not sent: {reason}"),
            Reply::TimedOut => f.write_str("no answer in time"),
            Reply::Broken(reason) => write!(f, "broken: {reason}"),
        }
    }
}
