//! The text of an answer, unpacked and in its own encoding, as far as it can be read.
//!
//! The client asks for no compression, and some servers compress all the same. What an answer says of itself may be wrong: then
//! what it looks like counts.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;
use std::io::Read;

/// A few layers happen, where a gateway packs again what the server has packed.
const MAX_LAYERS: usize = 4;

/// The text of a body of which the start was read. `most`: how many bytes of it are unpacked.
pub(super) fn text(body: &[u8], content_encoding: &str, content_type: &str, most: usize) -> String {
    decoded(&unpacked(body, content_encoding, most), content_type)
}

fn unpacked<'b>(body: &'b [u8], content_encoding: &str, most: usize) -> Cow<'b, [u8]> {
    let mut body = Cow::Borrowed(body);
    // The last one was applied last.
    for name in content_encoding.rsplit(',').take(MAX_LAYERS) {
        let unpacked = match name.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(&*body), most),
            "deflate" => read(flate2::read::ZlibDecoder::new(&*body), most)
                .or_else(|| read(flate2::read::DeflateDecoder::new(&*body), most)),
            "br" => read(brotli::Decompressor::new(&*body, 4096), most),
            "zstd" => zstd::stream::read::Decoder::new(&*body).ok().and_then(|reader| read(reader, most)),
            _ => None,
        };
        if let Some(unpacked) = unpacked {
            body = Cow::Owned(unpacked);
        }
    }
    let is_gzip = body.starts_with(b"\x1f\x8b");
    match is_gzip.then(|| read(flate2::read::MultiGzDecoder::new(&*body), most)).flatten() {
        Some(unpacked) => Cow::Owned(unpacked),
        None => body,
    }
}

/// What can be read, up to `most` bytes. `None` where that is nothing.
fn read(from: impl Read, most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    // Whatever was read before a failure counts: the body itself may be cut.
    let _ = from.take(most as u64).read_to_end(&mut bytes);
    (!bytes.is_empty()).then_some(bytes)
}

fn decoded(body: &[u8], content_type: &str) -> String {
    let named = charset(content_type).and_then(|label| Encoding::for_label(label.as_bytes()));
    // Without a mark: of two bytes one is zero, in every text about errors.
    let zeros = |odd: usize| body.iter().skip(odd).step_by(2).take(64).filter(|byte| **byte == 0).count();
    let looks_like = match (zeros(0), zeros(1)) {
        (0, 0) => None,
        (even, odd) if odd > even => Some(UTF_16LE),
        _ => Some(UTF_16BE),
    };
    let is_utf8 = match std::str::from_utf8(body) {
        Ok(_) => true,
        // Cut in the middle of a letter, where there were others before.
        Err(error) => error.error_len().is_none() && !body[..error.valid_up_to()].is_ascii(),
    };
    let encoding = match (looks_like, named) {
        (Some(utf16), _) => utf16,
        (None, _) if is_utf8 => UTF_8,
        (None, Some(named)) if named != UTF_16LE && named != UTF_16BE && named != UTF_8 => named,
        (None, _) if Encoding::for_bom(body).is_some() => UTF_8,
        (None, _) => WINDOWS_1252,
    };
    // A mark at the beginning goes before all that.
    encoding.decode(body).0.into_owned()
}

/// The charset of a Content-Type.
fn charset(content_type: &str) -> Option<&str> {
    let parameters = content_type.split(';').skip(1);
    let mut named = parameters.filter_map(|parameter| parameter.split_once('='));
    let (_, value) = named.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
    Some(value.trim().trim_matches(['"', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_in_the_encoding_that_they_are_in() {
        for (body, content_type, read) in [
            (b"caf\xc3\xa9" as &[u8], "text/plain", "café"),
            (b"caf\xc3\xa9", "text/plain; charset=latin1", "café"),
            (b"caf\xe9", "text/plain", "café"),
            (b"caf\xe9", "text/plain; charset=utf-8", "café"),
            (b"caf\xe9", "text/plain; Charset=\"iso-8859-1\"", "café"),
            (b"\x8c\x8f", "text/plain; charset=shift_jis", "件"),
            (b"\xc3\xa9 caf\xc3", "text/plain", "é caf\u{fffd}"),
            (b"c\0a\0", "", "ca"),
            (b"\0c\0a", "text/plain; charset=utf-8", "ca"),
            (b"\xef\xbb\xbfca", "", "ca"),
            (b"", "text/plain; charset=utf-16", ""),
        ] {
            assert_eq!(text(body, "", content_type, 100), read, "{body:?} {content_type}");
        }
    }

    #[test]
    fn what_is_not_packed_as_it_says_stays() {
        for name in ["gzip", "deflate", "br", "zstd", "identity", "unknown", ",,,"] {
            assert_eq!(text(b"{\"error\": \"plain\"}", name, "", 100), "{\"error\": \"plain\"}", "{name}");
        }
    }
}
