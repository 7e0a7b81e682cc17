//! Time zones of times that carry none: IANA names and plain distances from UTC.
//!
//! The machine's own zone plays no part.

use chrono::{DateTime, Datelike, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, Offset, TimeZone, Utc};
use chrono_tz::Tz;

/// The zone of times that carry none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// An IANA zone, with its rules for summer time.
    Named(Tz),
    /// A fixed distance from UTC.
    Offset(FixedOffset),
}

impl Zone {
    /// A zone from an IANA name such as `Europe/Paris`, or from an offset such as `+01:00`. `None` for other text.
    pub(crate) fn parse(text: &str) -> Option<Zone> {
        text.parse().map(Zone::Named).ok().or_else(|| offset(text.as_bytes()).map(Zone::Offset))
    }

    /// The date on the wall at an instant, in epoch seconds.
    pub(super) fn date_at(self, epoch: i64) -> Option<NaiveDate> {
        let utc = in_reach(epoch)?;
        Some(match self {
            Zone::Named(zone) => utc.with_timezone(&zone).date_naive(),
            Zone::Offset(zone) => utc.with_timezone(&zone).date_naive(),
        })
    }

    /// The time on the wall at an instant, in epoch seconds, as RFC 3339.
    pub(super) fn time_at(self, epoch: i64) -> Option<String> {
        let utc = in_reach(epoch)?;
        Some(match self {
            Zone::Named(zone) => utc.with_timezone(&zone).to_rfc3339(),
            Zone::Offset(zone) => utc.with_timezone(&zone).to_rfc3339(),
        })
    }

    /// The distance from UTC at an instant, in epoch seconds.
    pub(super) fn offset_at(self, epoch: i64) -> Option<FixedOffset> {
        Some(match self {
            Zone::Named(zone) => in_reach(epoch)?.with_timezone(&zone).offset().fix(),
            Zone::Offset(zone) => zone,
        })
    }

    /// The epoch seconds at which the clocks of this zone show a time: none, one, or two where clocks go back.
    pub(super) fn instants_of(self, local: NaiveDateTime) -> LocalResult<i64> {
        match self {
            Zone::Named(zone) => zone.from_local_datetime(&local).map(|time| time.timestamp()),
            Zone::Offset(zone) => zone.from_local_datetime(&local).map(|time| time.timestamp()),
        }
    }

    /// Whether it is a name of UTC.
    pub(crate) fn is_utc(self) -> bool {
        if let Zone::Offset(offset) = self {
            return offset.local_minus_utc() == 0;
        }
        let name = self.name();
        let own = name.rsplit('/').next().unwrap_or_default();
        ["UTC", "UCT", "Zulu", "Universal", "GMT", "GMT0", "GMT+0", "GMT-0", "Greenwich", "+00:00"].contains(&own)
    }

    /// Its IANA name, or its offset such as `+01:00`.
    pub(crate) fn name(self) -> String {
        match self {
            Zone::Named(zone) => zone.name().to_owned(),
            Zone::Offset(zone) => zone.to_string(),
        }
    }
}

/// An instant in a year of four digits. Near the ends of its range chrono cannot tell local times.
pub(super) fn in_reach(epoch: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(epoch, 0).filter(|time| (1..=9998).contains(&time.year()))
}

/// `Z`, `UTC`, `GMT`, `+01`, `+0100` or `+01:00`; the minus may be the one of typesetters, U+2212.
pub(super) fn offset(text: &[u8]) -> Option<FixedOffset> {
    let (is_east, distance) = match text {
        b"Z" | b"z" | b"UTC" | b"GMT" => return Some(Utc.fix()),
        [b'+', distance @ ..] => (true, distance),
        [b'-', distance @ ..] | [0xe2, 0x88, 0x92, distance @ ..] => (false, distance),
        _ => return None,
    };
    let (hours, minutes) = match distance {
        [h1, h2] => ([*h1, *h2], *b"00"),
        [h1, h2, m1, m2] | [h1, h2, b':', m1, m2] => ([*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    let (hours, minutes) = (digits(hours)?, digits(minutes).filter(|minutes| *minutes < 60)?);
    let seconds = (hours * 3600 + minutes * 60) as i32;
    FixedOffset::east_opt(if is_east { seconds } else { -seconds })
}

/// The number that these ASCII digits write; `None` where one of them is not a digit. It takes no branch per digit.
#[inline]
pub(super) fn digits<const N: usize>(text: [u8; N]) -> Option<u32> {
    let (mut value, mut are_digits) = (0, true);
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        are_digits &= digit <= 9;
        value = value * 10 + u32::from(digit);
    }
    are_digits.then_some(value)
}
