//! Times of day that may be those of a start where no column of times is called so: what a question offers of them.

use super::choice::Choice;
use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::names::{self, NAMED, Name};
use super::profile::ColumnProfile;
use super::sample_column::SampleColumn;
use super::times::{Way, is_bare_clock};
use super::toml_text::quoted;

/// A column of times of day that is called like a start, where the column of times is called like none.
pub(super) fn clock_beside(pool: &ColumnPool<'_>, choice: &Choice) -> Option<usize> {
    let Choice::One(at, _) = choice else { return None };
    let is_named = |name: &Name| name.score(&names::START) >= names::WHOLE;
    if is_named(&pool.profiles[*at].name) || !pool.profiles[*at].column.parts.is_empty() {
        return None;
    }
    pool.free().find(|at| pool.profiles[*at].is_clock() && is_named(&pool.profiles[*at].name))
}

/// The only times may be those of a form that was sent, while the visit began at a time of day without its day.
pub(super) fn or_the_clock(pool: &ColumnPool<'_>, choice: &Choice, clock: usize, entry: &FieldEntry) -> FieldEntry {
    let times = quoted(&pool.names(choice.places()).join(", "));
    let clock_name = quoted(pool.name(clock));
    let why = format!("{times} may be when a form was sent, and {clock_name} holds the times of day of starts.");
    FieldEntry::one_of("session_start_time", &why, std::slice::from_ref(entry)).says(format!(
        "To send {clock_name}, export the day of the visit in a column of its own, and run init again: the day of {times} cannot be joined with it."
    ))
}

/// Columns of days joined with times of day, but for those of ends.
pub(super) fn joined_times(pool: &ColumnPool<'_>) -> Vec<usize> {
    let is_joined = |at: &usize| {
        let profile = &pool.profiles[*at];
        !profile.column.parts.is_empty() && profile.may_be_times() && !is_end(profile)
    };
    pool.free().filter(is_joined).take(4).collect()
}

fn is_end(profile: &ColumnProfile<'_>) -> bool {
    profile.name.score(&names::END) >= NAMED
}

/// The times of day that can be joined with a day: the lines that are offered.
pub(super) fn joined_clocks(pool: &ColumnPool<'_>, entry: impl Fn(usize) -> FieldEntry) -> Vec<FieldEntry> {
    let known: Vec<FieldEntry> = joined_times(pool).into_iter().map(entry).collect();
    if !known.is_empty() {
        return known;
    }
    let clocks = || {
        let free = pool.free().filter(|at| pool.profiles[*at].column.parts.is_empty() && !is_end(&pool.profiles[*at]));
        free.filter_map(|at| Some((&pool.profiles[at], clock_format(&pool.profiles[at])?)))
    };
    let days = pool.profiles.iter().filter(|profile| !profile.is_empty() && profile.may_be_dates());
    let options = days.filter_map(|day| Some((day, date_format_of(day)?))).flat_map(|(day, date)| {
        clocks().map(move |(clock, format)| {
            let column = SampleColumn::joined(&[day.column, clock.column], " ");
            let entry = FieldEntry::of("session_start_time", &column).with("format", &format!("{date} {format}"));
            entry.example(column.filled().next())
        })
    });
    options.take(4).collect()
}

/// The format of times of day as `08.15`, `8h15` or `081500`.
fn clock_format(profile: &ColumnProfile<'_>) -> Option<&'static str> {
    let is_of = |mark: char, value: &&str| {
        let two = value.split_once(mark);
        let number = |text: &str, most: u8| text.len() <= 2 && text.parse::<u8>().is_ok_and(|number| number < most);
        two.is_some_and(|(hour, minute)| number(hour, 24) && minute.len() == 2 && number(minute, 60))
    };
    let all = |fits: &dyn Fn(&&str) -> bool| !profile.is_empty() && profile.distinct.iter().all(fits);
    let is_else = [&names::STORE, &names::VISIT_ID].iter().any(|words| profile.name.score(words) >= NAMED);
    match () {
        () if is_else => None,
        () if all(&|value| is_of('.', value)) => Some("%H.%M"),
        () if all(&|value| is_of('h', value)) => Some("%Hh%M"),
        () if all(&|value| is_bare_clock(value, 6)) => Some("%H%M%S"),
        () => None,
    }
}

/// The format of a column of days, where it is beyond doubt.
fn date_format_of(day: &ColumnProfile<'_>) -> Option<&'static str> {
    let style = day.times.as_ref().filter(|style| !style.has_time)?;
    match &style.way {
        Way::Plain => Some("%Y-%m-%d"),
        Way::Formats(formats) => match formats.as_slice() {
            [only] => Some(only.date),
            _ => None,
        },
        Way::Epoch(_) => None,
    }
}
