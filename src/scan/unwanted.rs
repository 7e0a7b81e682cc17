//! The values that `only` leaves out, with their counts: a word that is spelled in another way is seen among them.

use super::source::Only;
use crate::unseen::has_no_shape;
use hashbrown::HashMap;

/// Values that are kept of a column. A filter on a number or a time may leave out millions.
const MOST_VALUES: usize = 1000;

/// What a filter has left out of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnwantedColumn {
    /// `visits` or `scenes`.
    pub(crate) section: &'static str,
    pub(crate) column: String,
    /// The most frequent ones first.
    pub(crate) values: Vec<UnwantedValue>,
    /// Rows with further values.
    pub(crate) more: u64,
}

/// A value that a filter leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnwantedValue {
    pub(crate) value: String,
    pub(crate) rows: u64,
    /// The wanted value that it equals but for case or blanks.
    pub(crate) near: Option<String>,
}

/// Counts what the filters of an export leave out, batch by batch.
#[derive(Debug)]
pub(super) struct UnwantedCounts {
    columns: Vec<UnwantedColumn>,
    /// For each column the place of each value.
    places: Vec<HashMap<String, usize>>,
}

impl UnwantedCounts {
    pub(super) fn new(section: &'static str, only: &[Only]) -> UnwantedCounts {
        let column = |only: &Only| UnwantedColumn { section, column: only.column.clone(), values: Vec::new(), more: 0 };
        UnwantedCounts { columns: only.iter().map(column).collect(), places: vec![HashMap::new(); only.len()] }
    }

    /// Adds what a batch has for each filter: values and their rows.
    pub(super) fn add(&mut self, only: &[Only], unwanted: Vec<Vec<(String, u64)>>) {
        for (at, values) in unwanted.into_iter().enumerate() {
            let (Some(only), Some(column), Some(places)) =
                (only.get(at), self.columns.get_mut(at), self.places.get_mut(at))
            else {
                continue;
            };
            for (value, rows) in values {
                if let Some(&place) = places.get(&value) {
                    column.values[place].rows += rows;
                    continue;
                }
                let folded = folded(&value);
                let near = only.values.iter().find(|wanted| self::folded(wanted) == folded).cloned();
                if near.is_none() && column.values.len() >= MOST_VALUES {
                    column.more += rows;
                    continue;
                }
                places.insert(value.clone(), column.values.len());
                column.values.push(UnwantedValue { value, rows, near });
            }
        }
    }

    /// The columns of which anything was left out.
    pub(super) fn finish(self) -> Vec<UnwantedColumn> {
        let mut columns = self.columns;
        columns.retain(|column| !column.values.is_empty());
        for column in &mut columns {
            column.values.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.value.cmp(&b.value)));
        }
        columns
    }
}

/// A value without its blanks and what cannot be seen, and in lower case.
fn folded(value: &str) -> String {
    value.chars().filter(|c| !c.is_whitespace() && !has_no_shape(*c)).flat_map(char::to_lowercase).collect()
}
