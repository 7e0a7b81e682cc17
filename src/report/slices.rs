//! One pass over many result files: a line for each, and totals in which a visit counts once however many files know it.

use super::about::{Advice, Standing};
use super::distinct::{DistinctVisits, VisitRecord};
use super::tally::{index, whole_status};
use crate::build::Code;
use crate::outcome::{Exit, Status, is_reused};
use crate::results::{Manifest, ResultsError, Row, read};
use chrono::{DateTime, Utc};
use rayon::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// At most this many causes are counted separately; the last one is for all others.
const CAUSES: usize = 256;
/// So many records are handed on at once.
const BATCH: usize = 1 << 14;
/// Rows that show a visit as delivered come before all others, and first those that say more.
const REUSED: u8 = 0;
const UPLOADED: u8 = 1;
const RECEIVED: u8 = 2;
const UNDELIVERED: u8 = 3;
/// What the number of a cause is where there is nothing to do.
const NO_CAUSE: usize = 0;

/// A result file among many.
#[derive(Debug)]
pub(crate) struct SliceFile {
    /// The file as it is shown.
    pub(crate) shown: PathBuf,
    /// The files to read, finished or not: the result file, the journal beside it, or both.
    pub(crate) files: Vec<PathBuf>,
    /// The manifest of the run that wrote the rows, if there is one.
    pub(crate) manifest: Option<Manifest>,
    pub(crate) standing: Standing,
    /// Whether the visits went to a sandbox and not to Trax.
    pub(crate) is_sandbox: bool,
    /// Whether its visits are part of the totals.
    pub(crate) counts: bool,
}

/// What the rows of one result file add up to.
#[derive(Debug)]
pub(crate) struct SliceTally {
    pub(crate) file: SliceFile,
    by_status: [u64; Status::ALL.len()],
    /// Delivered rows whose key was used again.
    reused: u64,
    /// Rows of a journal beside the finished file.
    pub(super) in_journal: u64,
    pub(super) damaged: u64,
    /// The first and the last answer.
    pub(super) first: Option<DateTime<Utc>>,
    pub(super) last: Option<DateTime<Utc>>,
    /// Why it cannot be read.
    pub(crate) unreadable: Option<String>,
    /// What to do about it.
    pub(crate) next: Option<Advice>,
}

impl SliceTally {
    /// The number of rows with this status.
    pub(crate) fn count(&self, status: Status) -> u64 {
        self.by_status[index(status)]
    }

    /// The number of delivered visits whose key was used again for another visit.
    pub(crate) fn reused(&self) -> u64 {
        self.reused
    }

    pub(super) fn rows(&self) -> u64 {
        self.by_status.iter().sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_delivered()).map(|status| self.count(status)).sum()
    }

    /// How the run ended; `None` if it has not ended or if there is no manifest.
    pub(crate) fn exit(&self) -> Option<Exit> {
        let code = self.file.manifest.as_ref().filter(|_| self.file.standing == Standing::Ended)?.exit_code?;
        Some(Exit::from_code(code).unwrap_or(Exit::Unexpected))
    }

    /// Visits of a run without an end that have no row yet, if its manifest tells.
    pub(super) fn without_row(&self) -> u64 {
        match (&self.file.manifest, self.file.standing) {
            (Some(manifest), Standing::Unfinished) => {
                super::about::expected(manifest).map_or(0, |all| all.saturating_sub(self.rows()))
            }
            _ => 0,
        }
    }
}

/// What all files together add up to. A visit that several of them know counts once.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    by_status: [u64; Status::ALL.len()],
    /// Delivered visits whose key was used again.
    pub(super) reused: u64,
    /// Visits that need attention by cause, the most frequent first.
    pub(super) causes: Vec<(Status, String, u64)>,
    pub(super) other_causes: u64,
    /// Rows that were of a visit which another row tells more about.
    pub(super) repeated: u64,
}

impl Totals {
    pub(super) fn count(&self, status: Status) -> u64 {
        self.by_status[index(status)]
    }

    pub(super) fn visits(&self) -> u64 {
        self.by_status.iter().sum()
    }

    pub(super) fn delivered(&self) -> u64 {
        Status::ALL.into_iter().filter(|status| status.is_delivered()).map(|status| self.count(status)).sum()
    }
}

/// What all threads that read share.
#[derive(Default)]
struct Shared {
    visits: Mutex<DistinctVisits>,
    causes: Mutex<Vec<(Status, String)>>,
}

/// Reads all files, several at a time. A file that cannot be read says so in its tally.
///
/// # Errors
/// If there is no room for temporary files.
pub(crate) fn read_slices(files: Vec<SliceFile>) -> io::Result<(Vec<SliceTally>, Totals)> {
    let shared = Shared::default();
    let slices: Vec<SliceTally> =
        files.into_par_iter().map(|file| read_slice(file, &shared)).collect::<io::Result<_>>()?;
    let Shared { visits, causes } = shared;
    let causes = causes.into_inner().unwrap_or_default();
    let mut totals = Totals::default();
    let mut by_cause = vec![0; CAUSES];
    visits.into_inner().unwrap_or_default().each(|record| {
        let (status, cause) = (usize::from(record.says() >> 8), usize::from(record.says() & 0xff));
        totals.by_status[status] += 1;
        by_cause[cause] += 1;
        totals.reused += u64::from(cause != NO_CAUSE && Status::ALL[status].is_delivered());
    })?;
    totals.other_causes = by_cause[CAUSES - 1];
    let counted = causes
        .into_iter()
        .zip(by_cause.into_iter().skip(NO_CAUSE + 1))
        .map(|((status, code), count)| (status, code, count));
    totals.causes = counted.filter(|(.., count)| *count > 0).collect();
    totals.causes.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.1.cmp(&b.1)));
    let rows: u64 = slices.iter().filter(|slice| slice.file.counts).map(|slice| slice.rows() + slice.in_journal).sum();
    totals.repeated = rows - totals.visits();
    Ok((slices, totals))
}

