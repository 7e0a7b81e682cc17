//! The only writer and reader of result files: the journal of a run, the finished file, the rows of an earlier run.
//!
//! It does not know the network, exports or job files.

mod cells;
mod copying;
mod counts;
mod error;
mod framing;
mod header;
mod journal;
mod lock;
mod manifest;
mod paths;
mod preflight;
mod reading;
mod recorder;
mod row;

pub(crate) use copying::{Mark, StoredRows};
pub(crate) use counts::Counts;
pub use error::ResultsError;
pub(crate) use header::is_result_file;
pub(crate) use journal::{Draft, Journal};
pub use lock::{Lock, LockError};
pub(crate) use manifest::{FORMAT, Input, Manifest, Reads, RunOptions};
pub(crate) use paths::{beside, make_room, move_aside, refuse_journal_name, resolve_path};
pub(crate) use preflight::look_ahead;
pub use reading::read;
pub(crate) use reading::{Damaged, RowSpan, for_each_row, line_at};
pub(crate) use recorder::record;
pub use row::Row;
