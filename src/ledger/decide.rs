//! What becomes of a visit, by what is on record of its session: the rules of "Between runs", as a pure function.

use super::known::{Known, Remark};
use crate::outcome::Status;
use chrono::NaiveDate;
use std::num::NonZeroU64;

/// How far the days of one visit may be apart: its date is corrected.
const DAYS_APART: i64 = 1;

/// Which of the undelivered visits are sent again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    #[default]
    Undelivered,
    /// Those whose rows have one of these statuses.
    Only(Vec<Status>),
}

impl Wanted {
    fn contains(&self, status: Status) -> bool {
        match self {
            Wanted::Undelivered => true,
            Wanted::Only(statuses) => statuses.contains(&status),
        }
    }
}

/// A visit of the exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// What the SHA-256 of its body begins with; `None`: it is invalid.
    pub(crate) body: Option<NonZeroU64>,
    /// A hash of its store, where that is known.
    pub(crate) store: Option<NonZeroU64>,
    /// Its day, where that is known.
    pub(crate) day: Option<NaiveDate>,
    /// Whether it is the first visit with its key. Where rows with one key differ, one row of the own file can be that of the
    /// first alone; the others are settled anew in each run.
    pub(crate) is_first: bool,
}

/// How a visit compares with what Trax has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It is the same.
    Same,
    /// It is not known with which body it was delivered.
    Unknown,
    /// Trax has another version of it.
    Changed,
    /// Trax has another visit under its key.
    Reused {
        /// Whether an earlier run has said so.
        is_known: bool,
    },
}

/// What becomes of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is sent if it is valid, and gets a new row.
    Send,
    /// Its row of the own file stays. The finding is that of a delivered one.
    Keep(Option<Finding>),
    /// It is not sent, and gets a new row that says why.
    Settle(Finding),
}

/// A fate, and the row that it follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    pub(crate) fate: Fate,
    pub(crate) by: Option<Known>,
}

/// Decides for a visit. `own`: the rows of its session in the files of the own result path, `earlier`: those in files of other
/// runs; of both, the one that counts comes first. `accepts_reused`: another visit under the same key is a changed one.
pub(crate) fn decide(
    visit: &Candidate,
    own: &[Known],
    earlier: &[Known],
    wanted: &Wanted,
    accepts_reused: bool,
) -> Decision {
    let finding = |by: &Known| match compare(visit, by, accepts_reused) {
        Finding::Reused { .. } => finding_of_record(visit, earlier),
        finding => finding,
    };
    if let Some(by) = own.first().filter(|row| row.status.is_delivered()) {
        let finding = finding(by);
        let fate = if visit.is_first { Fate::Keep(Some(finding)) } else { Fate::Settle(finding) };
        return Decision { fate, by: Some(*by) };
    }
    if let Some(by) = own.first().filter(|row| visit.is_first && !wanted.contains(row.status)) {
        return Decision { fate: Fate::Keep(None), by: Some(*by) };
    }
    if let Some(by) = earlier.first().filter(|row| row.status.is_delivered()) {
        return Decision { fate: Fate::Settle(finding(by)), by: Some(*by) };
    }
    // The file that shows the delivery is gone. What was said then holds: Trax has the session.
    if let Some(by) = own.iter().chain(earlier).find(|row| row.remark == Remark::Reused) {
        let is_that = shows_reused(by, visit) && !accepts_reused;
        let finding = if is_that { finding_of_record(visit, earlier) } else { Finding::Unknown };
        return Decision { fate: Fate::Settle(finding), by: Some(*by) };
    }
    Decision { fate: Fate::Send, by: None }
}

fn finding_of_record(visit: &Candidate, earlier: &[Known]) -> Finding {
    Finding::Reused { is_known: earlier.iter().any(|row| shows_reused(row, visit)) }
}

/// What a 409 says of the visit that was sent, where attempts of earlier runs may have arrived.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explanation {
    /// How it compares with what Trax has.
    pub(crate) finding: Finding,
    /// The row that it follows from.
    pub(crate) by: Known,
    /// Whether Trax has the body of that row. Else it has that of another attempt, or of this one.
    pub(crate) is_certain: bool,
}

