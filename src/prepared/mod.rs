//! The folder of prepared visits: Parquet files with a row for each visit, and `_SUCCESS` once all of them are there.
//!
//! | file | what it is |
//! | --- | --- |
//! | `batch` | outcomes of building as columns |
//! | `writer` | columns into files, file by file |
//! | `seal` | `_SUCCESS`, and the one hash that stands for the folder |
//! | `reading` | what is read of a folder |
//!
//! It knows nothing of exports, of the network or of result files.

mod batch;
mod reading;
mod seal;
mod writer;

pub(crate) use batch::BatchBuilder;
pub(crate) use reading::{FileKind, kind, source};
pub(crate) use seal::{FileHash, SUCCESS, Seal, file_hash, folder_hash};
pub(crate) use writer::{PART_ENDING, PART_START, Writer, Written};
