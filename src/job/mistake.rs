//! A mistake in a job file as data: what it is, where, and the line as it may be shown.
//!
//! How it comes to hide a secret is the business of `diagnostics`, how it is drawn that of `snippet`.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// One mistake in a job file, with the line that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The job file, as it was given.
    pub file: PathBuf,
    /// The line in the file, from 1.
    pub line: usize,
    /// The column in the file, from 1, in characters.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// What else helps, such as the known keys.
    pub help: Option<String>,
    /// The line as it may be shown: without secrets, and cut where it is long.
    pub source: String,
    /// Which bytes of `source` are marked.
    pub marked: Range<usize>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        self.help.iter().try_for_each(|help| write!(f, "; {help}"))
    }
}
