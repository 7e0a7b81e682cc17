//! Turns a visit into the body that the API takes, or into the list of everything that is wrong with it.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `body` | which fields a body has, in which order; `json` writes their values |
//! | `visit` | one visit: reads its fields, collects its problems |
//! | `scenes`, `scene_ids` | its scenes: their checks, their ids, rows that repeat others |
//! | `rules`, `field` | what the job says about reading and checking |
//! | `batch`, `reading`, `time`, `rfc3339` | from cells to values |
//! | `time_hints` | what would read a text that is not a time |
//! | `checks`, `spelling` | which values may be sent |
//! | `problem` | what can be wrong |
//! | `ids` | how ids are made |
//! | `identity`, `prepared` | what comes out |
//! | `visits` | what is asked of visits by their number |
//! | `builder` | builds those of a grouped export; `parallel` does it on all threads |
//! | `prepared_rows` | those that were built before, checked |
//!
//! Building is a pure function of the visit's rows, the `Rules` and the start of the run. So any number of threads may
//! build, and every run makes the same bytes. Only `Visits::prepare` makes a [`Prepared`] visit.
//!
//! This room knows no file, no network and no clock.

mod batch;
mod body;
mod builder;
mod checks;
mod field;
mod formats;
mod identity;
mod ids;
mod json;
mod parallel;
mod pattern;
mod prepared;
mod prepared_rows;
mod problem;
mod reading;
mod rfc3339;
mod rules;
mod scene_ids;
mod scenes;
mod spelling;
mod time;
mod time_hints;
mod visit;
mod visits;
mod zone;

pub(crate) use body::BODY_START;
pub(crate) use builder::Builder;
pub(crate) use field::{Field, ValueSource};
pub(crate) use formats::{SHARED_DATE, TimeFormat, is_time_of_day};
pub use identity::Identity;
pub(crate) use identity::SceneId;
pub use ids::{Ids, SessionId, Version};
pub(crate) use parallel::{CHUNKS_PER_THREAD, at_once, in_order};
pub(crate) use pattern::{Pattern, Written};
pub(crate) use prepared::{Built, Glance};
pub use prepared::{Invalid, Parts, Prepared};
pub(crate) use prepared_rows::{Flaw, INVALID, PREPARED, PREPARED_COLUMNS, PreparedRows};
pub use problem::{Code, Problem, Problems};
pub(crate) use rules::{LocalDay, Rules};
pub(crate) use time::{Unit, without_format};
pub(crate) use visits::Visits;
pub(crate) use zone::Zone;
