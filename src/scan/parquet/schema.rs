//! The footer of a Parquet file: its schema, and what is wrong with a file whose footer cannot be read.

use super::chunks::{Chunks, check};
use crate::scan::cells;
use crate::scan::error::ScanError;
use crate::scan::file::ExportFile;
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::basic::{LogicalType, Type as Physical};
use parquet::errors::ParquetError;
use parquet::file::FOOTER_SIZE;
use parquet::file::metadata::FooterTail;
use parquet::file::reader::{ChunkReader, Length};
use parquet::schema::types::{SchemaDescriptor, TypePtr};
use std::sync::Arc;

/// Opens the bytes of a file.
///
/// # Errors
/// Where it cannot be opened.
pub(super) fn open(file: &ExportFile) -> Result<Chunks, ScanError> {
    Chunks::open(&file.data).map_err(|error| ScanError::unopened(&file.name, error))
}

/// The names of the top-level columns.
///
/// # Errors
/// Where the footer cannot be read.
pub(in crate::scan) fn header(file: &ExportFile) -> Result<Vec<String>, ScanError> {
    let metadata = metadata(file, &open(file)?)?;
    Ok(metadata.schema().fields().iter().map(|field| field.name().clone()).collect())
}

/// The top-level columns that are neither text, number nor time, with their types in words.
///
/// # Errors
/// Where the footer cannot be read.
pub(in crate::scan) fn unusable(file: &ExportFile) -> Result<Vec<(String, String)>, ScanError> {
    let metadata = metadata(file, &open(file)?)?;
    let fields = metadata.schema().fields().iter().enumerate();
    let unusable = fields.filter_map(|(at, field)| Some((field.name().clone(), why_unusable(&metadata, at)?)));
    Ok(unusable.collect())
}

/// What a top-level column holds, in words, if that can be no value of a field.
pub(super) fn why_unusable(metadata: &ArrowReaderMetadata, at: usize) -> Option<String> {
    let field = metadata.schema().fields().get(at)?;
    if !cells::is_usable(field) {
        return Some(kind_in_words(field.data_type()));
    }
    let kind = match field.data_type() {
        DataType::Dictionary(_, value) => value,
        kind => kind,
    };
    let is_16_bytes = *kind == DataType::FixedSizeBinary(16);
    let root = root_field(metadata.parquet_schema(), at)?;
    let is_uuid = root.get_basic_info().logical_type_ref() == Some(&LogicalType::Uuid)
        || field.metadata().get("ARROW:extension:name").is_some_and(|name| name == "arrow.uuid");
    (is_16_bytes && !is_uuid).then(|| "16 raw bytes (a GUID, in an order of bytes that nothing tells)".to_owned())
}

/// The index among the fields of a Parquet schema of a column of its Arrow schema, which lacks groups without a column.
pub(super) fn root_index(schema: &SchemaDescriptor, at: usize) -> Option<usize> {
    let mut roots: Vec<usize> = (0..schema.num_columns()).map(|leaf| schema.get_column_root_idx(leaf)).collect();
    roots.dedup();
    roots.get(at).copied()
}

fn root_field(schema: &SchemaDescriptor, at: usize) -> Option<&TypePtr> {
    schema.root_schema().get_fields().get(root_index(schema, at)?)
}

/// The types of nested columns are long, and their inside helps no reader.
fn kind_in_words(kind: &DataType) -> String {
    match kind {
        DataType::Struct(_) => "a structure of other columns".to_owned(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "lists".to_owned(),
        DataType::Map(..) => "maps".to_owned(),
        other => other.to_string(),
    }
}

/// The footer of a file. The old 96-bit timestamps appear in its schema as the instants that they are.
///
/// # Errors
/// Where the footer cannot be read, or names bytes outside of the file.
pub(super) fn metadata(file: &ExportFile, input: &Chunks) -> Result<ArrowReaderMetadata, ScanError> {
    let failed = |error: ParquetError| unreadable(file, input, &error);
    let metadata = ArrowReaderMetadata::load(input, ArrowReaderOptions::new()).map_err(failed)?;
    check(metadata.metadata()).map_err(failed)?;
    let parquet = metadata.parquet_schema();
    let is_int96 = |at: usize| {
        let field = root_field(parquet, at);
        field.is_some_and(|field| field.is_primitive() && field.get_physical_type() == Physical::INT96)
    };
    let schema = metadata.schema();
    if !(0..schema.fields().len()).any(is_int96) {
        return Ok(metadata);
    }
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .enumerate()
        .map(|(at, field)| match is_int96(at) {
            true => Field::new(field.name(), instant.clone(), field.is_nullable()),
            false => field.as_ref().clone(),
        })
        .collect();
    let options = ArrowReaderOptions::new().with_schema(Arc::new(Schema::new(fields)));
    ArrowReaderMetadata::load(input, options).map_err(failed)
}

/// Why the footer of a file, or what it names, cannot be read.
pub(super) fn unreadable(file: &ExportFile, input: &Chunks, error: &ParquetError) -> ScanError {
    if let Some(error) = input.failure() {
        return ScanError::stored(&file.name, &error);
    }
    // The error of a damaged footer is a `ParquetError::General`, which only its text tells from others. So the last
    // bytes of the file are asked instead.
    let reason = match (footer_tail(input), error) {
        (Some(tail), _) if tail.is_encrypted_footer() => {
            "the file is encrypted; export it without encryption".to_owned()
        }
        (None, _) | (_, ParquetError::EOF(_)) => {
            format!("it is not a complete Parquet file, perhaps cut short while it was copied ({error})")
        }
        _ => error.to_string(),
    };
    ScanError::Unreadable { file: file.name.to_string(), reason }
}

/// The last bytes of a Parquet file. `None`: they are not those of one.
fn footer_tail(input: &Chunks) -> Option<FooterTail> {
    let start = input.len().checked_sub(FOOTER_SIZE as u64)?;
    let bytes = input.get_bytes(start, FOOTER_SIZE).ok()?;
    FooterTail::try_from(&*bytes).ok()
}
