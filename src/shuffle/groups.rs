//! Groups rows in memory.
//!
//! Visits come first: each key gets a group. Then each scene finds its group, and is packed away without its key.

use super::blocks::Block;
use super::records::Whole;
use super::scenes::{Assigned, Packing};
use super::spill::Spill;
use super::temporary::disk;
use super::{Grouped, KEY, ShuffleError, Tally, same};
use crate::index::{Index, NONE};
use crate::scan::{Fault, Lines, Location, Rows};
use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use rayon::prelude::*;
use std::io;
use std::sync::Arc;

/// No group.
pub(super) const NO_GROUP: u32 = NONE;

/// Takes rows in and groups them.
#[derive(Debug, Default)]
pub(super) struct Groups {
    index: Index,
    visits: Vec<Rows>,
    entries: Vec<Entry>,
    /// The first entry of each group.
    groups: Vec<u32>,
    /// Groups whose rows differ, with all their entries.
    conflicts: HashMap<u32, Vec<u32>>,
    /// The entries of those groups by the digests of their rows.
    distinct: HashMap<(u32, u64), Vec<u32>>,
    /// Hashes of the keys that filters left out: their scenes are no orphans.
    left_out: HashSet<u64>,
    /// From the first scene on.
    scenes: Option<Packing>,
    /// Scenes that have found their groups and are not packed yet.
    assigned: Vec<Assigned>,
    tally: Tally,
}

/// One visit row that will have a result row of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) batch: u32,
    pub(super) row: u32,
    pub(super) group: u32,
}

impl Groups {
    /// Takes a batch of visits. Rows for which `keep` is false are left out: they are not rows read, and their
    /// scenes are no orphans.
    ///
    /// # Errors
    /// From Arrow, where a batch cannot be filtered.
    pub(super) fn add_visits(&mut self, rows: Rows, keep: Option<&BooleanArray>) -> Result<(), ArrowError> {
        let batch = self.visits.len();
        let before = self.entries.len();
        let count = rows.batch.num_rows();
        if let Some(keys) = rows.batch.column(KEY).as_string_opt::<i32>() {
            self.index.bring_near(cells(keys));
        }
        self.visits.push(rows);
        for row in 0..count {
            if keep.is_some_and(|keep| !keep.value(row)) {
                self.leave_out(batch, row);
            } else {
                self.add_visit(batch, row);
            }
        }
        self.drop_unused(batch, before)
    }

    fn leave_out(&mut self, batch: usize, row: usize) {
        self.tally.visits_left_out += 1;
        let key = self.visits[batch].text(KEY, row);
        if !key.is_empty() {
            self.left_out.insert(self.index.hash(key.as_bytes()));
        }
    }

    fn add_visit(&mut self, batch: usize, row: usize) {
        self.tally.visit_rows += 1;
        let entry = self.entries.len() as u32;
        let mut this = Entry { batch: batch as u32, row: row as u32, group: NO_GROUP };
        let rows = &self.visits[batch];
        let key = rows.text(KEY, row);
        if key.is_empty() {
            self.entries.push(this);
            return;
        }
        let hash = self.index.hash(key.as_bytes());
        match self.index.find(hash, key.as_bytes()) {
            None => {
                this.group = self.index.add(hash, key.as_bytes());
                self.groups.push(entry);
            }
            Some(group) => {
                this.group = group;
                let first = self.groups[group as usize];
                let is_same = |&other: &u32| {
                    let other = self.entries[other as usize];
                    same::rows(rows, row, &self.visits[other.batch as usize], other.row as usize)
                };
                let conflicting = self.conflicts.contains_key(&group);
                if !conflicting && is_same(&first) {
                    self.tally.identical_duplicates += 1;
                    return;
                }
                // A key like "N/A" may have a great many rows: only those that can be the same are compared.
                let hasher = self.index.hasher();
                let digest = same::digest(rows, row, &hasher);
                if self.distinct.get(&(group, digest)).is_some_and(|others| others.iter().any(is_same)) {
                    self.tally.identical_duplicates += 1;
                    return;
                }
                if !conflicting {
                    let Entry { batch, row, .. } = self.entries[first as usize];
                    let digest = same::digest(&self.visits[batch as usize], row as usize, &hasher);
                    self.distinct.entry((group, digest)).or_default().push(first);
                    self.conflicts.insert(group, vec![first]);
                }
                self.distinct.entry((group, digest)).or_default().push(entry);
                self.conflicts.entry(group).or_default().push(entry);
            }
        }
        self.entries.push(this);
    }

