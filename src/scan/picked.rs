//! From the columns that were read to those that were asked for: fractions of zeros dropped, zeros put in front, several
//! columns joined to one.
//!
//! Where a job asks for none of this, columns pass as they are.

use super::cleaning::Cleaning;
use super::rows::Fault;
use super::source::Pick;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;
use std::sync::Arc;

/// The column of each pick. `arrays` are those of the columns that picks are made from, in their order, and faults are
/// numbered as these; then as picks.
///
/// # Errors
/// Where a joined column is longer than Arrow allows.
pub(super) fn picked(
    arrays: Vec<ArrayRef>,
    picks: &[Pick],
    rows: usize,
    faults: &mut [Fault],
) -> Result<Vec<ArrayRef>, ArrowError> {
    if picks.iter().all(|pick| pick.columns.len() == 1 && !changes_cells(pick)) {
        return Ok(arrays);
    }
    let owners: Vec<u16> =
        picks.iter().enumerate().flat_map(|(at, pick)| pick.columns.iter().map(move |_| at as u16)).collect();
    for fault in faults {
        fault.column = fault.column.map(|column| owners.get(usize::from(column)).copied().unwrap_or(column));
    }
    let mut arrays = arrays.into_iter();
    let column = |pick: &Pick| {
        let mut parts = Vec::with_capacity(pick.columns.len());
        for array in arrays.by_ref().take(pick.columns.len()) {
            parts.push(if changes_cells(pick) { rewritten(&array, pick)? } else { array });
        }
        match <[ArrayRef; 1]>::try_from(parts) {
            Ok([only]) => Ok(only),
            Err(parts) => joined(&parts, pick, rows),
        }
    };
    picks.iter().map(column).collect()
}

fn changes_cells(pick: &Pick) -> bool {
    pick.drops_zero_fraction || pick.pad > 0
}

/// The text column with the cells as the pick wants them. Other columns are numbers already, and stay.
fn rewritten(array: &ArrayRef, pick: &Pick) -> Result<ArrayRef, ArrowError> {
    let Some(text) = array.as_string_opt::<i32>() else { return Ok(array.clone()) };
    let cell = |row: usize| if text.is_valid(row) { text.value(row) } else { "" };
    let stays = |row: usize| {
        let cell = cell(row);
        without_fraction(cell, pick).len() == cell.len() && zeros_for(cell, pick) == 0
    };
    if (0..text.len()).all(stays) {
        return Ok(array.clone());
    }
    let mut column = TextColumn::new(text.len(), text.value_data().len() + text.len() * pick.pad);
    for row in 0..text.len() {
        let cell = without_fraction(cell(row), pick);
        column.text.extend(std::iter::repeat_n(b'0', zeros_for(cell, pick)));
        column.text.extend_from_slice(cell.as_bytes());
        column.end_cell()?;
    }
    column.finish()
}

/// `1001` of `1001.0`, where the pick wants that.
fn without_fraction<'c>(cell: &'c str, pick: &Pick) -> &'c str {
    match pick.drops_zero_fraction.then(|| whole_part(cell)).flatten() {
        Some(whole) => whole,
        None => cell,
    }
}

/// `1001` of `1001.0` or `1001.00`; `None` of all other text.
pub(super) fn whole_part(cell: &str) -> Option<&str> {
    let zeros = cell.bytes().rev().take_while(|byte| *byte == b'0').count();
    let whole = cell.get(..cell.len() - zeros)?.strip_suffix('.').filter(|_| zeros > 0)?;
    is_integer(whole).then_some(whole)
}

