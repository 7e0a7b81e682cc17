//! What each thing that a server can do makes of a visit: its status, its error code, what is sent again.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{DEADLINE, Gate, JobFile, Reply, ScriptedServer, Workdir, session_uid};
use sha2::{Digest, Sha256};
use std::time::Duration;

fn sha256(body: &[u8]) -> String {
    Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One visit for every reply, `V1` the first. Any further attempt gets the same.
fn one_visit_each(replies: &[Reply]) -> (Workdir, ScriptedServer) {
    let replies = replies.to_vec();
    let work = Workdir::with_visits(replies.len());
    let server = ScriptedServer::start(move |request, _| {
        let at = (1..=replies.len()).find(|n| request.is_for(&format!("V{n}")));
        replies[at.expect("a visit of the test") - 1].clone()
    });
    (work, server)
}

#[test]
fn any_2xx_is_uploaded_with_one_request() {
    let codes = [200, 201, 202, 204];
    let replies: Vec<Reply> = codes.iter().map(|&code| Reply::status(code)).collect();
    let (work, server) = one_visit_each(&replies);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let rows = work.results();
    for (n, code) in codes.iter().enumerate() {
        let row = rows.of(&format!("V{}", n + 1));
        assert_eq!((&row["status"], &row["http_status"]), ("uploaded", code.to_string().as_str()));
        assert_eq!((&row["error_code"], &row["error"], &row["attempts"]), ("", "", "1"));
    }
    assert_eq!(server.requests().len(), codes.len());
}

#[test]
fn a_2xx_whose_body_is_cut_short_is_uploaded() {
    let server = ScriptedServer::replying(vec![Reply::Truncated { status: 200, body: b"{\"mess".to_vec() }]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["attempts"]), ("uploaded", "1"));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_2xx_with_an_endless_body_is_uploaded_and_not_read_to_its_end() {
    let server = ScriptedServer::replying(vec![Reply::Flood { status: 200, bytes: 64 << 20 }]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    assert_eq!(&work.results().of("V1")["status"], "uploaded");
    assert!(server.flooded() < 64 << 20);
}

#[test]
fn unusual_but_valid_answers_are_understood() {
    let (work, server) = one_visit_each(&[
        Reply::Bytes(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec()),
        Reply::Bytes(b"HTTP/1.1 200\r\n\r\nuntil the connection ends".to_vec()),
        Reply::Bytes(b"HTTP/1.0 201 Created\r\n\r\n".to_vec()),
        Reply::Bytes(b"HTTP/1.1 400 Bad\r\n\r\nUnknown Store 1004 \xff\xfe".to_vec()),
        Reply::Bytes(
            b"HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n8\r\nUnknown \r\n5\r\nStore\r\n0\r\n\r\n".to_vec(),
        ),
    ]);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    for (visit, status) in [("V1", "200"), ("V2", "200"), ("V3", "201")] {
        assert_eq!((&rows.of(visit)["status"], &rows.of(visit)["http_status"]), ("uploaded", status));
    }
    assert_eq!(&rows.of("V4")["error_code"], "unknown_store");
    assert!(rows.of("V4")["error"].starts_with("Unknown Store 1004"), "{}", &rows.of("V4")["error"]);
    assert_eq!(&rows.of("V5")["error"], "Unknown Store");
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn the_row_of_a_visit_tells_what_was_sent_and_where_it_came_from() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let rows = work.results();
    assert_eq!(
        rows.header.join(","),
        "visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,store_number,\
         visit_date,scenes,payload_sha256,source"
    );
    let row = rows.of("V2");
    let sent = server.requests_for("V2");
    assert_eq!(sent.len(), 1);
    assert_eq!(&row["session_uid"], session_uid("V2"));
    assert_eq!(&row["payload_sha256"], sha256(&sent[0].body));
    assert_eq!((&row["store_number"], &row["visit_date"], &row["scenes"]), ("1002", "2024-03-05", "1"));
    assert_eq!(&row["source"], "visits.csv:3");
    let finished = chrono::DateTime::parse_from_rfc3339(&row["finished_at"]).expect("RFC 3339");
    assert_eq!(finished.offset().local_minus_utc(), 0);
    let (_, fraction) = row["finished_at"].split_once('.').expect("a fraction");
    assert_eq!(fraction.trim_end_matches(|c: char| !c.is_ascii_digit()).len(), 3, "{}", &row["finished_at"]);
    assert!(row["elapsed_ms"].parse::<u64>().is_ok());
}

#[test]
fn a_request_is_a_put_of_the_checked_body_with_the_token_in_its_header() {
    for resource in ["session", "sessions"] {
        let server = ScriptedServer::replying(vec![Reply::ok()]);
        let work = Workdir::with_visits(3);
        let job = JobFile::to(&server.url()).api("resource", &format!("\"{resource}\""));
        let (_, payloads) = work.check(&job);
        assert_eq!(payloads, [crate::harness::body(1), crate::harness::body(2), crate::harness::body(3)]);
        work.run(&job).ends_with(0);
        assert_eq!(server.requests().len(), 3);
        for n in 1..=3 {
            let sent = server.requests_for(&format!("V{n}"));
            let request = sent.first().expect("it was sent");
            assert_eq!(request.method, "PUT");
            assert_eq!(request.path, format!("/api/v4/my-project/{resource}/{}", session_uid(&format!("V{n}"))));
            assert_eq!(request.header("authorization"), format!("Auth-Token {}", crate::harness::TOKEN));
            assert_eq!(request.header("content-type"), "application/json");
            assert_eq!(request.header("content-length"), request.body.len().to_string());
            assert_eq!(request.text(), payloads[n - 1]);
        }
    }
}

#[test]
fn version_project_and_a_path_of_the_base_address_are_part_of_the_route() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    let job = JobFile::to(&format!("{}/gateway//", server.url())).api("version", "\"v5\"").api("project", "\"a b\"");
    work.run(&job).ends_with(0);
    assert_eq!(server.requests()[0].path, format!("/gateway/api/v5/a%20b/session/{}", session_uid("V1")));
}

#[test]
fn a_409_at_first_is_already_received() {
    let server = ScriptedServer::replying(vec![Reply::error(409, "Session has already been received")]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let rows = work.results();
    let row = rows.of("V1");
    assert_eq!((&row["status"], &row["http_status"], &row["attempts"]), ("already_received", "409", "1"));
}

/// How it ends for a visit whose first attempt meets `first`, and its second 409.
#[track_caller]
fn status_of_409_after(first: Reply) -> String {
    let server = ScriptedServer::replying(vec![first, Reply::error(409, "Session has already been received")]);
    let work = Workdir::with_visits(1);
    let job = JobFile::to(&server.url()).upload("max_attempts", "3").upload("timeout", "\"300ms\"");
    work.run(&job).ends_with(0);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["http_status"], &rows.of("V1")["attempts"]), ("409", "2"));
    rows.of("V1")["status"].to_owned()
}

