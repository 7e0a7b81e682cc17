//! Exit codes, and the failures that end a command before it has a summary.

use crate::job::{JobError, Mistake};
use crate::results::ResultsError;
use crate::scan::ScanError;
use crate::shuffle::ShuffleError;
use std::fmt;
use std::io::{self, ErrorKind};

pub(super) use crate::outcome::Exit;

impl Exit {
    /// How a command ends that cannot write a file: a full disk is nothing that another path or command mends.
    pub(super) fn of_write(error: &io::Error) -> Exit {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Exit::Unexpected,
            _ => Exit::Usage,
        }
    }
}

/// A command that cannot go on: what to say and how to end.
#[derive(Debug)]
pub(super) struct Failure {
    /// How the program ends.
    pub(super) exit: Exit,
    /// What happened.
    pub(super) message: String,
    /// The mistakes in a job file that the message is made of; empty where the message is all.
    pub(super) mistakes: Vec<Mistake>,
}

impl Failure {
    /// A failure with a message of its own.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), mistakes: Vec::new() }
    }

    /// A result file that is in the way, cannot be read or cannot be written before anything is under way.
    pub(super) fn of_results(error: &ResultsError) -> Failure {
        let exit = match error {
            ResultsError::Write { source, .. } => Exit::of_write(source),
            _ => Exit::Usage,
        };
        Failure::new(exit, error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        let message = error.to_string();
        let mistakes = if let JobError::Mistakes(mistakes) = error { mistakes } else { Vec::new() };
        Failure { mistakes, ..Failure::new(Exit::Usage, message) }
    }
}

impl From<ScanError> for Failure {
    fn from(error: ScanError) -> Self {
        Failure::new(Exit::Usage, error.to_string())
    }
}

impl From<ShuffleError> for Failure {
    fn from(error: ShuffleError) -> Self {
        Failure::new(Exit::Unexpected, error.to_string())
    }
}

impl From<arrow::error::ArrowError> for Failure {
    fn from(error: arrow::error::ArrowError) -> Self {
        ShuffleError::from(error).into()
    }
}
