//! Reruns: what is sent again, what stays, what is remembered of the run before, and what is refused.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{
    Done, Gate, JobFile, NAMESPACE, Reply, Request, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir,
};
use crate::harness::{lines, visit, wait_until};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A switch that fixes the API of a test.
#[derive(Clone, Default)]
struct Switch(Arc<AtomicBool>);

impl Switch {
    fn fix(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn is_fixed(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// An API that replies as `broken` says until it is fixed, and takes everything else.
fn api(broken: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static) -> (ScriptedServer, Switch) {
    let switch = Switch::default();
    let seen = switch.clone();
    let server = ScriptedServer::start(move |request, _| match seen.is_fixed() {
        false => broken(request).unwrap_or_else(Reply::ok),
        true => Reply::ok(),
    });
    (server, switch)
}

/// An API that refuses these visits until it is fixed.
fn refusing(visits: &'static [&'static str]) -> (ScriptedServer, Switch) {
    api(|request| {
        let refused = visits.iter().find(|visit| request.is_for(visit))?;
        Some(Reply::error(400, &format!("Unknown Store of {refused}")))
    })
}

/// How often each of these visits was sent.
fn sent(server: &ScriptedServer, visits: &[&str]) -> Vec<usize> {
    visits.iter().map(|visit| server.requests_for(visit).len()).collect()
}

fn manifest(work: &Workdir) -> serde_json::Value {
    serde_json::from_str(&work.read("results.csv.json")).expect("JSON")
}

/// Fails unless the summary has these counts.
#[track_caller]
fn has_counts(done: &Done, counts: &[(&str, usize)]) {
    let summary = done.json();
    for (name, count) in counts {
        assert_eq!(summary[name], *count, "{name} in {summary}");
    }
}

fn serial(server: &ScriptedServer) -> JobFile {
    JobFile::to(&server.url()).upload("max_in_flight", "1")
}

/// A run that ends with a visit of every status that a finished run knows: `V1` uploaded, `V2` already received, `V3`
/// rejected, `V4` failed, `V5` and `V6` uploaded, `V7` invalid.
fn one_of_each() -> (Workdir, ScriptedServer, Switch) {
    let (again, others, attempts) = (Gate::default(), Gate::default(), AtomicUsize::new(0));
    let (server, switch) = api(move |request| match request {
        request if request.is_for("V2") => Some(Reply::status(409)),
        request if request.is_for("V3") => Some(Reply::error(400, "Unknown Store 1003")),
        // It uses up its attempts while others are answered, so this is not an outage: V5 is answered after its first
        // attempt, and its second one after that.
        request if request.is_for("V4") => Some(match attempts.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::status(500),
            _ => {
                again.open();
                Reply::After(others.clone(), Box::new(Reply::status(500)))
            }
        }),
        request if request.is_for("V6") => {
            others.open();
            None
        }
        request if request.is_for("V5") => Some(Reply::After(again.clone(), Box::new(Reply::ok()))),
        _ => None,
    });
    let mut visits: Vec<String> = (1..=6).map(visit).collect();
    visits.push("V7,,2024-03-05,2024-03-05T08:00:00Z,,801,rep7@example.com".to_owned());
    let scenes: Vec<String> = (1..=7).map(|n| format!("V{n},S{n},T1")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    work.run(&JobFile::to(&server.url()).upload("max_in_flight", "2")).ends_with(3);
    let statuses = ["uploaded", "already_received", "rejected", "failed", "uploaded", "uploaded", "invalid"];
    for (n, status) in statuses.iter().enumerate() {
        assert_eq!(&work.results().of(&format!("V{}", n + 1))["status"], *status);
    }
    (work, server, switch)
}

const ALL: [&str; 7] = ["V1", "V2", "V3", "V4", "V5", "V6", "V7"];

#[test]
fn a_rerun_sends_what_was_not_delivered_and_leaves_one_row_a_visit() {
    let (work, server, switch) = one_of_each();
    let before: Vec<String> = ALL.iter().map(|visit| work.raw_row("results.csv", visit)).collect();
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3);
    assert_eq!(sent(&server, &ALL), [1, 1, 2, 3, 1, 1, 0]);
    let counts = [
        ("rows_read", 7),
        ("result_rows", 7),
        ("uploaded", 5),
        ("already_received", 1),
        ("invalid", 1),
        ("rejected", 0),
        ("failed", 0),
        ("not_attempted", 0),
        ("carried_over", 4),
        ("carried_over_not_in_exports", 0),
        ("requests", 2),
        ("exit_code", 3),
    ];
    has_counts(&done, &counts);
    assert_eq!(done.json()["command"], "rerun");
    assert_eq!(work.results().rows.len(), 7);
    for at in [0, 1, 4, 5] {
        assert_eq!(work.raw_row("results.csv", ALL[at]), before[at], "a delivered row stays byte for byte");
    }
    for visit in ["V3", "V4"] {
        assert_eq!((&work.results().of(visit)["status"], &work.results().of(visit)["attempts"]), ("uploaded", "1"));
    }
    assert!(!work.exists("results.csv.partial"));
}

#[test]
fn a_visit_that_was_invalid_is_sent_once_the_export_is_fixed() {
    let (work, server, switch) = one_of_each();
    switch.fix();
    work.write("visits.csv", lines(VISITS_HEADER, &(1..=7).map(visit).collect::<Vec<_>>()));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("uploaded", 6), ("already_received", 1), ("invalid", 0), ("carried_over", 4)]);
    assert_eq!(sent(&server, &ALL), [1, 1, 2, 3, 1, 1, 1]);
    assert_eq!(work.results().rows.len(), 7);
}

