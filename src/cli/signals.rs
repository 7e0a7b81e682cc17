//! SIGINT and SIGTERM: the first one ends a run softly, the second one at once.

use super::ending::Ending;
use super::exit::Exit;
use crate::outcome::StopReason;
use crate::upload::Stop;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// Signals so close to each other are one.
const ONE_WISH: Duration = Duration::from_millis(3);

/// Listens for the whole process, on a thread of its own.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    sending: Arc<AtomicBool>,
    ending: Arc<Mutex<Option<Ending>>>,
}

impl Signals {
    /// Until [`Signals::soften`] is called, a signal ends the process at once: nothing is under way yet.
    pub(super) fn listen(stop: &Stop) -> Signals {
        let sending = Arc::new(AtomicBool::new(false));
        let ending = Arc::new(Mutex::new(None));
        let signals = Signals { sending: sending.clone(), ending: ending.clone() };
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
                    if is_first && !sending.load(Ordering::SeqCst) {
                        // Whoever is told may be slow, and reading goes on meanwhile: nothing may be sent after it.
                        stop.request(reason);
                        let ending =
                            ending.lock().ok().and_then(|ending: MutexGuard<'_, Option<Ending>>| ending.clone());
                        let told = ending.map(|ending| tokio::task::spawn_blocking(move || ending.after_signal(exit)));
                        if let Some(told) = told {
                            // Nobody has to wait for it who signals again.
                            tokio::select! { _ = told => {}, _ = signals.next() => {} }
                        }
                        std::process::exit(i32::from(exit.code()));
                    }
                    if !is_first {
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

    /// What is to be done where a signal ends the process before anything is under way.
    pub(super) fn at_the_end(&self, ending: &Ending) {
        if let Ok(mut known) = self.ending.lock() {
            *known = Some(ending.clone());
        }
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

    async fn next(&mut self) -> (StopReason, Exit) {
        tokio::select! {
            _ = self.interrupt.recv() => (StopReason::Interrupted, Exit::Interrupted),
            _ = self.terminate.recv() => (StopReason::Terminated, Exit::Terminated),
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

    async fn next(&mut self) -> (StopReason, Exit) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (StopReason::Interrupted, Exit::Interrupted),
            Err(_) => std::future::pending().await,
        }
    }
}
