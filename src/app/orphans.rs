//! Where `check` writes the scenes of no visit: as CSV, all of them.

use super::bodies::is_beside_results;
use super::destination::Destination;
use super::error::{FileError, SideFile};
use super::exports::GroupedVisits;
use super::{AppError, Context};
use crate::build::Builder;
use crate::job::Job;
use crate::owned_file::{self, OwnedKind, PRIVATE};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

const HEADER: [&str; 4] = ["visit_id", "scene_id", "task_code", "source"];
const HEADER_LINE: &[u8] = b"visit_id,scene_id,task_code,source\n";

const ORPHANS: OwnedKind = OwnedKind {
    name: "a list of orphan scenes of an earlier check",
    head_len: HEADER_LINE.len() as u64,
    is_ours: |start| start == HEADER_LINE,
    mode: PRIVATE,
};

/// A place for orphans that may be written to.
pub(super) struct OrphansTarget<'a>(Destination<'a>);

impl<'a> OrphansTarget<'a> {
    /// Refuses a path at which something stands that is not for a check to replace. `inputs`: the exports and the job file.
    pub(super) fn new(
        cx: &Context,
        to: Destination<'a>,
        job: &Job,
        inputs: &[PathBuf],
    ) -> Result<OrphansTarget<'a>, AppError> {
        let Destination::File(path) = to else { return Ok(OrphansTarget(to)) };
        let path = cx.base_dir.join(path);
        let is_input = path.canonicalize().is_ok_and(|path| inputs.contains(&path));
        if is_input || is_beside_results(&path, &job.results) {
            let what = if is_input { "is an export of the job" } else { "belongs to the job's results" };
            let message = format!("{} {what}; name another file for the orphan scenes", path.display());
            return Err(FileError::refused(SideFile::Orphans, message));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let (path, folder) = (path.display(), folder.display());
            let message = format!("cannot write the orphan scenes to {path}: there is no folder {folder}");
            return Err(FileError::refused(SideFile::Orphans, message));
        }
        owned_file::existing(&path, &ORPHANS).map_err(|error| FileError::of(SideFile::Orphans, error))?;
        Ok(OrphansTarget(Destination::File(path)))
    }

    /// Writes all orphans, in the order of the export; past the memory for grouping in any order.
    pub(super) fn write(self, job: &Job, visits: &GroupedVisits) -> Result<(), AppError> {
        match self.0 {
            Destination::Writer(writer) => {
                let mut to = BufWriter::new(writer);
                let written = write_all(job, visits, &mut to).and_then(|()| to.flush().map_err(Unwritten::Write));
                written.or_else(|error| match error {
                    // The reader has seen enough, as `head` has. The report comes all the same.
                    Unwritten::Write(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
                    error => Err(error.at(Path::new("standard output"))),
                })
            }
            Destination::File(path) => {
                let mut unread = None;
                let replaced = owned_file::replace_with(&path, &ORPHANS, |to| {
                    write_all(job, visits, to).map_err(|error| match error {
                        Unwritten::Write(error) => error,
                        Unwritten::Read(error) => {
                            unread = Some(error);
                            io::Error::other("the scenes cannot be read")
                        }
                    })
                });
                match unread {
                    Some(error) => Err(error),
                    None => replaced.map_err(|error| FileError::of(SideFile::Orphans, error)),
                }
            }
        }
    }
}

/// Why orphans were not written.
enum Unwritten {
    Read(AppError),
    Write(io::Error),
}

impl Unwritten {
    fn at(self, path: &Path) -> AppError {
        match self {
            Unwritten::Read(error) => error,
            Unwritten::Write(source) => {
                let message = format!("cannot write the orphan scenes to {}: {source}", path.display());
                AppError::File(FileError { what: SideFile::Orphans, message, source: Some(source) })
            }
        }
    }
}

impl From<crate::shuffle::ShuffleError> for Unwritten {
    fn from(error: crate::shuffle::ShuffleError) -> Self {
        Unwritten::Read(error.into())
    }
}

impl From<csv::Error> for Unwritten {
    fn from(error: csv::Error) -> Self {
        Unwritten::Write(match error.into_kind() {
            csv::ErrorKind::Io(error) => error,
            other => io::Error::other(format!("{other:?}")),
        })
    }
}

fn write_all(job: &Job, visits: &GroupedVisits, to: &mut dyn Write) -> Result<(), Unwritten> {
    let mut out = csv::Writer::from_writer(to);
    out.write_record(HEADER)?;
    visits.shuffled.each(|grouped| -> Result<(), Unwritten> {
        for orphan in Builder::orphans(&job.rules, grouped) {
            out.write_record([orphan.visit_id, orphan.scene_id, orphan.task_code, &orphan.source.to_string()])?;
        }
        Ok(())
    })?;
    out.flush().map_err(Unwritten::Write)
}
