//! What a run says at its end: counts that add up, why visits were not delivered, and what to type next.

use super::exit::Exit;
use super::next::{Next, next, rerun};
use super::text::{count, duration, grouped, rate};
use crate::outcome::{ErrorCode, Status, StopReason};
use crate::results::Counts;
use crate::shuffle::Tally;
use crate::upload::Traffic;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

/// So many causes are told in one line.
const CAUSES_IN_SHORT: usize = 3;

/// Everything that a summary is made of.
pub(super) struct Summary<'a> {
    pub(super) command: &'static str,
    pub(super) name: &'a str,
    /// Whether the visits went to the sandbox, and not to Trax.
    pub(super) is_sandbox: bool,
    pub(super) results: &'a Path,
    pub(super) tally: &'a Tally,
    pub(super) identical_scenes: u64,
    pub(super) counts: &'a Counts,
    pub(super) traffic: &'a Traffic,
    pub(super) elapsed: Duration,
    pub(super) exit: Exit,
    /// What ended the run before its visits did.
    pub(super) stopped: Option<StopReason>,
    pub(super) max_duration: Option<Duration>,
    /// Delivered visits of an earlier run that are not in the exports any more.
    pub(super) carried_and_gone: u64,
    /// Undelivered ones, whose rows are lost.
    pub(super) undelivered_and_gone: u64,
}

