//! The store as a whole: what it does in memory, and that it does the same through temporary files.

use super::left_out::RowFilter;
use super::near::NearKeys;
use super::shuffled::GroupedStore;
use super::{Grouped, Shuffle, ShuffleError};
use crate::near_key::Folding;
use crate::scan::{CellFault, Fault, Lines, Rows};
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use std::sync::Arc;

fn rows(columns: &[&[&str]]) -> Rows {
    let fields: Vec<Field> = (0..columns.len()).map(|at| Field::new(format!("c{at}"), DataType::Utf8, true)).collect();
    let columns = columns.iter().map(|cells| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef);
    let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect()).expect("a batch");
    Rows { batch, file: "f".into(), lines: Lines::From(2), faults: Vec::new(), keep: None, unwanted: Vec::new() }
}

fn in_memory(flat: bool) -> Shuffle {
    Shuffle::new(flat, u64::MAX, 0, Folding::default())
}

fn whole(shuffle: Shuffle) -> Grouped {
    match shuffle.finish().expect("finished").store {
        GroupedStore::Memory(grouped) => *grouped,
        GroupedStore::Disk(_) => panic!("nothing was to be spilled"),
    }
}

fn scenes_of(grouped: &Grouped, visit: usize) -> Vec<String> {
    let scenes = grouped.visit(visit).scenes();
    scenes.iter().map(|scene| scene.text(1).to_owned()).collect()
}

#[test]
fn scenes_find_their_visit_in_the_order_of_the_export() {
    let mut shuffle = in_memory(false);
    shuffle.add_visits(rows(&[&["a", "b", "c"], &["1", "2", "3"]]), None).expect("added");
    shuffle.add_scenes(vec![rows(&[&["b", "x", "a"], &["s1", "s2", "s3"]])]).expect("added");
    shuffle.add_scenes(vec![rows(&[&["a", "b"], &["s4", "s0"]])]).expect("added");
    let grouped = whole(shuffle);
    assert_eq!(scenes_of(&grouped, 0), ["s3", "s4"]);
    assert_eq!(scenes_of(&grouped, 1), ["s1", "s0"]);
    assert!(scenes_of(&grouped, 2).is_empty());
    assert_eq!((grouped.tally().orphans, grouped.tally().scene_rows), (1, 5));
}

#[test]
fn identical_rows_count_once_and_differing_ones_conflict_with_each_other() {
    let mut shuffle = in_memory(false);
    shuffle.add_visits(rows(&[&["a", "a", "b", "", ""], &["1", "1", "2", "9", "9"]]), None).expect("added");
    shuffle.add_visits(rows(&[&["a", "a", "a"], &["1", "5", "5"]]), None).expect("added");
    let grouped = whole(shuffle);
    assert_eq!(grouped.len(), 5, "a, b, two without a key, the differing a");
    assert_eq!((grouped.tally().visit_rows, grouped.tally().identical_duplicates), (8, 3));
    let others = |at| grouped.visit(at).conflict().map(|c| c.others).unwrap_or_default();
    assert_eq!(others(0).iter().map(|place| place.row).collect::<Vec<_>>(), [3]);
    assert_eq!(others(4).iter().map(|place| place.row).collect::<Vec<_>>(), [2]);
    assert!(others(1).is_empty());
}

#[test]
fn scenes_of_visits_left_out_are_not_orphans() {
    let mut shuffle = in_memory(false);
    let keep = RowFilter::new(BooleanArray::from(vec![false, true]));
    shuffle.add_visits(rows(&[&["a", "b"]]), Some(&keep)).expect("added");
    shuffle.add_scenes(vec![rows(&[&["a", "b"], &["s1", "s2"]])]).expect("added");
    let grouped = whole(shuffle);
    assert_eq!((grouped.len(), grouped.tally().orphans, grouped.tally().scenes_left_out), (1, 0, 1));
    assert_eq!(grouped.visit(0).location().row, 3, "rows keep their locations when others go");
    assert_eq!(scenes_of(&grouped, 0), ["s2"]);
}

