//! What a page says about a run besides the rows of its result file.

use crate::outcome::Exit;
use crate::results::Manifest;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// What a page says about a run besides the rows of its result file.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// The path of the result file, absolute if possible: the page may be read from anywhere.
    pub(crate) results: PathBuf,
    /// The manifest of the run that wrote the rows; `None` if there is none, or if it belongs to another run.
    pub(crate) manifest: Option<Manifest>,
    /// How far the run has come.
    pub(crate) standing: Standing,
    /// Whether the visits went to a sandbox and not to Trax.
    pub(crate) is_sandbox: bool,
    /// Remarks about the file, each a sentence.
    pub(crate) notes: Vec<String>,
    /// What to do next; `None` if nothing is left to do.
    pub(crate) next: Option<Advice>,
    /// When the page was made.
    pub(crate) made_at: DateTime<Utc>,
}

/// How far the run has come whose rows the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The run has ended.
    Ended,
    /// The rows are from a journal: the run goes on, or its process died.
    Unfinished,
    /// The run has ended, and a later run has begun to replace its result file.
    Overtaken,
}

/// What to do next.
#[derive(Clone, Debug)]
pub(crate) struct Advice {
    /// The advice in words, with backticks around what is typed.
    pub(crate) words: String,
    /// The command to type, quoted for a shell.
    pub(crate) command: Option<String>,
}

impl About {
    /// How the run ended; `None` if it has not ended or if there is no manifest. A code of another version of the program
    /// counts as an unexpected end.
    pub(super) fn exit(&self) -> Option<Exit> {
        let code = self.manifest.as_ref()?.exit_code?;
        Some(Exit::from_code(code).unwrap_or(Exit::Unexpected))
    }

    /// The number of visits of an unfinished run, if its manifest tells; `written` are the visits that have a row.
    pub(super) fn expected(&self, written: u64) -> Option<u64> {
        let manifest = self.manifest.as_ref().filter(|_| self.standing == Standing::Unfinished)?;
        let all = expected(manifest)?;
        (all >= written).then_some(all)
    }
}

/// The number of visits that a run began with, which are the rows that its result file will have; `None` if the manifest
/// does not tell.
pub(super) fn expected(manifest: &Manifest) -> Option<u64> {
    let of = |name: &str| manifest.counts.get(name).copied();
    let in_exports = of("rows_read")?.checked_sub(of("identical_duplicates")?)?;
    in_exports.checked_add(of("carried_over_not_in_exports")?)
}
