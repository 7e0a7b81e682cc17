//! Turns the bytes of a text file, in any encoding, into UTF-8. Decompression comes before, in `unpack`.
//!
//! Bytes that the encoding does not allow come out as [`UNDECODABLE`], which is never valid UTF-8. So one check finds
//! them and the broken cells of a UTF-8 file.

use super::encoding_signs::SharedSigns;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::io::{self, Read};

/// Stands in the decoded text for bytes that could not be decoded.
const UNDECODABLE: u8 = 0xff;

const READ_AHEAD: usize = 128 << 10;

/// Text in `encoding` as UTF-8. A byte order mark is dropped; one of UTF-16 or UTF-8 overrides `encoding`. `signs`: gets what
/// shows that a single-byte encoding is the wrong one.
///
/// # Errors
/// Where the first bytes cannot be read.
pub(in crate::scan) fn decoded(
    mut input: Box<dyn Read + Send>,
    encoding: &'static Encoding,
    signs: &SharedSigns,
) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(3);
    input.by_ref().take(3).read_to_end(&mut head)?;
    let (encoding, mark) = match head.as_slice() {
        [0xef, 0xbb, 0xbf] => (UTF_8, 3),
        [0xff, 0xfe, ..] => (UTF_16LE, 2),
        [0xfe, 0xff, ..] => (UTF_16BE, 2),
        // "utf-16" does not say the order of bytes, and encoding_rs takes it for little endian.
        [0, low, ..] if low.is_ascii_graphic() && encoding == UTF_16LE => (UTF_16BE, 0),
        _ => (encoding, 0),
    };
    let input = io::Cursor::new(head.split_off(mark)).chain(input);
    if encoding == UTF_8 {
        return Ok(Box::new(input));
    }
    Ok(Box::new(Decoded {
        input,
        decoder: encoding.new_decoder_without_bom_handling(),
        raw: vec![0; READ_AHEAD],
        raw_at: 0,
        raw_end: 0,
        ready: Vec::new(),
        ready_at: 0,
        finished: false,
        signs: encoding.is_single_byte().then(|| signs.clone()),
    }))
}

struct Decoded<R> {
    input: R,
    decoder: Decoder,
    raw: Vec<u8>,
    raw_at: usize,
    raw_end: usize,
    ready: Vec<u8>,
    ready_at: usize,
    finished: bool,
    signs: Option<SharedSigns>,
}

impl<R: Read> Decoded<R> {
    fn decode_some(&mut self) -> io::Result<()> {
        if self.raw_at == self.raw_end {
            self.raw_at = 0;
            self.raw_end = self.input.read(&mut self.raw)?;
        }
        let last = self.raw_end == 0;
        self.ready.resize(READ_AHEAD, 0);
        self.ready_at = 0;
        let raw = &self.raw[self.raw_at..self.raw_end];
        // One byte stays free for UNDECODABLE.
        let room = self.ready.len() - 1;
        let (result, read, mut written) =
            self.decoder.decode_to_utf8_without_replacement(raw, &mut self.ready[..room], last);
        if let Some(signs) = &self.signs {
            signs.look(&raw[..read], &self.ready[..written]);
        }
        self.raw_at += read;
        match result {
            DecoderResult::Malformed(..) => {
                self.ready[written] = UNDECODABLE;
                written += 1;
            }
            DecoderResult::InputEmpty => self.finished = last,
            DecoderResult::OutputFull => {}
        }
        self.ready.truncate(written);
        Ok(())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready_at == self.ready.len() {
            if self.finished {
                return Ok(0);
            }
            self.decode_some()?;
        }
        let n = into.len().min(self.ready.len() - self.ready_at);
        into[..n].copy_from_slice(&self.ready[self.ready_at..self.ready_at + n]);
        self.ready_at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf8(bytes: &[u8], encoding: &str) -> Vec<u8> {
        let encoding = Encoding::for_label(encoding.as_bytes()).expect("known");
        let mut text = Vec::new();
        let input = Box::new(io::Cursor::new(bytes.to_vec()));
        decoded(input, encoding, &SharedSigns::default())
            .expect("in memory")
            .read_to_end(&mut text)
            .expect("in memory");
        text
    }

    #[test]
    fn marks_are_dropped_and_utf16_marks_are_honoured() {
        assert_eq!(utf8(b"\xef\xbb\xbf\"a\"", "utf-8"), b"\"a\"");
        assert_eq!(utf8(b"\xff\xfea\0\xe9\0", "utf-8"), "aé".as_bytes());
        assert_eq!(utf8(b"\xfe\xff\0a", "windows-1252"), b"a");
        assert_eq!(utf8(b"\0a\0b", "utf-16"), b"ab");
        assert_eq!(utf8(b"", "utf-16"), b"");
    }

    #[test]
    fn what_cannot_be_decoded_stays_visible() {
        assert_eq!(utf8(b"caf\xe9", "windows-1252"), "café".as_bytes());
        // A lone surrogate, then a letter.
        assert_eq!(utf8(b"\0\xd8a\0", "utf-16le"), [UNDECODABLE, b'a']);
    }
}
