//! The files of an export in object storage. The rules are those for files on this machine: folders and patterns in
//! name order, hidden names skipped, and a pattern that matches nothing is an error.

use super::found::{Findings, FoundFile};
use super::hidden::{is_hidden, is_hidden_to};
use super::names::names_the_ending;
use super::tables;
use crate::scan::error::ScanError;
use crate::storage::{Address, Bucket, DataFile, Object, StorageError};
use glob::{MatchOptions, Pattern};
use std::path::PathBuf;

/// Adds the objects of a path: the object itself, all objects below a folder, or all that a glob matches. `address` is
/// the path, parsed.
///
/// # Errors
/// Where the address or a pattern is invalid, nothing is found, or the storage does not answer.
pub(super) fn find(
    path: &str,
    address: Result<Address<'_>, StorageError>,
    findings: &mut Findings,
) -> Result<(), ScanError> {
    let failed = |error: StorageError| ScanError::stored(path, &error);
    let address = address.map_err(|error| ScanError::stored(&Address::shown(path), &error))?;
    let bucket = Bucket::open(&address).map_err(failed)?;
    let key = address.key;
    let pattern = key.contains(['*', '?', '[']);
    let literal = match bucket.find(key) {
        // Credentials that may list and not read still find by pattern; the list tells what else is wrong.
        Err(_) if pattern => None,
        literal => literal.map_err(failed)?,
    };
    let is_named = literal.is_some() || pattern && names_the_ending(key);
    let mut objects = match literal {
        Some(object) => vec![object],
        None if pattern => matching(path, key, &bucket)?,
        None => {
            let folder = key.trim_end_matches('/');
            let objects = bucket.below(folder).map_err(failed)?;
            if objects.is_empty() {
                let reason = "there is no such object, and none below it; check `path` in the job file".to_owned();
                return Err(ScanError::Storage { path: path.to_owned(), reason });
            }
            refuse_table(&objects, folder, path)?;
            visible(objects, folder)
        }
    };
    in_name_order(&mut objects);
    for object in objects {
        let given = PathBuf::from(format!("{}/{}", address.root, object.key()));
        let modified = object.stamp().modified();
        let file = FoundFile::new(DataFile::Remote(object, given.clone()), given);
        match is_named {
            true => findings.add_named(file),
            false => findings.add(file, modified),
        }
    }
    Ok(())
}

/// # Errors
/// Where a folder is a table of a table format, or has one in it, by all the objects below it.
fn refuse_table(objects: &[Object], folder: &str, path: &str) -> Result<(), ScanError> {
    let format = objects.iter().find_map(|object| {
        let below = object.key().strip_prefix(folder).unwrap_or(object.key());
        let parts: Vec<&str> = below.split('/').filter(|part| !part.is_empty()).collect();
        let is_metadata = matches!(parts.as_slice(), [.., "metadata", name] if tables::is_of_iceberg(name));
        let (_, folders) = parts.split_last()?;
        tables::format_of(folders.iter().copied(), || is_metadata)
    });
    tables::refused(format, path, literal_part(path))
}

/// A pattern down to its first special character.
fn literal_part(path: &str) -> &str {
    path.split(['*', '?', '[']).next().unwrap_or_default().trim_end_matches('/')
}

/// # Errors
/// Where a folder is a table of a table format, by the folders in it.
fn refuse_table_level(below: &[String], bucket: &Bucket, path: &str) -> Result<(), ScanError> {
    let failed = |error: StorageError| ScanError::stored(path, &error);
    let name = |key: &String| key.rsplit('/').next().unwrap_or(key).to_owned();
    let names: Vec<String> = below.iter().map(name).collect();
    let metadata: Vec<String> = below.iter().filter(|key| name(key) == "metadata").cloned().collect();
    let objects = if metadata.is_empty() { Vec::new() } else { bucket.levels(&metadata).map_err(failed)? };
    let is_iceberg = objects.iter().flat_map(|(_, objects)| objects).any(|object| tables::is_of_iceberg(object.key()));
    tables::refused(tables::format_of(names.iter().map(String::as_str), || is_iceberg), path, literal_part(path))
}

/// In the order of a walk through folders: names are compared part by part.
fn in_name_order(objects: &mut [Object]) {
    objects.sort_by(|one, other| one.key().split('/').cmp(other.key().split('/')));
}

/// The objects below a folder without the hidden ones. The folder may itself be hidden.
fn visible(mut objects: Vec<Object>, folder: &str) -> Vec<Object> {
    objects.retain(|object| {
        let below = object.key().strip_prefix(folder).unwrap_or(object.key());
        !below.split('/').any(is_hidden)
    });
    objects
}

/// The objects that a pattern matches, and all objects below the folders that it matches.
fn matching(path: &str, pattern: &str, bucket: &Bucket) -> Result<Vec<Object>, ScanError> {
    let failed = |error: StorageError| ScanError::stored(path, &error);
    let bad = |source| ScanError::BadGlob { path: path.into(), source };
    Pattern::new(pattern).map_err(bad)?;
    let options =
        MatchOptions { require_literal_separator: true, require_literal_leading_dot: true, ..MatchOptions::default() };
    let parts: Vec<&str> = pattern.trim_end_matches('/').split('/').collect();
    let deep = parts.iter().position(|part| *part == "**").unwrap_or(parts.len());
    let mut folders = vec![String::new()];
    let mut matched: Vec<Object> = Vec::new();
    for (at, part) in parts[..deep].iter().enumerate() {
        let last = at + 1 == parts.len();
        if !part.contains(['*', '?', '[']) && !last {
            folders.iter_mut().for_each(|folder| *folder = join(folder, part));
            continue;
        }
        let name = Pattern::new(part).map_err(bad)?;
        let is_match = |key: &str| {
            let own = key.rsplit('/').next().unwrap_or(key);
            name.matches_with(own, options) && !is_hidden_to(own, pattern)
        };
        let mut next = Vec::new();
        for (below, objects) in bucket.levels(&folders).map_err(failed)? {
            refuse_table_level(&below, bucket, path)?;
            next.extend(below.into_iter().filter(|folder| is_match(folder)));
            if last && !pattern.ends_with('/') {
                matched.extend(objects.into_iter().filter(|object| is_match(object.key())));
            }
        }
        folders = next;
    }
    let mut any = !matched.is_empty();
    // An empty object that keeps a folder alive.
    matched.retain(|object| object.stamp().bytes > 0 || !folders.iter().any(|folder| folder == object.key()));
    for folder in folders {
        let below = bucket.below(&folder).map_err(failed)?;
        refuse_table(&below, &folder, path)?;
        if deep == parts.len() {
            any = true;
            matched.extend(visible(below, &folder));
            continue;
        }
        // `**` is any number of folders: whole keys are compared.
        let whole = Pattern::new(&parts.join("/")).map_err(bad)?;
        let is_match = |object: &Object| {
            whole.matches_with(object.key(), options)
                && !object.key().split('/').any(|part| is_hidden_to(part, pattern))
        };
        matched.extend(below.into_iter().filter(is_match));
        any |= !matched.is_empty();
    }
    match any {
        true => Ok(matched),
        false => Err(ScanError::NothingMatches { path: path.to_owned() }),
    }
}

fn join(folder: &str, part: &str) -> String {
    if folder.is_empty() { part.to_owned() } else { format!("{folder}/{part}") }
}