#[test]
fn a_409_after_a_5xx_is_uploaded() {
    assert_eq!(status_of_409_after(Reply::error(500, "Trax Internal Error")), "uploaded");
    assert_eq!(status_of_409_after(Reply::status(504)), "uploaded");
}

#[test]
fn a_409_after_a_timeout_is_uploaded() {
    assert_eq!(status_of_409_after(Reply::Stall), "uploaded");
}

#[test]
fn a_409_after_a_connection_broken_behind_the_request_is_uploaded() {
    assert_eq!(status_of_409_after(Reply::Drop), "uploaded");
}

#[test]
fn a_409_after_bytes_that_are_no_http_is_uploaded() {
    assert_eq!(status_of_409_after(Reply::Bytes(b"\x15\x03\x01\x00\x02\x02\x16".to_vec())), "uploaded");
}

#[test]
fn a_409_whose_text_did_not_arrive_says_nothing() {
    let cut = || Reply::Truncated { status: 409, body: Vec::new() };
    let row = failed_row(cut());
    assert_eq!((&row["error_code"], &row["http_status"]), ("unexpected_answer", "409"));
    assert!(row["error"].contains("did not arrive"), "{}", &row["error"]);
    let chunks = b"HTTP/1.1 409 Conflict\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
    for lost in [cut(), Reply::Bytes(chunks)] {
        assert_eq!(status_of_409_after(lost), "already_received", "tried again, and it is not this run's");
    }
    let chunks = b"HTTP/1.1 409 Conflict\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".to_vec();
    let (work, server) = one_visit_each(&[Reply::status(409), Reply::Bytes(chunks)]);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    assert_eq!((work.results().count("already_received"), server.requests().len()), (2, 2), "truly without a text");
}

