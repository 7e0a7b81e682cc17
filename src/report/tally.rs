//! One pass over a result file: everything that the page says, in memory that does not grow with the rows.

use super::spread::Spread;
use super::timeline::Timeline;
use super::words::shown;
use crate::outcome::Status;
use crate::results::{ResultsError, Row, read};
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Kinds of failure that are told apart. There are fewer, unless somebody has written into the file.
const CAUSES: usize = 60;
/// Rows that a cause is illustrated with: the first ones.
pub(super) const SAMPLES: usize = 3;
/// Stores that are told apart.
pub(super) const STORES: usize = 100_000;
/// Days that are told apart: more than fifty years.
const DAYS: usize = 20_000;
/// The API takes no store number that is longer.
const LONGEST_STORE: usize = 100;

/// What a result file says.
#[derive(Debug, Default)]
pub struct Tally {
    by_status: [u64; Status::ALL.len()],
    pub(super) requests: u64,
    /// Rows that cannot be read.
    pub(super) damaged: u64,
    /// Rows that are older than the run.
    pub(super) earlier: u64,
    pub(super) first: Option<DateTime<Utc>>,
    pub(super) last: Option<DateTime<Utc>>,
    pub(super) timeline: Timeline,
    pub(super) spread: Spread,
    /// In the order of the file; groups name them by their places.
    pub(super) causes: Vec<Cause>,
    /// Undelivered visits whose cause is past the bound.
    pub(super) other_causes: u64,
    pub(super) stores: HashMap<String, Group>,
    pub(super) other_stores: Group,
    pub(super) days: BTreeMap<NaiveDate, Group>,
    pub(super) undated: Group,
    pub(super) other_days: Group,
}

/// Undelivered visits with the same status and error code.
#[derive(Debug)]
pub(super) struct Cause {
    pub(super) status: Status,
    pub(super) code: String,
    pub(super) count: u64,
    /// Of those, rows that are older than the run.
    pub(super) earlier: u64,
    pub(super) samples: Vec<Sample>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) visit: String,
    pub(super) store: String,
    pub(super) error: String,
    pub(super) source: String,
}

/// Visits that have something in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) visits: u64,
    pub(super) undelivered: u64,
    /// The cause that was seen first.
    pub(super) cause: Option<usize>,
}

impl Group {
    fn add(&mut self, is_delivered: bool, cause: Option<usize>) {
        self.visits += 1;
        self.undelivered += u64::from(!is_delivered);
        self.cause = self.cause.or(cause);
    }

    pub(super) fn merge(&mut self, other: &Group) {
        self.visits += other.visits;
        self.undelivered += other.undelivered;
        self.cause = self.cause.or(other.cause);
    }
}

impl Tally {
    /// Reads a result file or a journal. Rows that were settled before `since` count, but play no part in the course
    /// of the run.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no result file.
    pub fn read(path: &Path, since: Option<DateTime<Utc>>) -> Result<Tally, ResultsError> {
        let mut tally = Tally::default();
        let damaged = read(path, |row| tally.add(row, since))?;
        tally.damaged += damaged;
        Ok(tally)
    }

    /// Visits of this status.
    pub fn count(&self, status: Status) -> u64 {
        self.by_status[place(status)]
    }

    /// All visits of the file.
    pub fn visits(&self) -> u64 {
        self.by_status.iter().sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_delivered()).map(|status| self.count(status)).sum()
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.visits() - self.delivered()
    }

    fn add(&mut self, row: Row<'_>, since: Option<DateTime<Utc>>) {
        // A delivered visit has an id, or something has changed its row: so a rerun takes it.
        let is_whole = |status: &Status| !status.is_delivered() || row.session_uid().is_some();
        let Some(status) = row.status().filter(is_whole) else {
            self.damaged += 1;
            return;
        };
        self.by_status[place(status)] += 1;
        let is_delivered = status.is_delivered();
        let cause = if is_delivered { None } else { self.cause(status, row, since) };
        self.store(row.store_number(), is_delivered, cause);
        let day = match row.visit_date() {
            None => &mut self.undated,
            Some(day) if self.days.len() < DAYS || self.days.contains_key(&day) => self.days.entry(day).or_default(),
            Some(_) => &mut self.other_days,
        };
        day.add(is_delivered, cause);
        let attempts = row.attempts();
        if attempts > 0 {
            self.course(row, is_delivered, attempts, since);
        }
    }

    /// What was sent, when, and how long it took.
    fn course(&mut self, row: Row<'_>, is_delivered: bool, attempts: u64, since: Option<DateTime<Utc>>) {
        let Some(at) = row.finished_at() else { return };
        if since.is_some_and(|since| at < since) {
            self.earlier += 1;
            return;
        }
        self.requests = self.requests.saturating_add(attempts);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let elapsed = row.elapsed_ms();
        self.timeline.add(at, is_delivered, elapsed);
        if let Some(ms) = elapsed {
            self.spread.add(ms);
        }
    }

    fn cause(&mut self, status: Status, row: Row<'_>, since: Option<DateTime<Utc>>) -> Option<usize> {
        let code = row.error_code();
        let at = self.causes.iter().position(|cause| cause.status == status && cause.code == code);
        let at = match at {
            Some(at) => at,
            None if self.causes.len() < CAUSES => {
                self.causes.push(Cause { status, code: code.to_owned(), count: 0, earlier: 0, samples: Vec::new() });
                self.causes.len() - 1
            }
            None => {
                self.other_causes += 1;
                return None;
            }
        };
        let cause = &mut self.causes[at];
        cause.count += 1;
        cause.earlier += u64::from(since.zip(row.finished_at()).is_some_and(|(since, at)| at < since));
        // Of visits that had no turn there is nothing to see.
        if cause.samples.len() < SAMPLES && status != Status::NotAttempted {
            cause.samples.push(Sample {
                visit: shown(row.visit_id(), 80),
                store: shown(row.store_number(), 40),
                error: shown(&without_place(row.error(), row.source()), 300),
                source: shown(row.source(), 120),
            });
        }
        Some(at)
    }

    fn store(&mut self, number: &str, is_delivered: bool, cause: Option<usize>) {
        let cut = number.char_indices().nth(LONGEST_STORE).map_or(number.len(), |(cut, _)| cut);
        let number = &number[..cut];
        if let Some(group) = self.stores.get_mut(number) {
            group.add(is_delivered, cause);
        } else if self.stores.len() < STORES {
            self.stores.entry(number.to_owned()).or_default().add(is_delivered, cause);
        } else {
            self.other_stores.add(is_delivered, cause);
        }
    }
}

/// An error without the place that is shown beside it.
fn without_place<'r>(error: &'r str, source: &str) -> Cow<'r, str> {
    let place = format!(" ({source})");
    if !source.is_empty() && error.contains(&place) { error.replace(&place, "").into() } else { error.into() }
}

fn place(status: Status) -> usize {
    Status::ALL.iter().position(|other| *other == status).unwrap_or(0)
}
