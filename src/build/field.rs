//! How a field of the API is filled: the job's settings for it.
//!
//! It does not know cells; `reading` applies these settings to them.

use super::pattern::Pattern;
use super::problem::{Code, FieldError, shown};
use super::time::Unit;
use super::zone::Zone;
use std::collections::HashMap;

/// Where a field's value comes from.
#[derive(Clone, Debug)]
pub(crate) enum ValueSource {
    /// The column with this index among the section's picks.
    Column(usize),
    /// One text for every row.
    Constant(String),
}

/// How a field is filled.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Where its value comes from.
    pub(crate) source: ValueSource,
    /// From values of the export to values of the API. A value that is not in it is a problem.
    pub(crate) map: Option<HashMap<String, String>>,
    /// How dates and times are written. `None`: one of the usual ways.
    pub(crate) pattern: Option<Pattern>,
    /// What a bare number counts, for times. `None`: seconds.
    pub(crate) unit: Option<Unit>,
    /// The zone of times that carry none. `None`: the zone of the job.
    pub(crate) zone: Option<Zone>,
    /// The index of the pick that holds each row's zone. Where the cell is empty, `zone` counts.
    pub(crate) zone_column: Option<usize>,
}

impl Field {
    /// A field that takes the cells of a pick as they stand.
    #[cfg(test)]
    pub(crate) fn column(pick: usize) -> Field {
        Field { source: ValueSource::Column(pick), map: None, pattern: None, unit: None, zone: None, zone_column: None }
    }

    /// The index of its column among the picks; `None` for a constant.
    pub(crate) fn pick(&self) -> Option<usize> {
        match self.source {
            ValueSource::Column(pick) => Some(pick),
            ValueSource::Constant(_) => None,
        }
    }

    /// What the map makes of a value of the export; without a map, the value itself. An empty value stays empty.
    #[inline(always)]
    pub(super) fn mapped<'a>(&'a self, value: &'a str) -> Result<&'a str, FieldError> {
        match &self.map {
            None => Ok(value),
            Some(map) => look_up(map, value),
        }
    }
}

fn look_up<'a>(map: &'a HashMap<String, String>, value: &'a str) -> Result<&'a str, FieldError> {
    if value.is_empty() {
        return Ok(value);
    }
    match map.get(value) {
        Some(mapped) => Ok(mapped),
        None => Err((Code::UnmappedValue, format!("{} is not in the job's map of this column", shown(value)))),
    }
}
