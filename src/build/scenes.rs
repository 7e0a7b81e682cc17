//! The scenes of a visit: their checks and their part of the body.

use super::field::Columns;
use super::ids::SessionId;
use super::problem::{Code, Problem, shown};
use super::reading::text;
use super::{Chunk, body};
use hashbrown::HashMap;
use uuid::Uuid;

/// Up to this many scenes are compared with each other one by one.
const FEW: usize = 24;

#[derive(Clone, Copy)]
struct Scene<'a> {
    row: usize,
    /// Nil for a scene without a readable key.
    uid: Uuid,
    /// As the export has it.
    task: &'a str,
}

/// What came of a visit's scenes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scenes {
    pub(super) count: u32,
    pub(super) identical: u32,
}

/// Checks the scenes and appends their array to `json`.
pub(super) fn build<'a>(
    chunk: &'a Chunk<'_>,
    at: usize,
    session: &SessionId,
    json: &mut Vec<u8>,
    problems: &mut Vec<Problem>,
) -> Scenes {
    let rules = chunk.builder.rules;
    let columns = &chunk.scenes;
    let mut done = Scenes::default();
    let rows = chunk.scenes_of(at);
    let mut seen = Seen::new(rows.len());
    body::key(json, "scenes");
    json.push(b'[');
    for row in rows {
        let raw = |field: &'a super::Field| field.pick().map_or("", |pick| columns.text(pick, row));
        let uid = match raw(&rules.scene_id) {
            "" => Uuid::nil(),
            id => session.scene(id),
        };
        let scene = Scene { row, uid, task: rules.task_code.as_ref().map_or("", raw) };
        let clash = match seen.add(columns, scene) {
            Known::Identical => {
                done.identical += 1;
                continue;
            }
            Known::Differs(first) => Some(first),
            Known::New => None,
        };
        done.count += 1;
        let mut report = |field, (code, message)| {
            problems.push(Problem { code, field, message, place: chunk.gathered.place(row) });
        };
        if let Some(first) = clash {
            let place = chunk.gathered.place(first.row);
            let message = format!("{} is also in {place}, with other values", shown(raw(&rules.scene_id)));
            report("scene_id", (Code::DuplicateScene, message));
        }
        let id = text(columns, &rules.scene_id, row);
        let task = rules.task_code.as_ref().map_or(Ok(""), |field| text(columns, field, row));
        match id {
            Ok("") => report("scene_id", (Code::MissingField, "the scene has no id".to_owned())),
            Ok(_) => body::scene(json, uid),
            Err(refusal) => report("scene_id", refusal),
        }
        match task {
            Ok("") if rules.task_code_required => {
                report("task_code", (Code::MissingTaskCode, "the scene has no task code".to_owned()));
            }
            Ok("") => {}
            Ok(task) => {
                if rules.task_codes.as_ref().is_some_and(|known| !known.contains(task)) {
                    let message = format!("{} is not in the list of task codes", shown(task));
                    report("task_code", (Code::UnknownTaskCode, message));
                }
                body::key(json, "task_code");
                body::string(json, task);
            }
            Err(refusal) => report("task_code", refusal),
        }
        json.push(b'}');
    }
    json.push(b']');
    done
}

/// The scenes of a visit so far, to tell duplicates. One id is one key: comparing ids is comparing keys, and faster.
struct Seen<'a> {
    uids: Vec<Uuid>,
    scenes: Vec<Scene<'a>>,
    /// Which scenes have an id, once there are many.
    by_uid: HashMap<Uuid, Vec<usize>>,
}

enum Known<'a> {
    New,
    Identical,
    Differs(Scene<'a>),
}

impl<'a> Seen<'a> {
    fn new(scenes: usize) -> Seen<'a> {
        Seen { uids: Vec::with_capacity(scenes), scenes: Vec::with_capacity(scenes), by_uid: HashMap::new() }
    }

    fn add(&mut self, columns: &Columns<'_>, scene: Scene<'a>) -> Known<'a> {
        let same = self.same(scene.uid);
        let at = self.scenes.len();
        self.uids.push(scene.uid);
        self.scenes.push(scene);
        if at >= FEW {
            self.by_uid.entry(scene.uid).or_default().push(at);
        }
        let Some(&first) = same.first() else { return Known::New };
        let faults = |scene: Scene<'_>| -> Vec<_> {
            let faults = columns.rows.faults_of(scene.row);
            faults.iter().map(|fault| (fault.column, fault.what.clone())).collect()
        };
        let says_the_same = |&other: &usize| {
            let other = self.scenes[other];
            other.task == scene.task && faults(other) == faults(scene)
        };
        if same.iter().any(says_the_same) {
            return Known::Identical;
        }
        // Scenes without a key do not clash: each of them is a problem of its own.
        if scene.uid.is_nil() { Known::New } else { Known::Differs(self.scenes[first]) }
    }

    /// The scenes so far that have this id.
    fn same(&mut self, uid: Uuid) -> Vec<usize> {
        let many = self.scenes.len() >= FEW;
        if !many {
            // No allocation where nothing is found.
            return self.uids.iter().enumerate().filter(|(_, known)| **known == uid).map(|(at, _)| at).collect();
        }
        if self.by_uid.is_empty() {
            for (at, known) in self.uids.iter().enumerate() {
                self.by_uid.entry(*known).or_default().push(at);
            }
        }
        self.by_uid.get(&uid).cloned().unwrap_or_default()
    }
}
