//! The result files among files, folders and globs: those of a migration in slices, for one page.

use super::{AppError, Context};
use crate::results::{ResultsError, beside, is_result_file, resolve_path};
use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

/// Endings of what lies beside a result file.
const COMPANIONS: [&str; 5] = ["json", "lock", "html", "new", "verified"];

/// What was found.
#[derive(Debug, Default)]
pub(super) struct FoundSlices {
    /// Result files by the path at which they are or will be, in the order of names, with what a person calls them.
    pub(super) results: BTreeMap<PathBuf, PathBuf>,
    /// Files in folders, or of globs, that are no result files.
    pub(super) passed: Vec<String>,
    /// The folder in which all of them are; `None` where they are in several.
    pub(super) folder: Option<PathBuf>,
}

/// Whether a path means many result files, and not the one of this name.
pub(super) fn means_many(cx: &Context, path: &Path) -> bool {
    let opened = cx.base_dir.join(path);
    opened.is_dir() || is_pattern(path) && !exists(&opened)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

/// Whether there is a result file, or a journal of one.
fn exists(path: &Path) -> bool {
    path.exists() || beside(path, "partial").exists()
}

/// Finds the result files of these paths. Finished files and journals count; what lies beside them is left out.
///
/// # Errors
/// Where a path leads to no result file.
pub(super) fn find(cx: &Context, paths: &[PathBuf]) -> Result<FoundSlices, AppError> {
    let mut found = FoundSlices::default();
    let mut folders = Vec::new();
    for path in paths {
        let opened = cx.base_dir.join(path);
        let before = found.results.len() + found.passed.len();
        if opened.is_dir() {
            found.in_folder(&opened, path, &mut Vec::new())?;
            folders.push(path.clone());
        } else if means_many(cx, path) {
            found.by_pattern(cx, path)?;
            folders.push(literal_part(path));
        } else {
            if !exists(&opened) {
                return Err(AppError::NoResultFile(path.clone()));
            }
            // Somebody meant this file: what it is instead is an error.
            if !is_result_file(&existing(&opened))? {
                return Err(unreadable(path, "it is not a result file of traxload: its columns are different"));
            }
            found.add(&opened, path)?;
            folders.push(path.parent().unwrap_or(Path::new("")).to_owned());
            continue;
        }
        if found.results.len() + found.passed.len() == before && found.results.is_empty() {
            return Err(AppError::NoResultFile(path.clone()));
        }
    }
    if found.results.is_empty() {
        return Err(AppError::NoResultFile(paths.first().cloned().unwrap_or_default()));
    }
    folders.dedup();
    found.folder = if folders.len() == 1 { folders.pop() } else { None };
    Ok(found)
}

/// The finished file or, while it is not there, its journal.
fn existing(results: &Path) -> PathBuf {
    if results.exists() { results.to_owned() } else { beside(results, "partial") }
}

impl FoundSlices {
    fn add(&mut self, opened: &Path, shown: &Path) -> Result<(), AppError> {
        let without = |path: &Path| match path.extension().is_some_and(|ending| ending == "partial") {
            true => path.with_extension(""),
            false => path.to_owned(),
        };
        let results = resolve_path(&without(opened))?;
        self.results.entry(results).or_insert_with(|| without(shown));
        Ok(())
    }

    /// Adds a file that was met if it is a result file.
    fn meet(&mut self, opened: &Path, shown: &Path) -> Result<(), AppError> {
        let name = shown.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        // What `--fresh` moved aside counts no more.
        let is_aside = name.split('.').skip(1).any(|ending| ending == "old");
        let is_companion = name.rsplit_once('.').is_some_and(|(_, ending)| COMPANIONS.contains(&ending));
        if name.starts_with('.') || is_aside || is_companion || !opened.is_file() {
            return Ok(());
        }
        let is_journal = name.ends_with(".partial");
        let is_empty = opened.metadata().is_ok_and(|about| about.len() == 0);
        match is_result_file(opened) {
            _ if is_empty && !is_journal => self.passed.push(shown.display().to_string()),
            Ok(false) => self.passed.push(shown.display().to_string()),
            // A journal that has just begun is empty. A file that cannot be read has a line that says so.
            Ok(true) | Err(ResultsError::Changed { .. } | ResultsError::Unreadable { .. }) => {
                self.add(opened, shown)?
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Adds what is in a folder and in those below it. `above`: the folders that were entered to get here.
    fn in_folder(&mut self, folder: &Path, shown: &Path, above: &mut Vec<PathBuf>) -> Result<(), AppError> {
        let failed = |error: io::Error| unreadable(shown, error);
        // A link may lead back to a folder above it.
        let full_name = folder.canonicalize().map_err(failed)?;
        if above.contains(&full_name) {
            return Ok(());
        }
        above.push(full_name);
        let entries = std::fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        let mut names: Vec<_> = entries.map_err(failed)?.into_iter().map(|entry| entry.file_name()).collect();
        names.sort();
        for name in names {
            let opened = folder.join(&name);
            let shown = if shown == Path::new(".") { PathBuf::from(&name) } else { shown.join(&name) };
            if opened.is_dir() && !name.to_string_lossy().starts_with('.') {
                self.in_folder(&opened, &shown, above)?;
            } else {
                self.meet(&opened, &shown)?;
            }
        }
        above.pop();
        Ok(())
    }

    /// Adds what a pattern matches; the journals too that it would match with their ending.
    fn by_pattern(&mut self, cx: &Context, pattern: &Path) -> Result<(), AppError> {
        let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
        let base = match pattern.is_absolute() || cx.base_dir.as_os_str().is_empty() {
            true => String::new(),
            false => format!("{}/", glob::Pattern::escape(&cx.base_dir.to_string_lossy())),
        };
        for ending in ["", ".partial"] {
            let whole = format!("{base}{}{ending}", pattern.display());
            for opened in glob::glob_with(&whole, options).map_err(|error| unreadable(pattern, error))? {
                let opened = opened.map_err(|error| unreadable(pattern, error))?;
                let shown = match pattern.is_absolute() {
                    true => opened.clone(),
                    false => opened.strip_prefix(&cx.base_dir).unwrap_or(&opened).to_owned(),
                };
                if opened.is_dir() {
                    self.in_folder(&opened, &shown, &mut Vec::new())?;
                } else {
                    self.meet(&opened, &shown)?;
                }
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, reason: impl ToString) -> AppError {
    AppError::Results(ResultsError::Unreadable { path: path.display().to_string(), reason: reason.to_string() })
}

/// The folder that a pattern begins with.
fn literal_part(pattern: &Path) -> PathBuf {
    let parent = pattern.parent().unwrap_or(Path::new(""));
    parent.components().take_while(|part: &Component<'_>| !is_pattern(Path::new(part))).collect()
}
