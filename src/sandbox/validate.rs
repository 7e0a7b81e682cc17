//! Whether a request body is a session that the vendor would accept. A pure function of the body and the
//! known values. It does not know ids, projects or which sessions were received before.
//!
//! The vendor lists the checks (Sessions Input, "Validation and Errors"), but neither their order nor the
//! form of every value. Decided here:
//!
//! - Missing attributes come first, then mandatory ones that are null, empty or of another type. Each of
//!   these two messages names all such attributes, once each. Then formats, then unknown values: here the
//!   message names the first one only.
//! - A scene's attribute goes by its bare name, without a number, because the vendor's message holds names only.
//! - Optional attributes may be absent, but not null. Attributes that the vendor does not list are ignored.
//! - A `scene_uid` may be any text, because the ids in the vendor's own example are not UUIDs.
//! - Times need not be in order, because those in the vendor's own example are not.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::answers::Refusal;
use super::{FAILING_STORE, LOST_ANSWER_STORE, Options};

type Object = Map<String, Value>;

/// The mandatory attributes of a session. Those of a scene depend on an option.
const MANDATORY: [&str; 4] = ["store_number", "visit_date", "session_start_time", "scenes"];

/// The year 5138 in epoch seconds, but March 1973 in milliseconds: a larger number is not in seconds.
const TOO_LATE_FOR_SECONDS: u64 = 100_000_000_000;

/// What the rest of the sandbox needs of a session that passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Session {
    pub(super) store_number: String,
}

/// Checks a request body. The first check that fails gives the refusal.
pub(super) fn session(body: &[u8], options: &Options) -> Result<Session, Refusal> {
    let Ok(Value::Object(session)) = serde_json::from_slice(body) else {
        return Err(incorrect("request body", "JSON object"));
    };
    let scene_fields: &[&'static str] =
        if options.task_code_required { &["scene_uid", "task_code"] } else { &["scene_uid"] };
    attributes_are_there(&session, scene_fields)?;
    mandatory_fields_are_filled(&session, scene_fields)?;
    formats_are_correct(&session)?;
    values_are_known(&session, options)
}

fn attributes_are_there(session: &Object, scene_fields: &[&'static str]) -> Result<(), Refusal> {
    let mut missing = MANDATORY.to_vec();
    missing.retain(|field| !session.contains_key(*field));
    missing.extend(scene_fields.iter().filter(|field| scenes(session).any(|scene| !scene.contains_key(**field))));
    if missing.is_empty() { Ok(()) } else { Err(Refusal::MissingAttributes(missing)) }
}

/// The check that the vendor's page calls "Variable Types".
fn mandatory_fields_are_filled(session: &Object, scene_fields: &[&'static str]) -> Result<(), Refusal> {
    let is_filled = |object: &Object, field: &str| match (field, object.get(field)) {
        (_, None) => false,
        ("session_start_time", Some(value)) => value.is_number(),
        ("scenes", Some(value)) => {
            value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_object))
        }
        (_, Some(value)) => value.as_str().is_some_and(|text| !text.trim().is_empty()),
    };
    let mut unfilled = MANDATORY.to_vec();
    unfilled.retain(|field| !is_filled(session, field));
    unfilled.extend(scene_fields.iter().filter(|field| scenes(session).any(|scene| !is_filled(scene, field))));
    if unfilled.is_empty() { Ok(()) } else { Err(Refusal::MissingMandatoryFields(unfilled)) }
}

fn formats_are_correct(session: &Object) -> Result<(), Refusal> {
    check(session, "client_session_uid", "string (100)", |value| is_text_of(value, 100))?;
    check(session, "store_number", "string (100)", |value| is_text_of(value, 100))?;
    check(session, "visit_date", "YYYY-MM-DD", is_date)?;
    let epoch = "Epoch Unix Time timestamp in seconds";
    check(session, "session_start_time", epoch, is_epoch_seconds)?;
    check(session, "visit_type_id", "number", |value| value.is_i64() || value.is_u64())?;
    check(session, "session_end_time", epoch, is_epoch_seconds)?;
    check(session, "email_address", "string (255)", |value| is_text_of(value, 255))?;
    check(session, "email_address", "email address", is_email_address)?;
    for scene in scenes(session) {
        check(scene, "scene_uid", "string (100)", |value| is_text_of(value, 100))?;
        check(scene, "task_code", "string", Value::is_string)?;
    }
    Ok(())
}

fn values_are_known(session: &Object, options: &Options) -> Result<Session, Refusal> {
    let store_number = text(session, "store_number").unwrap_or_default();
    let is_always_known = [FAILING_STORE, LOST_ANSWER_STORE].contains(&store_number);
    if !is_always_known && !is_known(options.stores.as_ref(), store_number) {
        return Err(Refusal::UnknownStore(store_number.to_owned()));
    }
    if let (Some(known), Some(value)) = (&options.visit_types, session.get("visit_type_id"))
        && !value.as_i64().is_some_and(|id| known.contains(&id))
    {
        return Err(Refusal::UnknownLookupValue(value.to_string()));
    }
    let user = text(session, "email_address").map(|value| (value, options.users.as_ref()));
    let tasks =
        scenes(session).filter_map(|scene| text(scene, "task_code")).map(|value| (value, options.task_codes.as_ref()));
    for (value, known) in user.into_iter().chain(tasks) {
        if !is_known(known, value) {
            return Err(Refusal::UnknownLookupValue(value.to_owned()));
        }
    }
    Ok(Session { store_number: store_number.to_owned() })
}

/// The scenes that are objects. `mandatory_fields_are_filled` checks that all of them are.
fn scenes(session: &Object) -> impl Iterator<Item = &Object> {
    session.get("scenes").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn text<'a>(object: &'a Object, field: &str) -> Option<&'a str> {
    object.get(field).and_then(Value::as_str)
}

fn is_known(known: Option<&BTreeSet<String>>, value: &str) -> bool {
    known.is_none_or(|known| known.contains(value))
}

/// Checks the value of a field, if it has one.
fn check(
    object: &Object,
    field: &'static str,
    format: &'static str,
    fits: impl Fn(&Value) -> bool,
) -> Result<(), Refusal> {
    match object.get(field) {
        Some(value) if !fits(value) => Err(incorrect(field, format)),
        _ => Ok(()),
    }
}

fn incorrect(field: &'static str, format: &'static str) -> Refusal {
    Refusal::IncorrectFormat { field, format }
}

fn is_text_of(value: &Value, longest: usize) -> bool {
    value.as_str().is_some_and(|text| text.chars().count() <= longest)
}

/// The form is checked as well, because chrono also reads `2024-3-5` and `+2024-03-05`.
fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        text.len() == 10
            && text.bytes().enumerate().all(|(at, byte)| match at {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
            && text.parse::<chrono::NaiveDate>().is_ok()
    })
}

fn is_epoch_seconds(value: &Value) -> bool {
    value.as_u64().is_some_and(|seconds| seconds < TOO_LATE_FOR_SECONDS)
}

fn is_email_address(value: &Value) -> bool {
    value.as_str().and_then(|text| text.split_once('@')).is_some_and(|(name, domain)| {
        let is_part = |part: &str| !part.is_empty() && !part.contains(|c: char| c == '@' || c.is_whitespace());
        is_part(name) && is_part(domain) && domain.contains('.')
    })
}

#[cfg(test)]
mod tests;
