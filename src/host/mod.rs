//! The host: the machine that the program runs on: its names, its memory, what is mounted, where temporary files go.
//!
//! It does not know what any of it is for. Where the system does not tell (most of it is told by Linux alone), nothing is known.

mod memory;
mod mounts;
mod names;
mod temporary;

pub(crate) use memory::free_for_one_run;
pub(crate) use mounts::Mounts;
pub(crate) use names::{name, user};
pub(crate) use temporary::{temporary_file, temporary_folder, temporary_is_in_memory};
