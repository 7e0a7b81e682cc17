//! A column that says how far a visit came: those that were cancelled or are still to come would be sent as well.

use super::column_pool::ColumnPool;
use super::names::{self, DONE, NAMED, NOT_DONE, TO_COME, compact};
use super::profile::ColumnProfile;
use super::times::counted;
use super::toml_text::{quoted, quoted_list, shown};
use crate::stand_ins::is_word;
use crate::text::count;
use std::cmp::Reverse;

/// A status has no more values than this.
const MOST: usize = 15;

/// A filter of rows, offered as a comment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OnlyDraft {
    /// The filter in TOML.
    pub(super) filter: String,
    /// The values with their numbers of rows.
    pub(super) saw: String,
    /// A sentence above it.
    pub(super) why: String,
    pub(super) remark: String,
}

/// What a value of a status says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Done,
    NotDone,
    ToCome,
    Unknown,
}

/// The filter for an export. Rows of scenes are left out only by what says that they count no more.
pub(super) fn only(pool: &ColumnPool<'_>, are_visits: bool) -> Option<OnlyDraft> {
    let drafts = pool.free().filter_map(|at| Some((at, of_column(&pool.profiles[at], are_visits)?)));
    // The best named, and of these the first.
    let best = drafts.min_by_key(|(at, _)| (Reverse(pool.profiles[*at].name.score(&names::STATUS)), *at));
    best.map(|(_, draft)| draft)
}

fn of_column(profile: &ColumnProfile<'_>, are_visits: bool) -> Option<OnlyDraft> {
    let is_small = (1..=MOST).contains(&profile.distinct.len());
    if !profile.column.parts.is_empty() || !is_small || profile.times.is_some() {
        return None;
    }
    let values = || profile.column.values.iter().map(String::as_str);
    let mut saw = counted(values().map(|value| if is_word(value) { "" } else { value }));
    saw.sort_by_key(|(_, rows)| Reverse(*rows));
    let is_named = profile.name.score(&names::STATUS) >= NAMED;
    let meanings = meanings(profile, is_named, &saw);
    let has = |wanted: Meaning| meanings.contains(&wanted);
    let is_status = match is_named {
        true => {
            has(Meaning::NotDone)
                || are_visits && has(Meaning::ToCome)
                || are_visits && has(Meaning::Done) && has(Meaning::Unknown)
        }
        false => has(Meaning::NotDone) && has(Meaning::Done),
    };
    if !is_status || saw.len() < 2 {
        return None;
    }
    let with = |meaning: Meaning| {
        saw.iter().zip(&meanings).filter(move |(_, found)| **found == meaning).map(|(value, _)| *value)
    };
    let mut kept: Vec<&str> = with(Meaning::Done).map(|(value, _)| value).collect();
    if kept.is_empty() || !are_visits {
        kept.extend(with(Meaning::Unknown).map(|(value, _)| value));
    }
    let left_out = || saw.iter().filter(|(value, _)| !kept.contains(value));
    let rows: usize = left_out().map(|(_, rows)| rows).sum();
    let name = quoted(&profile.column.name);
    let key = if profile.column.name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !profile.column.name.is_empty()
    {
        profile.column.name.clone()
    } else {
        name.clone()
    };
    let word = |value: &str| if value.is_empty() { "(empty)".to_owned() } else { plain(value) };
    let others: Vec<String> = left_out().map(|(value, _)| word(value)).collect();
    let rows = count(rows as u64, "row", "rows");
    Some(OnlyDraft {
        filter: format!("{{ {key} = {} }}", quoted_list(&kept)),
        saw: saw.iter().map(|(value, rows)| format!("{} {rows}", word(value))).collect::<Vec<_>>().join(", "),
        why: format!("{name} says how far it came. All rows are sent, unless you take the # off:"),
        remark: format!(
            "{name} is {} in {rows} of those looked at, and they are sent too, unless you take the # off `only`",
            others.join(" or ")
        ),
    })
}

/// What each value says; of a column such as `is_cancelled`, what its yes and no say.
fn meanings(profile: &ColumnProfile<'_>, is_named: bool, saw: &[(&str, usize)]) -> Vec<Meaning> {
    let is_of = |words: &str, value: &str| words.split_whitespace().any(|word| word == value);
    let names_what_is_not = is_named && profile.name.says(NOT_DONE);
    let meaning = |(value, _): &(&str, usize)| match compact(value) {
        value if names_what_is_not => match value.as_str() {
            "1" | "true" | "yes" | "y" | "t" | "x" | "ja" | "si" | "oui" | "sim" => Meaning::NotDone,
            _ => Meaning::Done,
        },
        value if is_of(DONE, &value) => Meaning::Done,
        value if is_of(NOT_DONE, &value) => Meaning::NotDone,
        value if is_of(TO_COME, &value) => Meaning::ToCome,
        _ => Meaning::Unknown,
    };
    saw.iter().map(meaning).collect()
}

fn plain(value: &str) -> String {
    let shown = shown(value);
    let is_plain = value.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    if is_plain && shown == quoted(value) { value.to_owned() } else { shown }
}
