//! `traxload schema`: what an editor wants to know of this program.

use super::Console;
use super::exit::{Exit, Failure};
use crate::job;

pub(super) fn schema(console: &Console) -> Result<Exit, Failure> {
    console.data(&format!("{:#}", job::schema()))?;
    Ok(Exit::Done)
}
