//! The section "What needs attention": why visits were not delivered, the most frequent cause first, each with a hint and
//! its first rows.

use super::about::{About, Standing};
use super::tally::{CauseTally, EXAMPLES, Example, ResultTally};
use super::words::{sentence, status_name, with_code};
use crate::outcome::{ErrorCode, Status};
use crate::text::{count, grouped, share};
use maud::{Markup, html};

pub(super) fn causes(tally: &ResultTally, about: &About) -> Markup {
    let undelivered = tally.undelivered();
    let mut causes: Vec<&CauseTally> = tally.causes.iter().collect();
    causes.sort_by_key(|cause| std::cmp::Reverse(cause.count));
    html! {
        section aria-labelledby="causes" {
            h2 #causes { "What needs attention" }
            @if tally.left() == 0 {
                p.quiet {
                    @match about.standing {
                        Standing::Ended => "Nothing: every visit in this file was delivered.",
                        Standing::Unfinished => "Nothing so far: every visit that has a row was delivered. The others have no row yet.",
                        Standing::Overtaken => "Nothing before the later run: every visit in this file was delivered.",
                    }
                }
            }
            @for cause in causes { (card(cause, undelivered)) }
            @if tally.other_causes > 0 {
                p.quiet { (count(tally.other_causes, "more visit has another cause", "more visits have other causes")) "." }
            }
        }
    }
}

fn card(cause: &CauseTally, undelivered: u64) -> Markup {
    let status = cause.status;
    html! {
        article.cause {
            header {
                h3 {
                    code { bdi { (cause.title()) } }
                    span class={ "status " (status.name()) } { (status_name(status)) }
                }
                p.count {
                    strong { (grouped(cause.count)) } " "
                    span {
                        @if status.is_delivered() { "delivered before, and the key used again for another visit" }
                        @else { (share(cause.count, undelivered)) " of those not delivered" }
                        @if cause.earlier == cause.count { ", from an earlier run" }
                        @else if cause.earlier > 0 { ", " (grouped(cause.earlier)) " from an earlier run" }
                    }
                }
            }
            @if let Some(code) = ErrorCode::from_name(status, &cause.code) { p.hint { (with_code(&sentence(code.hint()))) } }
            @if !cause.examples.is_empty() {
                ol.samples {
                    // An error that follows for several visits is shown once, below them.
                    @for alike in cause.examples.chunk_by(|a, b| a.error == b.error) {
                        li {
                            @for example in alike { (who(example)) }
                            p.error { bdi { (alike[0].error) } }
                        }
                    }
                }
                @if cause.count > EXAMPLES as u64 && status != Status::NotAttempted {
                    p.quiet { "and " (grouped(cause.count - EXAMPLES as u64)) " more in the result file" }
                }
            }
        }
    }
}

fn who(example: &Example) -> Markup {
    html! {
        p.who {
            bdi.key { @if example.visit.is_empty() { "(no key)" } @else { (example.visit) } }
            span.store { "store " bdi { @if example.store.is_empty() { "(none)" } @else { (example.store) } } }
            bdi.source { (example.source) }
        }
    }
}
