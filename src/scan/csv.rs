//! CSV files as batches: cells go from the splitter straight into the buffers of Arrow columns.

use super::cells::{self, Cleaning};
use super::export::{Export, ExportFile, Origin, Wanted, rows_of};
use super::records::{LONGEST_RECORD, RecordError, Records, Syntax};
use super::{BATCH_ROWS, CellFault, Fault, Lines, Rows, ScanError, Source, text};
use crate::short;
use crate::storage::{self, StorageError};
use arrow::array::{ArrayRef, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::io::Read;
use std::sync::Arc;

type Input = Records<Box<dyn Read + Send>>;

/// Text of one batch and column. A batch ends before its offsets could overflow.
const BATCH_BYTES: usize = 64 << 20;

fn open(file: &ExportFile, input: storage::Input, source: &Source) -> Result<Input, ScanError> {
    let broken = |error: std::io::Error| unreadable_at(&file.name, &error);
    let input = text::unpacked(input, file.magic).map_err(broken)?;
    let input = text::decoded(input, source.dialect.encoding).map_err(broken)?;
    let syntax = Syntax { delimiter: file.delimiter, quote: source.dialect.quote, escape: source.dialect.escape };
    let mut records = Records::new(input, syntax);
    records.take_separator_line().map_err(broken)?;
    Ok(records)
}

pub(super) fn unreadable_at(file: &str, error: &std::io::Error) -> ScanError {
    if let Some(error) = StorageError::within(error) {
        return ScanError::stored(file, error);
    }
    let reason = match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            "the compressed file is cut short, or has other bytes behind its end".to_owned()
        }
        _ => error.to_string(),
    };
    ScanError::Unreadable { file: file.to_owned(), reason }
}

fn record_error(file: &str, error: RecordError) -> ScanError {
    let file = file.to_owned();
    match error {
        RecordError::Read(error) => unreadable_at(&file, &error),
        RecordError::OpenQuote { line } => ScanError::OpenQuote { file, line },
        RecordError::TooLong { line } => ScanError::TooLong { file, line, megabytes: LONGEST_RECORD >> 20 },
    }
}

/// The names in the header line; none where the file has not a single record.
pub(super) fn header(file: &ExportFile, input: storage::Input, source: &Source) -> Result<Vec<String>, ScanError> {
    let mut records = open(file, input, source)?;
    read_header(&mut records, file, source)
}

