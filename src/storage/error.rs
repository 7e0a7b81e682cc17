//! What goes wrong with object storage, in words that no secret is among.

/// Why something in object storage could not be found or read. It names no path: whoever asked knows it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// Another object than the one that was found.
    #[error("it was changed while it was being read")]
    Changed,
    /// What happened, and what to do next.
    #[error("{0}")]
    Other(String),
}

impl StorageError {
    /// The one within an error of reading, however deep it was passed on.
    pub(crate) fn within(error: &std::io::Error) -> Option<&StorageError> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<StorageError> for std::io::Error {
    fn from(error: StorageError) -> Self {
        std::io::Error::other(error)
    }
}
