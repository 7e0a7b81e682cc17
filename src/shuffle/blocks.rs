//! Scenes on their way through temporary files: records behind each other, in blocks that begin with what is common to
//! them.
//!
//! There are many more scenes than visits, and each is written once and read once. So a scene goes row by row from the
//! columns of its batch into the block of its part, in the form in which it will be kept in memory, and its key is its
//! first cell.

use super::ShuffleError;
use super::carried::{faults_from, faults_to};
use super::records::{Column, append};
use super::temporary::{disk, temporary};
use crate::scan::Fault;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, Write};

/// Bytes that are collected before they are written, unless there is less memory.
const COLLECTED: usize = 64 << 10;
const FEWEST: usize = 4 << 10;
/// Before the records of a block: their bytes, the bytes of their faults behind them, the file, the line that counts as 0.
const HEADER: usize = 4 + 4 + 4 + 8;

/// How much each part collects if all together may fill so many bytes.
pub(super) fn collected(memory: u64, parts: usize) -> usize {
    usize::try_from(memory / parts.max(1) as u64).unwrap_or(usize::MAX).clamp(FEWEST, COLLECTED)
}

/// Where a scene stands: the number of its file, and its row there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) file: u32,
    pub(super) line: u64,
}

/// Takes the scenes of one part, in the order of the export.
#[derive(Debug, Default)]
pub(super) struct BlockWriter {
    to: Option<File>,
    /// Where in the file the first block begins.
    begin: u64,
    /// Whole blocks, for of small exports a block has only a few scenes; and the one that is being filled.
    bytes: Vec<u8>,
    /// Where in `bytes` that one begins.
    block: usize,
    file: u32,
    first: u64,
    /// Its scenes.
    count: u32,
    faults: Vec<Fault>,
    /// How much memory they take, about.
    bytes_of_faults: usize,
}

impl BlockWriter {
    /// Goes on behind what the file holds already.
    pub(super) fn behind(file: Option<File>) -> io::Result<BlockWriter> {
        let begin = match &file {
            Some(file) => (&mut &*file).stream_position()?,
            None => 0,
        };
        Ok(BlockWriter { to: file, begin, ..BlockWriter::default() })
    }

    /// Takes one scene; `most`: bytes to be collected.
    #[inline]
    pub(super) fn push(
        &mut self,
        most: usize,
        origin: Origin,
        columns: &[Column<'_>],
        row: usize,
        faults: &[Fault],
    ) -> Result<(), ShuffleError> {
        let offset = match origin.line.checked_sub(self.first) {
            Some(offset) if origin.file == self.file && offset <= u64::from(u32::MAX) && self.count > 0 => offset,
            _ => self.begin_block(most, origin)?,
        };
        append(&mut self.bytes, offset, columns, row);
        for fault in faults {
            // It holds the text that could be no cell.
            self.bytes_of_faults += fault.memory_size();
            self.faults.push(Fault { row: self.count, ..fault.clone() });
        }
        self.count += 1;
        if self.bytes.len() + self.bytes_of_faults >= most { self.write() } else { Ok(()) }
    }

    #[cold]
    fn begin_block(&mut self, most: usize, origin: Origin) -> Result<u64, ShuffleError> {
        self.end_block()?;
        (self.file, self.first) = (origin.file, origin.line);
        if self.bytes.is_empty() {
            // A record more than it takes to be full.
            self.bytes.reserve(most + most / 8);
        }
        self.block = self.bytes.len();
        self.bytes.resize(self.block + HEADER, 0);
        Ok(0)
    }

    /// Makes what is being filled a whole block.
    fn end_block(&mut self) -> Result<(), ShuffleError> {
        if self.count == 0 {
            return Ok(());
        }
        let too_long = |_| ShuffleError::TooManyScenes;
        let records = u32::try_from(self.bytes.len() - self.block - HEADER).map_err(too_long)?;
        let faults = if self.faults.is_empty() { Vec::new() } else { faults_to(&self.faults)? };
        self.bytes.extend_from_slice(&faults);
        let faults = u32::try_from(faults.len()).map_err(too_long)?;
        let header = Header { records, faults, file: self.file, first: self.first };
        self.bytes[self.block..self.block + HEADER].copy_from_slice(&header.to_bytes());
        self.faults.clear();
        self.bytes_of_faults = 0;
        self.count = 0;
        Ok(())
    }

    fn write(&mut self) -> Result<(), ShuffleError> {
        self.end_block()?;
        if self.bytes.is_empty() {
            return Ok(());
        }
        let file = match self.to.take() {
            Some(file) => file,
            None => temporary()?,
        };
        self.to.insert(file).write_all(&self.bytes).map_err(disk)?;
        self.bytes.clear();
        Ok(())
    }

    /// The file, if there is one, and where its blocks begin.
    pub(super) fn finish(mut self) -> Result<Option<(File, u64)>, ShuffleError> {
        self.write()?;
        Ok(self.to.map(|file| (file, self.begin)))
    }
}

/// What a block begins with.
struct Header {
    /// Bytes of the records, and of the faults behind them.
    records: u32,
    faults: u32,
    file: u32,
    first: u64,
}

impl Header {
    fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&self.records.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.faults.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.file.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.to_le_bytes());
        bytes
    }

    fn read(from: &mut impl Read) -> io::Result<Header> {
        fn next<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
            let mut bytes = [0; N];
            from.read_exact(&mut bytes).map(|()| bytes)
        }
        Ok(Header {
            records: u32::from_le_bytes(next(from)?),
            faults: u32::from_le_bytes(next(from)?),
            file: u32::from_le_bytes(next(from)?),
            first: u64::from_le_bytes(next(from)?),
        })
    }
}

/// Scenes of one file as they were written.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) file: u32,
    /// What a record's number counts from.
    pub(super) first: u64,
    pub(super) records: Vec<u8>,
    /// Their `row` is the place of a record among those of the block.
    pub(super) faults: Vec<Fault>,
}

/// The next block, if there is one.
pub(super) fn read(from: &mut impl BufRead) -> Result<Option<Block>, ShuffleError> {
    if from.fill_buf().map_err(disk)?.is_empty() {
        return Ok(None);
    }
    let Header { records, faults, file, first } = Header::read(from).map_err(disk)?;
    let mut bytes = vec![0; records as usize];
    from.read_exact(&mut bytes).map_err(disk)?;
    let mut text = vec![0; faults as usize];
    from.read_exact(&mut text).map_err(disk)?;
    let faults = if text.is_empty() { Vec::new() } else { faults_from(&text)? };
    Ok(Some(Block { file, first, records: bytes, faults }))
}
