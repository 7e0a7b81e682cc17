//! The JSON body of a session: which fields it has and in which order.
//!
//! Fields, order and types are the vendor's (Sessions Input, "Request Details"). It does not know where the values come
//! from, nor what is wrong with them.

use super::json::{date, fill_in_uuid, integer, string, string_content};
use chrono::NaiveDate;
use std::borrow::Cow;
use uuid::Uuid;

/// The bytes that every body begins with.
pub(crate) const BODY_START: &[u8] = b"{\"client_session_uid\":";

/// The values of a session's own fields, in the vendor's order.
#[derive(Debug)]
pub(super) struct SessionFields<'a> {
    /// "string (100)"
    pub(super) client_session_uid: &'a str,
    /// "string (100) *"
    pub(super) store_number: &'a str,
    /// "string (YYYY-MM-DD) *"
    pub(super) visit_date: NaiveDate,
    /// "number (Epoch Unix Time timestamp) *", in seconds
    pub(super) session_start_time: i64,
    /// "number (255)", as its digits
    pub(super) visit_type_id: Option<Cow<'a, str>>,
    /// "number (Epoch Unix Time timestamp)", in seconds
    pub(super) session_end_time: Option<i64>,
    /// "string (255)"
    pub(super) email_address: Option<&'a str>,
}

/// Appends `,"name":`. The name is a literal, so that the compiler copies it as one piece.
macro_rules! key {
    ($into:expr, $name:literal) => {
        $into.extend_from_slice(concat!(",\"", $name, "\":").as_bytes())
    };
}

/// Appends the body of a session, its fields in the vendor's order. An optional field without a value is left out.
///
/// `scenes` appends the scenes with commas between them (see [`scene`]); what it returns is returned.
pub(super) fn session<T>(into: &mut Vec<u8>, fields: &SessionFields<'_>, scenes: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    into.extend_from_slice(BODY_START);
    string(into, fields.client_session_uid);
    key!(into, "store_number");
    string(into, fields.store_number);
    key!(into, "visit_date");
    date(into, fields.visit_date);
    key!(into, "session_start_time");
    integer(into, fields.session_start_time);
    if let Some(digits) = &fields.visit_type_id {
        key!(into, "visit_type_id");
        into.extend_from_slice(digits.as_bytes());
    }
    if let Some(end) = fields.session_end_time {
        key!(into, "session_end_time");
        integer(into, end);
    }
    if let Some(address) = fields.email_address {
        key!(into, "email_address");
        string(into, address);
    }
    key!(into, "scenes");
    into.push(b'[');
    let written = scenes(into);
    into.extend_from_slice(b"]}");
    written
}

/// Appends a scene: `scene_uid`, then `task_code`, which is left out where it is empty.
#[inline]
pub(super) fn scene(into: &mut Vec<u8>, id: Uuid, task_code: &str) {
    const START: &[u8] = b"{\"scene_uid\":\"00000000-0000-0000-0000-000000000000\"";
    const WITH_TASK: &[u8] = b"{\"scene_uid\":\"00000000-0000-0000-0000-000000000000\",\"task_code\":\"";
    let at = into.len();
    into.extend_from_slice(if task_code.is_empty() { START } else { WITH_TASK });
    // The id is written where it stays. Written elsewhere and copied, it would make the copy wait.
    if let Some(text) = into[at..].first_chunk_mut::<{ START.len() }>() {
        fill_in_uuid(&mut text[14..50], id);
    }
    if task_code.is_empty() {
        into.push(b'}');
    } else {
        string_content(into, task_code);
        into.extend_from_slice(b"\"}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: SessionFields<'_> = SessionFields {
        client_session_uid: "My_session_uid",
        store_number: "100050000000008",
        visit_date: NaiveDate::from_ymd_opt(2017, 6, 2).expect("a day"),
        session_start_time: 1_496_587_649,
        visit_type_id: Some(Cow::Borrowed("801")),
        session_end_time: Some(1_496_587_700),
        email_address: Some("john@example.com"),
    };

    fn body(fields: &SessionFields<'_>) -> String {
        let mut body = Vec::new();
        session(&mut body, fields, |body| {
            scene(body, Uuid::from_u128(1), "1");
            body.push(b',');
            scene(body, Uuid::from_u128(2), "");
        });
        String::from_utf8(body).expect("UTF-8")
    }

    #[test]
    fn fields_stand_in_the_vendors_order() {
        let expected = r#"{"client_session_uid":"My_session_uid","store_number":"100050000000008","visit_date":"2017-06-02","session_start_time":1496587649,"visit_type_id":801,"session_end_time":1496587700,"email_address":"john@example.com","scenes":[{"scene_uid":"00000000-0000-0000-0000-000000000001","task_code":"1"},{"scene_uid":"00000000-0000-0000-0000-000000000002"}]}"#;
        assert_eq!(body(&FULL), expected);
    }

    #[test]
    fn optional_fields_without_a_value_are_left_out() {
        let fields = SessionFields { visit_type_id: None, session_end_time: None, email_address: None, ..FULL };
        assert!(body(&fields).contains(r#""session_start_time":1496587649,"scenes":["#));
    }

    #[test]
    fn a_task_code_is_escaped() {
        let mut out = Vec::new();
        scene(&mut out, Uuid::nil(), "\n7");
        assert!(out.ends_with(br#""task_code":"\n7"}"#));
    }
}
