//! The table of formats: how exports write dates and times.
//!
//! **This is the one place to add a format.** `traxload init` tries the table on the values of a column and drafts what
//! reads them, so a new row here is all that a new format needs. A job may name any other strftime pattern with
//! `format`; without one, `time` reads RFC 3339 and epoch numbers alone.
//!
//! A format is a date, or a date, what stands behind it, a time of day and a zone. chrono reads a number with fewer
//! digits too (`5/3/2024`), a month in capitals and in short (`%B`: `March`, `MAR`), and a space in a pattern stands for
//! any number of spaces, none included.

use super::pattern::{Pattern, Written};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

/// What stands in a job's formats for its `date_format`, the date that several of them share.
pub(crate) const SHARED_DATE: &str = "%x";

/// Dates: the order of their parts, as a question names it, and the pattern. The likeliest come first.
const DATES: [(&str, &str); 21] = [
    ("year first", "%Y-%m-%d"),
    ("year first", "%Y/%m/%d"),
    ("year first", "%Y.%m.%d"),
    ("year first", "%Y%m%d"),
    ("day first", "%d/%m/%Y"),
    ("month first", "%m/%d/%Y"),
    ("day first", "%d-%m-%Y"),
    ("month first", "%m-%d-%Y"),
    // The month is never written first before a dot.
    ("day first", "%d.%m.%Y"),
    ("day first", "%d/%m/%y"),
    ("month first", "%m/%d/%y"),
    ("year first", "%y/%m/%d"),
    ("day first", "%d-%m-%y"),
    ("month first", "%m-%d-%y"),
    ("year first", "%y-%m-%d"),
    ("day first", "%d.%m.%y"),
    ("month by name", "%d %B %Y"),
    ("month by name", "%d-%B-%Y"),
    ("month by name", "%d-%B-%y"),
    ("month by name", "%B %d, %Y"),
    ("month by name", "%B %d %Y"),
];

/// What stands between a date and a time of day.
const JOINTS: [&str; 3] = [" ", "T", ", "];

/// Times of day, the shortest of those that read the same text first.
const CLOCKS: [&str; 10] = [
    "%H:%M:%S",
    "%H:%M",
    "%H:%M:%S%.f",
    "%H:%M:%S,%f",
    "%I:%M:%S %p",
    "%I:%M %p",
    // Oracle: 02.05.33.123456 PM
    "%I.%M.%S%.f %p",
    "%H%M%S",
    "%H%M",
    "%H.%M",
];

/// Zones: none, `+0100` or `+01:00`, `Z` or `+01`. Behind a word for UTC a job has to name the zone itself.
const ZONES: [&str; 5] = ["", " %z", " %#z", " UTC", " GMT"];

/// A way of writing dates or times that the table has.
#[derive(Clone, Debug)]
pub(crate) struct TimeFormat {
    /// The order of the date's parts, such as `day first`.
    pub(crate) order: &'static str,
    /// The date's part of the pattern.
    pub(crate) date: &'static str,
    pattern: Pattern,
}

impl TimeFormat {
    /// The formats of the table that read a text, the likeliest first.
    pub(crate) fn all_that_read(text: &str) -> Vec<TimeFormat> {
        let mut formats = TimeFormat::candidates(text);
        formats.retain(|format| format.read(text).is_some());
        formats
    }

    /// The formats of the table in which a text is written, each with what it reads of it; `None` where the numbers are no
    /// date or time. For the wrong cells of a whole column: what is found for one is kept for those of its shape.
    pub(super) fn all_of_shape(text: &str) -> Vec<(Rc<TimeFormat>, Option<Written>)> {
        const LONGEST: usize = 64;
        const MOST: usize = 256;
        thread_local! {
            static KNOWN: RefCell<HashMap<String, Vec<Rc<TimeFormat>>>> = RefCell::default();
        }
        if text.len() > LONGEST {
            return Vec::new();
        }
        // Ones are a day, a month, an hour and a year of any order.
        let shape: String = text.chars().map(|c| if c.is_ascii_digit() { '1' } else { c }).collect();
        KNOWN.with_borrow_mut(|known| {
            if known.len() > MOST {
                known.clear();
            }
            let find = |shape: &String| TimeFormat::candidates(shape).into_iter().map(Rc::new).collect();
            let formats = known.entry(shape).or_insert_with_key(find);
            formats.iter().map(|format| (Rc::clone(format), format.read(text))).collect()
        })
    }

    /// The formats of the table that a text is written in, whatever its numbers say.
    fn candidates(text: &str) -> Vec<TimeFormat> {
        let mut found = Vec::new();
        for date in &*TABLE.dates {
            let Some(rest) = date.pattern.remainder(text) else { continue };
            if rest.is_empty() {
                found.push(date.clone());
                continue;
            }
            // Digits right behind a year are more of it: 2024 is not the year 20 with 24 hours behind it.
            if rest.starts_with(|c: char| c.is_ascii_digit()) && date.date != "%Y%m%d" {
                continue;
            }
            let times = TABLE.times.iter().filter(|time| time.remainder(rest) == Some(""));
            let whole = times.filter_map(|time| Pattern::new(&format!("{}{}", date.date, time.text())));
            found.extend(whole.map(|pattern| TimeFormat { pattern, ..date.clone() }));
        }
        found
    }

    /// The whole strftime pattern.
    pub(crate) fn text(&self) -> &str {
        self.pattern.text()
    }

    /// The date in a text, with the time of day and whether it has a zone. `None` where the format does not read it, or
    /// reads a year in which there were no exports: `%Y` takes the year 24 from 5/3/24.
    pub(crate) fn read(&self, text: &str) -> Option<Written> {
        const SHORTEST: usize = "5/3/24".len();
        self.pattern.written(text).filter(|written| text.len() >= SHORTEST && written.is_plausible())
    }

