//! Rows of earlier result files on their way into the next one: found by their places, and as they were.

use super::cells::RowSplitter as Cells;
use super::reading::RowSpan as Found;
use super::row::Row;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// A row that was read before.
#[derive(Clone, Copy)]
pub(super) struct Copied<'r> {
    bytes: &'r [u8],
    is_tidy: bool,
}

impl<'r> Copied<'r> {
    /// The row as it is to be written. Almost always that is as it was; where somebody's editor was here, its cells are
    /// written to `normal` as our own rows are. `visit_id`: in place of the one that it names.
    pub(super) fn whole_line(self, visit_id: Option<&str>, normal: &'r mut Vec<u8>) -> &'r [u8] {
        let row = self.bytes;
        let is_line = row.ends_with(b"\n") && !row.ends_with(b"\r\n");
        if visit_id.is_none() && self.is_tidy && is_line {
            return row;
        }
        normal.clear();
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut *normal);
        self.read(|row| {
            let (uid, status) = (row.session_uid(), row.status());
            let spelled = |(at, cell): (usize, &str)| match (at, visit_id, status) {
                (0, Some(visit_id), _) => visit_id.to_owned(),
                (1, ..) => uid.map_or(cell.trim().to_owned(), |uid| uid.to_string()),
                (2, _, Some(status)) => status.name().to_owned(),
                _ => cell.to_owned(),
            };
            // Writing to memory does not fail.
            let _ = writer.write_record(row.cells().enumerate().map(spelled));
        });
        drop(writer);
        normal
    }

    /// Its cells.
    pub(super) fn read(self, mut each: impl FnMut(Row<'_>)) {
        Cells::new().split(self.bytes, |row, _, _| each(row));
    }
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

    pub(super) fn at(&mut self, found: &Found) -> io::Result<Copied<'_>> {
        let length = found.bytes.end.saturating_sub(found.bytes.start);
        let outside = |_| io::Error::other("a row is larger than the memory");
        let ahead = i64::try_from(found.bytes.start.saturating_sub(self.at)).map_err(outside)?;
        if ahead > 0 {
            self.file.seek_relative(ahead)?;
        }
        self.row.resize(usize::try_from(length).map_err(outside)?, 0);
        self.file.read_exact(&mut self.row)?;
        self.at = found.bytes.end;
        Ok(Copied { bytes: &self.row, is_tidy: found.is_tidy })
    }
}
