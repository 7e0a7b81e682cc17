//! Which files an export consists of, in which order, and the columns that `key=value` folders add.
//!
//! It looks at names only; no file is opened here. Those in object storage are found in `objects`.

use super::error::ScanError;
use super::objects;
use crate::storage::{Address, DataFile};
use std::collections::HashSet;
use std::path::{Component, Path};

/// One file of an export.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) place: DataFile,
    /// The path as the job gives it (with what a folder or glob adds to it): how results name the file.
    pub(super) name: String,
}

/// The files of a list of paths, each a file, a folder or a glob. The list keeps its order; folders and globs
/// are read in name order; a file named twice is read once.
pub(super) fn find(paths: &[String]) -> Result<Vec<Found>, ScanError> {
    let mut found = Vec::new();
    for path in paths {
        find_one(path, &mut found)?;
    }
    let mut seen = HashSet::new();
    found.retain(|file: &Found| seen.insert(file.place.identity()));
    Ok(found)
}

fn find_one(path: &str, found: &mut Vec<Found>) -> Result<(), ScanError> {
    if let Some(address) = Address::parse(path) {
        return objects::find(path, address, found);
    }
    let literal = Path::new(path);
    let is_glob = path.contains(['*', '?', '[']) && !literal.exists();
    if !is_glob {
        let about = std::fs::metadata(literal).map_err(|source| ScanError::Missing { path: path.into(), source })?;
        return if about.is_dir() {
            find_in_folder(literal, found)
        } else {
            found.push(Found { place: DataFile::Local(literal.into()), name: path.into() });
            Ok(())
        };
    }
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..Default::default() };
    // At its end, `**` would match the folders below and not the files beside them: it is all that is in a folder.
    let pattern = match path.trim_end_matches('/').strip_suffix("**") {
        Some("") => "*",
        Some(folder) if folder.ends_with('/') => folder,
        _ => path,
    };
    let matches =
        glob::glob_with(pattern, options).map_err(|source| ScanError::BadGlob { path: path.into(), source })?;
    let mut paths = Vec::new();
    for entry in matches {
        let entry = entry
            .map_err(|error| ScanError::Missing { path: error.path().display().to_string(), source: error.into() })?;
        paths.push(entry);
    }
    paths.sort();
    let before = found.len();
    for entry in &paths {
        if is_hidden_to(entry, path) {
            continue;
        }
        if entry.is_dir() {
            find_in_folder(entry, found)?;
        } else {
            let name = entry.display().to_string();
            found.push(Found { place: DataFile::Local(entry.clone()), name });
        }
    }
    // A folder that matched and is empty is an export of nothing; a pattern that matches nothing is a slip.
    if paths.is_empty() && found.len() == before {
        return Err(ScanError::NothingMatches { path: path.into() });
    }
    Ok(())
}

fn find_in_folder(folder: &Path, found: &mut Vec<Found>) -> Result<(), ScanError> {
    let unreadable = |source| ScanError::Missing { path: folder.display().to_string(), source };
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        entries.push(entry.map_err(unreadable)?.path());
    }
    entries.sort();
    for entry in entries {
        if is_hidden(&entry) {
            continue;
        }
        if entry.is_dir() {
            find_in_folder(&entry, found)?;
        } else {
            let name = entry.display().to_string();
            found.push(Found { place: DataFile::Local(entry), name });
        }
    }
    Ok(())
}

/// `_SUCCESS`, `.part-0.crc` and their like, which no reader of such folders counts as data.
fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy());
    name.is_some_and(|name| is_hidden_name(&name))
}

pub(super) fn is_hidden_name(name: &str) -> bool {
    name.starts_with(['_', '.'])
}

/// Whether a pattern matched something hidden that it does not itself name.
fn is_hidden_to(path: &Path, pattern: &str) -> bool {
    path.components().any(|part| {
        let Component::Normal(part) = part else { return false };
        is_hidden_part(&part.to_string_lossy(), pattern)
    })
}

/// Likewise, of one part of its path.
pub(super) fn is_hidden_part(part: &str, pattern: &str) -> bool {
    is_hidden_name(part)
        && !pattern.split(['/', '\\']).any(|named| named == part || named.chars().next() == part.chars().next())
}

/// The value that a folder `column=value` on the way to a file gives to all its rows. Hive writes
/// `__HIVE_DEFAULT_PARTITION__` for null.
pub(super) fn folder_value(path: &Path, column: &str) -> Option<String> {
    let folders = path.parent()?.components();
    folders.rev().find_map(|folder| {
        let Component::Normal(folder) = folder else { return None };
        let (key, value) = folder.to_str()?.split_once('=')?;
        (percent_decoded(key) == column).then(|| match value {
            "__HIVE_DEFAULT_PARTITION__" => String::new(),
            value => percent_decoded(value),
        })
    })
}

/// The columns that folders on the way to a file add.
pub(super) fn folder_columns(path: &Path) -> Vec<String> {
    let folders = path.parent().into_iter().flat_map(Path::components);
    let columns = folders.filter_map(|folder| {
        let Component::Normal(folder) = folder else { return None };
        folder.to_str()?.split_once('=').map(|(key, _)| percent_decoded(key))
    });
    columns.collect()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let decoded =
            hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match decoded.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_read_in_name_order_without_hidden_names() {
        let folder = tempfile::tempdir().expect("a folder");
        let landing = ["_landing/v.csv", "_landing/_committed_1"];
        let others = ["b/part-1.csv", "a.csv", "b/part-0.csv", "_SUCCESS", ".a.csv.crc", "b/_temporary/x.csv"];
        for name in others.into_iter().chain(landing) {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
        let root = folder.path().display().to_string();
        let names = |path: String| -> Vec<String> {
            let found = find(&[path]).expect("found");
            found.iter().map(|file| file.name.replace(&root, "")).collect()
        };
        assert_eq!(names(root.clone()), ["/a.csv", "/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/**")), ["/a.csv", "/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/*/**")), ["/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/_landing/**")), ["/_landing/v.csv"]);
        assert!(matches!(find(&[format!("{root}/c/**")]), Err(ScanError::NothingMatches { .. })));
        assert_eq!(names(format!("{root}/*/part-*.csv")), ["/b/part-0.csv", "/b/part-1.csv"]);
        let both = [format!("{root}/b/part-1.csv"), format!("{root}/b")];
        let found = find(&both).expect("found");
        assert_eq!(found.len(), 2, "a file named twice is read once");
        assert!(matches!(find(&[format!("{root}/*.tsv")]), Err(ScanError::NothingMatches { .. })));
    }

    #[test]
    fn folder_values_are_percent_decoded_and_hive_null_is_empty() {
        let path = Path::new("x/region=S%C3%A3o%20Paulo/day=__HIVE_DEFAULT_PARTITION__/a=b=100%/f.csv");
        assert_eq!(folder_value(path, "region").as_deref(), Some("São Paulo"));
        assert_eq!(folder_value(path, "day").as_deref(), Some(""));
        assert_eq!(folder_value(path, "a").as_deref(), Some("b=100%"));
        assert_eq!(folder_value(path, "f"), None);
        assert_eq!(folder_columns(path), ["region", "day", "a"]);
    }
}
