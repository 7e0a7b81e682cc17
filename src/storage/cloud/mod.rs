//! Object storage through the `object_store` crate, for threads that wait.
//!
//! Its requests run on one runtime with one thread, for the whole process: connections and credentials are kept from
//! one export to the next. Whoever asks waits on a channel, never on the runtime, so that it does not matter on which
//! thread it asks. Every wait is bounded (see `patience`).

mod explain;
mod http;
mod patience;
mod ranges;
mod reader;
mod service;

pub(crate) use ranges::Ranges;
pub(crate) use reader::Reader;

use super::{Address, Service, Stamp, StorageError};
use bytes::Bytes;
use explain::{explain, explain_reading, was_answered};
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, ObjectMeta, ObjectStore, ObjectStoreExt};
use patience::WHOLE;
use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

/// Lists that are asked for at once.
const LISTS: usize = 8;

/// A bucket or container.
#[derive(Clone, Debug)]
pub(crate) struct Bucket(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    service: Service,
    name: String,
    store: Box<dyn ObjectStore>,
    runtime: &'static Runtime,
}

/// An object that was there when it was looked for.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    bucket: Bucket,
    path: Path,
    stamp: Stamp,
    /// What its first answer calls its content; all further ones are asked for this.
    tag: Arc<OnceLock<String>>,
}

/// Of a folder: the folders and the objects in it.
pub(crate) type Level = (Vec<String>, Vec<Object>);

fn runtime() -> Result<&'static Runtime, StorageError> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().ok();
    let failed = || StorageError::Other("no thread can be started to read it; is the machine out of them?".to_owned());
    RUNTIME.get_or_init(start).as_ref().ok_or_else(failed)
}

impl Bucket {
    /// By the environment's credentials. Nothing is asked yet.
    pub(crate) fn open(address: &Address<'_>) -> Result<Bucket, StorageError> {
        static OPEN: OnceLock<Mutex<HashMap<(Service, String), Bucket>>> = OnceLock::new();
        let mut open = OPEN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let name = (address.service, address.bucket.to_owned());
        if let Some(bucket) = open.get(&name) {
            return Ok(bucket.clone());
        }
        let store = service::store(address).map_err(|error| explain(&error, address.service, address.bucket))?;
        let inner = Inner { service: name.0, name: name.1.clone(), store, runtime: runtime()? };
        let bucket = Bucket(Arc::new(inner));
        open.insert(name, bucket.clone());
        Ok(bucket)
    }

    /// The object of this key; `None` where there is none, and also where there is no bucket.
    pub(crate) fn find(&self, key: &str) -> Result<Option<Object>, StorageError> {
        if key.is_empty() || key.ends_with('/') {
            return Ok(None);
        }
        let path = path(key)?;
        let bucket = self.clone();
        let asked = self.ask(async move {
            match bucket.0.store.head(&path).await {
                Ok(meta) => Ok(Some(bucket.object(meta))),
                Err(object_store::Error::NotFound { .. }) => Ok(None),
                Err(error) if !was_answered(&error) => Err(bucket.explain(&error)),
                Err(error) => {
                    // The answer to HEAD has no body that would say why not.
                    let options = GetOptions::new().with_range(Some(0..1));
                    let error = bucket.0.store.get_opts(&path, options).await.err().unwrap_or(error);
                    Err(bucket.explain(&error))
                }
            }
        });
        asked.wait()
    }

    /// All objects below a folder, in no order. A folder that is not there has none.
    pub(crate) fn below(&self, folder: &str) -> Result<Vec<Object>, StorageError> {
        let folder = path(folder)?;
        let bucket = self.clone();
        let asked = self.ask(async move {
            let listed: Vec<ObjectMeta> =
                bucket.0.store.list(Some(&folder)).try_collect().await.map_err(|error| bucket.explain(&error))?;
            let objects = listed.into_iter().filter(|meta| meta.location != folder);
            Ok(bucket.without_marks(objects.collect()))
        });
        asked.wait()
    }

    /// What is in each of these folders itself.
    pub(crate) fn levels(&self, folders: &[String]) -> Result<Vec<Level>, StorageError> {
        let folders = folders.iter().map(|folder| path(folder)).collect::<Result<Vec<Path>, _>>()?;
        let bucket = self.clone();
        let asked = self.ask(async move {
            let level = |folder: Path| {
                let bucket = bucket.clone();
                async move {
                    let listed = bucket.0.store.list_with_delimiter(Some(&folder)).await;
                    let listed = listed.map_err(|error| bucket.explain(&error))?;
                    let folders = listed.common_prefixes.iter().map(|folder| folder.as_ref().to_owned());
                    let objects = listed.objects.into_iter().filter(|meta| meta.location != folder);
                    Ok((folders.collect(), objects.map(|meta| bucket.object(meta)).collect()))
                }
            };
            stream::iter(folders).map(level).buffered(LISTS).try_collect().await
        });
        asked.wait()
    }

