//! `--log-format json`: whatever is said, it is one JSON object a line, with a time, a level and a message.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir, visit};
use serde_json::Value;

/// Everything on standard error, each line a JSON object.
#[track_caller]
fn events(done: &Done) -> Vec<Value> {
    let events = done.stderr.lines().map(|line| {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line:?}"));
        assert!(chrono::DateTime::parse_from_rfc3339(event["timestamp"].as_str().expect("a time")).is_ok(), "{event}");
        assert!(["ERROR", "WARN", "INFO", "DEBUG"].contains(&event["level"].as_str().expect("a level")), "{event}");
        assert!(event["message"].as_str().is_some_and(|message| !message.is_empty()), "{event}");
        event
    });
    events.collect()
}

#[track_caller]
fn json(work: &Workdir, args: &[&str], code: i32) -> Vec<Value> {
    let done = work.traxload(&[args, &["--log-format", "json"]].concat()).ends_with(code);
    events(&done)
}

#[track_caller]
fn one<'a>(events: &'a [Value], level: &str, text: &str) -> &'a Value {
    let found: Vec<&Value> = events
        .iter()
        .filter(|event| event["level"] == level && event["message"].as_str().is_some_and(|said| said.contains(text)))
        .collect();
    assert_eq!(found.len(), 1, "{level} {text:?} in {events:#?}");
    found[0]
}

#[test]
fn a_run_with_warnings_pauses_and_refusals_says_it_in_events() {
    let replies = vec![Reply::status(429).with("retry-after", "0"), Reply::ok(), Reply::error(400, "Unknown Store 1")];
    let server = ScriptedServer::replying(replies);
    let rows = [visit(1), visit(1), visit(2), "V4,,,,,,".to_owned()];
    let scenes = ["V1,S1,T", "V2,S2,T", "V4,S4,T", "gone,S5,T"].map(str::to_owned);
    let work = Workdir::with_rows(&rows, &scenes);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let events = json(&work, &["run", "job.toml", "-v"], 3);
    one(&events, "WARN", "above the vendor's ceiling");
    one(&events, "WARN", "belongs to no visit");
    one(&events, "WARN", "pausing for");
    assert!(events.iter().any(|event| event["level"] == "DEBUG" && event["visit"] == "V1" && event["attempt"] == 2));
    let summary = &one(&events, "INFO", "finished")["summary"];
    assert_eq!((&summary["uploaded"], &summary["rejected"]), (&1.into(), &1.into()));
    let quiet = json(&work, &["run", "job.toml", "--fresh", "-q"], 3);
    one(&quiet, "ERROR", "next: fix the causes, then run: traxload rerun results.csv");
}

#[test]
fn progress_is_an_event_with_its_numbers() {
    let server = ScriptedServer::replying(vec![Reply::ok(), Reply::status(429).with("retry-after", "15")]);
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let mut run = work.start(&["run", "job.toml", "--log-format", "json"]);
    run.wait_for("\"per_second\"");
    run.signal("INT");
    let events = events(&run.finish().ends_with(130));
    let progress = one(&events, "INFO", "1 of 2");
    assert_eq!((&progress["rows"], &progress["of"], &progress["uploaded"]), (&1.into(), &2.into(), &1.into()));
    one(&events, "WARN", "a second signal ends at once");
}

#[test]
fn mistakes_in_a_job_file_are_events_with_their_places() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().upload("rate", "\"fast\"").upload("timeout", "\"soon\""));
    let events = json(&work, &["run", "job.toml"], 2);
    let rate = one(&events, "ERROR", "is not a rate");
    assert_eq!(rate["file"], "job.toml");
    let lines = work.read("job.toml");
    let line = lines.lines().position(|line| line.starts_with("rate")).expect("a line") + 1;
    assert_eq!((&rate["line"], &rate["column"]), (&line.into(), &8.into()));
    one(&events, "ERROR", "is not a duration");
    assert_eq!(events.len(), 2);
    work.write("job.toml", "name =");
    assert_eq!(json(&work, &["check", "job.toml"], 2).len(), 1);
}

#[test]
fn failures_and_wrong_usage_are_events() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    for args in [
        &["run", "no-such-job.toml"] as &[&str],
        &["rerun", "no-such-results.csv"],
        &["run", "job.toml", "--no-such-option"],
        &["run"],
        &["run", "job.toml", "--results", "."],
    ] {
        let events = json(&work, args, 2);
        one(&events, "ERROR", "");
    }
    let done = work.traxload(&["--log-format=json", "fly"]).ends_with(2);
    one(&events(&done), "ERROR", "fly");
    work.write("scenes.csv", "visit_id,scene_id,task_code\n\"V1,S1,T1\n");
    one(&json(&work, &["check", "job.toml"], 2), "ERROR", "scenes.csv");
}

#[test]
fn a_check_is_one_event_with_its_summary() {
    let work = Workdir::with_rows(&[visit(1), "V4,,,,,,".to_owned()], &["V1,S1,T", "V4,S4,T"].map(str::to_owned));
    work.job(&JobFile::new());
    let events = json(&work, &["check", "job.toml"], 3);
    assert_eq!(one(&events, "INFO", "finished")["summary"]["invalid"], 1);
}
