//! A bounded look at an export: its columns, and the values of some of its rows.
//!
//! Of many files some are looked at, spread evenly over all of them: of an export with a file for each day, only this
//! shows the months. It knows nothing of what the values mean.

use super::cell_text::{ColumnType, cell_text};
use super::dialect::{self, GuessedDialect};
use super::first_line::{FirstLine, first_line};
use super::sample_column::SampleColumn;
use crate::scan::{CellFault, Export, Format, Pick, Rows, ScanError, Sniffed, Source, sniff};
use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::path::Path;

/// Bytes of a CSV file from which its dialect is guessed.
pub(super) const HEAD: usize = 4 << 20;
/// Files that are looked into.
const FILES: usize = 16;
/// Rows that are sampled from all files together, fewer where there are many columns.
const ROWS: usize = 100_000;
/// Cells that are kept, so that a sample fits into some 60 MB.
const CELLS: usize = 1_000_000;
/// Columns that are looked at.
const COLUMNS: usize = 1_000;
/// Characters of a value that are kept.
const LONGEST: usize = 200;

/// An export as far as it was looked at.
#[derive(Debug)]
pub(super) struct ExportSample {
    pub(super) paths: Vec<String>,
    /// How many files it has.
    pub(super) files: usize,
    /// The format, where the name of the file promises another one.
    pub(super) format: Option<&'static str>,
    /// For CSV.
    pub(super) dialect: Option<GuessedDialect>,
    /// The delimiter that the name of the file promises.
    pub(super) usual_delimiter: u8,
    pub(super) columns: Vec<SampleColumn>,
    /// Columns that cannot be used, and why.
    pub(super) unusable: Vec<(String, String)>,
    /// How many different rows were sampled, and whether these are all.
    pub(super) rows: usize,
    /// How many rows equal an earlier one. They count once.
    pub(super) repeated: usize,
    pub(super) is_whole: bool,
    /// Rows with too few or too many cells. They are not among the sampled ones.
    pub(super) ragged: usize,
    /// Cells with bytes that the encoding does not allow.
    pub(super) undecodable: usize,
    export: Export,
}

/// A file of an export, opened.
struct SampledFile {
    export: Export,
    /// The place of each column of the sample in the batches; `None` where the file does not have it.
    places: Vec<Option<usize>>,
}

impl ExportSample {
    /// Takes a sample of an export: files, folders or globs. `section` is its name in errors.
    /// `other` is the other one, which decides where this one leaves it open how it is written.
    pub(super) fn take(
        section: &'static str,
        base_dir: &Path,
        paths: &[String],
        other: Option<&ExportSample>,
    ) -> Result<ExportSample, ScanError> {
        let look = sniff(paths, base_dir, HEAD)?;
        let encoding = |other: &ExportSample| other.dialect.as_ref().map(|guess| guess.dialect.encoding);
        let mut guess = dialect::of(&look, other.and_then(encoding));
        let source = dialect::source(section, base_dir, paths, &look, guess.as_ref());
        let sample = ExportSample::open(&source, &look, guess.clone())?;
        let is_row = matches!(first_line(&sample.columns, &sample.unusable), FirstLine::Values(_))
            || other.is_some_and(|other| other.header().is_some() && sample.is_called_by_values_of(other));
        let Some(guess) = guess.as_mut().filter(|guess| is_row && guess.cells > 1) else { return Ok(sample) };
        // Names of our own, so that its first row is one too.
        let names: Vec<String> = (1..=guess.cells).map(|n| format!("column_{n}")).collect();
        guess.frame.header = Some(names);
        let source = Source { frame: guess.frame.clone(), ..source };
        ExportSample::open(&source, &look, Some(guess.clone()))
    }

    fn open(source: &Source, look: &Sniffed, dialect: Option<GuessedDialect>) -> Result<ExportSample, ScanError> {
        let export = Export::open(source.clone())?;
        let unusable = export.unusable_columns()?;
        let is_usable = |name: &String| !name.is_empty() && !unusable.iter().any(|(bad, _)| bad == name);
        let names = export.columns().into_iter().filter(is_usable).take(COLUMNS);
        let column = |name| SampleColumn { name, ..SampleColumn::default() };
        let mut sample = ExportSample {
            paths: source.paths.clone(),
            files: look.files,
            format: look.misnamed.then_some(match look.format {
                Format::Csv => "csv",
                Format::Parquet => "parquet",
            }),
            dialect,
            usual_delimiter: look.delimiter,
            columns: names.map(column).collect(),
            unusable,
            rows: 0,
            repeated: 0,
            is_whole: true,
            ragged: 0,
            undecodable: 0,
            export,
        };
        sample.read(source)?;
        sample.leave_out_repeated();
        sample.columns.iter_mut().for_each(SampleColumn::drop_decimals);
        Ok(sample)
    }

    /// Whether the name of a column is a value of another export, as the key of a visit is.
    fn is_called_by_values_of(&self, other: &ExportSample) -> bool {
        let is_value = |name: &String| other.columns.iter().any(|column| column.values.contains(name));
        self.columns.iter().any(|column| is_value(&column.name))
    }

