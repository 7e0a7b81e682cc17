//! From a job file to a [`Job`]: reads the file, has every section checked, and reports all mistakes at once.

use super::column_places::column_places;
use super::diagnostics::Diagnostics;
use super::error::JobError;
use super::formats::zone;
use super::job::Job;
use super::keys::{ApiKeys, JobKeys};
use super::nights::Nights;
use super::options::{ExportsMeant, Options};
use super::parse::parse;
use super::paths::Placeholders;
use super::values::Spanned;
use super::{accept, api, exports, notify, quantities, results, rules, sniff, upload};
use std::path::Path;

impl Job {
    /// Reads and checks the job file at `path`, which is relative to `options.base_dir`.
    ///
    /// # Errors
    /// The file cannot be read or is not a job file, an option is wrong, or there are mistakes in the file: all of them,
    /// each with its line and column.
    pub(crate) fn load(path: &Path, options: &Options) -> Result<Job, JobError> {
        let bytes = std::fs::read(options.base_dir.join(path));
        let bytes = bytes.map_err(|source| JobError::Unreadable { path: path.to_owned(), source })?;
        if sniff::is_export(path, &bytes) {
            return Err(JobError::Export { path: path.to_owned() });
        }
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            JobError::NotUtf8 { path: path.to_owned(), line }
        })?;
        // Editors of Windows begin a file with a byte order mark; it is not part of a line.
        let mut diagnostics = Diagnostics::new(path, text.strip_prefix('\u{feff}').unwrap_or(text));
        let keys = parse(&mut diagnostics);
        let job = keys.map(|keys| job(&keys, options, &mut diagnostics));
        diagnostics.finish(job)
    }
}

/// Where a value has a mistake, something else stands in its place: the caller throws the job away.
fn job(keys: &JobKeys, options: &Options, diagnostics: &mut Diagnostics<'_>) -> Job {
    let name = name(keys, diagnostics);
    let zone = keys.time.timezone.as_ref().and_then(|text| zone(text, diagnostics));
    let date = options.date.map(|date| date.day(options.now, zone));
    let placeholders = Placeholders { name: &name, date, now: options.now, base_dir: &options.base_dir };

    let no_api = ApiKeys::default();
    let api = keys.api.as_ref().map_or(&no_api, Spanned::get_ref);
    let section = keys.api.as_ref().map_or(diagnostics.end(), Spanned::span);
    let endpoint = api::endpoint(api, section, &keys.upload, &placeholders, diagnostics);
    let ids = api::ids(&keys.ids, &endpoint, diagnostics);
    let accepted = accept::accepted(&keys.check.accept, &options.accept, diagnostics);
    // What plays no part may be wrong.
    let mut unheard = Diagnostics::new(diagnostics.path(), diagnostics.text());
    let prepared = match &options.exports {
        ExportsMeant::Prepared(meant) => Some(meant.clone()),
        _ => None,
    };
    let of_exports = if prepared.is_some() { &mut unheard } else { &mut *diagnostics };
    let (mut rules, visits, scenes) = rules::rules(keys, ids, zone, &placeholders, of_exports);
    rules.accepted = accepted.problems;
    let (visits_file, scenes_file) = match &options.exports {
        ExportsMeant::Files([visits, scenes]) => (Some(visits), Some(scenes)),
        _ => (None, None),
    };
    let visits = exports::source("visits", &keys.visits, visits, visits_file, &placeholders, of_exports);
    let scenes = exports::source("scenes", &keys.scenes, scenes, scenes_file, &placeholders, of_exports);
    let memory = match &options.memory {
        Some(memory) => diagnostics.option("--memory", quantities::size(memory)),
        None => diagnostics.parsed(&keys.shuffle.memory, quantities::size),
    };
    let mut places = column_places("visits", &keys.visits, keys.visits.columns.all(), diagnostics);
    places.extend(column_places("scenes", &keys.scenes, keys.scenes.columns.all(), diagnostics));
    let of_sending = if visits_file.is_some() { &mut unheard } else { &mut *diagnostics };
    let token = api::token(api, &placeholders, of_sending);
    let results = results::path(&keys.results, options, &placeholders, of_sending);
    let earlier = results::earlier(&keys.results, &placeholders, of_sending);
    let metrics = results::metrics(&keys.results, &placeholders, of_sending);
    let is_of_a_day = exports::is_of_a_day(&keys.visits) || exports::is_of_a_day(&keys.scenes);
    let mut job = Job {
        name: name.clone(),
        file: diagnostics.path().to_owned(),
        date,
        dated_day: date.filter(|_| is_of_a_day),
        visits,
        scenes,
        prepared,
        reads: [exports::as_written(&keys.visits), exports::as_written(&keys.scenes)],
        rules,
        accepted: accepted.suspicions,
        max_invalid: rules::max_invalid(keys.check.max_invalid.as_ref(), diagnostics),
        memory,
        target: api::target(api),
        endpoint,
        token,
        upload: upload::config(&keys.upload, options, diagnostics),
        max_duration: upload::max_duration(&keys.upload, options, diagnostics),
        results,
        nights: Nights::new(&keys.results, options, &placeholders, is_of_a_day),
        earlier,
        metrics,
        notify: notify::notify(&keys.notify, diagnostics),
        report: keys.results.report,
        warnings: Vec::new(),
        column_places: places,
    };
    job.warnings = diagnostics.take_warnings();
    job
}

