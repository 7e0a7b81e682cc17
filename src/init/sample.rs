//! A bounded look at an export: its columns, the first values of each, and which keys they hold.
//!
//! Of many files some are looked at, spread evenly over all of them: an export of a year in a file a day shows its
//! months only so.

use super::dialect::{self, Guess};
use super::shape;
use super::times;
use crate::scan::{CellFault, Export, Format, Only, Pick, Rows, ScanError, Source, peek, whole};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use chrono::DateTime;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Bytes of a CSV file by which its dialect is told.
const HEAD: usize = 4 << 20;
/// Files that are looked into.
const FILES: usize = 16;
/// Rows whose values are kept.
const ROWS: usize = 5_000;
/// Rows whose keys are remembered.
const KEY_ROWS: usize = 200_000;
/// Rows that are read for a value which tells day from month.
const DEEP_ROWS: usize = 1_000_000;
/// Columns that are looked at.
const COLUMNS: usize = 1_000;
/// Characters of a value that are kept.
const LONGEST: usize = 200;

/// An export as far as it was looked at.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) path: String,
    /// How many files it has.
    pub(super) files: usize,
    /// `Some` where it has to be said, as the name says something else.
    pub(super) format: Option<&'static str>,
    /// For CSV.
    pub(super) dialect: Option<Guess>,
    /// What the name says of the delimiter.
    pub(super) usual_delimiter: u8,
    pub(super) columns: Vec<Column>,
    /// Columns that cannot be used, and why.
    pub(super) unusable: Vec<(String, String)>,
    /// Rows whose values were looked at, and whose keys were.
    pub(super) rows: usize,
    pub(super) key_rows: usize,
    /// Whether these are all rows.
    pub(super) whole: bool,
    /// Rows with too few or too many cells, and cells that the encoding does not allow.
    pub(super) ragged: usize,
    pub(super) undecodable: usize,
    export: Export,
    source: Source,
}

/// What the export's own type of a column is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not a single value so far.
    #[default]
    Unknown,
    Text,
    Number,
    Boolean,
    Date,
    /// A timestamp with its zone.
    Instant,
    /// A timestamp without one.
    Local,
}

/// A column as far as it was looked at.
#[derive(Debug, Default)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The value of each sampled row; empty where there is none.
    pub(super) values: Vec<String>,
    /// The distinct keys of all rows that were looked at for them.
    pub(super) keys: HashSet<u64>,
    /// How many of those rows have a value here.
    pub(super) filled: usize,
    numbers: Numbers,
}

/// What the keys of a column are as numbers.
#[derive(Clone, Copy, Debug, Default)]
enum Numbers {
    #[default]
    Unseen,
    /// Whole numbers, the smallest and the largest.
    Between(u64, u64),
    /// Something else is among them.
    Mixed,
}

/// What the first line of an export is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header<'a> {
    Names,
    /// Names that are there again further down, as in files that were put behind each other.
    Again,
    /// A row: these of its cells are values.
    Values(Vec<&'a str>),
}

fn is_value(text: &str) -> bool {
    let is_time = shape::Shape::of(text).is_some() || shape::is_time_of_day(text);
    is_time || text.parse::<f64>().is_ok() || text.contains('@') && text.contains('.')
}

/// Whether the name of a column is a value like those below it. A column that is called by a day has something else
/// there, such as the sales of that day.
fn is_value_in(column: &Column) -> bool {
    let first = column.filled().next().unwrap_or_default();
    let is_same = |fits: fn(&str) -> bool| fits(&column.name) == fits(first);
    is_value(&column.name)
        && is_same(|text| shape::Shape::of(text).is_some())
        && is_same(|text| text.parse::<f64>().is_ok())
}

/// One file of an export.
struct Opened {
    export: Export,
    /// For each wanted column its place in the batches.
    places: Vec<Option<usize>>,
}

