//! The page as a whole: its head, what happened in one sentence, the sections, what to do next.

use super::causes::{causes, sentence, with_code};
use super::course::course;
use super::groups::{days, stores};
use super::outcomes::outcomes;
use super::words::{ending, moment, shown, stamp};
use super::{About, Standing, Tally};
use crate::outcome::Status;
use crate::results::Manifest;
use crate::text::{count, grouped};
use chrono::{DateTime, Utc};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");
/// The page asks nobody for anything, whatever somebody got into a result file.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// By whom a page says that it was made, and pages that do not say so yet.
const MARKS: [&str; 2] = ["<meta name=\"generator\" content=\"traxload", "<p class=\"eyebrow\">traxload report"];

/// Whether a file that begins so is a page of a result file.
pub fn is_page(start: &str) -> bool {
    start.starts_with("<!DOCTYPE html>") && MARKS.iter().any(|mark| start.contains(mark))
}

/// The page of a result file.
pub fn page(tally: &Tally, about: &About) -> String {
    let headline = headline(tally, about);
    let file = about.results.file_name().map_or_else(String::new, |name| shown(&name.to_string_lossy(), 120));
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
                title { (headline) " · " (file) }
                link rel="icon" href="data:,";
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    p.eyebrow { "traxload report" span { bdi { (file) } } }
                    h1 { (headline) }
                    (lede(tally, about))
                    @for note in notes(tally, about) { p.note { strong { "Note: " } (note) } }
                }
                main {
                    @if tally.visits() > 0 {
                        (outcomes(tally, about))
                        (causes(tally, about))
                        (next(about))
                        (course(tally))
                        (stores(tally))
                        (days(tally))
                    } @else {
                        (next(about))
                    }
                    (origin(about))
                }
                footer {
                    p {
                        "Made by traxload " (env!("CARGO_PKG_VERSION")) " on "
                        time datetime=(stamp(about.made_at)) { (moment(about.made_at)) }
                        ". All times are in UTC. The result file has every visit in full."
                    }
                }
            }
        }
    };
    whole.into_string()
}

/// What happened, in one sentence.
fn headline(tally: &Tally, about: &About) -> String {
    let headline = match about.standing {
        Standing::Unfinished => unfinished(tally, about),
        Standing::Overtaken => {
            format!("A later run has not finished; before it, {}", in_the_middle(&ended(tally, about)))
        }
        Standing::Ended if stopped_early(tally, about) => {
            format!("The run stopped early: {}", in_the_middle(&ended(tally, about)))
        }
        Standing::Ended => ended(tally, about),
    };
    if about.is_sandbox { format!("Sandbox, nothing was sent to Trax. {headline}") } else { headline }
}

