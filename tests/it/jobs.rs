//! Job files and the options beside them: what is refused, where it says so, and what a run is made of.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, body, lines, visit};
use chrono::{FixedOffset, Utc};
use uuid::Uuid;

/// What `check` says of a job file that it refuses.
#[track_caller]
fn refusal(job: &JobFile) -> String {
    let work = Workdir::with_visits(1);
    let (done, _) = work.check(job);
    let done = done.ends_with(2);
    assert!(done.stdout.is_empty() && !work.exists("results.csv"));
    done.stderr
}

#[test]
fn mistakes_are_told_with_file_line_and_column() {
    let mistakes = [
        ("an unknown key with a near one", JobFile::new().upload("max_attempt", "3")),
        ("an unknown key far from any", JobFile::new().visits("zzz", "1")),
        ("an unknown section", JobFile::new().and("[uplaod]\nrate = \"1/s\"")),
        ("an unknown field of the API", JobFile::new().visit_column("store_nr", "\"store_code\"")),
        ("an unknown key in a column's table", JobFile::new().visit_column("visit_date", "{ colum = \"x\" }")),
        ("a missing field", JobFile::new().without(&["store_number"])),
        ("no rate", JobFile::new().upload("rate", "\"fast\"")),
        ("a rate of nothing", JobFile::new().upload("rate", "\"0/s\"")),
        ("a rate of another type", JobFile::new().upload("rate", "120")),
        ("no duration", JobFile::new().upload("timeout", "\"30\"")),
        ("an unknown zone", JobFile::new().and("[time]\ntimezone = \"Europe/Pariss\"")),
        ("plain http to another host", JobFile::to("http://services.traxretail.com")),
        ("no address", JobFile::to("services.traxretail.com")),
        ("another resource", JobFile::new().api("resource", "\"session/\"")),
        ("another version of ids", JobFile::new().and("[ids]\nversion = 7")),
        ("no namespace", JobFile::new().and("[ids]\nnamespace = \"mine\"")),
        ("no share", JobFile::new().and("[check]\nmax_invalid = \"half\"")),
        ("a list that is not there", JobFile::new().and("[check]\nstores = \"no-such.csv\"")),
        (
            "no pattern of time",
            JobFile::new().visit_column("visit_date", "{ column = \"visit_date\", format = \"%Q\" }"),
        ),
        ("a date that cannot be known", {
            let start = "{ column = \"started_at\", format = \"%Y-%m-%d %H:%M\" }";
            JobFile::new().without(&["visit_date"]).visit_column("session_start_time", start)
        }),
        ("column and constant", JobFile::new().visit_column("store_number", "{ column = \"a\", value = \"b\" }")),
        ("an unknown encoding", JobFile::new().visits("encoding", "\"utf-9\"")),
        ("a header without names", JobFile::new().visits("header", "[\"\", \" \"]")),
        ("a header with a name twice", JobFile::new().visits("header", "[\"visit_id\", \"visit_id\"]")),
        ("a pattern like any line", JobFile::new().visits("ignore_lines", "[\"---*\", \"*\"]")),
        ("lines of Parquet", JobFile::new().visits("format", "\"parquet\"").visits("skip", "3")),
        ("a long delimiter", JobFile::new().scenes("delimiter", "\";;\"")),
        ("required task codes without a column", {
            JobFile::new().without(&["task_code"]).and("[check]\ntask_code_required = true")
        }),
        ("no TOML", JobFile::new().and("[time\ntimezone = 1")),
    ];
    let mut shown = String::new();
    for (what, job) in mistakes {
        let said = refusal(&job);
        assert!(said.contains("job.toml:"), "{what}: {said}");
        shown.push_str(&format!("# {what}\n{said}\n"));
    }
    insta::assert_snapshot!("mistakes_in_job_files", shown);
}

