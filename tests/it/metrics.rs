//! The figures of a run for Prometheus: what is in the file, when it is written, and what its own tools say of it.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, ScriptedServer, Workdir, visit};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

const METRICS: &str = "[results]\npath = \"results.csv\"\nmetrics = \"traxload.prom\"";

/// The samples of a file, by name and labels.
#[track_caller]
fn samples(work: &Workdir, name: &str) -> BTreeMap<String, f64> {
    let text = work.read(name);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("{line}")))
    };
    let samples = lines.map(sample).collect();
    is_accepted_by_promtool(&text);
    samples
}

/// By Prometheus itself, where it is there to be asked.
#[track_caller]
fn is_accepted_by_promtool(text: &str) {
    let mut tool = Command::new("promtool");
    tool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut tool) = tool.spawn() else {
        crate::harness::skipped("promtool is not installed");
        return;
    };
    tool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    let output = tool.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}\n{text}", String::from_utf8_lossy(&said));
}

#[test]
fn a_run_leaves_its_figures_and_the_next_one_replaces_them() {
    let replies = vec![
        Reply::status(429).with("retry-after", "0"),
        Reply::ok(),
        Reply::status(409),
        Reply::status(400),
        Reply::ok(),
    ];
    let server = ScriptedServer::replying(replies);
    let rows = [visit(1), visit(2), visit(3), "V4,,,,,,".to_owned()];
    let scenes = ["V1,S1,T", "V2,S2,T", "V3,S3,T", "V4,S4,T"].map(str::to_owned);
    let work = Workdir::with_rows(&rows, &scenes);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1").and(METRICS));
    work.traxload(&["run", "job.toml"]).ends_with(3);
    let first = samples(&work, "traxload.prom");
    for (name, value) in [
        ("traxload_visits{job=\"test\",status=\"uploaded\"}", 1.0),
        ("traxload_visits{job=\"test\",status=\"already_received\"}", 1.0),
        ("traxload_visits{job=\"test\",status=\"invalid\"}", 1.0),
        ("traxload_visits{job=\"test\",status=\"rejected\"}", 1.0),
        ("traxload_visits{job=\"test\",status=\"failed\"}", 0.0),
        ("traxload_visits{job=\"test\",status=\"not_attempted\"}", 0.0),
        ("traxload_requests{job=\"test\"}", 4.0),
        ("traxload_retries{job=\"test\"}", 1.0),
        ("traxload_rate_limit_pauses{job=\"test\"}", 1.0),
        ("traxload_exit_code{job=\"test\"}", 3.0),
    ] {
        assert_eq!(first.get(name), Some(&value), "{name} in {first:#?}");
    }
    assert!(first["traxload_run_duration_seconds{job=\"test\"}"] > 0.0);
    assert!(first["traxload_requests_per_second{job=\"test\"}"] > 0.0);
    let success = "traxload_last_success_timestamp_seconds{job=\"test\"}";
    assert_eq!(first.get(success), None, "there was none");

    work.write("visits.csv", crate::harness::lines(crate::harness::VISITS_HEADER, &rows[..3]));
    work.traxload(&["rerun", "results.csv", "--forget-gone"]).ends_with(0);
    let second = samples(&work, "traxload.prom");
    assert_eq!(second["traxload_exit_code{job=\"test\"}"], 0.0);
    assert!(second[success] >= first["traxload_last_run_timestamp_seconds{job=\"test\"}"]);
    assert_eq!(second[success], second["traxload_last_run_timestamp_seconds{job=\"test\"}"]);

    work.traxload(&["run", "job.toml"]).ends_with(2);
    let third = samples(&work, "traxload.prom");
    assert_eq!(third["traxload_exit_code{job=\"test\"}"], 2.0);
    assert_eq!(third[success], second[success], "it is kept until the next one");
    assert_eq!(
        work.listing("."),
        ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "traxload.prom", "visits.csv"]
    );
}

#[test]
fn they_are_written_whatever_the_exit_code() {
    let down = || Reply::status(503);
    for (reply, args, code) in [
        (Reply::ok(), &["--max-duration", "1ms"] as &[&str], 2),
        (down(), &[], 5),
        (Reply::status(401), &[], 6),
        (Reply::ok(), &["--limit", "0"], 8),
        (Reply::ok(), &["--from", "2024-03-06", "--to", "2024-03-05"], 2),
    ] {
        let server = ScriptedServer::replying(vec![reply]);
        let work = Workdir::with_visits(2);
        work.job(&JobFile::to(&server.url()).upload("patience", "\"50ms\"").and(METRICS));
        work.traxload(&[&["run", "job.toml"], args].concat()).ends_with(code);
        assert_eq!(samples(&work, "traxload.prom")["traxload_exit_code{job=\"test\"}"], f64::from(code));
    }
}

