//! The key of a visit in both exports: by the values that they share, in a flat export by what repeats with it. Where
//! names and values contradict each other, or only running numbers agree, nobody but a person can say.

use super::entry::Entry;
use super::guess::{Guess, NAMED};
use super::joining::{self, Join};
use super::names;
use super::sample::{Column, Sample};
use super::text::{plainly, quoted, shown};
use std::collections::{HashMap, HashSet};

/// The visit's key in both exports, told by the values that they share.
pub(super) fn keys(visits: &mut Guess<'_>, scenes: &mut Guess<'_>) -> (Entry, Entry) {
    let found = joining::candidates(visits.sample, scenes.sample);
    if let Some(join) = &found.contradicted {
        return contradicted(join, found.joins.first(), visits, scenes);
    }
    let Some((best, others)) = found.joins.split_first() else { return unjoined(&found.by_chance, visits, scenes) };
    let key = visits.take("visit_id", best.visits);
    let mut reference = scenes.take("visit_id", best.scenes);
    let said = overlap_in_words(best, visits, scenes);
    reference = reference.says(&said);
    let seen_in_full = visits.sample.whole && scenes.sample.whole;
    if best.distinct > 0 && (best.of_scenes() < 0.5 && seen_in_full || best.shared == 0) {
        reference.doubt = Some(format!("visit_id: {said}"));
    }
    if !others.is_empty() {
        reference = reference.says(format!("could also be (visits = scenes) {}", pairs(others, visits, scenes)));
    }
    (key, reference)
}

fn pairs(joins: &[Join], visits: &Guess<'_>, scenes: &Guess<'_>) -> String {
    let pair = |join: &Join| format!("{} = {}", quoted(visits.name(join.visits)), quoted(scenes.name(join.scenes)));
    joins.iter().take(4).map(pair).collect::<Vec<_>>().join(", ")
}

fn overlap_in_words(join: &Join, visits: &Guess<'_>, scenes: &Guess<'_>) -> String {
    let key = quoted(visits.name(join.visits));
    if join.distinct == 0 {
        return format!("joined with {key} of the visits by its name alone: there are no values to compare");
    }
    // Rounded down: 100% is all of them.
    let share = (join.of_scenes() * 100.0).floor();
    let of_visits = (join.of_visits * 100.0).floor();
    let part = if visits.sample.whole && scenes.sample.whole { "" } else { "; the rest may show more" };
    let rows = |sample: &Sample| match sample.whole {
        true => format!("all {} rows", sample.key_rows),
        false => format!("the first {} rows", sample.key_rows),
    };
    format!(
        "{} of its {} values ({share}%) are in {key} of the visits, of whose values {of_visits}% occur here (looked at: {} of the scenes, {} of the visits{part})",
        join.shared,
        join.distinct,
        rows(scenes.sample),
        rows(visits.sample)
    )
}

/// Two columns are called as if they joined the exports, and their values say otherwise.
fn contradicted(join: &Join, other: Option<&Join>, visits: &mut Guess<'_>, scenes: &mut Guess<'_>) -> (Entry, Entry) {
    let (key, reference) = (visits.name(join.visits), scenes.name(join.scenes));
    let who = match key == reference {
        true => format!("both exports have {}", plainly(key)),
        false => format!("{} of the visits and {} of the scenes are called alike", plainly(key), plainly(reference)),
    };
    let share = (join.of_scenes() * 100.0).floor();
    let what = match join.shared {
        0 => "but share no value".to_owned(),
        _ => format!("but only {share}% of the scenes' values are among the visits'"),
    };
    let (of_visits, of_scenes) = (visits.sample.column(join.visits), scenes.sample.column(join.scenes));
    let mut entry = match written_otherwise(of_visits, of_scenes) {
        Some((one, other)) => {
            let why = format!("{who} {what} as they are written: {one} there, {other} here.");
            Entry::open("visit_id", &why).says("Export both in the same way and run init again.")
        }
        None => {
            let example = |column: &Column| column.filled().next().map(shown).unwrap_or_default();
            Entry::open("visit_id", &format!("{who} {what}; do they cover the same days?")).says(format!(
                "If they do not, make both exports of the same days and run init again. There is {} in the visits, {} here.",
                example(of_visits),
                example(of_scenes)
            ))
        }
    };
    if let Some(other) = other {
        entry = entry.says(format!(
            "It may be (visits = scenes) {}: {}% of the scenes' values are among the visits'. Then change visit_id of the visits as well.",
            pairs(std::slice::from_ref(other), visits, scenes),
            (other.of_scenes() * 100.0).floor()
        ));
    } else {
        entry = entry.or([reference]);
    }
    (visits.take("visit_id", join.visits), entry)
}

/// A key of both that differs only in zeros before it, in capitals or in braces around it, where that is what most of them
/// do.
fn written_otherwise(of_visits: &Column, of_scenes: &Column) -> Option<(String, String)> {
    let plain = |text: &str| {
        let bare = text.trim_matches(['{', '}']).trim_end_matches(".0").to_lowercase();
        bare.trim_start_matches('0').to_owned()
    };
    let keys: HashMap<String, &str> = of_visits.filled().map(|key| (plain(key), key)).collect();
    let references: HashSet<&str> = of_scenes.filled().collect();
    let pairs = || references.iter().filter_map(|reference| Some((*keys.get(&plain(reference))?, *reference)));
    let differing = || pairs().filter(|(key, reference)| key != reference);
    let is_usual = 2 * differing().count() > references.len();
    let (key, reference) = differing().min().filter(|_| is_usual)?;
    Some((shown(key), shown(reference)))
}

