//! Holds the counts of a run against each other. They are taken in different places, so that a row that got lost in
//! between shows: every visit row ends in exactly one result row, and every scene row with a visit or in a count of its own.

use super::AppError;
use crate::results::{Counts, beside};
use crate::shuffle::Tally;
use std::path::Path;

/// Every scene row that was read is with its visit, an orphan, left out with its visit, or unreadable. `grouped`: scene rows
/// that building found with a visit. To be called before anything is sent.
///
/// # Errors
/// Where a scene row is missing, or is there twice.
pub(super) fn scenes(tally: &Tally, grouped: u64) -> Result<(), AppError> {
    let found = [grouped, tally.orphans, tally.scenes_left_out].iter().try_fold(0u64, |sum, n| sum.checked_add(*n));
    if found == Some(tally.scenes_taken) && found == Some(tally.scene_rows) {
        return Ok(());
    }
    Err(AppError::Bug(format!(
        "the scenes do not add up: {} rows read, of them {} unreadable; {grouped} with their visits, {} orphans, {} left \
         out. Nothing is sent, for a visit could be without one of its scenes",
        tally.scenes_taken.saturating_add(tally.unreadable),
        tally.unreadable,
        tally.orphans,
        tally.scenes_left_out,
    )))
}

/// Every visit row of the exports ends in exactly one result row, identical rows in one together. `kept`: visits whose rows
/// stay as they were; `gone`: rows that stay although their visit has left the exports.
///
/// # Errors
/// Where a result row is missing, or one is there too many.
pub(super) fn visits(tally: &Tally, counts: &Counts, kept: u64, gone: u64, results: &Path) -> Result<(), AppError> {
    let in_exports = counts.rows().checked_sub(gone);
    let adds_up = in_exports.and_then(|rows| rows.checked_add(tally.identical_duplicates)) == Some(tally.visit_rows)
        && kept.checked_add(gone) == Some(counts.carried_over());
    if adds_up {
        return Ok(());
    }
    Err(AppError::Bug(format!(
        "the counts do not add up: {} rows read, {} result rows, {gone} of them not in the exports, {} identical \
         duplicates, {kept} kept. The rows are in {}",
        tally.visit_rows,
        counts.rows(),
        tally.identical_duplicates,
        beside(results, "partial").display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Exit, Status};

    #[test]
    fn a_scene_too_few_or_too_many_ends_the_run() {
        let tally = Tally {
            scenes_taken: 10,
            scene_rows: 10,
            orphans: 2,
            scenes_left_out: 1,
            unreadable: 4,
            ..Tally::default()
        };
        assert!(scenes(&tally, 7).is_ok(), "those that are unreadable were never taken in");
        for grouped in [6, 8, u64::MAX] {
            let error = scenes(&tally, grouped).expect_err("they do not add up");
            assert_eq!(error.exit(), Exit::Unexpected);
            assert!(error.to_string().contains("14 rows read, of them 4 unreadable"), "{error}");
        }
        let lost_on_the_way = Tally { scene_rows: 9, ..tally };
        assert!(scenes(&lost_on_the_way, 6).is_err());
    }

    #[test]
    fn a_visit_too_few_or_too_many_ends_the_run_and_no_count_wraps() {
        let counts = Counts::default();
        for visit in ["V1", "V2", "V3"] {
            counts.carry_over(Status::Uploaded, visit, "", "");
        }
        let tally = |visit_rows| Tally { visit_rows, identical_duplicates: 1, ..Tally::default() };
        let add_up =
            |visit_rows, kept, gone| visits(&tally(visit_rows), &counts, kept, gone, Path::new("r.csv")).is_ok();
        assert!(add_up(3, 2, 1));
        assert!(!add_up(4, 2, 1) && !add_up(2, 2, 1) && !add_up(3, 1, 1));
        assert!(!add_up(3, 2, 4), "more rows are gone than there are");
    }
}
