//! An export as a whole: its files opened and their columns found before anything is read, then its batches
//! one after the other.

use super::cells::Cleaning;
use super::files::{self, Found};
use super::text::Magic;
use super::{Fault, Format, Lines, MissingColumn, Only, Rows, ScanError, Source, csv, parquet};
use crate::storage::{DataFile, Input, Stamp, StorageError};
use crate::text::visible;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema};
use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An export whose files are there and have the columns that the job names.
#[derive(Debug)]
pub struct Export {
    source: Source,
    files: Vec<ExportFile>,
    warnings: Vec<String>,
}

/// One file, known to be readable at least as far as its header.
#[derive(Debug)]
pub(super) struct ExportFile {
    pub(super) place: DataFile,
    pub(super) name: Arc<str>,
    pub(super) format: Format,
    pub(super) magic: Magic,
    pub(super) delimiter: u8,
    /// The columns of the file itself, in its order. Empty for a file without a single byte.
    pub(super) header: Vec<String>,
    seen: Stamp,
}

/// Where the cells of a wanted column come from in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The column at this place of the file's own header.
    Column(usize),
    /// A `key=value` folder.
    Folder(String),
    /// Nowhere: every cell is empty.
    Absent,
}

/// A column to read from a file: a pick of the source, or one that a filter looks at.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) column: String,
    pub(super) origin: Origin,
    pub(super) form: Form,
}

/// What the cells of a wanted column are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// As they are typed.
    Typed,
    /// As text, where what has no exact text is a fault.
    Text,
    /// As text of any kind, to be compared with the values of a filter.
    Filter,
}

impl Export {
    /// Finds the files and reads their headers.
    ///
    /// # Errors
    /// Where a path is missing, a file is not what it is taken for, or a wanted column is in none of the files.
    pub fn open(source: Source) -> Result<Export, ScanError> {
        let mut files = Vec::new();
        let mut warnings = Vec::new();
        let found = files::find(&source.paths)?;
        let several = found.len() > 1;
        for found in found {
            let file = open_file(found, &source)?;
            if file.header.is_empty() && file.format == Format::Csv {
                if !several {
                    return Err(ScanError::Empty { file: file.name.to_string() });
                }
                warnings.push(format!(
                    "{} is empty: it has no header line and no rows; is its export complete?",
                    file.name
                ));
            }
            files.push(file);
        }
        if several && files.iter().all(|file| file.header.is_empty()) {
            return Err(ScanError::Empty { file: files[0].name.to_string() });
        }
        let export = Export { source, files, warnings: Vec::new() };
        warnings.extend(export.look_for_columns()?);
        Ok(Export { warnings, ..export })
    }

    /// What the reader of a summary should know: files that are empty or lack a column that others have.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether both exports consist of the same files: one flat export with a row a scene.
    pub fn has_the_files_of(&self, other: &Export) -> bool {
        let paths =
            |export: &Export| -> Vec<PathBuf> { export.files.iter().map(|file| file.place.identity()).collect() };
        !self.files.is_empty() && paths(self) == paths(other)
    }

