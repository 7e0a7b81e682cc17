//! Decompresses the bytes of a file. Which formats there are, and how a file shows its own, stands in `formats`.

use super::formats::Compression;
use crate::storage::Input;
use std::io::{self, BufReader, Read};

const READ_AHEAD: usize = 128 << 10;

/// The bytes of a file, decompressed. Concatenated gzip members and zstd frames are read to the end. Data that is cut
/// short is an error from `read`.
///
/// # Errors
/// Where the decoder cannot be set up.
pub(super) fn unpacked(file: Input, compression: Option<Compression>) -> io::Result<Box<dyn Read + Send>> {
    let buffered = |file| BufReader::with_capacity(READ_AHEAD, file);
    Ok(match compression {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(flate2::bufread::MultiGzDecoder::new(buffered(file))),
        Some(Compression::Zstd) => Box::new(zstd::stream::read::Decoder::with_buffer(buffered(file))?),
    })
}
