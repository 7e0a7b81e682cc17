//! The sandbox as a command: the vendor's texts to the letter, and what runs against it leave.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Started, Workdir, http, session_uid};
use serde_json::{Value, json};

/// A sandbox under way, and its address.
fn sandbox(work: &Workdir, options: &[&str]) -> (Started, String) {
    let mut sandbox = work.start(&[&["sandbox", "--port", "0"], options].concat());
    let line = sandbox.wait_for("http://");
    let address = line.split_whitespace().find(|word| word.starts_with("http://")).expect("an address");
    let address = address.trim_end_matches([',', '.']).to_owned();
    (sandbox, address)
}

/// The session of the vendor's page.
fn vendors_example() -> Value {
    json!({
        "client_session_uid": "My_session_uid",
        "store_number": "100050000000008",
        "visit_date": "2017-06-02",
        "email_address": "john@example.com",
        "session_start_time": 1_496_587_649,
        "session_end_time": 1_492_041_645,
        "visit_type_id": 801,
        "scenes": [
            { "scene_uid": "31d746d6-ba97-41db-b201-2dd448323e12", "task_code": "1" },
            { "scene_uid": "31d746d6-ba97-41db-b201-2dd448323e123", "task_code": "2" },
            { "scene_uid": "31d746d6-ba97-41db-b201-2dd448323e124", "task_code": "3" }
        ]
    })
}

/// The example with a field set, or left out.
fn example_with(field: &str, value: Option<Value>) -> Value {
    let mut session = vendors_example();
    let map = session.as_object_mut().expect("an object");
    match value {
        Some(value) => map.insert(field.to_owned(), value),
        None => map.remove(field),
    };
    session
}

fn put(url: &str, visit: &str, body: &Value) -> (u16, String) {
    put_to(
        url,
        &format!("/api/v4/my-project/session/{}", session_uid(visit)),
        &[("authorization", "Auth-Token t")],
        body,
    )
}

/// Status and the text of the refusal, under whatever name it is.
fn put_to(url: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> (u16, String) {
    let (status, answer) = http(url, "PUT", path, headers, &body.to_string());
    let answer: Value = serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error} in {answer:?}"));
    let names = ["error", "description", "error_description"];
    let text = names.iter().find_map(|name| answer[name].as_str()).unwrap_or_default();
    (status, text.to_owned())
}

#[test]
fn the_vendors_example_is_received_once_by_either_word_of_the_route() {
    let work = Workdir::new();
    let (_sandbox, url) = sandbox(&work, &[]);
    assert_eq!(put(&url, "V1", &vendors_example()).0, 200);
    let again = (409, "Session has already been received".to_owned());
    assert_eq!(put(&url, "V1", &vendors_example()), again);
    let sessions = format!("/api/v4/my-project/sessions/{}", session_uid("V1"));
    assert_eq!(put_to(&url, &sessions, &[("authorization", "Auth-Token t")], &vendors_example()), again);
    let (status, listing) = http(&url, "GET", "/sandbox/sessions", &[], "");
    let listing: Value = serde_json::from_str(&listing).expect("JSON");
    assert_eq!((status, &listing["count"]), (200, &json!(1)));
}

