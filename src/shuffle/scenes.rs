//! The scenes of groups in memory, packed: a few bytes beside its cells for each, and nothing of its own on the heap.
//!
//! The scenes of an export come in any order, and eight million of them must find one of a million places. Written
//! or read one by one, each would wait for memory. So groups that follow each other form a stretch: while scenes come
//! in, each is appended to the records of its stretch, of which there are a few hundred. When all are there, a stretch
//! is put in order as its first visit is asked for, and is small enough to stay in the processor's cache until its last.

use super::KEY;
use super::groups::NO_GROUP;
use super::own::own_rows;
use super::records::{Column, Record, Records, Texts, Whole, columns};
use crate::scan::{BATCH_ROWS, Fault, Lines, Location, Rows};
use arrow::array::StringArray;
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Groups of a stretch, at least: with eight scenes each, their records fill about half a megabyte.
const FEWEST_GROUPS: usize = 1 << 11;
/// At most: a group's place in its stretch has two bytes.
const MOST_GROUPS: usize = 1 << 16;
/// Stretches, if that many are enough.
const STRETCHES: usize = 1 << 9;

/// A batch of scenes with the group of each, or [`NO_GROUP`].
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) rows: Rows,
    pub(super) groups: Vec<u32>,
}

/// Takes scenes in, in the order of the export.
#[derive(Debug)]
pub(super) struct Packing {
    groups: usize,
    /// Groups of a stretch.
    reach: usize,
    /// Columns beside the key.
    width: usize,
    stretches: Vec<Records>,
    origins: Origins,
    scenes: u32,
}

/// Where scenes stood, by their number in the order of the export, and what is wrong with them.
#[derive(Debug, Default)]
struct Origins {
    batches: Vec<Batch>,
    /// Their `row` is the scene's number.
    faults: Vec<Fault>,
}

#[derive(Debug)]
struct Batch {
    /// The number of its first scene.
    first: u32,
    file: Arc<str>,
    lines: Lines,
}

impl Origins {
    fn place(&self, scene: u32) -> Location {
        let at = self.batches.partition_point(|batch| batch.first <= scene).saturating_sub(1);
        let batch = &self.batches[at];
        batch.lines.place((scene - batch.first) as usize, &batch.file)
    }

    fn faults(&self, scene: u32) -> &[Fault] {
        let start = self.faults.partition_point(|fault| fault.row < scene);
        let end = self.faults.partition_point(|fault| fault.row <= scene);
        &self.faults[start..end]
    }
}

impl Packing {
    /// For the scenes of so many groups, with so many columns beside the key.
    pub(super) fn new(groups: usize, width: usize) -> Packing {
        let reach = groups.div_ceil(STRETCHES).next_power_of_two().clamp(FEWEST_GROUPS, MOST_GROUPS);
        let stretches = vec![Records::default(); groups.div_ceil(reach)];
        Packing { groups, reach, width, stretches, origins: Origins::default(), scenes: 0 }
    }

    /// Whether a batch of so many scenes can be taken in as well.
    pub(super) fn has_room_for(&self, scenes: usize, bytes: usize) -> bool {
        u32::try_from(scenes).is_ok_and(|scenes| self.scenes.checked_add(scenes).is_some())
            && self.stretches.iter().all(|records| records.has_room_for(bytes))
    }