#[test]
fn a_409_after_answers_that_took_nothing_is_already_received() {
    assert_eq!(status_of_409_after(Reply::status(408)), "already_received");
    assert_eq!(status_of_409_after(Reply::status(429)), "already_received");
}

#[test]
fn the_vendors_refusals_are_final_and_have_codes_of_their_own() {
    let missing = serde_json::json!({ "error": { "message": "missing attribute - scenes" } });
    let expected = [
        (Reply::error(400, "missing attribute - store_number"), "missing_attribute"),
        (Reply::error(400, "missing attributes - store_number,visit_date"), "missing_attribute"),
        (Reply::error(400, "missing mandatory field - scenes"), "missing_attribute"),
        (Reply::error(400, "missing mandatory fields - visit_date,scenes"), "missing_attribute"),
        (Reply::json(400, &missing), "missing_attribute"),
        (Reply::error(400, "Unknown Store 1006"), "unknown_store"),
        (Reply::json(400, &serde_json::json!({ "message": "Unknown Store 1007" })), "unknown_store"),
        (Reply::text(400, "Unknown Store 1008"), "unknown_store"),
        (Reply::error(400, "Lookup value does not exist: 801"), "lookup_value"),
        (Reply::json(400, &serde_json::json!({ "description": "Lookup value does not exist: x" })), "lookup_value"),
        (Reply::error(400, "Incorrect format field: visit_date,\nthe correct format: YYYY-MM-DD"), "incorrect_format"),
        (Reply::error(400, "something that no page has"), "unexpected_answer"),
        (Reply::status(400), "unexpected_answer"),
        (Reply::text(404, "<html>not here</html>"), "unexpected_answer"),
        (Reply::status(405), "unexpected_answer"),
        (Reply::status(410), "unexpected_answer"),
        (Reply::status(413), "unexpected_answer"),
        (Reply::status(422), "unexpected_answer"),
    ];
    let replies: Vec<Reply> = expected.iter().map(|(reply, _)| reply.clone()).collect();
    let (work, server) = one_visit_each(&replies);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    for (n, (reply, code)) in expected.iter().enumerate() {
        let row = rows.of(&format!("V{}", n + 1));
        assert_eq!((&row["status"], &row["error_code"], &row["attempts"]), ("rejected", *code, "1"), "{reply:?}");
        assert_eq!(row["http_status"].len(), 3, "{reply:?}");
        assert!(!row["error"].is_empty(), "{reply:?}");
    }
    assert_eq!(&rows.of("V6")["error"], "Unknown Store 1006");
    assert_eq!(
        &rows.of("V11")["error"],
        "Incorrect format field: visit_date, the correct format: YYYY-MM-DD",
        "a line break of the answer is none in the cell"
    );
    assert_eq!(server.requests().len(), expected.len());
}

