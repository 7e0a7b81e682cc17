//! A strftime pattern, as a job names it with `format`, and what it reads of a text.

use super::zone::Zone;
use chrono::format::{Fixed, Item, Parsed, StrftimeItems, parse, parse_and_remainder};
use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime};
use std::fmt::Write;

/// A checked strftime pattern.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    text: String,
    items: Vec<Item<'static>>,
}

/// A moment as an export writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// An instant, in epoch seconds, with the zone that it is written in where one is.
    Instant(i64, Option<Zone>),
    /// A time on the wall, of the zone that stands beside it where one does.
    Local(NaiveDateTime, Option<Zone>),
}

impl Moment {
    /// The zone that it is written in. UTC is none: producers turn times into it, and it says nothing of where they were.
    pub(super) fn own_zone(self) -> Option<Zone> {
        let (Moment::Instant(_, zone) | Moment::Local(_, zone)) = self;
        zone.filter(|zone| !zone.is_utc())
    }
}

/// A date as it is written, with its time of day and whether a zone follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) date: NaiveDate,
    /// `None` for a date alone.
    pub(crate) time: Option<NaiveTime>,
    pub(crate) has_zone: bool,
}

impl Written {
    /// Whether the date may be a visit's: of the years from 1990 to 2099.
    pub(crate) fn is_plausible(&self) -> bool {
        (1990..2100).contains(&self.date.year())
    }
}

impl Pattern {
    /// `None` where chrono does not know the pattern, or would not read all of it.
    pub(crate) fn new(text: &str) -> Option<Pattern> {
        let items = StrftimeItems::new(text).parse_to_owned().ok().filter(|items| !items.is_empty())?;
        // chrono skips a zone's name without looking at it: the time would be taken for another zone's.
        let names_a_zone = |item: &Item<'_>| matches!(item, Item::Fixed(Fixed::TimezoneName));
        (!items.iter().any(names_a_zone)).then(|| Pattern { text: text.to_owned(), items })
    }

    /// The pattern as the job writes it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it ends with a word for UTC that it reads as plain text, and so takes no zone from.
    pub(crate) fn passes_over_utc(&self) -> bool {
        let text = self.text.trim_end();
        let says_utc =
            ["Z", "UTC", "GMT", "[UTC]", "[GMT]", "+00", "+0000", "+00:00"].iter().any(|word| text.ends_with(word));
        let reads_a_zone = ["%z", "%:z", "%::z", "%:::z", "%#z", "%+", "%s"].iter().any(|item| text.contains(item));
        says_utc && !reads_a_zone
    }

