//! What a column is called and what its values look like: times, addresses, zones, numbers, keys.

use super::cell_text::ColumnType;
use super::names::{self, Name};
use super::sample_column::SampleColumn;
use super::times::{self, TimeStyle, Zoned};
use crate::build::{Zone, is_time_of_day};
use crate::stand_ins::{is_no_time, is_word};
use std::collections::{BTreeSet, HashSet};

/// Values that are times only if the name says so need a name that scores as much as this.
pub(super) const WELL_NAMED: u32 = 40;

/// A column of a sample with all that its name and its values say. Words for an empty cell are not values here.
#[derive(Debug)]
pub(super) struct ColumnProfile<'a> {
    pub(super) column: &'a SampleColumn,
    pub(super) name: Name,
    pub(super) distinct: HashSet<&'a str>,
    /// How many rows have a value.
    pub(super) filled: usize,
    /// What stands for an empty cell among its values.
    pub(super) nulls: BTreeSet<&'a str>,
    /// How its dates or times are written, if it holds any.
    pub(super) times: Option<TimeStyle>,
    /// The share of rows that hold e-mail addresses, time zones, whole numbers.
    pub(super) emails: f64,
    pub(super) zones: f64,
    pub(super) numbers: f64,
    /// Whether a value can only be a zone: `Cuba` may be a country, and `-05` a discount.
    pub(super) surely_zones: bool,
    /// `08:15`, without a date.
    pub(super) has_times_of_day: bool,
    /// `081500`, which may as well be a code.
    pub(super) may_be_clock: bool,
    /// The share of rows that hold codes, and no names: there is a digit and no blank.
    pub(super) codes: f64,
    /// `45356.34`, as a spreadsheet counts days.
    pub(super) has_day_numbers: bool,
}

impl<'a> ColumnProfile<'a> {
    pub(super) fn of(column: &'a SampleColumn) -> ColumnProfile<'a> {
        let (mut nulls, mut values): (BTreeSet<&str>, Vec<(&str, usize)>) = (BTreeSet::new(), Vec::new());
        for (value, rows) in times::counted(column.filled()) {
            if is_word(value) {
                nulls.insert(value);
            } else {
                values.push((value, rows));
            }
        }
        // A zero is one among times alone.
        let dated: Vec<(&str, usize)> = values.iter().copied().filter(|(value, _)| !is_no_time(value)).collect();
        let is_of_text = matches!(column.column_type, ColumnType::Text | ColumnType::Number);
        if is_of_text && !dated.is_empty() && dated.len() < values.len() && TimeStyle::of(&dated).is_some() {
            nulls.extend(values.iter().map(|(value, _)| *value).filter(|value| is_no_time(value)));
            values = dated;
        }
        let filled: usize = values.iter().map(|(_, rows)| rows).sum();
        let share = |fits: fn(&str) -> bool| {
            let fitting: usize = values.iter().filter(|(value, _)| fits(value)).map(|(_, rows)| rows).sum();
            if filled == 0 { 0.0 } else { fitting as f64 / filled as f64 }
        };
        let midnight = || values.iter().all(|(value, _)| value.contains("00:00:00"));
        let times = match column.column_type {
            _ if values.is_empty() => None,
            ColumnType::Instant => Some(TimeStyle::typed(Zoned::All, true, midnight())),
            ColumnType::Local => Some(TimeStyle::typed(Zoned::None, true, midnight())),
            ColumnType::Date => Some(TimeStyle::typed(Zoned::None, false, false)),
            ColumnType::Boolean | ColumnType::Unknown => None,
            ColumnType::Text | ColumnType::Number => TimeStyle::of(&values),
        };
        ColumnProfile {
            column,
            // Of a day and a time of day, the latter says what it is the time of.
            name: Name::of(column.parts.last().unwrap_or(&column.name)),
            filled,
            nulls,
            times,
            emails: share(is_email),
            zones: share(|value| Zone::parse(value).is_some()),
            numbers: share(is_whole_number),
            surely_zones: values.iter().any(|(value, _)| value.contains(['/', ':'])),
            has_times_of_day: share(is_time_of_day) > 0.9,
            may_be_clock: filled > 0 && values.iter().all(|(value, _)| times::is_bare_clock(value, values[0].0.len())),
            codes: share(is_code),
            has_day_numbers: share(times::is_day_number) > 0.9,
            distinct: values.into_iter().map(|(value, _)| value).collect(),
        }
    }

    /// Whether it has not a single value.
    pub(super) fn is_empty(&self) -> bool {
        self.filled == 0
    }

    /// A value as an example: the first one.
    pub(super) fn example(&self) -> Option<&'a str> {
        self.column.filled().find(|value| self.distinct.contains(value))
    }

