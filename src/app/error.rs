//! Why a use case ended without a report.

use super::prepared_error::PreparedError;
use crate::job::JobError;
use crate::outcome::{Exit, StopReason};
use crate::owned_file::OwnedFileError;
use crate::render::no_visits;
use crate::results::{LockError, ResultsError};
use crate::scan::ScanError;
use crate::shuffle::ShuffleError;
use crate::summary::Filters;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::duration;
use crate::upload::HttpError;
use chrono::{DateTime, Utc};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

/// Why a use case ended without a report. Each says what happened; [`AppError::exit`] says how the command ends.
///
/// What to type next is added by the command line, which knows its own options.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The job file cannot be used.
    #[error(transparent)]
    Job(#[from] JobError),
    /// An export cannot be opened or read to its end.
    #[error(transparent)]
    Scan(#[from] ScanError),
    /// Grouping failed: temporary files, most often.
    #[error(transparent)]
    Shuffle(#[from] ShuffleError),
    /// `from` lies after `to`.
    #[error("no day lies between {from} and {to}")]
    DaysSwapped {
        /// The first day.
        from: chrono::NaiveDate,
        /// The last day.
        to: chrono::NaiveDate,
    },
    /// The exports hold no visits, or all of them are left out.
    #[error("{}", no_visits(*.left_out, *.filters))]
    NoVisits {
        /// Visit rows left out by `only`, the dates or the limit.
        left_out: u64,
        /// What leaves visit rows out.
        filters: Filters,
    },
    /// A signal came before anything was sent.
    #[error("{}", stopped(.0))]
    Stopped(StopReason),
    /// `max_duration` was over before anything was sent.
    #[error(
        "max_duration = {} is over, and reading and checking took all of it: nothing was sent and nothing is left behind. \
         Run the same command with a longer --max-duration",
        duration(*.0)
    )]
    TimeIsUp(Duration),
    /// A folder of prepared visits cannot be written or sent.
    #[error(transparent)]
    Prepared(#[from] PreparedError),
    /// What was to be sent could not be read to its end.
    #[error(
        "{0}\nSending stopped there. What was answered until then is in the journal: put back what was to be sent, and the same \
         command goes on"
    )]
    BrokeOff(String),
    /// The clock of the machine is wrong.
    #[error(
        "the clock of this machine says {}: no visit can be checked against it, and a certificate cannot either. Set the \
         clock (timedatectl shows whether it follows a time server), then run the same command; nothing was sent",
        .0.format("%Y-%m-%d %H:%M UTC")
    )]
    Clock(DateTime<Utc>),
    /// What is probably a mistake of a whole export, found before anything was sent.
    #[error("{}", suspicious(.0))]
    Suspicious(Vec<Suspicion>),
    /// The token is missing or cannot be read. The message never holds it.
    #[error("{0}")]
    Token(String),
    /// No HTTP client can be made: the token or the certificate cannot be used.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The result file cannot be used, found before anything was under way.
    #[error(transparent)]
    Results(#[from] ResultsError),
    /// Another run holds the result file, or its folder cannot be written to.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A finished result file is where `run` would write one.
    #[error("{} is already there, {}", .results.display(), .why.in_words())]
    ResultsInTheWay {
        /// The result file.
        results: PathBuf,
        /// What it is.
        why: InTheWay,
    },
    /// Something else than a result file is where one would be written.
    #[error("{} is already there and is not a result file of traxload", .0.display())]
    NotAResultFile(PathBuf),
    /// `rerun` or `report` was given a file that does not exist.
    #[error("there is no result file {} and no journal of one; is the path right?", .0.display())]
    NoResultFile(PathBuf),
    /// `rerun` was given something else than a result file.
    #[error(
        "{} is not a result file of traxload; a rerun takes the result file of the run before, not its job",
        .named.display()
    )]
    NotToRerun {
        /// The file, as named.
        named: PathBuf,
        /// Where it is a job file: its result file, if that one is there.
        job: Option<RerunHint>,
    },
    /// The manifest beside a result file is missing or damaged.
    #[error("{0}\nThe manifest beside a result file says which job it belongs to; without it, use traxload run.")]
    NoManifest(ResultsError),
    /// The job needs a day by now, and nothing says which one the earlier run had.
    #[error("{} needs a day, and the manifest of {} names none", .job.display(), .results.display())]
    DayUnknown {
        /// The result file.
        results: PathBuf,
        /// The job file.
        job: PathBuf,
        /// Whether its exports are still those of the earlier run, as written.
        is_same: bool,
    },
    /// The folder in which the earlier run was started cannot be entered.
    #[error(
        "cannot go to {}, from where the run was started: {source}. If it was moved, go to the folder in which {} is now \
         and rerun from there",
        .folder.display(), .job.display()
    )]
    FolderGone {
        /// The folder.
        folder: PathBuf,
        /// The job file, relative to it.
        job: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The job would send the same visits under other ids, or to another place.
    #[error("{}", other_ids(*.was_trial, .changes))]
    OtherIds {
        /// Whether the earlier run went to the sandbox.
        was_trial: bool,
        /// What has changed, one line each.
        changes: Vec<String>,
        /// The job file.
        job: PathBuf,
        /// The command that starts over, where the caller is a rerun.
        start_over: Option<String>,
    },
    /// Nights are made up for by jobs that run once a day only.
    #[error(
        "--catch-up is for jobs that run once a day: with --date, and with {{date}} in the path of an export and in the path of \
         the result file, if the job names one (without {{time}})"
    )]
    NotDaily,
    /// A result file or a journal is another job's.
    #[error("{} is of another job, {}: another name, or other exports", .taken.display(), .job.display())]
    OtherJob {
        /// The file.
        taken: PathBuf,
        /// The job file that made it.
        job: PathBuf,
    },
    /// A journal was begun with other options that choose visits.
    #[error(
        "{} is the journal of a run that did not end, {}, and this one is {}: the result file would lack visits that only \
         one of them chooses. Nothing was sent",
        .journal.display(), with_options(.then), with_options(.now)
    )]
    JournalOfOtherOptions {
        /// The journal.
        journal: PathBuf,
        /// The result file that it would become.
        results: PathBuf,
        /// The options that it was begun with.
        then: String,
        /// The options of now.
        now: String,
    },
    /// The manifest beside a journal is missing or damaged.
    #[error(
        "{} is the journal of a run that did not end, and without its manifest nothing says which job and which visits it \
         is of: {source}",
        .journal.display()
    )]
    JournalWithoutManifest {
        /// The journal.
        journal: PathBuf,
        /// What is wrong with the manifest.
        source: ResultsError,
    },
    /// The result path is a file that the job reads.
    #[error("{} is, or lies in, what is read; name another result file", .0.display())]
    ResultsAreInput(PathBuf),
    /// The journal, the result file or the manifest could not be written during the run.
    #[error(
        "{0}\nWhat was answered until then is in the journal. When the disk is fixed, the same command resumes from there."
    )]
    Journal(#[source] ResultsError),
    /// A file beside the results cannot be written: a page, bodies, a job file.
    #[error("{0}")]
    File(FileError),
    /// There is no way to the API, and no waiting opens one.
    #[error("{0}\nNothing was sent, and nothing is left behind; once this is fixed, the same command works again.")]
    Unusable(String),
    /// The system refuses threads, or the sandbox cannot start.
    #[error("cannot start {what}: {source}; the same command tries again")]
    Start {
        /// What cannot be started.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// Counts that do not add up, or a thread that panicked.
    #[error("{0}. This is a bug in traxload; please report it")]
    Bug(String),
}

/// Why a result file is in the way of `run`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InTheWay {
    /// A finished run of the same job and ids.
    Finished,
    /// A finished run whose manifest is missing or damaged.
    WithoutManifest,
    /// A run against the sandbox; the job sends to Trax now.
    Trial,
    /// A run of another job, whose file is here.
    OtherJob(PathBuf),
    /// A run under other ids or to another place; one line for each change.
    OtherIds(Vec<String>),
}

