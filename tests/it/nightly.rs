//! Every night the same line, whatever the night before was like: `--continue`, `--catch-up`, and the files of deploy/.

#![cfg(unix)]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

/// A server that says this to all until it is told otherwise.
fn server(status: u16) -> (ScriptedServer, Arc<AtomicU16>) {
    let says = Arc::new(AtomicU16::new(status));
    let said = says.clone();
    (ScriptedServer::start(move |_, _| Reply::status(said.load(Ordering::SeqCst))), says)
}

/// A folder with a job of a single day and the exports of these days, of as many visits each.
fn daily(server: &ScriptedServer, days: &[&str], visits: usize) -> Workdir {
    let work = Workdir::with_visits(visits);
    let paths = |work: &Workdir| (work.read("visits.csv"), work.read("scenes.csv"));
    let (all_visits, all_scenes) = paths(&work);
    for day in days {
        // A key of its own for every day.
        work.write(&format!("{day}/visits.csv"), all_visits.replace("V", &format!("{day}-V")));
        work.write(&format!("{day}/scenes.csv"), all_scenes.replace("V", &format!("{day}-V")));
    }
    work.job(
        &JobFile::to(&server.url())
            .upload("patience", "\"50ms\"")
            .visits("path", "\"{date}/visits.csv\"")
            .scenes("path", "\"{date}/scenes.csv\"")
            .and("[check]\naccept = [\"other_day\"]\n[results]\npath = \"results/{name}-{date}.csv\""),
    );
    work
}

#[track_caller]
fn night(work: &Workdir, day: &str, more: &[&str]) -> Done {
    work.traxload(&[&["run", "job.toml", "--date", day], more].concat())
}

#[test]
fn continue_begins_goes_on_and_has_nothing_to_do_also_where_the_exports_are_gone() {
    let (server, says) = server(503);
    let work = daily(&server, &["2024-03-05"], 3);
    night(&work, "2024-03-05", &["--continue", "--quiet"]).ends_with(5);
    says.store(200, Ordering::SeqCst);
    let done = night(&work, "2024-03-05", &["--continue", "--json"]).ends_with(0);
    assert_eq!((&done.json()["command"], &done.json()["uploaded"]), (&"run".into(), &3.into()));
    let sent = server.requests().len();
    night(&work, "2024-03-05", &["--continue"]).ends_with(0);
    work.shell("rm -r 2024-03-05");
    let done = night(&work, "2024-03-05", &["--continue", "--json"]).ends_with(0).says(&["the exports are gone"]);
    assert_eq!((&done.json()["result_rows"], &done.json()["requests"]), (&3.into(), &0.into()));
    assert_eq!(server.requests().len(), sent, "nothing was left to send");
    // Of another day nothing is known.
    night(&work, "2024-03-06", &["--continue"]).ends_with(2);
}

#[test]
fn a_trial_silences_no_night() {
    let (server, _) = server(200);
    let work = daily(&server, &["2024-03-05"], 4);
    night(&work, "2024-03-05", &["--limit", "1"]).ends_with(0);
    let done = night(&work, "2024-03-05", &["--continue", "--json"]).ends_with(0);
    assert_eq!(done.json()["uploaded"], 4);
    assert_eq!(server.requests().len(), 4);

    let work = daily(&server, &["2024-03-05"], 4);
    night(&work, "2024-03-05", &["--limit", "1"]).ends_with(0);
    work.shell("rm -r 2024-03-05");
    night(&work, "2024-03-05", &["--continue"]).ends_with(2);
}

#[test]
fn the_result_file_of_another_job_is_refused_and_a_job_file_may_move() {
    let (server, _) = server(200);
    let work = daily(&server, &["2024-03-05"], 1);
    night(&work, "2024-03-05", &["--results", "r.csv"]).ends_with(0);
    let job = work.read("job.toml");
    work.write("moved/same.toml", &job);
    work.traxload(&["run", "moved/same.toml", "--date", "2024-03-05", "--results", "r.csv", "--continue"]).ends_with(0);
    work.write("other.toml", job.replace("{date}/visits.csv", "./{date}/visits.csv"));
    for more in [&["--continue"][..], &[]] {
        let args = ["run", "other.toml", "--date", "2024-03-05", "--results", "r.csv"];
        work.traxload(&[&args[..], more].concat()).ends_with(2).says(&["another job", "moved/same.toml"]);
    }
}

#[test]
fn missed_nights_are_named_and_made_up_for() {
    let (server, says) = server(200);
    let days = ["2024-03-01", "2024-03-02", "2024-03-04", "2024-03-05"];
    let work = daily(&server, &days, 1);
    // Nothing was missed before the first night.
    let done = night(&work, "2024-03-01", &["-q"]).ends_with(0);
    assert!(!done.stderr.contains("catch-up"), "{}", done.stderr);
    night(&work, "2024-03-05", &["-q", "--fresh"]).ends_with(0).says(&["2024-03-02, 2024-03-04", "--catch-up 3d"]);
    // What lies further back than the days that are asked for stays a warning.
    let done = night(&work, "2024-03-05", &["--catch-up", "1d", "--json"]).ends_with(0).says(&["2024-03-02"]);
    assert_eq!(done.stdout.lines().count(), 2, "{}", done.stdout);
    says.store(401, Ordering::SeqCst);
    let done = night(&work, "2024-03-05", &["--catch-up", "7d", "--json"]).ends_with(6);
    assert_eq!(done.stdout.lines().count(), 1, "{}", done.stdout);
    says.store(200, Ordering::SeqCst);
    // That night was begun, and has a result file.
    let done = night(&work, "2024-03-05", &["--catch-up", "7d", "-q"]).ends_with(0);
    assert!(!done.stderr.contains("catch-up"), "{}", done.stderr);
    assert_eq!(work.listing("results").iter().filter(|name| name.ends_with(".csv")).count(), 4);
}

