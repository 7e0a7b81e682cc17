//! Finds and lists the objects of a bucket.

use super::connection::Connection;
use super::explain::was_answered;
use super::object::Object;
use crate::storage::address::Address;
use crate::storage::error::StorageError;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStoreExt};
use std::fs::File;
use std::io::Read;

/// How many folders are listed at once.
const LISTS_AT_ONCE: usize = 8;
/// The pieces in which an object is written, in bytes. S3 takes none below 5 MiB but the last, and 10,000 at most.
const PIECE: usize = 8 << 20;

/// A bucket or container.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(Connection);

/// The folders in a folder, and the objects in it.
pub(crate) type FolderContent = (Vec<String>, Vec<Object>);

impl Bucket {
    /// The bucket of an address, with the credentials that the environment has for it. Nothing is asked yet.
    ///
    /// # Errors
    /// Where the environment's settings cannot be used.
    pub(crate) fn open(address: &Address<'_>) -> Result<Bucket, StorageError> {
        Connection::open(address).map(Bucket)
    }

    /// The object of this key. `None`: there is no such object, or not even the bucket.
    ///
    /// # Errors
    /// Where the storage does not answer, or does not let us look.
    pub(crate) fn find(&self, key: &str) -> Result<Option<Object>, StorageError> {
        if key.is_empty() || key.ends_with('/') {
            return Ok(None);
        }
        let path = path(key)?;
        let Bucket(connection) = self.clone();
        let asked = self.0.ask(async move {
            match connection.store().head(&path).await {
                Ok(meta) => Ok(Some(Object::new(connection.clone(), meta))),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) if !was_answered(&error) => Err(connection.explain(&error)),
                Err(error) => {
                    // The answer to HEAD has no body that would say why not.
                    let options = GetOptions::new().with_range(Some(0..1));
                    let error = connection.store().get_opts(&path, options).await.err().unwrap_or(error);
                    Err(connection.explain(&error))
                }
            }
        });
        asked.wait()
    }

    /// All objects below a folder, in no order. A folder that is not there has none.
    ///
    /// # Errors
    /// Where the storage does not answer, or does not let us list.
    pub(crate) fn below(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        let folder = path(folder)?;
        let Bucket(connection) = self.clone();
        let asked = self.0.ask(async move {
            let listed: Vec<ObjectMeta> = connection
                .store()
                .list(Some(&folder))
                .try_collect()
                .await
                .map_err(|error| connection.explain(&error))?;
            let objects = listed.into_iter().filter(|meta| meta.location != folder);
            Ok(without_placeholders(&connection, objects.collect()))
        });
        asked.wait()
    }

    /// Puts a file under a key, in pieces, in place of an object that is there.
    ///
    /// # Errors
    /// Where the file cannot be read, or the storage does not take it.
    pub(crate) fn put(&self, key: &str, mut file: File) -> Result<(), StorageError> {
        let path = path(key)?;
        let Bucket(connection) = self.clone();
        let asked = self.0.ask(async move {
            let failed = |error: &object_store::Error| connection.explain(error);
            let unreadable = |error: std::io::Error| StorageError::Other(format!("a temporary file: {error}"));
            let first = next_piece(&mut file).map_err(unreadable)?;
            if first.len() < PIECE {
                let put = connection.store().put(&path, first.into()).await;
                return put.map(drop).map_err(|error| failed(&error));
            }
            let mut upload = connection.store().put_multipart(&path).await.map_err(|error| failed(&error))?;
            let mut piece = first;
            let mut sent = Ok(());
            while sent.is_ok() && !piece.is_empty() {
                sent = upload.put_part(piece.into()).await.map_err(|error| failed(&error));
                piece = next_piece(&mut file).map_err(unreadable)?;
            }
            match sent {
                Ok(()) => upload.complete().await.map(drop).map_err(|error| failed(&error)),
                Err(error) => {
                    let _ = upload.abort().await;
                    Err(error)
                }
            }
        });
        asked.wait()
    }

    /// Removes the object of a key.
    ///
    /// # Errors
    /// Where the storage does not answer, or does not let us.
    pub(crate) fn remove(&self, key: &str) -> Result<(), StorageError> {
        let path = path(key)?;
        let Bucket(connection) = self.clone();
        let asked = self.0.ask(async move {
            let removed = connection.store().delete(&path).await;
            removed.map_err(|error| connection.explain(&error))
        });
        asked.wait()
    }

    /// What stands directly in each of these folders, in their order.
    ///
    /// # Errors
    /// Where the storage does not answer, or does not let us list.
    pub(crate) fn levels(&self, folders: &[String]) -> Result<Vec<FolderContent>, StorageError> {
        let folders = folders.iter().map(|folder| path(folder)).collect::<Result<Vec<Path>, _>>()?;
        let Bucket(connection) = self.clone();
        let asked = self.0.ask(async move {
            let level = |folder: Path| {
                let connection = connection.clone();
                async move {
                    let listed = connection.store().list_with_delimiter(Some(&folder)).await;
                    let listed = listed.map_err(|error| connection.explain(&error))?;
                    let folders = listed.common_prefixes.iter().map(|folder| folder.as_ref().to_owned());
                    let objects = listed.objects.into_iter().filter(|meta| meta.location != folder);
                    Ok((folders.collect(), objects.map(|meta| Object::new(connection.clone(), meta)).collect()))
                }
            };
            stream::iter(folders).map(level).buffered(LISTS_AT_ONCE).try_collect().await
        });
        asked.wait()
    }
}

/// The listed objects without placeholders: empty objects by which consoles keep a folder alive, and which are not files.
fn without_placeholders(connection: &Connection, listed: Vec<ObjectMeta>) -> Vec<Object> {
    let mut folders: Vec<&str> = Vec::new();
    for meta in &listed {
        let mut rest = meta.location.as_ref();
        while let Some((folder, _)) = rest.rsplit_once('/') {
            folders.push(folder);
            rest = folder;
        }
    }
    folders.sort_unstable();
    folders.dedup();
    let is_placeholder = |meta: &ObjectMeta| meta.size == 0 && folders.binary_search(&meta.location.as_ref()).is_ok();
    let files: Vec<bool> = listed.iter().map(|meta| !is_placeholder(meta)).collect();
    let files = listed.into_iter().zip(files).filter(|(_, is_file)| *is_file);
    files.map(|(meta, _)| Object::new(connection.clone(), meta)).collect()
}

/// The next bytes of a file: as many as a piece of an object has, fewer at its end.
fn next_piece(file: &mut File) -> std::io::Result<Vec<u8>> {
    let mut piece = Vec::with_capacity(PIECE);
    file.take(PIECE as u64).read_to_end(&mut piece)?;
    Ok(piece)
}

fn path(key: &str) -> Result<Path, StorageError> {
    // A leading slash would be dropped, which makes it another key.
    let sound = Path::parse(key).ok().filter(|_| !key.starts_with('/'));
    sound.ok_or_else(|| {
        let parts = "a part between two slashes that is empty, . or .., or a control character";
        StorageError::Other(format!("it has {parts}, which cannot be read; copy the object to another key"))
    })
}
