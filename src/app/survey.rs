//! Builds every visit once and keeps none: what `check` reports, and what a run must know before it sends.

use super::AppError;
use super::coverage::Coverage;
use super::earlier::{Earlier, Judged};
use super::exports::{ExportOrder, GroupedVisits};
use super::new_keys::NewVisits;
use super::prepared_visits::PreparedVisits;
use super::remarks::{changed_warning, reused_warning};
use super::signs::{Alike, AlikeVisits, Signs};
use crate::build::{Builder, Built, CHUNKS_PER_THREAD, Code, Glance, Invalid, Rules, Visits, at_once, in_order};
use crate::ledger::{Finding, Known};
use crate::outcome::Status;
use crate::results::Mark;
use crate::scan::Location;
use crate::shuffle::{Grouped, MAX_LISTED, Tally, Visit};
use crate::summary::ProblemCount;
use crate::suspicion::Suspicion;
use crate::text::count;
use chrono::NaiveDate;
use std::collections::BTreeMap;
use std::ops::{ControlFlow, Range};
use uuid::Uuid;

/// How many problems of a kind are shown.
const EXAMPLES: usize = 5;
/// About the size of a body, in bytes.
const BODY_BYTES: usize = 512;

/// What building every visit has shown.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// What was counted while reading and grouping.
    pub(super) tally: Tally,
    /// Visits that can be sent.
    pub(super) valid: u64,
    /// Visits with problems.
    pub(super) invalid: u64,
    /// What earlier runs know of the other visits.
    pub(super) known: KnownVisits,
    /// Visits that no earlier run knows, where there are earlier runs.
    pub(super) new: NewVisits,
    /// Scene rows of valid visits that equal an earlier one.
    pub(super) identical_scenes: u64,
    /// Scene rows that are with their visits, valid or not.
    pub(super) grouped_scenes: u64,
    /// The bytes of all bodies together.
    pub(super) body_bytes: u64,
    /// Valid visits by their date.
    pub(super) by_day: BTreeMap<NaiveDate, u64>,
    /// The first valid visit, as it was read; several until it is known which of them comes first.
    firsts: Vec<Glance>,
    /// How many valid visits have each field.
    pub(super) coverage: Coverage,
    /// What all visits together show.
    signs: Signs,
    alike: Alike,
    /// What came of `alike`, and the first two of them where all visits are in memory.
    alike_visits: Option<(AlikeVisits, Vec<Example>)>,
    problems: BTreeMap<Code, Found>,
}

/// What earlier runs know of visits that are not sent.
#[derive(Debug, Default)]
pub(super) struct KnownVisits {
    /// All of them, but for those whose key was used again.
    pub(super) visits: u64,
    /// Invalid ones whose rows of the own file stay.
    pub(super) invalid: u64,
    /// Those that a file of another run shows as delivered.
    pub(super) elsewhere: u64,
    /// The file of the first of these.
    pub(super) file: Option<u32>,
    /// Delivered ones that differ from what Trax has.
    pub(super) changed: u64,
    /// Visits whose key was used again, so that Trax has another one, and gets no new row that is delivered.
    pub(super) reused: u64,
    /// Those of them that have problems besides.
    pub(super) reused_and_invalid: u64,
    /// Those of them that an earlier run has told.
    pub(super) reused_before: u64,
    /// Keys that were used again of delivered rows of the own file, which stay.
    pub(super) reused_own: u64,
    /// What own rows are to say besides.
    pub(super) marks: Vec<(Uuid, Mark)>,
}

impl KnownVisits {
    fn add(&mut self, other: KnownVisits) {
        self.visits += other.visits;
        self.invalid += other.invalid;
        self.elsewhere += other.elsewhere;
        self.file = self.file.into_iter().chain(other.file).min();
        self.changed += other.changed;
        self.reused += other.reused;
        self.reused_and_invalid += other.reused_and_invalid;
        self.reused_before += other.reused_before;
        self.reused_own += other.reused_own;
        self.marks.extend(other.marks);
    }
}

/// Problems of one kind.
#[derive(Debug, Default)]
struct Found {
    count: u64,
    /// The first ones.
    examples: Vec<Example>,
}

#[derive(Debug)]
struct Example {
    /// The row of the visit. The problem may be in another row, of a scene.
    visit: Location,
    /// What is to be told of it.
    text: String,
}

/// Takes bodies, one per line, in the order of the export.
pub(super) type Bodies<'a> = &'a mut dyn FnMut(&[u8]) -> Result<(), AppError>;

