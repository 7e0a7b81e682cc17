//! The one set of counters of a run: progress, summary and exit code all read it.

use crate::outcome::{Outcome, Status};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// How many visits a cause is illustrated with.
const EXAMPLES: usize = 3;

/// Counts outcomes as they are written down.
#[derive(Debug, Default)]
pub struct Counts {
    by_status: [AtomicU64; Status::ALL.len()],
    carried_over: AtomicU64,
    causes: Mutex<BTreeMap<(Status, Cow<'static, str>), Cause>>,
}

/// Visits that were not delivered for the same reason.
#[derive(Clone, Debug, Default)]
pub struct Cause {
    /// How many.
    pub count: u64,
    /// Of those, rows of an earlier run that stay as they are.
    pub earlier: u64,
    /// The first of them: key and error.
    pub examples: Vec<(String, String)>,
}

impl Counts {
    /// Counts an outcome.
    pub fn add(&self, outcome: &Outcome) {
        self.of(outcome.status).fetch_add(1, Ordering::Relaxed);
        if let Some(code) = outcome.error_code {
            self.add_cause(outcome.status, code.name().into(), &outcome.identity.visit_id, &outcome.error, false);
        }
    }

    /// Counts a row that an earlier run left and that stays as it is. `code` is empty where there is none.
    pub fn carry_over(&self, status: Status, visit_id: &str, code: &str, error: &str) {
        self.of(status).fetch_add(1, Ordering::Relaxed);
        self.carried_over.fetch_add(1, Ordering::Relaxed);
        if !status.is_delivered() {
            self.add_cause(status, code.to_owned().into(), visit_id, error, true);
        }
    }

    fn add_cause(&self, status: Status, code: Cow<'static, str>, visit_id: &str, error: &str, is_earlier: bool) {
        let Ok(mut causes) = self.causes.lock() else { return };
        let cause = causes.entry((status, code)).or_default();
        cause.count += 1;
        cause.earlier += u64::from(is_earlier);
        if cause.examples.len() < EXAMPLES {
            cause.examples.push((visit_id.to_owned(), error.to_owned()));
        }
    }

    /// Rows of this status.
    pub fn get(&self, status: Status) -> u64 {
        self.of(status).load(Ordering::Relaxed)
    }

    /// Of all rows, those of an earlier run.
    pub fn carried_over(&self) -> u64 {
        self.carried_over.load(Ordering::Relaxed)
    }

    /// All rows of the result file.
    pub fn rows(&self) -> u64 {
        Status::ALL.into_iter().map(|status| self.get(status)).sum()
    }

    /// Rows of visits that the API has.
    pub fn delivered(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_delivered()).map(|status| self.get(status)).sum()
    }

    /// Why visits were not delivered, by status and error code.
    pub fn causes(&self) -> BTreeMap<(Status, Cow<'static, str>), Cause> {
        self.causes.lock().map(|causes| causes.clone()).unwrap_or_default()
    }

    fn of(&self, status: Status) -> &AtomicU64 {
        let at = Status::ALL.iter().position(|other| *other == status).unwrap_or(0);
        &self.by_status[at]
    }
}
