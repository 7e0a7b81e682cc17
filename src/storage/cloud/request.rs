//! Requests to object storage, run beside the thread that waits for them.
//!
//! They run on one runtime with one thread for the whole process, so that connections and credentials are kept from one
//! export to the next. The caller waits on a channel, never on the runtime, so it may call from any thread.

use super::patience::WHOLE;
use crate::storage::error::StorageError;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use tokio::runtime::Runtime;
use tokio::task::AbortHandle;

/// A request under way. It is given up when this is dropped.
#[derive(Debug)]
pub(super) struct Request<T> {
    answer: Receiver<Result<T, StorageError>>,
    task: AbortHandle,
}

/// The runtime of all requests, started at the first call.
///
/// # Errors
/// Where the machine has no thread for it.
pub(super) fn runtime() -> Result<&'static Runtime, StorageError> {
    static RUNTIME: OnceLock<Option<Runtime>> = OnceLock::new();
    let start = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().ok();
    let failed = || StorageError::Other("no thread can be started to read it; is the machine out of them?".to_owned());
    RUNTIME.get_or_init(start).as_ref().ok_or_else(failed)
}

impl<T: Send + 'static> Request<T> {
    /// Starts a request.
    pub(super) fn start(
        runtime: &Runtime,
        request: impl Future<Output = Result<T, StorageError>> + Send + 'static,
    ) -> Request<T> {
        let (sender, answer) = sync_channel(1);
        let task = runtime.spawn(async move {
            // The caller may have given up.
            let _ = sender.send(request.await);
        });
        Request { answer, task: task.abort_handle() }
    }

    /// Waits for the answer, ten minutes at most.
    ///
    /// # Errors
    /// Where the request fails or takes longer.
    pub(super) fn wait(&self) -> Result<T, StorageError> {
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

impl<T> Drop for Request<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}