impl Summary<'_> {
    pub(super) fn json(&self) -> Value {
        let mut map = Map::new();
        map.insert("command".to_owned(), json!(self.command));
        map.insert("job".to_owned(), json!(self.name));
        map.insert("sandbox".to_owned(), json!(self.is_sandbox));
        map.insert("rows_read".to_owned(), json!(self.tally.visit_rows));
        map.insert("identical_duplicates".to_owned(), json!(self.tally.identical_duplicates));
        map.insert("left_out".to_owned(), json!(self.tally.visits_left_out));
        map.insert("result_rows".to_owned(), json!(self.counts.rows()));
        for status in Status::ALL {
            map.insert(status.name().to_owned(), json!(self.counts.get(status)));
        }
        map.insert("carried_over".to_owned(), json!(self.counts.carried_over()));
        map.insert("carried_over_not_in_exports".to_owned(), json!(self.carried_and_gone));
        map.insert("undelivered_not_in_exports".to_owned(), json!(self.undelivered_and_gone));
        map.insert("scene_rows".to_owned(), json!(self.tally.scenes_read()));
        map.insert("orphans".to_owned(), json!(self.tally.orphans));
        map.insert("identical_scenes".to_owned(), json!(self.identical_scenes));
        map.insert("unreadable_scenes".to_owned(), json!(self.tally.unreadable));
        let causes = self.counts.causes();
        let causes: Vec<Value> = causes
            .iter()
            .map(|((status, code), cause)| {
                json!({
                    "status": status.name(),
                    "error_code": code,
                    "count": cause.count,
                    "from_earlier_run": cause.earlier,
                })
            })
            .collect();
        map.insert("causes".to_owned(), Value::Array(causes));
        map.insert("requests".to_owned(), json!(self.traffic.requests()));
        map.insert("retries".to_owned(), json!(self.traffic.retries()));
        map.insert("rate_limited".to_owned(), json!(self.traffic.rate_limited()));
        map.insert("pauses".to_owned(), json!(self.traffic.pauses()));
        map.insert("elapsed_seconds".to_owned(), json!(self.elapsed.as_secs_f64()));
        map.insert("results".to_owned(), json!(self.results.display().to_string()));
        map.insert("stopped".to_owned(), json!(self.stopped.map(StopReason::name)));
        map.insert("exit_code".to_owned(), json!(self.exit.code()));
        Value::Object(map)
    }

    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let requests = self.traffic.requests();
        let _ = write!(
            out,
            "{}: {} in {}",
            self.name,
            count(self.counts.rows(), "visit", "visits"),
            duration(self.elapsed)
        );
        let _ = match requests {
            0 => writeln!(out, ", nothing sent"),
            n => writeln!(
                out,
                ", {} ({})",
                count(n, "request", "requests"),
                rate(n as f64 / self.elapsed.as_secs_f64().max(0.001))
            ),
        };
        if self.is_sandbox {
            let _ = writeln!(out, "  {:<18}{NOTHING_SENT}", "sandbox");
        }
        for status in Status::ALL {
            let _ = writeln!(out, "  {:<18}{}", status.name().replace('_', " "), grouped(self.counts.get(status)));
        }
        let mut sum =
            vec![count(self.counts.rows().saturating_sub(self.carried_and_gone), "result row", "result rows")];
        if self.tally.identical_duplicates > 0 {
            sum.push(count(self.tally.identical_duplicates, "identical duplicate", "identical duplicates"));
        }
        let _ = writeln!(out, "  {:<18}{} = {}", "rows read", grouped(self.tally.visit_rows), sum.join(" + "));
        if self.tally.visits_left_out > 0 {
            let _ = writeln!(
                out,
                "  {:<18}{} by `only`, dates or the limit",
                "left out",
                grouped(self.tally.visits_left_out)
            );
        }
        if self.counts.carried_over() > 0 {
            let gone = match self.carried_and_gone {
                0 => String::new(),
                n => format!(", {} of them not in the exports any more", grouped(n)),
            };
            let _ = writeln!(
                out,
                "  {:<18}{} from an earlier run{gone}",
                "carried over",
                grouped(self.counts.carried_over())
            );
        }
        if self.tally.orphans > 0 {
            let _ = writeln!(
                out,
                "  {:<18}{}: their visits are not in the export",
                "orphan scenes",
                grouped(self.tally.orphans)
            );
        }
        if self.identical_scenes > 0 {
            let _ = writeln!(
                out,
                "  {:<18}{} identical rows count once",
                "duplicate scenes",
                grouped(self.identical_scenes)
            );
        }
        if self.tally.unreadable > 0 {
            let _ = writeln!(
                out,
                "  {:<18}{} passed over",
                "unreadable scenes",
                count(self.tally.unreadable, "row", "rows")
            );
        }
        if let Some(stopped) = self.time_is_up() {
            let _ = writeln!(out, "{stopped}");
        }
        self.causes(&mut out);
        let _ = writeln!(out, "result file: {}", self.results.display());
        if let Some(next) = self.next() {
            let _ = writeln!(out, "next: {next}");
        }
        out
    }

    /// A run that ended with its time, and not with its visits.
    fn time_is_up(&self) -> Option<String> {
        let longest = self.max_duration.filter(|_| self.stopped == Some(StopReason::TimeIsUp))?;
        let left = self.counts.get(Status::NotAttempted);
        let left = count(left, "visit was", "visits were");
        Some(format!("stopped: max_duration = {} is over; {left} not attempted", duration(longest)))
    }

    /// One line for those who only want to hear of failures. It stands by itself.
    pub(super) fn in_short(&self) -> String {
        let rows = self.counts.rows();
        let name = called(self.name, self.is_sandbox);
        if self.exit == Exit::Done {
            return format!("{name}: {}, all delivered", count(rows, "visit", "visits"));
        }
        let missing = count(rows.saturating_sub(self.counts.delivered()), "visit is", "visits are");
        let next = self.next().map(|next| format!("; next: {next}")).unwrap_or_default();
        let why = self.time_is_up().map(|stopped| format!(" ({stopped})")).unwrap_or_default();
        format!(
            "{name}: {missing} not delivered of {}{why}{}; see {}{next}",
            grouped(rows),
            self.causes_in_short(),
            self.results.display()
        )
    }

    /// The most frequent causes.
    fn causes_in_short(&self) -> String {
        let causes = self.counts.causes();
        let mut causes: Vec<_> = causes.iter().map(|((status, code), cause)| (cause.count, *status, code)).collect();
        causes.sort_by_key(|(count, ..)| std::cmp::Reverse(*count));
        let told = causes.iter().take(CAUSES_IN_SHORT).map(|(count, status, code)| match status {
            Status::NotAttempted => format!("{} not attempted", grouped(*count)),
            status => format!("{} {status} ({code})", grouped(*count)),
        });
        let mut told: Vec<String> = told.collect();
        let more: u64 = causes.iter().skip(CAUSES_IN_SHORT).map(|(count, ..)| count).sum();
        if more > 0 {
            told.push(format!("{} for other causes", grouped(more)));
        }
        if told.is_empty() { String::new() } else { format!(": {}", told.join(", ")) }
    }

    fn causes(&self, out: &mut String) {
        let causes = self.counts.causes();
        if causes.is_empty() {
            return;
        }
        let _ = writeln!(out, "not delivered:");
        for ((status, code), cause) in &causes {
            let _ = write!(out, "  {status} {code}: {}", grouped(cause.count));
            let _ = match cause.earlier {
                0 => Ok(()),
                earlier if earlier == cause.count => write!(out, ", from an earlier run"),
                earlier => write!(out, ", {} of them from an earlier run", grouped(earlier)),
            };
            // What stopped the run, and the next command, are told below.
            let _ = match ErrorCode::from_name(*status, code).filter(|_| *status != Status::NotAttempted) {
                Some(code) => writeln!(out, " - {}", code.hint()),
                None => writeln!(out),
            };
            if *status == Status::NotAttempted {
                continue;
            }
            // What several say alike is said once.
            for alike in cause.examples.chunk_by(|(_, a), (_, b)| a == b) {
                let visits: Vec<String> = alike.iter().map(|(visit, _)| format!("{visit:?}")).collect();
                let _ = writeln!(out, "    {}: {}", visits.join(", "), shortened(&alike[0].1));
            }
        }
    }

    /// The command to type next, where one helps.
    fn next(&self) -> Option<Next> {
        let count = |status| self.counts.get(status);
        let sendable = count(Status::Failed) + count(Status::NotAttempted) > 0;
        if self.stopped == Some(StopReason::TimeIsUp) && sendable {
            // Whatever else has to be mended, sending goes on where it stopped.
            return Some(Next { before: "", command: rerun(self.results) });
        }
        next(self.results, Some(self.exit), count)
    }
}

/// What has to be known of a run against the sandbox before anybody takes it for a real one.
pub(super) const NOTHING_SENT: &str = "nothing was sent to Trax";

/// A job as sentences call it.
pub(super) fn called(name: &str, is_sandbox: bool) -> String {
    if is_sandbox { format!("{name} (sandbox: {NOTHING_SENT})") } else { name.to_owned() }
}

/// The start of an error that goes on for long; the result file has all of it.
fn shortened(error: &str) -> String {
    match error.char_indices().nth(400) {
        Some((cut, _)) => format!("{}…", &error[..cut]),
        None => error.to_owned(),
    }
}
