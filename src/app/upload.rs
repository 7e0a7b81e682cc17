//! `upload`: sends the visits of a folder that `prepare` has left, exactly as they are. All else is as in `run`.

use super::after::After;
use super::pipeline::send_all;
use super::result_file::{Beginning, ResultFile};
use super::run_inputs::RunInputs;
use super::{AppError, Context, JobRequest, Selection, clock};
use crate::job::{ExportsMeant, PreparedMeant};
use crate::results::RunOptions;
use crate::summary::{RunCommand, RunReport};
use std::path::Path;

/// What [`upload`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct UploadRequest {
    /// The job and what is different about it this time. Its exports play no part, nor does a selection.
    pub job: JobRequest,
    /// The folder, on this machine, relative to [`Context::base_dir`], or in object storage.
    pub folder: String,
    /// The hash of the folder that was signed off. Nothing is sent where it is another one.
    pub expect: Option<String>,
    /// What it does with a result file or a journal that is already there.
    pub beginning: Beginning,
}

/// Sends the visits of a folder, and writes the result file.
///
/// # Errors
/// As [`run`](super::run()); and where the folder is not complete, not the one that is expected, or not this job's.
pub fn upload(cx: &Context, request: &UploadRequest) -> Result<RunReport, AppError> {
    clock::check(cx)?;
    let (folder, expect) = (request.folder.clone(), request.expect.clone());
    let meant = PreparedMeant { folder, expect: expect.clone() };
    let job = &request.job.load_for(cx, ExportsMeant::Prepared(meant))?;
    if is_within(&job.results, &cx.base_dir.join(&request.folder)) {
        return Err(AppError::ResultsAreInput(job.results.clone()));
    }
    let after = After::announce(cx, RunCommand::Upload, job);
    let options = RunOptions { expect, ..request.job.manifest_options(job.date) };
    let inputs = RunInputs { command: RunCommand::Upload, job, selection: Selection::default(), options };
    let report = send_all(&cx.clone().limited_to(job.max_duration), &inputs, || {
        ResultFile::claim(cx, job, &inputs.options, request.beginning)
    });
    after.finish(cx, report)
}

/// Whether a file would be in a folder of this machine, and so be a part of what is sent.
fn is_within(file: &Path, folder: &Path) -> bool {
    let folder_of = file.parent().and_then(|parent| parent.canonicalize().ok());
    folder_of.zip(folder.canonicalize().ok()).is_some_and(|(of_file, folder)| of_file.starts_with(folder))
}
