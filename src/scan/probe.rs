//! What the name of a file and its first bytes tell, before it is taken for CSV or Parquet.

use super::discover::FoundFile;
use super::error::ScanError;
use super::formats::{FileKind, Format, HEAD, kind_of_bytes, named_format};
use crate::storage::{Input, Stamp};
use std::io::Read;

/// What the name of a file and its first bytes tell.
pub(super) struct FileProbe {
    /// The file, opened, at its first byte.
    pub(super) input: Input,
    /// The kind that its first bytes show. `None`: CSV, which is not to be told from other text, or something unknown.
    pub(super) kind: Option<FileKind>,
    /// Whether it begins as text does.
    pub(super) is_text: bool,
    /// The format that the ending of its name says.
    pub(super) named: Option<Format>,
    /// The delimiter where nothing else says: a tab for names that end in `.tsv` or `.tab`, else a comma.
    pub(super) delimiter: u8,
    /// Its state when it was opened.
    pub(super) stamp: Stamp,
}

/// Opens a file and looks at its first bytes.
///
/// # Errors
/// Where the file cannot be opened or read.
pub(super) fn probe(found: &FoundFile) -> Result<FileProbe, ScanError> {
    let unreadable = |error| ScanError::unopened(&found.name, error);
    let (mut input, stamp) = found.data.open().map_err(unreadable)?;
    let mut head = Vec::with_capacity(HEAD);
    input.by_ref().take(HEAD as u64).read_to_end(&mut head).map_err(unreadable)?;
    input.rewind().map_err(unreadable)?;
    let (named, has_tabs) = named_format(&found.name);
    let delimiter = if has_tabs { b'\t' } else { b',' };
    Ok(FileProbe { input, kind: kind_of_bytes(&head), is_text: is_text(&head), named, delimiter, stamp })
}

fn is_text(head: &[u8]) -> bool {
    let is_plain = head.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace());
    // A letter may be cut off at the end of the head.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    !head.is_empty() && is_plain && is_utf8
}
