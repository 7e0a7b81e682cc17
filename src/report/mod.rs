//! A page from a result file: one HTML file that needs nothing else, for those who were not there when the run ended.
//!
//! It knows result files and their manifests, and nothing of exports, jobs or the network. The file is read once and
//! streamed; the page stays small however many rows there are.

mod causes;
mod chart;
mod course;
mod groups;
mod outcomes;
mod page;
mod spread;
mod tally;
mod timeline;
mod words;

pub use page::{is_page, page};
pub use tally::Tally;

use crate::results::Manifest;
use chrono::{DateTime, Utc};
use std::path::PathBuf;

/// What the page says beside the rows themselves.
#[derive(Clone, Debug)]
pub struct About {
    /// The result file, as people know it.
    pub results: PathBuf,
    /// Its manifest, where it is there and of the same run.
    pub manifest: Option<Manifest>,
    /// How far the run has come.
    pub standing: Standing,
    /// Whether the visits went to a sandbox, and not to Trax.
    pub is_sandbox: bool,
    /// What else is to be known about the file.
    pub notes: Vec<String>,
    /// What to do next.
    pub next: Option<Advice>,
    /// When the page was made.
    pub made_at: DateTime<Utc>,
}

/// How far the run has come whose rows the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// To its end.
    Ended,
    /// The rows are a journal's: it goes on, or has died.
    Unfinished,
    /// To its end, but a later one has begun and has none yet.
    Overtaken,
}

impl About {
    /// How many visits the run is about, where its rows alone do not tell.
    fn expected(&self, tally: &Tally) -> Option<u64> {
        let counts = &self.manifest.as_ref().filter(|_| self.standing == Standing::Unfinished)?.counts;
        let of = |name: &str| counts.get(name).copied();
        let in_exports = of("rows_read")?.checked_sub(of("identical_duplicates")?)?;
        let all = in_exports.checked_add(of("carried_over_not_in_exports")?)?;
        (all >= tally.visits()).then_some(all)
    }
}

/// What to do next.
#[derive(Clone, Debug)]
pub struct Advice {
    /// In words.
    pub words: String,
    /// The command to type, as a shell takes it.
    pub command: Option<String>,
}