/// Builds all visits, in parallel. `earlier`: what becomes of each; `now`: the run's start, in epoch seconds; `bodies`: gets
/// the bodies of the valid visits.
pub(super) fn survey(
    visits: &GroupedVisits,
    rules: &Rules,
    now: i64,
    earlier: &Earlier,
    mut bodies: Option<Bodies<'_>>,
) -> Result<Survey, AppError> {
    let signs = || Signs::of_export(visits.day);
    let mut all = Survey { tally: visits.shuffled.tally().clone(), signs: signs(), ..Survey::default() };
    let mut number = 0;
    visits.shuffled.each(|grouped| -> Result<(), AppError> {
        let builder = Builder::new(rules, grouped, now);
        let look_up = LookUp { earlier, partition: (number, grouped.len()) };
        number += 1;
        let mut partition = Survey { tally: grouped.tally().clone(), signs: signs(), ..Survey::default() };
        match &mut bodies {
            None => {
                let look = |range| Survey::of_range(&builder, grouped, range, look_up, signs(), None);
                at_once(grouped.len(), grouped.groups_per_bucket(), look)
                    .into_iter()
                    .for_each(|part| partition.append(part));
            }
            Some(bodies) => {
                let look = |range: Range<usize>| {
                    let mut lines = Vec::with_capacity(range.len() * BODY_BYTES);
                    (Survey::of_range(&builder, grouped, range, look_up, signs(), Some(&mut lines)), lines)
                };
                let mut written = Ok(());
                let _ = in_order(grouped.len(), CHUNKS_PER_THREAD, look, |(part, lines)| {
                    partition.append(part);
                    written = bodies(&lines);
                    if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
                });
                written?;
            }
        }
        all.add(partition);
        if visits.shuffled.partitions() > 1 {
            all.keep_first(&visits.order);
        }
        Ok(())
    })?;
    if let Some(alike) = std::mem::take(&mut all.alike).finish() {
        let examples =
            if visits.shuffled.partitions() > 1 { Vec::new() } else { alike_examples(visits, rules, now, alike)? };
        all.alike_visits = Some((alike, examples));
    }
    Ok(all)
}

/// The same of visits that were prepared before: what is in them is known to be valid, or why not.
pub(super) fn survey_prepared(visits: &PreparedVisits, earlier: &Earlier) -> Result<Survey, AppError> {
    let mut all = Survey { tally: visits.tally(), ..Survey::default() };
    let mut number = 0;
    visits.each(|visits| -> Result<(), AppError> {
        let look_up = LookUp { earlier, partition: (number, visits.len()) };
        number += 1;
        let look = |range: Range<usize>| {
            let (mut survey, mut scratch) = (Survey::default(), Vec::new());
            for at in range {
                survey.look_at(visits, at, look_up, &mut scratch);
                scratch.clear();
            }
            survey
        };
        at_once(visits.len(), usize::MAX, look).into_iter().for_each(|part| all.append(part));
        Ok(())
    })?;
    Ok(all)
}

/// Where what becomes of the visits of a partition is looked up.
#[derive(Clone, Copy)]
struct LookUp<'a> {
    earlier: &'a Earlier,
    /// The number of the partition, and of its visits.
    partition: (usize, usize),
}

/// Two visits that are alike, of those in memory.
fn alike_examples(
    visits: &GroupedVisits,
    rules: &Rules,
    now: i64,
    alike: AlikeVisits,
) -> Result<Vec<Example>, AppError> {
    let mut examples = Vec::new();
    visits.shuffled.each(|grouped| -> Result<(), AppError> {
        let builder = Builder::new(rules, grouped, now);
        let look = |range: Range<usize>| -> Vec<Example> {
            let found = range.filter(|at| builder.likeness(*at) == Some(alike.example)).map(|at| grouped.visit(at));
            let example = |visit: Visit<'_>| Example { text: format!("{:?}", visit.key()), visit: visit.location() };
            found.take(2).map(example).collect()
        };
        examples = at_once(grouped.len(), usize::MAX, look).into_iter().flatten().take(2).collect();
        Ok(())
    })?;
    Ok(examples)
}

