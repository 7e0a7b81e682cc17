//! Which column of the scenes says to which visit a scene belongs: told by the values that both exports share, and
//! by names only where values leave it open.

use super::names::{self, Name};
use super::sample::{Column, Kind, Sample};
use super::times;

/// A pair of columns that may join the exports.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Join {
    /// Their places in the visits and in the scenes.
    pub(super) visits: usize,
    pub(super) scenes: usize,
    /// Distinct values of the scenes' column, and how many of them are in the visits'.
    pub(super) distinct: usize,
    pub(super) shared: usize,
    /// The share of the visits' values that occur in the scenes.
    pub(super) of_visits: f64,
    score: f64,
    named: f64,
}

impl Join {
    /// The share of the scenes' values that occur in the visits.
    pub(super) fn of_scenes(&self) -> f64 {
        if self.distinct == 0 { 0.0 } else { self.shared as f64 / self.distinct as f64 }
    }

    fn weight(&self) -> f64 {
        self.score + NAMES * self.named
    }
}

/// What the names of two columns say of them.
#[derive(Clone, Copy, Debug)]
struct Named {
    /// That the one of the scenes refers to a visit, and the other one may be its key.
    refers: bool,
    /// That both are the key of a visit, and not just any key.
    both: bool,
    /// The same.
    alike: bool,
    /// That they are those of stores or people.
    of_others: bool,
}

impl Named {
    fn of(key: &str, reference: &str) -> Named {
        const NAMED: u32 = 30;
        let (key, reference) = (Name::of(key), Name::of(reference));
        let is_key = key.score(&names::VISIT_ID) >= NAMED;
        // In the scenes a bare `id` is the scene's own.
        let refers = is_key && reference.score(&names::VISIT_ID) >= NAMED && !reference.is_bare();
        let of_others = [&key, &reference]
            .into_iter()
            .any(|name| [&names::STORE, &names::EMAIL].into_iter().any(|words| name.score(words) >= NAMED));
        Named { refers, both: refers && !key.is_bare(), alike: key.is(&reference), of_others }
    }
}

/// Below this, what two columns share is chance: the numbers 1 to 9 among a hundred thousand.
const CHANCE: f64 = 0.01;
/// What shares less is not believed without names that speak for it.
const SLIGHT: f64 = 0.5;
/// A visits column with more repetitions than this is no key.
const UNIQUE: f64 = 0.9;
/// What names may weigh against values.
const NAMES: f64 = 0.25;

/// What is known of how the exports are joined.
#[derive(Debug)]
pub(super) struct Candidates {
    /// The pairs that may join them, the likeliest first.
    pub(super) joins: Vec<Join>,
    /// A pair that is called as if it did, and whose values say otherwise: nobody but a person can tell.
    pub(super) contradicted: Option<Join>,
    /// Pairs that share values which any two exports share.
    pub(super) by_chance: Vec<Join>,
}

