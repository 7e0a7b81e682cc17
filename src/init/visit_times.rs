//! The date, the start and the end of a visit: which columns hold them, how they are read, and in which time zone.

use super::column_pool::{Chosen, ColumnPool, WELL_NAMED, best_of};
use super::day_month::{self, ColumnFormats, SharedQuestion, orders_in_words};
use super::entry::FieldEntry;
use super::names::{self, NAMED};
use super::profile::ColumnProfile;
use super::times::{TimeStyle, Way, Zoned};
use super::toml_text::{listed, quoted, shown};
use crate::build::SHARED_DATE;
use crate::job::OPEN;
use chrono::NaiveDate;
use std::cmp::Reverse;

/// What the job file says of its time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ZoneLine {
    /// It is not needed: every time carries its zone, or its row names it.
    NotNeeded,
    /// It cannot be told whether it is needed: there is no start.
    Unclear,
    /// It is a question: times carry no zone.
    AskedForTimes,
    /// It is a question: the dates of visits have to be told from their starts.
    AskedForDates,
}

/// The entries of the fields that hold dates and times, and what is asked once for several columns.
#[derive(Debug)]
pub(super) struct VisitTimes {
    pub(super) date: FieldEntry,
    pub(super) start: FieldEntry,
    pub(super) end: FieldEntry,
    pub(super) zone: ZoneLine,
    pub(super) date_format: Option<SharedQuestion>,
}

/// Chooses the columns, and tells how they are read.
pub(super) fn visit_times(pool: &mut ColumnPool<'_>) -> VisitTimes {
    let zone_column = zone_column(pool);
    let start_column = choose_start(pool);
    let named_date = choose_date(pool);
    let day_of_start = match (&named_date, &start_column) {
        (None, Some((start, _))) => choose_day_of(pool, *start),
        _ => None,
    };
    let end_column = choose_end(pool);
    let places = [&named_date, &start_column, &end_column].into_iter().flatten().map(|(at, _)| *at);
    let formats = day_month::decide(pool, &places.chain(day_of_start).collect::<Vec<_>>());

    let has_date = named_date.is_some() || day_of_start.is_some();
    let zoned = |column: &Option<Chosen>| {
        let (at, _) = column.as_ref()?;
        pool.profiles[*at].times.as_ref().map(|style| style.zoned)
    };
    let mut zone = match zoned(&start_column) {
        None => ZoneLine::Unclear,
        // A word for UTC becomes the zone of the column, which also tells the date.
        Some(Zoned::NamedUtc) => ZoneLine::NotNeeded,
        Some(Zoned::All) if has_date => ZoneLine::NotNeeded,
        Some(Zoned::All) => ZoneLine::AskedForDates,
        Some(Zoned::Some | Zoned::None) => ZoneLine::AskedForTimes,
    };
    let is_asked = matches!(zone, ZoneLine::AskedForTimes | ZoneLine::AskedForDates);
    let zone_column = zone_column.filter(|_| is_asked);
    if zone_column.is_some() {
        zone = ZoneLine::NotNeeded;
    } else if zone == ZoneLine::NotNeeded && matches!(zoned(&end_column), Some(Zoned::Some | Zoned::None)) {
        zone = ZoneLine::AskedForTimes;
    }

    let time = |field, at: usize, near: &[usize]| {
        let entry = read_by(pool, field, at, &formats);
        let entry = match (pool.profiles[at].times.as_ref().map(|style| style.zoned), zone_column) {
            (Some(Zoned::NamedUtc), _) => entry.with("timezone", "UTC"),
            (_, Some(column)) => entry.with("timezone_column", pool.name(column)),
            _ => entry,
        };
        entry.or(pool.names(near))
    };
    let date = match (named_date, day_of_start) {
        (Some((at, near)), _) => read_by(pool, "visit_date", at, &formats).or(pool.names(&near)),
        (None, Some(at)) => {
            read_by(pool, "visit_date", at, &formats).says("told by its values: the day of the start in every row")
        }
        (None, None) => FieldEntry::absent("visit_date"),
    };
    let start = match start_column {
        Some((at, near)) => time("session_start_time", at, &near),
        None => no_start(pool),
    };
    let end = match end_column {
        Some((at, near)) => time("session_end_time", at, &near),
        None => no_end(pool),
    };
    VisitTimes { date, start, end, zone, date_format: formats.shared }
}

