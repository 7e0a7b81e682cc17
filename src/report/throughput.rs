//! The section "Throughput and time per visit": how many visits were finished when, and how long each took.

use super::chart::{Band, Chart, Scale, bars, line};
use super::holdups::HoldUps;
use super::tally::ResultTally;
use super::timeline::TimeSlice;
use crate::text::{count, duration_in_words, grouped, latency};
use chrono::{DateTime, TimeDelta, Utc};
use maud::{Markup, html};

/// How often something happened that happened `n` times in `ms` milliseconds: `99 per second`, `3.5 per minute`.
pub(super) fn pace(n: u64, ms: u64) -> String {
    per_unit(n as f64 * 1000.0 / ms.max(1) as f64)
}

/// A rate per second in the unit that suits it.
pub(super) fn per_unit(per_second: f64) -> String {
    let (_, factor, unit) = unit(per_second);
    format!("{} per {unit}", amount(per_second * factor))
}

/// The unit for a rate: its milliseconds, its seconds, its name.
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

/// The label of a mark of a scale, with up to two decimals.
fn mark(value: f64) -> String {
    if value >= 10.0 && value.fract() == 0.0 {
        grouped(value as u64)
    } else {
        format!("{}", (value * 100.0).round() / 100.0)
    }
}

pub(super) fn throughput(tally: &ResultTally, hold_ups: &HoldUps) -> Markup {
    let range = tally.timeline.range();
    html! {
        section aria-labelledby="throughput" {
            h2 #throughput { "Throughput and time per visit" }
            @match range {
                None => p.quiet { "No visits were sent, so there is nothing to show here." },
                Some((start, end)) => {
                    @if tally.earlier > 0 {
                        p.quiet { (count(tally.earlier, "visit of an earlier run is", "visits of an earlier run are")) " not included." }
                    }
                    @let bands = bands(hold_ups, start, end);
                    div.charts { (finished_chart(tally, &bands, start, end)) (latency_chart(tally, &bands, start, end)) }
                    (table(tally, start))
                }
            }
        }
    }
}

