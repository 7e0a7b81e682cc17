//! Groups the rows of visits by key, in memory: a group for each key, and a result row for each row of a group that is
//! not identical to another one.

use super::buckets::NO_GROUP;
use super::duplicates::{are_identical, digest};
use super::key_column::{KEY, keys};
use super::left_out::{LeftOut, RowFilter};
use super::tally::Tally;
use crate::key_index::KeyIndex;
use crate::scan::Rows;
use arrow::array::BooleanArray;
use arrow::error::ArrowError;
use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use std::sync::Arc;

/// Where the row of a visit is. Each has a result row of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowRef {
    pub(super) batch: u32,
    /// The row in that batch.
    pub(super) row: u32,
    /// The group of its key; [`NO_GROUP`] for a row without a key.
    pub(super) group: u32,
}

/// Visits in memory, grouped by key. A row is known by its number: its place in `rows`.
#[derive(Debug, Default)]
pub(super) struct VisitTable {
    pub(super) batches: Vec<Rows>,
    /// In the order of the export, without identical duplicates.
    pub(super) rows: Vec<RowRef>,
    /// The number of each group's first row.
    pub(super) first_rows: Vec<u32>,
    /// The numbers of all rows of each group whose rows differ.
    pub(super) conflicts: HashMap<u32, Vec<u32>>,
    /// Groups that a row which was left out contradicts.
    pub(super) contradicted: HashSet<u32>,
}

/// Takes rows of visits in.
#[derive(Debug, Default)]
pub(super) struct VisitGrouper {
    /// The number of a key is its group.
    pub(super) index: KeyIndex,
    pub(super) visits: VisitTable,
    /// The numbers of the rows of groups whose rows differ, by group and digest. A key like "N/A" may have a great many
    /// rows, and only those with the same digest are compared.
    by_digest: HashMap<(u32, u64), Vec<u32>>,
    /// The keys of rows that filters left out: their scenes are not orphans. All partitions of an export share them.
    pub(super) left_out: Arc<LeftOut>,
}

impl VisitGrouper {
    /// `hasher`: how keys are hashed. `left_out`: keys whose rows were left out before.
    pub(super) fn new(hasher: DefaultHashBuilder, left_out: Arc<LeftOut>) -> VisitGrouper {
        VisitGrouper { index: KeyIndex::new(hasher), left_out, ..VisitGrouper::default() }
    }

    /// Takes a batch. Rows that the filter does not keep are left out.
    ///
    /// # Errors
    /// From Arrow, if a batch cannot be filtered.
    pub(super) fn add(&mut self, rows: Rows, filter: Option<&RowFilter>, tally: &mut Tally) -> Result<(), ArrowError> {
        self.index.prefetch(keys(&rows));
        let batch = self.visits.batches.len();
        let rows_before = self.visits.rows.len();
        let count = rows.batch.num_rows();
        self.visits.batches.push(rows);
        for row in 0..count {
            match filter.filter(|filter| !filter.keep().value(row)) {
                Some(filter) => {
                    tally.visits_left_out += 1;
                    self.leave_out(batch, row, filter);
                }
                None => {
                    tally.visit_rows += 1;
                    tally.identical_duplicates += u64::from(!self.add_row(batch, row));
                }
            }
        }
        self.drop_unused_rows(batch, rows_before)
    }

    /// Whether the key is one whose rows filters left out.
    pub(super) fn is_left_out(&self, key: &[u8]) -> bool {
        !self.left_out.is_empty() && self.left_out.has(self.index.hash(key))
    }

    pub(super) fn finish(mut self) -> VisitTable {
        if self.left_out.any_contradicts() {
            let groups = 0..self.index.len() as u32;
            let is_contradicted = |group: &u32| self.left_out.contradicts(self.index.hash(self.index.key(*group)));
            self.visits.contradicted = groups.filter(is_contradicted).collect();
        }
        self.visits
    }

    fn leave_out(&mut self, batch: usize, row: usize, filter: &RowFilter) {
        let key = self.visits.batches[batch].text(KEY, row);
        if !key.is_empty() {
            let key = filter.left_out(row, self.index.hash(key.as_bytes()));
            Arc::make_mut(&mut self.left_out).add(key);
        }
    }

    /// Adds a row, unless it is identical to an earlier one.
    fn add_row(&mut self, batch: usize, row: usize) -> bool {
        let mut added = RowRef { batch: batch as u32, row: row as u32, group: NO_GROUP };
        let key = self.visits.batches[batch].text(KEY, row).as_bytes();
        if !key.is_empty() {
            let hash = self.index.hash(key);
            if let Some(group) = self.index.find(hash, key) {
                added.group = group;
                if self.is_duplicate(added) {
                    return false;
                }
            } else {
                added.group = self.index.add(hash, key);
                self.visits.first_rows.push(self.visits.rows.len() as u32);
            }
        }
        self.visits.rows.push(added);
        true
    }

    /// Whether a row is identical to one of its group. If not, it conflicts with them, and its number will be the next.
    fn is_duplicate(&mut self, row: RowRef) -> bool {
        let VisitTable { batches, rows, first_rows, conflicts, .. } = &mut self.visits;
        let (group, number) = (row.group, rows.len() as u32);
        let first = first_rows[group as usize];
        let cells = |row: RowRef| (&batches[row.batch as usize], row.row as usize);
        let is_identical = |other: u32| are_identical(cells(row), cells(rows[other as usize]));
        let is_first_conflict = !conflicts.contains_key(&group);
        if is_first_conflict && is_identical(first) {
            return true;
        }
        let hasher = self.index.hasher();
        let row_digest = digest(cells(row), &hasher);
        if self.by_digest.get(&(group, row_digest)).is_some_and(|others| others.iter().copied().any(is_identical)) {
            return true;
        }
        if is_first_conflict {
            let first_digest = digest(cells(rows[first as usize]), &hasher);
            self.by_digest.entry((group, first_digest)).or_default().push(first);
            conflicts.insert(group, vec![first]);
        }
        self.by_digest.entry((group, row_digest)).or_default().push(number);
        conflicts.entry(group).or_default().push(number);
        false
    }

    /// Drops the rows of a batch that were not added, to save their memory.
    fn drop_unused_rows(&mut self, batch: usize, rows_before: usize) -> Result<(), ArrowError> {
        let added = &mut self.visits.rows[rows_before..];
        let rows = &mut self.visits.batches[batch];
        if added.len() == rows.batch.num_rows() {
            return Ok(());
        }
        let mut keep = vec![false; rows.batch.num_rows()];
        for (at, row) in added.iter_mut().enumerate() {
            keep[row.row as usize] = true;
            row.row = at as u32;
        }
        *rows = rows.filtered(&BooleanArray::from(keep))?;
        Ok(())
    }
}
