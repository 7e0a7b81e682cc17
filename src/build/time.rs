//! Dates and times of exports, to the day and to the whole epoch second that the API takes.
//!
//! The machine's own zone plays no part. A time without a zone is one only where the job names the zone.

use super::problem::{Code, shown};
use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use std::fmt::Write;

/// What a bare number counts since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl Unit {
    /// How many of it make a second.
    pub(super) fn per_second(self) -> i64 {
        match self {
            Unit::Seconds => 1,
            Unit::Millis => 1_000,
            Unit::Micros => 1_000_000,
            Unit::Nanos => 1_000_000_000,
        }
    }
}

/// A checked strftime pattern.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    items: Vec<Item<'static>>,
}

impl Pattern {
    /// `None` where chrono does not know the pattern, or would not read all of it.
    pub fn new(text: &str) -> Option<Pattern> {
        let items = StrftimeItems::new(text).parse_to_owned().ok().filter(|items| !items.is_empty())?;
        // chrono passes over a zone's name without a look at it: the time would be taken for another zone's.
        let names_a_zone = |item: &Item<'_>| matches!(item, Item::Fixed(chrono::format::Fixed::TimezoneName));
        (!items.iter().any(names_a_zone)).then(|| Pattern { text: text.to_owned(), items })
    }

    /// Whether it ends with a word for UTC that is text like any other to it, and says nothing of the zone.
    pub fn passes_over_utc(&self) -> bool {
        let text = self.text.trim_end();
        let says_utc =
            ["Z", "UTC", "GMT", "[UTC]", "[GMT]", "+00", "+0000", "+00:00"].iter().any(|word| text.ends_with(word));
        let reads_a_zone = ["%z", "%:z", "%::z", "%:::z", "%#z", "%+", "%s"].iter().any(|item| text.contains(item));
        says_utc && !reads_a_zone
    }

    /// Whether a date can be told from what it reads.
    pub fn has_date(&self) -> bool {
        self.reads(|parsed| parsed.to_naive_date().is_ok() || parsed.timestamp().is_some())
    }

    /// Whether a time of day can be told from it.
    pub fn has_time(&self) -> bool {
        self.reads(|parsed| parsed.to_naive_time().is_ok() || parsed.timestamp().is_some())
    }

    /// Whether this can be told of a time that it has written itself; so it is where that cannot be tried.
    fn reads(&self, what: impl Fn(&Parsed) -> bool) -> bool {
        // Of zones there are some that are only read, and none of them matters here.
        let is_zone = |item: &&Item<'_>| match item {
            Item::Fixed(fixed) => {
                use chrono::format::Fixed::*;
                matches!(
                    fixed,
                    TimezoneOffset
                        | TimezoneOffsetZ
                        | TimezoneOffsetColon
                        | TimezoneOffsetColonZ
                        | TimezoneOffsetDoubleColon
                        | TimezoneOffsetTripleColon
                        | Internal(_)
                )
            }
            _ => false,
        };
        let items: Vec<&Item<'_>> = self.items.iter().filter(|item| !is_zone(item)).collect();
        // Of the afternoon, in a year that two digits tell.
        let Some(time) = DateTime::from_timestamp(1_709_644_353, 0) else { return true };
        let mut written = String::new();
        if write!(written, "{}", time.format_with_items(items.iter().copied())).is_err() {
            return true;
        }
        let mut parsed = Parsed::new();
        parse(&mut parsed, &written, items.into_iter()).is_err() || what(&parsed)
    }

    fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        Some(parsed)
    }
}

/// The zone of times that carry none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// With its rules for summer time.
    Named(Tz),
    /// A plain distance from UTC.
    Offset(FixedOffset),
}

impl Zone {
    /// From an IANA name or an offset such as `+01:00`.
    pub fn parse(text: &str) -> Option<Zone> {
        text.parse().map(Zone::Named).ok().or_else(|| offset(text.as_bytes()).map(Zone::Offset))
    }

