//! `report`: a result file, or many of them, as one self-contained HTML page.

use super::error::{FileError, SideFile};
use super::result_file::SANDBOX;
use super::slices::{self, FoundSlices};
use super::{AppError, Context, Event};
use crate::outcome::Exit;
use crate::owned_file::{self, OwnedFileError, OwnedKind, PRIVATE};
use crate::render::{NextStep, next_step, rerun_command};
use crate::report::{
    About, Advice, OverviewAbout, ResultTally, SliceFile, SliceTally, Standing, in_short, is_page, overview, page,
    passed_over, read_slices, trouble,
};
use crate::results::{Manifest, beside, resolve_path};
use chrono::DateTime;
use std::path::{Path, PathBuf};

/// A page is known by its head, whose style sheet comes first.
const PAGE: OwnedKind = OwnedKind {
    name: "a page of traxload",
    head_len: 64 << 10,
    is_ours: |start| is_page(&String::from_utf8_lossy(start)),
    mode: PRIVATE,
};

/// The page of many files, where nothing else is named.
const OVERVIEW: &str = "report.html";
/// At most so many files are warned of one by one.
const TROUBLES: usize = 5;

/// What [`report`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct ReportRequest {
    /// The result file, finished or not; or several of them, folders and globs, which are shown together.
    pub results: Vec<PathBuf>,
    /// Where the page goes; `None`: beside the result file, of many `report.html` in their folder. An older page is
    /// replaced.
    pub output: Option<PathBuf>,
}

/// Writes the page of a result file, or of many, and returns its path.
///
/// # Errors
/// Where there is no result file, or something else than a page is in the way.
pub fn report(cx: &Context, request: &ReportRequest) -> Result<PathBuf, AppError> {
    let output = request.output.as_ref().map(|output| cx.base_dir.join(output));
    if let Some(single) = single(cx, request) {
        let source = PageSource::find(&cx.base_dir.join(single))?;
        let output = output.unwrap_or_else(|| beside(&source.results, "html"));
        source.write(cx, &output)?;
        return Ok(output);
    }
    let found = slices::find(cx, &request.results)?;
    let output = match (output, &found.folder) {
        (Some(output), _) => output,
        (None, Some(folder)) => cx.base_dir.join(folder).join(OVERVIEW),
        (None, None) => {
            let message = "the result files are in several folders, so the page of all of them needs a name: -o PAGE";
            return Err(FileError::refused(SideFile::Page, message.to_owned()));
        }
    };
    let sources: Vec<PageSource> = found.results.keys().map(|path| PageSource::of(path.clone())).collect();
    if sources.iter().any(|source| source.is_source(&output)) {
        return Err(is_source(&output));
    }
    let failed = |error: OwnedFileError| FileError::of(SideFile::Page, error);
    owned_file::existing(&output, &PAGE).map_err(failed)?;
    let page = overview_of(cx, request, found)?;
    owned_file::replace(&output, &PAGE, page.as_bytes()).map_err(failed)?;
    Ok(output)
}

/// The page of a result file, or of many, as HTML; `output` plays no part.
///
/// # Errors
/// Where there is no result file.
pub fn report_html(cx: &Context, request: &ReportRequest) -> Result<String, AppError> {
    match single(cx, request) {
        Some(results) => PageSource::find(&cx.base_dir.join(results))?.page(cx),
        None => overview_of(cx, request, slices::find(cx, &request.results)?),
    }
}

/// The one result file that is asked for; `None` where there may be many.
fn single<'r>(cx: &Context, request: &'r ReportRequest) -> Option<&'r Path> {
    match request.results.as_slice() {
        [one] if !slices::means_many(cx, one) => Some(one),
        _ => None,
    }
}

