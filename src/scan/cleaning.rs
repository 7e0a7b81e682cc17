//! What belongs to a cell, and which cells count as empty: the same for CSV and Parquet.

/// Which cells count as empty, and whether the spaces around a cell belong to it.
#[derive(Clone, Debug)]
pub(super) struct Cleaning {
    pub(super) trim: bool,
    /// In addition to the empty cell, which always counts.
    pub(super) nulls: Vec<String>,
}

impl Cleaning {
    /// Of several lists of cells that count as empty.
    pub(super) fn new<'n>(trim: bool, nulls: impl IntoIterator<Item = &'n Vec<String>>) -> Cleaning {
        let nulls = nulls.into_iter().flatten().filter(|null| !null.is_empty());
        Cleaning { trim, nulls: nulls.cloned().collect() }
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

    /// Whether a text as it stands counts as empty.
    pub(super) fn is_null(&self, text: &str) -> bool {
        self.nulls.iter().any(|null| null == text)
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
