//! The page of many result files, such as the slices of a migration: a line for each, and totals over all.

use super::about::{Advice, Standing};
use super::outcomes::by_status;
use super::page::{Frame, document};
use super::slices::{SliceTally, Totals};
use super::words::{ending, moment, sentence, stamp, status_name, with_code};
use crate::outcome::ErrorCode;
use crate::text::{count, grouped, printable, share};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// At most this many files have a line of their own.
const LINES: usize = 5_000;
/// At most this many commands are shown.
const COMMANDS: usize = 20;

/// What an overview says besides the rows of its files.
#[derive(Debug)]
pub(crate) struct OverviewAbout {
    /// Where the files are: a folder, a pattern.
    pub(crate) place: String,
    /// Files that are no result files.
    pub(crate) passed: Vec<String>,
    /// When the page was made.
    pub(crate) made_at: DateTime<Utc>,
}

/// The page of these files, an HTML document that needs no other file.
pub(crate) fn overview(slices: &[SliceTally], totals: &Totals, about: &OverviewAbout) -> String {
    let without: u64 = counted(slices).map(SliceTally::without_row).sum();
    let expected = (without > 0).then(|| totals.visits() + without);
    let sections = html! {
        (next(slices))
        @if totals.visits() > 0 || without > 0 {
            section aria-labelledby="outcomes" {
                h2 #outcomes { "All files together" }
                (figures(slices, totals, without))
                (by_status("All visits that have a row", &|status| totals.count(status), expected))
            }
            (causes(totals))
        }
        (lines(slices))
    };
    let frame = Frame {
        subject: &printable(&about.place, 120),
        headline: headline(slices, totals),
        lede: lede(slices),
        notes: notes(slices, totals, about),
        made_at: about.made_at,
        ending: "The result files have every visit in full.",
    };
    document(&frame, &sections)
}

/// The files whose visits are in the totals.
fn counted(slices: &[SliceTally]) -> impl Iterator<Item = &SliceTally> {
    slices.iter().filter(|slice| slice.file.counts)
}

/// Files that are not finished, or that cannot be read: nothing is known of some of their visits.
fn open_files(slices: &[SliceTally]) -> u64 {
    let is_open = |slice: &&SliceTally| slice.file.standing != Standing::Ended || slice.unreadable.is_some();
    counted(slices).filter(is_open).count() as u64
}

fn headline(slices: &[SliceTally], totals: &Totals) -> String {
    let (visits, delivered) = (totals.visits(), totals.delivered());
    let files = count(counted(slices).count() as u64, "file", "files");
    let left = visits - delivered + totals.reused;
    let open = open_files(slices);
    let visits = match (visits, left) {
        (0, _) => format!("No visit has a row in {files}"),
        (_, 0) if open == 0 => format!("All {} of {files} delivered", count(visits, "visit", "visits")),
        (_, 0) => format!("{} of {files} delivered", count(visits, "visit", "visits")),
        _ => {
            let need = if left == 1 { "needs" } else { "need" };
            let (delivered, left) = (grouped(delivered), grouped(left));
            format!("{delivered} of {} in {files} delivered; {left} {need} attention", count(visits, "visit", "visits"))
        }
    };
    let unfinished = match open {
        0 => String::new(),
        1 => "; 1 file is not finished".to_owned(),
        n => format!("; {} files are not finished", grouped(n)),
    };
    let is_sandbox = counted(slices).next().is_some_and(|slice| slice.file.is_sandbox);
    let sandbox = if is_sandbox { "Sandbox, nothing was sent to Trax. " } else { "" };
    format!("{sandbox}{visits}{unfinished}")
}

fn lede(slices: &[SliceTally]) -> Markup {
    let first = counted(slices).filter_map(|slice| slice.first).min();
    let last = counted(slices).filter_map(|slice| slice.last).max();
    html! {
        p.lede {
            @if let Some((first, last)) = first.zip(last) {
                "The first answer came " time datetime=(stamp(first)) { (moment(first)) }
                ", the last one " time datetime=(stamp(last)) { (moment(last)) } "."
            }
        }
    }
}

