//! What the job file will say: an entry for each field of both sections, and what is asked for the whole job. What
//! cannot be told is a question, never a guess.

use super::column_pool::ColumnPool;
use super::day_month::SharedQuestion;
use super::entry::FieldEntry;
use super::fields::{client_session_uid, email_address, store_number, task_code, visit_type_id};
use super::flat::flat_keys;
use super::keys::keys;
use super::null_values;
use super::only::{OnlyDraft, only};
use super::sample::ExportSample;
use super::scene_key::scene_id;
use super::visit_times::{VisitTimes, ZoneLine, visit_times};

/// The fields of both sections, in the order of the job file, and the questions of its `[time]`.
#[derive(Debug)]
pub(super) struct DraftPlan {
    pub(super) visits: SectionPlan,
    pub(super) scenes: SectionPlan,
    pub(super) zone: ZoneLine,
    pub(super) date_format: Option<SharedQuestion>,
    /// Whether every visit starts at midnight.
    pub(super) is_at_midnight: bool,
}

/// A section of the job file.
#[derive(Debug)]
pub(super) struct SectionPlan {
    pub(super) fields: Vec<FieldEntry>,
    /// What stands for an empty cell in several of its columns.
    pub(super) nulls: Vec<String>,
    /// A filter that leaves out what did not take place.
    pub(super) only: Option<OnlyDraft>,
}

/// Goes through the fields. Each takes its column from those that the fields before it have left.
pub(super) fn plan(visits: &ExportSample, scenes: &ExportSample) -> DraftPlan {
    let is_flat = scenes.has_the_files_of(visits);
    let mut of_visits = ColumnPool::new(visits);
    let mut of_scenes = ColumnPool::new(scenes);
    let (key, reference) = if is_flat { flat_keys(&mut of_visits) } else { keys(&mut of_visits, &mut of_scenes) };
    let VisitTimes { date, start, end, zone, date_format, is_at_midnight } = visit_times(&mut of_visits);
    let mut fields = vec![key, store_number(&mut of_visits), date, start, end];
    fields.push(visit_type_id(&mut of_visits));
    fields.push(email_address(&mut of_visits));
    fields.push(client_session_uid(&mut of_visits));
    if is_flat {
        of_scenes.taken.clone_from(&of_visits.taken);
    }
    let scene = scene_id(&mut of_scenes, &reference);
    let task = task_code(&mut of_scenes);
    let visits = section(fields, &of_visits, only(&of_visits, true));
    // Of a flat export both sections leave out the same rows.
    let scenes = section(vec![reference, scene, task], &of_scenes, only(&of_scenes, is_flat));
    DraftPlan { visits, scenes, zone, date_format, is_at_midnight }
}

fn section(mut fields: Vec<FieldEntry>, pool: &ColumnPool<'_>, only: Option<OnlyDraft>) -> SectionPlan {
    let nulls = null_values::assign(&mut fields, pool);
    SectionPlan { fields, nulls, only }
}
