//! The key of the visits in a flat export, with one row per scene: a column that repeats from scene to scene, by its name
//! or by what depends on it.

use super::column_pool::ColumnPool;
use super::entry::{FieldEntry, Filling};
use super::names::{self, Words};
use super::profile::ColumnProfile;
use super::sample_column::SampleColumn;
use std::collections::{HashMap, HashSet};

const FIELD: &str = "visit_id";

/// The entry of the visit's key for both sections.
pub(super) fn flat_keys(pool: &mut ColumnPool<'_>) -> (FieldEntry, FieldEntry) {
    let said = "one flat export: both sections name the same file, with one row per scene";
    let key = key(pool);
    let reference = match key.filling {
        Filling::Open => FieldEntry::open(FIELD, "the same column as under [visits.columns]."),
        _ => key.clone(),
    };
    (key, FieldEntry { above: vec![said.to_owned()], ..reference })
}

fn key(pool: &mut ColumnPool<'_>) -> FieldEntry {
    let repeats = |at: &usize| pool.profiles[*at].filled > 0 && pool.profiles[*at].uniqueness() < 0.95;
    // In a row per scene, a bare `id` is the scene's own.
    let named = pool.named(&names::VISIT_ID, |profile| !profile.name.is_bare() && profile.may_be_text());
    let repeating: Vec<usize> = named.iter().copied().filter(repeats).collect();
    let by_values = by_values(pool);
    // A key that repeats nowhere is of the visits only where every visit has a single scene.
    let by_name = if repeating.is_empty() && by_values.is_empty() { &named } else { &repeating };
    if let Some((best, others)) = by_name.split_first() {
        return pool.take(FIELD, *best).or(pool.names(others));
    }
    if let Some((best, others)) = by_values.split_first() {
        let entry = pool.take(FIELD, *best);
        return entry
            .says("told by its values: store and start are the same wherever it is, and differ where it does")
            .or(pool.names(others));
    }
    let others: Vec<usize> = pool.free().filter(repeats).filter(|at| pool.profiles[*at].times.is_none()).collect();
    let why = "no column of this flat export has the name of a visit's key.";
    match of_several_columns(pool) {
        Some(option) => {
            let why = format!("{why} Store, time and person together may tell the visits apart.");
            FieldEntry::one_of(FIELD, &why, &[option]).or(pool.names(&others))
        }
        None => FieldEntry::open(FIELD, why).or(pool.names(&others)),
    }
}

/// A key of several columns: where, when and by whom.
fn of_several_columns(pool: &ColumnPool<'_>) -> Option<FieldEntry> {
    let best = |words: &Words| pool.named(words, |profile| !profile.is_empty()).first().copied();
    let start = pool.named(&names::START, |profile| profile.may_be_times() && !profile.is_empty()).first().copied();
    let (store, when) = (best(&names::STORE)?, start.or_else(|| best(&names::DATE))?);
    let sources = [Some(store), Some(when), best(&names::EMAIL)].into_iter().flatten();
    let sources = sources.flat_map(|at| pool.profiles[at].column.sources());
    let columns: Vec<&SampleColumn> =
        sources.filter_map(|name| pool.sample.columns.iter().find(|column| column.name == *name)).collect();
    Some(FieldEntry::text(FIELD, &SampleColumn::joined(&columns, "-")))
}

/// The columns that part the rows as store, start and person do: the key of a visit repeats, what belongs to the visit
/// depends on it, and it tells apart what differs there.
fn by_values(pool: &ColumnPool<'_>) -> Vec<usize> {
    let best = |words: &Words, fits: &dyn Fn(&ColumnProfile<'_>) -> bool| pool.named(words, fits).first().copied();
    let start = best(&names::START, &|profile| profile.may_be_times() && !profile.is_empty());
    let store = best(&names::STORE, &|profile| profile.times.is_none() && !profile.is_empty());
    let (Some(start), Some(store)) = (start, store) else { return Vec::new() };
    let email = best(&names::EMAIL, &|profile| profile.emails > 0.5);
    let of_visits: Vec<usize> = [start, store].into_iter().chain(email).collect();
    let values = |at: usize| &pool.sample.columns[at].values;
    let visit = |row: usize| of_visits.iter().map(|at| values(*at)[row].as_str()).collect::<Vec<_>>();
    let is_key = |at: &usize| {
        let profile = &pool.profiles[*at];
        let is_else = !profile.may_be_text()
            || profile.emails > 0.5
            || profile.zones > 0.98
            || profile.is_clock()
            || of_visits.contains(at);
        if is_else || profile.filled < pool.sample.rows {
            return false;
        }
        let mut visits: HashMap<&str, Vec<&str>> = HashMap::new();
        for (row, key) in values(*at).iter().enumerate() {
            let of_row = visit(row);
            if *visits.entry(key).or_insert_with(|| of_row.clone()) != of_row {
                return false;
            }
        }
        let distinct: HashSet<&Vec<&str>> = visits.values().collect();
        // A key that repeats nowhere belongs to the scenes; one that splits a visit, to something within it.
        visits.len() > 1 && visits.len() < pool.sample.rows && distinct.len() == visits.len()
    };
    (0..pool.profiles.len()).filter(is_key).collect()
}
