//! From the keys of a job file to a job without mistakes: every value is looked at, all mistakes are told at once.

use super::columns::{Kind, Picks, known_values};
use super::error::{JobError, Mistake};
use super::file::{Api, File, Scalar, Section, Spanned, Upload};
use super::formats::{DateFormat, date_format, offered, utc_is_passed_over};
use super::named::named;
use super::notify::notify;
use super::parse::{Parsed, parse};
use super::paths::Placeholders;
use super::quantities::{self, MaxInvalid, VENDOR_CEILING};
use super::{Job, Options, Target, TokenSource};
use crate::build::{Ids, Rules, Version, Zone};
use crate::http_client;
use crate::scan::{Dialect, Format, Only, Source};
use crate::storage::Address;
use crate::upload::{Backoff, Config, Endpoint};
use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;
use uuid::Uuid;

/// What the sandbox stands for: ids made with it are those of the real service.
const VENDOR: &str = "https://services.traxretail.com";
const DEFAULT_TOKEN: &str = "TRAX_TOKEN";

/// What `format` of an export may say.
pub(super) const FORMATS: [(&str, Format); 2] = [("csv", Format::Csv), ("parquet", Format::Parquet)];
/// What `version` of the ids may say.
pub(super) const ID_VERSIONS: [(u8, Version); 2] = [(5, Version::V5), (4, Version::V4)];
/// What `resource` may say.
pub(super) const RESOURCES: [&str; 2] = ["session", "sessions"];
pub(super) const MOST_BURST: u32 = 1000;
pub(super) const MOST_IN_FLIGHT: u32 = 10_000;
pub(super) const MOST_ATTEMPTS: u32 = 1000;

/// Collects mistakes with their places.
pub(super) struct Mistakes<'a> {
    file: &'a Path,
    text: &'a str,
    found: Vec<Mistake>,
    /// Whether nothing was taken out of the file: otherwise something may be missing just because of that.
    is_whole: bool,
    /// Of the command line, which is not the file's fault.
    options: Vec<String>,
}

impl Mistakes<'_> {
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push(Mistake::at(self.file, self.text, span, message.into()));
    }

    /// The answers that comments above a question offer.
    pub(super) fn offers(&self, question: &Spanned<String>, key: &str) -> Vec<(String, String)> {
        let start = question.span().start;
        let line_start = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        offered(self.text, line_start, key)
    }

    /// Something that is not there, and should be.
    pub(super) fn add_missing(&mut self, span: Range<usize>, message: impl Into<String>) {
        if self.is_whole {
            self.add(span, message);
        }
    }

    /// The value of an option, or its mistake and nothing.
    fn option<T>(&mut self, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.options.push(message)).ok()
    }

    /// Where a section begins, or the end of the file where there is none.
    fn section(&self, header: &str) -> Range<usize> {
        let start = self.text.find(header).unwrap_or(self.text.trim_end().len());
        start..(start + header.len()).min(self.text.len())
    }

    /// A path with its placeholders filled in.
    fn filled(&mut self, path: &Spanned<String>, placeholders: &Placeholders<'_>) -> PathBuf {
        let filled = self.take(path.span(), placeholders.filled(path.get_ref())).unwrap_or_default();
        if let Some((_, unknown)) = filled.split_once('{').filter(|(_, rest)| rest.contains('}')) {
            let unknown = unknown.split('}').next().unwrap_or_default();
            let message = format!("{{{unknown}}} is no placeholder; take one of {{name}}, {{date}}, {{time}}");
            self.add(path.span(), message);
        }
        filled.into()
    }

    /// The value, or its mistake and nothing.
    fn take<T>(&mut self, span: Range<usize>, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.add(span, message)).ok()
    }

    pub(super) fn parsed<T>(
        &mut self,
        text: &Option<Spanned<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text.as_ref()?;
        self.take(text.span(), parse(text.get_ref()))
    }
}

pub(super) fn job(path: &Path, text: &str, options: &Options) -> Result<Job, JobError> {
    let Parsed { file, mistakes: found } = parse(path, text);
    let Some(file) = file else { return Err(told(found)) };
    let mut mistakes = Mistakes { file: path, text, is_whole: found.is_empty(), found, options: Vec::new() };
    let job = checked(path, file, options, &mut mistakes);
    if let Some(message) = mistakes.options.first() {
        return Err(JobError::Option(message.clone()));
    }
    match mistakes.found.is_empty() {
        true => Ok(job),
        false => Err(told(mistakes.found)),
    }
}

/// In the order of the file.
pub(super) fn told(mut mistakes: Vec<Mistake>) -> JobError {
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    JobError::Mistakes(mistakes)
}