    /// Gives up the rows of a batch that no entry names.
    fn drop_unused(&mut self, batch: usize, before: usize) -> Result<(), ArrowError> {
        let entries = &mut self.entries[before..];
        let rows = &mut self.visits[batch];
        if entries.len() == rows.batch.num_rows() {
            return Ok(());
        }
        let mut keep = vec![false; rows.batch.num_rows()];
        for (at, entry) in entries.iter_mut().enumerate() {
            keep[entry.row as usize] = true;
            entry.row = at as u32;
        }
        *rows = rows.filtered(&BooleanArray::from(keep))?;
        Ok(())
    }

    /// Takes batches of scenes that follow each other in the export, each scene with a key. All visits must have been
    /// taken in before.
    ///
    /// # Errors
    /// Where there are more than can be held, however much memory there is.
    pub(super) fn add_scenes(&mut self, batches: Vec<Rows>) -> Result<(), ShuffleError> {
        if !self.has_room_for(batches.iter()) {
            return Err(ShuffleError::TooManyScenes);
        }
        let Some(first) = batches.first() else { return Ok(()) };
        let width = first.batch.num_columns() - 1;
        let (index, waiting) = (&self.index, std::mem::take(&mut self.assigned));
        let packing = self.scenes.get_or_insert_with(|| Packing::new(index.len(), width));
        // Side by side, so that no core waits for another at the end of each.
        let (assigned, ()) = rayon::join(|| assign(index, batches), || packing.add(waiting));
        for Assigned { rows, groups } in &assigned {
            self.tally.scene_rows += groups.len() as u64;
            for row in (0..groups.len()).filter(|&row| groups[row] == NO_GROUP) {
                self.lost(rows.text(KEY, row), || rows.place(row));
            }
        }
        self.assigned = assigned;
        Ok(())
    }

    /// Takes scenes as they were written to a temporary file, each with a key, as the first of so many cells, in the order
    /// of the export. All visits must have been taken in before.
    ///
    /// # Errors
    /// Where there are more than can be held, or they are not as they were written.
    pub(super) fn add_block(&mut self, block: Block, file: Arc<str>, cells: usize) -> Result<(), ShuffleError> {
        let scenes = Whole::all_in(&block.records, cells).ok_or_else(|| disk(io::ErrorKind::InvalidData.into()))?;
        let groups = self.index.find_all(scenes.iter().map(|scene| scene.first));
        let offsets = scenes.iter().map(|scene| scene.number as u32).collect();
        let lines = Lines::Each(block.first, offsets);
        for (row, scene) in scenes.iter().enumerate().filter(|&(row, _)| groups[row] == NO_GROUP) {
            let key = String::from_utf8_lossy(scene.first);
            self.lost(&key, || lines.place(row, &file));
        }
        self.tally.scene_rows += scenes.len() as u64;
        let packing = self.scenes.get_or_insert_with(|| Packing::new(self.index.len(), cells - 1));
        if !packing.has_room_for(scenes.len(), block.records.len()) {
            return Err(ShuffleError::TooManyScenes);
        }
        packing.add_whole(&scenes, &groups, file, lines, block.faults);
        Ok(())
    }

    /// Packs what is not packed yet.
    fn pack(&mut self) {
        let waiting = std::mem::take(&mut self.assigned);
        if let Some(packing) = &mut self.scenes {
            packing.add(waiting);
        }
    }

