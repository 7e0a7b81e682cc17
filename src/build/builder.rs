//! Builds the visits of one grouped export, one at a time: to be sent, or only to be looked at.
//!
//! It does not know which visits are wanted, nor what becomes of them.

use super::batch::CellBatch;
use super::field::Field;
use super::identity::{Identity, OrphanScene, SceneId};
use super::prepared::{Built, Glance, Invalid, likeness};
use super::reading::{VisitRow, scene_column, scene_text};
use super::rules::Rules;
use super::scenes::SharedScenes;
use super::visit;
use super::visits::Visits;
use crate::scan::{Location, Rows};
use crate::shuffle::{Grouped, Orphan, Visit};
use chrono::NaiveDate;
use std::collections::HashSet;
use uuid::Uuid;

/// Builds the visits of one grouped export. Any number of threads may share it.
///
/// Visits go by their index `at`, in the order of the export.
#[derive(Debug)]
pub(crate) struct Builder<'a> {
    rules: &'a Rules,
    grouped: &'a Grouped,
    /// The batches of visit rows.
    batches: Vec<CellBatch<'a>>,
    /// Start of the run, in epoch seconds.
    now: i64,
    shared_scenes: SharedScenes,
}

impl<'a> Builder<'a> {
    /// `now`: the start of the run in epoch seconds, for the check of times that lie in the future.
    pub(crate) fn new(rules: &'a Rules, grouped: &'a Grouped, now: i64) -> Builder<'a> {
        let batches = grouped.visits().iter().map(CellBatch::new).collect();
        Builder { rules, grouped, batches, now, shared_scenes: SharedScenes::default() }
    }

    /// The date of each row of a batch, where it can be told: from the job's column, else from the start. This is how days
    /// are selected. `now`: the start of the run in epoch seconds.
    pub(crate) fn visit_dates(rules: &Rules, rows: &Rows, now: i64) -> Vec<Option<NaiveDate>> {
        let cells = &CellBatch::new(rows);
        (0..rows.batch.num_rows()).map(|at| VisitRow { rules, cells, at }.known_visit_date(now)).collect()
    }

    /// Tells the store and the date of each row of a batch, where they can be told; without a store it is empty. `now`: as
    /// above.
    pub(crate) fn each_store_and_date(
        rules: &Rules,
        rows: &Rows,
        now: i64,
        mut each: impl FnMut(&str, Option<NaiveDate>),
    ) {
        let cells = &CellBatch::new(rows);
        for at in 0..rows.batch.num_rows() {
            let row = VisitRow { rules, cells, at };
            each(row.known_store_number(), row.known_visit_date(now));
        }
    }

    /// The scenes of no visit, if they were asked for.
    pub(crate) fn orphans<'g>(rules: &'g Rules, grouped: &'g Grouped) -> impl Iterator<Item = OrphanScene<'g>> {
        let text = |field: &'g Field, orphan: Orphan<'g>| {
            let cell = orphan.text(scene_column(field));
            scene_text(&[], field, cell).unwrap_or(cell)
        };
        grouped.orphans().map(move |orphan| OrphanScene {
            visit_id: orphan.key(),
            scene_id: text(&rules.scene_id, orphan),
            task_code: rules.task_code.as_ref().map_or("", |field| text(field, orphan)),
            source: orphan.location(),
        })
    }

    /// The date of a visit, valid or not, where it can be told.
    pub(crate) fn known_date(&self, at: usize) -> Option<NaiveDate> {
        self.readable_row(at)?.known_visit_date(self.now)
    }

    /// Whether a visit, valid or not, starts at midnight as its start is written; `None` where that cannot be told.
    pub(crate) fn starts_at_midnight(&self, at: usize) -> Option<bool> {
        self.readable_row(at)?.starts_at_midnight()
    }

    /// What visits that are alike but for their key share, as [`Built`] has it.
    pub(crate) fn likeness(&self, at: usize) -> Option<u64> {
        let row = self.readable_row(at)?;
        let start = row.time(&self.rules.session_start_time).ok().flatten()?;
        let email = self.rules.email_address.as_ref().and_then(|field| row.text(field).ok());
        Some(likeness(row.known_store_number(), start, email.filter(|email| !email.is_empty())))
    }

    /// The row of a visit, unless its cells may belong to other columns.
    fn readable_row(&self, at: usize) -> Option<VisitRow<'_>> {
        let row = self.row(self.grouped.visit(at));
        row.faults().iter().all(|fault| fault.column.is_some()).then_some(row)
    }

    /// The key of a visit, its id, and the ids of its scenes. `None` for a visit without a key. A scene without a key is
    /// left out, and so is one whose key an earlier scene has.
    pub(crate) fn ids(&self, at: usize) -> Option<(String, Uuid, Vec<SceneId>)> {
        let visit = self.grouped.visit(at);
        let visit_id = visit.key();
        if visit_id.is_empty() {
            return None;
        }
        let session = self.rules.ids.session(visit_id);
        let field = &self.rules.scene_id;
        let (mut ids, mut seen) = (Vec::new(), HashSet::new());
        for scene in visit.scenes().iter() {
            let cell = scene.text(scene_column(field));
            let Ok(scene_id) = scene_text(scene.faults(), field, cell) else { continue };
            if !scene_id.is_empty() && seen.insert(scene_id) {
                ids.push(SceneId { scene_id: scene_id.to_owned(), scene_uid: session.scene(scene_id) });
            }
        }
        Some((visit_id.to_owned(), session.uid, ids))
    }

    fn row(&self, visit: Visit<'_>) -> VisitRow<'_> {
        VisitRow { rules: self.rules, cells: &self.batches[visit.batch()], at: visit.row() }
    }
}

impl Visits for Builder<'_> {
    fn len(&self) -> usize {
        self.grouped.len()
    }

    fn is_first(&self, at: usize) -> bool {
        self.grouped.visit(at).is_first()
    }

    fn key(&self, at: usize) -> (&str, Location) {
        let visit = self.grouped.visit(at);
        (visit.key(), visit.location())
    }

    fn store_number(&self, at: usize) -> &str {
        self.row(self.grouped.visit(at)).known_store_number()
    }

    fn build(&self, at: usize, body: &mut Vec<u8>) -> Result<Built, Box<Invalid>> {
        let visit = self.grouped.visit(at);
        visit::build(visit, self.row(visit), self.now, &self.shared_scenes, body)
    }

    fn identity(&self, at: usize, built: &Built) -> Identity {
        let visit = self.grouped.visit(at);
        let row = self.row(visit);
        Identity {
            visit_id: row.raw_key().to_owned(),
            session_uid: Some(built.session_uid),
            store_number: row.known_store_number().to_owned(),
            visit_date: built.visit_date.to_string(),
            scenes: built.scenes,
            source: visit.location(),
        }
    }

    fn glance(&self, at: usize, built: &Built) -> Option<Glance> {
        let row = self.row(self.grouped.visit(at));
        let field = &self.rules.session_start_time;
        let start = row.time(field).ok().flatten()?;
        let zone = row.zone(field).ok().flatten().or_else(|| row.own_zone(field));
        let on_the_wall = zone.and_then(|zone| Some((zone.name(), zone.time_at(start)?)));
        Some(Glance { identity: self.identity(at, built), start, on_the_wall })
    }
}
