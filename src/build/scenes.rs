//! The scenes of a visit: their checks and their part of the body.

use super::field::Field;
use super::ids::SessionId;
use super::problem::{Code, Problem, Problems, shown};
use super::reading::scene_text;
use super::{Rules, body};
use crate::shuffle::{KEY, Scene, Scenes};
use hashbrown::HashMap;
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// Up to this many scenes get their ids together, and are compared with each other one by one.
const FEW: usize = 24;

/// What a scene of a body has beside its cells: its id, the names of its keys.
const AROUND: usize = 72;

/// What came of a visit's scenes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) count: u32,
    pub(super) identical: u32,
}

/// The scenes of keys that a great many differing rows have, by the id of the session.
#[derive(Debug, Default)]
pub(super) struct Shared(Mutex<HashMap<Uuid, (Done, bool)>>);

impl Shared {
    /// What comes of the scenes, and whether nothing is wrong with them.
    pub(super) fn look_at(&self, rules: &Rules, scenes: Scenes<'_>, session: &SessionId) -> (Done, bool) {
        // Whoever else asks meanwhile most likely asks for the same.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *known.entry(session.uid).or_insert_with(|| {
            let mut problems = Problems::default();
            let done = build(rules, scenes, session, &mut Vec::new(), &mut problems);
            (done, problems.is_empty())
        })
    }
}

/// Checks the scenes and appends their array to `json`, of which nothing is left where there is any problem.
pub(super) fn build(
    rules: &Rules,
    scenes: Scenes<'_>,
    session: &SessionId,
    json: &mut Vec<u8>,
    problems: &mut Problems,
) -> Done {
    let mut done = Done::default();
    let start = json.len();
    body::key!(json, "scenes");
    json.push(b'[');
    let mut seen = Seen::new(rules, scenes, session);
    for (at, scene) in scenes.iter().enumerate() {
        if at % FEW == 0 {
            json.reserve((scenes.len() - at).min(FEW) * AROUND);
        }
        let Next { key, task, uid, known } = seen.next(at, scene);
        let clash = match known {
            Known::Identical => {
                done.identical += 1;
                continue;
            }
            Known::Differs(first) => Some(first),
            Known::New => None,
        };
        done.count += 1;
        if !problems.is_empty() {
            // There may be millions of them, and nobody wants this body any more.
            json.truncate(start);
        }
        let mut report = |field, (code, message)| {
            problems.add(Problem { code, field, message, place: scene.place() });
        };
        if let Some(first) = clash {
            let message = format!("{} is also in {}, with other values", shown(key), first.place());
            report("scene_id", (Code::DuplicateScene, message));
        }
        match scene_text(scene.faults(), &rules.scene_id, key) {
            Ok("") => report("scene_id", (Code::MissingField, "the scene has no id".to_owned())),
            Ok(_) => {}
            Err(refusal) => report("scene_id", refusal),
        }
        let task = match rules.task_code.as_ref().map_or(Ok(""), |field| scene_text(scene.faults(), field, task)) {
            Ok("") if rules.task_code_required => {
                report("task_code", (Code::MissingTaskCode, "the scene has no task code".to_owned()));
                ""
            }
            Ok(task) => {
                if !task.is_empty() && rules.task_codes.as_ref().is_some_and(|known| !known.contains(task)) {
                    let message = format!("{} is not in the list of task codes", shown(task));
                    report("task_code", (Code::UnknownTaskCode, message));
                }
                task
            }
            Err(refusal) => {
                report("task_code", refusal);
                ""
            }
        };
        if done.count > 1 {
            json.push(b',');
        }
        body::scene(json, uid, task);
    }
    json.push(b']');
    done
}

/// The column that fills a field of scenes. A constant has none: it gets that of the visit's key, which is empty in
/// every scene.
pub(super) fn column_of(field: &Field) -> usize {
    field.pick().unwrap_or(KEY)
}

/// The scenes of a visit so far, with their ids, to tell duplicates. One id is one key: comparing ids is comparing
/// keys, and faster.
struct Seen<'a> {
    rules: &'a Rules,
    scenes: Scenes<'a>,
    session: &'a SessionId,
    /// The cells of a piece of the scenes as the export has them, each scene taken apart once. There is rarely more than
    /// one piece.
    keys: [&'a str; FEW],
    tasks: [&'a str; FEW],
    /// Their ids, made together; nil for one without a readable key.
    ids: [Uuid; FEW],
    /// From the second piece on.
    many: Option<Many<'a>>,
}

/// Many scenes: a key like "N/A" may have thousands, and only those that can be the same are compared.
#[derive(Default)]
struct Many<'a> {
    /// The first scene of each id.
    first: HashMap<Uuid, usize>,
    /// Scenes that differ from each other, by their ids and task codes.
    differing: HashMap<(Uuid, &'a str), Vec<usize>>,
}

/// A scene, as it follows those before it.
struct Next<'a> {
    /// Its cells.
    key: &'a str,
    task: &'a str,
    uid: Uuid,
    known: Known<'a>,
}