#[test]
fn a_visit_that_cannot_be_delivered_fails_again_with_its_new_answer() {
    let (server, _) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let before = work.raw_row("results.csv", "V1");
    for round in 2..=3 {
        work.traxload(&["rerun", "results.csv"]).ends_with(3).says(&["traxload rerun", "Unknown Store of V2"]);
        assert_eq!(sent(&server, &["V1", "V2"]), [1, round]);
        assert_eq!(&work.results().of("V2")["error_code"], "unknown_store");
    }
    assert_eq!(work.raw_row("results.csv", "V1"), before);
}

#[test]
fn rows_with_keys_that_need_quotes_or_look_like_formulas_are_carried_over_byte_for_byte() {
    let keys = ["\"a,\"\"b\"\"\"", "\"two\nlines\"", "=1+1", "café ☕", "'", "\"cr\rlf\""];
    let (server, switch) = refusing(&["last"]);
    let row = |key: &str| format!("{key},1001,2024-03-05,2024-03-05T08:00:00Z,,801,rep@example.com");
    let visits: Vec<String> = keys.iter().chain(&["last"]).map(|key| row(key)).collect();
    let scenes: Vec<String> = keys.iter().chain(&["last"]).map(|key| format!("{key},S,T")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    // One at a time, so that the rows are in the order of the export, and the one that is sent again is the last.
    work.run(&serial(&server).visit_column("client_session_uid", "{ value = \"c\" }")).ends_with(3);
    let before = work.read("results.csv");
    let kept = before.find("\nlast,").expect("its row");
    switch.fix();
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(work.read("results.csv")[..kept], before[..kept]);
    assert_eq!(work.results().count("uploaded"), keys.len() + 1);
    assert_eq!(server.requests().len(), keys.len() + 2);
}

#[test]
fn the_manifest_tells_what_was_run_and_what_came_of_it_without_the_token() {
    let (work, server, switch) = one_of_each();
    let ran = manifest(&work);
    assert_eq!(ran["job"], "job.toml");
    let folder = work.path(".").canonicalize().expect("a folder");
    assert_eq!(ran["working_directory"], folder.display().to_string());
    assert_eq!(ran["namespace"], NAMESPACE.to_string());
    assert_eq!((&ran["ids_version"], &ran["project"]), (&5.into(), &"my-project".into()));
    assert_eq!(ran["base_url"], server.url());
    assert_eq!(ran["exit_code"], 3);
    for time in ["started_at", "finished_at"] {
        let time = ran[time].as_str().expect("a text");
        assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok() && time.ends_with('Z'), "{time}");
    }
    let expected = [("uploaded", 3), ("already_received", 1), ("rejected", 1), ("failed", 1), ("invalid", 1)];
    for (status, count) in expected.into_iter().chain([("not_attempted", 0), ("carried_over", 0)]) {
        assert_eq!(ran["counts"][status], count, "{status}");
    }
    switch.fix();
    work.traxload(&["rerun", "results.csv"]).ends_with(3);
    let reran = manifest(&work);
    assert_eq!((&reran["counts"]["carried_over"], &reran["counts"]["uploaded"]), (&4.into(), &5.into()));
    for name in ["job", "working_directory", "options", "namespace", "ids_version", "base_url", "project"] {
        assert_eq!(reran[name], ran[name], "{name}");
    }
    for name in work.listing(".") {
        assert!(!work.read(&name).contains(crate::harness::TOKEN), "{name}");
    }
}

#[test]
fn a_rerun_after_a_refused_key_sends_the_rest() {
    let refusal = || Reply::error(403, "A forbidden resource has been requested my-project");
    let (server, switch) = api(move |request| (!request.is_for("V1")).then(refusal));
    let work = Workdir::with_visits(5);
    work.run(&serial(&server)).ends_with(6);
    let first = work.raw_row("results.csv", "V1");
    assert_eq!((work.results().count("rejected"), work.results().count("not_attempted")), (2, 2));
    // It is still refused: everything stays as it was.
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(6);
    has_counts(&done, &[("carried_over", 1), ("rejected", 2), ("not_attempted", 2), ("requests", 2)]);
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("carried_over", 1), ("uploaded", 5), ("requests", 4)]);
    assert_eq!(work.raw_row("results.csv", "V1"), first);
}

#[test]
fn a_rerun_after_an_outage_sends_the_rest() {
    let (server, switch) = api(|request| (!request.is_for("V1")).then(|| Reply::status(503)));
    let work = Workdir::with_visits(5);
    work.run(&serial(&server).upload("patience", "\"50ms\"")).ends_with(5);
    assert_eq!((work.results().count("uploaded"), work.results().rows.len()), (1, 5));
    let before = server.requests().len();
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("carried_over", 1), ("uploaded", 5), ("requests", 4)]);
    assert_eq!(server.requests().len(), before + 4);
}

