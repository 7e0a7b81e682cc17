//! From an error to what the command says and how it ends. What to type next is added here, where the options are known.

use crate::app::{AppError, InTheWay, PreparedError, RerunHint, SideFile};
use crate::job::{JobError, Mistake};
use crate::outcome::Exit;
use crate::render::{quoted, rerun_command};
use std::io;

/// A command that cannot go on: what to say and how to end.
#[derive(Debug)]
pub(super) struct Failure {
    /// How the program ends.
    pub(super) exit: Exit,
    /// What happened, and what to do next.
    pub(super) message: String,
    /// The mistakes in a job file that the message is made of; empty where the message is all.
    pub(super) mistakes: Vec<Mistake>,
}

impl Failure {
    /// A failure of the command line itself.
    pub(super) fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into(), mistakes: Vec::new() }
    }

    /// Data that cannot be written to standard output.
    pub(super) fn of_stdout(error: &io::Error) -> Failure {
        let message = format!("cannot write to standard output: {error}; is the disk behind it full?");
        Failure::new(Exit::Unexpected, message)
    }
}

/// A use case that ended without a report.
impl From<AppError> for Failure {
    fn from(error: AppError) -> Failure {
        let (exit, mut message) = (error.exit(), error.to_string());
        if let Some(remedy) = remedy(&error) {
            message.push_str(&remedy);
        }
        let mistakes = match error {
            AppError::Job(JobError::Mistakes(mistakes)) => mistakes,
            _ => Vec::new(),
        };
        Failure { exit, message, mistakes }
    }
}

/// What to do next, where that is an option or a command; it goes behind the message.
fn remedy(error: &AppError) -> Option<String> {
    Some(match error {
        AppError::DaysSwapped { .. } => "; are --from and --to swapped?".to_owned(),
        AppError::Suspicious(found) => {
            let mut codes: Vec<&str> = found.iter().map(|suspicion| suspicion.code.name()).collect();
            codes.dedup();
            let accept = codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join(", ");
            format!(
                "\nWhat is right as it is can be let through: --accept {}, or for good, accept = [{accept}] under [check].",
                codes.join(",")
            )
        }
        AppError::TimeIsUp(_) if is_command("run") || is_command("prepare") => {
            ", or with fewer visits (--from, --to)".to_owned()
        }
        AppError::DayUnknown { is_same: false, .. } => {
            ": its paths were changed after that run. Set them back, or name a job file with those of then: --job FILE"
                .to_owned()
        }
        AppError::DayUnknown { results, job, is_same: true } => format!(
            "\nWith its day in place of DAY, this sends what is left: traxload run {} --date DAY --continue --results {}",
            quoted(&job.display().to_string()),
            quoted(&results.display().to_string())
        ),
        AppError::NotAResultFile(_) => "; move it away, or name another one with --results".to_owned(),
        AppError::NoResultFile(_) => " A first run: traxload run JOB".to_owned(),
        AppError::NotToRerun { named, job: Some(hint) } => match hint {
            RerunHint::Results(results) => format!(". For this job: {}", rerun_command(results)),
            RerunHint::FirstRun => {
                format!(". For this job: traxload run {}", quoted(&named.display().to_string()))
            }
        },
        AppError::ResultsInTheWay { results, why } => {
            let is_upload = std::env::args().nth(1).is_some_and(|command| command == "upload");
            let rerun = match why {
                InTheWay::Finished if is_upload => {
                    format!("\nTo go on with it, with this folder: {}", this_command_with("--continue"))
                }
                InTheWay::Finished => format!("\nTo send what it shows as not delivered: {}", rerun_command(results)),
                _ => String::new(),
            };
            let start_over = match why {
                InTheWay::Trial => "To move it aside and send everything",
                _ => "To start over and keep the old file aside",
            };
            format!("{rerun}\n{start_over}: {}", this_command_with("--fresh"))
        }
        AppError::OtherIds { was_trial, job, start_over, .. } => {
            let start_over = start_over.clone().unwrap_or_else(|| this_command_with("--fresh"));
            match was_trial {
                true => format!("\nTo move them aside and send everything: {start_over}"),
                false => format!(
                    "\nSet it back in {}, or move the old rows aside and start over: {start_over}",
                    job.display()
                ),
            }
        }
        AppError::OtherJob { .. } => {
            "; finish that job, name another result file with --results, or start over with --fresh".to_owned()
        }
        AppError::JournalOfOtherOptions { results, .. } => format!(
            "\nTo finish that run with its own options: {}\nTo go on with it under these: {}\nTo start over and keep its journal \
             aside: {}",
            rerun_command(results),
            this_command_with("--continue"),
            this_command_with("--fresh")
        ),
        AppError::JournalWithoutManifest { .. } => {
            format!("\nTo start over and keep it aside: {}", this_command_with("--fresh"))
        }
        AppError::Prepared(PreparedError::OtherHash { is_signed: true, folder, found, .. }) => {
            let folder = quoted(folder);
            format!(
                "\nWhere this folder was signed off since: traxload upload JOB {folder} --continue --expect {found}"
            )
        }
        AppError::File(error) => match error.kind() {
            SideFile::Page => "; name another file with -o (- is standard output)".to_owned(),
            SideFile::Orphans => "; name another file with --orphans (- is standard output)".to_owned(),
            SideFile::Bodies => "; name another file with --payloads (- is standard output)".to_owned(),
            _ => return None,
        },
        _ => return None,
    })
}

/// Whether this process was started with this command.
fn is_command(name: &str) -> bool {
    std::env::args_os().nth(1).is_some_and(|command| command == name)
}

/// The command of this process once more, with another option at its end.
fn this_command_with(option: &str) -> String {
    let (mut args, mut is_value) = (Vec::new(), false);
    for arg in std::env::args_os().skip(1) {
        let arg = arg.to_string_lossy();
        // What does not go together with the option.
        let is_left_out = is_value || arg == "--continue" || arg.starts_with("--catch-up");
        is_value = !is_value && arg == "--catch-up";
        if !is_left_out {
            args.push(quoted_argument(&arg));
        }
    }
    format!("traxload {} {option}", args.join(" "))
}

/// An argument as a shell takes it, which may be an option.
fn quoted_argument(argument: &str) -> String {
    let plain = argument.trim_start_matches('-');
    match argument.len() - plain.len() {
        0 => quoted(argument),
        // An option is not a path, which `quoted` would begin with `./`.
        dashes => match quoted(plain) {
            same if same == plain => argument.to_owned(),
            _ => quoted(&format!("{}{plain}", "-".repeat(dashes))).replacen("./", "", 1),
        },
    }
}
