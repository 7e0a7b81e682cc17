//! What the answers of a run say of visits that an earlier run may have delivered: 409s above all.

use super::remarks::{changed, changed_warning, reused, reused_warning};
use crate::ledger::{Candidate, Explanation, Finding, Record, body};
use crate::outcome::{ErrorCode, Outcome, Status};
use crate::text::count;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what the answers of a run have shown.
#[derive(Debug, Default)]
pub(super) struct Answers {
    /// How many answers a run may have been waiting for whose journal was taken up.
    in_flight: AtomicU64,
    unexplained: AtomicU64,
    changed: AtomicU64,
    reused: AtomicU64,
}

impl Answers {
    pub(super) fn new(in_flight: u64) -> Answers {
        Answers { in_flight: in_flight.into(), ..Answers::default() }
    }

    /// Has an outcome say which body Trax has, as far as the attempts of earlier runs tell. Where several bodies may have
    /// arrived, no row claims to know which one did: not that of a 409, and not that of a visit that failed once more.
    ///
    /// A visit under whose key another one was delivered stays `already_received`, as the delivered rows do that a rerun finds so:
    /// it was sent, so it is not `invalid`.
    pub(super) fn explain(&self, record: Option<&Record>, accepts_reused: bool, outcome: &mut Outcome) {
        let is_conflict = outcome.status.is_delivered() && outcome.http_status == Some(409);
        let stays_open = outcome.status == Status::Failed && outcome.error_code.is_some_and(ErrorCode::leaves_open);
        if !is_conflict && !stays_open {
            return;
        }
        let nothing_tried = outcome.status == Status::AlreadyReceived;
        let may_be_this = !nothing_tried || self.in_flight.load(Ordering::Relaxed) > 0;
        let explained = record.zip(outcome.identity.session_uid).and_then(|(record, uid)| {
            let visit = Candidate {
                body: outcome.payload_sha256.as_ref().map(body),
                store: record.hashing().store(&outcome.identity.store_number),
                day: outcome.identity.visit_date.parse().ok(),
                is_first: true,
            };
            Some((record, record.explain(uid, &visit, may_be_this, accepts_reused)?))
        });
        match explained {
            Some((record, explained)) if is_conflict => self.tell(record, &explained, outcome),
            Some((_, explained)) if !explained.is_certain => outcome.payload_sha256 = None,
            None if nothing_tried => self.count_in_flight(outcome),
            _ => {}
        }
    }

    fn tell(&self, record: &Record, explained: &Explanation, outcome: &mut Outcome) {
        let Explanation { finding, by, is_certain } = explained;
        match finding {
            Finding::Same => {}
            Finding::Unknown => {
                outcome.payload_sha256 = None;
                // Who knows of which visit that row was in the end.
                if by.body.is_none() && outcome.status == Status::AlreadyReceived {
                    self.unexplained.fetch_add(1, Ordering::Relaxed);
                }
            }
            Finding::Changed => {
                self.changed.fetch_add(1, Ordering::Relaxed);
                changed(record, by, *is_certain, outcome);
            }
            Finding::Reused { .. } => {
                self.reused.fetch_add(1, Ordering::Relaxed);
                reused(record, by, *is_certain, outcome);
            }
        }
    }

    /// Where nothing explains a 409, it is not known with which body the visit was delivered.
    fn count_in_flight(&self, outcome: &mut Outcome) {
        let waiting = self.in_flight.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if waiting.is_err() {
            outcome.payload_sha256 = None;
            self.unexplained.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Visits that were answered 409, and nothing explains it.
    pub(super) fn unexplained(&self) -> u64 {
        self.unexplained.load(Ordering::Relaxed)
    }

    /// Visits that were answered 409, and Trax has another version of them.
    pub(super) fn changed(&self) -> u64 {
        self.changed.load(Ordering::Relaxed)
    }

    /// Visits that were answered 409, and Trax has another one under their key.
    pub(super) fn reused(&self) -> u64 {
        self.reused.load(Ordering::Relaxed)
    }

    /// What has to be said of all this.
    pub(super) fn warnings(&self) -> Vec<String> {
        let unexplained = (self.unexplained() > 0).then(|| {
            format!(
                "the API has {} already that no result file shows as delivered (409): if they were sent by something else, all \
                 is well; but where keys start again every year, it keeps the old visits, and the new ones are lost",
                count(self.unexplained(), "visit", "visits")
            )
        });
        [changed_warning(self.changed()), reused_warning(self.reused()), unexplained].into_iter().flatten().collect()
    }
}
