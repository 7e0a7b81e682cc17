//! Which result files of earlier runs count: those of the same API, project and ids.

use crate::results::{Manifest, ResultsError, beside, is_result_file};
use glob::MatchOptions;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where sessions go and how their ids are made. Files of another origin know other sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) base_url: String,
    pub(crate) project: String,
    pub(crate) namespace: String,
    pub(crate) ids_version: u8,
}

impl Origin {
    /// That of the run that left a manifest.
    pub(crate) fn of(manifest: &Manifest) -> Origin {
        Origin {
            base_url: manifest.base_url.clone(),
            project: manifest.project.clone(),
            namespace: manifest.namespace.clone(),
            ids_version: manifest.ids_version,
        }
    }
}

/// A result file or a journal that an earlier run left.
#[derive(Clone, Debug)]
pub(crate) struct EarlierFile {
    pub(crate) path: PathBuf,
    /// Whether its rows that were not sent have the hash of what Trax has. The first version wrote that of its own body.
    pub(crate) keeps_hashes: bool,
}

/// What lies beside result files.
const BESIDE: [&str; 8] = ["json", "lock", "html", "old", "new", "prom", "verified", "partial"];

/// The result files of earlier runs that these globs name, in the order of their names, with their journals; and a warning for
/// each that cannot count. `own`: the result path of this run, which is none of them.
pub(crate) fn find_earlier(patterns: &[String], own: &Path, origin: &Origin) -> (Vec<EarlierFile>, Vec<String>) {
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let mut results = BTreeSet::new();
    for pattern in patterns {
        for pattern in [pattern.clone(), format!("{pattern}.partial")] {
            let Ok(found) = glob::glob_with(&pattern, options) else { continue };
            // Journal and manifest lie beside the file that a link points at.
            let resolved = |path: PathBuf| if path.is_symlink() { full(&path) } else { path };
            results.extend(found.filter_map(Result::ok).filter_map(|path| results_path(&path)).map(resolved));
        }
    }
    let own = full(own);
    let candidates: Vec<PathBuf> = results.into_iter().filter(|path| full(path) != own).collect();
    let looked = candidates.par_iter().map(|path| look(path, origin));
    let (files, warnings): (Vec<_>, Vec<_>) = looked.collect::<Vec<_>>().into_iter().unzip();
    (files.into_iter().flatten().collect(), warnings.into_iter().flatten().collect())
}

/// The result path that a file belongs to, if it is a result file or a journal by its name.
fn results_path(path: &Path) -> Option<PathBuf> {
    let ending = path.extension().unwrap_or_default();
    let path = if ending == "partial" { path.with_extension("") } else { path.to_owned() };
    let is_beside = path.extension().is_some_and(|ending| BESIDE.iter().any(|beside| ending == *beside));
    (!is_beside).then_some(path)
}

fn full(path: &Path) -> PathBuf {
    path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned())
}

/// The journal and the finished file of a result path, if they count.
fn look(results: &Path, origin: &Origin) -> (Vec<EarlierFile>, Vec<String>) {
    let there = [beside(results, "partial"), results.to_owned()].into_iter().filter(|path| path.is_file());
    let (mut files, mut warnings) = (Vec::new(), Vec::new());
    for path in there {
        match is_result_file(&path) {
            Ok(true) => files.push(path),
            // Another file that happens to match.
            Ok(false) => tracing::debug!("{} is not a result file, and is passed over", path.display()),
            Err(error) => warnings.push(unread(&error)),
        }
    }
    if files.is_empty() {
        return (Vec::new(), warnings);
    }
    match Manifest::read(results) {
        Err(_) => {
            let message = "has no manifest beside it that can be read, so nothing says whose visits it shows, and it does not \
                           count: what it shows as delivered may be sent again, and the API answers 409";
            warnings.push(format!("the earlier result file {} {message}", results.display()));
            files.clear();
        }
        Ok(manifest) if Origin::of(&manifest) != *origin => {
            tracing::debug!("{} is of another API, project or namespace, and is passed over", results.display());
            files.clear();
        }
        Ok(manifest) => {
            let keeps_hashes = manifest.keeps_hashes();
            return (files.into_iter().map(|path| EarlierFile { path, keeps_hashes }).collect(), warnings);
        }
    }
    (Vec::new(), warnings)
}

/// What is said of an earlier file that cannot be read.
pub(super) fn unread(error: &ResultsError) -> String {
    format!(
        "an earlier result file does not count, and what it shows as delivered may be sent again (the API answers 409): {error}"
    )
}
