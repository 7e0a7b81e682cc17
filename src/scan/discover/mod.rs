//! Which files an export consists of, and in which order.
//!
//! It looks at names only; no file is opened here. What the files hold is the business of the other modules.

mod find;
mod found;
mod hidden;
mod local;
mod objects;

pub(super) use find::find;
pub(super) use found::FoundFile;
