//! One visit: reads its values, collects all its problems, and has its body written.
//!
//! Problems are listed in this order: other rows with the same key, the row as a whole, the key, scenes under
//! nearly the same key, the fields in the vendor's order, the scenes in the order of the export. The order of the fields in
//! a body is the business of `body`.

use super::batch::fault_error;
use super::body::{self, SessionFields};
use super::checks::{self, EMAIL_LENGTH, IDENTIFIER_LENGTH};
use super::identity::Identity;
use super::ids::SessionId;
use super::prepared::{Built, Invalid, OptionalFields, likeness};
use super::problem::{Code, FieldError, Problem, Problems, shown};
use super::reading::VisitRow;
use super::scenes::{self, SharedScenes};
use super::spelling;
use crate::scan::{CellFault, Location};
use crate::shuffle::{KEY, Visit};
use crate::text::{count, visible};
use crate::unseen::Unseen;
use chrono::NaiveDate;
use std::borrow::Cow;

/// Checks a visit and appends its body to `json`; nothing is appended for an invalid one.
///
/// `row` is the row of `visit`. `now`: the start of the run in epoch seconds.
pub(super) fn build(
    visit: Visit<'_>,
    row: VisitRow<'_>,
    now: i64,
    shared_scenes: &SharedScenes,
    json: &mut Vec<u8>,
) -> Result<Built, Box<Invalid>> {
    let start_of_body = json.len();
    let mut problems = RowProblems { visit, found: Problems::default() };
    // The id comes first, because the processor can read fields while the rounds of its hash wait for each other.
    let session = row.rules.ids.session(row.raw_key());
    let is_shared = check_duplicates(visit, row, &mut problems);
    let bad_row = row.faults().iter().find(|fault| fault.column.is_none());
    if let Some(fault) = bad_row {
        problems.add("row", fault_error(fault));
    }
    match row.key() {
        Err(error) => problems.add("visit_id", error),
        Ok("") => problems.add("visit_id", (Code::MissingField, "the visit has no key".to_owned())),
        Ok(key) => {
            let named = || if is_shared { spelling::names_a_visit(key) } else { Ok(()) };
            let checked =
                spelling::unless_accepted(row.rules, named()).and_then(|()| scenes::check_key(row.rules, key));
            problems.value("visit_id", checked);
        }
    }
    check_near_keys(visit, row, &mut problems);
    // In a row with too many or too few cells, cells may belong to other columns, and any other problem would be a guess.
    let fields = if bad_row.is_some() { None } else { fields(row, now, &mut problems) };
    let scene_count = if bad_row.is_some() { None } else { scene_count(row, &mut problems) };
    let mut problems = problems.found;

    // Rows of one key share its scenes: the first lists what is wrong with them. None of these rows is sent.
    let mut write_scenes = |json: &mut Vec<u8>| match visit.is_first() {
        true => scenes::build(row.rules, visit.scenes(), &session, json, &mut problems),
        false => shared_scenes.count(row.rules, visit.scenes(), &session),
    };
    let scenes = match &fields {
        Some(fields) => body::session(json, fields, write_scenes),
        None => write_scenes(json),
    };
    if scenes.distinct == 0 && bad_row.is_none() && !row.raw_key().is_empty() {
        problems.add(no_scenes(visit, row.raw_key()));
    }
    if let Some((code, message)) = scene_count.and_then(|count| checks::scene_count(&count, scenes.distinct).err()) {
        problems.add(Problem { code, field: "scene_count", message, location: visit.location() });
    }

    match fields {
        Some(fields) if problems.is_empty() => Ok(Built {
            session_uid: session.uid,
            visit_date: fields.visit_date,
            scenes: scenes.distinct,
            identical_scenes: scenes.identical,
            has: OptionalFields {
                visit_type_id: fields.visit_type_id.is_some(),
                session_end_time: fields.session_end_time.is_some(),
                email_address: fields.email_address.is_some(),
                task_codes: scenes.with_task,
            },
            likeness: likeness(fields.store_number, fields.session_start_time, fields.email_address),
        }),
        _ => {
            json.truncate(start_of_body);
            let visit_date = if bad_row.is_some() { None } else { row.known_visit_date(now) };
            let identity = invalid_identity(visit, row, &session, visit_date, scenes.distinct);
            Err(Box::new(Invalid { identity, problems }))
        }
    }
}

/// Collects the problems of a visit's own row.
struct RowProblems<'a> {
    visit: Visit<'a>,
    found: Problems,
}

