//! Makes the report of a run from its counters.

use super::deliver::Counters;
use super::earlier::Earlier;
use super::run_inputs::RunInputs;
use super::run_visits::RunVisits;
use super::survey::Survey;
use super::{Context, unwanted};
use crate::job::Target;
use crate::outcome::Exit;
use crate::summary::{ByStatus, Filters, RunReport, UndeliveredCause};
use std::path::Path;
use std::time::Duration;

/// What a run has come to so far. How it ends is not known here.
pub(super) fn run_report(
    cx: &Context,
    run: &RunInputs<'_>,
    results: &Path,
    visits: &RunVisits,
    survey: &Survey,
    earlier: &Earlier,
    counters: &Counters,
) -> RunReport {
    let Counters { counts, traffic } = counters;
    let (job, tally, answers) = (run.job, &survey.tally, earlier.answers());
    let reused_keys_delivered = survey.known.reused_own + answers.reused();
    let causes = counts.causes().into_iter().map(|((status, code), cause)| UndeliveredCause {
        status,
        error_code: code.into_owned(),
        count: cause.count,
        from_earlier_run: cause.earlier,
        examples: cause.examples,
    });
    RunReport {
        rows_read: tally.visit_rows,
        identical_duplicates: tally.identical_duplicates,
        left_out: tally.visits_left_out,
        filters: visits.filters(),
        left_out_values: unwanted::listed(&visits.remarks().unwanted),
        result_rows: counts.rows(),
        visits: ByStatus::new(|status| counts.get(status)),
        carried_over: counts.carried_over(),
        carried_over_not_in_exports: earlier.gone_and_kept(),
        undelivered_not_in_exports: earlier.undelivered_and_gone(),
        forgot_gone: earlier.forgets_gone(),
        delivered_before: survey.known.elsewhere,
        changed_since_delivery: survey.known.changed + answers.changed(),
        reused_keys: survey.known.reused + reused_keys_delivered,
        reused_keys_known: survey.known.reused_before,
        reused_keys_delivered,
        unexplained_409: answers.unexplained(),
        scene_rows: tally.scenes_read(),
        orphans: tally.orphans,
        identical_scenes: survey.identical_scenes,
        unreadable_scenes: tally.unreadable,
        coverage: if job.prepared.is_some() { Vec::new() } else { survey.coverage.fields(&job.rules) },
        causes: causes.collect(),
        requests: traffic.requests(),
        retries: traffic.retries(),
        rate_limited: traffic.rate_limited(),
        pauses: traffic.pauses(),
        ..report_of_nothing(cx, run, results)
    }
}

/// The report of a run that has read and sent nothing.
pub(super) fn report_of_nothing(cx: &Context, run: &RunInputs<'_>, results: &Path) -> RunReport {
    let job = run.job;
    RunReport {
        command: run.command,
        job: job.name.clone(),
        sandbox: job.target == Target::Sandbox,
        rows_read: 0,
        identical_duplicates: 0,
        left_out: 0,
        filters: Filters::default(),
        left_out_values: Vec::new(),
        result_rows: 0,
        visits: ByStatus::default(),
        carried_over: 0,
        carried_over_not_in_exports: 0,
        undelivered_not_in_exports: 0,
        forgot_gone: false,
        delivered_before: 0,
        changed_since_delivery: 0,
        reused_keys: 0,
        reused_keys_known: 0,
        reused_keys_delivered: 0,
        unexplained_409: 0,
        scene_rows: 0,
        orphans: 0,
        identical_scenes: 0,
        unreadable_scenes: 0,
        coverage: Vec::new(),
        causes: Vec::new(),
        requests: 0,
        retries: 0,
        rate_limited: 0,
        pauses: 0,
        elapsed: cx.elapsed(),
        results: results.to_owned(),
        stopped: cx.stop.reason(),
        exit: Exit::Unexpected,
        job_file: job.file.clone(),
        max_invalid: job.max_invalid,
        max_duration: job.max_duration,
        sending: Duration::ZERO,
    }
}
