//! From the cells of a row to the value of a field: as text, as a number, as a time, as a date, by the job's settings for
//! it. A value that cannot be read is a refusal; whether it may be sent is for the checks to say.

use super::Rules;
use super::checks;
use super::field::{Cell, Columns, Field, Origin, refusal};
use super::problem::{Code, shown};
use super::time::{self, Reading, Refusal, Unit, Zone};
use crate::scan::Fault;
use crate::shuffle::KEY;
use chrono::{DateTime, NaiveDate, Timelike};
use std::borrow::Cow;

const DAY: i64 = 86_400;

/// A text field's value, mapped.
#[inline]
pub(super) fn text<'a>(columns: &Columns<'a>, field: &'a Field, row: usize) -> Result<&'a str, Refusal> {
    own_fault(columns, field, row)?;
    match columns.value(field, row) {
        Cell::Text(text) => field.mapped(text),
        _ => Ok(""),
    }
}

/// The same for a field of a scene with these faults, whose cell for it says `cell`.
#[inline(always)]
pub(super) fn scene_text<'a>(faults: &[Fault], field: &'a Field, cell: &'a str) -> Result<&'a str, Refusal> {
    match &field.origin {
        Origin::Constant(text) => field.mapped(text),
        Origin::Column(pick) => {
            fault_among(faults, *pick)?;
            field.mapped(cell)
        }
    }
}

pub(super) fn key<'a>(columns: &Columns<'a>, row: usize) -> Result<&'a str, Refusal> {
    let fault = columns.rows.faults_of(row).iter().find(|fault| fault.column == Some(KEY as u16));
    fault.map_or(Ok(columns.text(KEY, row)), |fault| Err(refusal(fault)))
}

#[inline]
fn own_fault(columns: &Columns<'_>, field: &Field, row: usize) -> Result<(), Refusal> {
    fault_of(columns, field.pick(), row)
}

/// What is wrong with a cell, if anything is.
#[inline]
fn fault_of(columns: &Columns<'_>, pick: Option<usize>, row: usize) -> Result<(), Refusal> {
    match pick {
        Some(pick) => fault_among(columns.rows.faults_of(row), pick),
        None => Ok(()),
    }
}

#[inline(always)]
fn fault_among(faults: &[Fault], pick: usize) -> Result<(), Refusal> {
    if faults.is_empty() { Ok(()) } else { look_among(faults, pick) }
}

#[cold]
fn look_among(faults: &[Fault], pick: usize) -> Result<(), Refusal> {
    match faults.iter().find(|fault| fault.column.map(usize::from) == Some(pick)) {
        Some(fault) => Err(refusal(fault)),
        None => Ok(()),
    }
}

/// The store number as far as it can be told, for results.
pub(super) fn store_number<'a>(rules: &'a Rules, columns: &Columns<'a>, row: usize) -> Option<&'a str> {
    text(columns, &rules.store_number, row).ok()
}

/// The cell of a field that need not be text; what a map makes of it is.
#[inline]
fn cell<'a>(columns: &Columns<'a>, field: &'a Field, row: usize) -> Result<Cell<'a>, Refusal> {
    own_fault(columns, field, row)?;
    match columns.value(field, row) {
        Cell::Text(text) => match field.mapped(text)? {
            "" => Ok(Cell::Empty),
            text => Ok(Cell::Text(text)),
        },
        cell => Ok(cell),
    }
}

/// How data frames write an empty cell of a number column.
fn is_nan(text: &str) -> bool {
    text.eq_ignore_ascii_case("nan")
}

pub(super) fn number<'a>(columns: &Columns<'a>, field: &'a Field, row: usize) -> Result<Option<Cow<'a, str>>, Refusal> {
    match cell(columns, field, row)? {
        Cell::Empty => Ok(None),
        Cell::Text(text) if is_nan(text) => Ok(None),
        cell => checks::integer(cell).map(Some),
    }
}

