//! The beginning of an export of which nothing is known yet, for `init`, which guesses how it is written.

use super::csv::{self, Splitter, Syntax};
use super::discover::{FoundFile, find};
use super::error::ScanError;
use super::formats::{FileKind, Format, HEAD, has_the_name_of_a_table, kind_of_bytes};
use super::open_file::not_read;
use super::probe::probe;
use super::source::Dialect;
use super::unpack::unpacked;
use crate::storage::DataFile;
use encoding_rs::Encoding;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

/// The beginning of the first file of an export that has any bytes.
#[derive(Debug)]
pub(crate) struct Sniffed {
    /// How many files the export has.
    pub(crate) files: usize,
    /// The format that its first bytes say, whatever its name is.
    pub(crate) format: Format,
    /// Whether its name says another format.
    pub(crate) misnamed: bool,
    /// The delimiter where nothing but the name says one.
    pub(crate) delimiter: u8,
    /// For CSV: the first bytes, decompressed but not decoded.
    pub(crate) head: Vec<u8>,
    /// Whether `head` is the whole file.
    pub(crate) whole: bool,
    /// The last bytes of a larger file, where they can be read by themselves.
    pub(crate) tail: Vec<u8>,
}

/// How many bytes of the end of a file are looked at.
const TAIL: u64 = 2048;

/// The last bytes of a file on this machine that is not compressed. Without them less is known, and nothing is wrong.
fn tail(file: &FoundFile) -> Vec<u8> {
    let DataFile::Local(path) = &file.data else { return Vec::new() };
    let mut tail = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let length = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        file.take(TAIL).read_to_end(&mut tail)
    });
    if read.is_ok() { tail } else { Vec::new() }
}

/// The names of the files of an export, in order, as its paths give them.
///
/// # Errors
/// Where a path is not there or may not be read, and where a pattern is invalid or matches nothing.
pub(crate) fn file_names(paths: &[String], base_dir: &Path) -> Result<Vec<String>, ScanError> {
    Ok(find(paths, base_dir, false)?.files.into_iter().map(|file| file.name).collect())
}

/// Looks at the first `most` bytes of an export, whose path starts from `base_dir` if it is local and relative.
///
/// # Errors
/// Where there is no such file, all files are empty, or the first that is not is neither CSV nor Parquet.
pub(crate) fn sniff(paths: &[String], base_dir: &Path, most: usize) -> Result<Sniffed, ScanError> {
    let mut found = find(paths, base_dir, false)?.files;
    let files = found.len();
    // A README beside tables does not tell how they are written.
    found.sort_by_key(|file| !has_the_name_of_a_table(&file.name));
    for file in &found {
        let container = |container| Err(not_read(file, container, Format::Csv.name()));
        let probe = probe(file)?;
        let (format, compression) = match probe.kind {
            Some(FileKind::Container(_)) if file.is_unsure => continue,
            Some(FileKind::Container(kind)) => return container(kind),
            Some(FileKind::Table(format)) => (format, None),
            Some(FileKind::Compressed(compression)) => (Format::Csv, Some(compression)),
            None => (Format::Csv, None),
        };
        let misnamed = probe.named.is_some_and(|named| named != format);
        let mut head = Vec::new();
        if format == Format::Csv {
            let broken = |error: std::io::Error| ScanError::broken(&file.name, &error);
            let input = unpacked(probe.input, compression).map_err(broken)?;
            input.take(most as u64 + 1).read_to_end(&mut head).map_err(broken)?;
            // What was compressed is looked at again.
            match kind_of_bytes(&head[..head.len().min(HEAD)]) {
                _ if head.is_empty() => continue,
                Some(FileKind::Container(_)) if file.is_unsure => continue,
                Some(FileKind::Container(kind)) => return container(kind),
                Some(FileKind::Table(Format::Parquet)) => {
                    let (found, expected) = ("a compressed file", Format::Parquet.name());
                    return Err(ScanError::OtherFormat { file: file.name.clone(), found, expected });
                }
                _ => {}
            }
        }
        let whole = head.len() <= most;
        head.truncate(most);
        let tail = if whole || compression.is_some() { Vec::new() } else { tail(file) };
        return Ok(Sniffed { files, format, misnamed, delimiter: probe.delimiter, head, whole, tail });
    }
    let file = found.first().map_or_else(|| paths.join(", "), |file| file.name.clone());
    Err(ScanError::Empty { file })
}

/// The head of a text file as the CSV reader has it: UTF-8 without a byte order mark. What cannot be decoded is replaced
/// by bytes that are not valid UTF-8.
pub(crate) fn decoded(head: &[u8], encoding: &'static Encoding) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    // Reading from memory cannot fail.
    let decoded = csv::decoded(Box::new(Cursor::new(head.to_vec())), encoding, &csv::SharedSigns::default());
    let _ = decoded.and_then(|mut text| text.read_to_end(&mut out));
    out
}

/// The first records of a text in a dialect, `most` at most, each as its cells, and whether all of them could be split. A
/// first line such as `sep=;` names the delimiter and is not a record.
pub(crate) fn split(text: &[u8], dialect: &Dialect, most: usize) -> (Vec<Vec<Vec<u8>>>, bool) {
    let delimiter = dialect.delimiter.unwrap_or(b',');
    let syntax = Syntax { delimiter, quote: dialect.quote, escape: dialect.escape, blanks: true };
    let mut input = Splitter::new(text, syntax);
    let mut records = Vec::new();
    if input.take_separator_line().is_err() {
        return (records, false);
    }
    while records.len() < most {
        match input.advance() {
            Ok(true) if input.open_quote().is_some() => return (records, false),
            Ok(true) => {
                records.push((0..input.len()).map(|at| input.cell(at).unwrap_or_default().to_vec()).collect());
            }
            Ok(false) => break,
            Err(_) => return (records, false),
        }
    }
    (records, true)
}