#[test]
fn a_night_that_was_stopped_or_was_a_trial_is_no_finished_one_and_one_with_refused_visits_is() {
    let (server, says) = server(503);
    let days = ["2024-03-02", "2024-03-03", "2024-03-04", "2024-03-05"];
    let work = daily(&server, &days, 2);
    night(&work, "2024-03-02", &["-q"]).ends_with(5);
    says.store(400, Ordering::SeqCst);
    night(&work, "2024-03-03", &["-q"]).ends_with(3);
    says.store(200, Ordering::SeqCst);
    night(&work, "2024-03-04", &["-q", "--limit", "1"]).ends_with(0);
    let done = night(&work, "2024-03-05", &["-q"]).ends_with(0).says(&["2024-03-02, 2024-03-04 have", "--catch-up 3d"]);
    assert!(!done.stderr.contains("2024-03-03"), "{}", done.stderr);
    let done = night(&work, "2024-03-05", &["--catch-up", "7d", "--json"]).ends_with(0);
    assert_eq!(done.stdout.lines().count(), 3, "{}", done.stdout);
    for day in ["2024-03-02", "2024-03-04", "2024-03-05"] {
        assert_eq!(work.read(&format!("results/test-{day}.csv")).matches(",uploaded,").count(), 2, "{day}");
    }
}

#[test]
fn exports_of_which_one_is_late_are_not_gone() {
    let (server, _) = server(200);
    let work = daily(&server, &["2024-03-05"], 1);
    night(&work, "2024-03-05", &[]).ends_with(0);
    work.shell("rm 2024-03-05/scenes.csv");
    night(&work, "2024-03-05", &["--continue"]).ends_with(2);
    work.shell("rm 2024-03-05/visits.csv");
    night(&work, "2024-03-05", &["--continue"]).ends_with(0);
}

#[test]
fn catch_up_needs_a_day_and_paths_that_name_it() {
    let (server, _) = server(200);
    let work = daily(&server, &["2024-03-05"], 1);
    work.traxload(&["run", "job.toml", "--catch-up", "7d"]).ends_with(2).says(&["--date"]);
    night(&work, "2024-03-05", &["--catch-up", "40d"]).ends_with(2).says(&["31d"]);
    work.write("job.toml", work.read("job.toml").replace("results/{name}-{date}.csv", "r.csv"));
    night(&work, "2024-03-05", &["--catch-up", "7d"]).ends_with(2).says(&["once a day"]);
}

/// The commands of the files in deploy/, each as its own tool starts it.
#[test]
fn the_lines_of_deploy_work() {
    let deploy = |name: &str| {
        let path = format!("{}/deploy/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read_to_string(&path).expect("a file of deploy/")
    };
    let (server, _) = server(200);
    let yesterday = "$(date -u -d yesterday +%F 2>/dev/null || date -u -v-1d +%F)";
    let mut lines: Vec<String> = Vec::new();
    for line in deploy("crontab").lines().filter(|line| line.contains("traxload run")) {
        // cron takes a percent sign for a line break.
        assert!(!line.contains('%'), "{line}");
        lines.push(line.split_whitespace().skip(5).collect::<Vec<_>>().join(" "));
    }
    let unit = deploy("traxload-nightly.service");
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/")).expect("a command");
    let variable = unit.lines().find_map(|line| line.strip_prefix("Environment=TRAX_TOKEN_FILE=")).expect("the token");
    lines.push(format!("TRAX_TOKEN_FILE={} {start}", variable.replace("%d/trax-token", "/etc/traxload/token")));
    let yaml = deploy("cronjob.yaml");
    let args = yaml.lines().find_map(|line| line.trim().strip_prefix("args: [")).expect("arguments");
    lines.push(format!(
        "TRAX_TOKEN=t traxload {}",
        args.trim_end_matches(']').split(", ").collect::<Vec<_>>().join(" ").replace("/etc/traxload/", "")
    ));
    assert_eq!(lines.len(), 4);
    for line in lines {
        let work = daily(&server, &[], 1);
        work.write("token", "from-a-file\n");
        work.shell(&format!("chmod 600 token; mkdir {yesterday}; cp visits.csv scenes.csv {yesterday}/"));
        work.write("nightly-backfill.toml", work.read("job.toml"));
        let line = line.replace("cd /srv/traxload && ", "").replace("/etc/traxload/token", "token");
        work.shell(&format!("unset TRAX_TOKEN; {line}")).ends_with(0);
        assert_eq!(work.listing("results").len(), 2, "{line}");
    }
    assert!(server.requests().iter().any(|request| request.header("authorization") == "Auth-Token from-a-file"));
}
