//! The beginning of an export of which nothing is known yet, for whoever guesses how it is written.

use super::export::looks;
use super::records::{Records, Syntax};
use super::text::{self, Magic};
use super::{Dialect, Format, ScanError, csv, files};
use encoding_rs::Encoding;
use std::io::{Cursor, Read};

/// The beginning of the first file of an export that has any bytes.
#[derive(Debug)]
pub(crate) struct Peek {
    pub(crate) files: usize,
    /// What it is, whatever it is called.
    pub(crate) format: Format,
    /// Whether its name promises another format.
    pub(crate) misnamed: bool,
    /// The delimiter where nothing but the name says one.
    pub(crate) delimiter: u8,
    /// For CSV: the first bytes, unpacked but not decoded.
    pub(crate) head: Vec<u8>,
    /// Whether these are all.
    pub(crate) whole: bool,
}

fn has_the_name_of_a_table(name: &str) -> bool {
    let lower = name.to_lowercase();
    [".csv", ".tsv", ".tab", ".parquet", ".parq", ".pq"].iter().any(|ending| lower.contains(ending))
}

/// Looks at the first `most` bytes of an export.
pub(crate) fn peek(path: &str, most: usize) -> Result<Peek, ScanError> {
    let mut found = files::find(&[path.to_owned()])?;
    let files = found.len();
    // A README beside tables says nothing of how they are written.
    found.sort_by_key(|file| !has_the_name_of_a_table(&file.name));
    for file in &found {
        let looks = looks(file)?;
        let format = match looks.magic {
            Magic::Parquet => Format::Parquet,
            Magic::Zip | Magic::OldExcel => {
                return Err(ScanError::Workbook { file: file.name.clone(), expected: "CSV" });
            }
            _ => Format::Csv,
        };
        let misnamed = looks.named.is_some_and(|named| named != format);
        let mut head = Vec::new();
        if format == Format::Csv {
            let broken = |error: std::io::Error| csv::unreadable_at(&file.name, &error);
            let input = text::unpacked(looks.input, looks.magic).map_err(broken)?;
            input.take(most as u64 + 1).read_to_end(&mut head).map_err(broken)?;
            match Magic::of(&head) {
                _ if head.is_empty() => continue,
                Magic::Parquet => {
                    let (found, expected) = ("a compressed file", "Parquet");
                    return Err(ScanError::OtherFormat { file: file.name.clone(), found, expected });
                }
                Magic::Zip | Magic::OldExcel => {
                    return Err(ScanError::Workbook { file: file.name.clone(), expected: "CSV" });
                }
                _ => {}
            }
        }
        let whole = head.len() <= most;
        head.truncate(most);
        return Ok(Peek { files, format, misnamed, delimiter: looks.delimiter, head, whole });
    }
    let file = found.first().map_or_else(|| path.to_owned(), |file| file.name.clone());
    Err(ScanError::Empty { file })
}

/// The head of a text file as UTF-8, as its reader would have it: without a byte order mark, and with what cannot
/// be decoded as bytes that are no UTF-8.
pub(crate) fn decoded(head: &[u8], encoding: &'static Encoding) -> Vec<u8> {
    let mut out = Vec::with_capacity(head.len());
    // Nothing fails in memory.
    let decoded = text::decoded(Box::new(Cursor::new(head.to_vec())), encoding);
    let _ = decoded.and_then(|mut text| text.read_to_end(&mut out));
    out
}

/// The first records of a text by a dialect, and whether it could be split to its end. A first line `sep=;` is
/// honoured and is no record.
pub(crate) fn split(text: &[u8], dialect: &Dialect, most: usize) -> (Vec<Vec<Vec<u8>>>, bool) {
    let delimiter = dialect.delimiter.unwrap_or(b',');
    let syntax = Syntax { delimiter, quote: dialect.quote, escape: dialect.escape };
    let mut input = Records::new(text, syntax);
    let mut records = Vec::new();
    if input.take_separator_line().is_err() {
        return (records, false);
    }
    while records.len() < most {
        match input.advance() {
            Ok(true) => {
                records.push((0..input.len()).map(|at| input.cell(at).unwrap_or_default().to_vec()).collect());
            }
            Ok(false) => break,
            Err(_) => return (records, false),
        }
    }
    (records, true)
}
