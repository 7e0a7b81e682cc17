//! SIGINT and SIGTERM: the first one ends a run softly, the second one at once.
//!
//! Until the run sends, nothing is under way, and a signal ends it as it would end by an error.

use crate::app::{After, Context, Event};
use crate::outcome::{Exit, StopReason};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Signals this close to each other are one: `timeout` and some shells signal a process and its group.
const DEDUP_WINDOW: Duration = Duration::from_millis(3);

/// How long a run that reads may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// How far the run is, as far as a signal has to know.
#[derive(Clone, Debug, Default)]
enum Stage {
    /// There is no job yet.
    #[default]
    Starting,
    /// Nothing is under way yet. This is to be done before the process ends.
    Reading(Box<After>),
    /// Requests may be under way and want to finish.
    Sending,
}

/// What signals have to know of a run: it listens to the run's events.
#[derive(Clone, Debug, Default)]
pub(super) struct Signals(Arc<Mutex<Stage>>);

impl Signals {
    /// Takes note of an event of the run.
    pub(super) fn on(&self, event: &Event<'_>) {
        match event {
            Event::JobLoaded(after) => self.set(Stage::Reading(Box::new((*after).clone()))),
            Event::Sending => self.set(Stage::Sending),
            _ => {}
        }
    }

    /// Begins to listen, on a thread of its own. Where that fails, a signal has its usual effect.
    pub(super) fn listen(&self, cx: &Context) {
        let (signals, cx) = (self.clone(), cx.clone());
        let listener = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let Ok(runtime) = runtime else { return };
            runtime.block_on(async {
                let Ok(mut stream) = SignalStream::open() else { return };
                let (reason, exit) = stream.next().await;
                while tokio::time::timeout(DEDUP_WINDOW, stream.next()).await.is_ok() {}
                cx.stop(reason);
                if let Some(stage) = signals.stage_before_sending() {
                    // Nothing is under way yet: the run ends by itself, and leaves nothing behind.
                    cx.end_commands();
                    tokio::select! { () = tokio::time::sleep(PATIENCE) => {}, _ = stream.next() => {} }
                    // What it reads from does not answer.
                    let about = cx.clone();
                    let told = tokio::task::spawn_blocking(move || match stage {
                        Stage::Reading(after) => after.stopped(&about, exit),
                        _ => true,
                    });
                    // A notification may take long. With another signal the user does not wait for it.
                    tokio::select! {
                        is_told = told => if !is_told.unwrap_or(true) {
                            stream.next().await;
                        },
                        _ = stream.next() => {}
                    }
                    tracing::warn!("stopped before anything was sent");
                    end(exit);
                }
                tracing::warn!("stopping: requests under way are finished; a second signal ends at once");
                let (_, exit) = stream.next().await;
                end(exit);
            });
        };
        let _ = std::thread::Builder::new().name("signals".to_owned()).spawn(listener);
    }

    fn set(&self, stage: Stage) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stage;
    }

    /// How far the run is, unless it sends.
    fn stage_before_sending(&self) -> Option<Stage> {
        let stage = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if matches!(stage, Stage::Sending) { None } else { Some(stage) }
    }
}

fn end(exit: Exit) -> ! {
    std::process::exit(i32::from(exit.code()))
}

#[cfg(unix)]
struct SignalStream {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl SignalStream {
    fn open() -> io::Result<SignalStream> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(SignalStream { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> (StopReason, Exit) {
        tokio::select! {
            _ = self.interrupt.recv() => (StopReason::Interrupted, Exit::Interrupted),
            _ = self.terminate.recv() => (StopReason::Terminated, Exit::Terminated),
        }
    }
}

#[cfg(not(unix))]
struct SignalStream;

#[cfg(not(unix))]
impl SignalStream {
    fn open() -> io::Result<SignalStream> {
        Ok(SignalStream)
    }

    async fn next(&mut self) -> (StopReason, Exit) {
        match tokio::signal::ctrl_c().await {
            Ok(()) => (StopReason::Interrupted, Exit::Interrupted),
            Err(_) => std::future::pending().await,
        }
    }
}
