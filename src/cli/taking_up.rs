//! When an earlier run's rows may not be taken up: they are another job's, or under other ids.

use super::exit::{Exit, Failure};
use super::next::{rerun, this_command_with};
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

/// What of a run has changed that decides ids and place, a line each; nothing where its rows may be taken up.
fn changes(job: &Job, manifest: &Manifest) -> Vec<String> {
    let ids = &job.rules.ids;
    let now = [
        ("namespace", ids.namespace().to_string()),
        ("version", ids.version().number().to_string()),
        ("base_url", target_name(job)),
        ("project", job.endpoint.project.clone()),
    ];
    let then = [&manifest.namespace, &manifest.ids_version.to_string(), &manifest.base_url, &manifest.project];
    now.iter()
        .zip(then)
        .filter(|((_, now), then)| now != *then)
        .map(|((name, now), then)| format!("  {name} was {then:?} and is now {now:?}"))
        .collect()
}

/// Whether a run only tried things out, and the job is in earnest now.
fn was_a_trial(job: &Job, manifest: &Manifest) -> bool {
    manifest.base_url == SANDBOX && job.target == Target::Server
}

/// With other ids the API would take every visit a second time. `anew`: the command that begins the job anew.
pub(super) fn refuse_other_ids(job: &Job, manifest: &Manifest, anew: impl FnOnce() -> String) -> Result<(), Failure> {
    let changed = changes(job, manifest);
    if changed.is_empty() {
        return Ok(());
    }
    let message = if was_a_trial(job, manifest) {
        format!(
            "the run before went to the sandbox, so Trax has none of its visits, and its rows cannot be taken up:\n{}\n\
             To move them aside and send everything: {}",
            changed.join("\n"),
            anew()
        )
    } else {
        format!(
            "the job would send the same visits under other ids, or to another place, than the run before:\n{}\n\
             Set it back in {}, or move the old rows aside and begin anew: {}",
            changed.join("\n"),
            job.file.display(),
            anew()
        )
    };
    Err(Failure::new(Exit::Usage, message))
}

/// A finished result file where `run` would write one. Names the command that works, which is not always a rerun.
pub(super) fn is_in_the_way(job: &Job) -> Failure {
    let path = job.results.display();
    let anew = this_command_with("--fresh");
    let message = match Manifest::read(&job.results) {
        Err(_) => format!(
            "{path} is there already, from a finished run, and without its manifest a rerun cannot know its job.\n\
             To begin anew and keep the old file aside: {anew}"
        ),
        Ok(manifest) if was_a_trial(job, &manifest) => format!(
            "{path} is there already, from a run against the sandbox: Trax has none of its visits.\n\
             To move it aside and send everything: {anew}"
        ),
        Ok(manifest) => match changes(job, &manifest).as_slice() {
            [] => format!(
                "{path} is there already, from a finished run.\n\
                 To send what it shows as not delivered: {}\n\
                 To begin anew and keep the old file aside: {anew}",
                rerun(&job.results)
            ),
            changed => format!(
                "{path} is there already, from a finished run that sent the same visits under other ids, or to another place; \
                 a rerun cannot take it up:\n{}\n\
                 To begin anew and keep the old file aside: {anew}",
                changed.join("\n")
            ),
        },
    };
    Failure::new(Exit::Usage, message)
}

/// Whether something else than a result file is there.
///
/// # Errors
/// Where it was one and something has changed it, and where it cannot be read.
pub(super) fn is_foreign(path: &Path) -> Result<bool, Failure> {
    let is_ours = || is_result_file(path).map_err(|error| Failure::of_results(&error));
    Ok(path.exists() && !is_ours()?)
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
