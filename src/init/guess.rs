//! Which column fills which field: by what the columns are called and by what they hold. What cannot be told is a
//! question in the job file, never a guess.

use super::entry::{Entry, Value};
use super::joining::{self, Join};
use super::looks::Looks;
use super::names::{self, Words};
use super::sample::Sample;
use super::text::{listed, quoted, shown};
use super::times::{Order, Reading, Way, Zoned};
use crate::job::OPEN;
use crate::scan::ScanError;
use std::collections::{BTreeSet, HashSet};

/// A name that scores less says nothing.
const NAMED: u32 = 30;
/// Values that need a name to be times need a good one.
const WELL_NAMED: u32 = 40;

/// The fields of both sections.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) visits: Vec<Entry>,
    pub(super) scenes: Vec<Entry>,
    pub(super) zone: Zone,
}

/// What is to be said of the job's time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Every time carries its own, or each row names it.
    Known,
    /// Times carry none.
    Asked,
    /// Times carry one, but the date of a visit has to be told from them.
    AskedForDates,
    /// There is no start of which it could be said.
    Unknown,
}

/// Goes through the fields in the order of the job file.
pub(super) fn plan(visits: &Sample, scenes: &Sample, flat: bool) -> Result<Plan, ScanError> {
    let mut guess = Guess::new(visits);
    let mut other = Guess::new(scenes);
    let (visit_id, reference) = if flat { flat_keys(&mut guess) } else { keys(&mut guess, &mut other) };
    if flat {
        other.used = guess.used.clone();
    }
    let zone_column = guess.zone_column();
    let start_column = guess.start();
    let start = start_column.as_ref().and_then(|(at, _)| guess.looks[*at].reading.clone());
    let date = guess.date()?;
    let dated = date.value != Value::Absent;
    let needs_zone =
        start.as_ref().is_some_and(|reading| !matches!(reading.zoned, Zoned::All | Zoned::NamedUtc) || !dated);
    let mut zone = match (&start, needs_zone) {
        (None, _) => Zone::Unknown,
        (_, false) => Zone::Known,
        (Some(reading), true) if matches!(reading.zoned, Zoned::All) => Zone::AskedForDates,
        // With its own zone, the column also tells the date.
        (Some(reading), true) if reading.zoned == Zoned::NamedUtc => Zone::Known,
        _ => Zone::Asked,
    };
    let zone_column = zone_column.filter(|_| needs_zone);
    if zone_column.is_some() {
        zone = Zone::Known;
    }
    let start = match start_column {
        Some((at, near)) => guess.time("session_start_time", at, zone_column)?.or(guess.names(&near)),
        None => guess.no_start(),
    };
    let end = guess.end(zone_column)?;
    if zone == Zone::Known && zone_column.is_none() && guess.is_zoneless(&end) {
        zone = Zone::Asked;
    }
    let mut fields = vec![visit_id, guess.store(), date, start, end];
    fields.extend([guess.visit_type(), guess.email(), guess.client_uid()]);
    if flat {
        other.used.extend(guess.used.iter().copied());
    }
    let scene_id = other.scene_id(&reference);
    let task = other.task();
    Ok(Plan { visits: fields, scenes: vec![reference, scene_id, task], zone })
}

struct Guess<'a> {
    sample: &'a Sample,
    looks: Vec<Looks>,
    used: HashSet<usize>,
}

impl<'a> Guess<'a> {
    fn new(sample: &'a Sample) -> Guess<'a> {
        let looks = sample.columns.iter().map(Looks::of).collect();
        Guess { sample, looks, used: HashSet::new() }
    }

    fn name(&self, at: usize) -> &'a str {
        &self.sample.column(at).name
    }

