//! A check in words.

use super::coverage::{coverage, filters, unwanted};
use crate::outcome::Exit;
use crate::summary::{CheckReport, Filters, FirstVisit, Window};
use crate::text::{count, duration, grouped, of_visits, rate};
use std::fmt::Write as _;

/// How many orphans are listed.
const ORPHANS: usize = 10;
/// How many slices of a window are listed.
const SLICES: usize = 24;

/// What a check has found: the counts, what the first visit looks like, how long sending takes, every kind of problem.
pub(crate) fn check_summary(report: &CheckReport) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} to send", report.job, count(report.valid, "visit", "visits"));
    rows(&mut out, report);
    days(&mut out, report);
    if let Some(first) = &report.first_visit {
        first_visit(&mut out, first);
    }
    if let Some(mean) = report.body_bytes.checked_div(report.valid) {
        let time = duration(report.upload);
        let _ = writeln!(out, "  upload       about {time} at {}, {mean} bytes per visit", rate(report.rate));
    }
    if let Some(window) = &report.window {
        fit(&mut out, window);
        slices(&mut out, window);
    }
    orphans(&mut out, report);
    problems(&mut out, report);
    verdict(&mut out, report);
    out
}

/// Why there is nothing to do. `left_out`: visit rows that the filters left out.
pub(crate) fn no_visits(left_out: u64, used: Filters) -> String {
    let by = filters(used);
    match left_out {
        0 => "the exports hold no visits; is the export late? --allow-empty makes that fine".to_owned(),
        1 => format!("the only visit row of the exports is left out by {by}; --allow-empty makes that fine"),
        rows => {
            let rows = grouped(rows);
            format!("all {rows} visit rows of the exports are left out by {by}; --allow-empty makes that fine")
        }
    }
}

pub(super) fn rows(out: &mut String, report: &CheckReport) {
    let mut line = |name: &str, value: String| {
        let _ = writeln!(out, "  {name:<13}{value}");
    };
    line("visit rows", grouped(report.rows_read));
    if report.left_out > 0 {
        line("left out", format!("{} by {}", grouped(report.left_out), filters(report.filters)));
    }
    unwanted(&report.left_out_values).into_iter().for_each(|values| line("by `only`", values));
    if report.identical_duplicates > 0 {
        let why = if report.is_flat { "" } else { " identical visit rows count once" };
        line("duplicates", format!("{}{why}", grouped(report.identical_duplicates)));
    }
    line("scene rows", grouped(report.scene_rows));
    if report.identical_scenes > 0 {
        line("duplicates", format!("{} identical scene rows count once", grouped(report.identical_scenes)));
    }
    if report.unreadable_scenes > 0 {
        line("unreadable", format!("{} passed over", count(report.unreadable_scenes, "scene row", "scene rows")));
    }
    line("valid", grouped(report.valid));
    line("invalid", grouped(report.invalid));
    if report.delivered_before > 0 {
        let changed = match report.changed_since_delivery {
            0 => String::new(),
            n => format!(", {} of them changed since", grouped(n)),
        };
        line("delivered", format!("{} by earlier runs, not sent again{changed}", grouped(report.delivered_before)));
    }
    coverage(&report.coverage).into_iter().for_each(|(name, fields)| line(name, fields));
}

/// Swapped days and months show here, which no check of a single value finds.
pub(super) fn days(out: &mut String, report: &CheckReport) {
    let _ = match (report.first_visit_date, report.last_visit_date) {
        (Some(first), Some(last)) if first == last => writeln!(out, "  dates        all on {first}"),
        (Some(first), Some(last)) => writeln!(out, "  dates        {first} to {last}"),
        _ => return,
    };
}

/// A wrong time zone shows here.
pub(super) fn first_visit(out: &mut String, first: &FirstVisit) {
    let local = match (&first.timezone, &first.local_start_time) {
        (Some(zone), Some(time)) if zone != "UTC" => format!(", in {zone} {time}"),
        _ => String::new(),
    };
    let _ = writeln!(
        out,
        "  first visit  {:?}, store {:?}, {}, {}\n               starts {}{local}",
        first.visit_id,
        first.store_number,
        first.visit_date,
        count(u64::from(first.scenes), "scene", "scenes"),
        first.session_start_time,
    );
}

