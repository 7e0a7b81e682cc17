//! Groups visits and their scenes in memory: all of an export, or one partition of it.

use super::buckets::{BucketBuilder, GroupedRows, NO_GROUP};
use super::error::ShuffleError;
use super::grouped::Grouped;
use super::key_column::{KEY, keys};
use super::left_out::{LeftOut, RowFilter};
use super::near::{NearKeys, NearScenes, case_tells_apart};
use super::orphans::Orphans;
use super::record::{HEAD, SceneRecord, most_bytes_of, push_row, text_columns};
use super::tally::Tally;
use super::visits::VisitGrouper;
use crate::key_index::KeyIndex;
use crate::near_key::Folding;
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
    pub(super) near: NearScenes,
    /// Where the caller wants to see them.
    pub(super) orphans: Option<Orphans>,
    pub(super) tally: Tally,
}

/// Scenes of no group, among the rows of a batch.
struct Strays {
    /// How many scenes are of visits that filters left out.
    left_out: u64,
    /// The rows of the others.
    orphans: Vec<u32>,
    /// The rows of orphans that are probably near visits, with the groups of these.
    near: Vec<(u32, u32)>,
}

impl MemoryStore {
    /// A store for everything. `folding`: how keys are folded.
    pub(super) fn new(folding: Folding) -> MemoryStore {
        MemoryStore { near: NearScenes::new(folding), ..MemoryStore::default() }
    }

    /// A store for one partition. `hasher`: how keys were hashed. `left_out`: keys whose visits filters left out.
    pub(super) fn for_partition(folding: Folding, hasher: DefaultHashBuilder, left_out: Arc<LeftOut>) -> MemoryStore {
        MemoryStore { visits: VisitGrouper::new(hasher, left_out), ..MemoryStore::new(folding) }
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
            let strays = self.strays(&groups, |row| rows.text(KEY, row));
            (GroupedRows { rows, groups }, strays)
        };
        let (batches, mut strays): (Vec<GroupedRows>, Vec<Strays>) = batches.into_par_iter().map(with_groups).unzip();
        if strays.iter().any(|strays| !strays.orphans.is_empty()) {
            self.near.begin(&self.visits.index);
            let batches = batches.par_iter().zip(&mut strays);
            batches.for_each(|(GroupedRows { rows, .. }, strays)| self.find_near(strays, |row| rows.text(KEY, row)));
        }
        for (GroupedRows { rows, groups }, strays) in batches.iter().zip(&strays) {
            self.count_scenes(groups.len(), strays, |row| (rows.text(KEY, row), rows.location(row)));
            if let Some(orphans) = &mut self.orphans {
                let columns = text_columns(rows);
                for row in strays.orphans.iter().map(|row| *row as usize) {
                    let bytes = most_bytes_of(&columns, row);
                    orphans.add(rows.location(row), columns.len(), bytes, |text| push_row(text, &columns, row));
                }
            }
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
        let key = |row: usize| records[row].split_key().0;
        let groups = self.visits.index.find_all((0..records.len()).map(|row| key(row).as_bytes()));
        let mut strays = self.strays(&groups, key);
        if !strays.orphans.is_empty() {
            self.near.begin(&self.visits.index);
            self.find_near(&mut strays, key);
        }
        self.count_scenes(groups.len(), &strays, |row| (key(row), lines.location(row, &file)));
        if let Some(orphans) = &mut self.orphans {
            for row in strays.orphans.iter().map(|row| *row as usize) {
                let record = records[row].cells();
                orphans.add(lines.location(row, &file), cells, HEAD + record.len(), |text| text.push_str(record));
            }
        }
        self.buckets(cells - 1).add_records(records, &groups, file, lines, faults)
    }

    /// The scenes without a group. Each is an orphan, unless filters left its visit out.
    fn strays<'r>(&self, groups: &[u32], key: impl Fn(usize) -> &'r str) -> Strays {
        let strays = (0..).zip(groups).filter(|(_, group)| **group == NO_GROUP).map(|(row, _)| row);
        let (mut left_out, mut orphans) = (0, Vec::new());
        for row in strays {
            if self.visits.is_left_out(key(row as usize).as_bytes()) {
                left_out += 1;
            } else {
                orphans.push(row);
            }
        }
        Strays { left_out, orphans, near: Vec::new() }
    }

    fn find_near<'r>(&self, strays: &mut Strays, key: impl Fn(usize) -> &'r str) {
        let orphans = strays.orphans.iter().map(|&row| (row, key(row as usize)));
        strays.near = self.near.groups(&self.visits.index, orphans);
    }

    fn count_scenes<'r>(
        &mut self,
        scenes: usize,
        strays: &Strays,
        key_and_location: impl Fn(usize) -> (&'r str, Location),
    ) {
        self.tally.scene_rows += scenes as u64;
        self.tally.scenes_left_out += strays.left_out;
        for &row in &strays.orphans {
            let (key, location) = key_and_location(row as usize);
            self.tally.add_orphan(location, key);
        }
        for &(row, group) in &strays.near {
            let (key, location) = key_and_location(row as usize);
            self.near.add(&self.visits.index, group, key, location);
        }
    }

    /// Takes keys near a visit's that were found before.
    pub(super) fn take_over_near(&mut self, visit: &str, found: NearKeys) {
        if let Some(group) = self.visits.index.find(self.visits.index.hash(visit.as_bytes()), visit.as_bytes()) {
            self.near.take_over(group, found);
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

    /// The visits with their scenes. `case_tells_apart`: whether visits of the export have keys that differ in case only;
    /// it is asked only where that matters.
    ///
    /// # Errors
    /// Those of `case_tells_apart`.
    pub(super) fn finish(
        self,
        case_tells_apart: impl FnOnce(&KeyIndex, &Folding) -> Result<bool, ShuffleError>,
    ) -> Result<Grouped, ShuffleError> {
        let folding = self.near.folding().clone();
        let near = self.near.finish(|folding| case_tells_apart(&self.visits.index, folding))?;
        let scenes = self.scenes.map(BucketBuilder::finish);
        Ok(Grouped { visits: self.visits.finish(), scenes, near, folding, orphans: self.orphans, tally: self.tally })
    }

    /// The visits of the whole export with their scenes.
    ///
    /// # Errors
    /// None: memory has no disk.
    pub(super) fn finish_whole(self) -> Result<Grouped, ShuffleError> {
        self.finish(|visits, folding| {
            let keys = (0..visits.len() as u32).map(|group| visits.key(group));
            Ok(case_tells_apart(keys, folding, &visits.hasher()))
        })
    }
}
