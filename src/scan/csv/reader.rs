//! Reads one CSV file: its header, then its rows in batches.

use super::column::ColumnBuffer;
use super::decode::decoded;
use super::line_numbers::LineNumbers;
use super::splitter::{LONGEST_RECORD, RecordError, Splitter};
use super::syntax::Syntax;
use crate::scan::batch::batch;
use crate::scan::cells;
use crate::scan::cleaning::Cleaning;
use crate::scan::error::ScanError;
use crate::scan::file::{ColumnSource, ExportFile, WantedColumn};
use crate::scan::remarks::Remarks;
use crate::scan::rows::{BATCH_ROWS, CellFault, Fault, Lines, Rows};
use crate::scan::source::{Dialect, Source};
use crate::scan::unpack::unpacked;
use crate::storage::Input;
use arrow::array::ArrayRef;
use std::io::Read;
use std::sync::Arc;

/// The records of a file, decompressed and decoded.
type CsvRecords = Splitter<Box<dyn Read + Send>>;

/// Bytes of text in one batch and column. A batch ends before its offsets could overflow.
const BATCH_BYTES: usize = 64 << 20;

fn open(file: &ExportFile, input: Input, source: &Source) -> Result<CsvRecords, ScanError> {
    let broken = |error: std::io::Error| ScanError::broken(&file.name, &error);
    let input = unpacked(input, file.compression).map_err(broken)?;
    let input = decoded(input, source.dialect.encoding).map_err(broken)?;
    let Dialect { quote, escape, .. } = source.dialect;
    let syntax = Syntax { delimiter: file.delimiter, quote, escape, blanks: source.trim };
    let mut records = Splitter::new(input, syntax);
    records.take_separator_line().map_err(broken)?;
    Ok(records)
}

fn record_error(file: &str, error: RecordError) -> ScanError {
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

/// The names in the header line. None, where the file has no record at all.
///
/// # Errors
/// Where the file cannot be read, or its header is not text in the encoding of the source.
pub(in crate::scan) fn header(file: &ExportFile, input: Input, source: &Source) -> Result<Vec<String>, ScanError> {
    let mut records = open(file, input, source)?;
    read_header(&mut records, file, source)
}

fn read_header(records: &mut CsvRecords, file: &ExportFile, source: &Source) -> Result<Vec<String>, ScanError> {
    if !records.advance().map_err(|error| record_error(&file.name, error))? {
        return Ok(Vec::new());
    }
    let is_wide = source.dialect.encoding == encoding_rs::UTF_16LE || source.dialect.encoding == encoding_rs::UTF_16BE;
    if !is_wide && looks_wide(records) {
        return Err(ScanError::Utf16 { file: file.name.to_string() });
    }
    let cleaning = Cleaning { trim: source.trim, nulls: Vec::new() };
    let names = (0..records.len()).filter_map(|at| records.cell(at)).map(|name| {
        std::str::from_utf8(cleaning.clean(name))
            .map(str::to_owned)
            .map_err(|_| ScanError::BadHeader { file: file.name.to_string(), encoding: source.dialect.encoding.name() })
    });
    names.collect()
}

/// Whether at least every third byte of a header is zero, as in UTF-16. Other text has no zeros.
fn looks_wide(records: &CsvRecords) -> bool {
    let cells = (0..records.len()).filter_map(|at| records.cell(at));
    let count = |(zeros, all), cell: &[u8]| (zeros + cell.iter().filter(|byte| **byte == 0).count(), all + cell.len());
    let (zeros, all) = cells.fold((0, 0), count);
    zeros > 0 && zeros * 3 >= all
}

/// Reads the rows of one file.
pub(in crate::scan) struct CsvReader {
    records: CsvRecords,
    file: Arc<str>,
    /// How many columns the header has.
    columns: usize,
    wanted: Vec<WantedColumn>,
    cleaning: Cleaning,
    source: Source,
    done: bool,
    /// The bytes of each column in the last batch. The next one will be about as large.
    sizes: Vec<usize>,
    remarks: Remarks,
}

impl CsvReader {
    /// Opens a file again and reads over its header.
    ///
    /// # Errors
    /// Where the file cannot be read, or its header is not the one that was found before.
    pub(in crate::scan) fn open(file: &ExportFile, source: &Source) -> Result<CsvReader, ScanError> {
        let (input, _) = file.data.open().map_err(|error| ScanError::unopened(&file.name, error))?;
        let mut records = open(file, input, source)?;
        let header = read_header(&mut records, file, source)?;
        if header != file.header {
            return Err(ScanError::Changed { file: file.name.to_string() });
        }
        Ok(CsvReader {
            records,
            file: file.name.clone(),
            columns: header.len(),
            wanted: file.wanted(source),
            cleaning: Cleaning::of(source),
            source: source.clone(),
            done: false,
            sizes: Vec::new(),
            remarks: Remarks::default(),
        })
    }

    /// The next batch. `None` at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read or split any further.
    pub(in crate::scan) fn next_rows(&mut self) -> Result<Option<Rows>, ScanError> {
        if self.done {
            return Ok(None);
        }
        let mut columns: Vec<ColumnBuffer> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            if let ColumnSource::Header(from) = wanted.from {
                let room = self.sizes.get(columns.len()).map_or(BATCH_ROWS * 8, |size| size + size / 32 + 64);
                columns.push(ColumnBuffer::new(from, at, room));
            }
        }
        let mut faults = Vec::new();
        let mut lines = LineNumbers::default();
        let mut rows = 0;
        while rows < BATCH_ROWS {
            if !self.records.advance().map_err(|error| record_error(&self.file, error))? {
                self.done = true;
                break;
            }
            lines.push(self.records.record_line());
            if self.records.len() != self.columns {
                let what = CellFault::Cells { found: self.records.len(), expected: self.columns };
                faults.push(Fault { row: rows as u32, column: None, what });
            }
            let mut largest = 0;
            for column in &mut columns {
                column.push(&self.records, &self.cleaning);
                largest = largest.max(column.bytes());
            }
            rows += 1;
            if largest > BATCH_BYTES {
                break;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        self.sizes = columns.iter().map(ColumnBuffer::bytes).collect();
        self.batch(columns, rows, lines.finish(), faults).map(Some)
    }

    /// What the file has shown, once it is read to its end.
    pub(in crate::scan) fn take_remarks(&mut self) -> Remarks {
        std::mem::take(&mut self.remarks)
    }

    fn batch(
        &self,
        columns: Vec<ColumnBuffer>,
        rows: usize,
        lines: Lines,
        mut faults: Vec<Fault>,
    ) -> Result<Rows, ScanError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len());
        let mut columns = columns.into_iter();
        for wanted in &self.wanted {
            arrays.push(match &wanted.from {
                ColumnSource::Absent => cells::absent(rows),
                ColumnSource::Folder(value) => cells::repeated(value, rows),
                ColumnSource::Header(_) => match columns.next().map(|column| column.finish(&mut faults)) {
                    Some(column) => Arc::new(column.map_err(|error| self.unreadable(&error.to_string()))?),
                    None => cells::absent(rows),
                },
            });
        }
        faults.sort_by_key(|fault| fault.row);
        batch(arrays, rows, &self.source, self.file.clone(), lines, faults)
    }

    fn unreadable(&self, reason: &str) -> ScanError {
        ScanError::Unreadable { file: self.file.to_string(), reason: reason.to_owned() }
    }
}
