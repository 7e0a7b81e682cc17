//! Words for what cannot be read as a time or a date: what it most likely is, and what would read it.
//!
//! It decides nothing: whether a text is a time is up to `time`.

use super::formats::TimeFormat;
use super::pattern::Pattern;
use super::problem::shown;
use super::rfc3339::{self, Unread};
use chrono::{DateTime, Datelike, NaiveDate};

/// What `text`, which is not a time, most likely is. `pattern`: the job's format, which does not read it.
pub(super) fn of_time(text: &str, pattern: Option<&Pattern>) -> String {
    let wrong = not_a(text, "time", pattern);
    if stands_for_none(text) {
        return format!("{wrong}: {}, such as null_values = [{}]", STAND_IN, shown(text));
    }
    match (rfc3339::stamp(text.as_bytes()), pattern) {
        (Ok(_), Some(_)) => return format!("{wrong}: {WITHOUT}"),
        (Err(Unread::Zone(why)), None) => return format!("{wrong}: {why}"),
        _ => {}
    }
    let (times, dates): (Vec<_>, Vec<_>) = TimeFormat::all_of_shape(text).into_iter().partition(has_time(text));
    let hint = if let Some(formats) = in_words(&times, pattern) {
        formats
    } else if !dates.is_empty() || rfc3339::plain_date(text.as_bytes()).is_some() {
        format!("a date has no time of day; {JOIN}")
    } else if is_time_of_day(text) {
        format!("a time of day has no date; {JOIN}")
    } else if let Some(name) = zone_name_behind(text) {
        format!(
            "no format reads the name of a zone, {}: export the time with its offset, such as +01:00, or the zone, such as Europe/Paris, in a column of its own that timezone_column names; where the export cannot change, `command` can rewrite it",
            shown(name)
        )
    } else {
        "expected epoch seconds or a time like 2024-03-05T08:12:33Z; name other ways of writing it with `format`, or have `command` rewrite it".to_owned()
    };
    format!("{wrong}: {hint}")
}

/// What `text`, which is not a date, most likely is. `pattern`: the job's format, which does not read it.
pub(super) fn of_date(text: &str, pattern: Option<&Pattern>) -> String {
    let wrong = not_a(text, "date like 2024-03-05", pattern);
    let stamp = rfc3339::stamp(text.as_bytes());
    let is_plain = rfc3339::plain_date(text.as_bytes()).is_some();
    if pattern.is_some() && (is_plain || stamp.as_ref().is_ok_and(|stamp| stamp.date_of_midnight().is_some())) {
        return format!("{wrong}: {WITHOUT}");
    }
    if let (Err(Unread::Zone(why)), None) = (&stamp, pattern) {
        return format!("{wrong}: {why}");
    }
    if stamp.as_ref().is_ok_and(|stamp| stamp.ends_a_day) {
        return format!("{wrong}: 24:00 may be meant as the end of its day or as the start of the next");
    }
    let formats = TimeFormat::all_of_shape(text);
    let is_zoned = stamp.is_ok_and(|stamp| stamp.offset.is_some() || stamp.zone.is_some())
        || formats.iter().any(|format| format.read(text).is_some_and(|written| written.has_zone));
    let numbers = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
    let hint = if is_zoned || numbers.is_some_and(|number| EPOCHS.iter().any(|epochs| epochs.contains(&number))) {
        "it is a point in time; leave visit_date out, and the day follows from session_start_time".to_owned()
    } else if let Some(formats) = in_words(&formats, pattern) {
        match formats_with_time(text) {
            true => format!("it has a time of day; {formats}, its day as it is written"),
            false => formats,
        }
    } else if numbers.is_some_and(|number| (36_526..73_051).contains(&number)) {
        "it may be a day number of a spreadsheet; export the column as text".to_owned()
    } else {
        return match pattern {
            None => format!("{wrong}; name other ways of writing it with `format`"),
            Some(_) => wrong,
        };
    };
    format!("{wrong}: {hint}")
}

