//! What a batch knows beside its cells, in the form in which it goes into temporary files: numbers in place of file names,
//! faults as JSON, and for visits three more columns with the location and the faults of each row.

use super::temporary::{damaged, file_error};
use crate::scan::{CellFault, Fault, Lines, Rows};
use crate::shuffle::error::ShuffleError;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow::datatypes::{Field, Schema, UInt32Type, UInt64Type};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;

/// The names of the exports' files, by number.
#[derive(Debug, Default)]
pub(super) struct FileNames {
    all: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl FileNames {
    /// The number of a name, which is new or not.
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

/// The number of the file of each row of a batch.
pub(super) enum FileNumbers<'r> {
    /// All rows are of one file.
    One(u32),
    /// The number of each of the batch's files, and for each row which of these it is of.
    Several { numbers: Vec<u32>, file: &'r [u32] },
}

impl FileNumbers<'_> {
    pub(super) fn new<'r>(rows: &'r Rows, names: &mut FileNames) -> FileNumbers<'r> {
        match &rows.lines {
            Lines::Spread { files, file, .. } => {
                FileNumbers::Several { numbers: files.iter().map(|name| names.number(name)).collect(), file }
            }
            _ => FileNumbers::One(names.number(&rows.file)),
        }
    }

    #[inline]
    pub(super) fn of(&self, row: usize) -> u32 {
        match self {
            FileNumbers::One(number) => *number,
            FileNumbers::Several { numbers, file } => numbers[file[row] as usize],
        }
    }
}

/// The form of a [`Fault`] in JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Fault")]
struct FaultForm {
    row: u32,
    column: Option<u16>,
    #[serde(with = "CellFaultForm")]
    what: CellFault,
}

/// The form of a [`CellFault`] in JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "CellFault")]
enum CellFaultForm {
    Undecodable(String),
    NotUtf8(String),
    Mangled(String),
    Boolean(String),
    Cells { found: usize, expected: usize },
}

/// A fault, written and read in that form.
#[derive(Serialize, Deserialize)]
struct WrittenFault(#[serde(with = "FaultForm")] Fault);

/// Faults as JSON.
///
/// # Errors
/// Never, unless there is a bug.
pub(super) fn faults_to_json(faults: &[Fault]) -> Result<String, ShuffleError> {
    let faults: Vec<WrittenFault> = faults.iter().cloned().map(WrittenFault).collect();
    serde_json::to_string(&faults).map_err(|error| file_error(error.into()))
}

/// Faults that [`faults_to_json`] wrote.
///
/// # Errors
/// If they are not as they were written.
pub(super) fn faults_from_json(json: &str) -> Result<Vec<Fault>, ShuffleError> {
    let faults: Vec<WrittenFault> = serde_json::from_str(json).map_err(|error| file_error(error.into()))?;
    Ok(faults.into_iter().map(|WrittenFault(fault)| fault).collect())
}

/// The columns behind those of the batch: the number of the file, the line or row there, the faults.
const NAMES: [&str; 3] = ["@file", "@line", "@faults"];

/// A batch with what it knows beside its cells as columns, so that rows can be taken out of it.
///
/// # Errors
/// From Arrow; never, unless there is a bug.
pub(super) fn with_side_columns(rows: &Rows, names: &mut FileNames) -> Result<RecordBatch, ShuffleError> {
    let all = 0..rows.batch.num_rows();
    let numbers = FileNumbers::new(rows, names);
    let file = UInt32Array::from_iter_values(all.clone().map(|row| numbers.of(row)));
    let line = UInt64Array::from_iter_values(all.clone().map(|row| rows.lines.of(row)));
    let faults = all.map(|row| match rows.faults_of(row) {
        [] => Ok(None),
        faults => faults_to_json(faults).map(Some),
    });
    let faults = faults.collect::<Result<StringArray, _>>()?;
    let side_columns: [ArrayRef; 3] = [Arc::new(file), Arc::new(line), Arc::new(faults)];
    let mut columns = rows.batch.columns().to_vec();
    let mut fields: Vec<Field> = rows.batch.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    for (name, column) in NAMES.into_iter().zip(side_columns) {
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}

/// A batch as it was before [`with_side_columns`].
///
/// # Errors
/// If it is not as it was written.
pub(super) fn without_side_columns(batch: &RecordBatch, names: &Arc<[Arc<str>]>) -> Result<Rows, ShuffleError> {
    let width = batch.num_columns().checked_sub(NAMES.len()).ok_or_else(damaged)?;
    let [file, line, faults] = std::array::from_fn(|at| batch.column(width + at));
    let file = file.as_primitive_opt::<UInt32Type>().ok_or_else(damaged)?.values().to_vec();
    let line = line.as_primitive_opt::<UInt64Type>().ok_or_else(damaged)?.values().to_vec();
    let mut all_faults = Vec::new();
    for (row, json) in (0..).zip(faults.as_string_opt::<i32>().ok_or_else(damaged)?) {
        if let Some(json) = json {
            all_faults.extend(faults_from_json(json)?.into_iter().map(|fault| Fault { row, ..fault }));
        }
    }
    let columns: Vec<usize> = (0..width).collect();
    let lines = Lines::Spread { files: names.clone(), file, line };
    Ok(Rows {
        batch: batch.project(&columns)?,
        file: "".into(),
        lines,
        faults: all_faults,
        keep: None,
        unwanted: Vec::new(),
    })
}
