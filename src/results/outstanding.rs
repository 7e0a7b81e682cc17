//! What a rerun has to send: a pure function of the earlier statuses and of the visits in the exports now.

use crate::outcome::Status;

/// Which of the undelivered visits a rerun sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
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

/// What happens to a visit of the exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The visit is built and sent, and gets a new row.
    Send,
    /// The row of the earlier run stays as it is.
    Keep,
}

/// A visit of the exports, as [`outstanding`] needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Its position in the order of the exports, counted from 0.
    pub(crate) at: usize,
    /// The status of its row of the earlier run; `None` if it has no row.
    pub(crate) previous: Option<Status>,
    /// Whether it is the first visit with this key. If rows with one key differ, only the first can have a row of the
    /// earlier run: the others are problems, which are found again in each run.
    pub(crate) is_first: bool,
}

/// Decides for the first visit with a key. `previous` is the status of its row of the earlier run, if it has one.
pub(crate) fn decide(previous: Option<Status>, wanted: &Wanted) -> Decision {
    match previous {
        // The earlier run did not see it, so it was never sent.
        None => Decision::Send,
        Some(status) if status.is_delivered() => Decision::Keep,
        Some(status) if wanted.contains(status) => Decision::Send,
        Some(_) => Decision::Keep,
    }
}

/// The positions of the visits that have to be sent, in the order given.
pub(crate) fn outstanding(visits: impl IntoIterator<Item = Candidate>, wanted: &Wanted) -> Vec<usize> {
    let is_outstanding = |visit: &Candidate| !visit.is_first || decide(visit.previous, wanted) == Decision::Send;
    visits.into_iter().filter(is_outstanding).map(|visit| visit.at).collect()
}

/// Whether a row of the earlier run is carried over into the new result file.
pub(crate) fn keeps_row(status: Status, is_in_exports: bool, wanted: &Wanted) -> bool {
    status.is_delivered() || (is_in_exports && decide(Some(status), wanted) == Decision::Keep)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn truth_table() {
        use Decision::{Keep, Send};
        let rejected = Wanted::Only(vec![Status::Rejected]);
        for (previous, undelivered, only_rejected) in [
            (None, Send, Send),
            (Some(Status::Uploaded), Keep, Keep),
            (Some(Status::AlreadyReceived), Keep, Keep),
            (Some(Status::Invalid), Send, Keep),
            (Some(Status::Rejected), Send, Send),
            (Some(Status::Failed), Send, Keep),
            (Some(Status::NotAttempted), Send, Keep),
        ] {
            assert_eq!(decide(previous, &Wanted::Undelivered), undelivered, "{previous:?}");
            assert_eq!(decide(previous, &rejected), only_rejected, "{previous:?}");
        }
    }

    proptest! {
        /// The oracle goes over every key of the earlier run and of the exports and says what must happen to it.
        #[test]
        fn every_visit_is_sent_or_keeps_its_row_and_never_both(
            before in proptest::collection::hash_map("[a-f]", 0usize..6, 0..6),
            now in proptest::collection::hash_set("[a-f]", 0..6),
            only in proptest::option::of(proptest::collection::vec(0usize..6, 0..3)),
        ) {
            let before: HashMap<String, Status> = before.into_iter().map(|(key, at)| (key, Status::ALL[at])).collect();
            let wanted = only.map_or(Wanted::Undelivered, |only| Wanted::Only(only.iter().map(|at| Status::ALL[*at]).collect()));
            let visits: Vec<&str> = now.iter().map(String::as_str).collect();
            // Every visit is there twice: its second row differs from the first and has to be told each time.
            let candidates = visits.iter().chain(&visits).enumerate();
            let candidates = candidates.map(|(at, key)| {
                Candidate { at, previous: before.get(*key).copied(), is_first: at < visits.len() }
            });
            let sent = outstanding(candidates, &wanted);
            prop_assert!((visits.len()..2 * visits.len()).all(|at| sent.contains(&at)));
            for key in before.keys().chain(&now) {
                let is_sent = visits.iter().position(|visit| visit == key).is_some_and(|at| sent.contains(&at));
                let keeps = before.get(key).is_some_and(|status| keeps_row(*status, now.contains(key), &wanted));
                prop_assert!(!(is_sent && keeps), "{key} would have two rows");
                if now.contains(key) {
                    prop_assert!(is_sent || keeps, "{key} would have no row");
                } else {
                    prop_assert_eq!(keeps, before[key].is_delivered());
                    prop_assert!(!is_sent);
                }
                if before.get(key).is_some_and(|status| status.is_delivered()) {
                    prop_assert!(!is_sent, "{key} was delivered");
                }
            }
        }
    }
}
