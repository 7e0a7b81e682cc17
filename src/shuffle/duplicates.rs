//! Whether two rows of visits are identical. No column needs to mean anything for that.

use crate::scan::Rows;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use hashbrown::DefaultHashBuilder;
use std::hash::{BuildHasher, Hash, Hasher};

/// Whether two rows, each of its own batch, are the same in every column and have the same faults.
pub(super) fn are_identical((a, a_row): (&Rows, usize), (b, b_row): (&Rows, usize)) -> bool {
    let faults = |rows: &Rows, row| -> Vec<_> {
        rows.faults_of(row).iter().map(|fault| (fault.column, fault.what.clone())).collect()
    };
    let mut columns = a.batch.columns().iter().zip(b.batch.columns());
    columns.all(|(a, b)| are_same_cells((a, a_row), (b, b_row))) && faults(a, a_row) == faults(b, b_row)
}

/// A hash of a row's cells, which identical rows share.
pub(super) fn digest((rows, row): (&Rows, usize), hasher: &DefaultHashBuilder) -> u64 {
    let mut state = hasher.build_hasher();
    for column in rows.batch.columns() {
        text(column, row).hash(&mut state);
    }
    state.finish()
}

fn are_same_cells((a, a_row): (&ArrayRef, usize), (b, b_row): (&ArrayRef, usize)) -> bool {
    if let (Some(a), Some(b)) = (a.as_string_opt::<i32>(), b.as_string_opt::<i32>()) {
        let cell = |valid, value| if valid { value } else { "" };
        return cell(a.is_valid(a_row), a.value(a_row)) == cell(b.is_valid(b_row), b.value(b_row));
    }
    if a.data_type() == b.data_type() {
        return a.slice(a_row, 1).to_data() == b.slice(b_row, 1).to_data();
    }
    // Files of one export may differ in their types: then what counts is how the values read.
    match (text(a, a_row), text(b, b_row)) {
        (Some(a), Some(b)) => a == b,
        _ => false,
    }
}

/// A cell as text: numbers without a fraction in plain digits, times to the microsecond, empty for null and NaN.
fn text(array: &ArrayRef, row: usize) -> Option<String> {
    if array.is_null(row) || array.data_type() == &DataType::Null {
        return Some(String::new());
    }
    let mut cell = array.slice(row, 1);
    if let Some(floats) = cell.as_primitive_opt::<Float64Type>() {
        let value = floats.value(0);
        return Some(match crate::scan::whole(value) {
            Some(whole) => whole.to_string(),
            None if value.is_nan() => String::new(),
            None => value.to_string(),
        });
    }
    if let DataType::Timestamp(_, zone) = cell.data_type() {
        // Instants are the same whatever the zone that they are shown in.
        let zone = zone.as_ref().map(|_| "UTC".into());
        cell = cast(&cell, &DataType::Timestamp(TimeUnit::Microsecond, zone)).ok()?;
    }
    let cell = cast(&cell, &DataType::Utf8).ok()?;
    Some(cell.as_string::<i32>().value(0).to_owned())
}
