//! The fields that are text, numbers or keys: which column fills each, by its name and by what it holds.

use super::choice::{Choice, choose};
use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::names;
use super::profile::ColumnProfile;
use super::toml_text::{listed, quoted};
use crate::job::OPEN;
use std::collections::BTreeSet;

/// The share of rows that must hold codes where another column of the same field holds names.
const OF_CODES: f64 = 0.9;

pub(super) fn store_number(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "store_number";
    let may_be_store = |profile: &ColumnProfile<'_>| profile.emails < 0.5 && profile.may_be_text();
    let ranked = codes_first(pool, pool.ranked(&names::STORE, may_be_store));
    let choice = choose(pool, field, &ranked);
    if choice != Choice::None {
        pool.taken.extend(choice.places());
        return pool.entry(field, &choice, |at| pool.text(field, at));
    }
    let is_of_time = |profile: &ColumnProfile<'_>| {
        let is_named =
            [&names::START, &names::END, &names::DATE].iter().any(|words| profile.name.score(words) >= names::NAMED);
        profile.is_clock() || profile.has_day_numbers || is_named && profile.times.is_some()
    };
    let others = pool.ranked(&names::STORE, |profile| may_be_store(profile) && !is_of_time(profile));
    let others: Vec<usize> = others.iter().map(|(at, _)| *at).collect();
    FieldEntry::open(field, "no column has the name of a store's number.").or(pool.names(&others))
}

/// Ranked columns, without those that hold names where another that is named as well holds codes: `Store` beside
/// `Store ID`.
fn codes_first(pool: &ColumnPool<'_>, mut ranked: Vec<(usize, u32)>) -> Vec<(usize, u32)> {
    let codes = |at: usize| pool.profiles[at].codes >= OF_CODES;
    let has_codes = ranked.iter().any(|(at, score)| *score >= names::WHOLE && codes(*at));
    let names_last = |(at, _): &(usize, u32)| has_codes && !codes(*at) && !pool.profiles[*at].is_empty();
    ranked.sort_by_key(names_last);
    let least_code = ranked.iter().filter(|column| !names_last(column)).map(|(_, score)| *score).min();
    for (at, score) in &mut ranked {
        if has_codes && !codes(*at) && !pool.profiles[*at].is_empty() {
            *score = (*score).min(least_code.unwrap_or_default().min(names::WHOLE - 1));
        }
    }
    ranked
}

pub(super) fn visit_type_id(pool: &mut ColumnPool<'_>) -> FieldEntry {
    const MOST: usize = 12;
    let field = "visit_type_id";
    let choice = pool.choose(field, &names::TYPE, |profile| profile.numbers > 0.98 || profile.is_empty());
    if choice != Choice::None {
        return pool.entry(field, &choice, |at| {
            FieldEntry::of(field, pool.profiles[at].column).example(pool.profiles[at].example())
        });
    }
    let Some(at) = pool.named(&names::TYPE, |profile| !profile.is_empty()).first().copied() else {
        return FieldEntry::absent(field);
    };
    let values: BTreeSet<&str> = pool.profiles[at].distinct.iter().copied().collect();
    let map: Vec<String> =
        values.iter().take(MOST).map(|value| format!("{} = {}", quoted(value), quoted(OPEN))).collect();
    let more = if values.len() > MOST { ", …" } else { "" };
    let name = quoted(pool.name(at));
    FieldEntry::absent(field)
        .says(format!(
            "{field} is left out: {name} does not hold whole numbers. To send it, put Trax's number for each value in place of its \"?\":"
        ))
        .says(format!("{field} = {{ column = {name}, map = {{ {}{more} }} }}", map.join(", ")))
}

pub(super) fn email_address(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "email_address";
    let choice = pool.choose(field, &names::EMAIL, |profile| profile.emails >= 0.8 || profile.is_empty());
    if choice != Choice::None {
        return pool.entry(field, &choice, |at| pool.text(field, at));
    }
    let nameless = pool.ranked(&names::EMAIL, |profile| profile.emails >= 0.8);
    let nameless: Vec<usize> = nameless.iter().filter(|(_, score)| *score == 0).map(|(at, _)| *at).collect();
    match nameless.as_slice() {
        [] => match pool.named(&names::EMAIL, |profile| !profile.is_empty()).first() {
            Some(at) => {
                let profile = &pool.profiles[*at];
                let others = ((1.0 - profile.emails) * profile.filled as f64).round();
                let name = quoted(pool.name(*at));
                FieldEntry::absent(field).says(format!(
                    "{field} is left out: {others} of the {} sampled values of {name} are no e-mail addresses",
                    profile.filled
                ))
            }
            None => FieldEntry::absent(field),
        },
        [only] => pool.take(field, *only).says("told by its values alone"),
        several => FieldEntry::absent(field)
            .says(format!("{field} is left out: addresses are in {}", listed(pool.names(several), 6))),
    }
}

pub(super) fn client_session_uid(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "client_session_uid";
    match pool.choose(field, &names::CLIENT_UID, |_| true) {
        Choice::None => {
            FieldEntry::absent(field).says(format!("{field} is left out: the visit_id is sent in its place."))
        }
        choice => pool.entry(field, &choice, |at| pool.text(field, at)),
    }
}

pub(super) fn task_code(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "task_code";
    let ranked = codes_first(pool, pool.ranked(&names::TASK, |profile| profile.may_be_text()));
    match choose(pool, field, &ranked) {
        Choice::None => {
            FieldEntry::absent(field).says(format!("{field} is left out: no column has the name of a task."))
        }
        choice => {
            pool.taken.extend(choice.places());
            pool.entry(field, &choice, |at| pool.text(field, at))
        }
    }
}
