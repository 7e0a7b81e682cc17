//! The section "Outcomes": the most important numbers, visits by status, and how the counts add up.

use super::about::{About, Standing};
use super::holdups::HoldUps;
use super::tally::ResultTally;
use super::throughput::pace;
use super::words::{status_meaning, status_name};
use crate::outcome::Status;
use crate::results::Manifest;
use crate::text::{count, duration_in_words, grouped, latency, share};
use maud::{Markup, html};

/// The length of the run in milliseconds: by the manifest, else from the first answer to the last.
fn length_ms(tally: &ResultTally, manifest: Option<&Manifest>) -> Option<u64> {
    let of_manifest = manifest.and_then(|manifest| manifest.start().zip(manifest.end()));
    let (start, end) = of_manifest.or(tally.first.zip(tally.last))?;
    u64::try_from((end - start).num_milliseconds()).ok()
}

pub(super) fn outcomes(tally: &ResultTally, about: &About, hold_ups: &HoldUps) -> Markup {
    let expected = about.expected(tally.visits());
    html! {
        section aria-labelledby="outcomes" {
            h2 #outcomes { "Outcomes" }
            (figures(tally, about, hold_ups))
            (by_status("All result rows", &|status| tally.count(status), expected))
            (sums(tally, about))
        }
    }
}

/// The few numbers that readers look for first.
fn figures(tally: &ResultTally, about: &About, hold_ups: &HoldUps) -> Markup {
    let (visits, delivered) = (tally.visits(), tally.delivered());
    let so_far = if about.standing == Standing::Unfinished { " so far" } else { "" };
    let length = length_ms(tally, about.manifest.as_ref());
    let typical = tally.latencies.quantile(0.5).zip(tally.latencies.quantile(0.95));
    html! {
        dl.figures {
            div {
                dt { "Delivered" (so_far) }
                @match about.expected(tally.visits()) {
                    Some(all) => dd { (share(delivered, all)) small { (grouped(delivered)) " of " (count(all, "visit", "visits")) } },
                    // Without a manifest the number of all visits is unknown.
                    None if about.standing == Standing::Unfinished => dd { (grouped(delivered)) },
                    None => dd { (share(delivered, visits)) small { (count(delivered, "visit", "visits")) } },
                }
            }
            @if let Some(ms) = length {
                div { dt { "Duration" } dd.words { (duration_in_words(ms)) @if let Some(still) = hold_ups.in_short() { small { (still) } } } }
            }
            @if tally.requests > 0 {
                div {
                    dt { "Requests" }
                    dd {
                        (grouped(tally.requests))
                        @if let Some(ms) = length.filter(|ms| *ms >= 500) {
                            small { (pace(tally.requests, ms)) " on average" }
                        }
                    }
                }
            }
            @if let Some((half, most)) = typical {
                div { dt { "Time per visit" } dd { (latency(half)) small { "median; 95% within " (latency(most)) } } }
            }
        }
    }
}

/// Visits by status as a bar and as a table. `all_of_them`: what the last line is called; `count`: how many there are of a status; `expected`: how many visits there are,
/// where some have no row yet.
pub(super) fn by_status(all_of_them: &str, count: &dyn Fn(Status) -> u64, expected: Option<u64>) -> Markup {
    let visits: u64 = Status::ALL.into_iter().map(count).sum();
    let all = expected.unwrap_or(visits);
    html! {
        (strip(count, visits, expected))
        table.outcomes {
            caption.unseen { "Visits by status" }
            thead {
                tr { th scope="col" { "Status" } th.number scope="col" { "Visits" } th.number scope="col" { "Share" } }
            }
            tbody {
                @for status in Status::ALL {
                    tr.none[count(status) == 0] {
                        th scope="row" {
                            span class={ "swatch " (status.name()) } aria-hidden="true" {}
                            span.name { (status_name(status)) }
                            span.meaning { (status_meaning(status)) }
                        }
                        td.number { (grouped(count(status))) }
                        td.number { (share(count(status), all)) }
                    }
                }
            }
            tfoot {
                tr { th scope="row" { (all_of_them) } td.number { (grouped(visits)) } td {} }
                @if let Some(all) = expected {
                    tr { th scope="row" { "Visits without a row yet" } td.number { (grouped(all - visits)) } td.number { (share(all - visits, all)) } }
                }
            }
        }
    }
}

/// A bar of all visits by status; at its end the visits without a row yet.
fn strip(count_of: &dyn Fn(Status) -> u64, rows: u64, expected: Option<u64>) -> Markup {
    let visits = expected.unwrap_or(rows);
    let parts = Status::ALL.into_iter().map(|status| (status.name(), status_name(status), count_of(status)));
    let parts = parts.chain(expected.map(|all| ("without", "Without a row yet", all - rows)));
    let parts: Vec<(&str, &str, u64)> = parts.filter(|(_, _, count)| *count > 0).collect();
    let words: Vec<String> =
        parts.iter().map(|(_, name, count)| format!("{} {}", name.to_lowercase(), grouped(*count))).collect();
    // A few visits among a million still get a visible part.
    let widths: Vec<f64> =
        parts.iter().map(|(_, _, count)| (*count as f64 * 1000.0 / visits.max(1) as f64).max(6.0)).collect();
    let scale = 1000.0 / widths.iter().sum::<f64>();
    let mut x = 0.0;
    let rects: Vec<(&str, f64, f64)> = parts
        .iter()
        .zip(&widths)
        .map(|((class, ..), width)| {
            let rect = (*class, x, width * scale);
            x += width * scale;
            rect
        })
        .collect();
    html! {
        @if visits > 0 {
            svg.strip viewBox="0 0 1000 20" preserveAspectRatio="none" role="img" aria-label={ "Of " (count(visits, "visit", "visits")) ": " (words.join(", ")) } {
                @for (class, x, width) in rects {
                    rect class=(class) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="20" {}
                }
            }
        }
    }
}

/// The line "rows read = result rows + identical duplicates", and the rows of earlier runs.
fn sums(tally: &ResultTally, about: &About) -> Markup {
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
