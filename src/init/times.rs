//! How the times and dates of a column are written, told from sample values.
//!
//! Every value is taken apart into a date, a time of day and a zone; the way that most values share becomes a
//! format, which is then tried on all of them. Where day and month could stand in either order, and no value
//! decides, all orders come out: nobody but a person can say.

use crate::build::Pattern;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use std::collections::BTreeMap;

/// How the values of a column are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// As the program reads them without being told.
    Plain,
    /// A number of these (`s`, `ms`, `us`, `ns`) since 1970.
    Epoch(&'static str),
    /// One of these formats; more than one where the values leave it open.
    Formats(Vec<Order>),
}

/// A format, and in which order it has the parts of the date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) format: String,
    pub(super) order: &'static str,
}

/// Which of the values carry their zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zoned {
    All,
    Some,
    None,
    /// All of them say UTC or GMT, which a format can only read over.
    NamedUtc,
}

/// What the values of a column say, if they are dates or times at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) way: Way,
    pub(super) zoned: Zoned,
    /// Whether there is a time of day.
    pub(super) has_time: bool,
    /// Whether that time is midnight throughout: a date.
    pub(super) midnight: bool,
    /// Plain numbers: times only if the column's name says so.
    pub(super) needs_a_name: bool,
    /// How many values are written in another way, and the first of them.
    pub(super) misfits: usize,
    pub(super) misfit: Option<String>,
}

/// Values that must share a way of writing before the others count as slips.
const MOST: f64 = 0.8;

/// 2000-01-01 and 2100-01-01 in epoch seconds.
const EPOCHS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;

/// Reads the values of a column, none of them empty; `None` where they are no dates and no times.
pub(super) fn read(values: &[&str]) -> Option<Reading> {
    if values.is_empty() {
        return None;
    }
    if let Some(unit) = epoch(values) {
        return Some(Reading {
            way: Way::Epoch(unit),
            zoned: Zoned::All,
            has_time: true,
            midnight: false,
            needs_a_name: true,
            misfits: 0,
            misfit: None,
        });
    }
    let shapes: Vec<Option<Shape>> = values.iter().map(|value| Shape::of(value)).collect();
    let mut kinds: BTreeMap<(&Date, &str, bool), usize> = BTreeMap::new();
    for shape in shapes.iter().flatten() {
        *kinds.entry(shape.kind()).or_default() += 1;
    }
    // Of equally frequent ones the first in their order: any rule will do, as long as it is always the same.
    let (&kind, &count) = kinds.iter().max_by_key(|(kind, count)| (**count, std::cmp::Reverse(**kind)))?;
    if (count as f64) < MOST * values.len() as f64 {
        return None;
    }
    let fits = |shape: &Option<Shape>| shape.as_ref().is_some_and(|shape| shape.kind() == kind);
    let chosen: Vec<(&str, &Shape)> = values
        .iter()
        .zip(&shapes)
        .filter(|(_, shape)| fits(shape))
        .filter_map(|(value, shape)| shape.as_ref().map(|shape| (*value, shape)))
        .collect();
    let (date, _, plain) = kind;
    let mut misfit = values.iter().zip(&shapes).find(|(_, shape)| !fits(shape)).map(|(value, _)| (*value).to_owned());
    let mut misfits = values.len() - chosen.len();
    let way = if plain {
        Way::Plain
    } else {
        let fraction = chosen.iter().any(|(_, shape)| shape.fraction);
        let template = chosen.first().map(|(_, shape)| shape.template.as_str())?;
        let template = template.replace(FRACTION, if fraction { "%.f" } else { "" });
        let texts: Vec<&str> = chosen.iter().map(|(value, _)| *value).collect();
        let (mut orders, refused) = orders(&date.orders(), &template, &texts)?;
        if matches!(date, Date::YearFirst(..)) {
            // Nobody writes the day in between, but where the values leave nothing else.
            orders.truncate(1);
        }
        misfits += refused.len();
        misfit = misfit.or_else(|| refused.first().map(|value| (*value).to_owned()));
        Way::Formats(orders)
    };
    let count = |what: fn(&Shape) -> bool| chosen.iter().filter(|(_, shape)| what(shape)).count();
    let zoned = match (count(|shape| shape.zone == Zone::Offset), count(|shape| shape.zone == Zone::Utc)) {
        (n, m) if n + m == 0 => Zoned::None,
        (0, _) if !plain => Zoned::NamedUtc,
        (n, m) if n + m == chosen.len() => Zoned::All,
        _ => Zoned::Some,
    };
    let has_time = chosen.iter().any(|(_, shape)| shape.has_time);
    Some(Reading {
        way,
        zoned,
        has_time,
        midnight: has_time && chosen.iter().all(|(_, shape)| shape.midnight),
        needs_a_name: *date == Date::Compact,
        misfits,
        misfit,
    })
}

