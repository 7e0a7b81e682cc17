//! Which files are the visits and which the scenes, where the same folder or pattern was named for both, or one within the
//! other; and whether the two were swapped.

use super::dialect;
use super::names::{self, NAMED, Name};
use super::paths::{as_paths, shape};
use super::profile::ColumnProfile;
use super::sample::{ExportSample, HEAD};
use super::toml_text::{listed, quoted};
use crate::scan::{Export, ScanError, Source, file_names};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// Kinds of names that are looked into.
const KINDS: usize = 64;
/// Files are of one kind where they share more than this part of their columns.
const ALIKE: f64 = 0.6;
/// So much more has to speak for one order than for the other.
const CLEAR: i32 = 4;

/// The paths of both exports, and what is said about them.
#[derive(Debug, Default)]
pub(super) struct Roles {
    pub(super) visits: Vec<String>,
    pub(super) scenes: Vec<String>,
    pub(super) said: Vec<String>,
}

/// Tells the files of the visits from those of the scenes.
///
/// # Errors
/// Where an export cannot be read.
pub(super) fn tell_apart(base_dir: &Path, visits: &[String], scenes: &[String]) -> Result<Roles, ScanError> {
    let as_given = || Roles { visits: visits.to_vec(), scenes: scenes.to_vec(), said: Vec::new() };
    let (of_visits, of_scenes) = (file_names(visits, base_dir)?, file_names(scenes, base_dir)?);
    let (all, some): (HashSet<&String>, HashSet<&String>) = (of_visits.iter().collect(), of_scenes.iter().collect());
    let without = |files: &[String], others: &HashSet<&String>| -> Vec<String> {
        files.iter().filter(|file| !others.contains(file)).cloned().collect()
    };
    if all == some {
        return same_files(base_dir, &of_visits, as_given());
    }
    let said = |rest: &str, named: &str| {
        vec![format!("the files of {rest} are those that are not of {named}: both were named as one folder or pattern")]
    };
    Ok(match () {
        () if some.is_subset(&all) => {
            let rest = without(&of_visits, &some);
            Roles { visits: as_paths(&rest, &of_visits), scenes: scenes.to_vec(), said: said("[visits]", "[scenes]") }
        }
        () if all.is_subset(&some) => {
            let rest = without(&of_scenes, &all);
            Roles { visits: visits.to_vec(), scenes: as_paths(&rest, &of_scenes), said: said("[scenes]", "[visits]") }
        }
        () => as_given(),
    })
}

/// The same files were named for both: one flat export, or files of several kinds.
fn same_files(base_dir: &Path, files: &[String], as_given: Roles) -> Result<Roles, ScanError> {
    let kinds = kinds(base_dir, files)?;
    if kinds.len() < 2 || kinds.len() > 8 {
        return Ok(as_given);
    }
    let mut samples = Vec::new();
    for kind in &kinds {
        samples.push(ExportSample::take("visits", base_dir, &as_paths(kind, files), None)?);
    }
    let places = || 0..samples.len();
    let orders = places().flat_map(|one| places().filter(move |other| *other != one).map(move |other| (one, other)));
    let Some((visits, scenes)) = orders.max_by_key(|(one, other)| speaks_for(&samples[*one], &samples[*other])) else {
        return Ok(as_given);
    };
    let (of_visits, of_scenes) = (as_paths(&kinds[visits], files), as_paths(&kinds[scenes], files));
    let names = |paths: &[String]| listed(paths.iter().map(String::as_str), 3);
    let mut said = vec![format!(
        "there are files of {} kinds: {} look like the visits and {} like the scenes; is that right?",
        kinds.len(),
        names(&of_visits),
        names(&of_scenes)
    )];
    let others = kinds.iter().enumerate().filter(|(at, _)| ![visits, scenes].contains(at)).flat_map(|(_, kind)| kind);
    let others = listed(others.map(String::as_str), 4);
    if !others.is_empty() {
        said.push(format!("files that are not used: {others}"));
    }
    Ok(Roles { visits: of_visits, scenes: of_scenes, said })
}

