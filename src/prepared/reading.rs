//! What is read of a folder of prepared visits: its Parquet files, like an export, cell by cell as they are.

use crate::build::PREPARED_COLUMNS;
use crate::scan::{Dialect, Frame, Pick, Source};
use std::path::Path;
use std::time::Duration;

/// Only the first of them has to do with grouping.
pub(crate) fn source(folder: &str, base_dir: &Path) -> Source {
    Source {
        section: "prepared",
        paths: vec![folder.to_owned()],
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
