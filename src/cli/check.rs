//! `traxload check`: everything that `run` does before it sends, and a report of it.

use super::accounting;
use super::bodies_file::BodiesFile;
use super::exit::{Exit, Failure};
use super::exports::{Opened, no_visits};
use super::survey::{Bodies, Survey, survey};
use super::text::{count, duration, grouped, rate};
use super::window::Window;
use super::{CheckArgs, Console};
use crate::build::Glance;
use crate::job::Job;
use crate::shuffle::Tally;
use chrono::{DateTime, Utc};
use serde_json::json;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// Orphans that the report lists.
const ORPHANS: usize = 10;

/// `began`: the start of the process, by which it is told how long reading takes.
pub(super) fn check(args: &CheckArgs, now: DateTime<Utc>, began: Instant, console: &Console) -> Result<Exit, Failure> {
    let job = Job::load(&args.job.job, &args.job.options(now))?;
    let opened = Opened::new(&job)?;
    for warning in &job.warnings {
        console.warn(warning);
    }
    // Before anything is read, which may take minutes.
    let bodies = args.payloads.as_deref().map(|path| BodiesFile::new(path, &job.results, args.job.json)).transpose()?;
    let selection = args.job.selection()?;
    let exports = opened.read(&job, &selection, now.timestamp())?;
    for warning in &exports.warnings {
        console.warn(warning);
    }
    let survey_all =
        |bodies: Option<Bodies<'_>>| survey(&exports, &job.rules, now.timestamp(), &|_, range| range.collect(), bodies);
    let survey = match &bodies {
        None => survey_all(None)?,
        Some(bodies) => bodies.write(&survey_all)?,
    };
    accounting::scenes(&survey.tally, survey.grouped_scenes)?;
    let exit = exit(&survey, &job, args.job.allow_empty);
    for warning in survey.warnings(exports.flat) {
        console.warn(&warning);
    }
    let window = |longest| Window::new(longest, began.elapsed(), job.upload.rate, &survey.by_day);
    let window = job.max_duration.filter(|_| survey.valid > 0).map(window);
    let first = survey.first();
    let summary = summary(&job, &survey, first, window.as_ref(), exit);
    console.finish(&report(&job, exports.flat, &survey, first, window.as_ref()), &summary);
    // At the end, where it is seen: check ends with 0 all the same, for reruns send the rest.
    if let Some(warning) = window.as_ref().and_then(Window::warning) {
        console.warn(&warning);
    }
    if console.is_quiet() && exit == Exit::NoVisits {
        console.error(&format!("{}: {}", job.name, no_visits(&survey.tally)));
    } else if console.is_quiet() && exit != Exit::Done {
        console.error(&format!(
            "{}: {} of {} visits are invalid; without --quiet the problems are listed",
            job.name,
            survey.invalid,
            survey.rows()
        ));
    }
    if args.job.json {
        console.data(&summary.to_string())?;
    }
    Ok(exit)
}

fn exit(survey: &Survey, job: &Job, allow_empty: bool) -> Exit {
    let rows = survey.rows();
    if rows == 0 {
        return if allow_empty { Exit::Done } else { Exit::NoVisits };
    }
    match survey.invalid {
        0 => Exit::Done,
        invalid if job.max_invalid.is_exceeded(invalid, rows) => Exit::TooManyInvalid,
        _ => Exit::NotAllDelivered,
    }
}

fn report(job: &Job, flat: bool, survey: &Survey, first: Option<&Glance>, window: Option<&Window>) -> String {
    let tally = &survey.tally;
    let rows = survey.rows();
    let mut out = String::new();
    let _ = writeln!(out, "{}: {} to send", job.name, count(survey.valid, "visit", "visits"));
    let _ = writeln!(out, "  visit rows   {}", grouped(tally.visit_rows));
    if tally.visits_left_out > 0 {
        let _ = writeln!(out, "  left out     {} by `only`, dates or the limit", grouped(tally.visits_left_out));
    }
    if tally.identical_duplicates > 0 {
        let why = if flat { "" } else { ": rows that say the same as an earlier one count once" };
        let _ = writeln!(out, "  duplicates   {}{why}", grouped(tally.identical_duplicates));
    }
    let _ = writeln!(out, "  scene rows   {}", grouped(tally.scenes_read()));
    if survey.identical_scenes > 0 {
        let _ = writeln!(out, "  duplicates   {} identical scene rows count once", grouped(survey.identical_scenes));
    }
    if tally.unreadable > 0 {
        let _ =
            writeln!(out, "  unreadable   {} passed over", count(tally.unreadable, "scene row is", "scene rows are"));
    }
    let _ = writeln!(out, "  valid        {}", grouped(survey.valid));
    let _ = writeln!(out, "  invalid      {}", grouped(survey.invalid));
    as_read(&mut out, survey, first);
    if survey.valid > 0 {
        let time = Duration::from_secs_f64(survey.valid as f64 / job.upload.rate);
        let mean = survey.body_bytes / survey.valid;
        let _ =
            writeln!(out, "  upload       about {} at {}, {mean} bytes a visit", duration(time), rate(job.upload.rate));
    }
    if let Some(window) = window {
        out.push_str(&window.text());
    }
    if let Some(slices) = window.and_then(Window::slices_text) {
        out.push_str(&slices);
    }
    orphans(&mut out, tally);
    if !survey.problems.is_empty() {
        let _ = writeln!(out, "\nProblems of {}:", count(survey.invalid, "visit", "visits"));
    }
    for (code, found) in &survey.problems {
        let _ = writeln!(out, "  {code} ({}) - {}", grouped(found.count), code.hint());
        for example in &found.examples {
            let _ = writeln!(out, "    {}", example.text);
        }
        let more = found.count - found.examples.len() as u64;
        if more > 0 {
            let _ = writeln!(out, "    … and {} more", grouped(more));
        }
    }
    if rows == 0 {
        let _ = writeln!(out, "\nA run would send nothing: {}.", no_visits(tally));
    } else if job.max_invalid.is_exceeded(survey.invalid, rows) {
        let _ = writeln!(
            out,
            "\nA run would send nothing: {} of {} visits are invalid, more than max_invalid = {}.",
            grouped(survey.invalid),
            grouped(rows),
            job.max_invalid
        );
    } else if survey.invalid > 0 {
        let _ = writeln!(out, "\nA run would send the valid visits and leave the invalid ones in the result file.");
    }
    out
}

