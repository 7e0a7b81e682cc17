//! Puts the columns that were read from a file together as a batch, and applies the filters on rows.

use super::decimal_ids::IdWatch;
use super::error::ScanError;
use super::picked::picked;
use super::rows::{Fault, Lines, Rows};
use super::source::{Only, Source};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use arrow::datatypes::{Field, Schema};
use arrow::error::ArrowError;
use hashbrown::HashMap;
use std::sync::Arc;

/// Makes a batch of `rows` rows. `arrays` are the columns that the picks are made from, then those of the filters, which
/// the batch does not keep.
///
/// # Errors
/// Where the columns are not all of one length, or too long.
pub(super) fn batch(
    mut arrays: Vec<ArrayRef>,
    rows: usize,
    source: &Source,
    file: Arc<str>,
    lines: Lines,
    mut faults: Vec<Fault>,
    watch: &mut IdWatch,
) -> Result<Rows, ScanError> {
    let unreadable = |error: ArrowError| ScanError::Unreadable { file: file.to_string(), reason: error.to_string() };
    let parts = source.picks.iter().map(|pick| pick.columns.len()).sum();
    let filtered = arrays.split_off(parts);
    let keep = kept(&filtered, &source.only, rows, parts, &faults);
    let unwanted = keep.as_ref().map(|keep| unwanted(&filtered, &source.only, keep)).unwrap_or_default();
    faults.retain(|fault| fault.column.is_none_or(|at| usize::from(at) < parts));
    watch.look(&arrays, keep.as_ref(), &faults, &lines);
    let arrays = picked(arrays, &source.picks, rows, &mut faults).map_err(unreadable)?;
    let named = source.picks.iter().zip(&arrays);
    let fields: Vec<Field> =
        named.map(|(pick, array)| Field::new(&pick.name, array.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
    let batch = batch.map_err(unreadable)?;
    Ok(Rows { batch, file, lines, faults, keep, unwanted })
}

/// Which rows the filters keep; `None` for all. A row with the wrong number of cells, or with a cell that cannot be
/// read, is kept: it is not known what the filter would see, and the row must not vanish.
fn kept(columns: &[ArrayRef], only: &[Only], rows: usize, parts: usize, faults: &[Fault]) -> Option<BooleanArray> {
    if only.is_empty() {
        return None;
    }
    let mut keep = vec![true; rows];
    for (column, only) in columns.iter().zip(only) {
        let text = column.as_string_opt::<i32>();
        for (row, keep) in keep.iter_mut().enumerate() {
            *keep &= is_wanted(only, cell(text, row));
        }
    }
    let concerns_a_filter = |fault: &&Fault| fault.column.is_none_or(|column| usize::from(column) >= parts);
    for fault in faults.iter().filter(concerns_a_filter) {
        keep[fault.row as usize] = true;
    }
    (!keep.iter().all(|keep| *keep)).then(|| BooleanArray::from(keep))
}

/// For each filter the values of the rows that it leaves out, with their counts.
fn unwanted(columns: &[ArrayRef], only: &[Only], keep: &BooleanArray) -> Vec<Vec<(String, u64)>> {
    let left_out: Vec<usize> = (0..keep.len()).filter(|&row| !keep.value(row)).collect();
    let of_column = |(column, only): (&ArrayRef, &Only)| {
        let mut counts: HashMap<&str, u64> = HashMap::new();
        let text = column.as_string_opt::<i32>();
        let cells = left_out.iter().map(|&row| cell(text, row));
        cells.filter(|cell| !is_wanted(only, cell)).for_each(|cell| *counts.entry(cell).or_default() += 1);
        counts.into_iter().map(|(value, rows)| (value.to_owned(), rows)).collect()
    };
    columns.iter().zip(only).map(of_column).collect()
}

#[inline]
fn cell(column: Option<&StringArray>, row: usize) -> &str {
    column.filter(|text| text.is_valid(row)).map_or("", |text| text.value(row))
}

fn is_wanted(only: &Only, cell: &str) -> bool {
    only.values.iter().any(|value| value == cell)
}
