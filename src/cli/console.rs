//! What people see: log lines, reports and a progress bar share standard error without writing over each other.

use super::args::{Cli, LogFormat};
use super::errors::Failure;
use super::progress::Shown;
use super::stderr;
use crate::app::Event;
use crate::outcome::Exit;
use crate::render::{gone_undelivered, run_sentence, run_summary, too_many_invalid};
use crate::summary::RunReport;
use indicatif::ProgressBar;
use serde_json::json;
use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The screen of one command.
#[derive(Clone, Debug)]
pub(super) struct Console {
    quiet: bool,
    json: bool,
    bar: Bar,
    /// The progress that is shown, while a run sends.
    shown: Arc<Mutex<Option<Shown>>>,
}

/// The bar that is on the screen, if any.
#[derive(Clone, Debug, Default)]
struct Bar(Arc<Mutex<Option<ProgressBar>>>);

impl Bar {
    fn set(&self, bar: Option<ProgressBar>) {
        if let Ok(mut current) = self.0.lock() {
            *current = bar;
        }
    }

    fn print(&self, text: &[u8]) {
        let bar = self.0.lock().ok().and_then(|bar| bar.clone());
        stderr::print(bar, text);
    }
}

/// One log line, printed when it is complete.
struct Line {
    bar: Bar,
    text: Vec<u8>,
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.bar.print(&self.text);
    }
}

impl<'a> MakeWriter<'a> for Bar {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { bar: self.clone(), text: Vec::new() }
    }
}

/// The time of a log line: UTC, like everything that is written down.
struct Utc;

impl FormatTime for Utc {
    fn format_time(&self, writer: &mut Writer<'_>) -> std::fmt::Result {
        let now = chrono::Utc::now();
        write!(writer, "{}", now.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
    }
}

impl Console {
    /// Sets up logging for the whole process.
    pub(super) fn new(cli: &Cli) -> Console {
        let bar = Bar::default();
        let level = match (cli.quiet, cli.verbose) {
            (true, _) => LevelFilter::WARN,
            (_, 0) => LevelFilter::INFO,
            _ => LevelFilter::DEBUG,
        };
        let json = cli.log_format == LogFormat::Json;
        let layer = tracing_subscriber::fmt::layer().with_writer(bar.clone()).with_target(false).with_timer(Utc);
        let registry = tracing_subscriber::registry().with(level).with(Ours);
        // A second console in one process keeps the first one's logging.
        let _ = match json {
            true => registry.with(layer.json().flatten_event(true)).try_init(),
            false => registry.with(layer.with_ansi(false)).try_init(),
        };
        if json {
            panics_as_events(bar.clone());
        }
        Console { quiet: cli.quiet, json, bar, shown: Arc::default() }
    }

    /// Shows an event of a use case.
    pub(super) fn on(&self, event: &Event<'_>) {
        match event {
            Event::Warning(message) => self.warn(message),
            Event::Note(message) => self.report(&format!("{message}\n")),
            Event::Progress(progress) if !self.quiet => {
                if let Ok(mut shown) = self.shown.lock() {
                    shown.get_or_insert_with(|| Shown::begin(self, progress)).update(self, progress);
                }
            }
            Event::Sent => {
                if let Some(shown) = self.shown.lock().ok().and_then(|mut shown| shown.take()) {
                    shown.end(self);
                }
            }
            Event::Finished(report) => self.run_finished(report),
            _ => {}
        }
    }

    fn run_finished(&self, report: &RunReport) {
        if let Some(warning) = gone_undelivered(report) {
            self.warn(&warning);
        }
        if report.exit == Exit::TooManyInvalid {
            self.error(&too_many_invalid(report));
        }
        self.finish(&run_summary(report), &json!(report));
        match (self.quiet, report.exit) {
            (true, Exit::Done) if report.sandbox => self.warn(&run_sentence(report)),
            (true, exit) if exit != Exit::Done => self.error(&run_sentence(report)),
            _ => {}
        }
    }

