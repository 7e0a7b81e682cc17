//! The scenes of all groups in memory: a few bytes for each beside its cells, and no allocation of its own.
//!
//! The scenes of an export come in any order, and eight million of them must find one of a million groups. Written or read
//! one by one, each would wait for memory. So groups that follow each other share a bucket: while scenes come in, each
//! is appended to the arena of its bucket, of which there are a few hundred. When all are there, the scenes of a bucket
//! are sorted by group as its first visit is asked for. A bucket is small enough to stay in the processor's cache until
//! its last visit.

use super::arena::RecordArena;
use super::error::ShuffleError;
use super::key_column::KEY;
use super::origins::SceneOrigins;
use super::record::{HEAD, SceneRecord, TextColumn, most_bytes, most_bytes_of, push_head, push_row, text_columns};
use super::scatter::scatter;
use super::scenes::{BucketView, Scenes};
use crate::key_index::NOT_FOUND;
use crate::scan::{Fault, Lines, Rows};
use std::sync::{Arc, OnceLock};

/// The group of a scene that has none: its key is not that of a visit.
pub(super) const NO_GROUP: u32 = NOT_FOUND;

/// Groups of a bucket, at least: with eight scenes each, their records fill about half a megabyte.
const MIN_GROUPS: usize = 1 << 11;
/// Groups of a bucket, at most: a record has two bytes for a group's place in its bucket.
const MAX_GROUPS: usize = 1 << 16;
/// How many buckets there should be, where these bounds allow it.
const BUCKETS: usize = 1 << 9;

/// Which bucket a group is in. Their number of groups is a power of two.
#[derive(Clone, Copy, Debug)]
struct BucketLayout {
    groups_per_bucket_log2: u32,
}

impl BucketLayout {
    fn new(groups: usize) -> BucketLayout {
        let groups_per_bucket = groups.div_ceil(BUCKETS).next_power_of_two().clamp(MIN_GROUPS, MAX_GROUPS);
        BucketLayout { groups_per_bucket_log2: groups_per_bucket.trailing_zeros() }
    }

    fn groups_per_bucket(self) -> usize {
        1 << self.groups_per_bucket_log2
    }

    #[inline]
    fn bucket(self, group: u32) -> usize {
        if group == NO_GROUP { usize::MAX } else { (group >> self.groups_per_bucket_log2) as usize }
    }

    /// The group's place in its bucket.
    #[inline]
    fn group_in_bucket(self, group: u32) -> u16 {
        (group & ((1 << self.groups_per_bucket_log2) - 1)) as u16
    }
}

/// A batch of scenes with the group of each, or [`NO_GROUP`].
#[derive(Debug)]
pub(super) struct GroupedRows {
    pub(super) rows: Rows,
    pub(super) groups: Vec<u32>,
}

/// Takes scenes in, in the order of the export.
#[derive(Debug)]
pub(super) struct BucketBuilder {
    layout: BucketLayout,
    groups: usize,
    /// Cells of a record: the columns beside the key.
    width: usize,
    /// The records of each bucket, in the order of the export. The group of a record is its place in the bucket, its number
    /// that of the scene in `origins`.
    arenas: Vec<RecordArena>,
    origins: SceneOrigins,
}

impl BucketBuilder {
    /// Makes buckets for the scenes of so many groups, with so many columns beside the key.
    pub(super) fn new(groups: usize, width: usize) -> BucketBuilder {
        let layout = BucketLayout::new(groups);
        let arenas = vec![RecordArena::default(); groups.div_ceil(layout.groups_per_bucket())];
        BucketBuilder { layout, groups, width, arenas, origins: SceneOrigins::default() }
    }

    /// Cells of a record: the columns beside the key.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Whether so many more scenes can be held, whatever their groups. `text`: the bytes of their cells.
    pub(super) fn has_room_for(&self, scenes: usize, text: usize) -> bool {
        let bytes = most_bytes(scenes, self.width, text);
        self.origins.has_room_for(scenes) && self.arenas.iter().all(|arena| arena.has_room_for(bytes))
    }