/// The column that names each row's zone.
fn zone_column(pool: &ColumnPool<'_>) -> Option<usize> {
    let ranked = pool.ranked(&names::ZONE, |profile| profile.zones > 0.98);
    ranked.into_iter().find(|(at, score)| *score >= NAMED || pool.profiles[*at].surely_zones).map(|(at, _)| at)
}

/// The column of the times at which visits began.
fn choose_start(pool: &mut ColumnPool<'_>) -> Option<Chosen> {
    let mut ranked = pool.ranked(&names::START, |profile| profile.may_be_times());
    for (at, score) in &mut ranked {
        let profile = &pool.profiles[*at];
        // A column called "date" that holds times tells when the visit began.
        *score = (*score).max(profile.name.score(&names::DATE) / 2);
        if profile.needs_a_name() && *score < WELL_NAMED {
            *score = 0;
        }
    }
    ranked.sort_by_key(|(at, score)| (Reverse(*score), *at));
    // The only times of an export can be nothing else.
    let can_be_nothing_else = |at: &usize| {
        let profile = &pool.profiles[*at];
        !profile.needs_a_name() && profile.name.score(&names::END) < NAMED
    };
    let nameless: Vec<usize> = ranked.iter().map(|(at, _)| *at).filter(can_be_nothing_else).collect();
    let (found, mut near) = best_of(&ranked).or(match nameless.as_slice() {
        [only] => Some((*only, Vec::new())),
        _ => None,
    })?;
    // A column without a single value is not a rival of one that has them.
    near.retain(|at| pool.profiles[found].is_empty() || !pool.profiles[*at].is_empty());
    pool.taken.insert(found);
    Some((found, near))
}

/// The column that has the name and the values of the visit's date.
fn choose_date(pool: &mut ColumnPool<'_>) -> Option<Chosen> {
    let (at, near) = pool.best(&names::DATE, |profile| profile.may_be_dates())?;
    if pool.profiles[at].needs_a_name() && pool.profiles[at].name.score(&names::DATE) < WELL_NAMED {
        return None;
    }
    pool.taken.insert(at);
    Some((at, near))
}

/// The column that has the day of the start in every row, whatever it is called.
fn choose_day_of(pool: &mut ColumnPool<'_>, start: usize) -> Option<usize> {
    let day = |at: usize, value: &str| pool.profiles[at].times.as_ref().and_then(|style| style.day(value));
    let starts: Vec<Option<NaiveDate>> = pool.profiles[start].rows().map(|value| day(start, value)).collect();
    let has_it = |at: &usize| {
        let mut days = pool.profiles[*at].rows().zip(&starts);
        !pool.profiles[*at].is_empty()
            && pool.profiles[*at].may_be_dates()
            && days.all(|(value, start)| start.is_some() && day(*at, value) == *start)
    };
    let found = pool.free().find(has_it)?;
    pool.taken.insert(found);
    Some(found)
}

/// The column of the times at which visits ended.
fn choose_end(pool: &mut ColumnPool<'_>) -> Option<Chosen> {
    let mut ranked = pool.ranked(&names::END, |profile| profile.may_be_times());
    ranked.retain(|(at, score)| *score >= if pool.profiles[*at].needs_a_name() { WELL_NAMED } else { NAMED });
    let (at, _) = *ranked.first()?;
    pool.taken.insert(at);
    Some((at, ranked[1..].iter().map(|(at, _)| *at).collect()))
}

fn no_start(pool: &ColumnPool<'_>) -> FieldEntry {
    let unfit = pool.ranked(&names::START, |profile| !profile.may_be_times());
    // Times of day are those of the start, whatever they are called.
    let half_a_time = || unfit.iter().find(|(at, _)| pool.profiles[*at].has_times_of_day);
    let why = match unfit.first().filter(|(_, score)| *score >= NAMED).or_else(half_a_time) {
        Some((at, _)) => why_not_times(&pool.profiles[*at]),
        None => "no column is known to hold the time at which a visit began.".to_owned(),
    };
    let entry = FieldEntry::open("session_start_time", &why);
    let times = pool.ranked(&names::START, |profile| profile.may_be_times() && !profile.needs_a_name());
    let times: Vec<usize> = times.into_iter().map(|(at, _)| at).collect();
    if times.is_empty() { entry } else { entry.says(format!("Times are in {}.", listed(pool.names(&times), 6))) }
}

