//! Distributes rows past the memory budget to temporary files, one for each partition: by a piece of the hash of
//! their key's fold, so that a visit and its scenes are in the same, and orphans that are near it too. A file holds the visits of the partition (`visit_file`) and behind them its
//! scenes (`scene_file`).

use super::reader::{Partition, Partitions};
use super::scene_file::{SceneOrigin, SceneWriter};
use super::side_columns::{FileNames, FileNumbers, with_side_columns};
use super::visit_file::VisitWriter;
use crate::key_index;
use crate::near_key::Folding;
use crate::scan::Rows;
use crate::shuffle::error::ShuffleError;
use crate::shuffle::key_column::{KEY, text_keys};
use crate::shuffle::left_out::{LeftOut, RowFilter};
use crate::shuffle::memory::MemoryStore;
use crate::shuffle::near::{NearKeys, fold_hash};
use crate::shuffle::record::{TextColumn, push_cell, push_row, text_columns};
use crate::shuffle::scatter::scatter;
use crate::shuffle::tally::Tally;
use crate::shuffle::visits::VisitGrouper;
use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

/// A partition should fill one part in so many of the budget when it is grouped: a few are in memory at once.
const BUDGET_PER_PARTITION: u64 = 8;
/// How many partitions there are. The number of one is a byte.
const PARTITIONS: RangeInclusive<u64> = 8..=240;
/// Rows that are collected to be written may fill one part in so many of the budget. Past it all of them are written,
/// however few are of one partition.
const BUDGET_PER_COLLECTED: u64 = 8;
/// So many batches are distributed at once, or fewer if they fill one part in so many of the budget.
const BATCHES_AT_ONCE: usize = 8;
const BUDGET_PER_WAITING: u64 = 16;

/// Takes rows in: first all visits, then all scenes.
#[derive(Debug)]
pub(in crate::shuffle) struct PartitionWriter {
    folding: Folding,
    hasher: DefaultHashBuilder,
    /// The budget in bytes.
    memory: u64,
    partitions: Vec<WrittenPartition>,
    /// Whether all visits are written.
    at_scenes: bool,
    /// Batches that are not distributed yet, and the bytes that they take.
    waiting: Vec<Rows>,
    waiting_bytes: u64,
    /// Cells of a scene, with its key. 0 until the first scenes come.
    cells: usize,
    names: FileNames,
    /// Hashes of the keys whose visits filters left out.
    left_out: Arc<LeftOut>,
    /// Whether the caller wants to see orphans.
    keeps_orphans: bool,
    tally: Tally,
}

#[derive(Debug)]
struct WrittenPartition {
    visits: VisitWriter,
    /// It takes over the file of the visits when they are complete.
    scenes: SceneWriter,
    /// Orphans that were found before: the key of a visit, and the keys near it.
    near: Vec<(Box<str>, NearKeys)>,
}

impl PartitionWriter {
    /// `folding`, `hasher`: how keys are folded and hashed. `memory`: the budget in bytes. `expected`: the bytes of
    /// everything, about, for the number of partitions.
    pub(in crate::shuffle) fn new(
        folding: Folding,
        hasher: DefaultHashBuilder,
        memory: u64,
        expected: u64,
    ) -> PartitionWriter {
        let count = expected.saturating_mul(BUDGET_PER_PARTITION) / memory.max(1);
        let count = count.clamp(*PARTITIONS.start(), *PARTITIONS.end());
        let partitions = (0..count).map(|_| WrittenPartition {
            visits: VisitWriter::default(),
            scenes: SceneWriter::new(memory / BUDGET_PER_COLLECTED / count),
            near: Vec::new(),
        });
        PartitionWriter {
            folding,
            hasher,
            memory,
            partitions: partitions.collect(),
            at_scenes: false,
            waiting: Vec::new(),
            waiting_bytes: 0,
            cells: 0,
            names: FileNames::default(),
            left_out: Arc::default(),
            keeps_orphans: false,
            tally: Tally::default(),
        }
    }

