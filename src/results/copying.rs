//! Rows of earlier result files on their way into the next one: found by their places, and as they were.

use super::visits::Place;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A row as it is to be written. Almost always that is as it was; where somebody's editor was here, its cells are
/// written to `normal` as our own rows are. `visit_id`: in place of the one that it names.
pub(super) fn whole_line<'r>(row: &'r [u8], visit_id: Option<&str>, normal: &'r mut Vec<u8>) -> &'r [u8] {
    if visit_id.is_none() && row.ends_with(b"\n") && !row.ends_with(b"\r\n") && !row.starts_with(b"\n") {
        return row;
    }
    normal.clear();
    let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut *normal);
    let record = parsed(row);
    let cells = record.iter().enumerate().map(|(at, cell)| visit_id.filter(|_| at == 0).unwrap_or(cell));
    // Writing to memory does not fail.
    let _ = writer.write_record(cells);
    drop(writer);
    normal
}

/// The cells of a row, which was read before.
pub(super) fn parsed(row: &[u8]) -> csv::StringRecord {
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(row);
    // Reading from memory fails for text that is no UTF-8 alone, and of such a row no place was kept.
    let _ = reader.read_record(&mut record);
    record
}

/// Reads rows of a file by their places, from the front to the back.
pub(super) struct RowsOfFile {
    file: BufReader<File>,
    at: u64,
    row: Vec<u8>,
}

impl RowsOfFile {
    pub(super) fn open(path: &Path) -> io::Result<RowsOfFile> {
        Ok(RowsOfFile { file: BufReader::with_capacity(1 << 18, File::open(path)?), at: 0, row: Vec::new() })
    }

    pub(super) fn at(&mut self, place: &Place) -> io::Result<&[u8]> {
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