fn read_header(records: &mut Input, file: &ExportFile, source: &Source) -> Result<Vec<String>, ScanError> {
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

/// Whether letters of a header are zeros by turns, as those of UTF-16 are. No other text has any.
fn looks_wide(records: &Input) -> bool {
    let cells = (0..records.len()).filter_map(|at| records.cell(at));
    let count = |(zeros, all), cell: &[u8]| (zeros + cell.iter().filter(|byte| **byte == 0).count(), all + cell.len());
    let (zeros, all) = cells.fold((0, 0), count);
    zeros > 0 && zeros * 3 >= all
}

/// Reads one file.
pub(super) struct Reader {
    records: Input,
    file: Arc<str>,
    columns: usize,
    wanted: Vec<Wanted>,
    cleaning: Cleaning,
    source: Source,
    done: bool,
    /// Bytes of each column in the batch before: the next one will be about as large.
    sizes: Vec<usize>,
}

/// The growing buffers of one text column.
struct Column {
    /// Its place in the file, and among the wanted ones.
    from: usize,
    at: usize,
    text: Vec<u8>,
    ends: Vec<i32>,
}

impl Column {
    #[inline]
    fn push(&mut self, records: &Input, cleaning: &Cleaning) {
        if let Some((bytes, start, end)) = records.cell_within(self.from) {
            let cell = &bytes[start..end];
            let clean = cleaning.clean(cell);
            if clean.len() == cell.len() {
                short::append(&mut self.text, bytes, start, end);
            } else {
                self.text.extend_from_slice(clean);
            }
        }
        self.ends.push(self.text.len() as i32);
    }

    /// The column, with every cell emptied that is no UTF-8.
    fn finish(mut self, faults: &mut Vec<Fault>) -> Result<StringArray, ArrowError> {
        // A cell may end in the middle of a letter, and the next one begin with the rest of it.
        let is_sound = |text: &str| self.ends.iter().all(|&end| text.is_char_boundary(end as usize));
        if !self.text.is_ascii() && !std::str::from_utf8(&self.text).is_ok_and(is_sound) {
            let cells = std::mem::take(&mut self.text);
            let mut start = 0;
            for (row, end) in self.ends.iter_mut().skip(1).enumerate() {
                let cell = &cells[start..*end as usize];
                start = *end as usize;
                match std::str::from_utf8(cell) {
                    Ok(_) => self.text.extend_from_slice(cell),
                    Err(_) => {
                        let what = CellFault::Undecodable(String::from_utf8_lossy(cell).into_owned());
                        faults.push(Fault { row: row as u32, column: Some(self.at as u16), what });
                    }
                }
                *end = self.text.len() as i32;
            }
        }
        if self.ends.len() <= BATCH_ROWS / 2 {
            // The last rows of a file: there may be thousands of files, and what is not needed of each adds up.
            self.text.shrink_to_fit();
            self.ends.shrink_to_fit();
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        StringArray::try_new(offsets, Buffer::from_vec(self.text), None)
    }
}

impl Reader {
    pub(super) fn open(file: &ExportFile, export: &Export) -> Result<Reader, ScanError> {
        let source = export.source();
        let (input, _) = file.place.open().map_err(|error| ScanError::unopened(&file.name, error))?;
        let mut records = open(file, input, source)?;
        let header = read_header(&mut records, file, source)?;
        if header != file.header {
            return Err(ScanError::Changed { file: file.name.to_string() });
        }
        Ok(Reader {
            records,
            file: file.name.clone(),
            columns: header.len(),
            wanted: export.wanted(file),
            cleaning: export.cleaning(),
            source: source.clone(),
            done: false,
            sizes: Vec::new(),
        })
    }

    pub(super) fn next_rows(&mut self) -> Result<Option<Rows>, ScanError> {
        if self.done {
            return Ok(None);
        }
        let mut columns: Vec<Column> = Vec::new();
        for (at, wanted) in self.wanted.iter().enumerate() {
            if let Origin::Column(from) = wanted.origin {
                let mut ends = Vec::with_capacity(BATCH_ROWS + 1);
                ends.push(0);
                let room = self.sizes.get(columns.len()).map_or(BATCH_ROWS * 8, |size| size + size / 32 + 64);
                columns.push(Column { from, at, text: Vec::with_capacity(room), ends });
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
                largest = largest.max(column.text.len());
            }
            rows += 1;
            if largest > BATCH_BYTES {
                break;
            }
        }
        if rows == 0 {
            return Ok(None);
        }
        self.sizes = columns.iter().map(|column| column.text.len()).collect();
        self.batch(columns, rows, lines.finish(), faults).map(Some)
    }

    fn batch(
        &self,
        columns: Vec<Column>,
        rows: usize,
        lines: Lines,
        mut faults: Vec<Fault>,
    ) -> Result<Rows, ScanError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len());
        let mut columns = columns.into_iter();
        for wanted in &self.wanted {
            arrays.push(match &wanted.origin {
                Origin::Absent => cells::absent(rows),
                Origin::Folder(value) => cells::repeated(value, rows),
                Origin::Column(_) => match columns.next().map(|column| column.finish(&mut faults)) {
                    Some(column) => Arc::new(column.map_err(|error| self.unreadable(&error.to_string()))?),
                    None => cells::absent(rows),
                },
            });
        }
        faults.sort_by_key(|fault| fault.row);
        rows_of(arrays, rows, &self.source, self.file.clone(), lines, faults)
    }

    fn unreadable(&self, reason: &str) -> ScanError {
        ScanError::Unreadable { file: self.file.to_string(), reason: reason.to_owned() }
    }
}

/// Collects row numbers, and notices that nearly always they follow each other.
#[derive(Default)]
struct LineNumbers {
    first: u64,
    count: u64,
    offsets: Option<Vec<u32>>,
}

impl LineNumbers {
    fn push(&mut self, line: u64) {
        if self.count == 0 {
            self.first = line;
        }
        let offset = line - self.first;
        match &mut self.offsets {
            None if offset == self.count => {}
            None => {
                let mut offsets: Vec<u32> = (0..self.count as u32).collect();
                offsets.push(u32::try_from(offset).unwrap_or(u32::MAX));
                self.offsets = Some(offsets);
            }
            Some(offsets) => offsets.push(u32::try_from(offset).unwrap_or(u32::MAX)),
        }
        self.count += 1;
    }

    fn finish(self) -> Lines {
        match self.offsets {
            None => Lines::From(self.first),
            Some(offsets) => Lines::Each(self.first, offsets),
        }
    }
}
