//! Rows of earlier result files on their way into the next one: found by their places, and as they were.

use super::cells::RowSplitter;
use super::error::ResultsError;
use super::header::layout;
use super::reading::RowSpan;
use super::row::{Layout, Row, position};
use crate::outcome::ErrorCode;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// What is written in place of a row's error code and its words; without a code, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) code: Option<ErrorCode>,
    pub(crate) error: String,
}

/// A row that was read before.
#[derive(Clone, Copy)]
pub(crate) struct StoredRow<'r> {
    layout: &'r Layout,
    bytes: &'r [u8],
    is_tidy: bool,
}

impl<'r> StoredRow<'r> {
    /// The row as it is to be written. Almost always that is as it was; where an editor or a spreadsheet was here, its cells are
    /// written to `normal` as our own rows are. `mark`: in place of its error; `keeps_hash`: whether the hash of the body stays.
    pub(super) fn line(self, mark: Option<&Mark>, keeps_hash: bool, normal: &'r mut Vec<u8>) -> &'r [u8] {
        let row = self.bytes;
        let is_line = row.ends_with(b"\n") && !row.ends_with(b"\r\n");
        if mark.is_none() && keeps_hash && self.is_tidy && is_line {
            return row;
        }
        normal.clear();
        let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut *normal);
        self.read(|row| {
            let (uid, status) = (row.session_uid().map(|uid| uid.to_string()), row.status());
            let mut record = row.record();
            record[position::session_uid] = uid.as_deref().unwrap_or(record[position::session_uid].trim());
            record[position::status] = status.map_or(record[position::status], |status| status.name());
            if !keeps_hash {
                record[position::payload_sha256] = "";
            }
            if let Some(Mark { code, error }) = mark {
                record[position::error_code] = code.map_or("", ErrorCode::name);
                record[position::error] = error;
            }
            // Writing to memory does not fail.
            let _ = writer.write_record(record);
        });
        drop(writer);
        normal
    }

    /// Its cells.
    pub(crate) fn read(self, mut each: impl FnMut(Row<'_>)) {
        RowSplitter::new(self.layout).split(self.bytes, |row, _, _| each(row));
    }
}

/// Reads rows of a file by their places, best from the front to the back.
pub(crate) struct StoredRows {
    path: PathBuf,
    layout: Layout,
    file: BufReader<File>,
    at: u64,
    row: Vec<u8>,
}

impl StoredRows {
    /// # Errors
    /// If the file cannot be read, or is no result file any more.
    pub(crate) fn open(path: &Path) -> Result<StoredRows, ResultsError> {
        let layout = layout(path)?.ok_or_else(|| ResultsError::unreadable(path, "it was replaced meanwhile"))?;
        let file = File::open(path).map_err(|error| ResultsError::unreadable(path, error))?;
        let file = BufReader::with_capacity(1 << 18, file);
        Ok(StoredRows { path: path.to_owned(), layout, file, at: 0, row: Vec::new() })
    }

    /// The row at this place.
    ///
    /// # Errors
    /// If the file cannot be read, or is shorter by now.
    pub(crate) fn at(&mut self, span: &RowSpan) -> Result<StoredRow<'_>, ResultsError> {
        let read = self.read(span);
        read.map_err(|error| ResultsError::unreadable(&self.path, error))?;
        Ok(StoredRow { layout: &self.layout, bytes: &self.row, is_tidy: span.is_tidy })
    }

    fn read(&mut self, span: &RowSpan) -> io::Result<()> {
        let length = span.bytes.end.saturating_sub(span.bytes.start);
        let ahead = span.bytes.start.cast_signed() - self.at.cast_signed();
        if ahead != 0 {
            self.file.seek_relative(ahead)?;
        }
        self.at = span.bytes.start;
        self.row.resize(usize::try_from(length).map_err(io::Error::other)?, 0);
        self.file.read_exact(&mut self.row)?;
        self.at = span.bytes.end;
        Ok(())
    }
}