    /// The files, in order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.place.path())
    }

    /// Files beside others that have not a column in common with any of them: notes, lists, whatever else lies there.
    pub(crate) fn strays(&self) -> Vec<String> {
        let with_rows: Vec<&ExportFile> = self.files.iter().filter(|file| !file.header.is_empty()).collect();
        let shares = |one: &ExportFile, other: &ExportFile| one.header.iter().any(|name| other.header.contains(name));
        let is_stray = |file: &&&ExportFile| {
            // Of two files either may be the stray one; a table has more than a column.
            let is_odd = with_rows.len() > 2 || with_rows.len() == 2 && file.header.len() == 1;
            is_odd && !with_rows.iter().any(|other| other.place.path() != file.place.path() && shares(file, other))
        };
        let strays = with_rows.iter().filter(is_stray).map(|file| file.name.to_string()).collect::<Vec<_>>();
        // Files that are all unlike each other are a matter of their own.
        if strays.len() == with_rows.len() { Vec::new() } else { strays }
    }

    /// The columns of all files, those that folders add at the end of each file's own.
    pub fn columns(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for file in self.files.iter().filter(|file| !file.header.is_empty()) {
            for name in file.header.iter().cloned().chain(files::folder_columns(file.place.path())) {
                if !found.contains(&name) {
                    found.push(name);
                }
            }
        }
        found
    }

    /// Of those, the ones that cannot be read, and why: a name that a file has twice, a type that nothing can be
    /// made of.
    ///
    /// # Errors
    /// Where the schema of a Parquet file cannot be read any more.
    pub fn unusable_columns(&self) -> Result<Vec<(String, String)>, ScanError> {
        let mut unusable: Vec<(String, String)> = Vec::new();
        let mut add = |name: &String, why: String| {
            if !unusable.iter().any(|(known, _)| known == name) {
                unusable.push((name.clone(), why));
            }
        };
        for file in &self.files {
            for (at, name) in file.header.iter().enumerate() {
                if file.header[..at].contains(name) {
                    add(name, "it is there more than once".to_owned());
                }
            }
            if file.format == Format::Parquet {
                for (name, kind) in parquet::unusable(file)? {
                    add(&name, format!("it holds {kind}"));
                }
            }
        }
        Ok(unusable)
    }

    /// How many bytes the mapped columns may fill in memory: a guess from the sizes of the files.
    pub fn expected_memory(&self) -> u64 {
        let size = |file: &ExportFile| match (file.format, file.magic) {
            (Format::Csv, Magic::None) => file.seen.bytes * 2,
            // Packed files are about so much smaller.
            _ => file.seen.bytes * 10,
        };
        self.files.iter().map(size).sum()
    }

    /// Reads all files, in order.
    pub fn batches(&self) -> Batches<'_> {
        Batches { export: self, next: 0, current: None }
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    pub(super) fn cleaning(&self) -> Cleaning {
        Cleaning {
            trim: self.source.trim,
            nulls: self.source.nulls.iter().filter(|null| !null.is_empty()).cloned().collect(),
        }
    }

    /// The picks, then the columns of the filters.
    pub(super) fn wanted(&self, file: &ExportFile) -> Vec<Wanted> {
        let form = |as_text| if as_text { Form::Text } else { Form::Typed };
        let picks = self.source.picks.iter().map(|pick| (&pick.column, form(pick.as_text)));
        let filters = self.source.only.iter().map(|only| (&only.column, Form::Filter));
        let wanted = picks.chain(filters).map(|(column, form)| {
            let own = file.header.iter().position(|name| name == column).map(Origin::Column);
            let folder = || files::folder_value(file.place.path(), column).map(Origin::Folder);
            Wanted { column: column.clone(), origin: own.or_else(folder).unwrap_or(Origin::Absent), form }
        });
        wanted.collect()
    }

    fn look_for_columns(&self) -> Result<Vec<String>, ScanError> {
        let mut warnings = Vec::new();
        let with_rows: Vec<&ExportFile> = self.files.iter().filter(|file| !file.header.is_empty()).collect();
        let Some(first) = with_rows.first() else { return Ok(warnings) };
        let mut columns: Vec<&String> = self
            .source
            .picks
            .iter()
            .map(|pick| &pick.column)
            .chain(self.source.only.iter().map(|o| &o.column))
            .collect();
        columns.sort();
        columns.dedup();
        let has = |file: &ExportFile, column: &String| {
            file.header.contains(column) || files::folder_value(file.place.path(), column).is_some()
        };
        let mut nowhere: Vec<&String> = Vec::new();
        for column in &columns {
            for file in &with_rows {
                if file.header.iter().filter(|name| name == column).count() > 1 {
                    return Err(ScanError::ColumnTwice { file: file.name.to_string(), column: (*column).clone() });
                }
            }
            if !with_rows.iter().any(|file| has(file, column)) {
                nowhere.push(column);
            }
        }
        if !nowhere.is_empty() {
            return Err(self.no_columns(&nowhere, first, with_rows.len()));
        }
        for file in &with_rows {
            let lacking: Vec<String> =
                columns.iter().filter(|column| !has(file, column)).map(|column| format!("{column:?}")).collect();
            // What a folder says of a file, it says of a stray one as well.
            let own = columns.iter().filter(|column| file.header.contains(column)).count();
            warnings.extend(match lacking.as_slice() {
                [] => None,
                _ if own == 0 && with_rows.len() > 1 => Some(format!(
                    "{} has none of the columns that the job names, and its rows count as rows without values; if it is a stray file, move it away, or name the others by a pattern such as \"exports/*.csv\"",
                    file.name
                )),
                [only] => Some(format!(
                    "{} has no column {only}; its cells count as empty; is its export complete?",
                    file.name
                )),
                several => Some(format!(
                    "{} has no columns {}; their cells count as empty; is its export complete?",
                    file.name,
                    several.join(", ")
                )),
            });
        }
        Ok(warnings)
    }

    fn no_columns(&self, columns: &[&String], first: &ExportFile, files: usize) -> ScanError {
        let found = self.columns();
        let more = match files - 1 {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let delimiter = match found.as_slice() {
            [only] if first.format == Format::Csv => delimiter_in(only, first.delimiter).map(String::from),
            _ => None,
        };
        let missing = columns.iter().map(|column| {
            let hint = match &delimiter {
                Some(delimiter) => {
                    format!(" (its header is parted by {delimiter:?}: set `delimiter = {delimiter:?}` in the job file)")
                }
                None => crate::text::did_you_mean(column, found.iter().map(String::as_str)),
            };
            let message = format!("no column {column:?} in {}{more}{hint}", first.name);
            MissingColumn { column: (*column).clone(), message }
        });
        // By another delimiter all of them may be there: it is one mistake.
        let most = if delimiter.is_some() { 1 } else { columns.len() };
        let missing = missing.take(most).collect();
        let found: Vec<Cow<'_, str>> = found.iter().map(|name| visible(name)).collect();
        ScanError::NoColumns { section: self.source.section, missing, found: found.join(", ") }
    }
}

