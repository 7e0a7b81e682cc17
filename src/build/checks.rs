//! The checks of single values, by the limits of the vendor's field list (Sessions Input, "Request Details").

use super::field::Cell;
use super::problem::{Code, shown};
use super::time::Refusal;
use chrono::{DateTime, Datelike, NaiveDate};
use std::borrow::Cow;
use std::ops::Range;

/// client_session_uid and store_number: "string (100)".
pub(super) const IDENTIFIER: usize = 100;
/// email_address: "string (255)".
pub(super) const EMAIL: usize = 255;
/// visit_type_id: "number (255)", read as its digits.
const NUMBER: usize = 255;

/// 2000-01-01T00:00:00Z: the API's customers did not photograph shelves before.
const EARLIEST: i64 = 946_684_800;
/// What spreadsheets call the days from 2000 to 2099: how many there were since 1899-12-30.
const DAYS_OF_SPREADSHEETS: Range<i64> = 36_526..73_051;
const DAY: i64 = 86_400;

/// The API counts characters, not bytes.
pub(super) fn length(text: &str, limit: usize) -> Result<(), Refusal> {
    if text.len() <= limit {
        return Ok(());
    }
    match text.chars().count() {
        n if n > limit => Err((Code::TooLong, format!("{} has {n} characters; the API takes {limit}", shown(text)))),
        _ => Ok(()),
    }
}

/// One @, no white space, a dot in the domain.
pub(super) fn email(text: &str) -> Result<(), Refusal> {
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
    Err((Code::BadEmail, format!("{} is no e-mail address", shown(text))))
}

/// Store numbers are digits to a spreadsheet: a long one comes out of it as `1.0005E+14`, out of the JVM as
/// `1.0005E14`, and its last digits are gone.
pub(super) fn not_mangled(text: &str) -> Result<(), Refusal> {
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

/// An integer in its shortest form: `801`, `801.0` and a whole double are all `801`.
pub(super) fn integer(cell: Cell<'_>) -> Result<Cow<'_, str>, Refusal> {
    if let Cell::Text(text) = cell
        && let [b'1'..=b'9', rest @ ..] = text.as_bytes()
        && text.len() <= NUMBER
        && rest.iter().all(u8::is_ascii_digit)
    {
        return Ok(Cow::Borrowed(text));
    }
    if let Cell::Integer(value) = cell {
        return Ok(Cow::Owned(value.to_string()));
    }
    let refuse = |text: &str| Err((Code::BadNumber, format!("{} is no whole number", shown(text))));
    let text = match cell.digits() {
        Some(text) => text,
        None => {
            return refuse(&match cell {
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
    let plain = match whole.is_empty() || !digits(whole) || !fraction.bytes().all(|b| b == b'0') {
        false => whole.trim_start_matches('0').to_owned(),
        // A double of the JVM: 1.0E7.
        true => match jvm_double(unsigned) {
            Some(whole) => whole.to_string(),
            None => return refuse(&text),
        },
    };
    let plain = if plain.is_empty() || plain == "0" { "0".to_owned() } else { format!("{sign}{plain}") };
    length(&plain, NUMBER)?;
    Ok(Cow::Owned(plain))
}

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

/// A time that can be that of a visit. `now`: the run's start.
pub(super) fn time_in_range(epoch: i64, now: i64) -> Result<(), Refusal> {
    let message = if epoch < EARLIEST {
        match DateTime::from_timestamp(epoch, 0) {
            Some(_) if DAYS_OF_SPREADSHEETS.contains(&epoch) => {
                format!(
                    "{epoch} looks like a day number of a spreadsheet, not a time in seconds since 1970; export the column as text"
                )
            }
            Some(time) => {
                format!("{epoch} is {} and lies before 2000; is it in seconds since 1970?", time.to_rfc3339())
            }
            None => format!("{epoch} lies before 2000"),
        }
    } else if epoch <= now.saturating_add(DAY) {
        return Ok(());
    } else {
        let names =
            [(1_000, "milliseconds", "ms"), (1_000_000, "microseconds", "us"), (1_000_000_000, "nanoseconds", "ns")];
        let fits = |per: &i64| (EARLIEST..=now.saturating_add(DAY)).contains(&(epoch / per));
        match names.iter().find(|(per, ..)| fits(per)) {
            Some((_, name, unit)) => {
                format!("{epoch} looks like {name}; say so with `unit = \"{unit}\"` in the job file")
            }
            None => match DateTime::from_timestamp(epoch, 0) {
                Some(time) => format!("{} lies more than 24 hours in the future", time.to_rfc3339()),
                None => format!("{epoch} is no time in seconds since 1970"),
            },
        }
    };
    Err((Code::TimeUnit, message))
}

pub(super) fn in_order(start: Option<i64>, end: i64) -> Result<(), Refusal> {
    match start {
        Some(start) if end < start => {
            Err((Code::TimeOrder, format!("the visit ends {} s before it starts", start - end)))
        }
        _ => Ok(()),
    }
}

/// A local date differs from the UTC date by a day at most, whatever the zone.
pub(super) fn date_matches(date: NaiveDate, start: i64) -> Result<(), Refusal> {
    let days = i64::from(date.num_days_from_ce() - NaiveDate::default().num_days_from_ce());
    if (days - start.div_euclid(DAY)).abs() <= 1 {
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
        for text in ["", "801.5", "8,01", "1e3x", "weekly", "١٢", "8.015E2", "0x1"] {
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
        assert!(length(&"é".repeat(100), IDENTIFIER).is_ok());
        assert!(length(&"é".repeat(101), IDENTIFIER).is_err());
    }
}
