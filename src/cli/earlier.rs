//! What a run takes over from the one before it: which visits have a row already, which rows stay, which are lost.

use super::exit::{Exit, Failure};
use crate::build::Ids;
use crate::results::{Candidate, Counts, Journal, Previous, ResultsError, Wanted, begin, keeps_row, outstanding};
use crate::shuffle::Grouped;
use crate::upload::Status;
use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

/// The rows of the run before, if there was one, and which of them are to be sent again.
#[derive(Debug)]
pub(super) struct Earlier {
    pub(super) previous: Option<Previous>,
    pub(super) wanted: Wanted,
}

impl Earlier {
    /// Which visits of a stretch get a new row.
    pub(super) fn outstanding(&self, grouped: &Grouped, range: Range<usize>) -> Vec<usize> {
        let status = |visit: &str| self.previous.as_ref().and_then(|previous| previous.status(visit));
        let visits = range.map(|at| {
            let visit = grouped.visit(at);
            Candidate { at, key: visit.key(), is_first: visit.is_first() }
        });
        outstanding(status, visits, &self.wanted)
    }
}

/// The visits of the run before that are still in the exports.
#[derive(Debug)]
pub(super) struct Known<'e> {
    earlier: &'e Earlier,
    keys: HashSet<&'e str>,
}

impl<'e> Known<'e> {
    pub(super) fn of(earlier: &'e Earlier) -> Known<'e> {
        Known { earlier, keys: HashSet::new() }
    }

    /// Looks at the visits of one part of the exports. Only they are walked over: there may be many parts, and many
    /// earlier rows.
    pub(super) fn note(&mut self, grouped: &Grouped) {
        let Some(previous) = &self.earlier.previous else { return };
        self.keys.extend((0..grouped.len()).filter_map(|at| previous.key(grouped.visit(at).key())));
    }

    /// A journal that was written under other ids would hide visits that the API has not got under these.
    pub(super) fn refuse_changed_ids(&self, ids: &Ids) -> Result<(), Failure> {
        let Some(previous) = &self.earlier.previous else { return Ok(()) };
        let changed = previous.visits().find_map(|(visit, status, uid)| {
            let now = ids.session(visit).uid;
            let uid = uid.filter(|uid| status.is_delivered() && *uid != now && self.keys.contains(visit))?;
            Some(format!("the visit {visit:?} was {uid} and would now be {now}"))
        });
        match changed {
            None => Ok(()),
            Some(changed) => Err(Failure::new(
                Exit::Usage,
                format!(
                    "the ids of the job have changed since the run before: {changed}. Set namespace, version, base_url or project back, or begin anew with --fresh."
                ),
            )),
        }
    }

    /// Begins the journal with the rows that stay, and counts them.
    pub(super) fn begin_journal(&self, results: &Path, counts: &Counts) -> Result<Journal, ResultsError> {
        let Some(previous) = &self.earlier.previous else { return begin(results) };
        let keeps = |visit: &str, status| keeps_row(status, self.keys.contains(visit), &self.earlier.wanted);
        previous.carry_over(results, keeps, counts)
    }

    /// Delivered visits that are not in the exports any more; their rows stay.
    pub(super) fn delivered_and_gone(&self) -> u64 {
        self.gone(true)
    }

    /// Undelivered ones, whose rows are lost.
    pub(super) fn undelivered_and_gone(&self) -> u64 {
        self.gone(false)
    }

    fn gone(&self, delivered: bool) -> u64 {
        let Some(previous) = &self.earlier.previous else { return 0 };
        let gone = |visit: &str, status: Status| status.is_delivered() == delivered && !self.keys.contains(visit);
        previous.visits().filter(|(visit, status, _)| gone(visit, *status)).count() as u64
    }
}