enum Known<'a> {
    New,
    Identical,
    Differs(Scene<'a>),
}

impl<'a> Seen<'a> {
    fn new(rules: &'a Rules, scenes: Scenes<'a>, session: &'a SessionId) -> Seen<'a> {
        Seen { rules, scenes, session, keys: [""; FEW], tasks: [""; FEW], ids: [Uuid::nil(); FEW], many: None }
    }

    /// Takes the next scene, which is the one at this place.
    #[inline]
    fn next(&mut self, at: usize, scene: Scene<'a>) -> Next<'a> {
        let place = at % FEW;
        if place == 0 {
            self.begin_piece(at);
        }
        let uid = self.ids[place];
        let known = match self.many.is_none() && !self.ids[..place].contains(&uid) {
            true => Known::New,
            false => self.among_others(at, scene, uid),
        };
        Next { key: self.keys[place], task: self.tasks[place], uid, known }
    }

    /// A scene whose id may be that of another.
    #[inline(never)]
    fn among_others(&mut self, at: usize, scene: Scene<'a>, uid: Uuid) -> Known<'a> {
        let place = at % FEW;
        let Some(many) = &self.many else {
            let before = &self.ids[..place];
            let mut same = (0..place).filter(|&other| before[other] == uid).filter_map(|other| self.scenes.get(other));
            let first = same.clone().next();
            return self.known(uid, first, same.any(|other| self.says_the_same(scene, other)));
        };
        let first = many.first.get(&uid).and_then(|&first| self.scenes.get(first));
        let alike = many.differing.get(&(uid, self.tasks[place])).map(Vec::as_slice).unwrap_or_default();
        let mut alike = alike.iter().filter_map(|&other| self.scenes.get(other));
        let known = self.known(uid, first, alike.any(|other| self.says_the_same(scene, other)));
        if !matches!(known, Known::Identical) {
            self.note(at);
        }
        known
    }

    /// `first`: of the scenes before with the same id.
    fn known(&self, uid: Uuid, first: Option<Scene<'a>>, identical: bool) -> Known<'a> {
        match first {
            _ if identical => Known::Identical,
            // Scenes without a key do not clash: each of them is a problem of its own.
            Some(first) if !uid.is_nil() => Known::Differs(first),
            _ => Known::New,
        }
    }

    /// Whether two scenes of one id are the same.
    fn says_the_same(&self, scene: Scene<'a>, other: Scene<'a>) -> bool {
        let faults = |scene: Scene<'a>| scene.faults().iter().map(|fault| (fault.column, &fault.what));
        let task = self.rules.task_code.as_ref().map_or(KEY, column_of);
        other.text(task) == scene.text(task) && faults(other).eq(faults(scene))
    }

    /// Remembers a scene of this piece.
    fn note(&mut self, at: usize) {
        let place = at % FEW;
        let (uid, task) = (self.ids[place], self.tasks[place]);
        if let Some(many) = &mut self.many {
            many.first.entry(uid).or_insert(at);
            many.differing.entry((uid, task)).or_default().push(at);
        }
    }

    /// Takes the scenes of the piece apart that begins at one of them, and makes their ids.
    fn begin_piece(&mut self, at: usize) {
        if at == FEW {
            self.many = Some(Many::default());
            (0..FEW).for_each(|at| self.note(at));
        }
        let piece = self.scenes.slice(at..at + FEW);
        let columns = [column_of(&self.rules.scene_id), self.rules.task_code.as_ref().map_or(KEY, column_of)];
        for ((key, task), scene) in self.keys.iter_mut().zip(&mut self.tasks).zip(piece.iter()) {
            [*key, *task] = scene.texts(columns);
        }
        let keys = &self.keys[..piece.len()];
        self.session.scenes(keys, &mut self.ids);
        for (uid, _) in self.ids.iter_mut().zip(keys).filter(|(_, key)| key.is_empty()) {
            *uid = Uuid::nil();
        }
    }
}
