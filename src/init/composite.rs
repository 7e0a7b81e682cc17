//! Keys of several columns: where no single column joins the exports, those that both have may do so together, such as
//! store, day and person.

use super::cell_text::ColumnType;
use super::join::{self, Join};
use super::names::{self, NAMED, Words};
use super::near;
use super::profile::ColumnProfile;
use super::sample::ExportSample;
use super::sample_column::SampleColumn;
use std::collections::HashSet;

/// Columns that both exports have and that are tried.
const CANDIDATES: usize = 8;
/// Columns of a key at most.
const MOST: usize = 4;
/// The share of the visits' rows that a key has to tell apart, and of the scenes' keys that the visits must have.
const UNIQUE: f64 = 0.99;
const SHARED: f64 = 0.95;
/// What may stand between the parts, the first that brings no two keys together.
const SEPARATORS: [&str; 4] = ["-", "_", "|", "/"];

/// What makes a visit: where, on which day, by whom, and the number within these.
const IDENTITY: [&Words; 4] = [&names::STORE, &names::DATE, &names::EMAIL, &names::VISIT_ID];

/// A column that both exports have, by its places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Candidate {
    visits: usize,
    scenes: usize,
    /// Its place among those that make a visit.
    identity: Option<usize>,
}

/// Adds the keys that join the exports to both of them, in the same order; none where a single column does it.
pub(super) fn join_keys(visits: &mut ExportSample, scenes: &mut ExportSample) {
    let keys = {
        let profiles = |sample| -> Vec<ColumnProfile<'_>> {
            let sample: &ExportSample = sample;
            sample.columns.iter().map(ColumnProfile::of).collect()
        };
        let (of_visits, of_scenes) = (profiles(visits), profiles(scenes));
        let is_single = !matches!(join::find(&of_visits, &of_scenes), Join::Unknown { .. })
            || near::nearest(&of_visits, &of_scenes).is_some();
        if is_single { Vec::new() } else { keys(&candidates(&of_visits, &of_scenes), visits, scenes) }
    };
    for key in keys {
        let joined = |sample: &ExportSample, place: fn(&Candidate) -> usize, separator| {
            let columns: Vec<&SampleColumn> = key.iter().map(|candidate| &sample.columns[place(candidate)]).collect();
            SampleColumn::joined(&columns, separator)
        };
        let separator = separator(&key, visits);
        let of_visits = joined(visits, |candidate| candidate.visits, separator);
        let of_scenes = joined(scenes, |candidate| candidate.scenes, separator);
        visits.columns.push(of_visits);
        scenes.columns.push(of_scenes);
    }
}

/// The keys: all that makes a visit, if that joins them; else the smallest sets of columns that do.
fn keys(candidates: &[Candidate], visits: &ExportSample, scenes: &ExportSample) -> Vec<Vec<Candidate>> {
    let joins = |key: &[Candidate]| key.len() > 1 && joins(key, visits, scenes);
    let identity: Vec<Candidate> = (0..IDENTITY.len())
        .filter_map(|at| candidates.iter().copied().find(|candidate| candidate.identity == Some(at)))
        .collect();
    if joins(&identity) {
        return vec![identity];
    }
    // A day is in the key, also of an export of a single day: on the next one the others come again.
    let day = candidates.iter().position(|candidate| candidate.identity == Some(1));
    for size in 2..=MOST.min(candidates.len()) {
        let sets = (0u32..1 << candidates.len())
            .filter(|set| set.count_ones() as usize == size && day.is_none_or(|day| set & (1 << day) != 0));
        let chosen = sets.map(|set| {
            let is_in = |(at, _): &(usize, &Candidate)| set & (1 << at) != 0;
            candidates.iter().enumerate().filter(is_in).map(|(_, candidate)| *candidate).collect::<Vec<_>>()
        });
        let found: Vec<Vec<Candidate>> = chosen.filter(|key| joins(key)).take(4).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

/// The columns that both exports have: of one name or of one meaning, with the same values.
fn candidates(of_visits: &[ColumnProfile<'_>], of_scenes: &[ColumnProfile<'_>]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    for (visits, one) in of_visits.iter().enumerate() {
        for (scenes, other) in of_scenes.iter().enumerate() {
            let meaning = |words: &&Words| one.name.score(words) >= NAMED && other.name.score(words) >= NAMED;
            let identity = IDENTITY.iter().position(meaning);
            let is_key = |profile: &ColumnProfile<'_>| {
                let is_typed = !matches!(profile.column.column_type, ColumnType::Text | ColumnType::Number);
                profile.column.parts.is_empty() && !profile.is_empty() && !is_typed
            };
            let is_same = one.name.is(&other.name) || identity.is_some();
            let shared = one.distinct.intersection(&other.distinct).count() as f64;
            let fewer = one.distinct.len().min(other.distinct.len()) as f64;
            let is_taken = found.iter().any(|known| known.scenes == scenes || known.visits == visits);
            if is_same && is_key(one) && is_key(other) && shared >= SHARED * fewer && !is_taken {
                found.push(Candidate { visits, scenes, identity });
            }
        }
    }
    found.truncate(CANDIDATES);
    found
}

/// Whether a key tells the visits apart, and the scenes have the same keys.
fn joins(key: &[Candidate], visits: &ExportSample, scenes: &ExportSample) -> bool {
    let of_visits = tuples(visits, key.iter().map(|candidate| candidate.visits));
    let of_scenes = tuples(scenes, key.iter().map(|candidate| candidate.scenes));
    let distinct: HashSet<&Vec<&str>> = of_visits.iter().collect();
    let of_scenes: HashSet<&Vec<&str>> = of_scenes.iter().collect();
    let shared = of_scenes.intersection(&distinct).count() as f64;
    !of_visits.is_empty()
        && distinct.len() as f64 >= UNIQUE * of_visits.len() as f64
        && shared > 0.0
        && shared >= SHARED * of_scenes.len().min(distinct.len()) as f64
}

/// The rows of some columns, without those in which one of them is empty.
fn tuples(sample: &ExportSample, places: impl Iterator<Item = usize>) -> Vec<Vec<&str>> {
    let columns: Vec<&SampleColumn> = places.map(|at| &sample.columns[at]).collect();
    let row = |row: usize| columns.iter().map(|column| column.values[row].as_str()).collect::<Vec<_>>();
    (0..sample.rows).map(row).filter(|row| !row.contains(&"")).collect()
}

fn separator(key: &[Candidate], visits: &ExportSample) -> &'static str {
    let columns: Vec<&SampleColumn> = key.iter().map(|candidate| &visits.columns[candidate.visits]).collect();
    let has =
        |column: &&&SampleColumn, separator: &str| column.filled().take(1_000).any(|value| value.contains(separator));
    // With one in two parts, two keys may become the same; days have the same number of them everywhere.
    let is_day = |column: &&&SampleColumn| ColumnProfile::of(column).may_be_dates();
    let is_plain =
        |separator: &&&str| columns.iter().filter(|column| !is_day(column) && has(column, separator)).count() < 2;
    SEPARATORS.iter().find(is_plain).copied().unwrap_or(SEPARATORS[0])
}