    /// Whether it reads the offset of a time.
    pub(crate) fn reads_an_offset(&self) -> bool {
        let reads = |item: &Item<'_>| match item {
            // %#z, and fractions without a dot.
            Item::Fixed(Fixed::Internal(_)) => self.text.contains("%#z"),
            Item::Fixed(Fixed::RFC2822 | Fixed::RFC3339) => true,
            item => is_offset(item),
        };
        self.items.iter().any(reads)
    }

    /// Whether a date can be told from what it reads.
    pub(crate) fn has_date(&self) -> bool {
        self.can_tell(|parsed| parsed.to_naive_date().is_ok() || parsed.timestamp().is_some())
    }

    /// Whether a time of day can be told from what it reads.
    pub(crate) fn has_time(&self) -> bool {
        self.can_tell(|parsed| parsed.to_naive_time().is_ok() || parsed.timestamp().is_some())
    }

    /// Whether this can be told from a time that the pattern wrote itself; `true` where that cannot be tried.
    fn can_tell(&self, what: impl Fn(&Parsed) -> bool) -> bool {
        // chrono reads some forms of zones that it cannot write, and no zone matters here.
        let items: Vec<&Item<'_>> = self.items.iter().filter(|item| !is_offset(item)).collect();
        // In the afternoon, in a year that two digits tell.
        let Some(time) = DateTime::from_timestamp(1_709_644_353, 0) else { return true };
        let mut written = String::new();
        if write!(written, "{}", time.format_with_items(items.iter().copied())).is_err() {
            return true;
        }
        let mut parsed = Parsed::new();
        parse(&mut parsed, &written, items.into_iter()).is_err() || what(&parsed)
    }

    fn parse(&self, text: &str) -> Option<Parsed> {
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).ok()?;
        Some(parsed)
    }

    /// What is left of a text behind the beginning that the pattern reads.
    pub(super) fn remainder<'t>(&self, text: &'t str) -> Option<&'t str> {
        parse_and_remainder(&mut Parsed::new(), text, self.items.iter()).ok()
    }

    /// The date in a text.
    pub(super) fn date(&self, text: &str) -> Option<NaiveDate> {
        self.parse(text)?.to_naive_date().ok()
    }

    /// The moment in a text.
    pub(super) fn moment(&self, text: &str) -> Option<Moment> {
        let parsed = self.parse(text)?;
        if let Some(seconds) = parsed.timestamp() {
            return Some(Moment::Instant(seconds, None));
        }
        match parsed.offset() {
            Some(offset) => {
                let local = parsed.to_naive_datetime_with_offset(offset).ok()?;
                let zone = FixedOffset::east_opt(offset).map(Zone::Offset);
                Some(Moment::Instant(local.and_utc().timestamp() - i64::from(offset), zone))
            }
            None => Some(Moment::Local(parsed.to_naive_datetime_with_offset(0).ok()?, None)),
        }
    }

    /// The date in a text, with the time of day and the zone where they are there.
    pub(super) fn written(&self, text: &str) -> Option<Written> {
        let parsed = self.parse(text)?;
        Some(Written {
            date: parsed.to_naive_date().ok()?,
            time: parsed.to_naive_time().ok(),
            has_zone: parsed.offset().is_some(),
        })
    }
}

/// Whether an item of a pattern is the offset of a zone.
fn is_offset(item: &Item<'_>) -> bool {
    use Fixed::*;
    let Item::Fixed(fixed) = item else { return false };
    matches!(
        fixed,
        TimezoneOffset
            | TimezoneOffsetZ
            | TimezoneOffsetColon
            | TimezoneOffsetColonZ
            | TimezoneOffsetDoubleColon
            | TimezoneOffsetTripleColon
            | Internal(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_pattern_reads_is_known() {
        let has = |text: &str| Pattern::new(text).map(|pattern| (pattern.has_date(), pattern.has_time()));
        for both in [
            "%d/%m/%Y %H:%M",
            "%s",
            "%c",
            "%+",
            "%Y%m%dT%H%M%S%z",
            "%d-%b-%y %I:%M %p",
            "%F %T%.f%#z",
            "%F %R%:z",
            "%Y-%j %R",
        ] {
            assert_eq!(has(both), Some((true, true)), "{both}");
        }
        assert_eq!(has("%H:%M:%S"), Some((false, true)));
        assert_eq!(has("%I:%M"), Some((false, false)), "of the morning or of the afternoon");
        assert_eq!(has("%d.%m. %H:%M"), Some((false, true)));
        assert_eq!(has("%d.%m.%Y"), Some((true, false)));
        assert_eq!(has("dd"), Some((false, false)));
    }

    #[test]
    fn patterns_with_an_offset_are_known() {
        let reads = |text: &str| Pattern::new(text).is_some_and(|pattern| pattern.reads_an_offset());
        for pattern in ["%Y%m%dT%H%M%S%z", "%F %T%.f%#z", "%F %R%:z", "%+", "%F %R %::z"] {
            assert!(reads(pattern), "{pattern}");
        }
        for pattern in ["%s", "%F %T", "%FT%TZ", "%F %T%.3f", "%F %T%6f", "%c"] {
            assert!(!reads(pattern), "{pattern}");
        }
    }

    #[test]
    fn patterns_that_chrono_would_not_read_in_full_are_refused() {
        assert!(Pattern::new("%Q").is_none() && Pattern::new("%H:%M %Z").is_none() && Pattern::new("").is_none());
    }
}