/// Values with a mistake are filled in with something: the caller throws the job away.
fn checked(path: &Path, file: File, options: &Options, mistakes: &mut Mistakes<'_>) -> Job {
    let mut warnings = Vec::new();
    let stem = path.file_stem().map_or("job".into(), |stem| stem.to_string_lossy());
    let name = file.name.as_ref().map_or_else(|| stem.into_owned(), |name| name.get_ref().clone());
    if let Some(spanned) =
        file.name.as_ref().filter(|name| name.get_ref().contains(['/', '\\', '{']) || name.get_ref().trim().is_empty())
    {
        mistakes.add(spanned.span(), "a name becomes part of paths; choose one that is not empty and without / \\ {");
    }
    let zone = file.time.timezone.as_ref().and_then(|zone| mistakes.zone(zone));
    let date = options.date.map(|date| date.day(options.now, zone));
    let placeholders = Placeholders { name: &name, date, now: options.now };

    let date_format = date_format(file.time.date_format.as_ref(), mistakes);
    let (visits, mut rules) = visits(&file, zone, date_format, &placeholders, mistakes);
    let scenes = scenes(&file, &mut rules, &placeholders, mistakes);
    let (target, endpoint, token) = api(&file.api, &file.upload, &placeholders, mistakes);
    let namespace = mistakes.parsed(&file.ids.namespace, |text| {
        Uuid::parse_str(text).map_err(|_| format!("{text:?} is no UUID like \"6ba7b811-9dad-11d1-80b4-00c04fd430c8\""))
    });
    let version = file.ids.version.as_ref().and_then(|version| {
        let known = ID_VERSIONS.into_iter().find(|(number, _)| number == version.get_ref());
        let refused =
            || format!("there are no ids of version {}; choose 5, or 4 to have them marked as that", version.get_ref());
        mistakes.take(version.span(), known.ok_or_else(refused))
    });
    let version = version.map_or(Version::V5, |(_, version)| version);
    let namespace = namespace.unwrap_or_else(|| Ids::default_namespace(&endpoint.base_url, &endpoint.project));
    rules.ids = Ids::new(namespace, version);

    let max_invalid = file.check.max_invalid.as_ref().and_then(|value| {
        let Scalar(text) = value.get_ref();
        mistakes.take(value.span(), quantities::max_invalid(text))
    });
    let memory = match &options.memory {
        Some(memory) => mistakes.option(quantities::size(memory).map_err(|message| format!("--memory {message}"))),
        None => mistakes.parsed(&file.shuffle.memory, quantities::size),
    };
    let upload = upload(&file.upload, options, &mut warnings, mistakes);
    let max_duration = max_duration(&file.upload, options, mistakes);
    let results = results(&file, options, &placeholders, mistakes);
    let metrics = metrics(&file, &placeholders, mistakes);
    let notify = notify(&file.notify, mistakes);
    let times = [
        ("session_start_time", Some(&rules.session_start_time)),
        ("session_end_time", rules.session_end_time.as_ref()),
    ];
    for (name, field) in times {
        warnings.extend(field.and_then(|field| utc_is_passed_over(name, field, zone)));
    }
    let places = (path, mistakes.text);
    let of_visits = named(places, "visits", &file.visits, file.visits.columns.all());
    let of_scenes = named(places, "scenes", &file.scenes, file.scenes.columns.all());
    Job {
        name,
        file: path.to_owned(),
        date,
        visits,
        scenes,
        rules,
        max_invalid: max_invalid.unwrap_or(MaxInvalid::Percent(50.0)),
        memory,
        target,
        endpoint,
        token,
        upload,
        max_duration,
        results,
        metrics,
        notify,
        report: file.results.report,
        warnings,
        named: of_visits.into_iter().chain(of_scenes).collect(),
    }
}

