//! How a CSV file is written and how it ends: a file whose last row has no line end may be cut short, where its likes have
//! one. Files are compared elsewhere, when all of them are read.

use super::splitter::Splitter;
use std::io::Read;
use std::sync::Arc;

/// What the first record of a file shows of the program that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hand {
    delimiter: u8,
    /// `None`: the file has no line break at all.
    line_end: Option<&'static str>,
    /// Whether some and whether all cells of the first record are quoted.
    quoting: (bool, bool),
}

impl Hand {
    /// What the record shows that was just read.
    pub(super) fn of<R: Read>(record: &Splitter<R>) -> Hand {
        let line_end = match record.line_end() {
            b"\r\n" => Some("\r\n"),
            b"\n" => Some("\n"),
            b"\r" => Some("\r"),
            _ => None,
        };
        let is_quoted = |at| record.is_quoted(at);
        let quoting = ((0..record.len()).any(is_quoted), (0..record.len()).all(is_quoted));
        Hand { delimiter: record.syntax.delimiter, line_end, quoting }
    }

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
