//! Keys that two exports write differently: `V003` and `v003`, `1001` and `0001001`. What makes them the same is drafted
//! where the job file can say it; else the pair is shown.

use super::column_pool::ColumnPool;
use super::entry::{FieldEntry, Setting};
use super::join::{self, Pair};
use super::profile::ColumnProfile;
use super::toml_text::{quoted, shown};
use crate::near_key::Folding;
use std::collections::{BTreeSet, HashMap};

const FIELD: &str = "visit_id";
/// Values of a column that are compared.
const MOST: usize = 20_000;
/// The share of the scenes' keys that has to be there, as they are or nearly.
const SHARED: f64 = 0.95;

/// Two columns of which most values are nearly the same.
#[derive(Debug, PartialEq)]
pub(super) struct NearPair {
    pub(super) visits: usize,
    pub(super) scenes: usize,
    found: Near,
}

/// What nearly the same values are like.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Near {
    /// The first pair of them, and what it differs in.
    pub(super) key: String,
    pub(super) reference: String,
    pub(super) differences: String,
    /// How many values of the scenes have only such a key among the visits.
    pub(super) count: usize,
    /// Whether these are most of them.
    is_usual: bool,
    /// With zeros in front, so many characters long, the keys of the one become those of the other.
    pad: Option<(Side, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Visits,
    Scenes,
}

/// Compares the values of two columns.
pub(super) fn near(of_visits: &ColumnProfile<'_>, of_scenes: &ColumnProfile<'_>) -> Option<Near> {
    let folding = Folding::default();
    let keys: HashMap<String, &str> =
        of_visits.distinct.iter().take(5 * MOST).map(|key| (folding.fold(key), *key)).collect();
    let references: BTreeSet<&str> = of_scenes.distinct.iter().copied().collect();
    let (mut same, mut looked_at) = (0, 0);
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for reference in references.into_iter().take(MOST) {
        looked_at += 1;
        if of_visits.distinct.contains(reference) {
            same += 1;
        } else if let Some(key) = keys.get(&folding.fold(reference)) {
            pairs.push((key, reference));
        }
    }
    let (key, reference) = *pairs.first()?;
    let all_are_there = (same + pairs.len()) as f64 >= SHARED * looked_at as f64;
    Some(Near {
        key: key.to_owned(),
        reference: reference.to_owned(),
        differences: folding.differences(key, reference),
        count: pairs.len(),
        is_usual: 2 * pairs.len() > looked_at,
        pad: if all_are_there { pad(of_visits, of_scenes) } else { None },
    })
}

/// The pair of columns of which most values are nearly the same, by their names the likeliest one.
pub(super) fn nearest(visits: &[ColumnProfile<'_>], scenes: &[ColumnProfile<'_>]) -> Option<NearPair> {
    let mut found: Option<(u32, NearPair)> = None;
    for (at, key) in visits.iter().enumerate().filter(|(_, key)| key.may_be_keys() && key.uniqueness() >= 0.9) {
        for (to, reference) in scenes.iter().enumerate().filter(|(_, reference)| reference.may_be_keys()) {
            let Some(score) = join::may_join(key, reference) else { continue };
            if found.as_ref().is_some_and(|(best, _)| *best >= score) {
                continue;
            }
            if let Some(near) = near(key, reference).filter(|near| near.is_usual) {
                found = Some((score, NearPair { visits: at, scenes: to, found: near }));
            }
        }
    }
    found.map(|(_, pair)| pair)
}

/// The nearly same keys of a pair whose names say that it joins the exports.
pub(super) fn near_pair(pair: &Pair, visits: &[ColumnProfile<'_>], scenes: &[ColumnProfile<'_>]) -> Option<NearPair> {
    let found = near(&visits[pair.visits], &scenes[pair.scenes]).filter(|near| near.is_usual)?;
    Some(NearPair { visits: pair.visits, scenes: pair.scenes, found })
}

/// The side on which zeros in front make the keys those of the other side, and their length.
fn pad(of_visits: &ColumnProfile<'_>, of_scenes: &ColumnProfile<'_>) -> Option<(Side, usize)> {
    let lengths = |profile: &ColumnProfile<'_>| -> Option<(usize, usize)> {
        let all_digits = profile.distinct.iter().all(|value| value.bytes().all(|b| b.is_ascii_digit()));
        let lengths = || profile.distinct.iter().map(|value| value.len());
        all_digits.then_some((lengths().min()?, lengths().max()?))
    };
    let (visits, scenes) = (lengths(of_visits)?, lengths(of_scenes)?);
    match () {
        () if visits.0 == visits.1 && scenes.1 <= visits.1 => Some((Side::Scenes, visits.1)),
        () if scenes.0 == scenes.1 && visits.1 <= scenes.1 => Some((Side::Visits, scenes.1)),
        () => None,
    }
}

/// The entries of the key in both sections.
pub(super) fn written_otherwise(
    pair: &NearPair,
    visits: &mut ColumnPool<'_>,
    scenes: &mut ColumnPool<'_>,
) -> (FieldEntry, FieldEntry) {
    let NearPair { found: Near { key, reference, differences, pad, .. }, .. } = pair;
    let (key_name, reference_name) = (quoted(visits.name(pair.visits)), quoted(scenes.name(pair.scenes)));
    let entry = visits.take(FIELD, pair.visits);
    let said = format!(
        "{reference_name} holds the values of {key_name} of the visits, written in another way: {} there, {} here ({differences})",
        shown(key),
        shown(reference)
    );
    match pad {
        Some((side, width)) => {
            let refers = scenes.take(FIELD, pair.scenes);
            let padded = |entry: FieldEntry| entry.set("pad", Setting::Number(*width));
            let (entry, refers) = match side {
                Side::Visits => (padded(entry), refers),
                Side::Scenes => (entry, padded(refers)),
            };
            let of = if *side == Side::Visits { key_name } else { reference_name };
            (
                entry,
                refers.doubts(&format!("{said}. pad = {width} puts zeros in front of those in {of}; is that right?")),
            )
        }
        None => {
            let why = format!("{said}.");
            let refers = FieldEntry::open(FIELD, &why)
                .says("Only keys that are the same, letter by letter, join: export both in the same way and run init again.")
                .or([scenes.name(pair.scenes)]);
            (entry, refers)
        }
    }
}
