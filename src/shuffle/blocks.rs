//! Scenes on their way through temporary files: records behind each other, in blocks that begin with what is common to
//! them.
//!
//! There are many more scenes than visits, and each is written once and read once. So a scene goes row by row from the
//! columns of its batch into the block of its part, in the form in which it will be kept in memory, and its key is its
//! first cell.

use super::ShuffleError;
use super::carried::{faults_from, faults_to};
use super::records::{Column, append};
use super::spill::{disk, temporary};
use crate::scan::Fault;
use std::fs::File;
use std::io::{self, BufRead, Seek, Write};

/// Bytes of a block when it is written, unless there is less memory.
const BLOCK: usize = 64 << 10;
const SMALLEST: usize = 4 << 10;
/// Before the records of a block: their bytes, the bytes of their faults behind them, the file, the line that counts as 0.
const HEADER: usize = 4 + 4 + 4 + 8;

/// How large the blocks of each part are if all together may fill so many bytes.
pub(super) fn size(memory: u64, parts: usize) -> usize {
    usize::try_from(memory / parts.max(1) as u64).unwrap_or(usize::MAX).clamp(SMALLEST, BLOCK)
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
    /// Room for a header, and the records of the block that is being filled.
    bytes: Vec<u8>,
    file: u32,
    first: u64,
    count: u32,
    faults: Vec<Fault>,
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

    /// Takes one scene; `size` of blocks, in bytes.
    #[inline]
    pub(super) fn push(
        &mut self,
        size: usize,
        origin: Origin,
        columns: &[Column<'_>],
        row: usize,
        faults: &[Fault],
    ) -> Result<(), ShuffleError> {
        let offset = match origin.line.checked_sub(self.first) {
            Some(offset) if origin.file == self.file && offset <= u64::from(u32::MAX) && self.count > 0 => offset,
            _ => self.begin_block(size, origin)?,
        };
        append(&mut self.bytes, offset, columns, row);
        if !faults.is_empty() {
            self.faults.extend(faults.iter().map(|fault| Fault { row: self.count, ..fault.clone() }));
        }
        self.count += 1;
        if self.bytes.len() >= size { self.write() } else { Ok(()) }
    }

    #[cold]
    fn begin_block(&mut self, size: usize, origin: Origin) -> Result<u64, ShuffleError> {
        self.write()?;
        (self.file, self.first) = (origin.file, origin.line);
        // A record more than it takes to be full.
        self.bytes.reserve(size + size / 8);
        self.bytes.resize(HEADER, 0);
        Ok(0)
    }

    fn write(&mut self) -> Result<(), ShuffleError> {
        if self.count == 0 {
            return Ok(());
        }
        let too_long = |_| ShuffleError::TooManyScenes;
        let records = u32::try_from(self.bytes.len() - HEADER).map_err(too_long)?;
        let faults = if self.faults.is_empty() { Vec::new() } else { faults_to(&self.faults)? };
        self.bytes.extend_from_slice(&faults);
        let faults = u32::try_from(faults.len()).map_err(too_long)?;
        self.bytes[0..4].copy_from_slice(&records.to_le_bytes());
        self.bytes[4..8].copy_from_slice(&faults.to_le_bytes());
        self.bytes[8..12].copy_from_slice(&self.file.to_le_bytes());
        self.bytes[12..20].copy_from_slice(&self.first.to_le_bytes());
        let file = match self.to.take() {
            Some(file) => file,
            None => temporary()?,
        };
        self.to.insert(file).write_all(&self.bytes).map_err(disk)?;
        self.bytes.clear();
        self.faults.clear();
        self.count = 0;
        Ok(())
    }

    /// The file, if there is one, and where its blocks begin.
    pub(super) fn finish(mut self) -> Result<Option<(File, u64)>, ShuffleError> {
        self.write()?;
        Ok(self.to.map(|file| (file, self.begin)))
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
    let mut header = [0; HEADER];
    from.read_exact(&mut header).map_err(disk)?;
    let [a, b, c, d, e, f, g, h, i, j, k, l, first @ ..] = header;
    let [records, faults, file] = [[a, b, c, d], [e, f, g, h], [i, j, k, l]].map(u32::from_le_bytes);
    let mut bytes = vec![0; records as usize];
    from.read_exact(&mut bytes).map_err(disk)?;
    let mut text = vec![0; faults as usize];
    from.read_exact(&mut text).map_err(disk)?;
    let faults = if text.is_empty() { Vec::new() } else { faults_from(&text)? };
    Ok(Some(Block { file, first: u64::from_le_bytes(first), records: bytes, faults }))
}
