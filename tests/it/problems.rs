//! What is found wrong with a visit before anything is sent: every problem with its code, field, message and place.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, lines, visit};
use std::collections::BTreeSet;

/// Columns of the nasty export; `tz` is the zone of the row's times.
const HEADER: &str = "visit_id,store_code,visit_date,started_at,ended_at,visit_type,rep_email,tz";

/// Visits named after what is wrong with them. `\xff` stands for a byte that is not UTF-8.
const NASTY: [&str; 35] = [
    "fine,1001,2024-03-05,2024-03-05T08:00:00Z,2024-03-05T08:30:00Z,monthly,rep@example.com,",
    "no store,,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    ",1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "no date,1001,,2024-03-05T08:00:00Z,,monthly,,",
    "no start,1001,2024-03-05,,,monthly,,",
    "long store,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "bad number,1001,2024-03-05,2024-03-05T08:00:00Z,,odd,,",
    "bad date,1001,05.03.2024,2024-03-05T08:00:00Z,,monthly,,",
    "no such day,1001,2024-02-30,2024-03-01T08:00:00Z,,monthly,,",
    "bad time,1001,2024-03-05,8 o'clock,,monthly,,",
    "bad end,1001,2024-03-05,2024-03-05T08:00:00Z,2024-03-05,monthly,,",
    "zoneless,1001,2024-03-05,2024-03-05 08:00:00,,monthly,,",
    "no such zone,1001,2024-03-05,2024-03-05 08:00:00,,monthly,,Europe/Pari",
    "ambiguous,1001,2024-10-27,2024-10-27 02:30:00,,monthly,,Europe/Paris",
    "impossible,1001,2024-03-31,2024-03-31 02:30:00,,monthly,,Europe/Paris",
    "backwards,1001,2024-03-05,2024-03-05T08:00:00Z,2024-03-05T07:59:59Z,monthly,,",
    "milliseconds,1001,2024-03-05,1709625600000,,monthly,,",
    "before 2000,1001,1999-12-31,1999-12-31T23:59:59Z,,monthly,,",
    "far future,1001,2124-03-05,2124-03-05T08:00:00Z,,monthly,,",
    "other day,1001,2024-03-07,2024-03-05T08:00:00Z,,monthly,,",
    "bad email,1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,rep@example,",
    "mangled,1.0005E+14,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "no scenes,1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "twice,1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "twice,1002,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "unmapped,1001,2024-03-05,2024-03-05T08:00:00Z,,yearly,,",
    "unknown store,1003,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "unknown user,1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,nobody@example.com,",
    "unknown type,1001,2024-03-05,2024-03-05T08:00:00Z,,rare,,",
    "bad text,10\u{1}01,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "bad row,1001,2024-03-05,2024-03-05T08:00:00Z,monthly,,",
    "day number,1001,2024-03-05,45356.3333,,monthly,,",
    "word for nothing,NULL,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "blank at the end,1001\u{a0},2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
    "near key,1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,,",
];

const NASTY_SCENES: [&str; 10] = [
    "scene without id,,T1",
    "scene without task,S1,",
    "scene of odd task,S1,T9",
    "scene twice,S1,T1",
    "scene twice,S1,T2",
    "scene of bad text,S\u{1},T1",
    "fine,S1,T1",
    "fine,S2,T2",
    "fine,S1,T1",
    "NEAR KEY,S1,T1",
];

/// The visits whose trouble is in their scenes.
const BY_SCENES: [&str; 5] =
    ["scene without id", "scene without task", "scene of odd task", "scene twice", "scene of bad text"];

