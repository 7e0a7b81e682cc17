//! Where the bodies of a check go: to a writer, to a new file, or in place of bodies of an earlier check.

use super::destination::Destination;
use super::error::{FileError, SideFile};
use super::survey::{Bodies, Survey};
use super::{AppError, Context};
use crate::build::BODY_START;
use crate::job::Job;
use crate::owned_file::{Draft, OwnedFileError, OwnedKind, PRIVATE, existing, full_name};
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

const BODIES: OwnedKind = OwnedKind {
    name: "a file with bodies of an earlier check",
    head_len: BODY_START.len() as u64,
    is_ours: |start| start == BODY_START,
    mode: PRIVATE,
};

/// A place for bodies that may be written to.
pub(super) struct BodiesTarget<'a>(Destination<'a>);

impl<'a> BodiesTarget<'a> {
    /// Refuses a path at which something stands that is not for a check to replace: results, a list, a token.
    pub(super) fn new(cx: &Context, payloads: Destination<'a>, job: &Job) -> Result<BodiesTarget<'a>, AppError> {
        let Destination::File(path) = payloads else { return Ok(BodiesTarget(payloads)) };
        let path = cx.base_dir.join(path);
        let shown = path.display();
        if is_beside_results(&path, &job.results) {
            let message = format!("{shown} belongs to the job's results; name another file for the bodies");
            return Err(FileError::refused(SideFile::Bodies, message));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let message = format!("cannot write the bodies to {shown}: there is no folder {}", folder.display());
            return Err(FileError::refused(SideFile::Bodies, message));
        }
        refuse_other_file(&path)?;
        Ok(BodiesTarget(Destination::File(path)))
    }

    /// Writes all bodies that `survey_all` gives. A file is at its path only once it is put there.
    pub(super) fn write(
        self,
        survey_all: impl FnOnce(Bodies<'_>) -> Result<Survey, AppError>,
    ) -> Result<(Survey, Option<WrittenBodies>), AppError> {
        match self.0 {
            Destination::Writer(writer) => Ok((write_all(survey_all, writer, Path::new("standard output"))?, None)),
            // There is no other file to put in the place of a pipe or a device.
            Destination::File(path) if path.metadata().is_ok_and(|there| !there.is_file()) => {
                let file = File::create(&path).map_err(|error| failed(&path, error))?;
                Ok((write_all(survey_all, file, &path)?, None))
            }
            Destination::File(path) => {
                let draft = Draft::new(&path, &BODIES).map_err(|error| FileError::of(SideFile::Bodies, error))?;
                let survey = write_all(survey_all, draft.file(), &path)?;
                Ok((survey, Some(WrittenBodies(draft))))
            }
        }
    }
}

/// Bodies in a file that is not at its path yet.
pub(super) struct WrittenBodies(Draft);

impl WrittenBodies {
    /// Puts them there, in place of bodies of an earlier check.
    pub(super) fn put(self) -> Result<(), AppError> {
        self.0.put().map_err(|error| FileError::of(SideFile::Bodies, error))
    }
}

fn write_all(
    survey_all: impl FnOnce(Bodies<'_>) -> Result<Survey, AppError>,
    to: impl Write,
    path: &Path,
) -> Result<Survey, AppError> {
    let mut to = Some(BufWriter::with_capacity(1 << 20, to));
    let mut write = |work: &mut dyn FnMut(&mut BufWriter<_>) -> io::Result<()>| {
        let Some(open) = &mut to else { return Ok(()) };
        match work(open) {
            // The reader has seen enough, as `head` has. The report comes all the same.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                to = None;
                Ok(())
            }
            done => done.map_err(|error| failed(path, error)),
        }
    };
    let survey = survey_all(&mut |lines: &[u8]| write(&mut |to| to.write_all(lines)))?;
    write(&mut |to| to.flush()).map(|()| survey)
}

fn failed(path: &Path, source: io::Error) -> AppError {
    let message = format!("cannot write the bodies to {}: {source}", path.display());
    AppError::File(FileError { what: SideFile::Bodies, message, source: Some(source) })
}

/// A pipe or a device may be written to; a regular file only where an earlier check wrote it.
fn refuse_other_file(path: &Path) -> Result<(), AppError> {
    match existing(path, &BODIES) {
        Err(error @ OwnedFileError::Foreign { .. }) => Err(FileError::of(SideFile::Bodies, error)),
        _ => Ok(()),
    }
}

/// Whether a path is the result file or one named after it: what was delivered is known by these files alone.
pub(super) fn is_beside_results(path: &Path, results: &Path) -> bool {
    let bytes = |path: &PathBuf| path.as_os_str().as_encoded_bytes().to_vec();
    match (full_name(path), full_name(results)) {
        (Some(path), Some(results)) => bytes(&path).starts_with(&bytes(&results)),
        _ => false,
    }
}
