//! Opens exports and reads them as batches of the mapped columns, in Arrow's form, each row with its location.
//!
//! A [`Source`] says what to read. [`Export::open`] finds the files and looks for every column before a row is
//! read. [`Export::batches`] streams [`Rows`]. Cells come out clean (see `cells`): trimmed, empty where null, in
//! one of a few Arrow types. What is wrong with a single cell or row travels beside the batch as a [`Fault`]; what
//! makes the whole export unreadable is a [`ScanError`].
//!
//! The room knows nothing of the API, of the meaning of a column, or of the network: where the bytes of a file come
//! from is the business of `storage`.
//!
//! Read from the bottom up; each module uses only those above it in this table.
//!
//! | module | what it does |
//! | --- | --- |
//! | `containers` | files that hold something else, by their first bytes |
//! | `formats` | the one table of formats: endings and first bytes |
//! | `source` | what to read |
//! | `rows`, `error` | rows and errors, which come out |
//! | `unpack` | decompresses |
//! | `cleaning`, `typed_nulls`, `clock_text`, `cells` | one column of cells, brought to few forms |
//! | `discover` | which files an export consists of |
//! | `partitions` | columns that `key=value` folders add |
//! | `file` | one file, and where its columns come from |
//! | `picked`, `decimal_ids` | columns looked at, and joined |
//! | `batch`, `unwanted` | columns put together, filters applied, what they leave out |
//! | `file_end`, `remarks` | what is noticed beside the rows |
//! | `csv`, `parquet` | read one file |
//! | `probe`, `open_file` | one file opened as far as its header |
//! | `left_out` | what is said of files that are left out |
//! | `columns` | whether the files have the wanted columns |
//! | `batches`, `export` | all files together |
//! | `sniff` | the beginning of an unknown export, for `init` |

mod batch;
mod batches;
mod cells;
mod cleaning;
mod clock_text;
mod columns;
mod containers;
mod csv;
mod decimal_ids;
mod discover;
mod error;
mod export;
mod file;
mod file_end;
mod formats;
mod left_out;
mod open_file;
mod parquet;
mod partitions;
mod picked;
mod probe;
mod remarks;
mod rows;
mod sniff;
mod source;
mod typed_nulls;
mod unpack;
mod unwanted;

pub(crate) use cells::whole;
pub use error::{MissingColumn, ScanError};
pub(crate) use export::{Export, ReadFile};
pub(crate) use file_end::FileEnd;
pub(crate) use formats::Format;
pub(crate) use formats::{begins_like_an_export, is_ending_of_an_export, named_format};
pub(crate) use remarks::Remarks;
pub use rows::Location;
pub(crate) use rows::{CellFault, Fault, Lines, Rows};
pub(crate) use sniff::{Sniffed, decoded, file_names, sniff, split};
pub(crate) use source::{Dialect, Frame, Only, Pick, Source};
pub(crate) use unwanted::UnwantedColumn;