fn nasty() -> (Workdir, JobFile) {
    let work = Workdir::new();
    let rest = "1001,2024-03-05,2024-03-05T08:00:00Z,,monthly,,";
    let by_scenes = BY_SCENES.map(|visit| format!("{visit},{rest}"));
    let visits: Vec<String> = NASTY.iter().map(|row| (*row).to_owned()).chain(by_scenes).collect();
    let mut scenes: Vec<String> = NASTY_SCENES.iter().map(|row| (*row).to_owned()).collect();
    let mut with_one: Vec<&str> = NASTY.iter().filter_map(|row| row.split(',').next()).collect();
    with_one.dedup();
    with_one.retain(|visit| !["", "fine", "no scenes"].contains(visit));
    scenes.extend(with_one.iter().map(|visit| format!("{visit},S1,T1")));
    let bytes = |text: String| -> Vec<u8> { text.bytes().map(|b| if b == 1 { 0xff } else { b }).collect() };
    work.write("visits.csv", bytes(lines(HEADER, &visits))).write("scenes.csv", bytes(lines(SCENES_HEADER, &scenes)));
    work.write("stores.csv", "store\n1001\n1002\n").write("users.csv", "user\nrep@example.com\n");
    work.write("tasks.csv", "task\nT1\nT2\n").write("types.csv", "type\n801\n802\n");
    let job = JobFile::new()
        .visit_column("session_start_time", "{ column = \"started_at\", timezone_column = \"tz\" }")
        .visit_column(
            "visit_type_id",
            "{ column = \"visit_type\", map = { monthly = 801, weekly = 802, rare = 999, odd = \"8x\" } }",
        )
        .and(
            "[check]\ntask_code_required = true\nmax_invalid = \"100%\"\nstores = \"stores.csv\"\n\
             users = \"users.csv\"\ntask_codes = \"tasks.csv\"\nvisit_types = \"types.csv\"",
        );
    (work, job)
}

#[test]
fn every_problem_is_found_and_told_with_field_message_and_place() {
    let (work, job) = nasty();
    work.run(&job).ends_with(3);
    let rows = work.results();
    assert_eq!(rows.rows.len(), NASTY.len() + BY_SCENES.len());
    let shown: String = rows
        .rows
        .iter()
        .filter(|row| &row["status"] == "invalid")
        .map(|row| format!("[{}] {} {}\n    {}\n", &row["source"], &row["visit_id"], &row["error_code"], &row["error"]))
        .collect();
    insta::assert_snapshot!("errors_of_nasty_visits", shown);
    assert_eq!(rows.count("invalid"), rows.rows.len() - 1);
    assert_eq!((&rows.of("fine")["status"], &rows.of("fine")["scenes"]), ("uploaded", "2"));
}

#[test]
fn the_first_problem_of_each_visit_is_its_error_code_and_every_code_occurs() {
    let (work, job) = nasty();
    work.run(&job).ends_with(3);
    let rows = work.results();
    let expected = [
        ("no store", "missing_field"),
        ("", "missing_field"),
        ("no date", "missing_field"),
        ("no start", "missing_field"),
        ("long store", "too_long"),
        ("bad number", "bad_number"),
        ("bad date", "bad_date"),
        ("no such day", "bad_date"),
        ("bad time", "bad_time"),
        ("bad end", "bad_time"),
        ("zoneless", "zoneless_time"),
        ("no such zone", "bad_time"),
        ("ambiguous", "ambiguous_time"),
        ("impossible", "impossible_time"),
        ("backwards", "time_order"),
        ("milliseconds", "time_unit"),
        ("before 2000", "time_unit"),
        ("far future", "time_unit"),
        ("day number", "time_unit"),
        ("word for nothing", "placeholder"),
        ("blank at the end", "invisible_character"),
        ("other day", "date_mismatch"),
        ("bad email", "bad_email"),
        ("mangled", "mangled_number"),
        ("no scenes", "no_scenes"),
        ("near key", "near_key"),
        ("unmapped", "unmapped_value"),
        ("unknown store", "unknown_store"),
        ("unknown user", "unknown_user"),
        ("unknown type", "unknown_visit_type"),
        ("bad text", "bad_text"),
        ("bad row", "bad_row"),
        ("scene without id", "missing_field"),
        ("scene without task", "missing_task_code"),
        ("scene of odd task", "unknown_task_code"),
        ("scene twice", "duplicate_scene"),
        ("scene of bad text", "bad_text"),
    ];
    for (visit, code) in expected {
        assert_eq!(&rows.of(visit)["error_code"], code, "{visit}: {}", &rows.of(visit)["error"]);
        assert!(rows.of(visit)["error"].starts_with(code), "{visit}: {}", &rows.of(visit)["error"]);
        assert_eq!((&rows.of(visit)["attempts"], &rows.of(visit)["http_status"]), ("0", ""));
    }
    assert!(rows.all_of("twice").all(|row| &row["error_code"] == "duplicate_visit"));
    let mut found: BTreeSet<&str> = rows.column("error_code").into_iter().filter(|code| !code.is_empty()).collect();
    // It needs a column of its own, and has a test of its own.
    found.insert("scene_count");
    let all = traxload::build::Code::ALL.iter().map(|code| code.name());
    // That one needs an earlier run.
    let all: BTreeSet<&str> = all.filter(|code| *code != "reused_key").collect();
    assert_eq!(found, all);
}

