//! One object that was found, and its bytes by ranges.

use super::connection::Connection;
use super::request::Request;
use crate::storage::error::StorageError;
use crate::storage::stamp::Stamp;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStoreExt};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// An object that was there when it was looked for.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    connection: Connection,
    path: Path,
    stamp: Stamp,
    /// The ETag of its first answer. All further requests ask for this content.
    tag: Arc<OnceLock<String>>,
}

fn stamp(meta: &ObjectMeta) -> Stamp {
    Stamp { bytes: meta.size, modified: Some(meta.last_modified.into()), tag: meta.e_tag.clone() }
}

impl Object {
    pub(super) fn new(connection: Connection, meta: ObjectMeta) -> Object {
        Object { connection, stamp: stamp(&meta), path: meta.location, tag: Arc::default() }
    }

    /// The key of the object in its bucket.
    pub(crate) fn key(&self) -> &str {
        self.path.as_ref()
    }

    /// The stamp of the moment when the object was found.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The size of the object, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.stamp.bytes
    }

    /// A path that is the same for every way to name the object.
    pub(crate) fn identity(&self) -> PathBuf {
        self.connection.identity(self.key())
    }

    /// Asks for the stamp of the object now.
    ///
    /// # Errors
    /// Where the object is gone, or its storage does not answer.
    pub(crate) fn stamp_of_now(&self) -> Result<Stamp, StorageError> {
        let object = self.clone();
        self.ask(async move { object.head().await }).wait()
    }

    /// Starts a request of several steps.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Request<T> {
        self.connection.ask(request)
    }

    /// Starts a request for the bytes of a range.
    pub(super) fn ask_for(&self, range: Range<u64>) -> Request<Bytes> {
        let object = self.clone();
        self.ask(async move { object.get(range).await })
    }

    /// The bytes of a range, all of them, of the content that was found. After a broken connection the request goes on
    /// at the byte that was reached.
    ///
    /// # Errors
    /// [`StorageError::Changed`] where the content is no longer the one that was found; another one where the storage
    /// does not give it.
    pub(super) async fn get(&self, range: Range<u64>) -> Result<Bytes, StorageError> {
        let failed = |error: &object_store::Error| self.connection.explain_reading(error);
        let options = GetOptions::new().with_range(Some(range.clone())).with_if_match(self.tag.get().cloned());
        let store = self.connection.store();
        let answer = store.get_opts(&self.path, options).await.map_err(|error| failed(&error))?;
        if !stamp(&answer.meta).same_content(&self.stamp) {
            return Err(StorageError::Changed);
        }
        if let Some(tag) = &answer.meta.e_tag {
            let _ = self.tag.set(tag.clone());
        }
        match answer.bytes().await {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Ok(_) => Err(StorageError::Other("the storage sent less than it announced; run again".to_owned())),
            // A request also fails to go on after a broken connection where the object has changed meanwhile.
            Err(error) => match self.head().await {
                Ok(now) if !now.same_content(&self.stamp) => Err(StorageError::Changed),
                Err(StorageError::Changed) => Err(StorageError::Changed),
                _ => Err(failed(&error)),
            },
        }
    }

    async fn head(&self) -> Result<Stamp, StorageError> {
        let meta = self.connection.store().head(&self.path).await;
        meta.map(|meta| stamp(&meta)).map_err(|error| self.connection.explain_reading(&error))
    }
}
