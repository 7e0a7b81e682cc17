//! What goes wrong with object storage, in words that contain no secret.

/// Why something in object storage could not be found or read. It names no path: the caller knows it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum StorageError {
    /// The object is no longer the one that was found.
    #[error("it was changed while it was being read")]
    Changed,
    /// Anything else: what happened, and what to do next.
    #[error("{0}")]
    Other(String),
}

impl StorageError {
    /// The storage error that an error of reading carries, if it carries one.
    pub(crate) fn within(error: &std::io::Error) -> Option<&StorageError> {
        error.get_ref()?.downcast_ref()
    }
}

impl From<StorageError> for std::io::Error {
    fn from(error: StorageError) -> Self {
        std::io::Error::other(error)
    }
}
