//! `run`: the first run of a job's result file, or one that resumes the journal of a run that died.

use super::after::After;
use super::done::done_before;
use super::nights::warn_of_missed_nights;
use super::pipeline::send_all;
use super::result_file::{Beginning, ResultFile};
use super::run_inputs::RunInputs;
use super::{AppError, Context, JobRequest, clock};
use crate::job::Job;
use crate::summary::{RunCommand, RunReport};

/// What [`run`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// The job and what is different about it this time.
    pub job: JobRequest,
    /// What it does with a result file or a journal that is already there.
    pub beginning: Beginning,
}

/// Reads, checks and uploads the visits of a job, and writes the result file.
///
/// # Errors
/// Where nothing could be sent, or the result file cannot be written. A run that ends with a report has a result row for
/// every visit of the exports, whatever [`RunReport::exit`] says.
pub fn run(cx: &Context, request: &RunRequest) -> Result<RunReport, AppError> {
    clock::check(cx)?;
    let job = request.job.load(cx)?;
    warn_of_missed_nights(cx, request, &job);
    run_job(cx, request, &job)
}

/// The run of a day, without a word about other days.
pub(super) fn run_of_a_day(cx: &Context, request: &RunRequest) -> Result<RunReport, AppError> {
    run_job(cx, request, &request.job.load(cx)?)
}

fn run_job(cx: &Context, request: &RunRequest, job: &Job) -> Result<RunReport, AppError> {
    let after = After::announce(cx, RunCommand::Run, job);
    let inputs = RunInputs {
        command: RunCommand::Run,
        job,
        selection: request.job.selection,
        options: request.job.manifest_options(job.date),
    };
    let report = send_all(&cx.clone().limited_to(job.max_duration), &inputs, || {
        ResultFile::claim(cx, job, &inputs.options, request.beginning)
    });
    let report = match report {
        Err(AppError::Scan(error)) if request.beginning == Beginning::Continue => {
            done_before(cx, &inputs).ok_or(error.into())
        }
        report => report,
    };
    after.finish(cx, report)
}
