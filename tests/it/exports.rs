//! What real producers write as CSV, and that each of it gives the same bodies. Parquet is in `parquet.rs`.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, SCENES_HEADER, VISITS_HEADER, Workdir, body, gzip, lines, scene_uid, visit};

/// The bodies of an export without problems.
#[track_caller]
fn bodies(work: &Workdir, job: &JobFile) -> Vec<String> {
    let (done, bodies) = work.check(job);
    done.ends_with(0);
    bodies
}

/// Fails unless the export says what [`Workdir::with_visits`] says of three visits.
#[track_caller]
fn says_the_same(work: &Workdir, job: &JobFile) {
    assert_eq!(bodies(work, job), [body(1), body(2), body(3)]);
}

/// The value of a field of each body; `null` where it is left out.
#[track_caller]
fn values(work: &Workdir, job: &JobFile, field: &str) -> Vec<serde_json::Value> {
    let parse = |body: &String| serde_json::from_str::<serde_json::Value>(body).expect("JSON")[field].clone();
    bodies(work, job).iter().map(parse).collect()
}

/// A job without a word of what is in the columns, but for `field`, which is read as `column` says.
fn visits_with(column: &str, cells: &[&str]) -> Workdir {
    let work = Workdir::new();
    let quoted = |cell: &&str| if cell.contains([',', '"', '\n']) { format!("\"{cell}\"") } else { (*cell).to_owned() };
    let rows: Vec<String> = cells
        .iter()
        .map(quoted)
        .enumerate()
        .map(|(n, cell)| {
            let mut row: Vec<String> =
                ["", "7", "2024-03-05", "2024-03-05T08:00:00Z", "", "", ""].map(str::to_owned).to_vec();
            row[0] = format!("V{n}");
            row[VISITS_HEADER.split(',').position(|name| name == column).expect("a column")] = cell;
            row.join(",")
        })
        .collect();
    let scenes: Vec<String> = (0..cells.len()).map(|n| format!("V{n},S1,")).collect();
    work.write("visits.csv", lines(VISITS_HEADER, &rows)).write("scenes.csv", lines(SCENES_HEADER, &scenes));
    work
}

#[track_caller]
fn refused(work: &Workdir, job: &JobFile, says: &[&str]) {
    work.check(job).0.ends_with(2).says(says);
}

#[test]
fn a_plain_export_gives_bodies_in_the_vendors_order_of_keys() {
    says_the_same(&Workdir::with_visits(3), &JobFile::new());
}

#[test]
fn line_ends_of_any_system_and_a_missing_last_one_are_the_same() {
    let work = Workdir::with_visits(3);
    for file in ["visits.csv", "scenes.csv"] {
        work.write(file, work.read(file).replace('\n', "\r\n").trim_end());
    }
    says_the_same(&work, &JobFile::new());
}

#[test]
fn a_byte_order_mark_is_dropped_also_before_a_quote() {
    let work = Workdir::with_visits(3);
    work.write("visits.csv", format!("\u{feff}{}", work.read("visits.csv")));
    work.write("scenes.csv", format!("\u{feff}\"visit_id\"{}", &work.read("scenes.csv")["visit_id".len()..]));
    says_the_same(&work, &JobFile::new());
}

#[test]
fn utf_16_is_told_by_its_mark_or_by_the_job() {
    let units = |text: &str| -> Vec<u16> { text.encode_utf16().collect() };
    let little = |text: &str| -> Vec<u8> { units(text).iter().flat_map(|unit| unit.to_le_bytes()).collect() };
    let big = |text: &str| -> Vec<u8> { units(text).iter().flat_map(|unit| unit.to_be_bytes()).collect() };
    let work = Workdir::with_visits(3);
    let (visits, scenes) = (work.read("visits.csv"), work.read("scenes.csv"));
    work.write("visits.csv", little(&format!("\u{feff}{visits}")));
    work.write("scenes.csv", big(&format!("\u{feff}{scenes}")));
    says_the_same(&work, &JobFile::new());
    work.write("visits.csv", little(&visits)).write("scenes.csv", big(&scenes));
    says_the_same(&work, &JobFile::new().visits("encoding", "\"utf-16\"").scenes("encoding", "\"utf-16be\""));
}

