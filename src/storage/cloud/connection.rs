//! The connection to one bucket, shared by all that reads from it.

use super::explain;
use super::request::{Request, runtime};
use super::service;
use crate::storage::address::{Address, Service};
use crate::storage::error::StorageError;
use object_store::ObjectStore;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::runtime::Runtime;

/// A bucket or container, with the credentials that the environment has for it. Clones share one connection.
#[derive(Clone, Debug)]
pub(super) struct Connection(Arc<ConnectionParts>);

#[derive(Debug)]
struct ConnectionParts {
    service: Service,
    /// The name of the bucket.
    bucket: String,
    store: Box<dyn ObjectStore>,
    runtime: &'static Runtime,
}

impl Connection {
    /// The connection to the bucket of an address. Nothing is asked yet.
    ///
    /// # Errors
    /// Where the environment's settings cannot be used.
    pub(super) fn open(address: &Address<'_>) -> Result<Connection, StorageError> {
        static OPEN: OnceLock<Mutex<HashMap<(Service, String), Connection>>> = OnceLock::new();
        let mut open = OPEN.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        let name = (address.service, address.bucket.to_owned());
        if let Some(connection) = open.get(&name) {
            return Ok(connection.clone());
        }
        let store =
            service::store(address).map_err(|error| explain::explain(&error, address.service, address.bucket))?;
        let parts = ConnectionParts { service: name.0, bucket: name.1.clone(), store, runtime: runtime()? };
        let connection = Connection(Arc::new(parts));
        open.insert(name, connection.clone());
        Ok(connection)
    }

    pub(super) fn store(&self) -> &dyn ObjectStore {
        &*self.0.store
    }

    /// Starts a request.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        request: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Request<T> {
        Request::start(self.0.runtime, request)
    }

    /// Why something could not be found, in words.
    pub(super) fn explain(&self, error: &object_store::Error) -> StorageError {
        explain::explain(error, self.0.service, &self.0.bucket)
    }

    /// Why an object that was found before could not be read, in words.
    pub(super) fn explain_reading(&self, error: &object_store::Error) -> StorageError {
        explain::explain_reading(error, self.0.service, &self.0.bucket)
    }

    /// A path for an object of this bucket, whatever scheme the job names the bucket by.
    pub(super) fn identity(&self, key: &str) -> PathBuf {
        PathBuf::from(format!("{:?}://{}/{key}", self.0.service, self.0.bucket))
    }
}
