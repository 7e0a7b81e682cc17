//! Runs at the same time, under one token and address, keep to one rate.

use crate::harness::{JobFile, Reply, ScriptedServer, TOKEN, Workdir, plain_command};
use std::time::Duration;

fn server() -> ScriptedServer {
    ScriptedServer::start(|_, _| Reply::ok())
}

fn job(server: &ScriptedServer, rate: &str) -> JobFile {
    JobFile::to(&server.url()).upload("rate", &format!("\"{rate}\""))
}

/// The files through which runs share.
fn rate_files(work: &Workdir) -> Vec<String> {
    work.listing(".").into_iter().filter(|name| name.ends_with(".rate")).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn two_runs_at_once_keep_to_one_rate() {
    const EACH: usize = 60;
    let (work, server) = (Workdir::with_visits(EACH), server());
    work.job(&job(&server, "40/s"));
    let started = ["a.csv", "b.csv"].map(|results| work.start(&["run", "job.toml", "--results", results]));
    for run in started {
        run.finish().ends_with(0);
    }
    let mut times: Vec<_> = server.requests().into_iter().map(|request| request.at).collect();
    times.sort();
    assert_eq!(times.len(), EACH * 2);
    // Each for itself, they would need half of the time.
    let took = times[times.len() - 1] - times[0];
    assert!(took > Duration::from_millis(2_500), "{took:?}");
    assert_eq!(rate_files(&work).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn the_file_says_nothing_of_the_token_and_a_pause_in_it_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let (work, server) = (Workdir::with_visits(3), server());
    work.run(&job(&server, "100/s")).ends_with(0);
    let files = rate_files(&work);
    assert_eq!(files.len(), 1, "{files:?}");
    let (name, text) = (&files[0], work.read(&files[0]));
    assert!(!name.contains(TOKEN) && !text.contains(TOKEN), "{name}: {text}");
    assert_eq!(work.path(name).metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
    // Another run has just begun a pause of three seconds.
    let up = std::fs::read_to_string("/proc/uptime").expect("Linux");
    let up: f64 = up.split(' ').next().and_then(|up| up.parse().ok()).expect("seconds");
    let mut fields: Vec<String> = text.split(' ').map(str::to_owned).collect();
    fields[3] = format!("{:020}", ((up + 3.0) * 1e9) as u64);
    work.write(name, fields.join(" "));
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0).says(&["another run under this token pauses"]);
    // Further ahead than patience, it cannot be a pause.
    fields[3] = format!("{:020}", ((up + 300.0) * 1e9) as u64);
    work.write(name, fields.join(" "));
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
}

#[test]
fn a_rate_that_is_no_limit_needs_no_file() {
    let (work, server) = (Workdir::with_visits(3), server());
    work.run(&job(&server, "1000/s")).ends_with(0);
    assert!(rate_files(&work).is_empty());
}

#[cfg(unix)]
#[test]
fn where_there_can_be_no_file_the_run_says_so_and_goes_on() {
    let (work, server) = (Workdir::with_visits(3), server());
    work.job(&job(&server, "100/s"));
    let mut command = plain_command(&work.path("."), &["run", "job.toml", "-v"]);
    command.env("TRAX_TOKEN", TOKEN).env("XDG_RUNTIME_DIR", "/nowhere").env("TMPDIR", "/nowhere/else");
    // Exports small enough need no temporary files.
    let done = command.output().expect("the binary starts");
    let said = String::from_utf8_lossy(&done.stderr);
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.contains("shares its rate with no other one"), "{said}");
}