/// Tries all pairs of columns.
pub(super) fn candidates(visits: &Sample, scenes: &Sample) -> Candidates {
    let by_values = visits.key_rows > 0 && scenes.key_rows > 0;
    // Exports that were not read to their end may show different visits.
    let seen_in_full = visits.whole && scenes.whole;
    let mut joins = Vec::new();
    let mut by_chance = Vec::new();
    let mut namesakes: Vec<(Join, Named)> = Vec::new();
    for (at, key) in visits.columns.iter().enumerate() {
        if by_values && (key.uniqueness() < UNIQUE || !can_be_key(key)) {
            continue;
        }
        for (to, reference) in scenes.columns.iter().enumerate() {
            let (names, named) = (Named::of(&key.name, &reference.name), likeness(&key.name, &reference.name));
            let (shared, of_scenes, of_visits) = overlap(key, reference);
            let score = if by_values && can_be_key(reference) {
                2.0 * of_scenes * of_visits / (of_scenes + of_visits).max(f64::MIN_POSITIVE)
            } else {
                0.0
            };
            let distinct = reference.keys.len();
            let join = Join { visits: at, scenes: to, distinct, shared, of_visits, score, named };
            let is_of_one_kind = key.is_of_numbers() == reference.is_of_numbers();
            if names.both && by_values && distinct > 0 && (names.alike || is_of_one_kind) {
                namesakes.push((join.clone(), names));
            }
            let by_name_alone = named >= 0.6 && (!by_values || !seen_in_full);
            let is_running = key.is_running() || reference.is_running();
            let is_slight = seen_in_full && join.of_scenes() < SLIGHT;
            // A store that is visited once a day tells its visit, and that of any other day as well.
            if score >= CHANCE && !names.refers && (is_running || is_slight || names.of_others) {
                by_chance.push(join);
            } else if score >= CHANCE || by_name_alone {
                joins.push(join);
            }
        }
    }
    by_weight(&mut joins);
    by_weight(&mut by_chance);
    let contradicted = contradicted(visits, scenes, joins.first(), namesakes, seen_in_full);
    if let Some(best) = joins.first().cloned() {
        // What shares as much and is called nothing like it is worth a word only where names say nothing at all.
        joins.retain(|join| join.score >= 0.8 * best.score && join.named >= best.named - 0.3);
    }
    Candidates { joins, contradicted, by_chance }
}

fn by_weight(joins: &mut [Join]) {
    joins.sort_by(|a, b| b.weight().total_cmp(&a.weight()).then((a.visits, a.scenes).cmp(&(b.visits, b.scenes))));
}

/// The pair whose names say that it joins the exports, where it shares nothing or another one shares more.
fn contradicted(
    visits: &Sample,
    scenes: &Sample,
    best: Option<&Join>,
    mut namesakes: Vec<(Join, Named)>,
    seen_in_full: bool,
) -> Option<Join> {
    let names = best.map(|best| Named::of(&visits.column(best.visits).name, &scenes.column(best.scenes).name));
    namesakes.retain(|(join, other)| {
        let loses = best.is_some_and(|best| join.weight() < best.weight());
        let is_told_better = names.is_some_and(|names| names.both && (names.alike || !other.alike));
        (loses || join.shared == 0 && seen_in_full) && !is_told_better
    });
    let likelier = |(a, _): &(Join, Named), (b, _): &(Join, Named)| {
        a.named.total_cmp(&b.named).then((b.visits, b.scenes).cmp(&(a.visits, a.scenes)))
    };
    namesakes.into_iter().max_by(likelier).map(|(join, _)| join)
}

/// Times, truth values and fractions are no keys, however many of them two exports share.
fn can_be_key(column: &Column) -> bool {
    if !matches!(column.kind, Kind::Text | Kind::Number) {
        return false;
    }
    let first: Vec<&str> = column.filled().take(50).collect();
    let is_fraction = |value: &&str| value.contains(['.', ',']) && value.parse::<f64>().is_ok();
    let is_time = times::read(&first).is_some_and(|reading| !reading.needs_a_name);
    !is_time && !first.iter().any(is_fraction)
}

fn overlap(key: &Column, reference: &Column) -> (usize, f64, f64) {
    let shared = reference.keys.iter().filter(|value| key.keys.contains(value)).count();
    let of = |all: usize| if all == 0 { 0.0 } else { shared as f64 / all as f64 };
    (shared, of(reference.keys.len()), of(key.keys.len()))
}

/// How much two names say that one refers to the other, from 0 to 1.
fn likeness(key: &str, reference: &str) -> f64 {
    let (key, reference) = (Name::of(key), Name::of(reference));
    let of_key = f64::from(key.score(&names::VISIT_ID)) / 100.0;
    let bare = reference.is_bare();
    let of_reference = if bare { 0.0 } else { f64::from(reference.score(&names::VISIT_ID)) / 100.0 };
    let alike = if key.is(&reference) && !bare { 0.3 } else { 0.0 };
    ((of_key + of_reference) * 0.35 + alike).min(1.0)
}
