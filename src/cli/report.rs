//! `traxload report`: a result file as one HTML page, and the same at the end of a run that asks for it.

use super::exit::{Exit, Failure};
use super::next::{next, rerun};
use super::page_file::write;
use super::screen::Console;
use super::taking_up::SANDBOX;
use crate::report::{About, Advice, Standing, Tally, page};
use crate::results::{Manifest, beside, located};
use chrono::{DateTime, Utc};
use clap::Args;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    /// The result file, finished or not
    results: PathBuf,
    /// Where the page goes, `-` being standard output; left out: beside the result file. An older page is replaced
    #[arg(short, long, value_name = "PAGE")]
    output: Option<PathBuf>,
}

pub(super) fn report(args: &ReportArgs, console: &Console) -> Result<Exit, Failure> {
    let source = Source::find(&args.results)?;
    let page = source.page()?;
    let output = match &args.output {
        Some(output) if output.as_os_str() == "-" => {
            print(&page)?;
            return Ok(Exit::Done);
        }
        Some(output) => output.clone(),
        None => beside(&source.results, "html"),
    };
    write(&output, &source.results, &page)?;
    console.report(&format!("report: {}\n", output.display()));
    Ok(Exit::Done)
}

/// The page of a run that has just ended. The run is over and its rows are safe: that there is no page of them is
/// worth a word and no more.
pub(super) fn beside_results(results: &Path, console: &Console) {
    let output = beside(results, "html");
    let made = Source::find(results).and_then(|source| write(&output, &source.results, &source.page()?));
    match made {
        Ok(()) => console.report(&format!("report: {}\n", output.display())),
        Err(failure) => console.warn(&format!("there is no report: {failure}")),
    }
}

/// What there is of a result file.
struct Source {
    /// Under its final name.
    results: PathBuf,
    is_journal: bool,
}

impl Source {
    /// The file itself; while it is not there, its journal. A journal may be named as well.
    fn find(named: &Path) -> Result<Source, Failure> {
        let path = located(named).map_err(|error| Failure::of_results(&error))?;
        if path.extension().is_some_and(|ending| ending == "partial") {
            return Ok(Source { results: path.with_extension(""), is_journal: true });
        }
        let is_journal = !path.exists();
        if is_journal && !beside(&path, "partial").exists() {
            let message =
                format!("there is no result file {} and no journal of one; is the path right?", named.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        Ok(Source { results: path, is_journal })
    }

    fn page(&self) -> Result<String, Failure> {
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
        // That of the later run says nothing of these rows.
        let manifest = manifest.filter(|_| standing != Standing::Overtaken);
        let since = manifest.as_ref().and_then(|manifest| DateTime::parse_from_rfc3339(&manifest.started_at).ok());
        let tally = Tally::read(&file, since.map(|since| since.to_utc()))
            .map_err(|error| Failure::new(Exit::Usage, error.to_string()))?;
        // The page may be read from anywhere.
        let results = std::path::absolute(&self.results).unwrap_or_else(|_| self.results.clone());
        let next = match standing {
            Standing::Ended => ended(&tally, &results, manifest.as_ref()),
            Standing::Unfinished | Standing::Overtaken => Some(unfinished(&results, is_resumable)),
        };
        let about = About { results, manifest, standing, is_sandbox, notes, next, made_at: Utc::now() };
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

/// What to do where a run has no end.
fn unfinished(results: &Path, is_resumable: bool) -> Advice {
    if is_resumable {
        let words = "if the run is not going on any more, this takes it up where it was:".to_owned();
        return Advice { words, command: Some(rerun(results)) };
    }
    let words = "if the run is not going on any more, `traxload run` with its job takes it up where it was".to_owned();
    Advice { words, command: None }
}

/// What to do about a run that came to its end.
fn ended(tally: &Tally, results: &Path, manifest: Option<&Manifest>) -> Option<Advice> {
    let exit = manifest.and_then(|manifest| Exit::from_code(manifest.exit_code?));
    let next = next(results, exit, |status| tally.count(status))?;
    if manifest.is_none() {
        let words = "without the manifest a rerun cannot know its job: run the job again with another result file. \
                     What the API has already comes back as already received";
        return Some(Advice { words: words.to_owned(), command: None });
    }
    let before = next.before.trim_end_matches([' ', ':', ',']);
    let words = if before.is_empty() { "send again what is left:".to_owned() } else { format!("{before}:") };
    Some(Advice { words, command: Some(next.command) })
}

fn print(page: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(page.as_bytes()).and_then(|()| out.flush()) {
        // Whoever reads has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            Exit::Unexpected,
            format!("cannot write to standard output: {error}; is the disk behind it full?"),
        )),
        Ok(()) => Ok(()),
    }
}
