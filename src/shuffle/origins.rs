//! Where scenes stood in their export, and what is wrong with them: kept by batch, since scenes are many.

use crate::scan::{Fault, Lines, Location};
use std::sync::Arc;

/// Locations and faults of scenes, by the scene's number: the count of scenes that were added before it.
#[derive(Debug, Default)]
pub(super) struct SceneOrigins {
    batches: Vec<OriginBatch>,
    /// In the order of scenes. A fault's `row` is its scene's number.
    faults: Vec<Fault>,
    /// How many scenes were added.
    scenes: u32,
}

#[derive(Debug)]
struct OriginBatch {
    /// The number of its first scene.
    first: u32,
    file: Arc<str>,
    lines: Lines,
}

impl SceneOrigins {
    /// Whether so many more scenes can be numbered.
    pub(super) fn has_room_for(&self, scenes: usize) -> bool {
        u32::try_from(scenes).is_ok_and(|scenes| self.scenes.checked_add(scenes).is_some())
    }

    /// How many scenes were added: the number of the next one.
    pub(super) fn scenes(&self) -> u32 {
        self.scenes
    }

    /// Adds a batch of scenes and returns the number of its first one. `file` and `lines` are those of
    /// [`Rows`](crate::scan::Rows); a fault's `row` counts within the batch.
    pub(super) fn add(&mut self, scenes: usize, file: Arc<str>, lines: Lines, faults: Vec<Fault>) -> u32 {
        let first = self.scenes;
        self.scenes += scenes as u32;
        self.batches.push(OriginBatch { first, file, lines });
        self.faults.extend(faults.into_iter().map(|fault| Fault { row: first + fault.row, ..fault }));
        first
    }

    pub(super) fn location(&self, scene: u32) -> Location {
        let batch = self.batches.partition_point(|batch| batch.first <= scene).saturating_sub(1);
        let batch = &self.batches[batch];
        batch.lines.location((scene - batch.first) as usize, &batch.file)
    }

    #[inline]
    pub(super) fn faults(&self, scene: u32) -> &[Fault] {
        if self.faults.is_empty() {
            return &[];
        }
        let start = self.faults.partition_point(|fault| fault.row < scene);
        let end = self.faults.partition_point(|fault| fault.row <= scene);
        &self.faults[start..end]
    }
}
