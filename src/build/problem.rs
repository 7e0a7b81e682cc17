//! What can be wrong with a visit, found before anything is sent.

use crate::scan::Place;
use std::collections::BTreeMap;
use std::fmt;

/// The kinds of problem; their names are part of the contract and of every result file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Code {
    /// A mandatory field is empty.
    MissingField,
    /// More characters than the API takes.
    TooLong,
    /// No integer.
    BadNumber,
    /// No date.
    BadDate,
    /// No time.
    BadTime,
    /// A time without a zone, and none is known.
    ZonelessTime,
    /// A local time that happens twice, when clocks go back.
    AmbiguousTime,
    /// A local time that never happens, when clocks go forward.
    ImpossibleTime,
    /// The visit ends before it starts.
    TimeOrder,
    /// A time that looks like another unit, or lies before 2000 or more than 24 h after the run's start.
    TimeUnit,
    /// The visit's date is more than a day from its start's UTC date.
    DateMismatch,
    /// No e-mail address.
    BadEmail,
    /// An identifier that a spreadsheet or a float column has rounded.
    MangledNumber,
    /// The API wants at least one scene.
    NoScenes,
    /// Other rows have the same key and other values.
    DuplicateVisit,
    /// Other scene rows of the visit have the same key and other values.
    DuplicateScene,
    /// A scene without the task code that the solution requires.
    MissingTaskCode,
    /// A value that the job's `map` does not have.
    UnmappedValue,
    /// Not in the list of stores.
    UnknownStore,
    /// Not in the list of users.
    UnknownUser,
    /// Not in the list of task codes.
    UnknownTaskCode,
    /// Not in the list of visit types.
    UnknownVisitType,
    /// Bytes that are no text in the file's encoding.
    BadText,
    /// Too few or too many cells.
    BadRow,
}

impl Code {
    /// Every code, in the order of the documentation.
    pub const ALL: [Code; 24] = [
        Code::MissingField,
        Code::TooLong,
        Code::BadNumber,
        Code::BadDate,
        Code::BadTime,
        Code::ZonelessTime,
        Code::AmbiguousTime,
        Code::ImpossibleTime,
        Code::TimeOrder,
        Code::TimeUnit,
        Code::DateMismatch,
        Code::BadEmail,
        Code::MangledNumber,
        Code::NoScenes,
        Code::DuplicateVisit,
        Code::DuplicateScene,
        Code::MissingTaskCode,
        Code::UnmappedValue,
        Code::UnknownStore,
        Code::UnknownUser,
        Code::UnknownTaskCode,
        Code::UnknownVisitType,
        Code::BadText,
        Code::BadRow,
    ];

    /// The name in results.
    pub fn name(self) -> &'static str {
        match self {
            Code::MissingField => "missing_field",
            Code::TooLong => "too_long",
            Code::BadNumber => "bad_number",
            Code::BadDate => "bad_date",
            Code::BadTime => "bad_time",
            Code::ZonelessTime => "zoneless_time",
            Code::AmbiguousTime => "ambiguous_time",
            Code::ImpossibleTime => "impossible_time",
            Code::TimeOrder => "time_order",
            Code::TimeUnit => "time_unit",
            Code::DateMismatch => "date_mismatch",
            Code::BadEmail => "bad_email",
            Code::MangledNumber => "mangled_number",
            Code::NoScenes => "no_scenes",
            Code::DuplicateVisit => "duplicate_visit",
            Code::DuplicateScene => "duplicate_scene",
            Code::MissingTaskCode => "missing_task_code",
            Code::UnmappedValue => "unmapped_value",
            Code::UnknownStore => "unknown_store",
            Code::UnknownUser => "unknown_user",
            Code::UnknownTaskCode => "unknown_task_code",
            Code::UnknownVisitType => "unknown_visit_type",
            Code::BadText => "bad_text",
            Code::BadRow => "bad_row",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One problem of a visit, with the place that has to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// The field of the API (or of the job file's `columns`) that it is about.
    pub field: &'static str,
    /// For people, with the value.
    pub message: String,
    /// The row: of the visit, or of the scene.
    pub place: Place,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.code, self.field, self.message, self.place)
    }
}

/// What is wrong with a visit, in the order of the contract: the first problems one by one, more than those counted.
///
/// A key such as "N/A" gathers the scenes of thousands of visits, and all of them may be broken.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: BTreeMap<Code, u64>,
    /// Where the first row with the visit's key stands, if that one lists the problems of the scenes.
    scenes_at: Option<Place>,
}

/// Problems of a visit that are listed, at most: about a megabyte of text.
const LISTED: usize = 10_000;

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if self.listed.len() < LISTED {
            self.listed.push(problem);
        } else {
            *self.unlisted.entry(problem.code).or_default() += 1;
        }
    }

    /// Says that the problems of the scenes are with another row of the same key.
    pub(super) fn of_scenes_are_at(&mut self, first: Place) {
        self.scenes_at = Some(first);
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty() && self.scenes_at.is_none()
    }

    /// The first ones.
    pub fn listed(&self) -> &[Problem] {
        &self.listed
    }

    /// How many more there are of each kind.
    pub fn unlisted(&self) -> impl Iterator<Item = (Code, u64)> {
        self.unlisted.iter().map(|(code, count)| (*code, *count))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for problem in &self.listed {
            write!(f, "{between}{problem}")?;
            between = "; ";
        }
        let more: u64 = self.unlisted.values().sum();
        if more > 0 {
            write!(f, "; … and {more} more")?;
        }
        match &self.scenes_at {
            Some(first) => write!(f, "{between}what is wrong with the scenes of this key is listed once, for {first}"),
            None => Ok(()),
        }
    }
}

/// A value as messages show it: quoted, control characters escaped, cut when it is long.
pub(super) fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    match value.char_indices().nth(LONGEST) {
        None => format!("{value:?}"),
        Some((cut, _)) => format!("{:?}…", &value[..cut]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_very_many_problems_the_first_are_listed_and_the_others_counted() {
        let place = Place { file: "s.csv".into(), row: 2 };
        let mut problems = Problems::default();
        for _ in 0..LISTED + 3 {
            let message = "the scene has no id".to_owned();
            problems.add(Problem { code: Code::MissingField, field: "scene_id", message, place: place.clone() });
        }
        assert_eq!(problems.listed().len(), LISTED);
        assert_eq!(problems.unlisted().collect::<Vec<_>>(), [(Code::MissingField, 3)]);
        assert!(problems.to_string().ends_with("(s.csv:2); … and 3 more"), "{}", &problems.to_string()[1_000_000..]);
    }
}
