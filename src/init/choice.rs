//! Which of several columns fills a field: one where its name or its values tell it, a question where two would do.

use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::names::{NAMED, WHOLE, Words};
use super::profile::ColumnProfile;
use super::toml_text::either;
use std::collections::HashSet;

/// Names are near each other where their scores differ by no more than this.
const NEAR: u32 = 30;
/// Of two names that are nearer to each other than this, neither tells the field.
const CLOSE: u32 = 20;

/// With such a name, a column may be another identifier of the same things.
const GOOD: u32 = 50;

/// What is known of the column for a field, by their places in the export.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// No column is called by it.
    None,
    /// This one, and others that are named nearly as well.
    One(usize, Vec<usize>),
    /// Two or more would do, the likeliest first.
    Several(Vec<usize>),
}

impl Choice {
    /// The columns that may be meant, the likeliest first.
    pub(super) fn places(&self) -> &[usize] {
        match self {
            Choice::None => &[],
            Choice::One(at, _) => std::slice::from_ref(at),
            Choice::Several(all) => all,
        }
    }
}

impl ColumnPool<'_> {
    /// Chooses among the free columns whose values fit. What may be meant is taken, also where it is asked for.
    pub(super) fn choose(&mut self, field: &str, words: &Words, fits: impl Fn(&ColumnProfile<'_>) -> bool) -> Choice {
        let choice = choose(self, field, &self.ranked(words, fits));
        self.taken.extend(choice.places());
        choice
    }

    /// The entry of a field for which columns were chosen, made from the entry of each of them.
    pub(super) fn entry(
        &self,
        field: &'static str,
        choice: &Choice,
        entry: impl Fn(usize) -> FieldEntry,
    ) -> FieldEntry {
        match choice {
            Choice::None => FieldEntry::absent(field),
            Choice::One(at, near) => entry(*at).or(self.names(near)),
            Choice::Several(all) => {
                let options: Vec<FieldEntry> = all.iter().take(6).map(|at| entry(*at)).collect();
                let why = format!("{} may be meant.", either(&self.names(all)));
                FieldEntry::one_of(field, &why, &options)
            }
        }
    }
}

/// Chooses among ranked columns, each with the score of its name.
pub(super) fn choose(pool: &ColumnPool<'_>, field: &str, ranked: &[(usize, u32)]) -> Choice {
    let mut named = ranked.iter().copied().filter(|(_, score)| *score >= NAMED);
    // The name of the field itself leaves nothing to ask.
    let own = named.clone().find(|(at, _)| pool.profiles[*at].name.is_field(field) && !pool.profiles[*at].is_empty());
    let Some((best, score)) = own.or_else(|| named.next()) else { return Choice::None };
    let near = || ranked.iter().filter(|(at, other)| *at != best && *other >= NAMED && other + NEAR >= score);
    let is_rival = |(at, other): &&(usize, u32)| {
        let is_as_well_named = *other == score || (*other >= WHOLE && other + CLOSE >= score);
        let is_as_well_named = is_as_well_named || *other >= GOOD && name_the_same(pool, *at, best);
        own.is_none() && is_as_well_named && is_as_full(pool, *at, best) && !say_the_same(pool, *at, best)
    };
    let others = || ranked.iter().filter(|(at, other)| *at != best && *other >= NAMED);
    let rivals: Vec<usize> = others().filter(is_rival).map(|(at, _)| *at).collect();
    match rivals.is_empty() {
        true => Choice::One(best, near().map(|(at, _)| *at).collect()),
        false => Choice::Several(std::iter::once(best).chain(rivals).collect()),
    }
}

/// Whether a column has a value in at least half as many rows as another.
fn is_as_full(pool: &ColumnPool<'_>, at: usize, best: usize) -> bool {
    2 * pool.profiles[at].filled >= pool.profiles[best].filled.max(1)
}

/// Whether two columns have the same value wherever both have one.
fn say_the_same(pool: &ColumnPool<'_>, one: usize, other: usize) -> bool {
    let pairs = || pool.profiles[one].rows().zip(pool.profiles[other].rows());
    let mut both = pairs().filter(|(one, other)| !one.is_empty() && !other.is_empty()).peekable();
    both.peek().is_some() && both.all(|(one, other)| one == other)
}

/// Whether two columns are identifiers of the same things: each value of the one goes with one value of the
/// other.
fn name_the_same(pool: &ColumnPool<'_>, one: usize, other: usize) -> bool {
    let (of_one, of_other) = (&pool.profiles[one], &pool.profiles[other]);
    let pairs: HashSet<(&str, &str)> = of_one.rows().zip(of_other.rows()).collect();
    let are_codes = of_one.codes > 0.9 && of_other.codes > 0.9 && of_one.times.is_none() && of_other.times.is_none();
    are_codes
        && of_one.distinct.len() > 1
        && pairs.len() == of_one.distinct.len()
        && pairs.len() == of_other.distinct.len()
}
