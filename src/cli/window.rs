//! Whether an upload fits into the time that a run may take, and which days of it would: for `check --max-duration`.

use super::text::{count, duration, grouped};
use chrono::NaiveDate;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// How many slices are listed.
const SLICES: usize = 24;

/// What a run of limited duration can hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Window {
    longest: Duration,
    /// Reading and checking go before sending, and take from the same time.
    reading: Duration,
    rate: f64,
    visits: u64,
    /// How many visits can be sent.
    holds: u64,
    slices: Vec<Slice>,
}

/// Days one after the other that fit together, or a single one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slice {
    from: NaiveDate,
    to: NaiveDate,
    visits: u64,
}

impl Window {
    /// `reading`: how long it took here to read and check; `by_day`: the visits to send, by visit_date.
    pub(super) fn new(longest: Duration, reading: Duration, rate: f64, by_day: &BTreeMap<NaiveDate, u64>) -> Window {
        let holds = (longest.saturating_sub(reading).as_secs_f64() * rate) as u64;
        let visits = by_day.values().sum();
        let slices = if visits > holds { slices(by_day, holds) } else { Vec::new() };
        Window { longest, reading, rate, visits, holds, slices }
    }

    fn fits(&self) -> bool {
        self.visits <= self.holds
    }

    fn sending(&self, visits: u64) -> Duration {
        Duration::from_secs_f64(visits as f64 / self.rate)
    }

    /// A line for the report.
    pub(super) fn text(&self) -> String {
        let mut out = String::new();
        let longest = duration(self.longest);
        if self.fits() {
            let spare = self.longest.saturating_sub(self.reading).saturating_sub(self.sending(self.visits));
            let _ = writeln!(out, "  window       fits into {longest}, with {} to spare", duration(spare));
            return out;
        }
        let _ = writeln!(
            out,
            "  window       does not fit: {longest} hold about {} of {}; reruns send the rest",
            grouped(self.holds),
            count(self.visits, "visit", "visits")
        );
        out
    }

    /// What to know at the end of all where it takes several runs.
    pub(super) fn warning(&self) -> Option<String> {
        let left = self.visits.saturating_sub(self.holds);
        (left > 0).then(|| {
            format!(
                "a run of at most {} would not send everything: about {} would be left for reruns",
                duration(self.longest),
                count(left, "visit", "visits")
            )
        })
    }

    /// The slices that fit, where it takes several runs.
    pub(super) fn slices_text(&self) -> Option<String> {
        if self.fits() {
            return None;
        }
        let mut out = String::new();
        let _ = writeln!(out, "\nDays that would fit together, each slice with a result file of its own (--results):");
        for slice in self.slices.iter().take(SLICES) {
            let fits = if slice.visits <= self.holds { "" } else { ": too long even for a run of its own" };
            let _ = writeln!(
                out,
                "  --from {} --to {}   {}, about {}{fits}",
                slice.from,
                slice.to,
                count(slice.visits, "visit", "visits"),
                duration(self.reading + self.sending(slice.visits))
            );
        }
        let more = self.slices.len().saturating_sub(SLICES);
        if more > 0 {
            let _ = writeln!(out, "  … and {} more", grouped(more as u64));
        }
        Some(out)
    }

    pub(super) fn json(&self) -> Value {
        let slices: Vec<Value> = self
            .slices
            .iter()
            .map(|slice| {
                let fits = slice.visits <= self.holds;
                json!({"from": slice.from.to_string(), "to": slice.to.to_string(), "visits": slice.visits, "fits": fits})
            })
            .collect();
        json!({
            "max_duration_seconds": self.longest.as_secs_f64(),
            "reading_seconds": self.reading.as_secs_f64(),
            "fits": self.fits(),
            "holds_visits": self.holds,
            "slices": slices,
        })
    }
}

/// As many days in a row as fit, then the next ones.
fn slices(by_day: &BTreeMap<NaiveDate, u64>, holds: u64) -> Vec<Slice> {
    let mut slices: Vec<Slice> = Vec::new();
    for (&day, &visits) in by_day {
        match slices.last_mut().filter(|slice| slice.visits + visits <= holds) {
            Some(slice) => {
                slice.to = day;
                slice.visits += visits;
            }
            None => slices.push(Slice { from: day, to: day, visits }),
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_day(visits: &[u64]) -> BTreeMap<NaiveDate, u64> {
        let first = NaiveDate::from_ymd_opt(2024, 3, 1).expect("a day");
        first.iter_days().zip(visits.iter().copied()).collect()
    }

    fn window(seconds: u64, visits: &[u64]) -> Window {
        Window::new(Duration::from_secs(seconds), Duration::from_secs(10), 10.0, &by_day(visits))
    }

    #[test]
    fn reading_takes_from_the_time_for_sending() {
        assert!(window(20, &[60, 40]).fits());
        assert!(!window(20, &[60, 41]).fits());
        assert_eq!(window(5, &[1]).holds, 0);
        assert_eq!(window(20, &[60, 40]).text(), "  window       fits into 20 s, with 0.0 s to spare\n");
        assert_eq!((window(20, &[60, 40]).warning(), window(20, &[60, 40]).slices_text()), (None, None));
    }

    #[test]
    fn days_in_a_row_share_a_slice_as_long_as_they_fit() {
        let window = window(20, &[60, 40, 101, 30, 30]);
        let slices: Vec<(String, String, u64)> =
            window.slices.iter().map(|slice| (slice.from.to_string(), slice.to.to_string(), slice.visits)).collect();
        let day = |day: &str| format!("2024-03-{day}");
        assert_eq!(slices, [(day("01"), day("02"), 100), (day("03"), day("03"), 101), (day("04"), day("05"), 60)]);
        let text = window.text() + &window.slices_text().expect("it does not fit");
        assert!(text.contains("20 s hold about 100 of 261 visits"), "{text}");
        assert!(text.contains("--from 2024-03-03 --to 2024-03-03   101 visits, about 20 s: too long"), "{text}");
        let warning = window.warning().expect("it does not fit");
        assert!(warning.contains("at most 20 s would not send everything: about 161 visits"), "{warning}");
        assert_eq!(window.json()["slices"][1]["fits"], false);
    }
}
