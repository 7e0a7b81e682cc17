//! The JSON body of a session: keys in the order of the vendor's list, no white space, UTF-8 as it is.

use uuid::Uuid;

/// Appends `text` as a JSON string.
pub(super) fn string(into: &mut Vec<u8>, text: &str) {
    into.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
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
    into.push(b'"');
}

/// Appends `"name":`, with a comma before every name but the first.
pub(super) fn key(into: &mut Vec<u8>, name: &str) {
    if into.last() != Some(&b'{') {
        into.push(b',');
    }
    into.push(b'"');
    into.extend_from_slice(name.as_bytes());
    into.extend_from_slice(b"\":");
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

/// Opens a scene with its id, in one piece: there are many of them.
pub(super) fn scene(into: &mut Vec<u8>, id: Uuid) {
    const BEFORE: &[u8; 15] = b",{\"scene_uid\":\"";
    let mut text = [0; 52];
    text[..15].copy_from_slice(BEFORE);
    id.hyphenated().encode_lower(&mut text[15..51]);
    text[51] = b'"';
    let first = into.last() == Some(&b'[');
    into.extend_from_slice(&text[usize::from(first)..]);
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

    #[test]
    fn control_characters_are_escaped_and_nothing_else() {
        let mut out = Vec::new();
        string(&mut out, "\u{1}\u{7f}é😀/");
        assert_eq!(String::from_utf8(out).expect("UTF-8"), "\"\\u0001\u{7f}é😀/\"");
    }
}