fn figures(slices: &[SliceTally], totals: &Totals, without: u64) -> Markup {
    let (visits, delivered) = (totals.visits(), totals.delivered());
    let open = open_files(slices);
    html! {
        dl.figures {
            div {
                dt { "Delivered" @if open > 0 { " so far" } }
                dd { (share(delivered, visits + without)) small { (grouped(delivered)) " of " (count(visits + without, "visit", "visits")) } }
            }
            div { dt { "Not delivered" } dd { (grouped(visits - delivered)) } }
            @if without > 0 { div { dt { "Without a row yet" } dd { (grouped(without)) } } }
            div {
                dt { "Files" }
                dd { (grouped(slices.len() as u64)) @if open > 0 { small { (grouped(open)) " not finished" } } }
            }
        }
    }
}

fn notes(slices: &[SliceTally], totals: &Totals, about: &OverviewAbout) -> Vec<String> {
    let mut notes = Vec::new();
    if totals.repeated > 0 {
        notes.push(format!(
            "{} tell of a visit that another row tells of too, in another file or in the journal of a rerun. Each visit \
             counts once in what all files come to: as delivered where any row says so, else as the latest row says.",
            count(totals.repeated, "row", "rows")
        ));
    }
    let apart = slices.iter().filter(|slice| !slice.file.counts).count() as u64;
    if apart > 0 {
        let (are, their) = if apart == 1 { ("is", "its") } else { ("are", "their") };
        notes.push(format!(
            "{} {are} of a sandbox: nothing of it was sent to Trax, so {their} visits are not in what all files come to.",
            count(apart, "file", "files")
        ));
    }
    let places: BTreeSet<(&str, &str)> = counted(slices)
        .filter_map(|slice| slice.file.manifest.as_ref())
        .map(|manifest| (manifest.base_url.as_str(), manifest.project.as_str()))
        .collect();
    if places.len() > 1 {
        let places: Vec<String> = places.iter().map(|(url, project)| format!("{url}, project {project}")).collect();
        notes.push(printable(&format!("the files were sent to different places: {}.", places.join("; ")), 1_000));
    }
    let damaged: u64 = slices.iter().map(|slice| slice.damaged).sum();
    if damaged > 0 {
        notes.push(format!("{} cannot be read and are left out.", count(damaged, "row", "rows")));
    }
    if !about.passed.is_empty() {
        notes.push(format!("passed over: {}.", passed_over(&about.passed)));
    }
    notes
}

/// `2 files that are no result files: a.txt, b.txt`.
pub(crate) fn passed_over(files: &[String]) -> String {
    const NAMED: usize = 5;
    let named: Vec<String> = files.iter().take(NAMED).map(|file| printable(file, 120)).collect();
    let more = if files.len() > NAMED { ", …" } else { "" };
    let what = count(files.len() as u64, "file that is no result file", "files that are no result files");
    format!("{what}: {}{more}", named.join(", "))
}

/// The section "What to do next": the command for each file that is left.
fn next(slices: &[SliceTally]) -> Markup {
    let left: Vec<&Advice> = counted(slices).filter_map(|slice| slice.next.as_ref()).collect();
    let with_command = left.iter().filter(|advice| advice.command.is_some()).count();
    // Files that need the same words stand together.
    let mut by_words: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut shown = 0;
    for advice in &left {
        let at = by_words.iter().position(|(words, _)| *words == advice.words).unwrap_or_else(|| {
            by_words.push((&advice.words, Vec::new()));
            by_words.len() - 1
        });
        if let Some(command) = advice.command.as_deref().filter(|_| shown < COMMANDS) {
            shown += 1;
            by_words[at].1.push(command);
        }
    }
    html! {
        @if !left.is_empty() {
            section.next aria-labelledby="next" {
                h2 #next { "What to do next" }
                @for (words, commands) in by_words {
                    p { (with_code(&sentence(words))) }
                    @if !commands.is_empty() {
                        pre tabindex="0" { code { @for command in commands { (printable(command, 4_000)) "\n" } } }
                    }
                }
                @if with_command > shown {
                    p.quiet { "and likewise for " (count((with_command - shown) as u64, "more file", "more files")) " below." }
                }
            }
        }
    }
}

