//! Text for people: numbers, times, text from outside made visible, and the known name that was probably meant.

use crate::unseen::Unseen;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// `1 row`, `1,204 rows`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
}

/// `1 of 4 visits is`, `3 of 4 visits are`.
pub(crate) fn of_visits(n: u64, all: u64, one: &str, many: &str) -> String {
    format!("{} of {} {}", grouped(n), count(all, "visit", "visits"), if n == 1 { one } else { many })
}

/// `1,204,000`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The first `most` characters of a text.
pub(crate) fn start_of(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(cut, _)| &text[..cut])
}

/// The beginning of a text for people, of about `most` characters, with "…" where more follows: an address or a word is not cut
/// in its middle, for half of it misleads.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    let start = start_of(text, most);
    if start.len() == text.len() {
        return text.to_owned();
    }
    let whole = start.rsplit_once(' ').filter(|(_, cut)| cut.len() < most / 2).map_or(start, |(whole, _)| whole);
    format!("{whole}…")
}

/// A name from outside in which every character can be seen: what cannot be seen is written as `\u{a0}`, so that names
/// that look the same can be told apart. Borrowed if all characters can be seen.
pub(crate) fn visible(name: &str) -> Cow<'_, str> {
    let plain = name.trim_matches(' ');
    let start = name.len() - name.trim_start_matches(' ').len();
    let inside = start..start + plain.len();
    let is_unseen = |(at, c): (usize, char)| match c {
        ' ' => !inside.contains(&at),
        c => c.is_whitespace() || Unseen::of(c).is_some() || is_no_character(c),
    };
    if !name.char_indices().any(is_unseen) {
        return Cow::Borrowed(name);
    }
    let shown = name.char_indices().map(|(at, c)| match is_unseen((at, c)) {
        true => c.escape_unicode().to_string(),
        false => c.to_string(),
    });
    Cow::Owned(shown.collect())
}

/// Text from an export or a server for a page or a message: at most `most` characters, then `…`. It is one line, and
/// nothing in it changes its surroundings without being seen. Markup is not escaped.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    // An unusual space at an end makes a key look like another key.
    let start = text.len() - text.trim_start().len();
    let inside = start..start + text.trim().len();
    for (at, (byte, c)) in text.char_indices().enumerate() {
        if at == most {
            out.push('…');
            break;
        }
        match c {
            c if !inside.contains(&byte) || acts_unseen(c) => {
                // Writing to memory does not fail.
                let _ = write!(out, "{}", c.escape_unicode());
            }
            '\n' | '\r' | '\t' => out.push(' '),
            // Unicode has pictures of the control characters.
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
            '\x7f' => out.push('\u{2421}'),
            c => out.push(c),
        }
    }
    out
}

/// Overrides of the direction, marks without a width, control characters of old machines, and what no text may contain.
/// C0 has pictures; what shapes a script, joiners and soft hyphens among it, is part of the text.
fn acts_unseen(c: char) -> bool {
    match Unseen::of(c) {
        Some(Unseen::Control) => c > '\x7f',
        Some(Unseen::NoBreakSpace | Unseen::SoftHyphen | Unseen::Joiner | Unseen::Shaper) => false,
        Some(_) => true,
        None => is_no_character(c),
    }
}

fn is_no_character(c: char) -> bool {
    c as u32 & 0xfffe == 0xfffe
}

/// `1.4 s`, `3 min 20 s`, `10 min`, `2 h 5 min`, `4 d 6 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (large, unit, small, small_unit) = match seconds {
        0..10 => return format!("{:.1} s", time.as_secs_f64()),
        10..60 => return format!("{seconds} s"),
        60..3600 => (seconds / 60, "min", seconds % 60, "s"),
        3600..86_400 => (seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => (seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    };
    match small {
        0 => format!("{large} {unit}"),
        _ => format!("{large} {unit} {small} {small_unit}"),
    }
}

/// `3 minutes 20 seconds`, `less than a second`: [`duration`] for running text.
pub(crate) fn duration_in_words(ms: u64) -> String {
    let unit = |n: u64, name: &str| format!("{n} {name}{}", if n == 1 { "" } else { "s" });
    let two = |first: String, n: u64, name: &str| if n == 0 { first } else { format!("{first} {}", unit(n, name)) };
    let seconds = ms / 1000;
    match seconds {
        0 => "less than a second".to_owned(),
        1..60 => unit(seconds, "second"),
        60..3600 => two(unit(seconds / 60, "minute"), seconds % 60, "second"),
        3600..86_400 => two(unit(seconds / 3600, "hour"), seconds % 3600 / 60, "minute"),
        _ => two(unit(seconds / 86_400, "day"), seconds % 86_400 / 3600, "hour"),
    }
}

