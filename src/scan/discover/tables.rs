//! Folders that are a table of a table format: their files hold rows that the table's log has deleted or replaced.
//!
//! They are known by the names that the formats give to their logs, on this machine as in object storage.

use crate::scan::error::ScanError;
use std::path::Path;

/// How far above a folder a table's own folder is looked for: a partition of a partition lies so deep.
const LEVELS: usize = 3;

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
    full.ancestors().take(LEVELS).try_for_each(|folder| refuse(folder, path, folder))
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
