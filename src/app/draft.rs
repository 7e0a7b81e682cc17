//! `init`: a look at two exports, and a job file drafted from it.

use super::error::{FileError, SideFile};
use super::{AppError, Context};
use crate::init::{Draft, draft};
use crate::owned_file::{self, OwnedFileError, OwnedKind};
use crate::scan::ScanError;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What [`init`] is asked for.
#[derive(Clone, Debug, Default)]
pub struct InitRequest {
    /// The visits export: files, folders or globs, also in object storage.
    pub visits: Vec<String>,
    /// The scenes export; the same as the visits where one flat export holds both.
    pub scenes: Vec<String>,
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
        if path.is_file() && !request.force {
            let message = format!("{} is already there; --force replaces it", path.display());
            return Err(FileError::refused(SideFile::Job, message));
        }
        refuse_place(&path)?;
        refuse_export(cx, request, &path)?;
    }
    let draft = draft(&cx.base_dir, &request.visits, &request.scenes).map_err(|error| without_job(cx, error))?;
    if let Some(path) = &request.output {
        let path = cx.base_dir.join(path);
        write(&path, &draft.text, request.force).map_err(|source| {
            let message = format!("cannot write {}: {source}", path.display());
            AppError::File(FileError { what: SideFile::Job, message, source: Some(source) })
        })?;
    }
    Ok(draft)
}

/// An error of reading in which there is no job file to look at yet.
fn without_job(cx: &Context, error: ScanError) -> AppError {
    let message = match &error {
        ScanError::Missing { path, source } => {
            format!("cannot open {path}: {source}; is what --visits and --scenes name there, and may you read it?")
        }
        ScanError::NothingMatches { path } => {
            format!("no file matches {path}; is what --visits and --scenes name there?")
        }
        ScanError::Empty { file } if cx.base_dir.join(file).is_dir() => {
            format!("there is no export in the folder {file}; name the one in which the files are")
        }
        _ => return AppError::Scan(error),
    };
    FileError::refused(SideFile::Job, message)
}

/// A place where no job file can be: a folder, or below one that is not there.
fn refuse_place(path: &Path) -> Result<(), AppError> {
    let refused = |message: String| Err(FileError::refused(SideFile::Job, message));
    if path.is_dir() {
        return refused(format!(
            "{} is a folder; name a file in it, such as {}",
            path.display(),
            path.join("job.toml").display()
        ));
    }
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => refused(format!(
            "cannot write {}: the folder {} is not there; make it first",
            path.display(),
            folder.display()
        )),
        _ => Ok(()),
    }
}

/// An export is the one file that must never be replaced, and a job file in a folder of exports would be read as one.
fn refuse_export(cx: &Context, request: &InitRequest, output: &Path) -> Result<(), AppError> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    let Ok(folder) = folder.canonicalize() else { return Ok(()) };
    let full = folder.join(output.file_name().unwrap_or_default());
    let refused = |message: String| Err(FileError::refused(SideFile::Job, message));
    for export in request.visits.iter().chain(&request.scenes) {
        let path = cx.base_dir.join(export);
        let Ok(export_path) = path.canonicalize() else {
            let absolute = std::path::absolute(&path).unwrap_or(path);
            if glob::Pattern::new(&absolute.to_string_lossy()).is_ok_and(|pattern| pattern.matches_path(&full)) {
                return refused(format!(
                    "{} would be one of the exports {export}; name another file for the job",
                    output.display()
                ));
            }
            continue;
        };
        if full == export_path {
            return refused(format!("{} belongs to the exports; name another file for the job", output.display()));
        }
        if export_path.is_dir() && full.starts_with(&export_path) {
            return refused(format!(
                "{} would lie in {export}, where every file counts as an export; name another place for the job",
                output.display()
            ));
        }
    }
    Ok(())
}

/// Any job file may be replaced where that is asked for. It is a document for others to read.
const JOB: OwnedKind = OwnedKind { name: "a job file", head_len: 0, is_ours: |_| true, mode: 0o644 };

fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if force && path.metadata().is_ok_and(|there| !there.is_file()) {
        return fs::write(path, text);
    }
    if force {
        // In one step: on a full disk the older one stays.
        return owned_file::replace(path, &JOB, text.as_bytes()).map_err(OwnedFileError::into_source);
    }
    // Not over a file that came into being meanwhile.
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes()).inspect_err(|_| drop(fs::remove_file(path)))
}
