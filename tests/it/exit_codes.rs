//! How commands end: every exit code of the contract, what is on standard output, what survives a kill, and that the
//! token is nowhere.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Gate, JobFile, Reply, ScriptedServer, Workdir, visit, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A job whose first visits are taken and whose visit `V{held}` is held until the gate opens, one at a time.
fn held_at(held: usize, visits: usize) -> (Workdir, ScriptedServer, Gate) {
    let gate = Gate::default();
    let closed = gate.clone();
    let server = ScriptedServer::start(move |request, _| match request.is_for(&format!("V{held}")) {
        true => Reply::After(closed.clone(), Box::new(Reply::ok())),
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(visits);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    (work, server, gate)
}

#[test]
fn everything_delivered_is_0_and_standard_output_is_empty() {
    let server = ScriptedServer::replying(vec![Reply::ok(), Reply::status(409), Reply::ok()]);
    let work = Workdir::with_visits(3);
    let done = work.run(&JobFile::to(&server.url())).ends_with(0);
    assert_eq!(done.stdout, "");
    assert_eq!(work.results().rows.len(), 3);
    assert!(!work.exists("results.csv.partial"));
}

#[test]
fn json_puts_the_summary_on_standard_output_and_nothing_else() {
    let replies = vec![Reply::ok(), Reply::status(409), Reply::error(400, "Unknown Store 1003")];
    let server = ScriptedServer::replying(replies);
    let rows = [visit(1), visit(2), visit(3), visit(3), "V4,,,,,,".to_owned()];
    let work = Workdir::with_rows(&rows, &["V1,S1,T", "V2,S2,T", "V3,S3,T", "V4,S4,T", "gone,S5,T"].map(str::to_owned));
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let done = work.traxload(&["run", "job.toml", "--json", "-v"]).ends_with(3);
    let summary = done.json();
    for (key, value) in [
        ("rows_read", 5),
        ("identical_duplicates", 1),
        ("result_rows", 4),
        ("uploaded", 1),
        ("already_received", 1),
        ("rejected", 1),
        ("invalid", 1),
        ("failed", 0),
        ("not_attempted", 0),
        ("requests", 3),
        ("orphans", 1),
        ("exit_code", 3),
    ] {
        assert_eq!(summary[key], value, "{key} in {summary}");
    }
    assert_eq!(work.results().rows.len(), 4);
    let checked = work.traxload(&["check", "job.toml", "--json"]).ends_with(3).json();
    assert_eq!(
        (&checked["valid"], &checked["invalid"], &checked["delivered_before"]),
        (&1.into(), &1.into(), &2.into())
    );
    assert_eq!(checked["exit_code"], 3);
}

#[test]
fn the_summary_in_json_is_there_however_a_run_ends() {
    let down = || Reply::status(503);
    let refused = || Reply::status(401);
    for (reply, visits, code) in [
        (Reply::ok(), [visit(1), visit(2)], 0),
        (Reply::status(400), [visit(1), visit(2)], 3),
        (Reply::ok(), ["V1,,,,,,".to_owned(), "V2,,,,,,".to_owned()], 4),
        (down(), [visit(1), visit(2)], 5),
        (refused(), [visit(1), visit(2)], 6),
    ] {
        let server = ScriptedServer::replying(vec![reply]);
        let work = Workdir::with_rows(&visits, &["V1,S1,T1".to_owned(), "V2,S2,T1".to_owned()]);
        work.job(&JobFile::to(&server.url()).upload("patience", "\"100ms\"").upload("max_in_flight", "1"));
        let summary = work.traxload(&["run", "job.toml", "--json", "-q"]).ends_with(code).json();
        assert_eq!((&summary["exit_code"], &summary["rows_read"]), (&code.into(), &2.into()));
        assert_eq!(summary["requests"], server.requests().len());
        let rows = work.results();
        for status in ["uploaded", "already_received", "invalid", "rejected", "failed", "not_attempted"] {
            assert_eq!(summary[status], rows.count(status), "{status} of {code}");
        }
        let manifest: serde_json::Value = serde_json::from_str(&work.read("results.csv.json")).expect("JSON");
        assert_eq!(manifest["exit_code"], code);
    }
}

#[test]
fn log_lines_in_json_are_json_and_stay_off_standard_output() {
    let (work, server, gate) = held_at(1, 2);
    gate.open();
    let done = work.traxload(&["run", "job.toml", "--log-format", "json", "-v"]).ends_with(0);
    assert_eq!(done.stdout, "");
    assert!(done.stderr.lines().count() >= 2);
    for line in done.stderr.lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line.is_object()), "{line}");
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn wrong_usage_is_2() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    for args in [
        &["run"] as &[&str],
        &["run", "job.toml", "--no-such-option"],
        &["run", "job.toml", "--date", "05.03.2024"],
        &["run", "job.toml", "--limit", "many"],
        &["fly", "job.toml"],
        &["run", "no-such-job.toml"],
        &["check", "no-such-job.toml"],
        &["rerun", "no-such-results.csv"],
        &["run", "job.toml", "--results", "."],
    ] {
        let done = work.traxload(args).ends_with(2);
        assert!(!done.stderr.is_empty() && done.stdout.is_empty(), "{args:?}");
    }
    assert!(!work.exists("results.csv"));
}

