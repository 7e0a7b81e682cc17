//! `[notify]`: who is told of which runs, and that the address of it is nowhere to be read.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Reply, Request, ScriptedServer, TOKEN, Workdir};
use serde_json::Value;

/// The secret part of the address: with it, anyone can write to the channel.
const SECRET: &str = "T00000000-s3cr3t-hook";

fn notify(server: &ScriptedServer, more: &str) -> String {
    format!("[notify]\nurl = \"{}/services/{SECRET}?sig={SECRET}\"\n{more}", server.url())
}

fn hooks() -> ScriptedServer {
    ScriptedServer::replying(vec![Reply::ok()])
}

/// The one notification that arrived.
#[track_caller]
fn told(hooks: &ScriptedServer) -> (Request, Value) {
    let requests = hooks.requests();
    assert_eq!(requests.len(), 1, "{requests:#?}");
    let body = serde_json::from_str(requests[0].text()).expect("JSON");
    (requests[0].clone(), body)
}

/// Neither the address nor the token is in what was said or is left, but for the job file.
#[track_caller]
fn no_secret_is_left(work: &Workdir, done: &Done) {
    let mut left = vec![("stdout".to_owned(), done.stdout.clone()), ("stderr".to_owned(), done.stderr.clone())];
    let files = work.listing(".").into_iter().filter(|name| name != "job.toml");
    left.extend(files.map(|name| (name.clone(), work.read(&name))));
    for (name, text) in left {
        assert!(!text.contains(SECRET) && !text.contains("/services/") && !text.contains(TOKEN), "{name}: {text}");
    }
}

#[test]
fn a_run_that_did_not_deliver_everything_posts_its_summary() {
    let (api, hooks) = (ScriptedServer::replying(vec![Reply::ok(), Reply::error(400, "Unknown Store 2")]), hooks());
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&api.url()).upload("max_in_flight", "1").and(&notify(&hooks, "")));
    let done = work.traxload(&["run", "job.toml", "--json", "-v"]).ends_with(3);
    let (request, body) = told(&hooks);
    assert_eq!((request.method.as_str(), request.header("content-type")), ("POST", "application/json"));
    assert_eq!(request.path, format!("/services/{SECRET}?sig={SECRET}"));
    assert!(request.headers.iter().all(|(name, value)| name != "authorization" && !value.contains(TOKEN)));
    assert!(!request.text().contains(TOKEN));
    let text = body["text"].as_str().expect("a sentence");
    assert!(text.starts_with("traxload ") && text.contains("test: 1 of 2 visits was not delivered"), "{text}");
    assert!(text.contains("traxload rerun results.csv") && !text.contains('\n'), "{text}");
    let summary = done.json();
    for (key, value) in summary.as_object().expect("an object") {
        assert_eq!(&body[key], value, "{key}");
    }
    assert_eq!(body["job"], "test");
    no_secret_is_left(&work, &done);
}

#[test]
fn what_is_delivered_is_told_only_where_it_is_asked_for() {
    let hooks = hooks();
    let work = Workdir::with_visits(1);
    work.run(&JobFile::new().and(&notify(&hooks, ""))).ends_with(0);
    work.traxload(&["check", "job.toml"]).ends_with(0);
    assert!(hooks.requests().is_empty());
    work.job(&JobFile::new().and(&notify(&hooks, "when = \"always\"")));
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    let (_, body) = told(&hooks);
    let text = body["text"].as_str().expect("a sentence");
    assert!(text.ends_with("test (sandbox: nothing was sent to Trax): 1 visit, all delivered"), "{body}");
    assert_eq!(body["sandbox"], true);
}

#[test]
fn the_sentence_stands_by_itself_and_names_the_causes() {
    let refusals =
        ["Unknown Store 1", "Unknown Store 2", "Lookup value does not exist: 3", "missing attributes - x", ""];
    let (api, hooks) =
        (ScriptedServer::replying(refusals.iter().map(|text| Reply::error(400, text)).collect()), hooks());
    let work = Workdir::with_visits(5);
    work.job(&JobFile::to(&api.url()).upload("max_in_flight", "1").and(&notify(&hooks, "")));
    let done = work.traxload(&["run", "job.toml", "-q"]).ends_with(3);
    let (_, body) = told(&hooks);
    let text = body["text"].as_str().expect("a sentence");
    for part in [
        "test: 5 of 5 visits were not delivered: 2 rejected (unknown_store), 1 rejected (",
        "1 for other causes; see results.csv; next: fix the causes, then run: traxload rerun results.csv",
    ] {
        assert!(text.contains(part) && done.stderr.contains(part), "{part} in\n{text}\n{}", done.stderr);
    }
    assert!(!text.contains("above"), "{text}");
    assert_eq!(body["sandbox"], false);
}

