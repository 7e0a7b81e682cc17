//! `traxload init`: a look at two exports, and a job file for them.

use super::Console;
use super::exit::{Exit, Failure};
use super::next::quoted;
use super::text::count;
use crate::init::{Draft, draft};
use clap::Args;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What `init` takes.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The visits export: a file, a folder or a glob, also s3://, gs:// or az://
    #[arg(long, value_name = "PATH")]
    visits: String,
    /// The scenes export; the same as the visits where one flat export holds both
    #[arg(long, value_name = "PATH")]
    scenes: String,
    /// Write the job file here, in place of standard output
    #[arg(short, long, value_name = "JOB")]
    output: Option<PathBuf>,
    /// Replace a job file that is there already
    #[arg(long, requires = "output")]
    force: bool,
}

pub(super) fn init(args: &InitArgs, console: &Console) -> Result<Exit, Failure> {
    if let Some(path) = args.output.as_deref().filter(|path| path.exists() && !args.force) {
        let message = format!("{} is there already; --force replaces it", path.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    refuse_export(args)?;
    let draft = draft(&args.visits, &args.scenes)?;
    match &args.output {
        None => {
            console.data(draft.text.trim_end())?;
            report(&draft, "the job file", console);
        }
        Some(path) => {
            let written = write(path, &draft.text, args.force);
            written.map_err(|error| {
                Failure::new(Exit::of_write(&error), format!("cannot write {}: {error}", path.display()))
            })?;
            let name = path.display().to_string();
            report(&draft, &name, console);
            let open = draft.remarks.iter().filter(|remark| remark.is_question).count();
            let check = format!("traxload check {}", quoted(&name));
            let next = match open {
                0 => format!("{name} is written. Next: {check}\n"),
                n => {
                    let questions = count(n as u64, "question is", "questions are");
                    format!("{name} is written; {questions} to be answered in it. Then: {check}\n")
                }
            };
            console.report(&next);
        }
    }
    Ok(Exit::Done)
}

/// An export is the one file that must never be replaced.
fn refuse_export(args: &InitArgs) -> Result<(), Failure> {
    let Some(path) = args.output.as_deref() else { return Ok(()) };
    let full = |path: &Path| path.canonicalize().ok();
    let Some(output) = full(path) else { return Ok(()) };
    let is_export = [&args.visits, &args.scenes].into_iter().filter_map(|export| full(Path::new(export)));
    if is_export.into_iter().any(|export| output == export || output.starts_with(&export)) {
        let message = format!("{} belongs to the exports; name another file for the job", path.display());
        return Err(Failure::new(Exit::Usage, message));
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

fn report(draft: &Draft, name: &str, console: &Console) {
    for remark in &draft.remarks {
        let place = format!("{name}:{}", remark.line);
        match remark.is_question {
            true => console.notice(&format!("question: {place}: {}\n", remark.message)),
            false => console.warn(&format!("{place}: {}", remark.message)),
        }
    }
}
