//! How the dates or times of a column are written, told from sample values.
//!
//! What the job reads without a format is tried first, then the table of formats in `build`. Where several formats read
//! all values, with day and month the other way round, all of them come out: only a person can tell.

use crate::build::{TimeFormat, Written, is_time_of_day, without_format};
use chrono::{DateTime, NaiveDate, NaiveTime};
use std::collections::HashMap;

/// How the dates or times of a column are written.
#[derive(Clone, Debug)]
pub(super) struct TimeStyle {
    pub(super) way: Way,
    pub(super) zoned: Zoned,
    pub(super) has_time: bool,
    /// Whether every time is midnight: then the column holds dates.
    pub(super) is_midnight: bool,
    /// The values are bare digits, which are times only if the column's name says so.
    pub(super) needs_a_name: bool,
    /// How many rows have a value that is written in another way, and one of these values.
    pub(super) misfits: usize,
    pub(super) misfit: Option<String>,
}

/// By which setting of the job file the values are read.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// None is needed.
    Plain,
    /// `unit`: `s`, `ms`, `us` or `ns`.
    Epoch(&'static str),
    /// `format`: one of these; more than one where the values leave it open.
    Formats(Vec<TimeFormat>),
}

/// Which of the values carry their zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zoned {
    All,
    Some,
    None,
    /// All of them say UTC or GMT, which a format reads as plain text.
    NamedUtc,
}

/// The units of epoch times, and how many of each make a second.
const UNITS: [(&str, f64); 4] = [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)];

/// The share of rows that must be written in one way, before the others count as slips.
const MOST: f64 = 0.8;

/// Distinct values on which the whole table is tried.
const PROBES: usize = 20;

/// 2000-01-01 and 2100-01-01 in epoch seconds.
const EPOCHS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;

impl TimeStyle {
    /// The style of values that the export itself types as dates or timestamps.
    pub(super) fn typed(zoned: Zoned, has_time: bool, is_midnight: bool) -> TimeStyle {
        let way = Way::Plain;
        TimeStyle { way, zoned, has_time, is_midnight, needs_a_name: false, misfits: 0, misfit: None }
    }

    /// The style of distinct values, each with the number of its rows; `None` where they are not dates or times.
    pub(super) fn of(values: &[(&str, usize)]) -> Option<TimeStyle> {
        if let Some(unit) = epoch(values) {
            let style = TimeStyle::typed(Zoned::All, true, false);
            return Some(TimeStyle { way: Way::Epoch(unit), needs_a_name: true, ..style });
        }
        let all: usize = values.iter().map(|(_, rows)| rows).sum();
        let most = MOST * all as f64;
        let plain = Trial::of(plain, values);
        if plain.rows > 0 && plain.rows as f64 >= most {
            return Some(plain.style(Way::Plain, values));
        }
        let mut trials = Vec::new();
        for format in candidates(values) {
            let trial = Trial::of(|value| format.read(value), values);
            trials.push((format, trial));
        }
        // Of two that read the same rows, the one that comes first in the table.
        trials.sort_by_key(|(_, trial)| std::cmp::Reverse(trial.rows));
        let (best_format, best) = trials.first()?;
        let contradicts = trials.iter().any(|(format, trial)| {
            format.order != best_format.order && trial.reads.iter().zip(&best.reads).any(|(this, best)| *this && !best)
        });
        if !contradicts && (best.rows as f64) < most {
            return None;
        }
        let mut formats: Vec<TimeFormat> = Vec::new();
        for (format, trial) in &trials {
            // Another order that reads what this one refuses is not a slip: 25/03/2024 and 03/25/2024 contradict each
            // other, and by the more frequent order day and month of the others would be swapped.
            let is_possible = contradicts || trial.rows == best.rows;
            if is_possible && formats.iter().all(|known| known.order != format.order) {
                formats.push(format.clone());
            }
        }
        let mut style = best.style(Way::Formats(formats), values);
        if best_format.passes_over_utc() {
            style.zoned = Zoned::NamedUtc;
        }
        Some(style)
    }

    /// Whether the values are times, and not dates.
    pub(super) fn is_of_times(&self) -> bool {
        self.has_time && !self.is_midnight
    }

    /// Whether the values are dates without a time of day.
    pub(super) fn is_of_dates(&self) -> bool {
        !self.is_of_times() && !matches!(self.way, Way::Epoch(_))
    }

    /// The day of a value, where it is beyond doubt; of a number, the day in UTC.
    pub(super) fn day(&self, value: &str) -> Option<NaiveDate> {
        match &self.way {
            Way::Plain => plain(value).map(|written| written.date),
            Way::Epoch(unit) => {
                let (_, per_second) = UNITS.iter().find(|(name, _)| name == unit)?;
                let seconds = value.parse::<f64>().ok()? / per_second;
                DateTime::from_timestamp(seconds as i64, 0).map(|time| time.date_naive())
            }
            Way::Formats(formats) => match formats.as_slice() {
                [only] => only.read(value).map(|written| written.date),
                _ => None,
            },
        }
    }
}

