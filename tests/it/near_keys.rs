//! Scenes of no visit whose key is nearly that of a visit.

use crate::harness::{JobFile, SCENES_HEADER, VISITS_HEADER, Workdir, lines};

/// A row of a visit. Each has a start of its own.
fn visit(key: &str, n: usize) -> String {
    format!("{key},S1,2024-03-05,2024-03-05T08:{:02}:{:02}Z,,801,", n / 60, n % 60)
}

/// Visits with these keys and of one scene each, and a scene more under each of `scenes`, from line 2 on.
fn exports(visits: &[&str], scenes: &[&str]) -> Workdir {
    let scene = |(n, key): (usize, &&str)| format!("{key},extra-{n},T1");
    let own = visits.iter().map(|key| format!("{key},own,T1"));
    let scenes: Vec<String> = scenes.iter().enumerate().map(scene).chain(own).collect();
    let visits: Vec<String> = visits.iter().enumerate().map(|(n, key)| visit(key, n)).collect();
    Workdir::with_rows(&visits, &scenes)
}

fn job() -> JobFile {
    JobFile::to("sandbox").and("[check]\nmax_invalid = \"100%\"")
}

#[test]
fn a_scene_under_nearly_the_same_key_keeps_its_visit_from_being_sent() {
    let work = exports(&["V001", "V002", "V003"], &["V001", "v003"]);
    let done = work.run(&job()).ends_with(3);
    done.says(&["1 scene belongs to no visit of the export, the first to \"v003\" (scenes.csv:3)"]);
    let rows = work.results();
    assert_eq!((&rows.of("V003")["status"], &rows.of("V003")["error_code"]), ("invalid", "near_key"));
    assert_eq!(
        &rows.of("V003")["error"],
        "near_key visit_id: 1 scene has the key \"v003\", almost this visit's \"V003\" (different: upper and lower case) \
         (scenes.csv:3)"
    );
    assert_eq!((&rows.of("V003")["scenes"], rows.count("uploaded")), ("1", 2));
}

#[test]
fn every_way_of_writing_one_key_is_near() {
    let pairs = [
        ("0010004", "10004"),
        ("V-1", "V-1\u{a0}"),
        ("V-2", "V-\u{200b}2"),
        ("Visit 3", "visit  3"),
        ("Besuch 7é", "Besuch 7e\u{301}"),
        ("550e8400-e29b-41d4-a716-446655440000", "{550E8400-E29B-41D4-A716-446655440000}"),
        ("001A0000006Vm9r", "001A0000006Vm9rIAC"),
        ("001A0000006Vm9xIAC", "001A0000006Vm9x"),
    ];
    let work = exports(&pairs.map(|(visit, _)| visit), &pairs.map(|(_, scene)| scene));
    work.run(&job()).ends_with(3);
    let rows = work.results();
    for (visit, scene) in pairs {
        let row = rows.of(visit);
        assert_eq!((&row["status"], &row["error_code"]), ("invalid", "near_key"), "{visit:?} and {scene:?}");
    }
}

#[test]
fn the_nearest_harmless_keys_are_sent() {
    let visits = ["A1", "V-1", "1.10", "001A0000006Vm9r", "k1", "K1", "b2", "V1.0"];
    let scenes = ["A10", "V-01", "1.1", "001A0000006VM9r", "B2", "V1", "V9"];
    let work = exports(&visits, &scenes);
    let done = work.run(&job()).ends_with(0);
    done.says(&["7 scenes belong to no visit of the export"]);
    assert_eq!(work.results().count("uploaded"), visits.len());
}

#[test]
fn the_keys_of_visits_that_are_left_out_are_near_nothing() {
    let work = exports(&["V1", "V2"], &["v2", "V2"]);
    work.job(&job());
    work.traxload(&["run", "job.toml", "--limit", "1"]).ends_with(0);
    assert_eq!(work.results().of("V1")["status"], *"uploaded");
}