impl Column {
    /// The values that are there.
    pub(super) fn filled(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Which share of the rows with a value have one of their own.
    pub(super) fn uniqueness(&self) -> f64 {
        if self.filled == 0 { 0.0 } else { self.keys.len() as f64 / self.filled as f64 }
    }

    fn add_key(&mut self, value: &str) {
        self.keys.insert(hash(value));
        self.filled += 1;
        let is_plain = value.bytes().all(|b| b.is_ascii_digit());
        self.numbers = match (self.numbers, value.parse().ok().filter(|_| is_plain)) {
            (Numbers::Unseen, Some(n)) => Numbers::Between(n, n),
            (Numbers::Between(least, most), Some(n)) => Numbers::Between(least.min(n), most.max(n)),
            _ => Numbers::Mixed,
        };
    }

    /// Whether all keys are whole numbers.
    pub(super) fn is_of_numbers(&self) -> bool {
        matches!(self.numbers, Numbers::Between(..))
    }

    /// Whether the keys are a nearly unbroken run of whole numbers from a small or a round one on, as rows and tables
    /// count: any two exports share such values, whatever they are about.
    pub(super) fn is_running(&self) -> bool {
        const SMALL: u64 = 1_000;
        const UNBROKEN: f64 = 0.8;
        let Numbers::Between(least, most) = self.numbers else { return false };
        let is_round = |n: u64| n > 0 && n == 10u64.pow(n.ilog10());
        let begins_anew = least <= SMALL || is_round(least) || is_round(least - 1);
        begins_anew && self.keys.len() as f64 >= UNBROKEN * ((most - least) as f64 + 1.0)
    }
}

impl Sample {
    /// Looks at an export.
    pub(super) fn take(section: &'static str, path: &str) -> Result<Sample, ScanError> {
        let look = peek(path, HEAD)?;
        let dialect = (look.format == Format::Csv).then(|| dialect::guess(&look.head, look.whole));
        let source = Source {
            section,
            paths: vec![path.to_owned()],
            format: look.misnamed.then_some(look.format),
            dialect: dialect.as_ref().map(|guess| guess.dialect).unwrap_or_default(),
            nulls: Vec::new(),
            trim: true,
            only: Vec::<Only>::new(),
            picks: Vec::new(),
        };
        let export = Export::open(source.clone())?;
        let unusable = export.unusable_columns()?;
        let mut columns: Vec<Column> = Vec::new();
        let names = export.columns().into_iter().filter(|name| !unusable.iter().any(|(bad, _)| bad == name));
        for name in names.filter(|name| !name.is_empty()).take(COLUMNS) {
            columns.push(Column { name, ..Column::default() });
        }
        let mut sample = Sample {
            path: path.to_owned(),
            files: look.files,
            format: look.misnamed.then_some(match look.format {
                Format::Csv => "csv",
                Format::Parquet => "parquet",
            }),
            dialect,
            usual_delimiter: look.delimiter,
            columns,
            unusable,
            rows: 0,
            key_rows: 0,
            whole: true,
            ragged: 0,
            undecodable: 0,
            export,
            source,
        };
        sample.read()?;
        Ok(sample)
    }

    /// Whether both are the same files: one flat export with a row a scene.
    pub(super) fn has_the_files_of(&self, other: &Sample) -> bool {
        self.export.has_the_files_of(&other.export)
    }

    /// What the header of a CSV file looks like.
    pub(super) fn header(&self) -> Header<'_> {
        if self.dialect.is_none() {
            return Header::Names;
        }
        let names = || self.columns.iter().map(|column| column.name.as_str());
        let is_below = |column: &&Column| column.keys.contains(&hash(&column.name));
        let values = self.columns.iter().filter(|column| is_value_in(column)).map(|column| column.name.as_str());
        // A name that is there twice is no column to look at; a day or a number is no name all the same.
        let twice = self.unusable.iter().map(|(name, _)| name.as_str()).filter(|name| is_value(name));
        let values: Vec<&str> = values.chain(twice).collect();
        if !values.is_empty() {
            return Header::Values(values);
        }
        let below: Vec<&str> = self.columns.iter().filter(is_below).map(|column| column.name.as_str()).collect();
        match below.len() {
            0 => Header::Names,
            n if n > 1 && n == names().count() => Header::Again,
            _ => Header::Values(below),
        }
    }

    pub(super) fn column(&self, at: usize) -> &Column {
        &self.columns[at]
    }

    /// Files that have not a column in common with any other one.
    pub(super) fn strays(&self) -> Vec<String> {
        self.export.strays()
    }

    fn read(&mut self) -> Result<(), ScanError> {
        let paths = self.chosen();
        self.whole = paths.len() == self.files;
        for (at, path) in paths.iter().enumerate() {
            let left = paths.len() - at;
            let rows_left = (ROWS - self.rows).div_ceil(left);
            let keys_left = (KEY_ROWS - self.key_rows).div_ceil(left);
            self.read_file(path, rows_left, keys_left)?;
        }
        Ok(())
    }

    /// The files to look into, evenly spread.
    fn chosen(&self) -> Vec<String> {
        let paths: Vec<String> = self.export.paths().map(|path| path.display().to_string()).collect();
        let chosen = paths.len().min(FILES);
        (0..chosen).map(|n| paths[n * (paths.len() - 1) / (chosen - 1).max(1)].clone()).collect()
    }

