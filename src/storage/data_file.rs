//! One file of an export, on this machine or in object storage, or what a command has written.

use super::cloud::{Object, ObjectReader};
use super::spool::{Spool, SpoolReader};
use super::stamp::Stamp;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A file, wherever it lies.
#[derive(Clone, Debug)]
pub(crate) enum DataFile {
    /// The path of a file on this machine.
    Local(PathBuf),
    /// An object in object storage, and its name as the job gives it.
    Remote(Object, PathBuf),
    /// The output of a command, and what it is called.
    Output(Arc<Spool>, PathBuf),
}

impl DataFile {
    /// Where to open the file: its path, or the name of the object.
    pub(crate) fn path(&self) -> &Path {
        match self {
            DataFile::Local(path) | DataFile::Remote(_, path) | DataFile::Output(_, path) => path,
        }
    }

    /// A path that is the same for every way to name the file.
    pub(crate) fn identity(&self) -> PathBuf {
        match self {
            DataFile::Local(path) => path.canonicalize().unwrap_or_else(|_| path.clone()),
            DataFile::Remote(object, _) => object.identity(),
            DataFile::Output(output, _) => output.identity(),
        }
    }

    /// The bytes of the file from the first on, and its stamp. An object has the stamp of the moment when it was found.
    ///
    /// # Errors
    /// Where a local file cannot be opened. An object is not asked for yet.
    pub(crate) fn open(&self) -> io::Result<(Input, Stamp)> {
        match self {
            DataFile::Local(path) => {
                let file = File::open(path)?;
                let stamp = Stamp::of(&file)?;
                Ok((Input::Local(file), stamp))
            }
            DataFile::Remote(object, _) => {
                Ok((Input::Remote(Box::new(ObjectReader::new(object.clone()))), object.stamp().clone()))
            }
            DataFile::Output(output, _) => Ok((Input::Output(output.reader()), output.stamp())),
        }
    }

    /// The stamp of the file now.
    ///
    /// # Errors
    /// Where the file cannot be opened, or object storage does not answer.
    pub(crate) fn stamp(&self) -> io::Result<Stamp> {
        match self {
            DataFile::Local(path) => File::open(path).and_then(|file| Stamp::of(&file)),
            DataFile::Remote(object, _) => Ok(object.stamp_of_now()?),
            DataFile::Output(output, _) => Ok(output.stamp()),
        }
    }
}

/// The bytes of a file, in order.
#[derive(Debug)]
pub(crate) enum Input {
    Local(File),
    Remote(Box<ObjectReader>),
    Output(SpoolReader),
}

impl Input {
    /// Goes back to the first byte.
    ///
    /// # Errors
    /// Where the system cannot go back in a local file.
    pub(crate) fn rewind(&mut self) -> io::Result<()> {
        match self {
            Input::Local(file) => file.rewind(),
            Input::Remote(reader) => {
                reader.rewind();
                Ok(())
            }
            Input::Output(reader) => {
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
            Input::Output(reader) => reader.read(into),
        }
    }
}
