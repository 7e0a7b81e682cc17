//! Words of the page: what statuses are called, sentences, times.

use crate::outcome::{Exit, Status};
use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

/// What a status is called on the page.
pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Uploaded => "Uploaded",
        Status::AlreadyReceived => "Already received",
        Status::Invalid => "Invalid",
        Status::Rejected => "Rejected",
        Status::Failed => "Failed",
        Status::NotAttempted => "Not attempted",
    }
}

/// What a status means, in a few words.
pub(super) fn status_meaning(status: Status) -> &'static str {
    match status {
        Status::Uploaded => "the API took it in this run",
        Status::AlreadyReceived => "the API had it before",
        Status::Invalid => "it has problems; never sent",
        Status::Rejected => "the API refused it for good",
        Status::Failed => "no attempt got a definite answer",
        Status::NotAttempted => "the run stopped before its turn",
    }
}

/// How a run ended, in a few words. `undelivered`: how many of its visits were not delivered.
pub(super) fn ending(exit: Exit, undelivered: u64) -> &'static str {
    match exit {
        Exit::Done if undelivered > 0 => "finished, and what was not delivered was told before",
        exit => exit.in_short(),
    }
}

/// The words with a capital at their start and a full stop at their end.
pub(super) fn sentence(words: &str) -> String {
    let end = if words.ends_with(['.', '?', '!', ':']) { "" } else { "." };
    capitalized(words) + end
}

/// The words with a capital at their start.
pub(super) fn capitalized(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// The words with a small letter at their start, as in the middle of a sentence.
pub(super) fn uncapitalized(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Words with backticks around what is typed, as markup.
pub(super) fn with_code(words: &str) -> Markup {
    html! {
        @for (at, part) in words.split('`').enumerate() {
            @if at % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// `24 November 2026, 01:05:15 UTC`.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

/// `2026-11-24T01:05:15.000Z`, for programs that read the page.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}
