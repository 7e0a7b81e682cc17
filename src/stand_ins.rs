//! What exports write where there is nothing: words, and days on which no visit was.
//!
//! It knows text, and no columns: who asks knows whether a value is a key, a number or a time.

use chrono::{DateTime, Datelike, NaiveDate};

/// Words that are no identifier where they are spelled exactly so. This list is part of the contract: each of them is the
/// problem `placeholder`.
pub(crate) const PLACEHOLDERS: [&str; 11] =
    ["NULL", "(null)", "nan", "NaN", "None", "N/A", "#N/A", "#REF!", "#VALUE!", "<NA>", "undefined"];

/// Further words that stand for an empty cell in any column, but may be an identifier. `NA` is not among them: it is also a
/// country.
const WORDS: [&str; 11] = ["\\N", "null", "n/a", "#NV", "#N/D", "NaT", "nil", "-", "--", "<null>", "[NULL]"];

/// Words that stand for nothing only where a time is expected.
const WORDS_FOR_NO_TIME: [&str; 2] = ["NA", "infinity"];

/// Days on which no visit was, as year, month and day: the zeros and ends of MySQL, SAP, .NET, SQL Server and spreadsheets.
const DAYS: [Day; 6] = [(0, 0, 0), (1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1900, 1, 1), LAST_DAY];

/// It often ends with its last second.
const LAST_DAY: Day = (9999, 12, 31);

type Day = (u32, u32, u32);

/// Whether an identifier is a word that stands for nothing.
pub(crate) fn is_placeholder(text: &str) -> bool {
    PLACEHOLDERS.contains(&text)
}

/// Whether a cell of any column is probably empty, by its word. `null_values` would name it.
pub(crate) fn is_word(text: &str) -> bool {
    PLACEHOLDERS.contains(&text) || WORDS.contains(&text)
}

/// Whether a value stands for no time, if the others of its column are times: the number 0, or the beginning or the end of a
/// day on which no visit was. Another time of such a day may be a time of day of which a spreadsheet knows no date.
pub(crate) fn is_no_time(text: &str) -> bool {
    is_zero(text)
        || written_day(text).is_some_and(|(day, rest)| is_midnight(rest) || day == LAST_DAY && is_last_second(rest))
}

/// Whether a text that is not a time probably stands for none.
pub(crate) fn may_be_no_time(text: &str) -> bool {
    let mut words = PLACEHOLDERS.iter().chain(&WORDS).chain(&WORDS_FOR_NO_TIME);
    is_zero(text) || words.any(|word| text.eq_ignore_ascii_case(word)) || written_day(text).is_some()
}

/// Whether an instant often stands for none, whatever zone it was written in.
pub(crate) fn is_no_instant(epoch: i64) -> bool {
    let Some(time) = DateTime::from_timestamp(epoch, 0) else { return false };
    let is_near = |(year, month, day): Day| {
        let day = i32::try_from(year).ok().and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
        day.is_some_and(|day| (time.num_days_from_ce() - day.num_days_from_ce()).abs() <= 1)
    };
    // Other small numbers are codes rather than times.
    let is_zero = epoch == -1 || (epoch % 900 == 0 && epoch.abs() <= 14 * 3600);
    is_zero || DAYS.into_iter().any(is_near)
}

/// Data frames write the empty cell of a number column like this.
pub(crate) fn is_nan(text: &str) -> bool {
    text.eq_ignore_ascii_case("nan")
}

fn is_zero(text: &str) -> bool {
    matches!(text, "0" | "0.0" | "0.000")
}

/// One of the days at the beginning of a text, and what stands behind it: `1900-01-01`, `1.1.1900`, `12/31/9999`, `00000000`.
fn written_day(text: &str) -> Option<(Day, &str)> {
    let (first, rest) = digits(text);
    let (days, rest) = if matches!(first.len(), 8 | 12 | 14) {
        let day = (first[..4].parse().ok()?, first[4..6].parse().ok()?, first[6..8].parse().ok()?);
        ([day, day], &text[8..])
    } else {
        let between = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
        let (second, rest) = digits(&rest[1..]);
        let (third, rest) = digits(rest.strip_prefix(between)?);
        let number = |text: &str| text.parse::<u32>().ok();
        match (first.len(), second.len(), third.len()) {
            (4, 1 | 2, 1 | 2) => ([(number(first)?, number(second)?, number(third)?); 2], rest),
            (1 | 2, 1 | 2, 4) => {
                let (a, b, year) = (number(first)?, number(second)?, number(third)?);
                ([(year, a, b), (year, b, a)], rest)
            }
            _ => return None,
        }
    };
    days.into_iter().find(|day| DAYS.contains(day)).map(|day| (day, rest))
}

