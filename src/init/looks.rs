//! What the values of a column look like: times, addresses, zones, numbers.

use super::names::Name;
use super::sample::{Column, Kind};
use super::shape;
use super::times::{self, Reading, Way, Zoned};
use crate::build::Zone;

/// What producers write for nothing. `NA` is a country, too, and not among them.
pub(super) const NULLS: [&str; 11] =
    ["\\N", "NULL", "null", "(null)", "N/A", "n/a", "#N/A", "None", "NaN", "NaT", "<NA>"];

/// A column's name and values, looked at once.
#[derive(Debug)]
pub(super) struct Looks {
    pub(super) name: Name,
    /// Not a single value.
    pub(super) is_empty: bool,
    pub(super) reading: Option<Reading>,
    pub(super) emails: f64,
    pub(super) zones: f64,
    /// Whether a value is a zone beyond doubt: `Cuba` may be a country, and `-05` a discount.
    pub(super) surely_zones: bool,
    pub(super) numbers: f64,
    /// `08:15`, without a date.
    pub(super) times_of_day: bool,
    /// `45356.34`, as a spreadsheet counts days.
    pub(super) day_numbers: bool,
}

impl Looks {
    pub(super) fn of(column: &Column) -> Looks {
        let values: Vec<&str> = column.filled().filter(|value| !NULLS.contains(value)).collect();
        let share = |fits: fn(&str) -> bool| {
            let fitting = values.iter().filter(|value| fits(value)).count();
            if values.is_empty() { 0.0 } else { fitting as f64 / values.len() as f64 }
        };
        Looks {
            name: Name::of(&column.name),
            is_empty: values.is_empty(),
            reading: reading(column.kind, &values),
            emails: share(is_email),
            zones: share(|value| Zone::parse(value).is_some()),
            surely_zones: values.iter().any(|value| value.contains(['/', ':'])),
            numbers: share(is_whole_number),
            times_of_day: share(shape::is_time_of_day) > 0.9,
            day_numbers: share(times::is_day_number) > 0.9,
        }
    }

    /// Whether the values are times, or there are none.
    pub(super) fn has_times(&self) -> bool {
        self.is_empty || self.reading.as_ref().is_some_and(|reading| reading.has_time && !reading.midnight)
    }

    /// Whether the values are dates without a time of day, or there are none.
    pub(super) fn has_dates(&self) -> bool {
        let is_date =
            |reading: &Reading| (!reading.has_time || reading.midnight) && !matches!(reading.way, Way::Epoch(_));
        self.is_empty || self.reading.as_ref().is_some_and(is_date)
    }

    /// Whether it is only its name that would make times of the values.
    pub(super) fn needs_a_name(&self) -> bool {
        self.is_empty || self.reading.as_ref().is_some_and(|reading| reading.needs_a_name)
    }
}

fn reading(kind: Kind, values: &[&str]) -> Option<Reading> {
    let typed = |zoned, has_time| {
        let midnight = has_time && values.iter().all(|value| value.contains("00:00:00"));
        let way = Way::Plain;
        Some(Reading { way, zoned, has_time, midnight, needs_a_name: false, misfits: 0, misfit: None })
    };
    match kind {
        _ if values.is_empty() => None,
        Kind::Instant => typed(Zoned::All, true),
        Kind::Local => typed(Zoned::None, true),
        Kind::Date => typed(Zoned::None, false),
        Kind::Boolean | Kind::Unknown => None,
        Kind::Text | Kind::Number => times::read(values),
    }
}

fn is_email(value: &str) -> bool {
    let domain = value.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
    domain.contains('.') && !domain.contains('@') && !value.contains(char::is_whitespace)
}

fn is_whole_number(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0')
}