fn read_slice(file: SliceFile, shared: &Shared) -> io::Result<SliceTally> {
    let files = file.files.clone();
    let mut slice = SliceTally {
        file,
        by_status: Default::default(),
        reused: 0,
        in_journal: 0,
        damaged: 0,
        first: None,
        last: None,
        unreadable: None,
        next: None,
    };
    let mut reading = Reading { slice: &mut slice, shared, causes: Vec::new(), records: Vec::new(), failed: Ok(()) };
    for (at, path) in files.iter().enumerate() {
        if let Err(error) = reading.read(path, at == 0) {
            reading.slice.unreadable = Some(match error {
                ResultsError::Changed { reason, .. } => format!("it was changed after the run wrote it: {reason}"),
                ResultsError::Unreadable { reason, .. } => format!("it cannot be read: {reason}"),
                error => error.to_string(),
            });
        }
    }
    let Reading { failed, .. } = reading;
    failed.map(|()| slice)
}

/// The reading of one result file.
struct Reading<'a> {
    slice: &'a mut SliceTally,
    shared: &'a Shared,
    /// The causes of this file, with their numbers among all.
    causes: Vec<(Status, String, usize)>,
    records: Vec<VisitRecord>,
    /// Whether there was room for the records.
    failed: io::Result<()>,
}

impl Reading<'_> {
    /// `is_first`: the rows are those of the line; else they are of the journal beside the file.
    fn read(&mut self, path: &Path, is_first: bool) -> Result<(), ResultsError> {
        // A run that has just begun has written nothing yet.
        if path.extension().is_some_and(|ending| ending == "partial")
            && path.metadata().is_ok_and(|file| file.len() == 0)
        {
            return Ok(());
        }
        let damaged = read(path, |row| self.add(row, is_first))?;
        self.slice.damaged += damaged;
        self.hand_on();
        Ok(())
    }

    fn add(&mut self, row: Row<'_>, is_first: bool) {
        let Some(status) = whole_status(row) else {
            self.slice.damaged += 1;
            return;
        };
        let at = row.finished_at();
        match is_first {
            true => {
                self.slice.by_status[index(status)] += 1;
                self.slice.reused += u64::from(is_reused(status, row.error_code()));
            }
            false => self.slice.in_journal += 1,
        }
        if let Some(at) = at.filter(|_| row.attempts() > 0) {
            let slice = &mut *self.slice;
            slice.first = Some(slice.first.map_or(at, |first| first.min(at)));
            slice.last = Some(slice.last.map_or(at, |last| last.max(at)));
        }
        if !self.slice.file.counts {
            return;
        }
        let is_reused = is_reused(status, row.error_code());
        let cause = match status.is_delivered() && !is_reused {
            true => NO_CAUSE,
            false => self.cause(status, row.error_code()),
        };
        let rank = match status {
            _ if is_reused => REUSED,
            Status::Uploaded => UPLOADED,
            Status::AlreadyReceived => RECEIVED,
            _ => UNDELIVERED,
        };
        let seconds = at.and_then(|at| u32::try_from(at.timestamp()).ok()).unwrap_or(0);
        let says = (index(status) << 8 | cause) as u16;
        self.records.push(VisitRecord::new(visit(row), rank, seconds, says));
        if self.records.len() >= BATCH {
            self.hand_on();
        }
    }

    fn hand_on(&mut self) {
        if let Ok(mut visits) = self.shared.visits.lock()
            && let Err(error) = visits.add(&mut self.records)
        {
            self.failed = Err(error);
        }
    }

    /// The number of a cause among all causes.
    fn cause(&mut self, status: Status, code: &str) -> usize {
        let known = self.causes.iter().find(|(of, name, _)| *of == status && name == code);
        if let Some((.., number)) = known {
            return *number;
        }
        let Ok(mut all) = self.shared.causes.lock() else { return CAUSES - 1 };
        let number = all.iter().position(|(of, name)| *of == status && name == code);
        let number = number.map(|number| number + 1).unwrap_or_else(|| {
            if all.len() < CAUSES - 2 {
                all.push((status, code.to_owned()));
                all.len()
            } else {
                CAUSES - 1
            }
        });
        if self.causes.len() < CAUSES {
            self.causes.push((status, code.to_owned(), number));
        }
        number
    }
}

/// What tells a visit from others: its session id. One without a key has none, and is known by its row; one under whose key
/// Trax keeps another one, by what it is itself.
fn visit(row: Row<'_>) -> u128 {
    let is_other = row.status() == Some(Status::Invalid) && row.error_code() == Code::ReusedKey.name();
    if let Some(uid) = row.session_uid().filter(|_| !is_other) {
        return uid.as_u128();
    }
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, row.visit_id(), row.store_number(), row.visit_date()).hash(&mut hasher);
        if !is_other {
            (row.source(), row.error()).hash(&mut hasher);
        }
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
