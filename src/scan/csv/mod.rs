//! CSV files: bytes decoded to UTF-8, split into records and cells, and collected as Arrow columns.
//!
//! It knows one file at a time. Which files there are, and which filters apply, is the business of other modules.
//!
//! Read from the bottom up; each module uses only those above it in this table.
//!
//! | module | what it does |
//! | --- | --- |
//! | `encoding_signs`, `decode` | bytes decoded to UTF-8, and signs that the encoding is the wrong one |
//! | `syntax` | how cells are set off from each other |
//! | `marks` | finds the bytes that matter, a block at a time |
//! | `line_patterns` | lines that the job leaves out |
//! | `quoted` | where a quoted cell ends |
//! | `text_end` | what stands behind the text of a file |
//! | `splitter` | records and cells |
//! | `beginning`, `ending` | what stands before the first record, and how records end |
//! | `opened` | a file opened behind its header |
//! | `hand` | what a record shows of the program that wrote it |
//! | `row_kinds`, `stray_quotes` | one row looked at: is it one, and are its quotes meant |
//! | `findings` | what all rows of a section have shown |
//! | `row_watch` | every row of a file looked at beside its cells |
//! | `column`, `line_numbers` | the cells of a column and the lines of the rows, collected |
//! | `reader` | the rows of a file in batches |

mod beginning;
mod column;
mod decode;
mod encoding_signs;
mod ending;
mod findings;
mod hand;
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
mod text_end;

pub(super) use decode::decoded;
pub(super) use encoding_signs::SharedSigns;
pub(super) use findings::Findings;
pub(super) use opened::header;
pub(super) use reader::CsvReader;
pub(super) use splitter::Splitter;
pub(super) use syntax::Syntax;
