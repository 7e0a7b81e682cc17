//! Looks at two exports and drafts a job file for them: which column is which field, how times are written, how the
//! files themselves are.
//!
//! What speaks for a guess stands beside it. What nothing decides, such as whether 03/04/2024 is in March or in
//! April, is a question in the file, and `check` and `run` refuse the file until it is answered. The look is bounded, so
//! that it takes seconds for an export of any size.
//!
//! The way through it: `roles` says which files are which, `dialect` (with `encoding`, `open_encoding`, `frame`) and `sample` read, `profile`
//! says what each column looks like (`names` with `words`, `times`), `day_and_time` and `composite` add columns that
//! are joined of others, `join` and `near` find the pair of columns that holds the visit's key, `plan` fills the fields (`keys`
//! or `flat`, `visit_times` with `time_columns`, `day_month`, `local_day`, `clocks`, `fields`, `scene_key`, each by `choice`; `only`) and `write` writes the file.
//!
//! It knows nothing of ids, of the network, or of how a job is read.

mod cell_text;
mod choice;
mod clocks;
mod column_pool;
mod composite;
mod day_and_time;
mod day_month;
mod dialect;
mod encoding;
mod entry;
mod fields;
mod first_line;
mod flat;
mod frame;
mod join;
mod keys;
mod local_day;
mod names;
mod near;
mod null_values;
mod only;
mod open_encoding;
mod page;
mod paths;
mod plan;
mod profile;
mod roles;
mod sample;
mod sample_column;
mod scene_key;
mod time_columns;
mod times;
mod toml_text;
mod visit_times;
mod words;
mod write;

pub use page::{Draft, Remark};

use crate::scan::ScanError;
use composite::join_keys;
use day_and_time::join_days_and_times;
use roles::{swapped, tell_apart};
use sample::ExportSample;
use std::path::Path;

/// Drafts a job file for two exports, each of them files, folders or globs, relative to `base_dir`. The same files twice are
/// one flat export, unless there are files of two kinds among them.
///
/// # Errors
/// Where an export cannot be read.
pub(crate) fn draft(base_dir: &Path, visits: &[String], scenes: &[String]) -> Result<Draft, ScanError> {
    let mut roles = tell_apart(base_dir, visits, scenes)?;
    let mut visits = ExportSample::take("visits", base_dir, &roles.visits, None)?;
    let mut scenes = ExportSample::take("scenes", base_dir, &roles.scenes, Some(&visits))?;
    if !scenes.has_the_files_of(&visits) {
        roles.said.extend(swapped(&visits, &scenes));
        join_keys(&mut visits, &mut scenes);
    }
    join_days_and_times(&mut visits);
    Ok(write::write(&plan::plan(&visits, &scenes), &visits, &scenes, &roles.said))
}
