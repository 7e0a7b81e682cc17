//! Where a page of `report` goes: nowhere, or in place of an older page. Whatever else is at the path, it is not for a
//! page to replace it: the export of a job, a result file, a device.

use super::exit::{Exit, Failure};
use crate::report::is_page;
use crate::results::{beside, follow};
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;

/// As much of a file as it takes to tell a page: its style sheet stands before what it says.
const START: u64 = 64 << 10;

/// Writes the page to `output`, in place of an older one in one step. Through a link, the file that it points at is
/// written.
pub(super) fn write(output: &Path, results: &Path, page: &str) -> Result<(), Failure> {
    let refused = |why: &str| {
        let message = format!("{} {why}; name another file with -o", output.display());
        Err(Failure::new(Exit::Usage, message))
    };
    let failed = |error: io::Error| {
        Failure::new(
            Exit::of_write(&error),
            format!("cannot write {}: {error}; name another file with -o", output.display()),
        )
    };
    // The system follows links that lead nowhere by their names, such as that of standard output.
    let older = output.metadata().ok();
    match &older {
        Some(older) if older.is_dir() => return Err(failed(io::ErrorKind::IsADirectory.into())),
        Some(older) if !older.is_file() => {
            return refused("is not a regular file, which alone can be replaced by a page (- is standard output)");
        }
        Some(_) if is_source(output, results) => return refused("is what the page is made from"),
        Some(_) if !holds_page(output).map_err(failed)? => {
            return refused("is there already and is no page of traxload, so it is left as it is");
        }
        _ => {}
    }
    let target = follow(output).map_err(|error| Failure::of_results(&error))?;
    put(&target, older.as_ref(), page).map_err(failed)
}

fn put(target: &Path, older: Option<&Metadata>, page: &str) -> io::Result<()> {
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(io::Error::new(io::ErrorKind::NotFound, format!("there is no folder {}", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    let mut file = readable(&mut builder).prefix(".traxload-").suffix(".new").tempfile_in(folder)?;
    if let Some(older) = older {
        file.as_file().set_permissions(older.permissions())?;
    }
    file.write_all(page.as_bytes())?;
    file.persist(target).map(drop).map_err(|error| error.error)
}

/// As any file that a program makes: temporary ones are their owner's alone.
#[cfg(unix)]
fn readable<'b>(builder: &'b mut tempfile::Builder<'static, 'static>) -> &'b mut tempfile::Builder<'static, 'static> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(std::fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable<'b>(builder: &'b mut tempfile::Builder<'static, 'static>) -> &'b mut tempfile::Builder<'static, 'static> {
    builder
}

fn is_source(output: &Path, results: &Path) -> bool {
    let sources = [results.to_owned(), beside(results, "partial"), beside(results, "json")];
    let is_same = |source: &Path| source.canonicalize().is_ok_and(|source| Some(source) == output.canonicalize().ok());
    sources.iter().any(|source| is_same(source))
}

/// Whether there is a page, or nothing that could be lost.
fn holds_page(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    File::open(path)?.take(START).read_to_end(&mut start)?;
    Ok(start.is_empty() || is_page(&String::from_utf8_lossy(&start)))
}
