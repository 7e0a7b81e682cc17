//! The column that joins scenes to visits.

use crate::scan::Rows;
use arrow::array::{Array, AsArray, RecordBatch};

/// Where the key's column is in the batches of both exports.
pub(crate) const KEY: usize = 0;

/// The key of each row; empty where it is null, and everywhere if the column is not text.
#[inline]
pub(super) fn text_keys(batch: &RecordBatch) -> impl Iterator<Item = &str> {
    let column = batch.column(KEY).as_string_opt::<i32>();
    let key = move |row| column.filter(|keys| keys.is_valid(row)).map_or("", |keys| keys.value(row));
    (0..batch.num_rows()).map(key)
}

/// The key of each row as bytes.
#[inline]
pub(super) fn keys(rows: &Rows) -> impl Iterator<Item = &[u8]> {
    text_keys(&rows.batch).map(str::as_bytes)
}

/// Whether no row's key is empty.
pub(super) fn all_have_keys(rows: &Rows) -> bool {
    let keys = rows.batch.column(KEY).as_string_opt::<i32>();
    keys.is_some_and(|keys| keys.null_count() == 0 && keys.value_offsets().windows(2).all(|cell| cell[0] < cell[1]))
}
