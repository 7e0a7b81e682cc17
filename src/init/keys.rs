//! The entries of the visit's key in both sections: a pair of columns, or a question that says what was found.

use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::join::{self, Join, Pair};
use super::names;
use super::near::{Near, near, near_pair, nearest, written_otherwise};
use super::profile::ColumnProfile;
use super::sample::ExportSample;
use super::toml_text::{plainly, quoted, shown};
use crate::text::count;
use std::collections::BTreeSet;

const FIELD: &str = "visit_id";

/// The key of the visits, and the reference to it in the scenes.
pub(super) fn keys(visits: &mut ColumnPool<'_>, scenes: &mut ColumnPool<'_>) -> (FieldEntry, FieldEntry) {
    let composites = composites(visits, scenes);
    if !composites.is_empty() {
        return of_several_columns(&composites, visits, scenes);
    }
    match join::find(&visits.profiles, &scenes.profiles) {
        Join::Found(best, others) => {
            let key = visits.take(FIELD, best.visits);
            let said = overlap_in_words(&best, visits, scenes);
            let reference = scenes.take(FIELD, best.scenes);
            let is_slight = best.percent_of_scenes() < 50 && visits.sample.is_whole && scenes.sample.is_whole;
            let reference = if best.shared > 0 && is_slight { reference.doubts(&said) } else { reference.says(&said) };
            let reference = match near(&visits.profiles[best.visits], &scenes.profiles[best.scenes]) {
                Some(near) if best.shared > 0 => reference.doubts(&nearly_in_words(&near)),
                _ => reference,
            };
            let others = pairs_in_words(&others, visits, scenes);
            (key, if others.is_empty() { reference } else { reference.says(format!("could also be {others}")) })
        }
        Join::Contradicted(pair, other) => {
            if let Some(near) = near_pair(&pair, &visits.profiles, &scenes.profiles) {
                return written_otherwise(&near, visits, scenes);
            }
            let entry = contradicted(&pair, other.as_ref(), visits, scenes);
            (visits.take(FIELD, pair.visits), entry)
        }
        Join::Unknown { partly, by_chance } => match nearest(&visits.profiles, &scenes.profiles) {
            Some(near) => written_otherwise(&near, visits, scenes),
            None => unjoined(&partly, &by_chance, visits, scenes),
        },
    }
}

/// The keys of several columns that join the exports, by their places in both.
fn composites(visits: &ColumnPool<'_>, scenes: &ColumnPool<'_>) -> Vec<(usize, usize)> {
    let places = |pool: &ColumnPool<'_>| -> Vec<usize> {
        let columns = pool.sample.columns.iter().enumerate();
        columns.filter(|(_, column)| column.is_key_of_several()).map(|(at, _)| at).collect()
    };
    places(visits).into_iter().zip(places(scenes)).collect()
}

/// The entries of a key of several columns.
fn of_several_columns(
    composites: &[(usize, usize)],
    visits: &ColumnPool<'_>,
    scenes: &ColumnPool<'_>,
) -> (FieldEntry, FieldEntry) {
    let said = "no single column tells the visits apart and is in both exports; together these do";
    let entries = |pool: &ColumnPool<'_>, place: fn(&(usize, usize)) -> usize| -> Vec<FieldEntry> {
        composites.iter().map(|pair| pool.text(FIELD, place(pair))).collect()
    };
    let (keys, references) = (entries(visits, |pair| pair.0), entries(scenes, |pair| pair.1));
    match (keys.as_slice(), references.as_slice()) {
        ([key], [reference]) => (key.clone().doubts(said), reference.clone()),
        _ => {
            let why = "no single column tells the visits apart and is in both exports; several sets of columns do.";
            let also = "the same columns as under [visits.columns].";
            (FieldEntry::one_of(FIELD, why, &keys), FieldEntry::one_of(FIELD, also, &references))
        }
    }
}

fn nearly_in_words(near: &Near) -> String {
    let values = count(near.count as u64, "value is", "values are");
    format!(
        "{values} nearly a visit's: {} there, {} here ({}); only keys that are the same, letter by letter, join",
        shown(&near.key),
        shown(&near.reference),
        near.differences
    )
}

/// `(visits = scenes) "id" = "parent"`; empty where there are no pairs.
fn pairs_in_words(pairs: &[Pair], visits: &ColumnPool<'_>, scenes: &ColumnPool<'_>) -> String {
    let pair = |pair: &Pair| format!("{} = {}", quoted(visits.name(pair.visits)), quoted(scenes.name(pair.scenes)));
    let pairs = pairs.iter().take(4).map(pair).collect::<Vec<_>>().join(", ");
    if pairs.is_empty() { pairs } else { format!("(visits = scenes) {pairs}") }
}

