//! What belongs to a cell, and which cells count as empty: the same for CSV and Parquet.

use super::source::Source;

/// Which cells count as empty, and whether the spaces around a cell belong to it.
#[derive(Clone, Debug)]
pub(super) struct Cleaning {
    pub(super) trim: bool,
    /// In addition to the empty cell, which always counts.
    pub(super) nulls: Vec<String>,
}

impl Cleaning {
    /// The cleaning that a source asks for.
    pub(super) fn of(source: &Source) -> Cleaning {
        Cleaning { trim: source.trim, nulls: source.nulls.iter().filter(|null| !null.is_empty()).cloned().collect() }
    }

    /// The cell's text as every later step sees it; empty for a null.
    #[inline]
    pub(super) fn clean<'a>(&self, cell: &'a [u8]) -> &'a [u8] {
        let cell = if self.trim { trimmed(cell) } else { cell };
        if !self.nulls.is_empty() && self.nulls.iter().any(|null| null.as_bytes() == cell) {
            return &[];
        }
        cell
    }
}

/// Without the spaces and tabs around it.
#[inline]
pub(super) fn trimmed(mut cell: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = cell {
        cell = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = cell {
        cell = rest;
    }
    cell
}
