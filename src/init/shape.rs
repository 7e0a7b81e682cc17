//! A value that may be a date or a time, taken apart: its date, its time of day, its zone, and the format that it is
//! written in. It knows one value at a time, and nothing of columns.

/// Stands in a template for the date, and for the fraction that some values have.
pub(super) const DATE: &str = "\u{1}";
pub(super) const FRACTION: &str = "\u{2}";

/// What the date of a value looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Date {
    #[default]
    None,
    /// The year first.
    YearFirst(String, String),
    /// The year last, in four digits.
    YearLast(String, String),
    /// Three numbers of two digits.
    ShortYear(String, String),
    /// Digits without anything between them.
    Compact,
    /// With the name of the month: a format without an open question.
    Named(String),
}

impl Date {
    pub(super) fn orders(&self) -> Vec<(&'static str, String)> {
        let numbers = |order: &'static str, parts: [&str; 3], a: &str, b: &str| {
            (order, format!("{}{a}{}{b}{}", parts[0], parts[1], parts[2]))
        };
        match self {
            Date::None => Vec::new(),
            Date::YearFirst(a, b) => vec![
                numbers("year, month, day", ["%Y", "%m", "%d"], a, b),
                numbers("year, day, month", ["%Y", "%d", "%m"], a, b),
            ],
            Date::YearLast(a, b) => {
                vec![numbers("day first", ["%d", "%m", "%Y"], a, b), numbers("month first", ["%m", "%d", "%Y"], a, b)]
            }
            Date::ShortYear(a, b) => vec![
                numbers("day first", ["%d", "%m", "%y"], a, b),
                numbers("month first", ["%m", "%d", "%y"], a, b),
                numbers("year first", ["%y", "%m", "%d"], a, b),
            ],
            Date::Compact => vec![("year, month, day", "%Y%m%d".to_owned())],
            Date::Named(format) => vec![("named month", format.clone())],
        }
    }

    /// `31.12.2026`, of which nobody writes the month first.
    pub(super) fn is_dotted(&self) -> bool {
        matches!(self, Date::YearLast(a, b) | Date::ShortYear(a, b) if a.trim() == "." && b.trim() == ".")
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Zone {
    #[default]
    None,
    /// `+01:00`, `Z`.
    Offset,
    /// `UTC` or `GMT`.
    Utc,
}

/// A value taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    date: Date,
    /// The format, with marks for the date and the fraction.
    pub(super) template: String,
    pub(super) fraction: bool,
    pub(super) has_time: bool,
    pub(super) midnight: bool,
    pub(super) zone: Zone,
    pub(super) plain: bool,
}

impl Shape {
    /// What values of one way of writing have in common. How the zone of a plain time is written does not matter.
    pub(super) fn kind(&self) -> (&Date, &str, bool) {
        (&self.date, if self.plain { "" } else { &self.template }, self.plain)
    }

    pub(super) fn of(value: &str) -> Option<Shape> {
        let mut left = Left { text: value, format: String::new() };
        let mut shape = Shape::default();
        left.date(&mut shape)?;
        left.format.push_str(DATE);
        if !left.text.is_empty() {
            let strict = left.separator()?;
            let seconds_and_minutes = left.time(&mut shape)?;
            shape.plain &= strict && seconds_and_minutes;
            left.zone(&mut shape)?;
        }
        shape.template = left.format;
        Some(shape)
    }
}

/// What is left of a value, and the format of what was taken off it.
struct Left<'a> {
    text: &'a str,
    format: String,
}