    fn read_file(&mut self, path: &str, mut rows_left: usize, mut keys_left: usize) -> Result<(), ScanError> {
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let Some(Opened { export, places }) = self.open(path, &names)? else { return Ok(()) };
        for rows in export.batches() {
            if keys_left == 0 {
                self.whole = false;
                return Ok(());
            }
            let rows = rows?;
            let count = rows.batch.num_rows().min(keys_left);
            self.whole &= count == rows.batch.num_rows();
            let ragged = ragged(&rows, count);
            self.ragged += ragged.len();
            self.undecodable += undecodable(&rows, count);
            let good: Vec<usize> = (0..count).filter(|row| !ragged.contains(row)).collect();
            let kept = good.len().min(rows_left);
            for (column, place) in self.columns.iter_mut().zip(&places) {
                let Some(place) = place else {
                    column.values.extend(std::iter::repeat_n(String::new(), kept));
                    continue;
                };
                let cells = Cells(rows.batch.column(*place));
                column.kind = both(column.kind, cells.kind());
                for (n, &row) in good.iter().enumerate() {
                    let value = cells.value(row);
                    if !value.is_empty() {
                        column.add_key(&value);
                    }
                    if n < kept {
                        column.values.push(value.chars().take(LONGEST).collect());
                    }
                }
            }
            self.rows += kept;
            self.key_rows += good.len();
            rows_left -= kept;
            keys_left -= count;
        }
        Ok(())
    }

    /// One file with those of the columns that it has; `None` for a file without a header.
    fn open(&self, path: &str, names: &[String]) -> Result<Option<Opened>, ScanError> {
        let alone = Source { paths: vec![path.to_owned()], picks: Vec::new(), ..self.source.clone() };
        let own = match Export::open(alone.clone()) {
            Ok(export) => export.columns(),
            // Beside others, an empty file is a file without rows.
            Err(ScanError::Empty { .. }) if self.files > 1 => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut picks = Vec::new();
        let mut places = Vec::new();
        for name in names {
            let has = own.contains(name);
            places.push(has.then_some(picks.len()));
            if has {
                picks.push(Pick { name: format!("{}", picks.len()), column: name.clone(), as_text: false });
            }
        }
        Ok(Some(Opened { export: Export::open(Source { picks, ..alone })?, places }))
    }

    /// Reads on for a value that decides in which order a column has day and month.
    pub(super) fn narrow(&self, column: &str, orders: &mut Vec<times::Order>) -> Result<(), ScanError> {
        let names = [column.to_owned()];
        let paths = self.chosen();
        let mut tried = HashSet::new();
        for path in &paths {
            let Some(Opened { export, places }) = self.open(path, &names)? else { continue };
            let Some(Some(place)) = places.first() else { continue };
            let mut rows_left = DEEP_ROWS / paths.len();
            for rows in export.batches() {
                let rows = rows?;
                let cells = Cells(rows.batch.column(*place));
                for row in 0..rows.batch.num_rows().min(rows_left) {
                    let value = cells.value(row);
                    // Only the date decides, and there are few of them.
                    let date: String = value.chars().take(10).collect();
                    if tried.len() < KEY_ROWS && !tried.insert(hash(&date)) {
                        continue;
                    }
                    times::narrow(orders, &value);
                    if orders.len() < 2 {
                        return Ok(());
                    }
                }
                rows_left = rows_left.saturating_sub(rows.batch.num_rows());
                if rows_left == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The rows that have another number of cells than the header: which of them belongs where is anybody's guess.
fn ragged(rows: &Rows, count: usize) -> HashSet<usize> {
    let faults = rows.faults.iter().filter(|fault| matches!(fault.what, CellFault::Cells { .. }));
    faults.map(|fault| fault.row as usize).filter(|row| *row < count).collect()
}

fn undecodable(rows: &Rows, count: usize) -> usize {
    let faults = rows.faults.iter().filter(|fault| (fault.row as usize) < count);
    faults.filter(|fault| matches!(fault.what, CellFault::Undecodable(_) | CellFault::NotUtf8(_))).count()
}

/// The same on every run and machine.
pub(super) fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The type of a column of which one file says this and the next one that.
fn both(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        (Kind::Unknown, kind) | (kind, Kind::Unknown) => kind,
        (one, other) if one == other => one,
        _ => Kind::Text,
    }
}

/// A column of a batch as text, by the rules that keys follow.
struct Cells<'a>(&'a ArrayRef);

impl Cells<'_> {
    fn kind(&self) -> Kind {
        match self.0.data_type() {
            DataType::Null => Kind::Unknown,
            DataType::Int64 | DataType::Float64 => Kind::Number,
            DataType::Boolean => Kind::Boolean,
            DataType::Date32 => Kind::Date,
            DataType::Timestamp(_, Some(_)) => Kind::Instant,
            DataType::Timestamp(_, None) => Kind::Local,
            _ => Kind::Text,
        }
    }

    fn value(&self, row: usize) -> String {
        let array = self.0;
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
                    TimeUnit::Millisecond => {
                        array.as_primitive::<TimestampMillisecondType>().value(row).div_euclid(1_000)
                    }
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
}

fn written(seconds: i64, format: &str) -> String {
    DateTime::from_timestamp(seconds, 0).map(|time| time.format(format).to_string()).unwrap_or_default()
}