/// Of a run that has no end: how much of it there is.
fn unfinished(tally: &Tally, about: &About) -> String {
    let (visits, delivered) = (tally.visits(), grouped(tally.delivered()));
    let rows = match (visits, about.expected(tally)) {
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

/// A run that came to its end before its visits did.
fn stopped_early(tally: &Tally, about: &About) -> bool {
    match about.manifest.as_ref().and_then(|manifest| manifest.exit_code) {
        Some(4) => false,
        Some(5 | 6 | 130 | 143) => tally.undelivered() > 0,
        _ => tally.count(Status::NotAttempted) > 0,
    }
}

fn ended(tally: &Tally, about: &About) -> String {
    let (visits, delivered, left) = (tally.visits(), tally.delivered(), tally.undelivered());
    let exit = about.manifest.as_ref().and_then(|manifest| manifest.exit_code);
    let need = if left == 1 { "1 needs attention".to_owned() } else { format!("{} need attention", grouped(left)) };
    match (visits, left) {
        (0, _) => "There are no visits in this result file".to_owned(),
        _ if exit == Some(4) => {
            format!(
                "Nothing was sent: {} of {} are invalid",
                grouped(tally.count(Status::Invalid)),
                count(visits, "visit", "visits")
            )
        }
        (1, 0) => "The only visit is delivered".to_owned(),
        (_, 0) => format!("All {} visits delivered", grouped(visits)),
        _ if delivered == 0 => format!("None of {} delivered; {need}", count(visits, "visit", "visits")),
        _ => format!("{} of {} delivered; {need}", grouped(delivered), count(visits, "visit", "visits")),
    }
}

/// Words that no longer begin a sentence.
fn in_the_middle(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// When it was, how it ended.
fn lede(tally: &Tally, about: &About) -> Markup {
    let manifest = about.manifest.as_ref();
    let is_unfinished = about.standing == Standing::Unfinished;
    let start = manifest.and_then(|manifest| time(&manifest.started_at)).or(tally.first);
    let end =
        manifest.and_then(|manifest| time(manifest.finished_at.as_ref()?)).or(tally.last.filter(|_| !is_unfinished));
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
                @if let Some(code) = manifest.and_then(|manifest| manifest.exit_code) {
                    " " (sentence(ending(code)))
                }
            }
        }
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn notes(tally: &Tally, about: &About) -> Vec<String> {
    let mut notes = Vec::new();
    if about.standing == Standing::Unfinished {
        notes.push(
            "the run has not finished: it is going on, or it died. The page shows the visits whose rows were \
             written by the time it was made."
                .to_owned(),
        );
    }
    if tally.damaged > 0 {
        notes.push(format!(
            "{} of the file cannot be read and count nowhere on this page.",
            count(tally.damaged, "row", "rows")
        ));
    }
    if let Some(manifest) = about.manifest.as_ref().filter(|manifest| manifest.finished_at.is_some()) {
        notes.extend(changed(tally, manifest));
    }
    notes.extend(about.notes.iter().cloned());
    notes
}

/// A result file in which somebody has written since.
fn changed(tally: &Tally, manifest: &Manifest) -> Option<String> {
    let then: u64 = Status::ALL.into_iter().filter_map(|status| manifest.counts.get(status.name())).sum();
    let same = |status: Status| manifest.counts.get(status.name()).copied().unwrap_or(0) == tally.count(status);
    (!Status::ALL.into_iter().all(same)).then(|| {
        format!(
            "the file is not as the run left it: the manifest has {}, the file has {}, or other statuses.",
            count(then, "row", "rows"),
            grouped(tally.visits())
        )
    })
}

fn next(about: &About) -> Markup {
    html! {
        @if let Some(advice) = &about.next {
            section.next aria-labelledby="next" {
                h2 #next { "What to do next" }
                p { (with_code(&sentence(&advice.words))) }
                @if let Some(command) = &advice.command {
                    pre tabindex="0" { code { (shown(command, 4_000)) } }
                }
            }
        }
    }
}

/// Which job and which file this is about.
fn origin(about: &About) -> Markup {
    let manifest = about.manifest.as_ref();
    html! {
        section aria-labelledby="origin" {
            h2 #origin { "About this run" }
            dl.origin {
                dt { "Result file" } dd { bdi { (shown(&about.results.display().to_string(), 500)) } }
                @if let Some(manifest) = manifest {
                    dt { "Job" } dd { bdi { (shown(&manifest.job.display().to_string(), 500)) } }
                    dt { "Started in" } dd { bdi { (shown(&manifest.working_directory.display().to_string(), 500)) } }
                    dt { "API" } dd { bdi { (shown(&manifest.base_url, 300)) } ", project " bdi { (shown(&manifest.project, 200)) } }
                    @if let Some(code) = manifest.exit_code {
                        dt { "Exit code" } dd { (code) ": " (ending(code)) }
                    }
                    @for (name, value) in options(manifest) {
                        dt { (name) } dd { bdi { (shown(&value, 100)) } }
                    }
                }
            }
        }
    }
}

/// What the command line chose of the job.
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