fn source<C>(
    section: &'static str,
    file: &Section<C>,
    placeholders: &Placeholders<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Source {
    let mut paths = Vec::new();
    for path in &file.path.get_ref().0 {
        paths.extend(mistakes.take(file.path.span(), placeholders.dated(path)));
    }
    if file.path.get_ref().0.iter().all(|path| path.trim().is_empty()) {
        mistakes.add(file.path.span(), "no path is given; name a file, a folder or a glob");
    }
    let format = mistakes.parsed(&file.format, |text| {
        let known = FORMATS.into_iter().find(|(name, _)| *name == text).map(|(_, format)| format);
        known.ok_or_else(|| format!("{text:?} is no format; there are \"csv\" and \"parquet\""))
    });
    let quote = match &file.quote {
        Some(quote) if quote.get_ref().is_empty() => None,
        quote => mistakes.parsed(quote, one_byte).or(Some(b'"')),
    };
    let escape = match &file.escape {
        Some(escape) if escape.get_ref().is_empty() => None,
        escape => mistakes.parsed(escape, one_byte),
    };
    let encoding = mistakes.parsed(&file.encoding, |label| {
        encoding_rs::Encoding::for_label(label.as_bytes())
            .ok_or_else(|| format!("{label:?} is no known encoding; try \"utf-8\", \"windows-1252\" or \"utf-16\""))
    });
    let dialect = Dialect {
        delimiter: mistakes.parsed(&file.delimiter, one_byte),
        quote,
        // A quote that escapes itself is what doubled quotes are anyway.
        escape: escape.filter(|escape| Some(*escape) != quote),
        encoding: encoding.unwrap_or(encoding_rs::UTF_8),
    };
    if let Some(span) = file.delimiter.as_ref().map(Spanned::span)
        && dialect.delimiter.is_some()
        && (dialect.delimiter == quote || dialect.delimiter == dialect.escape)
    {
        mistakes.add(span, "the delimiter cannot be the quote or the escape as well; choose another character");
    }
    Source {
        section,
        paths,
        format,
        dialect,
        nulls: file.null_values.clone().unwrap_or_default(),
        trim: file.trim.unwrap_or(true),
        only: file
            .only
            .iter()
            .flat_map(|only| only.get_ref())
            .map(|(column, values)| Only { column: column.clone(), values: values.0.clone() })
            .collect(),
        picks: Vec::new(),
    }
}

fn one_byte(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        [byte] if !matches!(byte, b'\r' | b'\n') => Ok(*byte),
        b"\\t" => Ok(b'\t'),
        _ => Err(format!("{text:?} must be a single ASCII character, such as \";\" or \"\\t\"")),
    }
}

fn visits(
    file: &File,
    zone: Option<Zone>,
    date_format: Option<DateFormat>,
    placeholders: &Placeholders<'_>,
    mistakes: &mut Mistakes<'_>,
) -> (Source, Rules) {
    let mut source = source("visits", &file.visits, placeholders, mistakes);
    let columns = &file.visits.columns;
    let mut picks = Picks::new(&columns.visit_id, date_format, placeholders, mistakes);
    let store_number = picks.field("store_number", Kind::Text, &columns.store_number, mistakes);
    let session_start_time = picks.field("session_start_time", Kind::Time, &columns.session_start_time, mistakes);
    let mut optional = |name, kind, spec: &Option<Spanned<super::file::Column>>| {
        spec.as_ref().map(|spec| picks.field(name, kind, spec, mistakes))
    };
    let visit_date = optional("visit_date", Kind::Date, &columns.visit_date);
    let client_session_uid = optional("client_session_uid", Kind::Text, &columns.client_session_uid);
    let visit_type_id = optional("visit_type_id", Kind::Number, &columns.visit_type_id);
    let session_end_time = optional("session_end_time", Kind::Time, &columns.session_end_time);
    let email_address = optional("email_address", Kind::Text, &columns.email_address);
    // What is there and wrong, or open, is a mistake of its own.
    let is_told = file.time.timezone.is_some() || columns.session_start_time.get_ref().0.is_open;
    let zone_is_known = is_told || session_start_time.zone.is_some() || session_start_time.zone_column.is_some();
    if visit_date.is_none() && !zone_is_known {
        mistakes.add_missing(
            columns.session_start_time.span(),
            "without a column for visit_date, the date is told from the start, for which its zone must be known: \
             set `timezone` under [time] or on this column, or map visit_date",
        );
    }
    source.picks = picks.finish();
    let mut list = |path: &Option<Spanned<String>>| -> Option<HashSet<String>> {
        mistakes.parsed(path, |path| known_values(&placeholders.dated(path)?))
    };
    let check = &file.check;
    let rules = Rules {
        ids: Ids::new(Uuid::nil(), Version::V5),
        client_session_uid,
        store_number,
        visit_date,
        session_start_time,
        visit_type_id,
        session_end_time,
        email_address,
        // Filled in from the scenes section.
        scene_id: crate::build::Field::column(1),
        task_code: None,
        task_code_required: check.task_code_required.as_ref().is_some_and(|required| *required.get_ref()),
        zone,
        stores: list(&check.stores),
        users: list(&check.users),
        task_codes: list(&check.task_codes),
        visit_types: list(&check.visit_types),
    };
    (source, rules)
}

