//! Brings the scenes of a visit to it, in memory.
//!
//! Visits come first: each key gets a group. Of a scene only its group and its columns without the key are
//! kept, and at the end a counting sort puts the scenes of each group next to each other, in the order of the
//! export: 8 bytes a scene beside the input's own column bytes.
//!
//! It looks at the key column and at nothing else, except to tell identical duplicates of a visit from differing
//! ones, for which no column needs to mean anything.

mod grouped;
mod index;
mod same;

pub use grouped::{Conflict, Gathered, Grouped, Visit};

use crate::scan::{Place, Rows};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, NullArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Schema};
use arrow::error::ArrowError;
use hashbrown::{HashMap, HashSet};
use index::{Index, NO_GROUP};
use std::sync::Arc;

/// Where the key stands in the batches of both sections.
pub const KEY: usize = 0;

/// How many places of orphans and unreadable scenes are remembered; all are counted.
const PLACES: usize = 1000;

/// Takes rows in and groups them.
#[derive(Debug, Default)]
pub struct Shuffle {
    /// One export holds both, a row a scene: rows without scene cells are no scenes.
    flat: bool,
    index: Index,
    visits: Vec<Rows>,
    entries: Vec<Entry>,
    /// The first entry of each group.
    groups: Vec<u32>,
    /// Groups whose rows differ, with all their entries.
    conflicts: HashMap<u32, Vec<u32>>,
    /// Hashes of the keys that filters left out: their scenes are no orphans.
    left_out: HashSet<u64>,
    scenes: Vec<Rows>,
    /// For each scene its group, or `NO_GROUP`.
    owners: Vec<u32>,
    tally: Tally,
}

/// One visit row that will have a result row of its own.
#[derive(Clone, Copy, Debug)]
struct Entry {
    batch: u32,
    row: u32,
    group: u32,
}

/// What was counted on the way.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Visit rows that were taken in.
    pub visit_rows: u64,
    /// Of those, rows that are the same as an earlier one.
    pub identical_duplicates: u64,
    /// Visit rows that filters left out.
    pub visits_left_out: u64,
    /// Scene rows that were taken in, orphans included.
    pub scene_rows: u64,
    /// Scenes whose visit is not in the export.
    pub orphans: u64,
    /// The first orphans: place and key.
    pub orphan_places: Vec<(Place, String)>,
    /// Scene rows of which nobody can say to which visit they belong.
    pub unreadable: u64,
    /// The first of those: place and reason.
    pub unreadable_places: Vec<(Place, String)>,
}

impl Shuffle {
    /// `flat`: visits and scenes are the same rows of the same files.
    pub fn new(flat: bool) -> Self {
        Shuffle { flat, ..Shuffle::default() }
    }