/// What one way of writing reads of the values of a column.
struct Trial {
    /// For each distinct value whether it is read.
    reads: Vec<bool>,
    /// How many rows have such a value.
    rows: usize,
    zoned: Zoned,
    has_time: bool,
    is_midnight: bool,
}

impl Trial {
    fn of(read: impl Fn(&str) -> Option<Written>, values: &[(&str, usize)]) -> Trial {
        let (mut reads, mut rows, mut has_time, mut is_midnight) = (Vec::new(), 0, false, true);
        let (mut with_zone, mut without_zone) = (false, false);
        for (value, rows_of_it) in values {
            let written = read(value);
            reads.push(written.is_some());
            let Some(Written { time, has_zone, .. }) = written else { continue };
            rows += rows_of_it;
            has_time |= time.is_some();
            is_midnight &= time == Some(NaiveTime::MIN);
            with_zone |= has_zone;
            without_zone |= !has_zone;
        }
        let zoned = match (with_zone, without_zone) {
            (true, true) => Zoned::Some,
            (true, false) => Zoned::All,
            (false, _) => Zoned::None,
        };
        Trial { reads, rows, zoned, has_time, is_midnight }
    }

    fn style(&self, way: Way, values: &[(&str, usize)]) -> TimeStyle {
        let with = |is_read: bool| {
            let mut same = values.iter().zip(&self.reads).filter(move |(_, read)| **read == is_read);
            same.next().map(|((value, _), _)| *value)
        };
        let all: usize = values.iter().map(|(_, rows)| rows).sum();
        TimeStyle {
            way,
            zoned: self.zoned,
            has_time: self.has_time,
            is_midnight: self.is_midnight,
            needs_a_name: with(true).is_some_and(|value| value.bytes().all(|b| b.is_ascii_digit())),
            misfits: all - self.rows,
            misfit: with(false).map(str::to_owned),
        }
    }
}

/// Whether a text is a date, a time, or a time of day.
pub(super) fn is_time(text: &str) -> bool {
    is_dated(text) || is_time_of_day(text)
}

/// Whether a text is a date, with or without a time of day.
pub(super) fn is_dated(text: &str) -> bool {
    plain(text).is_some() || !TimeFormat::all_that_read(text).is_empty()
}

/// The formats of the table that read one of the first values, each once.
fn candidates(values: &[(&str, usize)]) -> Vec<TimeFormat> {
    let mut found: Vec<TimeFormat> = Vec::new();
    for (value, _) in values.iter().take(PROBES) {
        for format in TimeFormat::all_that_read(value) {
            if found.iter().all(|known| known.text() != format.text()) {
                found.push(format);
            }
        }
    }
    found
}

fn plain(value: &str) -> Option<Written> {
    without_format(value).filter(Written::is_plausible)
}

/// The unit of numbers that are all times of this century in it.
fn epoch(values: &[(&str, usize)]) -> Option<&'static str> {
    let number = |text: &str| -> Option<f64> {
        let is_plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'E'));
        if is_plain { text.parse().ok() } else { None }
    };
    let numbers: Vec<f64> = values.iter().map(|(value, _)| number(value)).collect::<Option<_>>()?;
    let fits = |per: f64| !numbers.is_empty() && numbers.iter().all(|number| EPOCHS.contains(&(number / per)));
    UNITS.iter().find(|(_, per)| fits(*per)).map(|(unit, _)| *unit)
}

/// Whether a value may be a day number of a spreadsheet, such as `45356.34`: days since 1899.
pub(super) fn is_day_number(value: &str) -> bool {
    let number = value.replace(',', ".");
    number.split('.').next().is_some_and(|days| days.len() == 5)
        && number.parse::<f64>().is_ok_and(|days| (36_526.0..73_051.0).contains(&days))
}

/// Whether a value may be a time of day in bare digits, `length` of them: `0815` or `081500`.
pub(super) fn is_bare_clock(value: &str, length: usize) -> bool {
    let below = |at: usize, most: u8| {
        value.get(at..at + 2).is_none_or(|two| two.parse::<u8>().is_ok_and(|number| number < most))
    };
    let is_bare = value.len() == length && matches!(length, 4 | 6) && value.bytes().all(|b| b.is_ascii_digit());
    is_bare && below(0, 24) && below(2, 60) && below(4, 60)
}

