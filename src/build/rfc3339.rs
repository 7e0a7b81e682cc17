//! Reads times as RFC 3339 and RFC 9557 write them, with the liberties that producers take: a space for the `T`, no
//! seconds, `24:00`, short offsets, and the name of a zone in brackets or, as Trino has it, behind a space.
//!
//! It knows no settings of a job, and not what a time without a zone means.

use super::problem::shown;
use super::zone::{Zone, digits, offset};
use chrono::{FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

/// A time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The time on the wall. 24:00 is the midnight of the next day.
    pub(super) local: NaiveDateTime,
    /// The distance from UTC that stands behind it.
    pub(super) offset: Option<FixedOffset>,
    /// The zone that is named behind it. It agrees with the offset.
    pub(super) zone: Option<Zone>,
    /// Whether it is written as 24:00.
    pub(super) ends_a_day: bool,
    /// Whether it has a fraction of a second.
    has_fraction: bool,
}

/// Why a text is not such a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is something else.
    NoTime,
    /// It begins like one. The words say what is wrong with the rest.
    Zone(String),
}

impl Stamp {
    /// The date of a midnight, whatever its zone. 24:00 gives none: it may be meant as the day that it ends.
    pub(super) fn date_of_midnight(&self) -> Option<NaiveDate> {
        let is_midnight = self.local.time() == NaiveTime::MIN && !self.has_fraction && !self.ends_a_day;
        is_midnight.then(|| self.local.date())
    }
}

/// `YYYY-MM-DD` and nothing else.
pub(super) fn plain_date(text: &[u8]) -> Option<NaiveDate> {
    match text {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] => {
            let year = digits([*y1, *y2, *y3, *y4])?;
            NaiveDate::from_ymd_opt(year as i32, digits([*m1, *m2])?, digits([*d1, *d2])?)
        }
        _ => None,
    }
}

/// A date, `T` or a space, a time with optional seconds and fraction, an optional offset, an optional zone.
pub(super) fn stamp(text: &[u8]) -> Result<Stamp, Unread> {
    let (mut stamp, rest) = wall_clock(text).ok_or(Unread::NoTime)?;
    if !rest.is_empty() {
        let rest = rest.trim_ascii_start();
        match offset(rest) {
            Some(offset) => stamp.offset = Some(offset),
            None => read_zone(&mut stamp, rest)?,
        }
    }
    Ok(stamp)
}

/// The time on the wall, and what stands behind it.
fn wall_clock(text: &[u8]) -> Option<(Stamp, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = plain_date(date)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = rest else { return None };
    let (hour, minute) = (digits([*h1, *h2])?, digits([*m1, *m2])?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (digits([*s1, *s2])?, rest),
        _ => (0, rest),
    };
    let (has_fraction, rest) = match rest {
        [b'.' | b',', fraction @ ..] => {
            let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            (fraction[..length].iter().any(|b| *b != b'0'), &fraction[length..])
        }
        _ => (false, rest),
    };
    let ends_a_day = (hour, minute, second, has_fraction) == (24, 0, 0, false);
    let local = match second {
        _ if ends_a_day => date.succ_opt()?.and_time(NaiveTime::MIN),
        // RFC 3339 has leap seconds; epoch seconds count them as the next second.
        60 => date.and_hms_opt(hour, minute, 59)? + TimeDelta::seconds(1),
        _ => date.and_hms_opt(hour, minute, second)?,
    };
    Some((Stamp { local, offset: None, zone: None, ends_a_day, has_fraction }, rest))
}

/// What is more than an offset: an offset with a zone, or a zone alone.
fn read_zone(stamp: &mut Stamp, rest: &[u8]) -> Result<(), Unread> {
    let rest = std::str::from_utf8(rest).map_err(|_| Unread::NoTime)?;
    let (before, suffixes) = rest.split_at(rest.find('[').unwrap_or(rest.len()));
    let bracketed = if suffixes.is_empty() { None } else { suffix_zone(suffixes)? };
    let before = before.trim_ascii_end();
    let (distance, name) = match before.rsplit_once(' ') {
        Some((distance, name)) => (distance.trim_ascii_end(), name),
        None if before.contains('/') => ("", before),
        None => (before, ""),
    };
    stamp.offset = match distance {
        "" => None,
        _ => Some(offset(distance.as_bytes()).ok_or(Unread::NoTime)?),
    };
    // Behind a space, Trino names a zone in full, and Go adds an abbreviation to the offset, which says all.
    let is_abbreviation = matches!(name.len(), 3..=5) && name.bytes().all(|b| b.is_ascii_uppercase());
    stamp.zone = match name {
        "" => bracketed,
        "UTC" | "GMT" => Some(zone(name)?),
        _ if name.contains('/') && bracketed.is_none() => Some(zone(name)?),
        _ if is_abbreviation && stamp.offset.is_some() => bracketed,
        _ => return Err(Unread::NoTime),
    };
    // RFC 9557: Z says nothing of the local time, so it contradicts no zone. Nor does -00:00.
    let says_local = stamp.offset.filter(|offset| offset.local_minus_utc() != 0 || distance.starts_with('+'));
    if let (Some(offset), Some(zone)) = (says_local, stamp.zone) {
        let epoch = stamp.local.and_utc().timestamp() - i64::from(offset.local_minus_utc());
        if let Some(expected) = zone.offset_at(epoch).filter(|expected| *expected != offset) {
            return Err(Unread::Zone(format!(
                "its offset {offset} and its zone disagree, as {} was at {expected} then; which of the two is right has to be told where it is exported",
                zone.name()
            )));
        }
    }
    Ok(())
}