#[test]
fn check_lists_problems_by_code_and_sends_nothing() {
    let (work, job) = nasty();
    let (done, payloads) = work.check(&job);
    let done = done.ends_with(3);
    insta::assert_snapshot!("check_of_nasty_visits", done.stderr);
    assert_eq!((done.stdout.as_str(), payloads.len()), ("", 1));
    assert!(payloads[0].starts_with("{\"client_session_uid\":\"fine\","));
    assert!(!work.exists("results.csv"));
}

#[test]
fn all_problems_of_a_visit_are_listed_in_the_order_of_the_fields_with_scenes_last() {
    let work = Workdir::with_rows(
        &["V1,,05.03.2024,never,2024-03-05,x,nobody", "V1,7,2024-03-05,2024-03-05T08:00:00Z,,,"],
        &["V1,,T1", "V1,S2,T1", "V1,S2,T2"],
    );
    work.run(&JobFile::new().and("[check]\nmax_invalid = \"100%\"")).ends_with(3);
    let rows = work.results();
    let error = &rows.rows[0]["error"];
    let order = [
        "duplicate_visit visit_id: ",
        "; missing_field store_number: ",
        "; bad_date visit_date: ",
        "; bad_time session_start_time: ",
        "; bad_number visit_type_id: ",
        "; bad_time session_end_time: ",
        "; bad_email email_address: ",
        "; missing_field scene_id: ",
        "; duplicate_scene scene_id: ",
    ];
    let places: Vec<usize> =
        order.iter().map(|part| error.find(part).unwrap_or_else(|| panic!("{part:?} is missing in {error}"))).collect();
    assert!(places.is_sorted(), "{error}");
    assert!(error.contains("(visits.csv:2)") && error.contains("(scenes.csv:2)") && error.ends_with("(scenes.csv:4)"));
}

#[test]
fn a_place_is_the_line_on_which_the_row_starts() {
    let work = Workdir::with_rows(&[visit(1)], &["V1,S1,T1".to_owned()]);
    let first = "\"V\n1\",\"store\nof two\n\nlines\",2024-03-05,2024-03-05T08:00:00Z,,801,";
    let second = "V2,,2024-03-05,2024-03-05T08:00:00Z,,801,";
    work.write("visits.csv", format!("{VISITS_HEADER}\r\n{first}\r\n{second}\r\n"));
    work.write("scenes.csv", format!("{SCENES_HEADER}\r\n\"V\n1\",S1,T1\r\nV2,,T1\r\n"));
    work.run(&JobFile::new()).ends_with(3);
    let rows = work.results();
    assert_eq!((&rows.of("V\n1")["status"], &rows.of("V\n1")["source"]), ("uploaded", "visits.csv:2"));
    assert_eq!(&rows.of("V2")["source"], "visits.csv:7");
    assert!(rows.of("V2")["error"].contains("(visits.csv:7)") && rows.of("V2")["error"].contains("(scenes.csv:4)"));
}

#[test]
fn identical_rows_count_once_and_differing_ones_are_all_invalid() {
    let header = format!("{VISITS_HEADER},note");
    let same = visit(1);
    let differs = visit(2).replace("1002", "9999");
    let work = Workdir::with_visits(3);
    let rows = [
        format!("{same},first"),
        format!("{same},an unmapped column may differ"),
        format!("{},", visit(2)),
        format!("{},", visit(2)),
        format!("{differs},"),
        format!("{},", visit(3)),
    ];
    work.write("visits.csv", lines(&header, &rows));
    let job = JobFile::new().and("[check]\nmax_invalid = \"100%\"");
    work.job(&job);
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(3).says(&["2 identical duplicates"]);
    let summary = done.json();
    assert_eq!((&summary["rows_read"], &summary["result_rows"]), (&6.into(), &4.into()));
    assert_eq!(summary["identical_duplicates"], 2);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["source"]), ("uploaded", "visits.csv:2"));
    let clashing: Vec<_> = rows.all_of("V2").collect();
    assert_eq!(clashing.len(), 2);
    assert!(clashing.iter().all(|row| &row["status"] == "invalid" && &row["error_code"] == "duplicate_visit"));
    assert!(clashing[0]["error"].contains("visits.csv:6") && clashing[1]["error"].contains("visits.csv:4"));
}

