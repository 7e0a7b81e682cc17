//! A run in words: how far it is, the summary at its end, and the same in one sentence.

use super::coverage::{coverage, filters, unwanted};
use super::next_step::{NextStep, check_command, next_step, quoted, rerun_command};
use crate::outcome::{ErrorCode, Exit, Status, StopReason};
use crate::summary::{Progress, RunCommand, RunReport, UndeliveredCause};
use crate::text::{count, duration, grouped, of_visits, rate, shortened};
use std::cmp::Reverse;
use std::fmt::Write as _;
use std::time::Duration;

/// How many causes one sentence names.
const CAUSES_IN_SENTENCE: usize = 3;
/// How much of an error a summary shows, in characters. The result file has all of it.
const LONGEST_ERROR: usize = 400;
/// What has to be known of a run against the sandbox before it is taken for a real one.
const NOTHING_SENT: &str = "nothing was sent to Trax";

/// What sentences call a job.
pub(crate) fn job_name(name: &str, is_sandbox: bool) -> String {
    if is_sandbox { format!("{name} (sandbox: {NOTHING_SENT})") } else { name.to_owned() }
}

/// How far a run is. `per_second`: rows written a second so far.
pub(crate) fn progress(progress: &Progress, per_second: f64) -> String {
    let visits = &progress.visits;
    let bad = visits.get(Status::Rejected) + visits.get(Status::Failed);
    let left = match per_second > 0.0 {
        true => {
            duration(Duration::from_secs_f64((progress.of.saturating_sub(progress.rows) as f64 / per_second).min(1e9)))
        }
        false => "unknown".to_owned(),
    };
    let limited = match progress.rate_limited {
        0 => String::new(),
        n => format!(", {} answered 429", grouped(n)),
    };
    format!(
        "{} delivered, {} invalid, {} failed or rejected{limited}, {}, {left} left",
        grouped(visits.delivered()),
        grouped(visits.get(Status::Invalid)),
        grouped(bad),
        rate(per_second),
    )
}

/// The summary at the end of a run: counts that add up, why visits were not delivered, what to type next.
pub(crate) fn run_summary(report: &RunReport) -> String {
    let mut out = headline(report);
    for (name, value) in lines(report) {
        let _ = writeln!(out, "  {name:<18}{value}");
    }
    if let Some(stopped) = time_is_up(report) {
        let _ = writeln!(out, "{stopped}");
    }
    causes(report, &mut out);
    let _ = writeln!(out, "result file: {}", report.results.display());
    if let Some(next) = next(report) {
        let _ = writeln!(out, "next: {next}");
    }
    out
}

/// A run in one sentence that stands by itself, for a log or a chat.
pub(crate) fn run_sentence(report: &RunReport) -> String {
    let name = job_name(&report.job, report.sandbox);
    let next = next(report).map(|next| format!("; next: {next}")).unwrap_or_default();
    if report.undelivered() == 0 {
        let but = match (report.exit, report.reused_keys_delivered) {
            (Exit::Done, _) => String::new(),
            (_, 0) => "; the run was stopped at its end".to_owned(),
            (_, reused) => format!(
                ", but {} used again for another visit (reused_key), which Trax does not take; see {}{next}",
                count(reused, "key is", "keys are"),
                report.results.display()
            ),
        };
        return format!("{name}: {}, all delivered{but}", count(report.result_rows, "visit", "visits"));
    }
    let why = time_is_up(report).map(|stopped| format!(" ({stopped})")).unwrap_or_default();
    format!(
        "{name}: {} not delivered{why}{}; see {}{next}",
        of_visits(report.undelivered(), report.result_rows, "was", "were"),
        causes_in_sentence(report),
        report.results.display()
    )
}