    /// The path for people.
    pub(super) fn shown_path(&self) -> String {
        self.paths.join(", ")
    }

    /// The names that were given to the columns of files without a header line.
    pub(super) fn header(&self) -> Option<&[String]> {
        self.dialect.as_ref()?.frame.header.as_deref()
    }

    /// Whether both are the same files: one flat export with one row per scene.
    pub(super) fn has_the_files_of(&self, other: &ExportSample) -> bool {
        self.export.has_the_files_of(&other.export)
    }

    /// Files that have no column in common with any other file.
    pub(super) fn strays(&self) -> Vec<String> {
        self.export.strays()
    }

    /// Leaves out rows that equal an earlier one.
    fn leave_out_repeated(&mut self) {
        if self.columns.is_empty() {
            return;
        }
        let hasher = RandomState::new();
        let mut seen = HashSet::new();
        let is_new = |row: usize| {
            let mut state = hasher.build_hasher();
            self.columns.iter().for_each(|column| column.values[row].hash(&mut state));
            state.finish()
        };
        let hashes: Vec<u64> = (0..self.rows).map(is_new).collect();
        let kept: Vec<bool> = hashes.into_iter().map(|hash| seen.insert(hash)).collect();
        let rows = kept.iter().filter(|kept| **kept).count();
        if rows == self.rows {
            return;
        }
        for column in &mut self.columns {
            let mut kept = kept.iter();
            column.values.retain(|_| kept.next().is_none_or(|kept| *kept));
        }
        (self.repeated, self.rows) = (self.rows - rows, rows);
    }

    fn read(&mut self, source: &Source) -> Result<(), ScanError> {
        let paths = self.chosen_files();
        self.is_whole = paths.len() == self.files;
        let most = ROWS.min(CELLS / self.columns.len().max(1));
        let mut seen = 0;
        for (at, path) in paths.iter().enumerate() {
            let share = (most - seen).div_ceil(paths.len() - at);
            seen += self.read_file(source, path, share)?;
        }
        Ok(())
    }

    /// The files to look into, spread evenly.
    fn chosen_files(&self) -> Vec<String> {
        let paths: Vec<String> = self.export.paths().map(|path| path.display().to_string()).collect();
        let chosen = paths.len().min(FILES);
        (0..chosen).map(|n| paths[n * (paths.len() - 1) / (chosen - 1).max(1)].clone()).collect()
    }

    /// Reads the first rows of a file, `most` at most, and returns how many it read.
    fn read_file(&mut self, source: &Source, path: &str, most: usize) -> Result<usize, ScanError> {
        let Some(SampledFile { export, places }) = self.open_file(source, path)? else { return Ok(0) };
        let mut seen = 0;
        for rows in export.batches() {
            if seen == most {
                self.is_whole = false;
                break;
            }
            let rows = rows?;
            let count = rows.batch.num_rows().min(most - seen);
            self.is_whole &= count == rows.batch.num_rows();
            seen += count;
            let ragged = ragged(&rows, count);
            self.ragged += ragged.len();
            self.undecodable += undecodable(&rows, count);
            self.rows += count - ragged.len();
            for (column, place) in self.columns.iter_mut().zip(&places) {
                let array = place.map(|place| rows.batch.column(place));
                if let Some(array) = array {
                    column.column_type = column.column_type.and(ColumnType::of(array));
                }
                for row in (0..count).filter(|row| !ragged.contains(row)) {
                    let mut value = array.map(|array| cell_text(array, row)).unwrap_or_default();
                    if let Some((end, _)) = value.char_indices().nth(LONGEST) {
                        value.truncate(end);
                    }
                    column.values.push(value);
                }
            }
        }
        Ok(seen)
    }

    /// Opens one file with those of the columns that it has. `None` for an empty file beside others, which is a file
    /// without rows.
    fn open_file(&self, source: &Source, path: &str) -> Result<Option<SampledFile>, ScanError> {
        let alone = Source { paths: vec![path.to_owned()], ..source.clone() };
        let own = match Export::open(alone.clone()) {
            Ok(export) => export.columns(),
            Err(ScanError::Empty { .. }) if self.files > 1 => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut picks = Vec::new();
        let mut places = Vec::new();
        for column in &self.columns {
            let has = own.contains(&column.name);
            places.push(has.then_some(picks.len()));
            if has {
                picks.push(Pick::plain(&picks.len().to_string(), &column.name, false));
            }
        }
        Ok(Some(SampledFile { export: Export::open(Source { picks, ..alone })?, places }))
    }
}

/// The rows that have another number of cells than the header: their cells may belong to other columns.
fn ragged(rows: &Rows, count: usize) -> HashSet<usize> {
    let faults = rows.faults.iter().filter(|fault| matches!(fault.what, CellFault::Cells { .. }));
    faults.map(|fault| fault.row as usize).filter(|row| *row < count).collect()
}

fn undecodable(rows: &Rows, count: usize) -> usize {
    let faults = rows.faults.iter().filter(|fault| (fault.row as usize) < count);
    faults.filter(|fault| matches!(fault.what, CellFault::Undecodable(_) | CellFault::NotUtf8(_))).count()
}