    /// The date on the wall at an instant.
    pub(super) fn date_at(self, epoch: i64) -> Option<NaiveDate> {
        let utc = in_reach(epoch)?;
        Some(match self {
            Zone::Named(zone) => utc.with_timezone(&zone).date_naive(),
            Zone::Offset(zone) => utc.with_timezone(&zone).date_naive(),
        })
    }

    /// The time on the wall at an instant, as RFC 3339.
    pub(super) fn time_at(self, epoch: i64) -> Option<String> {
        let utc = in_reach(epoch)?;
        Some(match self {
            Zone::Named(zone) => utc.with_timezone(&zone).to_rfc3339(),
            Zone::Offset(zone) => utc.with_timezone(&zone).to_rfc3339(),
        })
    }

    /// Whether it is a name of UTC.
    pub fn is_utc(self) -> bool {
        let name = self.name();
        let own = name.rsplit('/').next().unwrap_or_default();
        ["UTC", "UCT", "Zulu", "Universal", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "+00:00"].contains(&own)
    }

    /// Its name, or its distance such as `+01:00`.
    pub fn name(self) -> String {
        match self {
            Zone::Named(zone) => zone.name().to_owned(),
            Zone::Offset(zone) => zone.to_string(),
        }
    }
}

/// An instant of a year with four digits: near the ends of its range chrono cannot tell local times.
pub(super) fn in_reach(epoch: i64) -> Option<DateTime<chrono::Utc>> {
    DateTime::from_timestamp(epoch, 0).filter(|time| (1..=9998).contains(&time.year()))
}

/// Why a cell is no time: the code and the message.
pub(super) type Refusal = (Code, String);

/// A moment as an export writes it: an instant, or a local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Epoch(i64),
    Local(NaiveDateTime),
}

/// How the cells of a column are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) pattern: Option<&'a Pattern>,
    pub(super) unit: Option<Unit>,
    pub(super) zone: Option<Zone>,
}

/// A cell's text as epoch seconds, fractions dropped.
pub(super) fn instant(text: &str, reading: Reading<'_>) -> Result<i64, Refusal> {
    let moment = match reading.pattern {
        Some(pattern) => match pattern.parse(text).and_then(|parsed| moment_of(&parsed)) {
            Some(moment) => moment,
            None => return Err((Code::BadTime, format!("{} does not fit the format {:?}", shown(text), pattern.text))),
        },
        None => {
            // A date begins with its year and a hyphen, which no number has there.
            let is_date = text.as_bytes().get(4) == Some(&b'-');
            if !is_date && let Some(seconds) = number(text, reading.unit.unwrap_or(Unit::Seconds)) {
                return Ok(seconds);
            }
            match rfc3339(text.as_bytes()) {
                Some(moment) => moment,
                None => return Err((Code::BadTime, no_time(text))),
            }
        }
    };
    match moment {
        Moment::Epoch(seconds) => Ok(seconds),
        Moment::Local(local) => in_zone(local, reading.zone),
    }
}

fn no_time(text: &str) -> String {
    let hint = if rfc3339(format!("{text}T00:00").as_bytes()).is_some() {
        "a date has no time of day"
    } else if is_time_of_day(text) {
        "a time of day has no date"
    } else {
        "expected epoch seconds or a time like 2024-03-05T08:12:33Z; name other ways of writing it with `format`"
    };
    format!("{} is no time: {hint}", shown(text))
}

