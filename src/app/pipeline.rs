//! The way of every run, on one screen: claim, read, survey, begin, deliver, finish.
//!
//! Nothing is sent before everything is read and checked. What differs between runs is in [`RunInputs`].

use super::deliver::{Counters, Dispatch, deliver};
use super::earlier::Earlier;
use super::exports::{Exports, GroupedVisits};
use super::result_file::{ResultFile, manifest};
use super::run_inputs::RunInputs;
use super::run_report::run_report;
use super::settle::Settling;
use super::survey::{Survey, survey};
use super::suspicions::{is_refused, judge};
use super::token::token;
use super::{AppError, Context, Event, accounting};
use crate::outcome::{Exit, Status, StopReason};
use crate::summary::RunReport;
use crate::upload::Http;
use std::time::Instant;

/// Reads, checks and sends the visits of a job. `claim` gives the result file, before anything is read.
pub(super) fn send_all(
    cx: &Context,
    run: &RunInputs<'_>,
    claim: impl FnOnce() -> Result<ResultFile, AppError>,
) -> Result<RunReport, AppError> {
    let job = run.job;
    run.selection.check()?;
    let token = token(cx, job)?;
    let mut file = claim()?;
    cx.warn_all(file.warning.as_ref());
    let exports = Exports::open(cx, job).map_err(|error| cx.unless_stopped(error))?;
    cx.warn_all(&job.warnings);
    let (paths, inputs) = (exports.paths(cx, job), exports.inputs(job));
    let settling = Settling::new(job, &exports);
    let (visits, mut earlier) = in_parallel(|| exports.read(cx, job, run.selection), || file.earlier(job))?;
    let survey = survey_outstanding(cx, run, &file, &visits, &earlier, &settling)?;
    Http::check(&job.endpoint, &token)?;

    let counters = Counters::default();
    let so_far = run_report(cx, run, &file.path, &visits, &survey, &earlier, &counters);
    // From here on a signal finds something begun, and it is ended as a run is. One that came just before ends it here.
    cx.emit(Event::Sending);
    cx.go_on()?;
    let begun = manifest(cx, run, &inputs, &so_far, false);
    let journal = file.begin(cx, &begun, &paths, &mut earlier, &counters.counts)?;
    // Invalid visits whose rows stay as they are count as well: the share is that of the whole export.
    let invalid = survey.invalid + counters.counts.get(Status::Invalid);
    let too_many_invalid = job.max_invalid.is_exceeded(invalid, survey.rows());

    let started = Instant::now();
    let outstanding = &|grouped: &_, range| earlier.outstanding(grouped, range);
    let rows = survey.rows() + earlier.delivered_and_gone();
    let dispatch = Dispatch { cx, job, visits: &visits, outstanding, rows, counters: &counters };
    let delivered = deliver(&dispatch, (!too_many_invalid).then_some(token), journal);
    let sending = started.elapsed();
    cx.emit(Event::Sent);
    let (journal, kept) = delivered?;

    let unsent = counters.traffic.requests() == 0 && counters.counts.get(Status::NotAttempted) > 0;
    if let (Some(StopReason::TimeIsUp), Some(longest), true) = (cx.stop.reason(), job.max_duration, unsent) {
        file.give_back(journal)?;
        return Err(AppError::TimeIsUp(longest));
    }
    if cx.stop.reason() == Some(StopReason::Unusable) {
        if !counters.traffic.was_answered() {
            file.give_back(journal)?;
            return Err(AppError::Unusable(cx.stop.words().to_owned()));
        }
        cx.warn(cx.stop.words());
    }
    accounting::visits(&survey.tally, &counters.counts, kept, earlier.delivered_and_gone(), &file.path)?;
    let report = run_report(cx, run, &file.path, &visits, &survey, &earlier, &counters);
    let exit = Exit::of_run(cx.stop.reason(), too_many_invalid, report.undelivered() == 0);
    let report = RunReport { exit, sending, ..report };
    file.finish(manifest(cx, run, &inputs, &report, true), journal)?;
    Ok(report)
}

/// Builds every outstanding visit once, and refuses what may not be sent.
fn survey_outstanding(
    cx: &Context,
    run: &RunInputs<'_>,
    file: &ResultFile,
    visits: &GroupedVisits,
    earlier: &Earlier,
    settling: &Settling,
) -> Result<Survey, AppError> {
    cx.warn_all(&visits.remarks.warnings);
    // What was asked to end needs no survey.
    let outstanding =
        &|grouped: &_, range| if cx.go_on().is_ok() { earlier.outstanding(grouped, range) } else { Vec::new() };
    let survey = survey(visits, &run.job.rules, cx.now.timestamp(), outstanding, None)?;
    cx.go_on()?;
    let mut suspicions = survey.suspicions(&visits.remarks);
    suspicions.extend(file.without_lock());
    let sends_nothing = survey.rows() == 0
        || is_refused(run.job, &suspicions)
        || run.job.max_invalid.is_exceeded(survey.invalid, survey.rows());
    suspicions.extend(settling.wait(cx, sends_nothing)?);
    cx.go_on()?;
    judge(cx, run.job, suspicions)?;
    if survey.rows() == 0 && !run.options.allow_empty {
        return Err(AppError::NoVisits { left_out: survey.tally.visits_left_out, filters: visits.filters });
    }
    cx.warn_all(&survey.warnings(visits.is_flat));
    accounting::scenes(&survey.tally, survey.grouped_scenes)?;
    cx.warn_all(&earlier.warnings());
    earlier.refuse_changed_ids()?;
    Ok(survey)
}

/// Does two things at once: reading a million rows of earlier results takes a good part of the time of the exports.
fn in_parallel<A, B: Send>(
    here: impl FnOnce() -> Result<A, AppError>,
    there: impl FnOnce() -> Result<B, AppError> + Send,
) -> Result<(A, B), AppError> {
    std::thread::scope(|scope| {
        let there = scope.spawn(there);
        let here = here()?;
        Ok((here, there.join().map_err(|_| AppError::panicked("result file"))??))
    })
}
