//! The figures of a run in Prometheus' text format, for the textfile collector of its node exporter: one job per file.
//!
//! They are of the last run alone and start anew with every run: gauges, not counters.

use crate::outcome::Exit;
use crate::summary::RunReport;
use chrono::{DateTime, Utc};
use std::fmt::Write as _;
use std::time::Duration;

const LAST_SUCCESS: &str = "traxload_last_success_timestamp_seconds";

/// Whether a file holds metrics of this program.
pub(crate) fn is_metrics(content: &[u8]) -> bool {
    String::from_utf8_lossy(content).contains("# TYPE traxload_")
}

/// How a run ended, whether it got as far as a report or not.
#[derive(Debug)]
pub(crate) struct Metrics<'a> {
    /// The job's name.
    pub(crate) job: &'a str,
    /// Whether the visits went to the sandbox, so that Trax has none of them.
    pub(crate) is_sandbox: bool,
    /// How the run ended.
    pub(crate) exit: Exit,
    /// When it ended.
    pub(crate) at: DateTime<Utc>,
    /// How long it took, reading included.
    pub(crate) elapsed: Duration,
    /// `None` where the run ended before it had one.
    pub(crate) report: Option<&'a RunReport>,
}

impl Metrics<'_> {
    /// The content of the file. `before`: that of the run before, which knows the last success.
    pub(crate) fn text(&self, before: &str) -> String {
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
        if let Some(report) = self.report {
            let visits: Vec<(String, String)> = report
                .visits
                .iter()
                .map(|(status, visits)| (format!("{job},status=\"{status}\""), visits.to_string()))
                .collect();
            gauge("traxload_visits", "Visits in the result file of the last run, by what became of them.", &visits);
            let requests = "Requests that the last run sent, retries counted.";
            gauge("traxload_requests", requests, &one(report.requests.to_string()));
            let retries = "Requests of the last run that were not a visit's first.";
            gauge("traxload_retries", retries, &one(report.retries.to_string()));
            let pauses = "Pauses of the last run after an answer of 429 Too Many Requests.";
            gauge("traxload_rate_limit_pauses", pauses, &one(report.pauses.to_string()));
            let changed = "Delivered visits of the last run that differ from what Trax keeps.";
            gauge("traxload_changed_since_delivery", changed, &one(report.changed_since_delivery.to_string()));
            let reused = "Visits of the last run under whose keys Trax keeps others.";
            gauge("traxload_reused_keys", reused, &one(report.reused_keys.to_string()));
            let unexplained = "Visits of the last run that the API had already, and nothing says since when.";
            gauge("traxload_unexplained_409", unexplained, &one(report.unexplained_409.to_string()));
            let rate = report.requests as f64 / report.sending.as_secs_f64().max(0.001);
            let help = "Requests a second that the last run reached while it was sending.";
            gauge("traxload_requests_per_second", help, &one(format!("{rate:.3}")));
        }
        let help = "How long the last run took, reading included.";
        gauge("traxload_run_duration_seconds", help, &one(format!("{:.3}", self.elapsed.as_secs_f64())));
        let help = "How the last run ended; 0: everything is delivered.";
        gauge("traxload_exit_code", help, &one(self.exit.code().to_string()));
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

/// The last success of this job in an earlier file. A value that is not a number is passed over.
fn last_success(before: &str, job: &str) -> Option<String> {
    let sample = format!("{LAST_SUCCESS}{{{job}}} ");
    let value = before.lines().find_map(|line| line.strip_prefix(&sample))?.trim();
    value.parse::<f64>().ok().filter(|time| time.is_finite()).map(|_| value.to_owned())
}

/// The value of a label, as the text format has it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metrics(job: &str, exit: Exit) -> Metrics<'_> {
        let at = DateTime::from_timestamp_millis(1_709_626_353_250).expect("in range");
        Metrics { job, is_sandbox: false, exit, at, elapsed: Duration::from_millis(1_500), report: None }
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
