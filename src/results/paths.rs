//! Where a result file is, and the files that belong to it: `results.csv.partial` (the journal), `.json` (the manifest),
//! `.lock` and `.html` (the page). It does not know what is in them.

use super::error::ResultsError;
use crate::owned_file::follow;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The path of a file that belongs to a result file: `results.csv` and `partial` make `results.csv.partial`.
pub(crate) fn beside(results: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(results);
    name.push(".");
    name.push(ending);
    name.into()
}

/// The file that a result path names. A link is followed, so that journal, lock and manifest lie beside the file itself
/// under any of its names. The file need not exist yet.
///
/// Call this before anything is opened or written beside the file: a device may never end, reading a named pipe may
/// never begin, and a file that is renamed over a link replaces the link.
///
/// # Errors
/// If the path, its journal or its manifest is anything but a regular file.
pub(crate) fn resolve_path(named: &Path) -> Result<PathBuf, ResultsError> {
    let path = follow(named).map_err(|_| ResultsError::LinkLoop(named.display().to_string()))?;
    if path.is_dir() {
        return Err(ResultsError::Folder(named.display().to_string()));
    }
    // Some links do not lead where their text says, and only the system can follow them: `/dev/stdout` to a pipe.
    if is_special(&path) || is_special(named) {
        return Err(ResultsError::NotRegular(named.display().to_string()));
    }
    for ending in ["partial", "partial.new", "json", "json.new"] {
        let companion = beside(&path, ending);
        if is_special(&companion) || companion.is_dir() {
            return Err(ResultsError::NotRegular(companion.display().to_string()));
        }
    }
    Ok(path)
}

/// A result file is not called as a journal is.
///
/// # Errors
/// Where it is.
pub(crate) fn refuse_journal_name(results: &Path) -> Result<(), ResultsError> {
    match results.extension() {
        Some(ending) if ending == "partial" => {
            let (named, meant) = (results.display().to_string(), results.with_extension("").display().to_string());
            Err(ResultsError::JournalName(named, meant))
        }
        _ => Ok(()),
    }
}

/// Whether the path is a device, a pipe or a socket.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Creates the folder of a result file, for its owner alone: results are personal data.
///
/// # Errors
/// If the folder cannot be created.
pub(crate) fn make_room(results: &Path) -> Result<(), ResultsError> {
    match results.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            let mut builder = std::fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            builder.recursive(true).create(folder).map_err(|source| ResultsError::write(folder, source))
        }
        None => Ok(()),
    }
}

/// Renames a result file, its journal, its manifest and its page to names that contain `stamp` and end with `.old`.
/// Returns the new name of the result file or, if there was none, of the first of the others; `None` if there was
/// nothing to rename.
///
/// # Errors
/// If a file cannot be renamed.
pub(crate) fn move_aside(results: &Path, stamp: &str) -> Result<Option<PathBuf>, ResultsError> {
    let names =
        (0..).map(|n| beside(results, &if n == 0 { format!("{stamp}.old") } else { format!("{stamp}-{n}.old") }));
    let is_taken = |aside: &PathBuf| aside.exists() || beside(aside, "partial").exists();
    let Some(aside) = names.into_iter().find(|name| !is_taken(name)) else { return Ok(None) };
    let mut moved = None;
    for (from, to) in [
        (results.to_owned(), aside.clone()),
        (beside(results, "partial"), beside(&aside, "partial")),
        (beside(results, "json"), beside(&aside, "json")),
        (beside(results, "html"), beside(&aside, "html")),
    ] {
        if from.exists() {
            std::fs::rename(&from, &to).map_err(|source| ResultsError::write(&from, source))?;
            moved.get_or_insert(to);
        }
    }
    Ok(moved)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_to_a_file_that_need_not_exist_and_a_loop_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("deep")).expect("a folder");
        symlink("deep/second", path("first")).expect("a link");
        symlink("../results.csv", path("deep/second")).expect("a link");
        assert_eq!(resolve_path(&path("first")).expect("a path"), path("deep/../results.csv"));
        std::fs::write(path("results.csv"), "").expect("a file");
        assert_eq!(resolve_path(&path("first")).expect("a path"), path("deep/../results.csv"));
        assert_eq!(resolve_path(&path("results.csv")).expect("a path"), path("results.csv"));
        symlink("circle", path("circle")).expect("a link");
        assert!(resolve_path(&path("circle")).is_err());
    }
}