fn orphans(out: &mut String, tally: &Tally) {
    if tally.orphans == 0 {
        return;
    }
    let _ = writeln!(out, "\n{} to no visit of the export:", count(tally.orphans, "scene belongs", "scenes belong"));
    for (place, key) in tally.orphan_places.iter().take(ORPHANS) {
        let _ = writeln!(out, "  {key:?} ({place})");
    }
    let more = tally.orphans.saturating_sub(ORPHANS as u64);
    if more > 0 {
        let _ = writeln!(out, "  … and {} more", grouped(more));
    }
}

/// What shows that day and month are swapped, or the zone is wrong, which no check of single values finds.
fn as_read(out: &mut String, survey: &Survey, first: Option<&Glance>) {
    let days = survey.by_day.first_key_value().zip(survey.by_day.last_key_value());
    if let Some(((first, _), (last, _))) = days {
        let _ = match first == last {
            true => writeln!(out, "  dates        all of {first}"),
            false => writeln!(out, "  dates        {first} to {last}"),
        };
    }
    let Some(Glance { identity, start, on_the_wall }) = first else { return };
    let wall = match on_the_wall {
        Some((zone, time)) if zone != "UTC" => format!(", in {zone} {time}"),
        _ => String::new(),
    };
    let _ = writeln!(
        out,
        "  first visit  {:?}, store {:?}, {}, {}\n               starts {}{wall}",
        identity.visit_id,
        identity.store_number,
        identity.visit_date,
        count(u64::from(identity.scenes), "scene", "scenes"),
        in_utc(*start),
    );
}

fn in_utc(epoch: i64) -> String {
    DateTime::from_timestamp(epoch, 0)
        .map(|time| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true))
        .unwrap_or_default()
}

fn first_in_json(glance: &Glance) -> serde_json::Value {
    let Glance { identity, start, on_the_wall } = glance;
    json!({
        "visit_id": identity.visit_id,
        "store_number": identity.store_number,
        "visit_date": identity.visit_date,
        "session_start_time": in_utc(*start),
        "local_start_time": on_the_wall.as_ref().map(|(_, time)| time),
        "timezone": on_the_wall.as_ref().map(|(zone, _)| zone),
        "scenes": identity.scenes,
        "source": identity.source.to_string(),
    })
}

fn summary(
    job: &Job,
    survey: &Survey,
    first: Option<&Glance>,
    window: Option<&Window>,
    exit: Exit,
) -> serde_json::Value {
    let tally = &survey.tally;
    let problems: serde_json::Map<_, _> =
        survey.problems.iter().map(|(code, found)| (code.name().to_owned(), json!(found.count))).collect();
    json!({
        "command": "check",
        "job": job.name,
        "rows_read": tally.visit_rows,
        "identical_duplicates": tally.identical_duplicates,
        "left_out": tally.visits_left_out,
        "result_rows": survey.rows(),
        "valid": survey.valid,
        "invalid": survey.invalid,
        "problems": problems,
        "scene_rows": tally.scenes_read(),
        "orphans": tally.orphans,
        "identical_scenes": survey.identical_scenes,
        "unreadable_scenes": tally.unreadable,
        "first_visit_date": survey.by_day.first_key_value().map(|(day, _)| day.to_string()),
        "last_visit_date": survey.by_day.last_key_value().map(|(day, _)| day.to_string()),
        "first_visit": first.map(first_in_json),
        "upload_seconds": survey.valid as f64 / job.upload.rate,
        "window": window.map(Window::json),
        "exit_code": exit.code(),
    })
}
