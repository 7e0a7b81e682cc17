//! Groups rows in memory.
//!
//! Visits come first: each key gets a group. Of a scene only its group and its columns without the key are
//! kept, and at the end a counting sort puts the scenes of each group next to each other, in the order of the
//! export: 8 bytes a scene beside the input's own column bytes.

use super::index::{Index, NO_GROUP};
use super::spill::Spill;
use super::{Grouped, KEY, ShuffleError, Tally, same};
use crate::scan::Rows;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, NullArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use std::sync::Arc;

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
    scenes: Vec<Rows>,
    /// For each scene its group, or `NO_GROUP`.
    owners: Vec<u32>,
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

    /// Takes a batch of scenes, each with a key. All visits must have been taken in before.
    ///
    /// # Errors
    /// From Arrow, where a batch cannot be filtered or rebuilt.
    pub(super) fn add_scenes(&mut self, mut rows: Rows) -> Result<(), ArrowError> {
        let count = rows.batch.num_rows();
        self.tally.scene_rows += count as u64;
        let mut owners = match rows.batch.column(KEY).as_string_opt::<i32>() {
            Some(keys) => self.index.find_all((0..count).map(|row| keys.value(row).as_bytes())),
            None => vec![NO_GROUP; count],
        };
        for row in (0..count).filter(|&row| owners[row] == NO_GROUP) {
            self.lost(&rows, row);
        }
        if owners.iter().all(|&owner| owner == NO_GROUP) {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(rows.batch.num_columns());
        for (at, column) in rows.batch.columns().iter().enumerate() {
            columns.push(match column.data_type() {
                // The key has done its work.
                _ if at == KEY => Arc::new(NullArray::new(count)) as ArrayRef,
                // Files may lack a column that others have; gathered, they are one column.
                DataType::Null => Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", count))),
                _ => column.clone(),
            });
        }
        rows.batch = with_columns(&rows, columns)?;
        self.scenes.push(rows);
        self.owners.append(&mut owners);
        Ok(())
    }

    /// A scene without a visit: an orphan, unless the visit was left out on purpose.
    fn lost(&mut self, rows: &Rows, row: usize) {
        let key = rows.text(KEY, row);
        if self.left_out.contains(&self.index.hash(key.as_bytes())) {
            self.tally.scenes_left_out += 1;
        } else {
            self.tally.add_orphan(|| (rows.place(row), key.to_owned()));
        }
    }

    /// The visits with their scenes.
    pub(super) fn finish(self) -> Grouped {
        let groups = self.index.len();
        let mut ends = vec![0u32; groups + 1];
        for &owner in self.owners.iter().filter(|&&owner| owner != NO_GROUP) {
            ends[owner as usize + 1] += 1;
        }
        for group in 0..groups {
            ends[group + 1] += ends[group];
        }
        let mut order = vec![0u32; ends[groups] as usize];
        let mut next = ends.clone();
        for (scene, &owner) in self.owners.iter().enumerate().filter(|&(_, &owner)| owner != NO_GROUP) {
            let at = &mut next[owner as usize];
            order[*at as usize] = scene as u32;
            *at += 1;
        }
        let mut starts = Vec::with_capacity(self.scenes.len());
        let mut start = 0;
        for rows in &self.scenes {
            starts.push(start);
            start += rows.batch.num_rows() as u32;
        }
        Grouped {
            index: self.index,
            groups: self.groups,
            has_scene_faults: self.scenes.iter().any(|rows| !rows.faults.is_empty()),
            visits: self.visits,
            entries: self.entries,
            conflicts: self.conflicts,
            scenes: self.scenes,
            starts,
            ends,
            order,
            tally: self.tally,
        }
    }

    /// Groups in which keys hash as they do elsewhere; scenes of the keys with these hashes are no orphans.
    pub(super) fn of_part(hasher: DefaultHashBuilder, left_out: &[u64]) -> Groups {
        Groups { index: Index::new(hasher), left_out: left_out.iter().copied().collect(), ..Groups::default() }
    }

    /// Gives everything to temporary files.
    pub(super) fn move_to(self, memory: u64, expected: u64) -> Result<Spill, ShuffleError> {
        let mut spill = Spill::new(self.index.hasher(), memory, expected)?;
        // What is moved is counted again when it is grouped again.
        let mut tally = self.tally;
        tally.visit_rows -= self.entries.len() as u64;
        for hash in self.left_out {
            spill.leave_out(hash);
        }
        for rows in self.visits {
            spill.add_visits(rows)?;
        }
        let mut owners = self.owners.into_iter();
        for mut rows in self.scenes {
            let owners: Vec<u32> = owners.by_ref().take(rows.batch.num_rows()).collect();
            let keep: BooleanArray = owners.iter().map(|owner| Some(*owner != NO_GROUP)).collect();
            let key = |owner: u32| std::str::from_utf8(self.index.key(owner)).unwrap_or_default();
            let keys = owners.iter().map(|&owner| if owner == NO_GROUP { "" } else { key(owner) });
            let mut columns = rows.batch.columns().to_vec();
            columns[KEY] = Arc::new(StringArray::from_iter_values(keys));
            rows.batch = with_columns(&rows, columns)?;
            let rows = rows.filtered(&keep)?;
            tally.scene_rows -= rows.batch.num_rows() as u64;
            spill.add_scenes(rows)?;
        }
        spill.count(&tally);
        Ok(spill)
    }
}

/// The batch with other columns under the same names.
fn with_columns(rows: &Rows, columns: Vec<ArrayRef>) -> Result<RecordBatch, ArrowError> {
    let schema = rows.batch.schema();
    let fields = schema.fields().iter().zip(&columns);
    let fields: Vec<Field> =
        fields.map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone())).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
}
