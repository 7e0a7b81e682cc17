//! `[upload]`: how fast and how patiently visits are sent, and how long a run may take.

use super::diagnostics::Diagnostics;
use super::keys::UploadKeys;
use super::options::Options;
use super::quantities::{self, VENDOR_CEILING};
use super::values::Spanned;
use crate::upload::{Backoff, Config};
use std::time::Duration;

/// How visits are sent.
pub(super) fn config(keys: &UploadKeys, options: &Options, diagnostics: &mut Diagnostics<'_>) -> Config {
    let default = Config::default();
    let rate = match &options.rate {
        Some(rate) => diagnostics.option("--rate", quantities::rate(rate)),
        None => diagnostics.parsed(&keys.rate, quantities::rate),
    };
    let rate = rate.unwrap_or(default.rate);
    if rate > VENDOR_CEILING {
        diagnostics.warn(format!(
            "a rate of {rate}/s is above the vendor's ceiling of {VENDOR_CEILING}/s: expect 429 answers, and a pause after each; lower it"
        ));
    }
    let first = diagnostics.parsed(&keys.backoff.first, quantities::duration).unwrap_or(default.backoff.first);
    let max = diagnostics.parsed(&keys.backoff.max, quantities::duration).unwrap_or(default.backoff.max.max(first));
    if let Some(span) = keys.backoff.max.as_ref().map(Spanned::span).filter(|_| max < first) {
        diagnostics.add(span, "the longest wait is shorter than the first; raise max or lower first");
    }
    Config {
        rate,
        burst: keys.burst.unwrap_or(default.burst),
        max_in_flight: keys.max_in_flight.map(|max| max as usize),
        max_attempts: keys.max_attempts.unwrap_or(default.max_attempts),
        backoff: Backoff { first, max },
        patience: diagnostics.parsed(&keys.patience, quantities::duration).unwrap_or(default.patience),
    }
}

/// How long a run may take, if the command line or the job limits it.
pub(super) fn max_duration(
    keys: &UploadKeys,
    options: &Options,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Duration> {
    let parse = |text: &str| match quantities::duration(text)? {
        Duration::ZERO => Err("a run of no duration would send nothing; choose one like \"5h\"".to_owned()),
        time => Ok(time),
    };
    match &options.max_duration {
        Some(text) => diagnostics.option("--max-duration", parse(text)),
        None => diagnostics.parsed(&keys.max_duration, parse),
    }
}