#[test]
fn all_mistakes_are_told_at_once() {
    let job = JobFile::to("http://example.com")
        .upload("rate", "\"fast\"")
        .upload("max_attempts", "0")
        .and("[time]\ntimezone = \"Mars/Olympus\"");
    let said = refusal(&job);
    for part in ["example.com", "fast", "max_attempts", "Mars/Olympus"] {
        assert!(said.contains(part), "{part:?} is missing in {said}");
    }
}

#[test]
fn plain_http_is_for_this_machine_alone() {
    let work = Workdir::with_visits(1);
    for address in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://example.com", "sandbox"] {
        work.check(&JobFile::to(address)).0.ends_with(0);
    }
    let others = [
        "http://example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://10.0.0.1",
        "ftp://localhost",
    ];
    for address in others {
        work.check(&JobFile::to(address)).0.ends_with(2);
    }
}

#[test]
fn a_token_in_place_of_its_variables_name_is_not_shown() {
    for token in ["s3cret-t0ken", "s3cret/t0ken==", "Auth-Token s3cret"] {
        let said = refusal(&JobFile::new().api("token_env", &format!("\"{token}\"")));
        assert!(said.contains("token_env") && said.contains("job.toml:"), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_token_under_a_key_of_its_own_is_refused_and_not_shown() {
    for key in ["token", "api_token", "authorization"] {
        let said = refusal(&JobFile::new().api(key, "\"s3cret\""));
        assert!(said.contains(&format!("unknown key `{key}`")), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[test]
fn a_token_file_serves_as_well_and_white_space_around_the_token_is_none_of_it() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.write("token", " from-the-file\r\n");
    work.job(&JobFile::to(&server.url()).api("token_file", "\"token\""));
    work.traxload_with(&["run", "job.toml"], &[]).ends_with(0);
    assert_eq!(server.requests()[0].header("authorization"), "Auth-Token from-the-file");
    work.write("token", "\n");
    work.traxload_with(&["run", "job.toml", "--fresh"], &[]).ends_with(2);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn columns_are_looked_for_before_anything_is_read_or_sent() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.run(&JobFile::to(&server.url()).scene_column("task_code", "\"task\"")).ends_with(2).says(&["task_code"]);
    assert!(server.requests().is_empty() && !work.exists("results.csv"));
}

#[test]
fn all_missing_columns_of_both_exports_are_told_at_their_lines() {
    let work = Workdir::with_visits(1);
    let job = JobFile::new()
        .visit_column("store_number", "\"store\"")
        .visit_column("session_start_time", "{ column = \"start_at\", timezone_column = \"tz\" }")
        .scene_column("scene_id", "\"sceneid\"")
        .visits("only", "{ status = [\"done\"] }");
    let said = work.check(&job).0.ends_with(2).stderr;
    let text = work.read("job.toml");
    for (column, hint) in [
        ("store", "\"store_code\""),
        ("start_at", "\"started_at\""),
        ("tz", ""),
        ("sceneid", "\"scene_id\""),
        ("status", ""),
    ] {
        let message = said.lines().position(|line| line.contains(&format!("no column {column:?}"))).expect(column);
        let line = said.lines().nth(message).expect("a line");
        assert!(hint.is_empty() || line.contains(&format!("did you mean {hint}?")), "{line}");
        let at = 1 + text.lines().position(|line| line.contains(column)).expect(column);
        let place = said.lines().nth(message + 1).expect("its place");
        assert!(place.contains("job.toml:") && (column == "store" || place.contains(&format!(":{at}:"))), "{place}");
    }
    assert!(said.contains("the columns of the scenes are: visit_id, scene_id, task_code"), "{said}");
}

#[test]
fn an_export_in_place_of_the_job_file_is_told_as_that() {
    let work = Workdir::with_visits(1);
    let done = work.traxload_with(&["check", "visits.csv"], &[]).ends_with(2);
    done.says(&["visits.csv is an export, not a job file; traxload init makes one from it"]);
}

#[test]
fn the_formats_that_a_comment_offers_are_those_that_check_repeats() {
    let column = "{ column = \"started_at\", format = \"?\" }";
    let job = JobFile::new().visit_column("session_start_time", column).to_string();
    let line = format!("session_start_time = {column}");
    let offer = "#   format = \"%d-%m-%y, %H.%M\"   day first\n#   format = \"%y-%m-%d, %H.%M\"   year first\n";
    let work = Workdir::with_visits(1);
    work.write("job.toml", job.replace(&line, &format!("{offer}{line}")));
    let done = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    done.says(&["put \"%d-%m-%y, %H.%M\" (day first) or \"%y-%m-%d, %H.%M\" (year first) in place of the \"?\""]);
    let date = JobFile::new().visit_column("visit_date", "{ column = \"visit_date\", format = \"?\" }");
    assert!(!refusal(&date).contains("%H"), "a date has no time of day");
}

#[test]
fn the_date_that_several_formats_share_is_said_once() {
    let work = Workdir::with_visits(1);
    let text = work.read("visits.csv").replace("2024-03-05T08:00:00Z", "05/03/2024 08:00");
    work.write("visits.csv", text.replace("2024-03-05,", "05/03/2024,").replace("2024-03-05T08:30:00Z", ""));
    let job = |date: &str| {
        JobFile::new()
            .visit_column("visit_date", "{ column = \"visit_date\", format = \"%x\" }")
            .visit_column("session_start_time", "{ column = \"started_at\", format = \"%x %H:%M\" }")
            .and(&format!("[time]\ntimezone = \"UTC\"\n{date}"))
    };
    let (done, bodies) = work.check(&job("date_format = \"%d/%m/%Y\""));
    done.ends_with(0);
    assert!(bodies[0].contains("\"visit_date\":\"2024-03-05\",\"session_start_time\":1709625600"), "{}", bodies[0]);
    work.check(&job("")).0.ends_with(2).says(&["%x stands for date_format, which is missing"]);
    work.check(&job("date_format = \"%H:%M\"")).0.ends_with(2).says(&["is not how a date is written"]);
}

#[test]
fn check_shows_the_first_visit_and_the_days_as_they_were_read() {
    let rows = ["V1,7,2024-03-04,2024-03-04 23:30,,,", "V2,8,2024-03-06,2024-03-06 09:00,,,"];
    let work = Workdir::with_rows(&rows, &["V1,S1,T1", "V1,S2,T1", "V2,S3,T1"]);
    let job = JobFile::new().and("[time]\ntimezone = \"America/Lima\"");
    work.check(&job).0.ends_with(0).says(&[
        "dates        2024-03-04 to 2024-03-06",
        "first visit  \"V1\", store \"7\", 2024-03-04, 2 scenes",
        "starts 2024-03-05T04:30:00Z, in America/Lima 2024-03-04T23:30:00-05:00",
    ]);
    let json = work.traxload_with(&["check", "job.toml", "--json", "--quiet"], &[]).ends_with(0).json();
    assert_eq!((&json["first_visit_date"], &json["last_visit_date"]), (&"2024-03-04".into(), &"2024-03-06".into()));
    let first = &json["first_visit"];
    assert_eq!(first["visit_id"], "V1");
    assert_eq!(first["session_start_time"], "2024-03-05T04:30:00Z");
    assert_eq!((&first["timezone"], &first["scenes"]), (&"America/Lima".into(), &2.into()));
}

fn dated() -> (Workdir, JobFile) {
    let work = Workdir::with_visits(0);
    for (n, day) in [(1, "2024-03-04"), (2, "2024-03-05")] {
        work.write(&format!("exports/{day}/visits.csv"), lines(VISITS_HEADER, &[visit(n)]));
    }
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1", "V2,S2,T1"]));
    let job = JobFile::new()
        .visits("path", "\"exports/{date}/visits.csv\"")
        .and("[results]\npath = \"results/{name}-{date}.csv\"");
    (work, job)
}

#[test]
fn a_date_in_a_path_is_that_of_the_command_line() {
    let (work, job) = dated();
    work.run(&job).ends_with(2).says(&["--date"]);
    work.traxload(&["run", "job.toml", "--date", "2024-03-05"]).ends_with(0);
    assert_eq!(work.listing("results").iter().filter(|name| name.ends_with(".csv")).count(), 1);
    assert!(work.read("results/test-2024-03-05.csv").contains("exports/2024-03-05/visits.csv:2"));
    work.traxload(&["run", "job.toml", "--date", "2024-03-06"]).ends_with(2).says(&["exports/2024-03-06/visits.csv"]);
    for wrong in ["2024-02-30", "2024-3-5", "tomorrow"] {
        work.traxload(&["check", "job.toml", "--date", wrong]).ends_with(2);
    }
}

#[test]
fn today_and_yesterday_are_those_of_the_jobs_zone() {
    for (zone, hours) in [("Pacific/Kiritimati", 14), ("Etc/GMT+12", -12)] {
        let (work, job) = dated();
        let offset = FixedOffset::east_opt(hours * 3600).expect("an offset");
        let today = || Utc::now().with_timezone(&offset).date_naive();
        for (name, days_ago) in [("today", 0), ("yesterday", 1)] {
            let before = today();
            let said = work.job(&job.clone().and(&format!("[time]\ntimezone = \"{zone}\"")));
            let said = said.traxload(&["check", "job.toml", "--date", name]).ends_with(2).stderr;
            // A day may end meanwhile.
            let days = [before, today()].map(|day| day - chrono::Days::new(days_ago));
            assert!(days.iter().any(|day| said.contains(&format!("exports/{day}/visits.csv"))), "{zone}: {said}");
        }
    }
}

#[test]
fn the_time_of_a_run_may_be_part_of_its_result_file() {
    let work = Workdir::with_visits(1);
    work.run(&JobFile::new().and("[results]\npath = \"results/{time}.csv\"")).ends_with(0);
    let names = work.listing("results");
    let name = names.iter().find(|name| name.ends_with(".csv")).expect("a result file");
    chrono::NaiveDateTime::parse_from_str(name, "%Y%m%dT%H%M%SZ.csv").expect("the time of the run");
}

/// Visits of the 4th to the 7th of March, and `V5` without a valid date.
fn of_several_days() -> Workdir {
    let row = |n: usize, date: &str| format!("V{n},7,{date},2024-03-05T08:00:00Z,,,");
    let days = ["2024-03-04", "2024-03-05", "2024-03-06", "2024-03-07", "05.03.2024"];
    let rows: Vec<String> = days.iter().enumerate().map(|(at, date)| row(at + 1, date)).collect();
    let work = Workdir::with_visits(5);
    work.write("visits.csv", lines(VISITS_HEADER, &rows));
    work.job(&JobFile::new().and("[check]\nmax_invalid = \"100%\""));
    work
}

#[track_caller]
fn selected(options: &[&str]) -> (Vec<String>, serde_json::Value) {
    let work = of_several_days();
    let done = work.traxload(&[&["run", "job.toml", "--json"], options].concat());
    assert!([0, 3].contains(&done.code), "{}", done.stderr);
    let mut visits: Vec<String> = work.results().column("visit_id").into_iter().map(str::to_owned).collect();
    visits.sort();
    (visits, done.json())
}

#[test]
fn from_and_to_are_inclusive_and_a_visit_without_a_valid_date_is_never_left_out() {
    assert_eq!(selected(&[]).0, ["V1", "V2", "V3", "V4", "V5"]);
    assert_eq!(selected(&["--from", "2024-03-05"]).0, ["V2", "V3", "V4", "V5"]);
    assert_eq!(selected(&["--to", "2024-03-05"]).0, ["V1", "V2", "V5"]);
    let (visits, summary) = selected(&["--from", "2024-03-05", "--to", "2024-03-06"]);
    assert_eq!(visits, ["V2", "V3", "V5"]);
    assert_eq!((&summary["rows_read"], &summary["left_out"], &summary["orphans"]), (&3.into(), &2.into(), &0.into()));
}

#[test]
fn a_start_that_cannot_be_makes_no_date_that_leaves_a_visit_out() {
    let starts = ["1970-01-01T00:00:00Z", "0", "2199-01-01T00:00:00Z", "1709625600000", "2024-04-02T08:00:00Z"];
    let row = |(n, start): (usize, &&str)| format!("V{n},7,,{start},,,");
    let rows: Vec<String> = (1..).zip(&starts).map(row).collect();
    let work = Workdir::with_visits(5);
    work.write("visits.csv", lines(VISITS_HEADER, &rows));
    work.job(&JobFile::new().without(&["visit_date"]).and("[time]\ntimezone = \"UTC\""));
    let done = work.traxload(&["check", "job.toml", "--from", "2024-03-01", "--to", "2024-03-31", "--json"]);
    assert_eq!((done.json()["left_out"].as_u64(), done.json()["invalid"].as_u64()), (Some(1), Some(4)));
}

#[test]
fn a_limit_takes_the_first_visits_and_a_rerun_keeps_it() {
    let (visits, summary) = selected(&["--limit", "2"]);
    assert_eq!((visits, &summary["rows_read"]), (vec!["V1".to_owned(), "V2".to_owned()], &2.into()));
    assert_eq!(selected(&["--from", "2024-03-05", "--limit", "2"]).0, ["V2", "V3"]);
    let server = ScriptedServer::replying(vec![Reply::ok(), Reply::error(400, "Unknown Store"), Reply::ok()]);
    let work = Workdir::with_visits(4);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    work.traxload(&["run", "job.toml", "--limit", "2"]).ends_with(3);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!((server.requests().len(), work.results().rows.len()), (3, 2));
}

#[test]
fn a_rate_above_the_vendors_ceiling_warns_and_is_allowed() {
    let work = Workdir::with_visits(1);
    let says = |rate: &str, args: &[&str]| {
        work.job(&JobFile::new().upload("rate", &format!("\"{rate}\"")));
        work.traxload(&[&["check", "job.toml"], args].concat()).ends_with(0).stderr.contains("vendor's ceiling")
    };
    assert!(says("151/s", &[]) && says("120/s", &["--rate", "151/s"]));
    assert!(!says("150/s", &[]) && !says("30/min", &[]) && !says("151/s", &["--rate", "0.5/s"]));
    work.traxload(&["check", "job.toml", "--rate", "fast"]).ends_with(2).says(&["--rate"]);
}

#[test]
fn results_of_the_command_line_come_before_the_jobs() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    work.traxload(&["run", "job.toml", "--results", "a/b/mine.csv"]).ends_with(0);
    assert!(work.exists("a/b/mine.csv") && work.exists("a/b/mine.csv.json") && !work.exists("results.csv"));
}

#[test]
fn the_default_namespace_is_made_of_base_address_and_project() {
    let work = Workdir::with_visits(1);
    let session = |base_url: &str| {
        // A section of ids without a namespace.
        work.job(&JobFile::to(base_url).and("[ids]"));
        let done = work.traxload_with(&["ids", "job.toml"], &[]).ends_with(0);
        let mut reader = csv::Reader::from_reader(done.stdout.as_bytes());
        assert_eq!(reader.headers().expect("a header"), &["visit_id", "session_uid", "scene_id", "scene_uid"][..]);
        let rows: Vec<csv::StringRecord> = reader.records().map(|row| row.expect("a row")).collect();
        assert_eq!(rows.len(), 1);
        (rows[0][1].to_owned(), rows[0][3].to_owned())
    };
    let expected = |base_url: &str| {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{base_url}/my-project").as_bytes());
        let session = Uuid::new_v5(&namespace, b"V1");
        (session.to_string(), Uuid::new_v5(&session, b"S1").to_string())
    };
    let vendor = expected("https://services.traxretail.com");
    assert_eq!(session("https://services.traxretail.com"), vendor);
    assert_eq!(session("https://services.traxretail.com//"), vendor);
    assert_eq!(session("sandbox"), vendor);
    assert_eq!(session("http://127.0.0.1:1/x/"), expected("http://127.0.0.1:1/x"));
    // Made by another language's library: the system that sends the images makes the same.
    let golden = ("ecf64c0a-4e32-51ac-b75b-fc802f6cdb45", "73e9ff1d-daba-5f03-9fb3-6ebd8229210e");
    assert_eq!((vendor.0.as_str(), vendor.1.as_str()), golden);
}

#[test]
fn ids_marked_as_version_4_differ_in_the_version_alone() {
    let work = Workdir::with_visits(1);
    let ids = |version: u8| {
        let ids = format!("[ids]\nversion = {version}\nnamespace = \"{}\"", crate::harness::NAMESPACE);
        let (done, bodies) = work.check(&JobFile::new().and(&ids));
        done.ends_with(0);
        let listed = work.traxload_with(&["ids", "job.toml"], &[]).stdout;
        (bodies[0].clone(), listed)
    };
    let (five, four) = (ids(5), ids(4));
    let marked = |uid: String| {
        let mut uid = uid;
        uid.replace_range(14..15, "4");
        uid
    };
    let scene = crate::harness::scene_uid("V1", "S1");
    assert_eq!(five.0, body(1));
    assert_eq!(four.0, body(1).replace(&scene, &marked(scene.clone())));
    let session = crate::harness::session_uid("V1");
    assert_eq!(four.1, five.1.replace(&scene, &marked(scene.clone())).replace(&session, &marked(session.clone())));
}

#[test]
fn a_rerun_refuses_a_job_whose_ids_have_changed() {
    let server = ScriptedServer::replying(vec![Reply::ok(), Reply::error(400, "Unknown Store 1001")]);
    let work = Workdir::with_visits(2);
    let job = JobFile::to(&server.url());
    work.run(&job).ends_with(3);
    work.job(&job.clone().and(&format!("[ids]\nversion = 4\nnamespace = \"{}\"", crate::harness::NAMESPACE)));
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["version"]);
    work.job(&job.clone().and(&format!("[ids]\nnamespace = \"{}\"", Uuid::NAMESPACE_DNS)));
    work.traxload(&["rerun", "results.csv"]).ends_with(2).says(&["namespace"]);
    assert_eq!(server.requests().len(), 2);
    work.job(&job);
    work.traxload(&["rerun", "results.csv"]).ends_with(3);
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_rerun_may_be_narrowed_by_status_and_takes_the_jobs_paths_as_the_run_did() {
    let server = ScriptedServer::start(|request, _| match request.is_for("V1") {
        true => Reply::error(400, "Unknown Store 1001"),
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1), "V2,,,,,,".to_owned(), visit(3)]));
    work.run(&JobFile::to(&server.url())).ends_with(3);
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1), visit(2), visit(3)]));
    work.write("elsewhere/x", "");
    let results = work.path("results.csv").display().to_string();
    work.traxload(&["rerun", &results, "--status", "rejected,failed"]).ends_with(3);
    assert_eq!((server.requests().len(), &work.results().of("V2")["status"]), (3, "invalid"));
    work.traxload(&["rerun", &results, "--status", "uploaded"]).ends_with(2);
    work.traxload(&["rerun", &results, "--status", "invalid"]).ends_with(3);
    assert_eq!((server.requests().len(), &work.results().of("V2")["status"]), (4, "uploaded"));
    assert_eq!(work.results().rows.len(), 3);
}

#[test]
fn a_rerun_keeps_the_rows_of_visits_that_left_the_exports_with_a_warning() {
    let server = ScriptedServer::start(|request, _| match request.is_for("V1") {
        true => Reply::ok(),
        false => Reply::error(400, "Unknown Store"),
    });
    let work = Workdir::with_visits(3);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let kept = work.results().of("V1").clone();
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(3)]));
    work.write("scenes.csv", lines(SCENES_HEADER, &["V3,S3,T1"]));
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(3).says(&["warning"]);
    assert_eq!(done.json()["carried_over"], 2);
    let rows = work.results();
    assert_eq!((rows.rows.len(), rows.of("V1"), &rows.of("V3")["status"]), (3, &kept, "rejected"));
}
