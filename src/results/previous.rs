//! What an earlier run left: its rows read again, a torn last one dropped.

use super::row::{COLUMNS, ResultRow};
use super::{Journal, ResultsError};
use crate::upload::Status;
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// The rows of an earlier run, by visit. The rows themselves stay on the disk.
#[derive(Debug, Default)]
pub struct Previous {
    files: Vec<PathBuf>,
    /// Status and session id of every visit that has a key.
    visits: HashMap<String, (Status, Option<Uuid>)>,
}

impl Previous {
    /// Reads what is there of a result file: the journal of a run that died, the finished file before it. `None` where
    /// there is neither.
    ///
    /// # Errors
    /// Where one cannot be read, or is no result file.
    pub fn find(results: &Path) -> Result<Option<Previous>, ResultsError> {
        let files = [super::beside(results, "partial"), results.to_owned()];
        let files: Vec<PathBuf> = files.into_iter().filter(|file| file.exists()).collect();
        if files.is_empty() { Ok(None) } else { Previous::read(files).map(Some) }
    }

    /// Reads result files; what an earlier one of the list says of a delivered visit counts.
    fn read(files: Vec<PathBuf>) -> Result<Previous, ResultsError> {
        let mut previous = Previous { files, ..Previous::default() };
        for path in &previous.files.clone() {
            previous.add(path)?;
        }
        Ok(previous)
    }

    fn add(&mut self, path: &Path) -> Result<(), ResultsError> {
        let previous = self;
        for_each_row(path, |row| {
            let Some(status) = row.status() else { return Ok(()) };
            if row.visit_id.is_empty() {
                return Ok(());
            }
            let uid = Uuid::parse_str(&row.session_uid).ok();
            let known = previous.visits.entry(row.visit_id).or_insert((status, uid));
            // Of several rows for one key a delivered one tells what the API has.
            if status.is_delivered() && !known.0.is_delivered() {
                *known = (status, uid);
            }
            Ok(())
        })
    }

    /// How it ended for a visit, if it has a row.
    pub fn status(&self, visit_id: &str) -> Option<Status> {
        self.visits.get(visit_id).map(|(status, _)| *status)
    }

    /// All visits with their status and session id.
    pub fn visits(&self) -> impl Iterator<Item = (&str, Status, Option<Uuid>)> {
        self.visits.iter().map(|(visit, (status, uid))| (visit.as_str(), *status, *uid))
    }

    /// Begins a journal with the rows of these visits, as they were. Of several rows for one visit a single one is
    /// kept. Returns how many there are of each status.
    ///
    /// # Errors
    /// Where reading or writing fails.
    pub fn carry_over(
        &self,
        results: &Path,
        keep: impl Fn(&str, Status) -> bool,
    ) -> Result<(Journal, BTreeMap<Status, u64>), ResultsError> {
        let mut kept = BTreeMap::new();
        let mut seen = std::collections::HashSet::new();
        let journal = Journal::begin(results, |writer| {
            self.files.iter().try_for_each(|file| {
                for_each_row(file, |row| {
                    let Some(status) = row.status() else { return Ok(()) };
                    let counts = self.status(&row.visit_id) == Some(status) && keep(&row.visit_id, status);
                    if counts && !seen.contains(&row.visit_id) {
                        writer.serialize(&row).map_err(|error| ResultsError::write(results, error.into()))?;
                        *kept.entry(status).or_default() += 1;
                        seen.insert(row.visit_id);
                    }
                    Ok(())
                })
            })
        })?;
        Ok((journal, kept))
    }
}

/// Whether a file begins as result files do.
pub fn is_result_file(path: &Path) -> bool {
    let header = csv::Reader::from_path(path).and_then(|mut reader| reader.headers().cloned());
    header.is_ok_and(|header| header.iter().eq(COLUMNS))
}

/// Hands every whole row to `each`. A row that a dying process left half written can only be the last.
fn for_each_row(path: &Path, mut each: impl FnMut(ResultRow) -> Result<(), ResultsError>) -> Result<(), ResultsError> {
    let unreadable = |reason: String| ResultsError::Unreadable { path: path.display().to_string(), reason };
    let file = File::open(path).map_err(|error| unreadable(error.to_string()))?;
    // Only a journal can be torn; somebody's editor may have taken a finished file's last line break.
    let is_journal = path.extension().is_some_and(|ending| ending == "partial");
    let ends_whole = !is_journal || ends_with_line_break(&file).map_err(|error| unreadable(error.to_string()))?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::with_capacity(1 << 18, file));
    let header = reader.headers().map_err(|error| unreadable(error.to_string()))?;
    if !header.iter().eq(COLUMNS) {
        return Err(unreadable("it is no result file of traxload: its columns are others".to_owned()));
    }
    let header = csv::ByteRecord::from(header.clone());
    // A damaged row is none: its visit is sent again, and the API says that it has it.
    let whole = |record: &csv::ByteRecord| -> Option<ResultRow> {
        let text = csv::StringRecord::from_byte_record(record.clone()).ok()?;
        (text.len() == COLUMNS.len()).then(|| record.deserialize(Some(&header)).ok()).flatten()
    };
    let mut record = csv::ByteRecord::new();
    let mut last = csv::ByteRecord::new();
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(error.to_string()))? {
        if let Some(row) = whole(&last) {
            each(row)?;
        }
        std::mem::swap(&mut record, &mut last);
    }
    if let Some(row) = whole(&last).filter(|_| ends_whole) {
        each(row)?;
    }
    Ok(())
}

fn ends_with_line_break(mut file: &File) -> std::io::Result<bool> {
    use std::io::{Read, Seek, SeekFrom};
    let length = file.metadata()?.len();
    if length == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    file.rewind()?;
    Ok(last == *b"\n")
}
