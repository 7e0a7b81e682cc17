//! What a batch knows beside its cells, as columns: where each row stands and what is wrong with it goes with the row
//! into temporary files, and comes back with it.

use super::ShuffleError;
use super::temporary::disk;
use crate::scan::{CellFault, Fault, Lines, Rows};
use arrow::array::{Array, ArrayRef, AsArray, NullArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{Field, Schema, UInt32Type, UInt64Type};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The names of the exports' files, of which rows keep the number.
#[derive(Debug, Default)]
pub(super) struct FileNames {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl FileNames {
    pub(super) fn number(&mut self, name: &Arc<str>) -> u32 {
        *self.numbers.entry(name.clone()).or_insert_with(|| {
            self.all.push(name.clone());
            self.all.len() as u32 - 1
        })
    }

    pub(super) fn into_names(self) -> Arc<[Arc<str>]> {
        self.all.into()
    }
}

/// The columns that carry what a batch knows beside its cells.
const CARRIED: [&str; 3] = ["@file", "@line", "@faults"];

/// A fault as it is written.
#[derive(Serialize, Deserialize)]
struct CarriedFault {
    column: Option<u16>,
    kind: u8,
    value: String,
    found: usize,
    expected: usize,
}

impl CarriedFault {
    fn new(fault: &Fault) -> CarriedFault {
        let (kind, value, found, expected) = match &fault.what {
            CellFault::Undecodable(value) => (0, value.clone(), 0, 0),
            CellFault::Mangled(value) => (1, value.clone(), 0, 0),
            CellFault::Boolean(value) => (2, value.clone(), 0, 0),
            CellFault::NotUtf8(value) => (3, value.clone(), 0, 0),
            CellFault::Cells { found, expected } => (4, String::new(), *found, *expected),
        };
        CarriedFault { column: fault.column, kind, value, found, expected }
    }

    fn fault(self, row: u32) -> Fault {
        let what = match self.kind {
            0 => CellFault::Undecodable(self.value),
            1 => CellFault::Mangled(self.value),
            2 => CellFault::Boolean(self.value),
            3 => CellFault::NotUtf8(self.value),
            _ => CellFault::Cells { found: self.found, expected: self.expected },
        };
        Fault { row, column: self.column, what }
    }
}

/// Faults as they are written beside rows.
pub(super) fn faults_to(faults: &[Fault]) -> Result<Vec<u8>, ShuffleError> {
    let carried: Vec<(u32, CarriedFault)> = faults.iter().map(|fault| (fault.row, CarriedFault::new(fault))).collect();
    serde_json::to_vec(&carried).map_err(|error| disk(error.into()))
}

/// The same when they are read.
pub(super) fn faults_from(text: &[u8]) -> Result<Vec<Fault>, ShuffleError> {
    let carried: Vec<(u32, CarriedFault)> = serde_json::from_slice(text).map_err(|error| disk(error.into()))?;
    Ok(carried.into_iter().map(|(row, fault)| fault.fault(row)).collect())
}

/// Rows of a batch from which on its file is named once for all of them. Of smaller files there may be many, and each
/// would begin a stream.
const LARGE: usize = 1 << 13;
/// Where the schema has the number of that file.
const NUMBER: &str = "number";

/// The batch with the columns that carry what it knows beside its cells, which are as small as can be: they are written and
/// read with every row.
pub(super) fn with_places(rows: &Rows, files: &mut FileNames) -> Result<RecordBatch, ShuffleError> {
    let count = rows.batch.num_rows();
    let nothing = || -> ArrayRef { Arc::new(NullArray::new(count)) };
    let mut numbers = HashMap::new();
    let file: ArrayRef = if !matches!(rows.lines, Lines::Spread { .. }) && count >= LARGE {
        numbers.insert(NUMBER.to_owned(), files.number(&rows.file).to_string());
        nothing()
    } else {
        let mut known: Option<(&Arc<str>, u32)> = None;
        let file = (0..count).map(|row| {
            let name = rows.file_of(row);
            let number = match known {
                Some((known, number)) if Arc::ptr_eq(known, name) => number,
                _ => files.number(name),
            };
            known = Some((name, number));
            number
        });
        Arc::new(UInt32Array::from_iter_values(file))
    };
    let lines = || (0..count).map(|row| rows.lines.of(row));
    let line: ArrayRef = match lines().map(u32::try_from).collect::<Result<Vec<_>, _>>() {
        Ok(lines) => Arc::new(UInt32Array::from(lines)),
        Err(_) => Arc::new(UInt64Array::from_iter_values(lines())),
    };
    let faults: ArrayRef = if rows.faults.is_empty() {
        nothing()
    } else {
        let carried = (0..count).map(|row| {
            let faults: Vec<CarriedFault> = rows.faults_of(row).iter().map(CarriedFault::new).collect();
            if faults.is_empty() { None } else { serde_json::to_string(&faults).ok() }
        });
        Arc::new(carried.collect::<StringArray>())
    };
    let mut columns = rows.batch.columns().to_vec();
    let mut fields: Vec<Field> = rows.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    for (name, column) in CARRIED.into_iter().zip([file, line, faults]) {
        fields.push(Field::new(name, column.data_type().clone(), true).with_metadata(std::mem::take(&mut numbers)));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// A batch that was read, as it was before.
pub(super) fn without_places(batch: &RecordBatch, files: &Arc<[Arc<str>]>) -> Result<Rows, ShuffleError> {
    let (count, own) = (batch.num_rows(), batch.num_columns() - CARRIED.len());
    let file = match batch.column(own).as_primitive_opt::<UInt32Type>() {
        Some(file) => file.values().to_vec(),
        None => {
            let number = batch.schema_ref().field(own).metadata().get(NUMBER).and_then(|number| number.parse().ok());
            vec![number.unwrap_or(0); count]
        }
    };
    let line = match batch.column(own + 1).as_primitive_opt::<UInt32Type>() {
        Some(line) => line.values().iter().map(|&line| u64::from(line)).collect(),
        None => batch.column(own + 1).as_primitive::<UInt64Type>().values().to_vec(),
    };
    let mut faults = Vec::new();
    if let Some(carried) = batch.column(own + 2).as_string_opt::<i32>() {
        for (row, text) in carried.iter().enumerate() {
            let Some(text) = text else { continue };
            let own: Vec<CarriedFault> = serde_json::from_str(text).map_err(|error| disk(error.into()))?;
            faults.extend(own.into_iter().map(|fault| fault.fault(row as u32)));
        }
    }
    let own: Vec<usize> = (0..own).collect();
    let lines = Lines::Spread { files: files.clone(), file, line };
    Ok(Rows { batch: batch.project(&own)?, file: "".into(), lines, faults, keep: None })
}
