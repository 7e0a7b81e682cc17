//! Reads the rows of one CSV file in batches.

use super::column::ColumnBuffer;
use super::findings::Findings;
use super::line_numbers::LineNumbers;
use super::opened::{CsvRecords, advance, open, read_header};
use super::row_watch::{Cells, RowWatch};
use crate::scan::batch::batch;
use crate::scan::cells;
use crate::scan::decimal_ids::IdWatch;
use crate::scan::error::ScanError;
use crate::scan::file::{ColumnSource, ExportFile, WantedColumn};
use crate::scan::remarks::Remarks;
use crate::scan::rows::{BATCH_ROWS, Fault, Rows};
use crate::scan::source::Source;
use arrow::array::ArrayRef;
use std::sync::Arc;

/// Bytes of text in one batch and column. A batch ends before its offsets could overflow.
const BATCH_BYTES: usize = 64 << 20;

/// Reads the rows of one file.
pub(in crate::scan) struct CsvReader {
    records: CsvRecords,
    file: Arc<str>,
    watch: RowWatch,
    wanted: Arc<[WantedColumn]>,
    source: Source,
    done: bool,
    /// The bytes of each column in the last batch. The next one will be about as large.
    sizes: Vec<usize>,
    remarks: Remarks,
    ids: IdWatch,
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
        Ok(CsvReader {
            watch: RowWatch::new(file, source, &wanted, &records, signs),
            records,
            file: file.name.clone(),
            wanted: wanted.into(),
            source: source.clone(),
            done: false,
            sizes: Vec::new(),
            remarks: Remarks::default(),
            ids: IdWatch::new(source, &file.name, true),
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
            if !advance(&mut self.records, &self.file)? {
                self.watch.finish(&self.records, &self.source);
                self.done = true;
                break;
            }
            let Some(cells) = self.watch.look(&mut self.records)? else { continue };
            lines.push(self.records.record_line());
            if let Cells::Other(what) = cells {
                faults.push(Fault { row: rows as u32, column: None, what });
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
        let arrays = self.arrays(columns, rows, &mut faults)?;
        let (file, lines) = (self.file.clone(), lines.finish());
        batch(arrays, rows, &self.source, file, lines, faults, &mut self.ids).map(Some)
    }

    /// What its rows have shown, once it is read to its end.
    pub(in crate::scan) fn take_findings(&mut self) -> Findings {
        self.watch.take_findings()
    }

    /// What the file has shown, once it is read to its end.
    pub(in crate::scan) fn take_remarks(&mut self) -> Remarks {
        self.remarks.id_forms = self.ids.finish();
        std::mem::take(&mut self.remarks)
    }

    /// The wanted columns; those of the file itself are `columns`.
    fn arrays(
        &self,
        columns: Vec<ColumnBuffer<'_>>,
        rows: usize,
        faults: &mut Vec<Fault>,
    ) -> Result<Vec<ArrayRef>, ScanError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.wanted.len());
        let mut columns = columns.into_iter();
        for wanted in self.wanted.iter() {
            arrays.push(match &wanted.from {
                ColumnSource::Absent => cells::absent(rows),
                ColumnSource::Folder(value) => cells::repeated(value, rows),
                ColumnSource::Header(_) => match columns.next().map(|column| column.finish(faults)) {
                    Some(column) => Arc::new(column.map_err(|error| self.unreadable(&error.to_string()))?),
                    None => cells::absent(rows),
                },
            });
        }
        faults.sort_by_key(|fault| fault.row);
        Ok(arrays)
    }

    fn unreadable(&self, reason: &str) -> ScanError {
        ScanError::Unreadable { file: self.file.to_string(), reason: reason.to_owned() }
    }
}
