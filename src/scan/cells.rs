//! Brings the cells of typed columns (Parquet) to the few forms that the rest of the program reads, by the
//! rules that CSV cells follow: trimmed, empty where null. It knows no files and no sources.
//!
//! | what | becomes |
//! | --- | --- |
//! | strings, binary (as UTF-8), UUIDs, dictionaries of these | text |
//! | integers | `Int64`; unsigned ones beyond it, and decimals, text in plain digits |
//! | floats | `Float64` |
//! | dates, timestamps, booleans | unchanged; for filters, and where columns are joined, text |
//! | times of day | text |
//!
//! Values that the job lists as empty are empty in whatever type they are (see `typed_nulls`).
//!
//! Where the job asks for text (keys, text fields), numbers are written in plain digits; a float that is not
//! whole or too large to be exact has no such form and becomes a fault of its cell.

use super::cleaning::Cleaning;
use super::clock_text::{times_of_day, timestamps};
use super::rows::{CellFault, Fault};
use super::source::Pick;
use super::typed_nulls::emptied;
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, FixedSizeBinaryArray, Float64Array, NullArray, StringArray, StringBuilder,
    UInt64Array,
};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, TimeUnit};
use std::sync::Arc;

/// What the cells of a wanted column are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellForm {
    /// In the type that the export has, or one near to it.
    Typed,
    /// As text; a value without an exact text is a fault.
    Text,
    /// As `Text`, to be joined with other columns.
    Part,
    /// As `Part`, where the whole is a time or a date.
    PartOfTime,
    /// As text, exact or not, to be compared with the values of a filter.
    Filter,
}

impl CellForm {
    /// The form of the columns that a pick is made from.
    pub(super) fn of(pick: &Pick) -> CellForm {
        match (pick.columns.len() > 1, pick.as_text) {
            (false, true) => CellForm::Text,
            (false, false) => CellForm::Typed,
            (true, true) => CellForm::Part,
            (true, false) => CellForm::PartOfTime,
        }
    }
}

/// Floats from here on may stand for several integers.
const INEXACT: f64 = 9_007_199_254_740_992.0; // 2^53

/// Floats of a column of this type may stand for several integers from here on. Narrow types lose the last digits of
/// an identifier much earlier than `Float64`.
fn inexact_from(kind: &DataType) -> f64 {
    match kind {
        DataType::Float16 => 2_048.0,      // 2^11
        DataType::Float32 => 16_777_216.0, // 2^24
        _ => INEXACT,
    }
}

/// A float as an integer, if it is whole and below 2^53; else `None`. Such columns come from spreadsheets and data
/// frames, which have no other type for an id with gaps.
pub(crate) fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < INEXACT).then_some(value as i64)
}

/// Whether a column of this type can be used at all.
pub(super) fn is_usable(field: &Field) -> bool {
    match field.data_type() {
        DataType::Dictionary(_, value) => is_usable(&Field::new("value", value.as_ref().clone(), true)),
        // A UUID. 16 bytes that are not marked as one are told from it by the schema of the file.
        DataType::FixedSizeBinary(16)
        | DataType::Boolean
        | DataType::Null
        | DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::Utf8
        | DataType::LargeUtf8
        | DataType::Utf8View
        | DataType::Decimal32(..)
        | DataType::Decimal64(..)
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Date32
        | DataType::Date64
        | DataType::Time32(_)
        | DataType::Time64(_)
        | DataType::Timestamp(..) => true,
        other => other.is_integer() || other.is_floating(),
    }
}

