//! Where the visits of a run come from: the exports of its job, or a folder that was prepared before.

use super::earlier::Earlier;
use super::exports::{Exports, GroupedVisits};
use super::prepared_error::PreparedError;
use super::prepared_visits::{PreparedFolder, PreparedVisits};
use super::settle::Settling;
use super::survey::{Survey, survey, survey_prepared};
use super::{AppError, Context, Selection};
use crate::build::{Builder, Visits};
use crate::job::Job;
use crate::ledger::TodayBuilder;
use crate::results::Input;
use crate::scan::Remarks;
use crate::shuffle::ShuffleError;
use crate::summary::Filters;
use std::path::PathBuf;

/// What is there to be read.
pub(super) enum Opened {
    Exports(Box<Exports>),
    Prepared(Box<PreparedFolder>),
}

/// What was read.
pub(super) enum RunVisits {
    Exports(Box<GroupedVisits>),
    Prepared(Box<PreparedVisits>),
}

impl Opened {
    /// Finds what the job reads. No row is read.
    pub(super) fn open(cx: &Context, job: &Job) -> Result<Opened, AppError> {
        Ok(match &job.prepared {
            None => Opened::Exports(Box::new(Exports::open(cx, job)?)),
            Some(meant) => Opened::Prepared(Box::new(PreparedFolder::open(cx, job, meant)?)),
        })
    }

    /// What the manifest has of it.
    pub(super) fn inputs(&self, job: &Job) -> Vec<Input> {
        match self {
            Opened::Exports(exports) => exports.inputs(job),
            Opened::Prepared(folder) => folder.inputs(),
        }
    }

    /// The hash of a folder.
    pub(super) fn sha256(&self) -> Option<String> {
        match self {
            Opened::Exports(_) => None,
            Opened::Prepared(folder) => Some(folder.sha256().to_owned()),
        }
    }

    /// The files that are there, and the job file: what a wrong result path must not move away.
    pub(super) fn paths(&self, cx: &Context, job: &Job) -> Vec<PathBuf> {
        match self {
            Opened::Exports(exports) => exports.paths(cx, job),
            Opened::Prepared(folder) => {
                folder.paths().into_iter().chain(cx.base_dir.join(&job.file).canonicalize()).collect()
            }
        }
    }

    /// What is looked at again before anything is sent. A folder is complete by its own word.
    pub(super) fn settling(&self, job: &Job) -> Settling {
        match self {
            Opened::Exports(exports) => Settling::new(job, exports),
            Opened::Prepared(_) => Settling::default(),
        }
    }

    /// Reads it. `today`: collects the visits that rows of earlier runs are looked up among.
    pub(super) fn read(
        self,
        cx: &Context,
        job: &Job,
        selection: Selection,
        today: Option<&mut TodayBuilder>,
    ) -> Result<RunVisits, AppError> {
        Ok(match self {
            Opened::Exports(exports) => RunVisits::Exports(Box::new(exports.read(cx, job, selection, today)?)),
            Opened::Prepared(folder) => RunVisits::Prepared(Box::new(folder.read(cx, today)?)),
        })
    }
}

impl RunVisits {
    /// In how many pieces they come.
    pub(super) fn pieces(&self) -> usize {
        match self {
            RunVisits::Exports(visits) => visits.shuffled.partitions(),
            RunVisits::Prepared(visits) => visits.batches(),
        }
    }

    /// Hands out the visits piece by piece.
    ///
    /// # Errors
    /// Where they cannot be read, and the first error of `work`.
    pub(super) fn each<E: From<ShuffleError> + From<AppError>>(
        &self,
        cx: &Context,
        job: &Job,
        mut work: impl FnMut(&dyn Visits) -> Result<(), E>,
    ) -> Result<(), E> {
        match self {
            RunVisits::Exports(visits) => {
                visits.shuffled.each(|grouped| work(&Builder::new(&job.rules, grouped, cx.now.timestamp())))
            }
            RunVisits::Prepared(visits) => visits.each(work),
        }
    }

    /// Builds every visit once and keeps none.
    pub(super) fn survey(&self, cx: &Context, job: &Job, earlier: &Earlier) -> Result<Survey, AppError> {
        match self {
            RunVisits::Exports(visits) => survey(visits, &job.rules, cx.now.timestamp(), earlier, None),
            RunVisits::Prepared(visits) => survey_prepared(visits, earlier),
        }
    }

    /// Whether two visits have keys that differ in their case only.
    pub(super) fn has_keys_told_apart_by_case(&self) -> Result<bool, AppError> {
        match self {
            RunVisits::Exports(visits) => visits.has_keys_told_apart_by_case(),
            RunVisits::Prepared(visits) => visits.has_keys_told_apart_by_case(),
        }
    }

    /// What reading has shown.
    pub(super) fn remarks(&self) -> &Remarks {
        match self {
            RunVisits::Exports(visits) => &visits.remarks,
            RunVisits::Prepared(visits) => &visits.remarks,
        }
    }

    /// What leaves visit rows out.
    pub(super) fn filters(&self) -> Filters {
        match self {
            RunVisits::Exports(visits) => visits.filters,
            RunVisits::Prepared(_) => Filters::default(),
        }
    }

    /// Whether one flat export holds visits and scenes.
    pub(super) fn is_flat(&self) -> bool {
        matches!(self, RunVisits::Exports(visits) if visits.is_flat)
    }

    /// There is not one. `left_out`: visit rows that the filters left out.
    pub(super) fn none(&self, left_out: u64) -> AppError {
        match self {
            RunVisits::Exports(visits) => AppError::NoVisits { left_out, filters: visits.filters },
            RunVisits::Prepared(visits) => PreparedError::Empty { folder: visits.name().to_owned() }.into(),
        }
    }
}
