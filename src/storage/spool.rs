//! What a program has written, in a file without a name: nobody else can read it, and nothing of it stays behind.

use super::stamp::Stamp;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

/// The whole output of a program.
#[derive(Debug)]
pub(crate) struct Spool {
    file: File,
    bytes: u64,
}

impl Spool {
    pub(super) fn new(file: File, bytes: u64) -> Spool {
        Spool { file, bytes }
    }

    /// The state of the output, which never changes.
    pub(super) fn stamp(&self) -> Stamp {
        Stamp { bytes: self.bytes, modified: None, tag: None }
    }

    /// A path that no file has, and no other output.
    pub(super) fn identity(self: &Arc<Spool>) -> PathBuf {
        PathBuf::from(format!("\0output-{:p}", Arc::as_ptr(self)))
    }

    /// The output from its first byte on.
    pub(super) fn reader(self: &Arc<Spool>) -> SpoolReader {
        SpoolReader { spool: self.clone(), at: 0 }
    }
}

/// Reads an output. Every reader has a place of its own.
#[derive(Debug)]
pub(crate) struct SpoolReader {
    spool: Arc<Spool>,
    at: u64,
}

impl SpoolReader {
    pub(super) fn rewind(&mut self) {
        self.at = 0;
    }
}

impl Read for SpoolReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = read_at(&self.spool.file, into, self.at)?;
        self.at += bytes as u64;
        Ok(bytes)
    }
}

#[cfg(unix)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, into, at)
}

#[cfg(windows)]
fn read_at(file: &File, into: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, into, at)
}