impl RowProblems<'_> {
    fn add(&mut self, field: &'static str, (code, message): FieldError) {
        self.found.add(Problem { code, field, message, location: self.visit.location() });
    }

    /// The value of a field. An error becomes a problem, and there is no value.
    fn value<T>(&mut self, field: &'static str, value: Result<T, FieldError>) -> Option<T> {
        value.map_err(|error| self.add(field, error)).ok()
    }

    /// The value of a mandatory field. An error or a missing value becomes a problem.
    fn mandatory<T>(&mut self, field: &'static str, value: Result<Option<T>, FieldError>) -> Option<T> {
        let missing = || (Code::MissingField, "the cell is empty; the API requires this field".to_owned());
        self.value(field, value.and_then(|value| value.ok_or_else(missing)))
    }
}

/// Reports the other rows with the visit's key, where they differ from its row. Returns whether there are any.
fn check_duplicates(visit: Visit<'_>, row: VisitRow<'_>, problems: &mut RowProblems<'_>) -> bool {
    let Some(conflict) = visit.conflict() else { return false };
    let others: Vec<String> = conflict.others.iter().map(Location::to_string).collect();
    let mut others = others.join(", ");
    if conflict.more {
        others.push_str(", …");
    }
    let key = shown(row.raw_key());
    let left_out = "a row of another day, which --from or --to leaves out";
    let message = match (others.as_str(), conflict.left_out) {
        (others, false) => format!("{key} is also in {others}, with other values"),
        ("", true) => format!("{key} is also in {left_out}; `traxload check` without them names it"),
        (others, true) => format!("{key} is also in {others} and in {left_out}, with other values"),
    };
    problems.add("visit_id", (Code::DuplicateVisit, message));
    true
}

/// Reports scenes of no visit whose key is nearly this one, at the place of the first scene of each key.
fn check_near_keys(visit: Visit<'_>, row: VisitRow<'_>, problems: &mut RowProblems<'_>) {
    let Some(near) = visit.near().filter(|_| !row.rules.accepts(Code::NearKey)) else { return };
    for (at, other) in near.listed().iter().enumerate() {
        let more = match near.more() {
            scenes if scenes > 0 && at + 1 == near.listed().len() => {
                format!("; {} like it", count(scenes, "more scene has another key", "more scenes have other keys"))
            }
            _ => String::new(),
        };
        let message = format!(
            "{} the key {}, almost this visit's {} (different: {}){more}",
            count(other.scenes, "scene has", "scenes have"),
            shown(&other.key),
            shown(row.raw_key()),
            visit.differences(&other.key),
        );
        problems.found.add(Problem { code: Code::NearKey, field: "visit_id", message, location: other.first.clone() });
    }
}

/// Reads and checks a visit's own fields in the vendor's order, which is the order of their problems. `None` where a
/// mandatory one has no value; then there is at least one problem.
fn fields<'a>(row: VisitRow<'a>, now: i64, problems: &mut RowProblems<'_>) -> Option<SessionFields<'a>> {
    let rules = row.rules;
    let start = row.time(&rules.session_start_time);
    // What else is told by the start. One that is out of range has a problem of its own and tells nothing.
    let start_in_range = start.as_ref().ok().copied().flatten().filter(|at| checks::time_in_range(*at, now).is_ok());

    let client_session_uid = client_session_uid(row, problems);
    let store_number = store_number(row, problems);
    let visit_date = visit_date(row, start_in_range, problems);
    let session_start_time = problems.mandatory("session_start_time", start);
    if let Some(start) = session_start_time {
        problems.value("session_start_time", checks::time_in_range(start, now));
    }
    let visit_type_id = visit_type_id(row, problems);
    let session_end_time = session_end_time(row, start_in_range, now, problems);
    let email_address = email_address(row, problems);
    Some(SessionFields {
        client_session_uid: client_session_uid?,
        store_number: store_number?,
        visit_date: visit_date?,
        session_start_time: session_start_time?,
        visit_type_id,
        session_end_time,
        email_address,
    })
}

fn client_session_uid<'a>(row: VisitRow<'a>, problems: &mut RowProblems<'_>) -> Option<&'a str> {
    let value = row.rules.client_session_uid.as_ref().map_or(Ok(""), |field| row.text(field));
    let value = problems.value("client_session_uid", value)?;
    let uid = if value.is_empty() { row.raw_key() } else { value };
    problems.value("client_session_uid", checks::length(uid, IDENTIFIER_LENGTH));
    Some(uid)
}

fn store_number<'a>(row: VisitRow<'a>, problems: &mut RowProblems<'_>) -> Option<&'a str> {
    let value = row.text(&row.rules.store_number).map(|store| Some(store).filter(|store| !store.is_empty()));
    let store = problems.mandatory("store_number", value)?;
    problems.value("store_number", checks::length(store, IDENTIFIER_LENGTH));
    let is_known = || checks::in_list(&row.rules.stores, store, Code::UnknownStore, "stores");
    let spelled = check_name(row, store).and_then(|()| checks::not_mangled(store));
    problems.value("store_number", spelled.and_then(|()| is_known()));
    Some(store)
}

