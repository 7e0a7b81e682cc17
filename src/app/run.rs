//! `run`: the first run of a job's result file, or one that resumes the journal of a run that died.

use super::after::After;
use super::pipeline::send_all;
use super::result_file::ResultFile;
use super::run_inputs::RunInputs;
use super::{AppError, Context, JobRequest};
use crate::summary::{RunCommand, RunReport};

/// What [`run`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// The job and what is different about it this time.
    pub job: JobRequest,
    /// Moves a result file and a journal that are already there aside, and starts over.
    pub fresh: bool,
}

/// Reads, checks and uploads the visits of a job, and writes the result file.
///
/// # Errors
/// Where nothing could be sent, or the result file cannot be written. A run that ends with a report has a result row for
/// every visit of the exports, whatever [`RunReport::exit`] says.
pub fn run(cx: &Context, request: &RunRequest) -> Result<RunReport, AppError> {
    let job = request.job.load(cx)?;
    let after = After::announce(cx, RunCommand::Run, &job);
    let inputs = RunInputs {
        command: RunCommand::Run,
        job: &job,
        selection: request.job.selection,
        options: request.job.manifest_options(job.date),
    };
    let report = send_all(cx, &inputs, || ResultFile::claim(cx, &job, &inputs.options, request.fresh));
    after.finish(cx, report)
}
