//! How dates and times are written: the formats of a job's columns, the date that several of them share, and zones.

use super::column_keys::FieldKind;
use super::diagnostics::Diagnostics;
use super::values::Spanned;
use super::vocabulary::OPEN;
use crate::build::{Field, Pattern, SHARED_DATE, Zone};
use crate::text::did_you_mean;

/// `date_format` under `[time]`; `None` where it is wrong or an open question, which is reported there.
#[derive(Clone, Debug)]
pub(super) struct DateFormat(Option<String>);

/// How date and time in columns of their own are joined.
const JOIN: &str = "where date and time of day are in two columns, name both, such as columns = [\"day\", \"time\"]";

/// A time zone; nothing where it is unknown or an open question.
pub(super) fn zone(zone: &Spanned<String>, diagnostics: &mut Diagnostics<'_>) -> Option<Zone> {
    let text = zone.get_ref();
    if text == OPEN {
        let message = "the time zone is an open question: put the zone of times that carry none in place of the \"?\", such as \"Europe/Paris\" or \"+01:00\"";
        diagnostics.add(zone.span(), message);
        return None;
    }
    let unknown = || {
        let names = || chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name());
        // A place without its continent: Berlin.
        let place = text.trim().replace(' ', "_");
        let is_of_place = |name: &&str| name.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&place));
        let hint = match names().find(is_of_place) {
            Some(name) => format!(" (did you mean {name:?}?)"),
            None => did_you_mean(text, names()),
        };
        format!("{text:?} is not a time zone{hint}; use a name like \"Europe/Paris\" or an offset like \"+01:00\"")
    };
    diagnostics.take(zone.span(), Zone::parse(text).ok_or_else(unknown))
}

/// The date that several formats share as `%x`; nothing where the job gives none.
pub(super) fn date_format(format: Option<&Spanned<String>>, diagnostics: &mut Diagnostics<'_>) -> Option<DateFormat> {
    let format = format?;
    let text = format.get_ref();
    if text == OPEN {
        let choice =
            choice(format, "date_format", diagnostics.text(), "\"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)");
        diagnostics.add(
            format.span(),
            format!("how dates are written is an open question: put {choice} in place of the \"?\""),
        );
        return Some(DateFormat(None));
    }
    let is_date = Pattern::new(text).is_some_and(|pattern| pattern.has_date()) && !text.contains(SHARED_DATE);
    if !is_date {
        diagnostics.add(
            format.span(),
            format!("{text:?} is not how a date is written; name its day, month and year, such as \"%d/%m/%Y\""),
        );
    }
    Some(DateFormat(is_date.then(|| text.clone())))
}

/// The format of a field; nothing where it is wrong, or reads something else than the field needs.
pub(super) fn pattern(
    field: &str,
    kind: FieldKind,
    format: &Spanned<String>,
    date_format: Option<&DateFormat>,
    diagnostics: &mut Diagnostics<'_>,
) -> Option<Pattern> {
    let text = format.get_ref();
    if text == OPEN {
        let usual = match kind {
            FieldKind::Date => "a format such as \"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)",
            _ => "a format such as \"%d/%m/%Y %H:%M\" (day first) or \"%m/%d/%Y %H:%M\" (month first)",
        };
        let choice = choice(format, "format", diagnostics.text(), usual);
        let message = format!("how {field} is written is an open question: put {choice} in place of the \"?\"");
        diagnostics.add(format.span(), message);
        return None;
    }
    if !text.contains('%') {
        let message = format!(
            "{text:?} is not a format: it has no % in it; write day, month and year as %d, %m and %Y, hours and minutes as %H and %M, such as \"%d/%m/%Y %H:%M\""
        );
        diagnostics.add(format.span(), message);
        return None;
    }
    let filled = match (has_shared_date(text), date_format) {
        (false, _) => text.clone(),
        (true, Some(DateFormat(Some(date)))) => filled(text, date),
        // That is reported there.
        (true, Some(DateFormat(None))) => return None,
        (true, None) => {
            let message = "%x stands for date_format, which is missing: add date_format = \"%d/%m/%Y\" (day first) or date_format = \"%m/%d/%Y\" (month first) under [time]";
            diagnostics.add(format.span(), message);
            return None;
        }
    };
    let Some(pattern) = Pattern::new(&filled) else {
        let message = format!(
            "{text:?} is not a pattern of chrono's strftime, such as \"%d/%m/%Y %H:%M\"; zones can be read as %z, but not by name (%Z)"
        );
        diagnostics.add(format.span(), message);
        return None;
    };
    let lacks = match kind {
        FieldKind::Time if !pattern.has_date() => Some(format!("no date; {JOIN}, and write the format of both")),
        FieldKind::Time if !pattern.has_time() => {
            Some(format!("no time of day, such as %H:%M; {JOIN}, and write the format of both"))
        }
        FieldKind::Date if !pattern.has_date() => {
            Some("no date; name its day, month and year, such as \"%d/%m/%Y\"".to_owned())
        }
        _ => None,
    };
    if let Some(lacks) = lacks {
        diagnostics.add(format.span(), format!("a format of {field} needs more than {text:?}, which has {lacks}"));
        return None;
    }
    Some(pattern)
}

/// A warning of a format that ends with `Z` or its like, where times are read in another zone: the format looks as if they
/// were read in UTC. `zone` is the job's.
pub(super) fn ignored_utc(name: &str, field: &Field, zone: Option<Zone>) -> Option<String> {
    field.pattern.as_ref().filter(|pattern| pattern.passes_over_utc())?;
    let zone = field.zone.or(zone).filter(|zone| !zone.is_utc() && field.zone_column.is_none())?;
    Some(format!(
        "the format of {name} ends with a word for UTC, which a format takes as plain text: its times are read in {}; if they are in UTC, set timezone = \"UTC\" on the column",
        zone.name()
    ))
}

/// The answers to an open question: those that comments above it offer, else the usual ones.
fn choice(question: &Spanned<String>, key: &str, text: &str, usual: &str) -> String {
    let start = question.span().start;
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let offers = offered(text, line_start, key);
    if offers.is_empty() {
        return usual.to_owned();
    }
    let offers = offers.iter().map(|(format, words)| match words.is_empty() {
        true => format!("{format:?}"),
        false => format!("{format:?} ({words})"),
    });
    offers.collect::<Vec<_>>().join(" or ")
}

/// The pieces of a format: a percent sign with the character after it, any other character alone.
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

fn has_shared_date(format: &str) -> bool {
    pieces(format).any(|piece| piece == SHARED_DATE)
}

fn filled(format: &str, date: &str) -> String {
    pieces(format).map(|piece| if piece == SHARED_DATE { date } else { piece }).collect()
}

/// The formats that comments right above a line offer as answers, each with the words after it.
fn offered(text: &str, line_start: usize, key: &str) -> Vec<(String, String)> {
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
    fn the_shared_date_is_put_in_place_of_its_sign() {
        assert_eq!(filled("%x %H:%M", "%d/%m/%Y"), "%d/%m/%Y %H:%M");
        assert_eq!(filled("%%x %é%x", "%F"), "%%x %é%F");
        assert!(has_shared_date("at %x") && !has_shared_date("%%x") && !has_shared_date("%"));
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
