//! What an earlier run left: its rows read again, by visit.

use super::reading::{Row, for_each_record};
use super::visits::{Place, Visit, Visits};
use super::{Counts, Draft, ResultsError};
use crate::upload::Status;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The rows of an earlier run, by visit. The rows themselves stay on the disk.
#[derive(Debug, Default)]
pub struct Previous {
    files: Vec<PathBuf>,
    visits: Visits,
    /// Delivered visits whose session ids were others than they would be now: number and id of then.
    changed: Vec<(usize, Uuid)>,
}

impl Previous {
    /// Reads what is there of a result file: the journal of a run that died, the finished file before it. `None` where
    /// there is neither. `uid`: the session id that a visit has now.
    ///
    /// # Errors
    /// Where one cannot be read, or is no result file.
    pub fn find(results: &Path, uid: impl Fn(&str) -> Uuid) -> Result<Option<Previous>, ResultsError> {
        let files = [super::beside(results, "partial"), results.to_owned()];
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        if files.is_empty() {
            return Ok(None);
        }
        // What an earlier one of the files says of a delivered visit counts.
        let mut previous = Previous { files, ..Previous::default() };
        for file in 0..previous.files.len() {
            previous.add(file, &uid)?;
        }
        Ok(Some(previous))
    }

    fn add(&mut self, file: usize, uid: &impl Fn(&str) -> Uuid) -> Result<(), ResultsError> {
        let Previous { files, visits, changed } = self;
        for_each_record(&files[file], |record, bytes| {
            let row = Row::new(record);
            let Some(status) = row.status() else { return Ok(()) };
            let visit = row.visit_id();
            // A row without an id has a key that could not be read: the exports have none that it could be found by.
            if visit.is_empty() || !status.is_delivered() && row.session_uid().is_none() {
                return Ok(());
            }
            if let Some(at) = visits.add(visit, status, Place { file, bytes })
                && status.is_delivered()
                && let Some(then) = row.session_uid().filter(|then| *then != uid(visit))
            {
                changed.push((at, then));
            }
            Ok(())
        })?;
        Ok(())
    }

    /// How it ended for visits of the exports, where they have a row; and notes that these are still in them.
    pub fn meet<'k>(&self, visit_ids: impl Iterator<Item = &'k str>) -> Vec<Option<Status>> {
        let meet = |visit: &Visit| {
            visit.meet();
            visit.status
        };
        self.visits.find_all(visit_ids).into_iter().map(|visit| visit.map(meet)).collect()
    }

    /// A delivered visit that was [met](Previous::meet) and had another session id than it would have now: its key, and
    /// the id of then.
    pub fn changed_id(&self) -> Option<(&str, Uuid)> {
        let mut changed = self.changed.iter().filter(|(at, _)| self.visits.get(*at).is_met());
        changed.next().map(|(at, then)| (self.visits.key(*at), *then))
    }

    /// How many visits there are that were not [met](Previous::meet), delivered ones or the others.
    pub fn not_met(&self, delivered: bool) -> u64 {
        let gone = |visit: &&Visit| !visit.is_met() && visit.status.is_delivered() == delivered;
        self.visits.iter().filter(gone).count() as u64
    }

    /// Writes the rows of delivered visits to what will be the journal. They stay whatever the exports hold, so that
    /// nothing need have been met.
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub fn draft(&self, results: &Path) -> Result<Draft, ResultsError> {
        let mut draft = Draft::new(results)?;
        let mut normal = Vec::new();
        self.each_row(|visit| visit.status.is_delivered(), |_, row| draft.add(whole_line(row, &mut normal)))?;
        Ok(draft)
    }

    /// Adds the rows of undelivered visits that stay as they are, and counts all that stay. `keep` is told how a visit
    /// ended and whether it was [met](Previous::meet).
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub fn complete(
        &self,
        draft: &mut Draft,
        keep: impl Fn(Status, bool) -> bool,
        counts: &Counts,
    ) -> Result<(), ResultsError> {
        for visit in self.visits.iter().filter(|visit| visit.status.is_delivered()) {
            counts.carry_over(visit.status, "", "", "");
        }
        let mut normal = Vec::new();
        self.each_row(
            |visit| !visit.status.is_delivered() && keep(visit.status, visit.is_met()),
            |status, row| {
                draft.add(whole_line(row, &mut normal))?;
                let record = parsed(row);
                let row = Row::new(&record);
                counts.carry_over(status, row.visit_id(), row.error_code(), row.error());
                Ok(())
            },
        )
    }

    /// Hands on the rows of these visits as they are in the files, in their order there.
    fn each_row(
        &self,
        is_wanted: impl Fn(&Visit) -> bool,
        mut each: impl FnMut(Status, &[u8]) -> Result<(), ResultsError>,
    ) -> Result<(), ResultsError> {
        let mut wanted: Vec<&Visit> = self.visits.iter().filter(|visit| is_wanted(visit)).collect();
        // They are in this order already, but for visits that failed in a row before the one that counts.
        wanted.sort_by_key(|visit| (visit.place.file, visit.place.bytes.start));
        for visits in wanted.chunk_by(|one, next| one.place.file == next.place.file) {
            let path = &self.files[visits[0].place.file];
            let unreadable = |error: io::Error| ResultsError::Unreadable {
                path: path.display().to_string(),
                reason: error.to_string(),
            };
            let mut rows = Rows::open(path).map_err(unreadable)?;
            for visit in visits {
                each(visit.status, rows.at(&visit.place).map_err(unreadable)?)?;
            }
        }
        Ok(())
    }
}

/// A row as it is to be written. Almost always that is as it was; where somebody's editor was here, its cells are
/// written to `normal` as our own rows are.
fn whole_line<'r>(row: &'r [u8], normal: &'r mut Vec<u8>) -> &'r [u8] {
    if row.ends_with(b"\n") && !row.ends_with(b"\r\n") && !row.starts_with(b"\n") {
        return row;
    }
    normal.clear();
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut *normal);
    // Writing to memory does not fail.
    let _ = writer.write_record(&parsed(row));
    drop(writer);
    normal
}

/// The cells of a row, which was read before.
fn parsed(row: &[u8]) -> csv::StringRecord {
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
    // Reading from memory fails for text that is no UTF-8 alone, and of such a row no place was kept.
    let _ = reader.read_record(&mut record);
    record
}

/// Reads rows of a file by their places, from the front to the back.
struct Rows {
    file: BufReader<File>,
    at: u64,
    row: Vec<u8>,
}

impl Rows {
    fn open(path: &Path) -> io::Result<Rows> {
        Ok(Rows { file: BufReader::with_capacity(1 << 18, File::open(path)?), at: 0, row: Vec::new() })
    }

    fn at(&mut self, place: &Place) -> io::Result<&[u8]> {
        let length = place.bytes.end.saturating_sub(place.bytes.start);
        let outside = |_| io::Error::other("a row is larger than the memory");
        let ahead = i64::try_from(place.bytes.start.saturating_sub(self.at)).map_err(outside)?;
        if ahead > 0 {
            self.file.seek_relative(ahead)?;
        }
        self.row.resize(usize::try_from(length).map_err(outside)?, 0);
        self.file.read_exact(&mut self.row)?;
        self.at = place.bytes.end;
        Ok(&self.row)
    }
}
