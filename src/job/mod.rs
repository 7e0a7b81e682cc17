//! The job file, checked once, before anything else happens: only a file without a mistake makes a `Job`.
//!
//! From the bottom up: `vocabulary`, `values`, `keys` and `column_keys` say what may be written, and `schema` says the
//! same to editors; `mistake`, `secrets`, `snippet` and `diagnostics` collect and show what is wrong; `walk` and `parse`
//! check keys and types; `formats`, `paths`, `quantities` and `lists` read single values; `columns`, `rules`, `exports`,
//! `api`, `upload`, `results` and `notify` read a section each; `load` puts them together.
//!
//! It opens the job file and the small lists that it names, and no export.

mod accept;
mod api;
mod column_keys;
mod column_places;
mod columns;
mod diagnostics;
mod error;
mod exports;
mod formats;
#[expect(clippy::module_inception, reason = "the file of the type that gives the room its name")]
mod job;
mod keys;
mod lists;
mod load;
mod mistake;
mod nights;
mod notify;
mod options;
mod parse;
mod paths;
mod quantities;
mod results;
mod rules;
mod schema;
mod secrets;
mod sniff;
mod snippet;
mod upload;
mod values;
mod vocabulary;
mod walk;

pub(crate) use api::DEFAULT_TOKEN;
pub use error::JobError;
pub(crate) use job::{Job, Target, TokenSource};
pub(crate) use lists::known_values;
pub use mistake::Mistake;
pub use options::DateArg;
pub(crate) use options::{ExportsMeant, Options, PreparedMeant};
pub(crate) use paths::day_placeholder;
pub use quantities::MaxInvalid;
pub(crate) use schema::schema;
pub(crate) use vocabulary::OPEN;
