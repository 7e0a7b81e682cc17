//! What only all visits together show: that each starts at midnight, that none is of the day that names the export, how
//! many are alike but for their key.

use crate::build::Builder;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::{count, grouped};
use chrono::NaiveDate;

/// So many visits can hardly all start at midnight.
const MANY: u64 = 5;
/// How far from the day of an export a visit of it may be, in days: an export after a weekend has Friday's.
const DAYS_AWAY: i64 = 3;
/// Hashes that are kept, at most: 32 MB.
const MOST_HASHES: usize = 4 << 20;

/// Looks at visits one by one, and is soon done: most often the first shows that nothing is odd.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// The day that names the export, if one does.
    day: Option<NaiveDate>,
    /// Visits whose start is known, as long as all of them are at midnight.
    starts: u64,
    has_other_start: bool,
    /// Visits whose date is known, as long as none of them is near the day.
    dates: u64,
    is_near_day: bool,
    nearest: Option<NaiveDate>,
}

impl Signs {
    /// `day`: the day that names the export, if one does.
    pub(super) fn of_export(day: Option<NaiveDate>) -> Signs {
        Signs { day, ..Signs::default() }
    }

    /// Looks at visits, by their numbers, until nothing more can be learned. They need not be wanted, nor valid.
    pub(super) fn look(&mut self, builder: &Builder<'_>, visits: std::ops::Range<usize>) {
        for visit in visits {
            let needs_day = self.day.is_some() && !self.is_near_day;
            if self.has_other_start && !needs_day {
                return;
            }
            if !self.has_other_start
                && let Some(at_midnight) = builder.starts_at_midnight(visit)
            {
                self.starts += 1;
                self.has_other_start = !at_midnight;
            }
            if needs_day && let Some(date) = builder.known_date(visit) {
                self.look_at_date(date);
            }
        }
    }

    fn look_at_date(&mut self, date: NaiveDate) {
        let Some(day) = self.day else { return };
        let away = |date: NaiveDate| (date - day).num_days().abs();
        self.dates += 1;
        self.is_near_day |= away(date) <= DAYS_AWAY;
        if self.nearest.is_none_or(|nearest| away(date) < away(nearest)) {
            self.nearest = Some(date);
        }
    }

    /// Adds what other visits have shown.
    pub(super) fn add(&mut self, other: Signs) {
        self.starts += other.starts;
        self.has_other_start |= other.has_other_start;
        self.dates += other.dates;
        self.is_near_day |= other.is_near_day;
        let away = |date: NaiveDate| self.day.map(|day| (date - day).num_days().abs());
        self.nearest = self.nearest.into_iter().chain(other.nearest).min_by_key(|date| away(*date));
    }

    /// What is probably a mistake of the whole export.
    pub(super) fn suspicions(&self) -> Vec<Suspicion> {
        let midnight = || {
            let message = format!(
                "each of {} visits starts at midnight: the start column probably holds only the date; map one with the \
                 time of day, or join the two with `columns`",
                grouped(self.starts)
            );
            Suspicion::new(SuspicionCode::Midnight, message)
        };
        let other_day = |day: NaiveDate, nearest: NaiveDate| {
            let message = format!(
                "the export is that of {day}, and none of its {} is within {DAYS_AWAY} days of that, the nearest is on \
                 {nearest}: most often an old file under a new name, or the wrong --date",
                count(self.dates, "visit", "visits")
            );
            Suspicion::new(SuspicionCode::OtherDay, message)
        };
        let midnight = (!self.has_other_start && self.starts >= MANY).then(midnight);
        let other_day =
            self.day.zip(self.nearest).filter(|_| !self.is_near_day).map(|(day, near)| other_day(day, near));
        midnight.into_iter().chain(other_day).collect()
    }
}

/// Counts visits that are alike but for their key, by a hash of the rest. Past [`MOST_HASHES`] it keeps a sample: hashes
/// whose lowest bits are 0, which visits that are alike have all or none of.
#[derive(Debug, Default)]
pub(super) struct Alike {
    hashes: Vec<u64>,
    sampled_bits: u32,
}

/// Visits that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AlikeVisits {
    /// How many there are.
    pub(super) visits: u64,
    /// Whether that was told from a sample.
    pub(super) is_estimate: bool,
    /// The hash of some of them.
    pub(super) example: u64,
}

impl Alike {
    pub(super) fn push(&mut self, hash: u64) {
        if self.is_sampled(hash) {
            self.hashes.push(hash);
        }
    }

    pub(super) fn add(&mut self, other: Alike) {
        self.sampled_bits = self.sampled_bits.max(other.sampled_bits);
        self.hashes.extend(other.hashes);
        while self.hashes.len() > MOST_HASHES {
            self.sampled_bits += 1;
            let mask = self.mask();
            self.hashes.retain(|hash| hash & mask == 0);
        }
    }

    fn mask(&self) -> u64 {
        (1 << self.sampled_bits) - 1
    }

    fn is_sampled(&self, hash: u64) -> bool {
        hash & self.mask() == 0
    }

    /// The visits that share their hash with another one.
    pub(super) fn finish(mut self) -> Option<AlikeVisits> {
        let mask = self.mask();
        self.hashes.retain(|hash| hash & mask == 0);
        rayon::slice::ParallelSliceMut::par_sort_unstable(self.hashes.as_mut_slice());
        let groups = || self.hashes.chunk_by(|one, other| one == other).filter(|alike| alike.len() > 1);
        let example = *groups().next()?.first()?;
        let visits = groups().map(|alike| alike.len() as u64).sum::<u64>() << self.sampled_bits;
        Some(AlikeVisits { visits, is_estimate: self.sampled_bits > 0, example })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visits_that_are_alike_are_counted_also_from_a_sample() {
        let mut all = Alike::default();
        let spread = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xff51_afd7_ed55_8ccd);
        for part in 0..30_u64 {
            let mut some = Alike::default();
            (0..200_000).for_each(|n| some.push(spread(part * 200_000 + n)));
            (0..100).for_each(|n| some.push(spread(part * 200_000 + n)));
            all.add(some);
        }
        assert!(all.hashes.len() <= MOST_HASHES);
        let found = all.finish().expect("some are alike");
        assert!(found.is_estimate && (5_000..7_000).contains(&found.visits), "{found:?}");
        let mut few = Alike::default();
        [7, 8, 7, 9, 7].into_iter().for_each(|hash| few.push(hash));
        let expected = AlikeVisits { visits: 3, is_estimate: false, example: 7 };
        assert_eq!(few.finish(), Some(expected));
        assert_eq!(Alike::default().finish(), None);
    }
}