fn no_end(pool: &ColumnPool<'_>) -> FieldEntry {
    let field = "session_end_time";
    let unfit = pool.named(&names::END, |profile| !profile.may_be_times());
    let entry = FieldEntry::absent(field);
    match unfit.first() {
        Some(at) => entry.says(format!("{field} is left out: {}", why_not_times(&pool.profiles[*at]))),
        None => entry,
    }
}

/// A sentence: what a column that is called like a time holds instead.
fn why_not_times(profile: &ColumnProfile<'_>) -> String {
    let name = quoted(&profile.column.name);
    let example = profile.example().map(shown).unwrap_or_default();
    if profile.has_times_of_day {
        format!(
            "{name} holds times of day without a date, such as {example}: date and time have to be in one column. Put them together in the export, such as SQL's date || ' ' || time."
        )
    } else if profile.has_day_numbers {
        format!("{name} holds day numbers of a spreadsheet, such as {example}: export it as text or as a date.")
    } else if profile.times.is_some() {
        format!("{name} holds dates without a time of day, such as {example}.")
    } else {
        format!("{name} holds no times in a known format, such as {example}.")
    }
}

/// A column of times or dates, with the settings by which it is read.
fn read_by(pool: &ColumnPool<'_>, field: &'static str, at: usize, formats: &ColumnFormats) -> FieldEntry {
    let profile = &pool.profiles[at];
    let mut entry = FieldEntry::column(field, &profile.column.name).example(profile.example());
    let Some(style) = &profile.times else {
        let name = quoted(&profile.column.name);
        return entry.says(format!("{name} has no values, so it cannot be told how they are written"));
    };
    match &style.way {
        Way::Plain => {}
        Way::Epoch("s") => entry.beside.push_str(", seconds since 1970"),
        Way::Epoch(unit) => entry = entry.with("unit", unit),
        Way::Formats(_) => entry = with_format(entry, pool, at, formats, style),
    }
    if let Some(misfit) = &style.misfit {
        let misfit = shown(misfit);
        entry = entry
            .doubts(&format!("{} of the sampled values are written in another way, such as {misfit}", style.misfits));
    }
    entry
}

fn with_format(
    mut entry: FieldEntry,
    pool: &ColumnPool<'_>,
    at: usize,
    formats: &ColumnFormats,
    style: &TimeStyle,
) -> FieldEntry {
    let left = formats.left.get(&at).map(Vec::as_slice).unwrap_or_default();
    if let [only] = left {
        if let Some(by) = formats.decided_by.get(&at) {
            entry.beside.push_str(&format!(", {} as in {}", only.order, quoted(pool.name(*by))));
        }
        return entry.with("format", only.text());
    }
    let is_shared = formats.shared.as_ref().is_some_and(|shared| shared.columns.contains(&at));
    if let (true, Some(first)) = (is_shared, left.first()) {
        entry.beside.push_str(&format!("; {SHARED_DATE} is the date_format below"));
        return entry.with("format", &first.text().replacen(first.date, SHARED_DATE, 1));
    }
    let example = pool.profiles[at].example().map(shown).unwrap_or_default();
    let orders = orders_in_words(left);
    let why = match style.misfits {
        0 => format!("{example} may be {orders}, and no value that was looked at decides it."),
        _ => format!("{example} may be {orders}, and the values contradict each other."),
    };
    entry.question = Some(format!("{}: {why}", entry.field));
    entry = entry.with("format", OPEN);
    entry.above.push(format!("QUESTION: {why} Put one of these formats in place of \"?\":"));
    for format in left {
        entry.above.push(format!("  format = {}   {}", quoted(format.text()), format.order));
    }
    entry
}