/// The page of many result files. What is wrong with some of them is a warning.
fn overview_of(cx: &Context, request: &ReportRequest, found: FoundSlices) -> Result<String, AppError> {
    let FoundSlices { results, passed, .. } = found;
    if !passed.is_empty() {
        cx.emit(Event::Note(&format!("passed over: {}", passed_over(&passed))));
    }
    let files = results.into_iter().map(|(results, shown)| PageSource::of(results).slice(shown)).collect();
    let no_room = |source| AppError::Start { what: "reading the result files", source };
    let (mut tallies, totals) = read_slices(only_what_was_sent(files)).map_err(no_room)?;
    for tally in &mut tallies {
        tally.next = next_of_slice(cx, tally);
    }
    let troubles: Vec<String> = tallies.iter().filter_map(trouble).collect();
    cx.warn_all(troubles.iter().take(TROUBLES));
    if troubles.len() > TROUBLES {
        cx.warn(&format!("{} more files are like these; the page has all of them", troubles.len() - TROUBLES));
    }
    cx.emit(Event::Note(&in_short(&tallies, &totals)));
    let places: Vec<String> = request.results.iter().take(3).map(|path| path.display().to_string()).collect();
    let more = if request.results.len() > 3 { ", …" } else { "" };
    let about = OverviewAbout { place: places.join(", ") + more, passed, made_at: cx.time() };
    Ok(overview(&tallies, &totals, &about))
}

/// What went to a sandbox is in no total, unless nothing else is there.
fn only_what_was_sent(mut files: Vec<SliceFile>) -> Vec<SliceFile> {
    let all_sandbox = files.iter().all(|file| file.is_sandbox);
    files.iter_mut().for_each(|file| file.counts = all_sandbox || !file.is_sandbox);
    files
}

/// What to do about a file among many.
fn next_of_slice(cx: &Context, tally: &SliceTally) -> Option<Advice> {
    if tally.unreadable.is_some() {
        return None;
    }
    let shown = &tally.file.shown;
    let Some(manifest) = &tally.file.manifest else {
        let left = tally.file.standing != Standing::Ended
            || next_step(shown, None, |status| tally.count(status), tally.reused()).is_some();
        let words = "some files have no manifest, so that a rerun cannot know their jobs: run the jobs again with other \
                     result files. The API answers 409 for visits it already has";
        return left.then(|| Advice { words: words.to_owned(), command: None });
    };
    // Where the page is read, nobody knows where it was made.
    let results = std::path::absolute(cx.base_dir.join(shown)).unwrap_or_else(|_| shown.clone());
    match tally.file.standing {
        Standing::Ended => {
            let exit = Exit::from_code(manifest.exit_code?);
            advice(next_step(&results, exit, |status| tally.count(status), tally.reused())?)
        }
        Standing::Unfinished | Standing::Overtaken => unfinished(&results, true),
    }
    .into()
}

/// Writes the page of a run that has just ended beside its result file.
pub(super) fn write_beside(cx: &Context, results: &Path) -> Result<PathBuf, AppError> {
    let output = beside(results, "html");
    PageSource::find(results)?.write(cx, &output)?;
    Ok(output)
}

/// What there is of a result file.
struct PageSource {
    /// Its final name.
    results: PathBuf,
    is_journal: bool,
}

fn is_source(output: &Path) -> AppError {
    FileError::refused(SideFile::Page, format!("{} is what the page is made from", output.display()))
}

impl PageSource {
    /// The file at this path or, while it is not there, its journal.
    fn of(results: PathBuf) -> PageSource {
        PageSource { is_journal: !results.exists(), results }
    }

    /// The file among many.
    fn slice(&self, shown: PathBuf) -> SliceFile {
        let manifest = Manifest::read(&self.results).ok();
        let journal = beside(&self.results, "partial");
        let standing = self.standing(manifest.as_ref());
        let mut files = Vec::new();
        if !self.is_journal {
            files.push(self.results.clone());
        }
        if self.is_journal || standing == Standing::Overtaken && journal.exists() {
            files.push(journal);
        }
        let is_sandbox = manifest.as_ref().is_some_and(|manifest| manifest.base_url == SANDBOX);
        SliceFile { shown, files, manifest, standing, is_sandbox, counts: true }
    }

    /// How far the run has come, by the manifest beside the file.
    fn standing(&self, manifest: Option<&Manifest>) -> Standing {
        match manifest {
            _ if self.is_journal => Standing::Unfinished,
            Some(manifest) if manifest.finished_at.is_none() => Standing::Overtaken,
            _ => Standing::Ended,
        }
    }

