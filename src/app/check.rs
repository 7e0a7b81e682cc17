//! `check`: everything that a run does before it sends, and what it has found.

use super::bodies::{BodiesTarget, WrittenBodies};
use super::destination::Destination;
use super::exports::{Exports, GroupedVisits};
use super::orphans::OrphansTarget;
use super::result_file::sources_of_check;
use super::settle::Settling;
use super::survey::{Bodies, Survey, survey};
use super::suspicions::judge;
use super::{AppError, Context, JobRequest, accounting, clock, pipeline, unwanted};
use crate::build::Glance;
use crate::job::Job;
use crate::ledger::TodayBuilder;
use crate::outcome::Exit;
use crate::summary::{CheckReport, FirstVisit, Orphan, Window};
use chrono::{DateTime, SecondsFormat};
use std::time::Duration;

/// What [`check`] is asked for.
#[derive(Debug, Default)]
pub struct CheckRequest<'a> {
    /// The job and what is different about it this time.
    pub job: JobRequest,
    /// Where the body of every valid visit goes, one per line, as it would be sent.
    pub payloads: Option<Destination<'a>>,
    /// Where the scenes of no visit go, as CSV.
    pub orphans: Option<Destination<'a>>,
}

/// Reads and checks the exports of a job. Nothing goes over the network.
///
/// # Errors
/// Where the job or its exports cannot be read. Problems of visits are not errors: they are in the report.
pub fn check(cx: &Context, request: CheckRequest<'_>) -> Result<CheckReport, AppError> {
    clock::check(cx)?;
    let selection = request.job.selection.check()?;
    let job = request.job.load(cx)?;
    let exports = Exports::open(cx, &job)?;
    cx.warn_all(&job.warnings);
    // Before anything is read, which may take minutes.
    let bodies = request.payloads.map(|payloads| BodiesTarget::new(cx, payloads, &job)).transpose()?;
    let orphans = match request.orphans {
        Some(orphans) => Some(OrphansTarget::new(cx, orphans, &job, &exports.paths(cx, &job))?),
        None => None,
    };
    let settling = Settling::new(&job, &exports);
    let exports = exports.keeping_orphans(orphans.is_some());
    let read_visits = |today: Option<&mut TodayBuilder>| exports.read(cx, &job, selection, today);
    let (visits, earlier) =
        pipeline::read(&job, sources_of_check(&job)?, read_visits, |visits| visits.shuffled.partitions())?;
    cx.warn_all(&visits.remarks.warnings);
    let survey_all = |bodies: Option<Bodies<'_>>| survey(&visits, &job.rules, cx.now.timestamp(), &earlier, bodies);
    let (survey, bodies) = match bodies {
        None => (survey_all(None)?, None),
        Some(bodies) => bodies.write(|take| survey_all(Some(take)))?,
    };
    let mut suspicions = survey.suspicions(&visits.remarks.suspicions);
    suspicions.extend(survey.suspicions_of_earlier_runs(&earlier, || visits.has_keys_told_apart_by_case())?);
    judge(cx, &job, suspicions)?;
    // Bodies of exports that look wrong replace nothing.
    bodies.map_or(Ok(()), WrittenBodies::put)?;
    cx.warn_all(&settling.warning());
    if let Some(orphans) = orphans {
        orphans.write(&job, &visits)?;
    }
    accounting::scenes(&survey.tally, survey.grouped_scenes)?;
    cx.warn_all(&survey.warnings(visits.is_flat));
    cx.warn_all(&earlier.warnings());
    cx.warn_all(&survey.warnings_of_earlier_runs(&earlier));
    Ok(check_report(cx, &job, &survey, &visits, request.job.allow_empty))
}

pub(super) fn check_report(
    cx: &Context,
    job: &Job,
    survey: &Survey,
    visits: &GroupedVisits,
    allow_empty: bool,
) -> CheckReport {
    let tally = &survey.tally;
    let window = |longest| Window::new(longest, cx.elapsed(), job.upload.rate, &survey.by_day);
    CheckReport {
        command: "check",
        job: job.name.clone(),
        rows_read: tally.visit_rows,
        identical_duplicates: tally.identical_duplicates,
        left_out: tally.visits_left_out,
        filters: visits.filters,
        left_out_values: unwanted::listed(&visits.remarks.unwanted),
        result_rows: survey.rows(),
        valid: survey.valid,
        invalid: survey.invalid + survey.known.reused,
        delivered_before: survey.known.visits,
        changed_since_delivery: survey.known.changed,
        reused_keys: survey.known.reused + survey.known.reused_own,
        reused_keys_delivered: survey.known.reused_own,
        problems: survey.problems(),
        scene_rows: tally.scenes_read(),
        orphans: tally.orphans,
        identical_scenes: survey.identical_scenes,
        unreadable_scenes: tally.unreadable,
        coverage: survey.coverage.fields(&job.rules),
        first_visit_date: survey.by_day.first_key_value().map(|(day, _)| *day),
        last_visit_date: survey.by_day.last_key_value().map(|(day, _)| *day),
        first_visit: survey.first().map(first_visit),
        upload: Duration::from_secs_f64(survey.valid as f64 / job.upload.rate),
        window: job.max_duration.filter(|_| survey.valid > 0).map(window),
        exit: exit(survey, job, allow_empty),
        is_flat: visits.is_flat,
        first_orphans: tally
            .orphan_places
            .iter()
            .map(|(location, visit_id)| Orphan { visit_id: visit_id.clone(), location: location.to_string() })
            .collect(),
        body_bytes: survey.body_bytes,
        rate: job.upload.rate,
        max_invalid: job.max_invalid,
    }
}

fn exit(survey: &Survey, job: &Job, allow_empty: bool) -> Exit {
    let rows = survey.rows();
    if rows == 0 {
        return if allow_empty { Exit::Done } else { Exit::NoVisits };
    }
    let known = &survey.known;
    match survey.invalid + known.reused + known.reused_own - known.reused_before {
        0 => Exit::Done,
        _ if job.max_invalid.is_exceeded(survey.invalid_in_exports(), rows) => Exit::TooManyInvalid,
        _ => Exit::NotAllDelivered,
    }
}

fn first_visit(glance: &Glance) -> FirstVisit {
    let Glance { identity, start, on_the_wall } = glance;
    let start = DateTime::from_timestamp(*start, 0).map(|time| time.to_rfc3339_opts(SecondsFormat::Secs, true));
    FirstVisit {
        visit_id: identity.visit_id.clone(),
        store_number: identity.store_number.clone(),
        visit_date: identity.visit_date.clone(),
        session_start_time: start.unwrap_or_default(),
        local_start_time: on_the_wall.as_ref().map(|(_, time)| time.clone()),
        timezone: on_the_wall.as_ref().map(|(zone, _)| zone.clone()),
        scenes: identity.scenes,
        source: identity.source.to_string(),
    }
}
