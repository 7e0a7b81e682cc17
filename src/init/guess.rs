//! Which column fills which field: by what the columns are called and by what they hold. What cannot be told is a
//! question in the job file, never a guess.

use super::entry::{Entry, Value};
use super::keys::{flat_keys, keys};
use super::looks::Looks;
use super::moments::{self, Doubt, Moments, Zone};
use super::names::{self, Words};
use super::sample::Sample;
use super::text::{listed, quoted};
use crate::job::OPEN;
use crate::scan::ScanError;
use std::collections::{BTreeSet, HashSet};

/// A name that scores less says nothing.
pub(super) const NAMED: u32 = 30;
/// Values that need a name to be times need a good one.
pub(super) const WELL_NAMED: u32 = 40;

/// The fields of both sections.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) visits: Vec<Entry>,
    pub(super) scenes: Vec<Entry>,
    pub(super) zone: Zone,
    /// What is asked once for several columns.
    pub(super) doubt: Option<Doubt>,
}

/// Goes through the fields in the order of the job file.
pub(super) fn plan(visits: &Sample, scenes: &Sample, flat: bool) -> Result<Plan, ScanError> {
    let mut guess = Guess::new(visits);
    let mut other = Guess::new(scenes);
    let (visit_id, reference) = if flat { flat_keys(&mut guess) } else { keys(&mut guess, &mut other) };
    if flat {
        other.used = guess.used.clone();
    }
    let Moments { date, start, end, zone, doubt } = moments::moments(&mut guess)?;
    let mut fields = vec![visit_id, guess.store(), date, start, end];
    fields.extend([guess.visit_type(), guess.email(), guess.client_uid()]);
    if flat {
        other.used.extend(guess.used.iter().copied());
    }
    let scene_id = other.scene_id(&reference);
    let task = other.task();
    Ok(Plan { visits: fields, scenes: vec![reference, scene_id, task], zone, doubt })
}

/// An export, and which of its columns are given to a field.
pub(super) struct Guess<'a> {
    pub(super) sample: &'a Sample,
    pub(super) looks: Vec<Looks>,
    pub(super) used: HashSet<usize>,
}

impl<'a> Guess<'a> {
    fn new(sample: &'a Sample) -> Guess<'a> {
        let looks = sample.columns.iter().map(Looks::of).collect();
        Guess { sample, looks, used: HashSet::new() }
    }

    pub(super) fn name(&self, at: usize) -> &'a str {
        &self.sample.column(at).name
    }

