//! What all visits of an export together give away, and what a summary shows so that a person sees it. Each suspicion fires
//! on a mistake, and lets the nearest harmless export pass.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, lines, visit};

/// A visit that starts at this time, of a store of its own.
fn starting(n: usize, start: &str) -> String {
    format!("V{n},10{n},2024-03-05,{start},,,")
}

/// A folder with visits that start at these times, each with a scene.
fn at_times(starts: &[&str]) -> Workdir {
    let visits: Vec<String> = starts.iter().enumerate().map(|(n, start)| starting(n, start)).collect();
    let scenes: Vec<String> = (0..starts.len()).map(|n| format!("V{n},S1,T1")).collect();
    Workdir::with_rows(&visits, &scenes)
}

fn local_job(base_url: &str) -> JobFile {
    JobFile::to(base_url).and("[time]\ntimezone = \"Europe/Paris\"")
}

#[test]
fn starts_that_are_all_at_midnight_are_2_and_can_be_accepted() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let job = local_job(&server.url());
    for start in ["2024-03-05 00:00:00", "2024-03-05T00:00:00Z", "2024-03-05T00:00:00+05:30", "1709596800"] {
        let work = at_times(&[start; 5]);
        work.run(&job).ends_with(2).says(&["midnight: each of 5 visits", "--accept midnight"]);
        work.traxload(&["check", "job.toml"]).ends_with(2);
        assert!(server.requests().is_empty() && !work.exists("results.csv"));
        work.traxload(&["check", "job.toml", "--accept", "midnight"]).ends_with(0).says(&["accepted, midnight"]);
    }
    // One with the time of day, or a shift that starts at midnight in four stores.
    for starts in [["2024-03-05 00:00:00"; 4].as_slice(), &["2024-03-05 00:00:00"; 6]] {
        let mut starts = starts.to_vec();
        if starts.len() > 4 {
            starts[5] = "2024-03-05 00:00:01";
        }
        at_times(&starts).check(&job).0.ends_with(0);
    }
    // Midnight in Paris, as UTC: these have a time of day.
    at_times(&["2024-03-05T23:00:00Z"; 5]).check(&job).0.ends_with(0);
}

#[test]
fn an_export_without_a_visit_near_its_day_is_2() {
    let job = JobFile::new().visits("path", "\"visits-{date}.csv\"").scenes("path", "\"scenes-{date}.csv\"");
    let check = |day: &str, more: &[&str]| {
        let work = Workdir::with_visits(3);
        for name in ["visits", "scenes"] {
            work.write(&format!("{name}-{day}.csv"), work.read(&format!("{name}.csv")));
        }
        work.job(&job);
        work.traxload(&[&["check", "job.toml", "--date", day], more].concat())
    };
    check("2024-03-09", &[])
        .ends_with(2)
        .says(&["other_day: the export is that of 2024-03-09", "nearest is on 2024-03-05"]);
    check("2024-03-09", &["--accept", "other_day"]).ends_with(0);
    check("2024-03-08", &[]).ends_with(0);
    check("2024-03-02", &[]).ends_with(0);
    // Only a part of the export is seen.
    check("2024-03-09", &["--limit", "1"]).ends_with(0);
    check("2024-03-09", &["--from", "2024-03-01"]).ends_with(0);
    // A path without a day says nothing.
    let work = Workdir::with_visits(3);
    work.job(&JobFile::new());
    work.traxload(&["check", "job.toml", "--date", "2024-03-09"]).ends_with(0);
}

