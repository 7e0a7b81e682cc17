//! Decompresses the bytes of a file. Which formats there are, and how a file shows its own, stands in `formats`.

use super::formats::Compression;
use crate::storage::Input;
use flate2::bufread::GzDecoder;
use std::io::{self, BufRead, BufReader, Read};
use zstd::stream::read::Decoder;

const READ_AHEAD: usize = 128 << 10;

/// The bytes of a file, decompressed. Concatenated gzip members and zstd frames are read to the end, and zeros behind it are
/// padding: tapes and some tools write whole blocks. Data that is cut short, or has other bytes behind it, is an error from
/// `read`.
///
/// # Errors
/// Where the decoder cannot be set up.
pub(super) fn unpacked(file: Input, compression: Option<Compression>) -> io::Result<Box<dyn Read + Send>> {
    let buffered = |file| BufReader::with_capacity(READ_AHEAD, file);
    Ok(match compression {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(gunzipped(buffered(file))),
        Some(Compression::Zstd) => Box::new(unzstd(buffered(file))),
    })
}

fn gunzipped<R: BufRead>(input: R) -> impl Read {
    Parts { state: State::Before(input), begin: |input| Ok(GzDecoder::new(input)), end: GzDecoder::into_inner }
}

fn unzstd<R: BufRead>(input: R) -> impl Read {
    let begin = |input| Decoder::with_buffer(input).map(Decoder::single_frame);
    Parts { state: State::Before(input), begin, end: Decoder::finish }
}

/// A file of compressed parts, one behind the other.
struct Parts<R, D> {
    state: State<R, D>,
    begin: fn(R) -> io::Result<D>,
    end: fn(D) -> R,
}

enum State<R, D> {
    /// Before a part.
    Before(R),
    Within(D),
    Done,
}

impl<R: BufRead, D: Read> Read for Parts<R, D> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Before(mut input) => {
                    // The file is not empty: its first bytes show how it is compressed.
                    match input.fill_buf()?.first() {
                        None => return Ok(0),
                        Some(0) => return only_zeros(input).map(|()| 0),
                        Some(_) => self.state = State::Within((self.begin)(input)?),
                    }
                }
                State::Within(mut part) => match part.read(into)? {
                    0 => self.state = State::Before((self.end)(part)),
                    read => {
                        self.state = State::Within(part);
                        return Ok(read);
                    }
                },
            }
        }
    }
}

/// Reads on to the end.
///
/// # Errors
/// Where there is anything but zeros.
fn only_zeros(mut input: impl BufRead) -> io::Result<()> {
    loop {
        let bytes = input.fill_buf()?;
        let length = bytes.len();
        if length == 0 {
            return Ok(());
        }
        if bytes.iter().any(|byte| *byte != 0) {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
        }
        input.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::write::GzEncoder;
    use std::io::Write;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("in memory");
        encoder.finish().expect("in memory")
    }

    fn read(bytes: &[u8], is_gzip: bool) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        // Few bytes at a time: a part may end anywhere in a piece.
        let input = BufReader::with_capacity(7, bytes);
        match is_gzip {
            true => gunzipped(input).read_to_end(&mut text)?,
            false => unzstd(input).read_to_end(&mut text)?,
        };
        Ok(text)
    }

    #[test]
    fn parts_and_zeros_behind_them_are_read_and_other_bytes_are_an_error() {
        let zstd = |text: &[u8]| zstd::encode_all(text, 1).expect("in memory");
        for (is_gzip, one, two) in [(true, gzip(b"one"), gzip(b"two")), (false, zstd(b"one"), zstd(b"two"))] {
            let both = [&one[..], &two].concat();
            assert_eq!(read(&both, is_gzip).expect("readable"), b"onetwo");
            for zeros in [1, 7, 1000] {
                assert_eq!(read(&[&both[..], &vec![0; zeros]].concat(), is_gzip).expect("readable"), b"onetwo");
            }
            for behind in [&b"x"[..], b"\0\0x", &two[..two.len() - 1]] {
                read(&[&one[..], behind].concat(), is_gzip).expect_err("not an end");
            }
            read(&both[..both.len() - 1], is_gzip).expect_err("cut short");
        }
    }
}
