//! Why visits were not delivered: by cause, the most frequent first, each with a hint and its first rows.

use super::outcomes::name;
use super::tally::{Cause, SAMPLES, Sample};
use super::words::{share, shown};
use super::{About, Standing, Tally};
use crate::outcome::{ErrorCode, Status};
use crate::text::{count, grouped};
use maud::{Markup, html};

/// The code of a cause, or its status where it has none.
pub(super) fn title(cause: &Cause) -> String {
    if cause.code.is_empty() { "no code".to_owned() } else { shown(&cause.code, 60) }
}

pub(super) fn causes(tally: &Tally, about: &About) -> Markup {
    let undelivered = tally.undelivered();
    let mut causes: Vec<&Cause> = tally.causes.iter().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    html! {
        section aria-labelledby="causes" {
            h2 #causes { "What needs attention" }
            @if undelivered == 0 {
                p.quiet {
                    @match about.standing {
                        Standing::Ended => "Nothing: every visit of this file is delivered.",
                        Standing::Unfinished => "Nothing so far: every visit that has a row is delivered. The others have none yet.",
                        Standing::Overtaken => "Nothing before the later run: every visit of this file is delivered.",
                    }
                }
            }
            @for cause in causes { (card(cause, undelivered)) }
            @if tally.other_causes > 0 {
                p.quiet { (count(tally.other_causes, "further visit has", "further visits have")) " causes that are not told apart here." }
            }
        }
    }
}

fn card(cause: &Cause, undelivered: u64) -> Markup {
    let status = cause.status;
    html! {
        article.cause {
            header {
                h3 {
                    code { bdi { (title(cause)) } }
                    span class={ "status " (status.name()) } { (name(status)) }
                }
                p.count {
                    strong { (grouped(cause.count)) } " "
                    span {
                        (share(cause.count, undelivered)) " of those not delivered"
                        @if cause.earlier == cause.count { ", from an earlier run" }
                        @else if cause.earlier > 0 { ", " (grouped(cause.earlier)) " from an earlier run" }
                    }
                }
            }
            @if let Some(code) = ErrorCode::from_name(status, &cause.code) { p.hint { (with_code(&sentence(code.hint()))) } }
            @if !cause.samples.is_empty() {
                ol.samples {
                    // What several of them say alike stands below them once.
                    @for alike in cause.samples.chunk_by(|a, b| a.error == b.error) {
                        li {
                            @for sample in alike { (who(sample)) }
                            p.error { bdi { (alike[0].error) } }
                        }
                    }
                }
                @if cause.count > SAMPLES as u64 && status != Status::NotAttempted {
                    p.quiet { "and " (grouped(cause.count - SAMPLES as u64)) " more in the result file" }
                }
            }
        }
    }
}

fn who(sample: &Sample) -> Markup {
    html! {
        p.who {
            bdi.key { @if sample.visit.is_empty() { "(no key)" } @else { (sample.visit) } }
            span.store { "store " bdi { @if sample.store.is_empty() { "(none)" } @else { (sample.store) } } }
            bdi.source { (sample.source) }
        }
    }
}

/// Words in which backticks stand around what is typed.
pub(super) fn with_code(words: &str) -> Markup {
    html! {
        @for (at, part) in words.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// With a capital at its start and a point at its end.
pub(super) fn sentence(words: &str) -> String {
    let mut chars = words.chars();
    let start: String = chars.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let end = if words.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    format!("{start}{}{end}", chars.as_str())
}
