//! Rows past the memory budget, in temporary files.
//!
//! ```text
//! rows --writer--> a file for each partition --reader--> MemoryStore --> Grouped
//!                  visits (visit_file), scenes (scene_file)
//! ```
//!
//! `side_columns` has the form of locations and faults in the files, `temporary` makes the files.

mod reader;
mod scene_file;
mod side_columns;
mod temporary;
mod visit_file;
mod writer;

pub(super) use reader::Partitions;
pub(super) use writer::PartitionWriter;
