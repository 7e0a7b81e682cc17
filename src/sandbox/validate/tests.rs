//! Every error text of the vendor's page, and a body that causes it.

use serde_json::json;

use super::*;

/// The example of the vendor's page, letter for letter (Sessions Input, "Request Body Example").
const EXAMPLE: &str = r#"{
"client_session_uid": "My_session_uid",
"store_number": "100050000000008",
"visit_date": "2017-06-02",
"email_address": "john@example.com",
"session_start_time": 1496587649,
"session_end_time": 1492041645,
"visit_type_id": 801,
"scenes": [
{
"scene_uid":"31d746d6-ba97-41db-b201-2dd448323e12",
"task_code": "1"
},
{
"scene_uid":"31d746d6-ba97-41db-b201-2dd448323e123",
"task_code": "2"
},
{
"scene_uid":"31d746d6-ba97-41db-b201-2dd448323e124", "task_code": "3"
}
]
}"#;

/// The refusal of the vendor's example with some fields set to another value.
fn refusal_with(changes: Value, options: &Options) -> Option<String> {
    let mut body: Value = serde_json::from_str(EXAMPLE).unwrap();
    for (field, value) in changes.as_object().unwrap() {
        body[field] = value.clone();
    }
    refusal(&body.to_string(), options)
}

/// The refusal of the vendor's example without some fields.
fn refusal_without(fields: &[&str]) -> Option<String> {
    let mut body: Value = serde_json::from_str(EXAMPLE).unwrap();
    for field in fields {
        body.as_object_mut().unwrap().remove(*field);
    }
    refusal(&body.to_string(), &Options::default())
}

fn refusal(body: &str, options: &Options) -> Option<String> {
    session(body.as_bytes(), options).err().map(|refusal| refusal.to_string())
}

fn incorrect_format(field: &str, format: &str) -> Option<String> {
    Some(format!("Incorrect format field: {field},\nthe correct format: {format}"))
}

fn said(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn the_vendors_own_example_is_accepted() {
    let options = Options {
        task_code_required: true,
        stores: Some(BTreeSet::from(["100050000000008".into()])),
        visit_types: Some(BTreeSet::from([801])),
        users: Some(BTreeSet::from(["john@example.com".into()])),
        task_codes: Some(["1", "2", "3"].map(String::from).into()),
        ..Options::default()
    };
    assert_eq!(refusal(EXAMPLE, &options), None);
}

#[test]
fn mandatory_fields_alone_are_enough_and_unknown_ones_ignored() {
    let body = r#"{"store_number":"1","visit_date":"2024-02-29","session_start_time":1,
        "scenes":[{"scene_uid":"a","x":null}],"x":{"y":[]}}"#;
    assert_eq!(refusal(body, &Options::default()), None);
}

#[test]
fn a_body_must_be_one_json_object() {
    for body in ["", "{", "[]", "null", "\"a\"", "{} {}", "\u{feff}{}", "{\"a\":1e999}"] {
        assert_eq!(refusal(body, &Options::default()), incorrect_format("request body", "JSON object"), "{body}");
    }
    assert!(session(b"{\"store_number\":\"\xff\"}", &Options::default()).is_err());
    assert!(session("[".repeat(100_000).as_bytes(), &Options::default()).is_err());
}

#[test]
fn missing_attributes_are_listed_in_one_message() {
    let any = Options::default();
    assert_eq!(refusal("{}", &any), said("missing attributes - store_number,visit_date,session_start_time,scenes"));
    assert_eq!(refusal_without(&["visit_date"]), said("missing attribute - visit_date"));
    assert_eq!(refusal_with(json!({"scenes": [{}, {"task_code": "1"}]}), &any), said("missing attribute - scene_uid"));
    let pure_ai = Options { task_code_required: true, ..Options::default() };
    assert_eq!(
        refusal_with(json!({"scenes": [{"scene_uid": "a"}, {}]}), &pure_ai),
        said("missing attributes - scene_uid,task_code")
    );
}

#[test]
fn optional_attributes_may_be_missing() {
    let optional = ["client_session_uid", "email_address", "session_end_time", "visit_type_id"];
    assert_eq!(refusal_without(&optional), None);
}

#[test]
fn mandatory_fields_that_are_null_empty_or_of_another_type_are_listed_in_one_message() {
    let any = Options::default();
    for store_number in [json!(null), json!(""), json!("  "), json!(17), json!([])] {
        assert_eq!(
            refusal_with(json!({"store_number": store_number}), &any),
            said("missing mandatory field - store_number")
        );
    }
    assert_eq!(
        refusal_with(json!({"visit_date": 20240305, "session_start_time": "1496587649", "scenes": []}), &any),
        said("missing mandatory fields - visit_date,session_start_time,scenes")
    );
    for scenes in [json!(null), json!({}), json!(["a"]), json!([{"scene_uid": "a"}, null])] {
        assert_eq!(refusal_with(json!({"scenes": scenes}), &any), said("missing mandatory field - scenes"));
    }
    let scenes = json!([{"scene_uid": ""}, {"scene_uid": null}, {"scene_uid": 1}]);
    assert_eq!(refusal_with(json!({"scenes": scenes}), &any), said("missing mandatory field - scene_uid"));
}

