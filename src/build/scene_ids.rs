//! The scenes of a visit with their ids, and which of them repeat an earlier one.
//!
//! It does not know what is wrong with a scene, but for one that contradicts an earlier one.

use super::ids::SessionId;
use super::reading::scene_column;
use super::rules::Rules;
use crate::shuffle::{KEY, Scene, Scenes};
use hashbrown::HashMap;
use uuid::Uuid;

/// Scenes whose ids are made together, and which are compared one by one. Most visits have fewer.
pub(super) const SCENES_PER_CHUNK: usize = 24;

/// One scene of a visit.
pub(super) struct IdentifiedScene<'a> {
    pub(super) scene: Scene<'a>,
    /// Its key, as the export has it.
    pub(super) key: &'a str,
    /// Its task code, as the export has it.
    pub(super) task: &'a str,
    /// Nil where it has no readable key.
    pub(super) uid: Uuid,
    pub(super) occurrence: Occurrence<'a>,
}

/// How a scene relates to those before it.
pub(super) enum Occurrence<'a> {
    /// No scene before has its key.
    New,
    /// A scene before says exactly this.
    Identical,
    /// This scene, the first with the same key, says something else.
    Differs(Scene<'a>),
}

/// Goes through the scenes of a visit in the order of the export.
///
/// One id stands for one key, so comparing ids is comparing keys, and faster.
pub(super) struct IdentifiedScenes<'a> {
    rules: &'a Rules,
    scenes: Scenes<'a>,
    session: &'a SessionId,
    next: usize,
    /// The cells of the current chunk, as the export has them: each scene is taken apart once.
    keys: [&'a str; SCENES_PER_CHUNK],
    tasks: [&'a str; SCENES_PER_CHUNK],
    /// The ids of the current chunk; nil for a scene without a readable key.
    ids: [Uuid; SCENES_PER_CHUNK],
    /// All scenes so far, from the second chunk on.
    index: Option<SceneIndex<'a>>,
}

/// Finds scenes among many: a key such as "N/A" may have thousands.
#[derive(Default)]
struct SceneIndex<'a> {
    /// The first scene of each id.
    first: HashMap<Uuid, usize>,
    /// The scenes that differ from each other, by id and task code.
    differing: HashMap<(Uuid, &'a str), Vec<usize>>,
}

impl<'a> IdentifiedScenes<'a> {
    pub(super) fn new(rules: &'a Rules, scenes: Scenes<'a>, session: &'a SessionId) -> IdentifiedScenes<'a> {
        let (keys, tasks, ids) = ([""; SCENES_PER_CHUNK], [""; SCENES_PER_CHUNK], [Uuid::nil(); SCENES_PER_CHUNK]);
        IdentifiedScenes { rules, scenes, session, next: 0, keys, tasks, ids, index: None }
    }

    /// Reads the chunk that begins at a scene, and makes its ids.
    fn begin_chunk(&mut self, at: usize) {
        if at == SCENES_PER_CHUNK {
            self.index = Some(SceneIndex::default());
            (0..SCENES_PER_CHUNK).for_each(|at| self.remember(at));
        }
        let chunk = self.scenes.slice(at..at + SCENES_PER_CHUNK);
        let columns = [scene_column(&self.rules.scene_id), self.task_column()];
        for ((key, task), scene) in self.keys.iter_mut().zip(&mut self.tasks).zip(chunk.iter()) {
            [*key, *task] = scene.texts(columns);
        }
        let keys = &self.keys[..chunk.len()];
        self.session.scenes(keys, &mut self.ids);
        for (uid, _) in self.ids.iter_mut().zip(keys).filter(|(_, key)| key.is_empty()) {
            *uid = Uuid::nil();
        }
    }

    /// What a scene is whose id may have occurred before.
    #[inline(never)]
    fn compare(&mut self, at: usize, scene: Scene<'a>, uid: Uuid) -> Occurrence<'a> {
        let in_chunk = at % SCENES_PER_CHUNK;
        let Some(index) = &self.index else {
            let same_id = (0..in_chunk).filter(|&other| self.ids[other] == uid);
            let mut same_id = same_id.filter_map(|other| self.scenes.get(other));
            let first = same_id.clone().next();
            return occurrence(uid, first, same_id.any(|other| self.is_identical(scene, other)));
        };
        let first = index.first.get(&uid).and_then(|&first| self.scenes.get(first));
        let alike = index.differing.get(&(uid, self.tasks[in_chunk])).map(Vec::as_slice).unwrap_or_default();
        let mut alike = alike.iter().filter_map(|&other| self.scenes.get(other));
        let occurrence = occurrence(uid, first, alike.any(|other| self.is_identical(scene, other)));
        if !matches!(occurrence, Occurrence::Identical) {
            self.remember(at);
        }
        occurrence
    }

    /// Whether two scenes of one id say the same, down to what is wrong with them.
    fn is_identical(&self, scene: Scene<'a>, other: Scene<'a>) -> bool {
        let faults = |scene: Scene<'a>| scene.faults().iter().map(|fault| (fault.column, &fault.what));
        let task = self.task_column();
        other.text(task) == scene.text(task) && faults(other).eq(faults(scene))
    }

    /// Adds a scene of the current chunk to the index.
    fn remember(&mut self, at: usize) {
        let in_chunk = at % SCENES_PER_CHUNK;
        let (uid, task) = (self.ids[in_chunk], self.tasks[in_chunk]);
        if let Some(index) = &mut self.index {
            index.first.entry(uid).or_insert(at);
            index.differing.entry((uid, task)).or_default().push(at);
        }
    }

    fn task_column(&self) -> usize {
        self.rules.task_code.as_ref().map_or(KEY, scene_column)
    }
}

impl<'a> Iterator for IdentifiedScenes<'a> {
    type Item = IdentifiedScene<'a>;

    #[inline]
    fn next(&mut self) -> Option<IdentifiedScene<'a>> {
        let at = self.next;
        let scene = self.scenes.get(at)?;
        self.next += 1;
        let in_chunk = at % SCENES_PER_CHUNK;
        if in_chunk == 0 {
            self.begin_chunk(at);
        }
        let uid = self.ids[in_chunk];
        let occurrence = match self.index.is_none() && !self.ids[..in_chunk].contains(&uid) {
            true => Occurrence::New,
            false => self.compare(at, scene, uid),
        };
        Some(IdentifiedScene { scene, key: self.keys[in_chunk], task: self.tasks[in_chunk], uid, occurrence })
    }
}

/// `first`: the first scene before with the same id.
fn occurrence(uid: Uuid, first: Option<Scene<'_>>, is_identical: bool) -> Occurrence<'_> {
    match first {
        _ if is_identical => Occurrence::Identical,
        // Scenes without a key do not contradict each other: each has a problem of its own.
        Some(first) if !uid.is_nil() => Occurrence::Differs(first),
        _ => Occurrence::New,
    }
}
