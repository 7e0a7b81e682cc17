//! The checks of single values, by the limits of the vendor's field list (Sessions Input, "Request Details").
//!
//! They do not know which field a value is for.

use super::batch::Cell;
use super::problem::{Code, FieldError, shown};
use super::time_hints::STAND_IN;
use crate::stand_ins::is_no_instant;
use crate::text::start_of;
use chrono::{DateTime, Datelike, NaiveDate};
use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// The longest client_session_uid and store_number, in characters: "string (100)".
pub(super) const IDENTIFIER_LENGTH: usize = 100;
/// The longest email_address, in characters: "string (255)".
pub(super) const EMAIL_LENGTH: usize = 255;
/// The longest visit_type_id, in digits: "number (255)".
const NUMBER_LENGTH: usize = 255;

pub(super) const SECONDS_PER_DAY: i64 = 86_400;
/// 2000-01-01T00:00:00Z. No visit is older: shelves were not photographed before.
const EARLIEST: i64 = 946_684_800;
/// The numbers that spreadsheets have for the days of 2000 to 2099: days since 1899-12-30.
const SPREADSHEET_DAYS: Range<i64> = 36_526..73_051;

/// At most `limit` characters. A character may have several bytes.
pub(super) fn length(text: &str, limit: usize) -> Result<(), FieldError> {
    if text.len() <= limit {
        return Ok(());
    }
    match text.chars().count() {
        n if n > limit => Err((Code::TooLong, format!("{} has {n} characters; the API takes {limit}", shown(text)))),
        _ => Ok(()),
    }
}

/// One @, no white space, a dot in the domain. The vendor only says "email"; this finds cells of another column.
pub(super) fn email(text: &str) -> Result<(), FieldError> {
    let (mut ats, mut domain_has_dot, mut has_blank, mut is_ascii) = (0, false, false, true);
    for byte in text.bytes() {
        ats += u32::from(byte == b'@');
        domain_has_dot |= (byte == b'.') & (ats != 0);
        has_blank |= (byte == b' ') | (byte.wrapping_sub(b'\t') <= b'\r' - b'\t');
        is_ascii &= byte.is_ascii();
    }
    if ats == 1 && domain_has_dot && !has_blank && (is_ascii || !text.contains(char::is_whitespace)) {
        return Ok(());
    }
    Err((Code::BadEmail, format!("{} is not an e-mail address", shown(text))))
}

/// A store number that still has all its digits. A spreadsheet writes a long one as `1.0005E+14`, the JVM as `1.0005E14`,
/// and its last digits are lost.
pub(super) fn not_mangled(text: &str) -> Result<(), FieldError> {
    let e = text.bytes().position(|byte| matches!(byte, b'E' | b'e'));
    let mangled = e.is_some_and(|e| {
        let (mantissa, exponent) = (&text[..e], &text[e + 1..]);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let plus = exponent.strip_prefix('+');
        let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
        let fraction = mantissa.split_once(['.', ',']);
        let scientific = match fraction {
            Some((one, rest)) => one.len() == 1 && digits(one) && digits(rest),
            None => plus.is_some() && mantissa.len() == 1 && digits(mantissa),
        };
        scientific && digits(plus.unwrap_or(exponent))
    });
    if !mangled {
        return Ok(());
    }
    Err((
        Code::MangledNumber,
        format!("{} is what a spreadsheet made of a long number; export the column as text", shown(text)),
    ))
}

/// A value that a list of the job has; any value where the job has no such list. `plural`: what the list holds.
#[inline]
pub(super) fn in_list(
    list: &Option<HashSet<String>>,
    value: &str,
    unknown: Code,
    plural: &str,
) -> Result<(), FieldError> {
    match list {
        Some(list) if !list.contains(value) => {
            Err((unknown, format!("{} is not in the list of {plural}", shown(value))))
        }
        _ => Ok(()),
    }
}

/// An integer as its digits, in the shortest form: `801`, `801.0` and a whole double are all `801`.
pub(super) fn integer(cell: Cell<'_>) -> Result<Cow<'_, str>, FieldError> {
    if let Cell::Text(text) = cell
        && let [b'1'..=b'9', rest @ ..] = text.as_bytes()
        && text.len() <= NUMBER_LENGTH
        && rest.iter().all(u8::is_ascii_digit)
    {
        return Ok(Cow::Borrowed(text));
    }
    if let Cell::Integer(value) = cell {
        return Ok(Cow::Owned(value.to_string()));
    }
    let error = |text: &str| Err((Code::BadNumber, format!("{} is not a whole number", shown(text))));
    let text = match cell.digits() {
        Some(text) => text,
        None => {
            return error(&match cell {
                Cell::Float(value) => value.to_string(),
                Cell::Boolean(value) => value.to_string(),
                _ => "a date".to_owned(),
            });
        }
    };
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(&text)),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if fraction == "000" && !whole.is_empty() && digits(whole) {
        let message = format!(
            "{} may be {whole} or {whole}000, as many write thousands with a point; export whole numbers, or set decimals = \"drop\" on this column for {whole}",
            shown(&text)
        );
        return Err((Code::BadNumber, message));
    }
    let plain = match whole.is_empty() || !digits(whole) || !fraction.bytes().all(|b| b == b'0') {
        false => whole.trim_start_matches('0').to_owned(),
        true => match jvm_double(unsigned) {
            Some(whole) => whole.to_string(),
            None => return error(&text),
        },
    };
    let plain = if plain.is_empty() || plain == "0" { "0".to_owned() } else { format!("{sign}{plain}") };
    length(&plain, NUMBER_LENGTH)?;
    Ok(Cow::Owned(plain))
}