impl InTheWay {
    fn in_words(&self) -> String {
        match self {
            InTheWay::Finished => "from a finished run".to_owned(),
            InTheWay::WithoutManifest => {
                "from a finished run, and without its manifest a rerun cannot know its job".to_owned()
            }
            InTheWay::Trial => "from a run against the sandbox: Trax has none of its visits".to_owned(),
            InTheWay::OtherJob(job) => format!("of another job, {}: another name, or other exports", job.display()),
            InTheWay::OtherIds(changes) => format!(
                "from a finished run that sent the same visits under other ids, or to another place, so that a rerun cannot \
                 continue it:\n{}",
                changes.join("\n")
            ),
        }
    }
}

/// What a job file was probably named for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RerunHint {
    /// This result file, which is there.
    Results(PathBuf),
    /// A first run of the job, which has no result file yet.
    FirstRun,
}

/// Why a file beside the results was not written.
#[derive(Debug)]
pub struct FileError {
    pub(super) what: SideFile,
    pub(super) message: String,
    pub(super) source: Option<io::Error>,
}

/// Which file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SideFile {
    /// The page of `report`.
    Page,
    /// The bodies of `check --payloads`.
    Bodies,
    /// The scenes of `check --orphans`.
    Orphans,
    /// The job file that `init` drafts.
    Job,
}

