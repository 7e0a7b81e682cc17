//! `init`: a look at two exports, and a job file drafted from it.

use super::error::{FileError, SideFile};
use super::{AppError, Context};
use crate::init::{Draft, draft};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What [`init`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct InitRequest {
    /// The visits export: a file, a folder or a glob, also in object storage.
    pub visits: String,
    /// The scenes export; the same as the visits where one flat export holds both.
    pub scenes: String,
    /// Where the job file goes; `None`: it is only returned.
    pub output: Option<PathBuf>,
    /// Whether a job file that is already there is replaced.
    pub force: bool,
}

/// Looks at two exports and drafts a job file for them. What nothing decides is a question in it.
///
/// # Errors
/// Where an export cannot be read, or the job file cannot be written.
pub fn init(cx: &Context, request: &InitRequest) -> Result<Draft, AppError> {
    if let Some(path) = &request.output {
        let path = cx.base_dir.join(path);
        if path.exists() && !request.force {
            let message = format!("{} is already there; --force replaces it", path.display());
            return Err(FileError::refused(SideFile::Job, message));
        }
        refuse_export(cx, request, &path)?;
    }
    let draft = draft(&cx.base_dir, &request.visits, &request.scenes)?;
    if let Some(path) = &request.output {
        let path = cx.base_dir.join(path);
        write(&path, &draft.text, request.force).map_err(|source| {
            let message = format!("cannot write {}: {source}", path.display());
            AppError::File(FileError { what: SideFile::Job, message, source: Some(source) })
        })?;
    }
    Ok(draft)
}

/// An export is the one file that must never be replaced.
fn refuse_export(cx: &Context, request: &InitRequest, output: &Path) -> Result<(), AppError> {
    let Ok(full) = output.canonicalize() else { return Ok(()) };
    let mut exports = [&request.visits, &request.scenes]
        .into_iter()
        .filter_map(|export| cx.base_dir.join(export).canonicalize().ok());
    if exports.any(|export| full == export || full.starts_with(&export)) {
        let message = format!("{} belongs to the exports; name another file for the job", output.display());
        return Err(FileError::refused(SideFile::Job, message));
    }
    Ok(())
}

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if force {
        return fs::write(path, text);
    }
    // Not over a file that came into being meanwhile.
    OpenOptions::new().write(true).create_new(true).open(path)?.write_all(text.as_bytes())
}