fn fit(out: &mut String, window: &Window) {
    let longest = duration(window.longest);
    let _ = if window.fits {
        let spare = window.longest.saturating_sub(window.reading).saturating_sub(window.sending(window.visits));
        writeln!(out, "  window       fits into {longest}, with {} to spare", duration(spare))
    } else {
        let (holds, visits) = (grouped(window.holds), count(window.visits, "visit", "visits"));
        writeln!(
            out,
            "  window       does not fit: a run of {longest} sends about {holds} of {visits}; reruns send the rest"
        )
    };
}

fn slices(out: &mut String, window: &Window) {
    if window.fits {
        return;
    }
    let _ = writeln!(out, "\nDays that would fit together, each slice with a result file of its own (--results):");
    for slice in window.slices.iter().take(SLICES) {
        let fits = if slice.fits { "" } else { ": too long even for a run of its own" };
        let (visits, time) = (count(slice.visits, "visit", "visits"), window.reading + window.sending(slice.visits));
        let _ = writeln!(out, "  --from {} --to {}   {visits}, about {}{fits}", slice.from, slice.to, duration(time));
    }
    and_more(out, "  ", window.slices.len() as u64, SLICES);
}

pub(super) fn orphans(out: &mut String, report: &CheckReport) {
    if report.orphans == 0 {
        return;
    }
    let _ = writeln!(out, "\n{} to no visit of the export:", count(report.orphans, "scene belongs", "scenes belong"));
    for orphan in report.first_orphans.iter().take(ORPHANS) {
        let _ = writeln!(out, "  {:?} ({})", orphan.visit_id, orphan.location);
    }
    and_more(out, "  ", report.orphans, ORPHANS);
}

pub(super) fn problems(out: &mut String, report: &CheckReport) {
    if !report.problems.is_empty() {
        let visits = report.invalid + report.reused_keys_delivered;
        let _ = writeln!(out, "\nProblems of {}:", count(visits, "visit", "visits"));
    }
    for (code, found) in &report.problems {
        let _ = writeln!(out, "  {code} ({}) - {}", grouped(found.count), code.hint());
        for example in &found.examples {
            let _ = writeln!(out, "    {example}");
        }
        and_more(out, "    ", found.count, found.examples.len());
    }
}

fn verdict(out: &mut String, report: &CheckReport) {
    let (invalid, rows) = (report.invalid, report.result_rows);
    let _ = if rows == 0 {
        writeln!(out, "\nA run would send nothing: {}.", no_visits(report.left_out, report.filters))
    } else if report.exit == Exit::TooManyInvalid {
        let (share, most) = (of_visits(invalid, rows, "is", "are"), report.max_invalid);
        writeln!(out, "\nA run would send nothing: {share} invalid, more than max_invalid = {most}.")
    } else if invalid > 0 {
        writeln!(out, "\nA run would send the valid visits and leave the invalid ones in the result file.")
    } else if report.reused_keys_delivered > 0 {
        let not_sent = count(
            report.reused_keys_delivered,
            "visit under whose key Trax keeps another one",
            "visits under whose keys Trax keeps others",
        );
        writeln!(out, "\nA run would end with 3 and not send {not_sent}.")
    } else {
        return;
    };
}

fn and_more(out: &mut String, indent: &str, all: u64, shown: usize) {
    let more = all.saturating_sub(shown as u64);
    if more > 0 {
        let _ = writeln!(out, "{indent}… and {} more", grouped(more));
    }
}

/// What to know at the end of a check whose upload takes several runs.
pub(crate) fn window_warning(window: &Window) -> Option<String> {
    let left = window.visits.saturating_sub(window.holds);
    (left > 0).then(|| {
        format!(
            "a run of at most {} would not send everything: about {} would be left for reruns",
            duration(window.longest),
            count(left, "visit", "visits")
        )
    })
}
