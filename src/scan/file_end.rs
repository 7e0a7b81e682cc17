//! How a CSV file is written and how it ends: a file whose last row has no line end may be cut short, where its likes have
//! one. It knows nothing of how that is found out. Files are compared elsewhere, when all of them are read.

use std::sync::Arc;

/// What the first record of a file shows of the program that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hand {
    pub(super) delimiter: u8,
    /// `None`: the file has no line break at all.
    pub(super) line_end: Option<&'static str>,
    /// Whether some and whether all cells of the first record are quoted.
    pub(super) quoting: (bool, bool),
}

impl Hand {
    /// Whether the same program may have written both.
    pub(crate) fn is_like(&self, other: &Hand) -> bool {
        self.line_end.is_some() && self == other
    }
}

/// How a CSV file ends.
#[derive(Clone, Debug)]
pub(crate) struct FileEnd {
    /// The file, as the job names it.
    pub(crate) file: Arc<str>,
    pub(crate) hand: Hand,
    /// The line on which the last row starts, from 1. The header counts as a row.
    pub(crate) last_row: u64,
    /// Whether the last row has no line end.
    pub(crate) is_cut: bool,
}
