//! The page as a whole: its head, what happened in one sentence, what to do next, the sections.

use super::about::{About, Standing};
use super::causes::causes;
use super::groups::{days, stores};
use super::holdups::hold_ups;
use super::outcomes::outcomes;
use super::tally::ResultTally;
use super::throughput::throughput;
use super::words::{ending, moment, sentence, stamp, uncapitalized, with_code};
use crate::outcome::{Exit, Status};
use crate::results::Manifest;
use crate::text::{count, grouped, printable};
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
/// The page loads nothing from anywhere, even if a text of the result file became markup.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// What a page says about the program that made it.
const GENERATOR: &str = "<meta name=\"generator\" content=\"traxload";

/// Whether a file that begins with this text is a page that [`page`] made.
pub(crate) fn is_page(start: &str) -> bool {
    start.starts_with("<!DOCTYPE html>") && start.contains(GENERATOR)
}

/// The page of a result file: an HTML document that needs no other file.
pub(crate) fn page(tally: &ResultTally, about: &About) -> String {
    let headline = headline(tally, about);
    let file = about.results.file_name().map_or_else(String::new, |name| printable(&name.to_string_lossy(), 120));
    let hold_ups = hold_ups(tally, about);
    let lede = lede(tally, about);
    let sections = html! {
        (next(about))
        @if tally.visits() > 0 {
            (outcomes(tally, about, &hold_ups))
            (causes(tally, about))
            (hold_ups.section(tally, about))
            (throughput(tally, &hold_ups))
            (stores(tally))
            (days(tally))
        }
        (origin(tally, about))
    };
    let ending = "The result file has every visit in full.";
    document(
        &Frame { subject: &file, headline, lede, notes: notes(tally, about), made_at: about.made_at, ending },
        &sections,
    )
}

/// What stands around the sections of a page.
pub(super) struct Frame<'a> {
    /// What the page is about: a file, a folder.
    pub(super) subject: &'a str,
    /// What happened, in one sentence.
    pub(super) headline: String,
    pub(super) lede: Markup,
    /// What readers must know before they trust the numbers.
    pub(super) notes: Vec<String>,
    pub(super) made_at: DateTime<Utc>,
    /// The last sentence.
    pub(super) ending: &'a str,
}

/// An HTML document that needs no other file.
pub(super) fn document(frame: &Frame<'_>, sections: &Markup) -> String {
    let whole = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content={ "traxload " (env!("CARGO_PKG_VERSION")) };
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="robots" content="noindex";
                title { (frame.headline) " · " (frame.subject) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    p.eyebrow { "traxload report" span { bdi { (frame.subject) } } }
                    h1 { (frame.headline) }
                    (frame.lede)
                    @for note in &frame.notes { p.note { strong { "Note: " } (note) } }
                }
                main { (sections) }
                footer {
                    p {
                        "Made by traxload " (env!("CARGO_PKG_VERSION")) " on "
                        time datetime=(stamp(frame.made_at)) { (moment(frame.made_at)) }
                        ". All times are in UTC. " (frame.ending)
                    }
                }
            }
        }
    };
    whole.into_string()
}

/// What happened, in one sentence.
fn headline(tally: &ResultTally, about: &About) -> String {
    let headline = match about.standing {
        Standing::Unfinished => unfinished(tally, about),
        Standing::Overtaken => {
            format!("A later run has not finished; before it, {}", uncapitalized(&ended(tally, about)))
        }
        Standing::Ended if stopped_early(tally, about) => {
            format!("The run stopped early: {}", uncapitalized(&ended(tally, about)))
        }
        Standing::Ended => ended(tally, about),
    };
    if about.is_sandbox { format!("Sandbox, nothing was sent to Trax. {headline}") } else { headline }
}

/// How many visits of an unfinished run have a row.
fn unfinished(tally: &ResultTally, about: &About) -> String {
    let (visits, delivered) = (tally.visits(), grouped(tally.delivered()));
    let rows = match (visits, about.expected(visits)) {
        (0, None) => "no visit has a row yet".to_owned(),
        (0, Some(all)) => format!("none of {} has a row yet", count(all, "visit", "visits")),
        (1, None) => format!("1 visit has a row so far, {delivered} delivered"),
        (_, None) => format!("{} visits have a row so far, {delivered} delivered", grouped(visits)),
        (_, Some(all)) => {
            let have = if visits == 1 { "has" } else { "have" };
            format!("{} of {} {have} a row, {delivered} delivered", grouped(visits), count(all, "visit", "visits"))
        }
    };
    format!("The run has not finished: {rows}")
}

/// Whether the run ended before it had tried all visits.
fn stopped_early(tally: &ResultTally, about: &About) -> bool {
    match about.exit() {
        Some(Exit::TooManyInvalid) => false,
        Some(Exit::ApiDown | Exit::KeyRefused | Exit::Interrupted | Exit::Terminated) => tally.undelivered() > 0,
        _ => tally.count(Status::NotAttempted) > 0,
    }
}

