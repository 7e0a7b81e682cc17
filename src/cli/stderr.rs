//! Standard error, written by a thread of its own. Whoever reads it, or does not, never ends a run and never holds it up for
//! long: a pipe that nobody empties stops whatever writes to it.

use indicatif::ProgressBar;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

/// What goes to standard error.
enum Said {
    Text(Option<ProgressBar>, Vec<u8>),
    /// Everything before it is written: drops the sender.
    All(SyncSender<()>),
}

/// Messages that wait for whoever reads standard error.
const WAITING: usize = 1024;
/// How long a run is held up by a reader that does not read; after that messages are dropped until it does.
const PATIENCE: Duration = Duration::from_secs(2);

/// The thread that writes.
struct Writer {
    queue: SyncSender<Said>,
    is_stuck: Mutex<bool>,
}

static WRITER: OnceLock<Option<Writer>> = OnceLock::new();

fn writer() -> Option<&'static Writer> {
    let start = || {
        let (queue, waiting) = sync_channel(WAITING);
        let thread = std::thread::Builder::new().name("console".to_owned()).spawn(move || write(&waiting));
        thread.ok().map(|_| Writer { queue, is_stuck: Mutex::default() })
    };
    WRITER.get_or_init(start).as_ref()
}

fn write(waiting: &Receiver<Said>) {
    for said in waiting {
        match said {
            Said::Text(bar, text) => put(bar.as_ref(), &text),
            Said::All(written) => drop(written),
        }
    }
}

fn put(bar: Option<&ProgressBar>, text: &[u8]) {
    // A run does not end because standard error is closed.
    let print = || {
        let mut out = io::stderr().lock();
        let _ = out.write_all(text).and_then(|()| out.flush());
    };
    match bar {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Says something, without what is drawn as a bar.
pub(super) fn print(bar: Option<ProgressBar>, text: &[u8]) {
    say(Said::Text(bar, text.to_vec()));
}

fn say(said: Said) {
    let Some(writer) = writer() else {
        // The system gives no thread.
        if let Said::Text(bar, text) = said {
            put(bar.as_ref(), &text);
        }
        return;
    };
    let Ok(mut is_stuck) = writer.is_stuck.lock() else { return };
    let patience = if *is_stuck { Duration::ZERO } else { PATIENCE };
    let since = Instant::now();
    let mut said = said;
    loop {
        match writer.queue.try_send(said) {
            Ok(()) => {
                *is_stuck = false;
                return;
            }
            Err(TrySendError::Full(back)) if since.elapsed() < patience => {
                said = back;
                std::thread::sleep(Duration::from_millis(2));
            }
            Err(_) => {
                *is_stuck = true;
                return;
            }
        }
    }
}

/// Waits until everything is written that was said, as long as somebody reads it.
pub(super) fn drain() {
    let (written, all) = sync_channel(0);
    say(Said::All(written));
    let _ = all.recv_timeout(PATIENCE);
}
