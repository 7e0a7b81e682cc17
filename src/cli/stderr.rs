//! Standard error, written by a thread of its own. Whoever reads it, or does not, never ends a run and never holds it up for
//! long: a pipe that nobody empties stops whatever writes to it.

use indicatif::ProgressBar;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

/// Messages that wait for whoever reads.
const MOST_WAITING: usize = 1024;
/// How long a run is held up by a reader that does not read; after that messages are dropped until it does.
const PATIENCE: Duration = Duration::from_secs(2);

/// A message, and the bar that it must not be written over.
type Message = (Option<ProgressBar>, Vec<u8>);

/// What is to be written.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Message>,
    is_writing: bool,
    is_stuck: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this is no longer so, for as long as a reader may take.
    fn wait_while<'s>(&self, state: MutexGuard<'s, State>, is_so: impl Fn(&State) -> bool) -> MutexGuard<'s, State> {
        let patience = if state.is_stuck { Duration::ZERO } else { PATIENCE };
        let waited = self.changed.wait_timeout_while(state, patience, |state| is_so(state));
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_stuck = is_so(&state);
        state
    }

    fn write(&self) {
        let mut state = self.state();
        loop {
            let Some((bar, text)) = state.waiting.pop_front() else {
                let waited = self.changed.wait_while(state, |state| state.waiting.is_empty());
                state = waited.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            state.is_writing = true;
            drop(state);
            put(bar.as_ref(), &text);
            state = self.state();
            state.is_writing = false;
            self.changed.notify_all();
        }
    }
}

static QUEUE: OnceLock<Option<Arc<Queue>>> = OnceLock::new();

/// The queue, whose thread writes; `None` where the system gives no thread.
fn queue() -> Option<&'static Queue> {
    let start = || {
        let queue = Arc::new(Queue::default());
        let writes = queue.clone();
        std::thread::Builder::new().name("console".to_owned()).spawn(move || writes.write()).ok().map(|_| queue)
    };
    QUEUE.get_or_init(start).as_deref()
}

fn put(bar: Option<&ProgressBar>, text: &[u8]) {
    // A run does not end because standard error is closed.
    let put = || {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text).and_then(|()| out.flush());
    };
    match bar {
        Some(bar) => bar.suspend(put),
        None => put(),
    }
}

/// Says something, without writing over the bar.
pub(super) fn print(bar: Option<ProgressBar>, text: &[u8]) {
    let Some(queue) = queue() else { return put(bar.as_ref(), text) };
    let mut state = queue.wait_while(queue.state(), |state| state.waiting.len() >= MOST_WAITING);
    if !state.is_stuck {
        state.waiting.push_back((bar, text.to_vec()));
        queue.changed.notify_all();
    }
}

/// Waits until everything is written that was said, as long as somebody reads it.
pub(super) fn drain() {
    if let Some(queue) = queue() {
        drop(queue.wait_while(queue.state(), |state| state.is_writing || !state.waiting.is_empty()));
    }
}