#[test]
fn a_redirect_is_rejected_and_the_token_goes_nowhere_else() {
    let elsewhere = ScriptedServer::replying(vec![Reply::ok()]);
    let codes = [300, 301, 302, 303, 304, 307, 308];
    let replies: Vec<Reply> = codes
        .iter()
        .map(|&code| Reply::status(code).with("location", &format!("{}/api?state=s3cret", elsewhere.url())))
        .collect();
    let (work, server) = one_visit_each(&replies);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    for (n, code) in codes.iter().enumerate() {
        let row = rows.of(&format!("V{}", n + 1));
        assert_eq!((&row["status"], &row["error_code"]), ("rejected", "unexpected_answer"), "{code}");
        assert_eq!((&row["http_status"], &row["attempts"]), (code.to_string().as_str(), "1"));
        assert_eq!(&row["error"], &format!("redirects to {}/api", elsewhere.url()), "{code}");
    }
    assert_eq!(server.requests().len(), codes.len());
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_refused_key_stops_the_run_and_the_rest_is_not_attempted() {
    let refusals = [
        (Reply::error(401, "Incorrect or expired token"), "unauthorized"),
        (Reply::json(401, &serde_json::json!({ "description": "the API key is invalid" })), "unauthorized"),
        (Reply::error(403, "A forbidden resource has been requested my-project"), "forbidden"),
        (Reply::json(400, &serde_json::json!({ "error_description": "invalid token" })), "unauthorized"),
    ];
    for (at, (refusal, code)) in refusals.into_iter().enumerate() {
        let server = ScriptedServer::replying(vec![Reply::ok(), refusal]);
        let work = Workdir::with_visits(6);
        work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(6);
        // The 400 is about the token and nothing else; of the others, one visit may be the reason.
        let refused = if at == 3 { 1 } else { 2 };
        assert_eq!(server.requests().len(), 1 + refused, "{code}");
        let rows = work.results();
        let counts = (rows.count("uploaded"), rows.count("rejected"), rows.count("not_attempted"));
        assert_eq!(counts, (1, refused, 5 - refused));
        for row in &rows.rows {
            match &row["status"] {
                "rejected" => assert_eq!((&row["error_code"], &row["attempts"]), (code, "1")),
                "not_attempted" => {
                    assert_eq!((&row["error_code"], &row["attempts"], &row["http_status"]), ("stopped", "0", ""));
                }
                status => assert_eq!(status, "uploaded"),
            }
        }
    }
}

#[test]
fn what_is_in_flight_when_the_key_is_refused_is_recorded() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |request, _| match request.is_for("V1") {
        true => Reply::After(held.clone(), Box::new(Reply::ok())),
        false => Reply::status(401),
    });
    let work = Workdir::with_visits(9);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "2"));
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("refuses the key");
    gate.open();
    run.finish().ends_with(6);
    let rows = work.results();
    assert_eq!(&rows.of("V1")["status"], "uploaded");
    assert_eq!((rows.count("rejected"), rows.count("not_attempted")), (2, 6));
}

#[test]
fn a_key_that_is_refused_for_one_visit_alone_is_its_own() {
    for (status, text) in [(401, "the API key is invalid"), (403, "A forbidden resource has been requested x")] {
        let server = ScriptedServer::start(move |request, _| match request.is_for("V2") {
            true => Reply::error(status, text),
            false => Reply::ok(),
        });
        let work = Workdir::with_visits(6);
        work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(3);
        let rows = work.results();
        assert_eq!((rows.count("uploaded"), &rows.of("V2")["status"]), (5, "rejected"));
    }
}

