//! Reads partitions back from their temporary files, and groups each in memory by itself.

use super::scene_file::read_block;
use super::side_columns::without_side_columns;
use super::temporary::{damaged, file_error};
use super::visit_file::read_batches;
use crate::near_key::Folding;
use crate::scan::Lines;
use crate::shuffle::error::ShuffleError;
use crate::shuffle::grouped::Grouped;
use crate::shuffle::key_column::{KEY, text_keys};
use crate::shuffle::left_out::LeftOut;
use crate::shuffle::memory::MemoryStore;
use crate::shuffle::near::{NearKeys, case_tells_apart};
use crate::shuffle::orphans::Orphans;
use crate::shuffle::record::{SceneRecord, records};
use crate::shuffle::tally::Tally;
use arrow::array::RecordBatch;
use hashbrown::DefaultHashBuilder;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of the buffer of a file that is read.
const READ_AHEAD: usize = 128 << 10;

/// All rows of the exports, in partitions: all rows of a key are in the same one.
#[derive(Debug)]
pub(in crate::shuffle) struct Partitions {
    pub(super) folding: Folding,
    pub(super) hasher: DefaultHashBuilder,
    pub(super) partitions: Vec<Partition>,
    /// Cells of a scene, with its key.
    pub(super) cells: usize,
    /// The names of the exports' files, by number.
    pub(super) names: Arc<[Arc<str>]>,
    /// Hashes of the keys whose visits filters left out.
    pub(super) left_out: Arc<LeftOut>,
    /// Whether visits of the export have keys that differ in case only, once it was asked.
    pub(super) case_tells_apart: Mutex<Option<bool>>,
    pub(super) tally: Tally,
    /// Whether the caller wants to see orphans.
    pub(super) keeps_orphans: bool,
}

#[derive(Debug)]
pub(super) struct Partition {
    /// Visits, and behind them scenes. `None` if there are no rows.
    pub(super) file: Option<Mutex<File>>,
    /// Where in the file the scenes begin.
    pub(super) scenes_start: u64,
    /// How many rows of visits the file holds.
    pub(super) visit_rows: u64,
    /// Orphans that were found before there were temporary files: the key of a visit, and the keys near it.
    pub(super) near: Vec<(Box<str>, NearKeys)>,
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
        let (folding, hasher) = (self.folding.clone(), self.hasher.clone());
        let mut store = MemoryStore::for_partition(folding, hasher, self.left_out.clone());
        store.orphans = self.keeps_orphans.then(Orphans::default);
        self.read_into(&mut store, &self.partitions[partition])?;
        store.finish(|_, _| self.case_tells_apart())
    }

    /// Reads the rows of a partition.
    fn read_into(&self, store: &mut MemoryStore, partition: &Partition) -> Result<(), ShuffleError> {
        let Some(file) = &partition.file else { return Ok(()) };
        let file = file.lock().unwrap_or_else(PoisonError::into_inner);
        partition
            .read_visits(&file, |batch| Ok(store.add_visits(without_side_columns(&batch, &self.names)?, None)?))?;
        for (visit, near) in &partition.near {
            store.take_over_near(visit, near.clone());
        }
        let mut scenes = BufReader::with_capacity(READ_AHEAD, &*file);
        while let Some(block) = read_block(&mut scenes)? {
            let name = self.names.get(block.first.file as usize).ok_or_else(damaged)?;
            let whole = records(&block.records, self.cells).map(|record| record.map(|(_, record)| record));
            let scenes: Vec<SceneRecord<'_>> = whole.collect::<Option<_>>().ok_or_else(damaged)?;
            let lines = Lines::Each(block.first.line, scenes.iter().map(|scene| scene.number()).collect());
            store.add_records(&scenes, self.cells, name.clone(), lines, block.faults)?;
        }
        Ok(())
    }

    /// Whether visits of any partition have keys that differ in case only. Near keys are in one partition, so partitions can
    /// be asked one by one. It is known only where there is an orphan for which it matters: then all visits are read again.
    fn case_tells_apart(&self) -> Result<bool, ShuffleError> {
        let mut known = self.case_tells_apart.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = *known {
            return Ok(known);
        }
        for partition in &self.partitions {
            let Some(file) = &partition.file else { continue };
            let file = file.lock().unwrap_or_else(PoisonError::into_inner);
            let mut batches = Vec::new();
            partition.read_visits(&file, |batch| {
                batches.push(batch.project(&[KEY])?);
                Ok(())
            })?;
            let keys = batches.iter().flat_map(text_keys).map(str::as_bytes);
            if case_tells_apart(keys, &self.folding, &self.hasher) {
                *known = Some(true);
                return Ok(true);
            }
        }
        *known = Some(false);
        Ok(false)
    }
}

impl Partition {
    /// Reads the visits, and leaves the file's position behind them.
    fn read_visits(
        &self,
        mut file: &File,
        mut take: impl FnMut(RecordBatch) -> Result<(), ShuffleError>,
    ) -> Result<(), ShuffleError> {
        file.rewind().map_err(file_error)?;
        let mut visits = BufReader::with_capacity(READ_AHEAD, file.take(self.scenes_start));
        let mut rows = 0;
        read_batches(&mut visits, |batch| {
            rows += batch.num_rows() as u64;
            take(batch)
        })?;
        if rows == self.visit_rows { Ok(()) } else { Err(damaged()) }
    }
}