    /// Takes a batch of visits. Rows for which `keep` is false are left out: they are not rows read, and their
    /// scenes are no orphans.
    ///
    /// # Errors
    /// From Arrow, where a batch cannot be filtered.
    pub fn add_visits(&mut self, rows: Rows, keep: Option<&BooleanArray>) -> Result<(), ArrowError> {
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
                let alone = [first];
                let others = self.conflicts.get(&group).map_or(&alone[..], Vec::as_slice);
                let is_same = |&other: &u32| {
                    let other = self.entries[other as usize];
                    same::rows(rows, row, &self.visits[other.batch as usize], other.row as usize)
                };
                if others.iter().any(is_same) {
                    self.tally.identical_duplicates += 1;
                    return;
                }
                self.conflicts.entry(group).or_insert_with(|| vec![first]).push(entry);
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

    /// Takes a batch of scenes. All visits must have been taken in before.
    ///
    /// # Errors
    /// From Arrow, where a batch cannot be filtered or rebuilt.
    pub fn add_scenes(&mut self, mut rows: Rows) -> Result<(), ArrowError> {
        if let Some(keep) = rows.keep.take() {
            rows = rows.filtered(&keep)?;
        }
        let count = rows.batch.num_rows();
        let mut owners = match rows.batch.column(KEY).as_string_opt::<i32>() {
            Some(keys) => self.index.find_all((0..count).map(|row| keys.value(row).as_bytes())),
            None => vec![NO_GROUP; count],
        };
        let mut special: Vec<usize> = rows.faults.iter().map(|fault| fault.row as usize).collect();
        let is_special = |row: &usize| owners[*row] == NO_GROUP || (self.flat && has_no_cells(&rows, *row));
        special.extend((0..count).filter(is_special));
        special.sort_unstable();
        special.dedup();
        self.tally.scene_rows += (count - special.len()) as u64;
        for row in special {
            owners[row] = self.owner(&rows, row, owners[row]);
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
        let fields = rows
            .batch
            .schema()
            .fields()
            .iter()
            .zip(&columns)
            .map(|(field, column)| field.as_ref().clone().with_data_type(column.data_type().clone()))
            .collect::<Vec<_>>();
        rows.batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?;
        self.scenes.push(rows);
        self.owners.append(&mut owners);
        Ok(())
    }

    /// The group of a scene with which something is the matter, counted.
    fn owner(&mut self, rows: &Rows, row: usize, found: u32) -> u32 {
        let faults = rows.faults_of(row);
        let key = rows.text(KEY, row);
        let broken = faults.iter().find(|fault| fault.column.is_none_or(|column| usize::from(column) == KEY));
        if broken.is_none() && self.flat && faults.is_empty() && has_no_cells(rows, row) {
            return NO_GROUP;
        }
        if broken.is_some() || key.is_empty() {
            self.tally.scene_rows += 1;
            self.tally.unreadable += 1;
            if self.tally.unreadable_places.len() < PLACES {
                let reason =
                    broken.map_or_else(|| "the visit's key is empty".to_owned(), |fault| fault.what.to_string());
                self.tally.unreadable_places.push((rows.place(row), reason));
            }
            return NO_GROUP;
        }
        if found != NO_GROUP {
            self.tally.scene_rows += 1;
            return found;
        }
        if !self.left_out.contains(&self.index.hash(key.as_bytes())) {
            self.tally.scene_rows += 1;
            self.tally.orphans += 1;
            if self.tally.orphan_places.len() < PLACES {
                self.tally.orphan_places.push((rows.place(row), key.to_owned()));
            }
        }
        NO_GROUP
    }

    /// The visits with their scenes.
    pub fn finish(self) -> Grouped {
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
}

fn has_no_cells(rows: &Rows, row: usize) -> bool {
    (0..rows.batch.num_columns()).filter(|&column| column != KEY).all(|column| rows.text(column, row).is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{CellFault, Fault, Lines};
    use arrow::array::{ArrayRef, StringArray};
    use arrow::datatypes::Field;

    fn rows(columns: &[&[&str]]) -> Rows {
        let fields: Vec<Field> =
            (0..columns.len()).map(|at| Field::new(format!("c{at}"), DataType::Utf8, true)).collect();
        let columns = columns.iter().map(|cells| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect()).expect("a batch");
        Rows { batch, file: "f".into(), lines: Lines::From(2), faults: Vec::new(), keep: None }
    }

    fn scenes_of(grouped: &Grouped, visit: usize) -> Vec<String> {
        let gathered = grouped.gather(&[visit]).expect("gathered");
        gathered.of(0).map(|scene| gathered.rows().text(1, scene).to_owned()).collect()
    }

    #[test]
    fn scenes_find_their_visit_in_the_order_of_the_export() {
        let mut shuffle = Shuffle::new(false);
        shuffle.add_visits(rows(&[&["a", "b", "c"], &["1", "2", "3"]]), None).expect("added");
        shuffle.add_scenes(rows(&[&["b", "x", "a"], &["s1", "s2", "s3"]])).expect("added");
        shuffle.add_scenes(rows(&[&["a", "b"], &["s4", "s0"]])).expect("added");
        let grouped = shuffle.finish();
        assert_eq!(scenes_of(&grouped, 0), ["s3", "s4"]);
        assert_eq!(scenes_of(&grouped, 1), ["s1", "s0"]);
        assert!(scenes_of(&grouped, 2).is_empty());
        assert_eq!((grouped.tally().orphans, grouped.tally().scene_rows), (1, 5));
    }

    #[test]
    fn identical_rows_count_once_and_differing_ones_conflict_with_each_other() {
        let mut shuffle = Shuffle::new(false);
        shuffle.add_visits(rows(&[&["a", "a", "b", "", ""], &["1", "1", "2", "9", "9"]]), None).expect("added");
        shuffle.add_visits(rows(&[&["a", "a", "a"], &["1", "5", "5"]]), None).expect("added");
        let grouped = shuffle.finish();
        assert_eq!(grouped.len(), 5, "a, b, two without a key, the differing a");
        assert_eq!((grouped.tally().visit_rows, grouped.tally().identical_duplicates), (8, 3));
        let others = |at| grouped.visit(at).conflict().map(|c| c.others).unwrap_or_default();
        assert_eq!(others(0).iter().map(|place| place.row).collect::<Vec<_>>(), [3]);
        assert_eq!(others(4).iter().map(|place| place.row).collect::<Vec<_>>(), [2]);
        assert!(others(1).is_empty());
    }

    #[test]
    fn scenes_of_visits_left_out_are_no_orphans() {
        let mut shuffle = Shuffle::new(false);
        let keep = BooleanArray::from(vec![false, true]);
        shuffle.add_visits(rows(&[&["a", "b"]]), Some(&keep)).expect("added");
        shuffle.add_scenes(rows(&[&["a", "b"], &["s1", "s2"]])).expect("added");
        let grouped = shuffle.finish();
        assert_eq!((grouped.len(), grouped.tally().orphans, grouped.tally().scene_rows), (1, 0, 1));
        assert_eq!(grouped.visit(0).place().row, 3, "rows keep their places when others go");
        assert_eq!(scenes_of(&grouped, 0), ["s2"]);
    }

    #[test]
    fn scenes_without_a_usable_key_are_unreadable_but_an_outer_joins_are_none() {
        let broken = |flat| {
            let mut shuffle = Shuffle::new(flat);
            shuffle.add_visits(rows(&[&["a"], &["1"]]), None).expect("added");
            let mut scenes = rows(&[&["", "", "a"], &["s1", "", "s2"]]);
            let what = CellFault::Cells { found: 1, expected: 2 };
            scenes.faults.push(Fault { row: 2, column: None, what });
            shuffle.add_scenes(scenes).expect("added");
            shuffle.finish().tally().unreadable
        };
        assert_eq!((broken(false), broken(true)), (3, 2));
    }
}
