//! `deploy/traxload-nightly`: the same line every time, whatever the night before it was like.

#![cfg(unix)]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[track_caller]
fn nightly(work: &Workdir, args: &str) -> Done {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/traxload-nightly");
    work.shell(&format!("'{script}' job.toml {args}"))
}

#[test]
fn a_day_without_a_result_file_is_run_and_one_that_has_it_is_run_again() {
    let up = Arc::new(AtomicBool::new(false));
    let is_up = up.clone();
    let server = ScriptedServer::start(move |_, _| match is_up.load(Ordering::SeqCst) {
        true => Reply::ok(),
        false => Reply::status(503),
    });
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()).upload("patience", "\"50ms\""));
    nightly(&work, "2024-03-05 --quiet").ends_with(5);
    assert_eq!(work.listing("results"), ["job-2024-03-05.csv", "job-2024-03-05.csv.json"]);
    up.store(true, Ordering::SeqCst);
    let done = nightly(&work, "2024-03-05 --max-duration 5h --json").ends_with(0);
    assert_eq!((&done.json()["command"], &done.json()["uploaded"]), (&"rerun".into(), &3.into()));
    let sent = server.requests().len();
    nightly(&work, "2024-03-05").ends_with(0);
    assert_eq!(server.requests().len(), sent, "nothing was left to send");
}

#[test]
fn without_a_day_it_is_that_of_yesterday_and_options_are_handed_on() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().exports("path", "[\"{date}-nothing*\"]"));
    let day = work.shell("date -d yesterday +%F 2>/dev/null || date -v-1d +%F").stdout;
    nightly(&work, "--quiet").ends_with(2).says(&[&format!("{}-nothing", day.trim())]);
    nightly(&work, "--no-such-option").ends_with(2).says(&["--no-such-option"]);
}

#[test]
fn a_token_that_systemd_hands_over_is_used() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url())).write("credentials/trax-token", "from-a-file\n");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/traxload-nightly");
    let line = format!("TRAX_TOKEN= CREDENTIALS_DIRECTORY=\"$PWD/credentials\" '{script}' job.toml 2024-03-05");
    work.shell(&line).ends_with(0);
    assert_eq!(server.requests()[0].header("authorization"), "Auth-Token from-a-file");
}
