//! The one set of counters of a run, from which progress, summary and exit code are made.

use crate::outcome::{Outcome, Status};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Visits that are kept as examples of a cause.
const EXAMPLES: usize = 3;

/// Counts the rows of a result file as they are written. Threads share it.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    by_status: [AtomicU64; Status::ALL.len()],
    carried_over: AtomicU64,
    causes: Mutex<BTreeMap<(Status, Cow<'static, str>), Cause>>,
}

/// Visits that were not delivered for the same reason: one status and one error code.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cause {
    /// The number of visits.
    pub(crate) count: u64,
    /// The number of them whose rows were carried over from an earlier run.
    pub(crate) earlier: u64,
    /// The visit_id and the error of the first three.
    pub(crate) examples: Vec<(String, String)>,
}

impl Counts {
    /// Counts an outcome of this run.
    pub(crate) fn add(&self, outcome: &Outcome) {
        self.of(outcome.status).fetch_add(1, Ordering::Relaxed);
        // A delivered visit has one where it has changed since.
        if let Some(code) = outcome.error_code.filter(|_| !outcome.status.is_delivered()) {
            self.add_cause(outcome.status, code.name().into(), &outcome.identity.visit_id, &outcome.error, false);
        }
    }

    /// Counts a row that is carried over from an earlier run. `code` and `error` are empty if the visit was delivered.
    pub(crate) fn carry_over(&self, status: Status, visit_id: &str, code: &str, error: &str) {
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

    /// The number of rows with this status, those of an earlier run included.
    pub(crate) fn get(&self, status: Status) -> u64 {
        self.of(status).load(Ordering::Relaxed)
    }

    /// The number of rows that were carried over from an earlier run.
    pub(crate) fn carried_over(&self) -> u64 {
        self.carried_over.load(Ordering::Relaxed)
    }

    /// The number of all rows of the result file.
    pub(crate) fn rows(&self) -> u64 {
        Status::ALL.into_iter().map(|status| self.get(status)).sum()
    }

    /// Why visits were not delivered, by status and error code.
    pub(crate) fn causes(&self) -> BTreeMap<(Status, Cow<'static, str>), Cause> {
        self.causes.lock().map(|causes| causes.clone()).unwrap_or_default()
    }

    fn of(&self, status: Status) -> &AtomicU64 {
        let at = Status::ALL.iter().position(|other| *other == status).unwrap_or(0);
        &self.by_status[at]
    }
}
