//! How the page writes what it has to say: foreign text made harmless to the eye, times, shares.

use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::Write as _;

/// Text from an export or a server, as a page may show it: at most so many characters, and nothing in it that acts on
/// its surroundings without being seen. The markup is escaped where it is put into the page.
pub(super) fn shown(text: &str, most: usize) -> String {
    let mut out = String::with_capacity(text.len().min(most * 4));
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    // What looks like a key that it is not.
    let start = text.len() - text.trim_start().len();
    let inside = start..start + text.trim().len();
    for (at, (byte, c)) in text.char_indices().enumerate() {
        if at == most {
            out.push('…');
            break;
        }
        match c {
            c if !inside.contains(&byte) => {
                let _ = write!(out, "{}", c.escape_unicode());
            }
            '\n' | '\r' | '\t' => out.push(' '),
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + c as u32).unwrap_or('\u{fffd}')),
            '\x7f' => out.push('\u{2421}'),
            c if acts_unseen(c) => {
                let _ = write!(out, "\\u{{{:x}}}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// Overrides of the direction, invisible marks, control characters of old machines, and what no text may contain.
fn acts_unseen(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || c as u32 & 0xfffe == 0xfffe
}

/// `3 minutes 20 seconds`.
pub(super) fn duration(ms: u64) -> String {
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

/// A time that somebody waited: `38 ms`, `1.2 s`, `95 s`, `12 min`.
pub(super) fn wait(ms: u64) -> String {
    match ms {
        0 => "under 1 ms".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..10_000 => format!("{} s", (ms as f64 / 100.0).round() / 10.0),
        10_000..600_000 => format!("{} s", ms / 1000),
        600_000..36_000_000 => format!("{} min", ms / 60_000),
        _ => format!("{} h", ms / 3_600_000),
    }
}

/// `24 November 2026, 01:05:15 UTC`.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.format("%-d %B %Y, %H:%M:%S UTC").to_string()
}

/// For machines that read the page.
pub(super) fn stamp(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// `99.2%`. All and nothing are said of nothing less.
pub(super) fn share(n: u64, of: u64) -> String {
    let percent = n as f64 * 100.0 / of.max(1) as f64;
    match percent {
        _ if n == 0 => "0%".to_owned(),
        _ if n == of => "100%".to_owned(),
        p if p < 0.1 => "under 0.1%".to_owned(),
        p if p > 99.9 => "over 99.9%".to_owned(),
        p => format!("{p:.1}%"),
    }
}

/// How a run ended, by its exit code.
pub(super) fn ending(exit_code: u8) -> &'static str {
    match exit_code {
        0 => "finished, everything delivered",
        3 => "finished, some not delivered",
        4 => "nothing was sent: too many visits are invalid",
        5 => "stopped: the API was down",
        6 => "stopped: the key was refused",
        130 | 143 => "stopped by a signal",
        _ => "ended unexpectedly",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_short_and_acts_on_nothing() {
        assert_eq!(shown("a\u{202e}b\u{0}c\nd\u{9b}e\u{feff}", 99), "a\\u{202e}b\u{2400}c d\\u{9b}e\\u{feff}");
        assert_eq!(shown("שלום <b> \u{200d}", 99), "שלום <b> \u{200d}");
        assert_eq!(shown(&"é".repeat(10_000), 300), format!("{}…", "é".repeat(300)));
        assert_eq!(shown("\u{1fffe}", 9), "\\u{1fffe}");
        assert_eq!(shown(" V\u{a0}1\u{a0}\n", 9), "V\u{a0}1\\u{a0}");
    }

    #[test]
    fn times_and_shares_are_said_as_people_say_them() {
        assert_eq!(duration(900), "less than a second");
        assert_eq!((duration(1_000), duration(60_000)), ("1 second".to_owned(), "1 minute".to_owned()));
        assert_eq!(
            (duration(200_000), duration(7_500_000)),
            ("3 minutes 20 seconds".into(), "2 hours 5 minutes".into())
        );
        assert_eq!((wait(38), wait(1_234), wait(95_000)), ("38 ms".into(), "1.2 s".into(), "95 s".into()));
        assert_eq!(
            (share(0, 5), share(5, 5), share(1_999_999, 2_000_000)),
            ("0%".into(), "100%".into(), "over 99.9%".into())
        );
        assert_eq!(share(1984, 2000), "99.2%");
    }
}