    /// Takes over what was grouped in memory so far. It will be grouped again, and is counted then.
    ///
    /// # Errors
    /// If temporary files cannot be written.
    pub(in crate::shuffle) fn take_over(
        store: MemoryStore,
        memory: u64,
        expected: u64,
    ) -> Result<PartitionWriter, ShuffleError> {
        let MemoryStore { visits: VisitGrouper { index, visits, left_out, .. }, scenes, near, orphans, mut tally } =
            store;
        let mut writer = PartitionWriter::new(near.folding().clone(), index.hasher(), memory, expected);
        // If these counts do not add up in the end, the accounting ends the run.
        tally.visit_rows = tally.visit_rows.saturating_sub(visits.rows.len() as u64);
        drop(visits.rows);
        writer.left_out = left_out;
        for rows in visits.batches {
            writer.add_visits(rows, None)?;
        }
        let mut scratch = String::new();
        // Orphans that are kept will be found again, and what they are near to.
        for (group, near) in near.give_up().filter(|_| orphans.is_none()) {
            let key = std::str::from_utf8(index.key(group)).unwrap_or_default();
            let partition = writer.partition(key, &mut scratch);
            writer.partitions[partition].near.push((key.into(), near));
        }
        if let Some(scenes) = scenes {
            writer.begin_scenes()?;
            writer.cells = scenes.width() + 1;
            scenes.give_up(|group, record, origins| {
                tally.scene_rows = tally.scene_rows.saturating_sub(1);
                let key = std::str::from_utf8(index.key(group)).unwrap_or_default();
                let location = origins.location(record.number());
                let origin = SceneOrigin { file: writer.names.number(&location.file), line: location.row };
                let partition = writer.partition(key, &mut scratch);
                let scenes = &mut writer.partitions[partition].scenes;
                scenes.push(origin, origins.faults(record.number()), |text| {
                    push_cell(text, key);
                    text.push_str(record.cells());
                })
            })?;
        }
        if let Some(orphans) = orphans {
            writer.keep_orphans();
            tally.orphan_places.clear();
            for (record, file, row) in orphans.iter() {
                tally.scene_rows = tally.scene_rows.saturating_sub(1);
                tally.orphans = tally.orphans.saturating_sub(1);
                let origin = SceneOrigin { file: writer.names.number(file), line: row };
                let partition = writer.partition(record.split_key().0, &mut scratch);
                // What is wrong with a cell of an orphan matters to nobody.
                writer.partitions[partition].scenes.push(origin, &[], |text| text.push_str(record.cells()))?;
            }
        }
        writer.tally.add(&tally);
        Ok(writer)
    }

    /// Keeps the cells of orphans, to be asked for.
    pub(in crate::shuffle) fn keep_orphans(&mut self) {
        self.keeps_orphans = true;
    }

    /// Takes a batch of visits. Rows that the filter does not keep are left out: they do not count as rows read, and their
    /// scenes are not orphans.
    ///
    /// # Errors
    /// If temporary files cannot be written.
    pub(in crate::shuffle) fn add_visits(
        &mut self,
        rows: Rows,
        filter: Option<&RowFilter>,
    ) -> Result<(), ShuffleError> {
        debug_assert!(!self.at_scenes, "all visits come before all scenes");
        let Some(filter) = filter else { return self.add(rows) };
        let keep = filter.keep();
        for row in (0..keep.len()).filter(|&row| !keep.value(row)) {
            self.tally.visits_left_out += 1;
            let key = rows.text(KEY, row);
            if !key.is_empty() {
                let key = filter.left_out(row, key_index::hash(&self.hasher, key.as_bytes()));
                Arc::make_mut(&mut self.left_out).add(key);
            }
        }
        self.add(rows.filtered(keep)?)
    }

    /// Takes a batch of scenes, each with a key.
    ///
    /// # Errors
    /// If temporary files cannot be written.
    pub(in crate::shuffle) fn add_scenes(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        self.begin_scenes()?;
        self.cells = rows.batch.num_columns();
        self.add(rows)
    }

    /// All partitions, to be read.
    ///
    /// # Errors
    /// If temporary files cannot be written.
    pub(in crate::shuffle) fn finish(mut self) -> Result<Partitions, ShuffleError> {
        self.begin_scenes()?;
        self.distribute()?;
        let partitions = self.partitions.into_iter().map(|WrittenPartition { visits, scenes, near }| {
            let (file, scenes_start) = scenes.finish()?;
            Ok(Partition { file: file.map(Mutex::new), scenes_start, visit_rows: visits.rows(), near })
        });
        let partitions = partitions.collect::<Result<_, ShuffleError>>()?;
        Ok(Partitions {
            folding: self.folding,
            hasher: self.hasher,
            partitions,
            cells: self.cells,
            names: self.names.into_names(),
            left_out: self.left_out,
            case_tells_apart: Mutex::default(),
            tally: self.tally,
            keeps_orphans: self.keeps_orphans,
        })
    }

    /// The partition of a key.
    fn partition(&self, key: &str, scratch: &mut String) -> usize {
        partition_of(fold_hash(&self.hasher, &self.folding, key, scratch), self.partitions.len())
    }