/// The orders that all values allow, but for slips that none allows; all of them where the values contradict each
/// other; the values that the first refuses.
fn orders<'a>(
    known: &[(&'static str, String)],
    template: &str,
    values: &[&'a str],
) -> Option<(Vec<Order>, Vec<&'a str>)> {
    let mut tried = Vec::new();
    for (order, date) in known {
        let format = template.replace(DATE, date);
        let refused: Vec<&str> = match items(&format) {
            Some(items) => values.iter().filter(|value| !reads(&items, value)).copied().collect(),
            None => continue,
        };
        tried.push((Order { format, order }, refused));
    }
    let fewest = tried.iter().map(|(_, refused)| refused.len()).min()?;
    let best = tried.iter().position(|(_, refused)| refused.len() == fewest)?;
    // What one order refuses and another reads is no slip: 25/03/2024 and 03/25/2024 contradict each other, and
    // the more frequent order would swap day and month of the others without a word.
    let read_otherwise = |value: &&str| tried.iter().any(|(_, refused)| !refused.contains(value));
    if tried[best].1.iter().any(read_otherwise) {
        tried.retain(|(_, refused)| refused.len() < values.len());
    } else if fewest as f64 > (1.0 - MOST) * values.len() as f64 {
        return None;
    } else {
        tried.retain(|(_, refused)| refused.len() == fewest);
    }
    let refused = tried.first().map(|(_, refused)| refused.clone())?;
    Some((tried.into_iter().map(|(order, _)| order).collect(), refused))
}

/// Leaves out the orders that a further value does not allow, unless it allows none of them.
pub(super) fn narrow(orders: &mut Vec<Order>, value: &str) {
    if orders.len() < 2 || value.is_empty() {
        return;
    }
    let allows = |order: &Order| items(&order.format).is_some_and(|items| reads(&items, value));
    if orders.iter().any(allows) {
        orders.retain(allows);
    }
}

fn items(format: &str) -> Option<Vec<Item<'static>>> {
    Pattern::new(format)?;
    StrftimeItems::new(format).parse_to_owned().ok()
}

fn reads(items: &[Item<'static>], value: &str) -> bool {
    let mut parsed = Parsed::new();
    parse(&mut parsed, value, items.iter()).is_ok()
        && parsed.to_naive_date().is_ok_and(|date| (1990..2100).contains(&chrono::Datelike::year(&date)))
}

/// The unit of numbers that are all times of this century in it.
fn epoch(values: &[&str]) -> Option<&'static str> {
    let number = |text: &str| -> Option<f64> {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'E'));
        if plain { text.parse().ok() } else { None }
    };
    let numbers: Vec<f64> = values.iter().map(|value| number(value)).collect::<Option<_>>()?;
    let units = [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)];
    let fits = |per: f64| numbers.iter().all(|number| EPOCHS.contains(&(number / per)));
    units.iter().find(|(_, per)| fits(*per)).map(|(unit, _)| *unit)
}

/// Whether a value is a time of day without a date, such as `08:15`.
pub(super) fn is_time_of_day(value: &str) -> bool {
    let mut left = Left { text: value, format: String::new() };
    let mut shape = Shape::default();
    left.time(&mut shape).is_some() && left.text.is_empty()
}