/// Why a run sent nothing whose exports have too many invalid visits.
pub(crate) fn too_many_invalid(report: &RunReport) -> String {
    let in_exports = report.result_rows.saturating_sub(report.carried_over_not_in_exports);
    format!(
        "{} invalid, more than max_invalid = {}: nothing was sent; {} lists the problems",
        of_visits(report.visits.get(Status::Invalid), in_exports, "is", "are"),
        report.max_invalid,
        check_command(&report.job_file)
    )
}

/// A warning where undelivered visits of the earlier run have left the exports, and so the result file.
pub(crate) fn gone_undelivered(report: &RunReport) -> Option<String> {
    let gone = report.undelivered_not_in_exports;
    let visits = count(
        gone,
        "undelivered visit of the earlier run is no longer in the exports",
        "undelivered visits of the earlier run are no longer in the exports",
    );
    let (row, drop) = match (report.forgot_gone, gone) {
        (true, 1) => ("its row is gone", ""),
        (true, _) => ("their rows are gone", ""),
        (false, 1) => ("its row stays", ", or drop the row by a rerun with --forget-gone"),
        (false, _) => ("their rows stay", ", or drop the rows by a rerun with --forget-gone"),
    };
    (gone > 0).then(|| format!("{visits}, and {row}; if they matter, export them again and rerun{drop}"))
}

fn headline(report: &RunReport) -> String {
    let visits = count(report.result_rows, "visit", "visits");
    let sent = match report.requests {
        0 => "nothing sent".to_owned(),
        n => {
            let per_second = n as f64 / report.elapsed.as_secs_f64().max(0.001);
            format!("{} ({})", count(n, "request", "requests"), rate(per_second))
        }
    };
    format!("{}: {visits} in {}, {sent}\n", report.job, duration(report.elapsed))
}

/// The lines of the summary: a name and what there is to say.
fn lines(report: &RunReport) -> Vec<(String, String)> {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut line = |name: &str, value: String| lines.push((name.to_owned(), value));
    if report.sandbox {
        line("sandbox", NOTHING_SENT.to_owned());
    }
    for (status, visits) in report.visits.iter() {
        line(&status.name().replace('_', " "), grouped(visits));
    }
    let rows = report.result_rows.saturating_sub(report.carried_over_not_in_exports);
    let mut sum = vec![count(rows, "result row", "result rows")];
    if report.identical_duplicates > 0 {
        sum.push(count(report.identical_duplicates, "identical duplicate", "identical duplicates"));
    }
    line("rows read", format!("{} = {}", grouped(report.rows_read), sum.join(" + ")));
    if report.left_out > 0 {
        line("left out", format!("{} by {}", grouped(report.left_out), filters(report.filters)));
    }
    unwanted(&report.left_out_values).into_iter().for_each(|values| line("by `only`", values));
    if report.carried_over > 0 {
        let gone = match report.carried_over_not_in_exports {
            0 => String::new(),
            n => format!(", {} of them no longer in the exports", grouped(n)),
        };
        line("carried over", format!("{} from an earlier run{gone}", grouped(report.carried_over)));
    }
    if report.delivered_before > 0 {
        line("delivered before", format!("{} in other runs, not sent again", grouped(report.delivered_before)));
    }
    if report.changed_since_delivery > 0 {
        line(
            "changed",
            format!("{} since they were delivered: Trax keeps what it has", grouped(report.changed_since_delivery)),
        );
    }
    if report.reused_keys > 0 {
        let known = match report.reused_keys_known {
            0 => String::new(),
            n => format!(", {} of them known before", grouped(n)),
        };
        line("reused keys", format!("{} of visits that Trax keeps{known}", grouped(report.reused_keys)));
    }
    if report.unexplained_409 > 0 {
        line(
            "unexplained 409",
            format!("{}: the API had them, nothing says since when", grouped(report.unexplained_409)),
        );
    }
    if report.orphans > 0 {
        line("orphan scenes", format!("{}: their visits are not in the export", grouped(report.orphans)));
    }
    if report.identical_scenes > 0 {
        line("duplicate scenes", format!("{} identical rows count once", grouped(report.identical_scenes)));
    }
    if report.unreadable_scenes > 0 {
        line("unreadable scenes", format!("{} passed over", count(report.unreadable_scenes, "row", "rows")));
    }
    coverage(&report.coverage).into_iter().for_each(|(name, fields)| line(name, fields));
    lines
}

