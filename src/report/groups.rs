//! The sections "By store", the worst first, and "By day".

use super::tally::{GroupTally, ResultTally, STORES};
use super::words::{capitalized, status_name};
use crate::text::{count, grouped, printable, share};
use chrono::{Datelike, NaiveDate};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// At most this many stores are listed.
const WORST: usize = 20;
/// At most this many rows of days; more days are grouped by month, then by year.
const ROWS: usize = 62;

pub(super) fn stores(tally: &ResultTally) -> Markup {
    let mut worst: Vec<(&String, &GroupTally)> =
        tally.stores.iter().filter(|(_, group)| group.undelivered > 0).collect();
    let affected = worst.iter().filter(|(number, _)| !number.is_empty()).count();
    // More failures first, then a larger share of failures, then by number.
    let order = |(number, group): &(&String, &GroupTally)| {
        (std::cmp::Reverse(group.undelivered), group.visits, (*number).clone())
    };
    if worst.len() > WORST {
        worst.select_nth_unstable_by(WORST, |a, b| order(a).cmp(&order(b)));
        worst.truncate(WORST);
    }
    worst.sort_by_key(order);
    let all = tally.stores.keys().filter(|number| !number.is_empty()).count() as u64;
    html! {
        section aria-labelledby="stores" {
            h2 #stores { "By store" }
            @if worst.is_empty() {
                p.quiet { "Every visit to " (count(all, "store", "stores")) " was delivered." }
            } @else {
                p.quiet {
                    (grouped(affected as u64)) " of " (count(all, "store has", "stores have")) " undelivered visits"
                    @if affected > WORST { "; these are the " (WORST) " with the most" }
                    "."
                }
                div.scroll tabindex="0" role="region" aria-label="Stores with undelivered visits" {
                    table.stores {
                        caption.unseen { "Stores with undelivered visits, the worst first" }
                        thead {
                            tr {
                                th scope="col" { "Store" }
                                th.number scope="col" { "Not delivered" }
                                th.number scope="col" { "Of visits" }
                                th.number scope="col" { "Share" }
                                th scope="col" { "First cause" }
                            }
                        }
                        tbody {
                            @for (number, group) in worst {
                                tr {
                                    th scope="row" { bdi { @if number.is_empty() { "(no number)" } @else { (printable(number, 60)) } } }
                                    td.number { (grouped(group.undelivered)) }
                                    td.number { (grouped(group.visits)) }
                                    td.number { (share(group.undelivered, group.visits)) }
                                    td {
                                        @if let Some(cause) = group.cause.and_then(|at| tally.causes.get(at)) {
                                            code { bdi { (cause.title()) } } " " span.meaning { (status_name(cause.status).to_lowercase()) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
            @if tally.other_stores.visits > 0 {
                p.quiet {
                    "Only the first " (grouped(STORES as u64)) " stores of the file are counted one by one. Of "
                    (count(tally.other_stores.visits, "visit", "visits")) " to other stores, "
                    (grouped(tally.other_stores.undelivered)) " were not delivered."
                }
            }
        }
    }
}

pub(super) fn days(tally: &ResultTally) -> Markup {
    let (unit, rows) = by_period(&tally.days);
    let most = rows.values().map(|group| group.visits).max().unwrap_or(1);
    let others = [("No valid date", &tally.undated), ("Other days", &tally.other_days)];
    html! {
        section aria-labelledby="days" {
            h2 #days { "By " (unit) }
            p.quiet { "By visit_date. A bar shows the visits of a " (unit) "; the part at its end was not delivered." }
            div.scroll tabindex="0" role="region" aria-label={ "Visits by " (unit) } {
                table.days {
                    caption.unseen { "Visits by " (unit) }
                    thead {
                        tr {
                            th scope="col" { (capitalized(unit)) }
                            th.number scope="col" { "Visits" }
                            th.number scope="col" { "Not delivered" }
                            td.bar aria-hidden="true" {}
                        }
                    }
                    tbody {
                        @for (label, group) in &rows { (period(label, group, most)) }
                        @for (label, group) in others.into_iter().filter(|(_, group)| group.visits > 0) {
                            (period(label, group, most.max(group.visits)))
                        }
                    }
                }
            }
        }
    }
}

fn period(label: &str, group: &GroupTally, most: u64) -> Markup {
    let width = |n: u64| format!("width:{:.2}%", n as f64 * 100.0 / most.max(1) as f64);
    html! {
        tr {
            th scope="row" { (label) }
            td.number { (grouped(group.visits)) }
            td.number { (grouped(group.undelivered)) }
            td.bar aria-hidden="true" {
                span.delivered style=(width(group.visits - group.undelivered)) {}
                span.refused style=(width(group.undelivered)) {}
            }
        }
    }
}

/// The unit and its rows: days if there are few, else months, else years.
fn by_period(days: &BTreeMap<NaiveDate, GroupTally>) -> (&'static str, BTreeMap<String, GroupTally>) {
    let grouped_by = |label: fn(&NaiveDate) -> String| {
        let mut rows: BTreeMap<String, GroupTally> = BTreeMap::new();
        for (day, group) in days {
            rows.entry(label(day)).or_default().merge(group);
        }
        rows
    };
    if days.len() <= ROWS {
        return ("day", grouped_by(|day| day.to_string()));
    }
    let months = grouped_by(|day| format!("{:04}-{:02}", day.year(), day.month()));
    if months.len() <= ROWS { ("month", months) } else { ("year", grouped_by(|day| format!("{:04}", day.year()))) }
}