#[test]
fn scenes_that_cannot_be_read_are_unreadable_and_those_without_a_key_are_orphans() {
    let broken = |flat| {
        let mut shuffle = in_memory(flat);
        shuffle.add_visits(rows(&[&["a"], &["1"]]), None).expect("added");
        let mut scenes = rows(&[&["", "", "a"], &["s1", "", "s2"]]);
        let what = CellFault::Cells { found: 1, expected: 2 };
        scenes.faults.push(Fault { row: 2, column: None, what });
        shuffle.add_scenes(vec![scenes]).expect("added");
        let shuffled = shuffle.finish().expect("finished");
        (shuffled.tally().unreadable, shuffled.tally().orphans)
    };
    // In a flat export, a row of empty cells is no scene: an outer join makes it.
    assert_eq!((broken(false), broken(true)), ((1, 2), (1, 1)));
}

/// What is found near a visit: the keys, the place of the first scene of each, how many scenes they are, and how many more.
fn near_of(grouped: &Grouped, visit: usize) -> (Vec<(String, u64, u64)>, u64) {
    let near = grouped.visit(visit).near();
    let listed = near.map(NearKeys::listed).unwrap_or_default();
    let listed = listed.iter().map(|near| (near.key.to_string(), near.first.row, near.scenes));
    (listed.collect(), near.map_or(0, NearKeys::more))
}

#[test]
fn orphans_are_with_the_visits_that_they_are_near_and_stay_orphans() {
    let mut shuffle = in_memory(false);
    let keep = RowFilter::new(BooleanArray::from(vec![true, true, false, true]));
    shuffle.add_visits(rows(&[&["V3", "007", "v4", "7.0"]]), Some(&keep)).expect("added");
    let scenes: [&[&str]; 2] = [&["V3", "v3", "07", "V4", "V30", "v3", " V3", "v3 ", "v 3", "V3\t"], &["s"; 10]];
    shuffle.add_scenes(vec![rows(&scenes)]).expect("added");
    let grouped = whole(shuffle);
    assert_eq!((grouped.tally().orphans, grouped.tally().scene_rows), (9, 10));
    let named = |key: &str, row, scenes| (key.to_owned(), row, scenes);
    assert_eq!(near_of(&grouped, 0), (vec![named("v3", 3, 2), named(" V3", 8, 1), named("v3 ", 9, 1)], 1));
    assert_eq!(near_of(&grouped, 1), (vec![named("07", 4, 1)], 0));
    assert_eq!(near_of(&grouped, 2), (vec![named("07", 4, 1)], 0), "it may be of either");
    assert_eq!(scenes_of(&grouped, 0), ["s"]);
}

#[test]
fn where_visits_have_keys_that_differ_in_case_only_it_tells_keys_apart() {
    let mut shuffle = in_memory(false);
    shuffle.add_visits(rows(&[&["a1", "A1", "b2", "c3"]]), None).expect("added");
    shuffle.add_scenes(vec![rows(&[&["B2", "c3 ", "C3"], &["s1", "s2", "s3"]])]).expect("added");
    let grouped = whole(shuffle);
    assert_eq!(near_of(&grouped, 2), (vec![], 0));
    assert_eq!(near_of(&grouped, 3), (vec![("c3 ".to_owned(), 3, 1)], 0));
}

