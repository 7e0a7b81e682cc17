//! Words for what cannot be read as a time or a date: what it most likely is, and what would read it.
//!
//! It decides nothing: whether a text is a time is up to `time`.

use super::formats::{TimeFormat, is_time_of_day};
use super::pattern::Pattern;
use super::problem::shown;
use super::rfc3339::{self, Unread};
use crate::stand_ins::may_be_no_time;
use std::rc::Rc;

/// What `text`, which is not a time, most likely is. `pattern`: the job's format, which does not read it.
pub(super) fn of_time(text: &str, pattern: Option<&Pattern>) -> String {
    let wrong = not_a(text, "time", pattern);
    if may_be_no_time(text) {
        return format!("{wrong}: {}, such as null_values = [{}]", STAND_IN, shown(text));
    }
    match (rfc3339::stamp(text.as_bytes()), pattern) {
        (Ok(_), Some(_)) => return format!("{wrong}: {WITHOUT}"),
        (Err(Unread::Zone(why)), None) => return format!("{wrong}: {why}"),
        _ => {}
    }
    let formats = Formats::of(text);
    let hint = if let Some(formats) = in_words(&formats.of_times, pattern) {
        formats
    } else if !formats.of_dates.is_empty() || rfc3339::plain_date(text.as_bytes()).is_some() {
        format!("a date has no time of day; {JOIN}")
    } else if formats.are_of_no_day {
        NO_SUCH_DAY.to_owned()
    } else if is_rounded(text) {
        "a spreadsheet has rounded it; export the column as text".to_owned()
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
    let formats = Formats::of(text);
    let is_zoned = stamp.is_ok_and(|stamp| stamp.offset.is_some() || stamp.zone.is_some()) || formats.have_zone;
    let numbers = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<i64>().ok()).flatten();
    let hint = if is_zoned || numbers.is_some_and(|number| EPOCHS.iter().any(|epochs| epochs.contains(&number))) {
        "it is a point in time; leave visit_date out, and the day follows from session_start_time".to_owned()
    } else if let Some(formats) = in_words(&formats.of_dates, pattern) {
        formats
    } else if let Some(formats) = in_words(&formats.of_times, pattern) {
        format!("it has a time of day; {formats}, its day as it is written")
    } else if formats.are_of_no_day {
        NO_SUCH_DAY.to_owned()
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
    let formats = in_words(&Formats::of(text).of_times, None)?;
    Some(format!("{text} is read as seconds since 1970 and lies far in the future: {formats}"))
}

/// What to do about a time that stands for none.
pub(super) const STAND_IN: &str =
    "if it stands for no time, name it, as the export writes it, in the null_values of the column";

const WITHOUT: &str = "without `format` it would be read";
const NO_SUCH_DAY: &str = "there is no such day or time";
const JOIN: &str = "where the other half is in a column of its own, `columns` joins both";

/// Epoch seconds and milliseconds of this century.
const EPOCHS: [std::ops::Range<i64>; 2] = [946_684_800..4_102_444_800, 946_684_800_000..4_102_444_800_000];

fn not_a(text: &str, what: &str, pattern: Option<&Pattern>) -> String {
    match pattern {
        Some(pattern) => format!("{} does not fit the format {:?}", shown(text), pattern.text()),
        None => format!("{} is not a {what}", shown(text)),
    }
}

/// The formats in which a text is written.
#[derive(Default)]
struct Formats {
    /// Those that read a time in it.
    of_times: Vec<Rc<TimeFormat>>,
    /// Those that read a date in it, and no time of day.
    of_dates: Vec<Rc<TimeFormat>>,
    have_zone: bool,
    /// Whether it is written as a date or a time, and there is no such day or time.
    are_of_no_day: bool,
}

impl Formats {
    fn of(text: &str) -> Formats {
        let mut formats = Formats::default();
        let mut is_shaped = false;
        for (format, written) in TimeFormat::all_of_shape(text) {
            // Bare digits have the shape of many things.
            is_shaped |= !text.bytes().all(|b| b.is_ascii_digit());
            let Some(written) = written else { continue };
            formats.have_zone |= written.has_zone;
            match written.time {
                Some(_) => formats.of_times.push(format),
                None => formats.of_dates.push(format),
            }
        }
        formats.are_of_no_day = is_shaped && formats.of_times.is_empty() && formats.of_dates.is_empty();
        formats
    }
}

/// What a spreadsheet leaves of a long number: `1.70963E+12`.
fn is_rounded(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once("E+") else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b','));
    !mantissa.is_empty() && digits(mantissa) && !exponent.is_empty() && digits(exponent)
}

/// That these formats read a text: the likeliest of each order of day and month, as only a person can tell it.
fn in_words(formats: &[Rc<TimeFormat>], pattern: Option<&Pattern>) -> Option<String> {
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
    let is_time = || rfc3339::stamp(time.as_bytes()).is_ok() || !Formats::of(time).of_times.is_empty();
    (is_name && is_time()).then_some(name)
}