#[test]
fn windows_1252_is_read_where_the_job_says_so_and_a_problem_where_not() {
    let work = visits_with("store_code", &["Caf@ 12 #"]);
    let bytes: Vec<u8> = work
        .read("visits.csv")
        .bytes()
        .map(|byte| match byte {
            b'@' => 0xe9,
            b'#' => 0x80,
            byte => byte,
        })
        .collect();
    work.write("visits.csv", bytes);
    let job = JobFile::new().visits("encoding", "\"windows-1252\"");
    assert_eq!(values(&work, &job, "store_number"), ["Café 12 €"]);
    work.check(&JobFile::new()).0.ends_with(4).says(&["bad_text"]);
}

#[test]
fn other_delimiters_come_from_the_job_the_name_or_a_sep_line() {
    let work = Workdir::with_visits(3);
    let with = |file: &str, delimiter: &str| work.read(file).replace(',', delimiter);
    work.write("v.csv", with("visits.csv", ";")).write("s.csv", with("scenes.csv", "|"));
    let job = JobFile::new().visits("path", "\"v.csv\"").scenes("path", "\"s.csv\"");
    says_the_same(&work, &job.clone().visits("delimiter", "\";\"").scenes("delimiter", "\"|\""));
    work.write("v.tsv", with("visits.csv", "\t")).write("s.tsv", with("scenes.csv", "\t"));
    says_the_same(&work, &JobFile::new().visits("path", "\"v.tsv\"").scenes("path", "\"s.tsv\""));
    work.write("v.csv", format!("sep=;\r\n{}", with("visits.csv", ";")));
    work.write("s.csv", format!("\u{feff}sep=|\n{}", with("scenes.csv", "|")));
    says_the_same(&work, &job);
}

#[test]
fn a_sep_line_counts_as_a_line() {
    let work = Workdir::with_visits(1);
    work.write("visits.csv", format!("sep=,\n{VISITS_HEADER}\nV1,,2024-03-05,2024-03-05T08:00:00Z,,,\n"));
    work.check(&JobFile::new()).0.ends_with(4).says(&["(visits.csv:3)"]);
}

