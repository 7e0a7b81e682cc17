//! What producers write where there is nothing: words, and times that no visit had.

use super::column_pool::ColumnPool;
use super::entry::{FieldEntry, Setting};
use std::collections::{BTreeMap, BTreeSet};

/// What stands for an empty cell in any column. `NA` is not among them: it is also a country.
pub(super) const NULLS: [&str; 22] = [
    "\\N",
    "NULL",
    "null",
    "(null)",
    "N/A",
    "n/a",
    "#N/A",
    "#NV",
    "#N/D",
    "None",
    "NaN",
    "nan",
    "NaT",
    "<NA>",
    "nil",
    "undefined",
    "#REF!",
    "#VALUE!",
    "-",
    "--",
    "<null>",
    "[NULL]",
];

/// What stands for an empty cell among dates and times: the zero days of MySQL, SAP, .NET, SQL Server and spreadsheets.
const NO_TIMES: [&str; 14] = [
    "0000-00-00 00:00:00",
    "0000-00-00",
    "0000-00-00T00:00:00Z",
    "00000000",
    "00000000000000",
    "00.00.0000",
    "00.00.0000 00:00:00",
    "00/00/0000",
    "0001-01-01",
    "0001-01-01T00:00:00",
    "0001-01-01 00:00:00",
    "0001-01-01T00:00:00Z",
    "1900-01-01 00:00:00",
    "1900-01-01T00:00:00",
];

/// Whether a value stands for no time, if the others of its column are times. Among numbers that is the number 0.
pub(super) fn is_no_time(value: &str) -> bool {
    let whole = value.strip_suffix(".000").or(value.strip_suffix(".0")).unwrap_or(value);
    whole == "0" || NO_TIMES.contains(&whole)
}

/// Says of the fields of a section what stands for an empty cell in their columns: of one column with the column, of several
/// for the whole section, whose words come out.
pub(super) fn assign(entries: &mut [FieldEntry], pool: &ColumnPool<'_>) -> Vec<String> {
    let words = |entry: &FieldEntry| -> BTreeSet<String> {
        let places = entry.columns().into_iter().filter_map(|column| pool.place_of(column));
        places.flat_map(|at| pool.profiles[at].nulls.iter().map(|word| (*word).to_owned())).collect()
    };
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in entries.iter() {
        for word in words(entry) {
            columns.entry(word).or_default().extend(entry.columns().into_iter().map(str::to_owned));
        }
    }
    // What a dialect writes for all its nulls is of the whole file, and keys are columns as they stand.
    let is_key = |entry: &FieldEntry| ["visit_id", "scene_id"].contains(&entry.field);
    let of_keys: BTreeSet<String> = entries.iter().filter(|entry| is_key(entry)).flat_map(words).collect();
    let is_of_section = |word: &String| {
        !is_no_time(word)
            && (word == "\\N" || of_keys.contains(word) || columns.get(word).is_some_and(|of| of.len() > 1))
    };
    for entry in entries.iter_mut().filter(|entry| !is_key(entry)) {
        let own: Vec<String> = words(entry).into_iter().filter(|word| !is_of_section(word)).collect();
        if !own.is_empty() {
            *entry = entry.clone().set("null_values", Setting::List(own));
        }
    }
    columns.keys().filter(|word| is_of_section(word)).cloned().collect()
}
