//! How records of CSV are written.

/// How records are written. Delimiter, quote and escape are single bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::scan) struct Syntax {
    pub(in crate::scan) delimiter: u8,
    /// `None`: quotes are ordinary characters, and `escape` acts everywhere (PostgreSQL's text format).
    pub(in crate::scan) quote: Option<u8>,
    /// Inside quotes it acts before the quote, itself and a line break. `None`: only a doubled quote is special there.
    pub(in crate::scan) escape: Option<u8>,
    /// Whether spaces and tabs around a quoted cell are no part of the row.
    pub(in crate::scan) blanks: bool,
}

impl Syntax {
    /// Whether a byte is a space or a tab that separates no cells.
    #[inline]
    pub(super) fn is_blank(&self, byte: u8) -> bool {
        matches!(byte, b' ' | b'\t') && byte != self.delimiter
    }
}
