//! A batch of rows on its way through the program: the columns, where each row stands, what is wrong with it.

use arrow::array::{Array, AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use std::fmt;
use std::sync::Arc;

/// A stretch of rows of one file.
#[derive(Clone, Debug)]
pub struct Rows {
    /// One column for each [`Pick`](super::Pick), in their order.
    pub batch: RecordBatch,
    /// The file, as the job names it.
    pub file: Arc<str>,
    /// Where each row stands in its file.
    pub lines: Lines,
    /// What is wrong with single cells and rows, in the order of rows.
    pub faults: Vec<Fault>,
    /// `false` for rows that [`Source::only`](super::Source::only) leaves out; `None`: all are kept.
    pub keep: Option<BooleanArray>,
}

impl Rows {
    /// Where a row stands: its file and row number.
    pub fn place(&self, row: usize) -> Location {
        self.lines.place(row, &self.file)
    }

    /// The file of a row, as the job names it.
    pub(crate) fn file_of(&self, row: usize) -> &Arc<str> {
        self.lines.file(row, &self.file)
    }

    /// The memory that the cells and what is wrong with them take, in bytes.
    pub(crate) fn memory_size(&self) -> usize {
        self.batch.get_array_memory_size() + self.faults.iter().map(Fault::memory_size).sum::<usize>()
    }

    /// The rows for which `keep` is true, as a batch of their own.
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
        Ok(Rows { batch, file: self.file.clone(), lines, faults, keep: None })
    }

    /// The text of a cell in a column that was picked as text; empty for a null.
    pub(crate) fn text(&self, column: usize, row: usize) -> &str {
        let column = self.batch.column(column).as_string_opt::<i32>();
        column.filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
    }

    /// The faults of one row.
    #[inline]
    pub fn faults_of(&self, row: usize) -> &[Fault] {
        if self.faults.is_empty() {
            return &[];
        }
        let start = self.faults.partition_point(|fault| (fault.row as usize) < row);
        let end = self.faults.partition_point(|fault| (fault.row as usize) <= row);
        &self.faults[start..end]
    }
}

/// Row numbers of a batch.
#[derive(Clone, Debug)]
pub enum Lines {
    /// One after the other from this one on.
    From(u64),
    /// The first one, and for each row how far behind it it starts.
    Each(u64, Vec<u32>),
    /// Rows of several files: for each row the number of its file, and its own.
    Spread {
        /// The files.
        files: Arc<[Arc<str>]>,
        /// By row.
        file: Vec<u32>,
        /// By row.
        line: Vec<u64>,
    },
}

impl Lines {
    /// CSV: the line on which the row starts, from 1; Parquet: the row, from 1.
    pub fn of(&self, row: usize) -> u64 {
        match self {
            Lines::From(first) => first + row as u64,
            Lines::Each(first, offsets) => first + u64::from(offsets.get(row).copied().unwrap_or(0)),
            Lines::Spread { line, .. } => line.get(row).copied().unwrap_or(0),
        }
    }

    /// Where a row of a batch of `file` stands.
    pub(crate) fn place(&self, row: usize, file: &Arc<str>) -> Location {
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

    /// Rows that stand at these places.
    pub(crate) fn spread(places: impl IntoIterator<Item = Location>) -> Lines {
        let mut files: Vec<Arc<str>> = Vec::new();
        let (mut file, mut line) = (Vec::new(), Vec::new());
        for place in places {
            let known = files.iter().rposition(|known| *known == place.file);
            file.push(known.unwrap_or_else(|| {
                files.push(place.file);
                files.len() - 1
            }) as u32);
            line.push(place.row);
        }
        Lines::Spread { files: files.into(), file, line }
    }
}

/// The place of a row, written as `file:row`.
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
pub struct Fault {
    /// Its row in the batch.
    pub row: u32,
    /// The column's place among the picks; `None`: the row as a whole.
    pub column: Option<u16>,
    /// What is wrong.
    pub what: CellFault,
}

impl Fault {
    /// The memory that it takes, in bytes.
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

/// What can be wrong with a cell or a row. The cell itself reads as empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CellFault {
    /// Bytes that are no text in the file's encoding; what can be shown of them.
    Undecodable(String),
    /// The same in a Parquet file, whose encoding nobody chooses.
    NotUtf8(String),
    /// A number that stands for an identifier and is not exact any more.
    Mangled(String),
    /// A truth value where text is needed.
    Boolean(String),
    /// A row with another number of cells than the header.
    Cells {
        /// In the row.
        found: usize,
        /// In the header.
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
                write!(f, "the number {value} is no exact identifier; export the column as text")
            }
            CellFault::Boolean(value) => write!(f, "{value} is a truth value, not text"),
            CellFault::Cells { found: 1, expected } => write!(f, "the row has 1 cell, the header {expected}"),
            CellFault::Cells { found, expected } => write!(f, "the row has {found} cells, the header {expected}"),
        }
    }
}
