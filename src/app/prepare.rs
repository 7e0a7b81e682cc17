//! `prepare`: what a run does until it sends, with the visits left in a folder: to be looked at, signed off, moved, and sent by
//! `upload`.

use super::check::check_report;
use super::earlier::Earlier;
use super::exports::{Exports, GroupedVisits};
use super::prepared_target::Target;
use super::settle::Settling;
use super::survey::survey;
use super::suspicions::judge;
use super::{AppError, Context, JobRequest, accounting, clock};
use crate::build::{Builder, CHUNKS_PER_THREAD, Visits, in_order};
use crate::job::{ExportsMeant, Job, MaxInvalid};
use crate::outcome::Exit;
use crate::prepared::{BatchBuilder, Seal, Writer, Written};
use crate::summary::{CheckReport, PrepareReport};
use crate::suspicion::SuspicionCode;
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use std::io;
use std::ops::{ControlFlow, Range};

/// What [`prepare`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct PrepareRequest {
    /// The job and what is different about it this time.
    pub job: JobRequest,
    /// The folder, on this machine, relative to [`Context::base_dir`], or in object storage.
    pub folder: String,
    /// Replaces a folder that an earlier call has left.
    pub overwrite: bool,
    /// The visits and the scenes of one bucket, as Parquet files, in place of the job's exports. Then no share of invalid
    /// visits is too large, none need be there, and what only whole exports show is not looked for.
    pub bucket: Option<[String; 2]>,
}

/// Reads and checks the exports of a job, and writes a folder of Parquet files with a row for each visit. Nothing goes over
/// the network but to object storage.
///
/// # Errors
/// Where the job or its exports cannot be read or look wrong, and where the folder cannot be written. Problems of visits are
/// no errors: they are in the report, and in the folder.
pub fn prepare(cx: &Context, request: &PrepareRequest) -> Result<PrepareReport, AppError> {
    clock::check(cx)?;
    let selection = request.job.selection.check()?;
    let is_bucket = request.bucket.is_some();
    let meant = request.bucket.clone().map_or(ExportsMeant::OfJob, ExportsMeant::Files);
    let mut job = request.job.load_for(cx, meant)?;
    if is_bucket {
        job.max_invalid = MaxInvalid::Percent(100.0);
    }
    let job = &job;
    // Before anything is read, which may take minutes.
    let target = Target::new(cx, &request.folder, request.overwrite)?;
    let exports = Exports::open(cx, job)?;
    cx.warn_all(&job.warnings);
    let settling = Settling::new(job, &exports);
    let visits = exports.read(cx, job, selection, None)?;
    cx.warn_all(&visits.remarks.warnings);
    let survey = survey(&visits, &job.rules, cx.now.timestamp(), &Earlier::default(), None)?;
    let mut suspicions = survey.suspicions(&visits.remarks.suspicions);
    if is_bucket {
        suspicions.retain(|suspicion| suspicion.code == SuspicionCode::UnreadableScenes);
    } else {
        suspicions.extend(settling.wait(cx, survey.rows() == 0)?);
    }
    judge(cx, job, suspicions)?;
    let allow_empty = request.job.allow_empty || is_bucket;
    if survey.rows() == 0 && !allow_empty {
        return Err(AppError::NoVisits { left_out: survey.tally.visits_left_out, filters: visits.filters });
    }
    cx.warn_all(&survey.warnings(visits.is_flat));
    accounting::scenes(&survey.tally, survey.grouped_scenes)?;

    let mut writer = target.writer()?;
    let rows = write(cx, job, &visits, &target, &mut writer)?;
    let written = writer.finish().map_err(|error| target.unwritten(error))?;
    if rows != survey.rows() {
        return Err(AppError::Bug(format!("{} visits were counted and {rows} written", survey.rows())));
    }
    let report = check_report(cx, job, &survey, &visits, allow_empty);
    let is_sealed = report.exit != Exit::TooManyInvalid;
    if is_sealed {
        seal(&written, report.valid, report.invalid).map_err(|error| target.unwritten(error))?;
    }
    Ok(PrepareReport {
        prepared: report.valid,
        folder: target.name().to_owned(),
        files: written.files,
        job_file: job.file.clone(),
        prepared_sha256: is_sealed.then_some(written.sha256),
        checked: CheckReport { command: "prepare", ..report },
    })
}

fn seal(written: &Written, prepared: u64, invalid: u64) -> io::Result<()> {
    let traxload = env!("CARGO_PKG_VERSION").to_owned();
    written.seal(&Seal { prepared_sha256: written.sha256.clone(), prepared, invalid, traxload })
}

/// Builds every visit once more, now into columns. Returns how many there are.
fn write(
    cx: &Context,
    job: &Job,
    visits: &GroupedVisits,
    target: &Target,
    writer: &mut Writer,
) -> Result<u64, AppError> {
    let mut rows = 0;
    visits.shuffled.each(|grouped| -> Result<(), AppError> {
        let builder = Builder::new(&job.rules, grouped, cx.now.timestamp());
        let mut written = Ok(());
        let _ = in_order(
            grouped.len(),
            CHUNKS_PER_THREAD,
            |range| columns(&builder, range),
            |columns| {
                written = columns.map_err(io::Error::other).and_then(|columns| {
                    rows += columns.num_rows() as u64;
                    writer.write(&columns)
                });
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        written.map_err(|source| target.unwritten(source))
    })?;
    Ok(rows)
}

fn columns(visits: &dyn Visits, range: Range<usize>) -> Result<RecordBatch, ArrowError> {
    let mut columns = BatchBuilder::default();
    for at in range {
        match visits.prepare(at) {
            Ok(visit) => columns.add_prepared(visit),
            Err(invalid) => columns.add_invalid(&invalid),
        }
    }
    columns.finish()
}
