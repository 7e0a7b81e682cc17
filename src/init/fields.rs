//! The fields that are text, numbers or keys: which column fills each, by its name and by what it holds.

use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::names;
use super::profile::ColumnProfile;
use super::toml_text::{listed, quoted};
use crate::job::OPEN;
use std::collections::{BTreeSet, HashSet};

pub(super) fn store_number(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "store_number";
    let may_be_store = |profile: &ColumnProfile<'_>| profile.emails < 0.5 && profile.may_be_text();
    if let Some((at, near)) = pool.best(&names::STORE, may_be_store) {
        return pool.take(field, at).or(pool.names(&near));
    }
    let others = pool.ranked(&names::STORE, |profile| {
        may_be_store(profile) && !profile.has_times_of_day && !profile.has_day_numbers
    });
    let others: Vec<usize> = others.iter().map(|(at, _)| *at).collect();
    FieldEntry::open(field, "no column has the name of a store's number.").or(pool.names(&others))
}

pub(super) fn visit_type_id(pool: &mut ColumnPool<'_>) -> FieldEntry {
    const MOST: usize = 12;
    let field = "visit_type_id";
    if let Some((at, near)) = pool.best(&names::TYPE, |profile| profile.numbers > 0.98 || profile.is_empty()) {
        return pool.take(field, at).or(pool.names(&near));
    }
    let Some((at, _)) = pool.best(&names::TYPE, |profile| !profile.is_empty()) else {
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
    let may_be_email = |profile: &ColumnProfile<'_>| profile.emails >= 0.8 || profile.is_empty();
    if let Some((best, others)) = pool.named(&names::EMAIL, may_be_email).split_first() {
        return pool.take(field, *best).or(pool.names(others));
    }
    let nameless = pool.ranked(&names::EMAIL, |profile| profile.emails >= 0.8);
    let nameless: Vec<usize> = nameless.iter().filter(|(_, score)| *score == 0).map(|(at, _)| *at).collect();
    match nameless.as_slice() {
        [] => FieldEntry::absent(field),
        [only] => pool.take(field, *only).says("told by its values alone"),
        several => FieldEntry::absent(field)
            .says(format!("{field} is left out: addresses are in {}", listed(pool.names(several), 6))),
    }
}

pub(super) fn client_session_uid(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "client_session_uid";
    match pool.best(&names::CLIENT_UID, |_| true) {
        Some((at, _)) => pool.take(field, at),
        None => FieldEntry::absent(field).says(format!("{field} is left out: the visit_id is sent in its place.")),
    }
}

/// `reference` is the entry of the visit's key in the scenes.
pub(super) fn scene_id(pool: &mut ColumnPool<'_>, reference: &FieldEntry) -> FieldEntry {
    let field = "scene_id";
    let reference = reference.columns().first().and_then(|column| pool.place_of(column));
    let named = pool.named(&names::SCENE, |_| true);
    let is_good = |at: &usize| pool.profiles[*at].is_empty() || tells_scenes_apart(pool, reference, *at);
    let good: Vec<usize> = named.iter().copied().filter(is_good).collect();
    if let Some((best, others)) = good.split_first() {
        return pool.take(field, *best).or(pool.names(others));
    }
    // With a good name, a key may begin anew in every visit. Without one it has to be unique.
    let is_unique = |at: &usize| {
        let profile = &pool.profiles[*at];
        let is_else = profile.times.is_some() || profile.emails > 0.5 || profile.zones > 0.98;
        !is_else && profile.uniqueness() >= 0.99
    };
    let unique: Vec<usize> = pool.free().filter(is_unique).collect();
    match (named.first(), unique.as_slice()) {
        (Some(at), _) => {
            let name = quoted(pool.name(*at));
            let entry = pool.take(field, *at).or(pool.names(&unique));
            entry.doubts(&format!("{name} repeats within a visit: its scenes would not be told apart"))
        }
        (None, [only]) => pool.take(field, *only).says("told by its values alone: none repeats"),
        (None, _) => FieldEntry::open(field, "no column has the name of a scene's key.").or(pool.names(&unique)),
    }
}

/// Whether a column tells the scenes of a visit apart, but for a few rows that are there twice.
fn tells_scenes_apart(pool: &ColumnPool<'_>, reference: Option<usize>, at: usize) -> bool {
    let values = |at: usize| &pool.sample.columns[at].values;
    let visit = |row: usize| reference.map(|at| values(at)[row].as_str());
    let filled = || values(at).iter().enumerate().filter(|(_, value)| !value.is_empty());
    let distinct: HashSet<_> = filled().map(|(row, value)| (visit(row), value)).collect();
    !distinct.is_empty() && distinct.len() as f64 >= 0.95 * filled().count() as f64
}

pub(super) fn task_code(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let field = "task_code";
    match pool.best(&names::TASK, |profile| profile.may_be_text()) {
        Some((at, near)) => pool.take(field, at).or(pool.names(&near)),
        None => FieldEntry::absent(field).says(format!("{field} is left out: no column has the name of a task.")),
    }
}
