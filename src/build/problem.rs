//! What can be wrong with a visit, found before anything is sent.

use crate::scan::Place;
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

/// A value as messages show it: quoted, control characters escaped, cut when it is long.
pub(super) fn shown(value: &str) -> String {
    const LONGEST: usize = 60;
    match value.char_indices().nth(LONGEST) {
        None => format!("{value:?}"),
        Some((cut, _)) => format!("{:?}…", &value[..cut]),
    }
}
