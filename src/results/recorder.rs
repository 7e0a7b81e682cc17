//! Writes outcomes down as they come: at once, in one write for all that are there, and synced every second.

use super::{Counts, Journal, ResultsError};
use crate::upload::Outcome;
use chrono::Utc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

/// How many outcomes are written in one go, when there are so many.
const BATCH: usize = 512;
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
    loop {
        tokio::select! {
            biased;
            _ = sync.tick() => journal.sync()?,
            received = outcomes.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    journal.sync()?;
                    return Ok(journal);
                }
                let now = Utc::now();
                for outcome in &batch {
                    journal.push(outcome, now);
                }
                journal.write()?;
                for outcome in batch.drain(..) {
                    counts.add(&outcome);
                }
            }
        }
    }
}
