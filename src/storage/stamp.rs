//! What shows that the content of a file has changed.

use std::fs::File;
use std::io;
use std::time::SystemTime;

/// The state of a file at one moment. Two stamps of the same content are alike.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    /// The size of the file, in bytes.
    pub(crate) bytes: u64,
    pub(super) modified: Option<SystemTime>,
    /// For objects: what their storage calls this content (the ETag).
    pub(super) tag: Option<String>,
}

impl Stamp {
    /// The stamp of a local file.
    ///
    /// # Errors
    /// Where the system does not tell its size.
    pub(super) fn of(file: &File) -> io::Result<Stamp> {
        let about = file.metadata()?;
        Ok(Stamp { bytes: about.len(), modified: about.modified().ok(), tag: None })
    }

    /// When the content was last changed, as far as its storage tells.
    pub(crate) fn modified(&self) -> Option<SystemTime> {
        self.modified
    }

    /// What the storage of an object calls this content.
    pub(crate) fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Whether both stamps are of the same content, as far as can be told: by size and tag, or where a tag is missing by
    /// size and time.
    pub(crate) fn same_content(&self, other: &Stamp) -> bool {
        self.bytes == other.bytes
            && match (&self.tag, &other.tag) {
                // Lists write tags without the quotes that other answers have.
                (Some(one), Some(other)) => one.trim_matches('"') == other.trim_matches('"'),
                _ => self.modified == other.modified,
            }
    }
}
