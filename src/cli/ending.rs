//! What a run leaves behind at its end beside its result file, however it ends: the figures for whoever watches, and
//! word to whoever has to be told.
//!
//! Nothing here changes how the run ends. What goes wrong is a warning.

use super::exit::{Exit, Failure};
use super::machine;
use super::metrics::{Figures, Metrics};
use super::screen::Console;
use super::summary::called;
use crate::job::{Job, Target};
use crate::notify::{self, Hook, HookSource, Notify, When};
use chrono::Utc;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A run that came to its end.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) figures: Figures,
    /// As `--json` prints it.
    pub(super) summary: Value,
    /// The same in a sentence.
    pub(super) in_short: String,
}

/// What is to be done at the end of a run.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    command: &'static str,
    job: String,
    is_sandbox: bool,
    metrics: Option<PathBuf>,
    notify: Option<(Hook, Notify)>,
    ca_file: Option<PathBuf>,
    /// The start of the process.
    began: Instant,
    console: Console,
    /// A signal may end what has just ended by itself.
    is_over: Arc<AtomicBool>,
}

impl Ending {
    pub(super) fn new(command: &'static str, job: &Job, began: Instant, console: &Console) -> Ending {
        let notify = job.notify.clone().and_then(|notify| match hook(&notify.hook) {
            Ok(hook) => Some((hook, notify)),
            // Said at the start, while there is time to mend it; the upload does not depend on it.
            Err(message) => {
                console.warn(&format!("nobody will be notified: {message}"));
                None
            }
        });
        Ending {
            command,
            job: job.name.clone(),
            is_sandbox: job.target == Target::Sandbox,
            metrics: job.metrics.clone(),
            notify,
            ca_file: job.endpoint.ca_file.clone(),
            began,
            console: console.clone(),
            is_over: Arc::default(),
        }
    }

    /// After a run, or after what kept it from being one.
    pub(super) fn after(&self, ended: Result<Ended, Failure>) -> Result<Exit, Failure> {
        match &ended {
            Ok(ended) => self.tell(ended.exit, Some(&ended.figures), ended.summary.clone(), &ended.in_short),
            Err(failure) => {
                let first = first_line(&failure.message);
                let in_short = format!("{}: ended with exit code {}: {first}", self.called(), failure.exit.code());
                self.tell(failure.exit, None, self.without_summary(failure.exit, &first), &in_short);
            }
        }
        ended.map(|ended| ended.exit)
    }

    /// After a signal that ended the process while nothing was under way.
    pub(super) fn after_signal(&self, exit: Exit) {
        let message = "stopped by a signal before anything was sent";
        self.tell(exit, None, self.without_summary(exit, message), &format!("{}: {message}", self.called()));
    }

    fn called(&self) -> String {
        called(&self.job, self.is_sandbox)
    }

    fn without_summary(&self, exit: Exit, message: &str) -> Value {
        json!({
            "command": self.command,
            "job": self.job,
            "sandbox": self.is_sandbox,
            "exit_code": exit.code(),
            "error": message,
        })
    }

    fn tell(&self, exit: Exit, figures: Option<&Figures>, summary: Value, in_short: &str) {
        if self.is_over.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(path) = &self.metrics {
            let (at, elapsed) = (Utc::now(), self.began.elapsed());
            let metrics = Metrics { job: &self.job, is_sandbox: self.is_sandbox, exit, at, elapsed, figures };
            if let Err(error) = metrics.write(path) {
                self.console.warn(&format!(
                    "cannot write the metrics to {}: {error}; check the folder (metrics under [results])",
                    path.display()
                ));
            }
        }
        let wanted = |notify: &Notify| notify.when == When::Always || exit != Exit::Done;
        if let Some((hook, notify)) = self.notify.as_ref().filter(|(_, notify)| wanted(notify)) {
            let body = message(summary, in_short).to_string();
            if let Err(error) = notify::post(hook, self.ca_file.clone(), notify.timeout, body) {
                self.console.warn(&format!(
                    "the notification to {} failed: {error}; check the address under [notify]",
                    hook.host()
                ));
            }
        }
    }
}

/// The address of notifications.
fn hook(source: &HookSource) -> Result<Hook, String> {
    match source {
        HookSource::Job(hook) => Ok(hook.clone()),
        HookSource::Env(name) => {
            let text = std::env::var(name);
            let text = text.map_err(|_| {
                "the environment variable that url_env names is not set; set it to the address".to_owned()
            })?;
            Hook::parse(&text).map_err(|error| format!("in the environment variable that url_env names, {error}"))
        }
    }
}

/// The longest message of a failure that is sent, in characters.
const LONGEST: usize = 300;

/// The first line of a message, for a chat; the rest is on the screen and in the log.
fn first_line(message: &str) -> String {
    let mut lines = message.trim().lines();
    let first = lines.next().unwrap_or_default();
    match first.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("{}…", &first[..cut]),
        None if lines.next().is_some() => format!("{} …", first.trim_end_matches([':', '.', ' '])),
        None => first.to_owned(),
    }
}

/// `text` is what chats show of it, Slack and those that take the same.
fn message(mut summary: Value, in_short: &str) -> Value {
    let host = machine::name();
    let place = host.as_deref().map(|host| format!("[{host}] ")).unwrap_or_default();
    if let Some(map) = summary.as_object_mut() {
        map.insert("text".to_owned(), json!(format!("traxload {place}{in_short}")));
        map.insert("host".to_owned(), json!(host));
    }
    summary
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_long_message_the_start_is_sent() {
        assert_eq!(first_line("one line"), "one line");
        assert_eq!(first_line("other ids:\n  a was 1\n  b was 2"), "other ids …");
        assert_eq!(first_line(&"é".repeat(9_000)), format!("{}…", "é".repeat(LONGEST)));
    }
}