/// Explains a 409 by the attempts of earlier runs: those that may have arrived are looked at as delivered ones are. `None`:
/// there are none. `may_be_this`: whether an attempt that this run makes, or that a run made of which no row is left, may have
/// arrived as well.
///
/// Where Trax may have one of several bodies, it is not known which. Then only what all of them say counts, but for a key that
/// was used again: the visit may be lost, so that is told.
pub(crate) fn explain(
    visit: &Candidate,
    own: &[Known],
    earlier: &[Known],
    may_be_this: bool,
    accepts_reused: bool,
) -> Option<Explanation> {
    let rows = || own.iter().chain(earlier).filter(|row| row.may_have_arrived);
    let finding = |row: &Known| compare(visit, row, accepts_reused);
    let first = rows().next()?;
    let is_certain = rows().all(|row| row.body == first.body) && (!may_be_this || visit.body == first.body);
    let explanation = |finding, by: &Known| Some(Explanation { finding, by: *by, is_certain });
    if let Some(by) = rows().find(|row| matches!(finding(row), Finding::Reused { .. })) {
        return explanation(finding_of_record(visit, earlier), by);
    }
    if is_certain || !may_be_this && rows().all(|row| finding(row) == Finding::Changed) {
        return explanation(finding(first), first);
    }
    explanation(Finding::Unknown, rows().find(|row| row.body.is_none()).unwrap_or(first))
}

/// Whether a row says that Trax has another visit under the key of this one.
fn shows_reused(row: &Known, visit: &Candidate) -> bool {
    // Else a delivered row shows what Trax has.
    let is_of_visit = !row.status.is_delivered() || row.body.is_none();
    row.remark == Remark::Reused && is_of_visit && row.store == visit.store && row.day == visit.day
}

/// How a visit compares with a delivered row.
fn compare(visit: &Candidate, delivered: &Known, accepts_reused: bool) -> Finding {
    let reused = if accepts_reused { Finding::Changed } else { Finding::Reused { is_known: false } };
    let Some(body) = delivered.body else {
        // What a run has found stays true, although nothing is left to compare with.
        return match delivered.remark {
            Remark::Nothing => Finding::Unknown,
            Remark::Changed => Finding::Changed,
            Remark::Reused => reused,
        };
    };
    if visit.body == Some(body) {
        return Finding::Same;
    }
    // What is not known says nothing.
    let same_store = visit.store.zip(delivered.store).is_none_or(|(now, then)| now == then);
    let same_day = visit.day.zip(delivered.day).is_none_or(|(now, then)| (now - then).num_days().abs() <= DAYS_APART);
    if same_store && same_day { Finding::Changed } else { reused }
}

#[cfg(test)]
mod tests {
    use super::super::known::tests::known;
    use super::*;
    use proptest::prelude::*;

    fn day(day: u32) -> Option<NaiveDate> {
        NaiveDate::from_ymd_opt(2024, 3, day)
    }

    fn visit(body: Option<u64>, store: Option<u64>, on: Option<u32>) -> Candidate {
        let hash = |hash| NonZeroU64::new(hash);
        Candidate { body: body.and_then(hash), store: store.and_then(hash), day: on.and_then(day), is_first: true }
    }

    fn settled(visit: &Candidate, earlier: &[Known]) -> Fate {
        decide(visit, &[], earlier, &Wanted::Undelivered, false).fate
    }

    #[test]
    fn the_table_of_what_was_delivered_before() {
        let delivered = known(Status::Uploaded, Some(1), Some(7), day(5));
        let reused = Finding::Reused { is_known: false };
        for (visit, finding) in [
            (visit(Some(1), Some(7), Some(5)), Finding::Same),
            (visit(Some(2), Some(7), Some(5)), Finding::Changed),
            (visit(None, Some(7), Some(5)), Finding::Changed),
            (visit(Some(2), Some(7), Some(6)), Finding::Changed),
            (visit(Some(2), Some(7), Some(4)), Finding::Changed),
            (visit(Some(2), Some(7), Some(7)), reused),
            (visit(Some(2), Some(8), Some(5)), reused),
            (visit(None, Some(8), Some(5)), reused),
            // What is not known says nothing.
            (visit(None, None, Some(5)), Finding::Changed),
            (visit(None, Some(7), None), Finding::Changed),
            (visit(None, None, Some(9)), reused),
        ] {
            assert_eq!(settled(&visit, &[delivered]), Fate::Settle(finding), "{visit:?}");
            let unknown = Known { body: None, ..delivered };
            assert_eq!(settled(&visit, &[unknown]), Fate::Settle(Finding::Unknown), "{visit:?}");
        }
    }