/// Whether a value may be a day number of a spreadsheet, such as `45356.34`: days since 1899.
pub(super) fn is_day_number(value: &str) -> bool {
    let number = value.replace(',', ".");
    number.split('.').next().is_some_and(|days| days.len() == 5)
        && number.parse::<f64>().is_ok_and(|days| (36_526.0..73_051.0).contains(&days))
}

/// Stands in a template for the date, and for the fraction that some values have.
const DATE: &str = "\u{1}";
const FRACTION: &str = "\u{2}";

/// What the date of a value looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Date {
    #[default]
    None,
    /// The year first.
    YearFirst(String, String),
    /// The year last, in four digits.
    YearLast(String, String),
    /// Three numbers of two digits.
    ShortYear(String, String),
    /// Digits without anything between them.
    Compact,
    /// With the name of the month: a format without an open question.
    Named(String),
}

impl Date {
    fn orders(&self) -> Vec<(&'static str, String)> {
        let numbers = |order: &'static str, parts: [&str; 3], a: &str, b: &str| {
            (order, format!("{}{a}{}{b}{}", parts[0], parts[1], parts[2]))
        };
        match self {
            Date::None => Vec::new(),
            Date::YearFirst(a, b) => vec![
                numbers("year, month, day", ["%Y", "%m", "%d"], a, b),
                numbers("year, day, month", ["%Y", "%d", "%m"], a, b),
            ],
            Date::YearLast(a, b) => {
                vec![numbers("day first", ["%d", "%m", "%Y"], a, b), numbers("month first", ["%m", "%d", "%Y"], a, b)]
            }
            Date::ShortYear(a, b) => vec![
                numbers("day first", ["%d", "%m", "%y"], a, b),
                numbers("month first", ["%m", "%d", "%y"], a, b),
                numbers("year first", ["%y", "%m", "%d"], a, b),
            ],
            Date::Compact => vec![("year, month, day", "%Y%m%d".to_owned())],
            Date::Named(format) => vec![("named month", format.clone())],
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Zone {
    #[default]
    None,
    /// `+01:00`, `Z`.
    Offset,
    /// `UTC` or `GMT`.
    Utc,
}

/// A value taken apart.
#[derive(Clone, Debug, Default)]
struct Shape {
    date: Date,
    /// The format, with marks for the date and the fraction.
    template: String,
    fraction: bool,
    has_time: bool,
    midnight: bool,
    zone: Zone,
    plain: bool,
}

impl Shape {
    /// What values of one way of writing have in common. How the zone of a plain time is written does not matter.
    fn kind(&self) -> (&Date, &str, bool) {
        (&self.date, if self.plain { "" } else { &self.template }, self.plain)
    }

    fn of(value: &str) -> Option<Shape> {
        let mut left = Left { text: value, format: String::new() };
        let mut shape = Shape::default();
        left.date(&mut shape)?;
        left.format.push_str(DATE);
        if !left.text.is_empty() {
            let strict = left.separator()?;
            let seconds_and_minutes = left.time(&mut shape)?;
            shape.plain &= strict && seconds_and_minutes;
            left.zone(&mut shape)?;
        }
        shape.template = left.format;
        Some(shape)
    }
}

/// What is left of a value, and the format of what was taken off it.
struct Left<'a> {
    text: &'a str,
    format: String,
}

impl<'a> Left<'a> {
    fn take(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let end = self.text.find(|c| !accepts(c)).unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.text = rest;
        taken
    }

    fn digits(&mut self) -> &'a str {
        self.take(|c| c.is_ascii_digit())
    }