/// One column of a batch in the forms that the table at the top lists. Faults name the column by `column`, its number
/// among the wanted ones.
///
/// # Errors
/// Where Arrow cannot cast the column.
pub(super) fn normalised(
    array: &ArrayRef,
    form: CellForm,
    cleaning: &Cleaning,
    column: u16,
    faults: &mut Vec<Fault>,
) -> Result<ArrayRef, arrow::error::ArrowError> {
    let as_text = matches!(form, CellForm::Text | CellForm::Part | CellForm::PartOfTime);
    let empty = |array: ArrayRef| emptied(array, &cleaning.nulls);
    let array = match array.data_type() {
        DataType::Dictionary(_, value) => cast(array, value)?,
        _ => array.clone(),
    };
    Ok(match array.data_type() {
        DataType::Null => array,
        DataType::Utf8 => cleaned(array.as_string(), cleaning),
        DataType::LargeUtf8 | DataType::Utf8View => cleaned(cast(&array, &DataType::Utf8)?.as_string(), cleaning),
        DataType::Binary => from_bytes(array.as_binary(), cleaning, column, faults),
        DataType::LargeBinary | DataType::BinaryView => {
            from_bytes(cast(&array, &DataType::Binary)?.as_binary(), cleaning, column, faults)
        }
        DataType::FixedSizeBinary(16) => cleaned(&uuids(array.as_fixed_size_binary()), cleaning),
        DataType::UInt64 => unsigned(empty(array)?.as_primitive(), form != CellForm::Typed)?,
        kind if kind.is_integer() => {
            let array = empty(cast(&array, &DataType::Int64)?)?;
            if form == CellForm::Typed { array } else { cast(&array, &DataType::Utf8)? }
        }
        kind if kind.is_floating() => {
            let inexact = inexact_from(kind);
            let array = empty(cast(&array, &DataType::Float64)?)?;
            match form {
                CellForm::Typed if inexact < INEXACT => narrow_floats(array.as_primitive(), inexact, column, faults),
                CellForm::Typed => array,
                CellForm::Filter => float_as_it_reads(array.as_primitive()),
                _ => float_text(array.as_primitive(), inexact, column, faults),
            }
        }
        DataType::Decimal32(..) | DataType::Decimal64(..) | DataType::Decimal128(..) | DataType::Decimal256(..) => {
            decimals(cast(&array, &DataType::Utf8)?.as_string(), cleaning, as_text, column, faults)
        }
        DataType::Boolean if form == CellForm::Filter => cast(&array, &DataType::Utf8)?,
        DataType::Boolean if as_text => {
            let array = empty(array)?;
            for row in (0..array.len()).filter(|&row| array.is_valid(row)) {
                let value = array.as_boolean().value(row).to_string();
                faults.push(Fault { row: row as u32, column: Some(column), what: CellFault::Boolean(value) });
            }
            Arc::new(NullArray::new(array.len()))
        }
        DataType::Boolean => empty(array)?,
        // Milliseconds of a day's start.
        DataType::Date32 | DataType::Date64 => {
            let array = empty(cast(&array, &DataType::Date32)?)?;
            if form == CellForm::Typed { array } else { cast(&array, &DataType::Utf8)? }
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            cleaned(&times_of_day(&array, form != CellForm::PartOfTime)?, cleaning)
        }
        DataType::Timestamp(..) => {
            let array = empty(array)?;
            match form {
                CellForm::Typed => array,
                CellForm::Part | CellForm::PartOfTime => Arc::new(timestamps(&array, form == CellForm::PartOfTime)),
                CellForm::Text | CellForm::Filter => {
                    cast(&cast(&array, &DataType::Timestamp(TimeUnit::Second, None))?, &DataType::Utf8)?
                }
            }
        }
        _ => array,
    })
}

fn cleaned(array: &StringArray, cleaning: &Cleaning) -> ArrayRef {
    let text = array.value_data();
    // Most columns have neither a space nor a tab.
    let own = array.value_offsets().first().zip(array.value_offsets().last());
    let own = own.map_or(text, |(&start, &end)| &text[start as usize..end as usize]);
    let nothing_to_trim = !cleaning.trim || memchr::memchr2(b' ', b'\t', own).is_none();
    if cleaning.nulls.is_empty() && nothing_to_trim {
        return Arc::new(array.clone());
    }
    let is_clean = |cell: &[i32]| {
        let cell = &text[cell[0] as usize..cell[1] as usize];
        cleaning.clean(cell).len() == cell.len()
    };
    if array.value_offsets().windows(2).all(is_clean) {
        return Arc::new(array.clone());
    }
    let mut builder = StringBuilder::with_capacity(array.len(), array.value_data().len());
    for text in array {
        let clean = text.map(|text| cleaning.clean(text.as_bytes()));
        // Cut at ASCII bytes only: what was UTF-8 still is.
        builder.append_option(clean.map(|clean| std::str::from_utf8(clean).unwrap_or_default()));
    }
    Arc::new(builder.finish())
}

fn from_bytes(array: &BinaryArray, cleaning: &Cleaning, column: u16, faults: &mut Vec<Fault>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(array.len(), array.value_data().len());
    for (row, bytes) in array.iter().enumerate() {
        let clean = cleaning.clean(bytes.unwrap_or_default());
        match std::str::from_utf8(clean) {
            Ok(text) => builder.append_value(text),
            Err(_) => {
                let what = CellFault::NotUtf8(String::from_utf8_lossy(clean).into_owned());
                faults.push(Fault { row: row as u32, column: Some(column), what });
                builder.append_value("");
            }
        }
    }
    Arc::new(builder.finish())
}

fn uuids(array: &FixedSizeBinaryArray) -> StringArray {
    let text = array.iter().map(|bytes| {
        let bytes: [u8; 16] = bytes?.try_into().ok()?;
        Some(uuid::Uuid::from_bytes(bytes).to_string())
    });
    text.collect()
}

fn unsigned(array: &UInt64Array, as_text: bool) -> Result<ArrayRef, arrow::error::ArrowError> {
    let fits = array.iter().flatten().all(|value| i64::try_from(value).is_ok());
    let kind = if as_text || !fits { DataType::Utf8 } else { DataType::Int64 };
    cast(array, &kind)
}

/// Floats from a narrower type. A value that may stand for several integers is neither a usable number nor a usable
/// time: neighbouring values of seconds since 1970 are two minutes apart there.
fn narrow_floats(array: &Float64Array, inexact: f64, column: u16, faults: &mut Vec<Fault>) -> ArrayRef {
    let exact = array.iter().enumerate().map(|(row, value)| {
        let value = value.filter(|value| !value.is_nan())?;
        if value.abs() < inexact {
            return Some(value);
        }
        let what = CellFault::Mangled(value.to_string());
        faults.push(Fault { row: row as u32, column: Some(column), what });
        None
    });
    Arc::new(exact.collect::<Float64Array>())
}

