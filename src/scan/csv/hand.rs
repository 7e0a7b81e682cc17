//! What a record shows of the program that wrote the file.

use super::splitter::Splitter;
use crate::scan::file_end::Hand;
use std::io::Read;

/// What the record shows that was just read.
pub(super) fn hand<R: Read>(record: &Splitter<R>) -> Hand {
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
