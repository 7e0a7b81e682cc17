//! Writes outcomes down as they come: in one write for all of a moment, and synced every second.

use super::{Counts, Journal, ResultsError};
use crate::outcome::Outcome;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// How many outcomes are written in one go, when there are so many.
const BATCH: usize = 4096;
/// For how long outcomes are collected after a write where they come faster than that. A row waits no longer than this;
/// at the vendor's 150 answers a second three of them wake the journal once, and whoever sends need not wake it at all.
const MOMENT: Duration = Duration::from_millis(20);
/// The same where there were more than a few: writing a thousand rows in one go would take a processor from whoever sends
/// for as long as it takes to send a hundred.
const SHORT_MOMENT: Duration = Duration::from_millis(2);
const FEW: usize = 16;
/// How much of a machine's last moment may be lost.
const SYNC: Duration = Duration::from_secs(1);

/// Writes outcomes until there are no more; each is counted once it is written.
///
/// # Errors
/// Where the disk is full or gone. Dropping the receiver then tells whoever sends.
pub async fn record(
    mut journal: Journal,
    mut outcomes: mpsc::Receiver<Outcome>,
    counts: &Counts,
) -> Result<Journal, ResultsError> {
    let mut batch = Vec::with_capacity(BATCH);
    let mut sync = interval(SYNC);
    sync.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut written: Option<Instant> = None;
    loop {
        tokio::select! {
            biased;
            _ = sync.tick() => journal.sync()?,
            received = outcomes.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    journal.sync()?;
                    return Ok(journal);
                }
                journal.write(&batch)?;
                let moment = if batch.len() > FEW { SHORT_MOMENT } else { MOMENT };
                let are_many = batch.len() > 1 || written.is_some_and(|before| before.elapsed() < moment);
                for outcome in batch.drain(..) {
                    counts.add(&outcome);
                }
                written = Some(Instant::now());
                // At the pace of one now and then, whoever waits would be woken twice for each row.
                if are_many {
                    sleep(moment).await;
                }
            }
        }
    }
}
