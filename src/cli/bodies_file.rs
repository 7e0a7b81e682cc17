//! Where the bodies of a check go: to standard output, to a new file, or in place of bodies of an earlier check. Whatever
//! else is at the path is left as it is: results, a list, a token.

use super::exit::{Exit, Failure};
use super::survey::{Bodies, Survey, SurveyError};
use crate::build::BODY_START;
use crate::results::follow;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// A place for bodies that may be written to.
pub(super) struct BodiesFile<'a> {
    path: &'a Path,
}

impl<'a> BodiesFile<'a> {
    /// `results`: the job's result file; `json`: whether standard output is taken by the summary.
    pub(super) fn new(path: &'a Path, results: &Path, json: bool) -> Result<BodiesFile<'a>, Failure> {
        let bodies = BodiesFile { path };
        if bodies.is_standard_output() && json {
            let message = "--payloads - and --json both write to standard output; name a file for one of them";
            return Err(Failure::new(Exit::Usage, message));
        }
        if is_beside_results(path, results) {
            let message = format!("{} belongs to the job's results; name another file for the bodies", path.display());
            return Err(Failure::new(Exit::Usage, message));
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !bodies.is_standard_output() && !folder.is_dir()) {
            let message = format!(
                "cannot write the bodies to {}: there is no folder {}; name another file with --payloads",
                path.display(),
                folder.display()
            );
            return Err(Failure::new(Exit::Usage, message));
        }
        bodies.refuse_something_else().map(|()| bodies)
    }

    /// Writes all bodies that come of a survey.
    pub(super) fn write(
        &self,
        survey_all: &impl Fn(Option<Bodies<'_>>) -> Result<Survey, SurveyError>,
    ) -> Result<Survey, Failure> {
        if self.is_standard_output() {
            let failed = |error| format!("cannot write the bodies to standard output: {error}");
            return write_all(survey_all, io::stdout().lock()).map_err(|error| match error {
                SurveyError::Write(error) => Failure::new(Exit::Unexpected, failed(error)),
                other => other.into(),
            });
        }
        // Much may have happened while the exports were read.
        self.refuse_something_else()?;
        let file = File::create(self.path).map_err(SurveyError::Write);
        file.and_then(|file| write_all(survey_all, file)).map_err(|error| match error {
            SurveyError::Write(error) => Failure::new(
                Exit::of_write(&error),
                format!(
                    "cannot write the bodies to {}: {error}; name another file with --payloads",
                    self.path.display()
                ),
            ),
            other => other.into(),
        })
    }

    /// As `-` is elsewhere.
    fn is_standard_output(&self) -> bool {
        self.path.as_os_str() == "-"
    }

    fn refuse_something_else(&self) -> Result<(), Failure> {
        if self.is_standard_output() || !is_something_else(self.path) {
            return Ok(());
        }
        let message = format!(
            "{} is there already and holds no bodies of an earlier check, so it is left as it is; name another file for \
             the bodies",
            self.path.display()
        );
        Err(Failure::new(Exit::Usage, message))
    }
}

/// Whether a path is the result file, or one of those that are named after it: what was delivered is known by them alone.
fn is_beside_results(path: &Path, results: &Path) -> bool {
    match (full(path), full(results)) {
        (Some(path), Some(results)) => {
            path.as_os_str().as_encoded_bytes().starts_with(results.as_os_str().as_encoded_bytes())
        }
        _ => false,
    }
}

/// The one name of a file that need not be there yet: where links lead, in a folder by its own name.
fn full(path: &Path) -> Option<PathBuf> {
    let path = follow(path).ok()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// Whether there is a file that no check has written: an export, results of another job, a list that the job
/// names, whatever. What cannot be read is none of ours.
fn is_something_else(path: &Path) -> bool {
    if !path.metadata().is_ok_and(|file| file.is_file()) {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BODY_START.len() as u64).read_to_end(&mut start));
    read.is_err() || !start.is_empty() && start != BODY_START
}

/// Builds all visits and writes their bodies.
fn write_all(
    survey_all: &impl Fn(Option<Bodies<'_>>) -> Result<Survey, SurveyError>,
    to: impl Write,
) -> Result<Survey, SurveyError> {
    let mut to = Some(BufWriter::with_capacity(1 << 20, to));
    let mut write = |work: &mut dyn FnMut(&mut BufWriter<_>) -> io::Result<()>| {
        let Some(open) = &mut to else { return Ok(()) };
        match work(open) {
            // Whoever reads has seen enough, as `head` has; what there is to say is said all the same.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                to = None;
                Ok(())
            }
            done => done,
        }
    };
    let survey = survey_all(Some(&mut |lines: &[u8]| write(&mut |to| to.write_all(lines))))?;
    write(&mut |to| to.flush()).map(|()| survey).map_err(SurveyError::Write)
}
