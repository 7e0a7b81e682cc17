//! The scenes of a partition in its temporary file: blocks of records (`record.rs`). A block begins with what its records
//! have in common.
//!
//! There are many more scenes than visits, and each is written once and read once. So a scene goes row by row from the
//! columns of its batch to the block of its partition, in the form in which it will be kept in memory.

use super::side_columns::{faults_from_json, faults_to_json};
use super::temporary::{create, damaged, file_error};
use crate::scan::Fault;
use crate::shuffle::error::ShuffleError;
use crate::shuffle::record::push_head;
use std::fs::File;
use std::io::{self, BufRead, Read, Seek, Write};

/// How many bytes a writer collects before it writes them, unless there is less memory for it.
const MAX_COLLECTED: u64 = 64 << 10;
const MIN_COLLECTED: u64 = 4 << 10;
/// The bytes of a [`BlockHeader`].
const HEADER: usize = 4 + 4 + 4 + 8;

/// Where the row of a scene stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct SceneOrigin {
    /// The number of its file.
    pub(super) file: u32,
    /// The line or row there.
    pub(super) line: u64,
}

/// Takes the scenes of one partition, in the order of the export.
#[derive(Debug)]
pub(super) struct SceneWriter {
    file: Option<File>,
    /// Where in the file the first block begins.
    start: u64,
    /// How many bytes are collected before they are written.
    capacity: usize,
    /// Blocks that are complete and not written yet. Of small exports a block has only a few scenes.
    blocks: Vec<u8>,
    /// The block that is being filled: where its first scene stands, its records, how many they are, and their faults.
    first: SceneOrigin,
    records: String,
    count: u32,
    faults: Vec<Fault>,
    /// The memory that the faults take, about.
    fault_bytes: usize,
}

impl SceneWriter {
    /// `memory`: how many bytes may be collected before they are written.
    pub(super) fn new(memory: u64) -> SceneWriter {
        SceneWriter {
            file: None,
            start: 0,
            capacity: memory.clamp(MIN_COLLECTED, MAX_COLLECTED) as usize,
            blocks: Vec::new(),
            first: SceneOrigin { file: 0, line: 0 },
            records: String::new(),
            count: 0,
            faults: Vec::new(),
            fault_bytes: 0,
        }
    }

    /// Has the scenes follow what a file holds already. No scene must have been taken before.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub(super) fn continue_file(&mut self, mut file: File) -> Result<(), ShuffleError> {
        self.start = file.stream_position().map_err(file_error)?;
        self.file = Some(file);
        Ok(())
    }

    /// Takes one scene. `push_cells` appends its key and its other cells to a record that was begun.
    ///
    /// # Errors
    /// If the file cannot be written.
    #[inline]
    pub(super) fn push(
        &mut self,
        origin: SceneOrigin,
        faults: &[Fault],
        push_cells: impl FnOnce(&mut String),
    ) -> Result<(), ShuffleError> {
        let offset = match origin.line.checked_sub(self.first.line).map(u32::try_from) {
            Some(Ok(offset)) if origin.file == self.first.file && self.count > 0 => offset,
            _ => self.begin_block(origin)?,
        };
        push_head(&mut self.records, 0, offset);
        push_cells(&mut self.records);
        for fault in faults {
            self.fault_bytes += fault.memory_size();
            self.faults.push(Fault { row: self.count, ..fault.clone() });
        }
        self.count += 1;
        if self.blocks.len() + self.records.len() + self.fault_bytes >= self.capacity { self.write() } else { Ok(()) }
    }

    #[cold]
    fn begin_block(&mut self, first: SceneOrigin) -> Result<u32, ShuffleError> {
        self.end_block()?;
        self.first = first;
        // One record more than it takes to be full.
        self.records.reserve(self.capacity + self.capacity / 8);
        Ok(0)
    }

    fn end_block(&mut self) -> Result<(), ShuffleError> {
        if self.count == 0 {
            return Ok(());
        }
        let faults = if self.faults.is_empty() { String::new() } else { faults_to_json(&self.faults)? };
        let too_long = |_| ShuffleError::TooManyScenes;
        let header = BlockHeader {
            records: u32::try_from(self.records.len()).map_err(too_long)?,
            faults: u32::try_from(faults.len()).map_err(too_long)?,
            first: self.first,
        };
        self.blocks.extend_from_slice(&header.to_bytes());
        self.blocks.extend_from_slice(self.records.as_bytes());
        self.blocks.extend_from_slice(faults.as_bytes());
        self.records.clear();
        self.faults.clear();
        (self.count, self.fault_bytes) = (0, 0);
        Ok(())
    }

    fn write(&mut self) -> Result<(), ShuffleError> {
        self.end_block()?;
        let blocks = std::mem::take(&mut self.blocks);
        if blocks.is_empty() {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => create()?,
        };
        self.file.insert(file).write_all(&blocks).map_err(file_error)
    }

    /// The file, if it holds anything, and where in it the blocks begin.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(mut self) -> Result<(Option<File>, u64), ShuffleError> {
        self.write()?;
        Ok((self.file, self.start))
    }
}

/// What a block begins with. Its numbers are written with their lowest byte first.
struct BlockHeader {
    /// The bytes of the records.
    records: u32,
    /// The bytes of the faults, behind the records.
    faults: u32,
    /// A record's number is how many lines it stands behind this one.
    first: SceneOrigin,
}

impl BlockHeader {
    fn to_bytes(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[0..4].copy_from_slice(&self.records.to_le_bytes());
        bytes[4..8].copy_from_slice(&self.faults.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.first.file.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.first.line.to_le_bytes());
        bytes
    }

    fn read(from: &mut impl Read) -> io::Result<BlockHeader> {
        fn next<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
            let mut bytes = [0; N];
            from.read_exact(&mut bytes).map(|()| bytes)
        }
        Ok(BlockHeader {
            records: u32::from_le_bytes(next(from)?),
            faults: u32::from_le_bytes(next(from)?),
            first: SceneOrigin { file: u32::from_le_bytes(next(from)?), line: u64::from_le_bytes(next(from)?) },
        })
    }
}

/// Scenes of one file that follow each other.
#[derive(Debug)]
pub(super) struct SceneBlock {
    /// Where the first of them stands.
    pub(super) first: SceneOrigin,
    /// The text of their records. The first cell of each is the key, and its number counts lines from the first.
    pub(super) records: String,
    /// Their `row` is the place of a record in the block.
    pub(super) faults: Vec<Fault>,
}

/// Reads the next block, if there is one.
///
/// # Errors
/// If the file cannot be read, or does not hold what was written.
pub(super) fn read_block(from: &mut impl BufRead) -> Result<Option<SceneBlock>, ShuffleError> {
    if from.fill_buf().map_err(file_error)?.is_empty() {
        return Ok(None);
    }
    let header = BlockHeader::read(from).map_err(file_error)?;
    let mut text = |bytes: u32| {
        let mut text = vec![0; bytes as usize];
        from.read_exact(&mut text).map_err(file_error)?;
        String::from_utf8(text).map_err(|_| damaged())
    };
    let (records, faults) = (text(header.records)?, text(header.faults)?);
    let faults = if faults.is_empty() { Vec::new() } else { faults_from_json(&faults)? };
    Ok(Some(SceneBlock { first: header.first, records, faults }))
}
