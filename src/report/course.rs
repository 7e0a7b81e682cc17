//! The course of the run: how many visits were settled when, and how long each took.

use super::Tally;
use super::chart::{Chart, Scale, bars, line};
use super::timeline::Slice;
use super::words::{duration, wait};
use crate::text::{count, grouped};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

/// How often something happened in this time: `99 per second`, `3.5 per minute`.
pub(super) fn pace(n: u64, ms: u64) -> String {
    let per_second = n as f64 * 1000.0 / ms.max(1) as f64;
    let (_, factor, unit) = unit(per_second);
    format!("{} per {unit}", amount(per_second * factor))
}

/// The unit in which a rate is told: milliseconds, what a rate a second is multiplied by, its name.
fn unit(per_second: f64) -> (f64, f64, &'static str) {
    match per_second {
        r if r >= 1.0 => (1000.0, 1.0, "second"),
        r if r >= 1.0 / 60.0 => (60_000.0, 60.0, "minute"),
        _ => (3_600_000.0, 3600.0, "hour"),
    }
}

fn amount(value: f64) -> String {
    match value {
        v if v >= 10.0 => grouped(v.round() as u64),
        v => format!("{}", (v * 10.0).round() / 10.0),
    }
}

/// A mark of a scale, whose steps may be finer than an amount.
fn mark(value: f64) -> String {
    if value >= 10.0 && value.fract() == 0.0 {
        grouped(value as u64)
    } else {
        format!("{}", (value * 100.0).round() / 100.0)
    }
}

pub(super) fn course(tally: &Tally) -> Markup {
    let range = tally.timeline.range();
    html! {
        section aria-labelledby="course" {
            h2 #course { "Course of the run" }
            @match range {
                None => p.quiet { "No visit was sent, so there is no course to show." },
                Some((start, end)) => {
                    @if tally.earlier > 0 {
                        p.quiet { (count(tally.earlier, "visit", "visits")) " settled by an earlier run are not part of it." }
                    }
                    div.charts { (throughput(tally, start, end)) (latency(tally, start, end)) }
                    (table(tally, start))
                }
            }
        }
    }
}

fn throughput(tally: &Tally, start: DateTime<Utc>, end: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let slices = timeline.len();
    let length = timeline.length_ms();
    let most = timeline.slices().max_by_key(|(_, slice)| slice.settled());
    let peak = most.map_or(0.0, |(_, slice)| slice.settled() as f64 * 1000.0 / length as f64);
    let (unit_ms, _, unit) = unit(peak);
    let rate = |n: u64| n as f64 * unit_ms / length as f64;
    let scale = Scale::to(most.map_or(0.0, |(_, slice)| rate(slice.settled())), mark);
    let refused: u64 = timeline.slices().map(|(_, slice)| slice.refused).sum();
    let settled: u64 = timeline.slices().map(|(_, slice)| slice.settled()).sum();
    let at = most.map(|(at, _)| clock(start + TimeDelta::milliseconds(at as i64 * length), start, end));
    let words = format!(
        "{} settled in slices of {}. The most were {} per {unit}, at {} UTC.",
        count(settled, "visit was", "visits were"),
        slice_words(length),
        amount(most.map_or(0.0, |(_, slice)| rate(slice.settled()))),
        at.unwrap_or_default(),
    );
    let delivered = |(at, slice): (usize, &Slice)| (at, 0.0, rate(slice.delivered));
    let above = |(at, slice): (usize, &Slice)| (at, rate(slice.delivered), rate(slice.settled()));
    let shapes = vec![
        bars("bar delivered", slices, &scale, timeline.slices().map(delivered)),
        bars("bar refused", slices, &scale, timeline.slices().map(above)),
    ];
    html! {
        figure {
            figcaption {
                h3 { "Visits settled per " (unit) }
                p { (words) }
            }
            (Chart { alternative: &words, scale, shapes, times: times(start, end) }.markup())
            ul.legend {
                li { span.swatch.delivered aria-hidden="true" {} "delivered" }
                @if refused > 0 {
                    li { span.swatch.refused aria-hidden="true" {} "not delivered, on top (" (grouped(refused)) ")" }
                }
                li.zone { (days(start, end)) }
            }
        }
    }
}

