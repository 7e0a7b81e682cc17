//! What can go wrong while grouping.

use arrow::error::ArrowError;
use std::io;

/// What can go wrong while grouping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShuffleError {
    /// Columns that do not fit together.
    #[error("grouping the exports failed: {0}; this is a bug in traxload, please report it")]
    Arrow(#[from] ArrowError),
    /// Four gigabytes of cells, or four billion scenes, are in one bucket: more than one session can carry.
    #[error(
        "one visit has more scenes than one session can carry; is the column that joins scenes to visits the right one?"
    )]
    TooManyScenes,
    /// The disk for temporary files is full or gone.
    #[error(
        "cannot use temporary files in {folder}: {source}; set TMPDIR to a folder with room, or allow more memory under [shuffle]"
    )]
    Disk {
        /// Where the temporary files are.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// A temporary file does not hold what was written to it.
    #[error(
        "a temporary file in {folder} is damaged ({source}); the disk may be failing: set TMPDIR to a folder on another \
         disk and start the same command again"
    )]
    Damaged {
        /// Where the temporary files are.
        folder: String,
        /// What is wrong.
        source: io::Error,
    },
}