    fn date(&mut self, shape: &mut Shape) -> Option<()> {
        let first = self.digits();
        if first.is_empty() {
            return self.month_first(shape);
        }
        if first.len() >= 8 {
            return self.compact(first, shape);
        }
        let a = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        if self.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let month = self.month()?;
            let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' ' | ','));
            let year = self.year()?;
            shape.date = Date::Named(format!("%d{a}{month}{b}{year}"));
            return (first.len() <= 2).then_some(());
        }
        let second = self.digits();
        let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        let third = self.digits();
        let (a, b) = (a.to_owned(), b.to_owned());
        if a.is_empty() || b.is_empty() {
            return None;
        }
        shape.plain = a == "-" && b == "-" && (first.len(), second.len(), third.len()) == (4, 2, 2);
        shape.date = match (first.len(), second.len(), third.len()) {
            (4, 1..=2, 1..=2) => Date::YearFirst(a, b),
            (1..=2, 1..=2, 4) => Date::YearLast(a, b),
            (1..=2, 1..=2, 2) => Date::ShortYear(a, b),
            _ => return None,
        };
        Some(())
    }

    /// `20240305`, with or without a time of day right behind it.
    fn compact(&mut self, digits: &'a str, shape: &mut Shape) -> Option<()> {
        shape.date = Date::Compact;
        if !matches!(digits.len(), 8 | 12 | 14) || !(digits.starts_with("19") || digits.starts_with("20")) {
            return None;
        }
        // The time is read as if a space stood before it.
        if digits.len() > 8 {
            shape.has_time = true;
            shape.midnight = digits[8..].bytes().all(|b| b == b'0');
            self.format.push_str(DATE);
            self.format.push_str(if digits.len() == 14 { "%H%M%S" } else { "%H%M" });
            // The caller adds the date's mark; without it the template would name the date twice.
            let format = std::mem::take(&mut self.format);
            if !self.text.is_empty() {
                return None;
            }
            shape.date = Date::Named(format.replace(DATE, "%Y%m%d"));
        }
        Some(())
    }

    /// `Mar 5, 2024`.
    fn month_first(&mut self, shape: &mut Shape) -> Option<()> {
        let month = self.month()?;
        let a = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        let day = self.digits();
        let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' ' | ','));
        let year = self.year()?;
        shape.date = Date::Named(format!("{month}{a}%d{b}{year}"));
        (matches!(day.len(), 1 | 2) && !b.is_empty()).then_some(())
    }

    /// An English month's name: the only ones that a format can read.
    fn month(&mut self) -> Option<&'static str> {
        let name = self.take(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let known = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let known = known.contains(&name.get(..3)?);
        known.then_some(if name.len() == 3 { "%b" } else { "%B" })
    }

    fn year(&mut self) -> Option<&'static str> {
        match self.digits().len() {
            4 => Some("%Y"),
            2 => Some("%y"),
            _ => None,
        }
    }

    /// What stands between date and time; whether it is one that needs no format.
    fn separator(&mut self) -> Option<bool> {
        let separator = self.take(|c| matches!(c, 'T' | 't' | ' ' | ',' | '_' | '-'));
        self.format.push_str(separator);
        (!separator.is_empty()).then_some(matches!(separator, "T" | "t" | " "))
    }

    /// The time of day; whether it is written as a time that needs no format is.
    fn time(&mut self, shape: &mut Shape) -> Option<bool> {
        let hour = self.digits();
        shape.has_time = true;
        if matches!(hour.len(), 4 | 6) {
            self.format.push_str(if hour.len() == 6 { "%H%M%S" } else { "%H%M" });
            shape.midnight = hour.bytes().all(|b| b == b'0');
            return Some(false);
        }
        if !matches!(hour.len(), 1 | 2) {
            return None;
        }
        let before_hour = self.format.len();
        let colon = self.take(|c| matches!(c, ':' | '.' | 'h'));
        let minute = self.digits();
        if colon.len() != 1 || minute.len() != 2 {
            return None;
        }
        let mut strict = colon == ":" && hour.len() == 2;
        let mut clock = format!("{colon}%M");
        let mut zero = [hour, minute].iter().all(|part| part.bytes().all(|b| b == b'0'));
        let rest = self.text;
        if let Some(after) = rest.strip_prefix(colon).filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
            self.text = after;
            let second = self.digits();
            if second.len() != 2 {
                return None;
            }
            zero &= second == "00";
            clock.push_str(&format!("{colon}%S"));
            clock.push_str(FRACTION);
            if self.text.starts_with(['.', ',']) {
                let comma = self.text.starts_with(',');
                self.text = &self.text[1..];
                let fraction = self.digits();
                zero &= fraction.bytes().all(|b| b == b'0');
                if fraction.is_empty() {
                    return None;
                }
                shape.fraction = !comma;
                if comma {
                    // Only a dot has a fraction of its own; behind a comma the digits are a number.
                    clock = clock.replace(FRACTION, ",%f");
                }
            }
        }
        let spaces = self.text.len() - self.text.trim_start().len();
        let half = self.text.trim_start().get(..2).unwrap_or_default();
        let is_half = half.eq_ignore_ascii_case("am") || half.eq_ignore_ascii_case("pm");
        if is_half {
            clock = format!("%I{clock}{}%p", &self.text[..spaces]);
            self.text = &self.text[spaces + 2..];
            zero = zero || (hour == "12" && half.eq_ignore_ascii_case("am") && minute == "00");
            strict = false;
        } else {
            clock = format!("%H{clock}");
        }
        debug_assert_eq!(before_hour, self.format.len());
        self.format.push_str(&clock);
        shape.midnight = zero;
        Some(strict)
    }

    /// What follows the time: nothing, a zone, or words that all values share.
    fn zone(&mut self, shape: &mut Shape) -> Option<()> {
        let spaces = self.take(|c| c == ' ');
        self.format.push_str(spaces);
        match self.text {
            "" => {}
            "Z" | "z" => {
                shape.zone = Zone::Offset;
                self.format.push_str("%#z");
            }
            "UTC" | "GMT" => {
                shape.zone = Zone::Utc;
                self.format.push_str(self.text);
            }
            text if text.starts_with(['+', '-']) => {
                let digits = text[1..].bytes().all(|b| b.is_ascii_digit() || b == b':');
                let format = match text.len() {
                    3 if digits => "%#z",
                    5 if digits && !text.contains(':') => "%z",
                    6 if digits && text.as_bytes()[3] == b':' => "%z",
                    _ => return None,
                };
                shape.zone = Zone::Offset;
                self.format.push_str(format);
            }
            words if words.chars().all(char::is_alphabetic) && words.len() <= 5 => {
                shape.plain = false;
                self.format.push_str(words);
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formats(values: &[&str]) -> Vec<String> {
        match read(values).unwrap_or_else(|| panic!("{values:?} are times")).way {
            Way::Formats(orders) => orders.into_iter().map(|order| order.format).collect(),
            Way::Plain => vec!["plain".to_owned()],
            Way::Epoch(unit) => vec![unit.to_owned()],
        }
    }

    #[test]
    fn a_part_over_twelve_decides_the_order_and_nothing_else_does() {
        assert_eq!(formats(&["03/04/2024 08:15", "25/04/2024 08:15"]), ["%d/%m/%Y %H:%M"]);
        assert_eq!(formats(&["03/04/2024", "03/25/2024"]), ["%m/%d/%Y"]);
        assert_eq!(formats(&["03/04/2024 08:15"]), ["%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"]);
        assert_eq!(formats(&["03.04.24"]), ["%d.%m.%y", "%m.%d.%y", "%y.%m.%d"]);
        assert_eq!(formats(&["24-03-05"]), ["%d-%m-%y", "%y-%m-%d"], "there is no month 24");
        assert_eq!(formats(&["24-03-05", "24-03-41"]), ["%d-%m-%y"]);
        assert_eq!(formats(&["2024/03/05"]), ["%Y/%m/%d"]);
        assert_eq!(formats(&["2024/25/03"]), ["%Y/%d/%m"]);
    }

    #[test]
    fn usual_ways_of_writing_are_told() {
        for (value, format) in [
            ("2024-03-05T08:12:33.5Z", "plain"),
            ("2024-03-05 08:12", "plain"),
            ("2024-03-05", "plain"),
            ("2024-03-05 8:12", "%Y-%m-%d %H:%M"),
            ("25.03.2024 14:05:33", "%d.%m.%Y %H:%M:%S"),
            ("25.03.2024 14:05:33,250", "%d.%m.%Y %H:%M:%S,%f"),
            ("25.03.2024 14:05:33.250", "%d.%m.%Y %H:%M:%S%.f"),
            ("3/25/2024 2:05:33 PM", "%m/%d/%Y %I:%M:%S %p"),
            ("3/25/24, 2:05pm", "%m/%d/%y, %I:%M%p"),
            ("05-MAR-24 14:05", "%d-%b-%y %H:%M"),
            ("March 5, 2024 14:05", "%B %d, %Y %H:%M"),
            ("20240305", "%Y%m%d"),
            ("20240305T140533+0100", "%Y%m%dT%H%M%S%z"),
            ("20240305140533", "%Y%m%d%H%M%S"),
            ("25/03/2024 14h05", "%d/%m/%Y %Hh%M"),
            ("25/03/2024 14:05 +01", "%d/%m/%Y %H:%M %#z"),
            ("25/03/2024 14:05:00Z", "%d/%m/%Y %H:%M:%S%#z"),
            ("25.03.2024 14:05 Uhr", "%d.%m.%Y %H:%M Uhr"),
            ("1709626353", "s"),
            ("1709626353123", "ms"),
            ("1709626353123456", "us"),
            ("1709626353123456789", "ns"),
            ("1.709626353E9", "s"),
        ] {
            assert_eq!(formats(&[value]), [format], "{value}");
        }
        for value in ["hello", "12", "100050000013647", "45356.34", "08:15", "2024-03-05T", "1/2/3", "V-2024-03-05"] {
            assert_eq!(read(&[value]), None, "{value}");
        }
        assert!(is_time_of_day("08:15") && is_time_of_day("8:15 PM") && !is_time_of_day("815"));
        assert!(is_day_number("45356,34375") && !is_day_number("453"));
    }

    #[test]
    fn zones_and_midnights_are_noticed() {
        let zoned = |values: &[&str]| read(values).map(|reading| reading.zoned);
        assert_eq!(zoned(&["2024-03-05T08:12Z", "2024-03-05 08:12 UTC"]), Some(Zoned::All));
        assert_eq!(zoned(&["2024-03-05T08:12Z", "2024-03-05 08:12"]), Some(Zoned::Some));
        assert_eq!(zoned(&["25.03.2024 08:12 UTC"]), Some(Zoned::NamedUtc));
        assert_eq!(zoned(&["25.03.2024 08:12"]), Some(Zoned::None));
        assert!(read(&["2024-03-05 00:00:00"]).is_some_and(|reading| reading.midnight));
        assert!(read(&["2024-03-05"]).is_some_and(|reading| !reading.has_time));
    }

    #[test]
    fn slips_among_the_values_are_counted() {
        let mut values = vec!["25/03/2024"; 9];
        values.push("unknown");
        let reading = read(&values).expect("dates");
        assert_eq!((reading.misfits, reading.misfit.as_deref()), (1, Some("unknown")));
        values.truncate(8);
        let mut mostly = vec!["25/03/2024"; 40];
        mostly.push("03/25/2024");
        assert_eq!(formats(&mostly).len(), 2, "one value in the other order is no slip");
        mostly.push("31/02/2024");
        mostly.retain(|value| *value != "03/25/2024");
        assert_eq!(formats(&mostly), ["%d/%m/%Y"], "no order has a 31 February");
        let contradictory = read(&["25/03/2024", "03/25/2024", "03/04/2024"]).expect("dates");
        assert!(matches!(contradictory.way, Way::Formats(orders) if orders.len() == 2));
    }

    #[test]
    fn a_later_value_decides() {
        let Some(Reading { way: Way::Formats(mut orders), .. }) = read(&["03/04/2024"]) else { panic!("dates") };
        narrow(&mut orders, "04/05/2024");
        narrow(&mut orders, "no date");
        assert_eq!(orders.len(), 2);
        narrow(&mut orders, "04/13/2024");
        assert_eq!(orders.iter().map(|order| order.order).collect::<Vec<_>>(), ["month first"]);
    }
}
