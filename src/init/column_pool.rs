//! The columns of an export from which fields are filled: each column fills one field at most, and the best named one
//! among those whose values fit is taken first.

use super::entry::FieldEntry;
use super::names::{NAMED, Words};
use super::profile::ColumnProfile;
use super::sample::ExportSample;
use std::cmp::Reverse;
use std::collections::HashSet;

/// Values that are times only if the name says so need a name that scores as much as this.
pub(super) const WELL_NAMED: u32 = 40;
/// Names are near each other where their scores differ by no more than this.
const NEAR: u32 = 30;

/// A column for a field, by its place in the export, and others that may be meant too.
pub(super) type Chosen = (usize, Vec<usize>);

/// The columns of an export, and which of them are taken.
pub(super) struct ColumnPool<'a> {
    pub(super) sample: &'a ExportSample,
    pub(super) profiles: Vec<ColumnProfile<'a>>,
    pub(super) taken: HashSet<usize>,
}

impl<'a> ColumnPool<'a> {
    pub(super) fn new(sample: &'a ExportSample) -> ColumnPool<'a> {
        let profiles = sample.columns.iter().map(ColumnProfile::of).collect();
        ColumnPool { sample, profiles, taken: HashSet::new() }
    }

    pub(super) fn name(&self, at: usize) -> &'a str {
        &self.profiles[at].column.name
    }

    pub(super) fn names(&self, columns: &[usize]) -> Vec<&'a str> {
        columns.iter().map(|at| self.name(*at)).collect()
    }

    pub(super) fn place_of(&self, column: &str) -> Option<usize> {
        self.sample.columns.iter().position(|known| known.name == column)
    }

    /// The places of the columns that are not taken.
    pub(super) fn free(&self) -> impl Iterator<Item = usize> {
        (0..self.profiles.len()).filter(|at| !self.taken.contains(at))
    }

    /// The free columns whose values fit, each with the score of its name, the best first.
    pub(super) fn ranked(&self, words: &Words, fits: impl Fn(&ColumnProfile<'_>) -> bool) -> Vec<(usize, u32)> {
        let fitting = self.free().filter(|at| fits(&self.profiles[*at]));
        let score = |at: usize| {
            // Where there are rows, a column without a single value is hardly the one that is meant.
            let is_empty = self.profiles[at].is_empty() && self.sample.rows > 0;
            self.profiles[at].name.score(words) / if is_empty { 4 } else { 1 }
        };
        let mut ranked: Vec<(usize, u32)> = fitting.map(|at| (at, score(at))).collect();
        ranked.sort_by_key(|(at, score)| (Reverse(*score), *at));
        ranked
    }

    /// Those of the free columns that are called by the words and whose values fit, the best first.
    pub(super) fn named(&self, words: &Words, fits: impl Fn(&ColumnProfile<'_>) -> bool) -> Vec<usize> {
        let ranked = self.ranked(words, fits);
        ranked.into_iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| at).collect()
    }

    /// The best named of the free columns whose values fit, and those that are named nearly as well.
    pub(super) fn best(&self, words: &Words, fits: impl Fn(&ColumnProfile<'_>) -> bool) -> Option<Chosen> {
        best_of(&self.ranked(words, fits))
    }

    /// Fills a field with a column.
    pub(super) fn take(&mut self, field: &'static str, at: usize) -> FieldEntry {
        self.taken.insert(at);
        let profile = &self.profiles[at];
        // A job file is handed around: no e-mail address belongs in it.
        let example = profile.column.filled().find(|value| profile.distinct.contains(value) && !value.contains('@'));
        FieldEntry::column(field, self.name(at)).example(example)
    }
}

/// The best of ranked columns, if its name says enough, and those that are named nearly as well.
pub(super) fn best_of(ranked: &[(usize, u32)]) -> Option<Chosen> {
    let (best, score) = *ranked.first().filter(|(_, score)| *score >= NAMED)?;
    let near = ranked[1..].iter().filter(|(_, other)| *other >= NAMED && other + NEAR >= score);
    Some((best, near.map(|(at, _)| *at).collect()))
}