impl Survey {
    /// Builds the visits of a range. `lines`: gets their bodies.
    fn of_range(
        builder: &Builder<'_>,
        grouped: &Grouped,
        range: Range<usize>,
        look_up: LookUp<'_>,
        signs: Signs,
        mut lines: Option<&mut Vec<u8>>,
    ) -> Survey {
        let mut survey = Survey { signs, ..Survey::default() };
        survey.signs.look(builder, range.clone());
        // Differing rows of one key share its scenes.
        let firsts = range.clone().map(|at| grouped.visit(at)).filter(|visit| visit.is_first());
        survey.grouped_scenes = firsts.map(|visit| visit.scenes().len() as u64).sum();
        let mut scratch = Vec::with_capacity(4096);
        for visit in range {
            match &mut lines {
                Some(lines) => survey.look_at(builder, visit, look_up, lines),
                None => {
                    survey.look_at(builder, visit, look_up, &mut scratch);
                    scratch.clear();
                }
            }
        }
        survey
    }

    fn look_at(&mut self, builder: &dyn Visits, visit: usize, look_up: LookUp<'_>, lines: &mut Vec<u8>) {
        let before = lines.len();
        let built = builder.build(visit, lines);
        let bytes = lines.len() - before;
        if bytes > 0 {
            lines.push(b'\n');
        }
        if self.is_known(builder, visit, look_up, built.as_ref().map_err(AsRef::as_ref), &lines[before..before + bytes])
        {
            return;
        }
        match built {
            Ok(built) => {
                self.valid += 1;
                if self.firsts.is_empty() {
                    self.firsts.extend(builder.glance(visit, &built));
                }
                *self.by_day.entry(built.visit_date).or_default() += 1;
                self.coverage.count(&built);
                self.alike.push(built.likeness);
                self.identical_scenes += u64::from(built.identical_scenes);
                self.body_bytes += bytes as u64;
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
                        let text = format!("{}: {} ({})", problem.field, problem.message, problem.location);
                        found.examples.push(Example { visit: invalid.identity.source.clone(), text });
                    }
                }
            }
        }
    }

    /// Looks up what earlier runs know of a visit, and counts it if it is not sent because of that.
    fn is_known(
        &mut self,
        builder: &dyn Visits,
        visit: usize,
        LookUp { earlier, partition }: LookUp<'_>,
        built: Result<&Built, &Invalid>,
        body: &[u8],
    ) -> bool {
        let Some(record) = earlier.record() else { return false };
        let (finding, stays, by, mark, problem) = match earlier.judge(builder, partition, visit, built, body) {
            Judged::Settled { finding, stays, by, mark, problem } => (finding, stays, by, mark, problem),
            Judged::Outstanding { is_new } => {
                let day = match built {
                    Ok(built) => Some(built.visit_date),
                    Err(invalid) => invalid.identity.visit_date.parse().ok(),
                };
                if is_new && builder.is_first(visit) {
                    self.new.look(record, builder, visit, day);
                }
                return false;
            }
        };
        let known = &mut self.known;
        known.marks.extend(mark);
        let stays_invalid = |by: &Known| finding.is_none() && by.status == Status::Invalid && !by.is_remarked();
        known.invalid += u64::from(by.as_ref().is_some_and(stays_invalid));
        known.changed += u64::from(finding == Some(Finding::Changed));
        if let Some(Finding::Reused { is_known }) = finding {
            let found = self.problems.entry(Code::ReusedKey).or_default();
            found.count += 1;
            if found.examples.len() < EXAMPLES {
                let (_, location) = builder.key(visit);
                let text = problem.unwrap_or_default();
                let text = text.strip_prefix("reused_key ").unwrap_or(&text).to_owned();
                found.examples.push(Example { visit: location, text });
            }
            if stays {
                known.reused_own += 1;
                known.visits += 1;
            } else {
                known.reused += 1;
                known.reused_and_invalid += u64::from(built.is_err());
                known.reused_before += u64::from(is_known);
            }
            return true;
        }
        known.visits += 1;
        if !stays && !by.is_some_and(|by| record.is_own(&by)) {
            known.elsewhere += 1;
            known.file = known.file.into_iter().chain(by.map(|by| by.file)).min();
        }
        true
    }

    /// Visits with problems, as far as they count for `max_invalid`: a key that was used again alone does not.
    pub(super) fn invalid_in_exports(&self) -> u64 {
        self.invalid + self.known.invalid + self.known.reused_and_invalid
    }

    /// Result rows that the exports give, identical duplicates counted once.
    pub(super) fn rows(&self) -> u64 {
        self.valid + self.invalid + self.known.visits + self.known.reused
    }

    /// The first valid visit of the exports.
    pub(super) fn first(&self) -> Option<&Glance> {
        self.firsts.first()
    }

    /// Problems by their code.
    pub(super) fn problems(&self) -> BTreeMap<Code, ProblemCount> {
        let shown = |found: &Found| ProblemCount {
            count: found.count,
            examples: found.examples.iter().map(|example| example.text.clone()).collect(),
        };
        self.problems.iter().map(|(code, found)| (*code, shown(found))).collect()
    }

    /// What earlier runs make worth a word.
    pub(super) fn warnings_of_earlier_runs(&self, earlier: &Earlier) -> Vec<String> {
        let mut warnings = Vec::new();
        let Some(record) = earlier.record() else { return warnings };
        let known = &self.known;
        let file = || known.file.map(|file| record.file(file).display().to_string()).unwrap_or_default();
        if known.elsewhere > 0 && known.elsewhere == self.rows() {
            warnings.push(format!(
                "every visit of the exports was delivered before, as {} shows, and nothing is sent: is it an old export?",
                file()
            ));
        }
        warnings.extend(changed_warning(known.changed));
        warnings.extend(reused_warning(known.reused + known.reused_own));
        warnings
    }

    /// What is allowed and yet worth a word. In a flat export, visits are repeated by nature.
    pub(super) fn warnings(&self, is_flat: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        let tally = &self.tally;
        if tally.identical_duplicates > 0 && !is_flat {
            let rows = count(tally.identical_duplicates, "visit row equals", "visit rows equal");
            warnings.push(format!("{rows} an earlier one; identical rows count once"));
        }
        if self.identical_scenes > 0 {
            let rows = count(self.identical_scenes, "scene row equals", "scene rows equal");
            warnings.push(format!("{rows} an earlier one; identical rows count once"));
        }
        if let Some(first) = &tally.first_keyless {
            let scenes = count(tally.keyless_scenes, "scene has", "scenes have");
            warnings.push(format!(
                "{scenes} no visit_id, the first at {first}, and will be missing; where a sheet shows a visit once above \
                 its scenes, fill the cells below in"
            ));
        }
        let others = tally.orphans.saturating_sub(tally.keyless_scenes);
        if others > 0 {
            let scenes = count(others, "scene belongs", "scenes belong");
            let first = tally.orphan_places.iter().find(|(_, key)| !key.is_empty());
            let first = first.map(|(location, key)| format!(", the first to {key:?} ({location})")).unwrap_or_default();
            warnings.push(format!("{scenes} to no visit of the export{first}; is the visits export complete?"));
        }
        if let Some((alike, examples)) = &self.alike_visits {
            let about = if alike.is_estimate { "about " } else { "" };
            let such_as = match examples.as_slice() {
                [one, other] => {
                    format!(", such as {} ({}) and {} ({})", one.text, one.visit, other.text, other.visit)
                }
                _ => String::new(),
            };
            warnings.push(format!(
                "{about}{} are alike but for their keys (store, start and e-mail){such_as}; is one visit exported under \
                 several keys?",
                count(alike.visits, "visit", "visits")
            ));
        }
        warnings
    }

    /// What is probably a mistake of the whole export. `read`: what reading it has shown.
    pub(super) fn suspicions(&self, read: &[Suspicion]) -> Vec<Suspicion> {
        read.iter().cloned().chain(self.signs.suspicions()).collect()
    }

    /// The same, as far as earlier runs show it. `needs_case`: whether upper and lower case tell visits apart.
    pub(super) fn suspicions_of_earlier_runs(
        &self,
        earlier: &Earlier,
        needs_case: impl FnOnce() -> Result<bool, AppError>,
    ) -> Result<Vec<Suspicion>, AppError> {
        earlier.record().map_or(Ok(Vec::new()), |record| self.new.suspicions(record, needs_case))
    }

    /// Adds what comes next in the export.
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
        self.coverage.add(part.coverage);
        self.signs.add(part.signs);
        self.alike.add(part.alike);
        self.valid += part.valid;
        self.invalid += part.invalid;
        self.known.add(part.known);
        self.new.add(part.new);
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

    /// Keeps of what was found in several partitions what comes first in the exports: partitions come in any order.
    fn keep_first(&mut self, order: &ExportOrder) {
        order.keep_first(&mut self.firsts, 1, |glance| &glance.identity.source);
        order.keep_first(&mut self.tally.orphan_places, MAX_LISTED, |(location, _)| location);
        for found in self.problems.values_mut() {
            order.keep_first(&mut found.examples, EXAMPLES, |example| &example.visit);
        }
    }
}
