//! The visits of a folder that was prepared before: read batch by batch, each time anew, and checked each time. Nothing of
//! them is kept but a number for each.

use super::context::rfc3339;
use super::prepared_error::{FlawedRows, PreparedError};
use super::{AppError, Context};
use crate::build::{Flaw, Ids, PreparedRows, Visits};
use crate::job::{Job, PreparedMeant};
use crate::ledger::TodayBuilder;
use crate::near_key::without_case;
use crate::prepared::{FileHash, FileKind, SUCCESS, Seal, file_hash, folder_hash, kind, source};
use crate::results::Input;
use crate::scan::{Export, Remarks, ScanError};
use crate::shuffle::Tally;
use crate::storage::Folder;
use crate::text::count;
use rayon::prelude::*;
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use uuid::Uuid;

/// A folder that is complete, and is the one that is meant.
#[derive(Debug)]
pub(super) struct PreparedFolder {
    name: String,
    sha256: String,
    export: Export,
    ids: Ids,
}

/// Its visits, all of which hold what they promise.
#[derive(Debug)]
pub(super) struct PreparedVisits {
    folder: PreparedFolder,
    batches: usize,
    /// What tells each row from another one, in their order: what is sent is what was checked.
    marks: Vec<u64>,
    pub(super) remarks: Remarks,
}

impl PreparedFolder {
    /// Opens a folder, and holds its one hash against the one that is expected.
    ///
    /// # Errors
    /// Where it is not complete, or another one.
    pub(super) fn open(cx: &Context, job: &Job, meant: &PreparedMeant) -> Result<PreparedFolder, AppError> {
        let unreadable = |source| PreparedError::unreadable(&meant.folder, source);
        let folder = Folder::named(&meant.folder, &cx.base_dir).map_err(unreadable)?;
        let name = folder.name().to_owned();
        let Some(success) = folder.read(SUCCESS).map_err(unreadable)? else {
            return Err(match !folder.names().map_err(unreadable)?.is_empty() {
                true => PreparedError::Incomplete { folder: name },
                false => PreparedError::Missing { folder: name },
            }
            .into());
        };
        let files = files(cx, &folder, meant)?;
        let export = Export::open(source(files, &cx.base_dir)).map_err(|error| not_prepared(&name, error))?;
        let found = hash_of(&export, &name)?;
        let broken = |_| PreparedError::BrokenSeal { folder: name.clone() };
        let sealed = Seal::read(&success).map_err(broken)?.map(|seal| seal.prepared_sha256);
        for expected in meant.expect.iter().chain(&sealed) {
            if !expected.eq_ignore_ascii_case(&found) {
                let is_signed = Some(expected) == meant.expect.as_ref();
                let (folder, expected) = (name, expected.clone());
                return Err(PreparedError::OtherHash { folder, is_signed, expected, found }.into());
            }
        }
        cx.emit(super::Event::Note(&format!("{name}: prepared_sha256 {found}")));
        Ok(PreparedFolder { name, sha256: found, export, ids: job.rules.ids.clone() })
    }

    /// The hash that stands for its content.
    pub(super) fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The files, for the manifest.
    pub(super) fn inputs(&self) -> Vec<Input> {
        let input = |(name, stamp): (&str, &crate::storage::Stamp)| Input {
            path: name.to_owned(),
            bytes: stamp.bytes,
            modified: stamp.modified().map(|time| rfc3339(time.into())),
            tag: stamp.tag().map(str::to_owned),
            command: None,
        };
        self.export.files().map(input).collect()
    }

    /// The files that are there.
    pub(super) fn paths(&self) -> Vec<std::path::PathBuf> {
        self.export.paths().filter_map(|path| path.canonicalize().ok()).collect()
    }

    /// Reads all rows once. `today`: collects the visits that rows of earlier runs are looked up among.
    ///
    /// # Errors
    /// Where a row does not hold what it promises, and where two visits would be sent under one id.
    pub(super) fn read(self, cx: &Context, mut today: Option<&mut TodayBuilder>) -> Result<PreparedVisits, AppError> {
        let mut read = PreparedVisits { folder: self, batches: 0, marks: Vec::new(), remarks: Remarks::default() };
        let mut flawed = FlawedRows::default();
        let mut sessions = Vec::new();
        let mut batches = read.folder.export.batches();
        for rows in &mut batches {
            cx.go_on()?;
            let rows = rows?;
            read.batches += 1;
            let visits = match PreparedRows::new(&rows, &read.folder.ids) {
                Ok(visits) => visits,
                Err(flaws) => {
                    flaws.into_iter().for_each(|flaw| flawed.add(flaw));
                    continue;
                }
            };
            read.marks.extend(marks(&visits));
            sessions.extend((0..visits.len()).filter_map(|at| visits.session_to_send(at)).map(half));
            if let Some(today) = &mut today {
                for at in 0..visits.len() {
                    let (key, _) = visits.key(at);
                    today.add_visit(visits.session(at), key, visits.store_number(at), visits.day(at));
                }
            }
        }
        read.remarks = read.folder.export.remarks().clone();
        read.remarks.add(batches.into_remarks());
        read.folder.find_twice(sessions, &mut flawed)?;
        match flawed.count {
            0 => Ok(read),
            _ => Err(PreparedError::Flawed { folder: read.folder.name, rows: flawed }.into()),
        }
    }

