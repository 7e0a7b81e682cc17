//! How an identifier is spelled: placeholders, characters that are invisible, what a spreadsheet leaves of a long number.
//!
//! It does not know which field a value is for. Most values are plain, and a look at a few bytes tells that.

use super::checks::not_mangled;
use super::problem::{Code, FieldError, shown};
use super::rules::Rules;
use crate::stand_ins::is_placeholder;
use crate::unseen::Unseen;

/// The result of a check, unless the job accepts what it says.
#[inline]
pub(super) fn unless_accepted(rules: &Rules, result: Result<(), FieldError>) -> Result<(), FieldError> {
    match result {
        Err((code, _)) if rules.accepts(code) => Ok(()),
        result => result,
    }
}

/// Whether a value is spelled in a way in which no check of this file finds anything: nearly every value is, and then none of
/// them need be asked.
#[inline(always)]
pub(super) fn is_plain(text: &str) -> bool {
    has_plain_bytes(text.as_bytes()) && !may_be_placeholder(text) && !has_fraction(text)
}

/// A value that stands for something.
#[inline]
pub(super) fn stands_for_something(text: &str) -> Result<(), FieldError> {
    if !may_be_placeholder(text) {
        return Ok(());
    }
    if is_placeholder(text) {
        let message = format!(
            "{} is a placeholder, not a value; if it means that there is no value, add it to `null_values`, else fix the export",
            shown(text)
        );
        return Err((Code::Placeholder, message));
    }
    match guarded(text) {
        Some(inside) => {
            let message = format!(
                "{} is {} with a guard for spreadsheets around it; export the column as it is, without the guard",
                shown(text),
                shown(inside)
            );
            Err((Code::Placeholder, message))
        }
        None => Ok(()),
    }
}

/// A key that several visits have and that names one all the same.
pub(super) fn names_a_visit(key: &str) -> Result<(), FieldError> {
    if stands_for_something(key).is_ok() {
        return Ok(());
    }
    let message = format!(
        "{} is a placeholder, not a value, and several visits have it as their key; export each with a key of its own (with \
         `null_values` it counts as empty)",
        shown(key)
    );
    Err((Code::Placeholder, message))
}

#[inline]
fn may_be_placeholder(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'N' | b'n' | b'(' | b'#' | b'<' | b'u' | b'=' | b'\''))
}

/// What is inside a spreadsheet's guard: `="001"`, or `'001` with digits alone behind the apostrophe.
fn guarded(text: &str) -> Option<&str> {
    let digits = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    formula.or_else(|| text.strip_prefix('\'').filter(digits))
}

/// A value in which every character can be seen. Joiners inside text are text.
#[inline]
pub(super) fn visible(text: &str) -> Result<(), FieldError> {
    if has_plain_bytes(text.as_bytes()) { Ok(()) } else { all_seen(text) }
}

#[cold]
fn all_seen(text: &str) -> Result<(), FieldError> {
    let ends = [text.chars().next(), text.chars().next_back()];
    let unseen = text.chars().find(|c| is_unseen(*c));
    let Some(found) = unseen.or_else(|| unseen_end(text)) else { return Ok(()) };
    let name = Unseen::of(found).map_or("a blank", Unseen::name);
    let at_end = if ends.contains(&Some(found)) { " at an end" } else { "" };
    let message = format!(
        "{} has {} (U+{:04X}){at_end}, which is invisible; remove it in the export",
        shown(text),
        name,
        u32::from(found)
    );
    Err((Code::InvisibleCharacter, message))
}

/// A blank that does not break, or a joiner that joins nothing, at an end of the text.
fn unseen_end(text: &str) -> Option<char> {
    let is_blank = |c: &char| Unseen::of(*c) == Some(Unseen::NoBreakSpace);
    let is_joiner = |c: &char| Unseen::of(*c) == Some(Unseen::Joiner);
    let first = text.chars().next().filter(|c| is_blank(c) || is_joiner(c));
    first.or_else(|| {
        let mut from_end = text.chars().rev();
        let last = from_end.next()?;
        // Some scripts end a word with a joiner.
        let joins = from_end.next().is_some_and(|before| !before.is_ascii());
        (is_blank(&last) || is_joiner(&last) && !joins).then_some(last)
    })
}