/// How long an answer took: `38 ms`, `1.2 s`, `95 s`, `12 min`.
pub(crate) fn latency(ms: u64) -> String {
    match ms {
        0 => "under 1 ms".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{} s", (ms as f64 / 100.0).round() / 10.0),
        10_000..600_000 => format!("{} s", ms / 1000),
        600_000..36_000_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// `99.2%`. Only none is `0%`, and only all is `100%`.
pub(crate) fn share(n: u64, of: u64) -> String {
    let percent = n as f64 * 100.0 / of.max(1) as f64;
    match percent {
        _ if n == 0 => "0%".to_owned(),
        _ if n == of => "100%".to_owned(),
        p if p < 0.1 => "under 0.1%".to_owned(),
        p if p > 99.9 => "over 99.9%".to_owned(),
        p => format!("{p:.1}%"),
    }
}

/// `120/s`, `0.5/s`.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 10.0 => format!("{r:.0}/s"),
        r if r >= 0.1 => format!("{}/s", (r * 10.0).round() / 10.0),
        r => format!("{}/min", (r * 600.0).round() / 10.0),
    }
}

/// ` (did you mean "…"?)` where a known name is near enough to `name`, else nothing.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(name, known) {
        Some(near) => format!(" (did you mean {near:?}?)"),
        None => String::new(),
    }
}

/// The known name that is nearest to `name`, without regard to case, `_`, `-` and spaces.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(name);
    let scored = known.into_iter().map(|known| (strsim::jaro_winkler(&wanted, &plain(known)), known));
    let best = scored.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(score, _)| *score > 0.75).map(|(_, known)| known)
}

/// Bytes in Base64, with `=` at the end (RFC 4648, 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, at| bits << 8 | u32::from(chunk.get(at).copied().unwrap_or_default()));
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at)) as usize & 63];
            text.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    text
}

/// Bytes as hexadecimal digits, as hashes are written.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_short() {
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(grouped(1_204_000), "1,204,000");
        assert_eq!(duration(Duration::from_millis(1_440)), "1.4 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(duration(Duration::from_secs(600)), "10 min");
        assert_eq!(duration(Duration::from_secs(7_500)), "2 h 5 min");
        assert_eq!((rate(120.0).as_str(), rate(0.5).as_str(), rate(0.01).as_str()), ("120/s", "0.5/s", "0.6/min"));
    }

    #[test]
    fn text_from_outside_is_short_and_acts_on_nothing() {
        assert_eq!(printable("a\u{202e}b\u{0}c\nd\u{9b}e\u{feff}", 99), "a\\u{202e}b\u{2400}c d\\u{9b}e\\u{feff}");
        assert_eq!(printable("שלום <b> \u{200d}", 99), "שלום <b> \u{200d}");
        assert_eq!(printable(&"é".repeat(10_000), 300), format!("{}…", "é".repeat(300)));
        assert_eq!(printable("\u{1fffe}", 9), "\\u{1fffe}");
        assert_eq!(printable(" V\u{a0}1\u{a0}\n", 9), "V\u{a0}1\\u{a0}");
    }

    #[test]
    fn times_and_shares_are_written_as_people_say_them() {
        assert_eq!(duration_in_words(900), "less than a second");
        assert_eq!((&*duration_in_words(1_000), &*duration_in_words(60_000)), ("1 second", "1 minute"));
        assert_eq!(
            (&*duration_in_words(200_000), &*duration_in_words(7_500_000)),
            ("3 minutes 20 seconds", "2 hours 5 minutes")
        );
        assert_eq!((&*latency(38), &*latency(1_234), &*latency(95_000)), ("38 ms", "1.2 s", "95 s"));
        assert_eq!(
            (&*share(0, 5), &*share(5, 5), &*share(1_999_999, 2_000_000), &*share(1984, 2000)),
            ("0%", "100%", "over 99.9%", "99.2%")
        );
    }

    #[test]
    fn what_cannot_be_seen_of_a_name_is_escaped() {
        for plain in ["visit_id", "Besuch Nr. 1", "訪問", "", "é"] {
            assert!(matches!(visible(plain), Cow::Borrowed(same) if same == plain));
        }
        assert_eq!(visible("V1\u{a0}"), "V1\\u{a0}");
        assert_eq!(visible(" V 1  "), "\\u{20}V 1\\u{20}\\u{20}");
        assert_eq!(visible("\u{feff}visit\tid"), "\\u{feff}visit\\u{9}id");
    }

    #[test]
    fn slips_find_their_name_and_strangers_find_none() {
        let known = ["visit_id", "store_number", "started_at"];
        assert_eq!(nearest("VisitID", known), Some("visit_id"));
        assert_eq!(nearest("store_numer", known), Some("store_number"));
        assert_eq!(nearest("email", known), None);
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("ab", "YWI="), ("abc", "YWJj"), ("a?>b", "YT8+Yg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
