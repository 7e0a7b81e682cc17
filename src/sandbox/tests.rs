//! The sandbox over HTTP: the order of its checks, and what it remembers. The tests write a few lines of HTTP/1.1 by
//! hand, so that no client stands between a test and the server's answer.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

const UID: &str = "6ba7b811-9dad-41d1-80b4-00c04fd430c8";
const BODY: &str =
    r#"{"store_number":"1","visit_date":"2024-03-05","session_start_time":1709600000,"scenes":[{"scene_uid":"a"}]}"#;

struct Answer {
    status: u16,
    head: String,
    json: Value,
}

/// Sends a request on a connection of its own; `None` if the server closed it without an answer.
async fn try_send(address: SocketAddr, method: &str, path: &str, token: &str, body: &str) -> Option<Answer> {
    let mut connection = TcpStream::connect(address).await.ok()?;
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{token}content-length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.write_all(request.as_bytes()).await.ok()?;
    let mut text = String::new();
    connection.read_to_string(&mut text).await.ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some(Answer {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head: head.to_lowercase(),
        json: serde_json::from_str(body).unwrap_or(Value::Null),
    })
}

async fn send(sandbox: &Running, method: &str, path: &str, body: &str) -> Answer {
    let token = "authorization: Auth-Token abc\r\n";
    try_send(sandbox.address(), method, path, token, body).await.expect("an answer")
}

async fn put(sandbox: &Running, uid: &str, body: &str) -> Answer {
    send(sandbox, "PUT", &format!("/api/v4/p/session/{uid}"), body).await
}

/// A session id that differs with `n`.
fn uid(n: usize) -> String {
    format!("6ba7b811-9dad-41d1-80b4-{n:012}")
}

#[tokio::test]
async fn a_session_is_accepted_once_under_either_route() {
    let sandbox = start(Options::default()).await.unwrap();
    let first = put(&sandbox, UID, BODY).await;
    assert_eq!((first.status, &first.json["session_uid"]), (200, &json!(UID)));
    for path in ["session", "sessions"] {
        let again = format!("/api/v4/p/{path}/{}", UID.to_uppercase());
        let again = send(&sandbox, "PUT", &again, "not even JSON").await;
        assert_eq!(again.status, 409);
        assert_eq!(again.json, json!({"error": "Session has already been received"}));
    }
    let elsewhere = format!("/api/v4/a%20b/sessions/{UID}");
    assert_eq!(send(&sandbox, "PUT", &elsewhere, BODY).await.status, 200);

    let list = send(&sandbox, "GET", "/sandbox/sessions", "").await.json;
    assert_eq!(list["count"], 2);
    assert_eq!(list["sessions"][0]["body"]["store_number"], "1");
    assert_eq!(list["sessions"][1]["project"], "a b");
    let page = send(&sandbox, "GET", "/sandbox/sessions?offset=1&limit=5", "").await.json;
    assert_eq!((&page["count"], page["sessions"].as_array().unwrap().len()), (&json!(2), 1));
    assert_eq!(send(&sandbox, "GET", "/sandbox/sessions?limit=-1", "").await.status, 400);

    assert_eq!(send(&sandbox, "GET", "/sandbox/nothing", "").await.status, 404);

    let stats = send(&sandbox, "GET", "/sandbox/stats", "").await.json;
    assert_eq!(stats["attempts"], 4);
    assert_eq!(stats["by_status"], json!({"200": 2, "409": 2}));
    assert_eq!(stats["in_flight"], 0);

    assert_eq!(send(&sandbox, "DELETE", "/sandbox/sessions", "").await.json["forgotten"], 2);
    assert_eq!(send(&sandbox, "DELETE", "/sandbox/stats", "").await.status, 204);
    assert_eq!(send(&sandbox, "GET", "/sandbox/sessions", "").await.json["count"], 0);
    assert_eq!(put(&sandbox, UID, BODY).await.status, 200);
    let stats = send(&sandbox, "GET", "/sandbox/stats", "").await.json;
    assert_eq!(stats["attempts"], 1);
}

#[tokio::test]
async fn the_token_is_checked_first_then_the_project_then_the_route() {
    let sandbox =
        start(Options { tokens: vec!["abc".into()], projects: vec!["p".into()], ..Options::default() }).await.unwrap();
    let path = "/api/v9/other/nothing/x";
    for (token, status, body) in [
        ("", 401, json!({"description": "missing Authorization:Auth-Token header value"})),
        ("authorization: Auth-Token no\r\n", 401, json!({"description": "the API key is invalid"})),
        ("authorization: Auth-Token {a}\r\n", 400, json!({"error_description": "invalid token"})),
        (
            "authorization: Auth-Token abc\r\n",
            403,
            json!({"error": "A forbidden resource has been requested /api/v9/other/nothing/x"}),
        ),
    ] {
        let answer = try_send(sandbox.address(), "GET", path, token, "").await.unwrap();
        assert_eq!((answer.status, answer.json), (status, body));
    }
    for path in ["/api/v3/p/session/x", "/api/v4/p/scene/x", "/", "/api/v4/p/session/x/", "/api/v4/%ff/session/x"] {
        let answer = send(&sandbox, "PUT", path, BODY).await;
        assert_eq!((answer.status, answer.json), (404, json!({"error": format!("Unknown route {path}")})));
    }
    let answer = send(&sandbox, "POST", "/api/v4/p/session/x", BODY).await;
    assert_eq!(answer.status, 405);
    assert!(answer.head.contains("allow: put"), "{}", answer.head);
}