#[test]
fn a_missing_or_empty_token_is_2_and_nothing_is_sent() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()).api("token_env", "\"MY_TOKEN\""));
    work.traxload_with(&["run", "job.toml"], &[]).ends_with(2).says(&["MY_TOKEN"]);
    work.traxload_with(&["run", "job.toml"], &[("MY_TOKEN", "")]).ends_with(2).says(&["MY_TOKEN"]);
    work.traxload_with(&["run", "job.toml"], &[("MY_TOKEN", " \n")]).ends_with(2);
    assert!(server.requests().is_empty() && !work.exists("results.csv"));
    work.traxload_with(&["run", "job.toml"], &[("MY_TOKEN", "abc")]).ends_with(0);
    assert_eq!(server.requests()[0].header("authorization"), "Auth-Token abc");
}

#[test]
fn a_finished_result_file_is_not_overwritten_but_moved_aside_by_fresh() {
    let (work, server, gate) = held_at(1, 1);
    gate.open();
    work.traxload(&["run", "job.toml"]).ends_with(0);
    let first = work.read("results.csv");
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["traxload rerun results.csv", "--fresh"]);
    assert_eq!(work.read("results.csv"), first);
    assert_eq!(server.requests().len(), 1);
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    assert_eq!(server.requests().len(), 2);
    let aside: Vec<String> = work.listing(".").into_iter().filter(|name| name.ends_with(".old")).collect();
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(work.read(&aside[0]), first);
}

#[test]
fn some_not_delivered_is_3() {
    let server = ScriptedServer::replying(vec![Reply::ok(), Reply::error(400, "Unknown Store 1002")]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1"))
        .ends_with(3)
        .says(&["traxload rerun results.csv"]);
}

#[test]
fn too_many_invalid_is_4_and_nothing_is_sent() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_rows(&[visit(1), "V2,,,,,,".into(), "V3,,,,,,".into()], &["V1,S1,T".to_owned()]);
    work.run(&JobFile::to(&server.url())).ends_with(4);
    assert!(server.requests().is_empty());
    work.traxload(&["check", "job.toml"]).ends_with(4);
}

#[test]
fn an_api_that_stays_down_is_5_and_a_rerun_helps() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    let server = ScriptedServer::start(move |request, _| match is_up.load(Ordering::SeqCst) {
        false => Reply::error(503, "Trax Internal Error"),
        true if request.is_for("V1") => Reply::status(409),
        true => Reply::ok(),
    });
    let work = Workdir::with_visits(30);
    work.job(&JobFile::to(&server.url()).upload("patience", "\"200ms\"").upload("max_in_flight", "4"));
    work.traxload(&["run", "job.toml"]).ends_with(5).says(&["traxload rerun results.csv"]);
    let rows = work.results();
    assert_eq!(rows.rows.len(), 30);
    assert!(rows.count("failed") >= 1 && rows.count("failed") + rows.count("not_attempted") == 30);
    for row in &rows.rows {
        let never = &row["status"] == "not_attempted";
        assert_eq!(&row["attempts"] == "0", never);
        assert_eq!(&row["error_code"], if never { "stopped" } else { "server_error" });
    }
    up.store(true, Ordering::SeqCst);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    let rows = work.results();
    assert_eq!(rows.rows.len(), 30);
    assert_eq!(&rows.of("V1")["status"], "already_received", "attempts of an earlier run do not count");
    assert_eq!(rows.count("uploaded"), 29);
}