#[test]
fn what_somebody_else_answers_is_not_believed() {
    let login = || Reply::text(200, "<!DOCTYPE html><title>Log in</title>").with("content-type", "text/html");
    let strange = [
        login(),
        Reply::json(200, &serde_json::json!({ "error": "project is locked" })),
        Reply::status(207),
        Reply::error(409, "project is locked"),
    ];
    let mut replies = Vec::new();
    for reply in strange {
        replies.extend([reply, Reply::ok()]);
    }
    let (work, server) = one_visit_each(&replies);
    work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(3);
    let rows = work.results();
    assert_eq!((rows.count("uploaded"), rows.count("failed")), (4, 4));
    for row in rows.rows.iter().filter(|row| &row["status"] == "failed") {
        assert_eq!((&row["error_code"], &row["attempts"]), ("unexpected_answer", "1"));
    }
    // All of them: nobody there is the API.
    for (reply, words) in [
        (login(), "HTTP 200: Log in"),
        (Reply::status(404), "HTTP 404"),
        (
            Reply::status(302).with("location", "https://login.example/"),
            "HTTP 302: redirects to https://login.example/:",
        ),
    ] {
        let server = ScriptedServer::replying(vec![reply]);
        let work = Workdir::with_visits(60);
        work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(6).says(&[
            "base_url, version, project or resource is wrong",
            words,
            "traxload rerun results.csv",
        ]);
        assert_eq!(server.requests().len(), 10);
        assert_eq!(work.results().count("not_attempted"), 50);
    }
}

#[test]
fn a_limit_told_in_other_words_is_a_429() {
    for reply in [
        Reply::error(403, "Rate Limit Exceeded"),
        Reply::error(400, "REQUEST_LIMIT_EXCEEDED"),
        Reply::status(403).with("retry-after", "0"),
    ] {
        let server = ScriptedServer::replying(vec![Reply::ok(), reply, Reply::ok()]);
        let work = Workdir::with_visits(5);
        work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1").upload("max_attempts", "1"))
            .ends_with(0)
            .says(&["pausing for"]);
        assert_eq!(server.requests().len(), 6);
    }
}

/// Runs ten visits. All attempts for the first meet `trouble`, the others are taken, one of them at least before the
/// first has used up its attempts: so it is this visit's own trouble, and no outage.
#[track_caller]
fn failed_row(trouble: Reply) -> crate::harness::Row {
    let others = Gate::default();
    let attempts = std::sync::atomic::AtomicUsize::new(0);
    let server = ScriptedServer::start(move |request, _| {
        if !request.is_for("V1") {
            // With two places in flight, the last is sent long after the first failed.
            if request.is_for("V10") {
                others.open();
            }
            return Reply::ok();
        }
        match attempts.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => trouble.clone(),
            _ => Reply::After(others.clone(), Box::new(trouble.clone())),
        }
    });
    let work = Workdir::with_visits(10);
    let job = JobFile::to(&server.url()).upload("max_in_flight", "2").upload("timeout", "\"1s\"");
    work.run(&job).ends_with(3);
    let rows = work.results();
    assert_eq!((rows.count("uploaded"), rows.count("failed")), (9, 1));
    assert_eq!(server.requests_for("V1").len(), 2, "max_attempts = 2");
    let row = rows.of("V1").clone();
    assert_eq!(&row["attempts"], "2");
    assert!(!row["error"].is_empty());
    row
}

#[test]
fn a_5xx_to_the_last_attempt_is_failed() {
    for code in [500, 502, 503, 599] {
        let row = failed_row(Reply::error(code, "Trax Internal Error"));
        assert_eq!((&row["error_code"], &row["http_status"]), ("server_error", code.to_string().as_str()));
        assert_eq!(&row["error"], "Trax Internal Error");
    }
}

#[test]
fn a_408_to_the_last_attempt_is_failed() {
    let row = failed_row(Reply::status(408));
    assert_eq!((&row["error_code"], &row["http_status"]), ("timeout", "408"));
}

#[test]
fn no_answer_in_time_to_the_last_attempt_is_failed() {
    let row = failed_row(Reply::Stall);
    assert_eq!((&row["error_code"], &row["http_status"]), ("timeout", ""));
}

#[test]
fn a_broken_connection_to_the_last_attempt_is_failed() {
    for trouble in [Reply::Drop, Reply::DropEarly] {
        let row = failed_row(trouble);
        assert_eq!((&row["error_code"], &row["http_status"]), ("connection", ""));
    }
}

