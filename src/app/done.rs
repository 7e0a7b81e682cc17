//! `--continue` where the exports are gone: nothing is outstanding where everything was delivered, and the exports of a
//! night need not lie there for ever.

use super::result_file::{is_of_job, same_target};
use super::run_inputs::RunInputs;
use super::run_report::report_of_nothing;
use super::{Context, Event};
use crate::build::Code;
use crate::outcome::{Exit, Status};
use crate::results::{Manifest, beside, read, resolve_path};
use crate::scan::{Export, ScanError, Source};
use crate::summary::{ByStatus, RunReport};

/// What a run comes to whose exports are not there: `None` unless the result file of the same day shows all visits that the
/// options choose, and that they were delivered.
pub(super) fn done_before(cx: &Context, run: &RunInputs<'_>) -> Option<RunReport> {
    let job = run.job;
    // Other paths do not say of which day the exports were.
    job.nights.as_ref()?;
    // One that is late is not gone.
    if ![&job.visits, &job.scenes].into_iter().all(is_gone) {
        return None;
    }
    let results = resolve_path(&job.results).ok()?;
    let manifest = Manifest::read(&results).ok()?;
    let is_ours =
        is_of_job(cx, job, &manifest) && same_target(job, &manifest) && manifest.options.chooses_as(&run.options);
    if !is_ours || manifest.end().is_none() || beside(&results, "partial").exists() {
        return None;
    }
    let (mut rows, mut needs_a_look) = ([0; Status::ALL.len()], false);
    let damaged = read(&results, |row| {
        if let Some(at) = Status::ALL.iter().position(|status| Some(*status) == row.status()) {
            rows[at] += 1;
        }
        needs_a_look |= row.error_code() == Code::ReusedKey.name();
    });
    let visits =
        ByStatus::new(|status| Status::ALL.iter().zip(rows).find(|(of, _)| **of == status).map_or(0, |(_, n)| n));
    let all = visits.total();
    if damaged.ok()? > 0 || needs_a_look || visits.delivered() < all || manifest.rows() != Some(all) {
        return None;
    }
    cx.emit(Event::Note("the exports are gone, and everything that they had was delivered before"));
    Some(RunReport {
        exit: Exit::Done,
        result_rows: all,
        carried_over: all,
        carried_over_not_in_exports: all,
        visits,
        ..report_of_nothing(cx, run, &results)
    })
}

fn is_gone(source: &Source) -> bool {
    source.command.is_none()
        && matches!(Export::open(source.clone()), Err(ScanError::Missing { .. } | ScanError::NothingMatches { .. }))
}