    /// Takes batches that follow each other in the export.
    pub(super) fn add(&mut self, batches: Vec<Assigned>) {
        let mut firsts = Vec::with_capacity(batches.len());
        for Assigned { rows, .. } in &batches {
            firsts.push(self.scenes);
            let numbered = |fault: &Fault| Fault { row: self.scenes + fault.row, ..fault.clone() };
            self.origins.faults.extend(rows.faults.iter().map(numbered));
            self.scenes += rows.batch.num_rows() as u32;
        }
        let columns: Vec<Vec<Column<'_>>> =
            batches.iter().map(|batch| columns(&batch.rows).split_off(KEY + 1)).collect();
        let each = self.stretches.len().div_ceil(rayon::current_num_threads()).max(1);
        let reach = self.reach.trailing_zeros();
        let mask = self.reach as u32 - 1;
        self.stretches.par_chunks_mut(each).enumerate().for_each(|(at, stretches)| {
            let before = (at * each) as u32;
            let mut own = Vec::new();
            for ((batch, first), columns) in batches.iter().zip(&firsts).zip(&columns) {
                let stretch = |group: u32| (group >> reach).wrapping_sub(before) as usize;
                let is_own = |group| (group != NO_GROUP) & (stretch(group) < stretches.len());
                for &row in own_rows(&mut own, &batch.groups, is_own) {
                    let group = batch.groups[row as usize];
                    let records = &mut stretches[((group >> reach) - before) as usize];
                    records.push((group & mask) as u16, first + row, columns, row as usize);
                }
            }
        });
        for (Assigned { rows, .. }, first) in batches.into_iter().zip(firsts) {
            self.origins.batches.push(Batch { first, file: rows.file, lines: rows.lines });
        }
    }

    /// Takes scenes of one file as they were written to a temporary one, in the order of the export. `faults` have the
    /// place of a scene among these as their row.
    pub(super) fn add_whole(
        &mut self,
        scenes: &[Whole<'_>],
        groups: &[u32],
        file: Arc<str>,
        lines: Lines,
        faults: Vec<Fault>,
    ) {
        let first = self.scenes;
        self.scenes += scenes.len() as u32;
        self.origins.faults.extend(faults.into_iter().map(|fault| Fault { row: first + fault.row, ..fault }));
        self.origins.batches.push(Batch { first, file, lines });
        let (reach, mask) = (self.reach.trailing_zeros(), self.reach as u32 - 1);
        for ((scene, &whole), &group) in (first..).zip(scenes).zip(groups) {
            if let Some(records) = self.stretches.get_mut((group >> reach) as usize).filter(|_| group != NO_GROUP) {
                records.push_others((group & mask) as u16, scene, whole);
            }
        }
    }

    /// All scenes, to be asked for by their groups.
    ///
    /// # Errors
    /// Never, unless cells that should be text are none.
    pub(super) fn finish(self) -> Result<Packed, ArrowError> {
        let Packing { groups, reach, width, stretches, origins, .. } = self;
        let stretches = stretches.into_par_iter().enumerate().map(|(at, records)| {
            let groups = (groups - at * reach).min(reach);
            Ok(Stretch { texts: records.finish()?, groups, sorted: OnceLock::new() })
        });
        Ok(Packed { reach, width, stretches: stretches.collect::<Result<_, ArrowError>>()?, origins })
    }

    /// Hands out all scenes again as rows of text, batch by batch, with the key of each group.
    pub(super) fn unpack<'k, E: From<ArrowError>>(
        self,
        key: impl Fn(u32) -> &'k str,
        mut take: impl FnMut(Vec<StringArray>, Vec<Location>, Vec<Fault>) -> Result<(), E>,
    ) -> Result<(), E> {
        for (at, records) in self.stretches.into_iter().enumerate() {
            let texts = records.finish()?;
            let all: Vec<Record<'_>> = texts.places(self.width).map(|place| texts.at(place)).collect();
            for some in all.chunks(BATCH_ROWS) {
                let (mut places, mut faults) = (Vec::new(), Vec::new());
                for record in some {
                    let own = self.origins.faults(record.scene()).iter();
                    faults.extend(own.map(|fault| Fault { row: places.len() as u32, ..fault.clone() }));
                    places.push(self.origins.place(record.scene()));
                }
                let keys = some.iter().map(|record| key((at * self.reach + record.group()) as u32));
                let mut columns = vec![StringArray::from_iter_values(keys)];
                for column in 0..self.width {
                    let cells = some.iter().map(|record| record.some(self.width, [column])[0]);
                    columns.push(StringArray::from_iter_values(cells));
                }
                take(columns, places, faults)?;
            }
        }
        Ok(())
    }
}

/// All scenes, by group.
#[derive(Debug)]
pub(super) struct Packed {
    reach: usize,
    width: usize,
    stretches: Vec<Stretch>,
    origins: Origins,
}

