//! Reads partitions back from their temporary files, and groups each in memory by itself.

use super::scene_file::read_block;
use super::side_columns::without_side_columns;
use super::temporary::{damaged, file_error};
use super::visit_file::read_batches;
use crate::scan::Lines;
use crate::shuffle::error::ShuffleError;
use crate::shuffle::grouped::Grouped;
use crate::shuffle::left_out::LeftOutKey;
use crate::shuffle::memory::MemoryStore;
use crate::shuffle::record::{SceneRecord, records};
use crate::shuffle::tally::Tally;
use hashbrown::DefaultHashBuilder;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::Arc;

/// Bytes of the buffer of a file that is read.
const READ_AHEAD: usize = 128 << 10;

/// All rows of the exports, in partitions: all rows of a key are in the same one.
#[derive(Debug)]
pub(in crate::shuffle) struct Partitions {
    pub(super) hasher: DefaultHashBuilder,
    pub(super) partitions: Vec<Partition>,
    /// Cells of a scene, with its key.
    pub(super) cells: usize,
    /// The names of the exports' files, by number.
    pub(super) names: Arc<[Arc<str>]>,
    pub(super) tally: Tally,
}

#[derive(Debug)]
pub(super) struct Partition {
    /// Visits, and behind them scenes. `None` if there are no rows.
    pub(super) file: Option<File>,
    /// Where in the file the scenes begin.
    pub(super) scenes_start: u64,
    /// How many rows of visits the file holds.
    pub(super) visit_rows: u64,
    /// The keys whose visits filters left out.
    pub(super) left_out: Vec<LeftOutKey>,
}

impl Partitions {
    pub(in crate::shuffle) fn len(&self) -> usize {
        self.partitions.len()
    }

    /// Counts of rows that no partition has.
    pub(in crate::shuffle) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Reads a partition and groups it.
    ///
    /// # Errors
    /// If its file cannot be read, or does not hold what was written.
    pub(in crate::shuffle) fn load(&self, partition: usize) -> Result<Grouped, ShuffleError> {
        let Partition { file, scenes_start, visit_rows, left_out } = &self.partitions[partition];
        let mut store = MemoryStore::for_partition(self.hasher.clone(), left_out);
        let Some(file) = file else { return Ok(store.finish()) };
        let mut file = file.try_clone().map_err(file_error)?;
        file.rewind().map_err(file_error)?;
        let mut visits = BufReader::with_capacity(READ_AHEAD, (&file).take(*scenes_start));
        let mut rows = 0;
        read_batches(&mut visits, |batch| {
            rows += batch.num_rows() as u64;
            Ok(store.add_visits(without_side_columns(&batch, &self.names)?, None)?)
        })?;
        if rows != *visit_rows {
            return Err(damaged());
        }
        let mut scenes = BufReader::with_capacity(READ_AHEAD, file);
        while let Some(block) = read_block(&mut scenes)? {
            let name = self.names.get(block.first.file as usize).ok_or_else(damaged)?;
            let whole = records(&block.records, self.cells).map(|record| record.map(|(_, record)| record));
            let scenes: Vec<SceneRecord<'_>> = whole.collect::<Option<_>>().ok_or_else(damaged)?;
            let lines = Lines::Each(block.first.line, scenes.iter().map(|scene| scene.number()).collect());
            store.add_records(&scenes, self.cells, name.clone(), lines, block.faults)?;
        }
        Ok(store.finish())
    }
}
