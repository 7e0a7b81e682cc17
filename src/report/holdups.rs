//! What held a run up: standstills and slow answers, what they cost in time, and what to do about them.
//!
//! It says what rows show and no more. A row shows that a visit was sent again, and not what was answered to the attempts
//! before its last; whether there were any 429s is in the manifest.

use super::about::{About, Standing};
use super::standstills::{Standstill, Waited};
use super::tally::ResultTally;
use super::timeline::TimeSlice;
use super::words::with_code;
use crate::results::Manifest;
use crate::text::{count, duration, grouped, latency, printable, share};
use chrono::{DateTime, Utc};
use maud::{Markup, html};
use std::time::Duration;

/// At most this many are listed: the longest ones.
const LISTED: usize = 12;
/// Answers are slow if half of them take so many times what is usual, and so many milliseconds more.
const SLOW_TIMES: u64 = 3;
const SLOW_MS: u64 = 300;
/// Few visits are less than half of those of a good slice, in so many slices at least, if a good one has so many visits.
const FEW_SLICES: i64 = 3;
const FEWEST: u64 = 10;
/// A smaller share of the run's time is not worth a sentence of its own.
const WORTH_A_WORD: f64 = 0.02;

/// What held a run up, and what it cost.
#[derive(Debug, Default)]
pub(super) struct HoldUps {
    /// In the order of time, the longest ones only.
    pub(super) listed: Vec<HoldUp>,
    /// Those that are not listed: how many, and how long in all.
    more: u64,
    more_ms: i64,
    /// How often and how long in all the run stood still.
    stood: u64,
    pub(super) stood_ms: i64,
    /// From the first answer to the last.
    whole_ms: i64,
    /// What the run would have taken at the rate of its good moments, and that rate per second.
    good: Option<(i64, f64)>,
    /// Requests that were answered 429, where the manifest tells.
    rate_limited: Option<u64>,
}

/// A time in which the run was held up, in milliseconds since 1970.
#[derive(Debug)]
pub(super) struct HoldUp {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// No visit was settled.
    Still(Option<Waited>),
    /// Answers took long: the median, and visits per second.
    Slow { median_ms: u64, rate: f64 },
    /// Fewer visits were settled than in good moments, though answers were quick: visits per second.
    Few { rate: f64 },
}

impl HoldUp {
    fn length_ms(&self) -> i64 {
        self.to - self.from
    }

    /// What colours it in a chart.
    pub(super) fn class(&self) -> &'static str {
        match self.kind {
            Kind::Still(_) => "band still",
            Kind::Slow { .. } | Kind::Few { .. } => "band slow",
        }
    }
}

/// What held the run of these rows up.
pub(super) fn hold_ups(tally: &ResultTally, about: &About) -> HoldUps {
    let stills = tally.standstills.found();
    let (Some(first), Some(last)) = (tally.first, tally.last) else { return HoldUps::default() };
    let whole_ms = (last - first).num_milliseconds();
    let (stood, stood_ms) = (stills.len() as u64, stills.iter().map(|still| still.to - still.from).sum());
    let spells = spells(tally, &stills);
    let still = |Standstill { from, to, waited }| HoldUp { from, to, kind: Kind::Still(waited) };
    let mut listed: Vec<HoldUp> = stills.into_iter().map(still).chain(spells).collect();
    listed.sort_by_key(|hold_up| std::cmp::Reverse(hold_up.length_ms()));
    let more = listed.split_off(listed.len().min(LISTED));
    listed.sort_by_key(|hold_up| hold_up.from);
    let settled: u64 = tally.timeline.slices().map(|(_, slice)| slice.finished()).sum();
    let rate = good_rate(tally);
    let good = rate.map(|rate| ((settled as f64 * 1000.0 / rate) as i64, rate));
    HoldUps {
        more: more.len() as u64,
        more_ms: more.iter().map(HoldUp::length_ms).sum(),
        listed,
        stood,
        stood_ms,
        whole_ms,
        good: good.filter(|(ms, _)| *ms < whole_ms),
        rate_limited: about.manifest.as_ref().and_then(rate_limited),
    }
}

/// Requests that were answered 429; `None` where the manifest does not tell. Before its end, a run has counted none.
fn rate_limited(manifest: &Manifest) -> Option<u64> {
    manifest.finished_at.as_ref()?;
    manifest.counts.get("rate_limited").copied()
}

/// Visits settled per second in a good slice of time; `None` where there are too few slices to tell.
fn good_rate(tally: &ResultTally) -> Option<f64> {
    let timeline = &tally.timeline;
    let mut settled: Vec<u64> = timeline.slices().map(|(_, slice)| slice.finished()).collect();
    settled.sort_unstable();
    // Nine of ten are worse: the best ones may hold what had piled up.
    let good = settled.get(settled.len() * 9 / 10).filter(|_| settled.len() >= 5)?;
    Some(*good as f64 * 1000.0 / timeline.length_ms() as f64)
}

