//! A last look at the exports before anything is sent: a file that has just changed may still be written to.
//!
//! It waits no longer than is needed: what was read meanwhile has had its time.

use super::exports::Exports;
use super::{AppError, Context, Event};
use crate::job::{Job, Target};
use crate::scan::ReadFile;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text;
use std::time::{Duration, SystemTime};

const MESSAGE: &str = "files have changed since they were read: they are still being written, and what is added would be \
                       missing. Run again when they are complete. Accepted, what was read is sent";

/// The files of a run, to be looked at again.
#[derive(Debug, Default)]
pub(super) struct Settling {
    files: Vec<ReadFile>,
}

impl Settling {
    /// The files of the exports as they were opened. None where nothing leaves this machine: a trial need not wait.
    pub(super) fn new(job: &Job, exports: &Exports) -> Settling {
        match job.target {
            Target::Sandbox => Settling { files: Vec::new() },
            Target::Server => Settling { files: exports.read_files() },
        }
    }

    /// Waits until every file was left alone for as long as the job says, and looks whether one has changed. Where
    /// nothing is sent anyway, the look is at once.
    pub(super) fn wait(&self, cx: &Context, sends_nothing: bool) -> Result<Option<Suspicion>, AppError> {
        let left =
            self.files.iter().map(|file| (file.must_rest(SystemTime::now()), file)).max_by_key(|(left, _)| *left);
        if let Some((left, file)) = left.filter(|(left, _)| !sends_nothing && !left.is_zero()) {
            let left_in_words = text::duration(left);
            let name = &file.name;
            cx.emit(Event::Note(&format!("{name} has just been changed: looking at it again in {left_in_words}")));
            rest(cx, left)?;
        }
        let changed = self.files.iter().filter(|file| file.has_changed());
        let suspicion = Suspicion::new(SuspicionCode::UnfinishedFile, MESSAGE);
        let suspicion = changed.fold(suspicion, |suspicion, file| suspicion.at(file.name.clone()));
        Ok((suspicion.count > 0).then_some(suspicion))
    }

    /// What a check says of files that a run would look at again.
    pub(super) fn warning(&self) -> Option<String> {
        let now = SystemTime::now();
        let young = self.files.iter().find(|file| file.has_changed() || !file.must_rest(now).is_zero())?;
        let name = &young.name;
        Some(format!("{name} has just been changed; is it complete? A run looks at it again before it sends anything"))
    }
}

/// Waits, or ends where the run is ended or its time is up.
fn rest(cx: &Context, time: Duration) -> Result<(), AppError> {
    let time = cx.time_left().map_or(time, |left| left.min(time));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let runtime = runtime.map_err(|source| AppError::Start { what: "the wait for the exports", source })?;
    // After a stop nothing is sent.
    let _ = runtime.block_on(async { tokio::time::timeout(time, cx.stop.requested()).await });
    Ok(())
}