#[test]
fn doubled_quotes_delimiters_and_line_breaks_in_quotes_belong_to_the_cell() {
    let work = visits_with("store_code", &[r#"a ""quoted"" one"#, "a, b", "two\nlines", "back\\slash"]);
    let expected = [r#"a "quoted" one"#, "a, b", "two\nlines", "back\\slash"];
    assert_eq!(values(&work, &JobFile::new(), "store_number"), expected);
}

#[test]
fn an_escape_acts_in_quotes_before_quote_escape_and_line_break_only() {
    let work = Workdir::with_visits(0);
    let cells =
        [r#""a \"b\" c""#, r#""a \\ b""#, r#""C:\temp""#, "\"two\\\nlines\"", r"bare\\slash", r#""both "" ways""#];
    let rows: Vec<String> =
        cells.iter().enumerate().map(|(n, cell)| format!("V{n},{cell},2024-03-05,2024-03-05T08:00:00Z,,,")).collect();
    let scenes: Vec<String> = (0..cells.len()).map(|n| format!("V{n},S1,")).collect();
    work.write("visits.csv", lines(VISITS_HEADER, &rows)).write("scenes.csv", lines(SCENES_HEADER, &scenes));
    let job = JobFile::new().visits("escape", r#""\\""#);
    let expected = [r#"a "b" c"#, r"a \ b", r"C:\temp", "two\nlines", r"bare\\slash", r#"both " ways"#];
    assert_eq!(values(&work, &job, "store_number"), expected);
}

#[test]
fn without_quotes_an_escape_acts_everywhere_as_in_postgresqls_text_format() {
    let work = Workdir::with_visits(0);
    let cells = [r"a\tb", r"two\nlines", r"back\\slash", r#"a "quoted" one"#, r#"""#];
    let rows: Vec<String> = cells
        .iter()
        .enumerate()
        .map(|(n, cell)| format!("V{n}\t{cell}\t2024-03-05\t2024-03-05 08:00:00+00\t\\N\t\\N\t\\N"))
        .collect();
    let scenes: Vec<String> = (0..cells.len()).map(|n| format!("V{n}\tS1\t\\N")).collect();
    let tabs = |header: &str| header.replace(',', "\t");
    work.write("visits.csv", lines(&tabs(VISITS_HEADER), &rows));
    work.write("scenes.csv", lines(&tabs(SCENES_HEADER), &scenes));
    let job = JobFile::new()
        .exports("quote", "\"\"")
        .exports("escape", r#""\\""#)
        .exports("delimiter", r#""\t""#)
        .exports("null_values", r#"["\\N"]"#);
    let expected = ["a\tb", "two\nlines", "back\\slash", r#"a "quoted" one"#, r#"""#];
    assert_eq!(values(&work, &job, "store_number"), expected);
    assert!(bodies(&work, &job).iter().all(|body| !body.contains("email") && !body.contains("visit_type_id")));
}

#[test]
fn null_values_are_empty_also_in_quotes_and_an_empty_cell_always_is() {
    let work = visits_with("rep_email", &["NULL", "a@b.c", "", "\\N"]);
    work.write("visits.csv", work.read("visits.csv").replace("NULL", "\"NULL\""));
    let job = JobFile::new().visits("null_values", r#"["NULL", "\\N"]"#);
    let nothing = serde_json::Value::Null;
    assert_eq!(values(&work, &job, "email_address"), [nothing.clone(), "a@b.c".into(), nothing.clone(), nothing]);
}

#[test]
fn cells_are_trimmed_of_spaces_and_tabs_unless_the_job_says_no() {
    let work = Workdir::with_visits(3);
    let padded = |file: &str| -> String {
        let text = work.read(file);
        let (header, rows) = text.split_once('\n').expect("a header");
        format!("{header}\n{}", rows.replace(',', " \t, ").replace('\n', " \n"))
    };
    work.write("visits.csv", padded("visits.csv")).write("scenes.csv", padded("scenes.csv"));
    says_the_same(&work, &JobFile::new());
    let work = visits_with("store_code", &[" 7 "]);
    assert_eq!(values(&work, &JobFile::new().visits("trim", "false"), "store_number"), [" 7 "]);
    let work = visits_with("store_code", &["\u{a0}7\u{a0}"]);
    let job = JobFile::new().and("[check]\naccept = [\"invisible_character\"]");
    assert_eq!(values(&work, &job, "store_number"), ["\u{a0}7\u{a0}"], "other white space is text");
}

#[test]
fn gzip_and_zstd_are_opened_and_read_to_the_end_of_their_last_part() {
    let work = Workdir::with_visits(3);
    let (visits, scenes) = (work.read("visits.csv"), work.read("scenes.csv"));
    let halves = |text: &str| {
        let (one, two) = text.split_at(text.len() / 2);
        (one.to_owned(), two.to_owned())
    };
    let zst = |text: &str| zstd::encode_all(text.as_bytes(), 1).expect("in memory");
    let (one, two) = halves(&visits);
    work.write("visits.csv.gz", [gzip(&one), gzip(&two)].concat());
    let (one, two) = halves(&scenes);
    work.write("scenes.csv.zst", [zst(&one), zst(&two)].concat());
    let job = JobFile::new().visits("path", "\"visits.csv.gz\"").scenes("path", "\"scenes.csv.zst\"");
    says_the_same(&work, &job);
}

#[test]
fn a_compressed_file_that_is_cut_short_is_2() {
    let work = Workdir::with_visits(3);
    let whole = gzip(work.read("visits.csv"));
    let second = gzip("V4,1004,2024-03-05,2024-03-05T08:00:00Z,,801,\n");
    let job = JobFile::new().visits("path", "\"visits.csv.gz\"");
    for cut in [whole.len() - 1, whole.len() - 9, whole.len() / 2] {
        work.write("visits.csv.gz", &whole[..cut]);
        refused(&work, &job, &["visits.csv.gz"]);
    }
    work.write("visits.csv.gz", [&whole[..], &second[..second.len() - 4]].concat());
    refused(&work, &job, &["visits.csv.gz"]);
    let zst = zstd::encode_all(work.read("scenes.csv").as_bytes(), 1).expect("in memory");
    work.write("scenes.csv.zst", &zst[..zst.len() - 3]);
    refused(&work, &JobFile::new().scenes("path", "\"scenes.csv.zst\""), &["scenes.csv.zst"]);
}

/// One file for each of the three visits, with their header.
fn in_three_files(names: [&str; 3]) -> Workdir {
    let work = Workdir::with_visits(3);
    for (n, name) in names.iter().enumerate() {
        work.write(name, lines(VISITS_HEADER, &[visit(n + 1)]));
    }
    work
}

#[test]
fn a_folder_of_spark_is_read_in_name_order_without_its_marks() {
    let work = in_three_files(["out/part-00000.csv", "out/part-00001.csv", "out/sub/part-00000.csv"]);
    work.write("out/_SUCCESS", "").write("out/.part-00000.csv.crc", [0xff, 0, 1]);
    work.write("out/_temporary/part-00009.csv", "half a fi").write("out/.hidden/x.csv", "x");
    says_the_same(&work, &JobFile::new().visits("path", "\"out\""));
    let job = JobFile::new().visits("path", "\"out/\"");
    work.run(&job).ends_with(0);
    let mut sources = work.results().column("source").join(" ");
    sources.retain(|c| c != '\\');
    for source in ["out/part-00000.csv:2", "out/part-00001.csv:2", "out/sub/part-00000.csv:2"] {
        assert!(sources.contains(source), "{sources}");
    }
}

#[test]
fn folders_of_hive_are_columns_and_percent_decoded() {
    let work = Workdir::with_visits(0);
    let header = "visit_id,started_at,ended_at,visit_type,rep_email";
    let row = |n: usize| format!("V{n},2024-03-05T08:00:00Z,2024-03-05T08:30:00Z,801,rep{n}@example.com");
    work.write("v/visit_date=2024-03-05/store_code=S%C3%A3o%20Paulo/a.csv", lines(header, &[row(1)]));
    work.write("v/visit_date=2024-03-06/store_code=x%3Dy/b.csv", lines(header, &[row(2)]));
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1", "V2,S2,T1"]));
    let job = JobFile::new().visits("path", "\"v\"");
    assert_eq!(values(&work, &job, "store_number"), ["São Paulo", "x=y"]);
    assert_eq!(values(&work, &job, "visit_date"), ["2024-03-05", "2024-03-06"]);
}

#[test]
fn globs_and_lists_name_several_files_and_a_file_named_twice_is_read_once() {
    let work = in_three_files(["a/1.csv", "a/2.csv", "b/3.csv"]);
    says_the_same(&work, &JobFile::new().visits("path", "\"[ab]/*.csv\""));
    says_the_same(&work, &JobFile::new().visits("path", "[\"a/1.csv\", \"a/*.csv\", \"b\"]"));
    refused(&work, &JobFile::new().visits("path", "\"c/*.csv\""), &["no file matches c/*.csv"]);
    refused(&work, &JobFile::new().visits("path", "[\"a\", \"c.csv\"]"), &["c.csv"]);
}

#[test]
fn files_of_one_section_may_order_their_columns_differently() {
    let work = in_three_files(["v/1.csv", "v/2.csv", "v/3.csv"]);
    let reversed = |line: &str| line.split(',').rev().collect::<Vec<_>>().join(",");
    work.write("v/2.csv", lines(&reversed(VISITS_HEADER), &[reversed(&visit(2))]));
    work.write("v/3.csv", lines(&format!("extra,{VISITS_HEADER}"), &[format!("x,{}", visit(3))]));
    says_the_same(&work, &JobFile::new().visits("path", "\"v\""));
}

#[test]
fn a_column_that_one_file_lacks_is_empty_there_with_a_warning() {
    let work = in_three_files(["v/1.csv", "v/2.csv", "v/3.csv"]);
    let short = |line: &str| line.rsplit_once(',').expect("cells").0.to_owned();
    work.write("v/2.csv", lines(&short(VISITS_HEADER), &[short(&visit(2))]));
    let (done, bodies) = work.check(&JobFile::new().visits("path", "\"v\""));
    done.ends_with(0).says(&["v/2.csv", "rep_email"]);
    assert_eq!(bodies.iter().map(|body| body.contains("email_address")).collect::<Vec<_>>(), [true, false, true]);
}

#[test]
fn a_flat_export_repeats_its_visits_and_a_row_of_an_outer_join_has_no_scene() {
    let work = Workdir::new();
    let header = format!("{VISITS_HEADER},scene_id,task_code");
    let row = |n: usize, scene: &str| format!("{},{scene}", visit(n));
    let rows = [row(1, "S1,T1"), row(2, "S2,T1"), row(1, "S9,"), row(3, "S3,T1"), row(1, "S1,T1"), row(4, ",")];
    work.write("flat.csv", lines(&header, &rows));
    let job = JobFile::new().exports("path", "\"flat.csv\"");
    let (done, bodies) = work.check(&job);
    let done = done.ends_with(3).says(&["no_scenes (1)", "(flat.csv:7)"]);
    assert!(!done.stderr.contains("say the same as an earlier one"), "{}", done.stderr);
    let more = format!(",{{\"scene_uid\":\"{}\"}}]}}", scene_uid("V1", "S9"));
    assert_eq!(bodies, [body(1).replace("]}", &more), body(2), body(3)]);
    let done = work.traxload(&["run", "job.toml", "--json"]).ends_with(3);
    assert_eq!((&done.json()["rows_read"], &done.json()["result_rows"]), (&6.into(), &4.into()));
    assert_eq!(done.json()["identical_duplicates"], 2);
    assert_eq!(work.results().count("uploaded"), 3);
}

#[test]
fn a_flat_export_whose_repeated_columns_differ_is_a_problem_of_that_visit() {
    let work = Workdir::new();
    let header = format!("{VISITS_HEADER},scene_id,task_code");
    let rows = [
        format!("{},S1,T1", visit(1)),
        format!("{},S2,T1", visit(1).replace("1001", "9")),
        format!("{},S1,T", visit(2)),
    ];
    work.write("flat.csv", lines(&header, &rows));
    let job = JobFile::new().exports("path", "\"flat.csv\"").and("[check]\nmax_invalid = 2");
    work.run(&job).ends_with(3);
    let rows = work.results();
    assert_eq!(rows.all_of("V1").map(|row| &row["error_code"]).collect::<Vec<_>>(), ["duplicate_visit"; 2]);
    assert_eq!(&rows.of("V2")["status"], "uploaded");
}

#[test]
fn only_leaves_rows_out_and_their_scenes_are_no_orphans() {
    let work = Workdir::with_visits(4);
    let cell = |n: usize| if n == 2 { "cancelled" } else { ["done", " done "][n % 2] };
    let rows: Vec<String> = (1..=4).map(|n| format!("{},{}", visit(n), cell(n))).collect();
    work.write("visits.csv", lines(&format!("{VISITS_HEADER},state"), &rows));
    let job = JobFile::new().visits("only", "{ state = [\"done\"], visit_type = 801 }");
    assert_eq!(bodies(&work, &job), [body(1), body(3), body(4)]);
    let summary = work.traxload(&["check", "job.toml", "--json"]).json();
    assert_eq!((&summary["left_out"], &summary["rows_read"], &summary["orphans"]), (&1.into(), &3.into(), &0.into()));
    refused(&work, &JobFile::new().visits("only", "{ stat = [\"done\"] }"), &["\"stat\"", "did you mean", "state"]);
}

#[test]
fn maps_map_files_and_constants_fill_fields() {
    let work = visits_with("visit_type", &["monthly", "weekly", ""]);
    work.write("types.csv", "monthly,801\nweekly,802\n");
    for map in ["map = { monthly = 801, weekly = \"802\" }", "map_file = \"types.csv\""] {
        let job = JobFile::new().visit_column("visit_type_id", &format!("{{ column = \"visit_type\", {map} }}"));
        assert_eq!(values(&work, &job, "visit_type_id"), [801.into(), 802.into(), serde_json::Value::Null], "{map}");
    }
    let job = JobFile::new()
        .visit_column("visit_type_id", "{ value = 7 }")
        .visit_column("email_address", "{ value = \"all@example.com\" }")
        .scene_column("task_code", "{ value = \"T\" }");
    assert_eq!(values(&work, &job, "visit_type_id"), [7, 7, 7]);
    assert_eq!(values(&work, &job, "email_address"), ["all@example.com"; 3]);
    assert!(bodies(&work, &job).iter().all(|body| body.ends_with("\"task_code\":\"T\"}]}")));
}

#[test]
fn client_session_uid_is_the_visit_id_where_it_is_left_out_or_empty() {
    let work = visits_with("rep_email", &["own id", ""]);
    let job = JobFile::new().without(&["email_address"]).visit_column("client_session_uid", "\"rep_email\"");
    assert_eq!(values(&work, &job, "client_session_uid"), ["own id", "V1"]);
    assert_eq!(values(&work, &JobFile::new().without(&["email_address"]), "client_session_uid"), ["V0", "V1"]);
}

#[test]
fn store_numbers_and_keys_keep_their_leading_zeros_and_numbers_lose_them() {
    let cells = ["007", "0", "+7", "100050000013647", "1.50", "1e5", "12E3"];
    assert_eq!(values(&visits_with("store_code", &cells), &JobFile::new(), "store_number"), cells);
    let work = Workdir::with_rows(&["007,1,2024-03-05,2024-03-05T08:00:00Z,,0801,"], &["007,01,1"]);
    let (done, bodies) = work.check(&JobFile::new());
    done.ends_with(0);
    assert!(bodies[0].contains("\"visit_type_id\":801,") && bodies[0].contains(&scene_uid("007", "01")));
    assert!(!bodies[0].contains(&scene_uid("007", "1")));
}

#[test]
fn whole_numbers_are_integers_however_they_are_written() {
    let cells = ["801", "801.0", "801.00", "8.01E2", "NaN", "nan"];
    let nothing = serde_json::Value::Null;
    let expected = [801.into(), 801.into(), 801.into(), 801.into(), nothing.clone(), nothing];
    assert_eq!(values(&visits_with("visit_type", &cells), &JobFile::new(), "visit_type_id"), expected);
}

#[test]
fn one_moment_may_be_written_in_many_ways() {
    let cells = [
        "2024-03-05T08:00:00Z",
        "2024-03-05 08:00:00Z",
        "2024-03-05T08:00Z",
        "2024-03-05T08:00:00.999Z",
        "2024-03-05 09:00:00+01:00",
        "2024-03-05 09:00:00+0100",
        "2024-03-05 09:00:00+01",
        "2024-03-05T03:00:00-05:00",
        "2024-03-05 09:00:00",
        "2024-03-05T09:00",
        "1709625600",
        "1709625600.9",
        "1.7096256E9",
    ];
    let job = JobFile::new().and("[time]\ntimezone = \"Europe/Paris\"");
    let starts = values(&visits_with("started_at", &cells), &job, "session_start_time");
    assert_eq!(starts, [1_709_625_600_u64; 13]);
    for (unit, cell) in [("ms", "1709625600999"), ("us", "1709625600999999"), ("ns", "1709625600999999999")] {
        let job = job
            .clone()
            .visit_column("session_start_time", &format!("{{ column = \"started_at\", unit = \"{unit}\" }}"));
        assert_eq!(values(&visits_with("started_at", &[cell]), &job, "session_start_time"), [1_709_625_600]);
    }
    let formatted = "{ column = \"started_at\", format = \"%d/%m/%Y %H:%M\", timezone = \"America/New_York\" }";
    let job = job.visit_column("session_start_time", formatted);
    assert_eq!(values(&visits_with("started_at", &["05/03/2024 03:00"]), &job, "session_start_time"), [1_709_625_600]);
}

#[test]
fn the_zone_of_a_row_comes_before_that_of_the_column_and_that_before_the_jobs() {
    let header = format!("{VISITS_HEADER},tz");
    let row = |n: usize, zone: &str| format!("V{n},7,2024-03-05,2024-03-05 09:00:00,2024-03-05 23:00:00,,,{zone}");
    let work = Workdir::with_visits(3);
    work.write("visits.csv", lines(&header, &[row(1, "Asia/Tokyo"), row(2, ""), row(3, "-05:00")]));
    let column = "{ column = \"started_at\", timezone_column = \"tz\", timezone = \"UTC\" }";
    let job = JobFile::new().visit_column("session_start_time", column).and("[time]\ntimezone = \"Europe/Paris\"");
    let nine = 1_709_629_200;
    assert_eq!(values(&work, &job, "session_start_time"), [nine - 9 * 3600, nine, nine + 5 * 3600]);
    assert_eq!(values(&work, &job, "session_end_time"), [nine + 14 * 3600 - 3600; 3]);
}

#[test]
fn dates_may_be_times_at_midnight_and_are_told_from_the_start_where_they_are_left_out() {
    let cells = ["2024-03-05", "2024-03-05 00:00:00", "2024-03-05T00:00:00.000Z", "2024-03-05T00:00:00+09:00"];
    assert_eq!(values(&visits_with("visit_date", &cells), &JobFile::new(), "visit_date"), ["2024-03-05"; 4]);
    let job = JobFile::new().visit_column("visit_date", "{ column = \"visit_date\", format = \"%d.%m.%Y\" }");
    assert_eq!(values(&visits_with("visit_date", &["05.03.2024"]), &job, "visit_date"), ["2024-03-05"]);
    let job = JobFile::new().without(&["visit_date"]).and("[time]\ntimezone = \"Europe/Paris\"");
    let work = visits_with("started_at", &["2024-03-05T22:59:59Z", "2024-03-05T23:00:00Z", "2024-03-05 23:59"]);
    assert_eq!(values(&work, &job, "visit_date"), ["2024-03-05", "2024-03-06", "2024-03-05"]);
}

#[test]
fn a_column_that_is_not_there_is_2_and_names_the_nearest() {
    let work = Workdir::with_visits(1);
    let job = JobFile::new().visit_column("store_number", "\"store_cod\"");
    refused(&work, &job, &["store_cod", "did you mean", "\"store_code\"", "visits.csv"]);
    refused(&work, &JobFile::new().scene_column("scene_id", "\"scene\""), &["scenes", "\"scene\"", "scene_id"]);
    work.write("visits.csv", work.read("visits.csv").replace("visit_type,rep_email", "store_code,rep_email"));
    refused(&work, &JobFile::new().without(&["visit_type_id"]), &["store_code", "more than once"]);
}

#[test]
fn a_workbook_under_any_name_is_2_and_says_so() {
    let work = Workdir::with_visits(1);
    let workbook = [b"PK\x03\x04".as_slice(), &[0; 22], b"\x13\0\0\0[Content_Types].xml"].concat();
    for name in ["book.xlsx", "book.csv", "book.parquet", "book"] {
        work.write(name, &workbook);
        refused(&work, &JobFile::new().visits("path", &format!("\"{name}\"")), &[name, "Excel"]);
    }
}

#[test]
fn an_empty_file_is_2_and_a_header_alone_is_8() {
    let work = Workdir::with_visits(1);
    for nothing in ["", "\u{feff}"] {
        work.write("visits.csv", nothing);
        refused(&work, &JobFile::new(), &["visits.csv", "empty"]);
    }
    work.write("visits.csv", VISITS_HEADER);
    work.check(&JobFile::new()).0.ends_with(8);
    work.write("visits.csv", lines(VISITS_HEADER, &[visit(1)])).write("scenes.csv", "");
    refused(&work, &JobFile::new(), &["scenes.csv", "empty"]);
}

#[test]
fn text_goes_into_the_body_as_utf_8_with_control_characters_escaped() {
    let work = visits_with("store_code", &["日本 é \u{1f600} \u{7f}", "a/b\\c \u{1}\u{1f}"]);
    let found = bodies(&work, &JobFile::new().and("[check]\naccept = [\"invisible_character\"]"));
    assert!(found[0].contains("\"store_number\":\"日本 é \u{1f600} \u{7f}\""), "{}", found[0]);
    assert!(found[1].contains(r#""store_number":"a/b\\c \u0001\u001f""#), "{}", found[1]);
}

#[test]
fn scenes_keep_the_order_of_the_export_across_its_files() {
    let work = Workdir::with_visits(1);
    work.write("s/b.csv", lines(SCENES_HEADER, &["V1,S1,", "V1,S0,"]));
    work.write("s/a.csv", lines(SCENES_HEADER, &["V1,S9,", "V1,S8,"]));
    let job = JobFile::new().scenes("path", "\"s\"");
    let scenes = ["S9", "S8", "S1", "S0"].map(|scene| format!("{{\"scene_uid\":\"{}\"}}", scene_uid("V1", scene)));
    assert!(bodies(&work, &job)[0].ends_with(&format!("\"scenes\":[{}]}}", scenes.join(","))));
}

#[test]
fn halves_of_a_letter_in_two_rows_are_no_text() {
    let work = visits_with("store_code", &["Caf<", ">clair"]);
    let mut visits = work.read("visits.csv").into_bytes();
    for byte in &mut visits {
        *byte = match *byte {
            b'<' => 0xc3,
            b'>' => 0xa9,
            other => other,
        };
    }
    work.write("visits.csv", visits);
    work.check(&JobFile::new()).0.ends_with(4).says(&["Problems of 2 visits", "bad_text (2)"]);
}

#[test]
fn a_time_zone_cell_that_cannot_be_read_is_a_problem_and_not_the_jobs_zone() {
    let work = Workdir::new();
    let mut visits = b"visit_id,store_code,visit_date,started_at,ended_at,visit_type,rep_email,tz\n".to_vec();
    visits.extend_from_slice(b"V1,S1,2024-03-05,2024-03-05 08:00:00,,,,Europe/\xffParis\n");
    work.write("visits.csv", visits).write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1"]));
    let start = "{ column = \"started_at\", timezone_column = \"tz\" }";
    let job = JobFile::to("sandbox").visit_column("session_start_time", start).and("[time]\ntimezone = \"UTC\"");
    work.run(&job).ends_with(4);
    assert_eq!(work.results().of("V1")["error_code"], *"bad_text");
}

#[test]
fn a_field_of_a_scene_may_be_the_column_that_joins_it_to_its_visit() {
    let work = Workdir::with_visits(2);
    let job = JobFile::to("sandbox").to_string();
    work.write("job.toml", job.replace("scene_id = \"scene_id\"", "scene_id = \"visit_id\""));
    work.traxload(&["check", "job.toml", "--payloads", "p.jsonl"]).ends_with(0);
    assert!(work.read("p.jsonl").contains(&crate::harness::scene_uid("V1", "V1")));
}

#[test]
fn bodies_are_not_written_over_the_results() {
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to("sandbox")).ends_with(0);
    let results = work.read("results.csv");
    work.traxload(&["check", "job.toml", "--payloads", "results.csv"])
        .ends_with(2)
        .says(&["belongs to the job's results"]);
    assert_eq!(work.read("results.csv"), results);
}