fn overlap_in_words(pair: &Pair, visits: &ColumnPool<'_>, scenes: &ColumnPool<'_>) -> String {
    let key = quoted(visits.name(pair.visits));
    if pair.of_scenes == 0 {
        return format!("joined with {key} of the visits by its name alone: there are no values to compare");
    }
    let rows = |sample: &ExportSample| match sample.is_whole {
        true => format!("all {} rows", sample.rows + sample.repeated),
        false => format!("{} rows", sample.rows + sample.repeated),
    };
    format!(
        "{} of its {} values ({}%) are in {key} of the visits, of whose values {}% occur here (looked at: {} of the scenes, {} of the visits)",
        pair.shared,
        pair.of_scenes,
        pair.percent_of_scenes(),
        pair.percent_of_visits(),
        rows(scenes.sample),
        rows(visits.sample)
    )
}

/// Two columns are called as if they joined the exports, and their values say otherwise.
fn contradicted(pair: &Pair, other: Option<&Pair>, visits: &ColumnPool<'_>, scenes: &ColumnPool<'_>) -> FieldEntry {
    let (key, reference) = (visits.name(pair.visits), scenes.name(pair.scenes));
    let who = match key == reference {
        true => format!("both exports have {}", plainly(key)),
        false => format!("{} of the visits and {} of the scenes have similar names", plainly(key), plainly(reference)),
    };
    let (of_visits, of_scenes) = (&visits.profiles[pair.visits], &scenes.profiles[pair.scenes]);
    let looked_at = if visits.sample.is_whole && scenes.sample.is_whole { "" } else { " that were looked at" };
    let what = match pair.shared {
        0 => "but share no value".to_owned(),
        _ => format!(
            "but only {}% of the scenes' values{looked_at} are among the visits', and {}% of the visits' among the scenes'",
            pair.percent_of_scenes(),
            pair.percent_of_visits()
        ),
    };
    let example = |profile: &ColumnProfile<'_>| profile.example().map(shown).unwrap_or_default();
    let mut entry = FieldEntry::open(FIELD, &format!("{who} {what}; do they cover the same days?")).says(format!(
        "If they do not, export the same days and run init again. There is {} in the visits, {} here.",
        example(of_visits),
        example(of_scenes)
    ));
    if let Some(other) = other {
        entry = entry.says(format!(
            "It may be {}: {}% of the scenes' values are among the visits'. Then change visit_id of the visits as well.",
            pairs_in_words(std::slice::from_ref(other), visits, scenes),
            other.percent_of_scenes()
        ));
    } else {
        entry = entry.or([reference]);
    }
    entry
}

/// A column that is called like the visit's key and repeats among the visits, and one of the scenes with its values.
fn repeating_key(visits: &ColumnPool<'_>, references: &[usize], scenes: &ColumnPool<'_>) -> Option<(usize, usize)> {
    let is_named = |at: &usize| {
        let profile = &visits.profiles[*at];
        profile.name.score(&names::VISIT_ID) >= names::NAMED && profile.uniqueness() < 0.9
    };
    let keys: Vec<usize> = (0..visits.profiles.len()).filter(is_named).collect();
    let shares = |key: usize, at: usize| {
        let (of_visits, of_scenes) = (&visits.profiles[key].distinct, &scenes.profiles[at].distinct);
        2 * of_scenes.intersection(of_visits).count() > of_scenes.len()
    };
    references.iter().find_map(|at| Some((keys.iter().copied().find(|key| shares(*key, *at))?, *at)))
}

/// No pair of columns joins the exports.
fn unjoined(
    partly: &[Pair],
    by_chance: &[Pair],
    visits: &mut ColumnPool<'_>,
    scenes: &ColumnPool<'_>,
) -> (FieldEntry, FieldEntry) {
    let named = visits.named(&names::VISIT_ID, |profile| profile.times.is_none());
    let key = match named.split_first() {
        Some((at, others)) => visits.take(FIELD, *at).or(visits.names(others)),
        None => {
            let offered: BTreeSet<usize> = partly.iter().chain(by_chance).map(|pair| pair.visits).collect();
            FieldEntry::open(FIELD, "no column of the visits shares its values with one of the scenes.")
                .or(offered.into_iter().map(|at| visits.name(at)))
        }
    };
    let mut why = "no column of the scenes holds the values of a column that tells the visits apart: are these exports of the same days?".to_owned();
    let references = scenes.named(&names::VISIT_ID, |profile| profile.times.is_none() && !profile.name.is_bare());
    if let Some((key, at)) = repeating_key(visits, &references, scenes) {
        let profile = &visits.profiles[key];
        why = format!(
            "{} of the visits has the values of {} here, but is no key there: {} rows have {} values. Is there a row for each visit?",
            quoted(visits.name(key)),
            quoted(scenes.name(at)),
            profile.filled,
            profile.distinct.len()
        );
    } else if let Some(at) = references.first() {
        why.push_str(&format!(" {} has the name of a visit's key, but not its values.", quoted(scenes.name(*at))));
    }
    let mut reference = FieldEntry::open(FIELD, &why);
    if !partly.is_empty() {
        let pairs = pairs_in_words(partly, visits, scenes);
        reference = reference.says(format!("Some share a part of their values: {pairs}"));
    }
    if !by_chance.is_empty() {
        let pairs = pairs_in_words(by_chance, visits, scenes);
        reference = reference.says(format!(
            "Some share values as exports of any days do, such as row numbers or stores, and nothing in their names speaks for them: {pairs}"
        ));
    }
    (key, reference)
}
