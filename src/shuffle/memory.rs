//! Groups visits and their scenes in memory: all of an export, or one partition of it.

use super::buckets::{BucketBuilder, GroupedRows, NO_GROUP};
use super::error::ShuffleError;
use super::grouped::Grouped;
use super::key_column::{KEY, keys};
use super::left_out::{LeftOutKey, RowFilter};
use super::record::SceneRecord;
use super::tally::Tally;
use super::visits::VisitGrouper;
use crate::scan::{Fault, Lines, Location, Rows};
use arrow::error::ArrowError;
use hashbrown::DefaultHashBuilder;
use rayon::prelude::*;
use std::sync::Arc;

/// Takes rows in: first all visits, then all scenes.
#[derive(Debug, Default)]
pub(super) struct MemoryStore {
    pub(super) visits: VisitGrouper,
    /// `None` until the first scenes come.
    pub(super) scenes: Option<BucketBuilder>,
    pub(super) tally: Tally,
}

impl MemoryStore {
    /// A store for one partition. `hasher`: how keys were hashed. `left_out`: keys whose visits filters left out.
    pub(super) fn for_partition(hasher: DefaultHashBuilder, left_out: &[LeftOutKey]) -> MemoryStore {
        MemoryStore { visits: VisitGrouper::new(hasher, left_out), ..MemoryStore::default() }
    }

    /// Takes a batch of visits. Rows that the filter does not keep are left out: they do not count as rows read, and their
    /// scenes are not orphans.
    ///
    /// # Errors
    /// From Arrow, if a batch cannot be filtered.
    pub(super) fn add_visits(&mut self, rows: Rows, filter: Option<&RowFilter>) -> Result<(), ArrowError> {
        self.visits.add(rows, filter, &mut self.tally)
    }

    /// Takes batches of scenes that follow each other in the export, each scene with a key.
    ///
    /// # Errors
    /// If there are more than can be held, however much memory there is.
    pub(super) fn add_scenes(&mut self, batches: Vec<Rows>) -> Result<(), ShuffleError> {
        let Some(first) = batches.first() else { return Ok(()) };
        let width = first.batch.num_columns() - 1;
        let index = &self.visits.index;
        let with_groups = |rows: Rows| {
            let groups = index.find_all(keys(&rows));
            GroupedRows { rows, groups }
        };
        let batches: Vec<GroupedRows> = batches.into_par_iter().map(with_groups).collect();
        for GroupedRows { rows, groups } in &batches {
            self.count_scenes(groups, |row| (rows.text(KEY, row), rows.location(row)));
        }
        self.buckets(width).add_rows(batches)
    }

    /// Takes over records of scenes as temporary files have them: of one file, in the order of the export, each with its key
    /// as the first of `cells` cells. A fault's `row` is the place of its scene among these records.
    ///
    /// # Errors
    /// If there are more than can be held, however much memory there is.
    pub(super) fn add_records(
        &mut self,
        records: &[SceneRecord<'_>],
        cells: usize,
        file: Arc<str>,
        lines: Lines,
        faults: Vec<Fault>,
    ) -> Result<(), ShuffleError> {
        let groups = self.visits.index.find_all(records.iter().map(|record| record.split_key().0.as_bytes()));
        self.count_scenes(&groups, |row| (records[row].split_key().0, lines.location(row, &file)));
        self.buckets(cells - 1).add_records(records, &groups, file, lines, faults)
    }

    /// Counts scenes by the group of each. A scene without one is an orphan, unless its visit was left out on purpose.
    fn count_scenes<'r>(&mut self, groups: &[u32], key_and_location: impl Fn(usize) -> (&'r str, Location)) {
        self.tally.scene_rows += groups.len() as u64;
        for row in (0..groups.len()).filter(|&row| groups[row] == NO_GROUP) {
            let (key, location) = key_and_location(row);
            if self.visits.is_left_out(key.as_bytes()) {
                self.tally.scenes_left_out += 1;
            } else {
                self.tally.add_orphan(location, key);
            }
        }
    }

    fn buckets(&mut self, width: usize) -> &mut BucketBuilder {
        self.scenes.get_or_insert_with(|| BucketBuilder::new(self.visits.index.len(), width))
    }

    /// Whether the scenes of these batches can be held as well, however much memory there is.
    pub(super) fn has_room_for(&self, batches: &[Rows]) -> bool {
        let rows = batches.iter().map(|rows| rows.batch.num_rows()).sum();
        let bytes = batches.iter().map(|rows| rows.batch.get_array_memory_size()).sum();
        self.scenes.as_ref().is_none_or(|scenes| scenes.has_room_for(rows, bytes))
    }

    /// The visits with their scenes.
    pub(super) fn finish(self) -> Grouped {
        Grouped { visits: self.visits.finish(), scenes: self.scenes.map(BucketBuilder::finish), tally: self.tally }
    }
}