    /// Takes batches that follow each other in the export, on all cores.
    ///
    /// # Errors
    /// [`ShuffleError::TooManyScenes`], where [`has_room_for`](Self::has_room_for) says so.
    pub(super) fn add_rows(&mut self, batches: Vec<GroupedRows>) -> Result<(), ShuffleError> {
        struct NumberedBatch<'r> {
            first: u32,
            columns: Vec<TextColumn<'r>>,
            groups: &'r [u32],
        }
        let scenes = batches.iter().map(|batch| batch.groups.len()).sum();
        self.refuse_without_room(scenes, batches.iter().map(|batch| batch.rows.batch.get_array_memory_size()).sum())?;
        let mut next = self.origins.scenes();
        let numbered = batches.iter().map(|GroupedRows { rows, groups }| {
            let first = next;
            next += groups.len() as u32;
            NumberedBatch { first, columns: text_columns(rows).split_off(KEY + 1), groups }
        });
        let numbered: Vec<NumberedBatch<'_>> = numbered.collect();
        let layout = self.layout;
        let push = |arena: &mut RecordArena, batch: &NumberedBatch<'_>, row: usize| {
            let text = arena.text_for(most_bytes_of(&batch.columns, row));
            push_head(text, layout.group_in_bucket(batch.groups[row]), batch.first + row as u32);
            push_row(text, &batch.columns, row);
            Ok(())
        };
        scatter(&mut self.arenas, &numbered, |batch| batch.groups, |group| layout.bucket(group), push)?;
        drop(numbered);
        for GroupedRows { rows, groups } in batches {
            self.origins.add(groups.len(), rows.file, rows.lines, rows.faults);
        }
        Ok(())
    }

    /// Takes over records of one file whose first cell is the key, in the order of the export, with the group of each. A
    /// fault's `row` is the place of its scene among these records.
    ///
    /// # Errors
    /// [`ShuffleError::TooManyScenes`], where [`has_room_for`](Self::has_room_for) says so.
    pub(super) fn add_records(
        &mut self,
        records: &[SceneRecord<'_>],
        groups: &[u32],
        file: Arc<str>,
        lines: Lines,
        faults: Vec<Fault>,
    ) -> Result<(), ShuffleError> {
        self.refuse_without_room(records.len(), records.iter().map(|record| record.cells().len()).sum())?;
        let first = self.origins.add(records.len(), file, lines, faults);
        for ((number, record), &group) in (first..).zip(records).zip(groups) {
            if let Some(arena) = self.arenas.get_mut(self.layout.bucket(group)) {
                let (_, cells) = record.split_key();
                let text = arena.text_for(HEAD + cells.len());
                push_head(text, self.layout.group_in_bucket(group), number);
                text.push_str(cells);
            }
        }
        Ok(())
    }

    fn refuse_without_room(&self, scenes: usize, text: usize) -> Result<(), ShuffleError> {
        if self.has_room_for(scenes, text) { Ok(()) } else { Err(ShuffleError::TooManyScenes) }
    }

    /// Gives up all scenes, bucket by bucket. The scenes of a group come in the order of the export. `take` gets the group,
    /// the record and the origins of all scenes, which know the record's number.
    ///
    /// # Errors
    /// The first of `take`.
    pub(super) fn give_up<E>(
        self,
        mut take: impl FnMut(u32, SceneRecord<'_>, &SceneOrigins) -> Result<(), E>,
    ) -> Result<(), E> {
        for (bucket, arena) in self.arenas.into_iter().enumerate() {
            for (_, record) in arena.records(self.width) {
                take((bucket * self.layout.groups_per_bucket() + record.group()) as u32, record, &self.origins)?;
            }
        }
        Ok(())
    }

    /// All scenes, to be asked for by their groups.
    pub(super) fn finish(self) -> Buckets {
        let groups_per_bucket = self.layout.groups_per_bucket();
        let buckets = self.arenas.into_iter().enumerate().map(|(bucket, arena)| {
            let groups = (self.groups - bucket * groups_per_bucket).min(groups_per_bucket);
            SceneBucket { arena, groups, order: OnceLock::new() }
        });
        Buckets { layout: self.layout, width: self.width, buckets: buckets.collect(), origins: self.origins }
    }
}

/// All scenes, by group.
#[derive(Debug)]
pub(super) struct Buckets {
    layout: BucketLayout,
    width: usize,
    buckets: Vec<SceneBucket>,
    origins: SceneOrigins,
}

/// The scenes of some groups that follow each other.
#[derive(Debug)]
struct SceneBucket {
    arena: RecordArena,
    groups: usize,
    /// Made as the first of its scenes are asked for: then its records are in the processor's cache for the next ones.
    order: OnceLock<BucketOrder>,
}

/// The order in which the scenes of a group are next to each other, and in the order of the export.
#[derive(Debug)]
struct BucketOrder {
    /// The place of each record in the arena.
    records: Vec<u32>,
    /// For each group where its records begin in `records`; at the end where those of the last group end.
    starts: Vec<u32>,
}

impl BucketOrder {
    /// A counting sort.
    fn new(arena: &RecordArena, groups: usize, width: usize) -> BucketOrder {
        let mut starts = vec![0; groups + 1];
        let mut all = Vec::new();
        for (place, record) in arena.records(width) {
            starts[record.group() + 1] += 1;
            all.push((place, record.group() as u16));
        }
        for group in 0..groups {
            starts[group + 1] += starts[group];
        }
        let mut records = vec![0; all.len()];
        let mut next = starts.clone();
        for (place, group) in all {
            let next = &mut next[usize::from(group)];
            records[*next as usize] = place;
            *next += 1;
        }
        BucketOrder { records, starts }
    }
}

impl Buckets {
    /// How many groups that follow each other share a bucket.
    pub(super) fn groups_per_bucket(&self) -> usize {
        self.layout.groups_per_bucket()
    }

    /// The scenes of a group, in the order of the export.
    #[inline]
    pub(super) fn scenes(&self, group: u32) -> Scenes<'_> {
        let Some(bucket) = self.buckets.get(self.layout.bucket(group)) else { return Scenes::default() };
        let order = bucket.order.get_or_init(|| BucketOrder::new(&bucket.arena, bucket.groups, self.width));
        let group = usize::from(self.layout.group_in_bucket(group));
        Scenes {
            bucket: Some(BucketView { arena: &bucket.arena, width: self.width, origins: &self.origins }),
            records: &order.records[order.starts[group] as usize..order.starts[group + 1] as usize],
        }
    }
}
