//! SIGINT, SIGTERM and SIGHUP: the first one ends a run softly, the second one at once. A signal that the
//! parent process has set to be ignored, as `nohup` does, stays ignored.
//!
//! Until the run sends, nothing is under way, and a signal ends it as it would end by an error.

use super::stderr::drain;
use crate::app::{After, Context, Event};
use crate::outcome::{Exit, StopReason};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Signals this close to each other are one: `timeout` and some shells signal a process and its group.
const DEDUP_WINDOW: Duration = Duration::from_millis(3);

/// How long a run that reads may take to end by itself.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is said where the run cannot say it.
const STOPPED: &str = "stopped by a signal before anything was sent";

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
                    tokio::select! {
                        // What it reads from does not answer.
                        () = tokio::time::sleep(PATIENCE) => {}
                        (_, exit) = stream.next() => {
                            tracing::warn!("{STOPPED}");
                            end(exit);
                        }
                    }
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
                    tracing::warn!("{STOPPED}");
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
    drain();
    std::process::exit(i32::from(exit.code()))
}

/// `None`: it stays ignored.
#[cfg(unix)]
struct SignalStream {
    interrupt: Option<tokio::signal::unix::Signal>,
    terminate: Option<tokio::signal::unix::Signal>,
    hang_up: Option<tokio::signal::unix::Signal>,
}

/// The mask of the signals that are ignored, before this program has changed any. Only Linux tells.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(unix)]
impl SignalStream {
    fn open() -> io::Result<SignalStream> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let listen = |kind: SignalKind| {
            let number = kind.as_raw_value();
            let is_ignored = (1..=64).contains(&number) && ignored >> (number - 1) & 1 == 1;
            if is_ignored { Ok(None) } else { signal(kind).map(Some) }
        };
        Ok(SignalStream {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> (StopReason, Exit) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        tokio::select! {
            () = one(&mut self.interrupt) => (StopReason::Interrupted, Exit::Interrupted),
            () = one(&mut self.terminate) => (StopReason::Terminated, Exit::Terminated),
            () = one(&mut self.hang_up) => (StopReason::HungUp, Exit::HungUp),
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
