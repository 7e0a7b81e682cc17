//! Reads the dates and times of exports: to the day, and to the whole epoch second that the API takes.
//!
//! Without a `format` it reads epoch numbers, and times as `rfc3339` has them. What else exports write is in the table of
//! `formats`.
//!
//! The machine's own zone plays no part. A time without a zone is a time only where the job names the zone.

use super::pattern::{Moment, Pattern, Written};
use super::problem::{Code, FieldError};
use super::rfc3339::{Stamp, Unread, plain_date, stamp};
use super::time_hints;
use super::zone::Zone;
use crate::stand_ins::is_no_instant;
use chrono::{Datelike, LocalResult, NaiveDate, NaiveDateTime};

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

/// Seconds beyond this are no time of a visit: it is the year 5138.
const FAR_FUTURE: i64 = 100_000_000_000;

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

/// A cell's text as a moment: by the pattern of its column, else a number or as RFC 3339 has it. Fractions are dropped.
pub(super) fn moment(text: &str, pattern: Option<&Pattern>, unit: Option<Unit>) -> Result<Moment, FieldError> {
    if let Some(pattern) = pattern {
        return pattern.moment(text).ok_or_else(|| (Code::BadTime, time_hints::of_time(text, Some(pattern))));
    }
    // A date begins with its year and a hyphen, which no number has there.
    let is_date = text.as_bytes().get(4) == Some(&b'-');
    if !is_date && let Some(seconds) = number(text, unit.unwrap_or(Unit::Seconds)) {
        let message = if seconds < FAR_FUTURE { None } else { time_hints::of_digits(text) };
        return message.map_or(Ok(Moment::Instant(seconds, None)), |message| Err((Code::TimeUnit, message)));
    }
    rfc3339(text.as_bytes()).map_err(|_| (Code::BadTime, time_hints::of_time(text, None)))
}

/// A moment in epoch seconds. `zone`: that of times which carry none; it is looked up only for them.
pub(super) fn instant(
    moment: Moment,
    zone: impl FnOnce() -> Result<Option<Zone>, FieldError>,
) -> Result<i64, FieldError> {
    match moment {
        Moment::Instant(seconds, _) => Ok(seconds),
        Moment::Local(local, Some(zone)) => in_zone(local, Some(zone)),
        Moment::Local(local, None) => in_zone(local, zone()?),
    }
}

/// A time on the wall as epoch seconds.
pub(super) fn in_zone(local: NaiveDateTime, zone: Option<Zone>) -> Result<i64, FieldError> {
    let zone = zone.ok_or_else(|| {
        let stand_in = match is_no_instant(local.and_utc().timestamp()) {
            true => format!("; {}", time_hints::STAND_IN),
            false => String::new(),
        };
        let message = format!("{local} carries no time zone; name it with `timezone` under [time]{stand_in}");
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
        None => plain_date(text.as_bytes()).or_else(|| stamp(text.as_bytes()).ok()?.date_of_midnight()),
    };
    let found = found.filter(|date| (0..=9999).contains(&date.year()));
    found.ok_or_else(|| (Code::BadDate, time_hints::of_date(text, pattern)))
}

/// A date or a time as it is read without a `format`; `None` for numbers and for other text.
pub(crate) fn without_format(text: &str) -> Option<Written> {
    if let Some(date) = plain_date(text.as_bytes()) {
        return Some(Written { date, time: None, has_zone: false });
    }
    let Stamp { local, offset, zone, .. } = stamp(text.as_bytes()).ok()?;
    Some(Written { date: local.date(), time: Some(local.time()), has_zone: offset.is_some() || zone.is_some() })
}

fn rfc3339(text: &[u8]) -> Result<Moment, Unread> {
    let Stamp { local, offset, zone, .. } = stamp(text)?;
    Ok(match offset {
        None => Moment::Local(local, zone),
        Some(offset) => {
            let seconds = local.and_utc().timestamp() - i64::from(offset.local_minus_utc());
            Moment::Instant(seconds, Some(zone.unwrap_or(Zone::Offset(offset))))
        }
    })
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

    /// How the cells of a column are to be read.
    #[derive(Clone, Copy)]
    struct Reading<'a> {
        pattern: Option<&'a Pattern>,
        unit: Option<Unit>,
        zone: Option<Zone>,
    }

    const PLAIN: Reading<'_> = Reading { pattern: None, unit: None, zone: None };

    fn instant(text: &str, reading: Reading<'_>) -> Result<i64, FieldError> {
        super::instant(moment(text, reading.pattern, reading.unit)?, || Ok(reading.zone))
    }

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
            "2024-03-05T24:01Z",
            "2024-03-05T08:12:33+02:00[Europe/Paris]",
            "004011 ",
            "08:00:00",
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
    fn digits_are_epoch_seconds_and_never_a_time_of_day() {
        assert_eq!(instant("004011", PLAIN), Ok(4011), "which lies before 2000");
        assert_eq!(instant("080000", PLAIN), Ok(80_000));
        assert_eq!(instant("20240305", PLAIN), Ok(20_240_305));
        let (code, message) = instant("20240305081233", PLAIN).expect_err("far in the future");
        assert!(code == Code::TimeUnit && message.contains("format = \"%Y%m%d %H%M%S\" would read it"), "{message}");
        assert_eq!(instant("99999999999999", PLAIN), Ok(99_999_999_999_999), "what is no date is left to the checks");
        let millis = Reading { unit: Some(Unit::Millis), ..PLAIN };
        assert_eq!(instant("202403050812", millis), Ok(202_403_050));
    }

    #[test]
    fn the_zone_that_a_time_is_written_in_is_known() {
        let own = |text: &str| moment(text, None, None).expect("a time").own_zone().map(Zone::name);
        assert_eq!(own("2024-03-05T08:12:33+01:00").as_deref(), Some("+01:00"));
        assert_eq!(own("2024-03-05T08:12:33+01:00[Europe/Paris]").as_deref(), Some("Europe/Paris"));
        assert_eq!(own("2024-03-05T08:12:33[Europe/Paris]").as_deref(), Some("Europe/Paris"));
        assert_eq!(own("2024-03-05T08:12:33Z[Europe/London]").as_deref(), Some("Europe/London"));
        for utc in ["2024-03-05T08:12:33Z", "2024-03-05 08:12:33+00", "2024-03-05T08:12:33Z[Etc/UTC]", "1709626353"] {
            assert_eq!(own(utc), None, "{utc}");
        }
        assert_eq!(own("2024-03-05 08:12"), None);
        let pattern = Pattern::new("%d/%m/%Y %H:%M %z").expect("known");
        let moment = moment("05/03/2024 08:12 -0500", Some(&pattern), None).expect("a time");
        assert_eq!(moment.own_zone().map(Zone::name).as_deref(), Some("-05:00"));
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