    #[test]
    fn a_key_that_was_used_again_is_told_once_and_may_be_accepted() {
        let now = visit(Some(2), Some(8), Some(5));
        let delivered = known(Status::Uploaded, Some(1), Some(7), day(5));
        let told = Known { remark: Remark::Reused, ..known(Status::Invalid, None, Some(8), day(5)) };
        let told_of_another = Known { day: day(1), ..told };
        let fate = |earlier: &[Known], accepts| decide(&now, &[], earlier, &Wanted::Undelivered, accepts).fate;
        let reused = |is_known| Fate::Settle(Finding::Reused { is_known });
        assert_eq!(fate(&[delivered], false), reused(false));
        assert_eq!(fate(&[delivered, told], false), reused(true));
        assert_eq!(fate(&[delivered, told_of_another], false), reused(false));
        assert_eq!(fate(&[delivered, told], true), Fate::Settle(Finding::Changed));
        // The file of the delivery is gone: still nothing is sent.
        assert_eq!(fate(&[told], false), reused(true));
        assert_eq!(fate(&[told_of_another], false), Fate::Settle(Finding::Unknown));
        // The own file does not make it known.
        let own = decide(&now, &[told], &[delivered], &Wanted::Undelivered, false).fate;
        assert_eq!(own, reused(false));
    }

    #[test]
    fn a_409_says_what_the_attempts_of_earlier_runs_say_that_may_have_arrived() {
        let now = visit(Some(1), Some(7), Some(5));
        let attempt = |body, store, on| Known {
            may_have_arrived: true,
            ..known(Status::Failed, Some(body).filter(|body| *body > 0), Some(store), day(on))
        };
        let (same, changed, changed_too) = (attempt(1, 7, 5), attempt(2, 7, 6), attempt(3, 7, 4));
        let (reused, unknown) = (attempt(4, 8, 5), attempt(0, 7, 5));
        let is_reused = Finding::Reused { is_known: false };
        for (rows, may_be_this, finding, is_certain) in [
            (vec![same], false, Finding::Same, true),
            (vec![same, same], true, Finding::Same, true),
            (vec![changed], false, Finding::Changed, true),
            (vec![changed, changed_too], false, Finding::Changed, false),
            (vec![reused], false, is_reused, true),
            // It may be this one.
            (vec![changed], true, Finding::Unknown, false),
            (vec![same, changed], false, Finding::Unknown, false),
            (vec![unknown], false, Finding::Unknown, true),
            (vec![changed, unknown], false, Finding::Unknown, false),
            // A visit that may be lost is told.
            (vec![same, reused], false, is_reused, false),
            (vec![reused], true, is_reused, false),
            (vec![unknown, reused], true, is_reused, false),
        ] {
            let explained = |accepts| explain(&now, &rows[..1], &rows[1..], may_be_this, accepts).expect("explained");
            assert_eq!((explained(false).finding, explained(false).is_certain), (finding, is_certain), "{rows:?}");
            let by_row = rows.iter().any(|row| row.body == explained(false).by.body);
            assert!(by_row && !matches!(explained(true).finding, Finding::Reused { .. }));
        }
        let refused = Known { may_have_arrived: false, ..changed };
        assert!(explain(&now, &[refused], &[], true, false).is_none());
    }

    #[test]
    fn what_was_found_stays_although_it_is_not_known_what_trax_has() {
        let now = visit(Some(1), Some(7), Some(5));
        let delivered = |remark| Known { remark, ..known(Status::Uploaded, None, Some(7), day(5)) };
        let decided =
            |own: &[Known], earlier: &[Known], accepts| decide(&now, own, earlier, &Wanted::Undelivered, accepts).fate;
        let reused = |is_known| Finding::Reused { is_known };
        assert_eq!(decided(&[delivered(Remark::Changed)], &[], false), Fate::Keep(Some(Finding::Changed)));
        assert_eq!(decided(&[delivered(Remark::Reused)], &[], false), Fate::Keep(Some(reused(false))));
        assert_eq!(decided(&[delivered(Remark::Reused)], &[], true), Fate::Keep(Some(Finding::Changed)));
        // The row shows the visit that was sent, and so it was told.
        assert_eq!(decided(&[], &[delivered(Remark::Reused)], false), Fate::Settle(reused(true)));
    }

    prop_compose! {
        fn any_known()(
            status in 0usize..6, body in 0u64..3, store in 0u64..3, on in 0u32..9, remark in 0usize..5, unclear in any::<bool>()
        ) -> Known {
            let status = Status::ALL[status];
            let remark = match remark {
                0 | 1 => Remark::Reused,
                2 if status.is_delivered() => Remark::Changed,
                _ => Remark::Nothing,
            };
            let some = |number: u64| Some(number).filter(|number| *number > 0);
            let may_have_arrived = unclear && status == Status::Failed;
            Known { remark, may_have_arrived, ..known(status, some(body), some(store), day(on)) }
        }
    }

