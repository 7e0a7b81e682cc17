//! `traxload ids`: the keys of visits and scenes with their ids, for whoever sends the images.

use super::exit::{Exit, Failure};
use super::exports::{Opened, no_visits};
use super::{Console, IdsArgs};
use crate::build::{Builder, CHUNKS_PER_THREAD, SceneId, in_order};
use crate::job::Job;
use crate::shuffle::{ShuffleError, Shuffled};
use chrono::{DateTime, Utc};
use std::io::{BufWriter, Write};
use std::ops::{ControlFlow, Range};
use uuid::Uuid;

pub(super) fn ids(args: &IdsArgs, now: DateTime<Utc>, console: &Console) -> Result<Exit, Failure> {
    let job = Job::load(&args.job.job, &args.job.options(now))?;
    let exports = Opened::new(&job)?.read(&job, &args.job.selection()?, now.timestamp())?;
    for warning in &exports.warnings {
        console.warn(warning);
    }
    let mut out = csv::Writer::from_writer(BufWriter::new(std::io::stdout().lock()));
    let written = write(&exports.shuffled, &job, now, &mut out);
    match written {
        Ok(0) if !args.job.allow_empty => Err(Failure::new(Exit::NoVisits, no_visits(exports.shuffled.tally()))),
        Ok(_) => Ok(Exit::Done),
        // Whoever reads has seen enough, as `head` has.
        Err(IdsError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(IdsError::Write(error)) => Err(Failure::new(
            Exit::Unexpected,
            format!("cannot write to standard output: {error}; is the disk behind it full?"),
        )),
        Err(IdsError::Shuffle(error)) => Err(error.into()),
    }
}

enum IdsError {
    Shuffle(ShuffleError),
    Write(std::io::Error),
}

impl From<ShuffleError> for IdsError {
    fn from(error: ShuffleError) -> Self {
        IdsError::Shuffle(error)
    }
}

impl From<csv::Error> for IdsError {
    fn from(error: csv::Error) -> Self {
        IdsError::Write(io_error(error))
    }
}

/// Returns how many visits there are.
fn write<W: Write>(
    shuffled: &Shuffled,
    job: &Job,
    now: DateTime<Utc>,
    out: &mut csv::Writer<W>,
) -> Result<usize, IdsError> {
    let mut visits = 0;
    out.write_record(["visit_id", "session_uid", "scene_id", "scene_uid"])?;
    shuffled.each(|grouped| {
        visits += grouped.len();
        let builder = Builder::new(&job.rules, grouped, now.timestamp());
        let chunk = |range: Range<usize>| -> Vec<_> {
            // Differing rows of one key share its ids.
            range.filter(|&at| grouped.visit(at).is_first()).filter_map(|at| builder.ids(at)).collect()
        };
        let mut result = Ok(());
        let _ = in_order(grouped.len(), CHUNKS_PER_THREAD, chunk, |visits| {
            result = write_some(visits, out);
            if result.is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        result
    })?;
    out.flush().map_err(IdsError::Write)?;
    Ok(visits)
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

/// What is behind an error of the CSV writer, its kind kept.
fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
