//! Why a job file cannot be used.

use super::mistake::Mistake;
use std::path::PathBuf;

/// More mistakes than a person fixes at once.
const MAX_MISTAKES: usize = 50;

/// A job file that cannot be used. Nothing was read of its exports, and nothing was sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The job file cannot be read.
    #[error("cannot read the job file {}: {source}; check the path, and that you may read it", path.display())]
    Unreadable {
        /// The job file, as it was given.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The bytes of the job file are not text.
    #[error("{}:{line}: the job file is not UTF-8; save it as UTF-8 in your editor", path.display())]
    NotUtf8 {
        /// The job file, as it was given.
        path: PathBuf,
        /// The first line that is not UTF-8, from 1.
        line: usize,
    },
    /// An export was given in place of a job file.
    #[error(
        "{} is an export, not a job file; traxload init makes one from it: traxload init --visits VISITS --scenes SCENES -o job.toml, then traxload check job.toml",
        path.display()
    )]
    Export {
        /// The export, as it was given.
        path: PathBuf,
    },
    /// An option of the command line is wrong.
    #[error("{0}")]
    Option(String),
    /// Mistakes in the job file, in its order.
    #[error("{}", .0.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
}

impl JobError {
    /// Mistakes in the order of the file, no more of them than help.
    pub(super) fn of(mut mistakes: Vec<Mistake>) -> JobError {
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.truncate(MAX_MISTAKES);
        JobError::Mistakes(mistakes)
    }
}