fn scenes(file: &File, rules: &mut Rules, placeholders: &Placeholders<'_>, mistakes: &mut Mistakes<'_>) -> Source {
    let mut source = source("scenes", &file.scenes, placeholders, mistakes);
    let columns = &file.scenes.columns;
    let mut picks = Picks::new(&columns.visit_id, None, placeholders, mistakes);
    rules.scene_id = picks.field("scene_id", Kind::Key, &columns.scene_id, mistakes);
    rules.task_code = columns.task_code.as_ref().map(|spec| picks.field("task_code", Kind::Text, spec, mistakes));
    if let (true, None, Some(required)) = (rules.task_code_required, &rules.task_code, &file.check.task_code_required) {
        mistakes.add_missing(
            required.span(),
            "task codes are required, but no column has them; add task_code under [scenes.columns]",
        );
    }
    source.picks = picks.finish();
    source
}

fn api(
    file: &Api,
    upload: &Upload,
    placeholders: &Placeholders<'_>,
    mistakes: &mut Mistakes<'_>,
) -> (Target, Endpoint, TokenSource) {
    let target = match &file.base_url {
        Some(url) if url.get_ref() == "sandbox" => Target::Sandbox,
        _ => Target::Server,
    };
    let base_url = match target {
        Target::Sandbox => None,
        Target::Server => mistakes.parsed(&file.base_url, base_url),
    };
    let project = match (&file.project, &target) {
        (Some(project), _) => {
            if project.get_ref().trim().is_empty() || project.get_ref().contains(['/', '?', '#']) {
                mistakes.add(
                    project.span(),
                    "the project's name must not be empty or contain / ? #; write it as Trax gave it",
                );
            }
            project.get_ref().clone()
        }
        (None, Target::Sandbox) => "sandbox".to_owned(),
        (None, Target::Server) => {
            mistakes.add_missing(
                mistakes.section("[api]"),
                "the key `project` is missing under [api]: add the project's name as Trax gave it",
            );
            String::new()
        }
    };
    let resource = mistakes.parsed(&file.resource, |text| match RESOURCES.contains(&text) {
        true => Ok(text.to_owned()),
        false => Err(format!("{text:?} is no resource; the vendor's pages have \"session\" and \"sessions\"")),
    });
    let version = mistakes.parsed(&file.version, |text| {
        let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
        plain.then(|| text.to_owned()).ok_or_else(|| format!("{text:?} is no version of the API; write it like \"v4\""))
    });
    let token = match (&file.token_env, &file.token_file) {
        (Some(_), Some(file)) => {
            mistakes.add(file.span(), "token_env and token_file exclude each other; keep one of them");
            TokenSource::Env(DEFAULT_TOKEN.to_owned())
        }
        (None, Some(file)) => {
            let path = mistakes.take(file.span(), placeholders.dated(file.get_ref())).unwrap_or_default();
            TokenSource::File(PathBuf::from(path))
        }
        (Some(name), None) => {
            let text = name.get_ref();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if text.is_empty() || !text.bytes().all(plain) {
                mistakes.add(name.span(), "token_env is the name of an environment variable, never the token itself; name one like \"TRAX_TOKEN\"");
            }
            TokenSource::Env(text.clone())
        }
        (None, None) => TokenSource::Env(DEFAULT_TOKEN.to_owned()),
    };
    let mut time = |text: &Option<Spanned<String>>, default| -> Duration {
        let time = mistakes.parsed(text, quantities::duration);
        if time.is_some_and(|time| time.is_zero()) {
            mistakes.add(
                text.as_ref().map_or(0..0, Spanned::span),
                "a timeout of nothing would fail every request; choose one like \"30s\"",
            );
        }
        time.unwrap_or(Duration::from_secs(default))
    };
    let endpoint = Endpoint {
        base_url: base_url.unwrap_or_else(|| VENDOR.to_owned()),
        version: version.unwrap_or_else(|| "v4".to_owned()),
        project,
        resource: resource.unwrap_or_else(|| "session".to_owned()),
        timeout: time(&upload.timeout, 30),
        connect_timeout: time(&upload.connect_timeout, 10),
        ca_file: mistakes.parsed(&file.ca_file, |path| placeholders.dated(path)).map(PathBuf::from),
    };
    (target, endpoint, token)
}

