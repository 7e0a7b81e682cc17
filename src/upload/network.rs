//! The one seam between sending and the world: a request goes out, a reply of some kind comes back.

use bytes::Bytes;
use std::fmt;
use std::time::Duration;
use uuid::Uuid;

/// Sends one session: over HTTP in a run, to a made-up server in a simulation.
pub(crate) trait Network {
    /// Makes one attempt. It must end by itself, within the timeouts of the network.
    fn put(&self, session_uid: Uuid, body: Bytes) -> impl Future<Output = Reply>;
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// An HTTP answer, with any status.
    Answer {
        /// The HTTP status.
        status: u16,
        /// How long the server asks to wait before the next request.
        retry_after: Option<Duration>,
        /// What the answer says went wrong, on one line. Empty where it says nothing.
        text: String,
        /// What the answer looks like.
        look: Look,
    },
    /// There was no connection, so the request did not arrive. The reason.
    NotSent(String),
    /// There was no connection, and that will not change by itself. What it is and what to do, and how long it may last before
    /// that is certain.
    NoWay(String, Duration),
    /// No answer came in time. The request may have arrived.
    TimedOut,
    /// The connection broke, or what came back is not HTTP. The request may have arrived. The reason.
    Broken(String),
}

/// What an answer looks like, beside its status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// As the API's own answers do.
    #[default]
    Plain,
    /// A page for people: of a portal, a firewall, a proxy.
    Page,
    /// A body that reports an error, whatever the status says.
    ErrorInside,
    /// Nothing of it, because its body did not arrive.
    Lost,
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Answer { status, text, .. } if text.is_empty() => write!(f, "HTTP {status}"),
            Reply::Answer { status, text, .. } => write!(f, "HTTP {status} {text}"),
            Reply::NotSent(reason) | Reply::NoWay(reason, _) => write!(f, "not sent: {reason}"),
            Reply::TimedOut => f.write_str("no answer in time"),
            Reply::Broken(reason) => write!(f, "broken: {reason}"),
        }
    }
}
