//! Which files an export consists of, and in which order.
//!
//! It looks at names, kinds and times only; no file is opened here. What the files hold is the business of the other
//! modules.

mod find;
mod found;
mod hidden;
mod local;
mod names;
mod objects;
mod tables;

pub(super) use find::find;
pub(super) use found::{FoundFile, LeftOut};
