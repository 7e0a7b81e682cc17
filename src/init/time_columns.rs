//! Which columns hold the date, the start, the end and the zone of a visit: what happened comes before what was planned and
//! before when the record was made.

use super::choice::{Choice, choose};
use super::column_pool::ColumnPool;
use super::names::{self, ACTUAL, BOOKKEEPING, NAMED, PLANNED, WHOLE};
use super::profile::{ColumnProfile, WELL_NAMED};
use std::cmp::Reverse;

/// The column that names each row's zone.
pub(super) fn zone_column(pool: &ColumnPool<'_>) -> Option<usize> {
    let ranked = pool.ranked(&names::ZONE, |profile| profile.zones > 0.98);
    ranked.into_iter().find(|(at, score)| *score >= NAMED || pool.profiles[*at].surely_zones).map(|(at, _)| at)
}

/// Whether a name says that a time is not what happened, but what was planned or when the record was made.
fn is_of_something_else(profile: &ColumnProfile<'_>) -> bool {
    (profile.name.says(PLANNED) || profile.name.says(BOOKKEEPING)) && !profile.name.says(ACTUAL)
}

/// Ranked columns of times: what happened comes before what has no word for it, and what was planned after all others.
fn by_what_happened(pool: &ColumnPool<'_>, ranked: &mut [(usize, u32)]) {
    for (at, score) in ranked.iter_mut() {
        let profile = &pool.profiles[*at];
        if *score >= NAMED && profile.name.says(ACTUAL) {
            *score += 2 * WHOLE;
        } else if is_of_something_else(profile) {
            *score = 0;
        }
    }
    ranked.sort_by_key(|(at, score)| (Reverse(*score), *at));
}

/// The column of the times at which visits began.
pub(super) fn choose_start(pool: &mut ColumnPool<'_>) -> Choice {
    let field = "session_start_time";
    let mut ranked = pool.ranked(&names::START, |profile| profile.may_be_times());
    for (at, score) in &mut ranked {
        let profile = &pool.profiles[*at];
        // A column called "date" that holds times tells when the visit began.
        *score = (*score).max(profile.name.score(&names::DATE) / 2);
        if profile.needs_a_name() && *score < WELL_NAMED {
            *score = 0;
        }
    }
    let planned = ranked.clone();
    by_what_happened(pool, &mut ranked);
    // The only times of an export are offered, whatever they are called.
    let may_be_the_start = |at: &usize| {
        let profile = &pool.profiles[*at];
        !profile.needs_a_name() && profile.name.score(&names::END) < NAMED && !is_of_something_else(profile)
    };
    let nameless: Vec<usize> = ranked.iter().map(|(at, _)| *at).filter(may_be_the_start).collect();
    let mut choice = choose(pool, field, &ranked);
    if let (Choice::None, [only]) = (&choice, nameless.as_slice()) {
        choice = Choice::One(*only, Vec::new());
    }
    if choice == Choice::None {
        let is_midnight = |profile: &ColumnProfile<'_>| profile.is_at_midnight() && !is_of_something_else(profile);
        choice = choose(pool, field, &pool.ranked(&names::START, is_midnight));
        // The day of the visit, which fills its date as well.
        if let (Choice::None, Some((at, _))) =
            (&choice, pool.ranked(&names::DATE, is_midnight).first().filter(|(_, score)| *score >= NAMED))
        {
            return Choice::One(*at, Vec::new());
        }
    }
    if choice == Choice::None {
        let mut planned = planned;
        planned.retain(|(at, _)| !pool.profiles[*at].is_empty() && pool.profiles[*at].name.score(&names::END) < NAMED);
        choice = match planned.iter().find(|(at, _)| is_of_something_else(&pool.profiles[*at])) {
            Some((at, _)) => Choice::One(*at, Vec::new()),
            None => Choice::None,
        };
    }
    // A column without a single value is not a rival of one that has them.
    if let Choice::One(at, near) = &mut choice {
        near.retain(|other| pool.profiles[*at].is_empty() || !pool.profiles[*other].is_empty());
    }
    pool.taken.extend(choice.places());
    choice
}

/// The column that has the name and the values of the visit's date. Of two, it is the one with the day of the start.
pub(super) fn choose_date(pool: &mut ColumnPool<'_>, start: Option<usize>) -> Choice {
    let mut ranked = pool.ranked(&names::DATE, |profile| profile.may_be_dates());
    ranked.retain(|(at, score)| !pool.profiles[*at].needs_a_name() || *score >= WELL_NAMED);
    by_what_happened(pool, &mut ranked);
    let choice = match (choose(pool, "visit_date", &ranked), start) {
        (Choice::Several(all), Some(start)) => {
            let same: Vec<usize> = all.iter().copied().filter(|at| has_the_day_of(pool, *at, start)).collect();
            match same.as_slice() {
                [only] => Choice::One(*only, all.iter().copied().filter(|at| at != only).collect()),
                _ => Choice::Several(all),
            }
        }
        (choice, _) => choice,
    };
    pool.taken.extend(choice.places());
    choice
}

/// The column that has the day of the start in every row, whatever it is called.
pub(super) fn choose_day_of(pool: &mut ColumnPool<'_>, start: usize) -> Option<usize> {
    let found = pool.free().find(|at| has_the_day_of(pool, *at, start))?;
    pool.taken.insert(found);
    Some(found)
}

/// Whether a column of dates has the day of another column in every row.
fn has_the_day_of(pool: &ColumnPool<'_>, at: usize, start: usize) -> bool {
    let day = |at: usize, value: &str| pool.profiles[at].times.as_ref().and_then(|style| style.day(value));
    let starts = pool.profiles[start].rows().map(|value| day(start, value));
    let mut days = pool.profiles[at].rows().zip(starts);
    !pool.profiles[at].is_empty()
        && pool.profiles[at].may_be_dates()
        && days.all(|(value, start)| start.is_some() && day(at, value) == start)
}

/// The column of the times at which visits ended.
pub(super) fn choose_end(pool: &mut ColumnPool<'_>) -> Choice {
    let mut ranked = pool.ranked(&names::END, |profile| profile.may_be_times());
    ranked.retain(|(at, score)| *score >= if pool.profiles[*at].needs_a_name() { WELL_NAMED } else { NAMED });
    by_what_happened(pool, &mut ranked);
    let choice = choose(pool, "session_end_time", &ranked);
    pool.taken.extend(choice.places());
    choice
}
