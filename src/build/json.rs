//! Writes JSON values: strings, integers, dates, ids. No white space; UTF-8 stays as it is.
//!
//! `serde_json` writes the same bytes. These functions are faster for cells of a dozen bytes, and a body has many of them.

use crate::small_copy;
use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

/// Appends `text` as a JSON string.
#[inline]
pub(super) fn string(into: &mut Vec<u8>, text: &str) {
    into.push(b'"');
    string_content(into, text);
    into.push(b'"');
}

/// Appends the inside of a JSON string: `text` without the quotes around it.
#[inline]
pub(super) fn string_content(into: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if has_special(bytes) {
        escape(into, bytes);
    } else {
        small_copy::append_all(into, bytes);
    }
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Whether any byte must be escaped. Looks at eight bytes at once; the last eight may overlap those before.
#[inline]
fn has_special(bytes: &[u8]) -> bool {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is_marked = |word: &[u8; 8]| {
        let word = u64::from_ne_bytes(*word);
        let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        (below(word, 0x20) | is(b'"') | is(b'\\')) & (ONES << 7) != 0
    };
    match bytes.last_chunk() {
        Some(last) => is_marked(last) || bytes.as_chunks().0.iter().any(is_marked),
        None => bytes.iter().any(|&byte| is_special(byte)),
    }
}

#[cold]
fn escape(into: &mut Vec<u8>, bytes: &[u8]) {
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

/// Appends a date as a JSON string, such as `"2017-06-02"`. Its year has four digits.
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

/// Appends an integer in plain digits.
pub(super) fn integer(into: &mut Vec<u8>, value: i64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut rest = value.unsigned_abs();
    while rest > 9 {
        at -= 2;
        let pair = (rest % 100) as u8;
        digits[at] = b'0' + pair / 10;
        digits[at + 1] = b'0' + pair % 10;
        rest /= 100;
    }
    if rest > 0 || at == digits.len() {
        at -= 1;
        digits[at] = b'0' + rest as u8;
    }
    if value < 0 {
        into.push(b'-');
    }
    small_copy::append_all(into, &digits[at..]);
}

/// Writes the digits of an id over a text of 36 bytes that has the hyphens already. A large export has nine million scenes,
/// so eight digits are made at once.
#[inline]
pub(super) fn fill_in_uuid(into: &mut [u8], id: Uuid) {
    let (high, low) = id.as_u64_pair();
    let [a, b, c, d] = [high >> 32, high, low >> 32, low].map(|part| hex(part as u32));
    into[..8].copy_from_slice(&a);
    into[9..13].copy_from_slice(&b[..4]);
    into[14..18].copy_from_slice(&b[4..]);
    into[19..23].copy_from_slice(&c[..4]);
    into[24..28].copy_from_slice(&c[4..]);
    into[28..36].copy_from_slice(&d);
}

/// Eight hexadecimal digits: each half byte gets a byte of a word, and all bytes become characters together.
#[inline]
fn hex(value: u32) -> [u8; 8] {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let mut word = u64::from(value);
    word = (word << 16 | word) & 0x0000_ffff_0000_ffff;
    word = (word << 8 | word) & 0x00ff_00ff_00ff_00ff;
    word = (word << 4 | word) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 in each byte above 9, which becomes a letter.
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
        fn integers_are_written_in_plain_digits(value in prop_oneof![any::<i64>(), -1000..1000i64]) {
            let mut ours = Vec::new();
            integer(&mut ours, value);
            prop_assert_eq!(ours, value.to_string().into_bytes());
        }
    }

    proptest! {
        #[test]
        fn ids_and_dates_are_written_as_their_crates_write_them(id: u128, day in -719_528..2_932_896) {
            let id = Uuid::from_u128(id);
            let mut ours = [0; 36];
            fill_in_uuid(&mut ours, id);
            // Only the digits are written: the caller has the hyphens.
            for at in [8, 13, 18, 23] {
                ours[at] = b'-';
            }
            prop_assert_eq!(ours.to_vec(), id.to_string().into_bytes());
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
