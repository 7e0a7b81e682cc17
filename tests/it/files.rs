//! Files of people and of the machine: who may read what a run leaves, what is found before anything is sent, runs that end
//! before they send, and who-and-what in the manifest.

#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir, skipped, wait_until};
use sha2::{Digest, Sha256};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;

fn taking() -> ScriptedServer {
    ScriptedServer::replying(vec![Reply::ok()])
}

fn mode(work: &Workdir, name: &str) -> u32 {
    std::fs::metadata(work.path(name)).expect("it is there").mode() & 0o7777
}

fn set_mode(work: &Workdir, name: &str, mode: u32) {
    std::fs::set_permissions(work.path(name), PermissionsExt::from_mode(mode)).expect("it is ours");
}

fn manifest(work: &Workdir) -> serde_json::Value {
    serde_json::from_str(&work.read("results.csv.json")).expect("JSON")
}

/// A library that takes the place of functions of the system, for the runs of a test. `None` without a C compiler.
fn shim(work: &Workdir, code: &str) -> Option<String> {
    work.write("shim.c", format!("#define _GNU_SOURCE\n#include <errno.h>\n#include <time.h>\n{code}\n"));
    let compiled =
        Command::new("cc").current_dir(work.path(".")).args(["-shared", "-fPIC", "-o", "shim.so", "shim.c"]).status();
    if !compiled.is_ok_and(|status| status.success()) {
        skipped("there is no C compiler");
        return None;
    }
    Some(work.path("shim.so").display().to_string())
}

/// Runs with such a library.
fn with_shim(work: &Workdir, shim: &str, args: &[&str]) -> Done {
    work.traxload_with(args, &[("TRAX_TOKEN", crate::harness::TOKEN), ("LD_PRELOAD", shim)])
}

#[test]
fn what_a_run_leaves_is_its_owners_alone_and_what_is_there_keeps_mode_and_group() {
    let server = ScriptedServer::start(|_, nth| if nth == 0 { Reply::status(400) } else { Reply::ok() });
    let work = Workdir::with_visits(2);
    let results = "[results]\npath = \"out/deep/r.csv\"\nreport = true\nmetrics = \"m.prom\"";
    work.job(&JobFile::to(&server.url()).and(results));
    work.shell("umask 002 && traxload run job.toml").ends_with(3);
    work.traxload(&["check", "job.toml", "--payloads", "p.jsonl", "--orphans", "o.csv"]).ends_with(0);
    let all = ["out/deep/r.csv", "out/deep/r.csv.json", "out/deep/r.csv.html", "p.jsonl", "o.csv"];
    for private in all {
        assert_eq!(mode(&work, private), 0o600, "{private}");
    }
    assert_eq!([mode(&work, "out"), mode(&work, "out/deep"), mode(&work, "m.prom")], [0o700, 0o700, 0o644]);
    // Whoever opened them to a group, or closed them, has the last word.
    let group = if std::os::unix::fs::chown(work.path(all[0]), None, Some(12_345)).is_ok() { 12_345 } else { 0 };
    all.iter().zip([0o640, 0o440, 0o664, 0o644, 0o600]).for_each(|(name, mode)| set_mode(&work, name, mode));
    work.traxload(&["rerun", "out/deep/r.csv"]).ends_with(0);
    work.traxload(&["check", "job.toml", "--payloads", "p.jsonl", "--orphans", "o.csv"]).ends_with(0);
    assert_eq!(all.map(|name| mode(&work, name)), [0o640, 0o440, 0o664, 0o644, 0o600]);
    if group != 0 {
        assert_eq!(std::fs::metadata(work.path(all[0])).expect("it is there").gid(), group);
    }
}

#[test]
fn a_journal_is_its_owners_alone_and_keeps_its_mode_to_the_end() {
    let gate = crate::harness::Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, nth| match nth {
        1 => Reply::After(held.clone(), Box::new(Reply::ok())),
        _ => Reply::ok(),
    });
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(2);
    wait_until("a row is written", || work.read("results.csv.partial").lines().count() == 2);
    assert_eq!(mode(&work, "results.csv.partial"), 0o600);
    run.signal("KILL");
    drop(run);
    gate.open();
    set_mode(&work, "results.csv.partial", 0o640);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(mode(&work, "results.csv"), 0o640);
}

