//! The nights that a daily job has missed, and `--catch-up`, which makes up for them.

use super::result_file::{Beginning, is_of_job, same_target};
use super::run::run_of_a_day;
use super::{AppError, Context, Event, RunRequest, clock};
use crate::job::{DateArg, Job};
use crate::outcome::{Exit, Status};
use crate::results::{Manifest, beside, resolve_path};
use crate::scan::{Export, ScanError};
use crate::summary::RunReport;
use chrono::{Days, NaiveDate};
use std::path::Path;

/// So many days back, a missed night is looked for.
pub const LONGEST_CATCH_UP: u64 = 31;
/// So many missed nights are named.
const MOST_NAMED: usize = 7;
/// So many days back, the job is known to have run at all.
const LONGEST_REST: u64 = 10 * 366;

/// `run --date D --continue` for each of the last `days` that was missed, oldest first, and then for the day of the request.
///
/// `ended` takes the end of each, and says how that run exits. The runs after one that ended with 1, 2, 5, 6, 7 or by a signal are left out: what ended it
/// would end them too, or a person wants it to end.
///
/// # Returns
/// The exit of the run that ended it all, else the highest one.
///
/// # Errors
/// The job cannot be loaded, or is none of a single day.
pub fn catch_up(
    cx: &Context,
    request: &RunRequest,
    days: u64,
    mut ended: impl FnMut(Result<RunReport, AppError>) -> Exit,
) -> Result<Exit, AppError> {
    clock::check(cx)?;
    let job = request.job.load(cx)?;
    let Some(today) = job.date.filter(|_| job.nights.is_some()) else { return Err(AppError::NotDaily) };
    let missed = missed(cx, request, &job, LONGEST_CATCH_UP);
    let is_in_reach = |day: &&NaiveDate| today - **day <= chrono::TimeDelta::days(days as i64);
    let (made_up_for, left): (Vec<&NaiveDate>, Vec<&NaiveDate>) = missed.iter().partition(is_in_reach);
    warn_of_missed(cx, &left.into_iter().copied().collect::<Vec<_>>(), today);
    let mut highest = Exit::Done;
    for day in made_up_for.into_iter().chain([&today]) {
        if *day != today {
            cx.emit(Event::Note(&format!("making up for {day}")));
        }
        let mut request = request.clone();
        request.job.date = Some(DateArg::Day(*day));
        request.beginning = Beginning::Continue;
        let exit = ended(run_of_a_day(cx, &request));
        if ends_all(exit) || cx.stop.reason().is_some() {
            if *day != today {
                cx.warn(&format!("the days after {day}, to {today}, were not tried"));
            }
            return Ok(exit);
        }
        if exit.code() > highest.code() {
            highest = exit;
        }
    }
    Ok(highest)
}

/// Whether the nights after one that ended so would end likewise.
fn ends_all(exit: Exit) -> bool {
    !matches!(exit, Exit::Done | Exit::NotAllDelivered | Exit::TooManyInvalid | Exit::NoVisits)
}

/// Says which nights before the day of a run were missed.
pub(super) fn warn_of_missed_nights(cx: &Context, request: &RunRequest, job: &Job) {
    if let Some(day) = job.date {
        warn_of_missed(cx, &missed(cx, request, job, LONGEST_CATCH_UP), day);
    }
}

fn warn_of_missed(cx: &Context, missed: &[NaiveDate], today: NaiveDate) {
    let Some(first) = missed.first() else { return };
    let named: Vec<String> = missed.iter().take(MOST_NAMED).map(NaiveDate::to_string).collect();
    let more = match missed.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (has, them) = if missed.len() == 1 { ("has an export", "it") } else { ("have exports", "them") };
    let back = (today - *first).num_days();
    cx.warn(&format!(
        "{}{more} {has} and no finished result file; to make up for {them}, add --catch-up {back}d",
        named.join(", "),
    ));
}

/// The days that have an export and no finished result file, oldest first: those that come after the oldest result file.
fn missed(cx: &Context, request: &RunRequest, job: &Job, most: u64) -> Vec<NaiveDate> {
    let (Some(today), Some(nights)) = (job.date, &job.nights) else { return Vec::new() };
    let day = |back: u64| today.checked_sub_days(Days::new(back));
    let results = |back: u64| nights.results(day(back)?);
    let is_finished = |back: &u64| results(*back).is_some_and(|path| is_finished(cx, request, job, &path));
    // A night that was begun and killed was missed, too.
    let is_begun = |back: &u64| results(*back).is_some_and(|path| path.exists() || beside(&path, "partial").exists());
    let Some(oldest) = (1..=most).rev().find(is_begun) else {
        return match (most + 1..=LONGEST_REST).any(|back| is_begun(&back)) {
            true => (1..=most).rev().filter_map(day).filter(|day| has_export(cx, request, *day)).collect(),
            false => Vec::new(),
        };
    };
    let without = (1..=oldest).rev().filter(|back| !is_finished(back)).filter_map(day);
    without.filter(|day| has_export(cx, request, *day)).collect()
}

/// Whether a run of the day came to its end: of this job, to the same place, with all of its visits, and stopped by nothing.
fn is_finished(cx: &Context, request: &RunRequest, job: &Job, results: &Path) -> bool {
    if !results.exists() || beside(results, "partial").exists() {
        return false;
    }
    let Ok(results) = resolve_path(results) else { return true };
    // Without its manifest nothing says how it ended, and a run would refuse the file.
    let Ok(manifest) = Manifest::read(&results) else { return true };
    let wanted = request.job.manifest_options(None);
    let then = &manifest.options;
    let is_whole = (&then.from, &then.to, then.limit) == (&wanted.from, &wanted.to, wanted.limit);
    let came_to_its_end = manifest
        .exit_code
        .is_none_or(|code| [Exit::Done, Exit::NotAllDelivered].iter().any(|exit| exit.code() == code))
        && manifest.counts.get(Status::NotAttempted.name()).is_none_or(|visits| *visits == 0);
    is_whole && came_to_its_end && is_of_job(cx, job, &manifest) && same_target(job, &manifest)
}

/// Whether there are visits to read of a day. What a command would print is not known, and is taken for some.
fn has_export(cx: &Context, request: &RunRequest, day: NaiveDate) -> bool {
    let mut request = request.job.clone();
    request.date = Some(DateArg::Day(day));
    let Ok(job) = request.load(cx) else { return false };
    job.visits.command.is_some()
        || !matches!(
            Export::open(job.visits),
            Err(ScanError::Missing { .. } | ScanError::NothingMatches { .. } | ScanError::Storage { .. })
        )
}
