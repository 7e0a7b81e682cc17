//! `ids`: the keys of visits and scenes with their ids, for another program that sends the images.

use super::exports::Exports;
use super::suspicions::judge;
use super::{AppError, Context, JobRequest, clock};
use crate::build::{Builder, CHUNKS_PER_THREAD, SceneId, in_order};
use crate::job::DateArg;
use std::io::{self, Write};
use std::ops::{ControlFlow, Range};
use uuid::Uuid;

/// Writes visit and scene keys with their ids as CSV: `visit_id,session_uid,scene_id,scene_uid`, one row per scene, and one
/// with empty scene cells for a visit without scenes.
///
/// # Errors
/// Where the job or its exports cannot be read, or hold no visits.
pub fn ids(cx: &Context, request: &JobRequest, out: &mut dyn Write) -> Result<(), IdsError> {
    let selection = request.selection.check()?;
    if matches!(request.date, Some(DateArg::Today | DateArg::Yesterday)) {
        clock::check(cx)?;
    }
    let job = request.load(cx)?;
    let exports = Exports::open(cx, &job)?;
    cx.warn_all(&job.warnings);
    let visits = exports.read(cx, &job, selection, None)?;
    cx.warn_all(&visits.remarks.warnings);
    judge(cx, &job, visits.remarks.suspicions.clone())?;
    let mut out = csv::Writer::from_writer(out);
    let mut count = 0;
    out.write_record(["visit_id", "session_uid", "scene_id", "scene_uid"])?;
    visits.shuffled.each(|grouped| {
        count += grouped.len();
        let builder = Builder::new(&job.rules, grouped, cx.now.timestamp());
        let chunk = |range: Range<usize>| -> Vec<_> {
            // Differing rows of one key share its ids.
            range.filter(|&at| grouped.visit(at).is_first()).filter_map(|at| builder.ids(at)).collect()
        };
        let mut written = Ok(());
        let _ = in_order(grouped.len(), CHUNKS_PER_THREAD, chunk, |visits| {
            written = write_some(visits, &mut out);
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        written
    })?;
    out.flush().map_err(IdsError::Write)?;
    if count == 0 && !request.allow_empty {
        let left_out = visits.shuffled.tally().visits_left_out;
        return Err(AppError::NoVisits { left_out, filters: visits.filters }.into());
    }
    Ok(())
}

/// Why ids could not be written.
#[derive(Debug, thiserror::Error)]
pub enum IdsError {
    /// Reading failed.
    #[error(transparent)]
    App(#[from] AppError),
    /// Writing failed.
    #[error("{0}")]
    Write(io::Error),
}

impl From<crate::shuffle::ShuffleError> for IdsError {
    fn from(error: crate::shuffle::ShuffleError) -> Self {
        IdsError::App(error.into())
    }
}

impl From<csv::Error> for IdsError {
    fn from(error: csv::Error) -> Self {
        IdsError::Write(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}

fn write_some<W: Write>(visits: Vec<(String, Uuid, Vec<SceneId>)>, out: &mut csv::Writer<W>) -> Result<(), IdsError> {
    for (visit_id, session_uid, scenes) in visits {
        let session_uid = session_uid.to_string();
        if scenes.is_empty() {
            out.write_record([&visit_id, &session_uid, "", ""])?;
        }
        for scene in scenes {
            out.write_record([&visit_id, &session_uid, &scene.scene_id, &scene.scene_uid.to_string()])?;
        }
    }
    Ok(())
}
