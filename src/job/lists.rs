//! The small CSV files that a job names: lists of known values, and maps of one value to another. They are on this machine.

use super::vocabulary::OPEN;
use crate::storage::Address;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The first column of a CSV file with a header: a list of known values. `path` starts from `base_dir`.
///
/// # Errors
/// What is wrong with the file, with its path as it is given.
pub(crate) fn known_values(base_dir: &Path, path: &str) -> Result<HashSet<String>, String> {
    let cells = records(base_dir, path, true)?.into_iter().filter_map(|(_, record)| record.get(0).map(str::to_owned));
    Ok(cells.filter(|cell| !cell.is_empty()).collect())
}

/// A CSV file of two columns and no header: the value of the export, and what it stands for. `path` starts from `base_dir`.
///
/// # Errors
/// What is wrong with the file, with its path as it is given.
pub(super) fn value_map(base_dir: &Path, path: &str) -> Result<HashMap<String, String>, String> {
    let mut map = HashMap::new();
    for (line, record) in records(base_dir, path, false)? {
        let (Some(from), Some(to), 2) = (record.get(0), record.get(1), record.len()) else {
            return Err(format!("{path}:{line}: a line needs two cells, a value of the export and what it stands for"));
        };
        if to == OPEN {
            return Err(format!(
                "{path}:{line}: what {from:?} stands for is an open question: put it in place of the \"?\""
            ));
        }
        if let Some(other) = map.insert(from.to_owned(), to.to_owned()).filter(|other| other != to) {
            return Err(format!(
                "{path}:{line}: {from:?} stands for {to:?} here and for {other:?} above; keep one of them"
            ));
        }
    }
    Ok(map)
}

/// All records, each with its line.
fn records(base_dir: &Path, path: &str, has_header: bool) -> Result<Vec<(u64, csv::StringRecord)>, String> {
    if Address::is_remote(path) {
        return Err("lists are read from this machine only; copy it here and name that file".to_owned());
    }
    let failed = |error: &dyn std::fmt::Display| {
        let start = match base_dir.as_os_str().is_empty() {
            true => "the working directory".to_owned(),
            false => base_dir.display().to_string(),
        };
        format!("cannot read {path}: {error}; check the path: a relative one starts from {start}")
    };
    let bytes = std::fs::read(base_dir.join(path)).map_err(|error| failed(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| format!("{path} is not UTF-8; save it as UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = csv::ReaderBuilder::new();
    let reader = reader.has_headers(has_header).flexible(true).trim(csv::Trim::All).from_reader(text.as_bytes());
    let mut records = Vec::new();
    for record in reader.into_records() {
        let record = record.map_err(|error| failed(&error))?;
        records.push((record.position().map_or(0, csv::Position::line), record));
    }
    Ok(records)
}
