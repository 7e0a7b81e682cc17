//! A batch of rows on its way through the program: its columns, where each row stands, what is wrong with it.
//!
//! It does not know how an export is read, nor what a column means.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use std::fmt;
use std::sync::Arc;

/// Rows of one batch at most.
pub(crate) const BATCH_ROWS: usize = 1 << 14;

/// A batch: rows that follow each other, of one file, or after grouping of several.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// One column for each [`Pick`](crate::scan::Pick), in their order.
    pub(crate) batch: RecordBatch,
    /// The file, as the job names it. [`Lines::Spread`] overrides it.
    pub(crate) file: Arc<str>,
    /// Where each row stands in its file.
    pub(crate) lines: Lines,
    /// What is wrong with single cells and rows, in the order of rows.
    pub(crate) faults: Vec<Fault>,
    /// `false` for rows that [`Source::only`](crate::scan::Source::only) leaves out. `None`: all rows are kept.
    pub(crate) keep: Option<BooleanArray>,
    /// For each filter of [`Source::only`](crate::scan::Source::only) the values that it leaves out, with their rows. Who
    /// reads the files counts them.
    pub(crate) unwanted: Vec<Vec<(String, u64)>>,
}

impl Rows {
    /// Where a row stands: its file and row number.
    pub(crate) fn location(&self, row: usize) -> Location {
        self.lines.location(row, &self.file)
    }

    /// The memory that the cells and the faults take, in bytes.
    pub(crate) fn memory_size(&self) -> usize {
        self.batch.get_array_memory_size() + self.faults.iter().map(Fault::memory_size).sum::<usize>()
    }

    /// The rows for which `keep` is true, as a batch of their own.
    ///
    /// # Errors
    /// Where Arrow cannot filter a column.
    pub(crate) fn filtered(&self, keep: &BooleanArray) -> Result<Rows, ArrowError> {
        let batch = filter_record_batch(&self.batch, keep)?;
        let kept = || (0..keep.len()).filter(|&row| keep.value(row));
        let lines = match &self.lines {
            Lines::Spread { files, file, line } => Lines::Spread {
                files: files.clone(),
                file: kept().map(|row| file[row]).collect(),
                line: kept().map(|row| line[row]).collect(),
            },
            lines => {
                let first = kept().next().map_or(0, |row| lines.of(row));
                let offsets = kept().map(|row| u32::try_from(lines.of(row) - first).unwrap_or(u32::MAX));
                Lines::Each(first, offsets.collect())
            }
        };
        let mut faults = Vec::new();
        for (to, from) in kept().enumerate() {
            faults.extend(self.faults_of(from).iter().map(|fault| Fault { row: to as u32, ..fault.clone() }));
        }
        Ok(Rows { batch, file: self.file.clone(), lines, faults, keep: None, unwanted: Vec::new() })
    }

    /// The text of a cell in a column that was picked as text; empty for a null.
    pub(crate) fn text(&self, column: usize, row: usize) -> &str {
        let column = self.batch.column(column).as_string_opt::<i32>();
        column.filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
    }

    /// The faults of one row.
    #[inline]
    pub(crate) fn faults_of(&self, row: usize) -> &[Fault] {
        if self.faults.is_empty() {
            return &[];
        }
        let start = self.faults.partition_point(|fault| (fault.row as usize) < row);
        let end = self.faults.partition_point(|fault| (fault.row as usize) <= row);
        &self.faults[start..end]
    }
}

/// Where the rows of a batch stand in their file: for each row a number from 1. In CSV it is the line on which the row
/// starts, in Parquet the row.
#[derive(Clone, Debug)]
pub(crate) enum Lines {
    /// Consecutive numbers, of which this is the first.
    From(u64),
    /// The number of the first row, and for each row its distance from that.
    Each(u64, Vec<u32>),
    /// Rows of several files.
    Spread {
        /// The files, as the job names them.
        files: Arc<[Arc<str>]>,
        /// For each row the index of its file in `files`.
        file: Vec<u32>,
        /// For each row its number in its file.
        line: Vec<u64>,
    },
}

impl Lines {
    /// The number of a row in its file. CSV: the line on which it starts; Parquet: the row; both from 1.
    pub(crate) fn of(&self, row: usize) -> u64 {
        match self {
            Lines::From(first) => first + row as u64,
            Lines::Each(first, offsets) => first + u64::from(offsets.get(row).copied().unwrap_or(0)),
            Lines::Spread { line, .. } => line.get(row).copied().unwrap_or(0),
        }
    }

    /// Where a row stands, in a batch whose rows are of `file` unless these lines say otherwise.
    pub(crate) fn location(&self, row: usize, file: &Arc<str>) -> Location {
        Location { file: self.file(row, file).clone(), row: self.of(row) }
    }

    fn file<'a>(&'a self, row: usize, file: &'a Arc<str>) -> &'a Arc<str> {
        match self {
            Lines::Spread { files, file: numbers, .. } => {
                numbers.get(row).and_then(|number| files.get(*number as usize)).unwrap_or(file)
            }
            _ => file,
        }
    }
}

/// Where a row stands in an export. Written as `file:row`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as the job names it.
    pub file: Arc<str>,
    /// CSV: the line on which the row starts; Parquet: the row; both from 1.
    pub row: u64,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.row)
    }
}

/// Something wrong with a cell or a row that leaves the rest of the export readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The index of the row in its batch.
    pub(crate) row: u32,
    /// The index of the column among the picks. `None`: the fault is of the row as a whole.
    pub(crate) column: Option<u16>,
    /// What is wrong.
    pub(crate) what: CellFault,
}

impl Fault {
    /// The memory that the fault takes, in bytes.
    pub(crate) fn memory_size(&self) -> usize {
        let shown = match &self.what {
            CellFault::Undecodable(shown)
            | CellFault::NotUtf8(shown)
            | CellFault::Mangled(shown)
            | CellFault::Boolean(shown) => shown.capacity(),
            CellFault::Cells { .. } => 0,
        };
        size_of::<Fault>() + shown
    }
}

/// What can be wrong with a cell or a row. A cell with a fault reads as empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CellFault {
    /// Bytes that are not text in the file's encoding, as far as they can be shown.
    Undecodable(String),
    /// Bytes of a Parquet file, where all text is UTF-8, that are not UTF-8, as far as they can be shown.
    NotUtf8(String),
    /// A number that stands for an identifier and has lost digits.
    Mangled(String),
    /// A truth value where text is needed.
    Boolean(String),
    /// A row with another number of cells than the header.
    Cells {
        /// How many cells the row has.
        found: usize,
        /// How many cells the header has.
        expected: usize,
    },
}

impl fmt::Display for CellFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CellFault::Undecodable(shown) => write!(f, "{shown:?} is not valid in the file's encoding"),
            CellFault::NotUtf8(shown) => {
                write!(f, "{shown:?} is not UTF-8, as text in Parquet has to be; export the column as text")
            }
            CellFault::Mangled(value) => {
                write!(f, "the number {value} is not an exact identifier; export the column as text")
            }
            CellFault::Boolean(value) => write!(f, "{value} is a truth value, not text"),
            CellFault::Cells { found: 1, expected } => write!(
                f,
                "the row has 1 cell, the header {expected}; if the line is no row, `ignore_lines` can leave it out"
            ),
            CellFault::Cells { found, expected } => write!(f, "the row has {found} cells, the header {expected}"),
        }
    }
}
