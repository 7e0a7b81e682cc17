//! What a run knows from the result files of other runs: what was delivered is not sent again, and what Trax has is told apart
//! from what the exports say now.

use crate::harness::{Done, JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, lines, visit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const FIRST: &str = "r/2024-03-05.csv";

/// A job with a result file for each day. The exports are the same on each.
fn job(server: &ScriptedServer) -> JobFile {
    JobFile::to(&server.url()).upload("max_in_flight", "1").and("[results]\npath = \"r/{date}.csv\"")
}

fn run(work: &Workdir, day: u32, more: &[&str]) -> Done {
    let date = format!("2024-03-0{day}");
    work.traxload(&[&["run", "job.toml", "--date", &date, "--json"], more].concat())
}

fn rows(work: &Workdir, day: u32) -> crate::harness::Rows {
    crate::harness::Rows::read(&work.path(&format!("r/2024-03-0{day}.csv")))
}

/// The folder after a run of the 5th that delivered `count` visits.
fn delivered(count: usize) -> (Workdir, ScriptedServer) {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(count);
    work.job(&job(&server));
    run(&work, 5, &[]).ends_with(0);
    (work, server)
}

fn edit(work: &Workdir, from: &str, to: &str) {
    let visits = work.read("visits.csv");
    assert!(visits.contains(from), "{visits}");
    work.write("visits.csv", visits.replace(from, to));
}

#[test]
fn the_same_visits_are_not_sent_again_and_an_export_of_nothing_else_is_told() {
    let (work, server) = delivered(2);
    let done = run(&work, 6, &["-q"]).ends_with(0);
    done.says(&["every visit of the exports was delivered before", FIRST, "is it an old export?"]);
    let (then, now) = (rows(&work, 5), rows(&work, 6));
    let row = now.of("V1");
    assert_eq!((&row["status"], &row["attempts"], &row["http_status"]), ("already_received", "0", ""));
    assert_eq!((&row["error_code"], &row["payload_sha256"]), ("", &then.of("V1")["payload_sha256"]));
    assert_eq!(server.requests().len(), 2);
    // With a new visit it is an everyday export that overlaps with yesterday's.
    let three = Workdir::with_visits(3);
    work.write("visits.csv", three.read("visits.csv")).write("scenes.csv", three.read("scenes.csv"));
    let done = run(&work, 7, &[]).ends_with(0);
    assert!(!done.stderr.contains("old export"), "{}", done.stderr);
    assert_eq!((&done.json()["delivered_before"], server.requests().len()), (&2.into(), 3));
}

#[test]
fn a_changed_visit_counts_as_delivered_and_its_row_shows_what_trax_has_for_ever() {
    let (work, server) = delivered(2);
    let hash = rows(&work, 5).of("V1")["payload_sha256"].to_owned();
    work.write("scenes.csv", format!("{}V1,S9,T1\n", work.read("scenes.csv")));
    edit(&work, "V1,1001,2024-03-05", "V1,1001,2024-03-06");
    let done = run(&work, 6, &[]).ends_with(0);
    assert_eq!(done.json()["changed_since_delivery"], 1);
    done.says(&["warning: 1 visit differs from what was delivered"]);
    let results = rows(&work, 6);
    let row = results.of("V1");
    assert_eq!((&row["status"], &row["error_code"]), ("already_received", "changed_since_delivery"));
    assert!(row["error"].contains("scenes 1, now 2") && row["error"].contains(FIRST), "{}", &row["error"]);
    assert_eq!((&row["payload_sha256"], &row["visit_date"], &row["scenes"]), (hash.as_str(), "2024-03-05", "1"));
    // The memory outlives the file of the delivery, and a day more does not creep in.
    std::fs::remove_file(work.path(FIRST)).expect("removed");
    run(&work, 7, &[]).ends_with(0);
    assert_eq!(&rows(&work, 7).of("V1")["payload_sha256"], hash.as_str());
    edit(&work, "V1,1001,2024-03-06,2024-03-05T", "V1,1001,2024-03-07,2024-03-07T");
    edit(&work, ",2024-03-05T08:30:00Z,801,rep1@", ",2024-03-07T08:30:00Z,801,rep1@");
    run(&work, 8, &[]).ends_with(3);
    assert_eq!(&rows(&work, 8).of("V1")["error_code"], "reused_key");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn another_visit_under_a_delivered_key_is_never_sent_and_told_once() {
    let (work, server) = delivered(2);
    edit(&work, "V1,1001", "V1,9001");
    edit(&work, "V2,1002", "V2,9002");
    // All of them, and yet not too many invalid ones.
    let done = run(&work, 6, &[]).ends_with(3);
    assert_eq!((&done.json()["reused_keys"], &done.json()["invalid"]), (&2.into(), &2.into()));
    done.says(&["reused_key", "make the year a part"]);
    let results = rows(&work, 6);
    let row = results.of("V1");
    assert_eq!((&row["status"], &row["error_code"], &row["store_number"]), ("invalid", "reused_key", "9001"));
    assert!(row["error"].contains("of store \"1001\" on 2024-03-05"), "{}", &row["error"]);
    // Its own file tells it again; to other runs it is told already, unless it is yet another visit.
    work.traxload(&["rerun", "r/2024-03-06.csv"]).ends_with(3);
    run(&work, 7, &[]).ends_with(0);
    edit(&work, "V2,9002", "V2,8002");
    run(&work, 8, &[]).ends_with(3);
    run(&work, 9, &["--accept", "reused_key"]).ends_with(0);
    assert_eq!(&rows(&work, 9).of("V2")["error_code"], "changed_since_delivery");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_409_that_nothing_explains_is_counted_and_says_nothing_of_the_body() {
    let server = ScriptedServer::start(|request, _| match request.is_for("V1") {
        true => Reply::error(409, "already received"),
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(2);
    work.job(&job(&server));
    let done = run(&work, 5, &[]).ends_with(0);
    assert_eq!(done.json()["unexplained_409"], 1);
    done.says(&["warning: the API has 1 visit already that no result file shows as delivered"]);
    assert_eq!((&rows(&work, 5).of("V1")["payload_sha256"], &rows(&work, 5).of("V2")["error_code"]), ("", ""));
    edit(&work, "V1,1001", "V1,9001");
    run(&work, 6, &[]).ends_with(0);
    let results = rows(&work, 6);
    let row = results.of("V1");
    assert_eq!((&row["status"], &row["error_code"], &row["payload_sha256"]), ("already_received", "", ""));
}

#[test]
fn a_409_after_a_run_that_may_have_delivered_the_visit_is_explained() {
    let is_first_run = Arc::new(AtomicBool::new(true));
    let first_run = is_first_run.clone();
    let server = ScriptedServer::start(move |request, _| match request.is_for("V1") {
        true if first_run.load(Ordering::SeqCst) => Reply::status(503),
        true => Reply::error(409, "already received"),
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.job(&job(&server).upload("patience", "\"1s\""));
    run(&work, 5, &[]).ends_with(3);
    assert_eq!(&rows(&work, 5).of("V1")["status"], "failed");
    is_first_run.store(false, Ordering::SeqCst);
    let done = run(&work, 6, &[]).ends_with(0);
    assert_eq!(done.json()["unexplained_409"], 0);
    assert!(!rows(&work, 6).of("V1")["payload_sha256"].is_empty());
}

/// What an API replies for `V1`; it takes the other visits.
const FAILS: usize = 0;
const HAS_IT: usize = 1;
const FAILS_ONCE_AND_HAS_IT: usize = 2;

/// The folder after a run of the 5th in which `V1` failed and may have arrived, and what the API replies for it from now on.
fn failed() -> (Workdir, ScriptedServer, Arc<AtomicUsize>) {
    let replies = Arc::new(AtomicUsize::new(FAILS));
    let asked = Arc::clone(&replies);
    let server = ScriptedServer::start(move |request, _| match (request.is_for("V1"), asked.load(Ordering::SeqCst)) {
        (false, _) => Reply::ok(),
        (true, FAILS) => Reply::status(503),
        (true, HAS_IT) => Reply::error(409, "already received"),
        (true, _) => {
            asked.store(HAS_IT, Ordering::SeqCst);
            Reply::status(503)
        }
    });
    let work = Workdir::with_visits(3);
    work.job(&job(&server).upload("patience", "\"1s\""));
    run(&work, 5, &[]).ends_with(3);
    (work, server, replies)
}

const RERUN: &[&str] = &["rerun", FIRST, "--json"];
const NEXT_DAY: &[&str] = &["run", "job.toml", "--date", "2024-03-06", "--json"];

#[test]
fn a_409_for_another_body_than_the_one_that_may_have_arrived_is_a_changed_visit() {
    for (command, day) in [(RERUN, 5), (NEXT_DAY, 6)] {
        let (work, _server, replies) = failed();
        let hash = rows(&work, 5).of("V1")["payload_sha256"].to_owned();
        work.write("scenes.csv", format!("{}V1,S9,T1\n", work.read("scenes.csv")));
        edit(&work, "V1,1001,2024-03-05", "V1,1001,2024-03-06");
        replies.store(HAS_IT, Ordering::SeqCst);
        let done = work.traxload(command).ends_with(0).says(&["warning: 1 visit differs from what was delivered"]);
        assert_eq!((&done.json()["changed_since_delivery"], &done.json()["unexplained_409"]), (&1.into(), &0.into()));
        let results = rows(&work, day);
        let row = results.of("V1");
        assert_eq!((&row["status"], &row["http_status"]), ("already_received", "409"));
        assert_eq!((&row["error_code"], &row["payload_sha256"]), ("changed_since_delivery", hash.as_str()));
        assert_eq!((&row["visit_date"], &row["scenes"]), ("2024-03-05", "1"));
        assert!(row["error"].contains("scenes 1, now 2"), "{}", &row["error"]);
    }
}

#[test]
fn a_409_for_another_visit_than_the_one_that_may_have_arrived_is_a_key_used_again() {
    for (command, day) in [(RERUN, 5), (NEXT_DAY, 6)] {
        let (work, server, replies) = failed();
        let hash = rows(&work, 5).of("V1")["payload_sha256"].to_owned();
        edit(&work, "V1,1001", "V1,9001");
        replies.store(HAS_IT, Ordering::SeqCst);
        let done =
            work.traxload(command).ends_with(3).says(&["warning: 1 visit has the key of a visit of another store"]);
        assert_eq!((&done.json()["reused_keys"], &done.json()["invalid"]), (&1.into(), &0.into()));
        let results = rows(&work, day);
        let row = results.of("V1");
        assert_eq!((&row["status"], &row["error_code"]), ("already_received", "reused_key"));
        assert!(row["error"].contains("Trax keeps another visit") && row["error"].contains("of store \"1001\""));
        // It shows what Trax has, so that the next runs compare with that.
        assert_eq!((&row["store_number"], &row["payload_sha256"]), ("1001", hash.as_str()));
        let requests = server.requests().len();
        let own = format!("r/2024-03-0{day}.csv");
        work.traxload(&["rerun", &own]).ends_with(3).says(&["reused_key"]);
        run(&work, 7, &[]).ends_with(3);
        run(&work, 8, &[]).ends_with(0);
        work.traxload(&["rerun", &own, "--accept", "reused_key"]).ends_with(0);
        assert_eq!(&rows(&work, day).of("V1")["error_code"], "changed_since_delivery");
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn where_one_of_two_bodies_may_have_arrived_no_row_claims_to_know_which() {
    // The second of them fails as the first did.
    let (work, _server, replies) = failed();
    edit(&work, "rep1@example.com", "rep11@example.com");
    work.traxload(RERUN).ends_with(3);
    let results = rows(&work, 5);
    assert_eq!((&results.of("V1")["status"], &results.of("V1")["payload_sha256"]), ("failed", ""));
    replies.store(HAS_IT, Ordering::SeqCst);
    assert_eq!(work.traxload(RERUN).ends_with(0).json()["unexplained_409"], 1);
    let results = rows(&work, 5);
    assert_eq!((&results.of("V1")["status"], &results.of("V1")["payload_sha256"]), ("already_received", ""));
    // Or it is told to be there after an attempt of the same run.
    for (edited, exit, error_code) in [("V1,1001", 0, ""), ("V1,9001", 3, "reused_key")] {
        let (work, server, replies) = failed();
        edit(&work, "rep1@example.com", "rep11@example.com");
        edit(&work, "V1,1001", edited);
        replies.store(FAILS_ONCE_AND_HAS_IT, Ordering::SeqCst);
        run(&work, 6, &[]).ends_with(exit);
        let requests = server.requests().len();
        let results = rows(&work, 6);
        let row = results.of("V1");
        assert_eq!((&row["status"], &row["error_code"], &row["payload_sha256"]), ("uploaded", error_code, ""));
        assert_eq!(row["error"].contains("Trax may keep another visit"), exit == 3);
        // What was told stays, and is told once.
        work.traxload(&["rerun", "r/2024-03-06.csv"]).ends_with(exit);
        assert_eq!(&rows(&work, 6).of("V1")["error_code"], error_code);
        run(&work, 7, &[]).ends_with(0);
        assert_eq!(server.requests().len(), requests);
    }
}

#[test]
fn only_files_of_the_same_api_project_and_ids_count_and_one_without_a_manifest_is_told() {
    let manifest = |work: &Workdir, change: &dyn Fn(&mut serde_json::Value)| {
        let mut manifest: serde_json::Value = serde_json::from_str(&work.read(&format!("{FIRST}.json"))).expect("JSON");
        change(&mut manifest);
        work.write(&format!("{FIRST}.json"), manifest.to_string());
    };
    for (key, value) in [("project", "theirs"), ("base_url", "sandbox"), ("namespace", "x")] {
        let (work, server) = delivered(1);
        manifest(&work, &|manifest| manifest[key] = value.into());
        let done = run(&work, 6, &[]).ends_with(0);
        assert!(!done.stderr.contains("earlier result file"), "{}", done.stderr);
        assert_eq!(server.requests().len(), 2, "{key}");
    }
    let (work, server) = delivered(1);
    run(&work, 6, &["--fresh"]).ends_with(0);
    assert_eq!(server.requests().len(), 2, "--fresh does not look");
    work.job(&job(&server).and("earlier = []"));
    run(&work, 7, &[]).ends_with(0);
    assert_eq!(server.requests().len(), 3, "nor does `earlier = []`");
    // Of a file of the first version the hash of a 409 is not known.
    let (work, server) = delivered(1);
    manifest(&work, &|manifest| drop(manifest.as_object_mut().expect("a table").remove("format")));
    work.write(FIRST, work.read(FIRST).replace(",uploaded,200,", ",already_received,409,"));
    edit(&work, "V1,1001", "V1,9001");
    run(&work, 6, &[]).ends_with(0);
    assert_eq!(&rows(&work, 6).of("V1")["payload_sha256"], "");
    // Without its manifest, nothing says whose visits a file shows.
    std::fs::remove_file(work.path(&format!("{FIRST}.json"))).expect("removed");
    std::fs::remove_file(work.path("r/2024-03-06.csv")).expect("removed");
    run(&work, 7, &[]).ends_with(0).says(&["warning: the earlier result file", FIRST, "has no manifest"]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn journals_of_other_runs_count_and_other_files_are_passed_over() {
    let (work, server) = delivered(2);
    std::fs::rename(work.path(FIRST), work.path(&format!("{FIRST}.partial"))).expect("renamed");
    work.write("r/2024-notes.csv", "a,b\n1,2\n");
    let done = run(&work, 6, &[]).ends_with(0);
    assert!(!done.stderr.contains("notes"), "{}", done.stderr);
    assert_eq!(server.requests().len(), 2);
    // Files that were moved aside do not count.
    std::fs::rename(work.path("r/2024-03-06.csv"), work.path("r/2024-03-06.csv.20240306T000000Z.old"))
        .expect("renamed");
    std::fs::remove_file(work.path(&format!("{FIRST}.partial"))).expect("removed");
    run(&work, 7, &[]).ends_with(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_check_looks_as_a_run_would() {
    let (work, server) = delivered(3);
    edit(&work, "V1,1001", "V1,9001");
    edit(&work, "rep2@example.com", "rep22@example.com");
    for day in ["2024-03-05", "2024-03-06"] {
        let done = work.traxload(&["check", "job.toml", "--date", day, "--json"]).ends_with(3);
        let report = done.json();
        for (name, count) in [("result_rows", 3), ("valid", 0), ("reused_keys", 1), ("changed_since_delivery", 1)] {
            assert_eq!(report[name], count, "{day} {name} in {report}");
        }
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_rerun_compares_the_delivered_rows_of_its_own_file() {
    let (work, server) = delivered(2);
    let whole = work.read(FIRST);
    edit(&work, "rep2@example.com", "rep22@example.com");
    work.traxload(&["rerun", FIRST]).ends_with(0).says(&["1 visit differs"]);
    assert_eq!(
        (&rows(&work, 5).of("V2")["status"], &rows(&work, 5).of("V2")["error_code"]),
        ("uploaded", "changed_since_delivery")
    );
    edit(&work, "V2,1002", "V2,9002");
    for _ in 0..2 {
        work.traxload(&["rerun", FIRST]).ends_with(3).says(&["reused_key"]);
        let results = rows(&work, 5);
        let row = results.of("V2");
        assert_eq!((&row["status"], &row["error_code"], &row["store_number"]), ("uploaded", "reused_key", "1002"));
    }
    edit(&work, "V2,9002", "V2,1002");
    edit(&work, "rep22@example.com", "rep2@example.com");
    work.traxload(&["rerun", FIRST]).ends_with(0);
    assert_eq!((work.read(FIRST), server.requests().len()), (whole, 2));
}

#[test]
fn a_key_used_again_of_a_delivered_row_needs_somebody_wherever_it_is_told() {
    let (work, server) = delivered(3);
    edit(&work, "V2,1002", "V2,9002");
    let check = work.traxload(&["check", "job.toml", "--date", "2024-03-05"]).ends_with(3);
    check.says(&["Problems of 1 visit:", "A run would end with 3"]);
    work.traxload(&["rerun", FIRST]).ends_with(3).says(&["next: fix the causes, then run: traxload rerun"]);
    let page = |of: &str| {
        work.traxload(&["report", of, "-o", "page.html"]).ends_with(0);
        work.read("page.html")
    };
    for of in [FIRST, "r"] {
        let page = page(of);
        for told in ["needs attention", "What to do next", "traxload rerun", "reused_key", "make the year a part"] {
            assert!(page.contains(told), "{told} in {page}");
        }
        for wrong in ["All 3 visits", "Nothing:", "every visit in this file was delivered"] {
            assert!(!page.contains(wrong), "{wrong} in {page}");
        }
    }
    // What was told before needs nothing.
    run(&work, 6, &[]).ends_with(3);
    run(&work, 7, &[]).ends_with(0);
    let told = page("r/2024-03-07.csv");
    assert!(told.contains("1 key is used again, as was told before") && !told.contains("What to do next"), "{told}");
    assert!(!told.contains("everything was delivered"), "{told}");
    // The other visit counts once, in however many files it is.
    assert!(page("r").contains("3 of 4 visits in 3 files delivered"), "{}", page("r"));
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn visits_that_come_again_under_nearly_the_same_keys_are_not_sent() {
    let (work, server) = delivered(3);
    edit(&work, "V2,", "v2,");
    work.write("scenes.csv", work.read("scenes.csv").replace("V2,", "v2,"));
    for command in [&["run", "job.toml", "--date", "2024-03-06"] as &[&str], &["rerun", FIRST]] {
        work.traxload(command).ends_with(2).says(&[
            "new_keys",
            "\"v2\" has come and \"V2\" is gone",
            "upper and lower case",
        ]);
    }
    assert_eq!(server.requests().len(), 3);
    run(&work, 6, &["--accept", "new_keys"]).ends_with(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_visit_that_left_and_an_unlike_one_that_came_are_everyday() {
    let (work, server) = delivered(3);
    edit(&work, "V2,", "X7,");
    work.write("scenes.csv", work.read("scenes.csv").replace("V2,", "X7,"));
    run(&work, 6, &[]).ends_with(0);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn keys_that_are_made_anew_at_each_export_are_not_sent_a_second_time() {
    let visits = |key: &dyn Fn(usize) -> String, store: usize| -> (String, String) {
        let rows: Vec<String> = (1..=12)
            .map(|n| visit(n).replacen(&format!("V{n},100{n}"), &format!("{},{}", key(n), store + n), 1))
            .collect();
        let scenes: Vec<String> = (1..=12).map(|n| format!("{},S{n},T1", key(n))).collect();
        (lines(VISITS_HEADER, &rows), lines(SCENES_HEADER, &scenes))
    };
    let (work, server) = delivered(1);
    let put = |(visits, scenes): (String, String)| {
        work.write("visits.csv", visits).write("scenes.csv", scenes);
    };
    put(visits(&|n| format!("A{n}"), 5000));
    run(&work, 6, &[]).ends_with(0);
    put(visits(&|n| format!("B{n}x"), 5000));
    run(&work, 7, &[]).ends_with(2).says(&["new_keys", "12 of 12 visits"]);
    work.traxload(&["rerun", "r/2024-03-06.csv"]).ends_with(2).says(&["new_keys"]);
    // In other stores they are other visits.
    put(visits(&|n| format!("C{n}x"), 7000));
    run(&work, 7, &[]).ends_with(0);
    assert_eq!(server.requests().len(), 25);
}

#[test]
fn a_rerun_takes_its_job_file_from_another_place() {
    let nth = Arc::new(AtomicUsize::new(0));
    let server = ScriptedServer::start(move |_, _| match nth.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::error(400, "Unknown Store"),
        _ => Reply::ok(),
    });
    let work = Workdir::with_visits(2);
    work.job(&job(&server));
    run(&work, 5, &[]).ends_with(3);
    work.write("moved.toml", work.read("job.toml"));
    std::fs::remove_file(work.path("job.toml")).expect("removed");
    work.traxload(&["rerun", FIRST]).ends_with(2);
    work.traxload(&["rerun", FIRST, "--job", "moved.toml"]).ends_with(0);
    assert_eq!(rows(&work, 5).count("uploaded"), 2);
}

#[test]
fn under_other_ids_a_rerun_goes_on_where_nothing_was_delivered() {
    let nth = Arc::new(AtomicUsize::new(0));
    let server = ScriptedServer::start(move |_, _| match nth.fetch_add(1, Ordering::SeqCst) {
        0 | 1 => Reply::error(400, "Unknown Store"),
        _ => Reply::ok(),
    });
    let work = Workdir::with_visits(2);
    work.job(&job(&server));
    run(&work, 5, &[]).ends_with(3);
    work.job(&job(&server).api("project", "\"theirs\""));
    work.traxload(&["rerun", FIRST]).ends_with(0).says(&["nothing was delivered under those"]);
    assert_eq!((rows(&work, 5).count("uploaded"), rows(&work, 5).rows.len()), (2, 2));
}
