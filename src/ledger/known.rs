//! A row of a result file as far as it decides what becomes of its visit now, and many of them by their sessions.

use super::buckets::Buckets;
use crate::build::Code;
use crate::key_index;
use crate::near_key::Folding;
use crate::outcome::{ErrorCode, Status};
use crate::results::{Row, RowSpan};
use chrono::NaiveDate;
use hashbrown::DefaultHashBuilder;
use std::cmp::Reverse;
use std::num::NonZeroU64;
use uuid::Uuid;

/// What the error code of a row says about what Trax has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remark {
    Nothing,
    /// `changed_since_delivery`
    Changed,
    /// `reused_key`
    Reused,
}

/// A row of a result file as far as it decides what becomes of its visit now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The session.
    pub(crate) uid: Uuid,
    pub(crate) status: Status,
    pub(crate) remark: Remark,
    /// Whether an attempt of the visit ended so that it may have arrived all the same.
    pub(crate) may_have_arrived: bool,
    /// What the body's SHA-256 begins with. Of a delivered row it is the body that Trax has, of a failed one that of every attempt
    /// that may have arrived; `None`: that is not known.
    pub(crate) body: Option<NonZeroU64>,
    /// A hash of the store; `None` where the row shows none.
    pub(crate) store: Option<NonZeroU64>,
    /// The day of the visit; `None` where the row shows none.
    pub(crate) day: Option<NaiveDate>,
    /// When it was settled, in milliseconds since 1970.
    pub(crate) finished: i64,
    /// A hash of the fold of its visit_id.
    pub(super) fold: u64,
    pub(super) start: u64,
    pub(super) length: u32,
    pub(super) is_tidy: bool,
    /// The number of its file.
    pub(crate) file: u32,
}

impl Known {
    /// Where it is in its file.
    pub(crate) fn span(&self) -> RowSpan {
        RowSpan { bytes: self.start..self.start + u64::from(self.length), is_tidy: self.is_tidy }
    }

    /// Whether its error code says something about what Trax has.
    pub(crate) fn is_remarked(&self) -> bool {
        self.remark != Remark::Nothing
    }

    /// The row; `None` if it cannot be read, or is of no session. `keeps_hash`: whether a row that was not sent has the hash of
    /// what Trax has.
    pub(super) fn of(row: Row<'_>, span: &RowSpan, file: u32, hashing: &Hashing, keeps_hash: bool) -> Option<Known> {
        let (status, uid) = (row.status()?, row.session_uid()?);
        let code = row.error_code();
        let remark = match code {
            _ if code == ErrorCode::ChangedSinceDelivery.name() => Remark::Changed,
            _ if code == Code::ReusedKey.name() => Remark::Reused,
            _ => Remark::Nothing,
        };
        Some(Known {
            uid,
            status,
            remark,
            may_have_arrived: status == Status::Failed
                && ErrorCode::from_name(status, code).is_some_and(ErrorCode::leaves_open),
            body: row
                .payload_sha256()
                .filter(|_| keeps_hash || status != Status::AlreadyReceived)
                .map(|hash| body(&hash)),
            store: hashing.store(row.store_number()),
            day: row.visit_date(),
            finished: row.finished_at().map_or(i64::MAX, |time| time.timestamp_millis()),
            fold: hashing.fold(row.visit_id(), &mut String::new()),
            start: span.bytes.start,
            length: u32::try_from(span.bytes.end - span.bytes.start).ok()?,
            is_tidy: span.is_tidy,
            file,
        })
    }

    /// Of delivered rows of one session, the one that counts comes first: one with a known body, then one that was uploaded,
    /// then the oldest.
    fn rank(&self) -> impl Ord + use<> {
        let is_delivered = self.status.is_delivered();
        let is_known = is_delivered && self.body.is_some();
        // Of undelivered ones that of the journal, which comes before the finished file.
        let age = if is_delivered { self.finished } else { 0 };
        (Reverse(is_delivered), Reverse(is_known), self.status != Status::Uploaded, age, self.file)
    }
}

/// What the SHA-256 of a body is compared by.
pub(crate) fn body(hash: &[u8; 32]) -> NonZeroU64 {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    NonZeroU64::MIN | u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Hashes of texts, as all parts of a ledger make them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashing {
    hasher: DefaultHashBuilder,
    pub(crate) folding: Folding,
}

impl Hashing {
    /// `folding`: what makes keys near.
    pub(crate) fn new(folding: Folding) -> Hashing {
        Hashing { hasher: DefaultHashBuilder::default(), folding }
    }

    /// A store; `None` where there is none.
    pub(crate) fn store(&self, store: &str) -> Option<NonZeroU64> {
        let store = store.trim();
        // What keeps a spreadsheet from taking the cell for a formula.
        let store = store.strip_prefix('\'').filter(|rest| rest.starts_with(['=', '+', '-', '@'])).unwrap_or(store);
        // Leading zeros are what a spreadsheet takes away.
        let store = match store.trim_start_matches('0') {
            "" => store,
            rest => rest,
        };
        (!store.is_empty()).then(|| NonZeroU64::MIN | key_index::hash(&self.hasher, store.as_bytes()))
    }

    /// The fold of a key.
    pub(crate) fn fold(&self, key: &str, scratch: &mut String) -> u64 {
        key_index::hash(&self.hasher, self.folding.folded(key, scratch).as_bytes())
    }

    /// A store and a day together; `None` where one is not known.
    pub(crate) fn store_and_day(&self, store: Option<NonZeroU64>, day: Option<NaiveDate>) -> Option<u64> {
        let (store, day) = (store?.get(), chrono::Datelike::num_days_from_ce(&day?));
        let mixed = (store ^ u64::from(day.cast_unsigned())).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        Some(mixed ^ (mixed >> 29))
    }
}

/// How many rows are looked through for a session, about. A row is longer than what one memory access brings.
const TOGETHER: usize = 2;

/// Rows by their sessions.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Those of one session together, the one that counts first.
    rows: Vec<Known>,
    buckets: Buckets,
}

