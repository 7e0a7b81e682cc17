//! What to read: the paths of an export, how its files are written, which columns and rows are wanted.
//!
//! These are plain values. The job file is read elsewhere.

use super::formats::Format;
use encoding_rs::Encoding;
use std::path::PathBuf;
use std::time::Duration;

/// The dialect of CSV files.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dialect {
    /// `None`: a tab for names that end in `.tsv` or `.tab`, a bar for `.psv`, else a comma.
    pub(crate) delimiter: Option<u8>,
    /// `None`: there is no quoting, and the escape acts everywhere (PostgreSQL's text format).
    pub(crate) quote: Option<u8>,
    /// Inside quotes it acts before the quote, itself and a line break.
    pub(crate) escape: Option<u8>,
    /// The encoding of the file, unless a byte order mark says otherwise.
    pub(crate) encoding: &'static Encoding,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect { delimiter: None, quote: Some(b'"'), escape: None, encoding: encoding_rs::UTF_8 }
    }
}

/// Lines of CSV files around their rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frame {
    /// The columns of files without a header line.
    pub(crate) header: Option<Vec<String>>,
    /// How many lines stand before the header, or before the first row where there is none.
    pub(crate) skip: u32,
    /// Patterns of lines that are no rows: `*` stands for any text, `?` for one character.
    pub(crate) ignore_lines: Vec<String>,
}

/// A column of batches, and which columns of the export it is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pick {
    /// The name that the column has in batches.
    pub(crate) name: String,
    /// The names that the columns have in the export. Several are joined cell by cell, and a cell that is empty in one
    /// of them makes the whole empty.
    pub(crate) columns: Vec<String>,
    /// What stands between the cells of several columns.
    pub(crate) separator: String,
    /// Whether its cells are wanted as text, whatever type the export gives them. Those of several columns always are.
    pub(crate) as_text: bool,
    /// Cells that count as empty, in addition to those of [`Source::nulls`].
    pub(crate) nulls: Vec<String>,
    /// Whether text such as `1001.0` is read as `1001`.
    pub(crate) drops_zero_fraction: bool,
    /// Cells of digits only get zeros in front up to so many characters. 0: none.
    pub(crate) pad: usize,
    /// The field whose identifiers it holds, where a fraction of zeros in all of them is suspicious.
    pub(crate) identifies: Option<&'static str>,
}

impl Pick {
    /// A column as it stands.
    pub(crate) fn plain(name: &str, column: &str, as_text: bool) -> Pick {
        Pick { name: name.to_owned(), columns: vec![column.to_owned()], as_text, ..Pick::default() }
    }

    /// Whether both are read from the export in the same way, whatever they are called.
    pub(crate) fn reads_like(&self, other: &Pick) -> bool {
        let unnamed = |pick: &Pick| Pick { name: String::new(), identifies: None, ..pick.clone() };
        unnamed(self) == unnamed(other)
    }
}

/// A filter: rows are read only where `column` has one of `values`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Only {
    /// The name that the column has in the export.
    pub(crate) column: String,
    /// The values to keep, compared as text; `""` stands for an empty cell.
    pub(crate) values: Vec<String>,
}

/// What to read: the paths, how the files are written, and which columns and rows are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// What messages call the export: `visits` or `scenes`.
    pub(crate) section: &'static str,
    /// Files, folders and globs, on this machine or in object storage.
    pub(crate) paths: Vec<String>,
    /// In place of paths: a program with its arguments, whose output is the export.
    pub(crate) command: Option<Vec<String>>,
    /// How long a local file must not have changed before anything is sent.
    pub(crate) settle: Duration,
    /// The folder that relative local paths start from. Empty: the working directory. It appears in no message and
    /// in no [`Location`](super::Location): files are named as `paths` names them.
    pub(crate) base_dir: PathBuf,
    /// `None`: the format that a file's name says, or, where the name says nothing, its first bytes.
    pub(crate) format: Option<Format>,
    /// How CSV files are written.
    pub(crate) dialect: Dialect,
    /// Which lines of CSV files are no rows.
    pub(crate) frame: Frame,
    /// Cells that count as empty, in addition to the empty cell.
    pub(crate) nulls: Vec<String>,
    /// Whether spaces and tabs around a cell are dropped.
    pub(crate) trim: bool,
    /// Filters on rows, all of which must hold.
    pub(crate) only: Vec<Only>,
    /// Columns of the export without which a row of it means nothing.
    pub(crate) mandatory: Vec<String>,
    /// The wanted columns, in the order that batches have them.
    pub(crate) picks: Vec<Pick>,
}