    /// The file itself or, while it is not there, its journal. A journal may be named as well.
    fn find(named: &Path) -> Result<PageSource, AppError> {
        let path = resolve_path(named)?;
        if path.extension().is_some_and(|ending| ending == "partial") {
            return Ok(PageSource { results: path.with_extension(""), is_journal: true });
        }
        let source = PageSource::of(path);
        if source.is_journal && !beside(&source.results, "partial").exists() {
            return Err(AppError::NoResultFile(named.to_owned()));
        }
        Ok(source)
    }

    fn write(&self, cx: &Context, output: &Path) -> Result<(), AppError> {
        let failed = |error: OwnedFileError| FileError::of(SideFile::Page, error);
        if self.is_source(output) {
            return Err(is_source(output));
        }
        owned_file::existing(output, &PAGE).map_err(failed)?;
        owned_file::replace(output, &PAGE, self.page(cx)?.as_bytes()).map_err(failed)
    }

    fn is_source(&self, output: &Path) -> bool {
        let sources = [self.results.clone(), beside(&self.results, "partial"), beside(&self.results, "json")];
        output
            .canonicalize()
            .is_ok_and(|output| sources.iter().any(|path| path.canonicalize().is_ok_and(|path| path == output)))
    }

    fn page(&self, cx: &Context) -> Result<String, AppError> {
        let file = if self.is_journal { beside(&self.results, "partial") } else { self.results.clone() };
        let mut notes = Vec::new();
        let manifest = self.manifest(&mut notes);
        let is_sandbox = manifest.as_ref().is_some_and(|manifest| manifest.base_url == SANDBOX);
        let standing = self.standing(manifest.as_ref());
        let is_resumable = manifest.is_some();
        // The manifest of a later run says nothing about these rows.
        let manifest = manifest.filter(|_| standing != Standing::Overtaken);
        let since = manifest.as_ref().and_then(|manifest| DateTime::parse_from_rfc3339(&manifest.started_at).ok());
        let tally = ResultTally::read(&file, since.map(|since| since.to_utc()))?;
        // The page may be read from anywhere.
        let results = std::path::absolute(&self.results).unwrap_or_else(|_| self.results.clone());
        let next = match standing {
            Standing::Ended => ended(&tally, &results, manifest.as_ref()),
            Standing::Unfinished | Standing::Overtaken => Some(unfinished(&results, is_resumable)),
        };
        let about = About { results, manifest, standing, is_sandbox, notes, next, made_at: cx.time() };
        Ok(page(&tally, &about))
    }

    /// The manifest beside the file, which may be a later run's.
    fn manifest(&self, notes: &mut Vec<String>) -> Option<Manifest> {
        if !beside(&self.results, "json").exists() {
            notes.push("there is no manifest beside the file, so the page cannot say which job it belongs to or how the counts add up.".to_owned());
            return None;
        }
        match Manifest::read(&self.results) {
            Ok(manifest) => {
                if manifest.finished_at.is_none() && !self.is_journal {
                    notes.push(
                        "a later run has begun: it goes on, or it died. The page shows the file as it was before."
                            .to_owned(),
                    );
                }
                Some(manifest)
            }
            Err(_) => {
                notes.push("the manifest beside the file is damaged.".to_owned());
                None
            }
        }
    }
}

/// What to do about a run without an end.
fn unfinished(results: &Path, is_resumable: bool) -> Advice {
    if is_resumable {
        let words = "if the run is no longer going on, this resumes it:".to_owned();
        return Advice { words, command: Some(rerun_command(results)) };
    }
    Advice {
        words: "if the run is no longer going on, `traxload run` with its job resumes it".to_owned(),
        command: None,
    }
}

/// What to do about a run that came to its end.
fn ended(tally: &ResultTally, results: &Path, manifest: Option<&Manifest>) -> Option<Advice> {
    let exit = manifest.and_then(|manifest| Exit::from_code(manifest.exit_code?));
    let next = next_step(results, exit, |status| tally.count(status), tally.reused())?;
    if manifest.is_none() {
        let words = "without the manifest a rerun cannot know its job: run the job again with another result file. \
                     The API answers 409 for visits it already has";
        return Some(Advice { words: words.to_owned(), command: None });
    }
    Some(advice(next))
}

fn advice(next: NextStep) -> Advice {
    let words = match next.first {
        "" => "send again what is left:".to_owned(),
        first => format!("{first}, then run:"),
    };
    Advice { words, command: Some(next.command) }
}
