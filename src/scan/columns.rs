//! Whether the files of an export have the columns that the job names.

use super::error::{MissingColumn, ScanError};
use super::file::ExportFile;
use super::formats::Format;
use super::remarks::Remarks;
use super::source::Source;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::{count, did_you_mean, nearest, visible};
use std::borrow::Cow;
use std::collections::HashSet;

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

/// Looks for every wanted column in the files. A file that lacks a column which others have is suspicious where the column
/// may have been renamed, or where its rows mean nothing without it; else the file is marked as lacking it.
///
/// # Errors
/// Where a file has a wanted column twice, and where no file has one.
pub(super) fn check_columns(source: &Source, files: &mut [ExportFile]) -> Result<Remarks, ScanError> {
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
    let partial = partial_columns(&wanted, &with_header);
    let mut suspicion = Suspicion::new(SuspicionCode::OtherHeader, OTHER_HEADER);
    for file in files.iter_mut().filter(|file| !file.header.is_empty()) {
        let lacking: Vec<&PartialColumn> = partial.iter().filter(|column| !file.has(&column.name)).collect();
        match suspicious(file, &lacking, source) {
            Some(place) => suspicion.add(place),
            None => file.lacking = lacking.iter().map(|column| column.name.clone()).collect(),
        }
    }
    let suspicions = if suspicion.count > 0 { vec![suspicion] } else { Vec::new() };
    Ok(Remarks { suspicions, ..Remarks::default() })
}

const OTHER_HEADER: &str = "files of one section have other columns than the job names; most often a column was renamed, or a \
                            file is no part of the export. Give them the header of the other files, or move them away. \
                            Accepted, the missing cells count as empty";

/// A wanted column that some files have and others lack.
struct PartialColumn {
    name: String,
    /// Its place in the first file that has it.
    place: Option<usize>,
    /// The columns of all files that have it.
    beside: HashSet<String>,
}

fn partial_columns(wanted: &[&String], files: &[&ExportFile]) -> Vec<PartialColumn> {
    let is_partial = |column: &&&String| !files.iter().all(|file| file.has(column));
    let partial = wanted.iter().filter(is_partial).map(|column| {
        let having = || files.iter().filter(|file| file.has(column));
        PartialColumn {
            name: (*column).clone(),
            place: having().find_map(|file| file.header.iter().position(|name| name == *column)),
            beside: having().flat_map(|file| &file.header).cloned().collect(),
        }
    });
    partial.collect()
}

/// What is suspicious about the columns that a file lacks.
fn suspicious(file: &ExportFile, lacking: &[&PartialColumn], source: &Source) -> Option<String> {
    let renamed: Vec<Option<&String>> = lacking.iter().map(|column| renamed(file, column)).collect();
    let is_needed = lacking.iter().any(|column| source.mandatory.contains(&column.name));
    if !is_needed && renamed.iter().all(Option::is_none) {
        return None;
    }
    let wanted = || source.picks.iter().flat_map(|pick| &pick.columns);
    if !wanted().any(|column| file.header.contains(column)) {
        return Some(format!("{} has none of the columns that the job names", file.name));
    }
    let missing = lacking.iter().zip(renamed).map(|(column, renamed)| match renamed {
        Some(own) => format!("no column {:?}, and has {own:?}, which the others do not have", column.name),
        None => format!("no column {:?}", column.name),
    });
    Some(format!("{} has {}", file.name, missing.collect::<Vec<_>>().join("; ")))
}

/// The column of a file that probably is the one that it lacks: it is in none of the files that have that one. Of several
/// it is the one with the nearest name, or the one in its place.
fn renamed<'f>(file: &'f ExportFile, lacking: &PartialColumn) -> Option<&'f String> {
    let own = || file.header.iter().filter(|name| !name.is_empty() && !lacking.beside.contains(*name));
    let near = nearest(&lacking.name, own().map(String::as_str));
    let near = own().find(|name| Some(name.as_str()) == near || name.eq_ignore_ascii_case(&lacking.name));
    let in_its_place =
        || lacking.place.and_then(|place| file.header.get(place)).filter(|name| own().any(|own| own == *name));
    near.or_else(in_its_place).or_else(|| own().next())
}

/// What to say of a file that lacks columns, once its rows are counted.
pub(super) fn lacking(file: &ExportFile, rows: usize) -> Option<String> {
    let name = &file.name;
    let columns: Vec<String> = file.lacking.iter().map(|column| format!("{column:?}")).collect();
    if columns.is_empty() || rows == 0 {
        return None;
    }
    let columns = if let [only] = columns.as_slice() {
        format!("column {only}")
    } else {
        format!("columns {}", columns.join(", "))
    };
    let rows = count(rows as u64, "row", "rows");
    Some(format!("{name} has no {columns}; the cells of its {rows} count as empty; is its export complete?"))
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
