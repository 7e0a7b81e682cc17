//! How the times and dates of a column are written, told from sample values.
//!
//! Every value is taken apart into a date, a time of day and a zone; the way that most values share becomes a
//! format, which is then tried on all of them. Where day and month could stand in either order, and no value
//! decides, all orders come out: nobody but a person can say.

use super::shape::{DATE, Date, FRACTION, Shape, Zone};
use crate::build::Pattern;
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, NaiveDate};
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
    /// The part of it that has the date.
    pub(super) date: String,
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

impl Order {
    /// The day of a value.
    pub(super) fn day(&self, value: &str) -> Option<NaiveDate> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, value, items(&self.format)?.iter()).ok()?;
        parsed.to_naive_date().ok()
    }
}

impl Reading {
    /// The day of a value as it is written, where that is beyond doubt; of a number, that of UTC.
    pub(super) fn day(&self, value: &str) -> Option<NaiveDate> {
        match &self.way {
            Way::Plain => value.get(..10)?.parse().ok(),
            Way::Epoch(unit) => {
                let per_second = UNITS.iter().find(|(name, _)| name == unit).map(|(_, per)| *per)?;
                let seconds = value.parse::<f64>().ok()? / per_second;
                DateTime::from_timestamp(seconds as i64, 0).map(|time| time.date_naive())
            }
            Way::Formats(orders) => match orders.as_slice() {
                [only] => only.day(value),
                _ => None,
            },
        }
    }
}

/// What numbers of times count, and how many of it make a second.
const UNITS: [(&str, f64); 4] = [("s", 1.0), ("ms", 1e3), ("us", 1e6), ("ns", 1e9)];

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
        // Nobody writes the day in between, nor the month before a dot, but where the values leave nothing else.
        if matches!(date, Date::YearFirst(..)) || date.is_dotted() && !contradict(&orders, &refused) {
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
        tried.push((Order { format, date: date.clone(), order }, refused));
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

/// Whether one order reads what another one refuses.
fn contradict(orders: &[Order], refused: &[&str]) -> bool {
    let reads_some = |order: &Order| items(&order.format).is_some_and(|items| refused.iter().any(|v| reads(&items, v)));
    orders.iter().any(reads_some)
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
    let fits = |per: f64| numbers.iter().all(|number| EPOCHS.contains(&(number / per)));
    UNITS.iter().find(|(_, per)| fits(*per)).map(|(unit, _)| *unit)
}

/// Whether a value may be a day number of a spreadsheet, such as `45356.34`: days since 1899.
pub(super) fn is_day_number(value: &str) -> bool {
    let number = value.replace(',', ".");
    number.split('.').next().is_some_and(|days| days.len() == 5)
        && number.parse::<f64>().is_ok_and(|days| (36_526.0..73_051.0).contains(&days))
}

#[cfg(test)]
mod tests {
    use super::super::shape::is_time_of_day;
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
        assert_eq!(formats(&["03/04/24"]), ["%d/%m/%y", "%m/%d/%y", "%y/%m/%d"]);
        assert_eq!(formats(&["24-03-05"]), ["%d-%m-%y", "%y-%m-%d"], "there is no month 24");
        assert_eq!(formats(&["24-03-05", "24-03-41"]), ["%d-%m-%y"]);
        assert_eq!(formats(&["2024/03/05"]), ["%Y/%m/%d"]);
        assert_eq!(formats(&["2024/25/03"]), ["%Y/%d/%m"]);
    }

    #[test]
    fn with_dots_the_day_comes_first_unless_the_values_say_otherwise() {
        assert_eq!(formats(&["03.04.2026"]), ["%d.%m.%Y"]);
        assert_eq!(formats(&["03.04.26 8:15"]), ["%d.%m.%y %H:%M"]);
        assert_eq!(formats(&["03.25.2026", "03.04.2026"]), ["%m.%d.%Y"]);
        assert_eq!(formats(&["03.25.2026", "25.03.2026"]).len(), 2);
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
