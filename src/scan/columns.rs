//! Whether the files of an export have the columns that the job names.

use super::error::{MissingColumn, ScanError};
use super::file::ExportFile;
use super::formats::Format;
use super::remarks::Remarks;
use super::source::Source;
use crate::text::{did_you_mean, visible};
use std::borrow::Cow;

/// The columns of all files, each once, in the order in which they are found. Those that folders add stand behind each
/// file's own.
pub(super) fn columns(files: &[ExportFile]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for name in files.iter().filter(|file| !file.header.is_empty()).flat_map(ExportFile::columns) {
        if !found.contains(&name) {
            found.push(name);
        }
    }
    found
}

/// Looks for every wanted column in the files. Remarks on files that lack a column that others have.
///
/// # Errors
/// Where a file has a wanted column twice, and where no file has one.
pub(super) fn check_columns(source: &Source, files: &[ExportFile]) -> Result<Remarks, ScanError> {
    let with_header: Vec<&ExportFile> = files.iter().filter(|file| !file.header.is_empty()).collect();
    let Some(first) = with_header.first() else { return Ok(Remarks::default()) };
    let picks = source.picks.iter().flat_map(|pick| &pick.columns);
    let mut wanted: Vec<&String> = picks.chain(source.only.iter().map(|only| &only.column)).collect();
    wanted.sort();
    wanted.dedup();
    let mut nowhere: Vec<&String> = Vec::new();
    for column in &wanted {
        let has_twice = |file: &&&ExportFile| file.header.iter().filter(|name| name == column).count() > 1;
        if let Some(file) = with_header.iter().find(has_twice) {
            return Err(ScanError::ColumnTwice { file: file.name.to_string(), column: (*column).clone() });
        }
        if !with_header.iter().any(|file| file.has(column)) {
            nowhere.push(column);
        }
    }
    if !nowhere.is_empty() {
        return Err(no_columns(source.section, &nowhere, &columns(files), first, with_header.len()));
    }
    let is_alone = with_header.len() == 1;
    let warnings = with_header.iter().filter_map(|file| warning(file, &wanted, is_alone)).collect();
    Ok(Remarks { warnings, ..Remarks::default() })
}

/// What a file lacks that other files have.
fn warning(file: &ExportFile, wanted: &[&String], is_alone: bool) -> Option<String> {
    let lacking: Vec<String> =
        wanted.iter().filter(|column| !file.has(column)).map(|column| format!("{column:?}")).collect();
    // Folders give their columns to a stray file too.
    let has_none = !wanted.iter().any(|column| file.header.contains(column));
    let name = &file.name;
    match lacking.as_slice() {
        [] => None,
        _ if has_none && !is_alone => Some(format!(
            "{name} has none of the columns that the job names, and its rows count as rows without values; if it is a stray file, move it away, or name the others by a pattern such as \"exports/*.csv\""
        )),
        [only] => Some(format!("{name} has no column {only}; its cells count as empty; is its export complete?")),
        several => Some(format!(
            "{name} has no columns {}; their cells count as empty; is its export complete?",
            several.join(", ")
        )),
    }
}

fn no_columns(
    section: &'static str,
    nowhere: &[&String],
    found: &[String],
    first: &ExportFile,
    files: usize,
) -> ScanError {
    let more = match files - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let delimiter = match found {
        [only] if first.format == Format::Csv => delimiter_in(only, first.delimiter).map(String::from),
        _ => None,
    };
    let missing = nowhere.iter().map(|column| {
        let hint = match &delimiter {
            Some(delimiter) => {
                format!(" (its cells are separated by {delimiter:?}: set `delimiter = {delimiter:?}` in the job file)")
            }
            None => did_you_mean(column, found.iter().map(String::as_str)),
        };
        let message = format!("no column {column:?} in {}{more}{hint}", first.name);
        MissingColumn { column: (*column).clone(), message }
    });
    // A wrong delimiter is one mistake: with the right one, all columns may be there.
    let most = if delimiter.is_some() { 1 } else { nowhere.len() };
    let missing = missing.take(most).collect();
    let found: Vec<Cow<'_, str>> = found.iter().map(|name| visible(name)).collect();
    ScanError::NoColumns { section, missing, found: found.join(", ") }
}

/// The character that probably separates the cells of a header that was read, with another delimiter, as one cell.
fn delimiter_in(header: &str, delimiter: u8) -> Option<char> {
    let times = |other: &char| header.matches(*other).count();
    let others = [',', ';', '\t', '|'].into_iter().filter(|other| *other != char::from(delimiter));
    others.filter(|other| times(other) > 0).max_by_key(times)
}
