//! The files of an export on this machine.
//!
//! Every path is known in two forms: as the job gives it, for people, and joined to the base folder, to be opened.

use super::found::FoundFile;
use super::hidden::{is_hidden, is_hidden_to};
use crate::scan::error::ScanError;
use crate::storage::DataFile;
use glob::Pattern;
use std::path::{Component, Path, PathBuf};

/// Adds the files of a path: the file itself, all files of a folder, or all that a glob matches.
///
/// # Errors
/// Where the path is not there or may not be read, and where a pattern is invalid or matches nothing.
pub(super) fn find(path: &str, base_dir: &Path, found: &mut Vec<FoundFile>) -> Result<(), ScanError> {
    let opened = base_dir.join(path);
    let is_glob = path.contains(['*', '?', '[']) && !opened.exists();
    if is_glob {
        return find_by_pattern(path, base_dir, found);
    }
    let about = std::fs::metadata(&opened).map_err(|source| ScanError::Missing { path: path.into(), source })?;
    add(PathBuf::from(path), about.is_dir(), base_dir, found)
}

fn add(given: PathBuf, is_folder: bool, base_dir: &Path, found: &mut Vec<FoundFile>) -> Result<(), ScanError> {
    if is_folder {
        return find_in_folder(&given, base_dir, found);
    }
    found.push(FoundFile::new(DataFile::Local(base_dir.join(&given)), given));
    Ok(())
}

fn find_in_folder(folder: &Path, base_dir: &Path, found: &mut Vec<FoundFile>) -> Result<(), ScanError> {
    let unreadable = |source| ScanError::Missing { path: folder.display().to_string(), source };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(base_dir.join(folder)).map_err(unreadable)? {
        names.push(entry.map_err(unreadable)?.file_name());
    }
    names.sort();
    for name in names.into_iter().filter(|name| !is_hidden(&name.to_string_lossy())) {
        let given = folder.join(name);
        let is_folder = base_dir.join(&given).is_dir();
        add(given, is_folder, base_dir, found)?;
    }
    Ok(())
}

fn find_by_pattern(path: &str, base_dir: &Path, found: &mut Vec<FoundFile>) -> Result<(), ScanError> {
    let bad = |source| ScanError::BadGlob { path: path.into(), source };
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    // At its end, `**` would match the folders below and not the files beside them: it is all that is in a folder.
    let pattern = match path.trim_end_matches('/').strip_suffix("**") {
        Some("") => "*",
        Some(folder) if folder.ends_with('/') => folder,
        _ => path,
    };
    // By itself first: an error names a position in the job's own pattern.
    Pattern::new(pattern).map_err(bad)?;
    // Where the job's path is absolute, the base folder plays no part.
    let base_dir = if Path::new(path).is_absolute() { Path::new("") } else { base_dir };
    let mut matched: Vec<PathBuf> = Vec::new();
    for entry in glob::glob_with(&below(base_dir, pattern), options).map_err(bad)? {
        let entry = entry.map_err(|error| ScanError::Missing {
            path: as_given(error.path(), base_dir).display().to_string(),
            source: error.into(),
        })?;
        matched.push(as_given(&entry, base_dir));
    }
    matched.sort();
    // A folder that matched and is empty is an export of nothing; a pattern that matches nothing is a slip.
    if matched.is_empty() {
        return Err(ScanError::NothingMatches { path: path.into() });
    }
    for given in matched {
        let is_part_hidden =
            |part| matches!(part, Component::Normal(part) if is_hidden_to(&part.to_string_lossy(), path));
        if !given.components().any(is_part_hidden) {
            let is_folder = base_dir.join(&given).is_dir();
            add(given, is_folder, base_dir, found)?;
        }
    }
    Ok(())
}

/// A pattern below the base folder, in whose name nothing is special.
fn below(base_dir: &Path, pattern: &str) -> String {
    if base_dir.as_os_str().is_empty() {
        return pattern.to_owned();
    }
    let base_dir: PathBuf = base_dir.components().collect();
    format!("{}/{pattern}", Pattern::escape(base_dir.to_string_lossy().trim_end_matches('/')))
}

/// A path that a pattern below the base folder matched, as the job would give it.
fn as_given(matched: &Path, base_dir: &Path) -> PathBuf {
    if base_dir.as_os_str().is_empty() {
        return matched.to_owned();
    }
    // `glob` leaves out a `.` in front.
    let parts = |path| Path::components(path).filter(|part| *part != Component::CurDir);
    parts(matched).skip(parts(base_dir).count()).collect()
}