#[test]
fn a_rerun_after_sigint_sends_the_rest_and_can_be_stopped_itself() {
    let gates: [Gate; 4] = Default::default();
    let held = gates.clone();
    let server = ScriptedServer::start(move |request, _| {
        let at = (1..=4).find(|n| request.is_for(&format!("V{n}"))).expect("one of the visits");
        Reply::After(held[at - 1].clone(), Box::new(Reply::ok()))
    });
    let work = Workdir::with_visits(4);
    work.job(&serial(&server));
    for (round, command) in [["run", "job.toml"], ["rerun", "results.csv"]].iter().enumerate() {
        let mut run = work.start(command);
        server.wait_for(round + 1);
        run.signal("INT");
        run.wait_for("stopping");
        gates[round].open();
        run.finish().ends_with(130);
        let rows = work.results();
        assert_eq!((rows.count("uploaded"), rows.count("not_attempted")), (round + 1, 3 - round));
    }
    gates.iter().for_each(Gate::open);
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("carried_over", 2), ("uploaded", 4), ("requests", 2)]);
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4"]), [1; 4]);
}

#[test]
fn a_killed_rerun_loses_neither_the_rows_of_the_first_run_nor_its_own() {
    let (gate, switch) = (Gate::default(), Switch::default());
    let (closed, seen) = (gate.clone(), switch.clone());
    let server = ScriptedServer::start(move |request, _| match seen.is_fixed() {
        false if request.is_for("V1") => Reply::ok(),
        false => Reply::status(400),
        true if request.is_for("V3") => Reply::After(closed.clone(), Box::new(Reply::ok())),
        true => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.run(&serial(&server)).ends_with(3);
    let before = work.read("results.csv");
    switch.fix();
    let rerun = work.start(&["rerun", "results.csv"]);
    server.wait_for(5);
    wait_until("the journal has both rows", || work.read("results.csv.partial").matches(",uploaded,").count() == 2);
    drop(rerun);
    assert_eq!(work.read("results.csv"), before, "it is replaced at the end only");
    let second = work.raw_row("results.csv.partial", "V2");
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["traxload rerun results.csv"]);
    gate.open();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("carried_over", 2), ("uploaded", 3), ("result_rows", 3), ("requests", 1)]);
    assert_eq!(work.raw_row("results.csv", "V2"), second);
    assert_eq!(sent(&server, &["V1", "V2", "V3"]), [1, 2, 3]);
    assert!(!work.exists("results.csv.partial"));
}

#[test]
fn visits_that_are_new_in_the_exports_are_sent() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    let more = Workdir::with_visits(4);
    work.write("visits.csv", more.read("visits.csv")).write("scenes.csv", more.read("scenes.csv"));
    for statuses in [&[] as &[&str], &["--status", "rejected"]] {
        let done = work.traxload(&[&["rerun", "results.csv", "--json"], statuses].concat()).ends_with(0);
        has_counts(&done, &[("rows_read", 4), ("result_rows", 4), ("uploaded", 4)]);
        assert_eq!(sent(&server, &["V1", "V2", "V3", "V4"]), [1, 2, 1, 1]);
    }
}

#[test]
fn visits_that_left_the_exports_keep_their_rows_and_undelivered_ones_are_forgotten_on_demand() {
    let (server, switch) = refusing(&["V3", "V4"]);
    let work = Workdir::with_visits(4);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let first = work.raw_row("results.csv", "V1");
    switch.fix();
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(2), visit(4)]));
    work.write("scenes.csv", lines(SCENES_HEADER, &["V2,S2,T1", "V4,S4,T1"]));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3);
    let counts = [
        ("rows_read", 2),
        ("result_rows", 4),
        ("uploaded", 3),
        ("carried_over", 3),
        ("carried_over_not_in_exports", 2),
        ("undelivered_not_in_exports", 1),
        ("requests", 1),
    ];
    has_counts(&done, &counts);
    done.says(&["warning: 1 undelivered visit", "its row stays", "--forget-gone"]);
    assert_eq!(work.raw_row("results.csv", "V1"), first);
    assert_eq!(&work.results().of("V3")["status"], "rejected");
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4"]), [1, 1, 1, 2]);
    let done = work.traxload(&["rerun", "results.csv", "--forget-gone"]).ends_with(0);
    done.says(&["warning: 1 undelivered visit", "its row is gone"]);
    assert_eq!(work.results().all_of("V3").count(), 0);
    // They stay for good.
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("result_rows", 3), ("carried_over", 3), ("carried_over_not_in_exports", 1)]);
}

#[test]
fn a_warning_of_lost_rows_is_there_for_those_who_want_warnings_only() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1)]));
    work.traxload(&["rerun", "results.csv", "-q"]).ends_with(3).says(&["warning: 1 undelivered visit"]);
}

