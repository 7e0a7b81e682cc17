//! Runs that died, and the journals that they left: what is taken up, what is not sent again, what is left alone; and
//! the lock that keeps two runs apart.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Gate, JobFile, NAMESPACE, Reply, ScriptedServer, Workdir, visit, wait_until};
use std::sync::atomic::{AtomicUsize, Ordering};

const PARTIAL: &str = "results.csv.partial";

/// The files of a folder in which nothing was run yet, or only what failed before it wrote anything.
const UNTOUCHED: [&str; 3] = ["job.toml", "scenes.csv", "visits.csv"];

fn taking() -> ScriptedServer {
    ScriptedServer::replying(vec![Reply::ok()])
}

fn serial(server: &ScriptedServer) -> JobFile {
    JobFile::to(&server.url()).upload("max_in_flight", "1")
}

fn sent(server: &ScriptedServer, visits: &[&str]) -> Vec<usize> {
    visits.iter().map(|visit| server.requests_for(visit).len()).collect()
}

/// What a run of these visits writes, in the order of the export; `job.toml` is this job afterwards, and its manifest is
/// there.
fn finished(work: &Workdir, job: &JobFile) -> String {
    work.run(job);
    let rows = work.read("results.csv");
    std::fs::remove_file(work.path("results.csv")).expect("it is there");
    rows
}

/// The manifest of a run, as one of a run to this server.
fn manifest_for(manifest: &str, server: &ScriptedServer) -> String {
    let mut manifest: serde_json::Value = serde_json::from_str(manifest).expect("JSON");
    manifest["base_url"] = server.url().into();
    manifest.to_string()
}

#[test]
fn a_journal_that_is_torn_at_any_byte_of_its_last_row_is_taken_up() {
    // A key with everything that makes a row hard to cut: quotes, a line break, letters of several bytes.
    let key = "\"é \"\"2\"\",\n☕\"";
    let job = |server: &ScriptedServer| serial(server).visit_column("client_session_uid", "{ value = \"c\" }");
    let work = || {
        let second = visit(2).replacen("V2", key, 1);
        Workdir::with_rows(
            &[visit(1), second, visit(3)],
            &["V1,S1,T1".to_owned(), format!("{key},S2,T1"), "V3,S3,T1".to_owned()],
        )
    };
    let (whole, manifest, first_folder) = {
        let (server, work) = (taking(), work());
        let whole = finished(&work, &job(&server));
        let third = whole.find("\nV3,").expect("its row") + 1;
        (whole[..third].to_owned(), work.read("results.csv.json"), work.path("").display().to_string())
    };
    let second = whole.find(&key[..key.len() - 1]).expect("its row");
    let first = &whole[..second];
    assert!(first.contains("\nV1,") && whole.len() - second > 150);
    let next = AtomicUsize::new(second);
    // One folder and one server for each thread, one run for each byte.
    let cut_here_and_there = || {
        let (server, work) = (taking(), work());
        work.job(&job(&server));
        let folder = work.path("").display().to_string();
        let manifest =
            manifest_for(&manifest, &server).replace(first_folder.trim_end_matches('/'), folder.trim_end_matches('/'));
        let mut before = 0;
        loop {
            let cut = next.fetch_add(1, Ordering::SeqCst);
            if cut > whole.len() {
                break;
            }
            work.write(PARTIAL, &whole.as_bytes()[..cut]).write("results.csv.json", &manifest);
            let done = work.traxload(&["run", "job.toml", "--json"]);
            let at =
                format!("cut behind {:?}: {}", String::from_utf8_lossy(&whole.as_bytes()[second..cut]), done.stderr);
            assert_eq!(done.code, 0, "{at}");
            let is_whole = cut == whole.len();
            assert_eq!(done.json()["carried_over"], 1 + usize::from(is_whole), "{at}");
            assert_eq!(sent(&server, &["V1"]), [0], "{at}");
            let requests = server.requests().len() - before;
            assert_eq!(requests, 2 - usize::from(is_whole), "{at}");
            before += requests;
            let rows = work.read("results.csv");
            assert!(rows.starts_with(if is_whole { &whole } else { first }), "{at}\n{rows}");
            assert_eq!(work.results().column("status"), ["uploaded"; 3], "{at}");
            for name in ["results.csv", "results.csv.json"] {
                std::fs::remove_file(work.path(name)).expect("it is there");
            }
            assert_eq!(work.listing("."), UNTOUCHED, "{at}");
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(cut_here_and_there))));
}

