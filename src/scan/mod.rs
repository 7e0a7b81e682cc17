//! Opens exports and reads them as batches of the mapped columns, in Arrow's form, each row with its place.
//!
//! A [`Source`] says what to read; [`Export::open`] finds the files and looks for every column before a row is
//! read; [`Export::batches`] streams [`Rows`]. Cells come out clean (see `cells`): trimmed, empty where null, in
//! one of a few Arrow types. What is wrong with a single cell or row travels beside the batch as a [`Fault`]; what
//! makes the whole export unreadable is a [`ScanError`].
//!
//! It knows nothing of the API, of the meaning of a column, or of the network: where the bytes of a file come from is
//! the business of `storage`.

mod cells;
mod chunks;
mod csv;
mod error;
mod export;
mod files;
mod objects;
mod parquet;
mod peek;
mod records;
mod rows;
mod text;

pub(crate) use cells::whole;
pub use error::{MissingColumn, ScanError};
pub use export::{Batches, Export};
pub(crate) use peek::{decoded, peek, split};
pub use rows::{CellFault, Fault, Lines, Location, Rows};

use encoding_rs::Encoding;

/// Rows of one batch at most.
pub(crate) const BATCH_ROWS: usize = 1 << 14;

/// How the files of an export are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Text with a header line, also compressed.
    Csv,
    /// Apache Parquet.
    Parquet,
}

/// The dialect of CSV files.
#[derive(Clone, Copy, Debug)]
pub struct Dialect {
    /// `None`: a tab for names that end in `.tsv` or `.tab`, else a comma.
    pub delimiter: Option<u8>,
    /// `None`: there is no quoting, and the escape acts everywhere (PostgreSQL's text format).
    pub quote: Option<u8>,
    /// Inside quotes it acts before the quote, itself and a line break.
    pub escape: Option<u8>,
    /// What the bytes mean, unless a byte order mark says otherwise.
    pub encoding: &'static Encoding,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect { delimiter: None, quote: Some(b'"'), escape: None, encoding: encoding_rs::UTF_8 }
    }
}

/// A column to read.
#[derive(Clone, Debug)]
pub struct Pick {
    /// The name it has from here on.
    pub name: String,
    /// The name it has in the export.
    pub column: String,
    /// Whether its cells are wanted as text, whatever the export's type.
    pub as_text: bool,
}

/// Rows are read only where `column` has one of `values`.
#[derive(Clone, Debug)]
pub struct Only {
    /// The name it has in the export.
    pub column: String,
    /// The values to keep, compared as text; `""` stands for an empty cell.
    pub values: Vec<String>,
}

/// What to read: the paths, how they are written, and which columns.
#[derive(Clone, Debug)]
pub struct Source {
    /// `visits` or `scenes`: what messages call it.
    pub section: &'static str,
    /// Files, folders and globs, also in object storage.
    pub paths: Vec<String>,
    /// `None`: from the name, and where it says nothing, from the first bytes.
    pub format: Option<Format>,
    /// For CSV.
    pub dialect: Dialect,
    /// Cells that count as empty, beside the empty one.
    pub nulls: Vec<String>,
    /// Whether spaces and tabs around a cell are dropped.
    pub trim: bool,
    /// Filters on rows, all of which must hold.
    pub only: Vec<Only>,
    /// The columns, in the order that batches have them.
    pub picks: Vec<Pick>,
}