impl<'a> Left<'a> {
    fn take(&mut self, accepts: impl Fn(char) -> bool) -> &'a str {
        let end = self.text.find(|c| !accepts(c)).unwrap_or(self.text.len());
        let (taken, rest) = self.text.split_at(end);
        self.text = rest;
        taken
    }

    fn digits(&mut self) -> &'a str {
        self.take(|c| c.is_ascii_digit())
    }

    fn date(&mut self, shape: &mut Shape) -> Option<()> {
        let first = self.digits();
        if first.is_empty() {
            return self.month_first(shape);
        }
        if first.len() >= 8 {
            return self.compact(first, shape);
        }
        let a = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        if self.text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let month = self.month()?;
            let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' ' | ','));
            let year = self.year()?;
            shape.date = Date::Named(format!("%d{a}{month}{b}{year}"));
            return (first.len() <= 2).then_some(());
        }
        let second = self.digits();
        let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        let third = self.digits();
        let (a, b) = (a.to_owned(), b.to_owned());
        if a.is_empty() || b.is_empty() {
            return None;
        }
        shape.plain = a == "-" && b == "-" && (first.len(), second.len(), third.len()) == (4, 2, 2);
        shape.date = match (first.len(), second.len(), third.len()) {
            (4, 1..=2, 1..=2) => Date::YearFirst(a, b),
            (1..=2, 1..=2, 4) => Date::YearLast(a, b),
            (1..=2, 1..=2, 2) => Date::ShortYear(a, b),
            _ => return None,
        };
        Some(())
    }

    /// `20240305`, with or without a time of day right behind it.
    fn compact(&mut self, digits: &'a str, shape: &mut Shape) -> Option<()> {
        shape.date = Date::Compact;
        if !matches!(digits.len(), 8 | 12 | 14) || !(digits.starts_with("19") || digits.starts_with("20")) {
            return None;
        }
        // The time is read as if a space stood before it.
        if digits.len() > 8 {
            shape.has_time = true;
            shape.midnight = digits[8..].bytes().all(|b| b == b'0');
            self.format.push_str(DATE);
            self.format.push_str(if digits.len() == 14 { "%H%M%S" } else { "%H%M" });
            // The caller adds the date's mark; without it the template would name the date twice.
            let format = std::mem::take(&mut self.format);
            if !self.text.is_empty() {
                return None;
            }
            shape.date = Date::Named(format.replace(DATE, "%Y%m%d"));
        }
        Some(())
    }

    /// `Mar 5, 2024`.
    fn month_first(&mut self, shape: &mut Shape) -> Option<()> {
        let month = self.month()?;
        let a = self.take(|c| matches!(c, '-' | '/' | '.' | ' '));
        let day = self.digits();
        let b = self.take(|c| matches!(c, '-' | '/' | '.' | ' ' | ','));
        let year = self.year()?;
        shape.date = Date::Named(format!("{month}{a}%d{b}{year}"));
        (matches!(day.len(), 1 | 2) && !b.is_empty()).then_some(())
    }

    /// An English month's name: the only ones that a format can read.
    fn month(&mut self) -> Option<&'static str> {
        let name = self.take(|c| c.is_ascii_alphabetic()).to_ascii_lowercase();
        let known = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let known = known.contains(&name.get(..3)?);
        known.then_some(if name.len() == 3 { "%b" } else { "%B" })
    }

    fn year(&mut self) -> Option<&'static str> {
        match self.digits().len() {
            4 => Some("%Y"),
            2 => Some("%y"),
            _ => None,
        }
    }

    /// What stands between date and time; whether it is one that needs no format.
    fn separator(&mut self) -> Option<bool> {
        let separator = self.take(|c| matches!(c, 'T' | 't' | ' ' | ',' | '_' | '-'));
        self.format.push_str(separator);
        (!separator.is_empty()).then_some(matches!(separator, "T" | "t" | " "))
    }

    /// The time of day; whether it is written as a time that needs no format is.
    fn time(&mut self, shape: &mut Shape) -> Option<bool> {
        let hour = self.digits();
        shape.has_time = true;
        if matches!(hour.len(), 4 | 6) {
            self.format.push_str(if hour.len() == 6 { "%H%M%S" } else { "%H%M" });
            shape.midnight = hour.bytes().all(|b| b == b'0');
            return Some(false);
        }
        if !matches!(hour.len(), 1 | 2) {
            return None;
        }
        let before_hour = self.format.len();
        let colon = self.take(|c| matches!(c, ':' | '.' | 'h'));
        let minute = self.digits();
        if colon.len() != 1 || minute.len() != 2 {
            return None;
        }
        let mut strict = colon == ":" && hour.len() == 2;
        let mut clock = format!("{colon}%M");
        let mut zero = [hour, minute].iter().all(|part| part.bytes().all(|b| b == b'0'));
        let rest = self.text;
        if let Some(after) = rest.strip_prefix(colon).filter(|after| after.starts_with(|c: char| c.is_ascii_digit())) {
            self.text = after;
            let second = self.digits();
            if second.len() != 2 {
                return None;
            }
            zero &= second == "00";
            clock.push_str(&format!("{colon}%S"));
            clock.push_str(FRACTION);
            if self.text.starts_with(['.', ',']) {
                let comma = self.text.starts_with(',');
                self.text = &self.text[1..];
                let fraction = self.digits();
                zero &= fraction.bytes().all(|b| b == b'0');
                if fraction.is_empty() {
                    return None;
                }
                shape.fraction = !comma;
                if comma {
                    // Only a dot has a fraction of its own; behind a comma the digits are a number.
                    clock = clock.replace(FRACTION, ",%f");
                }
            }
        }
        let spaces = self.text.len() - self.text.trim_start().len();
        let half = self.text.trim_start().get(..2).unwrap_or_default();
        let is_half = half.eq_ignore_ascii_case("am") || half.eq_ignore_ascii_case("pm");
        if is_half {
            clock = format!("%I{clock}{}%p", &self.text[..spaces]);
            self.text = &self.text[spaces + 2..];
            zero = zero || (hour == "12" && half.eq_ignore_ascii_case("am") && minute == "00");
            strict = false;
        } else {
            clock = format!("%H{clock}");
        }
        debug_assert_eq!(before_hour, self.format.len());
        self.format.push_str(&clock);
        shape.midnight = zero;
        Some(strict)
    }

    /// What follows the time: nothing, a zone, or words that all values share.
    fn zone(&mut self, shape: &mut Shape) -> Option<()> {
        let spaces = self.take(|c| c == ' ');
        self.format.push_str(spaces);
        match self.text {
            "" => {}
            "Z" | "z" => {
                shape.zone = Zone::Offset;
                self.format.push_str("%#z");
            }
            "UTC" | "GMT" => {
                shape.zone = Zone::Utc;
                self.format.push_str(self.text);
            }
            text if text.starts_with(['+', '-']) => {
                let digits = text[1..].bytes().all(|b| b.is_ascii_digit() || b == b':');
                let format = match text.len() {
                    3 if digits => "%#z",
                    5 if digits && !text.contains(':') => "%z",
                    6 if digits && text.as_bytes()[3] == b':' => "%z",
                    _ => return None,
                };
                shape.zone = Zone::Offset;
                self.format.push_str(format);
            }
            words if words.chars().all(char::is_alphabetic) && words.len() <= 5 => {
                shape.plain = false;
                self.format.push_str(words);
            }
            _ => return None,
        }
        Some(())
    }
}

/// Whether a value is a time of day without a date, such as `08:15`.
pub(super) fn is_time_of_day(value: &str) -> bool {
    let mut left = Left { text: value, format: String::new() };
    let mut shape = Shape::default();
    left.time(&mut shape).is_some() && left.text.is_empty()
}
