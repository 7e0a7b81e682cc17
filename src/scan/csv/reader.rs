//! Reads one CSV file: its header, then its rows in batches.

use super::column::ColumnBuffer;
use super::decode::decoded;
use super::encoding_signs::SharedSigns;
use super::file_end::{FileEnd, Hand};
use super::findings::Findings;
use super::line_numbers::LineNumbers;
use super::line_patterns::LinePatterns;
use super::row_kinds::{RowKind, RowKinds};
use super::splitter::{LONGEST_RECORD, RecordError, Splitter};
use super::stray_quotes::StrayQuotes;
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

fn open(file: &ExportFile, input: Input, source: &Source) -> Result<(CsvRecords, SharedSigns), ScanError> {
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

/// The names in the header line, or those that the job gives. None, where the file has no record at all.
///
/// # Errors
/// Where the file cannot be read, or its header is not text in the encoding of the source.
pub(in crate::scan) fn header(file: &ExportFile, input: Input, source: &Source) -> Result<Vec<String>, ScanError> {
    let (mut records, _) = open(file, input, source)?;
    let header = read_header(&mut records, file, source)?;
    if source.frame.header.is_some() && advance(&mut records, file)? {
        refuse_wide(&records, file, source)?;
    }
    Ok(header)
}

fn advance(records: &mut CsvRecords, file: &ExportFile) -> Result<bool, ScanError> {
    records.advance().map_err(|error| record_error(&file.name, error))
}

fn read_header(records: &mut CsvRecords, file: &ExportFile, source: &Source) -> Result<Vec<String>, ScanError> {
    if let Some(header) = &source.frame.header {
        return Ok(header.clone());
    }
    let cleaning = Cleaning { trim: source.trim, nulls: Vec::new() };
    loop {
        if !advance(records, file)? {
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

/// Reads the rows of one file.
pub(in crate::scan) struct CsvReader {
    records: CsvRecords,
    file: Arc<str>,
    signs: SharedSigns,
    kinds: RowKinds,
    quotes: StrayQuotes,
    /// The line of the header; 0 where the job gives it.
    header_line: u64,
    /// How many rows were read and how many of them left out, the header aside.
    rows: u64,
    left_out: u64,
    hand: Option<Hand>,
    findings: Findings,
    wanted: Arc<[WantedColumn]>,
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
        let (mut records, signs) = open(file, input, source)?;
        let header = read_header(&mut records, file, source)?;
        if header != file.header {
            return Err(ScanError::Changed { file: file.name.to_string() });
        }
        let wanted = file.wanted(source);
        let in_header = |wanted: &WantedColumn| match wanted.from {
            ColumnSource::Header(at) => Some(at),
            _ => None,
        };
        let mut mapped: Vec<usize> = wanted.iter().filter_map(in_header).collect();
        // The key comes first.
        let keys = wanted.iter().take(1).filter_map(in_header).collect();
        mapped.sort_unstable();
        mapped.dedup();
        let names = mapped.iter().map(|at| header[*at].clone()).collect();
        let delimiter = records.syntax.delimiter;
        let has_header_line = source.frame.header.is_none();
        Ok(CsvReader {
            signs,
            kinds: RowKinds::new(&header, names, source.trim),
            quotes: StrayQuotes { delimiter, columns: header.len(), keys, mapped },
            header_line: if has_header_line { records.record_line() } else { 0 },
            rows: 0,
            left_out: 0,
            hand: has_header_line.then(|| Hand::of(&records)),
            findings: Findings::default(),
            records,
            file: file.name.clone(),
            wanted: wanted.into(),
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
        let mut columns: Vec<ColumnBuffer<'_>> = Vec::new();
        let wanted = Arc::clone(&self.wanted);
        for (at, wanted) in wanted.iter().enumerate() {
            if let ColumnSource::Header(from) = wanted.from {
                let room = self.sizes.get(columns.len()).map_or(BATCH_ROWS * 8, |size| size + size / 32 + 64);
                columns.push(ColumnBuffer::new(from, at, &wanted.cleaning, room));
            }
        }
        let mut faults = Vec::new();
        let mut lines = LineNumbers::default();
        let mut rows = 0;
        while rows < BATCH_ROWS {
            if !self.records.advance().map_err(|error| record_error(&self.file, error))? {
                self.finish();
                break;
            }
            self.rows += 1;
            let kind = self.kinds.of(&self.records);
            if kind != RowKind::Row && self.is_left_out(kind)? {
                self.left_out += 1;
                continue;
            }
            lines.push(self.records.record_line());
            let fits = self.kinds.fits(&self.records);
            if !fits {
                let what = CellFault::Cells { found: self.records.len().max(1), expected: self.kinds.columns() };
                faults.push(Fault { row: rows as u32, column: None, what });
            }
            if !self.records.quoted().is_empty() {
                self.look_at_quotes(fits);
            }
            if self.hand.is_none() {
                self.hand = Some(Hand::of(&self.records));
            }
            let mut largest = 0;
            for column in &mut columns {
                column.push(&self.records);
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

    /// Whether a row of this kind is left out.
    ///
    /// # Errors
    /// Where it shows that the rows below have other columns than the header says.
    #[cold]
    fn is_left_out(&mut self, kind: RowKind) -> Result<bool, ScanError> {
        let line = self.records.record_line();
        let place = || format!("{}:{line}", self.file);
        match kind {
            RowKind::Row => return Ok(false),
            RowKind::Empty => self.findings.empty_rows.add(1, place),
            RowKind::Header => self.findings.headers.add(1, place),
            RowKind::OtherHeader => {
                let header = match self.header_line {
                    0 => "`header` in the job file".to_owned(),
                    line => format!("line {line}"),
                };
                return Err(ScanError::OtherOrder { file: self.file.to_string(), line, header });
            }
            RowKind::EndMark => return self.records.is_last().map_err(|error| record_error(&self.file, error)),
        }
        Ok(true)
    }

    #[cold]
    fn look_at_quotes(&mut self, fits: bool) {
        for mark in self.records.quoted() {
            if let Some(stray) = self.quotes.judge(&self.records, mark, fits) {
                self.findings.stray_quote(stray, format!("{}:{}", self.file, mark.line));
            }
        }
    }

    /// Looks at the file as a whole, now that all its rows are read.
    fn finish(&mut self) {
        self.done = true;
        let file = &self.file;
        let is_cut = self.records.is_cut();
        let last_row = self.records.record_line();
        let ignored = &self.records.ignored;
        if let Some(first) = ignored.lines.first() {
            self.findings.ignored_lines.add(ignored.count, || format!("{file}:{first}"));
        }
        let others = u64::from(self.header_line > 0) + u64::from(self.source.frame.skip) + ignored.count;
        self.findings.rows(file, self.rows + others, self.rows - self.left_out);
        self.findings.encoding(file, self.source.dialect.encoding.name(), &self.signs.take());
        let zeros = self.records.zeros_at_end();
        if zeros > 0 {
            let line = if is_cut { last_row } else { self.records.line };
            self.findings.zeros_at_end(zeros, format!("{file}:{line}"));
        } else if let (Some(hand), None) = (self.hand.take(), self.records.open_quote()) {
            self.findings.end(FileEnd { file: file.clone(), hand, last_row, is_cut });
        }
    }

    /// What its rows have shown, once it is read to its end.
    pub(in crate::scan) fn take_findings(&mut self) -> Findings {
        std::mem::take(&mut self.findings)
    }

    /// What the file has shown, once it is read to its end.
    pub(in crate::scan) fn take_remarks(&mut self) -> Remarks {
        std::mem::take(&mut self.remarks)
    }

    fn batch(
        &self,
        columns: Vec<ColumnBuffer<'_>>,
        rows: usize,
        lines: Lines,
        mut faults: Vec<Fault>,
    ) -> Result<Rows, ScanError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len());
        let mut columns = columns.into_iter();
        for wanted in self.wanted.iter() {
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
