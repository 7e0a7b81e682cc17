//! One pass over a result file: all numbers of the page, in memory that does not grow with the rows.

use super::latency::Latencies;
use super::standstills::{Settled, Standstills};
use super::timeline::Timeline;
use crate::outcome::{Status, is_reused};
use crate::results::{ResultsError, Row, read};
use crate::text::{printable, start_of};
use chrono::{DateTime, NaiveDate, Utc};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// At most this many causes are counted separately. There are fewer, unless a person has edited the file.
const CAUSES: usize = 60;
/// Rows of a cause that the page shows: the first ones.
pub(super) const EXAMPLES: usize = 3;
/// At most this many stores are counted separately.
pub(super) const STORES: usize = 100_000;
/// At most this many days are counted separately: more than fifty years.
const DAYS: usize = 20_000;
/// The longest store number that the API takes, in characters.
const LONGEST_STORE: usize = 100;
/// So much of an error tells what it was.
const LONGEST_ERROR: usize = 300;

/// What the rows of a result file add up to.
#[derive(Debug, Default)]
pub(crate) struct ResultTally {
    by_status: [u64; Status::ALL.len()],
    /// The number of delivered visits whose key was used again.
    reused: u64,
    pub(super) requests: u64,
    /// The number of rows that cannot be read.
    pub(super) damaged: u64,
    /// The number of visits that were sent by an earlier run.
    pub(super) earlier: u64,
    pub(super) first: Option<DateTime<Utc>>,
    pub(super) last: Option<DateTime<Utc>>,
    pub(super) timeline: Timeline,
    pub(super) standstills: Standstills,
    pub(super) latencies: Latencies,
    /// In the order of the file. Groups refer to them by position.
    pub(super) causes: Vec<CauseTally>,
    /// The number of undelivered visits with causes that are not counted separately.
    pub(super) other_causes: u64,
    pub(super) stores: HashMap<String, GroupTally>,
    pub(super) other_stores: GroupTally,
    pub(super) days: BTreeMap<NaiveDate, GroupTally>,
    pub(super) undated: GroupTally,
    pub(super) other_days: GroupTally,
}

/// Visits that need attention, with the same status and error code.
#[derive(Debug)]
pub(super) struct CauseTally {
    pub(super) status: Status,
    pub(super) code: String,
    pub(super) count: u64,
    /// The number of them that an earlier run left.
    pub(super) earlier: u64,
    pub(super) examples: Vec<Example>,
}

impl CauseTally {
    /// The error code of the cause, cut to 60 characters.
    pub(super) fn title(&self) -> String {
        if self.code.is_empty() { "no code".to_owned() } else { printable(&self.code, 60) }
    }
}

/// A visit that was not delivered, ready to be shown.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) visit: String,
    pub(super) store: String,
    pub(super) error: String,
    pub(super) source: String,
}

/// Visits of one store or of one day.
#[derive(Clone, Debug, Default)]
pub(super) struct GroupTally {
    pub(super) visits: u64,
    pub(super) undelivered: u64,
    /// The position of the first cause in [`ResultTally::causes`].
    pub(super) cause: Option<usize>,
}

impl GroupTally {
    fn add(&mut self, is_delivered: bool, cause: Option<usize>) {
        self.visits += 1;
        self.undelivered += u64::from(!is_delivered);
        self.cause = self.cause.or(cause);
    }

    pub(super) fn merge(&mut self, other: &GroupTally) {
        self.visits += other.visits;
        self.undelivered += other.undelivered;
        self.cause = self.cause.or(other.cause);
    }
}

impl ResultTally {
    /// Reads a result file or a journal. Visits that were finished before `since` are counted, but not as part of the
    /// run's requests and times.
    ///
    /// # Errors
    /// If the file cannot be read, or if it is not a result file.
    pub(crate) fn read(path: &Path, since: Option<DateTime<Utc>>) -> Result<ResultTally, ResultsError> {
        let mut tally = ResultTally::default();
        let damaged = read(path, |row| tally.add(row, since))?;
        tally.damaged += damaged;
        Ok(tally)
    }

    /// The number of visits with this status.
    pub(crate) fn count(&self, status: Status) -> u64 {
        self.by_status[index(status)]
    }