    /// The bar that messages must not write over.
    pub(super) fn set_bar(&self, bar: Option<ProgressBar>) {
        self.bar.set(bar);
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Something that a person should know and that does not end the command.
    pub(super) fn warn(&self, message: &str) {
        match self.json {
            true => tracing::warn!("{message}"),
            false => self.bar.print(format!("warning: {message}\n").as_bytes()),
        }
    }

    /// Why the command ends.
    pub(super) fn error(&self, message: &str) {
        match self.json {
            true => tracing::error!("{message}"),
            false => self.bar.print(format!("error: {message}\n").as_bytes()),
        }
    }

    /// Why the command ends; the mistakes in a job file one by one, in JSON an event for each.
    pub(super) fn failure(&self, failure: &Failure) {
        if failure.mistakes.is_empty() {
            return self.error(&failure.message);
        }
        for (nth, mistake) in failure.mistakes.iter().enumerate() {
            let text = if self.json {
                let file = mistake.file.display().to_string();
                let mut fields = json!({ "file": file, "line": mistake.line, "column": mistake.column });
                if let Some(help) = &mistake.help {
                    fields["help"] = json!(help);
                }
                event("ERROR", &mistake.message, &fields)
            } else {
                let gap = if nth > 0 { "\n" } else { "" };
                format!("{gap}{}\n", mistake.shown(has_colours()))
            };
            self.bar.print(text.as_bytes());
        }
    }

    /// How far a run is, where there is no bar.
    pub(super) fn line(&self, message: &str, fields: &serde_json::Value) {
        match self.json {
            true => self.bar.print(event("INFO", message, fields).as_bytes()),
            false => tracing::info!("{message}"),
        }
    }

    /// Whether standard error is for programs.
    pub(super) fn is_json(&self) -> bool {
        self.json
    }

    /// What the command has to say at its end.
    pub(super) fn report(&self, text: &str) {
        match (self.quiet, self.json) {
            (true, _) => {}
            (_, true) => tracing::info!("{}", text.trim_end()),
            (_, false) => self.bar.print(text.as_bytes()),
        }
    }

    /// The summary of a command: a report for people, or one JSON event.
    pub(super) fn finish(&self, text: &str, summary: &serde_json::Value) {
        match (self.quiet, self.json) {
            (true, _) => {}
            (_, false) => self.bar.print(text.as_bytes()),
            (_, true) => {
                let fields = serde_json::json!({ "summary": summary });
                self.bar.print(event("INFO", "finished", &fields).as_bytes());
            }
        }
    }

    /// Something that has to be read even by those who want to hear nothing else.
    pub(super) fn notice(&self, text: &str) {
        match self.json {
            true => tracing::warn!("{}", text.trim_end()),
            false => self.bar.print(text.as_bytes()),
        }
    }

    /// Data for standard output, on a line of its own.
    pub(super) fn data(&self, text: &str) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Data for standard output, as it stands.
    pub(super) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        // On a terminal, what was said before comes first.
        stderr::drain();
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // The reader has seen enough.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::of_stdout(&error)),
            Ok(()) => Ok(()),
        }
    }
}

/// Whether standard error is a terminal that shows colours, and the user wants them (<https://no-color.org>).
fn has_colours() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Also a mistake of this program is one line of JSON there.
fn panics_as_events(bar: Bar) {
    std::panic::set_hook(Box::new(move |panic| {
        let message = format!("{panic}; this is a bug in traxload, please report it");
        bar.print(event("ERROR", &message, &serde_json::Value::Null).as_bytes());
        stderr::drain();
    }));
}

/// One event of the JSON log, as it is written to standard error; `fields` is an object.
pub(super) fn event(level: &str, message: &str, fields: &serde_json::Value) -> String {
    let timestamp = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let mut event = serde_json::json!({ "timestamp": timestamp, "level": level, "message": message });
    if let (Some(event), Some(fields)) = (event.as_object_mut(), fields.as_object()) {
        event.extend(fields.clone());
    }
    format!("{event}\n")
}

/// Lets only this program's own events through: what other crates log at a level is theirs to know.
struct Ours;

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Ours {
    fn enabled(&self, about: &tracing::Metadata<'_>, _: tracing_subscriber::layer::Context<'_, S>) -> bool {
        about.target().starts_with("traxload")
    }
}
