//! Brings the scenes of a visit to it: in memory, past its budget on disk. Elsewhere a cluster does the same step.
//!
//! It looks at the key column and at nothing else, except to tell identical duplicates of a visit from differing
//! ones, for which no column needs to mean anything. Past the budget, visits and scenes are parted by their keys
//! into temporary files, and each part is then grouped in memory by itself.

mod blocks;
mod carried;
mod grouped;
mod groups;
mod own;
mod records;
mod same;
mod scenes;
mod spill;
mod streams;
mod temporary;

pub use grouped::{Conflict, Grouped, Visit};
pub use scenes::{Scene, Scenes};

use crate::scan::{Location, Rows};
use arrow::array::{Array, AsArray, BooleanArray};
use arrow::error::ArrowError;
use groups::Groups;
use hashbrown::DefaultHashBuilder;
use spill::Spill;
use std::collections::VecDeque;
use std::io;

/// Where the key stands in the batches of both sections.
pub const KEY: usize = 0;

/// Parts that are read from temporary files while another is in use.
const LOADED_AHEAD: usize = 2;

/// How many places of orphans and unreadable scenes are remembered; all are counted.
pub(crate) const PLACES: usize = 1000;

/// What can go wrong while grouping.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShuffleError {
    /// Columns that do not fit together.
    #[error("grouping the exports failed: {0}; this is a bug of traxload, please report it")]
    Arrow(#[from] ArrowError),
    /// Four gigabytes of cells, which no body could carry.
    #[error(
        "one visit has more scenes than can be sent as one; is the column that joins scenes to visits the right one?"
    )]
    TooManyScenes,
    /// The disk for temporary files is full or gone.
    #[error(
        "cannot use temporary files in {folder}: {source}; set TMPDIR to a folder with room, or allow more memory under [shuffle]"
    )]
    Disk {
        /// Where they are.
        folder: String,
        /// What the system says.
        source: io::Error,
    },
    /// What is read from a temporary file was not written to it.
    #[error(
        "a temporary file in {folder} is not as it was written ({source}); the disk may be failing: set TMPDIR to a folder on \
         another one and start the same command again"
    )]
    Spoilt {
        /// Where they are.
        folder: String,
        /// What is wrong.
        source: io::Error,
    },
}

/// What was counted on the way.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Visit rows that were taken in.
    pub visit_rows: u64,
    /// Of those, rows that are the same as an earlier one.
    pub identical_duplicates: u64,
    /// Visit rows that filters left out.
    pub visits_left_out: u64,
    /// Scene rows with a key, as they came in.
    pub scenes_taken: u64,
    /// The same, counted again where they are grouped: scene rows with a key, orphans and those of visits left out included.
    pub scene_rows: u64,
    /// Of those, scenes of visits that filters left out.
    pub scenes_left_out: u64,
    /// Scenes whose visit is not in the export.
    pub orphans: u64,
    /// The first orphans: place and key.
    pub orphan_places: Vec<(Location, String)>,
    /// Scene rows of which nobody can say to which visit they belong.
    pub unreadable: u64,
    /// The first of those: place and reason.
    pub unreadable_places: Vec<(Location, String)>,
}

impl Tally {
    fn add_orphan(&mut self, orphan: impl FnOnce() -> (Location, String)) {
        self.orphans += 1;
        if self.orphan_places.len() < PLACES {
            self.orphan_places.push(orphan());
        }
    }

    /// Scene rows that were read: those with a visit, orphans, and those of which nobody can say.
    pub fn scenes_read(&self) -> u64 {
        self.scene_rows.saturating_sub(self.scenes_left_out).saturating_add(self.unreadable)
    }

    /// Takes the counts of another part, and all of its places: which of them are the first, the order of the files tells.
    pub fn add(&mut self, part: &Tally) {
        self.visit_rows += part.visit_rows;
        self.identical_duplicates += part.identical_duplicates;
        self.visits_left_out += part.visits_left_out;
        self.scenes_taken += part.scenes_taken;
        self.scene_rows += part.scene_rows;
        self.scenes_left_out += part.scenes_left_out;
        self.orphans += part.orphans;
        self.unreadable += part.unreadable;
        self.orphan_places.extend_from_slice(&part.orphan_places);
        self.unreadable_places.extend_from_slice(&part.unreadable_places);
    }
}

