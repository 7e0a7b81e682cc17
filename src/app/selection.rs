//! Which visits of the exports are meant: `only`, the dates and the limit, in this order.

use super::AppError;
use crate::build::{Builder, Rules};
use crate::job::Job;
use crate::scan::Rows;
use crate::shuffle::{KEY, RowFilter};
use crate::summary::Filters;
use arrow::array::BooleanArray;
use chrono::NaiveDate;
use std::collections::HashSet;

/// Which visits of the exports are meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only visits from this day on, by visit_date.
    pub from: Option<NaiveDate>,
    /// Only visits up to this day, by visit_date.
    pub to: Option<NaiveDate>,
    /// Only the first N visits; rows with the same key count as one.
    pub limit: Option<u64>,
}

impl Selection {
    /// # Errors
    /// Where no day can be meant.
    pub(super) fn check(self) -> Result<Selection, AppError> {
        match (self.from, self.to) {
            (Some(from), Some(to)) if from > to => Err(AppError::DaysSwapped { from, to }),
            _ => Ok(self),
        }
    }

    /// What leaves visit rows of a job out.
    pub(super) fn filters(&self, job: &Job) -> Filters {
        Filters {
            only: !job.visits.only.is_empty(),
            from: self.from.is_some(),
            to: self.to.is_some(),
            limit: self.limit.is_some(),
        }
    }
}

/// Applies a selection to batches of visit rows as they are read.
pub(super) struct Selector<'a> {
    selection: Selection,
    rules: &'a Rules,
    /// The run's start, in epoch seconds.
    now: i64,
    /// The keys within the limit.
    kept: HashSet<String>,
    /// Rows without a key within the limit: each counts as a visit.
    keyless: u64,
}

impl Selector<'_> {
    /// `now`: the run's start, in epoch seconds.
    pub(super) fn new(selection: Selection, rules: &Rules, now: i64) -> Selector<'_> {
        Selector { selection, rules, now, kept: HashSet::new(), keyless: 0 }
    }

    /// Which rows of a batch are meant; `None` for all. Takes what `only` left of the batch.
    ///
    /// A row on another day contradicts one with its key that is meant: they differ in their date at least.
    pub(super) fn keep(&mut self, rows: &mut Rows) -> Option<RowFilter> {
        let only = rows.keep.take();
        let Selection { from, to, limit, .. } = self.selection;
        if from.is_none() && to.is_none() && limit.is_none() {
            return only.map(RowFilter::new);
        }
        let count = rows.batch.num_rows();
        let mut keep: Vec<bool> = (0..count).map(|row| only.as_ref().is_none_or(|only| only.value(row))).collect();
        let mut on_other_days = Vec::new();
        if from.is_some() || to.is_some() {
            on_other_days = vec![false; count];
            let dates = Builder::visit_dates(self.rules, rows, self.now);
            for (row, (keep, date)) in keep.iter_mut().zip(dates).enumerate() {
                // In a row with too few or too many cells, any cell may be the date.
                let readable = rows.faults_of(row).iter().all(|fault| fault.column.is_some());
                if let Some(date) = date.filter(|_| readable && *keep) {
                    *keep = from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to);
                    on_other_days[row] = !*keep;
                }
            }
        }
        if let Some(limit) = limit {
            for (row, keep) in keep.iter_mut().enumerate().filter(|(_, keep)| **keep) {
                *keep = self.is_within(rows.text(KEY, row), limit);
            }
        }
        Some(RowFilter::new(BooleanArray::from(keep)).with_contradicting(on_other_days))
    }

    fn is_within(&mut self, key: &str, limit: u64) -> bool {
        let full = self.kept.len() as u64 + self.keyless >= limit;
        if key.is_empty() {
            self.keyless += u64::from(!full);
            return !full;
        }
        if full {
            return self.kept.contains(key);
        }
        self.kept.insert(key.to_owned());
        true
    }
}