/// The digits at the beginning of a text, and the rest.
fn digits(text: &str) -> (&str, &str) {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(end)
}

/// What stands behind a day, without its offset from UTC.
fn clock(behind_day: &str) -> &str {
    let clock = behind_day.split(['+', '-', 'Z']).next().unwrap_or_default();
    clock.trim_start_matches(['T', ' ']).trim_end()
}

fn is_midnight(behind_day: &str) -> bool {
    let clock = clock(behind_day);
    let clock = clock.strip_prefix("12").and_then(|rest| rest.strip_suffix(" AM")).unwrap_or(clock);
    clock.bytes().all(|b| matches!(b, b'0' | b':' | b'.'))
}

fn is_last_second(behind_day: &str) -> bool {
    let clock = clock(behind_day);
    let clock = clock.strip_suffix(" PM").and_then(|rest| rest.strip_prefix("11")).or(clock.strip_prefix("23"));
    clock.is_some_and(|rest| {
        let rest: String = rest.chars().filter(|c| *c != ':').collect();
        let (seconds, fraction) = rest.split_once('.').unwrap_or((&rest, "9"));
        matches!(seconds, "59" | "5959") && fraction.bytes().all(|b| b.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_on_which_no_visit_was_are_told_however_they_are_written() {
        for text in [
            "0",
            "0.0",
            "0000-00-00",
            "0000-00-00 00:00:00",
            "0000-00-00T00:00:00Z",
            "00000000",
            "00000000000000",
            "00.00.0000 00:00:00",
            "00/00/0000",
            "0001-01-01T00:00:00",
            "0001-01-01T00:00:00+01:00",
            "1/1/0001 12:00:00 AM",
            "1753-01-01",
            "1753-01-01 00:00:00.000",
            "1899-12-30",
            "12/30/1899",
            "30.12.1899 00:00",
            "1900-01-01",
            "01.01.1900",
            "9999-12-31",
            "99991231",
            "99991231235959",
            "31.12.9999",
            "9999-12-31 23:59:59.9999999",
            "12/31/9999 11:59:59 PM",
        ] {
            assert!(is_no_time(text) && may_be_no_time(text), "{text}");
        }
        // A time of day of which a spreadsheet knows no date.
        for text in ["1899-12-30 08:15:00", "1900-01-01T12:00:00", "1/1/1900 12:00:00 PM"] {
            assert!(!is_no_time(text) && may_be_no_time(text), "{text}");
        }
        for text in
            ["", "1900", "1900-01", "1901-01-01", "2024-03-05", "19000102", "9999-12-30", "é", "1-é", "00", "1.1"]
        {
            assert!(!is_no_time(text) && !may_be_no_time(text), "{text}");
        }
    }

    #[test]
    fn words_stand_for_nothing_where_they_can_be_nothing_else() {
        for text in ["NULL", "null", "N/A", "\\N", "-"] {
            assert!(is_word(text) && may_be_no_time(text), "{text}");
        }
        // A country, a key that is spelled in another way.
        for text in ["NA", "none"] {
            assert!(!is_word(text) && may_be_no_time(text), "{text}");
        }
        assert!(!is_placeholder("null") && !is_placeholder("-") && is_placeholder("NULL"));
        assert!(is_nan("NAN") && !is_nan("nano"));
    }

    #[test]
    fn instants_of_those_days_stand_for_none_in_any_zone() {
        for epoch in [0, -1, 3600, -62_135_596_800, -2_208_988_800, 253_402_300_799] {
            assert!(is_no_instant(epoch), "{epoch}");
        }
        assert!(!is_no_instant(1_709_626_353) && !is_no_instant(7));
    }
}
