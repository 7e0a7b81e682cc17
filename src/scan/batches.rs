//! The batches of all files of an export, one file after the other.

use super::columns::lacking;
use super::csv::{CsvReader, Findings};
use super::error::ScanError;
use super::file::ExportFile;
use super::formats::Format;
use super::parquet::ParquetReader;
use super::remarks::Remarks;
use super::rows::Rows;
use super::source::Source;
use super::unwanted::UnwantedCounts;

/// The batches of an export. The first error ends it.
pub(crate) struct Batches<'a> {
    source: &'a Source,
    files: &'a [ExportFile],
    /// The index of the file to read after `current`.
    next: usize,
    current: Option<(&'a ExportFile, FileReader)>,
    /// The rows of the current file so far.
    rows: usize,
    /// What the files that were read to their end have shown.
    remarks: Remarks,
    unwanted: UnwantedCounts,
    findings: Findings,
}

enum FileReader {
    Csv(Box<CsvReader>),
    Parquet(Box<ParquetReader>),
}

impl FileReader {
    fn open(file: &ExportFile, source: &Source) -> Result<FileReader, ScanError> {
        Ok(match file.format {
            Format::Csv => FileReader::Csv(Box::new(CsvReader::open(file, source)?)),
            Format::Parquet => FileReader::Parquet(Box::new(ParquetReader::open(file, source)?)),
        })
    }

    fn next_rows(&mut self) -> Result<Option<Rows>, ScanError> {
        match self {
            FileReader::Csv(reader) => reader.next_rows(),
            FileReader::Parquet(reader) => reader.next_rows(),
        }
    }

    /// What the file has shown, once it is read to its end.
    fn take_remarks(&mut self) -> Remarks {
        match self {
            FileReader::Csv(reader) => reader.take_remarks(),
            FileReader::Parquet(reader) => reader.take_remarks(),
        }
    }
}

impl std::fmt::Debug for Batches<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batches").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<'a> Batches<'a> {
    pub(super) fn new(source: &'a Source, files: &'a [ExportFile]) -> Batches<'a> {
        let (findings, unwanted) = (Findings::default(), UnwantedCounts::new(source.section, &source.only));
        Batches { source, files, next: 0, current: None, rows: 0, remarks: Remarks::default(), unwanted, findings }
    }

    /// What reading has shown; complete once all batches were taken.
    pub(crate) fn into_remarks(self) -> Remarks {
        let mut remarks = self.findings.into_remarks(self.source.section);
        remarks.add(self.remarks);
        remarks.unwanted.extend(self.unwanted.finish());
        remarks
    }

    fn step(&mut self) -> Result<Option<Rows>, ScanError> {
        loop {
            if let Some((file, reader)) = &mut self.current {
                if let Some(mut rows) = reader.next_rows()? {
                    self.unwanted.add(&self.source.only, std::mem::take(&mut rows.unwanted));
                    self.rows += rows.batch.num_rows();
                    return Ok(Some(rows));
                }
                let file = *file;
                self.remarks.add(reader.take_remarks());
                if let FileReader::Csv(reader) = reader {
                    self.findings.join(reader.take_findings());
                }
                self.current = None;
                file.check_unchanged()?;
                self.remarks.warnings.extend(lacking(file, std::mem::take(&mut self.rows)));
            }
            let Some(file) = self.files.get(self.next) else { return Ok(None) };
            self.next += 1;
            if !file.header.is_empty() {
                self.current = Some((file, FileReader::open(file, self.source)?));
            }
        }
    }
}

impl Iterator for Batches<'_> {
    type Item = Result<Rows, ScanError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            self.current = None;
            self.next = self.files.len();
        }
        step.transpose()
    }
}