/// The scenes of a stretch.
#[derive(Debug)]
struct Stretch {
    texts: Texts,
    groups: usize,
    /// Put in order by whoever asks first: then its records are in the processor's cache when they are asked for.
    sorted: OnceLock<Sorted>,
}

/// In which order the scenes of a group are next to each other; those of a group stay in the order of the export.
#[derive(Debug)]
struct Sorted {
    /// The places of the records, by group.
    order: Vec<u32>,
    /// For each group where its records begin in `order`, and where the last one's end.
    groups: Vec<u32>,
}

impl Sorted {
    fn new(texts: &Texts, count: usize, width: usize) -> Sorted {
        let mut groups = vec![0; count + 1];
        let mut all = Vec::new();
        for place in texts.places(width) {
            let group = texts.at(place).group();
            groups[group + 1] += 1;
            all.push((place, group as u16));
        }
        for group in 0..count {
            groups[group + 1] += groups[group];
        }
        let mut order = vec![0; all.len()];
        let mut next = groups.clone();
        for (place, group) in all {
            let next = &mut next[usize::from(group)];
            order[*next as usize] = place;
            *next += 1;
        }
        Sorted { order, groups }
    }
}

impl Packed {
    /// Groups whose scenes are put in order together.
    pub(super) fn reach(&self) -> usize {
        self.reach
    }

    /// The scenes of a group, in the order of the export.
    #[inline]
    pub(super) fn of(&self, group: u32) -> Scenes<'_> {
        let (stretch, group) = (group as usize / self.reach, group as usize % self.reach);
        let Some(Stretch { texts, groups, sorted }) = self.stretches.get(stretch) else { return Scenes::default() };
        let Sorted { order, groups } = sorted.get_or_init(|| Sorted::new(texts, *groups, self.width));
        Scenes {
            within: Some(Within { origins: &self.origins, texts, width: self.width }),
            order: &order[groups[group] as usize..groups[group + 1] as usize],
        }
    }
}

/// The scenes of a visit, in the order of the export.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scenes<'a> {
    within: Option<Within<'a>>,
    order: &'a [u32],
}

#[derive(Clone, Copy, Debug)]
struct Within<'a> {
    origins: &'a Origins,
    texts: &'a Texts,
    width: usize,
}

/// One scene: a view of its cells.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    within: Within<'a>,
    record: Record<'a>,
}

impl<'a> Scenes<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// One of them, by its place among them.
    #[inline]
    pub fn get(&self, at: usize) -> Option<Scene<'a>> {
        let within = self.within?;
        self.order.get(at).map(|&place| Scene { within, record: within.texts.at(place) })
    }

    /// Some of them, by their places among them, as far as there are any.
    pub(crate) fn slice(&self, range: Range<usize>) -> Scenes<'a> {
        let end = range.end.min(self.len());
        Scenes { within: self.within, order: &self.order[range.start.min(end)..end] }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Scene<'a>> + use<'a> {
        let scenes = *self;
        (0..self.len()).filter_map(move |at| scenes.get(at))
    }
}

impl<'a> Scene<'a> {
    /// A cell, by the place of its column among the picks; empty for a null, and for the key.
    pub fn text(&self, column: usize) -> &'a str {
        let [text] = self.texts([column]);
        text
    }

    /// Some of its cells, likewise: the scene is taken apart once.
    #[inline]
    pub(crate) fn texts<const N: usize>(&self, columns: [usize; N]) -> [&'a str; N] {
        // The key is not among the cells of a record.
        self.record.some(self.within.width, std::array::from_fn(|cell| columns[cell].wrapping_sub(KEY + 1)))
    }

    /// What is wrong with its row.
    #[inline]
    pub fn faults(&self) -> &'a [Fault] {
        let origins = self.within.origins;
        if origins.faults.is_empty() { &[] } else { origins.faults(self.record.scene()) }
    }

    /// Where it stands.
    pub fn place(&self) -> Location {
        self.within.origins.place(self.record.scene())
    }
}
