//! Runs of limited duration: how they end, what their rerun does, and what `check` says beforehand.

use crate::harness::{Gate, JobFile, Reply, ScriptedServer, Workdir};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_run_whose_time_is_up_before_it_sends_attempts_nothing_and_a_rerun_sends_it_all() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--max-duration", "1ms"]).ends_with(3).says(&[
        "WARN stopping: the time of max_duration is up",
        "stopped: max_duration = 0.0 s is over; 3 visits were not attempted",
        "next: traxload rerun results.csv",
    ]);
    assert!(server.requests().is_empty());
    let rows = work.results();
    assert_eq!(rows.column("status"), ["not_attempted"; 3]);
    assert_eq!(rows.column("error_code"), ["stopped"; 3]);
    assert_eq!(rows.column("scenes"), ["1"; 3]);
    assert!(rows.column("payload_sha256").iter().all(|hash| hash.len() == 64), "the body that it would have");
    let done = work.traxload(&["rerun", "results.csv", "--max-duration", "1ms", "--json", "-q"]).ends_with(3);
    assert_eq!(done.json()["stopped"], "max_duration");
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert_eq!(done.json()["stopped"], serde_json::Value::Null, "the window of an earlier run is over");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn what_is_invalid_is_told_as_such_also_where_the_time_is_up() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let visits =
        [crate::harness::visit(1), "V2,,2024-03-05,2024-03-05T08:00:00Z,,,".to_owned(), crate::harness::visit(3)];
    let work = Workdir::with_rows(&visits, &["V1,S,T", "V2,S,T", "V3,S,T"].map(str::to_owned));
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--max-duration", "1ms"]).ends_with(3);
    let rows = work.results();
    assert_eq!((rows.count("not_attempted"), &rows.of("V2")["error_code"]), (2, "missing_field"));
    assert!(server.requests().is_empty());
}

#[test]
fn the_job_file_may_limit_every_run_and_the_option_wins() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()).upload("max_duration", "\"1ms\""));
    work.traxload(&["run", "job.toml"]).ends_with(3);
    assert!(server.requests().is_empty());
    work.traxload(&["rerun", "results.csv"]).ends_with(3);
    work.traxload(&["rerun", "results.csv", "--max-duration", "1h"]).ends_with(0);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn what_is_under_way_when_the_time_is_up_is_finished() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let mut run = work.start(&["run", "job.toml", "--max-duration", "3s"]);
    run.wait_for("stopping: the time of max_duration is up");
    gate.open();
    run.finish().ends_with(3).says(&["next: traxload rerun results.csv"]);
    let rows = work.results();
    assert_eq!((rows.count("uploaded"), rows.count("not_attempted")), (1, 2));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_pause_and_an_outage_end_when_the_time_is_up() {
    for (reply, status) in [
        (Reply::status(429).with("retry-after", "3000"), "rate_limited"),
        (Reply::status(503).with("retry-after", "3000"), "server_error"),
        (Reply::status(503), "server_error"),
    ] {
        let server = ScriptedServer::replying(vec![reply]);
        let work = Workdir::with_visits(30);
        let job = JobFile::to(&server.url()).upload("max_in_flight", "1").upload("patience", "\"1h\"");
        work.job(&job.upload("backoff", "{ first = \"1ms\", max = \"1h\" }"));
        work.traxload(&["run", "job.toml", "--max-duration", "2s"])
            .ends_with(3)
            .says(&["max_duration = 2.0 s is over"]);
        let rows = work.results();
        assert!(rows.count("failed") >= 1 && rows.count("failed") + rows.count("not_attempted") == 30);
        for row in rows.rows.iter().filter(|row| &row["status"] == "failed") {
            assert_eq!(&row["error_code"], status);
        }
    }
}

#[test]
fn a_run_that_has_delivered_everything_when_its_time_is_up_is_0() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    let mut run = work.start(&["run", "job.toml", "--max-duration", "3s"]);
    run.wait_for("stopping");
    gate.open();
    run.finish().ends_with(0);
}

#[test]
fn a_signal_after_the_time_is_up_waits_for_what_is_under_way_like_any_first_one() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let mut run = work.start(&["run", "job.toml", "--max-duration", "3s"]);
    run.wait_for("max_duration is up");
    run.signal("TERM");
    run.wait_for("a second signal ends at once");
    gate.open();
    run.finish().ends_with(3);
    assert_eq!(work.results().count("uploaded"), 1);
}

#[test]
fn a_duration_that_says_nothing_is_refused() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    work.traxload(&["run", "job.toml", "--max-duration", "5 parsecs"]).ends_with(2).says(&["--max-duration", "\"2h\""]);
    work.traxload(&["check", "job.toml", "--max-duration", "0s"]).ends_with(2).says(&["--max-duration"]);
    work.job(&JobFile::new().upload("max_duration", "\"long\""));
    work.traxload(&["check", "job.toml"]).ends_with(2).says(&["job.toml:", "max_duration = \"long\""]);
    assert!(!work.exists("results.csv"));
}

#[test]
fn check_says_whether_the_upload_fits_and_which_days_would() {
    let visits: Vec<String> =
        (0..40).map(|n| format!("V{n},1,2024-03-{day:02},2024-03-{day:02}T08:00:00Z,,,", day = 1 + n / 10)).collect();
    let scenes: Vec<String> = (0..40).map(|n| format!("V{n},S,T")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    work.job(&JobFile::new().upload("rate", "\"1/min\""));
    let fits = work.traxload(&["check", "job.toml", "--max-duration", "2h", "--json"]).ends_with(0);
    assert!(fits.stderr.contains("  window       fits into 2 h, with 1 h "), "{}", fits.stderr);
    assert_eq!(fits.json()["window"]["fits"], true);
    // Reading takes a moment of the 21 minutes.
    let done = work.traxload(&["check", "job.toml", "--max-duration", "21m", "--json"]).ends_with(0).says(&[
        "  window       does not fit: a run of 21 min sends about 20 of 40 visits; reruns send the rest",
        "  --from 2024-03-01 --to 2024-03-02   20 visits, about 20 min",
        "  --from 2024-03-03 --to 2024-03-04   20 visits, about 20 min",
    ]);
    // The last line is the one that is read.
    let last = done.stderr.trim_end().lines().last().expect("a line");
    assert!(last.starts_with("warning: a run of at most 21 min would not send everything: about 20 visits"), "{last}");
    assert!(!fits.stderr.contains("would not send everything"), "{}", fits.stderr);
    let quiet = work.traxload(&["check", "job.toml", "--max-duration", "21m", "-q"]).ends_with(0);
    assert!(quiet.stderr.ends_with("about 20 visits would be left for reruns\n"), "{}", quiet.stderr);
    let window = &done.json()["window"];
    assert_eq!((&window["fits"], &window["holds_visits"]), (&false.into(), &20.into()));
    assert_eq!(window["slices"][1]["from"], "2024-03-03");
    assert_eq!(work.traxload(&["check", "job.toml", "--json"]).json()["window"], serde_json::Value::Null);
}

#[test]
fn the_limit_holds_while_the_api_is_down_and_the_rest_is_sent_when_it_is_up() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    let server = ScriptedServer::start(move |_, _| match is_up.load(Ordering::SeqCst) {
        true => Reply::ok(),
        false => Reply::status(503),
    });
    let work = Workdir::with_visits(20);
    work.job(&JobFile::to(&server.url()).upload("patience", "\"1h\""));
    work.traxload(&["run", "job.toml", "--max-duration", "2s"]).ends_with(3);
    up.store(true, Ordering::SeqCst);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(work.results().count("uploaded"), 20);
}