    proptest! {
        /// What must hold whatever the rows say, told without the order of the rules.
        #[test]
        fn nothing_that_is_on_record_as_delivered_is_sent_and_everything_else_that_is_wanted_is(
            own in proptest::collection::vec(any_known(), 0..3),
            earlier in proptest::collection::vec(any_known(), 0..3),
            body in 0u64..3, store in 0u64..3, on in 0u32..9, is_first in any::<bool>(),
            only in proptest::option::of(0usize..6), accepts in any::<bool>(),
        ) {
            // The one that counts comes first, as `Rows` has them.
            let sorted = |mut rows: Vec<Known>| { rows.sort_by_key(|row| !row.status.is_delivered()); rows };
            let (own, earlier) = (sorted(own), sorted(earlier));
            let visit = Candidate { is_first, ..visit(Some(body), Some(store), Some(on)) };
            let wanted = only.map_or(Wanted::Undelivered, |only| Wanted::Only(vec![Status::ALL[only]]));
            let fate = decide(&visit, &own, &earlier, &wanted, accepts).fate;
            let all = || own.iter().chain(&earlier);
            let is_delivered = all().any(|row| row.status.is_delivered());
            let has_session = is_delivered || all().any(|row| row.remark == Remark::Reused);
            let is_left = is_first && own.first().is_some_and(|row| !row.status.is_delivered() && !wanted.contains(row.status));
            prop_assert_eq!(fate == Fate::Send, !has_session && !is_left);
            // Only the first visit with a key has the row of the own file.
            prop_assert!(is_first || !matches!(fate, Fate::Keep(_)));
            if own.iter().any(|row| row.status.is_delivered()) {
                prop_assert!(is_first == matches!(fate, Fate::Keep(Some(_))));
            }
            let finding = match fate { Fate::Keep(finding) => finding, Fate::Settle(finding) => Some(finding), Fate::Send => None };
            if accepts {
                let is_reused = matches!(finding, Some(Finding::Reused { .. }));
                prop_assert!(!is_reused);
            }
            if finding == Some(Finding::Same) {
                prop_assert!(all().any(|row| row.body.is_some() && row.body == visit.body));
            }
            if let Some(Finding::Reused { is_known }) = finding {
                prop_assert_eq!(is_known, earlier.iter().any(|row| shows_reused(row, &visit)));
            }
        }

        /// Whichever of the bodies that may have arrived Trax has, what is said is not wrong.
        #[test]
        fn a_409_is_explained_by_what_is_true_of_every_body_that_may_have_arrived(
            own in proptest::collection::vec(any_known(), 0..3),
            earlier in proptest::collection::vec(any_known(), 0..3),
            body in 1u64..3, store in 0u64..3, on in 0u32..9, may_be_this in any::<bool>(), accepts in any::<bool>(),
        ) {
            let visit = visit(Some(body), Some(store), Some(on));
            let attempts: Vec<&Known> = own.iter().chain(&earlier).filter(|row| row.may_have_arrived).collect();
            let Some(explained) = explain(&visit, &own, &earlier, may_be_this, accepts) else {
                prop_assert!(attempts.is_empty());
                return Ok(());
            };
            let mut bodies: Vec<_> = attempts.iter().map(|row| row.body).chain(may_be_this.then_some(visit.body)).collect();
            bodies.dedup();
            prop_assert_eq!(explained.is_certain, bodies.len() == 1);
            // Told as a delivered one would be, where each is that one.
            let as_delivered = |row: &Known| {
                let row = Known { status: Status::Uploaded, ..*row };
                match decide(&visit, &[], &[row], &Wanted::Undelivered, accepts).fate {
                    Fate::Settle(finding) => finding,
                    fate => panic!("{fate:?}"),
                }
            };
            let is_reused = |finding: Finding| matches!(finding, Finding::Reused { .. });
            let all: Vec<Finding> = attempts.iter().map(|row| as_delivered(row)).collect();
            let is_told = is_reused(explained.finding);
            prop_assert_eq!(is_told, all.iter().any(|finding| is_reused(*finding)));
            match explained.finding {
                Finding::Same => prop_assert!(explained.is_certain && explained.by.body == visit.body),
                Finding::Changed => prop_assert!(all.iter().all(|finding| *finding == Finding::Changed)),
                Finding::Reused { .. } => prop_assert!(!accepts),
                Finding::Unknown => prop_assert!(!explained.is_certain || explained.by.body.is_none()),
            }
        }
    }
}
