//! What a run leaves beside its result file, however it ends: the page, metrics, a notification.
//!
//! Nothing here changes how the run ends. What goes wrong is a warning.

use super::context::Event;
use super::{AppError, Context, page};
use crate::host;
use crate::job::{Job, Target};
use crate::notify::{self, Hook, HookSource, Notify, When};
use crate::outcome::Exit;
use crate::owned_file::{self, OwnedFileError, OwnedKind};
use crate::render::{Metrics, first_line, is_metrics, job_name, notification, run_sentence};
use crate::summary::{RunCommand, RunReport};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Metrics are read by the collector, which runs as another user.
const METRICS: OwnedKind =
    OwnedKind { name: "metrics of traxload", head_len: 64 << 10, is_ours: is_metrics, mode: 0o644 };

/// What is to be done when a run ends. Clones do it once together.
#[derive(Clone, Debug)]
pub struct After {
    command: RunCommand,
    job: String,
    is_sandbox: bool,
    page: bool,
    metrics: Option<PathBuf>,
    notify: Option<(Hook, Notify)>,
    ca_file: Option<PathBuf>,
    /// A signal may come when the run has just ended by itself.
    is_done: Arc<AtomicBool>,
}

/// What a run came to that ended without a report.
#[derive(Debug, Serialize)]
struct Failed<'a> {
    command: RunCommand,
    job: &'a str,
    sandbox: bool,
    #[serde(rename = "exit_code")]
    exit: Exit,
    error: &'a str,
}

impl After {
    /// For a run of this job, which listeners hear of.
    pub(super) fn announce(cx: &Context, command: RunCommand, job: &Job) -> After {
        let notify = job.notify.clone().and_then(|notify| match hook(&notify.hook) {
            Ok(hook) => Some((hook, notify)),
            // Said at the start, while there is time to fix it. The upload does not depend on it.
            Err(message) => {
                cx.warn(&format!("notifications are off: {message}"));
                None
            }
        });
        let after = After {
            command,
            job: job.name.clone(),
            is_sandbox: job.target == Target::Sandbox,
            page: job.report,
            metrics: job.metrics.clone(),
            notify,
            ca_file: job.endpoint.ca_file.clone(),
            is_done: Arc::default(),
        };
        cx.emit(Event::JobLoaded(&after));
        after
    }

    /// At the end of the run, or of what kept it from being one.
    pub(super) fn finish(&self, cx: &Context, ended: Result<RunReport, AppError>) -> Result<RunReport, AppError> {
        match &ended {
            Ok(report) => {
                cx.emit(Event::Finished(report));
                if self.page {
                    write_page(cx, &report.results);
                }
                self.tell(cx, report.exit, Some(report), report, &run_sentence(report));
            }
            Err(error @ AppError::Stopped(_)) => {
                self.stopped(cx, error.exit());
            }
            Err(error) => {
                let (exit, first) = (error.exit(), first_line(&error.to_string()));
                let name = job_name(&self.job, self.is_sandbox);
                let sentence = format!("{name}: ended with exit code {}: {first}", exit.code());
                self.tell(cx, exit, None, &self.failed(exit, &first), &sentence);
            }
        }
        ended
    }

    /// For a run that a signal ends before anything was sent, and for a caller that then ends the process itself. Returns
    /// whether there was anything left to do: else the run is about to end.
    pub fn stopped(&self, cx: &Context, exit: Exit) -> bool {
        let message = "stopped by a signal before anything was sent";
        let sentence = format!("{}: {message}", job_name(&self.job, self.is_sandbox));
        self.tell(cx, exit, None, &self.failed(exit, message), &sentence)
    }

    fn failed<'a>(&'a self, exit: Exit, error: &'a str) -> Failed<'a> {
        Failed { command: self.command, job: &self.job, sandbox: self.is_sandbox, exit, error }
    }

    fn tell(
        &self,
        cx: &Context,
        exit: Exit,
        report: Option<&RunReport>,
        summary: &impl Serialize,
        sentence: &str,
    ) -> bool {
        if self.is_done.swap(true, Ordering::SeqCst) {
            return false;
        }
        if let Some(path) = &self.metrics {
            let (at, elapsed) = (cx.time(), cx.elapsed());
            let metrics = Metrics { job: &self.job, is_sandbox: self.is_sandbox, exit, at, elapsed, report };
            if let Err(error) = write_metrics(path, &metrics) {
                cx.warn(&format!("there are no metrics of this run: {error}; check metrics under [results]"));
            }
        }
        let wanted = |notify: &Notify| notify.when == When::Always || exit != Exit::Done;
        if let Some((hook, notify)) = self.notify.as_ref().filter(|(_, notify)| wanted(notify)) {
            let body = notification(summary, sentence, host::name().as_deref());
            if let Err(error) = notify::post(hook, self.ca_file.clone(), notify.timeout, body) {
                let host = hook.host();
                cx.warn(&format!("the notification to {host} failed: {error}; check the address under [notify]"));
            }
        }
        true
    }
}

/// The run is over and its rows are safe: a page that cannot be written is worth a warning and no more.
fn write_page(cx: &Context, results: &Path) {
    match page::write_beside(cx, results) {
        Ok(page) => cx.emit(Event::Note(&format!("report: {}", page.display()))),
        Err(error) => cx.warn(&format!("there is no report: {error}")),
    }
}

fn write_metrics(path: &Path, metrics: &Metrics<'_>) -> Result<(), OwnedFileError> {
    let before = owned_file::read_existing(path, &METRICS)?;
    owned_file::replace(path, &METRICS, metrics.text(&before).as_bytes())
}

/// The address of notifications.
fn hook(source: &HookSource) -> Result<Hook, String> {
    match source {
        HookSource::Job(hook) => Ok(hook.clone()),
        HookSource::Env(name) => {
            // A name that does not look like one may be the address itself.
            let text = std::env::var(name).map_err(|_| match is_plain(name) {
                true => format!("{name} (url_env) is not set"),
                false => "the environment variable that url_env names is not set".to_owned(),
            })?;
            Hook::parse(&text).map_err(|error| format!("in the environment variable that url_env names, {error}"))
        }
    }
}

fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}