/// `08:15`, `8:15:30` or `08:15 PM`.
fn is_time_of_day(text: &str) -> bool {
    let clock = text.split(' ').next().unwrap_or_default();
    let parts = || clock.split(':');
    clock.len() <= 8
        && (2..=3).contains(&parts().count())
        && parts().all(|part| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// A local time as epoch seconds.
pub(super) fn in_zone(local: NaiveDateTime, zone: Option<Zone>) -> Result<i64, Refusal> {
    let zone = zone.ok_or_else(|| {
        let message = format!("{local} carries no time zone; name it with `timezone` under [time]");
        (Code::ZonelessTime, message)
    })?;
    let found = match zone {
        Zone::Named(zone) => zone.from_local_datetime(&local).map(|time| time.timestamp()),
        Zone::Offset(zone) => zone.from_local_datetime(&local).map(|time| time.timestamp()),
    };
    match found {
        LocalResult::Single(seconds) => Ok(seconds),
        LocalResult::Ambiguous(..) => Err((
            Code::AmbiguousTime,
            format!("{local} happens twice in {}, when clocks go back; export it with its zone", zone.name()),
        )),
        LocalResult::None => {
            let message = format!("{local} never happens in {}, as clocks go forward over it", zone.name());
            Err((Code::ImpossibleTime, message))
        }
    }
}

/// A cell's text as a date: as it stands, by a pattern, or from a time at midnight.
pub(super) fn date(text: &str, pattern: Option<&Pattern>) -> Result<NaiveDate, Refusal> {
    let found = match pattern {
        Some(pattern) => pattern.parse(text).and_then(|parsed| parsed.to_naive_date().ok()),
        None => plain_date(text.as_bytes()).or_else(|| midnight(text.as_bytes())),
    };
    found.filter(|date| (0..=9999).contains(&date.year())).ok_or_else(|| {
        let expected = match pattern {
            Some(pattern) => format!("does not fit the format {:?}", pattern.text),
            None => "is no date like 2024-03-05; name other ways of writing it with `format`".to_owned(),
        };
        (Code::BadDate, format!("{} {expected}", shown(text)))
    })
}

/// `YYYY-MM-DD` and nothing else.
fn plain_date(text: &[u8]) -> Option<NaiveDate> {
    match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
            let year = digits([*y1, *y2, *y3, *y4])?;
            NaiveDate::from_ymd_opt(year as i32, digits([*m1, *m2])?, digits([*d1, *d2])?)
        }
        _ => None,
    }
}

/// Without a decision for each digit.
#[inline]
fn digits<const N: usize>(text: [u8; N]) -> Option<u32> {
    let (mut value, mut are_digits) = (0, true);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        are_digits &= digit <= 9;
        value = value * 10 + u32::from(digit);
    }
    are_digits.then_some(value)
}

/// The date of a written time at midnight, whatever its zone.
fn midnight(text: &[u8]) -> Option<NaiveDate> {
    let (local, _) = written(text)?;
    let fraction = text.iter().skip(19).take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    let exact = fraction.into_iter().all(|b| !(b'1'..=b'9').contains(b));
    (local.time() == NaiveTime::MIN && exact).then(|| local.date())
}

fn rfc3339(text: &[u8]) -> Option<Moment> {
    let (local, zone) = written(text)?;
    Some(match zone {
        None => Moment::Local(local),
        Some(zone) => Moment::Epoch(local.and_utc().timestamp() - i64::from(zone.local_minus_utc())),
    })
}

/// A date, `T` or a space, a time with optional seconds and fraction, an optional zone.
fn written(text: &[u8]) -> Option<(NaiveDateTime, Option<FixedOffset>)> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = plain_date(date)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    let (hour, minute) = (digits([*h1, *h2])?, digits([*m1, *m2])?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (digits([*s1, *s2])?, rest),
        _ => (0, rest),
    };
    let rest = match rest {
        [b'.' | b',', fraction @ ..] => {
            let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            &fraction[length..]
        }
        _ => rest,
    };
    // RFC 3339 has leap seconds; epoch seconds count them as the next second.
    let local = match second {
        60 => date.and_hms_opt(hour, minute, 59)? + chrono::TimeDelta::seconds(1),
        _ => date.and_hms_opt(hour, minute, second)?,
    };
    let zone = rest.trim_ascii_start();
    if rest.is_empty() {
        return Some((local, None));
    }
    offset(zone).map(|zone| (local, Some(zone)))
}

