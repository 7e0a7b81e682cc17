//! What earlier runs have left on record of each session, and what follows from it for a visit.
//!
//! The API keeps the first version of a session for ever, so a run looks before it sends: into the journal and the finished
//! file of its own result path, and into the result files of earlier runs. [`decide`] is the table of rules, a pure function
//! of a visit and of the rows of its session. This room knows no exports, no network and no job file.

mod buckets;
mod decide;
mod files;
mod gone;
mod known;
mod record;
mod today;

pub(crate) use decide::{Candidate, Decision, Explanation, Fate, Finding, Wanted, decide, explain};
pub(crate) use files::{EarlierFile, Origin, find_earlier};
pub(crate) use known::{Hashing, Known, body};
pub(crate) use record::{OwnRows, Record};
pub(crate) use today::{Today, TodayBuilder};