#[test]
fn every_refusal_of_a_body_has_the_vendors_text() {
    let work = Workdir::new();
    work.write("stores.csv", "store\n100050000000008\n").write("types.csv", "type\n801\n");
    work.write("users.csv", "user\njohn@example.com\n").write("tasks.csv", "task\n1\n2\n3\n");
    let options = ["--stores", "stores.csv", "--visit-types", "types.csv", "--users", "users.csv"];
    let options = [&options[..], &["--task-codes", "tasks.csv", "--task-code-required"]].concat();
    let (_sandbox, url) = sandbox(&work, &options);
    let without_two = {
        let mut session = example_with("store_number", None);
        session.as_object_mut().expect("an object").remove("visit_date");
        session
    };
    let empty_two = {
        let mut session = example_with("store_number", Some(json!("")));
        session["scenes"] = json!([]);
        session
    };
    for (body, text) in [
        (example_with("store_number", None), "missing attribute - store_number"),
        (example_with("visit_date", None), "missing attribute - visit_date"),
        (example_with("session_start_time", None), "missing attribute - session_start_time"),
        (example_with("scenes", None), "missing attribute - scenes"),
        (without_two, "missing attributes - store_number,visit_date"),
        (example_with("scenes", Some(json!([{ "task_code": "1" }]))), "missing attribute - scene_uid"),
        (example_with("scenes", Some(json!([{ "scene_uid": "x" }]))), "missing attribute - task_code"),
        (example_with("store_number", Some(json!(null))), "missing mandatory field - store_number"),
        (example_with("session_start_time", Some(json!("x"))), "missing mandatory field - session_start_time"),
        (example_with("scenes", Some(json!([]))), "missing mandatory field - scenes"),
        (empty_two, "missing mandatory fields - store_number,scenes"),
        (example_with("store_number", Some(json!("17"))), "Unknown Store 17"),
        (example_with("visit_type_id", Some(json!(999))), "Lookup value does not exist: 999"),
        (example_with("email_address", Some(json!("a@b.c"))), "Lookup value does not exist: a@b.c"),
        (
            example_with("scenes", Some(json!([{ "scene_uid": "x", "task_code": "9" }]))),
            "Lookup value does not exist: 9",
        ),
        (
            example_with("visit_date", Some(json!("02/06/2017"))),
            "Incorrect format field: visit_date,\nthe correct format: YYYY-MM-DD",
        ),
    ] {
        assert_eq!(put(&url, "V1", &body), (400, text.to_owned()), "{body}");
    }
    for (field, value) in [
        ("client_session_uid", json!("x".repeat(101))),
        ("store_number", json!("x".repeat(101))),
        ("session_start_time", json!(1_496_587_649_000_u64)),
        ("session_end_time", json!("1492041645")),
        ("visit_type_id", json!("801")),
        ("email_address", json!("nobody")),
    ] {
        let (status, text) = put(&url, "V1", &example_with(field, Some(value)));
        let start = format!("Incorrect format field: {field},\nthe correct format: ");
        assert!(status == 400 && text.starts_with(&start) && text.len() > start.len(), "{status} {text}");
    }
    assert_eq!(put(&url, "V1", &vendors_example()).0, 200, "nothing of it was kept");
}

#[test]
fn every_refusal_of_a_key_or_a_resource_has_the_vendors_text() {
    let work = Workdir::new();
    let options = ["--token", "good", "--expired-token", "old", "--project", "my-project"];
    let (_sandbox, url) = sandbox(&work, &options);
    let path = format!("/api/v4/my-project/session/{}", session_uid("V1"));
    let with = |token: &str| put_to(&url, &path, &[("authorization", token)], &vendors_example());
    assert_eq!(with("Auth-Token old"), (401, "Incorrect or expired token".to_owned()));
    assert_eq!(with("Auth-Token bad"), (401, "the API key is invalid".to_owned()));
    assert_eq!(with("Auth-Token {good}"), (400, "invalid token".to_owned()));
    let none = (401, "missing Authorization:Auth-Token header value".to_owned());
    assert_eq!(with("Bearer good"), none);
    assert_eq!(put_to(&url, &path, &[], &vendors_example()), none);
    let other = path.replace("my-project", "other");
    let (status, text) = put_to(&url, &other, &[("authorization", "Auth-Token good")], &vendors_example());
    assert_eq!((status, text), (403, format!("A forbidden resource has been requested {other}")));
    assert_eq!(with("Auth-Token good").0, 200);
}

#[test]
fn the_internal_error_comes_on_request_and_a_lost_answer_is_received() {
    let work = Workdir::new();
    let (_sandbox, url) = sandbox(&work, &[]);
    let internal = (500, "Trax Internal Error".to_owned());
    let failing = example_with("store_number", Some(json!(traxload::sandbox::FAILING_STORE)));
    assert_eq!([put(&url, "V1", &failing), put(&url, "V1", &failing)], [internal.clone(), internal.clone()]);
    let lost = example_with("store_number", Some(json!(traxload::sandbox::LOST_ANSWER_STORE)));
    assert_eq!((put(&url, "V2", &lost), put(&url, "V2", &lost).0), (internal, 409));
}

