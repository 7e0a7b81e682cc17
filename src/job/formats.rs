//! How dates and times are written: the formats of a job's columns, and the date that several of them share.

use super::checked::Mistakes;
use super::columns::Kind;
use super::file::{OPEN, Spanned};
use crate::build::{Field, Pattern, Zone};

/// What stands in a format for the date that the job says once.
const ONCE: &str = "%x";

/// What `date_format` under `[time]` says, as far as it is answered.
#[derive(Clone, Debug)]
pub(super) struct DateFormat(Option<String>);

/// Date and time in columns of their own cannot be joined here.
const JOIN: &str =
    "where date and time of day are in two columns, put them together in the export, such as SQL's date || ' ' || time";

/// What several formats share.
pub(super) fn date_format(format: Option<&Spanned<String>>, mistakes: &mut Mistakes<'_>) -> Option<DateFormat> {
    let format = format?;
    let text = format.get_ref();
    if text == OPEN {
        let choice =
            choice(&mistakes.offers(format, "date_format"), "\"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)");
        mistakes.add(
            format.span(),
            format!("how dates are written is an open question: put {choice} in place of the \"?\""),
        );
        return Some(DateFormat(None));
    }
    let is_date = Pattern::new(text).is_some_and(|pattern| pattern.has_date()) && !text.contains(ONCE);
    if !is_date {
        mistakes.add(
            format.span(),
            format!("{text:?} is not how a date is written; name its day, month and year, such as \"%d/%m/%Y\""),
        );
    }
    Some(DateFormat(is_date.then(|| text.clone())))
}

/// The format of a field; a mistake where it is none, or reads something else than the field needs.
pub(super) fn pattern(
    field: &str,
    kind: Kind,
    format: &Spanned<String>,
    date_format: Option<&DateFormat>,
    mistakes: &mut Mistakes<'_>,
) -> Option<Pattern> {
    let text = format.get_ref();
    if text == OPEN {
        let usual = match kind {
            Kind::Date => "a format such as \"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)",
            _ => "a format such as \"%d/%m/%Y %H:%M\" (day first) or \"%m/%d/%Y %H:%M\" (month first)",
        };
        let choice = choice(&mistakes.offers(format, "format"), usual);
        let message = format!("how {field} is written is an open question: put {choice} in place of the \"?\"");
        mistakes.add(format.span(), message);
        return None;
    }
    if !text.contains('%') {
        let message = format!(
            "{text:?} is no format: it has no % in it; write day, month and year as %d, %m and %Y, hours and minutes as %H and %M, such as \"%d/%m/%Y %H:%M\""
        );
        mistakes.add(format.span(), message);
        return None;
    }
    let filled = match (has_once(text), date_format) {
        (false, _) => text.clone(),
        (true, Some(DateFormat(Some(date)))) => filled(text, date),
        // It is asked there.
        (true, Some(DateFormat(None))) => return None,
        (true, None) => {
            let message = "what %x stands for is not said: add date_format = \"%d/%m/%Y\" (day first) or date_format = \"%m/%d/%Y\" (month first) under [time]";
            mistakes.add(format.span(), message);
            return None;
        }
    };
    let Some(pattern) = Pattern::new(&filled) else {
        let message = format!(
            "{text:?} is no pattern of chrono's strftime, such as \"%d/%m/%Y %H:%M\"; zones can be read as %z, but not by name (%Z)"
        );
        mistakes.add(format.span(), message);
        return None;
    };
    let lacks = match kind {
        Kind::Time if !pattern.has_date() => Some(format!("no date; {JOIN}, and write the format of both")),
        Kind::Time if !pattern.has_time() => {
            Some(format!("no time of day, such as %H:%M; {JOIN}, and write the format of both"))
        }
        Kind::Date if !pattern.has_date() => {
            Some("no date; name its day, month and year, such as \"%d/%m/%Y\"".to_owned())
        }
        _ => None,
    };
    if let Some(lacks) = lacks {
        mistakes.add(format.span(), format!("a format of {field} needs more than {text:?}, which has {lacks}"));
        return None;
    }
    Some(pattern)
}

/// A warning of a format that ends with `Z` or its like, where times are read in another zone: nobody who reads the format
/// would think so. `zone`: the job's.
pub(super) fn utc_is_passed_over(name: &str, field: &Field, zone: Option<Zone>) -> Option<String> {
    field.pattern.as_ref().filter(|pattern| pattern.passes_over_utc())?;
    let zone = field.zone.or(zone).filter(|zone| !zone.is_utc() && field.zone_column.is_none())?;
    Some(format!(
        "the format of {name} ends with a word for UTC, but to a format that is plain text: its times are read in {}; where they are in UTC, set timezone = \"UTC\" on the column",
        zone.name()
    ))
}

fn choice(offers: &[(String, String)], usual: &str) -> String {
    if offers.is_empty() {
        return usual.to_owned();
    }
    let offers = offers.iter().map(|(format, words)| match words.is_empty() {
        true => format!("{format:?}"),
        false => format!("{format:?} ({words})"),
    });
    offers.collect::<Vec<_>>().join(" or ")
}

/// The pieces of a format: what stands behind a percent sign with it, the rest as it is.
fn pieces(format: &str) -> impl Iterator<Item = &str> {
    let mut rest = format;
    std::iter::from_fn(move || {
        let mut letters = rest.char_indices();
        let (_, first) = letters.next()?;
        if first == '%' {
            letters.next();
        }
        let (piece, left) = rest.split_at(letters.next().map_or(rest.len(), |(at, _)| at));
        rest = left;
        Some(piece)
    })
}

fn has_once(format: &str) -> bool {
    pieces(format).any(|piece| piece == ONCE)
}

fn filled(format: &str, date: &str) -> String {
    pieces(format).map(|piece| if piece == ONCE { date } else { piece }).collect()
}

/// The formats that comments right above a line offer as answers, each with the words behind it.
pub(super) fn offered(text: &str, line_start: usize, key: &str) -> Vec<(String, String)> {
    let above = text[..line_start].lines().rev().map(str::trim).take_while(|line| line.starts_with('#'));
    let offer = |line: &str| {
        let rest = line.trim_start_matches(['#', ' ', '\t']).strip_prefix(key)?.trim_start().strip_prefix('=')?;
        let (format, words) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        Some((format.to_owned(), words.trim().to_owned()))
    };
    let mut offers: Vec<(String, String)> = above.filter_map(offer).collect();
    offers.reverse();
    offers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_date_stands_where_it_is_meant() {
        assert_eq!(filled("%x %H:%M", "%d/%m/%Y"), "%d/%m/%Y %H:%M");
        assert_eq!(filled("%%x %é%x", "%F"), "%%x %é%F");
        assert!(has_once("at %x") && !has_once("%%x") && !has_once("%"));
    }

    #[test]
    fn answers_are_taken_from_the_comments_right_above() {
        let text = "# format = \"%Q\"\n\n# QUESTION\n#   format = \"%d\"   day first\r\n#   format = \"%m\"\nx = 1";
        let offers = offered(text, text.len() - 5, "format");
        let offers: Vec<(&str, &str)> =
            offers.iter().map(|(format, words)| (format.as_str(), words.as_str())).collect();
        assert_eq!(offers, [("%d", "day first"), ("%m", "")]);
    }
}
