//! Files that this program writes and may replace later: a page, metrics, bodies, a job file.
//!
//! What another program or a person wrote is never replaced: a file counts as ours by how it begins. A file is replaced in
//! one step, so that a reader sees the old content or the new one. Through a link, the file that it points at is written.
//!
//! It knows nothing of what the files say.

use std::fs::{File, Metadata};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The mode of files that hold personal data.
pub(crate) const PRIVATE: u32 = 0o600;

/// The most links in a row that are followed, as Linux does.
const LINKS: usize = 40;

/// A kind of file that this program writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OwnedKind {
    /// What messages call it, with its article: `a page of traxload`.
    pub(crate) name: &'static str,
    /// How many bytes of a file tell whether it is of this kind.
    pub(crate) head_len: u64,
    /// Whether a file that begins with these bytes is of this kind.
    pub(crate) is_ours: fn(&[u8]) -> bool,
    /// The mode of a new file; one that is replaced keeps its mode and its owner.
    pub(crate) mode: u32,
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OwnedFileError {
    #[error("{} is already there and is not {kind}, so it is left as it is", .path.display())]
    Foreign { path: PathBuf, kind: &'static str },
    #[error("{} is not a regular file, so it cannot be replaced", .path.display())]
    NotRegular { path: PathBuf },
    #[error("cannot write {}: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl OwnedFileError {
    /// What the system says, where it says anything.
    pub(crate) fn into_source(self) -> io::Error {
        match self {
            OwnedFileError::Write { source, .. } => source,
            other => io::Error::other(other.to_string()),
        }
    }

    fn write(path: &Path, source: io::Error) -> OwnedFileError {
        OwnedFileError::Write { path: path.to_owned(), source }
    }
}

/// What is at a path, where a file of this kind may be written: nothing, an empty file, or an older file of the kind.
///
/// # Errors
/// Where something else is there.
pub(crate) fn existing(path: &Path, kind: &OwnedKind) -> Result<Option<Metadata>, OwnedFileError> {
    let Ok(older) = path.metadata() else { return Ok(None) };
    if older.is_dir() {
        return Err(OwnedFileError::write(path, io::ErrorKind::IsADirectory.into()));
    }
    if !older.is_file() {
        return Err(OwnedFileError::NotRegular { path: path.to_owned() });
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(kind.head_len).read_to_end(&mut start));
    // What cannot be read may be anything.
    if read.is_err() || !start.is_empty() && !(kind.is_ours)(&start) {
        return Err(OwnedFileError::Foreign { path: path.to_owned(), kind: kind.name });
    }
    Ok(Some(older))
}

/// What is at the path, if it is a file of this kind: to be read before it is replaced.
pub(crate) fn read_existing(path: &Path, kind: &OwnedKind) -> Result<String, OwnedFileError> {
    match existing(path, kind)? {
        Some(_) => std::fs::read_to_string(path)
            .map_err(|_| OwnedFileError::Foreign { path: path.to_owned(), kind: kind.name }),
        None => Ok(String::new()),
    }
}

/// Writes a file in one step, in place of an older one of the same kind.
pub(crate) fn replace(path: &Path, kind: &OwnedKind, content: &[u8]) -> Result<(), OwnedFileError> {
    replace_with(path, kind, |to| to.write_all(content))
}

/// As [`replace`], of content that `write` makes piece by piece.
pub(crate) fn replace_with(
    path: &Path,
    kind: &OwnedKind,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), OwnedFileError> {
    let draft = Draft::new(path, kind)?;
    let mut buffered = BufWriter::new(draft.file());
    write(&mut buffered).and_then(|()| buffered.flush()).map_err(|source| OwnedFileError::write(path, source))?;
    drop(buffered);
    draft.put()
}

/// A file that is being written beside the path at which it will be. It is gone where it is not put there.
#[derive(Debug)]
pub(crate) struct Draft {
    file: NamedTempFile,
    /// As it is called in messages.
    path: PathBuf,
    /// What the path leads to.
    target: PathBuf,
    kind: OwnedKind,
}

impl Draft {
    /// # Errors
    /// Where a file of this kind cannot be put at the path.
    pub(crate) fn new(path: &Path, kind: &OwnedKind) -> Result<Draft, OwnedFileError> {
        let older = existing(path, kind)?;
        let failed = |source| OwnedFileError::write(path, source);
        let target = follow(path).map_err(failed)?;
        let folder = folder_of(&target);
        if !folder.is_dir() {
            let reason = format!("there is no folder {}", folder.display());
            return Err(failed(io::Error::new(io::ErrorKind::NotFound, reason)));
        }
        let mut builder = tempfile::Builder::new();
        let builder = builder.prefix(".traxload-").suffix(".new");
        let file = builder.tempfile_in(folder).map_err(failed)?;
        be_like(file.as_file(), older.as_ref(), kind.mode).map_err(failed)?;
        Ok(Draft { file, path: path.to_owned(), target, kind: *kind })
    }

    /// To be written to.
    pub(crate) fn file(&self) -> &File {
        self.file.as_file()
    }

    /// Puts the file at its path in one step.
    ///
    /// # Errors
    /// Also where something that is not of its kind has come there meanwhile.
    pub(crate) fn put(self) -> Result<(), OwnedFileError> {
        existing(&self.path, &self.kind)?;
        let failed = |source| OwnedFileError::write(&self.path, source);
        self.file.as_file().sync_all().map_err(failed)?;
        self.file.persist(&self.target).map(drop).map_err(|error| failed(error.error))
    }
}

/// The file that a path leads to through links, which need not be there yet; any other path is its own.
///
/// # Errors
/// Where links lead in a circle.
pub(crate) fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut at = path.to_owned();
    for _ in 0..=LINKS {
        // Most often it is not a link, or nothing at all.
        let Ok(target) = at.read_link() else { return Ok(at) };
        at = at.parent().unwrap_or(Path::new("")).join(target);
    }
    Err(io::Error::other(format!("{} leads through links without an end", path.display())))
}

