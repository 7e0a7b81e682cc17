//! The scenes of a visit: their checks and their part of the body.

use super::field::{Field, Origin};
use super::ids::SessionId;
use super::problem::{Code, Problem, shown};
use super::reading::scene_text;
use super::{Rules, body};
use crate::shuffle::{Scene, Scenes};
use hashbrown::HashMap;
use uuid::Uuid;

/// Up to this many scenes are compared with each other one by one.
const FEW: usize = 24;

/// What a scene of a body has beside its cells: its id, the names of its keys.
const AROUND: usize = 72;

/// What came of a visit's scenes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) count: u32,
    pub(super) identical: u32,
}

/// Checks the scenes and appends their array to `json`.
pub(super) fn build(
    rules: &Rules,
    scenes: Scenes<'_>,
    session: &SessionId,
    json: &mut Vec<u8>,
    problems: &mut Vec<Problem>,
) -> Done {
    let mut done = Done::default();
    json.reserve(scenes.bytes() + scenes.len() * AROUND);
    let mut seen = Seen::new(rules, scenes);
    body::key!(json, "scenes");
    json.push(b'[');
    for scene in scenes.iter() {
        let key = raw(scene, &rules.scene_id);
        // Nil for a scene without a readable key.
        let uid = if key.is_empty() { Uuid::nil() } else { session.scene(key) };
        let clash = match seen.add(scene, uid) {
            Known::Identical => {
                done.identical += 1;
                continue;
            }
            Known::Differs(first) => Some(first),
            Known::New => None,
        };
        done.count += 1;
        let mut report = |field, (code, message)| {
            problems.push(Problem { code, field, message, place: scene.place() });
        };
        if let Some(first) = clash {
            let message = format!("{} is also in {}, with other values", shown(key), first.place());
            report("scene_id", (Code::DuplicateScene, message));
        }
        match scene_text(scene, &rules.scene_id) {
            Ok("") => report("scene_id", (Code::MissingField, "the scene has no id".to_owned())),
            Ok(_) => {
                if done.count > 1 {
                    json.push(b',');
                }
                body::scene(json, uid);
            }
            Err(refusal) => report("scene_id", refusal),
        }
        match rules.task_code.as_ref().map_or(Ok(""), |field| scene_text(scene, field)) {
            Ok("") if rules.task_code_required => {
                report("task_code", (Code::MissingTaskCode, "the scene has no task code".to_owned()));
            }
            Ok("") => {}
            Ok(task) => {
                if rules.task_codes.as_ref().is_some_and(|known| !known.contains(task)) {
                    let message = format!("{} is not in the list of task codes", shown(task));
                    report("task_code", (Code::UnknownTaskCode, message));
                }
                body::key!(json, "task_code");
                body::string(json, task);
            }
            Err(refusal) => report("task_code", refusal),
        }
        json.push(b'}');
    }
    json.push(b']');
    done
}

/// A field's cell as the export has it.
#[inline]
fn raw<'a>(scene: Scene<'a>, field: &Field) -> &'a str {
    match field.origin {
        Origin::Column(pick) => scene.text(pick),
        Origin::Constant(_) => "",
    }
}

/// The scenes of a visit so far, to tell duplicates. One id is one key: comparing ids is comparing keys, and faster.
struct Seen<'a> {
    rules: &'a Rules,
    scenes: Scenes<'a>,
    /// The ids of the first ones, on the stack: there are rarely more.
    few: [Uuid; FEW],
    count: usize,
    /// All scenes by their ids, once there are more.
    many: HashMap<Uuid, Vec<usize>>,
}

enum Known<'a> {
    New,
    Identical,
    Differs(Scene<'a>),
}

impl<'a> Seen<'a> {
    fn new(rules: &'a Rules, scenes: Scenes<'a>) -> Seen<'a> {
        Seen { rules, scenes, few: [Uuid::nil(); FEW], count: 0, many: HashMap::new() }
    }

    /// Takes the next scene.
    fn add(&mut self, scene: Scene<'a>, uid: Uuid) -> Known<'a> {
        let at = self.count;
        self.count += 1;
        if at < FEW {
            self.few[at] = uid;
            let few = &self.few[..at];
            if !few.contains(&uid) {
                return Known::New;
            }
            let same = (0..at).filter(|&other| few[other] == uid);
            return self.compared(scene, uid, same.filter_map(|other| self.scenes.get(other)));
        }
        if self.many.is_empty() {
            for (at, uid) in self.few.into_iter().enumerate() {
                self.many.entry(uid).or_default().push(at);
            }
        }
        let same = self.many.get(&uid).map(Vec::as_slice).unwrap_or_default();
        let known = self.compared(scene, uid, same.iter().filter_map(|&other| self.scenes.get(other)));
        self.many.entry(uid).or_default().push(at);
        known
    }

    /// Holds a scene against those of the same id.
    fn compared(&self, scene: Scene<'a>, uid: Uuid, mut same: impl Iterator<Item = Scene<'a>>) -> Known<'a> {
        let faults = |scene: Scene<'_>| -> Vec<_> {
            scene.faults().iter().map(|fault| (fault.column, fault.what.clone())).collect()
        };
        let task = |scene| self.rules.task_code.as_ref().map_or("", |field| raw(scene, field));
        let says_the_same = |other| task(other) == task(scene) && faults(other) == faults(scene);
        let Some(first) = same.next() else { return Known::New };
        if says_the_same(first) || same.any(says_the_same) {
            return Known::Identical;
        }
        // Scenes without a key do not clash: each of them is a problem of its own.
        if uid.is_nil() { Known::New } else { Known::Differs(first) }
    }
}
