//! Turns a visit into the body that the API takes, or into the list of everything that is wrong with it.
//!
//! A pure function of the visit's rows, the [`Rules`] and the run's start time, so that any number of threads may
//! run it and every run makes the same bytes. Only [`Builder::prepare`] makes a [`Prepared`] visit.
//!
//! It knows no file, no network and no clock.

mod body;
mod checks;
mod field;
mod ids;
mod parallel;
mod problem;
mod reading;
mod scenes;
mod time;
mod visit;

pub use field::{Field, Origin};
pub use ids::{Ids, SessionId, Version};
pub use parallel::{CHUNK, CHUNKS_PER_THREAD, at_once, in_order};
pub use problem::{Code, Problem, Problems};
pub use time::{Pattern, Unit, Zone};
pub(crate) use visit::BODY_START;

use crate::scan::Location;
use crate::shuffle::{Grouped, KEY, Visit};
use chrono::NaiveDate;
use field::Columns;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use uuid::Uuid;

/// How visits are read and checked.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Makes the ids.
    pub ids: Ids,
    /// "Identifier provided by the client"; `None`: the visit's key.
    pub client_session_uid: Option<Field>,
    /// Mandatory.
    pub store_number: Field,
    /// `None`: the local date of the start.
    pub visit_date: Option<Field>,
    /// Mandatory.
    pub session_start_time: Field,
    /// Optional.
    pub visit_type_id: Option<Field>,
    /// Optional.
    pub session_end_time: Option<Field>,
    /// Optional.
    pub email_address: Option<Field>,
    /// Mandatory in every scene.
    pub scene_id: Field,
    /// Mandatory for the PUREAI solution.
    pub task_code: Option<Field>,
    /// Whether a scene without a task code is a problem.
    pub task_code_required: bool,
    /// The zone of times that carry none.
    pub zone: Option<Zone>,
    /// The store numbers that the API knows, if the job lists them.
    pub stores: Option<HashSet<String>>,
    /// Likewise the users' addresses.
    pub users: Option<HashSet<String>>,
    /// Likewise the task codes.
    pub task_codes: Option<HashSet<String>>,
    /// Likewise the visit types.
    pub visit_types: Option<HashSet<String>>,
}

/// What a visit is called and where it comes from: the part of a result row that is known before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key, as the export has it.
    pub visit_id: String,
    /// `None` for a visit without a usable key.
    pub session_uid: Option<Uuid>,
    /// As far as it could be read.
    pub store_number: String,
    /// As far as it could be read.
    pub visit_date: String,
    /// Scenes, identical duplicates counted once.
    pub scenes: u32,
    /// The row of the visit.
    pub source: Location,
}

/// A visit that may be sent. Only [`Builder::prepare`] makes one.
#[derive(Clone, Debug)]
pub struct Prepared(Parts);

/// The parts of a [`Prepared`] visit, for whoever sends it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What it is called and where it comes from.
    pub identity: Identity,
    /// The last part of the address.
    pub session_uid: Uuid,
    /// JSON.
    pub body: Vec<u8>,
    /// Of the body. It is made here, where many threads are at work: who sends has one.
    pub payload_sha256: [u8; 32],
}

impl Prepared {
    /// What it consists of.
    pub fn into_parts(self) -> Parts {
        self.0
    }
}

/// A visit that may not be sent, with all that is wrong with it, in the order of the contract.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// What it is called and where it comes from.
    pub identity: Identity,
    /// At least one.
    pub problems: Problems,
}

/// The key of a scene and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SceneId {
    /// The key, as the export has it.
    pub scene_id: String,
    /// Its id.
    pub scene_uid: Uuid,
}

/// Builds the visits of one grouped export.
#[derive(Debug)]
pub struct Builder<'a> {
    rules: &'a Rules,
    grouped: &'a Grouped,
    visits: Vec<Columns<'a>>,
    /// Start of the run, in epoch seconds.
    now: i64,
    /// Looked at once, however many rows share them.
    shared_scenes: scenes::Shared,
}

