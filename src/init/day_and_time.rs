//! Days and times of day that stand in two columns: joined, they are the times of a visit.

use super::entry::FieldEntry;
use super::names::{self, BOOKKEEPING, PLANNED};
use super::profile::ColumnProfile;
use super::sample::ExportSample;
use super::sample_column::SampleColumn;
use super::times::{TimeStyle, Way, counted};
use crate::build::TimeFormat;
use std::cmp::Reverse;

/// Columns that are added at most.
const MOST: usize = 12;

/// Adds a column for each day and time of day that belong together and can be read as one.
pub(super) fn join_days_and_times(sample: &mut ExportSample) {
    let profiles: Vec<ColumnProfile<'_>> = sample.columns.iter().map(ColumnProfile::of).collect();
    let clocks = profiles.iter().filter(|profile| profile.is_clock());
    let joined = clocks.flat_map(|clock| with_its_day(clock, &profiles)).take(MOST);
    let joined: Vec<SampleColumn> = joined.collect();
    drop(profiles);
    sample.columns.extend(joined);
}

/// A time of day joined with its day: that of a like name, else the day of the visit; several where nothing tells.
fn with_its_day(clock: &ColumnProfile<'_>, profiles: &[ColumnProfile<'_>]) -> Vec<SampleColumn> {
    let days = profiles.iter().filter(|profile| !profile.is_empty() && profile.may_be_dates());
    let mut ranked: Vec<(u32, &ColumnProfile<'_>)> = days.map(|day| (fits(clock, day), day)).collect();
    ranked.retain(|(score, _)| *score > 0);
    ranked.sort_by_key(|(score, _)| Reverse(*score));
    let best = ranked.first().map_or(0, |(score, _)| *score);
    let joined = ranked.iter().take_while(|(score, _)| *score == best);
    let joined = joined.map(|(_, day)| SampleColumn::joined(&[day.column, clock.column], " "));
    joined.filter(|column| TimeStyle::of(&counted(column.filled())).is_some_and(|style| style.has_time)).collect()
}

/// How well a day fits a time of day, by their names.
fn fits(clock: &ColumnProfile<'_>, day: &ColumnProfile<'_>) -> u32 {
    let of_both = |words: &str| clock.name.says(words) == day.name.says(words);
    if !of_both(PLANNED) || !of_both(BOOKKEEPING) {
        return 0;
    }
    let score = |words| (clock.name.score(words) >= names::NAMED, day.name.score(words));
    // start_date beside start_time, and not beside end_time.
    let (starts, of_start) = score(&names::START);
    let (ends, of_end) = score(&names::END);
    let of_day = day.name.score(&names::DATE);
    match () {
        () if ends && of_end >= names::NAMED || starts && of_start >= names::NAMED && of_end < names::NAMED => 200,
        () if of_end >= names::NAMED && of_start < names::NAMED => 0,
        () if day.needs_a_name() && of_day < names::NAMED => 0,
        () => 1 + of_day,
    }
}

/// The entry of a day that is written with midnight behind it, joined with a time of day, as databases write a date and a
/// time: the midnight is plain text in the format.
pub(super) fn midnight_and_clock(
    field: &'static str,
    day: &ColumnProfile<'_>,
    clock: &ColumnProfile<'_>,
) -> Option<FieldEntry> {
    let date = match &day.times.as_ref()?.way {
        Way::Plain => "%Y-%m-%d",
        Way::Formats(formats) => match formats.as_slice() {
            [only] => only.date,
            _ => return None,
        },
        Way::Epoch(_) => return None,
    };
    let behind = |value: &str| value.find([' ', 'T']).map(|at| value[at..].to_owned());
    let midnight = behind(day.example()?)?;
    let is_the_same = day.distinct.iter().all(|value| behind(value).as_deref() == Some(&midnight));
    let clock_format = TimeFormat::all_that_read(&format!("2024-03-25 {}", clock.example()?));
    let clock_format = clock_format.first()?.text().strip_prefix("%Y-%m-%d")?.to_owned();
    let joined = SampleColumn::joined(&[day.column, clock.column], " ");
    (is_the_same && !midnight.contains('%'))
        .then(|| FieldEntry::of(field, &joined).with("format", &format!("{date}{midnight}{clock_format}")))
}
