//! Commands whose output is an export: each is started once a run, also where both sections name it.

use super::Context;
use crate::job::{Job, TokenSource};
use crate::scan::{Export, ScanError, Source};
use crate::storage::{Invocation, Spool};
use std::sync::Arc;
use std::time::Instant;

/// The variables in which the token, or the name of its file, usually is.
const TOKENS: [&str; 2] = ["TRAX_TOKEN", "TRAX_TOKEN_FILE"];

/// What the commands of a run have printed.
pub(super) struct Outputs<'a> {
    cx: &'a Context,
    /// What a command has no business to know.
    without: Vec<&'a str>,
    until: Option<Instant>,
    printed: Vec<(&'a [String], Arc<Spool>)>,
}

impl<'a> Outputs<'a> {
    pub(super) fn new(cx: &'a Context, job: &'a Job) -> Outputs<'a> {
        let of_the_job = match &job.token {
            TokenSource::Env(name) => Some(name.as_str()),
            TokenSource::File(_) => None,
        };
        let until = job.max_duration.and_then(|longest| cx.began.checked_add(longest));
        Outputs { cx, without: TOKENS.into_iter().chain(of_the_job).collect(), until, printed: Vec::new() }
    }

    /// Opens an export, whose command is run to its end first if it has one.
    ///
    /// # Errors
    /// Where the command gives no export, or the export cannot be opened.
    pub(super) fn open(&mut self, source: &'a Source) -> Result<Export, ScanError> {
        let Some(args) = &source.command else { return Export::open(source.clone()) };
        let known = self.printed.iter().find(|(known, _)| known == args).map(|(_, output)| output.clone());
        let output = match known {
            Some(output) => output,
            None => {
                let folder = &source.base_dir;
                let invocation = Invocation { args, folder, without: &self.without, until: self.until };
                let output = self.cx.commands.run(&invocation);
                let output = output.map_err(|error| ScanError::of_command(source.section, error))?;
                self.printed.push((args, output.clone()));
                output
            }
        };
        Export::open_output(source.clone(), output)
    }
}
