//! A Sessions API on this machine, for trying a job out and for tests.
//!
//! It takes `PUT /api/v4/{project}/session/{session_uid}` (or `/sessions/`) with the checks and texts
//! that the vendor documents, keeps the sessions that it accepts in memory, and shows them under `/sandbox/`:
//!
//! - `GET /sandbox/sessions?limit=&offset=`: the accepted sessions, in the order they came; `DELETE` forgets them.
//! - `GET /sandbox/stats`: attempts, answers by status, peak rate; `DELETE` starts counting anew.
//!
//! A request meets its checks in this order, and the first that fails answers: rate (429), failure on
//! demand (500), token (401, 400), project (403), route (404, 405), session_uid (400), session received
//! before (409), size (413), body (400).
//!
//! It deliberately does not know the client. It checks what the vendor wrote down, so a mistake of the
//! client is not made here a second time.

mod answers;
mod auth;
mod limit;
mod routes;
mod store;
#[cfg(test)]
mod tests;
mod traffic;
mod validate;

use std::collections::BTreeSet;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A visit to this store is always answered 500, and never stored.
pub const FAILING_STORE: &str = "SANDBOX-500";

/// A visit to this store is stored but answered 500, so the next attempt gets 409.
pub const LOST_ANSWER_STORE: &str = "SANDBOX-LOST";

/// How long requests under way may still take once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(2);

/// Which values the sandbox knows, and how it behaves. The default accepts every well-formed session.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tokens that are accepted; any other gets 401. Empty: every well-formed token is accepted.
    pub tokens: Vec<String>,
    /// Tokens that get 401 `Incorrect or expired token`, even if listed in `tokens` too.
    pub expired_tokens: Vec<String>,
    /// Projects that may be written to; any other gets 403. Empty: every project may.
    pub projects: Vec<String>,
    /// Known store numbers; any other gets 400 `Unknown Store`. [`FAILING_STORE`] and
    /// [`LOST_ANSWER_STORE`] are always known. `None`: every store is known.
    pub stores: Option<BTreeSet<String>>,
    /// Known visit types; any other gets 400 `Lookup value does not exist`. `None`: every type is known.
    pub visit_types: Option<BTreeSet<i64>>,
    /// Known email addresses, compared byte for byte; any other gets 400 `Lookup value does not exist`. `None`: every
    /// address is known.
    pub users: Option<BTreeSet<String>>,
    /// Known task codes; any other gets 400 `Lookup value does not exist`. `None`: every code is known.
    pub task_codes: Option<BTreeSet<String>>,
    /// Whether every scene must have a task code, as the PUREAI solution demands.
    pub task_code_required: bool,
    /// Whether session ids must be marked as UUID version 4, for trying a job with `version = 4`.
    pub uuid_v4_required: bool,
    /// The most requests let through in any sliding second. Those past it get 429 and do not count. `None`: no limit.
    pub rate_limit: Option<u32>,
    /// The seconds in the `Retry-After` header of a 429. `None`: no such header.
    pub retry_after: Option<u64>,
    /// How long every answer is held back. The session is stored before the wait, so it counts as received even if the
    /// client gives up waiting.
    pub latency: Duration,
    /// Every Nth request that the rate limit let through is answered 500, before anything is stored.
    pub fail_every: Option<u64>,
    /// The most bytes of request bodies that are kept for `GET /sandbox/sessions`, 256 MiB by default. Past that, the
    /// oldest sessions are listed with a null body. Their ids stay known.
    pub keep_bodies: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tokens: Vec::new(),
            expired_tokens: Vec::new(),
            projects: Vec::new(),
            stores: None,
            visit_types: None,
            users: None,
            task_codes: None,
            task_code_required: false,
            uuid_v4_required: false,
            rate_limit: None,
            retry_after: None,
            latency: Duration::ZERO,
            fail_every: None,
            keep_bodies: 256 << 20,
        }
    }
}

/// A sandbox that serves in the background, until it is stopped or dropped.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    /// Dropping it is what stops the server, so `Running` needs no `Drop` of its own.
    stop: oneshot::Sender<()>,
    server: JoinHandle<io::Result<()>>,
}

impl Running {
    /// The address to use as `base_url`, without a slash at its end.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, and waits up to two seconds for the requests under way.
    pub async fn stop(self) {
        drop(self.stop);
        // The server is being discarded, so its panic or error does not concern the caller.
        let _ = self.server.await;
    }
}

/// Starts a sandbox on a free port of this machine, on the current tokio runtime.
///
/// # Errors
/// Where no port can be opened.
pub async fn start(options: Options) -> io::Result<Running> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, options, async move {
        let _ = stopped.await;
    }));
    Ok(Running { address, stop, server })
}

/// Serves a sandbox until `shutdown` completes, and then for at most two seconds the requests under way.
///
/// # Errors
/// Where the server fails.
pub async fn serve(
    listener: TcpListener,
    options: Options,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (asked, was_asked) = oneshot::channel::<()>();
    let listener = listener.tap_io(|connection| {
        // A failure costs only speed.
        let _ = connection.set_nodelay(true);
    });
    let server = axum::serve(listener, routes::router(options)).with_graceful_shutdown(async move {
        shutdown.await;
        let _ = asked.send(());
    });
    let out_of_patience = async move {
        let _ = was_asked.await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = server.into_future() => ended,
        () = out_of_patience => Ok(()),
    }
}
