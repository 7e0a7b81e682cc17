//! In what the runs of jobs differ, but for the result file that they begin with.

use super::Selection;
use crate::job::Job;
use crate::results::RunOptions;
use crate::summary::RunCommand;

/// What one run of a job is given.
pub(super) struct RunInputs<'a> {
    pub(super) command: RunCommand,
    pub(super) job: &'a Job,
    pub(super) selection: Selection,
    /// What the caller says about the job, for the manifest.
    pub(super) options: RunOptions,
}
