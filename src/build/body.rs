//! The JSON body of a session: keys in the order of the vendor's list, no white space, UTF-8 as it is.

use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

/// Appends `text` as a JSON string.
#[inline]
pub(super) fn string(into: &mut Vec<u8>, text: &str) {
    into.push(b'"');
    let bytes = text.as_bytes();
    // Without an early exit, which lets the compiler look at many bytes at once.
    if bytes.iter().fold(false, |found, &byte| found | is_special(byte)) {
        escaped(into, bytes);
    } else {
        into.extend_from_slice(bytes);
    }
    into.push(b'"');
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

#[cold]
fn escaped(into: &mut Vec<u8>, bytes: &[u8]) {
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate().filter(|(_, byte)| is_special(**byte)) {
        into.extend_from_slice(&bytes[plain..at]);
        plain = at + 1;
        match byte {
            b'"' => into.extend_from_slice(b"\\\""),
            b'\\' => into.extend_from_slice(b"\\\\"),
            b'\n' => into.extend_from_slice(b"\\n"),
            b'\r' => into.extend_from_slice(b"\\r"),
            b'\t' => into.extend_from_slice(b"\\t"),
            0x08 => into.extend_from_slice(b"\\b"),
            0x0c => into.extend_from_slice(b"\\f"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                into.extend_from_slice(b"\\u00");
                into.push(HEX[usize::from(control >> 4)]);
                into.push(HEX[usize::from(control & 15)]);
            }
        }
    }
    into.extend_from_slice(&bytes[plain..]);
}

/// Appends `,"name":`. The name is a literal, so that it is copied in one piece.
macro_rules! key {
    ($into:expr, $name:literal) => {
        $into.extend_from_slice(concat!(",\"", $name, "\":").as_bytes())
    };
}
pub(super) use key;

/// Appends a date of a year with four digits.
pub(super) fn date(into: &mut Vec<u8>, date: NaiveDate) {
    let digit = |number: u32| b'0' + (number % 10) as u8;
    let (year, month, day) = (date.year().unsigned_abs(), date.month(), date.day());
    into.extend_from_slice(&[
        b'"',
        digit(year / 1000),
        digit(year / 100),
        digit(year / 10),
        digit(year),
        b'-',
        digit(month / 10),
        digit(month),
        b'-',
        digit(day / 10),
        digit(day),
        b'"',
    ]);
}

/// Appends an integer.
pub(super) fn integer(into: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if value < 0 {
        into.push(b'-');
    }
    into.extend_from_slice(&digits[at..]);
}

/// Opens a scene with its id.
#[inline]
pub(super) fn scene(into: &mut Vec<u8>, id: Uuid) {
    let mut text = *b"{\"scene_uid\":\"00000000-0000-0000-0000-000000000000\"";
    hyphenated(id, &mut text[14..50]);
    into.extend_from_slice(&text);
}

/// Writes an id in its 36 characters. Nine million times in a large export, so eight digits at once.
#[inline]
fn hyphenated(id: Uuid, into: &mut [u8]) {
    let (high, low) = id.as_u64_pair();
    let [a, b, c, d] = [high >> 32, high, low >> 32, low].map(|part| hex(part as u32));
    into[..8].copy_from_slice(&a);
    into[9..13].copy_from_slice(&b[..4]);
    into[14..18].copy_from_slice(&b[4..]);
    into[19..23].copy_from_slice(&c[..4]);
    into[24..28].copy_from_slice(&c[4..]);
    into[28..36].copy_from_slice(&d);
}

/// Eight hexadecimal digits: the half bytes are spread over the bytes of a word, and all are made characters together.
#[inline]
fn hex(value: u32) -> [u8; 8] {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut word = u64::from(value);
    word = (word << 16 | word) & 0x0000_ffff_0000_ffff;
    word = (word << 8 | word) & 0x00ff_00ff_00ff_00ff;
    word = (word << 4 | word) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 in each byte that is more than 9: those are letters.
    let letters = (word + ONES * 6) >> 4 & ONES;
    let letters = letters * u64::from(b'a' - b'0' - 10);
    (word + ONES * u64::from(b'0') + letters).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(text: String) {
            let mut ours = Vec::new();
            string(&mut ours, &text);
            prop_assert_eq!(ours, serde_json::to_vec(&text).expect("a string"));
        }

        #[test]
        fn integers_are_written_in_plain_digits(value: i64) {
            let mut ours = Vec::new();
            integer(&mut ours, value);
            prop_assert_eq!(ours, value.to_string().into_bytes());
        }
    }

    proptest! {
        #[test]
        fn ids_and_dates_are_written_as_their_crates_write_them(id: u128, day in -719_528..2_932_896) {
            let mut ours = Vec::new();
            scene(&mut ours, Uuid::from_u128(id));
            prop_assert_eq!(ours, format!("{{\"scene_uid\":\"{}\"", Uuid::from_u128(id)).into_bytes());
            let day = NaiveDate::from_num_days_from_ce_opt(719_163 + day).expect("a day");
            let mut ours = Vec::new();
            date(&mut ours, day);
            prop_assert_eq!(ours, format!("\"{day}\"").into_bytes());
        }
    }

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        let mut out = Vec::new();
        string(&mut out, "\u{1}\u{7f}é😀/");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "\"\\u0001\u{7f}é😀/\"");
    }
}