#[test]
fn past_the_rate_it_answers_429_with_retry_after() {
    let work = Workdir::new();
    let (_sandbox, url) = sandbox(&work, &["--rate-limit", "1", "--retry-after", "1"]);
    let work = Workdir::with_visits(3);
    let done = work.job(&JobFile::to(&url)).traxload(&["run", "job.toml", "--json"]).ends_with(0);
    assert!(done.json()["rate_limited"].as_u64() >= Some(1));
    let (_, stats) = http(&url, "GET", "/sandbox/stats", &[], "");
    let stats: Value = serde_json::from_str(&stats).expect("JSON");
    assert_eq!(stats["by_status"]["200"], 3);
    assert_eq!(stats["by_status"]["429"], done.json()["rate_limited"]);
    assert_eq!(stats["attempts"], done.json()["requests"]);
}

#[test]
fn what_a_run_sent_is_what_check_showed_and_a_second_run_finds_it_all_received() {
    let work = Workdir::with_visits(50);
    let (sandbox, url) = sandbox(&work, &[]);
    let job = JobFile::to(&url);
    let (_, mut payloads) = work.check(&job);
    work.run(&job).ends_with(0);
    assert_eq!(work.results().column("status"), ["uploaded"; 50]);
    let (_, listing) = http(&url, "GET", "/sandbox/sessions", &[], "");
    let listing: Value = serde_json::from_str(&listing).expect("JSON");
    let listed = listing["sessions"].as_array().expect("a list");
    let mut received: Vec<String> = listed.iter().map(|session| session["body"].to_string()).collect();
    let mut expected: Vec<String> =
        payloads.drain(..).map(|body| serde_json::from_str::<Value>(&body).expect("JSON").to_string()).collect();
    received.sort();
    expected.sort();
    assert_eq!(received, expected);
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    let rows = work.results();
    assert_eq!(rows.column("status"), ["already_received"; 50]);
    assert!(rows.column("http_status").iter().all(|status| *status == "409"));
    sandbox.signal("INT");
    sandbox.finish().ends_with(0);
}

#[test]
fn a_lost_answer_is_uploaded_and_a_failing_store_is_failed() {
    let work = Workdir::with_visits(4);
    let (_sandbox, url) = sandbox(&work, &[]);
    let visits = work.read("visits.csv").replace("1002", traxload::sandbox::LOST_ANSWER_STORE);
    work.write("visits.csv", visits.replace("1001", traxload::sandbox::FAILING_STORE));
    work.run(&JobFile::to(&url).upload("max_attempts", "20")).ends_with(3);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["error_code"]), ("failed", "server_error"));
    assert_eq!((&rows.of("V2")["status"], &rows.of("V2")["http_status"]), ("uploaded", "409"));
    assert_eq!(&rows.of("V2")["attempts"], "2");
}

#[test]
fn ids_marked_as_version_4_pass_where_the_server_insists_and_others_do_not() {
    let work = Workdir::with_visits(1);
    let (_sandbox, url) = sandbox(&work, &["--uuid-v4-required"]);
    work.run(&JobFile::to(&url)).ends_with(3);
    assert_eq!(&work.results().of("V1")["error_code"], "incorrect_format");
    work.job(&JobFile::to(&url).and("[ids]\nversion = 4"));
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    assert_eq!(&work.results().of("V1")["status"], "uploaded");
}

#[test]
fn a_sandbox_inside_the_process_needs_no_token() {
    let work = Workdir::with_visits(3);
    work.job(&JobFile::new());
    work.traxload_with(&["run", "job.toml"], &[]).ends_with(0);
    assert_eq!(work.results().column("status"), ["uploaded"; 3]);
}
