//! What a use case is given by its caller: the clock, the folder that paths start from, who listens, and the wish to stop.

use super::AppError;
use super::after::After;
use crate::outcome::{Outcome, StopReason};
use crate::storage::Commands;
use crate::summary::{Progress, RunReport};
use crate::upload::Stop;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// How often it is looked whether a run that waits for an export is to end.
const LOOK: Duration = Duration::from_millis(50);

/// What happens in a use case, for its listener: a console, a log, a test.
///
/// Events come from several threads, one at a time from each. A listener that takes long holds the run up.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The job file was read and has no mistakes. From here on the run leaves metrics and a notification at its end, also
    /// where it fails. A caller that ends the process itself calls [`After::stopped`] first.
    JobLoaded(&'a After),
    /// Something a person should know that does not end the use case.
    Warning(&'a str),
    /// Something that was done on the way, such as a file moved aside.
    Note(&'a str),
    /// Everything is read and checked. The journal is begun and requests may be under way from here on; a stop should let
    /// them finish.
    Sending,
    /// Rows that have just been written to the journal.
    Settled(&'a [Outcome]),
    /// How far the run is; several times a second while it sends.
    Progress(&'a Progress),
    /// Nothing is sent any more.
    Sent,
    /// The run is over and its result file is complete.
    Finished(&'a RunReport),
}

/// The surroundings of a use case. Cheap to clone; clones share listener and stop.
#[derive(Clone)]
pub struct Context {
    /// The start of the run: what `today` and `{time}` mean, and what times in the exports are checked against.
    pub now: DateTime<Utc>,
    /// When the program started: `--max-duration` and elapsed times count from here.
    pub began: Instant,
    /// What relative paths start from; empty for the process's working directory.
    pub base_dir: PathBuf,
    pub(crate) stop: Stop,
    /// How long after its start the program begins to send at the latest; `None`: whenever it is ready.
    longest: Option<Duration>,
    /// The programs that print exports.
    pub(crate) commands: Commands,
    listener: Arc<dyn Fn(Event<'_>) + Send + Sync>,
}

impl Context {
    /// Starts now, in the process's working directory.
    pub fn new(listener: impl Fn(Event<'_>) + Send + Sync + 'static) -> Context {
        Context {
            now: Utc::now(),
            began: Instant::now(),
            base_dir: PathBuf::new(),
            stop: Stop::default(),
            longest: None,
            commands: Commands::default(),
            listener: Arc::new(listener),
        }
    }

    /// This context, of a program that started at `began`.
    pub fn since(self, began: Instant) -> Context {
        Context { began, ..self }
    }

    /// This context, with relative paths starting from another folder.
    pub fn in_folder(self, base_dir: PathBuf) -> Context {
        Context { base_dir, ..self }
    }

    /// This context, of a run that may take no longer than this.
    pub(super) fn limited_to(self, longest: Option<Duration>) -> Context {
        Context { longest, ..self }
    }

    /// Nothing was sent yet: whether the run goes on.
    ///
    /// # Errors
    /// Where it was asked to end, or its time is up.
    pub(super) fn go_on(&self) -> Result<(), AppError> {
        match (self.stop.reason(), self.longest) {
            (Some(reason), _) => Err(AppError::Stopped(reason)),
            (None, Some(longest)) if self.elapsed() >= longest => Err(AppError::TimeIsUp(longest)),
            _ => Ok(()),
        }
    }

    /// How long the run may still take until it begins to send, where that is limited.
    pub(super) fn time_left(&self) -> Option<Duration> {
        Some(self.longest?.saturating_sub(self.elapsed()))
    }

    /// What ended a run before anything was sent: of one that was asked to end, that is why, whatever broke off with it.
    pub(super) fn unless_stopped(&self, error: AppError) -> AppError {
        self.stop.reason().map_or(error, AppError::Stopped)
    }

    /// What comes next from a thread that reads, unless the run is to end first; `None` at the end.
    ///
    /// # Errors
    /// As [`go_on`](Self::go_on).
    pub(super) fn next_of<T>(&self, coming: &Receiver<T>) -> Result<Option<T>, AppError> {
        loop {
            self.go_on()?;
            match coming.recv_timeout(LOOK) {
                Ok(next) => return Ok(Some(next)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
    }

    /// Asks the run to end: no new visits, attempts under way finish, every visit gets its row. The first reason counts.
    pub fn stop(&self, reason: StopReason) {
        self.stop.request(reason);
    }

    /// Ends the programs that print exports, of a run that was asked to end.
    pub fn end_commands(&self) {
        self.commands.end();
    }

    /// How long the program has been running.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    pub(super) fn emit(&self, event: Event<'_>) {
        (self.listener)(event);
    }

    pub(super) fn warn(&self, message: &str) {
        self.emit(Event::Warning(message));
    }

    pub(super) fn warn_all<'m>(&self, messages: impl IntoIterator<Item = &'m String>) {
        messages.into_iter().for_each(|message| self.warn(message));
    }

    /// The time of day, told from the start of the run.
    pub(super) fn time(&self) -> DateTime<Utc> {
        self.now + TimeDelta::from_std(self.began.elapsed()).unwrap_or_default()
    }

    /// The folder that relative paths start from, by its full name.
    pub(super) fn full_base_dir(&self) -> PathBuf {
        let here = std::env::current_dir().unwrap_or_default();
        if self.base_dir.as_os_str().is_empty() { here } else { here.join(&self.base_dir) }
    }
}

/// A time as files have it: RFC 3339, UTC, milliseconds.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Context { now, base_dir, .. } = self;
        f.debug_struct("Context").field("now", now).field("base_dir", base_dir).finish_non_exhaustive()
    }
}