#[test]
fn exports_that_are_empty_by_now_are_8_and_the_result_file_stays() {
    let (server, _) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let before = work.read("results.csv");
    work.write("visits.csv", lines::<&str>(VISITS_HEADER, &[]));
    work.traxload(&["rerun", "results.csv"]).ends_with(8);
    assert_eq!(work.read("results.csv"), before);
    let done = work.traxload(&["rerun", "results.csv", "--allow-empty", "--json"]).ends_with(3);
    has_counts(&done, &[("rows_read", 0), ("result_rows", 2), ("carried_over_not_in_exports", 2)]);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn status_narrows_what_is_sent_and_leaves_the_other_rows_as_they_are() {
    let (work, server, switch) = one_of_each();
    let before: Vec<String> = ALL.iter().map(|visit| work.raw_row("results.csv", visit)).collect();
    switch.fix();
    let rerun =
        |status: &str, code| work.traxload(&["rerun", "results.csv", "--json", "--status", status]).ends_with(code);
    let done = rerun("failed", 3).says(&[
        // What was not asked for is not delivered either.
        "  rejected unknown_store: 1, from an earlier run",
        "  invalid missing_field: 1, from an earlier run",
        "    \"V3\": Unknown Store",
    ]);
    let causes: Option<u64> =
        done.json()["causes"].as_array().expect("causes").iter().map(|cause| cause["count"].as_u64()).sum();
    assert_eq!(causes, Some(2), "every row that is not delivered has its cause");
    has_counts(&done, &[("carried_over", 6), ("requests", 1), ("rejected", 1), ("invalid", 1), ("failed", 0)]);
    for at in [0, 1, 2, 4, 5, 6] {
        assert_eq!(work.raw_row("results.csv", ALL[at]), before[at]);
    }
    work.write("visits.csv", lines(VISITS_HEADER, &(1..=7).map(visit).collect::<Vec<_>>()));
    let done = rerun("rejected,failed", 3);
    has_counts(&done, &[("carried_over", 6), ("requests", 1), ("rejected", 0), ("invalid", 1)]);
    assert_eq!(work.raw_row("results.csv", "V7"), before[6], "fixed, but not asked for");
    has_counts(&rerun("not_attempted", 3), &[("carried_over", 7), ("requests", 0)]);
    has_counts(&rerun("invalid", 0), &[("carried_over", 6), ("requests", 1), ("invalid", 0)]);
    assert_eq!(sent(&server, &ALL), [1, 1, 2, 3, 1, 1, 1]);
}

#[test]
fn a_status_that_is_none_or_that_is_delivered_is_2_and_nothing_happens() {
    let (server, _) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let before = work.read("results.csv");
    for status in ["lost", "rejected,lost", "uploaded", "already_received", "", "Rejected"] {
        let done = work.traxload(&["rerun", "results.csv", "--status", status]).ends_with(2);
        let named = status.split(',').next_back().expect("one");
        done.says(&[named, "rejected", "failed", "invalid", "not_attempted"]);
    }
    assert_eq!((work.read("results.csv"), server.requests().len()), (before, 2));
}

#[test]
fn a_rerun_from_another_working_directory_means_the_same_files() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.write("maps/types.csv", "monthly,801\n").write("token", crate::harness::TOKEN);
    work.write("visits.csv", work.read("visits.csv").replace(",801,", ",monthly,"));
    let job = JobFile::to(&server.url())
        .visit_column("visit_type_id", "{ column = \"visit_type\", map_file = \"maps/types.csv\" }")
        .api("token_file", "\"token\"")
        .and("[results]\npath = \"out/{name}.csv\"");
    work.run(&job).ends_with(3);
    let elsewhere = Workdir::new();
    let results = work.path("out/test.csv").display().to_string();
    // What is to be typed next works from there too.
    let done = elsewhere.traxload_with(&["rerun", &results], &[]).ends_with(3).says(&[&results]);
    assert!(done.stderr.contains("next:"));
    switch.fix();
    elsewhere.traxload_with(&["rerun", &results], &[]).ends_with(0);
    assert!(elsewhere.listing(".").is_empty());
    assert_eq!(work.listing("out"), ["test.csv", "test.csv.json"]);
    assert_eq!(sent(&server, &["V1", "V2"]), [1, 3]);
    // From a folder below, by a relative path.
    let above = "cd out && traxload rerun ./test.csv";
    work.shell(above).ends_with(0);
    assert_eq!(work.listing("out"), ["test.csv", "test.csv.json"]);
}

