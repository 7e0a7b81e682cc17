//! `[results]`: the files that a run leaves.

use super::diagnostics::Diagnostics;
use super::keys::ResultsKeys;
use super::options::Options;
use super::paths::Placeholders;
use crate::storage::Address;
use std::path::{Path, PathBuf};

/// The result file.
pub(super) fn path(
    keys: &ResultsKeys,
    options: &Options,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> PathBuf {
    if let Some(path) = &options.results {
        diagnostics.option("--results:", check_local(&path.to_string_lossy()));
        return path.clone();
    }
    let Some(path) = &keys.path else { return placeholders.output(default_path(placeholders)).unwrap_or_default() };
    let parse = |text: &str| {
        check_local(text)?;
        match text.trim().is_empty() {
            true => Err("the path of the result file is empty; name a file".to_owned()),
            false => placeholders.output(text),
        }
    };
    diagnostics.take(path.span(), parse(path.get_ref())).unwrap_or_default()
}

/// Where the result file is, if the job does not say.
pub(super) fn default_path(placeholders: &Placeholders<'_>) -> &'static str {
    if placeholders.date.is_some() { "results/{name}-{date}.csv" } else { "results/{name}.csv" }
}

/// Where result files of earlier runs are, as globs from the base folder.
pub(super) fn earlier(
    keys: &ResultsKeys,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Vec<String> {
    let Some(earlier) = &keys.earlier else {
        // The result path itself, whatever --results says: what runs under it left is where the next one looks.
        let path = keys.path.as_ref().map_or_else(|| default_path(placeholders), |path| path.get_ref());
        return placeholders.any_day(path, true).into_iter().collect();
    };
    let paths = earlier.get_ref().as_slice().iter();
    let parse = |path: &String| {
        check_local(path)?;
        let pattern = placeholders.any_day(path, false)?;
        glob::Pattern::new(&pattern).map(|_| pattern).map_err(|error| format!("{path:?} is not a glob: {error}"))
    };
    paths.filter_map(|path| diagnostics.take(earlier.span(), parse(path))).collect()
}

fn check_local(path: &str) -> Result<(), String> {
    match Address::is_remote(path) {
        true => Err("result files are written to this machine only; name a path here".to_owned()),
        false => Ok(()),
    }
}

/// Where the figures of a run are left for Prometheus. Its node exporter ignores other names; and thanks to the ending no
/// export or result file is replaced.
pub(super) fn metrics(
    keys: &ResultsKeys,
    placeholders: &Placeholders<'_>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<PathBuf> {
    let path = keys.metrics.as_ref()?;
    let filled = diagnostics.take(path.span(), placeholders.output(path.get_ref()));
    let named = filled.as_deref().unwrap_or(Path::new(path.get_ref()));
    if named.extension().is_none_or(|ending| ending != "prom") {
        diagnostics.add(path.span(), "the node exporter reads only files that end in .prom; give this one such a name");
    }
    filled
}
