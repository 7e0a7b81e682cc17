//! What `only` left out: for the summary, and as a suspicion where a value is probably a wanted one in another spelling.

use crate::scan::UnwantedColumn;
use crate::summary::UnwantedValue;
use crate::suspicion::{Suspicion, SuspicionCode};
use crate::text::count;

/// Values of a column that a summary has, as JSON too.
const LISTED: usize = 100;

/// The values for the summary, the most frequent of each column first.
pub(super) fn listed(columns: &[UnwantedColumn]) -> Vec<UnwantedValue> {
    let of_column = |column: &UnwantedColumn| {
        let value = |value, rows| UnwantedValue { section: column.section, column: column.column.clone(), value, rows };
        let (shown, rest) = column.values.split_at(column.values.len().min(LISTED));
        let rest = rest.iter().map(|value| value.rows).sum::<u64>() + column.more;
        let mut values: Vec<_> = shown.iter().map(|shown| value(Some(shown.value.clone()), shown.rows)).collect();
        values.extend((rest > 0).then(|| value(None, rest)));
        values
    };
    columns.iter().flat_map(of_column).collect()
}

/// A suspicion for each column with a value that equals a wanted one but for case or blanks.
pub(super) fn suspicions(columns: &[UnwantedColumn]) -> Vec<Suspicion> {
    let of_column = |column: &UnwantedColumn| {
        let UnwantedColumn { section, column: name, .. } = column;
        let mut suspicion = Suspicion::new(
            SuspicionCode::OnlyValue,
            format!(
                "`only` under [{section}] leaves out a value of the column {name:?} that equals a wanted one but for case or \
                 blanks: most often it is the same; add it to `only` as it is spelled"
            ),
        );
        for value in &column.values {
            if let Some(wanted) = &value.near {
                let rows = count(value.rows, "row", "rows");
                suspicion.add(format!("{:?} in {rows}, while {wanted:?} is wanted", value.value));
            }
        }
        (suspicion.count > 0).then_some(suspicion)
    };
    columns.iter().filter_map(of_column).collect()
}