#[test]
fn an_absent_attribute_is_said_before_an_empty_field() {
    assert_eq!(
        refusal(r#"{"store_number":"","scenes":[]}"#, &Options::default()),
        said("missing attributes - visit_date,session_start_time")
    );
}

#[test]
fn dates_are_ten_characters_and_on_the_calendar() {
    for date in [
        "05/03/2024",
        "2024-3-5",
        "2023-02-29",
        "2024-13-01",
        "20240305",
        "+2024-1-01",
        "2024-03-05T00:00:00",
        "２０２４-03",
    ] {
        assert_eq!(
            refusal_with(json!({"visit_date": date}), &Options::default()),
            incorrect_format("visit_date", "YYYY-MM-DD"),
            "{date}"
        );
    }
}

#[test]
fn times_are_whole_epoch_seconds() {
    let any = Options::default();
    for time in [json!(1_496_587_649_000_u64), json!(1_496_587_649.5), json!(-1), json!(u64::MAX)] {
        assert_eq!(
            refusal_with(json!({"session_start_time": time}), &any),
            incorrect_format("session_start_time", "Epoch Unix Time timestamp in seconds")
        );
    }
    for time in [json!("1496587649"), json!(null)] {
        assert_eq!(
            refusal_with(json!({"session_end_time": time}), &any),
            incorrect_format("session_end_time", "Epoch Unix Time timestamp in seconds")
        );
    }
}

#[test]
fn lengths_count_characters() {
    let any = Options::default();
    let email = |length: usize| format!("{}@x.example", "é".repeat(length - 10));
    let fits = json!({
        "store_number": "é".repeat(100),
        "client_session_uid": "é".repeat(100),
        "email_address": email(255),
        "scenes": [{"scene_uid": "é".repeat(100), "task_code": "é".repeat(1000)}],
    });
    assert_eq!(refusal_with(fits, &any), None);
    for (field, value, format) in [
        ("store_number", json!("x".repeat(101)), "string (100)"),
        ("client_session_uid", json!("x".repeat(101)), "string (100)"),
        ("email_address", json!(email(256)), "string (255)"),
    ] {
        assert_eq!(refusal_with(json!({ field: value }), &any), incorrect_format(field, format));
    }
    assert_eq!(
        refusal_with(json!({"scenes": [{"scene_uid": "x".repeat(101)}]}), &any),
        incorrect_format("scene_uid", "string (100)")
    );
}

#[test]
fn optional_fields_of_another_type_have_an_incorrect_format() {
    let any = Options::default();
    for (field, value, format) in [
        ("client_session_uid", json!(5), "string (100)"),
        ("client_session_uid", json!(null), "string (100)"),
        ("visit_type_id", json!("801"), "number"),
        ("visit_type_id", json!(1.5), "number"),
        ("email_address", json!(["a@b.c"]), "string (255)"),
        ("email_address", json!(""), "email address"),
        ("email_address", json!("john"), "email address"),
        ("email_address", json!("a@b@c.d"), "email address"),
        ("email_address", json!("a b@c.d"), "email address"),
        ("email_address", json!("a@localhost"), "email address"),
    ] {
        assert_eq!(refusal_with(json!({ field: value }), &any), incorrect_format(field, format), "{value}");
    }
    let scenes = json!([{"scene_uid": "a", "task_code": 1}]);
    assert_eq!(refusal_with(json!({"scenes": scenes}), &any), incorrect_format("task_code", "string"));
}

#[test]
fn values_must_be_on_their_list() {
    let listed = |values: &[&str]| Some(values.iter().map(|value| value.to_string()).collect());
    let stores = Options { stores: listed(&["1"]), ..Options::default() };
    assert_eq!(refusal_with(json!({"store_number": "17"}), &stores), said("Unknown Store 17"));
    assert_eq!(refusal_with(json!({"store_number": FAILING_STORE}), &stores), None);
    let visit_types = Options { visit_types: Some(BTreeSet::from([1])), ..Options::default() };
    assert_eq!(refusal_with(json!({}), &visit_types), said("Lookup value does not exist: 801"));
    assert_eq!(
        refusal_with(json!({"visit_type_id": u64::MAX}), &visit_types),
        said("Lookup value does not exist: 18446744073709551615")
    );
    let users = Options { users: listed(&["ann@example.com"]), ..Options::default() };
    assert_eq!(refusal_with(json!({}), &users), said("Lookup value does not exist: john@example.com"));
    let tasks = Options { task_codes: listed(&["1", "2"]), ..Options::default() };
    assert_eq!(refusal_with(json!({}), &tasks), said("Lookup value does not exist: 3"));
}