    fn object(&self, meta: ObjectMeta) -> Object {
        Object { bucket: self.clone(), stamp: stamp(&meta), path: meta.location, tag: Arc::default() }
    }

    /// Consoles keep a folder alive by an empty object of its name, which is no file.
    fn without_marks(&self, listed: Vec<ObjectMeta>) -> Vec<Object> {
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
        let is_mark = |meta: &ObjectMeta| meta.size == 0 && folders.binary_search(&meta.location.as_ref()).is_ok();
        let marks: Vec<bool> = listed.iter().map(is_mark).collect();
        listed.into_iter().zip(marks).filter(|(_, is_mark)| !is_mark).map(|(meta, _)| self.object(meta)).collect()
    }

    fn explain(&self, error: &object_store::Error) -> StorageError {
        explain(error, self.0.service, &self.0.name)
    }

    /// Starts a request, to be waited for.
    fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Asked<T> {
        let (sender, answer) = sync_channel(1);
        let task = self.0.runtime.spawn(async move {
            // Whoever asked may have gone.
            let _ = sender.send(request.await);
        });
        Asked { answer, task: task.abort_handle() }
    }
}

/// A request under way; it is given up with this.
#[derive(Debug)]
struct Asked<T> {
    answer: Receiver<Result<T, StorageError>>,
    task: AbortHandle,
}

impl<T> Asked<T> {
    fn wait(&self) -> Result<T, StorageError> {
        self.answer.recv_timeout(WHOLE).unwrap_or_else(|gone| {
            let minutes = WHOLE.as_secs() / 60;
            Err(StorageError::Other(match gone {
                RecvTimeoutError::Timeout => {
                    format!("its storage was too slow: {minutes} minutes for one request; run again")
                }
                RecvTimeoutError::Disconnected => "reading it ended without an answer; run again".to_owned(),
            }))
        })
    }
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn path(key: &str) -> Result<Path, StorageError> {
    // A leading slash would be taken off, and the key be another one.
    let sound = Path::parse(key).ok().filter(|_| !key.starts_with('/'));
    sound.ok_or_else(|| {
        let parts = "a part between two slashes that is empty, . or .., or a control character";
        StorageError::Other(format!("it has {parts}, which cannot be read; copy the object to another key"))
    })
}

fn stamp(meta: &ObjectMeta) -> Stamp {
    Stamp { bytes: meta.size, modified: Some(meta.last_modified.into()), tag: meta.e_tag.clone() }
}

impl Object {
    /// As it stands in its bucket.
    pub(crate) fn key(&self) -> &str {
        self.path.as_ref()
    }

    /// That of the moment when it was found.
    pub(crate) fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// The same for every way to name the object.
    pub(crate) fn identity(&self) -> PathBuf {
        let Inner { service, name, .. } = &*self.bucket.0;
        PathBuf::from(format!("{service:?}://{name}/{}", self.path))
    }

    /// Asks for the stamp of now.
    pub(crate) fn stamp_of_now(&self) -> Result<Stamp, StorageError> {
        let object = self.clone();
        self.bucket.ask(async move { object.head().await }).wait()
    }

    /// Its bytes in order.
    pub(crate) fn read(&self) -> Reader {
        Reader::new(self.clone())
    }

    /// Its bytes in any order.
    pub(crate) fn ranges(&self) -> Ranges {
        Ranges::new(self.clone())
    }

    async fn head(&self) -> Result<Stamp, StorageError> {
        let meta = self.bucket.0.store.head(&self.path).await;
        meta.map(|meta| stamp(&meta))
            .map_err(|error| explain_reading(&error, self.bucket.0.service, &self.bucket.0.name))
    }

    fn ask_for(&self, range: Range<u64>) -> Asked<Bytes> {
        let object = self.clone();
        self.bucket.ask(async move { object.get(range).await })
    }

    /// These bytes of the object that was found, whole. A connection that breaks is taken up at the byte reached.
    async fn get(&self, range: Range<u64>) -> Result<Bytes, StorageError> {
        let failed = |error: &object_store::Error| explain_reading(error, self.bucket.0.service, &self.bucket.0.name);
        let options = GetOptions::new().with_range(Some(range.clone())).with_if_match(self.tag.get().cloned());
        let answer = self.bucket.0.store.get_opts(&self.path, options).await.map_err(|error| failed(&error))?;
        if !stamp(&answer.meta).is_that_of(&self.stamp) {
            return Err(StorageError::Changed);
        }
        if let Some(tag) = &answer.meta.e_tag {
            let _ = self.tag.set(tag.clone());
        }
        match answer.bytes().await {
            Ok(bytes) if bytes.len() as u64 == range.end - range.start => Ok(bytes),
            Ok(_) => Err(StorageError::Other("the storage sent less than it announced; run again".to_owned())),
            // Another object is also why a broken connection could not be taken up.
            Err(error) => match self.head().await {
                Ok(now) if !now.is_that_of(&self.stamp) => Err(StorageError::Changed),
                Err(StorageError::Changed) => Err(StorageError::Changed),
                _ => Err(failed(&error)),
            },
        }
    }
}