/// Distinct values in the order in which they come first, each with the number of its rows.
pub(super) fn counted<'a>(values: impl IntoIterator<Item = &'a str>) -> Vec<(&'a str, usize)> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for value in values {
        match places.get(value) {
            Some(at) => counted[*at].1 += 1,
            None => {
                places.insert(value, counted.len());
                counted.push((value, 1));
            }
        }
    }
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(values: &[&str]) -> Option<TimeStyle> {
        TimeStyle::of(&counted(values.iter().copied()))
    }

    fn formats(values: &[&str]) -> Vec<String> {
        match style(values).unwrap_or_else(|| panic!("{values:?} are times")).way {
            Way::Formats(formats) => formats.iter().map(|format| format.text().to_owned()).collect(),
            Way::Plain => vec!["plain".to_owned()],
            Way::Epoch(unit) => vec![unit.to_owned()],
        }
    }

    #[test]
    fn a_part_over_twelve_decides_the_order_and_nothing_else_does() {
        assert_eq!(formats(&["03/04/2024 08:15", "25/04/2024 08:15"]), ["%d/%m/%Y %H:%M"]);
        assert_eq!(formats(&["03/04/2024", "03/25/2024"]), ["%m/%d/%Y"]);
        assert_eq!(formats(&["03/04/2024 08:15"]), ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]);
        assert_eq!(formats(&["03/04/24"]), ["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"]);
        assert_eq!(formats(&["24-03-05"]), ["%d-%m-%y", "%y-%m-%d"], "there is no month 24");
        assert_eq!(formats(&["24-03-05", "24-03-41"]), ["%d-%m-%y"]);
        assert_eq!(formats(&["2024/03/05"]), ["%Y/%m/%d"]);
    }

    #[test]
    fn with_dots_the_day_comes_first() {
        assert_eq!(formats(&["03.04.2026"]), ["%d.%m.%Y"]);
        assert_eq!(formats(&["03.04.26 8:15"]), ["%d.%m.%y %H:%M"]);
        assert!(style(&["03.25.2026", "03.04.2026"]).is_none());
    }

    #[test]
    fn what_needs_no_format_gets_none() {
        for value in ["2024-03-05T08:12:33.5Z", "2024-03-05 08:12", "2024-03-05"] {
            assert_eq!(formats(&[value]), ["plain"], "{value}");
        }
        assert_eq!(formats(&["2024-03-05 8:12"]), ["%Y-%m-%d %H:%M"]);
        for (value, unit) in [
            ("1709626353", "s"),
            ("1709626353123", "ms"),
            ("1709626353123456", "us"),
            ("1709626353123456789", "ns"),
            ("1.709626353E9", "s"),
        ] {
            assert_eq!(formats(&[value]), [unit], "{value}");
        }
        for value in ["hello", "12", "100050000013647", "45356.34", "08:15", "2024-03-05T", "1/2/3", "V-2024-03-05"] {
            assert!(style(&[value]).is_none(), "{value}");
        }
        assert!(is_time("8:15 PM") && is_time("5/3/2024") && !is_time("815"));
        assert!(is_day_number("45356,34375") && !is_day_number("453"));
    }

    #[test]
    fn zones_and_midnights_are_noticed() {
        let zoned = |values: &[&str]| style(values).map(|style| style.zoned);
        assert_eq!(zoned(&["2024-03-05T08:12Z", "2024-03-05 08:12 UTC"]), Some(Zoned::All));
        assert_eq!(zoned(&["2024-03-05T08:12Z", "2024-03-05 08:12"]), Some(Zoned::Some));
        assert_eq!(zoned(&["25.03.2024 08:12 UTC"]), Some(Zoned::NamedUtc));
        assert_eq!(zoned(&["25.03.2024 08:12 +0100"]), Some(Zoned::All));
        assert_eq!(zoned(&["25.03.2024 08:12"]), Some(Zoned::None));
        assert!(style(&["2024-03-05 00:00:00"]).is_some_and(|style| style.is_of_dates()));
        assert!(style(&["2024-03-05"]).is_some_and(|style| style.is_of_dates()));
        assert!(style(&["2024-03-05", "2024-03-05 08:00"]).is_some_and(|style| style.is_of_times()));
    }

    #[test]
    fn digits_alone_need_a_name_to_be_times() {
        for (value, needs_a_name) in [("20240305", true), ("202403050815", true), ("5/3/2024", false)] {
            assert_eq!(style(&[value]).map(|style| style.needs_a_name), Some(needs_a_name), "{value}");
        }
    }

    #[test]
    fn slips_among_the_values_are_counted() {
        let mut values = vec!["25/03/2024"; 9];
        values.push("unknown");
        let slip = style(&values).expect("dates");
        assert_eq!((slip.misfits, slip.misfit.as_deref()), (1, Some("unknown")));
        let mut mostly = vec!["25/03/2024"; 40];
        mostly.push("03/25/2024");
        assert_eq!(formats(&mostly).len(), 2, "one value in the other order is not a slip");
        mostly.push("31/02/2024");
        mostly.retain(|value| *value != "03/25/2024");
        assert_eq!(formats(&mostly), ["%d/%m/%Y"], "no order has a 31 February");
        assert_eq!(formats(&["25/03/2024", "03/25/2024", "03/04/2024"]).len(), 2);
    }
}
