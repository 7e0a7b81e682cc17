//! When an earlier run's rows may not be taken up: they are another job's, or under other ids.

use super::exit::{Exit, Failure};
use crate::job::{Job, Target};
use crate::results::{Manifest, beside, is_result_file};
use std::path::Path;

/// How a manifest calls the sandbox.
pub(super) const SANDBOX: &str = "sandbox";

/// Where sessions go. What a sandbox got, nobody else has.
pub(super) fn target_name(job: &Job) -> String {
    match job.target {
        Target::Sandbox => SANDBOX.to_owned(),
        Target::Server => job.endpoint.base_url.clone(),
    }
}

/// With other ids the API would take every visit a second time.
pub(super) fn refuse_other_ids(job: &Job, manifest: &Manifest) -> Result<(), Failure> {
    let ids = &job.rules.ids;
    let now = [
        ("namespace", ids.namespace().to_string()),
        ("version", ids.version().number().to_string()),
        ("base_url", target_name(job)),
        ("project", job.endpoint.project.clone()),
    ];
    let then = [&manifest.namespace, &manifest.ids_version.to_string(), &manifest.base_url, &manifest.project];
    let changed: Vec<String> = now
        .iter()
        .zip(then)
        .filter(|((_, now), then)| now != *then)
        .map(|((name, now), then)| format!("  {name} was {then:?} and is now {now:?}"))
        .collect();
    if changed.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the job would send the same visits under other ids, or to another place, than the run before:\n{}\n\
         Set it back in {}, or begin anew with traxload run --fresh.",
        changed.join("\n"),
        job.file.display()
    );
    Err(Failure::new(Exit::Usage, message))
}

pub(super) fn is_foreign(path: &Path) -> bool {
    path.exists() && !is_result_file(path)
}

/// A journal belongs to the job that began it.
pub(super) fn refuse_other_job(job: &Job, manifest: &Manifest) -> Result<(), Failure> {
    let began = manifest.working_directory.join(&manifest.job);
    let full =
        |path: &Path| path.canonicalize().or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    if full(&began) == full(&job.file) {
        return Ok(());
    }
    let message = format!(
        "the journal {} was begun by another job, {}; finish that one, name another result file with --results, or begin \
         anew with --fresh",
        beside(&job.results, "partial").display(),
        began.display()
    );
    Err(Failure::new(Exit::Usage, message))
}
