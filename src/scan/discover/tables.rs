//! Folders that are a table of a table format: their files hold rows that the table's log has deleted or replaced.
//!
//! They are known by the names that the formats give to their logs, on this machine as in object storage.

use crate::scan::error::ScanError;
use crate::scan::formats::{Format, named_format};
use std::path::Path;

/// How many folders are looked at for a table's own one, from a folder of it upwards: as deep as days of Hudi lie, which are
/// called 2024/03/05. Partitions that are called `key=value` do not count.
const LEVELS: usize = 4;

/// The table format whose log a folder holds, by the names in it. `metadata` gives the names in its folder `metadata`.
pub(super) fn format_of<'n>(
    names: impl IntoIterator<Item = &'n str>,
    metadata: impl FnOnce() -> bool,
) -> Option<&'static str> {
    let mut has_metadata = false;
    for name in names {
        match name {
            "_delta_log" => return Some("Delta"),
            ".hoodie" => return Some("Hudi"),
            "metadata" => has_metadata = true,
            _ => {}
        }
    }
    (has_metadata && metadata()).then_some("Iceberg")
}

/// Whether a file of this name in a folder `metadata` is one of an Iceberg table.
pub(super) fn is_of_iceberg(name: &str) -> bool {
    name.ends_with(".metadata.json") || name.ends_with(".metadata.json.gz") || name.ends_with(".gz.metadata.json")
}

/// # Errors
/// Where a folder on this machine is a table, or lies in one. `given`: the folder as the job gives it.
pub(super) fn refuse_within(base_dir: &Path, given: &Path, path: &str) -> Result<(), ScanError> {
    let folder = base_dir.join(given);
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
    refuse(folder, path, given)?;
    let Ok(full) = folder.canonicalize() else { return Ok(()) };
    let mut left = LEVELS;
    for folder in full.ancestors() {
        let is_partition = folder.file_name().is_some_and(|name| name.to_string_lossy().contains('='));
        if !is_partition {
            let Some(fewer) = left.checked_sub(1) else { break };
            left = fewer;
        }
        refuse(folder, path, folder)?;
    }
    Ok(())
}

/// # Errors
/// Where a named file on this machine is probably one of a table: its rows may be deleted or replaced, too. Tables are made of
/// Parquet; a file that says that it is something else has only come to lie there.
pub(super) fn refuse_file(base_dir: &Path, path: &str) -> Result<(), ScanError> {
    match named_format(path).0 {
        Some(Format::Parquet) => refuse_within(base_dir, Path::new(path).parent().unwrap_or(Path::new("")), path),
        _ => Ok(()),
    }
}

/// # Errors
/// Where a folder on this machine is a table. `shown`: what it is called in a command.
pub(super) fn refuse(folder: &Path, path: &str, shown: &Path) -> Result<(), ScanError> {
    let there = ["_delta_log", ".hoodie", "metadata"].into_iter().filter(|name| folder.join(name).is_dir());
    let metadata = || {
        let entries = std::fs::read_dir(folder.join("metadata")).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| is_of_iceberg(&entry.file_name().to_string_lossy()))
    };
    let shown = if shown.as_os_str().is_empty() { Path::new(".") } else { shown };
    refused(format_of(there, metadata), path, &shown.display().to_string())
}

/// # Errors
/// Where there is a format.
pub(super) fn refused(format: Option<&'static str>, path: &str, table: &str) -> Result<(), ScanError> {
    match format {
        Some(format) => Err(ScanError::TableFormat { path: path.to_owned(), format, table: table.to_owned() }),
        None => Ok(()),
    }
}
