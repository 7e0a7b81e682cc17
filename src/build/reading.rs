//! From the cells of a row to the value of a field: as text, as a number, as a time, as a date, by the job's settings.
//!
//! A cell that cannot be read is a [`FieldError`]. Whether a value may be sent is up to `checks`.

use super::batch::{Cell, CellBatch, fault_error};
use super::checks::{self, SECONDS_PER_DAY};
use super::field::{Field, ValueSource};
use super::problem::{Code, FieldError, shown};
use super::rules::{LocalDay, Rules};
use super::time::{self, Unit};
use super::zone::{Zone, in_reach};
use crate::scan::Fault;
use crate::shuffle::KEY;
use crate::stand_ins::is_nan;
use chrono::{DateTime, NaiveDate, Timelike};
use std::borrow::Cow;

/// A row of the visits export, read by the rules of the job.
#[derive(Clone, Copy, Debug)]
pub(super) struct VisitRow<'a> {
    pub(super) rules: &'a Rules,
    pub(super) cells: &'a CellBatch<'a>,
    /// The index of the row in its batch.
    pub(super) at: usize,
}

impl<'a> VisitRow<'a> {
    /// What is wrong with the row and its cells.
    #[inline]
    pub(super) fn faults(self) -> &'a [Fault] {
        self.cells.faults(self.at)
    }

    /// The visit's key, whatever is wrong with its cell; empty where there is none.
    pub(super) fn raw_key(self) -> &'a str {
        self.cells.text(KEY, self.at)
    }

    /// The visit's key; empty where there is none.
    pub(super) fn key(self) -> Result<&'a str, FieldError> {
        check_faults(self.faults(), KEY)?;
        Ok(self.raw_key())
    }

    /// The value of a text field; empty where there is none.
    #[inline]
    pub(super) fn text(self, field: &'a Field) -> Result<&'a str, FieldError> {
        self.check_cell(field)?;
        match self.cells.value(field, self.at) {
            Cell::Text(text) => field.mapped(text),
            _ => Ok(""),
        }
    }

    /// The value of a field that is an integer, as its digits.
    pub(super) fn number(self, field: &'a Field) -> Result<Option<Cow<'a, str>>, FieldError> {
        match self.cell(field)? {
            Cell::Empty => Ok(None),
            Cell::Text(text) if is_nan(text) => Ok(None),
            cell => checks::integer(cell).map(Some),
        }
    }

    /// The value of a field that is a time, in epoch seconds.
    pub(super) fn time(self, field: &'a Field) -> Result<Option<i64>, FieldError> {
        let error = |what: &str| Err((Code::BadTime, format!("{what} is not a time")));
        let unit = field.unit.unwrap_or(Unit::Seconds);
        let cell = self.cell(field)?;
        match cell {
            Cell::Empty => Ok(None),
            Cell::Text(text) if is_nan(text) => Ok(None),
            Cell::Text(text) => self.written_time(field, text).map(Some),
            // With a format, the digits mean what the format says. A gap in a column of integers turns them into doubles.
            Cell::Integer(_) | Cell::Float(_) if field.pattern.is_some() => {
                self.written_time(field, &cell.number_text()).map(Some)
            }
            Cell::Integer(value) => Ok(Some(value.div_euclid(unit.per_second()))),
            Cell::Float(value) => match time::from_float(value, unit) {
                Some(seconds) => Ok(Some(seconds)),
                None => error(&value.to_string()),
            },
            Cell::Boolean(value) => error(&value.to_string()),
            Cell::Date(_) => error("a date without a time of day"),
            Cell::Timestamp { value, unit, zone: Some(_) } => Ok(Some(value.div_euclid(unit.per_second()))),
            Cell::Timestamp { value, unit, zone: None } => {
                let seconds = value.div_euclid(unit.per_second());
                let Some(local) = DateTime::from_timestamp(seconds, 0) else { return error(&value.to_string()) };
                time::in_zone(local.naive_utc(), self.zone(field)?).map(Some)
            }
        }
    }

    /// Whether the start is midnight as it is written: on the wall of its own zone, an instant in UTC. `None` where it cannot
    /// be read.
    pub(super) fn starts_at_midnight(self) -> Option<bool> {
        let field = &self.rules.session_start_time;
        let start = self.time(field).ok().flatten()?;
        let written = match (self.cell(field).ok()?, &field.pattern) {
            (Cell::Text(text), Some(pattern)) => pattern.written(text).and_then(|written| written.time),
            (number @ (Cell::Integer(_) | Cell::Float(_)), Some(pattern)) => {
                pattern.written(&number.number_text()).and_then(|written| written.time)
            }
            (Cell::Text(text), None) => time::without_format(text).and_then(|written| written.time),
            (Cell::Timestamp { value, unit, .. }, _) => {
                return Some(value.div_euclid(unit.per_second()).rem_euclid(SECONDS_PER_DAY) == 0);
            }
            _ => None,
        };
        Some(match written {
            Some(time) => time.num_seconds_from_midnight() == 0,
            None => start.rem_euclid(SECONDS_PER_DAY) == 0,
        })
    }

    /// A time as text, in epoch seconds.
    fn written_time(self, field: &'a Field, text: &str) -> Result<i64, FieldError> {
        let moment = time::moment(text, field.pattern.as_ref(), field.unit)?;
        time::instant(moment, || self.zone(field))
    }

    /// The zone that a field's time is written in. UTC is none, and the timestamps of Parquet are instants in UTC.
    pub(super) fn own_zone(self, field: &'a Field) -> Option<Zone> {
        if field.pattern.as_ref().is_some_and(|pattern| !pattern.reads_an_offset()) {
            return None;
        }
        let Ok(Cell::Text(text)) = self.cell(field) else { return None };
        time::moment(text, field.pattern.as_ref(), field.unit).ok()?.own_zone()
    }

    /// The zone of a field's times that carry none: the row's, else the field's, else the job's.
    pub(super) fn zone(self, field: &Field) -> Result<Option<Zone>, FieldError> {
        Ok(self.zone_of_row(field)?.or(field.zone).or(self.rules.zone))
    }

    /// The zone that a column names for this row.
    fn zone_of_row(self, field: &Field) -> Result<Option<Zone>, FieldError> {
        let Some(pick) = field.zone_column else { return Ok(None) };
        check_faults(self.faults(), pick)?;
        let name = self.cells.text(pick, self.at);
        if name.is_empty() {
            return Ok(None);
        }
        Zone::parse(name).map(Some).ok_or_else(|| {
            let name = shown(name);
            let message = format!("{name} in the time zone column is not a zone like Europe/Paris or +01:00");
            (Code::BadTime, message)
        })
    }

    /// The value of a field that is a date.
    pub(super) fn date(self, field: &'a Field) -> Result<Option<NaiveDate>, FieldError> {
        let error = |what: String| Err((Code::BadDate, format!("{what} is not a date like 2024-03-05")));
        let cell = self.cell(field)?;
        match cell {
            Cell::Empty => Ok(None),
            Cell::Text(text) => time::date(text, field.pattern.as_ref()).map(Some),
            Cell::Integer(_) | Cell::Float(_) => time::date(&cell.number_text(), field.pattern.as_ref()).map(Some),
            Cell::Boolean(value) => error(value.to_string()),
            Cell::Date(days) => match DateTime::from_timestamp(i64::from(days) * SECONDS_PER_DAY, 0) {
                Some(date) => time::date(&date.date_naive().to_string(), None).map(Some),
                None => error(format!("day {days}")),
            },
            Cell::Timestamp { value, unit, zone } => {
                let (seconds, rest) = (value.div_euclid(unit.per_second()), value.rem_euclid(unit.per_second()));
                let written = in_reach(seconds).map(|utc| match zone.and_then(Zone::parse) {
                    Some(Zone::Named(zone)) => utc.with_timezone(&zone).naive_local(),
                    Some(Zone::Offset(zone)) => utc.with_timezone(&zone).naive_local(),
                    None => utc.naive_utc(),
                });
                match written {
                    Some(written) if rest == 0 && written.num_seconds_from_midnight() == 0 => Ok(Some(written.date())),
                    Some(written) => error(format!("{written}, which is not midnight,")),
                    None => error(value.to_string()),
                }
            }
        }
    }

    /// The visit's date: the field's where the job maps one, else the local date of the start.
    ///
    /// `start`: in epoch seconds; `None` where it is missing or has a problem of its own, and then it gives no date.
    pub(super) fn visit_date(self, start: Option<i64>) -> Result<Option<NaiveDate>, FieldError> {
        match (&self.rules.visit_date, start) {
            (Some(field), _) => self.date(field),
            (None, Some(start)) => self.local_date(start).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The local date where and when the visit started: by the zone that a column names for the row; else by the zone that
    /// the start is written in, and by that of the job.
    fn local_date(self, start: i64) -> Result<NaiveDate, FieldError> {
        let field = &self.rules.session_start_time;
        let (own, zone) = match self.zone_of_row(field)? {
            Some(zone) => (None, Some(zone)),
            None => (self.own_zone(field), field.zone.or(self.rules.zone)),
        };
        let day = |zone: Option<Zone>| zone.and_then(|zone| zone.date_at(start));
        match (day(own), day(zone), self.rules.local_day) {
            (Some(of_own), Some(of_zone), None) if of_own != of_zone => {
                Err(two_days(start, of_own, of_zone, own, zone))
            }
            (Some(day), _, None | Some(LocalDay::Offset)) | (None, Some(day), _) | (Some(day), None, _) => Ok(day),
            (Some(_), Some(day), Some(LocalDay::Timezone)) => Ok(day),
            (None, None, _) => {
                let message = "the visit's local date follows from its start only where a time zone is known, and the start is written in none but UTC: name the zone with `timezone` under [time] or with timezone_column, or map visit_date";
                Err((Code::ZonelessTime, message.to_owned()))
            }
        }
    }

    /// The visit's date where it can be told. `now`: the start of the run in epoch seconds.
    pub(super) fn known_visit_date(self, now: i64) -> Option<NaiveDate> {
        let start = match self.rules.visit_date {
            Some(_) => None,
            None => self.time(&self.rules.session_start_time).ok().flatten(),
        };
        // Milliseconds read as seconds, or a start in 1970, would put the visit on a day that no run asks for.
        let start = start.filter(|start| checks::time_in_range(*start, now).is_ok());
        self.visit_date(start).ok().flatten()
    }

    /// The store number where it can be told; else empty.
    pub(super) fn known_store_number(self) -> &'a str {
        self.text(&self.rules.store_number).unwrap_or_default()
    }

    /// The cell of a field that need not be text. What a map makes of a cell is text.
    #[inline]
    fn cell(self, field: &'a Field) -> Result<Cell<'a>, FieldError> {
        self.check_cell(field)?;
        match self.cells.value(field, self.at) {
            Cell::Text(text) => match field.mapped(text)? {
                "" => Ok(Cell::Empty),
                text => Ok(Cell::Text(text)),
            },
            cell => Ok(cell),
        }
    }

    /// The fault of the cell that fills a field, if it has one.
    #[inline]
    fn check_cell(self, field: &Field) -> Result<(), FieldError> {
        match field.pick() {
            Some(pick) => check_faults(self.faults(), pick),
            None => Ok(()),
        }
    }
}

/// The problem of a start that lies on one day by its own zone, and on another by the job's.
fn two_days(start: i64, of_own: NaiveDate, of_zone: NaiveDate, own: Option<Zone>, zone: Option<Zone>) -> FieldError {
    let name = |zone: Option<Zone>| zone.map(Zone::name).unwrap_or_default();
    let written = own.and_then(|own| own.time_at(start)).unwrap_or_default();
    let message = format!(
        "the start {written} is on {of_own} by its own {}, and on {of_zone} in {}: say with local_day = \"offset\" or \"timezone\" under [time] which of them tells the day, or map visit_date",
        match own {
            Some(Zone::Named(_)) => "zone",
            _ => "offset",
        },
        name(zone)
    );
    (Code::BadDate, message)
}

/// The value of a scene's field. `faults` are those of the scene's row, and `cell` is what [`scene_column`] holds.
#[inline(always)]
pub(super) fn scene_text<'a>(faults: &[Fault], field: &'a Field, cell: &'a str) -> Result<&'a str, FieldError> {
    match &field.source {
        ValueSource::Constant(text) => field.mapped(text),
        ValueSource::Column(pick) => {
            check_faults(faults, *pick)?;
            field.mapped(cell)
        }
    }
}

/// The column of the scenes that fills a field. A constant has none and gets the column of the visit's key, which is
/// empty in every scene.
pub(super) fn scene_column(field: &Field) -> usize {
    field.pick().unwrap_or(KEY)
}

/// The fault of the cell of a pick, if there is one.
#[inline(always)]
fn check_faults(faults: &[Fault], pick: usize) -> Result<(), FieldError> {
    if faults.is_empty() { Ok(()) } else { find_fault(faults, pick) }
}

#[cold]
fn find_fault(faults: &[Fault], pick: usize) -> Result<(), FieldError> {
    match faults.iter().find(|fault| fault.column.map(usize::from) == Some(pick)) {
        Some(fault) => Err(fault_error(fault)),
        None => Ok(()),
    }
}
