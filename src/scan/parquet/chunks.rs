//! The bytes of a Parquet file for the `parquet` crate: the footer, then the chunks of the wanted columns, whether the
//! file is on this machine or in object storage.

use crate::storage::{DataFile, Ranges, StorageError};
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// Checks that column chunks lie where the `parquet` crate takes for granted that they do. It panics at a chunk whose
/// start or length is negative.
///
/// # Errors
/// Where the footer names a column chunk that cannot be in the file.
pub(super) fn check(metadata: &ParquetMetaData) -> Result<()> {
    let chunks = metadata.row_groups().iter().flat_map(|group| group.columns());
    let is_sound = |chunk: &ColumnChunkMetaData| {
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        start >= 0 && chunk.compressed_size() >= 0 && start.checked_add(chunk.compressed_size()).is_some()
    };
    match chunks.into_iter().find(|chunk| !is_sound(chunk)) {
        Some(chunk) => {
            let column = chunk.column_path().string();
            Err(ParquetError::General(format!("its footer is damaged: column {column} lies outside of the file")))
        }
        None => Ok(()),
    }
}

/// The bytes of a Parquet file, in any order.
#[derive(Clone, Debug)]
pub(super) enum Chunks {
    Local(Arc<File>),
    Remote(Ranges),
}

impl Chunks {
    /// Opens a file.
    ///
    /// # Errors
    /// Where a local file cannot be opened. An object is not asked for yet.
    pub(super) fn open(data: &DataFile) -> io::Result<Chunks> {
        Ok(match data {
            DataFile::Local(path) => Chunks::Local(Arc::new(File::open(path)?)),
            DataFile::Remote(object, _) => Chunks::Remote(Ranges::new(object.clone())),
            // What a command writes is CSV.
            DataFile::Output(..) => return Err(io::ErrorKind::Unsupported.into()),
        })
    }

    /// Says which columns will be read, so that object storage is asked for no others.
    pub(super) fn plan(&self, metadata: &ParquetMetaData, columns: &ProjectionMask) {
        let Chunks::Remote(ranges) = self else { return };
        let groups = metadata.row_groups().iter().map(|group| {
            let chunks = group.columns().iter().enumerate().filter(|(at, _)| columns.leaf_included(*at));
            let ranges = chunks.map(|(_, chunk)| chunk.byte_range()).map(|(start, length)| start..start + length);
            ranges.collect()
        });
        ranges.plan(groups.collect());
    }

    /// The first error of object storage, if there was one.
    pub(super) fn failure(&self) -> Option<StorageError> {
        match self {
            Chunks::Local(_) => None,
            Chunks::Remote(ranges) => ranges.failure(),
        }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::Local(file) => Length::len(&**file),
            Chunks::Remote(ranges) => ranges.size(),
        }
    }
}

impl ChunkReader for Chunks {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Result<ChunkRead> {
        Ok(match self {
            Chunks::Local(file) => ChunkRead::Local(file.get_read(start)?),
            Chunks::Remote(ranges) => ChunkRead::Remote { ranges: ranges.clone(), next: start, now: Bytes::new() },
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Chunks::Local(file) => file.get_bytes(start, length),
            Chunks::Remote(ranges) => {
                let end = start + length as u64;
                if end > ranges.size() {
                    return Err(ParquetError::EOF(format!("the file ends before byte {end}")));
                }
                ranges.exactly(start..end).map_err(|error| ParquetError::External(Box::new(error)))
            }
        }
    }
}

/// Reads the bytes of a file from some byte on.
#[derive(Debug)]
pub(super) enum ChunkRead {
    Local(BufReader<File>),
    Remote { ranges: Ranges, next: u64, now: Bytes },
}

impl Read for ChunkRead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            ChunkRead::Local(file) => file.read(into),
            ChunkRead::Remote { ranges, next, now } => {
                if now.is_empty() && !into.is_empty() {
                    *now = ranges.at(*next)?;
                }
                let n = into.len().min(now.len());
                into[..n].copy_from_slice(&now[..n]);
                now.advance(n);
                *next += n as u64;
                Ok(n)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::metadata::{FileMetaData, RowGroupMetaData};
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    fn file(start: i64, bytes: i64) -> ParquetMetaData {
        let schema = parse_message_type("message m { required int32 id; }").expect("a schema");
        let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
        let chunk = ColumnChunkMetaData::builder(schema.column(0));
        let chunk = chunk.set_data_page_offset(start).set_total_compressed_size(bytes).build().expect("a chunk");
        let group = RowGroupMetaData::builder(schema.clone()).set_column_metadata(vec![chunk]).build();
        ParquetMetaData::new(FileMetaData::new(2, 1, None, None, schema, None), vec![group.expect("a group")])
    }

    #[test]
    fn chunks_outside_of_the_file_are_an_error() {
        assert!(check(&file(4, 100)).is_ok());
        for (start, bytes) in [(-4, 100), (4, -1), (i64::MAX, 1)] {
            let error = check(&file(start, bytes)).expect_err("damaged").to_string();
            assert!(error.contains("column id lies outside of the file"), "{error}");
        }
    }
}