/// A batch as one may come from anywhere: of several files, at odd lines, with faults, its keys written in many ways.
fn odd_rows(keys: &[u8], file: u8, first: u64, spread: bool, broken: bool) -> Rows {
    let key = |key: &u8| match (key / 12, key % 12) {
        (n, 0) => format!("K{n}"),
        (n, 1) => format!("k{n}\u{a0}"),
        (n, 2) => format!("K{n} "),
        (n, 3) => format!("\u{200b}k{n}"),
        (n, 4) => format!(" k{n}"),
        _ => format!("k{key}"),
    };
    let keys: Vec<String> = keys.iter().map(key).collect();
    let cells: Vec<String> =
        (0..keys.len()).map(|row| format!("{file}-{}", "x".repeat(row * row * row % 9_000))).collect();
    let columns = [&keys, &cells].map(|cells| cells.iter().map(String::as_str).collect::<Vec<_>>());
    let mut rows = rows(&[&columns[0], &columns[1]]);
    rows.file = format!("file {file}").into();
    let count = rows.batch.num_rows();
    rows.lines = if spread {
        let files: Vec<Arc<str>> = (0..3).map(|file| format!("file {file}").into()).collect();
        let line = (0..count as u64).map(|row| first + row * 7 % 5);
        Lines::Spread {
            files: files.into(),
            file: (0..count as u32).map(|row| row % 3).collect(),
            line: line.collect(),
        }
    } else {
        Lines::Each(first, (0..count as u32).map(|row| row * 3).collect())
    };
    if broken && count > 0 {
        let what = CellFault::Undecodable(format!("\u{fffd} of {first}"));
        rows.faults.push(Fault { row: count as u32 / 2, column: Some(1), what });
    }
    rows
}

type OddBatch = (Vec<u8>, u8, u64, bool, bool);

/// Everything that is known of each visit, and what was counted.
fn everything(visits: &[OddBatch], scenes: &[OddBatch], memory: u64, expected: u64) -> (Vec<String>, String) {
    let mut shuffle = Shuffle::new(false, memory, expected, Folding::default());
    for (keys, file, first, spread, broken) in visits {
        shuffle.add_visits(odd_rows(keys, *file, *first, *spread, *broken), None).expect("added");
    }
    for scenes in scenes.chunks(3) {
        let batches =
            scenes.iter().map(|(keys, file, first, spread, broken)| odd_rows(keys, *file, *first, *spread, *broken));
        shuffle.add_scenes(batches.collect()).expect("added");
    }
    let shuffled = shuffle.finish().expect("finished");
    let (mut told, mut tally) = (Vec::new(), shuffled.tally().clone());
    shuffled
        .each(|grouped| {
            tally.add(grouped.tally());
            for at in 0..grouped.len() {
                let visit = grouped.visit(at);
                let scenes = visit.scenes();
                let scenes = scenes.iter().map(|scene| {
                    let faults: Vec<_> = scene.faults().iter().map(|fault| (fault.column, &fault.what)).collect();
                    (scene.location(), scene.text(1), faults)
                });
                let scenes: Vec<_> = scenes.collect();
                let near = near_of(grouped, at);
                told.push(format!("{} {} {scenes:?} {near:?}", visit.key(), visit.location()));
            }
            Ok::<(), ShuffleError>(())
        })
        .expect("read");
    told.sort();
    let mut orphans: Vec<_> = tally.orphan_places.drain(..).map(|(place, key)| format!("{place} {key}")).collect();
    orphans.sort();
    (told, format!("{orphans:?} {tally:?}"))
}

fn batches() -> impl proptest::strategy::Strategy<Value = Vec<OddBatch>> {
    use proptest::prelude::*;
    let batch = (proptest::collection::vec(0..40u8, 0..60), 0..3u8, 2..9_000_000_000u64, any::<bool>(), any::<bool>());
    proptest::collection::vec(batch, 0..8)
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_known_of_a_visit_is_the_same_through_temporary_files(visits in batches(), scenes in batches()) {
        let (told, counted) = everything(&visits, &scenes, u64::MAX, 0);
        // From the start, and from somewhere on.
        for (memory, expected) in [(100, 1000), (60_000, 0)] {
            let (also_told, also_counted) = everything(&visits, &scenes, memory, expected);
            proptest::prop_assert_eq!(&told, &also_told);
            proptest::prop_assert_eq!(&counted, &also_counted);
        }
    }
}