/// The exports share no key.
fn unjoined(by_chance: &[Join], visits: &mut Guess<'_>, scenes: &mut Guess<'_>) -> (Entry, Entry) {
    let named = |guess: &Guess<'_>, bare: bool| -> Vec<usize> {
        let ranked = guess.ranked(&names::VISIT_ID, |looks| looks.reading.is_none() && (bare || !looks.name.is_bare()));
        ranked.into_iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| at).collect()
    };
    let key = match named(visits, true).split_first() {
        Some((at, others)) => visits.take("visit_id", *at).or(visits.names(others)),
        None => Entry::open("visit_id", "no column of the visits shares its values with one of the scenes.")
            .or(by_chance.iter().map(|join| visits.name(join.visits)).collect::<HashSet<_>>()),
    };
    let why = "no column of the scenes holds the values of a column that tells the visits apart: are these exports of the same days?";
    let mut reference = match named(scenes, false).first() {
        Some(at) => {
            let name = quoted(scenes.name(*at));
            let why = format!("{why} {name} is called like it, but none of its values is a visit's.");
            Entry::open("visit_id", &why)
        }
        None => Entry::open("visit_id", why),
    };
    if !by_chance.is_empty() {
        let pairs = pairs(by_chance, visits, scenes);
        reference = reference.says(format!(
            "Some share values as exports of any days do, such as row numbers or stores, and nothing in their names speaks for them: (visits = scenes) {pairs}"
        ));
    }
    (key, reference)
}

/// The visit's key in a flat export, where it repeats from scene to scene.
pub(super) fn flat_keys(guess: &mut Guess<'_>) -> (Entry, Entry) {
    let said = "one flat export: both sections name the same file, a row a scene";
    let with =
        |entry: Entry| (entry.clone(), Entry { above: vec![said.to_owned()], question: None, doubt: None, ..entry });
    let repeats = |at: &usize| {
        let column = guess.sample.column(*at);
        column.filled > 0 && (column.keys.len() as f64) < 0.95 * column.filled as f64
    };
    // A bare `id` in a row a scene is the scene's; a key that never repeats is no visit's, but in exports of single scenes.
    let named = guess.ranked(&names::VISIT_ID, |looks| {
        !looks.name.is_bare() && looks.reading.as_ref().is_none_or(|reading| reading.needs_a_name)
    });
    let named: Vec<usize> = named.into_iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| at).collect();
    let by_values = visit_columns(guess);
    let repeating_names: Vec<usize> = named.iter().copied().filter(repeats).collect();
    if let Some((best, others)) = repeating_names.split_first().or(named.split_first().filter(|_| by_values.is_empty()))
    {
        let entry = guess.take("visit_id", *best).or(guess.names(others));
        return with(entry);
    }
    if let Some((best, others)) = by_values.split_first() {
        let entry = guess
            .take("visit_id", *best)
            .says("told by its values: store and start are the same wherever it is, and differ where it does");
        return with(entry.or(guess.names(others)));
    }
    let repeating: Vec<usize> =
        (0..guess.looks.len()).filter(|at| guess.looks[*at].reading.is_none() && repeats(at)).collect();
    let entry = Entry::open("visit_id", "no column of this flat export is called like the key of a visit.");
    let reference = Entry::open("visit_id", "the same column as under [visits.columns].");
    (entry.or(guess.names(&repeating)), Entry { above: vec![said.to_owned()], ..reference })
}

/// The columns that part the rows of a flat export as store and start do: a key of its visits repeats, what belongs to the
/// visit depends on it, and it tells apart what differs there.
fn visit_columns(guess: &Guess<'_>) -> Vec<usize> {
    let sample = guess.sample;
    let best = |words, fits: &dyn Fn(&super::looks::Looks) -> bool| guess.best(words, fits).map(|(at, _)| at);
    let Some(start) = best(&names::START, &|looks| looks.has_times() && !looks.is_empty) else { return Vec::new() };
    let Some(store) = best(&names::STORE, &|looks| looks.reading.is_none() && !looks.is_empty) else {
        return Vec::new();
    };
    let email = best(&names::EMAIL, &|looks| looks.emails > 0.5);
    let of_visits: Vec<usize> = [start, store].into_iter().chain(email).collect();
    let moment = |row: usize| of_visits.iter().map(|at| sample.column(*at).values[row].as_str()).collect::<Vec<_>>();
    let is_key = |at: &usize| {
        let (column, looks) = (sample.column(*at), &guess.looks[*at]);
        let is_else = looks.reading.as_ref().is_some_and(|reading| !reading.needs_a_name)
            || looks.emails > 0.5
            || looks.zones > 0.98
            || looks.times_of_day
            || of_visits.contains(at);
        if is_else || column.filled < column.values.len() {
            return false;
        }
        let mut visits: HashMap<&str, Vec<&str>> = HashMap::new();
        for (row, key) in column.values.iter().enumerate() {
            let of_row = moment(row);
            if *visits.entry(key.as_str()).or_insert_with(|| of_row.clone()) != of_row {
                return false;
            }
        }
        let moments: HashSet<&Vec<&str>> = visits.values().collect();
        // A key that repeats nowhere belongs to the scenes; one that splits visits, to something within them.
        visits.len() > 1 && visits.len() < column.values.len() && moments.len() == visits.len()
    };
    (0..guess.looks.len()).filter(is_key).collect()
}