#[test]
fn bytes_that_are_no_http_to_the_last_attempt_are_failed() {
    let tls_alert: &[u8] = b"\x15\x03\x01\x00\x02\x02\x16";
    for bytes in
        [b"SSH-2.0-OpenSSH_9.6\r\n".as_slice(), tls_alert, b"HTTP/1.1 abc\r\n\r\n", b"\0\0\0\0\0\0\0\0\r\n\r\n"]
    {
        let row = failed_row(Reply::Bytes(bytes.to_vec()));
        assert_eq!((&row["error_code"], &row["http_status"]), ("connection", ""), "{bytes:?}");
    }
}

#[test]
fn an_error_whose_text_is_cut_short_counts_by_its_status() {
    let row = failed_row(Reply::Truncated { status: 503, body: b"come back".to_vec() });
    assert_eq!((&row["error_code"], &row["http_status"]), ("server_error", "503"));
}

#[test]
fn a_visit_that_fails_at_first_is_sent_again_with_the_same_body() {
    let server = ScriptedServer::replying(vec![Reply::status(500), Reply::Drop, Reply::status(408), Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url()).upload("max_attempts", "4")).ends_with(0);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["attempts"]), ("uploaded", "4"));
    assert_eq!((&rows.of("V1")["error_code"], &rows.of("V1")["error"]), ("", ""));
    let sent = server.requests();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|request| request.text() == crate::harness::body(1)));
}

#[test]
fn a_429_costs_none_of_the_attempts() {
    let server =
        ScriptedServer::replying(vec![Reply::status(429), Reply::status(429), Reply::status(429), Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url()).upload("max_attempts", "1")).ends_with(0);
    assert_eq!((&work.results().of("V1")["status"], server.requests().len()), ("uploaded", 4));
}

#[test]
fn nothing_but_429_ends_with_patience_and_is_failed() {
    let server = ScriptedServer::replying(vec![Reply::error(429, "Too many requests")]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url()).upload("patience", "\"300ms\"").upload("max_in_flight", "1")).ends_with(5);
    let rows = work.results();
    let failed: Vec<_> = rows.rows.iter().filter(|row| &row["status"] == "failed").collect();
    assert!(!failed.is_empty());
    for row in failed {
        assert_eq!((&row["error_code"], &row["http_status"]), ("rate_limited", "429"));
        assert!(row["error"].starts_with("Too many requests"));
    }
    assert_eq!(rows.count("failed") + rows.count("not_attempted"), 2);
}

