//! How many visits and scenes have each field, and what filters left out, in words.

use crate::summary::{CoveredRows, FieldCoverage, Filters, UnwantedValue};
use crate::text::{grouped, start_of};

/// Values of a column that are shown.
const VALUES: usize = 20;
/// Characters of a value that are shown.
const LONGEST_VALUE: usize = 40;

/// Lines for a summary, each with its name: fields that as many visits have stand together.
pub(super) fn coverage(fields: &[FieldCoverage]) -> Vec<(&'static str, String)> {
    let line = |name, of| {
        let mut groups: Vec<(Vec<&str>, &FieldCoverage)> = Vec::new();
        for field in fields.iter().filter(|field| field.of == of && field.all > 0) {
            let is_alike = |known: &FieldCoverage| known.filled == field.filled && note(known) == note(field);
            match groups.iter_mut().find(|(_, known)| is_alike(known)) {
                Some((names, _)) => names.push(field.field),
                None => groups.push((vec![field.field], field)),
            }
        }
        let words = groups.iter().map(|(names, field)| {
            format!("{} {} of {}{}", names.join(", "), grouped(field.filled), grouped(field.all), note(field))
        });
        (name, words.collect::<Vec<_>>().join("; "))
    };
    let lines = [line("visit fields", CoveredRows::Visits), line("scene fields", CoveredRows::Scenes)];
    lines.into_iter().filter(|(_, words)| !words.is_empty()).collect()
}

fn note(field: &FieldCoverage) -> &'static str {
    match (field.mapped, field.field) {
        (true, _) => "",
        (false, "client_session_uid") => " (not mapped: the visit_id)",
        (false, "visit_date") => " (not mapped: the day of the start)",
        (false, _) => " (not mapped)",
    }
}

/// What leaves rows out: `only`, --from and --to, --limit, of these what is used.
pub(super) fn filters(filters: Filters) -> String {
    let days = match (filters.from, filters.to) {
        (true, true) => Some("--from and --to"),
        (true, false) => Some("--from"),
        (false, true) => Some("--to"),
        (false, false) => None,
    };
    let used = [filters.only.then_some("`only`"), days, filters.limit.then_some("--limit")];
    let used: Vec<&str> = used.into_iter().flatten().collect();
    match used.as_slice() {
        [] => "filters".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// The values that `only` leaves out, a line for each column: the most frequent ones first.
pub(super) fn unwanted(values: &[UnwantedValue]) -> Vec<String> {
    let of_column = |values: &[UnwantedValue]| {
        let shown = values.iter().filter_map(|value| Some((value.value.as_ref()?, value.rows)));
        let mut words: Vec<String> = shown
            .take(VALUES)
            .map(|(value, rows)| {
                let cut = start_of(value, LONGEST_VALUE);
                let more = if cut.len() < value.len() { "…" } else { "" };
                format!("{cut:?}{more} {}", grouped(rows))
            })
            .collect();
        let rest = values.len().saturating_sub(words.len());
        if rest > 0 {
            let listed = values.iter().filter(|value| value.value.is_some()).skip(VALUES);
            let others = values.iter().filter(|value| value.value.is_none());
            words.push(format!("other values {}", grouped(listed.chain(others).map(|value| value.rows).sum())));
        }
        format!("{}.{}: {}", values[0].section, values[0].column, words.join(", "))
    };
    values.chunk_by(|one, other| (one.section, &one.column) == (other.section, &other.column)).map(of_column).collect()
}
