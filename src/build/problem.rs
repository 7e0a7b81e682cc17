//! What can be wrong with a visit, found before anything is sent.
//!
//! It does not know how a problem is found.

use crate::scan::Location;
use std::collections::BTreeMap;
use std::fmt;

/// Makes [`Code`] from one table: the name in result files, and what a person can do about it.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $name:literal $hint:literal;)+) => {
        /// The kinds of problem. Their names are part of the contract and of every result file.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The name in result files.
            pub fn name(self) -> &'static str {
                match self {
                    $(Code::$variant => $name,)+
                }
            }

            /// What the user can do about it, in a few words. Backticks stand around what is typed.
            pub fn hint(self) -> &'static str {
                match self {
                    $(Code::$variant => $hint,)+
                }
            }
        }
    };
}

codes! {
    /// A mandatory field is empty.
    MissingField "missing_field" "a field that the API requires is empty: fill it in the export";
    /// More characters than the API takes.
    TooLong "too_long" "more characters than the API takes: shorten it, or map another column";
    /// Not an integer.
    BadNumber "bad_number" "not a whole number: fix it, or use `map` for names of visit types";
    /// Not a date.
    BadDate "bad_date" "not a date: fix it, or name its `format`";
    /// Not a time.
    BadTime "bad_time" "not a time, or not a time zone: fix it, or name its `format`; a day and a time in two columns are joined with `columns`";
    /// A time without a zone, and the job names none.
    ZonelessTime "zoneless_time" "a time without a zone: set `timezone` under [time], or `timezone_column`";
    /// A local time that happens twice, when clocks go back.
    AmbiguousTime "ambiguous_time" "in the hour that happens twice when clocks go back: export it in UTC or with its offset";
    /// A local time that never happens, when clocks go forward.
    ImpossibleTime "impossible_time" "in the hour that clocks leave out: most often the wrong time zone; export it in UTC";
    /// The visit ends before it starts.
    TimeOrder "time_order" "the visit ends before it starts: fix it; are the two columns swapped?";
    /// A time that looks like another unit, or lies before 2000 or more than 24 h after the run's start.
    TimeUnit "time_unit" "milliseconds, or a time that makes no sense: set `unit`; are day and month swapped?";
    /// The visit's date is more than a day from its start's UTC date.
    DateMismatch "date_mismatch" "the date is far from the start: most often day and month are swapped; set `format`";
    /// Not an e-mail address.
    BadEmail "bad_email" "not an address: fix it; one @, no white space, a dot in the domain";
    /// An identifier that a spreadsheet or a float column has rounded.
    MangledNumber "mangled_number" "a spreadsheet or a float column has rounded it: export the column as text";
    /// The API requires at least one scene.
    NoScenes "no_scenes" "no scene belongs to the visit: is the scenes export complete, are the keys written alike?";
    /// Other rows have the same key and other values.
    DuplicateVisit "duplicate_visit" "several rows with this key, and they differ: keep one of them";
    /// Scenes of no visit, whose key is nearly that of the visit.
    NearKey "near_key" "a scene has a key that is almost this one: write both alike, or let it through with `--accept near_key`";
    /// Other scene rows of the visit have the same key and other values.
    DuplicateScene "duplicate_scene" "several scenes with this key, and they differ: keep one, or give them different keys";
    /// A scene without the task code that the PUREAI solution requires.
    MissingTaskCode "missing_task_code" "a scene without a task code, and `task_code_required` is set: fill it in";
    /// Another number of scenes than the export says.
    SceneCount "scene_count" "another number of scenes than the column `scene_count` says: is the scenes export complete?";
    /// Trax keeps another visit under the key.
    ReusedKey "reused_key" "Trax keeps another visit under this key, for ever: make the year a part of it with `columns`, or `--accept reused_key`";
    /// A word in place of a value, or a spreadsheet's guard.
    Placeholder "placeholder" "a placeholder, not a value: add it to `null_values`; a spreadsheet's guard: export the column without it";
    /// An invisible character.
    InvisibleCharacter "invisible_character" "an invisible character: remove it in the export; `--accept invisible_character` sends it";
    /// A value that the job's `map` does not have.
    UnmappedValue "unmapped_value" "a value that the `map` does not have: add it";
    /// Not in the list of stores.
    UnknownStore "unknown_store" "not in the list of stores: add the store at Trax, or refresh the list";
    /// Not in the list of users.
    UnknownUser "unknown_user" "not in the list of users: add the user at Trax, or refresh the list";
    /// Not in the list of task codes.
    UnknownTaskCode "unknown_task_code" "not in the list of task codes: add it at Trax, or refresh the list";
    /// Not in the list of visit types.
    UnknownVisitType "unknown_visit_type" "not in the list of visit types: add it at Trax, or refresh the list";
    /// Bytes that are not text in the file's encoding.
    BadText "bad_text" "not text: for a CSV file most often set `encoding = \"windows-1252\"`; from Parquet export the column as text";
    /// Too few or too many cells.
    BadRow "bad_row" "too few or too many cells: an unquoted delimiter, or `delimiter`, `quote` or `escape` is wrong";
}

