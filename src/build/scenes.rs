//! The scenes of a visit: their checks and their part of the body.

use super::body;
use super::checks;
use super::ids::SessionId;
use super::problem::{Code, FieldError, Problem, Problems, shown};
use super::reading::scene_text;
use super::rules::Rules;
use super::scene_ids::{IdentifiedScene, IdentifiedScenes, Occurrence, SCENES_PER_CHUNK};
use super::spelling;
use crate::shuffle::Scenes;
use hashbrown::HashMap;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Bytes that a scene of a body takes beside its task code: about as many as its id and the names of its fields.
const SCENE_BYTES: usize = 72;

/// How many scenes a visit has.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SceneCounts {
    /// Scenes, identical rows counted once.
    pub(super) distinct: u32,
    /// Rows that repeat an earlier one.
    pub(super) identical: u32,
    /// Scenes with a task code.
    pub(super) with_task: u32,
}

/// Checks the scenes and appends them to `json`, with commas between them. Where there is any problem, in `problems` before
/// or found here, what was appended is of no use.
pub(super) fn build(
    rules: &Rules,
    scenes: Scenes<'_>,
    session: &SessionId,
    json: &mut Vec<u8>,
    problems: &mut Problems,
) -> SceneCounts {
    let mut counts = SceneCounts::default();
    let start = json.len();
    for (at, identified) in (&mut IdentifiedScenes::new(rules, scenes, session)).enumerate() {
        if at % SCENES_PER_CHUNK == 0 {
            json.reserve((scenes.len() - at).min(SCENES_PER_CHUNK) * SCENE_BYTES);
        }
        let IdentifiedScene { scene, key, task, uid, occurrence } = identified;
        if matches!(occurrence, Occurrence::Identical) {
            counts.identical += 1;
            continue;
        }
        counts.distinct += 1;
        if !problems.is_empty() {
            // An invalid visit may have millions of scenes, and this body will not be used.
            json.truncate(start);
        }
        let mut report = |field, (code, message): FieldError| {
            problems.add(Problem { code, field, message, location: scene.location() });
        };
        if let Occurrence::Differs(first) = occurrence {
            let message = format!("{} is also in {}, with other values", shown(key), first.location());
            report("scene_id", (Code::DuplicateScene, message));
        }
        match scene_text(scene.faults(), &rules.scene_id, key) {
            Ok("") => report("scene_id", (Code::MissingField, "the scene has no id".to_owned())),
            Ok(key) => {
                if let Err(error) = check_key(rules, key) {
                    report("scene_id", error);
                }
            }
            Err(error) => report("scene_id", error),
        }
        let task = rules.task_code.as_ref().map_or(Ok(""), |field| scene_text(scene.faults(), field, task));
        match task.and_then(|task| check_task_code(rules, task).map(|()| task)) {
            Err(error) => report("task_code", error),
            Ok(task) => {
                if counts.distinct > 1 {
                    json.push(b',');
                }
                counts.with_task += u32::from(!task.is_empty());
                body::scene(json, uid, task);
            }
        }
    }
    counts
}

/// How a key of a visit or a scene is spelled.
#[inline]
pub(super) fn check_key(rules: &Rules, key: &str) -> Result<(), FieldError> {
    if spelling::is_plain(key) {
        return Ok(());
    }
    spelling::unless_accepted(rules, spelling::visible(key))?;
    spelling::keeps_its_digits(key)
}

fn check_task_code(rules: &Rules, task: &str) -> Result<(), FieldError> {
    match task {
        "" if rules.task_code_required => Err((Code::MissingTaskCode, "the scene has no task code".to_owned())),
        "" => Ok(()),
        task => {
            if !spelling::is_plain(task) {
                spelling::unless_accepted(rules, spelling::stands_for_something(task))?;
                check_key(rules, task)?;
            }
            checks::in_list(&rules.task_codes, task, Code::UnknownTaskCode, "task codes")
        }
    }
}

/// How many scenes keys have that several differing rows share, by the id of the session.
#[derive(Debug, Default)]
pub(super) struct SharedScenes(Mutex<HashMap<Uuid, SceneCounts>>);

impl SharedScenes {
    /// Counts the scenes of a session once, however many rows ask.
    pub(super) fn count(&self, rules: &Rules, scenes: Scenes<'_>, session: &SessionId) -> SceneCounts {
        // The lock is held meanwhile: another thread that asks most likely asks for the same session.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(session.uid).or_insert_with(|| count(rules, scenes, session))
    }
}

fn count(rules: &Rules, scenes: Scenes<'_>, session: &SessionId) -> SceneCounts {
    let mut counts = SceneCounts::default();
    for scene in IdentifiedScenes::new(rules, scenes, session) {
        match scene.occurrence {
            Occurrence::Identical => counts.identical += 1,
            Occurrence::New | Occurrence::Differs(_) => counts.distinct += 1,
        }
    }
    counts
}