/// What digits say that count nothing, and are a date with its time: `20240305081233`.
pub(super) fn of_digits(text: &str) -> Option<String> {
    if !matches!(text.len(), 12 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (times, _): (Vec<_>, Vec<_>) = TimeFormat::all_of_shape(text).into_iter().partition(has_time(text));
    let formats = in_words(&times, None)?;
    Some(format!("{text} is read as seconds since 1970 and lies far in the future: {formats}"))
}

/// Whether an instant is one that often stands for none, whatever zone it was written in.
pub(super) fn is_stand_in(epoch: i64) -> bool {
    let Some(time) = DateTime::from_timestamp(epoch, 0) else { return false };
    let is_near = |year, month, day| {
        let stand_in = NaiveDate::from_ymd_opt(year, month, day);
        stand_in.is_some_and(|stand_in| (time.num_days_from_ce() - stand_in.num_days_from_ce()).abs() <= 1)
    };
    // Other small numbers are codes rather than times.
    let is_zero = epoch == -1 || (epoch % 900 == 0 && epoch.abs() <= 14 * 3600);
    let stand_ins = [(1, 1, 1), (1753, 1, 1), (1899, 12, 30), (1900, 1, 1), (9999, 12, 31)];
    is_zero || stand_ins.into_iter().any(|(year, month, day)| is_near(year, month, day))
}

/// What to do about a time that stands for none.
pub(super) const STAND_IN: &str =
    "if it stands for no time, name it, as the export writes it, in the null_values of the column";

const WITHOUT: &str = "without `format` it would be read";
const JOIN: &str = "where the other half is in a column of its own, `columns` joins both";

/// Epoch seconds and milliseconds of this century.
const EPOCHS: [std::ops::Range<i64>; 2] = [946_684_800..4_102_444_800, 946_684_800_000..4_102_444_800_000];

/// Whether a text is a time of day without a date: `08:15`, `8:15:30` or `08:15 PM`.
pub(crate) fn is_time_of_day(text: &str) -> bool {
    let clock = text.split(' ').next().unwrap_or_default();
    let parts = || clock.split(':');
    clock.len() <= 8
        && (2..=3).contains(&parts().count())
        && parts().all(|part| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
}

fn not_a(text: &str, what: &str, pattern: Option<&Pattern>) -> String {
    match pattern {
        Some(pattern) => format!("{} does not fit the format {:?}", shown(text), pattern.text()),
        None => format!("{} is not a {what}", shown(text)),
    }
}

fn has_time(text: &str) -> impl Fn(&TimeFormat) -> bool {
    move |format| format.read(text).is_some_and(|written| written.time.is_some())
}

fn formats_with_time(text: &str) -> bool {
    TimeFormat::all_of_shape(text).first().is_some_and(has_time(text))
}

/// That these formats read a text: the likeliest of each order of day and month, as only a person can tell it.
fn in_words(formats: &[TimeFormat], pattern: Option<&Pattern>) -> Option<String> {
    let mut orders: Vec<&TimeFormat> = Vec::new();
    for format in formats {
        if orders.iter().all(|known| known.order != format.order) {
            orders.push(format);
        }
    }
    let first = orders.first()?;
    let words = match orders.len() {
        1 => format!("{:?}", first.text()),
        _ => {
            let orders = orders.iter().map(|format| format!("{:?} ({})", format.text(), format.order));
            orders.collect::<Vec<_>>().join(" or ")
        }
    };
    let zone = if first.passes_over_utc() { ", with timezone = \"UTC\"," } else { "" };
    let rest = if pattern.is_some() { "; are the rows of this column written in two ways?" } else { "" };
    Some(format!("format = {words}{zone} would read it{rest}"))
}

/// A zone's name or abbreviation behind a time, which nothing else reads.
fn zone_name_behind(text: &str) -> Option<&str> {
    let (time, name) = text.trim_end_matches(')').rsplit_once([' ', '('])?;
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && (2..=32).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'+' | b'-' | b':'));
    let time = time.trim_ascii_end();
    let is_time =
        || rfc3339::stamp(time.as_bytes()).is_ok() || TimeFormat::all_of_shape(time).iter().any(has_time(time));
    (is_name && is_time()).then_some(name)
}

/// Whether a text is written where there is no time.
fn stands_for_none(text: &str) -> bool {
    const DATES: [&str; 12] = [
        "0000-00-00",
        "0001-01-01",
        "1753-01-01",
        "1899-12-30",
        "1900-01-01",
        "9999-12-31",
        "00.00.0000",
        "00/00/0000",
        "01.01.1900",
        "01/01/1900",
        "31.12.9999",
        "12/31/9999",
    ];
    const WORDS: [&str; 14] =
        ["0", "-", "--", "null", "(null)", "nil", "none", "n/a", "#n/a", "na", "nat", "\\n", "undefined", "infinity"];
    DATES.iter().any(|date| text.starts_with(date)) || WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}
