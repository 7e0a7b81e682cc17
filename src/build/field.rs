//! How a field of the API is filled from a column: the job's settings for it, and the cells of a batch.

use super::problem::{Code, shown};
use super::time::{Pattern, Refusal, Unit, Zone};
use crate::scan::{CellFault, Fault, Rows};
use arrow::array::{Array, AsArray, BooleanArray, Date32Array, Float64Array, Int64Array, StringArray};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use std::borrow::Cow;
use std::collections::HashMap;

/// Where a field's value comes from.
#[derive(Clone, Debug)]
pub enum Origin {
    /// The column at this place of the section's picks.
    Column(usize),
    /// The same text for every row.
    Constant(String),
}

/// How a field is filled.
#[derive(Clone, Debug)]
pub struct Field {
    /// Where its value comes from.
    pub origin: Origin,
    /// What each value of the export stands for; other values are problems.
    pub map: Option<HashMap<String, String>>,
    /// How dates and times are written.
    pub pattern: Option<Pattern>,
    /// What numbers count, for times.
    pub unit: Option<Unit>,
    /// The zone of times that carry none; before the job's.
    pub zone: Option<Zone>,
    /// The pick with each row's zone; before `zone`.
    pub zone_column: Option<usize>,
}

impl Field {
    /// A field that is a column as it stands.
    pub fn column(pick: usize) -> Field {
        Field { origin: Origin::Column(pick), map: None, pattern: None, unit: None, zone: None, zone_column: None }
    }

    /// The place of its column among the picks.
    pub(super) fn pick(&self) -> Option<usize> {
        match self.origin {
            Origin::Column(pick) => Some(pick),
            Origin::Constant(_) => None,
        }
    }

    /// The value of the field as the map has it; the cell's own where there is none.
    #[inline(always)]
    pub(super) fn mapped<'a>(&'a self, value: &'a str) -> Result<&'a str, Refusal> {
        match &self.map {
            None => Ok(value),
            Some(map) => looked_up(map, value),
        }
    }
}

fn looked_up<'a>(map: &'a HashMap<String, String>, value: &'a str) -> Result<&'a str, Refusal> {
    if value.is_empty() {
        return Ok(value);
    }
    match map.get(value) {
        Some(mapped) => Ok(mapped),
        None => Err((Code::UnmappedValue, format!("{} is not in the job's map of this column", shown(value)))),
    }
}

/// A cell of a batch in the forms that `scan` gives out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Empty,
    Text(&'a str),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Days since 1970-01-01.
    Date(i32),
    /// Since 1970-01-01T00:00:00, in UTC if there is a zone, else on the wall.
    Timestamp {
        value: i64,
        unit: Unit,
        zone: Option<&'a str>,
    },
}

impl Cell<'_> {
    /// Numbers as text; text as it is.
    pub(super) fn digits(&self) -> Option<Cow<'_, str>> {
        match self {
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Integer(value) => Some(Cow::Owned(value.to_string())),
            Cell::Float(value) => crate::scan::whole(*value).map(|whole| Cow::Owned(whole.to_string())),
            _ => None,
        }
    }

    /// A number as text would have it: a whole one in plain digits.
    pub(super) fn shown(&self) -> String {
        match (self.digits(), self) {
            (Some(digits), _) => digits.into_owned(),
            (None, Cell::Float(value)) => value.to_string(),
            (None, _) => String::new(),
        }
    }
}

/// One column of a batch, its type found once.
#[derive(Debug)]
enum Column<'a> {
    Empty,
    Text(&'a StringArray),
    Integer(&'a Int64Array),
    Float(&'a Float64Array),
    Boolean(&'a BooleanArray),
    Date(&'a Date32Array),
    Timestamp { values: &'a [i64], array: &'a dyn Array, unit: Unit, zone: Option<&'a str> },
}

impl<'a> Column<'a> {
    fn new(array: &'a dyn Array) -> Column<'a> {
        match array.data_type() {
            DataType::Utf8 => Column::Text(array.as_string()),
            DataType::Int64 => Column::Integer(array.as_primitive()),
            DataType::Float64 => Column::Float(array.as_primitive()),
            DataType::Boolean => Column::Boolean(array.as_boolean()),
            DataType::Date32 => Column::Date(array.as_primitive()),
            DataType::Timestamp(unit, zone) => {
                let (values, unit): (&[i64], _) = match unit {
                    TimeUnit::Second => (array.as_primitive::<TimestampSecondType>().values(), Unit::Seconds),
                    TimeUnit::Millisecond => (array.as_primitive::<TimestampMillisecondType>().values(), Unit::Millis),
                    TimeUnit::Microsecond => (array.as_primitive::<TimestampMicrosecondType>().values(), Unit::Micros),
                    TimeUnit::Nanosecond => (array.as_primitive::<TimestampNanosecondType>().values(), Unit::Nanos),
                };
                Column::Timestamp { values, array, unit, zone: zone.as_deref() }
            }
            _ => Column::Empty,
        }
    }

    #[inline]
    fn cell(&self, row: usize) -> Cell<'a> {
        match *self {
            Column::Text(array) if array.is_valid(row) => match array.value(row) {
                "" => Cell::Empty,
                text => Cell::Text(text),
            },
            Column::Integer(array) if array.is_valid(row) => Cell::Integer(array.value(row)),
            Column::Float(array) if array.is_valid(row) && !array.value(row).is_nan() => Cell::Float(array.value(row)),
            Column::Boolean(array) if array.is_valid(row) => Cell::Boolean(array.value(row)),
            Column::Date(array) if array.is_valid(row) => Cell::Date(array.value(row)),
            Column::Timestamp { values, array, unit, zone } if array.is_valid(row) => {
                Cell::Timestamp { value: values[row], unit, zone }
            }
            _ => Cell::Empty,
        }
    }
}

/// The columns of a batch, ready to be read cell by cell.
#[derive(Debug)]
pub(super) struct Columns<'a> {
    pub(super) rows: &'a Rows,
    columns: Vec<Column<'a>>,
}

impl<'a> Columns<'a> {
    pub(super) fn new(rows: &'a Rows) -> Columns<'a> {
        let columns = rows.batch.columns().iter().map(|array| Column::new(array.as_ref())).collect();
        Columns { rows, columns }
    }

    /// A cell of a pick; empty beyond them.
    #[inline]
    pub(super) fn cell(&self, pick: usize, row: usize) -> Cell<'a> {
        self.columns.get(pick).map_or(Cell::Empty, |column| column.cell(row))
    }

    /// A cell of a pick that was asked for as text.
    #[inline]
    pub(super) fn text(&self, pick: usize, row: usize) -> &'a str {
        match self.cell(pick, row) {
            Cell::Text(text) => text,
            _ => "",
        }
    }

    /// The value of a field before any reading of it.
    #[inline]
    pub(super) fn value(&self, field: &'a Field, row: usize) -> Cell<'a> {
        match &field.origin {
            Origin::Constant(text) => Cell::Text(text),
            Origin::Column(pick) => self.cell(*pick, row),
        }
    }
}

/// What a fault of a cell means for the field that the cell fills.
pub(super) fn refusal(fault: &Fault) -> Refusal {
    let code = match &fault.what {
        CellFault::Undecodable(_) | CellFault::NotUtf8(_) | CellFault::Boolean(_) => Code::BadText,
        CellFault::Mangled(_) => Code::MangledNumber,
        CellFault::Cells { .. } => Code::BadRow,
    };
    (code, fault.what.to_string())
}