impl Rows {
    pub(super) fn new(mut rows: Vec<Known>) -> Rows {
        sort(&mut rows);
        let buckets = Buckets::new(rows.iter().map(|row| first_half(row.uid)), rows.len(), TOGETHER);
        Rows { rows, buckets }
    }

    /// The number of the first row of a session, and all of its rows.
    pub(super) fn find(&self, uid: Uuid) -> (usize, &[Known]) {
        let range = self.buckets.range(first_half(uid));
        let bucket = &self.rows[range.clone()];
        let Some(first) = bucket.iter().position(|row| row.uid == uid) else { return (0, &[]) };
        let count = bucket[first..].iter().take_while(|row| row.uid == uid).count();
        (range.start + first, &bucket[first..first + count])
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Known> {
        self.rows.iter()
    }

    /// The rows of each session, with the number of the first.
    pub(super) fn sessions(&self) -> impl Iterator<Item = (usize, &[Known])> {
        let mut at = 0;
        self.rows.chunk_by(|one, next| one.uid == next.uid).map(move |rows| {
            at += rows.len();
            (at - rows.len(), rows)
        })
    }
}

/// Keeps of many rows of each session those that say something more.
pub(super) fn compact(rows: &mut Vec<Known>) {
    sort(rows);
    let (mut uid, mut has_delivered) = (None, false);
    let mut reused: Vec<(Option<NonZeroU64>, Option<NaiveDate>)> = Vec::new();
    let mut unclear: Vec<Option<NonZeroU64>> = Vec::new();
    rows.retain(|row| {
        if uid != Some(row.uid) {
            (uid, has_delivered) = (Some(row.uid), false);
            reused.clear();
            unclear.clear();
        }
        let shown = (row.store, row.day);
        let says_more = (row.status.is_delivered() && !std::mem::replace(&mut has_delivered, true))
            || (row.may_have_arrived && !unclear.contains(&row.body))
            || (row.remark == Remark::Reused && !reused.contains(&shown));
        if row.may_have_arrived {
            unclear.push(row.body);
        }
        if row.remark == Remark::Reused {
            reused.push(shown);
        }
        says_more
    });
}

fn sort(rows: &mut [Known]) {
    rayon::slice::ParallelSliceMut::par_sort_unstable_by(rows, |one, other| {
        one.uid.cmp(&other.uid).then_with(|| (one.rank(), one.start).cmp(&(other.rank(), other.start)))
    });
}

/// What sessions are sorted and looked up by.
pub(super) fn first_half(uid: Uuid) -> u64 {
    (uid.as_u128() >> 64) as u64
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A row of one session.
    pub(in crate::ledger) fn known(
        status: Status,
        body: Option<u64>,
        store: Option<u64>,
        day: Option<NaiveDate>,
    ) -> Known {
        Known {
            uid: Uuid::NAMESPACE_OID,
            status,
            remark: Remark::Nothing,
            may_have_arrived: false,
            body: body.and_then(NonZeroU64::new),
            store: store.and_then(NonZeroU64::new),
            day,
            finished: 0,
            fold: 0,
            start: 0,
            length: 0,
            is_tidy: true,
            file: 0,
        }
    }

    #[test]
    fn of_several_delivered_rows_one_with_a_known_body_counts_then_an_uploaded_one_then_the_oldest() {
        let row = |status, body, finished| Known { finished, ..known(status, body, None, None) };
        let (old, new) = (row(Status::AlreadyReceived, None, 1), row(Status::AlreadyReceived, None, 9));
        let uploaded = row(Status::Uploaded, None, 5);
        let told = row(Status::AlreadyReceived, Some(1), 7);
        let failed = row(Status::Failed, Some(2), 0);
        for (rows, first) in [
            (vec![failed, new, old, uploaded, told], told),
            (vec![failed, new, old, uploaded], uploaded),
            (vec![failed, new, old], old),
            (vec![failed], failed),
        ] {
            let found = Rows::new(rows);
            let (_, rows) = found.find(Uuid::NAMESPACE_OID);
            assert_eq!((rows[0].status, rows[0].finished), (first.status, first.finished));
        }
    }

    proptest! {
        #[test]
        fn every_session_is_found_with_all_of_its_rows_and_no_other(
            sessions in proptest::collection::vec(0u8..40, 0..200), other in 0u8..40
        ) {
            let uid = |session: u8| Uuid::new_v5(&Uuid::NAMESPACE_OID, &[session]);
            let rows: Vec<Known> = sessions
                .iter()
                .map(|session| Known { uid: uid(*session), ..known(Status::Uploaded, Some(1), None, None) })
                .collect();
            let all = Rows::new(rows.clone());
            let (_, found) = all.find(uid(other));
            prop_assert!(found.iter().all(|row| row.uid == uid(other)));
            prop_assert_eq!(found.len(), sessions.iter().filter(|session| **session == other).count());
            prop_assert_eq!(all.sessions().map(|(_, rows)| rows.len()).sum::<usize>(), sessions.len());
            let mut few = rows;
            compact(&mut few);
            let distinct: std::collections::HashSet<u8> = sessions.into_iter().collect();
            prop_assert_eq!(few.len(), distinct.len());
        }
    }
}