/// Whether a cell is digits, with a sign or none.
pub(super) fn is_integer(cell: &str) -> bool {
    let digits = cell.strip_prefix(['-', '+']).unwrap_or(cell);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// How many zeros the pick puts in front of a cell.
fn zeros_for(cell: &str, pick: &Pick) -> usize {
    let is_short = !cell.is_empty() && cell.len() < pick.pad && cell.bytes().all(|byte| byte.is_ascii_digit());
    if is_short { pick.pad - cell.len() } else { 0 }
}

/// Several columns as one. Where a cell is empty, or the whole counts as empty, there is nothing.
fn joined(parts: &[ArrayRef], pick: &Pick, rows: usize) -> Result<ArrayRef, ArrowError> {
    let parts: Vec<Option<&StringArray>> = parts.iter().map(|part| part.as_string_opt::<i32>()).collect();
    let cell = |part: Option<&'_ StringArray>, row: usize| -> Option<std::ops::Range<usize>> {
        let part = part.filter(|part| part.is_valid(row))?;
        let ends = part.value_offsets();
        (ends[row] < ends[row + 1]).then(|| ends[row] as usize..ends[row + 1] as usize)
    };
    let bytes: usize = parts.iter().flatten().map(|part| part.value_data().len()).sum();
    let mut column = TextColumn::new(rows, bytes + rows * pick.separator.len() * parts.len());
    let nulls = Cleaning::new(false, [&pick.nulls]);
    for row in 0..rows {
        let start = column.text.len();
        for (at, part) in parts.iter().enumerate() {
            let Some((part, cell)) = part.zip(cell(*part, row)) else {
                column.text.truncate(start);
                break;
            };
            if at > 0 {
                column.text.extend_from_slice(pick.separator.as_bytes());
            }
            column.text.extend_from_slice(&part.value_data()[cell]);
        }
        if nulls.clean(&column.text[start..]).is_empty() {
            column.text.truncate(start);
        }
        column.end_cell()?;
    }
    column.finish()
}

/// A text column under way.
struct TextColumn {
    text: Vec<u8>,
    /// A zero, then where each cell ends in `text`.
    ends: Vec<i32>,
}

impl TextColumn {
    fn new(rows: usize, bytes: usize) -> TextColumn {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        TextColumn { text: Vec::with_capacity(bytes), ends }
    }

    fn end_cell(&mut self) -> Result<(), ArrowError> {
        let end = i32::try_from(self.text.len());
        self.ends.push(end.map_err(|_| ArrowError::OffsetOverflowError(self.text.len()))?);
        Ok(())
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Ok(Arc::new(StringArray::try_new(offsets, Buffer::from_vec(self.text), None)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::rows::CellFault;
    use arrow::array::NullArray;

    fn text(cells: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(cells))
    }

    fn pick(columns: &[&str]) -> Pick {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        Pick { columns, separator: "-".to_owned(), as_text: true, ..Pick::default() }
    }

    fn one(array: ArrayRef, pick: Pick) -> Vec<String> {
        let rows = array.len();
        let columns = picked(vec![array], &[pick], rows, &mut []).expect("short");
        columns[0].as_string::<i32>().iter().map(|cell| cell.unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn zeros_go_in_front_of_digits_and_fractions_of_zeros_away() {
        let cells = ["7", "", "A7", "1001.0", "12.50", "-1.00", "1.", ".0", "1001.000", "12345678"];
        let padded = Pick { pad: 6, ..pick(&["a"]) };
        let dropped = Pick { drops_zero_fraction: true, ..pick(&["a"]) };
        let expected = ["000007", "", "A7", "1001.0", "12.50", "-1.00", "1.", ".0", "1001.000", "12345678"];
        assert_eq!(one(text(&cells), padded), expected);
        let expected = ["7", "", "A7", "1001", "12.50", "-1", "1.", ".0", "1001", "12345678"];
        assert_eq!(one(text(&cells), dropped.clone()), expected);
        assert_eq!(one(text(&["7.0", "0.0"]), Pick { pad: 3, ..dropped }), ["007", "000"]);
    }

    #[test]
    fn cells_are_joined_where_all_are_there() {
        let arrays = vec![text(&["x", "y"]), text(&["1", "2"]), text(&["a", ""]), Arc::new(NullArray::new(2))];
        let picks = [pick(&["one"]), pick(&["a", "b"]), pick(&["c"])];
        let what = CellFault::Mangled("9".to_owned());
        let mut faults = [Fault { row: 0, column: Some(2), what: what.clone() }, Fault { row: 1, column: None, what }];
        let columns = picked(arrays, &picks, 2, &mut faults).expect("short");
        let cells: Vec<_> = columns[1].as_string::<i32>().iter().flatten().collect();
        assert_eq!((columns.len(), cells), (3, vec!["1-a", ""]));
        assert_eq!((faults[0].column, faults[1].column), (Some(1), None));
    }
}
