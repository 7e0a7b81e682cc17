//! SIGINT and SIGTERM: the first one ends a run softly, the second one at once.

use super::exit::Exit;
use crate::upload::{Reason, Stop};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Signals so close to each other are one.
const ONE_WISH: Duration = Duration::from_millis(3);

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
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok(mut signals) = Wishes::listen() else { return };
                let mut is_first = true;
                loop {
                    let (reason, exit) = signals.next().await;
                    // `timeout` and some shells signal a process and its group: one wish, heard twice.
                    while tokio::time::timeout(ONE_WISH, signals.next()).await.is_ok() {}
                    if !sending.load(Ordering::SeqCst) || !is_first {
                        std::process::exit(i32::from(exit.code()));
                    }
                    // What is under way wants an end also where the run is stopping already, as when its time is up.
                    is_first = false;
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
struct Wishes {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Wishes {
    fn listen() -> std::io::Result<Wishes> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Wishes { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> (Reason, Exit) {
        tokio::select! {
            _ = self.interrupt.recv() => (Reason::Interrupted, Exit::Interrupted),
            _ = self.terminate.recv() => (Reason::Terminated, Exit::Terminated),
        }
    }
}

#[cfg(not(unix))]
struct Wishes;

#[cfg(not(unix))]
impl Wishes {
    fn listen() -> std::io::Result<Wishes> {
        Ok(Wishes)
    }

    async fn next(&mut self) -> (Reason, Exit) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (Reason::Interrupted, Exit::Interrupted),
            Err(_) => std::future::pending().await,
        }
    }
}
