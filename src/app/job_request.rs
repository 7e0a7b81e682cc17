//! A job file and what is different about it this time.

use super::{AppError, Context, Selection};
use crate::job::{DateArg, ExportsMeant, Job, Options};
use crate::results::RunOptions;
use chrono::NaiveDate;
use std::path::PathBuf;

/// A job file and what is different about it this time.
#[derive(Clone, Debug, Default)]
pub struct JobRequest {
    /// The job file, relative to [`Context::base_dir`].
    pub file: PathBuf,
    /// What `{date}` in the job's paths becomes.
    pub date: Option<DateArg>,
    /// Which visits are meant.
    pub selection: Selection,
    /// In place of the job's result path.
    pub results: Option<PathBuf>,
    /// In place of the job's rate, such as `120/s`.
    pub rate: Option<String>,
    /// In place of the job's memory for grouping, such as `4GB`.
    pub memory: Option<String>,
    /// In place of the job's longest duration, such as `5h`.
    pub max_duration: Option<String>,
    /// Whether exports without visits are fine.
    pub allow_empty: bool,
    /// Codes of suspicions and problems that are none this time, beside those that the job accepts.
    pub accept: Vec<String>,
}

impl JobRequest {
    pub(super) fn load(&self, cx: &Context) -> Result<Job, AppError> {
        self.load_for(cx, ExportsMeant::OfJob)
    }

    /// Loads it for other exports than its own, or for none.
    pub(super) fn load_for(&self, cx: &Context, exports: ExportsMeant) -> Result<Job, AppError> {
        let options = Options {
            base_dir: cx.base_dir.clone(),
            date: self.date,
            now: cx.now,
            results: self.results.as_ref().map(|results| cx.base_dir.join(results)),
            rate: self.rate.clone(),
            memory: self.memory.clone(),
            max_duration: self.max_duration.clone(),
            accept: self.accept.clone(),
            exports,
        };
        Ok(Job::load(&self.file, &options)?)
    }

    /// What the manifest keeps of it. `date`: the day that `{date}` stands for.
    pub(super) fn manifest_options(&self, date: Option<NaiveDate>) -> RunOptions {
        RunOptions {
            date: date.map(|day| day.to_string()),
            from: self.selection.from.map(|day| day.to_string()),
            to: self.selection.to.map(|day| day.to_string()),
            limit: self.selection.limit,
            rate: self.rate.clone(),
            memory: self.memory.clone(),
            allow_empty: self.allow_empty,
            expect: None,
            accept: self.accept.clone(),
            ignore_unreadable_scenes: false,
        }
    }
}