impl<'a> Builder<'a> {
    /// `now`: the run's start in epoch seconds, for the check of times that lie in the future.
    pub fn new(rules: &'a Rules, grouped: &'a Grouped, now: i64) -> Builder<'a> {
        let visits = grouped.visits().iter().map(Columns::new).collect();
        Builder { rules, grouped, visits, now, shared_scenes: scenes::Shared::default() }
    }

    /// The visits' dates where they can be told, by the job's column or from the start: for selecting days. `now`: the
    /// run's start, in epoch seconds.
    pub fn visit_dates(rules: &Rules, rows: &crate::scan::Rows, now: i64) -> Vec<Option<NaiveDate>> {
        let columns = Columns::new(rows);
        (0..rows.batch.num_rows()).map(|row| reading::date_of(rules, &columns, row, now)).collect()
    }

    /// Checks the visit at this place of the export's order and appends its body to `body`; nothing is appended for an
    /// invalid one.
    ///
    /// # Errors
    /// All problems of the visit.
    pub fn build(&self, at: usize, body: &mut Vec<u8>) -> Result<Built, Box<Invalid>> {
        visit::build(self, at, body)
    }

    /// A visit ready to be sent.
    ///
    /// # Errors
    /// All problems of the visit.
    pub fn prepare(&self, at: usize) -> Result<Prepared, Box<Invalid>> {
        let mut body = Vec::with_capacity(1024);
        let built = self.build(at, &mut body)?;
        body.shrink_to_fit();
        let payload_sha256 = Sha256::digest(&body).into();
        let identity = self.identity(self.grouped.visit(at), built);
        Ok(Prepared(Parts { identity, session_uid: built.session_uid, body, payload_sha256 }))
    }

    /// A valid visit as it was read.
    pub fn glance(&self, at: usize, built: Built) -> Option<Glance> {
        let visit = self.grouped.visit(at);
        let (columns, row) = (&self.visits[visit.batch()], visit.row());
        let field = &self.rules.session_start_time;
        let start = reading::time(self.rules, columns, field, row).ok().flatten()?;
        let zone = reading::zone(self.rules, columns, field, row).ok().flatten();
        let on_the_wall = zone.and_then(|zone| Some((zone.name(), zone.time_at(start)?)));
        Some(Glance { identity: self.identity(visit, built), start, on_the_wall })
    }

    /// What a visit is called that is valid and will not be sent, and the SHA-256 of the body that it would have.
    /// `scratch` is overwritten.
    ///
    /// # Errors
    /// All problems of the visit.
    pub fn identify(&self, at: usize, scratch: &mut Vec<u8>) -> Result<(Identity, [u8; 32]), Box<Invalid>> {
        scratch.clear();
        let built = self.build(at, scratch)?;
        Ok((self.identity(self.grouped.visit(at), built), Sha256::digest(scratch).into()))
    }

    fn identity(&self, visit: Visit<'_>, built: Built) -> Identity {
        let columns = &self.visits[visit.batch()];
        let row = visit.row();
        Identity {
            visit_id: columns.text(KEY, row).to_owned(),
            session_uid: Some(built.session_uid),
            store_number: reading::store_number(self.rules, columns, row).unwrap_or_default().to_owned(),
            visit_date: built.visit_date.to_string(),
            scenes: built.scenes,
            source: visit.place(),
        }
    }

    /// The ids of a visit and of its scenes; `None` for a visit without a key. Scenes without a key have none.
    pub fn ids(&self, at: usize) -> Option<(String, Uuid, Vec<SceneId>)> {
        let visit = self.grouped.visit(at);
        let visit_id = visit.key();
        if visit_id.is_empty() {
            return None;
        }
        let session = self.rules.ids.session(visit_id);
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        for scene in visit.scenes().iter() {
            let field = &self.rules.scene_id;
            let cell = scene.text(scenes::column_of(field));
            let Ok(scene_id) = reading::scene_text(scene.faults(), field, cell) else { continue };
            let scene = SceneId { scene_id: scene_id.to_owned(), scene_uid: session.scene(scene_id) };
            if !scene_id.is_empty() && seen.insert(scene_id) {
                ids.push(scene);
            }
        }
        Some((visit_id.to_owned(), session.uid, ids))
    }
}

/// A visit as it was read, for somebody to look at: what is wrong in all of them alike shows in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// What it is called and where it comes from.
    pub identity: Identity,
    /// In epoch seconds.
    pub start: i64,
    /// The zone by which its local time is known, and the time on the wall there, as RFC 3339.
    pub on_the_wall: Option<(String, String)>,
}

/// What is known of a visit once its body is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Built {
    /// The last part of the address that it is sent to.
    pub session_uid: Uuid,
    /// As in the body.
    pub visit_date: NaiveDate,
    /// Scenes in the body.
    pub scenes: u32,
    /// Scene rows that say the same as an earlier one.
    pub identical_scenes: u32,
}