#[test]
fn a_refused_key_is_6_and_a_rerun_with_a_good_one_sends_the_rest() {
    let server = ScriptedServer::start(|request, nth| match request.header("authorization") {
        "Auth-Token good" => Reply::ok(),
        _ if nth == 0 => Reply::ok(),
        _ => Reply::json(401, &serde_json::json!({ "description": "the API key is invalid" })),
    });
    let work = Workdir::with_visits(4);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    work.traxload(&["run", "job.toml"]).ends_with(6).says(&["the API key is invalid", "traxload rerun results.csv"]);
    assert_eq!(server.requests().len(), 3, "one visit may be the reason, two are not");
    let first = work.results().of("V1").clone();
    work.traxload_with(&["rerun", "results.csv"], &[("TRAX_TOKEN", "good")]).ends_with(0);
    assert_eq!(server.requests().len(), 6);
    assert_eq!(work.results().of("V1"), &first, "a delivered visit keeps its row");
    assert_eq!(work.results().count("uploaded"), 4);
}

#[test]
fn a_second_run_on_the_same_result_file_is_7_and_does_no_harm() {
    let (work, server, gate) = held_at(1, 2);
    let first = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    work.traxload(&["run", "job.toml"]).ends_with(7);
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(7);
    gate.open();
    first.finish().ends_with(0);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(work.results().count("uploaded"), 2);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(server.requests().len(), 2, "nothing was left to send");
}

#[test]
fn two_runs_with_result_files_of_their_own_do_not_lock_each_other() {
    let (work, server, gate) = held_at(1, 2);
    let first = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    let second = work.start(&["run", "job.toml", "--results", "other.csv"]);
    server.wait_for(2);
    gate.open();
    first.finish().ends_with(0);
    second.finish().ends_with(0);
}

#[test]
fn no_visits_is_8_and_allow_empty_makes_it_0() {
    let work = Workdir::with_visits(0);
    work.job(&JobFile::new());
    for command in ["run", "check", "ids"] {
        work.traxload(&[command, "job.toml"]).ends_with(8);
        assert!(!work.exists("results.csv"), "{command}");
    }
    work.traxload(&["check", "job.toml", "--allow-empty"]).ends_with(0);
    work.traxload(&["run", "job.toml", "--allow-empty"]).ends_with(0);
    assert!(work.results().rows.is_empty());
}

