//! Builds every visit once, without keeping it: what `check` reports, and what `run` must know before it sends.

use super::exit::{Exit, Failure};
use super::exports::Exports;
use super::text::count;
use crate::build::{Builder, CHUNKS_PER_THREAD, Code, Glance, Rules, at_once, in_order};
use crate::scan::Location;
use crate::shuffle::{Grouped, PLACES, ShuffleError, Tally};
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};

/// How many problems of a kind are shown.
const EXAMPLES: usize = 5;

/// What building every visit has shown.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// What was counted while reading and grouping.
    pub(super) tally: Tally,
    pub(super) valid: u64,
    pub(super) invalid: u64,
    /// Not wanted, and not built.
    pub(super) passed_over: u64,
    /// Scenes of valid visits.
    pub(super) scenes: u64,
    /// Scene rows of valid visits that say the same as an earlier one.
    pub(super) identical_scenes: u64,
    /// Scene rows that are with their visits, whatever becomes of those.
    pub(super) grouped_scenes: u64,
    pub(super) body_bytes: u64,
    /// Valid visits by their date.
    pub(super) by_day: BTreeMap<NaiveDate, u64>,
    /// The first valid visit, as it was read. There are more only for as long as it is not known which one that is.
    firsts: Vec<Glance>,
    pub(super) problems: BTreeMap<Code, Found>,
}

/// All problems of one kind.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) count: u64,
    /// The first ones.
    pub(super) examples: Vec<Example>,
}

#[derive(Debug)]
pub(super) struct Example {
    /// The row of the visit, which the problem need not stand in.
    visit: Location,
    /// Field, message and place.
    pub(super) text: String,
}

/// Takes bodies, one a line, in order.
pub(super) type Bodies<'a> = &'a mut dyn FnMut(&[u8]) -> std::io::Result<()>;

/// Builds the visits that are `wanted` of each stretch, in parallel. `bodies` gets the bodies of the valid visits,
/// if anybody wants them.
pub(super) fn survey(
    exports: &Exports,
    rules: &Rules,
    now: i64,
    wanted: &(dyn Fn(&Grouped, Range<usize>) -> Vec<usize> + Sync),
    mut bodies: Option<Bodies<'_>>,
) -> Result<Survey, SurveyError> {
    let shuffled = &exports.shuffled;
    let mut all = Survey { tally: shuffled.tally().clone(), ..Survey::default() };
    shuffled.each(|grouped| {
        let mut whole = Survey { tally: grouped.tally().clone(), ..Survey::default() };
        let builder = Builder::new(rules, grouped, now);
        let keep = bodies.is_some();
        let chunk = |range: Range<usize>| {
            let mut part = Survey::default();
            let mut lines = Vec::with_capacity(if keep { range.len() * 512 } else { 4096 });
            let count = range.len();
            // Differing rows of one key share its scenes.
            let firsts = range.clone().map(|at| grouped.visit(at)).filter(|visit| visit.is_first());
            part.grouped_scenes = firsts.map(|visit| visit.scenes().len() as u64).sum();
            let visits = wanted(grouped, range);
            part.passed_over = (count - visits.len()) as u64;
            for visit in visits {
                part.look_at(&builder, visit, &mut lines);
                if !keep {
                    lines.clear();
                }
            }
            (part, lines)
        };
        let Some(bodies) = bodies.as_mut() else {
            for (stretch, _) in at_once(grouped.len(), grouped.stretch(), chunk) {
                whole.append(stretch);
            }
            all.add(whole);
            all.keep_first(exports);
            return Ok(());
        };
        let mut failed = Ok(());
        let _ = in_order(grouped.len(), CHUNKS_PER_THREAD, chunk, |(stretch, lines)| {
            whole.append(stretch);
            failed = bodies(&lines).map_err(SurveyError::Write);
            if failed.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        all.add(whole);
        all.keep_first(exports);
        failed
    })?;
    Ok(all)
}

/// Why a survey broke off.
#[derive(Debug)]
pub(super) enum SurveyError {
    Shuffle(ShuffleError),
    /// The bodies could not be written.
    Write(std::io::Error),
}

impl From<ShuffleError> for SurveyError {
    fn from(error: ShuffleError) -> Self {
        SurveyError::Shuffle(error)
    }
}

impl From<SurveyError> for Failure {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Shuffle(error) => error.into(),
            SurveyError::Write(error) => Failure::new(Exit::Unexpected, error.to_string()),
        }
    }
}