    pub(super) fn names(&self, columns: &[usize]) -> Vec<&'a str> {
        columns.iter().map(|at| self.name(*at)).collect()
    }

    /// The free columns that fit, with how well they are named, the best first.
    pub(super) fn ranked(&self, words: &Words, fits: impl Fn(&Looks) -> bool) -> Vec<(usize, u32)> {
        let free = (0..self.looks.len()).filter(|at| !self.used.contains(at));
        let fitting = free.filter(|at| fits(&self.looks[*at]));
        // Where there are rows, a column without a single value is hardly the one that is meant.
        let empty = |at: usize| self.looks[at].is_empty && self.sample.rows > 0;
        let score = |at: usize| self.looks[at].name.score(words) / if empty(at) { 4 } else { 1 };
        let mut ranked: Vec<(usize, u32)> = fitting.map(|at| (at, score(at))).collect();
        ranked.sort_by_key(|(at, score)| (std::cmp::Reverse(*score), *at));
        ranked
    }

    /// The best of them, and those that are named nearly as well.
    pub(super) fn best(&self, words: &Words, fits: impl Fn(&Looks) -> bool) -> Option<(usize, Vec<usize>)> {
        let mut ranked = self.ranked(words, fits);
        ranked.retain(|(_, score)| *score >= NAMED);
        let (best, score) = *ranked.first()?;
        let near = ranked.iter().skip(1).filter(|(_, other)| other + 30 >= score).map(|(at, _)| *at).collect();
        Some((best, near))
    }

    pub(super) fn take(&mut self, field: &'static str, at: usize) -> Entry {
        self.used.insert(at);
        // A job file is handed around: nobody's address belongs in it.
        let examples = self.sample.column(at).filled().filter(|value| !value.contains('@'));
        Entry::column(field, self.name(at)).example(examples)
    }

    pub(super) fn zone_column(&self) -> Option<usize> {
        let fits = |looks: &Looks| looks.zones > 0.98;
        let ranked = self.ranked(&names::ZONE, fits);
        ranked.into_iter().find(|(at, score)| *score >= NAMED || self.looks[*at].surely_zones).map(|(at, _)| at)
    }

    fn store(&mut self) -> Entry {
        let field = "store_number";
        let text =
            |looks: &Looks| looks.emails < 0.5 && looks.reading.as_ref().is_none_or(|reading| reading.needs_a_name);
        match self.best(&names::STORE, text) {
            Some((at, near)) => self.take(field, at).or(self.names(&near)),
            None => {
                let free = self.ranked(&names::STORE, |looks| text(looks) && !looks.times_of_day && !looks.day_numbers);
                let free: Vec<usize> = free.iter().map(|(at, _)| *at).collect();
                let why = "no column is called like a store's number.";
                Entry::open(field, why).or(self.names(&free))
            }
        }
    }

    fn visit_type(&mut self) -> Entry {
        let field = "visit_type_id";
        if let Some((at, near)) = self.best(&names::TYPE, |looks| looks.numbers > 0.98 || looks.is_empty) {
            return self.take(field, at).or(self.names(&near));
        }
        let Some((at, _)) = self.best(&names::TYPE, |looks| !looks.is_empty) else { return Entry::absent(field) };
        const MOST: usize = 12;
        let values: BTreeSet<&str> = self.sample.column(at).filled().collect();
        let map: Vec<String> =
            values.iter().take(MOST).map(|value| format!("{} = {}", quoted(value), quoted(OPEN))).collect();
        let more = if values.len() > MOST { ", …" } else { "" };
        let name = quoted(self.name(at));
        Entry::absent(field)
            .says(format!(
                "{field} is left out: {name} holds no whole numbers. With the numbers that Trax has for them in place of each \"?\":"
            ))
            .says(format!("{field} = {{ column = {name}, map = {{ {}{more} }} }}", map.join(", ")))
    }

    fn email(&mut self) -> Entry {
        let field = "email_address";
        let ranked = self.ranked(&names::EMAIL, |looks| looks.emails >= 0.8 || looks.is_empty);
        let named: Vec<usize> = ranked.iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| *at).collect();
        let nameless: Vec<usize> =
            ranked.iter().filter(|(at, score)| *score == 0 && !self.looks[*at].is_empty).map(|(at, _)| *at).collect();
        match (named.as_slice(), nameless.as_slice()) {
            ([best, others @ ..], _) => self.take(field, *best).or(self.names(others)),
            ([], [only]) => self.take(field, *only).says("told by its values alone"),
            ([], []) => Entry::absent(field),
            ([], several) => Entry::absent(field)
                .says(format!("{field} is left out: addresses are in {}", listed(self.names(several), 6))),
        }
    }

    fn client_uid(&mut self) -> Entry {
        match self.best(&names::CLIENT_UID, |_| true) {
            Some((at, _)) => self.take("client_session_uid", at),
            None => {
                Entry::absent("client_session_uid").says("client_session_uid is left out: the visit_id is sent as it.")
            }
        }
    }

    /// Whether the column tells the scenes of a visit apart, but for a few rows that are there twice.
    fn tells_apart(&self, reference: Option<usize>, at: usize) -> bool {
        let mut seen = HashSet::new();
        let values = &self.sample.column(at).values;
        let visit = |row: usize| reference.and_then(|at| self.sample.column(at).values.get(row)).map(String::as_str);
        let filled: Vec<usize> = (0..values.len()).filter(|row| !values[*row].is_empty()).collect();
        let distinct = filled.iter().filter(|row| seen.insert((visit(**row), &values[**row]))).count();
        !filled.is_empty() && distinct as f64 >= 0.95 * filled.len() as f64
    }

    fn scene_id(&mut self, reference: &Entry) -> Entry {
        let field = "scene_id";
        let reference = match &reference.value {
            Value::Column(column) => self.sample.columns.iter().position(|known| known.name == *column),
            _ => None,
        };
        let apart: HashSet<usize> =
            (0..self.looks.len()).filter(|at| self.looks[*at].is_empty || self.tells_apart(reference, *at)).collect();
        let named = self.ranked(&names::SCENE, |_| true);
        let named: Vec<usize> = named.into_iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| at).collect();
        let good: Vec<usize> = named.iter().copied().filter(|at| apart.contains(at)).collect();
        if let Some((best, others)) = good.split_first() {
            return self.take(field, *best).or(self.names(others));
        }
        let usable = |at: &usize| {
            let looks = &self.looks[*at];
            let is_else = looks.is_empty || looks.reading.is_some() || looks.emails > 0.5 || looks.zones > 0.98;
            // A name would make up for a key that begins anew in every visit; without one it has to be unique.
            !is_else && !self.used.contains(at) && self.sample.column(*at).uniqueness() >= 0.99
        };
        let others: Vec<usize> = (0..self.looks.len()).filter(usable).collect();
        match (named.first(), others.as_slice()) {
            (Some(at), _) => {
                let doubt =
                    format!("{} repeats within a visit: its scenes would not be told apart", quoted(self.name(*at)));
                let mut entry = self.take(field, *at).says(&doubt).or(self.names(&others));
                entry.doubt = Some(format!("{field}: {doubt}"));
                entry
            }
            (None, [only]) => self.take(field, *only).says("told by its values alone: each is there once"),
            (None, _) => Entry::open(field, "no column is called like the key of a scene.").or(self.names(&others)),
        }
    }

    fn task(&mut self) -> Entry {
        let field = "task_code";
        let text = |looks: &Looks| looks.reading.as_ref().is_none_or(|reading| reading.needs_a_name);
        match self.best(&names::TASK, text) {
            Some((at, near)) => self.take(field, at).or(self.names(&near)),
            None => Entry::absent(field).says("task_code is left out: no column is called like it."),
        }
    }
}
