//! Brings the scenes of a visit to it: in memory, past its budget in temporary files. Elsewhere a cluster does this step.
//!
//! ```text
//! rows --> intake --> memory: visits (by key), buckets (their scenes) ----------------> grouped: Visit, Scenes, Scene
//!             \-----> spill: a file for each partition --> memory, one partition at a time --^
//! ```
//!
//! `intake` has [`Shuffle`], which takes rows and decides when memory is not enough; `shuffled` has [`Shuffled`], which
//! hands out what they come to. There is one store, `memory`: of all rows, or of one partition that `spill` has read back.
//! And there is one form of a scene, `record`, in memory and in files alike.
//!
//! The room looks at the key's column and at no other, but to tell rows that are identical from rows that differ
//! (`duplicates`), for which no column needs to mean anything. `near` finds the visits that orphans were probably meant
//! for.

mod arena;
mod buckets;
mod duplicates;
mod error;
mod grouped;
mod intake;
mod key_column;
mod left_out;
mod memory;
mod near;
mod origins;
mod orphans;
mod record;
mod scatter;
mod scenes;
mod shuffled;
mod spill;
mod tally;
#[cfg(test)]
mod tests;
mod visits;

pub use error::ShuffleError;
pub(crate) use grouped::{Grouped, Visit};
pub(crate) use intake::Shuffle;
pub(crate) use key_column::KEY;
pub(crate) use left_out::RowFilter;
pub(crate) use orphans::Orphan;
pub(crate) use scenes::{Scene, Scenes};
pub(crate) use shuffled::Shuffled;
pub(crate) use tally::MAX_LISTED;
pub(crate) use tally::Tally;
