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
}

/// Below this, what two columns share is chance: the numbers 1 to 9 among a hundred thousand.
const CHANCE: f64 = 0.01;
/// A visits column with more repetitions than this is no key.
const UNIQUE: f64 = 0.9;
/// What names may weigh against values.
const NAMES: f64 = 0.25;

/// The pairs that may join the exports, the likeliest first.
pub(super) fn candidates(visits: &Sample, scenes: &Sample) -> Vec<Join> {
    let by_values = visits.key_rows > 0 && scenes.key_rows > 0;
    let mut found = Vec::new();
    for (at, key) in visits.columns.iter().enumerate() {
        if by_values && (key.uniqueness() < UNIQUE || !can_be_key(key)) {
            continue;
        }
        for (to, reference) in scenes.columns.iter().enumerate() {
            let named = likeness(&key.name, &reference.name);
            let (shared, of_scenes, of_visits) = overlap(key, reference);
            let score = if by_values && can_be_key(reference) {
                2.0 * of_scenes * of_visits / (of_scenes + of_visits).max(f64::MIN_POSITIVE)
            } else {
                0.0
            };
            let distinct = reference.keys.len();
            // Exports that were not read to their end may show different visits.
            let seen_in_full = visits.whole && scenes.whole;
            let by_name_alone = named >= 0.6 && (!by_values || !seen_in_full);
            if score >= CHANCE || by_name_alone {
                found.push(Join { visits: at, scenes: to, distinct, shared, of_visits, score, named });
            }
        }
    }
    let weight = |join: &Join| join.score + NAMES * join.named;
    found.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then((a.visits, a.scenes).cmp(&(b.visits, b.scenes))));
    let best = found.first().cloned();
    if let Some(best) = best {
        // What shares as much and is called nothing like it is worth a word only where names say nothing at all.
        found.retain(|join| join.score >= 0.8 * best.score && join.named >= best.named - 0.3);
    }
    found
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
    let bare = ["id", "guid", "uuid", "key"].iter().any(|bare| reference.is(&Name::of(bare)));
    // In the scenes a bare `id` is the scene's own.
    let of_reference = if bare { 0.0 } else { f64::from(reference.score(&names::VISIT_ID)) / 100.0 };
    let alike = if key.is(&reference) && !bare { 0.3 } else { 0.0 };
    ((of_key + of_reference) * 0.35 + alike).min(1.0)
}
