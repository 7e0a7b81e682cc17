//! Scenes of no visit with all of their cells, for a caller that wants to see them. Otherwise they are only counted.

use super::arena::RecordArena;
use super::key_column::KEY;
use super::record::SceneRecord;
use crate::scan::Location;
use std::sync::Arc;

/// Orphans in the order of the export. In temporary files they are among the scenes.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    /// Records with the key as the first cell. The number of one is its place in `places`.
    arena: RecordArena,
    /// For each orphan its file, as a place in `files`, and the row there.
    places: Vec<(u32, u64)>,
    files: Vec<Arc<str>>,
    /// Cells of a record.
    width: usize,
}

impl Orphans {
    /// Adds an orphan. `push` continues its record with its `width` cells, which take at most so many bytes.
    pub(super) fn add(&mut self, location: Location, width: usize, bytes: usize, push: impl FnOnce(&mut String)) {
        if self.files.last() != Some(&location.file) {
            self.files.push(location.file);
        }
        self.width = width;
        let text = self.arena.text_for(bytes);
        super::record::push_head(text, 0, self.places.len() as u32);
        push(text);
        self.places.push((self.files.len() as u32 - 1, location.row));
    }

    /// All of them, each with its file and the row there.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SceneRecord<'_>, &Arc<str>, u64)> {
        self.arena.records(self.width).map(|(_, record)| {
            let (file, row) = self.places[record.number() as usize];
            (record, &self.files[file as usize], row)
        })
    }

    pub(super) fn views(&self) -> impl Iterator<Item = Orphan<'_>> {
        self.iter().map(|(record, file, row)| Orphan { record, width: self.width, file, row })
    }
}

/// A scene of no visit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orphan<'a> {
    record: SceneRecord<'a>,
    width: usize,
    file: &'a Arc<str>,
    row: u64,
}

impl<'a> Orphan<'a> {
    /// The key that it has in place of a visit's.
    pub(crate) fn key(&self) -> &'a str {
        let [key] = self.record.pick(self.width, [KEY]);
        key
    }

    /// The cell in a column of the export's batches; always empty for [`KEY`], as for other scenes.
    pub(crate) fn text(&self, column: usize) -> &'a str {
        let [text] = self.record.pick(self.width, [if column == KEY { usize::MAX } else { column }]);
        text
    }

    /// Where its row stands.
    pub(crate) fn location(&self) -> Location {
        Location { file: self.file.clone(), row: self.row }
    }
}
