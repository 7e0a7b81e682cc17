//! Whether an upload fits into the time that a run may take, and which days of it would fit together.

use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// What a run of limited duration can hold.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Window {
    /// How long the run may take, in seconds as JSON.
    #[serde(rename = "max_duration_seconds", serialize_with = "super::seconds")]
    pub longest: Duration,
    /// How much of that goes into reading and checking before anything is sent, in seconds as JSON.
    #[serde(rename = "reading_seconds", serialize_with = "super::seconds")]
    pub reading: Duration,
    /// Whether one run can send everything.
    pub fits: bool,
    /// How many visits can be sent in the time that is left after reading.
    #[serde(rename = "holds_visits")]
    pub holds: u64,
    /// Visits to send.
    #[serde(skip)]
    pub visits: u64,
    /// Requests a second.
    #[serde(skip)]
    pub rate: f64,
    /// Where the visits do not fit: days in a row that do. Empty where everything fits.
    pub slices: Vec<DaySlice>,
}

/// Days in a row whose visits fit together, or a single day that does not fit even by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DaySlice {
    /// The first day.
    #[serde(serialize_with = "super::text")]
    pub from: NaiveDate,
    /// The last day.
    #[serde(serialize_with = "super::text")]
    pub to: NaiveDate,
    /// Visits of these days.
    pub visits: u64,
    /// Whether one run can send them.
    pub fits: bool,
}

impl Window {
    /// `reading`: how long it took to read and check; `by_day`: the visits to send, by visit_date.
    pub fn new(longest: Duration, reading: Duration, rate: f64, by_day: &BTreeMap<NaiveDate, u64>) -> Window {
        let holds = (longest.saturating_sub(reading).as_secs_f64() * rate) as u64;
        let visits = by_day.values().sum();
        let slices = if visits > holds { slices(by_day, holds) } else { Vec::new() };
        Window { longest, reading, fits: visits <= holds, holds, visits, rate, slices }
    }

    /// How long these many visits take to send.
    pub fn sending(&self, visits: u64) -> Duration {
        Duration::from_secs_f64(visits as f64 / self.rate)
    }
}

/// As many days in a row as fit, then the next ones.
fn slices(by_day: &BTreeMap<NaiveDate, u64>, holds: u64) -> Vec<DaySlice> {
    let mut slices: Vec<DaySlice> = Vec::new();
    for (&day, &visits) in by_day {
        match slices.last_mut().filter(|slice| slice.visits + visits <= holds) {
            Some(slice) => {
                slice.to = day;
                slice.visits += visits;
            }
            None => slices.push(DaySlice { from: day, to: day, visits, fits: visits <= holds }),
        }
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(seconds: u64, visits: &[u64]) -> Window {
        let first = NaiveDate::from_ymd_opt(2024, 3, 1).expect("a day");
        let by_day = first.iter_days().zip(visits.iter().copied()).collect();
        Window::new(Duration::from_secs(seconds), Duration::from_secs(10), 10.0, &by_day)
    }

    #[test]
    fn reading_takes_from_the_time_for_sending() {
        assert!(window(20, &[60, 40]).fits);
        assert!(!window(20, &[60, 41]).fits);
        assert_eq!(window(5, &[1]).holds, 0);
    }

    #[test]
    fn days_in_a_row_share_a_slice_as_long_as_they_fit() {
        let window = window(20, &[60, 40, 101, 30, 30]);
        let slices: Vec<(String, String, u64)> =
            window.slices.iter().map(|slice| (slice.from.to_string(), slice.to.to_string(), slice.visits)).collect();
        let day = |day: &str| format!("2024-03-{day}");
        assert_eq!(slices, [(day("01"), day("02"), 100), (day("03"), day("03"), 101), (day("04"), day("05"), 60)]);
        let json = serde_json::to_value(&window).expect("plain data");
        assert_eq!(json["slices"][1]["fits"], false);
        assert_eq!(json["slices"][1]["from"], "2024-03-03");
    }
}
