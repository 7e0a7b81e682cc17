//! A column of a batch as text, by the rules that keys follow, and the type that the export gives it.

use crate::scan::whole;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use chrono::DateTime;

/// The type that the export gives a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ColumnType {
    /// There is not a single value so far.
    #[default]
    Unknown,
    Text,
    Number,
    Boolean,
    Date,
    /// A timestamp with a zone.
    Instant,
    /// A timestamp without a zone.
    Local,
}

impl ColumnType {
    pub(super) fn of(array: &ArrayRef) -> ColumnType {
        match array.data_type() {
            DataType::Null => ColumnType::Unknown,
            DataType::Int64 | DataType::Float64 => ColumnType::Number,
            DataType::Boolean => ColumnType::Boolean,
            DataType::Date32 => ColumnType::Date,
            DataType::Timestamp(_, Some(_)) => ColumnType::Instant,
            DataType::Timestamp(_, None) => ColumnType::Local,
            _ => ColumnType::Text,
        }
    }

    /// The type of a column that has these types in two files: text where they differ.
    pub(super) fn and(self, other: ColumnType) -> ColumnType {
        match (self, other) {
            (ColumnType::Unknown, known) | (known, ColumnType::Unknown) => known,
            (one, other) if one == other => one,
            _ => ColumnType::Text,
        }
    }
}

/// A cell as text; empty where it is null.
pub(super) fn cell_text(array: &ArrayRef, row: usize) -> String {
    if array.is_null(row) {
        return String::new();
    }
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => match array.as_primitive::<Float64Type>().value(row) {
            value if value.is_nan() => String::new(),
            value => whole(value).map_or_else(|| value.to_string(), |whole| whole.to_string()),
        },
        DataType::Boolean => array.as_boolean().value(row).to_string(),
        DataType::Date32 => {
            let days = i64::from(array.as_primitive::<Date32Type>().value(row));
            written(days * 86_400, "%Y-%m-%d")
        }
        DataType::Timestamp(unit, zone) => {
            let seconds = match unit {
                TimeUnit::Second => array.as_primitive::<TimestampSecondType>().value(row),
                TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row).div_euclid(1_000),
                TimeUnit::Microsecond => {
                    array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1_000_000)
                }
                TimeUnit::Nanosecond => {
                    array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000_000)
                }
            };
            written(seconds, if zone.is_some() { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%S" })
        }
        _ => String::new(),
    }
}

fn written(seconds: i64, format: &str) -> String {
    DateTime::from_timestamp(seconds, 0).map(|time| time.format(format).to_string()).unwrap_or_default()
}