#[test]
fn delivered_rows_of_a_journal_are_kept_and_all_others_are_sent_again() {
    // One of each: V1 uploaded, V2 already received, V3 rejected, V4 invalid, V5 and V6 not attempted.
    let refusing = ScriptedServer::replying(vec![
        Reply::ok(),
        Reply::status(409),
        Reply::error(400, "Unknown Store 1003"),
        Reply::status(401),
    ]);
    let mut visits: Vec<String> = (1..=6).map(visit).collect();
    visits[3] = "V4,,,,,,".to_owned();
    let scenes: Vec<String> = (1..=6).map(|n| format!("V{n},S{n},T1")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    let journal = finished(&work, &serial(&refusing));
    let server = taking();
    let manifest = manifest_for(&work.read("results.csv.json"), &server);
    work.job(&serial(&server)).write(PARTIAL, &journal).write("results.csv.json", manifest);
    work.write("visits.csv", Workdir::with_visits(6).read("visits.csv"));
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(0).says(&["resuming", PARTIAL]);
    let summary = done.json();
    for (name, count) in [("rows_read", 6), ("result_rows", 6), ("carried_over", 2), ("requests", 4), ("uploaded", 5)] {
        assert_eq!(summary[name], count, "{name} in {summary}");
    }
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4", "V5", "V6"]), [0, 0, 1, 1, 1, 1]);
    let rows = work.read("results.csv");
    for visit in ["V1", "V2"] {
        let row = work.raw_row("results.csv", visit);
        assert!(journal.lines().any(|line| line == row), "{row} in {journal}");
    }
    assert_eq!(rows.lines().count(), 7);
    assert!(!work.exists(PARTIAL));
}

#[test]
fn a_journal_is_first_rewritten_with_its_delivered_rows_alone() {
    let refusing = ScriptedServer::replying(vec![Reply::ok(), Reply::status(400), Reply::ok()]);
    let work = Workdir::with_visits(4);
    let whole = finished(&work, &serial(&refusing));
    let fourth = whole.find("\nV4,").expect("its row") + 1;
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    // Torn, and so short of a line break: what comes next must not be glued to it.
    let manifest = manifest_for(&work.read("results.csv.json"), &server);
    work.job(&serial(&server)).write(PARTIAL, &whole[..fourth + 30]).write("results.csv.json", manifest);
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    let rows: Vec<&str> = whole.lines().collect();
    assert_eq!(work.read(PARTIAL), format!("{}\n{}\n{}\n", rows[0], rows[1], rows[3]));
    gate.open();
    run.finish().ends_with(0);
    assert_eq!(work.results().column("visit_id"), ["V1", "V3", "V2", "V4"]);
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4"]), [0, 1, 0, 1]);
}

#[test]
fn a_journal_with_nothing_but_its_header_is_taken_up() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let whole = finished(&work, &JobFile::to(&server.url()));
    let before = server.requests().len();
    work.write(PARTIAL, &whole[..=whole.find('\n').expect("a header")]);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!((work.results().count("uploaded"), server.requests().len()), (2, before + 2));
}

#[test]
fn a_journal_of_all_visits_needs_no_request() {
    let server = taking();
    let work = Workdir::with_visits(3);
    let whole = finished(&work, &JobFile::to(&server.url()));
    let before = server.requests().len();
    work.write(PARTIAL, &whole);
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(0);
    assert_eq!((&done.json()["carried_over"], &done.json()["requests"]), (&3.into(), &0.into()));
    assert_eq!((work.read("results.csv"), server.requests().len()), (whole, before));
}

#[test]
fn a_half_written_copy_of_a_journal_is_no_journal() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let whole = finished(&work, &JobFile::to(&server.url()));
    // A process died while it rewrote the journal; the journal itself is as it was.
    work.write(PARTIAL, &whole).write("results.csv.partial.new", &whole[..50]);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(work.read("results.csv"), whole);
    assert!(!work.exists("results.csv.partial.new"));
}

