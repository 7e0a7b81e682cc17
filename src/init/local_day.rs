//! The date of visits whose starts are in UTC: the day at the store may be another one, and no zone tells it.

use super::choice::Choice;
use super::column_pool::ColumnPool;
use super::entry::FieldEntry;
use super::profile::ColumnProfile;
use super::times::{Way, Zoned};
use super::toml_text::{either, quoted};
use crate::build::TimeFormat;

const FIELD: &str = "visit_date";

/// The entry of the date where no column has it: a question where the start is in UTC, else none.
pub(super) fn local_day(pool: &ColumnPool<'_>, start: &Choice) -> FieldEntry {
    let (in_utc, others): (Vec<usize>, Vec<usize>) =
        start.places().iter().copied().partition(|at| pool.zoned(*at) == Some(Zoned::NamedUtc));
    if in_utc.is_empty() {
        return FieldEntry::absent(FIELD);
    }
    let names = either(&pool.names(&in_utc));
    let why = format!("{names} is in UTC, and the day at the store may be another one: no column is known to hold it.");
    let is_local = |at: &usize| pool.profiles[*at].may_be_times() && pool.zoned(*at) == Some(Zoned::None);
    let locals = others.iter().copied().chain(pool.free()).filter(is_local);
    let options: Vec<FieldEntry> = locals.filter_map(|at| day_of_time(&pool.profiles[at])).take(3).collect();
    let entry = match options.is_empty() {
        true => FieldEntry::open(FIELD, &why),
        false => FieldEntry::one_of(FIELD, &why, &options),
    };
    let entry = match others.is_empty() {
        true => entry,
        false => entry.says(format!("If the start is in {}, take this line out.", either(&pool.names(&others)))),
    };
    entry.says("If the stores are where the day is that of UTC, take this line out.")
}

/// The entry that reads the day of local times.
fn day_of_time(profile: &ColumnProfile<'_>) -> Option<FieldEntry> {
    let format = match &profile.times.as_ref()?.way {
        Way::Formats(formats) => match formats.as_slice() {
            [only] => only.clone(),
            _ => return None,
        },
        Way::Plain => {
            let mut formats = TimeFormat::all_that_read(profile.example()?).into_iter();
            formats.find(|format| profile.distinct.iter().all(|value| format.read(value).is_some()))?
        }
        Way::Epoch(_) => return None,
    };
    let entry = FieldEntry::of(FIELD, profile.column).with("format", format.text());
    Some(FieldEntry { beside: format!("the day of {}", quoted(&profile.column.name)), ..entry })
}