/// A whole double as the JVM writes it: `1.0E7`.
fn jvm_double(text: &str) -> Option<i64> {
    let (mantissa, exponent) = text.split_once('E')?;
    let plain = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
    };
    if !plain(mantissa) || exponent.is_empty() || !exponent.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    crate::scan::whole(text.parse().ok()?)
}

/// A time at which a visit can have been made: from 2000 on, and not more than a day after `now`, the start of the run. All
/// in epoch seconds.
pub(super) fn time_in_range(epoch: i64, now: i64) -> Result<(), FieldError> {
    let message = if epoch < EARLIEST {
        match DateTime::from_timestamp(epoch, 0) {
            Some(_) if SPREADSHEET_DAYS.contains(&epoch) => {
                format!(
                    "{epoch} looks like a day number of a spreadsheet, not a time in seconds since 1970; export the column as text"
                )
            }
            Some(time) => {
                let hint = if is_no_instant(epoch) { STAND_IN } else { "is it in seconds since 1970?" };
                format!("{epoch} is {} and lies before 2000; {hint}", time.to_rfc3339())
            }
            None => format!("{epoch} lies before 2000"),
        }
    } else if epoch <= now.saturating_add(SECONDS_PER_DAY) {
        return Ok(());
    } else {
        let names =
            [(1_000, "milliseconds", "ms"), (1_000_000, "microseconds", "us"), (1_000_000_000, "nanoseconds", "ns")];
        let fits = |per: &i64| (EARLIEST..=now.saturating_add(SECONDS_PER_DAY)).contains(&(epoch / per));
        match names.iter().find(|(per, ..)| fits(per)) {
            Some((_, name, unit)) => {
                format!("{epoch} looks like {name}; say so with `unit = \"{unit}\"` in the job file")
            }
            None => match DateTime::from_timestamp(epoch, 0) {
                Some(time) => {
                    let hint = if is_no_instant(epoch) { format!("; {STAND_IN}") } else { String::new() };
                    format!("{} lies more than 24 hours in the future{hint}", time.to_rfc3339())
                }
                None => format!("{epoch} is not a time in seconds since 1970"),
            },
        }
    };
    Err((Code::TimeUnit, message))
}

/// As many scenes as the export says. `said`: the digits of a whole number.
pub(super) fn scene_count(said: &str, found: u32) -> Result<(), FieldError> {
    if said.parse() == Ok(found) {
        return Ok(());
    }
    let scenes = crate::text::count(u64::from(found), "scene", "scenes");
    Err((Code::SceneCount, format!("the export says {}, and the visit has {scenes}", start_of(said, 20))))
}

/// A visit that does not end before it starts.
pub(super) fn times_in_order(start: i64, end: i64) -> Result<(), FieldError> {
    match end < start {
        true => Err((Code::TimeOrder, format!("the visit ends {} s before it starts", start - end))),
        false => Ok(()),
    }
}

/// A date at most one day from the UTC date of the start. In no time zone is the local date further away.
pub(super) fn date_matches(date: NaiveDate, start: i64) -> Result<(), FieldError> {
    let days = i64::from(date.num_days_from_ce() - NaiveDate::default().num_days_from_ce());
    if (days - start.div_euclid(SECONDS_PER_DAY)).abs() <= 1 {
        return Ok(());
    }
    let Some(utc) = DateTime::from_timestamp(start, 0).map(|time| time.date_naive()) else { return Ok(()) };
    Err((Code::DateMismatch, format!("the visit's date is {date}, but it started on {utc} (UTC)")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_integers_or_not_at_all() {
        for text in ["801", "801.0", "0801", "+801", "8.01E2", "801."] {
            assert_eq!(integer(Cell::Text(text)).as_deref(), Ok("801"), "{text}");
        }
        assert_eq!(integer(Cell::Float(801.0)).as_deref(), Ok("801"));
        assert_eq!(integer(Cell::Text("-0")).as_deref(), Ok("0"));
        assert_eq!(integer(Cell::Text("801.0000")).as_deref(), Ok("801"));
        for text in ["", "801.000", "801.5", "8,01", "1e3x", "weekly", "١٢", "8.015E2", "0x1"] {
            assert_eq!(integer(Cell::Text(text)).expect_err(text).0, Code::BadNumber);
        }
        assert_eq!(integer(Cell::Text(&"9".repeat(256))).expect_err("long").0, Code::TooLong);
    }

    #[test]
    fn mangled_store_numbers_are_told_from_odd_ones() {
        for text in ["1.0005E+14", "1,0005E+14", "1E+14", "1.0005e+14", "1.00050000013647E14"] {
            assert!(not_mangled(text).is_err(), "{text}");
        }
        for text in ["100050000013647", "12E3", "E+14", "1.5", "STORE1E+14", "1E14", "0012E+"] {
            assert!(not_mangled(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn addresses_and_lengths() {
        for text in ["a@b.c", "ü.x+1@münchen.de"] {
            assert!(email(text).is_ok(), "{text}");
        }
        for text in ["a@b", "a b@c.d", "a@@c.d", "a.b", "a@b.c@d.e", "a@b.c\u{a0}"] {
            assert!(email(text).is_err(), "{text}");
        }
        assert!(length(&"é".repeat(100), IDENTIFIER_LENGTH).is_ok());
        assert!(length(&"é".repeat(101), IDENTIFIER_LENGTH).is_err());
    }
}