/// The zone of a row's times that carry none: of the row, of the column, of the job.
pub(super) fn zone(rules: &Rules, columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<Zone>, Refusal> {
    if let Some(pick) = field.zone_column {
        fault_of(columns, Some(pick), row)?;
        let name = columns.text(pick, row);
        if !name.is_empty() {
            return Zone::parse(name).map(Some).ok_or_else(|| {
                (
                    Code::BadTime,
                    format!("{} in the time zone column is no zone like Europe/Paris or +01:00", shown(name)),
                )
            });
        }
    }
    Ok(field.zone.or(rules.zone))
}

pub(super) fn time(rules: &Rules, columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<i64>, Refusal> {
    let refuse = |what: &str| Err((Code::BadTime, format!("{what} is no time")));
    let unit = field.unit.unwrap_or(Unit::Seconds);
    let text = |text: &str| {
        // The zone is looked at only where it matters.
        let reading = Reading { pattern: field.pattern.as_ref(), unit: field.unit, zone: None };
        match time::instant(text, reading) {
            Err((Code::ZonelessTime, _)) => {
                time::instant(text, Reading { zone: zone(rules, columns, field, row)?, ..reading })
            }
            result => result,
        }
    };
    let cell = cell(columns, field, row)?;
    match cell {
        Cell::Empty => Ok(None),
        Cell::Text(written) if is_nan(written) => Ok(None),
        Cell::Text(written) => text(written).map(Some),
        // With a format its digits are what it says. A gap in a column of integers makes doubles of them.
        Cell::Integer(_) | Cell::Float(_) if field.pattern.is_some() => text(&cell.shown()).map(Some),
        Cell::Integer(value) => Ok(Some(value.div_euclid(unit.per_second()))),
        Cell::Float(value) => match time::from_float(value, unit) {
            Some(seconds) => Ok(Some(seconds)),
            None => refuse(&value.to_string()),
        },
        Cell::Boolean(value) => refuse(&value.to_string()),
        Cell::Date(_) => refuse("a date without a time of day"),
        Cell::Timestamp { value, unit, zone: Some(_) } => Ok(Some(value.div_euclid(unit.per_second()))),
        Cell::Timestamp { value, unit, zone: None } => {
            let seconds = value.div_euclid(unit.per_second());
            let Some(local) = DateTime::from_timestamp(seconds, 0) else { return refuse(&value.to_string()) };
            time::in_zone(local.naive_utc(), zone(rules, columns, field, row)?).map(Some)
        }
    }
}

pub(super) fn date(columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<NaiveDate>, Refusal> {
    let refuse = |what: String| Err((Code::BadDate, format!("{what} is no date like 2024-03-05")));
    let cell = cell(columns, field, row)?;
    match cell {
        Cell::Empty => Ok(None),
        Cell::Text(text) => time::date(text, field.pattern.as_ref()).map(Some),
        Cell::Integer(_) | Cell::Float(_) => match &field.pattern {
            Some(pattern) => time::date(&cell.shown(), Some(pattern)).map(Some),
            None => refuse(cell.shown()),
        },
        Cell::Boolean(value) => refuse(value.to_string()),
        Cell::Date(days) => match DateTime::from_timestamp(i64::from(days) * DAY, 0) {
            Some(date) => time::date(&date.date_naive().to_string(), None).map(Some),
            None => refuse(format!("day {days}")),
        },
        Cell::Timestamp { value, unit, zone } => {
            let (seconds, rest) = (value.div_euclid(unit.per_second()), value.rem_euclid(unit.per_second()));
            let written = time::in_reach(seconds).map(|utc| match zone.and_then(Zone::parse) {
                Some(Zone::Named(zone)) => utc.with_timezone(&zone).naive_local(),
                Some(Zone::Offset(zone)) => utc.with_timezone(&zone).naive_local(),
                None => utc.naive_utc(),
            });
            match written {
                Some(written) if rest == 0 && written.num_seconds_from_midnight() == 0 => Ok(Some(written.date())),
                Some(written) => refuse(format!("{written}, which is not midnight,")),
                None => refuse(value.to_string()),
            }
        }
    }
}

/// The date on the wall where the visit started, for exports without a date of their own.
pub(super) fn local_date(rules: &Rules, columns: &Columns<'_>, row: usize, start: i64) -> Result<NaiveDate, Refusal> {
    let zone = zone(rules, columns, &rules.session_start_time, row)?;
    zone.and_then(|zone| zone.date_at(start)).ok_or_else(|| {
        let message = "the date on the visit's day can only be told from its start with a time zone".to_owned();
        (Code::ZonelessTime, message)
    })
}

/// The visit's date for the selection of days; `None` where there is no valid one. `now`: the run's start.
pub(super) fn date_of(rules: &Rules, columns: &Columns<'_>, row: usize, now: i64) -> Option<NaiveDate> {
    match &rules.visit_date {
        Some(field) => date(columns, field, row).ok().flatten(),
        None => {
            let start = time(rules, columns, &rules.session_start_time, row).ok().flatten()?;
            // A start that is a problem itself makes no date, or a visit of 1970 would be in no slice of a migration.
            checks::time_in_range(start, now).ok()?;
            local_date(rules, columns, row, start).ok()
        }
    }
}
