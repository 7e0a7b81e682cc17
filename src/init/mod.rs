//! Looks at two exports and drafts a job file for them: which column is which field, how times are written, how the
//! files themselves are.
//!
//! What speaks for a guess stands beside it. What nothing decides, such as whether 03/04/2024 is in March or in
//! April, is a question in the file: the job's reader refuses it until a person has answered. The look is bounded, so
//! that it takes seconds for an export of any size.
//!
//! It knows nothing of ids, of the network, or of how a job is read.

mod dialect;
mod entry;
mod guess;
mod joining;
mod keys;
mod looks;
mod moments;
mod names;
mod page;
mod sample;
mod shape;
mod text;
mod times;

use crate::scan::ScanError;
use sample::Sample;

/// A job file, and what somebody has to look at in it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The job file, in TOML.
    pub text: String,
    /// In the order of its lines.
    pub remarks: Vec<Remark>,
}

/// Something to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line of the job file that it is about, from 1.
    pub line: usize,
    /// Whether the file cannot be used before it is answered.
    pub is_question: bool,
    /// What it is.
    pub message: String,
}

/// Drafts a job file for two exports, each a file, a folder or a glob; the same one twice is one flat export.
///
/// # Errors
/// Where an export cannot be read.
pub fn draft(visits: &str, scenes: &str) -> Result<Draft, ScanError> {
    let visits = Sample::take("visits", visits)?;
    let scenes = Sample::take("scenes", scenes)?;
    let flat = scenes.has_the_files_of(&visits);
    let plan = guess::plan(&visits, &scenes, flat)?;
    Ok(page::write(&plan, &visits, &scenes))
}
