//! What is probably a mistake of a whole export: its code, and where it shows.
//!
//! The API keeps what it got, so a suspicion ends a run before anything is sent, unless the user accepts its code. It knows
//! neither exports nor visits; the rooms that read them find suspicions.

use std::fmt;

/// Makes [`SuspicionCode`] from one table: the name that `--accept` takes, and what the suspicion says.
macro_rules! suspicions {
    ($($variant:ident $name:literal $about:literal;)+) => {
        /// The kinds of suspicion. Their names are part of the contract: `--accept` and `[check] accept` take them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum SuspicionCode {
            $(#[doc = $about] $variant,)+
        }

        impl SuspicionCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [SuspicionCode] = &[$(SuspicionCode::$variant),+];

            /// The name by which it is accepted.
            pub fn name(self) -> &'static str {
                match self {
                    $(SuspicionCode::$variant => $name,)+
                }
            }

            /// When it is raised, for the documentation. Backticks stand around what is typed.
            pub fn about(self) -> &'static str {
                match self {
                    $(SuspicionCode::$variant => $about,)+
                }
            }
        }
    };
}

suspicions! {
    StrayQuote "stray_quote" "a quote that probably opened by mistake, such as an inch mark: whole rows may be inside it. Often `quote = \"\"` is right";
    UnreadableScenes "unreadable_scenes" "scene rows with too few or too many cells, or with a visit_id that cannot be read: any visit may lack them";
    UnfinishedFile "unfinished_file" "a file that is probably still being written or copied: by its name, by its end, or because it has just changed";
    Unterminated "unterminated" "the last row of a file has no line end where the other files have one: the file may be cut short";
    OtherHeader "other_header" "a file lacks a column of the job that the other files have: renamed, most often";
    OtherFile "other_file" "something in a folder that is not an export, such as a workbook: its rows would be missing";
    DecimalIds "decimal_ids" "keys, stores or task codes that end in `.0`: a spreadsheet or a data frame made numbers of them. Set `decimals`";
    Midnight "midnight" "every visit starts at midnight: the time of day has been lost";
    OtherDay "other_day" "`{date}` names the day of the export, and no visit is within 3 days of it";
    OnlyValue "only_value" "a value that `only` leaves out equals a wanted one but for case or blanks";
    RowLimit "row_limit" "a file has exactly as many rows as a spreadsheet can hold: the rest may be missing";
    WrongEncoding "wrong_encoding" "text that was probably written in another encoding: set `encoding`";
    NoLock "no_lock" "the file system of the results has no locks: two runs at once would spoil each other's result file";
    NewKeys "new_keys" "visits that earlier result files know are gone, and almost the same ones have come under other keys: they would be sent a second time";
}

impl SuspicionCode {
    /// The code with this name.
    pub fn from_name(name: &str) -> Option<SuspicionCode> {
        SuspicionCode::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl fmt::Display for SuspicionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How many places a suspicion names.
const PLACES: usize = 5;

/// What is probably a mistake of a whole export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// Its kind.
    pub code: SuspicionCode,
    /// How often it shows, for people: rows, files or values.
    pub count: u64,
    /// What was seen, what it most likely is, and what to do.
    pub message: String,
    /// The first places, such as `visits.csv:14`, each with what is there.
    pub places: Vec<String>,
}

impl Suspicion {
    /// A suspicion without a place so far. `message`: what was seen, what it most likely is, and what to do.
    pub fn new(code: SuspicionCode, message: impl Into<String>) -> Suspicion {
        Suspicion { code, count: 0, message: message.into(), places: Vec::new() }
    }

    /// This suspicion with one more place, which is counted, and named if it is one of the first.
    pub fn at(mut self, place: impl Into<String>) -> Suspicion {
        self.add(place);
        self
    }

    /// Adds a place, which is counted, and named if it is one of the first.
    pub fn add(&mut self, place: impl Into<String>) {
        self.count += 1;
        if self.places.len() < PLACES {
            self.places.push(place.into());
        }
    }

    /// Takes over the places of another suspicion that says the same.
    pub fn join(&mut self, other: Suspicion) {
        self.count += other.count;
        let room = PLACES.saturating_sub(self.places.len());
        self.places.extend(other.places.into_iter().take(room));
    }
}

impl fmt::Display for Suspicion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        for place in &self.places {
            write!(f, "\n    {place}")?;
        }
        match self.count.saturating_sub(self.places.len() as u64) {
            0 => Ok(()),
            more => write!(f, "\n    … and {more} more"),
        }
    }
}