    fn names(&self, columns: &[usize]) -> Vec<&'a str> {
        columns.iter().map(|at| self.name(*at)).collect()
    }

    /// The free columns that fit, with how well they are named, the best first.
    fn ranked(&self, words: &Words, fits: impl Fn(&Looks) -> bool) -> Vec<(usize, u32)> {
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
    fn best(&self, words: &Words, fits: impl Fn(&Looks) -> bool) -> Option<(usize, Vec<usize>)> {
        let mut ranked = self.ranked(words, fits);
        ranked.retain(|(_, score)| *score >= NAMED);
        let (best, score) = *ranked.first()?;
        let near = ranked.iter().skip(1).filter(|(_, other)| other + 30 >= score).map(|(at, _)| *at).collect();
        Some((best, near))
    }

    fn take(&mut self, field: &'static str, at: usize) -> Entry {
        self.used.insert(at);
        // A job file is handed around: nobody's address belongs in it.
        let examples = self.sample.column(at).filled().filter(|value| !value.contains('@'));
        Entry::column(field, self.name(at)).example(examples)
    }

    fn zone_column(&self) -> Option<usize> {
        let fits = |looks: &Looks| looks.zones > 0.98;
        let ranked = self.ranked(&names::ZONE, fits);
        ranked.into_iter().find(|(at, score)| *score >= NAMED || self.looks[*at].surely_zones).map(|(at, _)| at)
    }

    /// The column that tells when a visit began, and others that are named nearly as well.
    fn start(&mut self) -> Option<(usize, Vec<usize>)> {
        let times = |looks: &Looks| looks.has_times();
        let mut ranked = self.ranked(&names::START, times);
        for (at, score) in &mut ranked {
            // A column called "date" that holds times tells when the visit began.
            *score = (*score).max(self.looks[*at].name.score(&names::DATE) / 2);
            if self.looks[*at].needs_a_name() && *score < WELL_NAMED {
                *score = 0;
            }
        }
        ranked.sort_by_key(|(at, score)| (std::cmp::Reverse(*score), *at));
        let named = ranked.first().filter(|(_, score)| *score >= NAMED).map(|(at, _)| *at);
        // The only times of an export can be nothing else.
        let nameless: Vec<usize> = ranked
            .iter()
            .map(|(at, _)| *at)
            .filter(|at| !self.looks[*at].needs_a_name() && self.looks[*at].name.score(&names::END) < NAMED)
            .collect();
        let found = named.or(match nameless.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let found = found?;
        self.used.insert(found);
        let best = ranked.first().map_or(0, |(_, score)| *score);
        let near = ranked.iter().filter(|(at, score)| *at != found && *score >= NAMED && score + 30 >= best);
        Some((found, near.map(|(at, _)| *at).collect()))
    }

    fn no_start(&self) -> Entry {
        let field = "session_start_time";
        let unfit = self.ranked(&names::START, |looks| !looks.has_times());
        let why = match unfit.first().filter(|(_, score)| *score >= NAMED) {
            Some((at, _)) => format!("{} {}", quoted(self.name(*at)), self.why_no_time(*at)),
            None => "no column is known to hold the time at which a visit began.".to_owned(),
        };
        let times: Vec<usize> = self.ranked(&names::START, Looks::has_times).iter().map(|(at, _)| *at).collect();
        let times: Vec<usize> = times.into_iter().filter(|at| !self.looks[*at].needs_a_name()).collect();
        let entry = Entry::open(field, &why);
        if times.is_empty() { entry } else { entry.says(format!("Times are in {}.", listed(self.names(&times), 6))) }
    }

    /// A sentence's end: what a column with the name of a time holds in its place.
    fn why_no_time(&self, at: usize) -> String {
        let looks = &self.looks[at];
        let example = self.sample.column(at).filled().next().map(shown).unwrap_or_default();
        if looks.times_of_day {
            format!("holds times of day without a date, such as {example}: date and time have to be in one column.")
        } else if looks.day_numbers {
            format!("holds day numbers of a spreadsheet, such as {example}: export it as text or as a date.")
        } else if looks.reading.is_some() {
            format!("holds dates without a time of day, such as {example}.")
        } else {
            format!("holds no times that can be read, such as {example}.")
        }
    }

    fn end(&mut self, zone_column: Option<usize>) -> Result<Entry, ScanError> {
        let field = "session_end_time";
        let times = |looks: &Looks| looks.has_times();
        let mut ranked = self.ranked(&names::END, times);
        ranked.retain(|(at, score)| *score >= if self.looks[*at].needs_a_name() { WELL_NAMED } else { NAMED });
        if let Some((at, _)) = ranked.first() {
            let others: Vec<usize> = ranked.iter().skip(1).map(|(at, _)| *at).collect();
            self.used.insert(*at);
            return Ok(self.time(field, *at, zone_column)?.or(self.names(&others)));
        }
        let unfit = self.ranked(&names::END, |looks| !looks.has_times());
        Ok(match unfit.first().filter(|(_, score)| *score >= NAMED) {
            Some((at, _)) => {
                let why = self.why_no_time(*at);
                Entry::absent(field).says(format!("{field} is left out: {} {why}", quoted(self.name(*at))))
            }
            None => Entry::absent(field),
        })
    }

    fn is_zoneless(&self, entry: &Entry) -> bool {
        let column = match &entry.value {
            Value::Column(column) => column,
            Value::Table(pairs) => match pairs.first() {
                Some((_, column)) => column,
                None => return false,
            },
            _ => return false,
        };
        let at = self.sample.columns.iter().position(|known| known.name == *column);
        let reading = at.and_then(|at| self.looks[at].reading.as_ref());
        reading.is_some_and(|reading| matches!(reading.zoned, Zoned::None | Zoned::Some))
    }

    /// A column of times with all that has to be said to read it.
    fn time(&self, field: &'static str, at: usize, zone_column: Option<usize>) -> Result<Entry, ScanError> {
        let entry = self.moment(field, at)?;
        let zone = self.looks[at].reading.as_ref().map(|reading| reading.zoned);
        let extra = match (zone, zone_column) {
            (Some(Zoned::NamedUtc), _) => Some(("timezone", "UTC".to_owned())),
            (_, Some(column)) => Some(("timezone_column", self.name(column).to_owned())),
            _ => None,
        };
        Ok(match extra {
            Some(extra) => with(entry, extra),
            None => entry,
        })
    }

    /// A column of times or dates, and how they are written.
    fn moment(&self, field: &'static str, at: usize) -> Result<Entry, ScanError> {
        let column = self.sample.column(at);
        let mut entry = Entry::column(field, &column.name).example(column.filled());
        let Some(reading) = &self.looks[at].reading else {
            return Ok(entry.says(format!(
                "{} has no values by which it could be told how they are written",
                quoted(&column.name)
            )));
        };
        match &reading.way {
            Way::Plain => {}
            Way::Epoch("s") => entry.beside.push_str(", seconds since 1970"),
            Way::Epoch(unit) => entry = with(entry, ("unit", (*unit).to_owned())),
            Way::Formats(orders) => entry = self.written(entry, at, orders.clone(), reading)?,
        }
        if reading.misfits > 0 {
            let misfit = reading.misfit.as_deref().map(shown).unwrap_or_default();
            let doubt =
                format!("sampled values that are written in another way: {}, such as {misfit}", reading.misfits);
            entry = entry.says(&doubt);
            entry.doubt = Some(format!("{field}: {doubt}"));
        }
        Ok(entry)
    }

    fn written(&self, entry: Entry, at: usize, mut orders: Vec<Order>, reading: &Reading) -> Result<Entry, ScanError> {
        let column = self.sample.column(at);
        if orders.len() > 1 && reading.misfits == 0 {
            self.sample.narrow(&column.name, &mut orders)?;
        }
        if let [only] = orders.as_slice() {
            return Ok(with(entry, ("format", only.format.clone())));
        }
        let example = column.filled().next().map(shown).unwrap_or_default();
        let readings: Vec<&str> = orders.iter().map(|order| order.order).collect();
        let readings = readings.join(" or ");
        let why = match reading.misfits {
            0 => format!("{example} may be {readings}, and no value that was looked at decides it."),
            _ => format!("{example} may be {readings}, and the values contradict each other."),
        };
        let field = entry.field;
        let mut entry = with(entry, ("format", OPEN.to_owned()));
        entry.above.push(format!("QUESTION: {why} Put one of these formats in place of \"?\":"));
        for order in &orders {
            entry.above.push(format!("  format = {}   {}", quoted(&order.format), order.order));
        }
        entry.question = Some(format!("{field}: {why}"));
        Ok(entry)
    }

    fn date(&mut self) -> Result<Entry, ScanError> {
        let field = "visit_date";
        let Some((at, near)) = self.best(&names::DATE, Looks::has_dates) else {
            return Ok(Entry::absent(field));
        };
        if self.looks[at].needs_a_name() && self.looks[at].name.score(&names::DATE) < WELL_NAMED {
            return Ok(Entry::absent(field));
        }
        self.used.insert(at);
        Ok(self.moment(field, at)?.or(self.names(&near)))
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
        let map: Vec<String> = values.iter().take(MOST).map(|value| format!("{} = 0", quoted(value))).collect();
        let more = if values.len() > MOST { ", …" } else { "" };
        let name = quoted(self.name(at));
        Entry::absent(field)
            .says(format!(
                "{field} is left out: {name} holds no whole numbers. With the numbers that Trax has for them:"
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

/// A key and its value added to a column's table.
fn with(mut entry: Entry, pair: (&'static str, String)) -> Entry {
    entry.value = match entry.value {
        Value::Column(column) => Value::Table(vec![("column", column), pair]),
        Value::Table(mut pairs) => {
            pairs.push(pair);
            Value::Table(pairs)
        }
        other => other,
    };
    entry
}

/// The visit's key in both exports, told by the values that they share.
fn keys(visits: &mut Guess<'_>, scenes: &mut Guess<'_>) -> (Entry, Entry) {
    let joins = joining::candidates(visits.sample, scenes.sample);
    let Some((best, others)) = joins.split_first() else { return unjoined(visits, scenes) };
    let key = visits.take("visit_id", best.visits);
    let mut reference = scenes.take("visit_id", best.scenes);
    let others = others
        .iter()
        .map(|join| format!("{} = {}", quoted(visits.name(join.visits)), quoted(scenes.name(join.scenes))));
    let others: Vec<String> = others.take(4).collect();
    let said = overlap_in_words(best, visits, scenes);
    reference = reference.says(&said);
    let seen_in_full = visits.sample.whole && scenes.sample.whole;
    if best.distinct > 0 && (best.of_scenes() < 0.5 && seen_in_full || best.shared == 0) {
        reference.doubt = Some(format!("visit_id: {said}"));
    }
    if !others.is_empty() {
        reference = reference.says(format!("could also be (visits = scenes) {}", others.join(", ")));
    }
    (key, reference)
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

/// The exports share no key.
fn unjoined(visits: &mut Guess<'_>, scenes: &mut Guess<'_>) -> (Entry, Entry) {
    let unique = |guess: &Guess<'_>| -> Vec<usize> {
        let ranked = guess.ranked(&names::VISIT_ID, |looks| looks.reading.is_none());
        ranked.into_iter().filter(|(_, score)| *score >= NAMED).map(|(at, _)| at).collect()
    };
    let key = match unique(visits).split_first() {
        Some((at, others)) => visits.take("visit_id", *at).or(visits.names(others)),
        None => Entry::open("visit_id", "no column of the visits shares its values with one of the scenes."),
    };
    let why = "no column of the scenes holds the values of a column that tells the visits apart: are these exports of the same days?";
    let reference = match unique(scenes).first() {
        Some(at) => {
            let name = quoted(scenes.name(*at));
            let why = format!("{why} {name} is called like it, but none of its values is a visit's.");
            Entry::open("visit_id", &why)
        }
        None => Entry::open("visit_id", why),
    };
    (key, reference)
}

/// The visit's key in a flat export, where it repeats from scene to scene.
fn flat_keys(guess: &mut Guess<'_>) -> (Entry, Entry) {
    let named = guess.best(&names::VISIT_ID, |looks| looks.reading.as_ref().is_none_or(|reading| reading.needs_a_name));
    let said = "one flat export: both sections name the same file, a row a scene";
    if let Some((at, near)) = named {
        let entry = guess.take("visit_id", at).or(guess.names(&near));
        return (entry.clone(), Entry { above: vec![said.to_owned()], ..entry });
    }
    let repeats = |at: &usize| {
        let column = guess.sample.column(*at);
        guess.looks[*at].reading.is_none()
            && column.filled > 0
            && (column.keys.len() as f64) < 0.9 * column.filled as f64
    };
    let repeating: Vec<usize> = (0..guess.looks.len()).filter(repeats).collect();
    let entry = Entry::open("visit_id", "no column of this flat export is called like the key of a visit.");
    let entry = entry.or(guess.names(&repeating));
    (entry.clone(), Entry { above: vec![said.to_owned()], ..entry })
}