    /// Whether the format reads a word for UTC as plain text, so that the job has to name the zone.
    pub(crate) fn passes_over_utc(&self) -> bool {
        self.pattern.passes_over_utc()
    }
}

/// The table with its patterns compiled.
struct Table {
    dates: Vec<TimeFormat>,
    /// What may stand behind a date.
    times: Vec<Pattern>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let dates = DATES.iter().filter_map(|(order, date)| Some(TimeFormat { order, date, pattern: Pattern::new(date)? }));
    let mut times = Vec::new();
    for joint in JOINTS {
        for clock in CLOCKS {
            times.extend(ZONES.iter().filter_map(|zone| Pattern::new(&format!("{joint}{clock}{zone}"))));
        }
    }
    Table { dates: dates.collect(), times }
});

/// Whether a text is a time of day without a date: `08:15`, `8:15:30` or `08:15 PM`.
pub(crate) fn is_time_of_day(text: &str) -> bool {
    let clock = text.split(' ').next().unwrap_or_default();
    let parts = || clock.split(':');
    clock.len() <= 8
        && (2..=3).contains(&parts().count())
        && parts().all(|part| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{NaiveDate, NaiveTime};

    #[test]
    fn every_row_is_a_pattern_that_reads_what_it_writes() {
        assert_eq!(TABLE.dates.len(), DATES.len());
        assert_eq!(TABLE.times.len(), JOINTS.len() * CLOCKS.len() * ZONES.len());
        let day = NaiveDate::from_ymd_opt(2024, 3, 25).expect("a day");
        let time = NaiveTime::from_hms_opt(14, 5, 0).expect("a time");
        for date in &TABLE.dates {
            let text = day.format(date.date).to_string();
            let formats = TimeFormat::all_that_read(&text);
            assert!(formats.iter().any(|format| format.text() == date.date), "{} reads {text}", date.date);
            for clock in CLOCKS {
                let text = day.and_time(time).format(&format!("{} {clock}", date.date)).to_string();
                let formats = TimeFormat::all_that_read(&text);
                let read = formats.iter().find(|format| format.date == date.date).and_then(|format| format.read(&text));
                assert_eq!(read, Some(Written { date: day, time: Some(time), has_zone: false }), "{text}");
            }
        }
    }

    #[test]
    fn the_first_format_is_the_likeliest() {
        for (value, format) in [
            ("2024-03-05 8:12", "%Y-%m-%d %H:%M"),
            ("25.03.2024 14:05:33", "%d.%m.%Y %H:%M:%S"),
            ("25.03.2024 14.05", "%d.%m.%Y %H.%M"),
            ("25.03.2024 14:05:33,250", "%d.%m.%Y %H:%M:%S,%f"),
            ("25.03.2024 14:05:33.250", "%d.%m.%Y %H:%M:%S%.f"),
            ("3/25/2024 2:05:33 PM", "%m/%d/%Y %I:%M:%S %p"),
            ("3/25/24, 2:05pm", "%m/%d/%y, %I:%M %p"),
            ("05-MAR-24 14:05", "%d-%B-%y %H:%M"),
            ("05-MAR-24 02.05.33.123456 PM", "%d-%B-%y %I.%M.%S%.f %p"),
            ("Mar  5 2024  2:05PM", "%B %d %Y %I:%M %p"),
            ("March 5, 2024 14:05", "%B %d, %Y %H:%M"),
            ("05MAR2024", "%d %B %Y"),
            ("20240305", "%Y%m%d"),
            ("20240305T140533+0100", "%Y%m%dT%H%M%S %z"),
            ("20240305140533", "%Y%m%d %H%M%S"),
            ("25/03/2024 14:05 +01", "%d/%m/%Y %H:%M %#z"),
            ("25/03/2024 14:05:00Z", "%d/%m/%Y %H:%M:%S %#z"),
            ("25/03/2024 14:05 UTC", "%d/%m/%Y %H:%M UTC"),
        ] {
            let formats = TimeFormat::all_that_read(value);
            assert_eq!(formats.first().map(TimeFormat::text), Some(format), "{value}");
        }
    }

    #[test]
    fn what_is_kept_of_a_shape_reads_what_the_table_reads() {
        for value in [
            "25/03/2024 14:05",
            "03/25/2024 14:05",
            "03/04/2024 14:05",
            "99/99/2024 14:05",
            "24-03-05",
            "05-MAR-24 02.05.33.123456 PM",
            "05-FEB-24 02.05.33.123456 PM",
            "Mar  5 2024  2:05PM",
            "20240305140533",
            "20240305",
            "20241305",
            "25/03/2024 14:05 UTC",
            "é",
            "",
        ] {
            let formats = TimeFormat::all_that_read(value);
            let read: Vec<&str> = formats.iter().map(TimeFormat::text).collect();
            for _ in 0..2 {
                let formats = TimeFormat::all_of_shape(value);
                let of_shape = formats.iter().filter(|(_, written)| written.is_some());
                assert_eq!(of_shape.map(|(format, _)| format.text()).collect::<Vec<_>>(), read, "{value}");
            }
        }
    }

    #[test]
    fn other_text_is_read_by_none() {
        for value in [
            "hello",
            "12",
            "100050000013647",
            "45356.34",
            "08:15",
            "2024-03-05T",
            "V-2024-03-05",
            "1/2/3",
            "05/03/2023:12:15",
        ] {
            let formats = TimeFormat::all_that_read(value);
            assert!(formats.is_empty(), "{value} by {}", formats[0].text());
        }
    }
}