/// Takes rows in: first all visits, then all scenes.
#[derive(Debug)]
pub struct Shuffle {
    /// One export holds both, a row a scene: rows without scene cells are no scenes.
    flat: bool,
    /// Bytes that may be held in memory.
    memory: u64,
    /// How large the exports are, about, for the number of parts.
    expected: u64,
    store: Store,
    held: u64,
    /// What is counted before rows are stored.
    tally: Tally,
}

#[derive(Debug)]
enum Store {
    Memory(Box<Groups>),
    Disk(Box<Spill>),
}

/// Beside its columns' bytes, what a row costs while it is grouped.
const PER_ROW: u64 = 64;
/// Exports that seem to need so many times the memory are not even begun in it. What they seem to need is a guess on the
/// safe side: they may have many columns that the job does not map.
const HOPELESS: u64 = 8;

impl Shuffle {
    /// `flat`: visits and scenes are the same rows of the same files. `memory`: bytes that may be held before temporary
    /// files are used. `expected`: the size of the exports in memory, about.
    pub fn new(flat: bool, memory: u64, expected: u64) -> Self {
        let store = match expected > memory.saturating_mul(HOPELESS) {
            true => Store::Disk(Box::new(Spill::new(DefaultHashBuilder::default(), memory, expected))),
            false => Store::Memory(Box::default()),
        };
        Shuffle { flat, memory, expected, store, held: 0, tally: Tally::default() }
    }

    /// Takes a batch of visits. Rows for which `keep` is false are left out: they are not rows read, and their
    /// scenes are no orphans.
    ///
    /// # Errors
    /// Where a batch cannot be grouped or written to a temporary file.
    pub fn add_visits(&mut self, rows: Rows, keep: Option<&BooleanArray>) -> Result<(), ShuffleError> {
        self.make_room(&rows, &[])?;
        match &mut self.store {
            Store::Memory(groups) => Ok(groups.add_visits(rows, keep)?),
            Store::Disk(spill) => match keep {
                None => spill.add_visits(rows),
                Some(keep) => {
                    spill.leave_out_of(&rows, keep);
                    spill.add_visits(rows.filtered(keep)?)
                }
            },
        }
    }

    /// Takes batches of scenes that follow each other. All visits must have been taken in before.
    ///
    /// # Errors
    /// Where a batch cannot be grouped or written to a temporary file.
    pub fn add_scenes(&mut self, batches: Vec<Rows>) -> Result<(), ShuffleError> {
        let mut scenes: Vec<Rows> = Vec::with_capacity(batches.len());
        for rows in batches {
            let rows = self.assignable(rows)?;
            self.tally.scenes_taken += rows.batch.num_rows() as u64;
            if rows.batch.num_rows() == 0 {
                continue;
            }
            self.make_room(&rows, &scenes)?;
            match &mut self.store {
                Store::Memory(_) => scenes.push(rows),
                Store::Disk(spill) => {
                    for rows in scenes.drain(..) {
                        spill.add_scenes(rows)?;
                    }
                    spill.add_scenes(rows)?;
                }
            }
        }
        if let Store::Memory(groups) = &mut self.store {
            groups.add_scenes(scenes)?;
        }
        Ok(())
    }

    /// The rows that are scenes and can be assigned to a visit.
    fn assignable(&mut self, mut rows: Rows) -> Result<Rows, ArrowError> {
        if let Some(keep) = rows.keep.take() {
            rows = rows.filtered(&keep)?;
        }
        if !self.flat && rows.faults.is_empty() && has_all_keys(&rows) {
            return Ok(rows);
        }
        let keep: Vec<bool> = (0..rows.batch.num_rows()).map(|row| self.is_scene(&rows, row)).collect();
        if keep.contains(&false) { rows.filtered(&BooleanArray::from(keep)) } else { Ok(rows) }
    }

    /// Whether a row is a scene that can be assigned to a visit; one that cannot is counted.
    fn is_scene(&mut self, rows: &Rows, row: usize) -> bool {
        let key = rows.text(KEY, row);
        if !key.is_empty() && rows.faults.is_empty() && !self.flat {
            return true;
        }
        let faults = rows.faults_of(row);
        let broken = faults.iter().find(|fault| fault.column.is_none_or(|column| usize::from(column) == KEY));
        if broken.is_none() && self.flat && faults.is_empty() && has_no_cells(rows, row) {
            return false;
        }
        if broken.is_none() && !key.is_empty() {
            return true;
        }
        self.tally.unreadable += 1;
        if self.tally.unreadable_places.len() < PLACES {
            let reason = broken.map_or_else(|| "the visit's key is empty".to_owned(), |fault| fault.what.to_string());
            self.tally.unreadable_places.push((rows.place(row), reason));
        }
        false
    }

