//! One visit: its fields read and checked in the order of the vendor's list, its body written on the way.

use super::checks::{self, EMAIL, IDENTIFIER};
use super::field::{Cell, Columns, Field, refusal};
use super::problem::{Code, Problem, shown};
use super::time::{self, Reading, Refusal, Unit, Zone};
use super::{Builder, Built, Chunk, Identity, Invalid, Rules, body, scenes};
use crate::scan::{CellFault, Place};
use crate::shuffle::{KEY, Visit};
use chrono::{DateTime, NaiveDate, Timelike};

/// 2000-01-01T00:00:00Z: the API's customers did not photograph shelves before.
const EARLIEST: i64 = 946_684_800;
const DAY: i64 = 86_400;

/// The problems of a visit's own row.
struct Report {
    problems: Vec<Problem>,
    place: Option<Place>,
}

impl Report {
    fn add(&mut self, visit: Visit<'_>, field: &'static str, (code, message): Refusal) {
        let place = self.place.get_or_insert_with(|| visit.place()).clone();
        self.problems.push(Problem { code, field, message, place });
    }
}

pub(super) fn build(chunk: &Chunk<'_>, at: usize, json: &mut Vec<u8>) -> Result<Built, Box<Invalid>> {
    let builder = chunk.builder;
    let visit = chunk.visit(at);
    let rules = builder.rules;
    let columns = &builder.visits[visit.batch()];
    let row = visit.row();
    let start_of_body = json.len();
    let mut report = Report { problems: Vec::new(), place: None };

    let visit_id = columns.text(KEY, row);
    if let Some(conflict) = visit.conflict() {
        let others: Vec<String> = conflict.others.iter().map(Place::to_string).collect();
        let more = if conflict.more { ", …" } else { "" };
        let message = format!("{} is also in {}{more}, with other values", shown(visit_id), others.join(", "));
        report.add(visit, "visit_id", (Code::DuplicateVisit, message));
    }
    let bad_row = columns.rows.faults_of(row).iter().find(|fault| fault.column.is_none());
    if let Some(fault) = bad_row {
        report.add(visit, "row", refusal(fault));
    }
    match key(columns, row) {
        Err(refusal) => report.add(visit, "visit_id", refusal),
        Ok("") => report.add(visit, "visit_id", (Code::MissingField, "the visit has no key".to_owned())),
        Ok(_) => {}
    }
    // Which cell belongs to which column of such a row is anybody's guess, and so would its other problems be.
    let date = if bad_row.is_some() {
        None
    } else {
        fields(builder, visit, json, &mut |field, refusal| report.add(visit, field, refusal))
    };
    let session = rules.ids.session(visit_id);
    let mut problems = report.problems;
    let done = scenes::build(chunk, at, &session, json, &mut problems);
    if done.count == 0 && bad_row.is_none() && !visit_id.is_empty() {
        let message = "no row of the scenes export belongs to this visit".to_owned();
        problems.push(Problem { code: Code::NoScenes, field: "scenes", message, place: visit.place() });
    }
    json.push(b'}');
    match date {
        Some(visit_date) if problems.is_empty() => {
            Ok(Built { session_uid: session.uid, visit_date, scenes: done.count, identical_scenes: done.identical })
        }
        _ => {
            json.truncate(start_of_body);
            let key_fault = columns.rows.faults_of(row).iter().find(|fault| fault.column == Some(KEY as u16));
            let visit_id = match key_fault.map(|fault| &fault.what) {
                Some(CellFault::Undecodable(shown) | CellFault::Mangled(shown) | CellFault::Boolean(shown)) => shown,
                _ => visit_id,
            };
            Err(Box::new(Invalid {
                identity: Identity {
                    session_uid: (key_fault.is_none() && !visit_id.is_empty()).then_some(session.uid),
                    visit_id: visit_id.to_owned(),
                    store_number: store_number(rules, columns, row).unwrap_or_default().to_owned(),
                    visit_date: date.map(|date| date.to_string()).unwrap_or_default(),
                    scenes: done.count,
                    source: visit.place(),
                },
                problems,
            }))
        }
    }
}