/// The time between the first two requests, of which the first got this answer. A wait may be longer than asked for on
/// a busy machine, never shorter.
fn wait_after(reply: Reply) -> Duration {
    let server = ScriptedServer::replying(vec![reply, Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let sent = server.requests();
    assert_eq!(sent.len(), 2);
    sent[1].at - sent[0].at
}

#[test]
fn retry_after_is_honoured_in_seconds() {
    assert!(wait_after(Reply::status(429).with("retry-after", "1")) >= Duration::from_secs(1));
}

#[test]
fn retry_after_is_honoured_as_a_date() {
    let reply = Reply::status(429)
        .with("date", "Tue, 05 Mar 2024 08:13:33 GMT")
        .with("retry-after", "Tue, 05 Mar 2024 08:13:34 GMT");
    assert!(wait_after(reply) >= Duration::from_secs(1));
}

#[test]
fn retry_after_is_honoured_on_a_503() {
    assert!(wait_after(Reply::status(503).with("retry-after", "1")) >= Duration::from_secs(1));
}

#[test]
fn retry_after_on_a_503_is_borne_no_longer_than_an_outage() {
    let trouble = Reply::status(503).with("retry-after", "31536000");
    let server = ScriptedServer::replying(vec![trouble, Reply::ok()]);
    let work = Workdir::with_visits(1);
    // It would be a year.
    work.run(&JobFile::to(&server.url()).upload("patience", "\"100ms\"")).ends_with(0);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_page_of_a_load_balancer_is_told_by_its_words_once() {
    let page = format!(
        "<!DOCTYPE html><html><head><style>p {{ color: red }}</style><title>503 Service Unavailable</title></head>\
         <body><p class=\"x\">The gateway is down.</p><!-- {} --></body></html>",
        "x".repeat(600)
    );
    let server = ScriptedServer::replying(vec![Reply::text(503, &page)]);
    let work = Workdir::with_visits(30);
    let job = JobFile::to(&server.url()).upload("patience", "\"50ms\"").upload("max_attempts", "20");
    let done = work
        .run(&job)
        .ends_with(5)
        .says(&["the API looks down (HTTP 503: 503 Service Unavailable The gateway is down.)"]);
    assert!(!done.stderr.contains('<') && !done.stderr.contains("xxx"), "{}", done.stderr);
    // When the outage began, and with the visits that it left: once for all of them.
    assert_eq!(done.stderr.matches("The gateway is down.").count(), 2, "{}", done.stderr);
}

#[test]
fn an_unreadable_retry_after_is_ignored() {
    let server = ScriptedServer::replying(vec![
        Reply::status(429).with("retry-after", "soon"),
        Reply::status(429).with("retry-after", "-5"),
        Reply::status(429).with("retry-after", "Tue, 05 Mar 2024 08:13:34 GMT"),
        Reply::ok(),
    ]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    assert_eq!(&work.results().of("V1")["attempts"], "4");
}

#[test]
fn a_429_holds_back_the_whole_job() {
    let server = ScriptedServer::replying(vec![Reply::status(429).with("retry-after", "1"), Reply::ok()]);
    let work = Workdir::with_visits(4);
    work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(0);
    let sent = server.requests();
    assert_eq!(sent.len(), 5);
    assert!(sent[1..].iter().all(|request| request.at - sent[0].at >= Duration::from_secs(1)));
}

#[test]
fn an_error_text_of_64_mib_is_read_only_in_part_and_its_cell_is_short() {
    let (work, server) = one_visit_each(&[Reply::Flood { status: 400, bytes: 64 << 20 }]);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    let row = rows.of("V1");
    assert_eq!((&row["status"], &row["error_code"]), ("rejected", "unexpected_answer"));
    assert!((1..=1000).contains(&row["error"].chars().count()), "{} characters", row["error"].len());
    assert!(server.flooded() < 64 << 20, "all of it was read");
}

#[test]
fn a_status_whose_body_never_comes_settles_it() {
    let head = |status: u16| format!("HTTP/1.1 {status} Scripted\r\ncontent-length: 1000\r\n\r\n").into_bytes();
    let (work, server) = one_visit_each(&[Reply::Hang(head(201)), Reply::Hang(head(404))]);
    work.run(&JobFile::to(&server.url()).upload("timeout", "\"400ms\"")).ends_with(3);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["http_status"]), ("uploaded", "201"));
    assert_eq!((&rows.of("V2")["status"], &rows.of("V2")["http_status"]), ("rejected", "404"));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn no_cell_starts_a_formula_but_keys_are_kept_as_they_are() {
    let visits = ["=1+1,-7,2024-03-05,2024-03-05T08:00:00Z,,801,", "@x,+7,2024-03-05,2024-03-05T08:00:00Z,,801,"];
    let work = Workdir::with_rows(&visits, &["=1+1,S1,T", "@x,S1,T"]);
    let server = ScriptedServer::replying(vec![Reply::text(400, "=HYPERLINK(\"http://x\")")]);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    assert_eq!(&rows.of("=1+1")["error"], "'=HYPERLINK(\"http://x\")");
    assert_eq!((&rows.of("=1+1")["store_number"], &rows.of("@x")["store_number"]), ("'-7", "'+7"));
    for request in server.requests() {
        assert!(
            request.text().contains("\"store_number\":\"-7\"") || request.text().contains("\"store_number\":\"+7\"")
        );
    }
}

#[test]
fn keys_of_any_shape_are_found_again_by_a_rerun() {
    let keys = ["a,b", "a \"b\"", "two\nlines", "=1+1", "'=1", "日本", "a\u{301}", "\u{e1}", "\\", "A", "a", "01", "1"];
    let cell = |key: &str| format!("\"{}\"", key.replace('"', "\"\""));
    let visits = keys.map(|key| format!("{},7,2024-03-05,2024-03-05T08:00:00Z,,,", cell(key)));
    let work = Workdir::with_rows(&visits, &keys.map(|key| format!("{},S1,", cell(key))));
    let server = ScriptedServer::start(|_, nth| match nth {
        nth if nth < 13 && nth % 2 == 0 => Reply::error(400, "Unknown Store 7"),
        _ => Reply::ok(),
    });
    work.run(&JobFile::to(&server.url())).ends_with(3);
    assert_eq!(work.results().count("rejected"), 7);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    let rows = work.results();
    assert!(keys.iter().all(|key| &rows.of(key)["status"] == "uploaded"));
    assert_eq!((rows.rows.len(), server.requests().len()), (13, 20));
}

#[test]
fn many_answers_at_once_stay_with_their_own_visits() {
    const COUNT: usize = 300;
    let server = ScriptedServer::start(|request, nth| {
        let uid = request.path.rsplit('/').next().unwrap_or_default().to_owned();
        match nth % 3 {
            0 => Reply::ok(),
            1 => Reply::error(400, &format!("Unknown Store {uid}")),
            _ => Reply::error(409, "Session has already been received"),
        }
    });
    let work = Workdir::with_visits(COUNT);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let rows = work.results();
    assert_eq!(rows.rows.len(), COUNT);
    let sent = server.requests();
    assert_eq!(sent.len(), COUNT);
    for n in 1..=COUNT {
        let visit = format!("V{n}");
        let row = rows.of(&visit);
        let nth = sent.iter().position(|request| request.is_for(&visit)).expect("it was sent");
        // With which body the API got it before is not known.
        let hash = if nth % 3 == 2 { String::new() } else { sha256(&sent[nth].body) };
        assert_eq!(&row["payload_sha256"], hash);
        match nth % 3 {
            0 => assert_eq!(&row["status"], "uploaded"),
            1 => assert_eq!(&row["error"], format!("Unknown Store {}", session_uid(&visit))),
            _ => assert_eq!(&row["status"], "already_received"),
        }
    }
}

#[test]
fn a_server_that_is_gone_is_a_failed_connection() {
    // A port that was free a moment ago: no server listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&format!("http://{port}")).upload("patience", "\"100ms\"")).ends_with(5);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["error_code"]), ("failed", "connection"));
}

#[test]
fn an_outage_shorter_than_patience_costs_no_visit() {
    let server = ScriptedServer::start(|_, nth| if nth < 14 { Reply::status(503) } else { Reply::ok() });
    let work = Workdir::with_visits(15);
    work.run(&JobFile::to(&server.url()).upload("patience", &format!("\"{}s\"", DEADLINE.as_secs()))).ends_with(0);
    let rows = work.results();
    assert_eq!(rows.count("uploaded"), 15);
}

#[test]
fn a_proxy_of_the_environment_has_no_part_in_what_stays_on_this_machine() {
    let server = ScriptedServer::start(|_, _| Reply::ok());
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    // Nobody listens there; a request that went that way would fail.
    let proxies = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"].map(|name| (name, "http://127.0.0.1:9"));
    let mut environment = proxies.to_vec();
    environment.push(("TRAX_TOKEN", crate::harness::TOKEN));
    work.traxload_with(&["run", "job.toml"], &environment).ends_with(0);
}