fn causes(totals: &Totals) -> Markup {
    html! {
        section aria-labelledby="causes" {
            h2 #causes { "What needs attention" }
            @if totals.causes.is_empty() && totals.other_causes == 0 {
                p.quiet { "Nothing: every visit that has a row was delivered." }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Causes" {
                    table.causes {
                        caption.unseen { "Undelivered visits by cause" }
                        thead {
                            tr {
                                th scope="col" { "Cause" }
                                th scope="col" { "Status" }
                                th.number scope="col" { "Visits" }
                                th scope="col" { "What helps" }
                            }
                        }
                        tbody {
                            @for (status, code, visits) in &totals.causes {
                                tr {
                                    th scope="row" { code { bdi { @if code.is_empty() { "no code" } @else { (printable(code, 60)) } } } }
                                    td { span class={ "status " (status.name()) } { (status_name(*status)) } }
                                    td.number { (grouped(*visits)) }
                                    td.words { @if let Some(code) = ErrorCode::from_name(*status, code) { (with_code(&sentence(code.hint()))) } }
                                }
                            }
                        }
                    }
                }
                @if totals.other_causes > 0 {
                    p.quiet { (count(totals.other_causes, "more visit has another cause", "more visits have other causes")) "." }
                }
            }
        }
    }
}

/// The section "File by file".
fn lines(slices: &[SliceTally]) -> Markup {
    html! {
        section aria-labelledby="files" {
            h2 #files { "File by file" }
            div.scroll tabindex="0" role="region" aria-label="Result files" {
                table.files {
                    caption.unseen { "Result files" }
                    thead {
                        tr {
                            th scope="col" { "File" }
                            th.number scope="col" { "Rows" }
                            th.number scope="col" { "Delivered" }
                            th.number scope="col" { "Not delivered" }
                            th scope="col" { "First answer" }
                            th scope="col" { "Last answer" }
                            th scope="col" { "State" }
                        }
                    }
                    tbody { @for slice in slices.iter().take(LINES) { (line(slice)) } }
                }
            }
            @if slices.len() > LINES {
                p.quiet { "and " (grouped((slices.len() - LINES) as u64)) " more files, which are in what all files come to" }
            }
        }
    }
}

fn line(slice: &SliceTally) -> Markup {
    let left = slice.rows() - slice.delivered();
    let state = state(slice);
    let time =
        |time: Option<DateTime<Utc>>| time.map(|time| time.format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default();
    html! {
        tr.open[state.is_open] {
            th scope="row" { bdi { (printable(&slice.file.shown.display().to_string(), 200)) } }
            td.number { (grouped(slice.rows())) }
            td.number { (grouped(slice.delivered())) }
            td.number.left[left > 0] { (grouped(left)) }
            td.time { (time(slice.first)) }
            td.time { (time(slice.last)) }
            td.words { (state.words) }
        }
    }
}

struct State {
    words: String,
    /// Whether something is to be done before the file is what it will be.
    is_open: bool,
}

fn state(slice: &SliceTally) -> State {
    let of_run = match (&slice.unreadable, slice.file.standing) {
        (Some(reason), _) => return State { words: printable(reason, 300), is_open: true },
        (None, Standing::Unfinished) => {
            let without = match slice.without_row() {
                0 => String::new(),
                n => format!("; {}", count(n, "visit has no row yet", "visits have no row yet")),
            };
            State { words: format!("not finished: the run still goes on, or it died{without}"), is_open: true }
        }
        (None, Standing::Overtaken) => {
            let journal = count(slice.in_journal, "row", "rows");
            State { words: format!("a later run has begun and not ended: {journal} in its journal"), is_open: true }
        }
        (None, Standing::Ended) => match slice.exit() {
            Some(exit) => State { words: ending(exit, slice.rows() - slice.delivered()).to_owned(), is_open: false },
            None => State { words: "no manifest: how the run ended is not known".to_owned(), is_open: false },
        },
    };
    let words = if slice.file.is_sandbox { format!("sandbox; {}", of_run.words) } else { of_run.words };
    State { words, ..of_run }
}

/// Whether a file is one that a person should look at, and why.
pub(crate) fn trouble(slice: &SliceTally) -> Option<String> {
    let state = state(slice);
    state.is_open.then(|| format!("{}: {}", slice.file.shown.display(), state.words))
}

/// What all files come to, in one line for the console.
pub(crate) fn in_short(slices: &[SliceTally], totals: &Totals) -> String {
    let left = totals.visits() - totals.delivered();
    let reused = match totals.reused {
        0 => String::new(),
        n => format!(", {}", count(n, "key used again", "keys used again")),
    };
    format!(
        "{}: {}, {} delivered, {} not delivered{reused}",
        count(slices.len() as u64, "file", "files"),
        count(totals.visits(), "visit", "visits"),
        grouped(totals.delivered()),
        grouped(left),
    )
}