#[test]
fn of_a_failure_only_the_first_line_is_told() {
    let hooks = hooks();
    let work = Workdir::with_visits(1);
    let job = JobFile::new().and(&notify(&hooks, "when = \"not_delivered\""));
    work.run(&job).ends_with(0);
    let done = work.traxload(&["run", "job.toml"]).ends_with(2);
    assert!(done.stderr.lines().count() > 1, "{}", done.stderr);
    let (_, body) = told(&hooks);
    assert_eq!(body["error"], "results.csv is already there, from a finished run");
    let text = body["text"].as_str().expect("a sentence");
    assert!(
        text.contains("(sandbox: nothing was sent to Trax): ended with exit code 2: results.csv is already there"),
        "{text}"
    );
    assert!(!text.contains('\n') && body["sandbox"] == true, "{body}");
}

#[test]
fn every_way_to_end_is_told_once_there_is_a_job() {
    for (reply, visits, args, code) in [
        (Reply::ok(), 2, &["--max-duration", "1ms"] as &[&str], 3),
        (Reply::status(503), 2, &[], 5),
        (Reply::status(401), 2, &[], 6),
        (Reply::ok(), 0, &[], 8),
        (Reply::ok(), 2, &["--from", "2024-03-06", "--to", "2024-03-05"], 2),
    ] {
        let (api, hooks) = (ScriptedServer::replying(vec![reply]), hooks());
        let work = Workdir::with_visits(visits);
        work.job(&JobFile::to(&api.url()).upload("patience", "\"50ms\"").and(&notify(&hooks, "")));
        work.traxload(&[&["run", "job.toml"], args].concat()).ends_with(code);
        let (_, body) = told(&hooks);
        assert_eq!(body["exit_code"], code);
        assert!(body["text"].as_str().is_some_and(|text| text.contains("test: ")), "{body}");
    }
    let hooks = hooks();
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().upload("rate", "\"fast\"").and(&notify(&hooks, "")));
    work.traxload(&["run", "job.toml"]).ends_with(2);
    assert!(hooks.requests().is_empty(), "a job file with a mistake is not a job");
}

#[test]
fn a_rerun_and_a_stop_by_a_signal_are_told_as_well() {
    let (api, hooks) = (ScriptedServer::replying(vec![Reply::status(429).with("retry-after", "10")]), hooks());
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&api.url()).and(&notify(&hooks, "")));
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("pausing for");
    run.signal("TERM");
    run.finish().ends_with(143);
    assert_eq!(told(&hooks).1["exit_code"], 143);
    work.traxload(&["rerun", "results.csv", "--max-duration", "1ms"]).ends_with(3);
    let last: Value = serde_json::from_str(hooks.requests()[1].text()).expect("JSON");
    assert_eq!((&last["command"], &last["stopped"]), (&"rerun".into(), &"max_duration".into()));
}