#[test]
fn scenes_under_many_such_keys_are_counted_and_the_problem_stands_behind_those_of_the_key() {
    let scenes = ["v1", "v1", "v1\u{a0}", "v1\u{a0}", "V1\u{200b}", "V\u{feff}1", "V\u{ad}1"];
    let work = exports(&["V1", "V2"], &scenes);
    let other = visit("V1", 9).replace("S1", "S2");
    work.write("visits.csv", lines(VISITS_HEADER, &[visit("V1", 0), other, visit("V2", 1).replace("S1", "")]));
    work.run(&job()).ends_with(3);
    let rows = work.results();
    for row in rows.all_of("V1") {
        let error = &row["error"];
        assert!(error.starts_with("duplicate_visit visit_id: "), "{error}");
        assert_eq!(error.matches("near_key visit_id: ").count(), 3, "{error}");
        assert!(error.contains("2 scenes have the key \"v1\""), "{error}");
        assert!(error.ends_with("; 2 more scenes have other keys like it (scenes.csv:6)"), "{error}");
    }
    assert_eq!(&rows.of("V2")["error_code"], "missing_field");
}

#[test]
fn accepted_such_scenes_are_orphans_like_others() {
    let work = exports(&["V1", "V2"], &["v1"]);
    work.job(&job());
    work.traxload(&["check", "job.toml"]).ends_with(3).says(&[
        "near_key",
        "--accept near_key",
        "\"v1\" (scenes.csv:2)",
    ]);
    work.traxload(&["run", "job.toml", "--accept", "near_key"]).ends_with(0).says(&["1 scene belongs to no visit"]);
    assert_eq!(work.results().count("uploaded"), 2);
    work.run(&JobFile::to("sandbox").and("[check]\naccept = [\"near_key\"]\n[results]\npath = \"others.csv\""))
        .ends_with(0);
}

#[test]
fn the_result_rows_are_the_same_past_the_memory() {
    let visits: Vec<String> = (0..2_000).map(|n| visit(&format!("V{n}"), n)).collect();
    let mut scenes: Vec<String> = (0..2_000).map(|n| format!("V{n},own,{}", "x".repeat(60))).collect();
    scenes.extend((0..400).map(|n| format!("v{n},extra,T1")));
    scenes.extend((200..800).map(|n| format!("V{n}\u{a0},extra,T1")));
    scenes.extend((0..100).map(|n| format!("orphan-{n},extra,T1")));
    let work = Workdir::with_rows(&visits, &scenes);
    // Nothing is sent, and the invalid visits have their rows.
    work.job(&JobFile::to("sandbox").and("[check]\nmax_invalid = 0"));
    let errors = |memory: &str, results: &str| -> Vec<(String, String)> {
        work.traxload(&["run", "job.toml", "--memory", memory, "--results", results]).ends_with(4);
        let rows = crate::harness::Rows::read(&work.path(results));
        let mut rows: Vec<_> =
            rows.rows.iter().map(|row| (row["visit_id"].to_owned(), row["error"].to_owned())).collect();
        rows.sort();
        rows
    };
    let near = |name: &str| {
        let in_memory = errors("1GB", &format!("memory-{name}.csv"));
        for memory in ["64KB", "300KB"] {
            assert_eq!(in_memory, errors(memory, &format!("{memory}-{name}.csv")), "{memory}");
        }
        in_memory.iter().filter(|(_, error)| error.contains("near_key")).count()
    };
    assert_eq!(near("any"), 800);
    // Two keys that differ in case only are elsewhere in the export, and tell all keys apart by case.
    let visits = visits.iter().cloned().chain([visit("w1", 1), visit("W1", 2)]);
    let scenes = scenes.iter().cloned().chain(["w1,own,T1".to_owned(), "W1,own,T1".to_owned()]);
    work.write("visits.csv", lines(VISITS_HEADER, &visits.collect::<Vec<_>>()));
    work.write("scenes.csv", lines(SCENES_HEADER, &scenes.collect::<Vec<_>>()));
    assert_eq!(near("case"), 600);
}