/// Whether a character is a problem wherever it stands. What chooses the shapes of a script is part of it.
fn is_unseen(c: char) -> bool {
    match Unseen::of(c) {
        // DEL is of neither set of control characters.
        Some(Unseen::Control) => c != '\u{7f}',
        Some(Unseen::ByteOrderMark | Unseen::ZeroWidthSpace | Unseen::WordJoiner) => true,
        Some(Unseen::SoftHyphen | Unseen::Direction) => true,
        _ => false,
    }
}

/// Whether all bytes are printable ASCII: eight at a time, since nearly every value is.
#[inline]
fn has_plain_bytes(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else {
        return bytes.iter().fold(true, |plain, b| plain & (0x20..0x7f).contains(b));
    };
    let (chunks, _) = bytes.as_chunks::<8>();
    chunks.iter().fold(odd_bytes(*last), |odd, chunk| odd | odd_bytes(*chunk)) == 0
}

/// A bit is set unless all eight bytes are printable ASCII.
#[inline]
fn odd_bytes(bytes: [u8; 8]) -> u64 {
    const EACH: u64 = u64::MAX / 0xff;
    let bytes = u64::from_ne_bytes(bytes);
    let is_control = bytes.wrapping_sub(EACH * 0x20) & !bytes;
    let is_beyond = bytes | bytes.wrapping_add(EACH);
    (is_control | is_beyond) & (EACH * 0x80)
}

/// A key or a code that still has all its digits. Only `E+` behind a decimal point tells: `5e12` may be a hash.
#[inline]
pub(super) fn keeps_its_digits(text: &str) -> Result<(), FieldError> {
    if has_fraction(text) && (text.contains("E+") || text.contains("e+")) { not_mangled(text) } else { Ok(()) }
}

/// Whether the second character, behind a sign, is a decimal point.
#[inline]
fn has_fraction(text: &str) -> bool {
    match text.as_bytes() {
        [b'-', _, mark, ..] | [_, mark, ..] => matches!(mark, b'.' | b','),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stand_ins::PLACEHOLDERS;

    fn code(result: Result<(), FieldError>) -> Option<&'static str> {
        result.err().map(|(code, _)| code.name())
    }

    #[test]
    fn words_for_nothing_and_guards_are_told_from_names() {
        for text in PLACEHOLDERS.into_iter().chain(["=\"001\"", "'001", "=\"\""]) {
            assert_eq!(code(stands_for_something(text)), Some("placeholder"), "{text}");
        }
        for text in ["", "Null", "none", "NONE", "nano", "N/A 5", "Nantes", "undefined1", "'s-Gravenhage", "'", "=1+1"]
        {
            assert_eq!(code(stands_for_something(text)), None, "{text}");
        }
    }

    #[test]
    fn invisible_characters_are_told_from_those_of_a_script() {
        for text in [
            "1001\u{a0}",
            "\u{2007}1001",
            "10\u{200b}01",
            "\u{feff}V1",
            "V\u{ad}1",
            "V1\u{200e}",
            "a\u{2066}b",
            "a\u{1}b",
            "12345678\u{1f}",
            "1\u{85}2",
            "1001\u{200d}",
            "\u{200c}1001",
            "\u{61c}5",
        ] {
            assert_eq!(code(visible(text)), Some("invisible_character"), "{text:?}");
        }
        for text in [
            "",
            "1001",
            "V 1",
            "5\u{7f}",
            "a\tb\r\nc",
            "10\u{a0}01",
            "می\u{200c}خواهم",
            "ന്\u{200d}",
            "Zürich-1",
            "店１",
        ] {
            assert_eq!(code(visible(text)), None, "{text:?}");
        }
        let (_, message) = visible("1001\u{a0}").expect_err("a no-break space");
        assert_eq!(
            message,
            "\"1001\\u{a0}\" has a no-break space (U+00A0) at an end, which is invisible; remove it in the export"
        );
    }

    #[test]
    fn every_byte_is_looked_at() {
        for length in 1..30 {
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    let mut bytes = vec![b'0'; length];
                    bytes[at] = byte;
                    assert_eq!(has_plain_bytes(&bytes), (0x20..0x7f).contains(&byte), "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn keys_that_a_spreadsheet_rounded_are_told_from_hashes() {
        for text in ["2.02403E+11", "2,02403e+11", "-1.5E+20"] {
            assert_eq!(code(keeps_its_digits(text)), Some("mangled_number"), "{text}");
        }
        for text in ["5e12", "5E+12", "2.02403E11", "1.5", "a.b@c.dE+1", "12.5E+3", ""] {
            assert_eq!(code(keeps_its_digits(text)), None, "{text}");
        }
    }
}