/// `start`: the visit's start, where it is known and in range.
fn visit_date(row: VisitRow<'_>, start: Option<i64>, problems: &mut RowProblems<'_>) -> Option<NaiveDate> {
    let value = row.visit_date(start);
    // Without a field of its own the date is missing only together with the start, which has a problem already.
    let date = match row.rules.visit_date {
        Some(_) => problems.mandatory("visit_date", value)?,
        None => problems.value("visit_date", value)??,
    };
    if let Some(start) = start {
        problems.value("visit_date", checks::date_matches(date, start));
    }
    Some(date)
}

fn visit_type_id<'a>(row: VisitRow<'a>, problems: &mut RowProblems<'_>) -> Option<Cow<'a, str>> {
    let field = row.rules.visit_type_id.as_ref()?;
    let number = problems.value("visit_type_id", row.number(field))??;
    let list = &row.rules.visit_types;
    problems.value("visit_type_id", checks::in_list(list, &number, Code::UnknownVisitType, "visit types"));
    Some(number)
}

/// `start`: the visit's start, where it is known and in range.
fn session_end_time(row: VisitRow<'_>, start: Option<i64>, now: i64, problems: &mut RowProblems<'_>) -> Option<i64> {
    let field = row.rules.session_end_time.as_ref()?;
    let end = problems.value("session_end_time", row.time(field))??;
    let order = || start.map_or(Ok(()), |start| checks::times_in_order(start, end));
    problems.value("session_end_time", checks::time_in_range(end, now).and_then(|()| order()));
    Some(end)
}

fn email_address<'a>(row: VisitRow<'a>, problems: &mut RowProblems<'_>) -> Option<&'a str> {
    let field = row.rules.email_address.as_ref()?;
    let address = problems.value("email_address", row.text(field))?;
    if address.is_empty() {
        return None;
    }
    problems.value("email_address", checks::length(address, EMAIL_LENGTH));
    let is_known = || checks::in_list(&row.rules.users, address, Code::UnknownUser, "users");
    let spelled = check_name(row, address).and_then(|()| checks::email(address));
    problems.value("email_address", spelled.and_then(|()| is_known()));
    Some(address)
}

/// How a store or an address is spelled. A placeholder, or a value with an invisible character, has no other problem.
fn check_name(row: VisitRow<'_>, name: &str) -> Result<(), FieldError> {
    if spelling::is_plain(name) {
        return Ok(());
    }
    spelling::unless_accepted(row.rules, spelling::stands_for_something(name))?;
    spelling::unless_accepted(row.rules, spelling::visible(name))
}

/// How many scenes the export says that the visit has.
fn scene_count<'a>(row: VisitRow<'a>, problems: &mut RowProblems<'_>) -> Option<Cow<'a, str>> {
    let field = row.rules.scene_count.as_ref()?;
    problems.value("scene_count", row.number(field))?
}

fn no_scenes(visit: Visit<'_>, key: &str) -> Problem {
    let message = match visible(key) {
        Cow::Borrowed(key) => format!("no scene of the scenes export has the key {}", shown(key)),
        Cow::Owned(shown) => {
            let name = key.chars().find_map(Unseen::of).map_or("an unusual blank", Unseen::name);
            format!("no scene of the scenes export has the key \"{shown}\", with {name}")
        }
    };
    Problem { code: Code::NoScenes, field: "scenes", message, location: visit.location() }
}

/// What can be told of an invalid visit. A key that could not be read is shown as far as it can be, and gives no id.
fn invalid_identity(
    visit: Visit<'_>,
    row: VisitRow<'_>,
    session: &SessionId,
    visit_date: Option<NaiveDate>,
    scenes: u32,
) -> Identity {
    let key_fault = row.faults().iter().find(|fault| fault.column == Some(KEY as u16));
    let visit_id = match key_fault.map(|fault| &fault.what) {
        Some(
            CellFault::Undecodable(shown)
            | CellFault::NotUtf8(shown)
            | CellFault::Mangled(shown)
            | CellFault::Boolean(shown),
        ) => shown,
        Some(CellFault::Cells { .. }) | None => row.raw_key(),
    };
    Identity {
        session_uid: (key_fault.is_none() && !visit_id.is_empty()).then_some(session.uid),
        visit_id: visit_id.to_owned(),
        store_number: row.known_store_number().to_owned(),
        visit_date: visit_date.map(|date| date.to_string()).unwrap_or_default(),
        scenes,
        source: visit.location(),
    }
}