/// Reads and checks all fields but the scenes, in the order of the vendor's list, and writes them. Returns the
/// visit's date.
fn fields<'a>(
    builder: &Builder<'a>,
    visit: Visit<'a>,
    json: &mut Vec<u8>,
    report: &mut dyn FnMut(&'static str, Refusal),
) -> Option<NaiveDate> {
    let rules = builder.rules;
    let columns = &builder.visits[visit.batch()];
    let row = visit.row();
    json.push(b'{');

    let own = rules.client_session_uid.as_ref().map_or(Ok(""), |field| text(columns, field, row));
    match own.map(|own| if own.is_empty() { columns.text(KEY, row) } else { own }) {
        Ok(uid) => {
            check(report, "client_session_uid", checks::length(uid, IDENTIFIER));
            body::key(json, "client_session_uid");
            body::string(json, uid);
        }
        Err(refusal) => report("client_session_uid", refusal),
    }

    match text(columns, &rules.store_number, row) {
        Ok("") => report("store_number", missing()),
        Ok(store) => {
            check(report, "store_number", checks::length(store, IDENTIFIER));
            match checks::not_mangled(store) {
                Err(refusal) => report("store_number", refusal),
                Ok(()) => known(report, "store_number", &rules.stores, store, Code::UnknownStore, "stores"),
            }
            body::key(json, "store_number");
            body::string(json, store);
        }
        Err(refusal) => report("store_number", refusal),
    }

    let start = time(rules, columns, &rules.session_start_time, row);
    let date = match (&rules.visit_date, &start) {
        (Some(field), _) => date(columns, field, row),
        // A start that is out of range has its own problem, and no date.
        (None, Ok(Some(start))) if time_in_range(*start, builder.now).is_err() => Ok(None),
        (None, Ok(Some(start))) => local_date(rules, columns, row, *start).map(Some),
        (None, _) => Ok(None),
    };
    let date = match date {
        Ok(Some(date)) => {
            // A start in milliseconds or in the future has its own problem, and no date worth comparing.
            if let Ok(Some(start)) = &start
                && time_in_range(*start, builder.now).is_ok()
            {
                check(report, "visit_date", date_matches(date, *start));
            }
            body::key(json, "visit_date");
            json.push(b'"');
            json.extend_from_slice(date.to_string().as_bytes());
            json.push(b'"');
            Some(date)
        }
        Ok(None) => {
            if rules.visit_date.is_some() {
                report("visit_date", missing());
            }
            None
        }
        Err(refusal) => {
            report("visit_date", refusal);
            None
        }
    };

    let start = match start {
        Ok(Some(start)) => {
            let in_range = time_in_range(start, builder.now);
            let usable = in_range.is_ok();
            check(report, "session_start_time", in_range);
            body::key(json, "session_start_time");
            body::integer(json, start);
            usable.then_some(start)
        }
        Ok(None) => {
            report("session_start_time", missing());
            None
        }
        Err(refusal) => {
            report("session_start_time", refusal);
            None
        }
    };

    if let Some(field) = &rules.visit_type_id {
        match number(columns, field, row) {
            Ok(None) => {}
            Ok(Some(number)) => {
                known(report, "visit_type_id", &rules.visit_types, &number, Code::UnknownVisitType, "visit types");
                body::key(json, "visit_type_id");
                json.extend_from_slice(number.as_bytes());
            }
            Err(refusal) => report("visit_type_id", refusal),
        }
    }

    if let Some(field) = &rules.session_end_time {
        match time(rules, columns, field, row) {
            Ok(None) => {}
            Ok(Some(end)) => {
                match time_in_range(end, builder.now) {
                    Err(refusal) => report("session_end_time", refusal),
                    Ok(()) => check(report, "session_end_time", in_order(start, end)),
                }
                body::key(json, "session_end_time");
                body::integer(json, end);
            }
            Err(refusal) => report("session_end_time", refusal),
        }
    }

    if let Some(field) = &rules.email_address {
        match text(columns, field, row) {
            Ok("") => {}
            Ok(address) => {
                check(report, "email_address", checks::length(address, EMAIL));
                match checks::email(address) {
                    Err(refusal) => report("email_address", refusal),
                    Ok(()) => known(report, "email_address", &rules.users, address, Code::UnknownUser, "users"),
                }
                body::key(json, "email_address");
                body::string(json, address);
            }
            Err(refusal) => report("email_address", refusal),
        }
    }
    date
}

fn missing() -> Refusal {
    (Code::MissingField, "the cell is empty; the API requires this field".to_owned())
}

fn check(report: &mut dyn FnMut(&'static str, Refusal), field: &'static str, result: Result<(), Refusal>) {
    if let Err(refusal) = result {
        report(field, refusal);
    }
}

fn known(
    report: &mut dyn FnMut(&'static str, Refusal),
    field: &'static str,
    list: &Option<std::collections::HashSet<String>>,
    value: &str,
    code: Code,
    of: &str,
) {
    if list.as_ref().is_some_and(|list| !list.contains(value)) {
        report(field, (code, format!("{} is not in the list of {of}", shown(value))));
    }
}

/// A text field's value, mapped.
fn text<'a>(columns: &Columns<'a>, field: &'a Field, row: usize) -> Result<&'a str, Refusal> {
    own_fault(columns, field, row)?;
    match columns.value(field, row) {
        Cell::Text(text) => field.mapped(text),
        _ => Ok(""),
    }
}

fn key<'a>(columns: &Columns<'a>, row: usize) -> Result<&'a str, Refusal> {
    let fault = columns.rows.faults_of(row).iter().find(|fault| fault.column == Some(KEY as u16));
    fault.map_or(Ok(columns.text(KEY, row)), |fault| Err(refusal(fault)))
}