    fn add(&mut self, rows: Rows) -> Result<(), ShuffleError> {
        self.waiting_bytes += rows.memory_size() as u64;
        self.waiting.push(rows);
        let is_enough = self.waiting.len() >= BATCHES_AT_ONCE || self.waiting_bytes >= self.memory / BUDGET_PER_WAITING;
        if is_enough { self.distribute() } else { Ok(()) }
    }

    /// Completes the visits, unless that is done already.
    fn begin_scenes(&mut self) -> Result<(), ShuffleError> {
        if self.at_scenes {
            return Ok(());
        }
        self.distribute()?;
        self.at_scenes = true;
        self.partitions.par_iter_mut().try_for_each(|partition| match partition.visits.finish()? {
            Some(file) => partition.scenes.continue_file(file),
            None => Ok(()),
        })
    }

    /// Gives the rows that wait to the files of their partitions.
    fn distribute(&mut self) -> Result<(), ShuffleError> {
        let batches = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        const { assert!(*PARTITIONS.end() <= 1 << u8::BITS, "the number of a partition is a byte") };
        let partition_rows = |rows: &Rows| {
            let mut scratch = String::new();
            text_keys(&rows.batch).map(|key| self.partition(key, &mut scratch) as u8).collect()
        };
        let numbers: Vec<Vec<u8>> = batches.par_iter().map(partition_rows).collect();
        if self.at_scenes {
            return write_scenes(&mut self.partitions, &batches, &numbers, &mut self.names);
        }
        write_visits(&mut self.partitions, &batches, &numbers, &mut self.names)?;
        let collected: u64 = self.partitions.iter().map(|partition| partition.visits.waiting_bytes()).sum();
        if collected > self.memory / BUDGET_PER_COLLECTED {
            self.partitions.par_iter_mut().try_for_each(|partition| partition.visits.write())?;
        }
        Ok(())
    }
}

/// Writes visits, on all cores: the rows of a batch for one partition are taken out of it together. `numbers`: the partition
/// of each row of each batch.
fn write_visits(
    partitions: &mut [WrittenPartition],
    batches: &[Rows],
    numbers: &[Vec<u8>],
    names: &mut FileNames,
) -> Result<(), ShuffleError> {
    let count = partitions.len();
    let rows_by_partition = numbers.par_iter().map(|numbers| {
        let mut rows: Vec<Vec<u32>> = vec![Vec::new(); count];
        for (row, &partition) in (0..).zip(numbers) {
            rows[usize::from(partition)].push(row);
        }
        rows
    });
    let rows_by_partition: Vec<Vec<Vec<u32>>> = rows_by_partition.collect();
    let batches = batches.iter().map(|rows| with_side_columns(rows, names)).collect::<Result<Vec<_>, _>>()?;
    partitions.par_iter_mut().enumerate().try_for_each(|(number, partition)| {
        for (batch, rows) in batches.iter().zip(&rows_by_partition).filter(|(_, rows)| !rows[number].is_empty()) {
            partition.visits.push(take_record_batch(batch, &UInt32Array::from(rows[number].clone()))?)?;
        }
        Ok(())
    })
}

/// Writes scenes, on all cores. `numbers`: the partition of each row of each batch.
fn write_scenes(
    partitions: &mut [WrittenPartition],
    batches: &[Rows],
    numbers: &[Vec<u8>],
    names: &mut FileNames,
) -> Result<(), ShuffleError> {
    struct PartitionedBatch<'r> {
        rows: &'r Rows,
        columns: Vec<TextColumn<'r>>,
        files: FileNumbers<'r>,
        partitions: &'r [u8],
    }
    let batches = batches.iter().zip(numbers).map(|(rows, partitions)| PartitionedBatch {
        rows,
        columns: text_columns(rows),
        files: FileNumbers::new(rows, names),
        partitions,
    });
    let batches: Vec<PartitionedBatch<'_>> = batches.collect();
    let push = |partition: &mut WrittenPartition, batch: &PartitionedBatch<'_>, row: usize| {
        let origin = SceneOrigin { file: batch.files.of(row), line: batch.rows.lines.of(row) };
        let faults = batch.rows.faults_of(row);
        partition.scenes.push(origin, faults, |text| push_row(text, &batch.columns, row))
    };
    scatter(partitions, &batches, |batch| batch.partitions, usize::from, push)
}

fn partition_of(hash: u64, count: usize) -> usize {
    // Not the lowest bits, by which the index of a partition looks up its keys.
    ((hash >> 24) as usize & 0xff_ffff) % count
}
