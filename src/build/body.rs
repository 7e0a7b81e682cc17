//! The JSON body of a session: keys in the order of the vendor's list, no white space, UTF-8 as it is.

use crate::short;
use chrono::{Datelike, NaiveDate};
use uuid::Uuid;

/// Appends `text` as a JSON string.
#[inline]
pub(super) fn string(into: &mut Vec<u8>, text: &str) {
    into.push(b'"');
    inside(into, text);
    into.push(b'"');
}

/// Appends what stands between the quotes.
#[inline]
fn inside(into: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if has_special(bytes) {
        escaped(into, bytes);
    } else {
        short::append_all(into, bytes);
    }
}

#[inline]
fn is_special(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

/// Whether any byte must be escaped: eight at once where there are eight, the last ones perhaps twice.
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
    short::append_all(into, &digits[at..]);
}

/// Appends a scene. No task code: an empty one.
#[inline]
pub(super) fn scene(into: &mut Vec<u8>, id: Uuid, task_code: &str) {
    const START: &[u8] = b"{\"scene_uid\":\"00000000-0000-0000-0000-000000000000\"";
    const WITH_TASK: &[u8] = b"{\"scene_uid\":\"00000000-0000-0000-0000-000000000000\",\"task_code\":\"";
    let at = into.len();
    into.extend_from_slice(if task_code.is_empty() { START } else { WITH_TASK });
    // Written where it stays: what is put together elsewhere first is waited for when it is copied.
    if let Some(text) = into[at..].first_chunk_mut::<{ START.len() }>() {
        hyphenated(id, &mut text[14..50]);
    }
    if task_code.is_empty() {
        into.push(b'}');
    } else {
        inside(into, task_code);
        into.extend_from_slice(b"\"}");
    }
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
        fn integers_are_written_in_plain_digits(value in prop_oneof![any::<i64>(), -1000..1000i64]) {
            let mut ours = Vec::new();
            integer(&mut ours, value);
            prop_assert_eq!(ours, value.to_string().into_bytes());
        }
    }

    proptest! {
        #[test]
        fn ids_and_dates_are_written_as_their_crates_write_them(id: u128, day in -719_528..2_932_896) {
            let mut ours = Vec::new();
            let id = Uuid::from_u128(id);
            scene(&mut ours, id, "");
            scene(&mut ours, id, "\n7");
            let expected = format!(r#"{{"scene_uid":"{id}"}}{{"scene_uid":"{id}","task_code":"\n7"}}"#);
            prop_assert_eq!(ours, expected.into_bytes());
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