impl Survey {
    fn look_at(&mut self, builder: &Builder<'_>, visit: usize, lines: &mut Vec<u8>) {
        let before = lines.len();
        match builder.build(visit, lines) {
            Ok(built) => {
                self.valid += 1;
                if self.firsts.is_empty() {
                    self.firsts.extend(builder.glance(visit, built));
                }
                *self.by_day.entry(built.visit_date).or_default() += 1;
                self.scenes += u64::from(built.scenes);
                self.identical_scenes += u64::from(built.identical_scenes);
                self.body_bytes += (lines.len() - before) as u64;
                lines.push(b'\n');
            }
            Err(invalid) => {
                self.invalid += 1;
                for (code, count) in invalid.problems.unlisted() {
                    self.problems.entry(code).or_default().count += count;
                }
                for problem in invalid.problems.listed() {
                    let found = self.problems.entry(problem.code).or_default();
                    found.count += 1;
                    if found.examples.len() < EXAMPLES {
                        let text = format!("{}: {} ({})", problem.field, problem.message, problem.place);
                        found.examples.push(Example { visit: invalid.identity.source.clone(), text });
                    }
                }
            }
        }
    }

    /// Of what was found in several parts, leaves what comes first in the exports. Parts come in any order, but the visits
    /// of a part in that of the export.
    fn keep_first(&mut self, Exports { shuffled, order, .. }: &Exports) {
        if shuffled.parts() == 1 {
            return;
        }
        order.keep_first(&mut self.firsts, 1, |glance| &glance.identity.source);
        order.keep_first(&mut self.tally.orphan_places, PLACES, |(place, _)| place);
        for found in self.problems.values_mut() {
            order.keep_first(&mut found.examples, EXAMPLES, |example| &example.visit);
        }
    }

    /// Rows of the exports, identical duplicates counted once.
    pub(super) fn rows(&self) -> u64 {
        self.valid + self.invalid + self.passed_over
    }

    /// What is allowed and yet worth a word. In a flat export, visits are repeated by nature.
    pub(super) fn warnings(&self, flat: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        let tally = &self.tally;
        if tally.identical_duplicates > 0 && !flat {
            let rows = count(tally.identical_duplicates, "visit row says", "visit rows say");
            warnings.push(format!("{rows} the same as an earlier one; identical rows count once"));
        }
        if self.identical_scenes > 0 {
            let rows = count(self.identical_scenes, "scene row says", "scene rows say");
            warnings.push(format!("{rows} the same as an earlier one; identical rows count once"));
        }
        if tally.orphans > 0 {
            let scenes = count(tally.orphans, "scene belongs", "scenes belong");
            let first = tally.orphan_places.first().map(|(place, key)| format!(", the first to {key:?} ({place})"));
            warnings.push(format!(
                "{scenes} to no visit of the export{}; is the visits export complete?",
                first.unwrap_or_default()
            ));
        }
        warnings
    }

    /// The first valid visit of the exports.
    pub(super) fn first(&self) -> Option<&Glance> {
        self.firsts.first()
    }

    /// Adds what comes behind this in the export.
    fn append(&mut self, next: Survey) {
        self.add(next);
        self.firsts.truncate(1);
        for found in self.problems.values_mut() {
            found.examples.truncate(EXAMPLES);
        }
    }

    fn add(&mut self, part: Survey) {
        self.tally.add(&part.tally);
        self.firsts.extend(part.firsts);
        self.valid += part.valid;
        self.invalid += part.invalid;
        self.passed_over += part.passed_over;
        self.scenes += part.scenes;
        self.identical_scenes += part.identical_scenes;
        self.grouped_scenes += part.grouped_scenes;
        self.body_bytes += part.body_bytes;
        for (day, visits) in part.by_day {
            *self.by_day.entry(day).or_default() += visits;
        }
        for (code, found) in part.problems {
            let all = self.problems.entry(code).or_default();
            all.count += found.count;
            all.examples.extend(found.examples);
        }
    }
}
