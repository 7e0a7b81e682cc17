//! In which order columns have day and month, where their own values leave it open: another column of the export may
//! decide it, and what nothing decides is asked once for all columns that are written alike.

use super::column_pool::ColumnPool;
use super::times::{TimeStyle, Way};
use super::toml_text::{listed, shown};
use crate::build::TimeFormat;
use std::collections::BTreeMap;

/// The formats of the columns that need one.
#[derive(Debug)]
pub(super) struct ColumnFormats {
    /// For each column the formats that are left; more than one where it is open.
    pub(super) left: BTreeMap<usize, Vec<TimeFormat>>,
    /// For a column that was open, the column that decided.
    pub(super) decided_by: BTreeMap<usize, usize>,
    /// What several columns leave open in the same way.
    pub(super) shared: Option<SharedQuestion>,
}

/// A question about the dates of several columns.
#[derive(Debug)]
pub(super) struct SharedQuestion {
    pub(super) columns: Vec<usize>,
    pub(super) why: String,
    /// The answers: formats of which the date's part matters.
    pub(super) choices: Vec<TimeFormat>,
}

/// Finds the formats of these columns.
pub(super) fn decide(pool: &ColumnPool<'_>, columns: &[usize]) -> ColumnFormats {
    let styles = columns.iter().filter_map(|at| Some((*at, pool.profiles[*at].times.as_ref()?)));
    let styles: BTreeMap<usize, &TimeStyle> = styles.collect();
    let mut left: BTreeMap<usize, Vec<TimeFormat>> = BTreeMap::new();
    for (at, style) in &styles {
        if let Way::Formats(formats) = &style.way {
            left.insert(*at, formats.clone());
        }
    }
    // Where values contradict each other or cannot be read, they decide for no other column, and no other decides for
    // them.
    let is_sound = |at: &usize| styles.get(at).is_some_and(|style| style.misfits == 0);
    let open: Vec<usize> = left.keys().copied().filter(|at| left[at].len() > 1 && is_sound(at)).collect();
    let mut decided: Vec<(usize, usize, &'static str)> = Vec::new();
    for &at in &open {
        let by_pattern = by_one_pattern(&left[&at], &left, is_sound);
        let near = || {
            styles
                .iter()
                .find_map(|(other, style)| Some((*other, by_near_days(pool, at, &left[&at], (*other, style))?)))
        };
        decided.extend(by_pattern.or_else(near).map(|(by, date)| (at, by, date)));
    }
    for (at, _, date) in &decided {
        if let Some(formats) = left.get_mut(at) {
            formats.retain(|format| format.date == *date);
        }
    }
    let still_open: Vec<usize> = open.into_iter().filter(|at| left[at].len() > 1).collect();
    let shared = shared_question(pool, &still_open, &left);
    ColumnFormats { left, decided_by: decided.into_iter().map(|(at, by, _)| (at, by)).collect(), shared }
}

/// The date's pattern that the decided columns have, where it is one of the open ones and they agree; and the first of
/// these columns.
fn by_one_pattern(
    open: &[TimeFormat],
    left: &BTreeMap<usize, Vec<TimeFormat>>,
    is_sound: impl Fn(&usize) -> bool,
) -> Option<(usize, &'static str)> {
    let sure = left.iter().filter(|(at, _)| is_sound(at)).filter_map(|(at, formats)| match formats.as_slice() {
        [only] => Some((*at, only.date)),
        _ => None,
    });
    let mut deciding = sure.filter(|(_, date)| open.iter().any(|format| format.date == *date));
    let first = deciding.next()?;
    deciding.all(|(_, date)| date == first.1).then_some(first)
}

/// The only one of the open patterns by which every day of a column is that of another column, or next to it: a visit
/// starts on its day, and ends soon after.
fn by_near_days(
    pool: &ColumnPool<'_>,
    at: usize,
    open: &[TimeFormat],
    (other, style): (usize, &TimeStyle),
) -> Option<&'static str> {
    if style.misfits > 0 || other == at {
        return None;
    }
    let rows = || pool.profiles[at].rows().zip(pool.profiles[other].rows());
    let pairs = || rows().filter(|(value, other)| !value.is_empty() && !other.is_empty());
    let is_near = |format: &TimeFormat, value: &str, other: &str| {
        let days = format.read(value).zip(style.day(other));
        days.is_some_and(|(written, other)| (written.date - other).num_days().abs() <= 1)
    };
    let mut fitting = open.iter().filter(|format| pairs().all(|(value, other)| is_near(format, value, other)));
    let only = fitting.next().filter(|_| pairs().next().is_some())?;
    fitting.next().is_none().then_some(only.date)
}

/// The first of several columns that leave the same dates open, with the others of them.
fn shared_question(
    pool: &ColumnPool<'_>,
    open: &[usize],
    left: &BTreeMap<usize, Vec<TimeFormat>>,
) -> Option<SharedQuestion> {
    let dates = |at: &usize| left[at].iter().map(|format| format.date).collect::<Vec<_>>();
    let alike = |at: &usize| open.iter().copied().filter(|other| dates(other) == dates(at)).collect::<Vec<usize>>();
    let columns = open.iter().map(alike).find(|alike| alike.len() > 1)?;
    let choices = left[&columns[0]].clone();
    let why = format!(
        "{} may be {}, and no value of {} that was looked at decides it.",
        pool.profiles[columns[0]].example().map(shown).unwrap_or_default(),
        orders_in_words(&choices),
        listed(pool.names(&columns), 4)
    );
    Some(SharedQuestion { columns, why, choices })
}

/// `day first or month first`.
pub(super) fn orders_in_words(formats: &[TimeFormat]) -> String {
    formats.iter().map(|format| format.order).collect::<Vec<_>>().join(" or ")
}