#[test]
fn what_is_wrong_with_scenes_is_listed_once_where_very_many_rows_have_their_key() {
    let visits: Vec<String> = (0..500).map(|n| visit(1).replace("1001", &n.to_string())).collect();
    let scenes: Vec<String> = (0..500).map(|n| format!("V1,,T{n}")).collect();
    let work = Workdir::with_rows(&visits, &scenes);
    work.run(&JobFile::new().and("[check]\nmax_invalid = \"100%\"")).ends_with(3);
    let rows = work.results();
    let errors = rows.column("error");
    assert_eq!(errors.len(), 500);
    assert_eq!(errors[0].matches("missing_field scene_id").count(), 500);
    for error in &errors[1..] {
        assert!(error.starts_with("duplicate_visit visit_id"), "{error}");
        assert!(!error.contains("missing_field"), "{error}");
    }
    assert!(rows.column("scenes").iter().all(|scenes| *scenes == "500"));
}

#[test]
fn identical_scenes_count_once_and_differing_ones_are_a_problem_of_their_visit() {
    let work = Workdir::with_visits(2);
    work.write(
        "scenes.csv",
        lines(SCENES_HEADER, &["V1,S1,T1", "V2,S1,T1", "V1,S1,T1", "V1,S2,T1", "V2,S1,T2", " V1 ,\tS1, T1 "]),
    );
    work.run(&JobFile::new()).ends_with(3);
    let rows = work.results();
    assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["scenes"]), ("uploaded", "2"));
    assert_eq!(&rows.of("V2")["error_code"], "duplicate_scene");
    assert!(rows.of("V2")["error"].contains("(scenes.csv:6)") && rows.of("V2")["error"].contains("scenes.csv:3"));
}

#[test]
fn orphans_are_counted_listed_and_hold_nothing_up() {
    let work = Workdir::with_visits(1);
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1", "V7,S2,T1", "V8,S3,T1"]));
    let (done, _) = work.check(&JobFile::new());
    done.ends_with(0).says(&["\"V7\" (scenes.csv:3)", "\"V8\" (scenes.csv:4)"]);
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(0).says(&["orphan"]);
    assert_eq!(done.json()["orphans"], 2);
}

/// A scenes export with a row that cannot be assigned to a visit: nothing is sent, unless such rows are skipped.
#[track_caller]
fn untrustworthy_scenes(scenes: &[u8], place: &str) {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.write("scenes.csv", scenes);
    work.run(&JobFile::to(&server.url())).ends_with(2).says(&[place, "--accept", "unreadable_scenes"]);
    assert!(server.requests().is_empty() && !work.exists("results.csv"));
    work.traxload(&["check", "job.toml"]).ends_with(2);
    let done = work.traxload(&["run", "job.toml", "--accept", "unreadable_scenes", "--json"]).ends_with(0);
    assert_eq!(done.json()["unreadable_scenes"], 1);
    assert_eq!(server.requests()[0].text(), crate::harness::body(1));
}

#[test]
fn a_scene_with_too_few_or_too_many_cells_makes_the_export_untrustworthy() {
    untrustworthy_scenes(b"visit_id,scene_id,task_code\nV1,S1,T1\nV1,S2\n", "scenes.csv:3");
    untrustworthy_scenes(b"visit_id,scene_id,task_code\nV1,S2,T1,x\nV1,S1,T1\n", "scenes.csv:2");
}

#[test]
fn a_scene_without_a_readable_visit_makes_the_export_untrustworthy() {
    untrustworthy_scenes(b"visit_id,scene_id,task_code\n\xff,S2,T1\nV1,S1,T1\n", "scenes.csv:2");
}

#[test]
fn a_scene_without_a_key_is_an_orphan() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.write("scenes.csv", "visit_id,scene_id,task_code\nV1,S1,T1\n ,S2,T1\n");
    let done = work
        .run(&JobFile::to(&server.url()))
        .ends_with(0)
        .says(&["1 scene has no visit_id, the first at scenes.csv:3"]);
    drop(done);
    assert_eq!(server.requests()[0].text(), crate::harness::body(1));
}

