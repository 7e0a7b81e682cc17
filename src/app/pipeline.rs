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
    let exports = Exports::open(cx, job)?;
    cx.warn_all(&job.warnings);
    let inputs = exports.inputs(cx, job);
    let settling = Settling::new(job, &exports);
    let (visits, mut earlier) = in_parallel(|| exports.read(cx, job, run.selection), || file.earlier(job))?;
    let survey = survey_outstanding(cx, run, &visits, &earlier, &settling)?;
    Http::check(&job.endpoint, &token)?;

    let counters = Counters::default();
    let so_far = run_report(cx, run, &file.path, &visits, &survey, &earlier, &counters);
    let journal = file.begin(cx, &manifest(cx, run, &so_far, false), &inputs, &mut earlier, &counters.counts)?;
    // Invalid visits whose rows stay as they are count as well: the share is that of the whole export.
    let invalid = survey.invalid + counters.counts.get(Status::Invalid);
    let too_many_invalid = job.max_invalid.is_exceeded(invalid, survey.rows());

    cx.emit(Event::Sending);
    let started = Instant::now();
    let outstanding = &|grouped: &_, range| earlier.outstanding(grouped, range);
    let rows = survey.rows() + earlier.delivered_and_gone();
    let dispatch = Dispatch { cx, job, visits: &visits, outstanding, rows, counters: &counters };
    let delivered = deliver(&dispatch, (!too_many_invalid).then_some(token), journal);
    let sending = started.elapsed();
    cx.emit(Event::Sent);
    let (journal, kept) = delivered?;

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
    file.finish(&manifest(cx, run, &report, true), journal)?;
    Ok(report)
}

/// Builds every outstanding visit once, and refuses what may not be sent.
fn survey_outstanding(
    cx: &Context,
    run: &RunInputs<'_>,
    visits: &GroupedVisits,
    earlier: &Earlier,
    settling: &Settling,
) -> Result<Survey, AppError> {
    cx.warn_all(&visits.remarks.warnings);
    let outstanding = &|grouped: &_, range| earlier.outstanding(grouped, range);
    let survey = survey(visits, &run.job.rules, cx.now.timestamp(), outstanding, None)?;
    let mut suspicions = survey.suspicions(&visits.remarks);
    let sends_nothing = survey.rows() == 0
        || is_refused(run.job, &suspicions)
        || run.job.max_invalid.is_exceeded(survey.invalid, survey.rows());
    suspicions.extend(settling.wait(cx, sends_nothing)?);
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