#[test]
fn a_journal_with_other_ids_is_2_and_untouched() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let job = serial(&server);
    let whole = finished(&work, &job);
    let journal = &whole[..=whole.find("\nV2,").expect("its row")];
    let before = server.requests().len();
    for ids in
        ["namespace = \"6ba7b811-9dad-11d1-80b4-00c04fd430c8\"", &format!("namespace = \"{NAMESPACE}\"\nversion = 4")]
    {
        work.job(&job.clone().and(&format!("[ids]\n{ids}"))).write(PARTIAL, journal);
        work.traxload(&["run", "job.toml"]).ends_with(2).says(&["other ids", "--fresh"]);
        assert_eq!(work.read(PARTIAL), journal);
        assert_eq!(work.listing("."), ["job.toml", "results.csv.json", PARTIAL, "scenes.csv", "visits.csv"]);
    }
    assert_eq!(server.requests().len(), before);
    work.job(&job);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(server.requests().len(), before + 1);
}

#[test]
fn a_journal_that_is_no_result_file_is_2_and_untouched() {
    let server = taking();
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()));
    let all = format!(
        "{},more\n",
        "visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,store_number,visit_date,scenes,payload_sha256,source"
    );
    let contents: [&[u8]; 6] =
        [b"", b"hello\n", b"visit_id,store\nV1,2\n", b"\x00\x01\xff\xfe", b"PAR1....PAR1", all.as_bytes()];
    for content in contents {
        work.write(PARTIAL, content);
        for args in [&["run", "job.toml"] as &[&str], &["run", "job.toml", "--allow-empty"]] {
            work.traxload(args).ends_with(2).says(&[PARTIAL]);
        }
        assert_eq!(std::fs::read(work.path(PARTIAL)).expect("still there"), content);
        assert_eq!(work.listing("."), ["job.toml", PARTIAL, "scenes.csv", "visits.csv"]);
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_journal_that_is_damaged_in_its_middle_is_not_taken_for_a_torn_one() {
    let server = taking();
    let work = Workdir::with_visits(3);
    let whole = finished(&work, &serial(&server));
    let before = server.requests().len();
    let lines: Vec<&str> = whole.lines().collect();
    // The row of V2 lost its second half; the row of V3 is whole.
    let damaged = format!("{}\n{}\n{}\n{}\n", lines[0], lines[1], &lines[2][..40], lines[3]);
    work.write(PARTIAL, damaged);
    let done = work.traxload(&["run", "job.toml"]);
    // Either the file is untouched, or only the visit of the damaged row is sent again.
    match done.code {
        2 => assert_eq!(server.requests().len(), before),
        code => {
            assert_eq!((code, server.requests().len()), (0, before + 1), "{}", done.stderr);
            assert_eq!(work.results().column("status"), ["uploaded"; 3]);
        }
    }
}

#[test]
fn fresh_moves_result_journal_and_manifest_aside_and_sends_everything() {
    let server = taking();
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let (result, manifest) = (work.read("results.csv"), work.read("results.csv.json"));
    // As a rerun leaves it that dies.
    let journal = result.replace("V2", "V3");
    work.write(PARTIAL, &journal);
    let done = work.traxload(&["run", "job.toml", "--fresh", "--json"]).ends_with(0);
    assert_eq!((&done.json()["carried_over"], &done.json()["requests"]), (&0.into(), &2.into()));
    assert_eq!(server.requests().len(), 4);
    let moved = |work: &Workdir| -> Vec<String> {
        let names = work.listing(".").into_iter();
        names
            .filter(|name| {
                !["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"].contains(&name.as_str())
            })
            .collect()
    };
    let aside = moved(&work);
    assert_eq!(aside.len(), 3, "{aside:?}");
    for content in [&result, &manifest, &journal] {
        assert!(aside.iter().any(|name| work.read(name) == *content), "{content} in {aside:?}");
    }
    // Nothing that was moved aside is ever overwritten, however soon the next one comes.
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    assert_eq!(moved(&work).len(), 5);
    for name in &aside {
        assert!([&result, &manifest, &journal].contains(&&work.read(name)), "{name}");
    }
}

#[test]
fn what_was_moved_aside_is_named_and_can_be_run_again() {
    let server = ScriptedServer::replying(vec![Reply::status(400), Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let done = work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    let names = work.listing(".");
    let old = names.iter().find(|name| name.ends_with(".old")).expect("it was moved");
    let done = done.says(&[old]);
    assert!(!done.stderr.contains("resuming"));
    work.traxload(&["rerun", old]).ends_with(0);
    // The new result file shows that it was delivered meanwhile.
    assert_eq!(crate::harness::Rows::read(&work.path(old)).count("already_received"), 1);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn fresh_with_a_journal_alone_begins_anew() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let whole = finished(&work, &JobFile::to(&server.url()));
    work.write(PARTIAL, &whole);
    let before = server.requests().len();
    let done = work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    assert!(!done.stderr.contains("resuming"), "{}", done.stderr);
    assert_eq!(server.requests().len(), before + 2);
    let names = work.listing(".");
    let aside: Vec<&String> = names.iter().filter(|name| name.contains(".old")).collect();
    assert_eq!(aside.len(), 2, "{names:?}");
    assert_eq!(work.read(aside[1]), whole);
}

#[test]
fn fresh_with_nothing_there_is_an_ordinary_run() {
    let server = taking();
    let work = Workdir::with_visits(2);
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
    assert_eq!(work.listing("."), ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"]);
}

#[test]
fn a_finished_file_is_2_names_rerun_and_stays_whatever_lies_beside_it() {
    let server = taking();
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let whole = work.read("results.csv");
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["results.csv", "traxload rerun results.csv", "--fresh"]);
    work.write(PARTIAL, &whole);
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["traxload rerun results.csv"]);
    assert_eq!((work.read("results.csv"), work.read(PARTIAL)), (whole.clone(), whole));
    // Whatever it is: it is not ours to overwrite.
    work.write("results.csv", "notes of a user\n");
    work.traxload(&["run", "job.toml"]).ends_with(2);
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["results.csv"]);
    assert_eq!(work.read("results.csv"), "notes of a user\n");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_second_run_is_7_and_told_which_process_has_the_file() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(2);
    work.job(&serial(&server));
    let first = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    let process = first.id().to_string();
    let (journal, manifest) = (work.read(PARTIAL), work.read("results.csv.json"));
    for args in [
        &["run", "job.toml"] as &[&str],
        &["run", "job.toml", "--fresh"],
        &["rerun", "results.csv"],
        &["run", "job.toml", "--results", "./results.csv"],
    ] {
        let done = work.traxload(args).ends_with(7).says(&[&process]);
        assert_eq!(done.stdout, "");
    }
    assert_eq!((work.read(PARTIAL), work.read("results.csv.json")), (journal, manifest));
    gate.open();
    first.finish().ends_with(0);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(work.results().column("status"), ["uploaded"; 2]);
    assert_eq!(work.listing("."), ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"]);
}

#[test]
fn a_rerun_locks_out_others_too() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, nth| match nth {
        0 => Reply::status(400),
        _ => Reply::After(held.clone(), Box::new(Reply::ok())),
    });
    let work = Workdir::with_visits(1);
    work.run(&serial(&server)).ends_with(3);
    let first = work.start(&["rerun", "results.csv"]);
    server.wait_for(2);
    work.traxload(&["rerun", "results.csv"]).ends_with(7).says(&[&first.id().to_string()]);
    work.traxload(&["run", "job.toml", "--fresh"]).ends_with(7);
    gate.open();
    first.finish().ends_with(0);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn the_lock_file_of_a_dead_process_is_no_lock() {
    let server = taking();
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    // Also where its number is a living process's by now: this one's.
    for holder in [
        "process 999999999, since 2024-03-05T08:00:00Z".to_owned(),
        format!("process {}", std::process::id()),
        String::new(),
    ] {
        work.write("results.csv.lock", holder);
        work.traxload(&["run", "job.toml", "--fresh"]).ends_with(0);
        assert!(!work.exists("results.csv.lock"));
    }
}

#[test]
fn the_lock_of_a_killed_process_dies_with_it() {
    let server = ScriptedServer::start(|_, nth| if nth == 0 { Reply::Stall } else { Reply::ok() });
    let work = Workdir::with_visits(2);
    work.job(&serial(&server));
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    drop(run);
    assert!(work.exists("results.csv.lock"), "no process was left to remove it");
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert!(!work.exists("results.csv.lock"));
    assert_eq!(sent(&server, &["V1", "V2"]), [2, 1]);
}

#[test]
fn a_409_for_a_visit_that_a_dead_run_had_sent_is_already_received() {
    let server = ScriptedServer::start(|request, nth| match (request.is_for("V2"), nth) {
        // It was taken, but the process is dead before it hears of it.
        (true, 1) => Reply::Stall,
        (true, _) => Reply::error(409, "Session has already been received"),
        (false, _) => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.job(&serial(&server));
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(2);
    wait_until("the journal has the row", || work.read(PARTIAL).contains(",uploaded,"));
    drop(run);
    let first = work.raw_row(PARTIAL, "V1");
    work.traxload(&["run", "job.toml"]).ends_with(0);
    let rows = work.results();
    assert_eq!((&rows.of("V2")["status"], &rows.of("V2")["http_status"]), ("already_received", "409"));
    assert_eq!(&rows.of("V3")["status"], "uploaded");
    assert_eq!(work.raw_row("results.csv", "V1"), first);
    assert_eq!(sent(&server, &["V1", "V2", "V3"]), [1, 2, 1]);
}

#[test]
fn a_rerun_of_a_run_that_died_goes_on_with_its_options() {
    let server = ScriptedServer::start(|request, nth| match request.is_for("V2") && nth == 1 {
        true => Reply::Stall,
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(5);
    work.job(&serial(&server));
    let run = work.start(&["run", "job.toml", "--limit", "3"]);
    server.wait_for(2);
    wait_until("the journal has the row", || work.read(PARTIAL).contains(",uploaded,"));
    drop(run);
    let manifest: serde_json::Value = serde_json::from_str(&work.read("results.csv.json")).expect("JSON");
    assert!(manifest["exit_code"].is_null() && manifest["finished_at"].is_null(), "{manifest}");
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert_eq!((&done.json()["carried_over"], &done.json()["result_rows"]), (&1.into(), &3.into()));
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4", "V5"]), [1, 2, 1, 0, 0]);
}

#[test]
fn a_journal_is_not_taken_up_with_other_options_that_choose_visits() {
    let server = taking();
    let work = Workdir::with_visits(4);
    work.job(&serial(&server));
    work.traxload(&["run", "job.toml", "--limit", "2"]).ends_with(0);
    std::fs::rename(work.path("results.csv"), work.path(PARTIAL)).expect("renamed");
    let journal = work.read(PARTIAL);
    for options in [&[] as &[&str], &["--limit", "3"], &["--limit", "2", "--from", "2024-03-01"]] {
        let done = work.traxload(&[&["run", "job.toml"], options].concat()).ends_with(2);
        done.says(&["with --limit 2, and this one is with", "traxload rerun", "--fresh"]);
        assert_eq!(work.read(PARTIAL), journal);
    }
    // How visits are sent is free.
    work.traxload(&["run", "job.toml", "--limit", "2", "--rate", "50/s", "--memory", "1GB"]).ends_with(0);
    assert_eq!((work.results().count("uploaded"), server.requests().len()), (2, 2));
}

#[test]
fn a_journal_without_its_manifest_is_2_and_untouched() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let whole = finished(&work, &serial(&server));
    for manifest in [None, Some("{")] {
        std::fs::remove_file(work.path("results.csv.json")).expect("it is there");
        work.write(PARTIAL, &whole).write("results.csv.json", manifest.unwrap_or_default());
        work.traxload(&["run", "job.toml"]).ends_with(2).says(&["without its manifest", "--fresh"]);
        assert_eq!((work.read(PARTIAL), server.requests().len()), (whole.clone(), 2));
    }
}

#[test]
fn a_visit_that_left_the_exports_after_it_was_delivered_keeps_its_row() {
    let server = taking();
    let work = Workdir::with_visits(2);
    let whole = finished(&work, &serial(&server));
    work.write(PARTIAL, &whole);
    let visits = work.read("visits.csv");
    work.write("visits.csv", visits.replace(&format!("{}\n", visit(1)), ""));
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(0);
    assert_eq!(done.json()["carried_over_not_in_exports"], 1);
    assert_eq!(work.read("results.csv"), whole);
}