/// What held the run up, as parts of the width of a chart.
fn bands(hold_ups: &HoldUps, start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<Band> {
    let (start, end) = (start.timestamp_millis(), end.timestamp_millis());
    let part = |ms: i64| (ms - start) as f64 / (end - start).max(1) as f64;
    let listed = hold_ups.listed.iter().enumerate();
    let band = listed.map(|(at, hold_up)| Band {
        class: hold_up.class(),
        from: part(hold_up.from),
        to: part(hold_up.to),
        label: (at + 1).to_string(),
    });
    band.collect()
}

/// The words of a legend for what is marked in a chart.
fn marked(bands: &[Band]) -> Markup {
    let any = |class: &str| bands.iter().any(|band| band.class == class);
    html! {
        @if any("band still") { li { span.swatch.still aria-hidden="true" {} "stood still" } }
        @if any("band slow") { li { span.swatch.slow aria-hidden="true" {} "slow" } }
    }
}

fn finished_chart(tally: &ResultTally, bands: &[Band], start: DateTime<Utc>, end: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let slices = timeline.len();
    let length = timeline.length_ms();
    let most = timeline.slices().max_by_key(|(_, slice)| slice.finished());
    let peak = most.map_or(0.0, |(_, slice)| slice.finished() as f64 * 1000.0 / length as f64);
    let (unit_ms, _, unit) = unit(peak);
    let rate = |n: u64| n as f64 * unit_ms / length as f64;
    let scale = Scale::to(most.map_or(0.0, |(_, slice)| rate(slice.finished())), mark);
    let undelivered: u64 = timeline.slices().map(|(_, slice)| slice.undelivered).sum();
    let finished: u64 = timeline.slices().map(|(_, slice)| slice.finished()).sum();
    let at = most.map(|(at, _)| clock(start + TimeDelta::milliseconds(at as i64 * length), start, end));
    let words = format!(
        "{} finished. The peak was {} per {unit}, at {} UTC, counted in steps of {}.",
        count(finished, "visit", "visits"),
        amount(most.map_or(0.0, |(_, slice)| rate(slice.finished()))),
        at.unwrap_or_default(),
        slice_words(length),
    );
    let delivered = |(at, slice): (usize, &TimeSlice)| (at, 0.0, rate(slice.delivered));
    let above = |(at, slice): (usize, &TimeSlice)| (at, rate(slice.delivered), rate(slice.finished()));
    let shapes = vec![
        bars("bar delivered", slices, &scale, timeline.slices().map(delivered)),
        bars("bar refused", slices, &scale, timeline.slices().map(above)),
    ];
    html! {
        figure {
            figcaption {
                h3 { "Visits finished per " (unit) }
                p { (words) }
            }
            (Chart { alternative: &words, scale, bands, shapes, times: times(start, end) }.markup())
            ul.legend {
                li { span.swatch.delivered aria-hidden="true" {} "delivered" }
                @if undelivered > 0 {
                    li { span.swatch.refused aria-hidden="true" {} "not delivered, on top (" (grouped(undelivered)) ")" }
                }
                (marked(bands))
                li.zone { (days(start, end)) }
            }
        }
    }
}

fn latency_chart(tally: &ResultTally, bands: &[Band], start: DateTime<Utc>, end: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let slices = timeline.len();
    let at = |share: f64| {
        timeline.slices().filter_map(move |(at, slice)| Some((at, slice.latencies.quantile(share)? as f64)))
    };
    let highest = at(0.95).map(|(_, ms)| ms).fold(0.0, f64::max);
    let label = |ms: f64| match ms {
        ms if highest < 1000.0 => format!("{} ms", (ms * 100.0).round() / 100.0),
        ms if highest < 600_000.0 => format!("{} s", (ms / 10.0).round() / 100.0),
        ms => format!("{} min", (ms / 6000.0).round() / 10.0),
    };
    let scale = Scale::to(highest, label);
    let shown = |ms: Option<u64>| ms.map(latency).unwrap_or_default();
    let words = format!(
        "From the first request for a visit to its last answer, including waits between retries. Half of the visits took at most {}, 95% at most {}, the longest {}.",
        shown(tally.latencies.quantile(0.5)),
        shown(tally.latencies.quantile(0.95)),
        shown(tally.latencies.longest()),
    );
    let shapes = vec![line("line most", slices, &scale, at(0.95)), line("line half", slices, &scale, at(0.5))];
    html! {
        figure {
            figcaption {
                h3 { "Time per visit" }
                p { (words) }
            }
            (Chart { alternative: &words, scale, bands, shapes, times: times(start, end) }.markup())
            ul.legend {
                li { span.stroke.half aria-hidden="true" {} "median" }
                li { span.stroke.most aria-hidden="true" {} "95% took at most (dashed)" }
                (marked(bands))
                li.zone { (days(start, end)) }
            }
        }
    }
}

/// The numbers behind the charts, also for screen readers.
fn table(tally: &ResultTally, start: DateTime<Utc>) -> Markup {
    let timeline = &tally.timeline;
    let length = timeline.length_ms();
    let shown = |slice: &TimeSlice, share: f64| slice.latencies.quantile(share).map(latency).unwrap_or_default();
    let written = |at: usize| {
        let time = start + TimeDelta::milliseconds(at as i64 * length);
        let text = time.format("%Y-%m-%d %H:%M:%S").to_string();
        if length < 1000 { text + &tenths(time) } else { text }
    };
    html! {
        details {
            summary { "The same in numbers" }
            div.scroll tabindex="0" role="region" aria-label="Throughput and time per visit in numbers" {
                table {
                    caption.unseen { "Visits finished in steps of " (slice_words(length)) }
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
                                td.number { (grouped(slice.undelivered)) }
                                td.number { (shown(slice, 0.5)) }
                                td.number { (shown(slice, 0.95)) }
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
        ms => duration_in_words(ms.unsigned_abs()),
    }
}

/// Five times for the lower edge of a chart.
fn times(start: DateTime<Utc>, end: DateTime<Utc>) -> Vec<String> {
    (0..=4).map(|n| clock(start + (end - start) * n / 4, start, end)).collect()
}

/// A time, as precise as this range needs it.
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