/// Slices of time that stand out, those side by side as one: slow answers, and few visits though answers were quick.
fn spells(tally: &ResultTally, stills: &[Standstill]) -> Vec<HoldUp> {
    let timeline = &tally.timeline;
    let length = timeline.length_ms();
    let Some((start, end)) = timeline.range() else { return Vec::new() };
    let (start, end) = (start.timestamp_millis(), end.timestamp_millis());
    let mut medians: Vec<u64> = timeline.slices().filter_map(|(_, slice)| slice.latencies.quantile(0.5)).collect();
    medians.sort_unstable();
    // The better half shows what the API can do, also where most of a run was slow.
    let Some(usual) = medians.get(medians.len() / 4).copied() else { return Vec::new() };
    let good = good_rate(tally).map_or(0, |rate| (rate * length as f64 / 1000.0) as u64);
    let kind_of = |slice: &TimeSlice| {
        let median_ms = slice.latencies.quantile(0.5).unwrap_or(0);
        let is_slow = median_ms >= usual.saturating_mul(SLOW_TIMES) && median_ms >= usual + SLOW_MS;
        match slice {
            // What was sent again and again took long because of that.
            slice if slice.resent * 2 >= slice.finished() => None,
            _ if is_slow => Some(Kind::Slow { median_ms, rate: 0.0 }),
            slice if good >= FEWEST && slice.finished() * 2 < good => Some(Kind::Few { rate: 0.0 }),
            _ => None,
        }
    };
    let is_same = |one: &Kind, other: &Kind| std::mem::discriminant(one) == std::mem::discriminant(other);
    let stood_between = |from: i64, to: i64| stills.iter().any(|still| still.from < to && still.to > from);
    let mut found: Vec<(i64, i64, Kind, TimeSlice)> = Vec::new();
    let mut goes_on = false;
    for (at, slice) in timeline.slices() {
        let from = start + at as i64 * length;
        let Some(kind) = kind_of(slice) else {
            goes_on = false;
            continue;
        };
        match found.last_mut() {
            // Slow answers leave slices without any.
            Some((_, to, before, joined)) if goes_on && is_same(before, &kind) && !stood_between(*to, from) => {
                *to = from + length;
                joined.merge(slice);
            }
            _ => found.push((from, from + length, kind, slice.clone())),
        }
        goes_on = true;
    }
    let is_beside_still = |from: i64, to: i64| stills.iter().any(|still| from <= still.to && to >= still.from);
    let hold_ups = found.into_iter().filter_map(|(from, to, kind, slice)| {
        let rate = slice.finished() as f64 * 1000.0 / (to - from) as f64;
        match kind {
            // What was under way in a standstill took long because of that.
            Kind::Slow { .. } if to - from <= length && is_beside_still(from, to) => None,
            Kind::Slow { .. } => {
                let median_ms = slice.latencies.quantile(0.5).unwrap_or(0);
                // The first slow answer was waited for before it came.
                let from = (from - median_ms as i64).max(start);
                Some(HoldUp { from, to, kind: Kind::Slow { median_ms, rate } })
            }
            // A run begins and ends with slices that are not whole, and climbs for a moment after a pause.
            _ if to - from < length * FEW_SLICES || (to - from) * 20 < end - start => None,
            _ => Some(HoldUp { from, to, kind: Kind::Few { rate } }),
        }
    });
    hold_ups.collect()
}

impl HoldUps {
    /// How long the run stood still, for readers who want to know why it took so long; `None` if that was not long.
    pub(super) fn in_short(&self) -> Option<String> {
        let is_worth_it = self.stood_ms as f64 >= self.whole_ms as f64 * WORTH_A_WORD && self.stood > 0;
        is_worth_it.then(|| format!("stood still for {}", words(self.stood_ms)))
    }

    /// The section "What held it up", if anything did.
    pub(super) fn section(&self, tally: &ResultTally, about: &About) -> Markup {
        html! {
            @if !self.listed.is_empty() {
                section aria-labelledby="holdups" {
                    h2 #holdups { "What held it up" }
                    p { (self.cost()) }
                    div.scroll tabindex="0" role="region" aria-label="What held the run up" {
                        table.holdups {
                            caption.unseen { "What held the run up, in the order of time" }
                            thead {
                                tr {
                                    td.mark aria-hidden="true" {}
                                    th scope="col" { "From (UTC)" }
                                    th.number scope="col" { "For" }
                                    th scope="col" { "What the rows show" }
                                }
                            }
                            tbody {
                                @for (at, hold_up) in self.listed.iter().enumerate() {
                                    tr {
                                        td.mark { span class={ "sign " (hold_up.class()) } { (at + 1) } }
                                        th scope="row" { (clock(hold_up.from, self.is_long())) }
                                        td.number { (words(hold_up.length_ms())) }
                                        td.words { (self.what_it_was(hold_up)) }
                                    }
                                }
                            }
                        }
                    }
                    @if self.more > 0 {
                        p.quiet { "and " (count(self.more, "shorter one", "shorter ones")) ", " (words(self.more_ms)) " in all." }
                    }
                    p.advice { (with_code(&self.advice(tally, about))) }
                }
            }
        }
    }

