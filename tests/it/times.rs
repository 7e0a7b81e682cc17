//! Times and dates as exports write them, the local day of a visit, and the day in paths.

use crate::harness::{JobFile, SCENES_HEADER, Workdir, lines};

/// Visits with these starts, ends and zones, each with a scene.
fn visits(rows: &[[&str; 3]]) -> Workdir {
    let work = Workdir::new();
    let row = |(n, [start, end, zone]): (usize, &[&str; 3])| format!("V{n},7,\"{start}\",\"{end}\",{zone}");
    let visits: Vec<String> = rows.iter().enumerate().map(row).collect();
    let scenes: Vec<String> = (0..rows.len()).map(|n| format!("V{n},S1,")).collect();
    work.write("visits.csv", lines("visit_id,store_code,started_at,ended_at,zone", &visits));
    work.write("scenes.csv", lines(SCENES_HEADER, &scenes));
    work
}

/// A job without visit_date: the day follows from the start.
fn job() -> JobFile {
    JobFile::new().without(&["visit_date", "visit_type_id", "email_address"])
}

/// The day and the start of each body.
#[track_caller]
fn days(work: &Workdir, job: &JobFile) -> Vec<(String, i64)> {
    let (done, bodies) = work.check(job);
    done.ends_with(0);
    let parse = |body: &String| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
        (body["visit_date"].as_str().unwrap_or_default().to_owned(), body["session_start_time"].as_i64().unwrap_or(0))
    };
    bodies.iter().map(parse).collect()
}

#[test]
fn the_day_follows_from_the_offset_that_a_start_is_written_with() {
    let evening = "2024-03-05T23:30:00-05:00"; // On the 6th in UTC.
    let morning = "2024-03-06T00:30:00+01:00[Europe/Paris]"; // On the 5th in UTC.
    let utc = "2024-03-05T23:30:00Z"; // On the 6th in Paris.
    let (fifth, sixth) = ("2024-03-05".to_owned(), "2024-03-06".to_owned());
    let work = visits(&[[evening, "", ""], [morning, "", ""]]);
    assert_eq!(days(&work, &job()), [(fifth.clone(), 1_709_699_400), (sixth.clone(), 1_709_681_400)]);

    // UTC says nothing of where it was: that is for the job to say.
    let work = visits(&[[utc, "", ""]]);
    work.check(&job()).0.ends_with(4).says(&["zoneless_time", "`timezone` under [time]"]);
    let paris = job().and("[time]\ntimezone = \"Europe/Paris\"");
    assert_eq!(days(&work, &paris), [(sixth.clone(), 1_709_681_400)]);

    // Where both tell another day, a person has to say which counts.
    let work = visits(&[[morning, "", ""], [evening, "", ""]]);
    let (done, _) = work.check(&paris);
    let done = done.ends_with(3).says(&[
        "bad_date",
        "2024-03-05T23:30:00-05:00 is on 2024-03-05 by its own offset, and on 2024-03-06 in Europe/Paris",
        "local_day = \"offset\" or \"timezone\"",
    ]);
    assert!(done.stderr.contains("visits.csv:3") || done.stdout.contains("visits.csv:3"), "{}", done.stderr);
    let chosen = |day: &str| job().and(&format!("[time]\ntimezone = \"Europe/Paris\"\nlocal_day = \"{day}\""));
    let days_of = |day: &str| days(&work, &chosen(day)).into_iter().map(|(day, _)| day).collect::<Vec<_>>();
    assert_eq!(days_of("offset"), [sixth.clone(), fifth]);
    assert_eq!(days_of("timezone"), [sixth.clone(), sixth.clone()]);
    work.check(&chosen("ofset")).0.ends_with(2).says(&["ofset"]);

    // The zone of the row counts before both.
    let work = visits(&[[evening, "", "Asia/Tokyo"]]);
    let zoned = paris.visit_column("session_start_time", "{ column = \"started_at\", timezone_column = \"zone\" }");
    assert_eq!(days(&work, &zoned), [(sixth, 1_709_699_400)]);
}

#[test]
fn a_job_whose_starts_cannot_tell_the_day_is_refused() {
    let work = visits(&[["1709681400", "", ""]]);
    for start in ["unit = \"s\"", "format = \"%s\"", "format = \"%Y-%m-%d %H:%M\""] {
        let job = job().visit_column("session_start_time", &format!("{{ column = \"started_at\", {start} }}"));
        work.check(&job).0.ends_with(2).says(&["map visit_date"]);
    }
    let work = visits(&[["06/03/2024 00:30 +0100", "", ""]]);
    let job = job().visit_column("session_start_time", "{ column = \"started_at\", format = \"%d/%m/%Y %H:%M %z\" }");
    assert_eq!(days(&work, &job), [("2024-03-06".to_owned(), 1_709_681_400)]);
}

