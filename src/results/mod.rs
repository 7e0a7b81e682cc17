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
mod outstanding;
mod paths;
mod preflight;
mod previous;
mod reading;
mod recorder;
mod row;
mod strays;
mod visits;

pub(crate) use counts::Counts;
pub use error::ResultsError;
pub(crate) use header::is_result_file;
pub(crate) use journal::{Draft, Journal};
pub use lock::{Lock, LockError};
pub(crate) use manifest::{Input, Manifest, Reads, RunOptions};
pub(crate) use outstanding::{Candidate, Wanted, keeps_row, outstanding};
#[cfg(test)]
pub(crate) use outstanding::{Decision, decide};
pub(crate) use paths::{beside, make_room, move_aside, resolve_path};
pub(crate) use preflight::look_ahead;
pub(crate) use previous::Previous;
pub use reading::read;
pub(crate) use recorder::record;
pub use row::Row;