#[test]
fn a_quote_that_is_open_at_the_end_is_2_whatever_is_ignored() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    for file in ["visits.csv", "scenes.csv"] {
        let work = Workdir::with_visits(2);
        let good = work.read(file);
        work.write(file, format!("{good}\"V3,never closed\n"));
        work.run(&JobFile::to(&server.url())).ends_with(2).says(&[&format!("{file}:4"), "quote"]);
        work.traxload(&["run", "job.toml", "--accept", "unreadable_scenes"]).ends_with(2);
        assert!(!work.exists("results.csv"));
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_visit_row_with_too_few_or_too_many_cells_is_invalid_and_not_lost() {
    let work = Workdir::with_visits(3);
    let rows = [visit(1), "V2,1002".to_owned(), format!("{},x,y", visit(3))];
    work.write("visits.csv", lines(VISITS_HEADER, &rows));
    work.run(&JobFile::new().and("[check]\nmax_invalid = \"100%\"")).ends_with(3);
    let rows = work.results();
    assert_eq!(rows.rows.len(), 3);
    for visit in ["V2", "V3"] {
        assert_eq!((&rows.of(visit)["status"], &rows.of(visit)["error_code"]), ("invalid", "bad_row"));
    }
}

#[test]
fn more_than_max_invalid_is_4_with_the_file_written_and_nothing_sent() {
    let bad = |n: usize| format!("V{n},,2024-03-05,2024-03-05T08:00:00Z,,,");
    // (limit, invalid of 4 visits, exit code)
    for (limit, invalid, code) in [
        ("", 2, 3),
        ("", 3, 4),
        ("[check]\nmax_invalid = \"25%\"", 1, 3),
        ("[check]\nmax_invalid = \"25%\"", 2, 4),
        ("[check]\nmax_invalid = 0", 1, 4),
        ("[check]\nmax_invalid = 3", 3, 3),
        ("[check]\nmax_invalid = \"2\"", 3, 4),
        ("[check]\nmax_invalid = \"100%\"", 4, 3),
    ] {
        let server = ScriptedServer::replying(vec![Reply::ok()]);
        let work = Workdir::with_visits(4);
        let rows: Vec<String> = (1..=4).map(|n| if n <= invalid { bad(n) } else { visit(n) }).collect();
        work.write("visits.csv", lines(VISITS_HEADER, &rows));
        work.run(&JobFile::to(&server.url()).and(limit)).ends_with(code);
        let rows = work.results();
        assert_eq!((rows.rows.len(), rows.count("invalid")), (4, invalid), "{limit}");
        let sent = if code == 4 { 0 } else { 4 - invalid };
        assert_eq!((server.requests().len(), rows.count("uploaded")), (sent, sent), "{limit}");
        assert_eq!(rows.count("not_attempted"), 4 - invalid - sent, "{limit}");
    }
}

#[test]
fn lengths_count_characters_and_limits_are_inclusive() {
    let work = Workdir::with_visits(1);
    let long = |n: usize| "é".repeat(n);
    let email = |n: usize| format!("{}@example.com", long(n - 12));
    let row = |id: &str, store: &str, mail: &str| format!("{id},{store},2024-03-05,2024-03-05T08:00:00Z,,,{mail}");
    let rows = [
        row(&long(100), &long(100), &email(255)),
        row("V2", &long(101), ""),
        row("V3", "7", &email(256)),
        row(&"é".repeat(101), "7", ""),
    ];
    work.write("visits.csv", lines(VISITS_HEADER, &rows));
    let scenes = [long(100), "V2".into(), "V3".into(), long(101)].map(|visit| format!("{visit},S1,"));
    work.write("scenes.csv", lines(SCENES_HEADER, &scenes));
    work.run(&JobFile::new().and("[check]\nmax_invalid = \"100%\"")).ends_with(3);
    let rows = work.results();
    assert_eq!(&rows.of(&long(100))["status"], "uploaded");
    for (visit, field) in [("V2", "store_number"), ("V3", "email_address"), (&long(101), "client_session_uid")] {
        assert!(rows.of(visit)["error"].starts_with(&format!("too_long {field}: ")), "{}", &rows.of(visit)["error"]);
    }
}

#[test]
fn differing_rows_are_invalid_also_where_the_dates_leave_one_of_them_out() {
    let other_day = |n: usize| visit(n).replace("2024-03-05", "2024-03-04");
    let rows = [visit(1), other_day(1), visit(2), visit(2), other_day(3), visit(4)];
    for memory in ["4GB", "1KB"] {
        let work = Workdir::with_visits(4);
        work.write("visits.csv", lines(VISITS_HEADER, &rows));
        work.job(&JobFile::new().and("[check]\nmax_invalid = \"100%\""));
        let slice = ["--from", "2024-03-05", "--to", "2024-03-05", "--memory", memory];
        work.traxload(&[["run", "job.toml"].as_slice(), &slice].concat()).ends_with(3);
        let rows = work.results();
        assert_eq!((rows.rows.len(), rows.count("uploaded")), (3, 2));
        assert_eq!((&rows.of("V1")["status"], &rows.of("V1")["error_code"]), ("invalid", "duplicate_visit"));
        assert!(rows.of("V1")["error"].contains("--from or --to leaves out"), "{}", &rows.of("V1")["error"]);
    }
    // Neither a limit nor `only` makes rows contradict each other.
    let work = Workdir::with_visits(4);
    let header = format!("{VISITS_HEADER},status");
    let rows = [format!("{},done", visit(1)), format!("{},draft", other_day(1)), format!("{},done", visit(2))];
    work.write("visits.csv", lines(&header, &rows));
    work.job(&JobFile::new().visits("only", "{ status = [\"done\"] }"));
    work.traxload(&["run", "job.toml", "--from", "2024-03-05", "--limit", "1"]).ends_with(0);
    assert_eq!(&work.results().of("V1")["status"], "uploaded");
}

#[test]
fn words_for_nothing_are_no_stores_tasks_or_addresses_and_no_key_of_several_visits() {
    let row = |key: &str, store: &str, mail: &str| format!("{key},{store},2024-03-05,2024-03-05T08:00:00Z,,,{mail}");
    let rows = [
        row("V1", "NULL", ""),
        row("V2", "\"=\"\"0010004\"\"\"", ""),
        row("V3", "7", "#N/A"),
        row("V4", "7", ""),
        row("None", "7", ""),
        row("nan", "7", ""),
        row("nan", "8", ""),
        row("V5", "none", ""),
    ];
    let scenes = ["V1,S,T", "V2,S,T", "V3,S,T", "V4,S,undefined", "None,S,T", "nan,S,T", "V5,NULL,T"];
    let work = Workdir::with_rows(&rows, &scenes.map(str::to_owned));
    let job =
        |more: &str| JobFile::new().and(&format!("[check]\nmax_invalid = \"100%\"\ntask_codes = \"t.csv\"\n{more}"));
    work.write("t.csv", "task\nT\n");
    work.run(&job("")).ends_with(3);
    let rows = work.results();
    let error = |visit: &str| rows.of(visit)["error"].to_owned();
    assert!(
        error("V1").starts_with("placeholder store_number: \"NULL\" is a placeholder, not a value; "),
        "{}",
        error("V1")
    );
    assert!(error("V1").contains("null_values") && error("V2").contains("guard"), "{}", error("V2"));
    assert!(error("V3").starts_with("placeholder email_address") && !error("V3").contains("bad_email"));
    assert!(error("V4").starts_with("placeholder task_code") && !error("V4").contains("unknown_task_code"));
    for visit in ["None", "V5"] {
        assert_eq!(&rows.of(visit)["status"], "uploaded", "{}", error(visit));
    }
    for row in rows.all_of("nan") {
        assert!(row["error"].contains("; placeholder visit_id: "), "{}", &row["error"]);
    }
    let (done, bodies) = work.check(&job("accept = [\"placeholder\"]"));
    done.ends_with(3).says(&["unknown_task_code", "bad_email"]);
    assert!(bodies.iter().any(|body| body.contains("\"store_number\":\"NULL\"")));
}

#[test]
fn characters_that_nobody_sees_and_rounded_keys_are_problems() {
    let row = |key: &str, store: &str| format!("{key},{store},2024-03-05,2024-03-05T08:00:00Z,,,");
    let rows = [
        row("V1", "1001\u{a0}"),
        row("V\u{200b}2", "7"),
        row("V3", "10\u{a0}01"),
        row("V4", "7"),
        row("2.02403E+11", "7"),
        row("5e12", "7"),
        row("V5", "7"),
    ];
    let scenes =
        ["V1,S,T", "V\u{200b}2,S,T", "V3,S,T", "V4,S\u{feff},T", "2.02403E+11,S,T", "5e12,5E+12,1E+3", "V5,1.5E+12,T"];
    let work = Workdir::with_rows(&rows, &scenes.map(str::to_owned));
    let all = "[check]\nmax_invalid = \"100%\"\n";
    work.run(&JobFile::new().and(all)).ends_with(3);
    let rows = work.results();
    for (visit, error) in [
        ("V1", "invisible_character store_number: \"1001\\u{a0}\" has a no-break space (U+00A0) at an end"),
        ("V\u{200b}2", "invisible_character visit_id: \"V\\u{200b}2\" has a zero-width space (U+200B)"),
        ("V4", "invisible_character scene_id: "),
        ("2.02403E+11", "mangled_number visit_id: "),
        ("V5", "mangled_number scene_id: "),
    ] {
        assert!(rows.of(visit)["error"].starts_with(error), "{}", &rows.of(visit)["error"]);
    }
    for visit in ["V3", "5e12"] {
        assert_eq!(&rows.of(visit)["status"], "uploaded", "{}", &rows.of(visit)["error"]);
    }
    let (done, bodies) = work.check(&JobFile::new().and(&format!("{all}accept = [\"invisible_character\"]")));
    assert_eq!((done.ends_with(3).code, bodies.len()), (3, 5));
}

#[test]
fn another_number_of_scenes_than_the_export_says_is_a_problem() {
    let header = format!("{VISITS_HEADER},photos");
    let work = Workdir::with_visits(5);
    let said = ["2", "1", "", "1.0", "two"];
    let rows: Vec<String> = (1..=5).map(|n| format!("{},{}", visit(n), said[n - 1])).collect();
    work.write("visits.csv", lines(&header, &rows));
    work.write("scenes.csv", format!("{}V2,S9,T1\n", work.read("scenes.csv")));
    work.job(&JobFile::new().visit_column("scene_count", "\"photos\"").and("[check]\nmax_invalid = \"100%\""));
    work.traxload(&["run", "job.toml"]).ends_with(3);
    let rows = work.results();
    let expected = [
        ("V1", "scene_count scene_count: the export says 2, and the visit has 1 scene (visits.csv:2)"),
        ("V2", "scene_count scene_count: the export says 1, and the visit has 2 scenes (visits.csv:3)"),
        ("V3", ""),
        ("V4", ""),
    ];
    for (visit, error) in expected {
        assert_eq!(&rows.of(visit)["error"], error);
    }
    assert_eq!(&rows.of("V5")["error_code"], "bad_number");
}

#[test]
fn all_orphans_are_written_to_a_file_of_their_own() {
    let orphans: Vec<String> = (0..1500).map(|n| format!("W{n},\"S,{n}\",T1")).collect();
    let rows: Vec<String> =
        (1..=200).map(|n| format!("V{n},S{n},T1")).chain(orphans).chain([",S1,T9".into()]).collect();
    for memory in ["4GB", "1KB", "100KB"] {
        let work = Workdir::with_visits(200);
        work.write("scenes.csv", lines(SCENES_HEADER, &rows)).job(&JobFile::new());
        let check = |file: &str| work.traxload(&["check", "job.toml", "--memory", memory, "--orphans", file]);
        check("orphans.csv").ends_with(0).says(&["1,501 scenes belong"]);
        let written = work.read("orphans.csv");
        let mut found: Vec<&str> = written.lines().collect();
        assert_eq!((found.len(), found[0]), (1502, "visit_id,scene_id,task_code,source"), "{memory}");
        let sorted = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<BTreeSet<_>>();
        let all: Vec<String> = (0..1500).map(|n| format!("W{n},\"S,{n}\",T1,scenes.csv:{}", n + 202)).collect();
        let last = ",S1,T9,scenes.csv:1702";
        let all: Vec<&str> = all.iter().map(String::as_str).chain([last]).collect();
        if memory == "4GB" {
            assert_eq!(found[1..], all);
        }
        assert_eq!(sorted(&found.split_off(1)), sorted(&all));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = work.path("orphans.csv").metadata().expect("written").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // Its own file is replaced, others are not.
        check("orphans.csv").ends_with(0);
        for file in ["scenes.csv", "visits.csv", "job.toml", "results.csv", "none/orphans.csv"] {
            check(file).ends_with(2).says(&["--orphans"]);
        }
        let done = check("-").ends_with(0);
        assert_eq!(done.stdout.lines().count(), 1502);
    }
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    work.traxload(&["check", "job.toml", "--orphans", "-", "--json"])
        .ends_with(2)
        .says(&["both write to standard output"]);
}
