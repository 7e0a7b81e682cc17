//! What a run takes over from the one before it: which visits have a row already, which rows stay, which are lost.

use super::AppError;
use crate::build::Ids;
use crate::results::{Candidate, Counts, Draft, Journal, Previous, ResultsError, Wanted, keeps_row, outstanding};
use crate::shuffle::Grouped;
use crate::text::{count, grouped, start_of};
use std::ops::Range;
use std::path::Path;

/// How much of a key is said, in characters: a damaged one may be anything.
const LONGEST_KEY: usize = 60;

/// The rows of the run before, if there was one, and which of them are to be sent again.
#[derive(Debug)]
pub(super) struct Earlier {
    previous: Option<Previous>,
    wanted: Wanted,
    /// How many rows there were when the run before ended.
    rows_then: Option<u64>,
    ids: Ids,
    /// The journal as far as it is known before the exports are.
    draft: Option<Draft>,
}

impl Earlier {
    /// Nothing: all is new.
    pub(super) fn none(ids: &Ids) -> Earlier {
        Earlier { previous: None, wanted: Wanted::Undelivered, rows_then: None, ids: ids.clone(), draft: None }
    }

    /// Reads what there is of a result file. Of a million rows that takes a good part of the time in which the exports
    /// are read, and can be done beside it. `rows_then`: how many there were when the run before ended, if it did.
    pub(super) fn read(
        results: &Path,
        wanted: Wanted,
        rows_then: Option<u64>,
        ids: &Ids,
    ) -> Result<Earlier, ResultsError> {
        let previous = Previous::find(results, |visit| ids.session(visit).uid)?;
        let draft = previous.as_ref().map(|previous| previous.draft(results)).transpose()?;
        Ok(Earlier { previous, wanted, rows_then, ids: ids.clone(), draft })
    }

    /// Which visits of a stretch get a new row.
    pub(super) fn outstanding(&self, grouped: &Grouped, range: Range<usize>) -> Vec<usize> {
        let Some(previous) = &self.previous else { return range.collect() };
        let keys = range.clone().map(|at| grouped.visit(at).key());
        let before = previous.meet(keys, |visit| self.ids.session(visit).uid);
        let visits =
            range.zip(before).map(|(at, previous)| Candidate { at, previous, is_first: grouped.visit(at).is_first() });
        outstanding(visits, &self.wanted)
    }

    /// What was found wrong with the rows, for the user who has to do something about it. This and what follows is known once
    /// every visit of the exports was asked for by [`Earlier::outstanding`].
    pub(super) fn warnings(&self) -> Vec<String> {
        let Some(previous) = &self.previous else { return Vec::new() };
        let damaged = previous.passed().iter().map(|passed| {
            let (first, whose) = one_or_more(passed.rows, ("", "its visit is"), ("the first in ", "their visits are"));
            format!(
                "{} of {} cannot be read ({first}line {}), so {whose} sent again; the API answers 409 for \
                 visits it already has. If there is an untouched copy of the file, put it in its place and rerun",
                count(passed.rows, "row", "rows"),
                passed.file.display(),
                grouped(passed.line)
            )
        });
        let files = previous.misnamed().len();
        let misnamed = previous.misnamed().iter().zip(1..).map(|(misnamed, file)| {
            let (first, whose) = one_or_more(
                misnamed.rows,
                ("", "has a visit_id that its"),
                ("the first in ", "have a visit_id that their"),
            );
            let gone = match previous.misnamed_and_gone() {
                0 => String::new(),
                // That is said once.
                _ if file < files => String::new(),
                gone => format!(", but not of {} whose visit is not in the exports now", count(gone, "row", "rows")),
            };
            format!(
                "{} of {} {whose} session_uid was not made from ({first}line {}: {:?}): something has changed the file, such \
                 as a spreadsheet that takes leading zeros away. The API knows visits by their session_uid, so that one \
                 decides whose row it is, and visit_id is set back{gone}. Other cells may be damaged too; if there is an \
                 untouched copy of the file, put it in its place and rerun",
                count(misnamed.rows, "row", "rows"),
                misnamed.file.display(),
                grouped(misnamed.line),
                start_of(&misnamed.visit_id, LONGEST_KEY)
            )
        });
        let lost = self.rows_then.filter(|then| *then > previous.rows()).map(|then| {
            format!(
                "the result file has {}, and had {} when the run before ended: visits without a row are sent again, and the \
                 API answers 409 for visits it already has. A rerun leaves delivered visits alone by itself; if there \
                 is a whole copy of the file, put it in its place and rerun",
                count(previous.rows(), "row", "rows"),
                grouped(then)
            )
        });
        damaged.chain(misnamed).chain(lost).collect()
    }

    /// A journal that was written under other ids would hide visits that the API has not got under these. A damaged row
    /// may look the same; but what may have been delivered is not sent under another id.
    pub(super) fn refuse_changed_ids(&self) -> Result<(), AppError> {
        let Some((visit, then)) = self.previous.as_ref().and_then(Previous::unclear_id) else { return Ok(()) };
        let now = self.ids.session(visit).uid;
        Err(AppError::IdChanged { visit: visit.to_owned(), then: then.to_string(), now: now.to_string() })
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

/// The words for one row, or for several.
fn one_or_more<T>(rows: u64, one: T, more: T) -> T {
    if rows == 1 { one } else { more }
}
