//! A CSV file opened as far as its first row: decompressed, decoded, and behind its header.

use super::decode::decoded;
use super::encoding_signs::SharedSigns;
use super::line_patterns::LinePatterns;
use super::splitter::{LONGEST_RECORD, RecordError, Splitter};
use super::syntax::Syntax;
use crate::scan::cleaning::Cleaning;
use crate::scan::error::ScanError;
use crate::scan::file::ExportFile;
use crate::scan::source::{Dialect, Source};
use crate::scan::unpack::unpacked;
use crate::storage::Input;
use std::io::Read;

/// The records of a file, decompressed and decoded.
pub(super) type CsvRecords = Splitter<Box<dyn Read + Send>>;

/// Opens a file before its header, and the signs that its encoding is the wrong one.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn open(file: &ExportFile, input: Input, source: &Source) -> Result<(CsvRecords, SharedSigns), ScanError> {
    let broken = |error: std::io::Error| ScanError::broken(&file.name, &error);
    let input = unpacked(input, file.compression).map_err(broken)?;
    let signs = SharedSigns::default();
    let input = decoded(input, source.dialect.encoding, &signs).map_err(broken)?;
    let Dialect { quote, escape, .. } = source.dialect;
    let syntax = Syntax { delimiter: file.delimiter, quote, escape, blanks: source.trim };
    let mut records = Splitter::new(input, syntax);
    records.take_separator_line().map_err(broken)?;
    if source.frame.skip > 0 {
        records.skip_lines_before(u64::from(source.frame.skip) + 1).map_err(broken)?;
        records.take_separator_line().map_err(broken)?;
    }
    records.ignored = LinePatterns::new(&source.frame.ignore_lines, source.trim);
    Ok((records, signs))
}

/// Why a file cannot be read on.
pub(super) fn record_error(file: &str, error: RecordError) -> ScanError {
    let file = file.to_owned();
    match error {
        RecordError::Read(error) => ScanError::broken(&file, &error),
        RecordError::Zeros { line } => {
            let reason = format!("from line {line} on it holds nothing but zeros (NUL bytes)");
            ScanError::Unreadable { file, reason }
        }
        RecordError::TooLong { line } => ScanError::TooLong { file, line, megabytes: LONGEST_RECORD >> 20 },
    }
}

/// The names in the header line, or those that the job gives. None, where the file has no record at all.
///
/// # Errors
/// Where the file cannot be read, or its header is not text in the encoding of the source.
pub(in crate::scan) fn header(file: &ExportFile, input: Input, source: &Source) -> Result<Vec<String>, ScanError> {
    let (mut records, _) = open(file, input, source)?;
    let header = read_header(&mut records, file, source)?;
    if source.frame.header.is_some() && advance(&mut records, &file.name)? {
        refuse_wide(&records, file, source)?;
    }
    Ok(header)
}

/// Moves to the next record. `false` at the end of the file.
///
/// # Errors
/// Where the file cannot be read or split any further.
#[inline]
pub(super) fn advance(records: &mut CsvRecords, file: &str) -> Result<bool, ScanError> {
    records.advance().map_err(|error| record_error(file, error))
}

/// Reads over the header line, and returns its names or those that the job gives.
///
/// # Errors
/// As [`header`].
pub(super) fn read_header(
    records: &mut CsvRecords,
    file: &ExportFile,
    source: &Source,
) -> Result<Vec<String>, ScanError> {
    if let Some(header) = &source.frame.header {
        return Ok(header.clone());
    }
    let cleaning = Cleaning { trim: source.trim, nulls: Vec::new() };
    loop {
        if !advance(records, &file.name)? {
            if records.zeros_at_end() > 0 {
                let reason = "it holds nothing but zeros (NUL bytes)".to_owned();
                return Err(ScanError::Unreadable { file: file.name.to_string(), reason });
            }
            return Ok(Vec::new());
        }
        // Spreadsheets write the empty rows above a table too.
        if cells(records).any(|cell| !cleaning.clean(cell).is_empty()) {
            break;
        }
    }
    if let Some(line) = records.open_quote() {
        return Err(ScanError::OpenQuote { file: file.name.to_string(), line });
    }
    refuse_wide(records, file, source)?;
    let names = cells(records).map(|name| {
        std::str::from_utf8(cleaning.clean(name))
            .map(str::to_owned)
            .map_err(|_| ScanError::BadHeader { file: file.name.to_string(), encoding: source.dialect.encoding.name() })
    });
    names.collect()
}

/// The cells of the current record.
fn cells(records: &CsvRecords) -> impl Iterator<Item = &[u8]> {
    (0..records.len()).filter_map(|at| records.cell(at))
}

/// A file in UTF-16 that is not read as such is no text.
fn refuse_wide(records: &CsvRecords, file: &ExportFile, source: &Source) -> Result<(), ScanError> {
    let is_wide = source.dialect.encoding == encoding_rs::UTF_16LE || source.dialect.encoding == encoding_rs::UTF_16BE;
    if !is_wide && looks_wide(records) {
        return Err(ScanError::Utf16 { file: file.name.to_string() });
    }
    Ok(())
}

/// Whether at least every third byte of a header is zero, as in UTF-16. Other text has no zeros.
fn looks_wide(records: &CsvRecords) -> bool {
    let count = |(zeros, all), cell: &[u8]| (zeros + cell.iter().filter(|byte| **byte == 0).count(), all + cell.len());
    let (zeros, all) = cells(records).fold((0, 0), count);
    zeros > 0 && zeros * 3 >= all
}