fn own_fault(columns: &Columns<'_>, field: &Field, row: usize) -> Result<(), Refusal> {
    fault_of(columns, field.pick(), row)
}

/// What is wrong with a cell, if anything is.
fn fault_of(columns: &Columns<'_>, pick: Option<usize>, row: usize) -> Result<(), Refusal> {
    let Some(pick) = pick else { return Ok(()) };
    let faults = columns.rows.faults_of(row);
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

fn number(columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<String>, Refusal> {
    match cell(columns, field, row)? {
        Cell::Empty => Ok(None),
        Cell::Text(text) if is_nan(text) => Ok(None),
        cell => checks::integer(cell).map(Some),
    }
}

/// The zone of a row's times that carry none: of the row, of the column, of the job.
fn zone(rules: &Rules, columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<Zone>, Refusal> {
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

fn time(rules: &Rules, columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<i64>, Refusal> {
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
    match cell(columns, field, row)? {
        Cell::Empty => Ok(None),
        Cell::Text(written) if is_nan(written) => Ok(None),
        Cell::Text(written) => text(written).map(Some),
        Cell::Integer(value) if field.pattern.is_some() => text(&value.to_string()).map(Some),
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

fn date(columns: &Columns<'_>, field: &Field, row: usize) -> Result<Option<NaiveDate>, Refusal> {
    let refuse = |what: String| Err((Code::BadDate, format!("{what} is no date like 2024-03-05")));
    match cell(columns, field, row)? {
        Cell::Empty => Ok(None),
        Cell::Text(text) => time::date(text, field.pattern.as_ref()).map(Some),
        Cell::Integer(value) => match &field.pattern {
            Some(pattern) => time::date(&value.to_string(), Some(pattern)).map(Some),
            None => refuse(value.to_string()),
        },
        Cell::Float(value) => refuse(value.to_string()),
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
fn local_date(rules: &Rules, columns: &Columns<'_>, row: usize, start: i64) -> Result<NaiveDate, Refusal> {
    let zone = zone(rules, columns, &rules.session_start_time, row)?;
    zone.and_then(|zone| zone.date_at(start)).ok_or_else(|| {
        let message = "the date on the visit's day can only be told from its start with a time zone".to_owned();
        (Code::ZonelessTime, message)
    })
}

/// The visit's date for the selection of days; `None` where there is no valid one.
pub(super) fn date_of(rules: &Rules, columns: &Columns<'_>, row: usize) -> Option<NaiveDate> {
    match &rules.visit_date {
        Some(field) => date(columns, field, row).ok().flatten(),
        None => {
            let start = time(rules, columns, &rules.session_start_time, row).ok().flatten()?;
            local_date(rules, columns, row, start).ok()
        }
    }
}

fn time_in_range(epoch: i64, now: i64) -> Result<(), Refusal> {
    let message = if epoch < EARLIEST {
        match DateTime::from_timestamp(epoch, 0) {
            Some(time) => {
                format!("{epoch} is {} and lies before 2000; is it in seconds since 1970?", time.to_rfc3339())
            }
            None => format!("{epoch} lies before 2000"),
        }
    } else if epoch <= now.saturating_add(DAY) {
        return Ok(());
    } else {
        let names =
            [(1_000, "milliseconds", "ms"), (1_000_000, "microseconds", "us"), (1_000_000_000, "nanoseconds", "ns")];
        let fits = |per: &i64| (EARLIEST..=now.saturating_add(DAY)).contains(&(epoch / per));
        match names.iter().find(|(per, ..)| fits(per)) {
            Some((_, name, unit)) => {
                format!("{epoch} looks like {name}; say so with `unit = \"{unit}\"` in the job file")
            }
            None => match DateTime::from_timestamp(epoch, 0) {
                Some(time) => format!("{} lies more than 24 hours in the future", time.to_rfc3339()),
                None => format!("{epoch} is no time in seconds since 1970"),
            },
        }
    };
    Err((Code::TimeUnit, message))
}

fn in_order(start: Option<i64>, end: i64) -> Result<(), Refusal> {
    match start {
        Some(start) if end < start => {
            Err((Code::TimeOrder, format!("the visit ends {} s before it starts", start - end)))
        }
        _ => Ok(()),
    }
}

/// A local date differs from the UTC date by a day at most, whatever the zone.
fn date_matches(date: NaiveDate, start: i64) -> Result<(), Refusal> {
    let Some(utc) = DateTime::from_timestamp(start, 0).map(|time| time.date_naive()) else { return Ok(()) };
    if (date - utc).num_days().abs() <= 1 {
        return Ok(());
    }
    Err((Code::DateMismatch, format!("the visit's date is {date}, but it started on {utc} (UTC)")))
}
