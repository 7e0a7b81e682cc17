//! What is probably a mistake of a whole export ends a run before anything is sent, unless the job or the command accepts it.

use super::{AppError, Context};
use crate::job::Job;
use crate::suspicion::Suspicion;

/// Lets accepted suspicions through, each as a warning with its count.
///
/// # Errors
/// All suspicions that are not accepted, together.
pub(super) fn judge(cx: &Context, job: &Job, found: Vec<Suspicion>) -> Result<(), AppError> {
    let (accepted, refused): (Vec<_>, Vec<_>) =
        joined(found).into_iter().partition(|suspicion| job.accepted.contains(&suspicion.code));
    for suspicion in accepted {
        cx.warn(&format!("accepted, {suspicion}"));
    }
    if refused.is_empty() { Ok(()) } else { Err(AppError::Suspicious(refused)) }
}

/// Whether one of the suspicions is not accepted.
pub(super) fn is_refused(job: &Job, found: &[Suspicion]) -> bool {
    found.iter().any(|suspicion| !job.accepted.contains(&suspicion.code))
}

/// Suspicions by their code, and those that say the same as one: several files or both exports may show it.
fn joined(found: Vec<Suspicion>) -> Vec<Suspicion> {
    let mut all: Vec<Suspicion> = Vec::new();
    for suspicion in found {
        match all.iter_mut().find(|known| known.code == suspicion.code && known.message == suspicion.message) {
            Some(known) if known.places == suspicion.places => {}
            Some(known) => known.join(suspicion),
            None => all.push(suspicion),
        }
    }
    all.sort_by_key(|suspicion| suspicion.code);
    all
}
