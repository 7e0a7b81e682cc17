//! The scenes of a visit: their checks and their part of the body.

use super::field::{Columns, refusal};
use super::ids::SessionId;
use super::problem::{Code, Problem, shown};
use super::time::Refusal;
use super::{Chunk, Rules, body};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Up to this many scenes are compared with each other one by one.
const FEW: usize = 24;

#[derive(Clone, Copy)]
struct Scene<'a> {
    row: usize,
    /// As the export has it.
    id: &'a str,
    task: &'a str,
}

/// What came of a visit's scenes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Scenes {
    pub(super) count: u32,
    pub(super) identical: u32,
}

/// The scene's key, by the job's settings for it.
pub(super) fn scene_id<'a>(rules: &'a Rules, columns: &Columns<'a>, row: usize) -> Result<&'a str, Refusal> {
    text(columns, &rules.scene_id, row)
}

fn text<'a>(columns: &Columns<'a>, field: &'a super::Field, row: usize) -> Result<&'a str, Refusal> {
    let faults = columns.rows.faults_of(row);
    if let Some(fault) =
        faults.iter().find(|fault| fault.column.map(usize::from) == field.pick() && fault.column.is_some())
    {
        return Err(refusal(fault));
    }
    let value = match columns.value(field, row) {
        super::field::Cell::Text(text) => text,
        _ => "",
    };
    field.mapped(value)
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
    let mut seen = Seen::default();
    body::key(json, "scenes");
    json.push(b'[');
    for row in chunk.scenes_of(at) {
        let raw = |field: &'a super::Field| field.pick().map_or("", |pick| columns.text(pick, row));
        let scene = Scene { row, id: raw(&rules.scene_id), task: rules.task_code.as_ref().map_or("", raw) };
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
            let message = format!("{} is also in {place}, with other values", shown(scene.id));
            report("scene_id", (Code::DuplicateScene, message));
        }
        let id = text(columns, &rules.scene_id, row);
        let task = rules.task_code.as_ref().map_or(Ok(""), |field| text(columns, field, row));
        match id {
            Ok("") => report("scene_id", (Code::MissingField, "the scene has no id".to_owned())),
            Ok(id) => {
                if done.count > 1 {
                    json.push(b',');
                }
                json.push(b'{');
                body::key(json, "scene_uid");
                body::uuid(json, session.scene(id));
            }
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

/// The scenes of a visit so far, to tell duplicates.
#[derive(Default)]
struct Seen<'a> {
    scenes: Vec<Scene<'a>>,
    /// The first scenes of each id, once there are many.
    by_id: HashMap<&'a str, Vec<usize>>,
}

enum Known<'a> {
    New,
    Identical,
    Differs(Scene<'a>),
}

impl<'a> Seen<'a> {
    fn add(&mut self, columns: &Columns<'_>, scene: Scene<'a>) -> Known<'a> {
        let at = self.scenes.len();
        let same: &[usize] = if at < FEW {
            let found: Vec<usize> = (0..at).filter(|&other| self.scenes[other].id == scene.id).collect();
            if found.is_empty() {
                self.scenes.push(scene);
                return Known::New;
            }
            &found.clone()
        } else {
            if self.by_id.is_empty() {
                for (other, scene) in self.scenes.iter().enumerate() {
                    self.by_id.entry(scene.id).or_default().push(other);
                }
            }
            match self.by_id.entry(scene.id) {
                Entry::Occupied(entry) => &entry.into_mut().clone(),
                Entry::Vacant(entry) => {
                    entry.insert(vec![at]);
                    self.scenes.push(scene);
                    return Known::New;
                }
            }
        };
        let faults = |scene: &Scene<'_>| -> Vec<_> {
            let faults = columns.rows.faults_of(scene.row);
            faults.iter().map(|fault| (fault.column, fault.what.clone())).collect()
        };
        let first = self.scenes[same[0]];
        if same
            .iter()
            .any(|&other| self.scenes[other].task == scene.task && faults(&self.scenes[other]) == faults(&scene))
        {
            return Known::Identical;
        }
        if let Some(known) = self.by_id.get_mut(scene.id) {
            known.push(at);
        }
        self.scenes.push(scene);
        // Scenes without a key do not clash: each of them is a problem of its own.
        if scene.id.is_empty() { Known::New } else { Known::Differs(first) }
    }
}
