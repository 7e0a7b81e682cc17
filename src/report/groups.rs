//! Visits by store, the worst first, and by day.

use super::Tally;
use super::causes::title;
use super::outcomes::name;
use super::tally::{Group, STORES};
use super::words::{share, shown};
use crate::text::{count, grouped};
use chrono::{Datelike, NaiveDate};
use maud::{Markup, html};
use std::collections::BTreeMap;

/// Stores that the page lists.
const WORST: usize = 20;
/// Rows of the table of days; more of them are taken together by month, then by year.
const ROWS: usize = 62;

pub(super) fn stores(tally: &Tally) -> Markup {
    let mut worst: Vec<(&String, &Group)> = tally.stores.iter().filter(|(_, group)| group.undelivered > 0).collect();
    let concerned = worst.iter().filter(|(number, _)| !number.is_empty()).count();
    // More failures first, then a larger share of them, then by number.
    let order =
        |(number, group): &(&String, &Group)| (std::cmp::Reverse(group.undelivered), group.visits, (*number).clone());
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
                p.quiet { "No visit is undelivered at any of " (count(all, "store", "stores")) "." }
            } @else {
                p.quiet {
                    (grouped(concerned as u64)) " of " (count(all, "store has", "stores have")) " undelivered visits"
                    @if concerned > WORST { "; these are the " (WORST) " with the most" }
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
                                    th scope="row" { bdi { @if number.is_empty() { "(no number)" } @else { (shown(number, 60)) } } }
                                    td.number { (grouped(group.undelivered)) }
                                    td.number { (grouped(group.visits)) }
                                    td.number { (share(group.undelivered, group.visits)) }
                                    td {
                                        @if let Some(cause) = group.cause.and_then(|at| tally.causes.get(at)) {
                                            code { bdi { (title(cause)) } } " " span.meaning { (name(cause.status).to_lowercase()) }
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
                    "The first " (grouped(STORES as u64)) " different stores of the file are told apart; of "
                    (count(tally.other_stores.visits, "visit", "visits")) " to further ones, "
                    (grouped(tally.other_stores.undelivered)) " are not delivered."
                }
            }
        }
    }
}

pub(super) fn days(tally: &Tally) -> Markup {
    let (unit, rows) = by_period(&tally.days);
    let most = rows.values().map(|group| group.visits).max().unwrap_or(1);
    let without = [("No valid date", &tally.undated), ("Further days", &tally.other_days)];
    html! {
        section aria-labelledby="days" {
            h2 #days { "By " (unit) }
            p.quiet { "By visit_date. Bars show the visits of a " (unit) ", the part at their end those not delivered." }
            div.scroll tabindex="0" role="region" aria-label={ "Visits by " (unit) } {
                table.days {
                    caption.unseen { "Visits by " (unit) }
                    thead {
                        tr {
                            th scope="col" { (causes_capital(unit)) }
                            th.number scope="col" { "Visits" }
                            th.number scope="col" { "Not delivered" }
                            td.bar aria-hidden="true" {}
                        }
                    }
                    tbody {
                        @for (label, group) in &rows { (period(label, group, most)) }
                        @for (label, group) in without.into_iter().filter(|(_, group)| group.visits > 0) {
                            (period(label, group, most.max(group.visits)))
                        }
                    }
                }
            }
        }
    }
}

fn causes_capital(unit: &str) -> String {
    super::causes::sentence(unit).trim_end_matches('.').to_owned()
}

fn period(label: &str, group: &Group, most: u64) -> Markup {
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

/// Days by themselves where there are few, else by month, else by year.
fn by_period(days: &BTreeMap<NaiveDate, Group>) -> (&'static str, BTreeMap<String, Group>) {
    let together = |label: fn(&NaiveDate) -> String| {
        let mut rows: BTreeMap<String, Group> = BTreeMap::new();
        for (day, group) in days {
            rows.entry(label(day)).or_default().merge(group);
        }
        rows
    };
    if days.len() <= ROWS {
        return ("day", together(|day| day.to_string()));
    }
    let months = together(|day| format!("{:04}-{:02}", day.year(), day.month()));
    if months.len() <= ROWS { ("month", months) } else { ("year", together(|day| format!("{:04}", day.year()))) }
}