/// The address without slashes at its end; plain http only to this machine.
fn base_url(text: &str) -> Result<String, String> {
    // The address is not repeated: there may be a password in it.
    let expected = || format!("this is no address; write it like \"{VENDOR}\", or \"sandbox\"");
    let trimmed = text.trim_end_matches('/');
    let url = reqwest::Url::parse(trimmed).map_err(|_| expected())?;
    let host = url.host_str().ok_or_else(expected)?;
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err("the address must not contain a user, a password, ? or #; take them out".to_owned());
    }
    match url.scheme() {
        "https" => Ok(trimmed.to_owned()),
        "http" if http_client::is_on_this_machine(&url) => Ok(trimmed.to_owned()),
        "http" => Err(format!("plain http would show the token to everybody on the way to {host}; use https")),
        _ => Err(expected()),
    }
}

fn upload(file: &Upload, options: &Options, warnings: &mut Vec<String>, mistakes: &mut Mistakes<'_>) -> Config {
    let default = Config::default();
    let rate = match &options.rate {
        Some(rate) => mistakes.option(quantities::rate(rate).map_err(|message| format!("--rate {message}"))),
        None => mistakes.parsed(&file.rate, quantities::rate),
    };
    let rate = rate.unwrap_or(default.rate);
    if rate > VENDOR_CEILING {
        warnings.push(format!(
            "a rate of {rate}/s is above the vendor's ceiling of {VENDOR_CEILING}/s: expect 429 answers, and a pause after each; lower it"
        ));
    }
    let mut positive = |value: &Option<Spanned<u32>>, name, default: u32, most: u32| -> u32 {
        let Some(spanned) = value else { return default };
        if !(1..=most).contains(spanned.get_ref()) {
            mistakes.add(spanned.span(), format!("{name} must lie between 1 and {most}; choose a number there"));
        }
        *spanned.get_ref()
    };
    let burst = positive(&file.burst, "burst", default.burst, MOST_BURST);
    let max_in_flight =
        positive(&file.max_in_flight, "max_in_flight", default.max_in_flight as u32, MOST_IN_FLIGHT) as usize;
    let max_attempts = positive(&file.max_attempts, "max_attempts", default.max_attempts, MOST_ATTEMPTS);
    let first = mistakes.parsed(&file.backoff.first, quantities::duration).unwrap_or(default.backoff.first);
    let max = mistakes.parsed(&file.backoff.max, quantities::duration).unwrap_or(default.backoff.max.max(first));
    if let Some(span) = file.backoff.max.as_ref().map(Spanned::span).filter(|_| max < first) {
        mistakes.add(span, "the longest wait is shorter than the first; raise max or lower first");
    }
    let patience = mistakes.parsed(&file.patience, quantities::duration).unwrap_or(default.patience);
    Config { rate, burst, max_in_flight, max_attempts, backoff: Backoff { first, max }, patience }
}

fn max_duration(file: &Upload, options: &Options, mistakes: &mut Mistakes<'_>) -> Option<Duration> {
    let parse = |text: &str| match quantities::duration(text) {
        Ok(time) if time.is_zero() => Err("a run of no duration would send nothing; choose one like \"5h\"".to_owned()),
        time => time,
    };
    match &options.max_duration {
        Some(text) => mistakes.option(parse(text).map_err(|message| format!("--max-duration {message}"))),
        None => mistakes.parsed(&file.max_duration, parse),
    }
}

fn results(file: &File, options: &Options, placeholders: &Placeholders<'_>, mistakes: &mut Mistakes<'_>) -> PathBuf {
    let stored = |path: &str| match Address::is_one(path) {
        true => Err("result files are written to this machine alone; name a path here".to_owned()),
        false => Ok(()),
    };
    if let Some(path) = &options.results {
        mistakes.option(stored(&path.to_string_lossy()).map_err(|message| format!("--results: {message}")));
        return path.clone();
    }
    let default = if placeholders.date.is_some() { "results/{name}-{date}.csv" } else { "results/{name}.csv" };
    match &file.results.path {
        None => placeholders.filled(default).unwrap_or_default().into(),
        Some(path) if path.get_ref().trim().is_empty() => {
            mistakes.add(path.span(), "the path of the result file is empty; name a file");
            PathBuf::new()
        }
        Some(path) => {
            mistakes.take(path.span(), stored(path.get_ref()));
            mistakes.filled(path, placeholders)
        }
    }
}

/// The node exporter's collector passes over other names; and no export or result file is written over so.
fn metrics(file: &File, placeholders: &Placeholders<'_>, mistakes: &mut Mistakes<'_>) -> Option<PathBuf> {
    let path = file.results.metrics.as_ref()?;
    let filled = mistakes.filled(path, placeholders);
    if filled.extension().is_none_or(|ending| ending != "prom") {
        mistakes.add(path.span(), "the node exporter reads files that end in .prom alone; give this one such a name");
    }
    Some(filled)
}
