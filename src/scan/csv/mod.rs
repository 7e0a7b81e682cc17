//! CSV files: bytes decoded to UTF-8, split into records and cells, and collected as Arrow columns.
//!
//! It knows one file at a time. Which files there are, and which filters apply, is the business of other modules.

mod beginning;
mod column;
mod decode;
mod encoding_signs;
mod ending;
mod file_end;
mod findings;
mod line_numbers;
mod line_patterns;
mod marks;
mod opened;
mod quoted;
mod reader;
mod row_kinds;
mod row_watch;
mod splitter;
mod stray_quotes;
mod syntax;

pub(super) use decode::decoded;
pub(super) use encoding_signs::SharedSigns;
pub(crate) use file_end::FileEnd;
pub(super) use findings::Findings;
pub(super) use opened::header;
pub(super) use reader::CsvReader;
pub(super) use splitter::Splitter;
pub(super) use syntax::Syntax;