/// The files by their columns, in the order in which each kind comes first.
fn kinds(base_dir: &Path, files: &[String]) -> Result<Vec<Vec<String>>, ScanError> {
    let mut by_shape: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        by_shape.entry(shape(file)).or_default().push(file.clone());
    }
    let mut kinds: Vec<(HashSet<String>, Vec<String>)> = Vec::new();
    for (_, files) in by_shape.into_iter().take(KINDS) {
        let Some(first) = files.first() else { continue };
        let header = header(base_dir, first)?;
        let is_like = |known: &HashSet<String>| {
            let both = known.intersection(&header).count() as f64;
            both > ALIKE * known.union(&header).count() as f64
        };
        match kinds.iter_mut().find(|(known, _)| header.is_empty() || is_like(known)) {
            Some((_, kind)) => kind.extend(files),
            None => kinds.push((header, files)),
        }
    }
    Ok(kinds
        .into_iter()
        .map(|(_, mut kind)| {
            kind.sort();
            kind
        })
        .collect())
}

/// The columns of a file; none where it is empty.
fn header(base_dir: &Path, file: &str) -> Result<HashSet<String>, ScanError> {
    let paths = vec![file.to_owned()];
    let look = match crate::scan::sniff(&paths, base_dir, HEAD / 16) {
        Err(ScanError::Empty { .. }) => return Ok(HashSet::new()),
        look => look?,
    };
    let guess = dialect::of(&look, None);
    let source: Source = dialect::source("visits", base_dir, &paths, &look, guess.as_ref());
    match Export::open(source) {
        Err(ScanError::Empty { .. }) => Ok(HashSet::new()),
        export => Ok(export?.columns().into_iter().collect()),
    }
}

/// What the exports sound like if they were swapped; nothing where they are as they should be.
pub(super) fn swapped(visits: &ExportSample, scenes: &ExportSample) -> Option<String> {
    (speaks_for(scenes, visits) >= speaks_for(visits, scenes) + CLEAR).then(|| {
        format!(
            "{} looks like the scenes and {} like the visits: were --visits and --scenes swapped? Then run init again the other way round",
            quoted(&visits.shown_path()),
            quoted(&scenes.shown_path())
        )
    })
}

/// How much speaks for the first to be the visits and the second the scenes.
fn speaks_for(visits: &ExportSample, scenes: &ExportSample) -> i32 {
    let best = |sample: &ExportSample, words: &names::Words| -> bool {
        let scores = sample.columns.iter().map(|column| Name::of(&column.name)).filter(|name| !name.is_bare());
        scores.map(|name| name.score(words)).max().unwrap_or_default() >= NAMED
    };
    let has = |sample, words: &[&names::Words]| words.iter().any(|words| best(sample, words));
    let is_called = |sample: &ExportSample, words: &[&names::Words]| {
        let name =
            Name::of(sample.shown_path().rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default());
        words.iter().any(|words| name.score(words) >= NAMED)
    };
    let mut score = 0;
    for (speaks, weight) in [
        (has(visits, &[&names::START, &names::END]), 2),
        (has(visits, &[&names::STORE]), 2),
        (has(visits, &[&names::EMAIL]), 1),
        (has(scenes, &[&names::SCENE, &names::IMAGE]), 3),
        (has(scenes, &[&names::TASK]), 1),
        (is_called(visits, &[&names::VISIT_ID]), 2),
        (is_called(scenes, &[&names::SCENE, &names::IMAGE]), 2),
        (is_one_to_many(visits, scenes), 4),
    ] {
        score += if speaks { weight } else { 0 };
    }
    score
}

/// Whether a column that both have is a key of the first and repeats in the second.
fn is_one_to_many(one: &ExportSample, many: &ExportSample) -> bool {
    let key = |column: &super::sample_column::SampleColumn| ColumnProfile::of(column).uniqueness() >= 0.99;
    one.columns.iter().any(|column| {
        let other = many.columns.iter().find(|other| Name::of(&other.name).is(&Name::of(&column.name)));
        other.is_some_and(|other| column.filled().nth(1).is_some() && key(column) && !key(other))
    })
}