#[test]
fn a_notification_that_fails_is_a_warning_without_the_address_and_changes_nothing() {
    let elsewhere = hooks();
    let echo = |status: u16| ScriptedServer::start(move |request, _| Reply::text(status, &request.path));
    for (hooks, said) in [
        (echo(404), "failed: HTTP 404"),
        (ScriptedServer::replying(vec![Reply::Stall]), "failed: no answer in time"),
        (ScriptedServer::replying(vec![Reply::Drop]), "failed: "),
        (
            ScriptedServer::replying(vec![Reply::status(307).with("location", &elsewhere.url())]),
            "failed: HTTP 307; redirects are not followed",
        ),
    ] {
        for format in ["text", "json"] {
            let work = Workdir::with_visits(1);
            work.job(&JobFile::new().and(&notify(&hooks, "when = \"always\"\ntimeout = \"500ms\"")));
            let done = work.traxload(&["run", "job.toml", "-v", "--log-format", format]).ends_with(0);
            assert!(done.stderr.contains("the notification to 127.0.0.1 failed: "), "{}", done.stderr);
            assert!(done.stderr.contains(said), "{said} in {}", done.stderr);
            no_secret_is_left(&work, &done);
        }
    }
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_host_that_cannot_be_reached_is_all_that_is_shown_of_an_address() {
    let work = Workdir::with_visits(1);
    for address in ["https://127.0.0.1:1", "https://user:word@no-such-host.invalid"] {
        let url = format!("{address}/services/{SECRET}");
        work.job(&JobFile::new().and(&format!("[notify]\nurl = \"{url}\"\nwhen = \"always\"\ntimeout = \"2s\"")));
        let done = work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
        assert!(done.stderr.contains("warning: the notification to "), "{}", done.stderr);
        assert!(!done.stderr.contains("user:word"), "{}", done.stderr);
        no_secret_is_left(&work, &done);
    }
}

#[test]
fn the_address_may_come_from_the_environment() {
    let hooks = hooks();
    let url = format!("{}/services/{SECRET}", hooks.url());
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().and("[notify]\nurl_env = \"MY_HOOK\"\nwhen = \"always\""));
    work.traxload_with(&["run", "job.toml"], &[("MY_HOOK", &url)]).ends_with(0);
    assert_eq!(told(&hooks).0.path, format!("/services/{SECRET}"));
    for (value, said) in [
        (None, "warning: notifications are off: MY_HOOK (url_env) is not set"),
        (Some(format!("http://example.com/services/{SECRET}")), "use https"),
        (Some(format!("/services/{SECRET}")), "not an address"),
    ] {
        let environment: Vec<(&str, &str)> = value.iter().map(|value| ("MY_HOOK", value.as_str())).collect();
        let done = work.traxload_with(&["run", "job.toml", "--fresh"], &environment).ends_with(0).says(&[said]);
        no_secret_is_left(&work, &done);
    }
}

#[test]
fn a_mistake_about_it_in_the_job_file_does_not_show_the_address() {
    let url = format!("https://hooks.example.com/services/{SECRET}");
    for (section, said) in [
        (format!("[notify]\nurl = \"http://hooks.example.com/services/{SECRET}\""), "plain http"),
        (format!("[notify]\nurl = \"/services/{SECRET}\""), "not an address"),
        (format!("[notify]\nurl_env = \"{url}\""), "never the address itself"),
        (format!("[notify]\nurl = \"{url}\"\nurl_env = \"HOOK\""), "exclude each other"),
        (format!("[notify]\nulr = \"{url}\""), "unknown key `ulr`"),
        (format!("[notify]\nwhen = \"{url}\"\nurl = \"{url}\""), "`when` must be"),
        (format!("[notify]\nurl = \"{url}\"\nwhen = \"sometimes\""), "`when` must be"),
        (format!("[notify]\nurl = \"{url}\"\ntimeout = \"1h\""), "at most \"5m\""),
        (format!("[notify]\ntimeout = \"{url}\""), "at most"),
        ("[notify]\nwhen = \"always\"".to_owned(), "[notify] has no address"),
        (format!("[notify]\nurl = [\"{url}\"]"), "job.toml:"),
        (format!("[notify]\nurl = \"{url}"), "job.toml:"),
        (format!("[notify]\nurl = {url}"), "job.toml:"),
        (format!("[notify]\nurl = \"\"\"\n{url}\\q\"\"\""), "job.toml:"),
        (format!("[notify.url]\nx = \"{url}\""), "job.toml:"),
        (format!("[notify]\n\"{url}\""), "job.toml:"),
        (format!("[notify]\n\"{url}\" = 1"), "unknown key `…`"),
    ] {
        let (work, job) = (Workdir::with_visits(1), JobFile::new().and(&section));
        work.job(&job);
        for format in ["text", "json"] {
            let done = work.traxload(&["run", "job.toml", "--log-format", format]).ends_with(2);
            if format == "text" {
                assert!(done.stderr.contains(said), "{section}\n{}", done.stderr);
            }
            no_secret_is_left(&work, &done);
        }
    }
    let work = Workdir::with_visits(1);
    work.write("job.toml", format!("notify = \"{url}\"\n{}", JobFile::new()));
    let done = work.traxload(&["run", "job.toml"]).ends_with(2).says(&["job.toml:1:"]);
    no_secret_is_left(&work, &done);
    work.write("job.toml", format!("notify = {{ url = \"{url}\", wen = 1 }}\n{}", JobFile::new()));
    let done = work.traxload(&["run", "job.toml"]).ends_with(2).says(&["unknown key"]);
    no_secret_is_left(&work, &done);
}