#[test]
fn a_zone_in_brackets_is_read_where_it_agrees() {
    let work = visits(&[
        ["2024-03-05T08:12:33+01:00[Europe/Paris]", "", ""],
        ["2024-03-05T08:12:33+01:00", "", ""],
        ["2024-03-05T08:12:33[Europe/Paris]", "", ""],
        ["2024-03-05 08:12:33.000 Europe/Paris", "", ""],
        ["2024-03-05T08:12:33.1234567\u{2212}05:00", "", ""],
        ["2024-03-04T24:00:00+01:00", "", ""],
    ]);
    let starts: Vec<i64> = days(&work, &job()).into_iter().map(|(_, start)| start).collect();
    let paris = 1_709_622_753;
    assert_eq!(starts, [paris, paris, paris, paris, 1_709_644_353, 1_709_593_200]);

    let work = visits(&[["2024-03-05T08:12:33+02:00[Europe/Paris]", "", ""]]);
    work.check(&job()).0.ends_with(4).says(&["bad_time", "its offset +02:00 and its zone disagree"]);
    let work = visits(&[["2024-10-27T02:30:00[Europe/Paris]", "", ""]]);
    work.check(&job()).0.ends_with(4).says(&["ambiguous_time"]);
}

#[test]
fn what_is_no_time_or_date_is_told_with_what_would_read_it() {
    let with = |start: &str, end: &str, says: &[&str]| {
        let work = visits(&[[start, end, ""]]);
        work.check(&job().and("[time]\ntimezone = \"UTC\"")).0.ends_with(4).says(says);
    };
    let good = "2024-03-05 08:00:00";
    with("25.03.2024 08:12", "", &["format = \"%d.%m.%Y %H:%M\" would read it"]);
    with(
        "05/03/2024 08:12",
        "",
        &["format = \"%d/%m/%Y %H:%M\" (day first) or \"%m/%d/%Y %H:%M\" (month first) would read it"],
    );
    with("25/03/2024 08:12 UTC", "", &["format = \"%d/%m/%Y %H:%M UTC\", with timezone = \"UTC\", would read it"]);
    with("2024-03-05 08:12 CET", "", &["no format reads the name of a zone, \"CET\"", "timezone_column", "`command`"]);
    with("05.03.2024", "", &["a date has no time of day", "`columns` joins both"]);
    with("08:12", "", &["a time of day has no date", "`columns` joins both"]);
    with("20240305081233", "", &["time_unit", "format = \"%Y%m%d %H%M%S\" would read it"]);
    with("080000", "", &["time_unit", "1970-01-01T22:13:20"]);
    for end in ["0000-00-00 00:00:00", "0", "1900-01-01 00:00:00", "9999-12-31 23:59:59", "NaT", "1970-01-01T00:00:00Z"]
    {
        with(good, end, &["null_values"]);
    }
    with(good, "2001-01-01", &["a date has no time of day"]);

    let date = |cell: &str, column: &str, says: &[&str]| {
        let work = visits(&[[good, "", cell]]);
        let job = job().visit_column("visit_date", column).and("[time]\ntimezone = \"UTC\"");
        work.check(&job).0.ends_with(4).says(says);
    };
    date("05.03.2024", "\"zone\"", &["bad_date", "format = \"%d.%m.%Y\" would read it"]);
    date("05/03/2024", "\"zone\"", &["\"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)"]);
    date("20240305", "\"zone\"", &["format = \"%Y%m%d\" would read it"]);
    date("2024-03-05 08:00:00", "\"zone\"", &["it has a time of day", "its day as it is written"]);
    date("2024-03-05T08:00:00Z", "\"zone\"", &["leave visit_date out"]);
    date("2024-03-05 24:00", "\"zone\"", &["24:00"]);
    date("1709626353", "\"zone\"", &["leave visit_date out"]);
    date("45356", "\"zone\"", &["day number of a spreadsheet"]);
    let dotted = "{ column = \"zone\", format = \"%d.%m.%Y\" }";
    date("2024-03-05", dotted, &["without `format` it would be read"]);
    date("05/03/2024", dotted, &["\"%d/%m/%Y\" (day first)", "written in two ways?"]);
}

#[test]
fn paths_name_the_day_in_any_form() {
    let work = visits(&[["2024-03-05T08:00:00+01:00", "", ""]]);
    let visits = work.read("visits.csv");
    work.write("exports/2024/03/05/visits-20240305.csv", visits);
    work.write("exports/2024/03/05/scenes.csv", work.read("scenes.csv"));
    work.write("05.03.24.csv", "store\n7\n");
    let job = job()
        .visits("path", "\"exports/{date:%Y/%m/%d}/visits-{date:%Y%m%d}.csv\"")
        .scenes("path", "\"exports/{date:%Y/%m/%d}/*.csv\"")
        .scenes("path", "\"exports/{date:%Y/%m/%d}/scenes.csv\"")
        .and("[check]\nstores = \"{date:%d.%m.%y}.csv\"\n[results]\npath = \"out/{date:%Y/%j}/{name}.csv\"");
    work.job(&job);
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["--date"]);
    work.traxload(&["run", "job.toml", "--date", "2024-03-05"]).ends_with(0);
    assert!(work.exists("out/2024/065/test.csv"));

    for (path, says) in
        [("exports/{date:%Q}.csv", "{date:%Q} is not a day"), ("exports/{dat}.csv", "did you mean \"date\"?")]
    {
        work.job(&job.clone().visits("path", &format!("\"{path}\"")));
        work.traxload(&["check", "job.toml"]).ends_with(2).says(&["job.toml:4:8", says]);
    }
    work.write("{a}/visits.csv", work.read("visits.csv"));
    work.job(&job.visits("path", "\"{a}/*.csv\""));
    work.traxload(&["check", "job.toml", "--date", "2024-03-05"]).ends_with(0);
}
