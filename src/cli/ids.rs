//! `traxload ids`: the keys of visits and scenes with their ids, for whoever sends the images.

use super::exit::{Exit, Failure};
use super::exports::Opened;
use super::{Console, IdsArgs};
use crate::build::{Builder, in_order};
use crate::job::Job;
use arrow::error::ArrowError;
use chrono::{DateTime, Utc};
use std::collections::HashSet;
use std::io::{BufWriter, Write};
use std::ops::{ControlFlow, Range};

pub(super) fn ids(args: &IdsArgs, now: DateTime<Utc>, console: &Console) -> Result<Exit, Failure> {
    let job = Job::load(&args.job.job, &args.job.options(now))?;
    let exports = Opened::new(&job)?.read(&job.rules, &args.job.selection())?;
    for warning in &exports.warnings {
        console.warn(warning);
    }
    if exports.grouped.is_empty() && !args.job.allow_empty {
        return Err(Failure::new(Exit::NoVisits, "there are no visits in the exports"));
    }
    let builder = Builder::new(&job.rules, &exports.grouped, now.timestamp());
    let mut out = csv::Writer::from_writer(BufWriter::new(std::io::stdout().lock()));
    let written = write(&builder, &exports.grouped, &mut out);
    match written {
        Ok(()) => Ok(Exit::Done),
        // Whoever reads has seen enough, as `head` has.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(Failure::new(Exit::Unexpected, format!("cannot write to standard output: {error}"))),
    }
}

fn write<W: Write>(
    builder: &Builder<'_>,
    grouped: &crate::shuffle::Grouped,
    out: &mut csv::Writer<W>,
) -> std::io::Result<()> {
    out.write_record(["visit_id", "session_uid", "scene_id", "scene_uid"]).map_err(io_error)?;
    let chunk = |range: Range<usize>| -> Result<Vec<_>, ArrowError> {
        let visits: Vec<usize> = range.collect();
        builder.chunk(&visits, |chunk| {
            let with_ids = |at| Some((chunk.visit(at).conflict().is_some(), chunk.ids(at)?));
            (0..chunk.len()).filter_map(with_ids).collect()
        })
    };
    // Differing rows of one key share its ids.
    let mut clashing = HashSet::new();
    let mut result = Ok(());
    let _ = in_order(grouped.len(), chunk, |visits| {
        let visits = match visits {
            Ok(visits) => visits,
            Err(error) => {
                result = Err(std::io::Error::other(error));
                return ControlFlow::Break(());
            }
        };
        for (clashes, (visit_id, session_uid, scenes)) in visits {
            if clashes && !clashing.insert(visit_id.clone()) {
                continue;
            }
            let session_uid = session_uid.to_string();
            result = if scenes.is_empty() {
                out.write_record([&visit_id, &session_uid, "", ""])
            } else {
                scenes.iter().try_for_each(|scene| {
                    out.write_record([&visit_id, &session_uid, &scene.scene_id, &scene.scene_uid.to_string()])
                })
            }
            .map_err(io_error);
            if result.is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    result.and_then(|()| out.flush())
}

/// What is behind an error of the CSV writer, its kind kept.
fn io_error(error: csv::Error) -> std::io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => std::io::Error::other(format!("{other:?}")),
    }
}
