//! Text for people: numbers, times, names from outside made visible, and the known name that was probably meant.

use std::borrow::Cow;
use std::time::Duration;

/// `1 row`, `1,204 rows`.
pub(crate) fn count(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(n), if n == 1 { one } else { many })
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

/// As much of a text as a message bears, in characters.
pub(crate) fn start_of(text: &str, most: usize) -> &str {
    text.char_indices().nth(most).map_or(text, |(cut, _)| &text[..cut])
}

/// A name of somebody else's as it can be told from others that look the same: what cannot be seen is written as
/// `\u{a0}`. Borrowed where there is nothing of the kind.
pub(crate) fn visible(name: &str) -> Cow<'_, str> {
    let plain = name.trim_matches(' ');
    let start = name.len() - name.trim_start_matches(' ').len();
    let inside = start..start + plain.len();
    let is_unseen = |(at, c): (usize, char)| match c {
        ' ' => !inside.contains(&at),
        c => c.is_control() || c.is_whitespace() || is_invisible(c),
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

/// Marks without a width: soft hyphens, joiners, directions, byte order marks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}')
}

/// `1.4 s`, `3 min 20 s`, `2 h 5 min`, `4 d 6 h`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_times_short() {
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(grouped(1_204_000), "1,204,000");
        assert_eq!(duration(Duration::from_millis(1_440)), "1.4 s");
        assert_eq!(duration(Duration::from_secs(200)), "3 min 20 s");
        assert_eq!(duration(Duration::from_secs(7_500)), "2 h 5 min");
        assert_eq!((rate(120.0).as_str(), rate(0.5).as_str(), rate(0.01).as_str()), ("120/s", "0.5/s", "0.6/min"));
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
}
