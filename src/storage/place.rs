//! One file of an export, wherever it lies.

use super::Object;
use super::cloud;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where a file is.
#[derive(Clone, Debug)]
pub(crate) enum DataFile {
    /// On this machine.
    Local(PathBuf),
    /// In object storage, with its name as the job gives it.
    Remote(Object, PathBuf),
}

/// What shows that somebody wrote to a file.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// Its size.
    pub(crate) bytes: u64,
    pub(super) modified: Option<SystemTime>,
    /// Of objects: what their storage calls this content.
    pub(super) tag: Option<String>,
}

impl Stamp {
    fn of(file: &File) -> io::Result<Stamp> {
        let about = file.metadata()?;
        Ok(Stamp { bytes: about.len(), modified: about.modified().ok(), tag: None })
    }

    /// Whether it is the same content, as far as can be told.
    pub(crate) fn is_that_of(&self, other: &Stamp) -> bool {
        self.bytes == other.bytes
            && match (&self.tag, &other.tag) {
                // Lists write tags without the quotes that answers have.
                (Some(one), Some(other)) => one.trim_matches('"') == other.trim_matches('"'),
                _ => self.modified == other.modified,
            }
    }
}

impl DataFile {
    /// Its path; of an object its name.
    pub(crate) fn path(&self) -> &Path {
        match self {
            DataFile::Local(path) | DataFile::Remote(_, path) => path,
        }
    }

    /// The same for every way to name the file.
    pub(crate) fn identity(&self) -> PathBuf {
        match self {
            DataFile::Local(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
            DataFile::Remote(object, _) => object.identity(),
        }
    }

    /// Its bytes from the first on, and the stamp by which they are known.
    pub(crate) fn open(&self) -> io::Result<(Input, Stamp)> {
        match self {
            DataFile::Local(path) => {
                let file = File::open(path)?;
                let stamp = Stamp::of(&file)?;
                Ok((Input::Local(file), stamp))
            }
            DataFile::Remote(object, _) => Ok((Input::Remote(Box::new(object.read())), object.stamp().clone())),
        }
    }

    /// Its stamp of now.
    pub(crate) fn stamp(&self) -> io::Result<Stamp> {
        match self {
            DataFile::Local(path) => File::open(path).and_then(|file| Stamp::of(&file)),
            DataFile::Remote(object, _) => Ok(object.stamp_of_now()?),
        }
    }
}

/// The bytes of a file, in order.
#[derive(Debug)]
pub(crate) enum Input {
    Local(File),
    Remote(Box<cloud::Reader>),
}

impl Input {
    /// Back to the first byte.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        match self {
            Input::Local(file) => file.rewind(),
            Input::Remote(reader) => {
                reader.rewind();
                Ok(())
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Input::Local(file) => file.read(into),
            Input::Remote(reader) => reader.read(into),
        }
    }
}
