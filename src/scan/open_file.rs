//! Opens a file of an export as far as its header, in the format that the job, its name or its bytes say.

use super::discover::FoundFile;
use super::error::ScanError;
use super::file::ExportFile;
use super::formats::{FileKind, Format};
use super::probe::probe;
use super::source::Source;
use super::{csv, parquet};

/// Opens a file and reads its header.
///
/// # Errors
/// Where the file cannot be read, or is not of the format that it is taken for.
pub(super) fn open_file(found: FoundFile, source: &Source) -> Result<ExportFile, ScanError> {
    let probe = probe(&found)?;
    let format = source.format.or(probe.named).unwrap_or(match probe.kind {
        Some(FileKind::Table(format)) => format,
        _ => Format::Csv,
    });
    let expected = format.name();
    let other = |found: &FoundFile, is| ScanError::OtherFormat { file: found.name.clone(), found: is, expected };
    let compression = match (probe.kind, format) {
        (Some(FileKind::Workbook), _) => return Err(ScanError::Workbook { file: found.name, expected }),
        (Some(FileKind::Table(Format::Parquet)), Format::Csv) => return Err(other(&found, "Parquet")),
        (Some(FileKind::Compressed(_)), Format::Parquet) => return Err(other(&found, "a compressed file")),
        (None, Format::Parquet) if probe.is_text => return Err(other(&found, "text, such as CSV")),
        (Some(FileKind::Compressed(compression)), Format::Csv) => Some(compression),
        _ => None,
    };
    let mut file = ExportFile {
        data: found.data,
        given: found.given,
        name: found.name.into(),
        format,
        compression,
        delimiter: source.dialect.delimiter.unwrap_or(probe.delimiter),
        header: Vec::new(),
        stamp: probe.stamp,
    };
    file.header = match format {
        Format::Csv => csv::header(&file, probe.input, source)?,
        Format::Parquet => parquet::header(&file)?,
    };
    Ok(file)
}
