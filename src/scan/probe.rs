//! What the name of a file and its first bytes tell, before it is taken for CSV or Parquet.

use super::discover::FoundFile;
use super::error::ScanError;
use super::formats::{Compression, FileKind, Format, HEAD, kind_of_bytes, named_format};
use crate::storage::{Input, Stamp};
use std::io::{self, BufReader, Read};

/// What the name of a file and its first bytes tell.
pub(super) struct FileProbe {
    /// The file, opened, at its first byte.
    pub(super) input: Input,
    /// The kind that its first bytes show. `None`: CSV, which is not to be told from other text, or something unknown.
    pub(super) kind: Option<FileKind>,
    /// Of a compressed file: the kind of what is in it.
    pub(super) inner: Option<FileKind>,
    /// Whether it begins as text does.
    pub(super) is_text: bool,
    /// Whether there is a zero byte at its beginning.
    pub(super) has_zeros: bool,
    /// The format that the ending of its name says.
    pub(super) named: Option<Format>,
    /// The delimiter where nothing else says: what its name says, else a comma.
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
    let head = head_of(&mut input).map_err(unreadable)?;
    input.rewind().map_err(unreadable)?;
    let kind = kind_of_bytes(&head);
    let mut inner = None;
    if let Some(FileKind::Compressed(compression)) = kind {
        // What cannot be unpacked is found out when it is read.
        inner = unpacked_head(&mut input, compression).ok().and_then(|head| kind_of_bytes(&head));
        input.rewind().map_err(unreadable)?;
    }
    let (named, delimiter) = named_format(&found.name);
    let delimiter = delimiter.unwrap_or(b',');
    Ok(FileProbe { input, kind, inner, is_text: is_text(&head), has_zeros: head.contains(&0), named, delimiter, stamp })
}

fn head_of(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD);
    input.take(HEAD as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The first bytes of what is compressed.
fn unpacked_head(input: &mut Input, compression: Compression) -> io::Result<Vec<u8>> {
    let packed = BufReader::with_capacity(HEAD, input);
    match compression {
        Compression::Gzip => head_of(&mut flate2::bufread::MultiGzDecoder::new(packed)),
        Compression::Zstd => head_of(&mut zstd::stream::read::Decoder::with_buffer(packed)?),
    }
}

fn is_text(head: &[u8]) -> bool {
    let is_plain = head.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace());
    // A letter may be cut off at the end of the head.
    let is_utf8 = std::str::from_utf8(head).map_or_else(|error| error.error_len().is_none(), |_| true);
    !head.is_empty() && is_plain && is_utf8
}
