//! Reads the dates and times of exports: to the day, and to the whole epoch second that the API takes.
//!
//! Without a `format` it reads epoch numbers and times as RFC 3339 has them, with `T` or a space, and with or without
//! seconds and zone. What else exports write is in the table of `formats`.
//!
//! The machine's own zone plays no part. A time without a zone is a time only where the job names the zone.

use super::pattern::{Moment, Pattern, Written};
use super::problem::{Code, FieldError, shown};
use super::zone::{Zone, digits, offset};
use chrono::{Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime};

/// What a bare number counts since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
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
    /// How many of these make a second.
    pub(super) fn per_second(self) -> i64 {
        match self {
            Unit::Seconds => 1,
            Unit::Millis => 1_000,
            Unit::Micros => 1_000_000,
            Unit::Nanos => 1_000_000_000,
        }
    }
}

/// How the cells of a column are to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub(super) pattern: Option<&'a Pattern>,
    pub(super) unit: Option<Unit>,
    pub(super) zone: Option<Zone>,
}

/// A cell's text as epoch seconds, fractions dropped.
pub(super) fn instant(text: &str, reading: Reading<'_>) -> Result<i64, FieldError> {
    let moment = match reading.pattern {
        Some(pattern) => match pattern.moment(text) {
            Some(moment) => moment,
            None => {
                let message = format!("{} does not fit the format {:?}", shown(text), pattern.text());
                return Err((Code::BadTime, message));
            }
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
    format!("{} is not a time: {hint}", shown(text))
}

/// Whether a text is a time of day without a date: `08:15`, `8:15:30` or `08:15 PM`.
pub(crate) fn is_time_of_day(text: &str) -> bool {
    let clock = text.split(' ').next().unwrap_or_default();
    let parts = || clock.split(':');
    clock.len() <= 8
        && (2..=3).contains(&parts().count())
        && parts().all(|part| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
}

/// A time on the wall as epoch seconds.
pub(super) fn in_zone(local: NaiveDateTime, zone: Option<Zone>) -> Result<i64, FieldError> {
    let zone = zone.ok_or_else(|| {
        let message = format!("{local} carries no time zone; name it with `timezone` under [time]");
        (Code::ZonelessTime, message)
    })?;
    match zone.instants_of(local) {
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
pub(super) fn date(text: &str, pattern: Option<&Pattern>) -> Result<NaiveDate, FieldError> {
    let found = match pattern {
        Some(pattern) => pattern.date(text),
        None => plain_date(text.as_bytes()).or_else(|| midnight(text.as_bytes())),
    };
    found.filter(|date| (0..=9999).contains(&date.year())).ok_or_else(|| {
        let expected = match pattern {
            Some(pattern) => format!("does not fit the format {:?}", pattern.text()),
            None => "is not a date like 2024-03-05; name other ways of writing it with `format`".to_owned(),
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

/// The date of a written time at midnight, whatever its zone.
fn midnight(text: &[u8]) -> Option<NaiveDate> {
    let (local, _) = written(text)?;
    let fraction = text.iter().skip(19).take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    let exact = fraction.into_iter().all(|b| !(b'1'..=b'9').contains(b));
    (local.time() == NaiveTime::MIN && exact).then(|| local.date())
}

/// A date or a time as it is read without a `format`; `None` for numbers and for other text.
pub(crate) fn without_format(text: &str) -> Option<Written> {
    if let Some(date) = plain_date(text.as_bytes()) {
        return Some(Written { date, time: None, has_zone: false });
    }
    let (local, zone) = written(text.as_bytes())?;
    Some(Written { date: local.date(), time: Some(local.time()), has_zone: zone.is_some() })
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

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Reading<'_> = Reading { pattern: None, unit: None, zone: None };

    fn code(result: Result<i64, FieldError>) -> Code {
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
    fn patterns_are_read_as_chrono_reads_them() {
        let pattern = Pattern::new("%d/%m/%Y %H:%M").expect("known");
        let reading = Reading { pattern: Some(&pattern), zone: Zone::parse("+01:00"), ..PLAIN };
        assert_eq!(instant("05/03/2024 09:12", reading), Ok(1_709_626_320));
        assert_eq!(code(instant("2024-03-05 09:12", reading)), Code::BadTime);
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
