//! The command to type next: a summary ends with it, and so does the page.

use crate::outcome::{Exit, Status};
use std::fmt;
use std::path::Path;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextStep {
    /// What has to be done first; empty where nothing has.
    pub(crate) first: &'static str,
    /// The command, as a shell takes it.
    pub(crate) command: String,
}

impl fmt::Display for NextStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first {
            "" => f.write_str(&self.command),
            first => write!(f, "{first}, then run: {}", self.command),
        }
    }
}

/// What helps after a run that left this result file; `None` where nothing needs it. `exit`: how it ended, if that is known;
/// `count`: how many visits of a status there are; `reused`: how many of the delivered ones have a key that was used again.
pub(crate) fn next_step(
    results: &Path,
    exit: Option<Exit>,
    count: impl Fn(Status) -> u64,
    reused: u64,
) -> Option<NextStep> {
    let left = |status| count(status) > 0;
    let first = match exit {
        // Keys that were used again were told before.
        Some(Exit::Done) => return None,
        Some(Exit::TooManyInvalid) => "fix the exports or raise max_invalid",
        Some(Exit::KeyRefused) => "set a valid token, or correct the address",
        Some(Exit::ApiDown) => "wait until the API is up again",
        _ if left(Status::Invalid) || left(Status::Rejected) || reused > 0 => "fix the causes",
        _ if left(Status::Failed) || left(Status::NotAttempted) => "",
        _ => return None,
    };
    Some(NextStep { first, command: rerun_command(results) })
}

/// The command that sends again what a result file shows as not delivered.
pub(crate) fn rerun_command(results: &Path) -> String {
    format!("traxload rerun {}", quoted(&results.display().to_string()))
}

/// The command that lists the problems of a job's exports.
pub(crate) fn check_command(job: &Path) -> String {
    format!("traxload check {}", quoted(&job.display().to_string()))
}

/// A path as a shell takes it, never as an option.
pub(crate) fn quoted(path: &str) -> String {
    if path.starts_with('-') {
        return quoted(&format!("./{path}"));
    }
    if !path.is_empty() && path.chars().all(is_plain) {
        path.to_owned()
    } else {
        format!("'{}'", path.replace('\'', "'\\''"))
    }
}

/// Whether a character stands for itself in a shell.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '=' | ':' | ',' | '+' | '@')
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
        let next = |exit, status| next_step(Path::new("r.csv"), exit, |other| u64::from(other == status), 0);
        assert_eq!(next(Some(Exit::Done), Status::Uploaded), None);
        assert_eq!(next(Some(Exit::Done), Status::Invalid), None, "what was told before");
        let reused = next_step(Path::new("r.csv"), Some(Exit::NotAllDelivered), |_| 0, 1);
        assert_eq!(reused.map(|next| next.first), Some("fix the causes"));
        assert_eq!(next(None, Status::Failed).map(|next| next.to_string()).as_deref(), Some("traxload rerun r.csv"));
        let refused = next(Some(Exit::KeyRefused), Status::NotAttempted).map(|next| next.to_string());
        assert_eq!(
            refused.as_deref(),
            Some("set a valid token, or correct the address, then run: traxload rerun r.csv")
        );
    }
}