#[test]
fn a_result_file_that_is_a_mount_of_its_own_is_2_and_a_folder_that_is_one_is_used() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.job(&JobFile::to(&server.url()).and("[results]\npath = \"out/r.csv\""));
    work.write("out/r.csv", "").write("elsewhere/r.csv", "");
    let mounted = |what: &str, at: &str| {
        format!("unshare -rm sh -c 'mount --bind elsewhere/{what} out/{at} && traxload run job.toml'")
    };
    if work.shell("unshare -rm mount --bind elsewhere out").code != 0 {
        skipped("this user may not mount anything");
        return;
    }
    let done = work.shell(&mounted("r.csv", "r.csv")).ends_with(2);
    done.says(&["out/r.csv is mounted by itself", "mount the folder around it"]);
    assert!(server.requests().is_empty());
    assert_eq!((work.listing("out"), work.listing("elsewhere")), (vec!["r.csv".to_owned()], vec!["r.csv".to_owned()]));
    std::fs::remove_file(work.path("elsewhere/r.csv")).expect("it is there");
    work.shell(&mounted("", "")).ends_with(0);
    assert_eq!(work.listing("elsewhere"), ["r.csv", "r.csv.json"]);
}

#[test]
fn what_cannot_be_written_at_the_end_is_said_in_its_own_words_before_anything_is_sent() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.job(&JobFile::to(&server.url())).write("folder.csv.json/x", "");
    let before = work.listing(".");
    let long = format!("{}.csv", "r".repeat(241));
    for (results, words) in [
        (long.as_str(), "too long: name a shorter one"),
        (&format!("{}.csv", "r".repeat(300)), "too long: name a shorter one"),
        ("folder.csv", "folder.csv.json is not a regular file"),
    ] {
        work.traxload(&["run", "job.toml", "--results", results]).ends_with(2).says(&[words]);
        assert_eq!(work.listing("."), before, "{results}");
    }
    if work.shell("unshare -rm sh -c 'mount -t tmpfs -o ro none folder.csv.json'").code == 0 {
        let line =
            "mkdir -p ro; unshare -rm sh -c 'mount -t tmpfs -o ro none ro && traxload run job.toml --results ro/r.csv'";
        work.shell(line).ends_with(2).says(&["is mounted read-only"]);
    }
    assert!(server.requests().is_empty());
    // With all endings it is as long as a name may be.
    let longest = format!("{}.csv", "r".repeat(255 - 4 - ".partial.new".len()));
    work.traxload(&["run", "job.toml", "--results", &longest]).ends_with(0);
}

#[test]
fn a_file_system_without_locks_is_a_suspicion_and_one_without_fsync_a_warning() {
    let (server, work) = (taking(), Workdir::with_visits(2));
    work.job(&JobFile::to(&server.url()));
    let Some(without_locks) = shim(&work, "int flock(int fd, int how) { errno = ENOLCK; return -1; }") else { return };
    let before = work.listing(".");
    let refused = with_shim(&work, &without_locks, &["run", "job.toml"]).ends_with(2);
    refused.says(&["no_lock: the file system of results.csv has no locks", "--accept no_lock"]);
    assert_eq!((work.listing("."), server.requests().len()), (before, 0));
    let accepted = with_shim(&work, &without_locks, &["run", "job.toml", "--accept", "no_lock"]).ends_with(0);
    accepted.says(&["warning: accepted, no_lock"]);
    let code = "int fsync(int fd) { errno = EINVAL; return -1; } int fdatasync(int fd) { errno = EINVAL; return -1; }";
    let Some(without_sync) = shim(&work, code) else { return };
    let done = with_shim(&work, &without_sync, &["run", "job.toml", "--fresh"]).ends_with(0);
    done.says(&["warning: the file system of results.csv cannot force rows to the disk"]);
    // One that fails otherwise is broken.
    let Some(broken) = shim(&work, &code.replace("EINVAL", "EIO")) else { return };
    let sent = server.requests().len();
    with_shim(&work, &broken, &["run", "job.toml", "--fresh"]).ends_with(2);
    assert_eq!((work.results().count("uploaded"), server.requests().len()), (2, sent));
}

#[test]
fn a_clock_that_was_never_set_is_said_and_no_export_is_blamed() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.job(&JobFile::to(&server.url()));
    let clock = |seconds: i64| {
        // The clock that never goes back stays as it is.
        format!(
            "#include <sys/syscall.h>\n#include <unistd.h>\n\
             int clock_gettime(clockid_t which, struct timespec *t) {{ int r = syscall(SYS_clock_gettime, which, t); \
             if (which == CLOCK_REALTIME) t->tv_sec = {seconds}; return r; }}"
        )
    };
    let Some(of_1970) = shim(&work, &clock(4_000)) else { return };
    let commands: [&[&str]; 6] = [
        &["run", "job.toml"],
        &["run", "job.toml", "--date", "yesterday"],
        &["run", "job.toml", "--date", "yesterday", "--catch-up", "3d"],
        &["ids", "job.toml", "--date", "yesterday"],
        &["check", "job.toml"],
        &["rerun", "results.csv"],
    ];
    for command in commands {
        with_shim(&work, &of_1970, command).ends_with(2).says(&["the clock of this machine says 1970-01-01 01:06 UTC"]);
    }
    assert!(server.requests().is_empty() && !work.exists("results.csv"));
    // Behind, but possible: somebody looks at an old day.
    let Some(of_2024) = shim(&work, &clock(1_709_700_000)) else { return };
    with_shim(&work, &of_2024, &["run", "job.toml"]).ends_with(0).says(&["before this program was made"]);
}