#[test]
fn values_that_only_leaves_out_are_listed_and_a_wanted_one_in_other_spelling_is_2() {
    let header = format!("{VISITS_HEADER},status");
    let with = |statuses: [&str; 4]| {
        let work = Workdir::with_visits(4);
        let visits: Vec<String> = (1..=4).map(|n| format!("{},{}", visit(n), statuses[n - 1])).collect();
        work.write("visits.csv", lines(&header, &visits));
        work
    };
    let job = JobFile::new().visits("only", "{ status = [\"completed\"] }");
    let work = with(["completed", "Completed", "cancelled", "COM PLETED"]);
    work.check(&job).0.ends_with(2).says(&[
        "only_value: `only` under [visits]",
        "\"Completed\" in 1 row, while \"completed\" is wanted",
        "\"COM PLETED\" in 1 row",
    ]);
    let accepting = job.clone().and("[check]\naccept = [\"only_value\"]");
    work.check(&accepting).0.ends_with(0).says(&["accepted, only_value", "3 by `only`", "\"cancelled\" 1"]);
    let work = with(["completed", "cancelled", "", "cancelled"]);
    work.job(&job);
    let done = work.traxload(&["check", "job.toml", "--json"]).ends_with(0);
    let done = done.says(&["3 by `only`\n", "visits.status: \"cancelled\" 2, \"\" 1"]);
    let listed = &done.json()["left_out_values"];
    assert_eq!((&listed[0]["value"], &listed[0]["rows"]), (&"cancelled".into(), &2.into()));
    work.traxload(&["run", "job.toml"]).ends_with(0).says(&["visits.status: \"cancelled\" 2, \"\" 1"]);
}

#[test]
fn what_left_rows_out_is_named_and_nothing_else() {
    let work = Workdir::with_visits(3);
    work.job(&JobFile::new());
    work.traxload(&["check", "job.toml", "--limit", "1"]).ends_with(0).says(&["2 by --limit\n"]);
    let none = work.traxload(&["check", "job.toml", "--from", "2024-03-06"]).ends_with(8);
    none.says(&["all 3 visit rows of the exports are left out by --from;"]);
    let none = work.traxload(&["run", "job.toml", "--from", "2024-03-06", "--to", "2024-03-07"]).ends_with(8);
    none.says(&["are left out by --from and --to;"]);
}

#[test]
fn a_summary_shows_how_many_visits_and_scenes_have_each_field() {
    let work = Workdir::with_visits(3);
    work.write("visits.csv", work.read("visits.csv").replace("rep2@example.com", ""));
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1", "V1,S2,", "V2,S1,T1", "V3,S1,"]));
    work.job(&JobFile::new().without(&["session_end_time"]));
    let done = work.traxload(&["check", "job.toml", "--json"]).ends_with(0).says(&[
        "store_number, visit_date, session_start_time, visit_type_id 3 of 3",
        "session_end_time 0 of 3 (not mapped)",
        "email_address 2 of 3",
        "scene_uid 4 of 4; task_code 2 of 4",
    ]);
    let coverage = done.json()["coverage"].as_array().expect("a list").clone();
    let of = |name: &str| coverage.iter().find(|field| field["field"] == name).expect("it is there").clone();
    let task = serde_json::json!({"field": "task_code", "of": "scenes", "filled": 2, "all": 4, "mapped": true});
    assert_eq!(of("task_code"), task);
    assert_eq!(of("session_end_time")["mapped"], false);
    work.job(&JobFile::new().without(&["task_code"]));
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(0).says(&["task_code 0 of 4 (not mapped)"]);
    assert_eq!(done.json()["coverage"].as_array().map(Vec::len), Some(coverage.len()));
}

#[test]
fn visits_that_are_alike_but_for_their_key_are_a_warning() {
    let work = Workdir::with_visits(3);
    let again = visit(1).replacen("V1", "V9", 1);
    work.write("visits.csv", format!("{}{again}\n", work.read("visits.csv")));
    work.write("scenes.csv", format!("{}V9,S1,T1\n", work.read("scenes.csv")));
    let (done, _) = work.check(&JobFile::new());
    done.ends_with(0)
        .says(&["2 visits are alike but for their keys", "\"V1\" (visits.csv:2) and \"V9\" (visits.csv:5)"]);
    work.write("visits.csv", work.read("visits.csv").replace("V9,1001", "V9,1009"));
    let (done, _) = work.check(&JobFile::new());
    assert!(!done.ends_with(0).stderr.contains("alike"));
}
