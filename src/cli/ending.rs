//! What a run leaves behind at its end beside its result file, however it ends: the figures for whoever watches.
//!
//! Nothing here changes how the run ends. What goes wrong is a warning.

use super::exit::{Exit, Failure};
use super::metrics::{Figures, Metrics};
use super::screen::Console;
use crate::job::Job;
use chrono::Utc;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// A run that came to its end.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) exit: Exit,
    pub(super) figures: Figures,
}

/// What is to be done at the end of a run.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    job: String,
    metrics: Option<PathBuf>,
    /// The start of the process.
    began: Instant,
    console: Console,
    /// A signal may end what has just ended by itself.
    is_over: Arc<AtomicBool>,
}

impl Ending {
    pub(super) fn new(job: &Job, began: Instant, console: &Console) -> Ending {
        Ending {
            job: job.name.clone(),
            metrics: job.metrics.clone(),
            began,
            console: console.clone(),
            is_over: Arc::default(),
        }
    }

    /// After a run, or after what kept it from being one.
    pub(super) fn after(&self, ended: Result<Ended, Failure>) -> Result<Exit, Failure> {
        match &ended {
            Ok(ended) => self.tell(ended.exit, Some(&ended.figures)),
            Err(failure) => self.tell(failure.exit, None),
        }
        ended.map(|ended| ended.exit)
    }

    /// After a signal that ended the process while nothing was under way.
    pub(super) fn after_signal(&self, exit: Exit) {
        self.tell(exit, None);
    }

    fn tell(&self, exit: Exit, figures: Option<&Figures>) {
        if self.is_over.swap(true, Ordering::SeqCst) {
            return;
        }
        if let Some(path) = &self.metrics {
            let metrics = Metrics { job: &self.job, exit, at: Utc::now(), elapsed: self.began.elapsed(), figures };
            if let Err(error) = metrics.write(path) {
                self.console.warn(&format!("cannot write the metrics to {}: {error}", path.display()));
            }
        }
    }
}
