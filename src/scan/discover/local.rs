//! The files of an export on this machine.
//!
//! Every path is known in two forms: as the job gives it, for people, and joined to the base folder, to be opened.

use super::found::{Findings, FoundFile};
use super::hidden::{is_hidden, is_hidden_to};
use super::names::names_the_ending;
use super::tables;
use crate::scan::error::ScanError;
use crate::storage::DataFile;
use glob::Pattern;
use std::collections::HashSet;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A search below the base folder.
struct Search<'a> {
    /// As the job gives it.
    path: &'a str,
    base_dir: &'a Path,
    findings: &'a mut Findings,
    /// The folders that were read, by their full names: through links, one may be met twice, or lie in itself.
    read: HashSet<PathBuf>,
}

/// Adds the files of a path: the file itself, all files of a folder, or all that a glob matches.
///
/// # Errors
/// Where the path is not there or may not be read, where it is a table of a table format or lies in one, and where a
/// pattern is invalid or matches nothing.
pub(super) fn find(path: &str, base_dir: &Path, findings: &mut Findings) -> Result<(), ScanError> {
    let opened = base_dir.join(path);
    let mut search = Search { path, base_dir, findings, read: HashSet::new() };
    let is_glob = path.contains(['*', '?', '[']) && !opened.exists();
    if is_glob {
        return search.find_by_pattern();
    }
    let about = std::fs::metadata(&opened).map_err(|source| ScanError::Missing { path: path.into(), source })?;
    if about.is_dir() {
        tables::refuse_within(base_dir, Path::new(path), path)?;
        return search.find_in_folder(Path::new(path));
    }
    if !about.is_file() {
        return Err(ScanError::NoFile { path: path.into() });
    }
    tables::refuse_file(base_dir, path)?;
    search.findings.add_named(FoundFile::new(DataFile::Local(opened), PathBuf::from(path)));
    Ok(())
}

impl Search<'_> {
    /// Adds what was met in a folder or by a pattern. `is_named`: whether the pattern names the ending of the file.
    fn add(&mut self, given: PathBuf, is_named: bool) -> Result<(), ScanError> {
        let opened = self.base_dir.join(&given);
        let about = std::fs::metadata(&opened);
        match about {
            Ok(about) if about.is_dir() => return self.find_in_folder(&given),
            // A pipe would keep us waiting for ever, and what comes out of a device is no export.
            Ok(about) if !about.is_file() => return Ok(()),
            Err(error) if is_circle(&opened, &error) => return Ok(()),
            _ => {}
        }
        // A file that is not there, such as one behind a broken link, is found out when it is opened.
        let modified = about.ok().and_then(|about| about.modified().ok());
        let file = FoundFile::new(DataFile::Local(opened), given);
        match is_named {
            true => self.findings.add_named(file),
            false => self.findings.add(file, modified),
        }
        Ok(())
    }

    fn find_in_folder(&mut self, folder: &Path) -> Result<(), ScanError> {
        let opened = self.base_dir.join(folder);
        let unreadable = |source| ScanError::Missing { path: folder.display().to_string(), source };
        if !self.read.insert(opened.canonicalize().map_err(unreadable)?) {
            return Ok(());
        }
        tables::refuse(&opened, &folder.display().to_string(), folder)?;
        let mut names = Vec::new();
        for entry in std::fs::read_dir(opened).map_err(unreadable)? {
            names.push(entry.map_err(unreadable)?.file_name());
        }
        names.sort();
        for name in names.into_iter().filter(|name| !is_hidden(&name.to_string_lossy())) {
            self.add(folder.join(name), false)?;
        }
        Ok(())
    }

    fn find_by_pattern(&mut self) -> Result<(), ScanError> {
        let path = self.path;
        let matched = matched(path, self.base_dir)?;
        let is_named = names_the_ending(path);
        let mut folders = HashSet::new();
        for given in matched {
            let is_part_hidden =
                |part| matches!(part, Component::Normal(part) if is_hidden_to(&part.to_string_lossy(), path));
            if given.components().any(is_part_hidden) {
                continue;
            }
            let folder = given.parent().unwrap_or(Path::new("")).to_owned();
            if !folders.contains(&folder) {
                tables::refuse_within(self.base_dir, &folder, path)?;
                folders.insert(folder);
            }
            self.add(given, is_named)?;
        }
        Ok(())
    }
}

/// Whether a path cannot be followed because it is a link that leads back to itself.
fn is_circle(path: &Path, error: &io::Error) -> bool {
    let is_other = !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied);
    is_other && path.is_symlink()
}

/// What a pattern matches, as the job would give it, in the order of names.
fn matched(path: &str, base_dir: &Path) -> Result<Vec<PathBuf>, ScanError> {
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
    match matched.is_empty() {
        true => Err(ScanError::NothingMatches { path: path.into() }),
        false => Ok(matched),
    }
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
