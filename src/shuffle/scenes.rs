//! The scenes of a visit, as views of their records.

use super::arena::RecordArena;
use super::key_column::KEY;
use super::origins::SceneOrigins;
use super::record::SceneRecord;
use crate::scan::{Fault, Location};
use std::ops::Range;

/// The scenes of a visit, in the order of the export.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scenes<'a> {
    /// `None` where there are no scenes.
    pub(super) bucket: Option<BucketView<'a>>,
    /// The place of each scene's record in the arena of the bucket.
    pub(super) records: &'a [u32],
}

/// Where the records of scenes are, and what it takes to read them.
#[derive(Clone, Copy, Debug)]
pub(super) struct BucketView<'a> {
    pub(super) arena: &'a RecordArena,
    /// Cells of a record: the columns beside the key.
    pub(super) width: usize,
    pub(super) origins: &'a SceneOrigins,
}

impl<'a> Scenes<'a> {
    /// How many scenes there are.
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// The scene at this place among them, from 0.
    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<Scene<'a>> {
        let bucket = self.bucket?;
        self.records.get(at).map(|&place| Scene { bucket, record: bucket.arena.at(place) })
    }

    /// The scenes at these places among them. Places past the end are left out.
    pub(crate) fn slice(&self, range: Range<usize>) -> Scenes<'a> {
        let end = range.end.min(self.len());
        Scenes { bucket: self.bucket, records: &self.records[range.start.min(end)..end] }
    }

    /// All scenes, one after the other.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Scene<'a>> + use<'a> {
        let scenes = *self;
        (0..self.len()).filter_map(move |at| scenes.get(at))
    }
}

/// One scene: a view of its cells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene<'a> {
    bucket: BucketView<'a>,
    record: SceneRecord<'a>,
}

impl<'a> Scene<'a> {
    /// The cell in a column of the export's batches; empty for a null, and always empty for [`KEY`].
    pub(crate) fn text(&self, column: usize) -> &'a str {
        let [text] = self.texts([column]);
        text
    }

    /// The cells in some columns, as [`text`](Self::text) gives them. The record is gone through once.
    #[inline]
    pub(crate) fn texts<const N: usize>(&self, columns: [usize; N]) -> [&'a str; N] {
        // The key is not among the cells of a record: its place wraps around to one that no cell has.
        self.record.pick(self.bucket.width, columns.map(|column| column.wrapping_sub(KEY + 1)))
    }

    /// What is wrong with its row.
    #[inline]
    pub(crate) fn faults(&self) -> &'a [Fault] {
        self.bucket.origins.faults(self.record.number())
    }

    /// Where its row stands.
    pub(crate) fn location(&self) -> Location {
        self.bucket.origins.location(self.record.number())
    }
}
