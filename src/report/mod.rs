//! A page from a result file: one HTML file that needs nothing else, for those who were not there when the run ended.
//!
//! It knows result files and their manifests, and nothing of exports, jobs or the network. The file is read once and
//! streamed; the page stays small however many rows there are.

mod causes;
mod chart;
mod course;
mod groups;
mod hints;
mod outcomes;
mod page;
mod spread;
mod tally;
mod timeline;
mod words;

pub(crate) use hints::hint;
pub use page::page;
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
    /// Whether the rows are a journal's: the run goes on, or has died.
    pub is_journal: bool,
    /// What else is to be known about the file.
    pub notes: Vec<String>,
    /// What to do next.
    pub next: Option<Advice>,
    /// When the page was made.
    pub made_at: DateTime<Utc>,
}

/// What to do next.
#[derive(Clone, Debug)]
pub struct Advice {
    /// In words.
    pub words: String,
    /// The command to type, as a shell takes it.
    pub command: Option<String>,
}
