//! The way of every run, on one screen: claim, read, survey, begin, deliver, finish.
//!
//! Nothing is sent before everything is read and checked. What differs between runs is in [`RunInputs`].

use super::deliver::{Counters, Dispatch, deliver};
use super::earlier::{Earlier, Sources};
use super::result_file::{ResultFile, manifest};
use super::run_inputs::RunInputs;
use super::run_report::run_report;
use super::run_visits::{Opened, RunVisits};
use super::settle::Settling;
use super::survey::Survey;
use super::suspicions::{is_refused, judge};
use super::token::token;
use super::{AppError, Context, Event, accounting};
use crate::job::Job;
use crate::ledger::{OwnRows, TodayBuilder};
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
    let opened = Opened::open(cx, job).map_err(|error| cx.unless_stopped(error))?;
    cx.warn_all(&job.warnings);
    let (paths, inputs, sha256) = (opened.paths(cx, job), opened.inputs(job), opened.sha256());
    file.refuse_other_visits(sha256.as_deref())?;
    let settling = opened.settling(job);
    let sources = file.sources(job, &inputs);
    let read_visits = |today: Option<&mut TodayBuilder>| opened.read(cx, job, run.selection, today);
    let (visits, earlier) = read(job, sources, read_visits, RunVisits::pieces)?;
    let mut survey = survey_outstanding(cx, run, &file, &visits, &earlier, &settling)?;
    Http::check(&job.reached(), &token)?;

    let counters = Counters::default();
    let so_far = run_report(cx, run, &file.path, &visits, &survey, &earlier, &counters);
    // From here on a signal finds something begun, and it is ended as a run is. One that came just before ends it here.
    cx.emit(Event::Sending);
    cx.go_on()?;
    let marks = std::mem::take(&mut survey.known.marks).into_iter().collect();
    let begun = manifest(cx, run, (&inputs, sha256.as_ref()), &so_far, false);
    let journal = file.begin(cx, &begun, &paths, &earlier, &marks, &counters.counts)?;
    let too_many_invalid = job.max_invalid.is_exceeded(survey.invalid_in_exports(), survey.rows());

    let started = Instant::now();
    let rows = survey.rows() + earlier.gone_and_kept();
    let task = &|partition, visit| earlier.task(partition, visit);
    let dispatch = Dispatch { cx, job, visits: &visits, task, earlier: &earlier, rows, counters: &counters };
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
    accounting::visits(&survey.tally, &counters.counts, kept, earlier.gone_and_kept(), &file.path)?;
    cx.warn_all(&earlier.answers().warnings());
    let report = run_report(cx, run, &file.path, &visits, &survey, &earlier, &counters);
    let exit = Exit::of_run(cx.stop.reason(), too_many_invalid, report.needs_nothing());
    let report = RunReport { exit, sending, ..report };
    file.finish(manifest(cx, run, (&inputs, sha256.as_ref()), &report, true), journal)?;
    Ok(report)
}

/// Builds every outstanding visit once, and refuses what may not be sent.
fn survey_outstanding(
    cx: &Context,
    run: &RunInputs<'_>,
    file: &ResultFile,
    visits: &RunVisits,
    earlier: &Earlier,
    settling: &Settling,
) -> Result<Survey, AppError> {
    cx.warn_all(&visits.remarks().warnings);
    let survey = visits.survey(cx, run.job, earlier)?;
    cx.go_on()?;
    let mut suspicions = survey.suspicions(&visits.remarks().suspicions);
    suspicions.extend(survey.suspicions_of_earlier_runs(earlier, || visits.has_keys_told_apart_by_case())?);
    suspicions.extend(file.without_lock());
    let sends_nothing = survey.rows() == 0
        || is_refused(run.job, &suspicions)
        || run.job.max_invalid.is_exceeded(survey.invalid_in_exports(), survey.rows());
    suspicions.extend(settling.wait(cx, sends_nothing)?);
    cx.go_on()?;
    judge(cx, run.job, suspicions)?;
    if survey.rows() == 0 && !run.options.allow_empty {
        return Err(visits.none(survey.tally.visits_left_out));
    }
    cx.warn_all(&survey.warnings(visits.is_flat()));
    accounting::scenes(&survey.tally, survey.grouped_scenes)?;
    cx.warn_all(&earlier.warnings());
    cx.warn_all(&survey.warnings_of_earlier_runs(earlier));
    Ok(survey)
}

/// Reads the visits, and beside them the rows of the own result path; then, of the rows of other runs, those of visits that are
/// there. `pieces`: in how many they come.
pub(super) fn read<V>(
    job: &Job,
    sources: Sources,
    read_visits: impl FnOnce(Option<&mut TodayBuilder>) -> Result<V, AppError>,
    pieces: impl FnOnce(&V) -> usize,
) -> Result<(V, Earlier), AppError> {
    let mut today = sources.today(job);
    let hashing = today.as_ref().map(|today| today.hashing().clone());
    let (visits, own) = in_parallel(
        || read_visits(today.as_mut()),
        || hashing.as_ref().map_or(Ok(OwnRows::default()), |hashing| Ok(sources.read_own(hashing)?)),
    )?;
    let today = today.map(TodayBuilder::finish).zip(hashing);
    let earlier = Earlier::read(job, sources, own, today, pieces(&visits));
    Ok((visits, earlier))
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
