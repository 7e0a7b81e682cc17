//! Visits on their way through temporary files: Arrow streams, since their columns have types.

use super::ShuffleError;
use super::temporary::{disk, temporary};
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use std::fs::File;
use std::io::{self, BufRead, BufWriter};

/// Rows of a part that are collected before they are written.
const ROWS_PER_BATCH: usize = 8192;
/// Bytes of the buffer of a file that is written. There are as many as parts.
const BUFFER: usize = 16 << 10;

/// Takes the visits of one part, which wait until there are some more.
#[derive(Default)]
pub(super) struct VisitWriter {
    waiting: Vec<RecordBatch>,
    /// Of those that wait.
    rows: usize,
    pub(super) bytes: u64,
    /// Of those that wait and those that are written.
    pub(super) all_rows: u64,
    to: Option<(SchemaRef, Box<StreamWriter<BufWriter<File>>>)>,
}

impl std::fmt::Debug for VisitWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VisitWriter").field("rows", &self.rows).finish_non_exhaustive()
    }
}

impl VisitWriter {
    pub(super) fn push(&mut self, batch: RecordBatch) -> Result<(), ShuffleError> {
        if self.waiting.last().is_some_and(|last| last.schema() != batch.schema()) {
            self.write()?;
        }
        self.rows += batch.num_rows();
        self.all_rows += batch.num_rows() as u64;
        self.bytes += batch.get_array_memory_size() as u64;
        self.waiting.push(batch);
        if self.rows >= ROWS_PER_BATCH { self.write() } else { Ok(()) }
    }

    /// Writes what waits.
    pub(super) fn write(&mut self) -> Result<(), ShuffleError> {
        let Some(first) = self.waiting.first() else { return Ok(()) };
        let schema = first.schema();
        let batch = concat_batches(&schema, &self.waiting)?;
        self.waiting.clear();
        (self.rows, self.bytes) = (0, 0);
        let mut to = match self.to.take() {
            Some(to) if to.0 == schema => to,
            other => {
                // Files of an export may differ in their types: each change begins a new stream in the same file.
                let file = match other {
                    Some((_, stream)) => ended(stream)?,
                    None => BufWriter::with_capacity(BUFFER, temporary()?),
                };
                let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME))?;
                let writer = StreamWriter::try_new_with_options(file, &schema, options).map_err(broken)?;
                (schema, Box::new(writer))
            }
        };
        to.1.write(&batch).map_err(broken)?;
        self.to = Some(to);
        Ok(())
    }

    /// The file, if any row came.
    pub(super) fn finish(mut self) -> Result<Option<File>, ShuffleError> {
        self.write()?;
        let Some((_, stream)) = self.to.take() else { return Ok(None) };
        let file = ended(stream)?.into_inner().map_err(|error| disk(error.into_error()))?;
        Ok(Some(file))
    }
}

/// Hands on every batch, stream after stream.
pub(super) fn read(
    from: &mut impl BufRead,
    mut take: impl FnMut(RecordBatch) -> Result<(), ShuffleError>,
) -> Result<(), ShuffleError> {
    while !from.fill_buf().map_err(disk)?.is_empty() {
        for batch in StreamReader::try_new(&mut *from, None).map_err(unreadable)? {
            take(batch.map_err(unreadable)?)?;
        }
    }
    Ok(())
}

fn ended(mut stream: Box<StreamWriter<BufWriter<File>>>) -> Result<BufWriter<File>, ShuffleError> {
    stream.finish().map_err(broken)?;
    stream.into_inner().map_err(broken)
}

/// What was written as a stream and is none any more.
fn unreadable(error: ArrowError) -> ShuffleError {
    match error {
        ArrowError::IoError(_, source) => disk(source),
        other => disk(io::Error::new(io::ErrorKind::InvalidData, other)),
    }
}

fn broken(error: ArrowError) -> ShuffleError {
    match error {
        ArrowError::IoError(_, source) => disk(source),
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
    fn a_stream_that_was_cut_off_is_told_to_be_spoilt() {
        let texts: ArrayRef = Arc::new(StringArray::from_iter_values((0..500).map(|n| format!("V{n}"))));
        let batch = RecordBatch::try_from_iter([("visit_id", texts)]).expect("a batch");
        let mut writer = VisitWriter::default();
        writer.push(batch.clone()).expect("written");
        let mut file = writer.finish().expect("written").expect("a file");
        let mut whole = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut whole)).expect("readable");
        let rows = |bytes: &[u8]| {
            let mut batches = Vec::new();
            let read = read(&mut &bytes[..], |batch| {
                batches.push(batch);
                Ok(())
            });
            read.map(|()| batches)
        };
        assert_eq!(rows(&whole).expect("whole"), std::slice::from_ref(&batch));
        for cut in 1..whole.len() - 8 {
            match rows(&whole[..cut]) {
                Err(ShuffleError::Spoilt { .. }) => {}
                Err(error) => panic!("{error}"),
                // Arrow takes a stream without its end for one, and who reads it counts its rows.
                Ok(batches) => assert!(batches.is_empty() || batches == [batch.clone()]),
            }
        }
    }
}
