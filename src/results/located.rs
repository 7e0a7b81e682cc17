//! Where a result file really is, and whether it is a file at all.
//!
//! A device may never end and a named pipe may never begin, and what is renamed over a link replaces the link. So this is
//! asked once, before anything is opened or written beside the file.

use super::{ResultsError, beside};
use std::path::{Path, PathBuf};

/// As many links in a row as Linux follows.
const LINKS: usize = 40;

/// The file that a result path names: where it is a link, what the link points at, so that journal, lock and manifest lie
/// beside the file itself, whichever of its names is used. It need not be there yet.
///
/// # Errors
/// Where the path, or what belongs to it, is something else than a regular file.
pub fn located(named: &Path) -> Result<PathBuf, ResultsError> {
    let path = follow(named)?;
    if path.is_dir() {
        return Err(ResultsError::Folder(named.display().to_string()));
    }
    // The system may know where a link leads that only looks like a path: to a pipe, from `/dev/stdout`.
    if is_special(&path) || is_special(named) {
        return Err(ResultsError::NotRegular(named.display().to_string()));
    }
    for ending in ["partial", "json"] {
        let own = beside(&path, ending);
        if is_special(&own) {
            return Err(ResultsError::NotRegular(own.display().to_string()));
        }
    }
    Ok(path)
}

/// What a link points at, also where nothing is there yet; any other path is its own.
pub(crate) fn follow(named: &Path) -> Result<PathBuf, ResultsError> {
    let mut path = named.to_owned();
    for _ in 0..=LINKS {
        // Most often it is no link, or nothing at all.
        let Ok(target) = path.read_link() else { return Ok(path) };
        path = path.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(ResultsError::Links(named.display().to_string()))
}

/// Whether it is a device, a pipe or a socket.
fn is_special(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_followed_to_a_file_that_need_not_be_there_and_not_in_circles() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("deep")).expect("a folder");
        symlink("deep/second", path("first")).expect("a link");
        symlink("../results.csv", path("deep/second")).expect("a link");
        assert_eq!(located(&path("first")).expect("a path"), path("deep/../results.csv"));
        std::fs::write(path("results.csv"), "").expect("a file");
        assert_eq!(located(&path("first")).expect("a path"), path("deep/../results.csv"));
        assert_eq!(located(&path("results.csv")).expect("a path"), path("results.csv"));
        symlink("circle", path("circle")).expect("a link");
        assert!(located(&path("circle")).is_err());
    }
}