/// A signal while the first of three visits is under way.
#[track_caller]
fn stopped_softly(signal: &str, code: i32) {
    let (work, server, gate) = held_at(1, 3);
    let mut run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    run.signal(signal);
    run.wait_for("stopping");
    gate.open();
    run.finish().ends_with(code);
    let rows = work.results();
    assert_eq!(&rows.of("V1")["status"], "uploaded", "what is under way is finished");
    assert_eq!(rows.count("not_attempted"), 2);
    assert_eq!(server.requests().len(), 1);
    assert!(!work.exists("results.csv.partial"));
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn sigint_finishes_what_is_under_way_and_is_130() {
    stopped_softly("INT", 130);
}

#[test]
fn sigterm_finishes_what_is_under_way_and_is_143() {
    stopped_softly("TERM", 143);
}

#[test]
fn a_second_signal_ends_at_once_and_the_journal_is_taken_up() {
    let (work, server, gate) = held_at(2, 3);
    let mut run = work.start(&["run", "job.toml"]);
    server.wait_for(2);
    run.signal("INT");
    run.wait_for("stopping");
    run.signal("INT");
    run.finish().ends_with(130);
    assert!(!work.exists("results.csv"));
    gate.open();
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(work.results().rows.len(), 3);
    assert_eq!(server.requests_for("V3").len(), 1);
}

#[test]
fn a_visit_that_a_signal_catches_between_attempts_is_failed() {
    let server = ScriptedServer::replying(vec![Reply::error(503, "Trax Internal Error").with("retry-after", "1000")]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    let mut run = work.start(&["run", "job.toml", "-v"]);
    run.wait_for("answered");
    run.signal("TERM");
    run.finish().ends_with(143);
    let rows = work.results();
    let row = rows.of("V1");
    assert_eq!((&row["status"], &row["error_code"], &row["attempts"]), ("failed", "server_error", "1"));
    assert!(row["error"].starts_with("Trax Internal Error"), "{}", &row["error"]);
}

#[test]
fn a_signal_ends_a_pause_that_a_429_asked_for() {
    let server = ScriptedServer::replying(vec![Reply::status(429).with("retry-after", "15")]);
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("pausing for");
    run.signal("INT");
    run.finish().ends_with(130);
    let rows = work.results();
    assert_eq!((rows.count("failed"), rows.count("not_attempted")), (1, 2));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_killed_run_loses_no_answered_row_and_sends_none_of_them_again() {
    let (work, server, gate) = held_at(3, 5);
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(3);
    wait_until("the journal has the two rows", || work.read("results.csv.partial").matches(",uploaded,").count() == 2);
    drop(run);
    assert!(!work.exists("results.csv"));
    // As a process leaves it that dies in the middle of a row.
    let journal = work.read("results.csv.partial");
    work.write("results.csv.partial", format!("{journal}V3,0000,uplo"));
    gate.open();
    work.traxload(&["run", "job.toml"]).ends_with(0);
    let rows = work.results();
    assert_eq!(rows.column("status"), ["uploaded"; 5]);
    assert_eq!((server.requests_for("V1").len(), server.requests_for("V2").len()), (1, 1));
    assert_eq!(server.requests_for("V3").len(), 2, "it had no answer");
    assert!(!work.exists("results.csv.partial"));
}

#[test]
fn a_rerun_takes_up_the_journal_of_a_killed_run() {
    let (work, server, gate) = held_at(2, 3);
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(2);
    wait_until("the journal has the row", || work.read("results.csv.partial").contains(",uploaded,"));
    drop(run);
    gate.open();
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(work.results().column("status"), ["uploaded"; 3]);
    assert_eq!(server.requests_for("V1").len(), 1);
}

/// Runs against a server that repeats the token, and looks for it in everything that is left.
#[track_caller]
fn token_is_nowhere(echo: impl Fn(&str) -> Reply + Send + Sync + 'static, code: i32) {
    let server = ScriptedServer::start(move |request, _| {
        echo(request.header("authorization").strip_prefix("Auth-Token ").unwrap_or_default())
    });
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()).upload("patience", "\"100ms\"").upload("max_in_flight", "1"));
    for format in ["text", "json"] {
        let args = ["run", "job.toml", "-v", "--json", "--fresh", "--log-format", format];
        let done = work.traxload_with(&args, &[("TRAX_TOKEN", SLASHED)]).ends_with(code);
        assert!(!server.requests().is_empty());
        let mut left = vec![("stdout".to_owned(), done.stdout), ("stderr".to_owned(), done.stderr)];
        left.extend(work.listing(".").into_iter().map(|name| (name.clone(), work.read(&name))));
        for name in ["results.csv", "results.csv.json"] {
            assert!(left.iter().any(|(known, _)| known == name), "no {name}");
        }
        for (name, text) in left {
            // Also where something was put before the slash.
            for piece in SLASHED.split('/') {
                assert!(!text.contains(piece), "{piece} is in {name}: {text}");
            }
        }
    }
}

/// As tokens may look: base64 has slashes.
const SLASHED: &str = "c2VjcmV0/L3Rva2Vu+Zg==";

#[test]
fn the_token_appears_nowhere_even_if_the_server_echoes_it() {
    token_is_nowhere(|token| Reply::error(400, &format!("Unknown Store {token}")), 3);
    token_is_nowhere(|token| Reply::text(404, &format!("<pre>Authorization: Auth-Token {token}</pre>")), 3);
    token_is_nowhere(|token| Reply::error(401, &format!("Incorrect or expired token {token}")), 6);
    token_is_nowhere(|token| Reply::error(503, token), 5);
    token_is_nowhere(|token| Reply::status(302).with("location", &format!("http://127.0.0.1/{token}")), 3);
    token_is_nowhere(|token| Reply::Bytes(format!("Auth-Token {token}\r\n\r\n").into_bytes()), 5);
}

#[test]
fn the_token_appears_nowhere_even_if_the_server_echoes_it_with_json_escapes() {
    let slashes = |token: &str| format!(r#"{{"error":"bad key {}"}}"#, token.replace('/', "\\/"));
    token_is_nowhere(move |token| Reply::text(400, &slashes(token)), 3);
    let code_points = |token: &str| -> String { token.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect() };
    let escaped = move |token: &str| Reply::text(400, &format!(r#"{{"error":"bad key {}"}}"#, code_points(token)));
    token_is_nowhere(escaped, 3);
}