/// Why a run ended with its time and not with its visits.
fn time_is_up(report: &RunReport) -> Option<String> {
    let longest = report.max_duration.filter(|_| report.stopped == Some(StopReason::TimeIsUp))?;
    let left = count(report.visits.get(Status::NotAttempted), "visit was", "visits were");
    Some(format!("stopped: max_duration = {} is over; {left} not attempted", duration(longest)))
}

fn causes(report: &RunReport, out: &mut String) {
    if report.causes.is_empty() {
        return;
    }
    let _ = writeln!(out, "not delivered:");
    for cause in &report.causes {
        let UndeliveredCause { status, error_code, .. } = cause;
        let _ = write!(out, "  {status} {error_code}: {}{}", grouped(cause.count), earlier(cause));
        // What stopped the run, and the next command, are told below.
        if *status == Status::NotAttempted {
            let _ = writeln!(out);
            continue;
        }
        let hint = ErrorCode::from_name(*status, error_code).map(|code| format!(" - {}", code.hint()));
        let _ = writeln!(out, "{}", hint.unwrap_or_default());
        // Several visits with the same error share a line.
        for alike in cause.examples.chunk_by(|(_, one), (_, other)| one == other) {
            let visits: Vec<String> = alike.iter().map(|(visit, _)| format!("{visit:?}")).collect();
            let error = &alike[0].1;
            let _ = writeln!(out, "    {}: {}", visits.join(", "), shortened(error, LONGEST_ERROR));
        }
    }
}

fn earlier(cause: &UndeliveredCause) -> String {
    match cause.from_earlier_run {
        0 => String::new(),
        n if n == cause.count => ", from an earlier run".to_owned(),
        n => format!(", {} of them from an earlier run", grouped(n)),
    }
}

/// The most frequent causes.
fn causes_in_sentence(report: &RunReport) -> String {
    let mut causes: Vec<&UndeliveredCause> = report.causes.iter().collect();
    causes.sort_by_key(|cause| Reverse(cause.count));
    let mut told: Vec<String> = Vec::new();
    for cause in causes.iter().take(CAUSES_IN_SENTENCE) {
        let visits = grouped(cause.count);
        told.push(match cause.status {
            Status::NotAttempted => format!("{visits} not attempted"),
            status => format!("{visits} {status} ({})", cause.error_code),
        });
    }
    let more: u64 = causes.iter().skip(CAUSES_IN_SENTENCE).map(|cause| cause.count).sum();
    if more > 0 {
        told.push(format!("{} for other causes", grouped(more)));
    }
    if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
}

fn next(report: &RunReport) -> Option<NextStep> {
    let visits = |status| report.visits.get(status);
    // Whatever else has to be fixed, sending goes on where it stopped.
    if report.stopped == Some(StopReason::TimeIsUp) && visits(Status::Failed) + visits(Status::NotAttempted) > 0 {
        return Some(NextStep { first: "", command: rerun_command(&report.results) });
    }
    let step = next_step(&report.results, Some(report.exit), visits, report.reused_keys_delivered)?;
    // A rerun reads the folder once more, in which nothing is corrected.
    let is_fixed_before =
        report.command == RunCommand::Upload && visits(Status::Invalid) > 0 && report.stopped.is_none();
    if !is_fixed_before {
        return Some(step);
    }
    let (job, results) =
        (quoted(&report.job_file.display().to_string()), quoted(&report.results.display().to_string()));
    let command = format!("traxload upload {job} NEW_DIR --results {results} --continue");
    Some(NextStep { first: "fix the causes and prepare the visits again, in another folder", command })
}
