//! Which columns of its exports a job reads: what a cluster has to know that brings visits and their scenes together itself.

use super::{AppError, Context, JobRequest};
use crate::job::ExportsMeant;
use crate::scan::{Pick, Source};
use crate::shuffle::KEY;
use serde::Serialize;

/// The columns of a job's exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct JobColumns {
    /// Those of the visits.
    pub visits: ExportColumns,
    /// Those of the scenes.
    pub scenes: ExportColumns,
    /// Whether one flat export holds both.
    pub flat: bool,
    /// The version of the program.
    pub version: &'static str,
}

/// The columns of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExportColumns {
    /// Those that make the key of the visit, in the order in which they are joined.
    pub key: Vec<String>,
    /// Those that make the key of the scene; of visits none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scene_id: Vec<String>,
    /// All that are read, each once.
    pub columns: Vec<String>,
}

/// Tells which columns a job reads. Its exports need not be there.
///
/// # Errors
/// Where the job file cannot be used.
pub fn job_columns(cx: &Context, request: &JobRequest) -> Result<JobColumns, AppError> {
    let job = request.load_for(cx, ExportsMeant::Files(Default::default()))?;
    Ok(JobColumns {
        visits: of_export(&job.visits, None),
        scenes: of_export(&job.scenes, job.rules.scene_id.pick()),
        flat: job.reads[0] == job.reads[1],
        version: env!("CARGO_PKG_VERSION"),
    })
}

/// `scene_id`: which pick is the key of the scene.
fn of_export(source: &Source, scene_id: Option<usize>) -> ExportColumns {
    let of_pick = |at: usize| source.picks.get(at).map(|pick: &Pick| pick.columns.clone()).unwrap_or_default();
    let filters = source.only.iter().map(|only| &only.column);
    let mut columns: Vec<String> = Vec::new();
    for column in source.picks.iter().flat_map(|pick| &pick.columns).chain(filters) {
        if !columns.contains(column) {
            columns.push(column.clone());
        }
    }
    ExportColumns { key: of_pick(KEY), scene_id: scene_id.map(of_pick).unwrap_or_default(), columns }
}
