//! The figures of a run for Prometheus: a file for the textfile collector of its node exporter, one job in each.
//!
//! They are of the last run alone and start anew with every one: gauges, not counters.

use super::exit::Exit;
use crate::outcome::Status;
use crate::results::follow;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

const LAST_SUCCESS: &str = "traxload_last_success_timestamp_seconds";

/// What a run shows that came to its end.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figures {
    /// Rows of the result file.
    pub(super) visits: [(Status, u64); Status::ALL.len()],
    pub(super) requests: u64,
    pub(super) retries: u64,
    /// Pauses after 429.
    pub(super) pauses: u64,
    /// From the first request to the last answer.
    pub(super) sending: Duration,
}

/// How a run ended, whether it had figures or not.
#[derive(Debug)]
pub(super) struct Metrics<'a> {
    pub(super) job: &'a str,
    /// Of which nothing has reached Trax.
    pub(super) is_sandbox: bool,
    pub(super) exit: Exit,
    pub(super) at: DateTime<Utc>,
    pub(super) elapsed: Duration,
    /// `None` where the run ended before it had any.
    pub(super) figures: Option<&'a Figures>,
}

impl Metrics<'_> {
    /// Writes the file, in place of an older one in one step: the collector reads it at any time.
    pub(super) fn write(&self, path: &Path) -> io::Result<()> {
        // Through a link, the file that it points at is written.
        let path = &follow(path).map_err(io::Error::other)?;
        let before = older(path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The collector takes names that end in .prom only.
        let mut file = tempfile::Builder::new().prefix(".traxload-").suffix(".new").tempfile_in(folder)?;
        file.write_all(self.text(&before).as_bytes())?;
        let_all_read(file.as_file())?;
        file.as_file().sync_all()?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// `before`: the file of the run before, which knows the last success.
    fn text(&self, before: &str) -> String {
        let mut out = String::new();
        let job = format!("job=\"{}\"", escaped(self.job));
        let mut gauge = |name: &str, help: &str, samples: &[(String, String)]| {
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in samples {
                let _ = writeln!(out, "{name}{{{labels}}} {value}");
            }
        };
        let one = |value: String| [(job.clone(), value)];
        let time = |at: DateTime<Utc>| format!("{:.3}", at.timestamp_millis() as f64 / 1000.0);
        if let Some(figures) = self.figures {
            let visits: Vec<(String, String)> = figures
                .visits
                .iter()
                .map(|(status, visits)| (format!("{job},status=\"{status}\""), visits.to_string()))
                .collect();
            gauge("traxload_visits", "Visits in the result file of the last run, by what became of them.", &visits);
            let requests = "Requests that the last run sent, retries counted.";
            gauge("traxload_requests", requests, &one(figures.requests.to_string()));
            let retries = "Requests of the last run that were not a visit's first.";
            gauge("traxload_retries", retries, &one(figures.retries.to_string()));
            let pauses = "Pauses of the last run after an answer of 429 Too Many Requests.";
            gauge("traxload_rate_limit_pauses", pauses, &one(figures.pauses.to_string()));
            let rate = figures.requests as f64 / figures.sending.as_secs_f64().max(0.001);
            let help = "Requests a second that the last run reached while it was sending.";
            gauge("traxload_requests_per_second", help, &one(format!("{rate:.3}")));
        }
        let help = "How long the last run took, reading included.";
        gauge("traxload_run_duration_seconds", help, &one(format!("{:.3}", self.elapsed.as_secs_f64())));
        gauge(
            "traxload_exit_code",
            "How the last run ended; 0: everything is delivered.",
            &one(self.exit.code().to_string()),
        );
        gauge("traxload_last_run_timestamp_seconds", "When the last run ended.", &one(time(self.at)));
        let success = match self.exit {
            Exit::Done if !self.is_sandbox => Some(time(self.at)),
            _ => last_success(before, &job),
        };
        if let Some(success) = success {
            gauge(LAST_SUCCESS, "When a run last delivered everything.", &one(success));
        }
        out
    }
}

/// The metrics of the run before, of which there may be none. Whatever else is at the path is not for metrics to replace.
fn older(path: &Path) -> io::Result<String> {
    let Ok(metadata) = path.metadata() else { return Ok(String::new()) };
    let text = if metadata.is_file() { std::fs::read_to_string(path).ok() } else { None };
    text.filter(|text| text.is_empty() || text.contains("# TYPE traxload_"))
        .ok_or_else(|| io::Error::other("what is there are no metrics of traxload, so it is left as it is"))
}

/// What an earlier file says of this job. What is no number is no time either.
fn last_success(before: &str, job: &str) -> Option<String> {
    let sample = format!("{LAST_SUCCESS}{{{job}}} ");
    let value = before.lines().find_map(|line| line.strip_prefix(&sample))?.trim();
    value.parse::<f64>().ok().filter(|time| time.is_finite()).map(|_| value.to_owned())
}

/// The value of a label, as the text format has it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The collector runs as another user.
#[cfg(unix)]
fn let_all_read(file: &std::fs::File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn let_all_read(_: &std::fs::File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(job: &str, exit: Exit) -> Metrics<'_> {
        let at = DateTime::from_timestamp_millis(1_709_626_353_250).expect("in range");
        Metrics { job, is_sandbox: false, exit, at, elapsed: Duration::from_millis(1_500), figures: None }
    }

    #[test]
    fn the_last_success_is_kept_until_the_next_one() {
        let done = metrics("a", Exit::Done).text("");
        let sample = "traxload_last_success_timestamp_seconds{job=\"a\"} 1709626353.250\n";
        assert!(done.ends_with(sample), "{done}");
        let before = done.replace("1709626353.250", "1709000000.000");
        let failed = metrics("a", Exit::ApiDown).text(&before);
        assert!(failed.contains("traxload_last_success_timestamp_seconds{job=\"a\"} 1709000000.000\n"), "{failed}");
        assert!(failed.contains("traxload_exit_code{job=\"a\"} 5\n") && failed.contains("1709626353.250"), "{failed}");
        assert!(!metrics("b", Exit::ApiDown).text(&before).contains("last_success"), "it is another job's");
        assert!(!metrics("a", Exit::ApiDown).text("").contains("last_success"), "there was none");
        let trial = Metrics { is_sandbox: true, ..metrics("a", Exit::Done) };
        assert!(trial.text(&before).contains("last_success_timestamp_seconds{job=\"a\"} 1709000000.000\n"));
    }

    #[test]
    fn names_of_jobs_are_escaped() {
        let text = metrics("a \"b\" \\ c\nd", Exit::Done).text("");
        assert!(text.contains(r#"{job="a \"b\" \\ c\nd"} 0"#), "{text}");
    }
}
