//! Where a check writes what it is asked for: bodies, or orphan scenes.

use std::io::Write;
use std::path::PathBuf;

/// Where bodies go, or orphan scenes.
pub enum Destination<'a> {
    /// A file. One that an earlier check wrote is replaced.
    File(PathBuf),
    /// Anything that can be written to, such as standard output. A reader that has seen enough (a broken pipe) ends nothing.
    Writer(&'a mut dyn Write),
}

impl std::fmt::Debug for Destination<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Destination::File(path) => f.debug_tuple("File").field(path).finish(),
            Destination::Writer(_) => f.write_str("Writer"),
        }
    }
}