/// What parts the cells of a header that was taken for a single cell, as these are parted by another `delimiter`.
fn delimiter_in(header: &str, delimiter: u8) -> Option<char> {
    let times = |other: &char| header.matches(*other).count();
    let others = [',', ';', '\t', '|'].into_iter().filter(|other| *other != char::from(delimiter));
    others.filter(|other| times(other) > 0).max_by_key(times)
}

/// What the name of a file and its first bytes tell.
pub(super) struct Looks {
    pub(super) input: Input,
    pub(super) magic: Magic,
    /// Whether it begins as text does.
    is_text: bool,
    /// By the ending of its name.
    pub(super) named: Option<Format>,
    /// Where nothing else says: a tab for names that end in `.tsv` or `.tab`, else a comma.
    pub(super) delimiter: u8,
    seen: Stamp,
}

pub(super) fn looks(found: &Found) -> Result<Looks, ScanError> {
    let unreadable = |error| ScanError::unopened(&found.name, error);
    let (mut input, seen) = found.place.open().map_err(unreadable)?;
    let mut head = Vec::with_capacity(8);
    input.by_ref().take(8).read_to_end(&mut head).map_err(unreadable)?;
    input.rewind().map_err(unreadable)?;
    let lower = found.name.to_lowercase();
    let bare = lower.trim_end_matches(".gz").trim_end_matches(".zst").trim_end_matches(".zstd");
    let named = match bare.rsplit(['.', '/', '\\']).next().unwrap_or_default() {
        "parquet" | "parq" | "pq" => Some(Format::Parquet),
        "csv" | "tsv" | "tab" | "txt" => Some(Format::Csv),
        _ => None,
    };
    let tabs = bare.ends_with(".tsv") || bare.ends_with(".tab");
    let is_plain = head.iter().all(|&byte| byte >= b' ' || byte.is_ascii_whitespace());
    // A letter may be cut off at the end of the head.
    let is_utf8 = std::str::from_utf8(&head).map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_text = !head.is_empty() && is_plain && is_utf8;
    Ok(Looks { input, magic: Magic::of(&head), is_text, named, delimiter: if tabs { b'\t' } else { b',' }, seen })
}

fn open_file(found: Found, source: &Source) -> Result<ExportFile, ScanError> {
    let Looks { input, magic, is_text, named, delimiter, seen } = looks(&found)?;
    let format = source.format.or(named).unwrap_or(match magic {
        Magic::Parquet => Format::Parquet,
        _ => Format::Csv,
    });
    let expected = match format {
        Format::Csv => "CSV",
        Format::Parquet => "Parquet",
    };
    let name = found.name.clone();
    match (magic, format) {
        (Magic::Zip | Magic::OldExcel, _) => return Err(ScanError::Workbook { file: name, expected }),
        (Magic::Parquet, Format::Csv) => return Err(ScanError::OtherFormat { file: name, found: "Parquet", expected }),
        (Magic::Gzip | Magic::Zstd, Format::Parquet) => {
            return Err(ScanError::OtherFormat { file: name, found: "a compressed file", expected });
        }
        (Magic::None, Format::Parquet) if is_text => {
            return Err(ScanError::OtherFormat { file: name, found: "text, such as CSV", expected });
        }
        _ => {}
    }
    let delimiter = source.dialect.delimiter.unwrap_or(delimiter);
    let mut file =
        ExportFile { place: found.place, name: found.name.into(), format, magic, delimiter, header: Vec::new(), seen };
    file.header = match format {
        Format::Csv => csv::header(&file, input, source)?,
        Format::Parquet => parquet::header(&file)?,
    };
    Ok(file)
}

