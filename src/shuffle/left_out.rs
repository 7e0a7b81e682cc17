//! Which rows of visits filters leave out, and which keys these rows have.
//!
//! A row may be left out although it matters: where another row with its key is meant, the two contradict each other. The
//! caller knows which rows these are.

use arrow::array::BooleanArray;
use hashbrown::HashSet;

/// Which rows of a batch are meant.
#[derive(Debug)]
pub(crate) struct RowFilter {
    keep: BooleanArray,
    /// Rows that are not kept and yet contradict others with their key.
    contradicting: Option<Vec<bool>>,
}

impl RowFilter {
    /// Keeps the rows for which `keep` is true. The others matter to nobody.
    pub(crate) fn new(keep: BooleanArray) -> RowFilter {
        RowFilter { keep, contradicting: None }
    }

    /// Rows that are not kept and that this is true of contradict kept ones with the same key.
    pub(crate) fn with_contradicting(self, contradicting: Vec<bool>) -> RowFilter {
        RowFilter { contradicting: Some(contradicting), ..self }
    }

    pub(super) fn keep(&self) -> &BooleanArray {
        &self.keep
    }

    /// What to remember of the key of a row that is left out. `hash`: that of the key.
    pub(super) fn left_out(&self, row: usize, hash: u64) -> LeftOutKey {
        let contradicts = self.contradicting.as_ref().is_some_and(|rows| rows.get(row).copied().unwrap_or(false));
        LeftOutKey(hash & !CONTRADICTS | if contradicts { CONTRADICTS } else { 0 })
    }
}

/// In place of the highest bit of a hash: there may be millions of such keys, and they take no more memory so.
const CONTRADICTS: u64 = 1 << 63;

/// The hash of a key of a row that was left out, and whether that row contradicts others with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct LeftOutKey(u64);

/// The keys of rows that were left out.
#[derive(Clone, Debug, Default)]
pub(super) struct LeftOut {
    keys: HashSet<LeftOutKey>,
    any_contradicts: bool,
}

impl LeftOut {
    pub(super) fn add(&mut self, key: LeftOutKey) {
        self.any_contradicts |= key.0 & CONTRADICTS != 0;
        self.keys.insert(key);
    }

    /// Whether a row with this key was left out.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.keys.contains(&LeftOutKey(hash & !CONTRADICTS)) || self.contradicts(hash)
    }

    /// Whether a row with this key was left out that contradicts others.
    pub(super) fn contradicts(&self, hash: u64) -> bool {
        self.any_contradicts && self.keys.contains(&LeftOutKey(hash | CONTRADICTS))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether there is any row that contradicts others.
    pub(super) fn any_contradicts(&self) -> bool {
        self.any_contradicts
    }
}