/// A rerun with another job file than the run had. Nothing happens.
#[track_caller]
fn refused(before: &JobFile, after: &JobFile, server: &ScriptedServer, says: &[&str]) {
    let work = Workdir::with_visits(2);
    work.run(before).ends_with(3);
    let sent = server.requests().len();
    let left = ["results.csv", "results.csv.json"].map(|name| work.read(name));
    work.job(after);
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(says);
    assert_eq!(["results.csv", "results.csv.json"].map(|name| work.read(name)), left);
    assert_eq!(work.listing("."), ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"]);
    assert_eq!(server.requests().len(), sent);
}

#[test]
fn a_rerun_with_other_ids_or_to_another_place_is_refused_with_both_values() {
    let (server, _) = refusing(&["V2"]);
    // In a second job V2 has another id: there every second request is refused.
    let nth = std::sync::atomic::AtomicUsize::new(0);
    let (second, _) = api(move |_| (nth.fetch_add(1, Ordering::SeqCst) % 2 == 1).then(|| Reply::status(400)));
    let job = JobFile::to(&server.url());
    let ids = |ids: &str| JobFile::to(&second.url()).and(&format!("[ids]\n{ids}"));
    let other = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";
    refused(
        &job,
        &job.clone().and(&format!("[ids]\nnamespace = \"{other}\"")),
        &server,
        &["namespace", &NAMESPACE.to_string(), other],
    );
    let namespace = format!("namespace = \"{NAMESPACE}\"");
    refused(&ids(&namespace), &ids(&format!("{namespace}\nversion = 4")), &second, &["version", "\"5\"", "\"4\""]);
    refused(&job, &JobFile::to("http://127.0.0.1:1"), &server, &["base_url", &server.url(), "http://127.0.0.1:1"]);
    refused(&job, &job.clone().api("project", "\"theirs\""), &server, &["project", "my-project", "theirs"]);
    // Where the namespace is made from them.
    let made = ids("version = 5");
    refused(&made, &made.clone().api("project", "\"theirs\""), &second, &["namespace", "project", "theirs"]);
}

#[test]
fn a_change_that_touches_no_ids_is_no_hindrance() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    let job = JobFile::to(&format!("{}//", server.url())).upload("rate", "\"500/s\"").api("resource", "\"sessions\"");
    work.job(&job);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(sent(&server, &["V1", "V2"]), [1, 2]);
}

#[test]
fn a_missing_or_damaged_manifest_is_2_and_is_named() {
    let (server, _) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let (rows, whole) = (work.read("results.csv"), work.read("results.csv.json"));
    for damaged in ["", "{", "[]", "{}", &whole[..whole.len() / 2]] {
        work.write("results.csv.json", damaged);
        work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["results.csv.json"]);
    }
    std::fs::remove_file(work.path("results.csv.json")).expect("it is there");
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["results.csv.json"]);
    assert_eq!((work.read("results.csv"), server.requests().len()), (rows, 2));
}

#[test]
fn a_day_that_nothing_names_is_asked_for_where_that_helps() {
    let (server, _) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    let dated = || JobFile::to(&server.url()).visits("path", "\"{date}.csv\"");
    work.write("2024-03-05.csv", work.read("visits.csv"));
    work.job(&dated()).traxload(&["run", "job.toml", "--date", "2024-03-05"]).ends_with(3);
    // A manifest of an older version, or one that was changed.
    let mut manifest = manifest(&work);
    manifest.as_object_mut().expect("a table").remove("options");
    work.write("results.csv.json", manifest.to_string());
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(2);
    done.says(&["job.toml needs a day", "traxload run job.toml --date DAY --continue --results "]);
    work.traxload(&["run", "job.toml", "--date", "2024-03-05", "--continue"]).ends_with(3);
    // Of a job whose paths had no day then, no command helps.
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    work.job(&dated());
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["job.toml needs a day", "Set them back"]);
    assert!(!done.stderr.contains("--date"), "{}", done.stderr);
}

#[test]
fn no_result_file_is_2_and_leaves_nothing_behind() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    let before = work.listing(".");
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["results.csv"]);
    work.traxload(&["rerun", "no/such/results.csv"]).ends_with(2).says(&["no/such/results.csv"]);
    // The job file in place of the result file is an easy slip.
    work.traxload(&["rerun", "job.toml"])
        .ends_with(2)
        .says(&["job.toml is not a result file", "traxload run job.toml"]);
    work.traxload(&["rerun", "."]).ends_with(2);
    assert_eq!(work.listing("."), before);
}

#[test]
fn a_job_file_or_a_folder_that_is_gone_is_2_and_is_named() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    std::fs::rename(work.path("job.toml"), work.path("renamed.toml")).expect("it is there");
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["job.toml"]);
    let gone = work.path("gone").display().to_string();
    let here = work.path(".").canonicalize().expect("a folder").display().to_string();
    let manifest = work.read("results.csv.json");
    work.write("results.csv.json", manifest.replace(&format!("\"{here}\""), &format!("\"{gone}\"")));
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&[&gone]);
    assert_eq!(server.requests().len(), 2);
    work.write("results.csv.json", manifest);
    std::fs::rename(work.path("renamed.toml"), work.path("job.toml")).expect("it is there");
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
}

#[test]
fn a_job_file_in_place_of_a_result_file_names_the_result_file_that_is_there() {
    let work = Workdir::with_visits(1);
    work.run(&JobFile::new().and("[results]\npath = \"my results.csv\"")).ends_with(0);
    let done = work.traxload(&["rerun", "job.toml"]).ends_with(2);
    let command = done.stderr.trim_end().rsplit_once("For this job: ").expect("a command").1;
    work.shell(command).ends_with(0);
}

#[test]
fn options_of_a_first_run_are_told_to_belong_there() {
    let work = Workdir::with_visits(1);
    for option in ["--date", "--from", "--to", "--limit", "--results", "--fresh"] {
        let done = work.traxload(&["rerun", "results.csv", option, "2024-03-05"]).ends_with(2);
        done.says(&[&format!("unexpected argument '{option}'"), "the run before", "traxload run JOB"]);
    }
    let done = work.traxload(&["rerun", "results.csv", "--alow-empty"]).ends_with(2);
    assert!(done.stderr.contains("--allow-empty") && !done.stderr.contains("the run before"), "{}", done.stderr);
}