/// The one name of a file that need not be there yet: links followed, in its folder by the folder's own name.
pub(crate) fn full_name(path: &Path) -> Option<PathBuf> {
    let path = follow(path).ok()?;
    Some(folder_of(&path).canonicalize().ok()?.join(path.file_name()?))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a file to append to that is going to replace another, or empties one that is there: with the mode and the owner of the older
/// one, where there is one.
///
/// # Errors
/// Where the file cannot be created.
pub(crate) fn create_like(path: &Path, older: Option<&Metadata>, mode: u32) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    let file = options.open(path)?;
    file.set_len(0)?;
    be_like(&file, older, mode)?;
    Ok(file)
}

/// An older file keeps its mode, and its owner where this user may give files away. A new one gets a mode.
#[cfg(unix)]
fn be_like(file: &File, older: Option<&Metadata>, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let mut mode = older.map_or(mode, |older| older.mode() & 0o7777);
    if let Some(older) = older {
        let now = file.metadata()?;
        if older.uid() != now.uid() {
            let _ = fchown(file, Some(older.uid()), None);
        }
        // What one group may read is not for another.
        if older.gid() != now.gid() && fchown(file, None, Some(older.gid())).is_err() {
            mode &= !0o070;
        }
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn be_like(_: &File, _: Option<&Metadata>, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTE: OwnedKind = OwnedKind { name: "a note", head_len: 4, is_ours: |start| start == b"note", mode: 0o644 };

    #[test]
    fn only_a_file_of_its_kind_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x");
        replace(&path, &NOTE, b"note 1").expect("nothing is there");
        replace(&path, &NOTE, b"note 2").expect("a note is there");
        assert_eq!(read_existing(&path, &NOTE).expect("a note"), "note 2");
        std::fs::write(&path, "a letter").expect("written");
        assert!(matches!(replace(&path, &NOTE, b"note 3"), Err(OwnedFileError::Foreign { .. })));
        assert_eq!(std::fs::read_to_string(&path).expect("readable"), "a letter");
        assert!(replace(folder.path(), &NOTE, b"note").is_err() && replace(&path.join("y"), &NOTE, b"note").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn through_a_link_the_file_is_written_that_it_points_at() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        symlink("second", path("first")).expect("a link");
        symlink("file", path("second")).expect("a link");
        replace(&path("first"), &NOTE, b"note").expect("written");
        assert_eq!(std::fs::read_to_string(path("file")).expect("readable"), "note");
        assert!(path("first").is_symlink());
        symlink("circle", path("circle")).expect("a link");
        assert!(replace(&path("circle"), &NOTE, b"note").is_err());
    }
}