#[test]
fn time_that_is_up_while_reading_ends_with_2_and_the_same_command_works_again() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.job(&JobFile::to(&server.url()));
    let before = work.listing(".");
    let done = work.traxload(&["run", "job.toml", "--max-duration", "1ms"]).ends_with(2);
    done.says(&["max_duration = ", "nothing was sent and nothing is left behind", "fewer visits (--from, --to)"]);
    assert_eq!((work.listing("."), server.requests().len()), (before, 0));
    // While it waits for a file to settle.
    work.job(&JobFile::to(&server.url()).visits("settle", "\"1h\""));
    work.traxload(&["run", "job.toml", "--max-duration", "1s"]).ends_with(2).says(&["max_duration = 1.0 s is over"]);
    assert!(server.requests().is_empty());
    work.job(&JobFile::to(&server.url())).traxload(&["run", "job.toml", "--max-duration", "1m"]).ends_with(0);
    // A rerun leaves its file as it was.
    let rows = work.read("results.csv");
    let done = work.traxload(&["rerun", "results.csv", "--max-duration", "1ms"]).ends_with(2);
    assert!(!done.says(&["max_duration = ", "nothing was sent"]).stderr.contains("--from"));
    assert_eq!(work.read("results.csv"), rows);
}

#[test]
fn a_signal_while_reading_says_a_word_and_leaves_nothing_behind() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.job(&JobFile::to(&server.url()).visits_command(r#"["sh", "-c", "touch started; sleep 600"]"#));
    for (signal, code, word) in [("INT", 130, "stopped by Ctrl-C"), ("TERM", 143, "stopped by a signal")] {
        let run = work.start(&["run", "job.toml"]);
        wait_until("it reads", || work.exists("started"));
        run.signal(signal);
        run.finish().ends_with(code).says(&[word, "before anything was sent"]);
        std::fs::remove_file(work.path("started")).expect("it is there");
        assert_eq!(work.listing("."), ["job.toml", "scenes.csv", "visits.csv"]);
    }
    // While it waits for a file to settle.
    work.job(&JobFile::to(&server.url()).visits("settle", "\"1h\""));
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("looking at it again");
    run.signal("INT");
    run.finish().ends_with(130).says(&["before anything was sent"]);
    assert_eq!(work.listing("."), ["job.toml", "scenes.csv", "visits.csv"]);
    assert!(server.requests().is_empty());
}

#[test]
fn the_manifest_names_what_was_read_by_whom_and_what_came_of_it() {
    let (server, work) = (taking(), Workdir::with_visits(2));
    let job = JobFile::to(&server.url());
    work.job(&job);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    let hash = |work: &Workdir| {
        let bytes = Sha256::digest(work.read("results.csv"));
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let about = manifest(&work);
    assert_eq!(about["sha256"], hash(&work));
    let user = String::from_utf8(Command::new("id").arg("-un").output().expect("id is there").stdout).expect("text");
    assert_eq!(about["user"], user.trim());
    assert_eq!(about["host"], std::fs::read_to_string("/proc/sys/kernel/hostname").expect("a name").trim());
    let inputs = about["inputs"].as_array().expect("a list");
    assert_eq!(
        inputs.iter().map(|input| input["path"].as_str()).collect::<Vec<_>>(),
        [Some("visits.csv"), Some("scenes.csv")]
    );
    assert_eq!(inputs[0]["bytes"], work.read("visits.csv").len());
    assert!(inputs[0]["modified"].as_str().is_some_and(|time| time.ends_with('Z')), "{inputs:?}");
    // A rerun, with carried-over rows and commands; a flat export is named once.
    let flat = "visit_id,scene_id,task_code,store_code,visit_date,started_at,ended_at,visit_type,rep_email\n\
                V1,S1,T1,1001,2024-03-05,2024-03-05T08:00:00Z,,801,rep@example.com\n";
    work.write("flat.csv", flat);
    let command = r#"["cat", "flat.csv"]"#;
    work.job(&job.visits_command(command).scenes_command(command));
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    let about = manifest(&work);
    assert_eq!(about["sha256"], hash(&work));
    let inputs = about["inputs"].as_array().expect("a list");
    assert_eq!((inputs.len(), &inputs[0]["command"]), (1, &serde_json::json!(["cat", "flat.csv"])));
}

#[test]
fn a_manifest_of_an_older_version_lacks_keys_and_a_rerun_goes_on() {
    let server = ScriptedServer::start(|_, nth| if nth == 0 { Reply::status(400) } else { Reply::ok() });
    let work = Workdir::with_visits(2);
    let job = || JobFile::to(&server.url()).upload("rate", "\"100/s\"");
    work.run(&job()).ends_with(3);
    let (rows, whole) = (work.read("results.csv"), manifest(&work));
    for key in whole.as_object().expect("an object").keys().filter(|key| *key != "job") {
        let mut lacking = whole.clone();
        lacking.as_object_mut().expect("an object").remove(key);
        work.write("results.csv.json", lacking.to_string()).write("results.csv", &rows);
        let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
        assert!(!done.stderr.contains("warning"), "without {key}: {}", done.stderr);
    }
    // Without the ids of then, those of the rows tell that they have changed.
    let mut lacking = whole.clone();
    lacking.as_object_mut().expect("an object").remove("namespace");
    work.write("results.csv.json", lacking.to_string()).write("results.csv", &rows);
    let other = "[ids]\nnamespace = \"6ba7b811-9dad-11d1-80b4-00c04fd430c8\"";
    work.job(&job().and(other));
    work.traxload(&["rerun", "results.csv"]).ends_with(2);
}

#[test]
fn temporary_files_in_memory_are_a_warning_and_on_a_disk_are_none() {
    let in_memory = Path::new("/dev/shm");
    if !in_memory.is_dir() {
        skipped("there is no /dev/shm");
        return;
    }
    let visits: Vec<String> = (1..=2_000).map(crate::harness::visit).collect();
    let scenes: Vec<String> = (1..=2_000).map(|n| format!("V{n},S{n},T1")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    work.job(&JobFile::new());
    let args = ["check", "job.toml", "--memory", "20KB"];
    let done = work.traxload_with(&args, &[("TMPDIR", "/dev/shm")]).ends_with(0);
    done.says(&["using temporary files", "temporary files go to /dev/shm, which is itself kept in memory"]);
    let here = work.path(".").display().to_string();
    let done = work.traxload_with(&args, &[("TMPDIR", &here)]).ends_with(0).says(&["using temporary files"]);
    assert!(!done.stderr.contains("kept in memory"), "{}", done.stderr);
    let done = work.traxload_with(&["check", "job.toml"], &[("TMPDIR", "/dev/shm")]).ends_with(0);
    assert!(!done.stderr.contains("kept in memory"), "{}", done.stderr);
}

#[test]
fn a_full_disk_leaves_no_empty_job_file_and_none_that_was_there_is_lost() {
    let work = Workdir::with_visits(1);
    let init = |more: &str| {
        let line = "trap '' XFSZ; ulimit -f 0; exec traxload init --visits visits.csv --scenes scenes.csv -o new.toml";
        work.shell(&format!("{line} {more}")).ends_with(1).says(&["cannot write new.toml"]);
    };
    init("");
    assert!(!work.exists("new.toml"));
    work.write("new.toml", "name = \"older\"\n");
    set_mode(&work, "new.toml", 0o640);
    init("--force");
    assert_eq!(work.read("new.toml"), "name = \"older\"\n");
    work.traxload(&["init", "--visits", "visits.csv", "--scenes", "scenes.csv", "-o", "new.toml", "--force"])
        .ends_with(0);
    assert_eq!((work.read("new.toml").contains("[visits]"), mode(&work, "new.toml")), (true, 0o640));
    assert_eq!(work.listing("."), ["new.toml", "scenes.csv", "visits.csv"]);
}

#[test]
fn a_summary_that_cannot_be_printed_is_a_warning_and_the_run_ends_as_it_went() {
    for (reply, code) in [(Reply::ok(), 0), (Reply::status(400), 3)] {
        let (server, work) = (ScriptedServer::replying(vec![reply]), Workdir::with_visits(1));
        work.job(&JobFile::to(&server.url()));
        let done = work.shell("traxload run job.toml --json -q > /dev/full").ends_with(code);
        done.says(&["warning: cannot write to standard output", "results.csv is complete"]);
    }
}
