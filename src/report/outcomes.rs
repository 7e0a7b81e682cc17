//! How it ended: the numbers that matter most, visits by status, and how the counts add up.

use super::words::{duration, share, wait};
use super::{About, Tally};
use crate::results::{Manifest, Status};
use crate::text::{count, grouped};
use chrono::DateTime;
use maud::{Markup, html};

/// What a status is called and what it means.
pub(super) fn name(status: Status) -> &'static str {
    match status {
        Status::Uploaded => "Uploaded",
        Status::AlreadyReceived => "Already received",
        Status::Invalid => "Invalid",
        Status::Rejected => "Rejected",
        Status::Failed => "Failed",
        Status::NotAttempted => "Not attempted",
    }
}

fn meaning(status: Status) -> &'static str {
    match status {
        Status::Uploaded => "the API took it in this run",
        Status::AlreadyReceived => "the API had it before",
        Status::Invalid => "it has problems; never sent",
        Status::Rejected => "the API refused it for good",
        Status::Failed => "no attempt got an answer that settles it",
        Status::NotAttempted => "the run stopped before its turn",
    }
}

/// The run's length: what the manifest says, else from the first answer to the last.
pub(super) fn length_ms(tally: &Tally, manifest: Option<&Manifest>) -> Option<u64> {
    let time = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    let written =
        manifest.and_then(|manifest| Some((time(&manifest.started_at)?, time(manifest.finished_at.as_ref()?)?)));
    let (start, end) = written.or(tally.first.zip(tally.last))?;
    u64::try_from((end - start).num_milliseconds()).ok()
}

pub(super) fn outcomes(tally: &Tally, about: &About) -> Markup {
    let visits = tally.visits();
    html! {
        section aria-labelledby="outcomes" {
            h2 #outcomes { "Outcomes" }
            (figures(tally, about))
            (strip(tally))
            table.outcomes {
                caption.unseen { "Visits by status" }
                thead {
                    tr { th scope="col" { "Status" } th.number scope="col" { "Visits" } th.number scope="col" { "Share" } }
                }
                tbody {
                    @for status in Status::ALL {
                        tr.none[tally.count(status) == 0] {
                            th scope="row" {
                                span class={ "swatch " (status.name()) } aria-hidden="true" {}
                                span.name { (name(status)) }
                                span.meaning { (meaning(status)) }
                            }
                            td.number { (grouped(tally.count(status))) }
                            td.number { (share(tally.count(status), visits)) }
                        }
                    }
                }
                tfoot {
                    tr { th scope="row" { "All result rows" } td.number { (grouped(visits)) } td {} }
                }
            }
            (sums(tally, about))
        }
    }
}

/// The few numbers that are looked for first.
fn figures(tally: &Tally, about: &About) -> Markup {
    let visits = tally.visits();
    let length = length_ms(tally, about.manifest.as_ref());
    let typical = tally.spread.quantile(0.5).zip(tally.spread.quantile(0.95));
    html! {
        dl.figures {
            div { dt { "Delivered" } dd { (share(tally.delivered(), visits)) small { (count(tally.delivered(), "visit", "visits")) } } }
            @if let Some(ms) = length {
                div { dt { "Duration" } dd.words { (duration(ms)) } }
            }
            @if tally.requests > 0 {
                div {
                    dt { "Requests" }
                    dd {
                        (grouped(tally.requests))
                        @if let Some(ms) = length.filter(|ms| *ms >= 500) {
                            small { (super::course::pace(tally.requests, ms)) " on average" }
                        }
                    }
                }
            }
            @if let Some((half, most)) = typical {
                div { dt { "Time per visit" } dd { (wait(half)) small { "median; 95% within " (wait(most)) } } }
            }
        }
    }
}

/// All visits as one bar.
fn strip(tally: &Tally) -> Markup {
    let visits = tally.visits();
    let parts: Vec<(Status, u64)> =
        Status::ALL.into_iter().map(|status| (status, tally.count(status))).filter(|(_, count)| *count > 0).collect();
    let words: Vec<String> =
        parts.iter().map(|(status, count)| format!("{} {}", name(*status).to_lowercase(), grouped(*count))).collect();
    // A handful among a million is still to be seen.
    let widths: Vec<f64> =
        parts.iter().map(|(_, count)| (*count as f64 * 1000.0 / visits.max(1) as f64).max(6.0)).collect();
    let scale = 1000.0 / widths.iter().sum::<f64>();
    let mut x = 0.0;
    let rects: Vec<(Status, f64, f64)> = parts
        .iter()
        .zip(&widths)
        .map(|((status, _), width)| {
            let rect = (*status, x, width * scale);
            x += width * scale;
            rect
        })
        .collect();
    html! {
        @if visits > 0 {
            svg.strip viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label={ "Of " (count(visits, "visit", "visits")) ": " (words.join(", ")) } {
                @for (status, x, width) in rects {
                    rect class=(status.name()) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="20" {}
                }
            }
        }
    }
}

/// Rows read = result rows + identical duplicates.
fn sums(tally: &Tally, about: &About) -> Markup {
    let of = |name: &str| about.manifest.as_ref().and_then(|manifest| manifest.counts.get(name)).copied();
    let finished = about.manifest.as_ref().is_some_and(|manifest| manifest.finished_at.is_some());
    let gone = of("carried_over_not_in_exports").unwrap_or(0);
    let rows = tally.visits().saturating_sub(gone);
    let carried = of("carried_over").unwrap_or(0);
    html! {
        @if let (true, Some(read), Some(duplicates)) = (finished, of("rows_read"), of("identical_duplicates")) {
            p.sum {
                strong { (grouped(read)) } (if read == 1 { " row read" } else { " rows read" })
                @if read == rows + duplicates { " = " } @else { " ≠ " }
                strong { (grouped(rows)) } (if rows == 1 { " result row" } else { " result rows" })
                " + "
                strong { (grouped(duplicates)) } (if duplicates == 1 { " identical duplicate" } else { " identical duplicates" })
            }
        }
        @if finished && carried > 0 {
            p.quiet {
                (count(carried, "row was", "rows were")) " carried over from an earlier run"
                @if gone > 0 {
    "; " (grouped(gone)) " of them " (if gone == 1 { "is" } else { "are" }) " no longer in the exports and not among the rows read"
                }
                "."
            }
        }
    }
}
