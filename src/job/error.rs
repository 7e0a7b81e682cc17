//! What is wrong with a job file, and where.

use super::secrets;
use super::snippet;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A job file that cannot be used. Nothing was read or sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The file itself cannot be read.
    #[error("cannot read the job file {}: {source}; check the path, and that you may read it", path.display())]
    Unreadable {
        /// The job file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Its bytes are no text.
    #[error("{}:{line}: the job file is not UTF-8; save it as UTF-8 in your editor", path.display())]
    NoText {
        /// The job file.
        path: PathBuf,
        /// The first line that is none, from 1.
        line: usize,
    },
    /// It is what a job file names.
    #[error(
        "{} is an export, not a job file; traxload init makes one from it: traxload init --visits VISITS --scenes SCENES -o job.toml, then traxload check job.toml",
        path.display()
    )]
    Export {
        /// The file.
        path: PathBuf,
    },
    /// An option of the command line.
    #[error("{0}")]
    Option(String),
    /// Mistakes in it, with their places.
    #[error("{}", .0.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
}

/// One mistake: what it is, and the line that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The job file.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// What else helps, where the message does not have it all.
    pub help: Option<String>,
    /// The line as it may be shown: without secrets, cut where it goes on for long.
    pub source: String,
    /// Which bytes of it are meant.
    pub marked: Range<usize>,
}

/// The nearest place at or before this one where a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl Mistake {
    /// At a key that nobody knows.
    pub(super) fn at_key(file: &Path, text: &str, span: Range<usize>, message: String) -> Mistake {
        Mistake::new(file, text, span, true, message)
    }

    pub(super) fn at(file: &Path, text: &str, span: Range<usize>, message: String) -> Mistake {
        Mistake::new(file, text, span, false, message)
    }

    fn new(file: &Path, text: &str, span: Range<usize>, is_key: bool, message: String) -> Mistake {
        let start = boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count() + 1;
        let from = (start - line_start).min(line.len());
        let to = boundary(line, span.end.saturating_sub(line_start)).max(from);
        let (source, marked) = match secrets::without(&text[..line_start], line, from..to, is_key) {
            Some(shown) => shown,
            None => snippet::cut(line, from..to),
        };
        let line = text[..start].matches('\n').count() + 1;
        Mistake { file: file.to_owned(), line, column, message, help: None, source, marked }
    }

    pub(super) fn with_help(self, help: String) -> Mistake {
        Mistake { help: Some(help), ..self }
    }

    /// Where it is and what it is, with the line below, as compilers show it; for a terminal also with colours.
    pub fn shown(&self, with_colours: bool) -> String {
        snippet::shown(self, with_colours)
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}