/// `Z`, `UTC`, `+01`, `+0100` or `+01:00`.
fn offset(text: &[u8]) -> Option<FixedOffset> {
    let (sign, hours, minutes) = match text {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(chrono::Utc.fix()),
        [sign @ (b'+' | b'-'), h1, h2] => (sign, [*h1, *h2], *b"00"),
        [sign @ (b'+' | b'-'), h1, h2, m1, m2] | [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            (sign, [*h1, *h2], [*m1, *m2])
        }
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes).filter(|minutes| *minutes < 60)?);
    let seconds = (hours * 3600 + minutes * 60) as i32;
    FixedOffset::east_opt(if *sign == b'-' { -seconds } else { seconds })
}

/// A bare number as epoch seconds. `1.70962812E9` is how the JVM writes a double, with all its digits;
/// `1.70963E+12` is what a spreadsheet leaves of one, and no number any more.
fn number(text: &str, unit: Unit) -> Option<i64> {
    let per_second = i128::from(unit.per_second());
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some((mantissa, exponent)) = unsigned.split_once(['E', 'e']) {
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if !plain(mantissa) || !exponent.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let value: f64 = unsigned.parse().ok()?;
        return from_float(f64::from(sign) * value, unit);
    }
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let all_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if integer.is_empty() || integer.len() > 30 || !all_digits(integer) || !all_digits(fraction) {
        return None;
    }
    let mut value: i128 = integer.parse().ok()?;
    value *= i128::from(sign);
    if sign < 0 && fraction.bytes().any(|b| b != b'0') {
        value -= 1;
    }
    let seconds = value.div_euclid(per_second);
    Some(seconds.clamp(i128::from(i64::MIN / 4), i128::from(i64::MAX / 4)) as i64)
}

/// A float's epoch seconds, rounded down.
pub(super) fn from_float(value: f64, unit: Unit) -> Option<i64> {
    let seconds = (value / unit.per_second() as f64).floor();
    seconds.is_finite().then(|| seconds.clamp((i64::MIN / 4) as f64, (i64::MAX / 4) as f64) as i64)
}