    /// Whether the run was longer than a day, so that times need their date.
    fn is_long(&self) -> bool {
        self.whole_ms >= 86_400_000
    }

    fn cost(&self) -> String {
        let mut words_of = String::new();
        if self.stood > 0 {
            let times = if self.stood == 1 { "once".to_owned() } else { format!("{} times", grouped(self.stood)) };
            let part = share(self.stood_ms.unsigned_abs(), self.whole_ms.unsigned_abs());
            words_of =
                format!("The run stood still {times}, for {}, which is {part} of its time. ", words(self.stood_ms));
        }
        if let Some((good_ms, rate)) = self.good {
            let lost = self.whole_ms - good_ms;
            if lost as f64 >= self.whole_ms as f64 * WORTH_A_WORD {
                words_of += &format!(
                    "From the first answer to the last it took {}; at the rate of its good moments, {}, it would have taken about {}.",
                    words(self.whole_ms),
                    super::throughput::per_unit(rate),
                    words(good_ms),
                );
            }
        }
        words_of
    }

    fn what_it_was(&self, hold_up: &HoldUp) -> String {
        let waited = match &hold_up.kind {
            Kind::Slow { median_ms, rate } => {
                let rate = super::throughput::per_unit(*rate);
                let median = latency(*median_ms);
                return format!("Slow answers: half of them took {median} or more. Visits were settled at {rate}.");
            }
            Kind::Few { rate } => {
                let rate = super::throughput::per_unit(*rate);
                let why = match self.rate_limited {
                    Some(0) => "this machine was busy, or another run shared the rate",
                    _ => {
                        "after 429s (too many requests) the program goes slowly and climbs back; or this machine was busy"
                    }
                };
                return format!("Few visits, at {rate}, though answers were quick: {why}.");
            }
            Kind::Still(None) => {
                return "No visit was settled. The rows are no longer in the order of the run, so they do not show why."
                    .to_owned();
            }
            Kind::Still(Some(waited)) => waited,
        };
        let visits = |n: u64| count(n, "visit", "visits");
        match waited {
            Waited { visits: 0, .. } => {
                "No visit was under way: the machine slept, the program was held, or another run had to pause for both."
                    .to_owned()
            }
            Waited { failed, error: Some(error), .. } if *failed > 0 => {
                let were = if *failed == 1 { "it was" } else { "they were" };
                let what = printable(error, 160);
                format!("The API gave no good answer. {} failed at the end of it; {were} told: {what}", visits(*failed))
            }
            Waited { resent: 0, visits: n, .. } => {
                format!("The API kept {} waiting: answers came only at the end of it.", visits(*n))
            }
            Waited { resent, resent_for_it, .. } => {
                let were = if *resent == 1 { "was" } else { "were" };
                let again = format!("{} {were} sent again.", visits(*resent));
                match self.rate_limited {
                    Some(0) => format!("The API was down: errors, or no answer in time. {again}"),
                    Some(refused) if refused < *resent_for_it => {
                        format!("The API was down, for the most part: errors, or no answer in time. {again}")
                    }
                    _ => format!("The API took nothing: it was down, or it answered 429 (too many requests). {again}"),
                }
            }
        }
    }

    fn advice(&self, tally: &ResultTally, about: &About) -> String {
        let mut advice = match (tally.undelivered(), about.standing) {
            (0, Standing::Ended) => "It cost time and no visit, so there is nothing to do about this run.",
            (_, Standing::Ended) => "Visits that were not delivered are above, with what to do next.",
            _ => "The run has not ended; what it left will show what to do.",
        }
        .to_owned();
        match self.rate_limited {
            Some(n) if n > 0 => {
                advice += &format!(
                    " The API answered {} with 429 (too many requests): if that comes back, lower `rate`; another \
                     program may be using the same key.",
                    count(n, "request", "requests")
                );
            }
            _ => {}
        }
        let any = |is: fn(&Kind) -> bool| self.listed.iter().any(|hold_up| is(&hold_up.kind));
        if any(|kind| matches!(kind, Kind::Slow { .. })) {
            advice += " Where the job sets `max_in_flight`, a higher one keeps the rate up while answers are slow.";
        }
        if any(|kind| matches!(kind, Kind::Still(Some(Waited { resent: 1.., .. })))) {
            advice += " An outage is waited out for as long as `patience` says. The log of the run says what the API answered.";
        }
        advice
    }
}

/// `12 s`, `3 min 20 s`.
fn words(ms: i64) -> String {
    duration(Duration::from_millis(ms.unsigned_abs()))
}

fn clock(ms: i64, is_long: bool) -> String {
    let format = if is_long { "%Y-%m-%d %H:%M:%S" } else { "%H:%M:%S" };
    DateTime::<Utc>::from_timestamp_millis(ms).map(|time| time.format(format).to_string()).unwrap_or_default()
}
