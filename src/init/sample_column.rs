//! A column of a sample: the name and the values of its rows. It knows how several become one, and nothing of what they mean.

use super::cell_text::ColumnType;
use crate::stand_ins::is_word;

/// A column as far as it was looked at: one of the export, or several of it joined.
#[derive(Clone, Debug, Default)]
pub(super) struct SampleColumn {
    /// The name in the export; of joined columns, what stands for them in comments.
    pub(super) name: String,
    /// The names of the columns that it is joined from; empty for a column of the export.
    pub(super) parts: Vec<String>,
    /// What stands between the joined cells.
    pub(super) separator: &'static str,
    pub(super) column_type: ColumnType,
    /// The value in each sampled row; empty where there is none.
    pub(super) values: Vec<String>,
    /// Whether the values end in `.0` in the export. It is left out here.
    pub(super) has_decimals: bool,
}

impl SampleColumn {
    /// Several columns joined, row by row. Where one of the cells is empty, all is.
    pub(super) fn joined(columns: &[&SampleColumn], separator: &'static str) -> SampleColumn {
        let rows = columns.iter().map(|column| column.values.len()).min().unwrap_or_default();
        let cell = |row: usize| {
            let cells: Vec<&str> = columns.iter().map(|column| column.values[row].as_str()).collect();
            if cells.contains(&"") { String::new() } else { cells.join(separator) }
        };
        let parts: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        SampleColumn {
            name: parts.join(" + "),
            values: (0..rows).map(cell).collect(),
            parts,
            separator,
            column_type: ColumnType::Text,
            has_decimals: columns.iter().any(|column| column.has_decimals),
        }
    }

    /// The columns of the export that it is made of.
    pub(super) fn sources(&self) -> &[String] {
        if self.parts.is_empty() { std::slice::from_ref(&self.name) } else { &self.parts }
    }

    /// Whether it is a key of several columns, and not a day with a time of day.
    pub(super) fn is_key_of_several(&self) -> bool {
        !self.parts.is_empty() && self.separator != " "
    }

    /// Takes the `.0` off numbers that have nothing else behind the point, as floats are written where a column has gaps.
    /// Three zeros may be those of a thousand.
    pub(super) fn drop_decimals(&mut self) {
        let whole = |value: &str| -> Option<usize> {
            let (whole, zeros) = value.split_once('.').unwrap_or((value, ""));
            let is_whole = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
            let is_zero = zeros.bytes().all(|b| b == b'0') && zeros.len() != 3 && !value.ends_with('.');
            (is_whole && is_zero).then_some(whole.len())
        };
        let numbers = || self.filled().filter(|value| !is_word(value));
        let are_whole = self.column_type == ColumnType::Text && numbers().all(|value| whole(value).is_some());
        if !are_whole || !numbers().any(|value| value.contains('.')) {
            return;
        }
        for value in &mut self.values {
            if let Some(length) = whole(value) {
                value.truncate(length);
            }
        }
        self.has_decimals = true;
    }

    /// The values that are not empty, in the order of the rows.
    pub(super) fn filled(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str).filter(|value| !value.is_empty())
    }
}
