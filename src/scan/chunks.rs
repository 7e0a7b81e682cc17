//! A Parquet file for its reader: the footer, then the chunks of the wanted columns, from wherever the file lies.

use crate::storage::{Place, Ranges, StorageError};
use bytes::{Buf, Bytes};
use parquet::arrow::ProjectionMask;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

/// The bytes of a Parquet file, in any order.
#[derive(Clone, Debug)]
pub(super) enum Chunks {
    Here(Arc<File>),
    Stored(Ranges),
}

impl Chunks {
    pub(super) fn open(place: &Place) -> io::Result<Chunks> {
        Ok(match place {
            Place::Here(path) => Chunks::Here(Arc::new(File::open(path)?)),
            Place::Stored(object, _) => Chunks::Stored(object.ranges()),
        })
    }

    /// Says which columns will be read, so that no others are fetched.
    pub(super) fn plan(&self, metadata: &ParquetMetaData, columns: &ProjectionMask) {
        let Chunks::Stored(ranges) = self else { return };
        let groups = metadata.row_groups().iter().map(|group| {
            let chunks = group.columns().iter().enumerate().filter(|(at, _)| columns.leaf_included(*at));
            let ranges = chunks.map(|(_, chunk)| chunk.byte_range()).map(|(start, length)| start..start + length);
            ranges.collect()
        });
        ranges.plan(groups.collect());
    }

    /// What the storage of the file did not give, if anything.
    pub(super) fn failure(&self) -> Option<StorageError> {
        match self {
            Chunks::Here(_) => None,
            Chunks::Stored(ranges) => ranges.failure(),
        }
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Chunks::Here(file) => Length::len(&**file),
            Chunks::Stored(ranges) => ranges.size(),
        }
    }
}

impl ChunkReader for Chunks {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Result<ChunkRead> {
        Ok(match self {
            Chunks::Here(file) => ChunkRead::Here(file.get_read(start)?),
            Chunks::Stored(ranges) => ChunkRead::Stored { ranges: ranges.clone(), next: start, now: Bytes::new() },
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        match self {
            Chunks::Here(file) => file.get_bytes(start, length),
            Chunks::Stored(ranges) => {
                let end = start + length as u64;
                if end > ranges.size() {
                    return Err(ParquetError::EOF(format!("the file ends before byte {end}")));
                }
                ranges.exactly(start..end).map_err(|error| ParquetError::External(Box::new(error)))
            }
        }
    }
}

/// Reads on from some byte.
#[derive(Debug)]
pub(super) enum ChunkRead {
    Here(BufReader<File>),
    Stored { ranges: Ranges, next: u64, now: Bytes },
}

impl Read for ChunkRead {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            ChunkRead::Here(file) => file.read(into),
            ChunkRead::Stored { ranges, next, now } => {
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
