//! The columns of an export from which fields are filled: each column fills one field at most, and the best named one
//! among those whose values fit is taken first. Where two would do, both are offered.

use super::entry::FieldEntry;
use super::names::{NAMED, Words};
use super::profile::ColumnProfile;
use super::sample::ExportSample;
use super::times::Zoned;
use std::cmp::Reverse;
use std::collections::HashSet;

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

    /// The places of the columns that are not taken. Keys of several columns fill nothing else.
    pub(super) fn free(&self) -> impl Iterator<Item = usize> {
        let is_free = |at: &usize| !self.taken.contains(at) && !self.sample.columns[*at].is_key_of_several();
        (0..self.profiles.len()).filter(is_free)
    }

    /// Which of the times of a column carry their zone. That they are in UTC may be said by its name alone.
    pub(super) fn zoned(&self, at: usize) -> Option<Zoned> {
        let zoned = self.profiles[at].times.as_ref()?.zoned;
        let is_named = zoned != Zoned::All && self.profiles[at].name.is_of_utc();
        Some(if is_named { Zoned::NamedUtc } else { zoned })
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

    /// Fills a field that is text or a key with a column.
    pub(super) fn take(&mut self, field: &'static str, at: usize) -> FieldEntry {
        self.taken.insert(at);
        self.text(field, at)
    }

    /// The entry of a field that is text or a key.
    pub(super) fn text(&self, field: &'static str, at: usize) -> FieldEntry {
        let profile = &self.profiles[at];
        // A job file is handed around: no e-mail address belongs in it.
        let example = profile.column.filled().find(|value| profile.distinct.contains(value) && !value.contains('@'));
        FieldEntry::text(field, profile.column).example(example)
    }
}
