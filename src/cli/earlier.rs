//! What a run takes over from the one before it: which visits have a row already, which rows stay, which are lost.

use super::exit::{Exit, Failure};
use crate::build::Ids;
use crate::results::{Candidate, Counts, Draft, Journal, Previous, ResultsError, Wanted, keeps_row, outstanding};
use crate::shuffle::Grouped;
use std::ops::Range;
use std::path::Path;

/// The rows of the run before, if there was one, and which of them are to be sent again.
#[derive(Debug)]
pub(super) struct Earlier {
    previous: Option<Previous>,
    wanted: Wanted,
    /// The journal as far as it is known before the exports are.
    draft: Option<Draft>,
}

impl Earlier {
    /// Nothing: all is new.
    pub(super) fn none() -> Earlier {
        Earlier { previous: None, wanted: Wanted::Undelivered, draft: None }
    }

    /// Reads what there is of a result file. Of a million rows that takes a good part of the time in which the exports
    /// are read, and can be done beside it.
    pub(super) fn read(results: &Path, wanted: Wanted, ids: &Ids) -> Result<Earlier, ResultsError> {
        let previous = Previous::find(results, |visit| ids.session(visit).uid)?;
        let draft = previous.as_ref().map(|previous| previous.draft(results)).transpose()?;
        Ok(Earlier { previous, wanted, draft })
    }

    /// Which visits of a stretch get a new row.
    pub(super) fn outstanding(&self, grouped: &Grouped, range: Range<usize>) -> Vec<usize> {
        let Some(previous) = &self.previous else { return range.collect() };
        let before = previous.meet(range.clone().map(|at| grouped.visit(at).key()));
        let visits =
            range.zip(before).map(|(at, previous)| Candidate { at, previous, is_first: grouped.visit(at).is_first() });
        outstanding(visits, &self.wanted)
    }

    /// A journal that was written under other ids would hide visits that the API has not got under these. This and what
    /// follows is known once every visit of the exports was asked for by [`Earlier::outstanding`].
    pub(super) fn refuse_changed_ids(&self, ids: &Ids) -> Result<(), Failure> {
        let Some((visit, then)) = self.previous.as_ref().and_then(Previous::changed_id) else { return Ok(()) };
        let now = ids.session(visit).uid;
        Err(Failure::new(
            Exit::Usage,
            format!(
                "the ids of the job have changed since the run before: the visit {visit:?} was {then} and would now be {now}. Set namespace, version, base_url or project back, or begin anew with --fresh."
            ),
        ))
    }

    /// Begins the journal with the rows that stay, and counts them.
    pub(super) fn begin_journal(&mut self, results: &Path, counts: &Counts) -> Result<Journal, ResultsError> {
        let (Some(previous), Some(mut draft)) = (&self.previous, self.draft.take()) else {
            return Draft::new(results)?.begin();
        };
        previous.complete(&mut draft, |status, is_met| keeps_row(status, is_met, &self.wanted), counts)?;
        draft.begin()
    }

    /// Delivered visits that are not in the exports any more; their rows stay.
    pub(super) fn delivered_and_gone(&self) -> u64 {
        self.previous.as_ref().map_or(0, |previous| previous.not_met(true))
    }

    /// Undelivered ones, whose rows are lost.
    pub(super) fn undelivered_and_gone(&self) -> u64 {
        self.previous.as_ref().map_or(0, |previous| previous.not_met(false))
    }
}