#[test]
fn a_folder_that_was_moved_is_no_hindrance_where_the_job_file_moved_with_it() {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::new();
    let inner = Workdir::with_visits(2);
    inner.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    for name in inner.listing(".") {
        work.write(&format!("moved/{name}"), inner.read(&name));
    }
    drop(inner);
    work.shell("traxload rerun moved/results.csv").ends_with(2).says(&["go to the folder in which job.toml is now"]);
    work.shell("cd moved && traxload rerun results.csv").ends_with(0).says(&["using the one in this folder"]);
    assert_eq!(sent(&server, &["V1", "V2"]), [1, 2]);
}

/// The command at the end of a line that begins so.
#[track_caller]
fn command_after<'a>(done: &'a Done, words: &str) -> &'a str {
    let line = done.stderr.lines().find_map(|line| line.strip_prefix(words));
    line.unwrap_or_else(|| panic!("{words:?} is missing in\n{}", done.stderr))
}

#[test]
fn after_a_trial_in_the_sandbox_the_first_message_names_the_command_that_sends_everything() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let results = "[results]\npath = \"my results/{date}.csv\"";
    let run = ["run", "job.toml", "--date", "2024-03-05", "--limit", "2"];
    for is_rerun in [false, true] {
        let work = Workdir::with_visits(3);
        work.job(&JobFile::new().and(results));
        work.traxload(&run).ends_with(0);
        work.job(&JobFile::to(&server.url()).and(results));
        let again = if is_rerun { &["rerun", "my results/2024-03-05.csv"] as &[&str] } else { &run };
        let done = work.traxload(again).ends_with(2).says(&["sandbox", "Trax has none of its visits"]);
        assert!(!done.stderr.contains("traxload rerun"), "{}", done.stderr);
        let words = if is_rerun {
            "To move them aside and send everything: "
        } else {
            "To move it aside and send everything: "
        };
        work.shell(command_after(&done, words)).ends_with(0).says(&["2 requests"]);
    }
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_trial_that_died_is_told_the_same() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::new()).ends_with(0);
    std::fs::rename(work.path("results.csv"), work.path("results.csv.partial")).expect("it is there");
    work.job(&JobFile::to(&server.url()));
    let done = work.traxload(&["run", "job.toml"]).ends_with(2).says(&["went to the sandbox"]);
    work.shell(command_after(&done, "To move them aside and send everything: ")).ends_with(0);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_finished_file_under_other_ids_is_not_sent_to_a_rerun_that_would_refuse_it() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    let job = JobFile::to(&server.url());
    work.run(&job).ends_with(0);
    work.job(&job.clone().api("project", "\"theirs\""));
    let done =
        work.traxload(&["run", "job.toml"]).ends_with(2).says(&["project was \"my-project\" and is now \"theirs\""]);
    assert!(!done.stderr.contains("traxload rerun"), "{}", done.stderr);
    work.shell(command_after(&done, "To start over and keep the old file aside: ")).ends_with(0);
    // The same job again: the rerun works, and is named so that it can be typed.
    let spaced = job.and("[results]\npath = \"it's mine.csv\"");
    work.run(&spaced).ends_with(0);
    let done = work.traxload(&["run", "job.toml"]).ends_with(2);
    work.shell(command_after(&done, "To send what it shows as not delivered: ")).ends_with(0);
}

#[test]
fn a_rerun_with_nothing_to_send_is_0_sends_nothing_and_changes_no_row() {
    let (server, _) = refusing(&[]);
    let work = Workdir::with_visits(3);
    let done = work.run(&JobFile::to(&server.url())).ends_with(0);
    assert!(!done.stderr.contains("next:"), "{}", done.stderr);
    let before = work.read("results.csv");
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert!(!done.stderr.contains("next:"), "{}", done.stderr);
    has_counts(&done, &[("carried_over", 3), ("uploaded", 3), ("requests", 0), ("exit_code", 0)]);
    assert_eq!((work.read("results.csv"), server.requests().len()), (before, 3));
    assert_eq!(work.listing("."), ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"]);
}

/// Ten visits, of which the last `invalid` ones are invalid.
fn ten_with_invalid(count: usize) -> Workdir {
    let visits: Vec<String> = (1..=10).map(|n| if n > 10 - count { format!("V{n},,,,,,") } else { visit(n) }).collect();
    let scenes: Vec<String> = (1..=10).map(|n| format!("V{n},S{n},T1")).collect();
    Workdir::with_rows(&visits, &scenes)
}

#[test]
fn max_invalid_is_a_share_of_the_whole_export_in_a_rerun_too() {
    let (server, switch) = refusing(&["V1"]);
    let work = ten_with_invalid(4);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    // Of the five that are left, four are invalid; of all ten, it is less than half.
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3);
    has_counts(&done, &[("uploaded", 6), ("invalid", 4), ("carried_over", 5), ("requests", 1)]);
}

