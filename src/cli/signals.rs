//! SIGINT and SIGTERM: the first one ends a run softly, the second one at once.

use super::exit::Exit;
use crate::upload::{Reason, Stop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Listens for the whole process, on a thread of its own.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    sending: Arc<AtomicBool>,
}

impl Signals {
    /// Until [`Signals::soften`] is called, a signal ends the process at once: nothing is under way yet.
    pub(super) fn listen(stop: &Stop) -> Signals {
        let sending = Arc::new(AtomicBool::new(false));
        let signals = Signals { sending: sending.clone() };
        let stop = stop.clone();
        let listener = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                loop {
                    let (reason, exit) = next().await;
                    if !sending.load(Ordering::SeqCst) || stop.reason().is_some() {
                        std::process::exit(i32::from(exit.code()));
                    }
                    stop.request(reason);
                    tracing::warn!("stopping: requests under way are finished; a second signal ends at once");
                }
            });
        };
        // Without the listener a signal has its usual effect.
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listener);
        signals
    }

    /// From here on requests are under way and want an end.
    pub(super) fn soften(&self) {
        self.sending.store(true, Ordering::SeqCst);
    }
}

#[cfg(unix)]
async fn next() -> (Reason, Exit) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => (Reason::Interrupted, Exit::Interrupted),
        _ = terminate.recv() => (Reason::Terminated, Exit::Terminated),
    }
}

#[cfg(not(unix))]
async fn next() -> (Reason, Exit) {
    match tokio::signal::ctrl_c().await {
        Ok(()) => (Reason::Interrupted, Exit::Interrupted),
        Err(_) => std::future::pending().await,
    }
}
