//! The command to type next after a run: the summary ends with it, and so does the page.

use super::exit::Exit;
use crate::outcome::Status;
use std::fmt;
use std::path::Path;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Next {
    /// What has to be done before, with the words that lead over to the command.
    pub(super) before: &'static str,
    /// For a shell, as it stands.
    pub(super) command: String,
}

impl fmt::Display for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.before, self.command)
    }
}

/// The command that helps after a run that left this result file, where one does. `exit`: how it ended, if that is
/// known; `count`: how many visits of a status there are.
pub(super) fn next(results: &Path, exit: Option<Exit>, count: impl Fn(Status) -> u64) -> Option<Next> {
    let left = |status| count(status) > 0;
    let before = match exit {
        Some(Exit::TooManyInvalid) => "mend the exports or raise max_invalid, then ",
        Some(Exit::KeyRefused) => "put a valid token in place, then ",
        Some(Exit::ApiDown) => "when the API is up again: ",
        _ if left(Status::Invalid) || left(Status::Rejected) => "mend the causes, then ",
        _ if left(Status::Failed) || left(Status::NotAttempted) => "",
        _ => return None,
    };
    Some(Next { before, command: rerun(results) })
}

/// The command that sends again what a result file shows as not delivered.
pub(super) fn rerun(results: &Path) -> String {
    format!("traxload rerun {}", quoted(&results.display().to_string()))
}

/// The command of this process once more, with another option at its end.
pub(super) fn this_command_with(option: &str) -> String {
    let args = std::env::args_os().skip(1).map(|arg| quoted_argument(&arg.to_string_lossy()));
    format!("traxload {} {option}", args.collect::<Vec<_>>().join(" "))
}

/// An argument as a shell takes it, which may be an option.
fn quoted_argument(argument: &str) -> String {
    if argument.starts_with('-') && argument.chars().all(is_plain) { argument.to_owned() } else { quoted(argument) }
}

/// What stands for itself in a shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '=' | ':' | ',' | '+' | '@')
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &str) -> String {
    if path.starts_with('-') {
        return quoted(&format!("./{path}"));
    }
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_reach_the_shell_as_they_are() {
        assert_eq!(quoted("results/a-1.csv"), "results/a-1.csv");
        assert_eq!(quoted("my results/it's.csv"), "'my results/it'\\''s.csv'");
        assert_eq!(quoted("-r.csv"), "./-r.csv");
    }

    #[test]
    fn what_is_next_depends_on_how_it_ended_and_on_what_is_left() {
        let next = |exit, status| next(Path::new("r.csv"), exit, |other| u64::from(other == status));
        assert_eq!(next(Some(Exit::Done), Status::Uploaded), None);
        assert_eq!(next(None, Status::Failed).map(|next| next.to_string()).as_deref(), Some("traxload rerun r.csv"));
        let refused = next(Some(Exit::KeyRefused), Status::NotAttempted).map(|next| next.to_string());
        assert_eq!(refused.as_deref(), Some("put a valid token in place, then traxload rerun r.csv"));
    }
}
