//! Writes batches into the files of a folder, one after the other. A folder without `_SUCCESS` is not complete.

use super::batch::schema;
use super::seal::{FileHash, SUCCESS, Seal, folder_hash};
use crate::storage::{Folder, NewFile};
use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// How the names of the files begin and end.
pub(crate) const PART_START: &str = "prepared-";
pub(crate) const PART_ENDING: &str = ".parquet";
/// About the most bytes of a row group while it is in memory.
const GROUP_BYTES: usize = 32 << 20;
/// A file is full at about so many bytes.
const FILE_BYTES: u64 = 128 << 20;

/// Writes the files of a folder.
pub(crate) struct Writer {
    folder: Folder,
    temporary: PathBuf,
    current: Option<Part>,
    files: Vec<FileHash>,
}

struct Part {
    file: NewFile,
    writer: ArrowWriter<Hashed>,
}

/// Bytes on their way into a file, with their hash.
struct Hashed {
    file: File,
    hash: Sha256,
    written: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hash.update(&bytes[..written]);
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Writer {
    /// `temporary`: where files wait that go to object storage.
    pub(crate) fn new(folder: Folder, temporary: PathBuf) -> Writer {
        Writer { folder, temporary, current: None, files: Vec::new() }
    }

    /// Adds rows.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let part = match &mut self.current {
            Some(part) => part,
            none => none.insert(begin(&self.folder, self.files.len(), &self.temporary)?),
        };
        part.writer.write(rows).map_err(of_parquet)?;
        if part.writer.in_progress_size() >= GROUP_BYTES {
            part.writer.flush().map_err(of_parquet)?;
            if part.writer.inner().written >= FILE_BYTES {
                return self.finish_part();
            }
        }
        Ok(())
    }

    /// Ends the last file; a folder has one file at least. Returns their number, and the hash of the folder.
    ///
    /// # Errors
    /// Where a file cannot be written.
    pub(crate) fn finish(mut self) -> io::Result<Written> {
        if self.files.is_empty() && self.current.is_none() {
            self.current = Some(begin(&self.folder, 0, &self.temporary)?);
        }
        self.finish_part()?;
        let Writer { folder, temporary, files, .. } = self;
        Ok(Written { files: files.len() as u64, sha256: folder_hash(files), folder, temporary })
    }

    fn finish_part(&mut self) -> io::Result<()> {
        let Some(Part { file, writer }) = self.current.take() else { return Ok(()) };
        let hashed = writer.into_inner().map_err(of_parquet)?;
        let sha256 = crate::text::hex(&hashed.hash.finalize());
        let name = file.name().to_owned();
        self.folder.put(file)?;
        self.files.push(FileHash { name, sha256 });
        Ok(())
    }
}

/// A folder whose rows are all written.
pub(crate) struct Written {
    /// How many files it has.
    pub(crate) files: u64,
    /// The hash that stands for them.
    pub(crate) sha256: String,
    folder: Folder,
    temporary: PathBuf,
}

impl Written {
    /// Says that it is complete.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub(crate) fn seal(&self, seal: &Seal) -> io::Result<()> {
        let file = self.folder.begin(SUCCESS.to_owned(), &self.temporary)?;
        let mut to = file.file();
        to.write_all(&seal.content())?;
        self.folder.put(file)
    }
}

fn begin(folder: &Folder, number: usize, temporary: &std::path::Path) -> io::Result<Part> {
    let file = folder.begin(format!("{PART_START}{number:05}{PART_ENDING}"), temporary)?;
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(None)
        .set_created_by(format!("traxload {}", env!("CARGO_PKG_VERSION")));
    // No two visits share these, so that a dictionary would be built for nothing.
    for unique in ["visit_id", "session_uid", "body", "payload_sha256", "source"] {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(unique), false);
    }
    let hashed = Hashed { file: file.file().try_clone()?, hash: Sha256::new(), written: 0 };
    let writer = ArrowWriter::try_new(hashed, schema(), Some(properties.build())).map_err(of_parquet)?;
    Ok(Part { file, writer })
}

/// What the system says of a file, out of what the writer says of it: a full disk is one.
fn of_parquet(error: ParquetError) -> io::Error {
    match error {
        ParquetError::External(source) => {
            source.downcast::<io::Error>().map_or_else(io::Error::other, |source| *source)
        }
        other => io::Error::other(other),
    }
}