    /// Adds visits of one id that would be sent.
    fn find_twice(&self, mut sessions: Vec<u64>, flawed: &mut FlawedRows) -> Result<(), AppError> {
        sessions.sort_unstable();
        let twice: HashSet<u64> = sessions.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        drop(sessions);
        if twice.is_empty() {
            return Ok(());
        }
        let mut seen: HashSet<Uuid> = HashSet::new();
        for rows in self.export.batches() {
            let rows = rows?;
            let Ok(visits) = PreparedRows::new(&rows, &self.ids) else { continue };
            for at in 0..visits.len() {
                let uid = visits.session_to_send(at).filter(|uid| twice.contains(&half(*uid)));
                if let Some(uid) = uid.filter(|uid| !seen.insert(*uid)) {
                    let (key, location) = visits.key(at);
                    let what = format!("the session {uid} of {key:?} is prepared a second time");
                    flawed.add(Flaw { location, what });
                }
            }
        }
        Ok(())
    }
}

impl PreparedVisits {
    pub(super) fn tally(&self) -> Tally {
        Tally { visit_rows: self.marks.len() as u64, ..Tally::default() }
    }

    /// In how many pieces the visits come.
    pub(super) fn batches(&self) -> usize {
        self.batches
    }

    /// The folder, as it was named.
    pub(super) fn name(&self) -> &str {
        &self.folder.name
    }

    /// Whether two visits have keys that differ in their case only.
    pub(super) fn has_keys_told_apart_by_case(&self) -> Result<bool, AppError> {
        let (mut found, mut seen, hasher) = (false, HashSet::new(), RandomState::new());
        self.each(|visits| -> Result<(), AppError> {
            let mut firsts = (0..visits.len()).filter(|at| visits.is_first(*at));
            // A number for each visit, not its key.
            found |= firsts.any(|at| !seen.insert(hasher.hash_one(without_case(visits.key(at).0))));
            Ok(())
        })?;
        Ok(found)
    }

    /// Hands out the visits piece by piece.
    ///
    /// # Errors
    /// Where the folder is no longer what it was, and the first error of `work`.
    pub(super) fn each<E: From<AppError>>(&self, mut work: impl FnMut(&dyn Visits) -> Result<(), E>) -> Result<(), E> {
        let (mut met, mut begin) = (HashSet::new(), 0);
        let changed = || AppError::from(PreparedError::Changed { folder: self.folder.name.clone() });
        for rows in self.folder.export.batches() {
            let rows = rows.map_err(AppError::from)?;
            let mut visits = PreparedRows::new(&rows, &self.folder.ids).map_err(|_| changed())?;
            let end = begin + visits.len();
            if self.marks.get(begin..end) != Some(&marks(&visits)[..]) {
                return Err(changed().into());
            }
            begin = end;
            visits.find_repeated(|uid| met.insert(uid));
            work(&visits)?;
        }
        if begin == self.marks.len() { Ok(()) } else { Err(changed().into()) }
    }
}

/// A folder of exports, or of anything else, is no folder of prepared visits.
fn not_prepared(folder: &str, error: ScanError) -> AppError {
    match error {
        ScanError::NoColumns { missing, .. } => {
            let missing = missing.into_iter().map(|missing| missing.column).collect();
            PreparedError::NotPrepared { folder: folder.to_owned(), missing }.into()
        }
        other => other.into(),
    }
}

/// The Parquet files, as they are opened. What lies beside them, such as a note of who signed the folder off, is a word and
/// no more.
fn files(cx: &Context, folder: &Folder, meant: &PreparedMeant) -> Result<Vec<String>, AppError> {
    let unreadable = |source| PreparedError::unreadable(folder.name(), source);
    let (mut files, mut beside) = (Vec::new(), Vec::new());
    for name in folder.names().map_err(unreadable)? {
        let path = format!("{}/{name}", meant.folder.trim_end_matches('/'));
        match kind(&name) {
            FileKind::Parquet => files.push(path),
            FileKind::Unfinished => return Err(PreparedError::Incomplete { folder: folder.name().to_owned() }.into()),
            FileKind::Beside => beside.push(name),
            FileKind::Hidden => {}
        }
    }
    if let Some(first) = beside.first() {
        let (name, files) = (folder.name(), count(beside.len() as u64, "file", "files"));
        cx.warn(&format!("{name} holds {files} beside the prepared visits, such as {first}"));
    }
    if files.is_empty() { Err(PreparedError::NoFiles { folder: folder.name().to_owned() }.into()) } else { Ok(files) }
}

fn marks(visits: &PreparedRows<'_>) -> Vec<u64> {
    (0..visits.len()).into_par_iter().map(|at| visits.mark(at)).collect()
}

/// Enough of an id to tell it from others, most often.
fn half(uid: Uuid) -> u64 {
    uid.as_u64_pair().1
}

/// The one hash of a folder. Names in it are without the folder's own.
fn hash_of(export: &Export, folder: &str) -> Result<String, AppError> {
    let mut files = Vec::new();
    for (name, opened) in export.open_files() {
        let unreadable = |source| PreparedError::unreadable(name, source);
        let sha256 = file_hash(opened.map_err(unreadable)?).map_err(unreadable)?;
        let name = name.strip_prefix(folder).unwrap_or(name).trim_start_matches('/').to_owned();
        files.push(FileHash { name, sha256 });
    }
    Ok(folder_hash(files))
}
