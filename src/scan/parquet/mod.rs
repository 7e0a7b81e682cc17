//! Parquet files as batches: row groups streamed, only the wanted columns read.
//!
//! It knows one file at a time. Which files there are, and which filters apply, is the business of other modules.

mod chunks;
mod reader;
mod schema;

pub(super) use reader::ParquetReader;
pub(super) use schema::{header, unusable};
