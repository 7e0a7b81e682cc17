//! Values of typed columns (Parquet) that the job lists as empty: numbers by their plain digits, dates and timestamps as
//! they are written.
//!
//! Text is the business of `cleaning`.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, BooleanArray, PrimitiveArray};
use arrow::compute::nullif;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt64Type,
};
use arrow::error::ArrowError;
use chrono::{NaiveDate, NaiveDateTime};

const SECONDS_PER_DAY: i64 = 86_400;

/// The column with an empty cell in place of every value that `nulls` lists.
///
/// # Errors
/// Where Arrow cannot put nulls into the column.
pub(super) fn emptied(array: ArrayRef, nulls: &[String]) -> Result<ArrayRef, ArrowError> {
    if nulls.is_empty() {
        return Ok(array);
    }
    let moments = |per_second: i64| -> Vec<i64> {
        nulls.iter().filter_map(|null| moment(null)).filter_map(|time| in_units(time, per_second)).collect()
    };
    let is_empty = match array.data_type() {
        DataType::Int64 => listed::<Int64Type>(&array, &numbers(nulls)),
        DataType::UInt64 => listed::<UInt64Type>(&array, &numbers(nulls)),
        DataType::Float64 => listed::<Float64Type>(&array, &numbers(nulls)),
        DataType::Date32 => {
            let days = moments(1).into_iter().filter(|seconds| seconds % SECONDS_PER_DAY == 0);
            let days = days.filter_map(|seconds| i32::try_from(seconds / SECONDS_PER_DAY).ok());
            listed::<Date32Type>(&array, &days.collect::<Vec<_>>())
        }
        DataType::Timestamp(TimeUnit::Second, _) => listed::<TimestampSecondType>(&array, &moments(1)),
        DataType::Timestamp(TimeUnit::Millisecond, _) => listed::<TimestampMillisecondType>(&array, &moments(1_000)),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            listed::<TimestampMicrosecondType>(&array, &moments(1_000_000))
        }
        DataType::Timestamp(TimeUnit::Nanosecond, _) => {
            listed::<TimestampNanosecondType>(&array, &moments(1_000_000_000))
        }
        DataType::Boolean => {
            let values: Vec<bool> = nulls.iter().filter_map(|null| null.parse().ok()).collect();
            let is_listed = |value: Option<bool>| value.is_some_and(|value| values.contains(&value));
            (!values.is_empty()).then(|| array.as_boolean().iter().map(is_listed).map(Some).collect())
        }
        _ => None,
    };
    match is_empty {
        Some(is_empty) => nullif(&array, &is_empty),
        None => Ok(array),
    }
}

/// Which cells hold a value of the list; `None` where none does.
fn listed<T: ArrowPrimitiveType>(array: &dyn Array, list: &[T::Native]) -> Option<BooleanArray> {
    let array: &PrimitiveArray<T> = array.as_primitive();
    let is_listed = |value: &T::Native| list.contains(value);
    let any = !list.is_empty() && array.values().iter().any(is_listed);
    any.then(|| array.values().iter().map(is_listed).map(Some).collect())
}

/// The nulls that are numbers: plain digits, not words such as `nan` and `inf`.
fn numbers<N: std::str::FromStr>(nulls: &[String]) -> Vec<N> {
    let is_plain = |null: &&String| null.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'.'));
    nulls.iter().filter(is_plain).filter_map(|null| null.parse().ok()).collect()
}

/// A date, which is its midnight, or a time; one without a zone, or in UTC.
fn moment(text: &str) -> Option<NaiveDateTime> {
    if let Ok(date) = text.parse::<NaiveDate>() {
        return date.and_hms_opt(0, 0, 0);
    }
    let plain = ["Z", " UTC", "+00:00"].iter().find_map(|utc| text.strip_suffix(utc)).unwrap_or(text);
    let formats = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"];
    formats.iter().find_map(|format| NaiveDateTime::parse_from_str(plain, format).ok())
}

/// A time since 1970; `None` where it lies between two units.
fn in_units(time: NaiveDateTime, per_second: i64) -> Option<i64> {
    let (time, nanos) = (time.and_utc().timestamp(), i64::from(time.and_utc().timestamp_subsec_nanos()));
    let nanos_per_unit = 1_000_000_000 / per_second;
    let whole = time.checked_mul(per_second)?.checked_add(nanos / nanos_per_unit)?;
    (nanos % nanos_per_unit == 0).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Float64Array, Int64Array, TimestampMillisecondArray};
    use std::sync::Arc;

    fn left(array: impl Array + 'static, nulls: &[&str]) -> Vec<bool> {
        let nulls: Vec<String> = nulls.iter().map(|null| (*null).to_owned()).collect();
        let array = emptied(Arc::new(array), &nulls).expect("nulls fit");
        (0..array.len()).map(|row| array.is_valid(row)).collect()
    }

    #[test]
    fn values_are_compared_by_what_they_are() {
        assert_eq!(left(Int64Array::from(vec![Some(0), Some(10), None]), &["0", "NULL"]), [false, true, false]);
        assert_eq!(left(Int64Array::from(vec![0]), &["0000-00-00 00:00:00"]), [true]);
        assert_eq!(left(Float64Array::from(vec![-1.0, 1.5, f64::INFINITY]), &["-1", "inf"]), [false, true, true]);
        assert_eq!(left(Date32Array::from(vec![0, 1]), &["1970-01-01"]), [false, true]);
        let times = || TimestampMillisecondArray::from(vec![-2_208_988_800_000, 1_500, 0]).with_timezone("UTC");
        assert_eq!(left(times(), &["1900-01-01", "1970-01-01 00:00:01.5"]), [false, false, true]);
        assert_eq!(left(times(), &["1970-01-01T00:00:00Z", "1900-01-01 00:00:01"]), [true, true, false]);
    }
}