#[test]
fn invalid_visits_whose_rows_stay_count_for_max_invalid_as_well() {
    let (server, switch) = refusing(&["V1"]);
    let work = ten_with_invalid(4);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    switch.fix();
    work.job(&JobFile::to(&server.url()).and("[check]\nmax_invalid = \"30%\""));
    let sent = server.requests().len();
    let done = work.traxload(&["rerun", "results.csv", "--status", "rejected", "--json"]).ends_with(4);
    has_counts(&done, &[("uploaded", 5), ("invalid", 4), ("not_attempted", 1), ("requests", 0)]);
    done.says(&["4 of 10 visits are invalid"]);
    assert_eq!(server.requests().len(), sent);
}

#[test]
fn too_many_invalid_writes_the_file_as_well_and_a_rerun_works_from_it() {
    let (server, _) = refusing(&[]);
    let work = ten_with_invalid(6);
    let done = work.run(&JobFile::to(&server.url())).ends_with(4);
    done.says(&["6 of 10 visits are invalid", "traxload rerun results.csv"]);
    let rows = work.results();
    assert_eq!((rows.rows.len(), rows.count("invalid"), rows.count("not_attempted")), (10, 6, 4));
    for row in rows.rows.iter().filter(|row| &row["status"] == "not_attempted") {
        assert_eq!((&row["attempts"], &row["error_code"]), ("0", "stopped"));
    }
    assert_eq!(manifest(&work)["exit_code"], 4);
    work.traxload(&["rerun", "results.csv"]).ends_with(4);
    assert!(server.requests().is_empty());
    work.write("visits.csv", ten_with_invalid(2).read("visits.csv"));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3);
    has_counts(&done, &[("uploaded", 8), ("invalid", 2), ("carried_over", 0), ("requests", 8)]);
    work.write("visits.csv", ten_with_invalid(0).read("visits.csv"));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("uploaded", 10), ("carried_over", 8), ("requests", 2)]);
}

/// The command that a summary says to type next, without the words before it.
#[track_caller]
fn next_command(done: &Done) -> String {
    let next = done.stderr.lines().find_map(|line| line.strip_prefix("next: "));
    let next = next.unwrap_or_else(|| panic!("no next in\n{}", done.stderr));
    next[next.find("traxload ").expect("a command")..].to_owned()
}

/// A run that is stopped, and then what it says to type, for a result file of this name.
#[track_caller]
fn next_works_literally(results: &str) {
    let (server, switch) = refusing(&["V2"]);
    let work = Workdir::with_visits(2);
    let done = work.run(&JobFile::to(&server.url()).and(&format!("[results]\npath = {results:?}"))).ends_with(3);
    let next = next_command(&done);
    switch.fix();
    let done = work.shell(&next);
    assert_eq!(done.code, 0, "{next}: {}", done.stderr);
    assert!(!done.stderr.contains("next:"), "{}", done.stderr);
    assert_eq!(crate::harness::Rows::read(&work.path(results)).count("uploaded"), 2);
    assert_eq!(sent(&server, &["V1", "V2"]), [1, 2]);
}

#[test]
fn the_command_that_is_said_to_come_next_finishes_the_work_when_it_is_typed_as_it_stands() {
    next_works_literally("results.csv");
    next_works_literally("out/of the/way.csv");
    next_works_literally("it's $HOME `x` \"quoted\" & more;.csv");
    next_works_literally("~/*.csv");
    next_works_literally("größe=1,a:b+c@d.csv");
}

#[test]
fn the_next_command_for_a_result_file_whose_name_starts_with_a_dash_works_too() {
    next_works_literally("-results.csv");
}

#[test]
fn the_next_line_of_a_run_that_needs_only_a_rerun_is_that_command_and_nothing_else() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(3);
    work.job(&serial(&server));
    let mut run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    run.signal("TERM");
    run.wait_for("stopping");
    gate.open();
    let done = run.finish().ends_with(143).says(&["\nnext: traxload rerun results.csv\n"]);
    work.shell(&next_command(&done)).ends_with(0);
    assert_eq!(work.results().column("status"), ["uploaded"; 3]);
}

#[test]
fn a_flat_export_is_run_again_like_any_other() {
    let rows: Vec<String> =
        (1..=3).flat_map(|n| (1..=2).map(move |scene| format!("{},S{scene},T1", visit(n)))).collect();
    let work = Workdir::new();
    work.write("flat.csv", lines(&format!("{VISITS_HEADER},scene_id,task_code"), &rows));
    let (server, switch) = refusing(&["V2"]);
    let job = JobFile::to(&server.url()).exports("path", "\"flat.csv\"");
    work.run(&job).ends_with(3);
    let (first, body) = (work.raw_row("results.csv", "V1"), server.requests_for("V2")[0].body.clone());
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    let counts = [("rows_read", 6), ("identical_duplicates", 3), ("result_rows", 3), ("carried_over", 2)];
    has_counts(&done, &counts);
    assert_eq!(work.raw_row("results.csv", "V1"), first);
    assert_eq!(server.requests_for("V2")[1].body, body);
    assert_eq!((&work.results().of("V2")["scenes"], &work.results().of("V2")["status"]), ("2", "uploaded"));
}