#[tokio::test]
async fn a_session_id_is_a_uuid_in_its_plain_form() {
    let sandbox = start(Options::default()).await.unwrap();
    let text = |format| json!({"error": format!("Incorrect format field: session_uid,\nthe correct format: {format}")});
    let braced = format!("%7B{UID}%7D");
    for odd in ["x", &UID.replace('-', ""), &braced, "6ba7b811-9dad-41d1-80b4-00c04fd430cg"] {
        let answer = put(&sandbox, odd, BODY).await;
        assert_eq!((answer.status, answer.json), (400, text("UUID")), "{odd}");
    }
    let strict = start(Options { uuid_v4_required: true, ..Options::default() }).await.unwrap();
    let version_5 = UID.replace("-41d1-", "-51d1-");
    assert_eq!(put(&strict, &version_5, BODY).await.json, text("UUID v.4"));
    assert_eq!(put(&strict, UID, BODY).await.status, 200);
    assert_eq!(put(&sandbox, &version_5, BODY).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_simultaneous_requests_for_an_id_is_accepted() {
    let sandbox = start(Options::default()).await.unwrap();
    let address = sandbox.address();
    let path = format!("/api/v4/p/session/{UID}");
    let requests: Vec<_> = (0..40)
        .map(|_| {
            let path = path.clone();
            tokio::spawn(async move {
                let token = "authorization: Auth-Token abc\r\n";
                try_send(address, "PUT", &path, token, BODY).await.unwrap().status
            })
        })
        .collect();
    let mut statuses = Vec::new();
    for request in requests {
        statuses.push(request.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses[0], 200);
    assert!(statuses[1..].iter().all(|status| *status == 409));
}

#[tokio::test]
async fn server_errors_come_on_demand() {
    let sandbox = start(Options { stores: Some(BTreeSet::new()), ..Options::default() }).await.unwrap();
    let failing = BODY.replace(r#""1""#, r#""SANDBOX-500""#);
    let lost = BODY.replace(r#""1""#, r#""SANDBOX-LOST""#);
    for _ in 0..2 {
        let answer = put(&sandbox, &uid(1), &failing).await;
        assert_eq!((answer.status, answer.json), (500, json!({"error": "Trax Internal Error"})));
    }
    assert_eq!(put(&sandbox, &uid(2), &lost).await.status, 500);
    assert_eq!(put(&sandbox, &uid(2), &lost).await.status, 409);
    assert_eq!(put(&sandbox, &uid(3), BODY).await.json, json!({"error": "Unknown Store 1"}));

    let flaky = start(Options { fail_every: Some(2), ..Options::default() }).await.unwrap();
    assert_eq!(put(&flaky, UID, BODY).await.status, 200);
    assert_eq!(put(&flaky, UID, BODY).await.status, 500);
    assert_eq!(put(&flaky, UID, BODY).await.status, 409);
}

#[tokio::test]
async fn requests_past_the_rate_limit_get_429() {
    let sandbox = start(Options { rate_limit: Some(2), retry_after: Some(3), ..Options::default() }).await.unwrap();
    let mut last = None;
    for n in 0..3 {
        last = Some(put(&sandbox, &uid(n), BODY).await);
    }
    let last = last.unwrap();
    assert_eq!((last.status, last.json), (429, json!({"error": "Too many requests"})));
    assert!(last.head.contains("retry-after: 3"), "{}", last.head);
    let stats = send(&sandbox, "GET", "/sandbox/stats", "").await.json;
    assert_eq!(stats["peak_per_second"], 3);
    assert_eq!(stats["by_status"], json!({"200": 2, "429": 1}));
}

#[tokio::test]
async fn a_body_past_ten_mebibytes_is_refused() {
    let sandbox = start(Options::default()).await.unwrap();
    let padded = |length: usize| format!("{BODY}{}", " ".repeat(length - BODY.len()));
    assert_eq!(put(&sandbox, &uid(1), &padded(10 << 20)).await.status, 200);
    // The connection may break before the answer is read, as the server does not read on.
    let path = format!("/api/v4/p/session/{}", uid(2));
    let token = "authorization: Auth-Token abc\r\n";
    let too_large = padded((10 << 20) + 1);
    if let Some(answer) = try_send(sandbox.address(), "PUT", &path, token, &too_large).await {
        assert_eq!(answer.status, 413);
    }
    let stats = send(&sandbox, "GET", "/sandbox/stats", "").await.json;
    assert_eq!(stats["by_status"], json!({"200": 1, "413": 1}));
}

#[tokio::test]
async fn a_session_is_stored_even_if_its_client_gave_up_waiting() {
    let sandbox = start(Options { latency: Duration::from_secs(1), ..Options::default() }).await.unwrap();
    let impatient = tokio::time::timeout(Duration::from_millis(500), put(&sandbox, UID, BODY)).await;
    assert!(impatient.is_err());
    let before = Instant::now();
    assert_eq!(put(&sandbox, UID, BODY).await.status, 409);
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn it_stops_when_asked_and_when_dropped() {
    let sandbox = start(Options::default()).await.unwrap();
    assert_eq!(sandbox.base_url(), format!("http://{}", sandbox.address()));
    let address = sandbox.address();
    // An open connection without a request must not delay the stop for long.
    let _idle = TcpStream::connect(address).await.unwrap();
    let before = Instant::now();
    sandbox.stop().await;
    assert!(before.elapsed() < GRACE + Duration::from_secs(2));
    assert!(TcpStream::connect(address).await.is_err());

    let dropped = start(Options::default()).await.unwrap();
    let address = dropped.address();
    drop(dropped);
    let gone = async {
        while TcpStream::connect(address).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let patience = Duration::from_secs(10);
    assert!(tokio::time::timeout(patience, gone).await.is_ok());
}
