//! One visit: its fields read and checked in the order of the vendor's list, its body written on the way.

use super::checks::{self, EMAIL, IDENTIFIER};
use super::field::refusal;
use super::problem::{Code, Problem, Problems, shown};
use super::reading::{date, key, local_date, number, store_number, text, time};
use super::time::Refusal;
use super::{Builder, Built, Identity, Invalid, body, scenes};
use crate::scan::{CellFault, Location};
use crate::shuffle::{KEY, Visit};
use crate::text::visible;
use chrono::NaiveDate;
use std::borrow::Cow;

/// What every body begins with.
pub(crate) const BODY_START: &[u8] = b"{\"client_session_uid\":";

/// The scenes of a key are looked at for each of the rows that differ, up to so many scenes altogether; beyond that, for
/// the first row alone. A wrong column for the key makes all rows one visit, and rows times scenes would never end.
const EACH: usize = 200_000;

/// The problems of a visit's own row.
struct Report {
    problems: Problems,
    place: Option<Location>,
}

impl Report {
    fn add(&mut self, visit: Visit<'_>, field: &'static str, (code, message): Refusal) {
        let place = self.place.get_or_insert_with(|| visit.place()).clone();
        self.problems.add(Problem { code, field, message, place });
    }
}

pub(super) fn build(builder: &Builder<'_>, at: usize, json: &mut Vec<u8>) -> Result<Built, Box<Invalid>> {
    let visit = builder.grouped.visit(at);
    let rules = builder.rules;
    let columns = &builder.visits[visit.batch()];
    let row = visit.row();
    let start_of_body = json.len();
    let mut report = Report { problems: Problems::default(), place: None };

    let visit_id = columns.text(KEY, row);
    // Before everything else: the rounds of its hash wait for each other, and the processor reads the fields meanwhile.
    let session = rules.ids.session(visit_id);
    let conflict = visit.conflict();
    if let Some(conflict) = &conflict {
        let others: Vec<String> = conflict.others.iter().map(Location::to_string).collect();
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
    let mut problems = report.problems;
    let rows = conflict.map_or(1, |conflict| conflict.rows);
    let done = if visit.is_first() || rows.saturating_mul(visit.scenes().len()) <= EACH {
        scenes::build(rules, visit.scenes(), &session, json, &mut problems)
    } else {
        let (done, are_sound) = builder.shared_scenes.look_at(rules, visit.scenes(), &session);
        if !are_sound {
            problems.of_scenes_are_at(visit.first().place());
        }
        done
    };
    if done.count == 0 && bad_row.is_none() && !visit_id.is_empty() {
        let message = match visible(visit_id) {
            Cow::Borrowed(key) => format!("no scene of the scenes export has the key {}", shown(key)),
            Cow::Owned(key) => {
                format!("no scene of the scenes export has the key \"{key}\", with an invisible character")
            }
        };
        problems.add(Problem { code: Code::NoScenes, field: "scenes", message, place: visit.place() });
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
                Some(
                    CellFault::Undecodable(shown)
                    | CellFault::NotUtf8(shown)
                    | CellFault::Mangled(shown)
                    | CellFault::Boolean(shown),
                ) => shown,
                Some(CellFault::Cells { .. }) | None => visit_id,
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

    let own = rules.client_session_uid.as_ref().map_or(Ok(""), |field| text(columns, field, row));
    match own.map(|own| if own.is_empty() { columns.text(KEY, row) } else { own }) {
        Ok(uid) => {
            check(report, "client_session_uid", checks::length(uid, IDENTIFIER));
            json.extend_from_slice(BODY_START);
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
            body::key!(json, "store_number");
            body::string(json, store);
        }
        Err(refusal) => report("store_number", refusal),
    }

    let start = time(rules, columns, &rules.session_start_time, row);
    let date = match (&rules.visit_date, &start) {
        (Some(field), _) => date(columns, field, row),
        // A start that is out of range has its own problem, and no date.
        (None, Ok(Some(start))) if checks::time_in_range(*start, builder.now).is_err() => Ok(None),
        (None, Ok(Some(start))) => local_date(rules, columns, row, *start).map(Some),
        (None, _) => Ok(None),
    };
    let date = match date {
        Ok(Some(date)) => {
            // A start in milliseconds or in the future has its own problem, and no date worth comparing.
            if let Ok(Some(start)) = &start
                && checks::time_in_range(*start, builder.now).is_ok()
            {
                check(report, "visit_date", checks::date_matches(date, *start));
            }
            body::key!(json, "visit_date");
            body::date(json, date);
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
            let in_range = checks::time_in_range(start, builder.now);
            let usable = in_range.is_ok();
            check(report, "session_start_time", in_range);
            body::key!(json, "session_start_time");
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
                body::key!(json, "visit_type_id");
                json.extend_from_slice(number.as_bytes());
            }
            Err(refusal) => report("visit_type_id", refusal),
        }
    }

    if let Some(field) = &rules.session_end_time {
        match time(rules, columns, field, row) {
            Ok(None) => {}
            Ok(Some(end)) => {
                match checks::time_in_range(end, builder.now) {
                    Err(refusal) => report("session_end_time", refusal),
                    Ok(()) => check(report, "session_end_time", checks::in_order(start, end)),
                }
                body::key!(json, "session_end_time");
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
                body::key!(json, "email_address");
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