    /// The number of visits in the file.
    pub(crate) fn visits(&self) -> u64 {
        self.by_status.iter().sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_delivered()).map(|status| self.count(status)).sum()
    }

    pub(super) fn undelivered(&self) -> u64 {
        self.visits() - self.delivered()
    }

    /// The number of delivered visits whose key was used again for another visit.
    pub(crate) fn reused(&self) -> u64 {
        self.reused
    }

    /// The number of visits about which somebody has to do something.
    pub(super) fn left(&self) -> u64 {
        self.undelivered() + self.reused
    }

    fn add(&mut self, row: Row<'_>, since: Option<DateTime<Utc>>) {
        let Some(status) = whole_status(row) else {
            self.damaged += 1;
            return;
        };
        self.by_status[index(status)] += 1;
        let is_delivered = status.is_delivered();
        let is_reused = is_reused(status, row.error_code());
        self.reused += u64::from(is_reused);
        let cause = if is_delivered && !is_reused { None } else { self.count_cause(status, row, since) };
        let cause = cause.filter(|_| !is_delivered);
        self.count_store(row.store_number(), is_delivered, cause);
        let day = match row.visit_date() {
            None => &mut self.undated,
            Some(day) if self.days.len() < DAYS || self.days.contains_key(&day) => self.days.entry(day).or_default(),
            Some(_) => &mut self.other_days,
        };
        day.add(is_delivered, cause);
        let attempts = row.attempts();
        if attempts > 0 {
            self.count_sent(row, is_delivered, attempts, since);
        }
    }

    /// Counts the requests of a visit, when it was finished and how long it took.
    fn count_sent(&mut self, row: Row<'_>, is_delivered: bool, attempts: u64, since: Option<DateTime<Utc>>) {
        let Some(at) = row.finished_at() else { return };
        if since.is_some_and(|since| at < since) {
            self.earlier += 1;
            return;
        }
        self.requests = self.requests.saturating_add(attempts);
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        let elapsed = row.elapsed_ms();
        self.timeline.add(at, is_delivered, attempts > 1, elapsed);
        self.standstills.add(Settled {
            at: at.timestamp_millis(),
            elapsed_ms: elapsed.unwrap_or(0),
            attempts,
            error: (row.status() == Some(Status::Failed)).then(|| start_of(row.error(), LONGEST_ERROR)),
        });
        if let Some(ms) = elapsed {
            self.latencies.add(ms);
        }
    }

    /// Counts an undelivered visit under its cause. Returns the position of the cause, if it is counted separately.
    fn count_cause(&mut self, status: Status, row: Row<'_>, since: Option<DateTime<Utc>>) -> Option<usize> {
        let code = row.error_code();
        let at = self.causes.iter().position(|cause| cause.status == status && cause.code == code);
        let at = match at {
            Some(at) => at,
            None if self.causes.len() < CAUSES => {
                self.causes.push(CauseTally {
                    status,
                    code: code.to_owned(),
                    count: 0,
                    earlier: 0,
                    examples: Vec::new(),
                });
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
        // Visits that were not attempted all look alike.
        if cause.examples.len() < EXAMPLES && status != Status::NotAttempted {
            cause.examples.push(Example {
                visit: printable(row.visit_id(), 80),
                store: printable(row.store_number(), 40),
                error: printable(&without_location(row.error(), row.source()), 300),
                source: printable(row.source(), 120),
            });
        }
        Some(at)
    }

    fn count_store(&mut self, number: &str, is_delivered: bool, cause: Option<usize>) {
        let number = start_of(number, LONGEST_STORE);
        if let Some(group) = self.stores.get_mut(number) {
            group.add(is_delivered, cause);
        } else if self.stores.len() < STORES {
            self.stores.entry(number.to_owned()).or_default().add(is_delivered, cause);
        } else {
            self.other_stores.add(is_delivered, cause);
        }
    }
}

/// An error without the location that is shown beside it.
fn without_location<'r>(error: &'r str, source: &str) -> Cow<'r, str> {
    let location = format!(" ({source})");
    if !source.is_empty() && error.contains(&location) { error.replace(&location, "").into() } else { error.into() }
}

/// The status of a row; `None` if the row was damaged. A delivered visit has an id: a rerun reads it so, too.
pub(super) fn whole_status(row: Row<'_>) -> Option<Status> {
    row.status().filter(|status| !status.is_delivered() || row.session_uid().is_some())
}

/// The position of a status in [`Status::ALL`].
pub(super) fn index(status: Status) -> usize {
    Status::ALL.iter().position(|other| *other == status).unwrap_or(0)
}