impl Code {
    /// The problems that a job may accept: then they are none.
    pub const ACCEPTABLE: &'static [Code] =
        &[Code::NearKey, Code::ReusedKey, Code::Placeholder, Code::InvisibleCharacter];
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a field has no value that may be sent: the kind of problem and the message. Together with the field's name and the
/// location of the row it becomes a [`Problem`].
pub(super) type FieldError = (Code, String);

/// One problem of a visit, with the location of the row to fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub code: Code,
    /// The field that it is about, by its name in the API or in the job file's `columns`; `row` for the row as a whole.
    pub field: &'static str,
    /// What is wrong, with the value, for people.
    pub message: String,
    /// The row of the visit, or of the scene.
    pub location: Location,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {} ({})", self.code, self.field, self.message, self.location)
    }
}

/// All problems of a visit, in the order that `visit` explains. The first 10,000 are listed, the others only counted: a key
/// such as "N/A" gathers the scenes of thousands of visits, and every scene may have a problem.
#[derive(Clone, Debug, Default)]
pub struct Problems {
    listed: Vec<Problem>,
    unlisted: BTreeMap<Code, u64>,
    /// Those that were found and told before: the first code, and the words.
    told: Option<(Code, String)>,
}

/// How many problems of a visit are listed: about a megabyte of text.
const MAX_LISTED: usize = 10_000;

impl Problems {
    pub(super) fn add(&mut self, problem: Problem) {
        if self.listed.len() < MAX_LISTED {
            self.listed.push(problem);
        } else {
            *self.unlisted.entry(problem.code).or_default() += 1;
        }
    }

    /// Problems that were found and told before.
    pub(super) fn told(first: Code, words: String) -> Problems {
        Problems { told: Some((first, words)), ..Problems::default() }
    }

    /// Whether nothing is wrong with the visit.
    pub fn is_empty(&self) -> bool {
        self.first().is_none()
    }

    /// The kind of the first problem.
    pub fn first(&self) -> Option<Code> {
        self.listed.first().map(|problem| problem.code).or(self.told.as_ref().map(|(code, _)| *code))
    }

    /// The first 10,000 problems.
    pub fn listed(&self) -> &[Problem] {
        &self.listed
    }

    /// How many problems of each kind follow those that are listed.
    pub fn unlisted(&self) -> impl Iterator<Item = (Code, u64)> {
        self.unlisted.iter().map(|(code, count)| (*code, *count))
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((_, words)) = &self.told {
            f.write_str(words)?;
        }
        let mut between = "";
        for problem in &self.listed {
            write!(f, "{between}{problem}")?;
            between = "; ";
        }
        let more: u64 = self.unlisted.values().sum();
        if more > 0 {
            write!(f, "; … and {more} more")?;
        }
        Ok(())
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
    fn the_first_of_very_many_problems_are_listed_and_the_others_counted() {
        let location = Location { file: "s.csv".into(), row: 2 };
        let mut problems = Problems::default();
        for _ in 0..MAX_LISTED + 3 {
            let message = "the scene has no id".to_owned();
            problems.add(Problem { code: Code::MissingField, field: "scene_id", message, location: location.clone() });
        }
        assert_eq!(problems.listed().len(), MAX_LISTED);
        assert_eq!(problems.unlisted().collect::<Vec<_>>(), [(Code::MissingField, 3)]);
        assert!(problems.to_string().ends_with("(s.csv:2); … and 3 more"), "{}", &problems.to_string()[1_000_000..]);
    }
}
