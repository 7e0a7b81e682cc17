//! Opens a file of an export as far as its header, in the format that the job, its name or its bytes say.

use super::containers::Container;
use super::discover::FoundFile;
use super::error::ScanError;
use super::file::ExportFile;
use super::formats::{FileKind, Format};
use super::probe::probe;
use super::source::Source;
use super::{csv, parquet};
use crate::storage::DataFile;

/// Opens a file and reads its header. `None`: it lies in a folder, its name tells nothing, and it is no export.
///
/// # Errors
/// Where the file cannot be read, or is not of the format that it is taken for.
pub(super) fn open_file(found: FoundFile, source: &Source) -> Result<Option<ExportFile>, ScanError> {
    let probe = probe(&found)?;
    let is_output = matches!(found.data, DataFile::Output(..));
    let format = source.format.or(probe.named).unwrap_or(match probe.kind {
        Some(FileKind::Table(format)) if !is_output => format,
        _ => Format::Csv,
    });
    let expected = format.name();
    let other = |found: &FoundFile, is| ScanError::OtherFormat { file: found.name.clone(), found: is, expected };
    let compression = match (probe.kind, format) {
        (Some(FileKind::Container(_)), _) if found.is_unsure => return Ok(None),
        (Some(FileKind::Compressed(_)), _) if found.is_unsure && is_container(probe.inner) => return Ok(None),
        (Some(FileKind::Container(container)), _) => return Err(not_read(&found, container, expected)),
        (Some(FileKind::Table(Format::Parquet)), Format::Csv) if is_output => {
            let way_on = "have the command print CSV with a header line".to_owned();
            return Err(ScanError::Container { file: found.name, what: "Parquet", expected, way_on });
        }
        (Some(FileKind::Table(Format::Parquet)), Format::Csv) => return Err(other(&found, "Parquet")),
        (Some(FileKind::Compressed(_)), Format::Parquet) => return Err(other(&found, "a compressed file")),
        (None, Format::Parquet) if probe.is_text => return Err(other(&found, "text, such as CSV")),
        (Some(FileKind::Compressed(compression)), Format::Csv) => match probe.inner {
            Some(FileKind::Container(container)) => return Err(not_read(&found, container, expected)),
            _ => Some(compression),
        },
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
        lacking: Vec::new(),
    };
    let header = match format {
        Format::Csv => csv::header(&file, probe.input, source),
        Format::Parquet => parquet::header(&file),
    };
    file.header = match header {
        // A picture, a program, whatever it is.
        Err(ScanError::BadHeader { .. }) if found.is_unsure && probe.has_zeros => return Ok(None),
        header => header?,
    };
    Ok(Some(file))
}

fn is_container(kind: Option<FileKind>) -> bool {
    matches!(kind, Some(FileKind::Container(_)))
}

/// What a file holds that is read nowhere here, and what to do.
pub(super) fn not_read(found: &FoundFile, container: Container, expected: &'static str) -> ScanError {
    let way_on = match &found.data {
        DataFile::Local(_) => container.way_on(&quoted(&found.name)),
        DataFile::Remote(..) => "fetch it, turn it into CSV or Parquet, and name that".to_owned(),
        DataFile::Output(..) => "have the command print CSV with a header line".to_owned(),
    };
    ScanError::Container { file: found.name.clone(), what: container.name(), expected, way_on }
}

/// A path in quotes, as a job file has it.
fn quoted(path: &str) -> String {
    format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""))
}