fn latency(tally: &Tally, start: DateTime<Utc>, end: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let slices = timeline.len();
    let at =
        |share: f64| timeline.slices().filter_map(move |(at, slice)| Some((at, slice.spread.quantile(share)? as f64)));
    let highest = at(0.95).map(|(_, ms)| ms).fold(0.0, f64::max);
    let label = |ms: f64| match ms {
        ms if highest < 1000.0 => format!("{} ms", (ms * 100.0).round() / 100.0),
        ms if highest < 600_000.0 => format!("{} s", (ms / 10.0).round() / 100.0),
        ms => format!("{} min", (ms / 6000.0).round() / 10.0),
    };
    let scale = Scale::to(highest, label);
    let told = |ms: Option<u64>| ms.map(wait).unwrap_or_default();
    let words = format!(
        "From the first request for a visit to its last answer, waits between retries included. Half took at most {}, 95% at most {}, the longest {}.",
        told(tally.spread.quantile(0.5)),
        told(tally.spread.quantile(0.95)),
        told(tally.spread.longest()),
    );
    let shapes = vec![line("line most", slices, &scale, at(0.95)), line("line half", slices, &scale, at(0.5))];
    html! {
        figure {
            figcaption {
                h3 { "Time per visit" }
                p { (words) }
            }
            (Chart { alternative: &words, scale, shapes, times: times(start, end) }.markup())
            ul.legend {
                li { span.stroke.half aria-hidden="true" {} "median" }
                li { span.stroke.most aria-hidden="true" {} "95% took at most (dashed)" }
                li.zone { (days(start, end)) }
            }
        }
    }
}

/// The same as the charts, for those who want the numbers or do not see shapes.
fn table(tally: &Tally, start: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let length = timeline.length_ms();
    let told = |slice: &Slice, share: f64| slice.spread.quantile(share).map(wait).unwrap_or_default();
    let written = |at: usize| {
        let time = start + TimeDelta::milliseconds(at as i64 * length);
        let text = time.format("%Y-%m-%d %H:%M:%S").to_string();
        if length < 1000 { text + &tenths(time) } else { text }
    };
    html! {
        details {
            summary { "The same in numbers" }
            div.scroll tabindex="0" role="region" aria-label="The course of the run in numbers" {
                table {
                    caption.unseen { "Visits settled by slices of " (slice_words(length)) }
                    thead {
                        tr {
                            th scope="col" { "From (UTC)" }
                            th.number scope="col" { "Delivered" }
                            th.number scope="col" { "Not delivered" }
                            th.number scope="col" { "Median" }
                            th.number scope="col" { "95% within" }
                        }
                    }
                    tbody {
                        @for (at, slice) in timeline.slices() {
                            tr {
                                th scope="row" { (written(at)) }
                                td.number { (grouped(slice.delivered)) }
                                td.number { (grouped(slice.refused)) }
                                td.number { (told(slice, 0.5)) }
                                td.number { (told(slice, 0.95)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn slice_words(length_ms: i64) -> String {
    match length_ms {
        100 => "a tenth of a second".to_owned(),
        500 => "half a second".to_owned(),
        ms => duration(ms.unsigned_abs()),
    }
}

/// Times along the lower edge.
fn times(start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<String> {
    (0..=4).map(|n| clock(start + (end - start) * n / 4, start, end)).collect()
}

/// A time as exactly as this range needs it.
fn clock(time: DateTime<Utc>, start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let format = match (end - start).num_seconds() {
        0..15 => return time.format("%H:%M:%S").to_string() + &tenths(time),
        15..7_200 => "%H:%M:%S",
        7_200..86_400 => "%H:%M",
        86_400..2_592_000 => "%-d %b %H:%M",
        _ => "%-d %b %Y",
    };
    time.format(format).to_string()
}

fn tenths(time: DateTime<Utc>) -> String {
    format!(".{}", time.timestamp_subsec_millis() / 100)
}

fn days(start: DateTime<Utc>, end: DateTime<Utc>) -> String {
    let day = |time: DateTime<Utc>| time.format("%-d %B %Y").to_string();
    let (first, last) = (day(start), day(end - TimeDelta::milliseconds(1)));
    if first == last { format!("{first}, times in UTC") } else { format!("{first} to {last}, times in UTC") }
}
