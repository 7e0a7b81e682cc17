//! The cells of a batch of visit rows, in the forms that `scan` gives out.
//!
//! It does not know which field a cell fills.

use super::field::{Field, ValueSource};
use super::problem::{Code, FieldError};
use super::time::Unit;
use crate::scan::{CellFault, Fault, Rows, whole};
use arrow::array::{Array, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use std::borrow::Cow;

/// One cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Since 1970-01-01T00:00:00: in UTC where there is a zone, else in local time.
    Timestamp {
        value: i64,
        unit: Unit,
        zone: Option<&'a str>,
    },
}

impl Cell<'_> {
    /// A whole number in plain digits, or text as it is; `None` for everything else.
    pub(super) fn digits(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Integer(value) => Some(Cow::Owned(value.to_string())),
            Cell::Float(value) => whole(*value).map(|whole| Cow::Owned(whole.to_string())),
            _ => None,
        }
    }

    /// A number as a CSV file would have it: a whole one in plain digits.
    pub(super) fn number_text(&self) -> String {
        match (self.digits(), self) {
            (Some(digits), _) => digits.into_owned(),
            (None, Cell::Float(value)) => value.to_string(),
            (None, _) => String::new(),
        }
    }
}

/// The cells of a batch. The type of each column is looked up once and not again for every cell.
#[derive(Debug)]
pub(super) struct CellBatch<'a> {
    rows: &'a Rows,
    columns: Vec<CellArray<'a>>,
}

/// One column of a batch by its type.
#[derive(Debug)]
enum CellArray<'a> {
    Empty,
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Float(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamp { values: &'a [i64], array: &'a dyn Array, unit: Unit, zone: Option<&'a str> },
}

impl<'a> CellBatch<'a> {
    pub(super) fn new(rows: &'a Rows) -> CellBatch<'a> {
        let columns = rows.batch.columns().iter().map(|array| CellArray::new(array.as_ref())).collect();
        CellBatch { rows, columns }
    }

    /// What is wrong with the cells of a row.
    #[inline]
    pub(super) fn faults(&self, row: usize) -> &'a [Fault] {
        self.rows.faults_of(row)
    }

    /// The cell of a pick; empty where there is no such pick.
    #[inline]
    fn cell(&self, pick: usize, row: usize) -> Cell<'a> {
        self.columns.get(pick).map_or(Cell::Empty, |column| column.cell(row))
    }

    /// The cell of a pick that `scan` was asked for as text.
    #[inline]
    pub(super) fn text(&self, pick: usize, row: usize) -> &'a str {
        match self.cell(pick, row) {
            Cell::Text(text) => text,
            _ => "",
        }
    }

    /// The cell or the constant that fills a field, before the field's map.
    #[inline]
    pub(super) fn value(&self, field: &'a Field, row: usize) -> Cell<'a> {
        match &field.source {
            ValueSource::Constant(text) => Cell::Text(text),
            ValueSource::Column(pick) => self.cell(*pick, row),
        }
    }
}

impl<'a> CellArray<'a> {
    fn new(array: &'a dyn Array) -> CellArray<'a> {
        match array.data_type() {
            DataType::Utf8 => CellArray::Text(array.as_string()),
            DataType::Int64 => CellArray::Integer(array.as_primitive()),
            DataType::Float64 => CellArray::Float(array.as_primitive()),
            DataType::Boolean => CellArray::Boolean(array.as_boolean()),
            DataType::Date32 => CellArray::Date(array.as_primitive()),
            DataType::Timestamp(unit, zone) => {
                let (values, unit): (&[i64], _) = match unit {
                    TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), Unit::Seconds),
                    TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), Unit::Millis),
                    TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), Unit::Micros),
                    TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), Unit::Nanos),
                };
                CellArray::Timestamp { values, array, unit, zone: zone.as_deref() }
            }
            _ => CellArray::Empty,
        }
    }

    #[inline]
    fn cell(&self, row: usize) -> Cell<'a> {
        match *self {
            CellArray::Text(array) if array.is_valid(row) => match array.value(row) {
                "" => Cell::Empty,
                text => Cell::Text(text),
            },
            CellArray::Integer(array) if array.is_valid(row) => Cell::Integer(array.value(row)),
            CellArray::Float(array) if array.is_valid(row) && !array.value(row).is_nan() => {
                Cell::Float(array.value(row))
            }
            CellArray::Boolean(array) if array.is_valid(row) => Cell::Boolean(array.value(row)),
            CellArray::Date(array) if array.is_valid(row) => Cell::Date(array.value(row)),
            CellArray::Timestamp { values, array, unit, zone } if array.is_valid(row) => {
                Cell::Timestamp { value: values[row], unit, zone }
            }
            _ => Cell::Empty,
        }
    }
}

/// What a fault means for the field that its cell fills.
pub(super) fn fault_error(fault: &Fault) -> FieldError {
    let code = match &fault.what {
        CellFault::Undecodable(_) | CellFault::NotUtf8(_) | CellFault::Boolean(_) => Code::BadText,
        CellFault::Mangled(_) => Code::MangledNumber,
        CellFault::Cells { .. } => Code::BadRow,
    };
    (code, fault.what.to_string())
}