impl FileError {
    /// Which file it is.
    pub fn kind(&self) -> SideFile {
        self.what
    }

    pub(super) fn refused(what: SideFile, message: String) -> AppError {
        AppError::File(FileError { what, message, source: None })
    }

    pub(super) fn of(what: SideFile, error: OwnedFileError) -> AppError {
        let message = error.to_string();
        let source = match error {
            OwnedFileError::Write { source, .. } => Some(source),
            _ => None,
        };
        AppError::File(FileError { what, message, source })
    }
}

impl std::fmt::Display for FileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl AppError {
    /// How a command ends with this error: the one place where errors become exit codes.
    pub fn exit(&self) -> Exit {
        match self {
            AppError::NoVisits { .. } => Exit::NoVisits,
            AppError::Stopped(reason) => Exit::of_run(Some(*reason), false, false),
            AppError::Lock(LockError::Held { .. }) => Exit::Locked,
            AppError::Lock(LockError::Unwritable { source, .. }) => of_write(source),
            AppError::Results(ResultsError::Write { source, .. }) => of_write(source),
            AppError::File(FileError { source: Some(source), .. }) => of_write(source),
            AppError::Scan(ScanError::Command { source: Some(source), .. }) => of_write(source),
            AppError::Prepared(PreparedError::Empty { .. }) => Exit::NoVisits,
            AppError::Prepared(PreparedError::Changed { .. }) => Exit::Unexpected,
            AppError::Prepared(PreparedError::Unwritten { source, .. }) => of_write(source),
            AppError::BrokeOff(_)
            | AppError::Shuffle(_)
            | AppError::Journal(_)
            | AppError::Start { .. }
            | AppError::Bug(_) => Exit::Unexpected,
            _ => Exit::Usage,
        }
    }

    pub(super) fn panicked(what: &str) -> AppError {
        AppError::Bug(format!("the {what} thread broke off; the same command resumes what was done"))
    }
}

/// A full disk is not fixed by another path or command.
fn of_write(error: &io::Error) -> Exit {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Exit::Unexpected,
        _ => Exit::Usage,
    }
}

fn stopped(reason: &StopReason) -> String {
    let by = match reason {
        StopReason::Interrupted => "Ctrl-C",
        _ => "a signal",
    };
    format!("stopped by {by} before anything was sent; nothing is left behind, and the same command works again")
}

fn suspicious(found: &[Suspicion]) -> String {
    let is_of_exports = |suspicion: &Suspicion| suspicion.code != SuspicionCode::NoLock;
    let mut message = match found.iter().any(is_of_exports) {
        true => "the exports look wrong, and what is sent wrong stays wrong, so nothing is sent:".to_owned(),
        false => "something is wrong here, so nothing is sent:".to_owned(),
    };
    for suspicion in found {
        message.push_str(&format!("\n  {suspicion}"));
    }
    message
}

fn with_options(options: &str) -> String {
    if options.is_empty() { "without --date, --from, --to and --limit".to_owned() } else { format!("with {options}") }
}

fn other_ids(was_trial: bool, changes: &[String]) -> String {
    let what = if was_trial {
        "the run before went to the sandbox, so Trax has none of its visits, and its rows cannot be used:"
    } else {
        "the job would send the same visits under other ids, or to another place, than the run before:"
    };
    format!("{what}\n{}", changes.join("\n"))
}