fn float_text(array: &Float64Array, inexact: f64, column: u16, faults: &mut Vec<Fault>) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for (row, value) in array.iter().enumerate() {
        let value = value.filter(|value| !value.is_nan());
        match value.map(|value| (value, whole(value).filter(|_| value.abs() < inexact))) {
            None => builder.append_value(""),
            Some((_, Some(whole))) => builder.append_value(whole.to_string()),
            Some((value, None)) => {
                let what = CellFault::Mangled(value.to_string());
                faults.push(Fault { row: row as u32, column: Some(column), what });
                builder.append_value("");
            }
        }
    }
    Arc::new(builder.finish())
}

fn float_as_it_reads(array: &Float64Array) -> ArrayRef {
    let text = array.iter().map(|value| {
        let value = value.filter(|value| !value.is_nan())?;
        Some(whole(value).map_or_else(|| value.to_string(), |whole| whole.to_string()))
    });
    Arc::new(text.collect::<StringArray>())
}

/// Decimals from their text, such as `801.00`. One whose fraction is all zeros becomes the integer.
fn decimals(array: &StringArray, cleaning: &Cleaning, as_text: bool, column: u16, faults: &mut Vec<Fault>) -> ArrayRef {
    let mut builder = StringBuilder::with_capacity(array.len(), array.value_data().len());
    for (row, text) in array.iter().enumerate() {
        let text = text.unwrap_or_default();
        let whole = text.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|b| b == b'0'));
        let plain = whole.map_or(text, |(whole, _)| whole);
        match text.split_once('.') {
            _ if cleaning.is_null(text) || cleaning.is_null(plain) => builder.append_value(""),
            Some(_) if whole.is_some() => builder.append_value(plain),
            Some(_) if as_text => {
                let what = CellFault::Mangled(text.to_owned());
                faults.push(Fault { row: row as u32, column: Some(column), what });
                builder.append_value("");
            }
            _ => builder.append_value(text),
        }
    }
    Arc::new(builder.finish())
}

/// A column of empty cells, for a file that does not have the column.
pub(super) fn absent(rows: usize) -> ArrayRef {
    Arc::new(NullArray::new(rows))
}

/// One text in every row: the value of a `key=value` folder.
pub(super) fn repeated(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(std::iter::repeat_n(text, rows)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Decimal128Array, Float32Array, Int32Array, LargeStringArray};

    const CLEANING: Cleaning = Cleaning { trim: true, nulls: Vec::new() };

    fn text(array: ArrayRef) -> (Vec<String>, usize) {
        let mut faults = Vec::new();
        let array = normalised(&array, CellForm::Text, &CLEANING, 0, &mut faults).expect("usable");
        let array = array.as_string::<i32>();
        let cells = (0..array.len()).map(|row| if array.is_null(row) { "" } else { array.value(row) }.to_owned());
        (cells.collect(), faults.len())
    }

    #[test]
    fn numbers_serve_text_in_plain_digits() {
        assert_eq!(text(Arc::new(Int32Array::from(vec![Some(-7), None]))).0, ["-7", ""]);
        assert_eq!(text(Arc::new(UInt64Array::from(vec![u64::MAX]))).0, ["18446744073709551615"]);
        let floats = Float64Array::from(vec![100050000013647.0, f64::NAN, 1.5, INEXACT]);
        let (cells, faults) = text(Arc::new(floats));
        assert_eq!((cells[0].as_str(), cells[1].as_str(), faults), ("100050000013647", "", 2));
        let decimals = Decimal128Array::from(vec![80100, 80150]).with_precision_and_scale(9, 2).expect("fits");
        assert_eq!(text(Arc::new(decimals)), (vec!["801".into(), String::new()], 1));
    }

    #[test]
    fn a_narrow_float_is_exact_up_to_its_own_bound() {
        let floats: ArrayRef = Arc::new(Float32Array::from(vec![Some(16_777_215.0), Some(100050000013647.0), None]));
        let (cells, faults) = text(floats.clone());
        assert_eq!((cells, faults), (vec!["16777215".into(), String::new(), String::new()], 1));
        let mut faults = Vec::new();
        let typed = normalised(&floats, CellForm::Typed, &CLEANING, 3, &mut faults).expect("usable");
        assert_eq!(*typed.as_primitive(), Float64Array::from(vec![Some(16_777_215.0), None, None]));
        let what = CellFault::Mangled("100049996480512".to_owned());
        assert_eq!(faults, [Fault { row: 1, column: Some(3), what }]);
    }

    #[test]
    fn strings_are_trimmed_of_spaces_and_tabs_only() {
        let array = LargeStringArray::from(vec![" \ta b\t ", "\u{a0}x\n", ""]);
        assert_eq!(text(Arc::new(array)).0, ["a b", "\u{a0}x\n", ""]);
    }
}
