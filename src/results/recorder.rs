//! Writes outcomes to the journal as they come: those of the same few milliseconds in one write, with a sync every second.

use super::error::ResultsError;
use super::journal::Journal;
use crate::outcome::Outcome;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// At most this many outcomes are written at once.
const MAX_BATCH: usize = 4096;
/// How long outcomes are collected after a write if they come fast. A row waits at most this long. At the vendor's 150
/// answers a second, the journal then wakes once for three answers.
const COLLECT: Duration = Duration::from_millis(20);
/// How long outcomes are collected after a batch of more than [`SMALL_BATCH`]. Writing a thousand rows at once would take
/// a processor from the sending thread for as long as sending a hundred visits takes.
const COLLECT_BRIEFLY: Duration = Duration::from_millis(2);
const SMALL_BATCH: usize = 16;
/// If the machine loses power, it loses at most the rows of this time.
const SYNC: Duration = Duration::from_secs(1);

/// Writes outcomes until the channel closes. `complete` gets each before it is written, `written_down` gets those that have just been written.
///
/// # Errors
/// If the journal cannot be written. The receiver is dropped then, so that the sending side sees a closed channel.
pub(crate) async fn record(
    mut journal: Journal,
    mut outcomes: mpsc::Receiver<Outcome>,
    mut complete: impl FnMut(&mut Outcome),
    mut written_down: impl FnMut(&[Outcome]),
) -> Result<Journal, ResultsError> {
    let mut batch = Vec::with_capacity(MAX_BATCH);
    let mut sync = interval(SYNC);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            _ = sync.tick() => journal.sync()?,
            received = outcomes.recv_many(&mut batch, MAX_BATCH) => {
                if received == 0 {
                    journal.sync()?;
                    return Ok(journal);
                }
                batch.iter_mut().for_each(&mut complete);
                journal.write(&batch)?;
                let collect = if batch.len() > SMALL_BATCH { COLLECT_BRIEFLY } else { COLLECT };
                let come_fast = batch.len() > 1 || written.is_some_and(|before| before.elapsed() < collect);
                written_down(&batch);
                batch.clear();
                written = Some(Instant::now());
                // A slow stream of outcomes is not collected: that would wake this task twice for each row.
                if come_fast {
                    sleep(collect).await;
                }
            }
        }
    }
}