/// The job's name: as it says, else the name of its file.
fn name(keys: &JobKeys, diagnostics: &mut Diagnostics<'_>) -> String {
    let Some(name) = &keys.name else {
        let stem = diagnostics.path().file_stem();
        return stem.map_or("job".into(), |stem| stem.to_string_lossy()).into_owned();
    };
    let text = name.get_ref();
    if text.contains(['/', '\\', '{']) || text.trim().is_empty() {
        diagnostics
            .add(name.span(), "a name becomes part of paths; choose one that is not empty and has none of / \\ {");
    }
    text.clone()
}

#[cfg(test)]
mod tests {
    use super::super::job::TokenSource;
    use super::super::options::DateArg;
    use super::*;
    use chrono::{DateTime, NaiveDate};
    use std::path::PathBuf;

    const JOB: &str = r#"
[visits]
path = "visits.csv"
[visits.columns]
visit_id = "id"
store_number = "store"
session_start_time = "start"
visit_type_id = { column = "type", map_file = "lists/types.csv" }
[scenes]
path = "scenes.csv"
[scenes.columns]
visit_id = "id"
scene_id = "scene"
[time]
timezone = "UTC"
[check]
stores = "lists/stores.csv"
[api]
project = "p"
token_file = "secrets/token-{date}"
ca_file = "secrets/ca.pem"
[results]
path = "out/{name}.csv"
metrics = "out/{name}.prom"
"#;

    fn options(base_dir: &Path) -> Options {
        Options {
            base_dir: base_dir.to_owned(),
            date: NaiveDate::from_ymd_opt(2024, 3, 4).map(DateArg::Day),
            now: DateTime::from_timestamp(1_709_626_353, 0).expect("in range"),
            results: None,
            rate: None,
            memory: None,
            max_duration: None,
            accept: Vec::new(),
            exports: ExportsMeant::OfJob,
        }
    }

    /// A base folder with the job file and its lists.
    fn base() -> tempfile::TempDir {
        let base = tempfile::tempdir().expect("a folder");
        for (name, content) in
            [("jobs/nightly.toml", JOB), ("lists/types.csv", "weekly,802\n"), ("lists/stores.csv", "store\n1001\n")]
        {
            let path = base.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, content).expect("written");
        }
        base
    }

    #[test]
    fn relative_paths_start_from_the_base_folder() {
        let folder = base();
        let base = folder.path();
        let job = Job::load(Path::new("jobs/nightly.toml"), &options(base)).expect("a job");
        assert_eq!((job.name.as_str(), job.file), ("nightly", PathBuf::from("jobs/nightly.toml")));
        assert_eq!(job.rules.stores.map(|stores| stores.len()), Some(1));
        let types = job.rules.visit_type_id.and_then(|field| field.map).expect("a map");
        assert_eq!(types["weekly"], "802");
        assert_eq!(job.token, TokenSource::File(base.join("secrets/token-2024-03-04")));
        assert_eq!(job.endpoint.ca_file, Some(base.join("secrets/ca.pem")));
        assert_eq!((job.results, job.metrics), (base.join("out/nightly.csv"), Some(base.join("out/nightly.prom"))));
    }

    #[test]
    fn a_result_path_of_the_caller_is_taken_as_it_is() {
        let base = base();
        let options = Options { results: Some("mine.csv".into()), ..options(base.path()) };
        let job = Job::load(Path::new("jobs/nightly.toml"), &options).expect("a job");
        assert_eq!(job.results, PathBuf::from("mine.csv"));
    }

    #[test]
    fn mistakes_name_paths_as_the_job_gives_them() {
        let base = base();
        std::fs::remove_file(base.path().join("lists/stores.csv")).expect("removed");
        let error = Job::load(Path::new("jobs/nightly.toml"), &options(base.path())).expect_err("a list is missing");
        let shown = error.to_string();
        assert!(shown.starts_with("jobs/nightly.toml:17:10: cannot read lists/stores.csv: "), "{shown}");
        let error = Job::load(Path::new("no-such.toml"), &options(base.path())).expect_err("the job is missing");
        assert!(error.to_string().starts_with("cannot read the job file no-such.toml: "), "{error}");
    }
}
