//! Reads the rows of one Parquet file in batches.

use super::chunks::Chunks;
use super::schema::{metadata, open, root_index, unreadable, why_unusable};
use crate::scan::batch::batch;
use crate::scan::cells;
use crate::scan::decimal_ids::IdWatch;
use crate::scan::error::ScanError;
use crate::scan::file::{ColumnSource, ExportFile, WantedColumn};
use crate::scan::remarks::Remarks;
use crate::scan::rows::{BATCH_ROWS, Lines, Rows};
use crate::scan::source::Source;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::file::metadata::{ParquetMetaData, RowGroupMetaData};
use std::sync::Arc;

/// About the largest size of a batch.
const BATCH_BYTES: usize = 16 << 20;

/// Reads the rows of one file.
pub(in crate::scan) struct ParquetReader {
    input: ParquetRecordBatchReader,
    chunks: Chunks,
    file: Arc<str>,
    wanted: Vec<WantedColumn>,
    /// For each wanted column its index in the projected batches.
    projected: Vec<Option<usize>>,
    source: Source,
    /// The number of the next row in the file, from 1.
    next_row: u64,
    watch: IdWatch,
}

/// Rows of a batch: fewer where they are long, as those with whole bodies are.
fn batch_rows(metadata: &ParquetMetaData, mask: &ProjectionMask) -> usize {
    let wanted = |group: &RowGroupMetaData| -> i64 {
        let columns = group.columns().iter().enumerate();
        columns.filter(|(at, _)| mask.leaf_included(*at)).map(|(_, column)| column.uncompressed_size()).sum()
    };
    let bytes: i64 = metadata.row_groups().iter().map(wanted).sum();
    let rows = metadata.file_metadata().num_rows().max(1);
    let of_a_row = usize::try_from(bytes / rows).unwrap_or_default().max(1);
    (BATCH_BYTES / of_a_row).clamp(1, BATCH_ROWS)
}

impl ParquetReader {
    /// Opens a file again.
    ///
    /// # Errors
    /// Where the file cannot be read, its columns are not those that were found before, or one of them is of a type that
    /// cannot be used.
    pub(in crate::scan) fn open(file: &ExportFile, source: &Source) -> Result<ParquetReader, ScanError> {
        let input = open(file)?;
        let metadata = metadata(file, &input)?;
        let wanted = file.wanted(source);
        let mut roots: Vec<usize> = Vec::new();
        for column in &wanted {
            let ColumnSource::Header(at) = column.from else { continue };
            let field = metadata.schema().fields().get(at).filter(|field| field.name() == &column.column);
            if field.is_none() {
                return Err(ScanError::Changed { file: file.name.to_string() });
            }
            if let Some(found) = why_unusable(&metadata, at) {
                let (file, column) = (file.name.to_string(), column.column.clone());
                return Err(ScanError::ColumnType { file, column, found });
            }
            roots.push(at);
        }
        roots.sort_unstable();
        roots.dedup();
        let projected = wanted.iter().map(|column| match column.from {
            ColumnSource::Header(at) => roots.binary_search(&at).ok(),
            _ => None,
        });
        let projected = projected.collect();
        let schema = metadata.parquet_schema();
        let mask = ProjectionMask::roots(schema, roots.iter().filter_map(|at| root_index(schema, *at)));
        input.plan(metadata.metadata(), &mask);
        let chunks = input.clone();
        let batch_rows = batch_rows(metadata.metadata(), &mask);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata);
        let input = builder.with_projection(mask).with_batch_size(batch_rows).build();
        Ok(ParquetReader {
            input: input.map_err(|error| unreadable(file, &chunks, &error))?,
            chunks,
            file: file.name.clone(),
            wanted,
            projected,
            source: source.clone(),
            next_row: 1,
            watch: IdWatch::new(source, &file.name, false),
        })
    }

    /// The next batch. `None` at the end of the file.
    ///
    /// # Errors
    /// Where the file cannot be read any further.
    pub(in crate::scan) fn next_rows(&mut self) -> Result<Option<Rows>, ScanError> {
        let failed = |reason: String| match self.chunks.failure() {
            Some(error) => ScanError::stored(&self.file, &error),
            // The crate has no kind of error for it.
            None if reason.contains("CRC checksum mismatch") => {
                let reason = "a page does not fit its checksum, so its bytes have changed since they were written";
                ScanError::Unreadable { file: self.file.to_string(), reason: reason.to_owned() }
            }
            None => ScanError::Unreadable { file: self.file.to_string(), reason },
        };
        let Some(read) = self.input.next() else { return Ok(None) };
        let read = read.map_err(|error| failed(error.to_string()))?;
        let rows = read.num_rows();
        let mut faults = Vec::new();
        let mut arrays = Vec::with_capacity(self.wanted.len());
        for (at, (wanted, projected)) in self.wanted.iter().zip(&self.projected).enumerate() {
            arrays.push(match (&wanted.from, projected) {
                (ColumnSource::Folder(value), _) => cells::repeated(value, rows),
                (ColumnSource::Header(_), Some(projected)) => {
                    let array = read.column(*projected);
                    cells::normalised(array, wanted.form, &wanted.cleaning, at as u16, &mut faults)
                        .map_err(|error| failed(error.to_string()))?
                }
                _ => cells::absent(rows),
            });
        }
        faults.sort_by_key(|fault| fault.row);
        let lines = Lines::From(self.next_row);
        self.next_row += rows as u64;
        batch(arrays, rows, &self.source, self.file.clone(), lines, faults, &mut self.watch).map(Some)
    }

    /// What the file has shown, once it is read to its end.
    pub(in crate::scan) fn take_remarks(&mut self) -> Remarks {
        Remarks { id_forms: self.watch.finish(), ..Remarks::default() }
    }
}