fn moment_of(parsed: &Parsed) -> Option<Moment> {
    if let Some(seconds) = parsed.timestamp() {
        return Some(Moment::Epoch(seconds));
    }
    let local = parsed.to_naive_datetime_with_offset(0);
    match parsed.offset() {
        Some(offset) => {
            let local = parsed.to_naive_datetime_with_offset(offset).ok()?;
            Some(Moment::Epoch(local.and_utc().timestamp() - i64::from(offset)))
        }
        None => Some(Moment::Local(local.ok()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Reading<'_> = Reading { pattern: None, unit: None, zone: None };

    fn code(result: Result<i64, Refusal>) -> Code {
        result.expect_err("refused").0
    }

    #[test]
    fn written_times_are_instants_in_every_usual_form() {
        for text in [
            "2024-03-05T08:12:33Z",
            "2024-03-05 08:12:33+00",
            "2024-03-05 08:12:33.999 UTC",
            "2024-03-05T09:12:33+0100",
            "2024-03-05T04:42:33,5-03:30",
            "2024-03-05 08:12:33.000 +0000",
            "1709626353",
            "1709626353.9",
            "1.709626353E9",
        ] {
            assert_eq!(instant(text, PLAIN), Ok(1_709_626_353), "{text}");
        }
        assert_eq!(instant("2024-03-05T08:12Z", PLAIN), Ok(1_709_626_320));
        assert_eq!(instant("2016-12-31T23:59:60Z", PLAIN), Ok(1_483_228_800));
        let ms = Reading { unit: Some(Unit::Millis), ..PLAIN };
        assert_eq!(instant("1709626353999", ms), Ok(1_709_626_353));
        assert_eq!(instant("-1.5", PLAIN), Ok(-2), "fractions are dropped downwards");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "2024-03-05",
            "2024-02-30T00:00Z",
            "24:00",
            "2024-03-05T24:00Z",
            "1.70963E+12",
            "1e",
            "2024-03-05T08:12:33X",
            "0x10",
            "2024-03-05T08:12:33.Z",
        ] {
            assert_eq!(code(instant(text, PLAIN)), Code::BadTime, "{text}");
        }
    }

    #[test]
    fn local_times_need_a_zone_and_clock_changes_are_told() {
        assert_eq!(code(instant("2024-03-05 08:12", PLAIN)), Code::ZonelessTime);
        let paris = Reading { zone: Zone::parse("Europe/Paris"), ..PLAIN };
        assert_eq!(instant("2024-03-05 09:12:33", paris), Ok(1_709_626_353));
        assert_eq!(code(instant("2024-10-27 02:30:00", paris)), Code::AmbiguousTime);
        assert_eq!(code(instant("2024-03-31 02:30:00", paris)), Code::ImpossibleTime);
        assert_eq!(instant("2024-03-31T02:30:00Z", paris), Ok(1_711_852_200), "a zone of its own wins");
    }

    #[test]
    fn what_a_pattern_reads_is_known() {
        let has = |text: &str| Pattern::new(text).map(|pattern| (pattern.has_date(), pattern.has_time()));
        for both in [
            "%d/%m/%Y %H:%M",
            "%s",
            "%c",
            "%+",
            "%Y%m%dT%H%M%S%z",
            "%d-%b-%y %I:%M %p",
            "%F %T%.f%#z",
            "%F %R%:z",
            "%Y-%j %R",
        ] {
            assert_eq!(has(both), Some((true, true)), "{both}");
        }
        assert_eq!(has("%H:%M:%S"), Some((false, true)));
        assert_eq!(has("%I:%M"), Some((false, false)), "of the morning or of the afternoon");
        assert_eq!(has("%d.%m. %H:%M"), Some((false, true)));
        assert_eq!(has("%d.%m.%Y"), Some((true, false)));
        assert_eq!(has("dd"), Some((false, false)));
    }

    #[test]
    fn patterns_are_read_as_chrono_reads_them() {
        let pattern = Pattern::new("%d/%m/%Y %H:%M").expect("known");
        let reading = Reading { pattern: Some(&pattern), zone: Zone::parse("+01:00"), ..PLAIN };
        assert_eq!(instant("05/03/2024 09:12", reading), Ok(1_709_626_320));
        assert_eq!(code(instant("2024-03-05 09:12", reading)), Code::BadTime);
        assert!(Pattern::new("%Q").is_none() && Pattern::new("%H:%M %Z").is_none());
        let zoned = Pattern::new("%Y%m%dT%H%M%S%z").expect("known");
        let reading = Reading { pattern: Some(&zoned), ..PLAIN };
        assert_eq!(instant("20240305T091233+0100", reading), Ok(1_709_626_353));
    }

    #[test]
    fn dates_are_taken_as_written() {
        let day = NaiveDate::from_ymd_opt(2024, 3, 5);
        for text in ["2024-03-05", "2024-03-05 00:00:00", "2024-03-05T00:00:00.000+14:00", "2024-03-05T00:00Z"] {
            assert_eq!(date(text, None).ok(), day, "{text}");
        }
        for text in
            ["2024-3-5", "2024-03-05 00:00:01", "2024-03-05T00:00:00.001Z", "20240305", "2023-02-29", "05/03/2024"]
        {
            assert_eq!(date(text, None).expect_err(text).0, Code::BadDate);
        }
        let pattern = Pattern::new("%d.%m.%Y %H:%M").expect("known");
        assert_eq!(date("05.03.2024 17:00", Some(&pattern)).ok(), day);
    }
}