#[test]
fn the_day_of_a_run_is_remembered() {
    let (server, switch) = refusing(&["V2"]);
    let day = Workdir::with_visits(2);
    let work = Workdir::new();
    for name in ["visits.csv", "scenes.csv"] {
        work.write(&format!("2024-03-05/{name}"), day.read(name));
    }
    let job = JobFile::to(&server.url())
        .visits("path", "\"{date}/visits.csv\"")
        .scenes("path", "\"{date}/scenes.csv\"")
        .and("[results]\npath = \"{date}/r-{time}.csv\"");
    work.job(&job);
    let done = work.traxload(&["run", "job.toml", "--date", "2024-03-05"]).ends_with(3);
    let before = work.listing("2024-03-05");
    assert_eq!(before.len(), 4, "{before:?}");
    switch.fix();
    work.shell(&next_command(&done)).ends_with(0);
    assert_eq!(sent(&server, &["V1", "V2"]), [1, 2]);
    assert_eq!(work.listing("2024-03-05"), before, "a rerun replaces the file that it is about");
}

#[test]
fn what_yesterday_was_is_remembered_as_a_day() {
    let (server, _) = refusing(&["V1"]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--date", "yesterday"]).ends_with(3);
    let day = manifest(&work)["options"]["date"].as_str().expect("a day").to_owned();
    assert!(day.parse::<chrono::NaiveDate>().is_ok(), "{day}");
    work.traxload(&["rerun", "results.csv"]).ends_with(3);
    assert_eq!(manifest(&work)["options"]["date"], day);
}

#[test]
fn the_first_and_last_day_of_a_run_are_remembered() {
    let on = |n: usize, day: &str| visit(n).replace("2024-03-05", day);
    let visits = [on(1, "2024-03-04"), on(2, "2024-03-05"), on(3, "2024-03-06"), on(4, "2024-03-07")];
    let scenes = (1..=4).map(|n| format!("V{n},S{n},T1")).collect::<Vec<_>>();
    let work = Workdir::with_rows(&visits, &scenes);
    let (server, switch) = refusing(&["V2"]);
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--from", "2024-03-05", "--to", "2024-03-06"]).ends_with(3);
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("rows_read", 2), ("left_out", 2), ("uploaded", 2), ("requests", 1)]);
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4"]), [0, 2, 1, 0]);
}

#[test]
fn the_limit_of_a_run_is_remembered() {
    let (server, switch) = refusing(&["V1"]);
    let work = Workdir::with_visits(5);
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--limit", "2"]).ends_with(3);
    switch.fix();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("rows_read", 2), ("left_out", 3), ("uploaded", 2), ("requests", 1)]);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(sent(&server, &["V1", "V2", "V3", "V4", "V5"]), [2, 1, 0, 0, 0]);
}

#[test]
fn scene_rows_that_a_run_passed_over_are_passed_over_again() {
    let (server, switch) = refusing(&["V1"]);
    let work = Workdir::with_visits(1);
    work.write("scenes.csv", "visit_id,scene_id,task_code\nV1,S1,T1\nV1,S2\n");
    work.job(&JobFile::to(&server.url()));
    work.traxload(&["run", "job.toml", "--accept", "unreadable_scenes"]).ends_with(3);
    switch.fix();
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(sent(&server, &["V1"]), [2]);
}

#[test]
fn differing_rows_of_a_delivered_visit_are_compared_with_what_trax_has_each() {
    let (server, _) = refusing(&[]);
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let whole = work.read("results.csv");
    let differing = visit(1).replace("1001", "9999");
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1), visit(2), differing]));
    for _ in 0..2 {
        let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3);
        has_counts(&done, &[("rows_read", 3), ("result_rows", 3), ("uploaded", 2), ("invalid", 1), ("requests", 0)]);
        let results = work.results();
        let codes: Vec<&str> = results.all_of("V1").map(|row| &row["error_code"]).collect();
        assert_eq!(codes, ["changed_since_delivery", "reused_key"]);
        assert!(results.all_of("V1").all(|row| row["error"].contains("duplicate_visit")), "{results:#?}");
    }
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1), visit(2)]));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    has_counts(&done, &[("result_rows", 2), ("carried_over", 2), ("requests", 0)]);
    assert_eq!(work.read("results.csv"), whole, "what was said of the row is no longer so");
}

#[test]
fn a_run_that_still_reads_has_to_be_waited_for() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    let _held = traxload::results::Lock::take(&work.path("results.csv")).expect("free");
    work.traxload(&["rerun", "results.csv"]).ends_with(7).says(&["another run is writing"]);
}

#[test]
fn what_a_first_run_decides_is_told_wherever_the_options_stand() {
    let args = ["--log-format", "json", "rerun", "results.csv", "--fresh"];
    Workdir::new().traxload(&args).ends_with(2).says(&["a rerun uses the days"]);
}

#[test]
fn a_visit_whose_key_cannot_be_read_has_not_left_the_exports() {
    let work = Workdir::with_visits(2);
    let mut visits = work.read("visits.csv").into_bytes();
    visits.extend(b"V\xff3,1003,2024-03-05,2024-03-05T08:00:00Z,,801,\n");
    work.write("visits.csv", &visits);
    work.run(&JobFile::new().and("[check]\nmax_invalid = \"100%\"")).ends_with(3);
    for _ in 0..2 {
        let done = work.traxload(&["rerun", "results.csv"]).ends_with(3);
        assert!(!done.stderr.contains("left the exports"), "{}", done.stderr);
        assert_eq!(work.results().column("error_code"), ["", "", "bad_text"]);
    }
}
