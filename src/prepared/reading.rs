//! What is read of a folder of prepared visits: its Parquet files, like an export, cell by cell as they are.

use crate::build::PREPARED_COLUMNS;
use crate::scan::{Dialect, Frame, Pick, Source};
use std::path::Path;
use std::time::Duration;

/// `files`: the Parquet files of the folder, with its name in front.
pub(crate) fn source(files: Vec<String>, base_dir: &Path) -> Source {
    Source {
        section: "prepared",
        paths: files,
        command: None,
        // It is complete once `_SUCCESS` is there.
        settle: Duration::ZERO,
        base_dir: base_dir.to_owned(),
        format: None,
        dialect: Dialect::default(),
        frame: Frame::default(),
        nulls: Vec::new(),
        trim: false,
        only: Vec::new(),
        mandatory: PREPARED_COLUMNS.map(str::to_owned).to_vec(),
        picks: PREPARED_COLUMNS.map(|name| Pick::plain(name, name, true)).to_vec(),
    }
}

/// What a name in a folder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Prepared visits.
    Parquet,
    /// Prepared visits that are still being copied.
    Unfinished,
    /// What the system or another program keeps there.
    Hidden,
    /// Anything else.
    Beside,
}

/// What a file of a folder is, by its name there.
pub(crate) fn kind(name: &str) -> FileKind {
    let lower = name.to_lowercase();
    if name.split('/').any(|part| part.starts_with(['_', '.'])) {
        return FileKind::Hidden;
    }
    match lower.rsplit_once(".parquet") {
        Some((_, "")) => FileKind::Parquet,
        Some((_, ending)) if is_of_copying(ending) => FileKind::Unfinished,
        _ => FileKind::Beside,
    }
}

/// Endings that those who copy give a file until it is whole.
fn is_of_copying(ending: &str) -> bool {
    [".part", ".partial", ".filepart", ".crdownload", ".tmp", "._copying_"].contains(&ending)
}