    /// Goes on with temporary files where these rows do not fit, nor those that wait for being taken in before them.
    fn make_room(&mut self, rows: &Rows, waiting: &[Rows]) -> Result<(), ShuffleError> {
        let Store::Memory(groups) = &mut self.store else { return Ok(()) };
        self.held += rows.memory_size() as u64 + rows.batch.num_rows() as u64 * PER_ROW;
        if self.held <= self.memory && groups.has_room_for(waiting.iter().chain([rows])) {
            return Ok(());
        }
        let groups = std::mem::take(groups.as_mut());
        let spill = groups.move_to(self.memory, self.expected.max(self.held))?;
        self.store = Store::Disk(Box::new(spill));
        Ok(())
    }

    /// What was taken in, grouped.
    ///
    /// # Errors
    /// Where temporary files cannot be written.
    pub fn finish(self) -> Result<Shuffled, ShuffleError> {
        let parts = match self.store {
            Store::Memory(groups) => Parts::One(Box::new(groups.finish()?)),
            Store::Disk(spill) => Parts::Several(Box::new(spill.finish()?)),
        };
        let mut tally = self.tally;
        if let Parts::Several(spilled) = &parts {
            tally.add(spilled.tally());
        }
        Ok(Shuffled { parts, tally })
    }
}

fn has_all_keys(rows: &Rows) -> bool {
    let keys = rows.batch.column(KEY).as_string_opt::<i32>();
    keys.is_some_and(|keys| keys.null_count() == 0 && keys.value_offsets().windows(2).all(|cell| cell[0] < cell[1]))
}

fn has_no_cells(rows: &Rows, row: usize) -> bool {
    (0..rows.batch.num_columns()).filter(|&column| column != KEY).all(|column| rows.text(column, row).is_empty())
}

/// Visits with their scenes, in one part or several; all rows of a key are in the same.
#[derive(Debug)]
pub struct Shuffled {
    parts: Parts,
    tally: Tally,
}

#[derive(Debug)]
enum Parts {
    One(Box<Grouped>),
    Several(Box<spill::Spilled>),
}

impl Shuffled {
    /// Hands out one part after the other, while the next ones are read. May be called again.
    ///
    /// # Errors
    /// Where temporary files cannot be read, and whatever `work` says.
    pub fn each<E: From<ShuffleError>>(&self, mut work: impl FnMut(&Grouped) -> Result<(), E>) -> Result<(), E> {
        match &self.parts {
            Parts::One(grouped) => work(grouped),
            Parts::Several(spilled) => std::thread::scope(|scope| {
                let load = |part| (part < spilled.parts()).then(|| scope.spawn(move || spilled.load(part)));
                let mut loading: VecDeque<_> = (0..LOADED_AHEAD).filter_map(load).collect();
                let mut next = LOADED_AHEAD;
                while let Some(part) = loading.pop_front() {
                    let grouped = part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
                    loading.extend(load(next));
                    next += 1;
                    work(&grouped)?;
                }
                Ok(())
            }),
        }
    }

