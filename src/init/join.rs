//! Which column of the scenes holds the key of their visit: the pair of columns that shares its values.
//!
//! Running numbers and stores are the same in any two exports, so such a pair joins only if its names speak for it. And
//! where two columns are called like the visit's key but share too little, the exports may be of different days: that
//! is a question, whatever else they share, as a wrong join is not seen by any later check.

use super::names::{self, NAMED, Name};
use super::profile::ColumnProfile;
use std::cmp::Reverse;

/// The share of its values that a pair must have in common, of the column with fewer of them.
const SHARED: f64 = 0.95;
/// What two columns share below this is chance: the numbers 1 to 9 among a hundred thousand.
const CHANCE: f64 = 0.01;
/// A column of the visits with more repetitions than this does not hold keys.
const UNIQUE: f64 = 0.9;
/// What it counts that both columns have the same name, beside the scores of their names of up to 100 each.
const ALIKE: u32 = 85;

/// A column of the visits and a column of the scenes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    /// Their places in their exports.
    pub(super) visits: usize,
    pub(super) scenes: usize,
    /// How many distinct values each has, and how many they have in common.
    pub(super) of_visits: usize,
    pub(super) of_scenes: usize,
    pub(super) shared: usize,
    names: PairNames,
}

/// What the names of a pair say.
#[derive(Clone, Copy, Debug, PartialEq)]
struct PairNames {
    /// The one of the scenes refers to a visit, and the other one may be its key.
    refers: bool,
    /// Both are the key of a visit, and not just any key.
    both: bool,
    /// Both are the same.
    alike: bool,
    /// One of them is of a store or a person.
    of_others: bool,
    score: u32,
}

/// How the exports are joined, as far as it can be told.
#[derive(Debug)]
pub(super) enum Join {
    /// By this pair; the others would do as well.
    Found(Pair, Vec<Pair>),
    /// The names of the first pair say that it joins them, and its values say otherwise. The second pair would do.
    Contradicted(Pair, Option<Pair>),
    /// By none. Some pairs share a part of their values, others share what any two exports do.
    Unknown { partly: Vec<Pair>, by_chance: Vec<Pair> },
}

impl Pair {
    /// The share of the scenes' values that the visits have, in percent. Rounded down: 100 is all of them.
    pub(super) fn percent_of_scenes(&self) -> usize {
        self.shared * 100 / self.of_scenes.max(1)
    }

    /// The share of the visits' values that the scenes have, in percent, rounded down.
    pub(super) fn percent_of_visits(&self) -> usize {
        self.shared * 100 / self.of_visits.max(1)
    }

    /// The likeliest pair has the smallest: names come first, then how much is shared, then how little is not.
    fn rank(&self) -> impl Ord + use<> {
        let not_shared = self.of_visits + self.of_scenes - 2 * self.shared;
        (Reverse(self.names.score), Reverse(self.shared), not_shared, self.visits, self.scenes)
    }

    /// The shared part of the column with fewer values.
    fn share(&self) -> f64 {
        self.shared as f64 / self.of_visits.min(self.of_scenes).max(1) as f64
    }
}

impl PairNames {
    fn of(key: &Name, reference: &Name) -> PairNames {
        let (of_key, of_reference) = (key.score(&names::VISIT_ID), reference.score(&names::VISIT_ID));
        // Among the scenes, a bare `id` is the scene's own.
        let refers = of_key >= NAMED && of_reference >= NAMED && !reference.is_bare();
        let is_of_others = |name: &Name| [&names::STORE, &names::EMAIL].iter().any(|words| name.score(words) >= NAMED);
        let alike = key.is(reference);
        PairNames {
            refers,
            both: refers && !key.is_bare(),
            alike,
            of_others: is_of_others(key) || is_of_others(reference),
            score: if refers { of_key + of_reference + if alike { ALIKE } else { 0 } } else { 0 },
        }
    }
}

/// How well the names of two columns speak for a join; `None` where their values are those that any two exports share, and
/// their names do not say that the one refers to the other.
pub(super) fn may_join(key: &ColumnProfile<'_>, reference: &ColumnProfile<'_>) -> Option<u32> {
    let names = PairNames::of(&key.name, &reference.name);
    let is_of_any_exports = key.is_running() || reference.is_running() || names.of_others;
    (names.refers || !is_of_any_exports).then_some(names.score)
}

/// Tries all pairs of columns.
pub(super) fn find(visits: &[ColumnProfile<'_>], scenes: &[ColumnProfile<'_>]) -> Join {
    let has_rows = |profiles: &[ColumnProfile<'_>]| profiles.iter().any(|profile| !profile.is_empty());
    let by_values = has_rows(visits) && has_rows(scenes);
    let (mut good, mut namesakes, mut partly, mut by_chance) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (at, key) in visits.iter().enumerate() {
        for (to, reference) in scenes.iter().enumerate() {
            if !key.column.parts.is_empty() || !reference.column.parts.is_empty() {
                continue;
            }
            let pair = pair(at, key, to, reference);
            if !by_values {
                good.extend(Some(pair).filter(|pair| pair.names.both));
                continue;
            }
            if key.uniqueness() < UNIQUE || reference.is_empty() {
                continue;
            }
            let are_keys = key.may_be_keys() && reference.may_be_keys();
            let is_of_any_exports = key.is_running() || reference.is_running() || pair.names.of_others;
            if are_keys && pair.share() >= CHANCE && is_of_any_exports && !pair.names.refers {
                by_chance.push(pair);
            } else if are_keys && pair.share() >= SHARED {
                good.push(pair);
            } else if pair.names.both && (pair.names.alike || key.is_of_numbers() == reference.is_of_numbers()) {
                namesakes.push(pair);
            } else if are_keys && pair.share() >= CHANCE {
                partly.push(pair);
            }
        }
    }
    for pairs in [&mut good, &mut namesakes, &mut partly, &mut by_chance] {
        pairs.sort_by_key(Pair::rank);
    }
    let names = good.first().map(|best| best.names);
    let is_told_better = |other: &Pair| names.is_some_and(|best| best.both && (best.alike || !other.names.alike));
    namesakes.retain(|pair| !is_told_better(pair));
    if !namesakes.is_empty() {
        return Join::Contradicted(namesakes.swap_remove(0), good.into_iter().next());
    }
    if good.is_empty() {
        return Join::Unknown { partly, by_chance };
    }
    let best = good.remove(0);
    // What is called nothing like it is worth a word only where the names say nothing at all.
    good.retain(|pair| pair.shared * 5 >= best.shared * 4 && pair.names.score + ALIKE >= best.names.score);
    Join::Found(best, good)
}

fn pair(at: usize, key: &ColumnProfile<'_>, to: usize, reference: &ColumnProfile<'_>) -> Pair {
    Pair {
        visits: at,
        scenes: to,
        of_visits: key.distinct.len(),
        of_scenes: reference.distinct.len(),
        shared: reference.distinct.intersection(&key.distinct).count(),
        names: PairNames::of(&key.name, &reference.name),
    }
}
