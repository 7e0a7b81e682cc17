//! The setting `null_values`: of a column where it alone has the word, else of the section.

use super::column_pool::ColumnPool;
use super::entry::{FieldEntry, Setting};
use crate::stand_ins::is_no_time;
use std::collections::{BTreeMap, BTreeSet};

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
