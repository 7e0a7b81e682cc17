//! The visits of a partition in its temporary file: Arrow streams, since their columns have types.

use super::temporary::{create, file_error};
use crate::shuffle::error::ShuffleError;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use std::fs::File;
use std::io::{self, BufRead, BufWriter};

/// How many rows a writer collects before it writes them.
const ROWS_PER_WRITE: usize = 8192;
/// Bytes of a writer's buffer. There are as many writers as partitions.
const BUFFER: usize = 16 << 10;

/// Takes the visits of one partition, in the order of the export.
#[derive(Default)]
pub(super) struct VisitWriter {
    /// Rows that are not written yet, all with one schema; how many they are, and the bytes that they take.
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: u64,
    /// Rows that were taken.
    rows: u64,
    stream: Option<(SchemaRef, Box<StreamWriter<BufWriter<File>>>)>,
}

impl std::fmt::Debug for VisitWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisitWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl VisitWriter {
    /// How many rows were taken.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The bytes of the rows that are not written yet, about.
    pub(super) fn waiting_bytes(&self) -> u64 {
        self.waiting_bytes
    }

    /// Takes rows, and writes them where there are enough.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), ShuffleError> {
        if self.waiting.last().is_some_and(|last| last.schema() != batch.schema()) {
            self.write()?;
        }
        self.rows += batch.num_rows() as u64;
        self.waiting_rows += batch.num_rows();
        self.waiting_bytes += batch.get_array_memory_size() as u64;
        self.waiting.push(batch);
        if self.waiting_rows >= ROWS_PER_WRITE { self.write() } else { Ok(()) }
    }

    /// Writes all rows that are not written yet.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self) -> Result<(), ShuffleError> {
        let Some(first) = self.waiting.first() else { return Ok(()) };
        let schema = first.schema();
        let batch = concat_batches(&schema, &self.waiting)?;
        self.waiting.clear();
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        let mut stream = match self.stream.take() {
            Some((known, stream)) if known == schema => stream,
            other => {
                // Files of an export may differ in their types: each change begins a new stream in the same file.
                let file = match other {
                    Some((_, stream)) => end(stream)?,
                    None => BufWriter::with_capacity(BUFFER, create()?),
                };
                let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
                Box::new(StreamWriter::try_new_with_options(file, &schema, options).map_err(write_error)?)
            }
        };
        stream.write(&batch).map_err(write_error)?;
        self.stream = Some((schema, stream));
        Ok(())
    }

    /// The file, if any row came. Its position is behind the visits.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(&mut self) -> Result<Option<File>, ShuffleError> {
        self.write()?;
        let Some((_, stream)) = self.stream.take() else { return Ok(None) };
        let file = end(stream)?.into_inner().map_err(|error| file_error(error.into_error()))?;
        Ok(Some(file))
    }
}

fn end(mut stream: Box<StreamWriter<BufWriter<File>>>) -> Result<BufWriter<File>, ShuffleError> {
    stream.finish().map_err(write_error)?;
    stream.into_inner().map_err(write_error)
}

/// Reads the batches of all streams, one after the other.
///
/// A stream that was cut off between two batches counts as ended for Arrow: the caller has to compare how many rows it gets.
///
/// # Errors
/// If the file cannot be read, or does not hold what was written; and the first of `take`.
pub(super) fn read_batches(
    from: &mut impl BufRead,
    mut take: impl FnMut(RecordBatch) -> Result<(), ShuffleError>,
) -> Result<(), ShuffleError> {
    while !from.fill_buf().map_err(file_error)?.is_empty() {
        for batch in StreamReader::try_new(&mut *from, None).map_err(read_error)? {
            take(batch.map_err(read_error)?)?;
        }
    }
    Ok(())
}

/// Whatever Arrow finds wrong with a stream that it wrote itself is damage.
fn read_error(error: ArrowError) -> ShuffleError {
    match error {
        ArrowError::IoError(_, source) => file_error(source),
        other => file_error(io::Error::new(io::ErrorKind::InvalidData, other)),
    }
}

fn write_error(error: ArrowError) -> ShuffleError {
    match error {
        ArrowError::IoError(_, source) => file_error(source),
        other => ShuffleError::Arrow(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, StringArray};
    use std::io::{Read, Seek};
    use std::sync::Arc;

    #[test]
    fn a_stream_that_was_cut_off_is_damaged() {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..500).map(|n| format!("V{n}"))));
        let batch = RecordBatch::try_from_iter([("visit_id", texts)]).expect("a batch");
        let mut writer = VisitWriter::default();
        writer.push(batch.clone()).expect("written");
        let mut file = writer.finish().expect("written").expect("a file");
        let mut whole = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut whole)).expect("readable");
        let rows = |bytes: &[u8]| {
            let mut batches = Vec::new();
            let read = read_batches(&mut &bytes[..], |batch| {
                batches.push(batch);
                Ok(())
            });
            read.map(|()| batches)
        };
        assert_eq!(rows(&whole).expect("whole"), std::slice::from_ref(&batch));
        for cut in 1..whole.len() - 8 {
            match rows(&whole[..cut]) {
                Err(ShuffleError::Damaged { .. }) => {}
                Err(error) => panic!("{error}"),
                // For Arrow, a stream without its end is one. Who reads it compares the number of rows.
                Ok(batches) => assert!(batches.is_empty() || batches == [batch.clone()]),
            }
        }
    }
}