/// How many visits a run that has ended delivered.
fn ended(tally: &ResultTally, about: &About) -> String {
    let (visits, delivered, left) = (tally.visits(), tally.delivered(), tally.left());
    let need = match about.exit() {
        Some(Exit::Done) => {
            count(left, "key is used again, as was told before", "keys are used again, as was told before")
        }
        _ => count(left, "needs attention", "need attention"),
    };
    match (visits, left) {
        (0, _) => "There are no visits in this result file".to_owned(),
        _ if about.exit() == Some(Exit::TooManyInvalid) => {
            format!(
                "Nothing was sent: {} of {} are invalid",
                grouped(tally.count(Status::Invalid)),
                count(visits, "visit", "visits")
            )
        }
        (1, 0) => "The only visit was delivered".to_owned(),
        (_, 0) => format!("All {} visits delivered", grouped(visits)),
        _ if delivered == 0 => format!("None of {} delivered; {need}", count(visits, "visit", "visits")),
        _ => format!("{} of {} delivered; {need}", grouped(delivered), count(visits, "visit", "visits")),
    }
}

/// When the run was, and how it ended.
fn lede(tally: &ResultTally, about: &About) -> Markup {
    let manifest = about.manifest.as_ref();
    let is_unfinished = about.standing == Standing::Unfinished;
    let start = manifest.and_then(Manifest::start).or(tally.first);
    let end = manifest.and_then(Manifest::end).or(tally.last.filter(|_| !is_unfinished));
    html! {
        p.lede {
            @if let Some(start) = start {
                "Started " time datetime=(stamp(start)) { (moment(start)) }
                @if let Some(end) = end {
                    ", ended "
                    @if end.date_naive() != start.date_naive() { (end.format("%-d %B, ").to_string()) }
                    time datetime=(stamp(end)) { (end.format("%H:%M:%S UTC").to_string()) }
                }
                "."
                @if let Some(exit) = about.exit() {
                    " " (sentence(ending(exit, tally.undelivered())))
                }
            }
        }
    }
}

/// What readers must know before they trust the numbers.
fn notes(tally: &ResultTally, about: &About) -> Vec<String> {
    let mut notes = Vec::new();
    if about.standing == Standing::Unfinished {
        notes.push(
            "the run has not finished: it is still going on, or it died. The page shows the visits whose rows were \
             written before the page was made."
                .to_owned(),
        );
    }
    if tally.damaged > 0 {
        let them = if tally.damaged == 1 { "it" } else { "them" };
        notes.push(format!(
            "{} of the file cannot be read; this page leaves {them} out.",
            count(tally.damaged, "row", "rows")
        ));
    }
    if let Some(manifest) = about.manifest.as_ref().filter(|manifest| manifest.finished_at.is_some()) {
        notes.extend(changed(tally, manifest));
    }
    notes.extend(about.notes.iter().cloned());
    notes
}

/// A note if the rows of the file are not those that the manifest counts.
fn changed(tally: &ResultTally, manifest: &Manifest) -> Option<String> {
    let counted: u64 = Status::ALL.into_iter().filter_map(|status| manifest.counts.get(status.name())).sum();
    let same = |status: Status| manifest.counts.get(status.name()).copied().unwrap_or(0) == tally.count(status);
    (!Status::ALL.into_iter().all(same)).then(|| {
        format!(
            "the file was changed after the run: the manifest counts {}, the file has {}, or their statuses differ.",
            count(counted, "row", "rows"),
            grouped(tally.visits())
        )
    })
}

/// The section "What to do next".
fn next(about: &About) -> Markup {
    html! {
        @if let Some(advice) = &about.next {
            section.next aria-labelledby="next" {
                h2 #next { "What to do next" }
                p { (with_code(&sentence(&advice.words))) }
                @if let Some(command) = &advice.command {
                    pre tabindex="0" { code { (printable(command, 4_000)) } }
                }
            }
        }
    }
}

/// The section "About this run": its file, its job and its options.
fn origin(tally: &ResultTally, about: &About) -> Markup {
    let manifest = about.manifest.as_ref();
    html! {
        section aria-labelledby="origin" {
            h2 #origin { "About this run" }
            dl.origin {
                dt { "Result file" } dd { bdi { (printable(&about.results.display().to_string(), 500)) } }
                @if let Some(manifest) = manifest {
                    dt { "Job" } dd { bdi { (printable(&manifest.job.display().to_string(), 500)) } }
                    dt { "Working directory" } dd { bdi { (printable(&manifest.working_directory.display().to_string(), 500)) } }
                    dt { "API" } dd { bdi { (printable(&manifest.base_url, 300)) } ", project " bdi { (printable(&manifest.project, 200)) } }
                    @if let Some((code, exit)) = manifest.exit_code.zip(about.exit()) {
                        dt { "Exit code" } dd { (code) ": " (ending(exit, tally.undelivered())) }
                    }
                    @for (name, value) in options(manifest) {
                        dt { (name) } dd { bdi { (printable(&value, 100)) } }
                    }
                }
            }
        }
    }
}

/// The options of the command line, with their names.
fn options(manifest: &Manifest) -> Vec<(&'static str, String)> {
    let options = &manifest.options;
    let named = [
        ("Date", options.date.clone()),
        ("From", options.from.clone()),
        ("To", options.to.clone()),
        ("Limit", options.limit.map(grouped)),
        ("Rate", options.rate.clone()),
    ];
    named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}