/// The batches of an export. The first error ends it.
pub struct Batches<'a> {
    export: &'a Export,
    next: usize,
    current: Option<Reader>,
}

enum Reader {
    Csv(Box<csv::Reader>),
    Parquet(Box<parquet::Reader>),
}

impl std::fmt::Debug for Batches<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("next", &self.next).finish_non_exhaustive()
    }
}

impl Batches<'_> {
    fn step(&mut self) -> Result<Option<Rows>, ScanError> {
        loop {
            if let Some(reader) = &mut self.current {
                let rows = match reader {
                    Reader::Csv(reader) => reader.next_rows()?,
                    Reader::Parquet(reader) => reader.next_rows()?,
                };
                if let Some(rows) = rows {
                    return Ok(Some(rows));
                }
                self.current = None;
                self.check_unchanged(&self.export.files[self.next - 1])?;
            }
            let Some(file) = self.export.files.get(self.next) else { return Ok(None) };
            self.next += 1;
            if file.header.is_empty() {
                continue;
            }
            self.current = Some(match file.format {
                Format::Csv => Reader::Csv(Box::new(csv::Reader::open(file, self.export)?)),
                Format::Parquet => Reader::Parquet(Box::new(parquet::Reader::open(file, self.export)?)),
            });
        }
    }

    fn check_unchanged(&self, file: &ExportFile) -> Result<(), ScanError> {
        match file.place.stamp() {
            Ok(now) if now.is_that_of(&file.seen) => Ok(()),
            Err(error) if StorageError::within(&error).is_some() => Err(ScanError::unopened(&file.name, error)),
            _ => Err(ScanError::Changed { file: file.name.to_string() }),
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Rows, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.current = None;
            self.next = self.export.files.len();
        }
        step.transpose()
    }
}

/// Puts the columns of the picks into a batch and applies the filters to those behind them.
pub(super) fn rows_of(
    mut arrays: Vec<ArrayRef>,
    rows: usize,
    source: &Source,
    file: Arc<str>,
    lines: Lines,
    mut faults: Vec<Fault>,
) -> Result<Rows, ScanError> {
    let picks = source.picks.len();
    let keep = kept(&arrays.split_off(picks), &source.only, rows, picks, &faults);
    faults.retain(|fault| fault.column.is_none_or(|at| usize::from(at) < picks));
    let named = source.picks.iter().zip(&arrays);
    let fields: Vec<Field> =
        named.map(|(pick, array)| Field::new(&pick.name, array.data_type().clone(), true)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    let batch = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options);
    let batch = batch.map_err(|error| ScanError::Unreadable { file: file.to_string(), reason: error.to_string() })?;
    Ok(Rows { batch, file, lines, faults, keep })
}

/// Which rows the filters keep; `None` for all. A row with the wrong number of cells, or whose cell cannot be read, is
/// kept: what the filter would see is anybody's guess, and it must not vanish.
fn kept(columns: &[ArrayRef], only: &[Only], rows: usize, picks: usize, faults: &[Fault]) -> Option<BooleanArray> {
    if only.is_empty() {
        return None;
    }
    let mut keep = vec![true; rows];
    for (column, only) in columns.iter().zip(only) {
        let text = column.as_string_opt::<i32>();
        for (row, keep) in keep.iter_mut().enumerate() {
            let cell = text.filter(|text| text.is_valid(row)).map_or("", |text| text.value(row));
            *keep &= only.values.iter().any(|value| value == cell);
        }
    }
    let concerns_a_filter = |fault: &&Fault| fault.column.is_none_or(|column| usize::from(column) >= picks);
    for fault in faults.iter().filter(concerns_a_filter) {
        keep[fault.row as usize] = true;
    }
    (!keep.iter().all(|keep| *keep)).then(|| BooleanArray::from(keep))
}
