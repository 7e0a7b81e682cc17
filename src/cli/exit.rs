//! Exit codes, and the failures that end a command before it has a summary.

use crate::job::{JobError, Mistake};
use crate::results::{Counts, ResultsError};
use crate::scan::ScanError;
use crate::shuffle::ShuffleError;
use crate::upload::Reason;
use std::fmt;
use std::io::{self, ErrorKind};

/// How a command ends; the numbers are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// Everything delivered.
    Done = 0,
    /// A mistake of this program, or of the machine.
    Unexpected = 1,
    /// Usage, job file or exports unreadable.
    Usage = 2,
    /// Finished, some not delivered.
    NotAllDelivered = 3,
    /// Nothing sent: too many invalid.
    TooManyInvalid = 4,
    /// Stopped: the API is down.
    ApiDown = 5,
    /// Stopped: the key is refused.
    KeyRefused = 6,
    /// Another run has the result file.
    Locked = 7,
    /// No visits in the exports.
    NoVisits = 8,
    /// Stopped by SIGINT.
    Interrupted = 130,
    /// Stopped by SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// All of them, by their codes.
    pub(super) const ALL: [Exit; 11] = [
        Exit::Done,
        Exit::Unexpected,
        Exit::Usage,
        Exit::NotAllDelivered,
        Exit::TooManyInvalid,
        Exit::ApiDown,
        Exit::KeyRefused,
        Exit::Locked,
        Exit::NoVisits,
        Exit::Interrupted,
        Exit::Terminated,
    ];

    /// How a run ends that came to its end, by itself or because it was stopped.
    pub fn of(stopped: Option<Reason>, too_many_invalid: bool, counts: &Counts) -> Exit {
        match stopped {
            Some(Reason::KeyRefused) => Exit::KeyRefused,
            Some(Reason::ApiDown) => Exit::ApiDown,
            Some(Reason::Interrupted) => Exit::Interrupted,
            Some(Reason::Terminated) => Exit::Terminated,
            Some(Reason::ResultsBroken) => Exit::Unexpected,
            // A run whose time is up is as good as what it has delivered.
            None | Some(Reason::TimeIsUp) if too_many_invalid => Exit::TooManyInvalid,
            None | Some(Reason::TimeIsUp) if counts.delivered() == counts.rows() => Exit::Done,
            None | Some(Reason::TimeIsUp) => Exit::NotAllDelivered,
        }
    }

    /// How a command ends that cannot write a file: a full disk is nothing that another path or command mends.
    pub(super) fn of_write(error: &io::Error) -> Exit {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Exit::Unexpected,
            _ => Exit::Usage,
        }
    }

    /// The way to end that has this code.
    pub(super) fn from_code(code: u8) -> Option<Exit> {
        Exit::ALL.into_iter().find(|exit| exit.code() == code)
    }

    /// What it means to whoever watches, in a line.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "everything is delivered; of check: all visits are valid",
            Exit::Unexpected => {
                "something unexpected, such as a full disk or a bug; the same command takes up what was done"
            }
            Exit::Usage => "the command line, the job file or an export cannot be used; nothing was sent",
            Exit::NotAllDelivered => "finished, but not everything was delivered; of check: some visits are invalid",
            Exit::TooManyInvalid => "nothing was sent: too many visits are invalid",
            Exit::ApiDown => "stopped: the API was down for longer than patience; a rerun helps",
            Exit::KeyRefused => "stopped: the key is refused; put a valid token in place, then rerun",
            Exit::Locked => "another run is writing the same result file; wait for it",
            Exit::NoVisits => "there are no visits in the exports; --allow-empty makes it 0",
            Exit::Interrupted => "stopped by Ctrl-C (SIGINT); a rerun helps",
            Exit::Terminated => "stopped by SIGTERM; a rerun helps",
        }
    }

    /// As the system takes it.
    pub fn code(self) -> u8 {
        self as u8
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
