//! Parquet files as batches: row groups streamed, mapped columns only.

use super::cells::{self, Cleaning};
use super::chunks::{self, Chunks};
use super::export::{Export, ExportFile, Origin, Wanted, rows_of};
use super::{BATCH_ROWS, Lines, Rows, ScanError, Source};
use arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as Physical;
use parquet::errors::ParquetError;
use std::sync::Arc;

fn unreadable(file: &ExportFile, input: &Chunks, error: &ParquetError) -> ScanError {
    if let Some(error) = input.failure() {
        return ScanError::stored(&file.name, &error);
    }
    let text = error.to_string();
    let reason = if text.contains("encrypt") {
        "the file is encrypted; export it without encryption".to_owned()
    } else if matches!(error, ParquetError::EOF(_))
        || text.contains("Corrupt footer")
        || text.contains("Invalid Parquet file")
    {
        format!("it is no complete Parquet file, perhaps cut short while it was copied ({text})")
    } else {
        text
    };
    ScanError::Unreadable { file: file.name.to_string(), reason }
}

/// The file's schema, with the old 96-bit timestamps read as the instants that they are.
fn metadata(file: &ExportFile, input: &Chunks) -> Result<ArrowReaderMetadata, ScanError> {
    let failed = |error: ParquetError| unreadable(file, input, &error);
    let metadata = ArrowReaderMetadata::load(input, ArrowReaderOptions::new()).map_err(failed)?;
    chunks::check(metadata.metadata()).map_err(failed)?;
    let parquet = metadata.parquet_schema();
    let is_int96 = |at: usize| {
        let field = &parquet.root_schema().get_fields()[at];
        field.is_primitive() && field.get_physical_type() == Physical::INT96
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

fn open(file: &ExportFile) -> Result<Chunks, ScanError> {
    Chunks::open(&file.place).map_err(|error| ScanError::unopened(&file.name, error))
}

/// The names of the top-level columns.
pub(super) fn header(file: &ExportFile) -> Result<Vec<String>, ScanError> {
    let metadata = metadata(file, &open(file)?)?;
    Ok(metadata.schema().fields().iter().map(|field| field.name().clone()).collect())
}

/// The top-level columns of which nothing can be made, with their types.
pub(super) fn unusable(file: &ExportFile) -> Result<Vec<(String, String)>, ScanError> {
    let metadata = metadata(file, &open(file)?)?;
    let fields = metadata.schema().fields().iter().filter(|field| !cells::is_usable(field));
    Ok(fields.map(|field| (field.name().clone(), kind_in_words(field.data_type()))).collect())
}

/// The types of nested columns are long, and nobody needs their inside.
fn kind_in_words(kind: &DataType) -> String {
    match kind {
        DataType::Struct(_) => "a structure of other columns".to_owned(),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => "lists".to_owned(),
        DataType::Map(..) => "maps".to_owned(),
        other => other.to_string(),
    }
}

/// Reads one file.
pub(super) struct Reader {
    input: ParquetRecordBatchReader,
    chunks: Chunks,
    file: Arc<str>,
    wanted: Vec<Wanted>,
    /// For each wanted column its place in the projected batches.
    places: Vec<Option<usize>>,
    cleaning: Cleaning,
    source: Source,
    next_row: u64,
}

impl Reader {
    pub(super) fn open(file: &ExportFile, export: &Export) -> Result<Reader, ScanError> {
        let input = open(file)?;
        let metadata = metadata(file, &input)?;
        let wanted = export.wanted(file);
        let mut roots: Vec<usize> = Vec::new();
        for column in &wanted {
            let Origin::Column(at) = column.origin else { continue };
            let field = metadata.schema().fields().get(at).filter(|field| field.name() == &column.column);
            let Some(field) = field else { return Err(ScanError::Changed { file: file.name.to_string() }) };
            if !cells::is_usable(field) {
                return Err(ScanError::ColumnType {
                    file: file.name.to_string(),
                    column: column.column.clone(),
                    found: field.data_type().to_string(),
                });
            }
            roots.push(at);
        }
        roots.sort_unstable();
        roots.dedup();
        let places = wanted.iter().map(|column| match column.origin {
            Origin::Column(at) => roots.binary_search(&at).ok(),
            _ => None,
        });
        let places = places.collect();
        let mask = ProjectionMask::roots(metadata.parquet_schema(), roots);
        input.plan(metadata.metadata(), &mask);
        let chunks = input.clone();
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, metadata);
        let input = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        Ok(Reader {
            input: input.map_err(|error| unreadable(file, &chunks, &error))?,
            chunks,
            file: file.name.clone(),
            wanted,
            places,
            cleaning: export.cleaning(),
            source: export.source().clone(),
            next_row: 1,
        })
    }

    pub(super) fn next_rows(&mut self) -> Result<Option<Rows>, ScanError> {
        let failed = |reason: String| match self.chunks.failure() {
            Some(error) => ScanError::stored(&self.file, &error),
            None => ScanError::Unreadable { file: self.file.to_string(), reason },
        };
        let Some(batch) = self.input.next() else { return Ok(None) };
        let batch = batch.map_err(|error| failed(error.to_string()))?;
        let rows = batch.num_rows();
        let mut faults = Vec::new();
        let mut arrays = Vec::with_capacity(self.wanted.len());
        for (at, (wanted, place)) in self.wanted.iter().zip(&self.places).enumerate() {
            arrays.push(match (&wanted.origin, place) {
                (Origin::Folder(value), _) => cells::repeated(value, rows),
                (Origin::Column(_), Some(place)) => {
                    let array = batch.column(*place);
                    cells::normalised(array, wanted.form, &self.cleaning, at as u16, &mut faults)
                        .map_err(|error| failed(error.to_string()))?
                }
                _ => cells::absent(rows),
            });
        }
        faults.sort_by_key(|fault| fault.row);
        let lines = Lines::From(self.next_row);
        self.next_row += rows as u64;
        rows_of(arrays, rows, &self.source, self.file.clone(), lines, faults).map(Some)
    }
}