/// The zone of suffixes in brackets, as RFC 9557 has them: a zone first, then tags such as `[u-ca=gregory]`, which say
/// how to show the time. A tag with `!` in front has to be understood.
fn suffix_zone(mut suffixes: &str) -> Result<Option<Zone>, Unread> {
    let mut found = None;
    let mut is_first = true;
    while !suffixes.is_empty() {
        let (suffix, rest) = suffixes.strip_prefix('[').and_then(|rest| rest.split_once(']')).ok_or(Unread::NoTime)?;
        let (is_critical, suffix) = suffix.strip_prefix('!').map_or((false, suffix), |suffix| (true, suffix));
        match suffix.split_once('=') {
            Some(("u-ca", _)) => {}
            Some(_) if !is_critical => {}
            None if is_first => found = Some(zone(suffix)?),
            _ => return Err(Unread::Zone(format!("what [!{suffix}] says of it is not known here"))),
        }
        (suffixes, is_first) = (rest, false);
    }
    Ok(found)
}

/// A zone by its name, or by its offset: `Europe/Paris`, `UTC`, `+01:00`, or `GMT+01:00` as Java has it.
fn zone(name: &str) -> Result<Zone, Unread> {
    let behind_utc = || ["UTC", "GMT", "UT"].iter().find_map(|word| offset(name.strip_prefix(word)?.as_bytes()));
    Zone::parse(name).or_else(|| behind_utc().map(Zone::Offset)).ok_or_else(|| {
        Unread::Zone(format!("{} behind it is not a time zone that is known here, such as Europe/Paris", shown(name)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(text: &str) -> Option<i64> {
        let Stamp { local, offset, zone, .. } = stamp(text.as_bytes()).ok()?;
        match (offset, zone) {
            (Some(offset), _) => Some(local.and_utc().timestamp() - i64::from(offset.local_minus_utc())),
            (None, Some(zone)) => zone.instants_of(local).single(),
            (None, None) => None,
        }
    }

    #[test]
    fn what_producers_write_is_the_same_instant() {
        for text in [
            "2024-03-05T09:12:33+01:00[Europe/Paris]", // Java's ZonedDateTime
            "2024-03-05T08:12:33Z[Europe/London]",     // the same, in winter
            "2024-03-05T08:12:33Z[UTC]",
            "2024-03-05T08:12:33.123456789Z[Etc/UTC]",
            "2024-03-05T09:12:33+01:00[GMT+01:00]",
            "2024-03-05T09:12:33+01:00[+01:00]",
            "2024-03-05T09:12:33+01:00[!Europe/Paris][u-ca=gregory]", // Temporal
            "2024-03-05T08:12:33+00:00[UTC][u-ca=iso8601]",
            "2024-03-05T08:12:33Z[Europe/Paris]",
            "2024-03-05T08:12:33-00:00[Asia/Tokyo]",
            "2024-03-05T09:12:33[Europe/Paris]",
            "2024-03-05T08:12:33Z[u-ca=gregory]",
            "2024-03-05T08:12:33.123Z",             // JavaScript
            "2024-03-05T09:12:33.1234567+01:00",    // .NET
            "2024-03-05T08:12:33.123456+00:00",     // Python
            "2024-03-05 08:12:33.123456+00",        // PostgreSQL
            "2024-03-05 13:42:33+05:30",            // the same
            "2024-03-05 09:12:33.1234567 +01:00",   // SQL Server, Oracle
            "2024-03-05 09:12:33.123 Europe/Paris", // Trino
            "2024-03-05 08:12:33.123 UTC",
            "2024-03-05 08:12:33.123456789 +0000 UTC", // Go
            "2024-03-05 09:12:33.5 +0100 CET",
            "2024-03-05 09:12:33 +01:00 Europe/Paris",
            "2024-03-05 09:12:33 +0100", // Ruby, Snowflake
            "2024-03-05t08:12:33z",
            "2024-03-05T03:12:33\u{2212}05:00",
        ] {
            assert_eq!(epoch(text), Some(1_709_626_353), "{text}");
        }
        assert_eq!(epoch("2024-10-27T02:30:00+02:00[Europe/Paris]"), Some(1_729_989_000));
        assert_eq!(epoch("2024-10-27T02:30:00+01:00[Europe/Paris]"), Some(1_729_992_600), "the clock showed it twice");
    }

    #[test]
    fn a_zone_that_agrees_changes_nothing() {
        for zone in ["Europe/Paris", "America/St_Johns", "Asia/Kolkata", "Pacific/Chatham", "Africa/Casablanca", "UTC"]
        {
            let parsed = Zone::parse(zone).expect("a zone");
            // Through two years, over all changes of the clocks.
            for epoch_at in (1_700_000_000..1_763_000_000).step_by(7 * 3600 + 1234) {
                let written = parsed.time_at(epoch_at).expect("in reach");
                let plain = stamp(written.as_bytes()).expect("a time");
                let named = stamp(format!("{written}[{zone}]").as_bytes()).expect("they agree");
                assert_eq!((named.local, named.offset), (plain.local, plain.offset), "{written}");
                assert_eq!(epoch(&format!("{written}[{zone}]")), Some(epoch_at), "{written}");
                let off = written[..19].to_owned() + "+09:17";
                assert!(stamp(format!("{off}[{zone}]").as_bytes()).is_err(), "{off}");
            }
        }
    }

    #[test]
    fn what_contradicts_itself_or_is_not_known_is_told() {
        let why = |text: &str| match stamp(text.as_bytes()) {
            Err(Unread::Zone(why)) => why,
            other => panic!("{text}: {other:?}"),
        };
        assert!(why("2024-03-05T09:12:33+02:00[Europe/Paris]").contains("Europe/Paris was at +01:00 then"));
        assert!(why("2024-03-05T09:12:33+00:00[Europe/Paris]").contains("+01:00"));
        assert!(why("2024-03-05T09:12:33+01:00[UTC]").contains("+00:00"));
        assert!(why("2024-03-05T09:12:33 +0100 UTC").contains("+00:00"));
        assert!(why("2024-03-05T09:12:33+02:00 Europe/Paris").contains("+01:00"));
        assert!(why("2024-03-05T09:12:33+01:00[Europe/Pariss]").contains("\"Europe/Pariss\""));
        assert!(why("2024-03-05 09:12:33 Europe/Pariss").contains("not a time zone"));
        assert!(why("2024-03-05T09:12:33Z[!_x=y]").contains("[!_x=y]"));
        assert!(why("2024-03-05T09:12:33+01:00[Europe/Paris][Europe/Rome]").contains("Rome"));
        for text in [
            "2024-03-05T08:12:33[Europe/Paris",
            "2024-03-05T08:12:33Z[UTC]x",
            "2024-03-05T08:12:33 CET",
            "2024-03-05T08:12:33 +0100 cet",
            "2024-03-05T08:12:33 Europe/Paris CET",
            "2024-03-05T08:12:33 Europe/Paris[Europe/Paris]",
            "2024-03-05T08:12:33\u{2013}05:00",
            "2024-03-05T24:00:01Z",
            "2024-03-05T24:00:00.5Z",
            "2024-03-05T24:01Z",
            "2024-03-05T25:00Z",
            "2024-03-05T08:12:33.Z",
        ] {
            assert_eq!(stamp(text.as_bytes()), Err(Unread::NoTime), "{text}");
        }
    }

    #[test]
    fn twenty_four_hours_are_the_next_midnight() {
        for text in
            ["2024-02-28T24:00Z", "2024-02-28 24:00:00.000+00", "2024-02-29T00:00Z", "2024-02-28T24:00:00Z[UTC]"]
        {
            assert_eq!(epoch(text), Some(1_709_164_800), "{text}");
        }
        let date = |text: &str| stamp(text.as_bytes()).ok().and_then(|stamp| stamp.date_of_midnight());
        assert_eq!(date("2024-02-29T00:00"), NaiveDate::from_ymd_opt(2024, 2, 29));
        assert_eq!((date("2024-02-28T24:00"), date("2024-02-29T00:00:00.1")), (None, None));
    }
}
