//! `report`: a result file as one self-contained HTML page.

use super::error::{FileError, SideFile};
use super::result_file::SANDBOX;
use super::{AppError, Context};
use crate::outcome::Exit;
use crate::owned_file::{self, OwnedFileError, OwnedKind, PRIVATE};
use crate::render::{next_step, rerun_command};
use crate::report::{About, Advice, ResultTally, Standing, is_page, page};
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

/// What [`report`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct ReportRequest {
    /// The result file, finished or not.
    pub results: PathBuf,
    /// Where the page goes; `None`: beside the result file. An older page is replaced.
    pub output: Option<PathBuf>,
}

/// Writes the page of a result file, and returns its path.
///
/// # Errors
/// Where there is no result file, or something else than a page is in the way.
pub fn report(cx: &Context, request: &ReportRequest) -> Result<PathBuf, AppError> {
    let source = PageSource::find(&cx.base_dir.join(&request.results))?;
    let output = match &request.output {
        Some(output) => cx.base_dir.join(output),
        None => beside(&source.results, "html"),
    };
    source.write(cx, &output)?;
    Ok(output)
}

/// The page of a result file as HTML.
///
/// # Errors
/// Where there is no result file.
pub fn report_html(cx: &Context, results: &Path) -> Result<String, AppError> {
    PageSource::find(&cx.base_dir.join(results))?.page(cx)
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

impl PageSource {
    /// The file itself or, while it is not there, its journal. A journal may be named as well.
    fn find(named: &Path) -> Result<PageSource, AppError> {
        let path = resolve_path(named)?;
        if path.extension().is_some_and(|ending| ending == "partial") {
            return Ok(PageSource { results: path.with_extension(""), is_journal: true });
        }
        let is_journal = !path.exists();
        if is_journal && !beside(&path, "partial").exists() {
            return Err(AppError::NoResultFile(named.to_owned()));
        }
        Ok(PageSource { results: path, is_journal })
    }

    fn write(&self, cx: &Context, output: &Path) -> Result<(), AppError> {
        let failed = |error: OwnedFileError| FileError::of(SideFile::Page, error);
        if self.is_source(output) {
            let message = format!("{} is what the page is made from", output.display());
            return Err(FileError::refused(SideFile::Page, message));
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
        let standing = match &manifest {
            _ if self.is_journal => Standing::Unfinished,
            Some(manifest) if manifest.finished_at.is_none() => Standing::Overtaken,
            _ => Standing::Ended,
        };
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
    let next = next_step(results, exit, |status| tally.count(status))?;
    if manifest.is_none() {
        let words = "without the manifest a rerun cannot know its job: run the job again with another result file. \
                     The API answers 409 for visits it already has";
        return Some(Advice { words: words.to_owned(), command: None });
    }
    let words = match next.first {
        "" => "send again what is left:".to_owned(),
        first => format!("{first}, then run:"),
    };
    Some(Advice { words, command: Some(next.command) })
}