    /// What was counted before rows were grouped; the parts have counts of their own.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// How many parts there are: one in memory, several on disk.
    pub fn parts(&self) -> usize {
        match &self.parts {
            Parts::One(_) => 1,
            Parts::Several(spilled) => spilled.parts(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{CellFault, Fault, Lines};
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use arrow::datatypes::{DataType, Field, Schema};
    use std::sync::Arc;

    fn rows(columns: &[&[&str]]) -> Rows {
        let fields: Vec<Field> =
            (0..columns.len()).map(|at| Field::new(format!("c{at}"), DataType::Utf8, true)).collect();
        let columns = columns.iter().map(|cells| Arc::new(StringArray::from(cells.to_vec())) as ArrayRef);
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.collect()).expect("a batch");
        Rows { batch, file: "f".into(), lines: Lines::From(2), faults: Vec::new(), keep: None }
    }

    fn in_memory(flat: bool) -> Shuffle {
        Shuffle::new(flat, u64::MAX, 0)
    }

    fn whole(shuffle: Shuffle) -> Grouped {
        match shuffle.finish().expect("finished").parts {
            Parts::One(grouped) => *grouped,
            Parts::Several(_) => panic!("nothing was to be spilled"),
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
    fn scenes_of_visits_left_out_are_no_orphans() {
        let mut shuffle = in_memory(false);
        let keep = BooleanArray::from(vec![false, true]);
        shuffle.add_visits(rows(&[&["a", "b"]]), Some(&keep)).expect("added");
        shuffle.add_scenes(vec![rows(&[&["a", "b"], &["s1", "s2"]])]).expect("added");
        let grouped = whole(shuffle);
        assert_eq!((grouped.len(), grouped.tally().orphans, grouped.tally().scenes_left_out), (1, 0, 1));
        assert_eq!(grouped.visit(0).place().row, 3, "rows keep their places when others go");
        assert_eq!(scenes_of(&grouped, 0), ["s2"]);
    }

    #[test]
    fn scenes_without_a_usable_key_are_unreadable_but_an_outer_joins_are_none() {
        let broken = |flat| {
            let mut shuffle = in_memory(flat);
            shuffle.add_visits(rows(&[&["a"], &["1"]]), None).expect("added");
            let mut scenes = rows(&[&["", "", "a"], &["s1", "", "s2"]]);
            let what = CellFault::Cells { found: 1, expected: 2 };
            scenes.faults.push(Fault { row: 2, column: None, what });
            shuffle.add_scenes(vec![scenes]).expect("added");
            shuffle.finish().expect("finished").tally().unreadable
        };
        assert_eq!((broken(false), broken(true)), (3, 2));
    }

    /// A batch as one may come from anywhere: of several files, at odd lines, with faults.
    fn odd_rows(keys: &[u8], file: u8, first: u64, spread: bool, broken: bool) -> Rows {
        let keys: Vec<String> = keys.iter().map(|key| format!("k{key}")).collect();
        let cells: Vec<String> =
            (0..keys.len()).map(|row| format!("{file}-{}", "x".repeat(row * row * row % 9_000))).collect();
        let columns = [&keys, &cells].map(|cells| cells.iter().map(String::as_str).collect::<Vec<_>>());
        let mut rows = rows(&[&columns[0], &columns[1]]);
        rows.file = format!("file {file}").into();
        let count = rows.batch.num_rows();
        rows.lines = if spread {
            let place =
                |row: usize| Location { file: format!("file {}", row % 3).into(), row: first + (row * 7 % 5) as u64 };
            Lines::spread((0..count).map(place))
        } else {
            Lines::Each(first, (0..count as u32).map(|row| row * 3).collect())
        };
        if broken && count > 0 {
            let what = CellFault::Undecodable(format!("\u{fffd} of {first}"));
            rows.faults.push(Fault { row: count as u32 / 2, column: Some(1), what });
        }
        rows
    }

    type Batch = (Vec<u8>, u8, u64, bool, bool);

    /// Everything that is known of each visit, and what was counted.
    fn everything(visits: &[Batch], scenes: &[Batch], memory: u64, expected: u64) -> (Vec<String>, String) {
        let mut shuffle = Shuffle::new(false, memory, expected);
        for (keys, file, first, spread, broken) in visits {
            shuffle.add_visits(odd_rows(keys, *file, *first, *spread, *broken), None).expect("added");
        }
        for scenes in scenes.chunks(3) {
            let batches = scenes
                .iter()
                .map(|(keys, file, first, spread, broken)| odd_rows(keys, *file, *first, *spread, *broken));
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
                        (scene.place(), scene.text(1), faults)
                    });
                    let scenes: Vec<_> = scenes.collect();
                    told.push(format!("{} {} {scenes:?}", visit.key(), visit.place()));
                }
                Ok::<(), ShuffleError>(())
            })
            .expect("read");
        told.sort();
        let mut orphans: Vec<_> = tally.orphan_places.drain(..).map(|(place, key)| format!("{place} {key}")).collect();
        orphans.sort();
        (told, format!("{orphans:?} {tally:?}"))
    }

    fn batches() -> impl proptest::strategy::Strategy<Value = Vec<Batch>> {
        use proptest::prelude::*;
        let batch =
            (proptest::collection::vec(0..40u8, 0..60), 0..3u8, 2..9_000_000_000u64, any::<bool>(), any::<bool>());
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
}