    /// Whether the scenes of these batches can be held as well.
    pub(super) fn has_room_for<'r>(&'r self, batches: impl Iterator<Item = &'r Rows>) -> bool {
        let (mut rows, mut bytes) = (0, 0);
        for batch in self.assigned.iter().map(|assigned| &assigned.rows).chain(batches) {
            rows += batch.batch.num_rows();
            bytes += batch.batch.get_array_memory_size();
        }
        self.scenes.as_ref().is_none_or(|packing| packing.has_room_for(rows, bytes))
    }

    /// A scene without a visit: an orphan, unless the visit was left out on purpose.
    fn lost(&mut self, key: &str, place: impl FnOnce() -> Location) {
        if self.left_out.contains(&self.index.hash(key.as_bytes())) {
            self.tally.scenes_left_out += 1;
        } else {
            self.tally.add_orphan(|| (place(), key.to_owned()));
        }
    }

    /// The visits with their scenes.
    ///
    /// # Errors
    /// Never, unless cells that should be text are none.
    pub(super) fn finish(mut self) -> Result<Grouped, ShuffleError> {
        self.pack();
        Ok(Grouped {
            groups: self.groups,
            visits: self.visits,
            entries: self.entries,
            conflicts: self.conflicts,
            scenes: self.scenes.map(Packing::finish).transpose()?,
            tally: self.tally,
        })
    }

    /// Groups in which keys hash as they do elsewhere; scenes of the keys with these hashes are no orphans.
    pub(super) fn of_part(hasher: DefaultHashBuilder, left_out: &[u64]) -> Groups {
        Groups { index: Index::new(hasher), left_out: left_out.iter().copied().collect(), ..Groups::default() }
    }

    /// Gives everything to temporary files.
    pub(super) fn move_to(mut self, memory: u64, expected: u64) -> Result<Spill, ShuffleError> {
        self.pack();
        let mut spill = Spill::new(self.index.hasher(), memory, expected);
        // What is moved is counted again when it is grouped again.
        let Groups { index, visits, entries, left_out, scenes, mut tally, .. } = self;
        tally.visit_rows = tally.visit_rows.saturating_sub(entries.len() as u64);
        drop(entries);
        // The keys are needed only for scenes, which are kept without them.
        let moving = scenes.map(|scenes| (scenes, index));
        for hash in left_out {
            spill.leave_out(hash);
        }
        for rows in visits {
            spill.add_visits(rows)?;
        }
        if let Some((scenes, index)) = moving {
            let key = |group| std::str::from_utf8(index.key(group)).unwrap_or_default();
            scenes.unpack(key, |columns, places, faults| {
                // Where it does not add up, the accounting ends the run.
                tally.scene_rows = tally.scene_rows.saturating_sub(places.len() as u64);
                spill.add_scenes(rows_of(columns, places, faults)?)
            })?;
        }
        spill.count(&tally);
        Ok(spill)
    }
}

/// The groups of many scenes.
fn assign(index: &Index, batches: Vec<Rows>) -> Vec<Assigned> {
    let assigned = batches.into_par_iter().map(|rows| {
        let groups = match rows.batch.column(KEY).as_string_opt::<i32>() {
            Some(keys) => index.find_all(cells(keys)),
            None => vec![NO_GROUP; rows.batch.num_rows()],
        };
        Assigned { rows, groups }
    });
    assigned.collect()
}

/// The text of each cell.
#[inline]
fn cells(column: &StringArray) -> impl Iterator<Item = &[u8]> {
    let text = column.value_data();
    column.value_offsets().windows(2).map(|cell| &text[cell[0] as usize..cell[1] as usize])
}

/// Scenes as rows again.
fn rows_of(columns: Vec<StringArray>, places: Vec<Location>, faults: Vec<Fault>) -> Result<Rows, ArrowError> {
    let fields: Vec<Field> = (0..columns.len()).map(|at| Field::new(at.to_string(), DataType::Utf8, true)).collect();
    let columns = columns.into_iter().map(|column| Arc::new(column) as ArrayRef).collect();
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
    Ok(Rows { batch, file: "".into(), lines: Lines::spread(places), faults, keep: None })
}