#[test]
fn a_stop_by_a_signal_is_told_as_well() {
    let server = ScriptedServer::replying(vec![Reply::status(429).with("retry-after", "15")]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()).and(METRICS));
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("pausing for");
    run.signal("TERM");
    run.finish().ends_with(143);
    let samples = samples(&work, "traxload.prom");
    assert_eq!(samples["traxload_exit_code{job=\"test\"}"], 143.0);
    assert_eq!(samples["traxload_visits{job=\"test\",status=\"failed\"}"], 1.0);
}

/// A command that never ends holds up the reading.
#[cfg(unix)]
#[test]
fn a_signal_while_the_exports_are_read_is_told_as_well() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().visits_command(r#"["sleep", "600"]"#).and(METRICS));
    let run = work.start(&["run", "job.toml"]);
    crate::harness::wait_until("the run has its lock", || work.exists("results.csv.lock"));
    run.signal("TERM");
    run.finish().ends_with(143);
    assert_eq!(samples(&work, "traxload.prom")["traxload_exit_code{job=\"test\"}"], 143.0);
}

#[cfg(unix)]
#[test]
fn the_collector_may_read_them_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().and(METRICS));
    work.shell("umask 077 && traxload run job.toml").ends_with(0);
    let about = std::fs::metadata(work.path("traxload.prom")).expect("it is there");
    assert_eq!(about.permissions().mode() & 0o777, 0o644);
}

#[test]
fn what_cannot_be_written_is_a_warning() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().and(&METRICS.replace("traxload.prom", "no-such-folder/t.prom")));
    work.traxload(&["run", "job.toml"])
        .ends_with(0)
        .says(&["warning: there are no metrics of this run: cannot write no-such-folder/t.prom"]);
    assert_eq!(work.results().count("uploaded"), 1);
}

#[cfg(unix)]
#[test]
fn metrics_replace_nothing_but_metrics_and_a_link_stays() {
    let work = Workdir::with_visits(1);
    let job =
        |path: &str| JobFile::to("sandbox").and(&format!("[results]\npath = \"results.csv\"\nmetrics = {path:?}"));
    let says = "is not metrics of traxload, so it is left as it is";
    let others = "# TYPE node_time_seconds gauge\nnode_time_seconds 1\n";
    work.write("others.prom", others);
    work.job(&job("others.prom")).traxload(&["run", "job.toml"]).ends_with(0).says(&[says]);
    assert_eq!(work.read("others.prom"), others);
    let socket = std::os::unix::net::UnixListener::bind(work.path("special.prom")).expect("a socket");
    work.job(&job("special.prom"))
        .traxload(&["run", "job.toml", "--fresh"])
        .ends_with(0)
        .says(&["special.prom is not a regular file"]);
    assert!(!work.path("special.prom").metadata().expect("it is there").is_file());
    drop(socket);
    std::fs::create_dir(work.path("collected")).expect("a folder");
    std::os::unix::fs::symlink("collected/nightly.prom", work.path("link.prom")).expect("a link");
    for _ in 0..2 {
        work.job(&job("link.prom")).traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    }
    assert!(work.path("link.prom").is_symlink());
    assert!(work.read("collected/nightly.prom").contains("traxload_visits"));
}

#[test]
fn names_and_placeholders_are_those_of_the_job() {
    let work = Workdir::with_visits(1);
    let job = JobFile::new().and("[results]\npath = \"r-{date}.csv\"\nmetrics = \"{name}-{date}.prom\"");
    let odd = job.to_string().replacen("name = \"test\"", "name = 'a \"quoted\" night'", 1);
    work.write("job.toml", odd);
    work.traxload(&["run", "job.toml", "--date", "2024-03-05"]).ends_with(0);
    let samples = samples(&work, "a \"quoted\" night-2024-03-05.prom");
    assert_eq!(samples[r#"traxload_exit_code{job="a \"quoted\" night"}"#], 0.0);
    for (metrics, said) in
        [("{day}.prom", "{day} is not a placeholder"), ("results.csv", "end in .prom"), ("", ".prom")]
    {
        let job = JobFile::new().and(&METRICS.replace("traxload.prom", metrics));
        let (done, _) = work.check(&job);
        done.ends_with(2).says(&["job.toml:", said]);
    }
}