    /// The values of the sampled rows; empty where a row has none.
    pub(super) fn rows(&self) -> impl Iterator<Item = &'a str> {
        self.column.values.iter().map(|value| if self.distinct.contains(value.as_str()) { value.as_str() } else { "" })
    }

    /// Whether the values are times, or there are none.
    pub(super) fn may_be_times(&self) -> bool {
        self.is_empty() || self.times.as_ref().is_some_and(TimeStyle::is_of_times)
    }

    /// Whether the values are dates without a time of day, or there are none.
    pub(super) fn may_be_dates(&self) -> bool {
        self.is_empty() || self.times.as_ref().is_some_and(TimeStyle::is_of_dates)
    }

    /// Whether every time is written with an offset that is not that of UTC, which tells its day.
    pub(super) fn tells_the_day(&self) -> bool {
        let has_offset = |value: &str| {
            let digits: String = value.chars().rev().take(6).filter(|c| !c.is_whitespace()).collect();
            let offset: String = digits.chars().rev().skip_while(|c| !matches!(c, '+' | '-')).collect();
            let numbers = offset.bytes().filter(u8::is_ascii_digit).count();
            (numbers == 4 || numbers == 2)
                && offset.contains(['1', '2', '3', '4', '5', '6', '7', '8', '9'])
                && value.contains(':')
        };
        let is_written = self.column.column_type == ColumnType::Text && !self.is_empty();
        is_written && self.distinct.iter().all(|value| has_offset(value))
    }

    /// Whether the values are times of day, without a date. Bare digits are only by a name that says so.
    pub(super) fn is_clock(&self) -> bool {
        let is_named = || [&names::START, &names::END].iter().any(|words| self.name.score(words) >= WELL_NAMED);
        self.has_times_of_day || self.may_be_clock && is_named()
    }

    /// Whether the values are times, every one of them at midnight.
    pub(super) fn is_at_midnight(&self) -> bool {
        self.times.as_ref().is_some_and(|style| style.has_time && style.is_midnight)
    }

    /// Whether nothing but a name could make times of the values.
    pub(super) fn needs_a_name(&self) -> bool {
        self.is_empty() || self.times.as_ref().is_some_and(|style| style.needs_a_name)
    }

    /// Whether the values may be codes, keys or other text. Digits that may also be a date are among these.
    pub(super) fn may_be_text(&self) -> bool {
        self.times.as_ref().is_none_or(|style| style.needs_a_name)
    }

    /// Whether the values may be keys: not times, truth values or fractions, however many of them two exports share.
    pub(super) fn may_be_keys(&self) -> bool {
        let is_fraction = |value: &str| value.contains(['.', ',']) && value.parse::<f64>().is_ok();
        matches!(self.column.column_type, ColumnType::Text | ColumnType::Number | ColumnType::Unknown)
            && self.may_be_text()
            && !self.column.filled().take(50).any(is_fraction)
    }

    /// The share of the rows with a value that have a value of their own.
    pub(super) fn uniqueness(&self) -> f64 {
        if self.filled == 0 { 0.0 } else { self.distinct.len() as f64 / self.filled as f64 }
    }

    /// Whether all values are whole numbers in plain digits.
    pub(super) fn is_of_numbers(&self) -> bool {
        self.range().is_some()
    }

    /// Whether the values are a nearly unbroken run of whole numbers from a small or a round one on, as rows and tables
    /// are counted: any two exports share such values, whatever they are about.
    pub(super) fn is_running(&self) -> bool {
        const SMALL: u64 = 1_000;
        const UNBROKEN: f64 = 0.8;
        let Some((least, most)) = self.range() else { return false };
        let is_round = |n: u64| n > 0 && n == 10u64.pow(n.ilog10());
        let begins_anew = least <= SMALL || is_round(least) || is_round(least - 1);
        begins_anew && self.distinct.len() as f64 >= UNBROKEN * ((most - least) as f64 + 1.0)
    }

    /// The smallest and the largest of the values, where all of them are whole numbers.
    fn range(&self) -> Option<(u64, u64)> {
        let mut range = None;
        for value in &self.distinct {
            let number = value.parse().ok().filter(|_| value.bytes().all(|b| b.is_ascii_digit()))?;
            range =
                Some(range.map_or((number, number), |(least, most): (u64, u64)| (least.min(number), most.max(number))));
        }
        range
    }
}

fn is_code(value: &str) -> bool {
    value.bytes().any(|b| b.is_ascii_digit()) && !value.contains(' ')
}

fn is_email(value: &str) -> bool {
    let domain = value.split_once('@').map(|(_, domain)| domain).unwrap_or_default();
    domain.contains('.') && !domain.contains('@') && !value.contains(char::is_whitespace)
}

fn is_whole_number(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit()) && fraction.bytes().all(|b| b == b'0')
}
