//! Visits with their scenes, as views over the columns.

use super::groups::Entry;
use super::index::{Index, NO_GROUP};
use super::{KEY, Tally};
use crate::scan::{Fault, Lines, Place, Rows};
use arrow::array::{Array, ArrayRef, NullArray, RecordBatch, RecordBatchOptions};
use arrow::compute::interleave;
use arrow::error::ArrowError;
use hashbrown::HashMap;
use std::ops::Range;
use std::sync::Arc;

/// All visits of an export in its order, each with its scenes. One element for each result row.
#[derive(Debug)]
pub struct Grouped {
    pub(super) index: Index,
    /// The first entry of each group.
    pub(super) groups: Vec<u32>,
    pub(super) has_scene_faults: bool,
    pub(super) visits: Vec<Rows>,
    pub(super) entries: Vec<Entry>,
    pub(super) conflicts: HashMap<u32, Vec<u32>>,
    pub(super) scenes: Vec<Rows>,
    /// For each batch of scenes the number of its first scene.
    pub(super) starts: Vec<u32>,
    /// For each group where its scenes end in `order`, behind a 0.
    pub(super) ends: Vec<u32>,
    pub(super) order: Vec<u32>,
    pub(super) tally: Tally,
}

impl Grouped {
    /// How many visits there are, differing rows of one key counted each.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no visit at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a visit has this key.
    pub fn contains(&self, key: &str) -> bool {
        self.index.find(self.index.hash(key.as_bytes()), key.as_bytes()).is_some()
    }

    /// What was counted while grouping.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The batches that [`Visit::batch`] counts.
    pub fn visits(&self) -> &[Rows] {
        &self.visits
    }

    /// The visit at this place of the export's order, from 0.
    pub fn visit(&self, at: usize) -> Visit<'_> {
        Visit { grouped: self, entry: at as u32 }
    }
}

/// One visit: where its row and those of its scenes are.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    grouped: &'a Grouped,
    entry: u32,
}

/// The rows that share a visit's key and differ from it.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Where the first of them are.
    pub others: Vec<Place>,
    /// Whether there are more.
    pub more: bool,
}

/// So many of the rows that a visit conflicts with are named.
const NAMED: usize = 3;

impl<'a> Visit<'a> {
    fn entry(&self) -> Entry {
        self.grouped.entries[self.entry as usize]
    }

    /// The batch of its row.
    pub fn batch(&self) -> usize {
        self.entry().batch as usize
    }

    /// Its row in that batch.
    pub fn row(&self) -> usize {
        self.entry().row as usize
    }

    /// Where its row stands.
    pub fn place(&self) -> Place {
        self.grouped.visits[self.batch()].place(self.row())
    }

    /// Its key; empty where the row has none.
    pub fn key(&self) -> &'a str {
        self.grouped.visits[self.batch()].text(KEY, self.row())
    }

    /// Whether it is the first row with its key; rows without a key always are.
    pub fn is_first(&self) -> bool {
        match self.entry().group {
            NO_GROUP => true,
            group => self.grouped.groups[group as usize] == self.entry,
        }
    }

    /// Set when other rows have the same key and other values.
    pub fn conflict(&self) -> Option<Conflict> {
        if self.grouped.conflicts.is_empty() {
            return None;
        }
        let entries = self.grouped.conflicts.get(&self.entry().group)?;
        let others = entries.iter().filter(|&&other| other != self.entry);
        let others = others.take(NAMED).map(|&entry| Visit { grouped: self.grouped, entry }.place()).collect();
        Some(Conflict { others, more: entries.len() - 1 > NAMED })
    }

    fn scenes(&self) -> Range<usize> {
        match self.entry().group {
            NO_GROUP => 0..0,
            group => self.grouped.ends[group as usize] as usize..self.grouped.ends[group as usize + 1] as usize,
        }
    }
}

impl Grouped {
    /// Copies the scenes of some visits next to each other. They lie all over memory, and fetching many at once
    /// is much faster than one by one.
    ///
    /// # Errors
    /// From Arrow, where columns cannot be gathered.
    pub fn gather(&self, visits: &[usize]) -> Result<Gathered<'_>, ArrowError> {
        let mut ends = Vec::with_capacity(visits.len());
        let mut origins: Vec<(usize, usize)> = Vec::with_capacity(visits.len() * 8);
        for &visit in visits {
            origins.extend(self.order[self.visit(visit).scenes()].iter().map(|&scene| self.origin(scene)));
            ends.push(origins.len());
        }
        let rows = self.gathered_rows(&origins)?;
        Ok(Gathered { grouped: self, rows, origins, ends })
    }

    fn gathered_rows(&self, origins: &[(usize, usize)]) -> Result<Rows, ArrowError> {
        let count = origins.len();
        let mut columns: Vec<ArrayRef> = vec![Arc::new(NullArray::new(count))];
        let width = self.scenes.first().map_or(1, |rows| rows.batch.num_columns());
        for column in 1..width {
            let batches: Vec<&dyn Array> = self.scenes.iter().map(|rows| rows.batch.column(column).as_ref()).collect();
            columns.push(interleave(&batches, origins)?);
        }
        let mut faults = Vec::new();
        if self.has_scene_faults {
            for (row, &(batch, origin)) in origins.iter().enumerate() {
                let own = self.scenes[batch].faults_of(origin).iter();
                faults.extend(own.map(|fault| Fault { row: row as u32, ..fault.clone() }));
            }
        }
        let schema = match self.scenes.first() {
            Some(rows) => rows.batch.schema(),
            None => Arc::new(arrow::datatypes::Schema::new(vec![arrow::datatypes::Field::new(
                "",
                arrow::datatypes::DataType::Null,
                true,
            )])),
        };
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options)?;
        Ok(Rows { batch, file: "".into(), lines: Lines::From(0), faults, keep: None })
    }

    fn origin(&self, scene: u32) -> (usize, usize) {
        let batch = self.starts.partition_point(|&start| start <= scene) - 1;
        (batch, (scene - self.starts[batch]) as usize)
    }
}

/// The scenes of some visits, next to each other, in the order of the export for each visit.
#[derive(Debug)]
pub struct Gathered<'a> {
    grouped: &'a Grouped,
    rows: Rows,
    origins: Vec<(usize, usize)>,
    ends: Vec<usize>,
}

impl Gathered<'_> {
    /// The scenes' columns. Their places are not those of these rows: see [`Gathered::place`].
    pub fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The scenes of a visit, by its place among those visits.
    pub fn of(&self, visit: usize) -> Range<usize> {
        let start = if visit == 0 { 0 } else { self.ends[visit - 1] };
        start..self.ends[visit]
    }

    /// Where a scene stands in the export.
    pub fn place(&self, scene: usize) -> Place {
        let (batch, row) = self.origins[scene];
        self.grouped.scenes[batch].place(row)
    }
}
