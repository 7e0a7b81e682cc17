//! `traxload init`: the job file that it makes of two exports, and what it asks rather than guesses.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, Workdir, gzip, lines};
use arrow::array::{
    ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray, StructArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field};
use parquet::arrow::ArrowWriter;
use std::sync::Arc;

/// `init` on these exports, written to `job.toml`.
#[track_caller]
fn init(work: &Workdir, visits: &str, scenes: &str) -> (Done, String) {
    let done = work.traxload_with(&["init", "--visits", visits, "--scenes", scenes, "-o", "job.toml"], &[]);
    let done = done.ends_with(0);
    assert_eq!(done.stdout, "");
    let job = work.read("job.toml");
    let same = work.traxload_with(&["init", "--visits", visits, "--scenes", scenes], &[]).ends_with(0);
    assert_eq!(same.stdout, job, "the same on standard output, every time");
    (done, job)
}

/// Runs `init` over an earlier job file.
#[track_caller]
fn init_anew(work: &Workdir, visits: &str, scenes: &str) -> (Done, String) {
    std::fs::remove_file(work.path("job.toml")).expect("an earlier one");
    init(work, visits, scenes)
}

/// Fails unless the job file is fine as it is and a run in the sandbox delivers everything.
#[track_caller]
fn passes(work: &Workdir) -> Vec<String> {
    let check = work.traxload_with(&["check", "job.toml", "--payloads", "bodies.jsonl"], &[]);
    check.ends_with(0);
    work.traxload_with(&["run", "job.toml"], &[]).ends_with(0);
    work.read("bodies.jsonl").lines().map(str::to_owned).collect()
}

/// The location of a text in the job file, as messages name it.
#[track_caller]
fn place(job: &str, text: &str) -> String {
    let line = job.lines().position(|line| line.starts_with(text));
    format!("job.toml:{}:", line.unwrap_or_else(|| panic!("no line {text:?} in {job}")) + 1)
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.expect("columns of one length");
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.into_inner().expect("in memory")
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[test]
fn well_named_exports_need_no_editing() {
    let work = Workdir::with_visits(20);
    let (done, job) = init(&work, "visits.csv", "scenes.csv");
    done.says(&["wrote job.toml. Next: traxload check job.toml"]);
    // The ids are of another project than those of the other tests.
    let fields = |body: &str| body.split("\"scenes\"").next().map(str::to_owned);
    assert_eq!(fields(&passes(&work)[0]), fields(&crate::harness::body(1)));
    insta::assert_snapshot!("well_named", job);
}

#[test]
fn other_english_names_are_known() {
    let work = Workdir::new();
    work.write("v.csv", "visitGuid,outlet,check_in,check_out,rep\ng-1,100,2024-03-05T08:00Z,2024-03-05T08:30Z,a@b.co\ng-2,101,2024-03-05T09:00Z,,a@b.co\n");
    work.write("s.csv", "photo_id,visitGuid,task\np1,g-1,T1\np2,g-1,T2\np3,g-2,T1\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    for line in [
        "visit_id           = \"visitGuid\"",
        "store_number       = \"outlet\"",
        "session_start_time = \"check_in\"",
        "session_end_time   = \"check_out\"",
        "email_address      = \"rep\"",
        "scene_id           = \"photo_id\"",
        "task_code          = \"task\"",
    ] {
        assert!(job.contains(line), "{line} is missing in {job}");
    }
    // No column holds the date, and no zone tells it.
    let place = place(&job, "timezone = \"?\"");
    done.says(&[&format!("question: {}", place.trim_end_matches(':'))]);
    let refused = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&[&place, "time zone is an open question", "Europe/Paris"]);
    work.write("job.toml", job.replace("timezone = \"?\"", "timezone = \"Europe/Lisbon\""));
    passes(&work);
}

#[test]
fn a_german_export_of_excel_is_read_as_it_is() {
    let work = Workdir::new();
    let visits = "Besuchsnummer;Filialnummer;Filialname;Datum;Beginn;Ende;Mitarbeiter;Besuchsart\r\n\
        B-1;0815;M\u{fc}ller;05.03.2024;05.03.2024 08:00;05.03.2024 08:30;j.gro\u{df}@example.de;1\r\n\
        B-2;0816;K\u{f6}hler;25.03.2024;25.03.2024 09:00;25.03.2024 09:30;j.gro\u{df}@example.de;2\r\n";
    let latin: Vec<u8> = visits.chars().map(|c| u8::try_from(u32::from(c)).expect("Latin")).collect();
    work.write("besuche.csv", latin);
    work.write("szenen.csv", "Foto-Nr.;Besuchsnummer;Aufgabe\r\nF1;B-1;Regal\r\nF2;B-2;Regal\r\n");
    let (done, job) = init(&work, "besuche.csv", "szenen.csv");
    done.says(&["question: job.toml:", "timezone: times carry no zone"]);
    insta::assert_snapshot!("german", job);
    work.write("job.toml", job.replace("timezone = \"?\"", "timezone = \"Europe/Berlin\""));
    let bodies = passes(&work);
    assert!(bodies[1].contains("\"visit_date\":\"2024-03-25\",\"session_start_time\":1711353600"), "{}", bodies[1]);
    assert!(bodies[1].contains("j.groß@example.de"), "{}", bodies[1]);
}

#[test]
fn a_date_of_which_day_and_month_could_change_places_is_asked_for() {
    let work = Workdir::new();
    work.write("visitas.csv", "id_visita|tienda|fecha|inicio|fin|correo|zona_horaria\nV1|100|03/04/2024|03/04/2024 08:00|03/04/2024 08:30|a@b.es|Europe/Madrid\n");
    work.write("escenas.csv", "id_escena|id_visita|tarea\nE1|V1|T1\n");
    let (done, job) = init(&work, "visitas.csv", "escenas.csv");
    insta::assert_snapshot!("spanish", job);
    // Three columns, one doubt, one question.
    let line = place(&job, "date_format");
    let questions: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("question: ")).collect();
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert!(questions[0].starts_with(&format!("question: {line} ")), "{questions:?} is not about {line}");
    assert!(questions[0].contains("day first or month first"), "{questions:?}");
    let refused = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&[&line, "open question", "\"%d/%m/%Y\" (day first) or \"%m/%d/%Y\" (month first)"]);
    work.write("job.toml", job.replace("date_format = \"?\"", "date_format = \"%d/%m/%Y\""));
    let bodies = passes(&work);
    assert!(bodies[0].contains("\"visit_date\":\"2024-04-03\",\"session_start_time\":1712124000"), "{}", bodies[0]);
}

#[test]
fn a_day_far_down_the_export_decides() {
    let work = Workdir::new();
    let row = |n: usize, day: &str| format!("V{n},100,{day} 08:00 +0000,{day}");
    let mut rows: Vec<String> = (0..30_000).map(|n| row(n, "03/04/2024")).collect();
    rows.push(row(30_000, "04/13/2024"));
    work.write("v.csv.gz", gzip(lines("visit_id,store,start,date", &rows)));
    let scenes: Vec<String> = (0..=30_000).map(|n| format!("S{n},V{n}")).collect();
    work.write("s.csv", lines("scene_id,visit_id", &scenes));
    let (done, job) = init(&work, "v.csv.gz", "s.csv");
    assert!(!done.stderr.contains("question"), "{}", done.stderr);
    assert!(job.contains("format = \"%m/%d/%Y %H:%M %z\"") && job.contains("format = \"%m/%d/%Y\""), "{job}");
    work.traxload_with(&["check", "job.toml"], &[]).ends_with(0);
}

#[test]
fn the_unit_of_epoch_times_is_told_by_their_size() {
    for (unit, zeros) in [("s", ""), ("ms", "000"), ("us", "000000"), ("ns", "000000000")] {
        let work = Workdir::new();
        let visits = format!(
            "visit_id,store_code,visit_date,start,end\nV1,1500000000,2024-03-05,1709625600{zeros},1709627400{zeros}\n"
        );
        work.write("v.csv", visits);
        work.write("s.csv", "visit_id,scene_id\nV1,S1\n");
        let (_, job) = init(&work, "v.csv", "s.csv");
        assert_eq!(job.contains(&format!("{{ column = \"start\", unit = \"{unit}\" }}")), unit != "s", "{job}");
        assert!(job.contains("store_number       = \"store_code\""), "{job}");
        assert!(passes(&work)[0].contains("\"session_start_time\":1709625600,\"session_end_time\":1709627400"));
    }
}

#[test]
fn typed_columns_of_parquet_need_no_format() {
    let work = Workdir::new();
    let start = TimestampMillisecondArray::from(vec![1_709_625_600_000, 1_709_629_200_000]).with_timezone("UTC");
    let inner: ArrayRef = Arc::new(Int64Array::from(vec![1, 2]));
    let nested = StructArray::from(vec![(Arc::new(Field::new("x", DataType::Int64, false)), inner)]);
    work.write(
        "visits.parquet",
        parquet(vec![
            ("visit_id", Arc::new(Int64Array::from(vec![41, 42]))),
            ("store_number", texts(&["100", "101"])),
            ("visit_date", Arc::new(Date32Array::from(vec![19_787, 19_787]))),
            ("start", Arc::new(start)),
            ("position", Arc::new(nested)),
        ]),
    );
    // CSV joins Parquet: the keys are the same as text.
    work.write("scenes.csv", "visit_id,scene_id\n41,S1\n42,S2\n");
    let (_, job) = init(&work, "visits.parquet", "scenes.csv");
    assert!(job.contains("# \"position\" cannot be used: it holds a structure of other columns"), "{job}");
    assert!(job.contains("session_start_time = \"start\" ") && !job.contains("?\""), "{job}");
    passes(&work);
    work.write("export.csv", std::fs::read(work.path("visits.parquet")).expect("written"));
    let misnamed = work.traxload_with(&["init", "--visits", "export.csv", "--scenes", "scenes.csv"], &[]).ends_with(0);
    assert!(misnamed.stdout.contains("format = \"parquet\""), "{}", misnamed.stdout);
}

#[test]
fn one_flat_export_fills_both_sections() {
    let work = Workdir::new();
    let rows = "V1,100,2024-03-05,2024-03-05T08:00:00Z,S1,T1\nV1,100,2024-03-05,2024-03-05T08:00:00Z,S2,T2\nV2,101,2024-03-05,2024-03-05T09:00:00Z,S3,T1\n";
    work.write("flat.csv", format!("visit_id,store,date,start,scene_id,task_code\n{rows}"));
    let (_, job) = init(&work, "flat.csv", "./flat.csv");
    assert!(job.contains("# one flat export"), "{job}");
    assert_eq!(passes(&work).len(), 2);
}

#[test]
fn the_joining_column_is_found_by_its_values() {
    let work = Workdir::new();
    // The row numbers are unique, too, and so are those of the scenes; `belongs` is called like nothing.
    let visits: Vec<String> =
        (0..50).map(|n| format!("{n},X{:03},{},2024-03-05,2024-03-05T08:00:00Z", n * 7, n % 5)).collect();
    work.write("v.csv", lines("row,reference,store,date,start", &visits));
    let scenes: Vec<String> = (0..120).map(|n| format!("{n},X{:03},T{}", n % 48 * 7, n % 3)).collect();
    work.write("s.csv", lines("id,belongs,task", &scenes));
    let (_, job) = init(&work, "v.csv", "s.csv");
    assert!(
        job.contains("visit_id           = \"reference\"") && job.contains("visit_id           = \"belongs\""),
        "{job}"
    );
    assert!(
        job.contains("# 48 of its 48 values (100%) are in \"reference\" of the visits, of whose values 96%"),
        "{job}"
    );
    assert!(job.contains("scene_id           = \"id\""), "{job}");
    work.traxload_with(&["check", "job.toml"], &[]).ends_with(3).says(&["no_scenes (2)"]);
}

#[test]
fn exports_that_share_no_key_are_told_and_asked_about() {
    let work = Workdir::with_visits(3);
    work.write("scenes.csv", "visit_id,scene_id,task_code\nW1,S1,T1\nW2,S2,T1\n");
    let (done, job) = init(&work, "visits.csv", "scenes.csv");
    let why = "both exports have visit_id but share no value; do they cover the same days?";
    done.says(&["question: job.toml:", why]);
    assert!(job.contains(why), "{job}");
    assert!(job.contains("visit_id           = \"?\""), "{job}");
    let refused = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&["which column is visit_id is an open question"]);
}

#[test]
fn what_nothing_tells_is_asked_for_field_by_field() {
    let work = Workdir::new();
    // Times of day, without their days, and no store.
    work.write("v.csv", "Besuch;Beginn;Ende;Wert\nB1;08:15;08:45;7\n");
    work.write("s.csv", "Szene;Besuch\nS1;B1\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    let done = done.says(&[
        "store_number: no column has the name of a store's number",
        "\"Beginn\" holds times of day without a date",
    ]);
    assert!(!done.stderr.contains("timezone"), "{}", done.stderr);
    assert!(job.contains("# It may be \"Wert\"\n"), "{job}");
    assert!(job.contains("# session_end_time is left out: \"Ende\" holds times of day"), "{job}");
    let refused = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&[&place(&job, "store_number"), &place(&job, "session_start_time")]);
}

#[test]
fn headers_that_mean_harm_are_only_text() {
    let work = Workdir::new();
    let nasty = "visit \"id\"\n[api]\nbase_url = \"https://evil\" \\ # \u{202e}é";
    let cell = format!("\"{}\"", nasty.replace('"', "\"\""));
    work.write(
        "v.csv",
        format!("{cell},store,date,start,\"=cmd()\"\nV1,100,2024-03-05,2024-03-05T08:00:00Z,\"x\ny\"\n"),
    );
    work.write("s.csv", format!("scene_id,{cell},?\nS1,V1,\"a\n]b\"\n"));
    let (_, job) = init(&work, "v.csv", "s.csv");
    let table: toml::Table = job.parse().expect("TOML");
    assert_eq!(table["visits"]["columns"]["visit_id"].as_str(), Some(nasty));
    assert_eq!(table["scenes"]["columns"]["visit_id"].as_str(), Some(nasty));
    assert_eq!(table["api"]["base_url"].as_str(), Some("sandbox"));
    passes(&work);
}

#[test]
fn a_column_called_by_the_mark_of_questions_can_still_be_named() {
    let work = Workdir::new();
    work.write(
        "v.csv",
        "?,store,date,start\nV1,100,2024-03-05,2024-03-05T08:00:00Z\nV2,100,2024-03-05,2024-03-05T08:00:00Z\n",
    );
    work.write("s.csv", "scene_id,?\nS1,V1\nS2,V2\n");
    let (_, job) = init(&work, "v.csv", "s.csv");
    assert!(job.contains("visit_id           = { column = \"?\" }"), "{job}");
    passes(&work);
}

#[test]
fn dialects_are_written_down_only_where_they_are_not_the_usual_one() {
    let rows =
        "visit_id;store;date;start\nV1;100;2024-03-05;2024-03-05T08:00:00Z\nV2;\\N;2024-03-05;2024-03-05T08:00:00Z\n";
    let scenes = "scene_id;visit_id\nS1;V1\nS2;V2\n";
    let utf16 = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let marked = |text: &str| [vec![0xff, 0xfe], utf16(text)].concat();
    for (visits, says, says_not) in [
        (rows.as_bytes().to_vec(), "delimiter = \";\"", "encoding"),
        (rows.replace(';', "\t").into_bytes(), "delimiter = \"\\t\"", "encoding"),
        (format!("\u{feff}{rows}").into_bytes(), "delimiter = \";\"", "encoding"),
        (format!("sep=;\r\n{rows}").into_bytes(), "(sep=;)", "delimiter ="),
        (marked(rows), "delimiter = \";\"", "encoding"),
        (utf16(rows), "encoding = \"utf-16le\"", "windows"),
    ] {
        let work = Workdir::new();
        work.write("v.csv", visits);
        work.write("s.csv", scenes);
        let (_, job) = init(&work, "v.csv", "s.csv");
        let visits = job.split("[scenes]").next().expect("a section");
        assert!(visits.contains(says) && !visits.contains(says_not), "{says}: {job}");
        assert!(visits.contains("null_values = [\"\", \"\\\\N\"]"), "{job}");
        work.traxload_with(&["check", "job.toml"], &[]).ends_with(3).says(&["missing_field (1)"]);
    }
}

#[test]
fn a_folder_is_looked_into_evenly() {
    let work = Workdir::new();
    for day in 1..=28 {
        work.write(
            &format!("v/day={day:02}/p.csv"),
            format!("visit_id,store,start\nV{day},100,{day:02}/03/2024 08:00Z\n"),
        );
    }
    work.write("v/_SUCCESS", "");
    let scenes: Vec<String> = (1..=28).map(|n| format!("S{n},V{n}")).collect();
    work.write("s/2024-03-05/scenes.csv", lines("scene_id,visit_id", &scenes));
    let (_, job) = init(&work, "v", "s/*/*.csv");
    assert!(job.contains("format = \"%d/%m/%Y %H:%M %#z\"") && job.contains("# 28 files"), "{job}");
    work.write("job.toml", job.replace("\"?\"", "\"UTC\""));
    passes(&work);
}

#[test]
fn exports_without_rows_are_told_by_names_alone() {
    let work = Workdir::with_rows::<&str>(&[], &[]);
    let (done, job) = init(&work, "visits.csv", "scenes.csv");
    done.says(&["there are no rows"]);
    assert!(job.contains("session_start_time = \"started_at\""), "{job}");
    work.traxload_with(&["check", "job.toml"], &[]).ends_with(8);
}

#[test]
fn what_cannot_be_looked_at_ends_with_2() {
    let work = Workdir::with_visits(1);
    work.write("empty.csv", "");
    work.write("book.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on");
    work.write("torn.csv.gz", &gzip("visit_id,store\n".repeat(1000))[..20]);
    work.write("torn.parquet", "PAR1");
    for (export, says) in [
        ("missing.csv", "cannot open missing.csv"),
        ("*.tsv", "no file matches"),
        ("empty.csv", "empty.csv is empty"),
        ("book.csv", "is an Excel workbook"),
        ("torn.csv.gz", "torn.csv.gz cannot be read to its end"),
        ("torn.parquet", "not a complete Parquet file"),
    ] {
        let done = work.traxload_with(&["init", "--visits", export, "--scenes", "scenes.csv", "-o", "job.toml"], &[]);
        let done = done.ends_with(2).says(&[says]);
        assert!(done.stdout.is_empty() && !work.exists("job.toml"));
    }
}

#[test]
fn nothing_is_replaced_without_being_told_to_and_an_export_never() {
    let work = Workdir::with_visits(1);
    let args = ["init", "--visits", "visits.csv", "--scenes", "scenes.csv", "-o"];
    let with = |more: &[&'static str]| work.traxload_with(&[&args, more].concat(), &[]);
    work.write("job.toml", "mine");
    with(&["job.toml"]).ends_with(2).says(&["job.toml is already there; --force replaces it"]);
    assert_eq!(work.read("job.toml"), "mine");
    with(&["job.toml", "--force"]).ends_with(0);
    passes(&work);
    let before = work.read("visits.csv");
    with(&["./visits.csv", "--force"]).ends_with(2).says(&["belongs to the exports"]);
    assert_eq!(work.read("visits.csv"), before);
    with(&["no/such/folder.toml"]).ends_with(2).says(&["cannot write no/such/folder.toml"]);
}

/// Visits and scenes with a row number of their own, which is all that they share.
fn numbered(key: &str, visits_say: &str, reference: &str, scenes_say: &str) -> Workdir {
    let work = Workdir::new();
    let visits: Vec<String> =
        (1..=40).map(|n| format!("{n},{visits_say}{},10{n},2026-11-23T08:00:00Z,2026-11-23", n * 7)).collect();
    work.write("v.csv", lines(&format!("id,{key},store,start,date"), &visits));
    let scenes: Vec<String> = (1..=90).map(|n| format!("{n},{scenes_say}{},T1", n % 40 * 7 + 7)).collect();
    work.write("s.csv", lines(&format!("id,{reference},task"), &scenes));
    work
}

#[test]
fn running_numbers_never_join_exports_of_other_days() {
    for (key, reference) in [("visit_id", "visit_id"), ("VisitID", "visit"), ("besuch_nr", "besuch_nr")] {
        let work = numbered(key, "V", reference, "W");
        let (done, job) = init(&work, "v.csv", "s.csv");
        done.says(&["question: job.toml:", "share no value; do they cover the same days?"]);
        assert!(job.contains("visit_id           = \"?\""), "{job}");
        // The right one is still the first answer that is offered.
        assert!(job.contains(&format!("# It may be \"{reference}\"")), "{job}");
        work.traxload_with(&["check", "job.toml"], &[]).ends_with(2).says(&["which column is visit_id"]);
    }
    // Where they cover the same days, the keys decide, whatever the row numbers share.
    let (_, job) = init(&numbered("VisitID", "V", "visit", "V"), "v.csv", "s.csv");
    assert!(
        job.contains("visit_id           = \"VisitID\"") && job.contains("visit_id           = \"visit\""),
        "{job}"
    );
}

#[test]
fn running_numbers_join_where_names_speak_for_it() {
    let visits: Vec<String> = (1..=40).map(|n| format!("{n},10{n},2026-11-23T08:00:00Z,2026-11-23")).collect();
    let scenes: Vec<String> = (1..=90).map(|n| format!("{n},{},T1", n % 40 + 1)).collect();
    for (reference, is_told) in [("visit_id", true), ("parent", false)] {
        let work = Workdir::new();
        work.write("v.csv", lines("id,store,start,date", &visits));
        work.write("s.csv", lines(&format!("id,{reference},task"), &scenes));
        let (done, job) = init(&work, "v.csv", "s.csv");
        assert_eq!(job.contains(&format!("visit_id           = \"{reference}\"")), is_told, "{job}");
        assert_eq!(done.stderr.contains("question"), !is_told, "{}", done.stderr);
        assert_eq!(job.contains("(visits = scenes) \"id\" = \"parent\""), !is_told, "{job}");
    }
}

#[test]
fn keys_of_the_same_name_that_share_too_little_are_asked_about() {
    let visits: Vec<String> = (0..100).map(|n| format!("V{n},10{n},2026-11-23T08:00:00Z,2026-11-23")).collect();
    // The scenes begin so many visits later, and end so many later.
    for (later, is_told) in [(0, true), (5, true), (6, false), (60, false)] {
        let work = Workdir::new();
        work.write("v.csv", lines("visit_id,store,start,date", &visits));
        let scenes: Vec<String> = (0..200).map(|n| format!("S{n},V{},T1", n % 100 + later)).collect();
        work.write("s.csv", lines("scene_id,visit_id,task", &scenes));
        let (done, job) = init(&work, "v.csv", "s.csv");
        assert_eq!(!done.stderr.contains("question"), is_told, "{}", done.stderr);
        if !is_told {
            let shared = format!("only {}% of the scenes' values are among the visits'", 100 - later);
            done.says(&["both exports have visit_id but", &shared, "do they cover the same days?"]);
            assert!(job.contains("# It may be \"visit_id\""), "{job}");
        }
    }
}

#[test]
fn a_better_pair_without_a_name_does_not_outvote_the_names() {
    let work = Workdir::new();
    let visits: Vec<String> =
        (1..=20).map(|n| format!("V{n},X{n}-{n},10{n},2026-11-23T08:00:00Z,2026-11-23")).collect();
    work.write("v.csv", lines("visit_id,ref,store,start,date", &visits));
    let scenes: Vec<String> = (1..=40).map(|n| format!("S{n},U{n},X{0}-{0}", n % 20 + 1)).collect();
    work.write("s.csv", lines("scene_id,visit_id,belongs", &scenes));
    let (done, job) = init(&work, "v.csv", "s.csv");
    done.says(&["both exports have visit_id but share no value"]);
    assert!(job.contains("(visits = scenes) \"ref\" = \"belongs\""), "{job}");
}

#[test]
fn with_dots_the_day_comes_first_and_there_is_no_question() {
    let work = Workdir::new();
    work.write("v.csv", "Besuch;Filiale;Datum;Beginn;Zeitzone\nB1;1;03.04.2026;03.04.2026 08:00;Europe/Berlin\n");
    work.write("s.csv", "Foto;Besuch\nF1;B1\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    assert!(!done.stderr.contains("question") && job.contains("format = \"%d.%m.%Y\""), "{job}");
    assert!(passes(&work)[0].contains("\"visit_date\":\"2026-04-03\""));
}

#[test]
fn what_one_column_says_of_day_and_month_holds_for_the_others() {
    let work = Workdir::new();
    let rows = ["V1,1,03/04/2026 08:00 +0000,03/25/2026", "V2,1,03/05/2026 08:00 +0000,"];
    work.write("v.csv", lines("visit_id,store,start,date", &rows));
    work.write("s.csv", "visit_id,scene_id\nV1,S1\nV2,S2\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    assert!(!done.stderr.contains("question"), "{}", done.stderr);
    assert!(job.contains("format = \"%m/%d/%Y %H:%M %z\" }") && job.contains("month first as in \"date\""), "{job}");
}

#[test]
fn a_start_beyond_doubt_tells_day_and_month_of_the_date() {
    for (start, is_told) in [("2026-04-03T08:00:00Z", true), ("1775203200", true), ("2026-06-20T08:00:00Z", false)] {
        let work = Workdir::new();
        work.write("v.csv", format!("visit_id,store,start,date\nV1,1,{start},03/04/2026\nV2,1,{start},\n"));
        work.write("s.csv", "visit_id,scene_id\nV1,S1\nV2,S2\n");
        let (_, job) = init(&work, "v.csv", "s.csv");
        assert_eq!(job.contains("format = \"%d/%m/%Y\" }"), is_told, "{job}");
        assert_eq!(job.contains("day first as in \"start\""), is_told, "{job}");
        assert_eq!(job.contains("format = \"?\""), !is_told, "{job}");
    }
}

#[test]
fn a_folder_of_a_day_is_the_visits_date_where_it_is_that_of_the_start() {
    for (second, is_told) in [("2026-11-23", true), ("2026-11-24", false)] {
        let work = Workdir::new();
        for (n, folder, day) in [(1, "2026-11-22", "2026-11-22"), (2, second, "2026-11-23")] {
            let rows = format!("visit_id,store,start\nV{n},1,{day}T08:00:00Z\n");
            work.write(&format!("v/dt={folder}/hour=08/part.csv"), rows);
        }
        work.write("s.csv", "visit_id,scene_id\nV1,S1\nV2,S2\n");
        let (_, job) = init(&work, "v", "s.csv");
        assert_eq!(job.contains("visit_date         = \"dt\""), is_told, "{job}");
        assert_eq!(job.contains("timezone = \"?\""), !is_told, "{job}");
        assert!(!job.contains("could also be"), "{job}");
    }
}

#[test]
fn the_key_of_a_flat_export_is_told_by_what_depends_on_it() {
    let work = Workdir::new();
    let row = |visit: usize, scene: usize| {
        let (store, rep) = (visit % 3, visit % 2);
        format!(
            "{},{visit},9{store},2026-11-23T08:{visit:02}:00Z,r{rep}@x.fr,P{visit}-{scene},T{scene}",
            visit * 9 + scene
        )
    };
    let rows: Vec<String> = (10..24).flat_map(|visit| (1..=3).map(move |scene| row(visit, scene))).collect();
    work.write("flat.csv", lines("n,passage,magasin,debut,courriel,photo,tache", &rows));
    let (_, job) = init(&work, "flat.csv", "flat.csv");
    assert!(job.contains("visit_id           = \"passage\""), "{job}");
    assert!(
        job.contains("scene_id           = \"photo\"") && job.contains("# told by its values: store and start"),
        "{job}"
    );
    work.write("job.toml", job.replace("timezone = \"?\"", "timezone = \"Europe/Paris\""));
    assert_eq!(passes(&work).len(), 14);
}

#[test]
fn a_map_that_was_drafted_is_refused_until_it_is_filled_in() {
    let work = Workdir::with_visits(2);
    work.write("visits.csv", work.read("visits.csv").replacen(",801,", ",Weekly,", 1).replace(",801,", ",Monthly,"));
    let (_, job) = init(&work, "visits.csv", "scenes.csv");
    let draft = "# visit_type_id = { column = \"visit_type\", map = { \"Monthly\" = \"?\", \"Weekly\" = \"?\" } }";
    assert!(job.contains(draft), "{job}");
    work.write("job.toml", job.replace(draft, &draft[2..]));
    let refused = work.traxload_with(&["check", "job.toml"], &[]).ends_with(2);
    refused.says(&["job.toml:", "what \"Monthly\", \"Weekly\" stand for is an open question", "visit_type_id"]);
    work.write("job.toml", job.replace(draft, &draft[2..].replace("\"?\"", "801")));
    passes(&work);
}

#[test]
fn questions_are_told_in_the_order_of_the_file() {
    let work = Workdir::new();
    work.write("v.csv", "visit_id,date,start\nV1,03/04/2026,03/04/2026 08:00\n");
    work.write("s.csv", "visit_id,foto\nW1,F1\nW2,F1\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    let questions: Vec<&str> = done.stderr.lines().filter(|line| line.starts_with("question: ")).collect();
    let lines: Vec<usize> = questions
        .iter()
        .map(|line| line.split(':').nth(2).and_then(|line| line.parse().ok()).expect("a line"))
        .collect();
    let open: Vec<usize> =
        (1..).zip(job.lines()).filter(|(_, line)| line.contains("= \"?\"")).map(|(n, _)| n).collect();
    assert_eq!(lines, open, "{questions:?} of {job}");
    assert!(lines.len() >= 4, "{questions:?}");
}

#[test]
fn keys_that_are_written_in_two_ways_are_told_as_that() {
    for (key, reference, says) in [
        ("00012", "12", "pad = 5 puts zeros in front"),
        ("{5B2C9E1A-0000-4000-8000-00000000AB07}", "5b2c9e1a00004000800000000000ab07", "braces or hyphens of a UUID"),
        ("4711", "4711.0", "wrote job.toml. Next"),
    ] {
        let work = Workdir::new();
        work.write("v.csv", format!("visit_id,store,date,start\n{key},1,2026-11-23,2026-11-23T08:00:00Z\n"));
        work.write("s.csv", format!("visit_id,scene_id\n{reference},S1\n"));
        let (done, _) = init(&work, "v.csv", "s.csv");
        done.says(&[says]);
    }
}

#[test]
fn a_store_joins_nothing_however_many_values_it_shares() {
    let work = Workdir::new();
    let visits: Vec<String> = (1..=20).map(|n| format!("V{n},{},2026-11-23T08:00:00Z,2026-11-23", n * 37)).collect();
    work.write("v.csv", lines("visit_id,store_code,start,date", &visits));
    let scenes: Vec<String> = (1..=40).map(|n| format!("S{n},{},T1", (n % 20 + 1) * 37)).collect();
    work.write("s.csv", lines("scene_id,store_code,task", &scenes));
    let (done, job) = init(&work, "v.csv", "s.csv");
    done.says(&["question: job.toml:", "visit_id: no column of the scenes holds"]);
    assert!(job.contains("(visits = scenes) \"store_code\" = \"store_code\""), "{job}");
}

#[test]
fn a_title_above_the_header_is_noticed() {
    let work = Workdir::with_visits(5);
    work.write("v.csv", format!("Visits of the week\n\n{}", work.read("visits.csv")));
    let (done, job) = init(&work, "v.csv", "scenes.csv");
    assert!(job.contains("skip = 2 ") && !done.stderr.contains("there are no rows"), "{job}{}", done.stderr);
    passes(&work);
}

#[test]
fn what_no_column_of_a_flat_export_tells_is_explained_once() {
    let work = Workdir::new();
    let rows: Vec<String> = (1..20).map(|n| format!("{n},{},2026-11-23,08:1{}", n / 4, n / 4)).collect();
    work.write("flat.csv", lines("id,store,day,Uhrzeit", &rows));
    let (done, job) = init(&work, "flat.csv", "flat.csv");
    done.says(&[
        "Store, time and person together may tell the visits apart",
        "the same column as under [visits.columns]",
    ]);
    assert!(job.contains("visit_id = { columns = [\"store\", \"day\", \"Uhrzeit\"], separator = \"-\" }"), "{job}");
    assert!(job.contains("It may be \"store\"") && job.contains("scene_id           = \"id\""), "{job}");
}

#[test]
fn an_export_without_a_header_is_noticed() {
    let work = Workdir::new();
    work.write("v.csv", "V1,101,2026-11-23T08:01:00Z,a1@x.de\nV2,102,2026-11-23T08:02:00Z,a2@x.de\n");
    work.write("s.csv", "V1,S1,T1\nV1,S2,T1\nV2,S3,T1\n");
    let (done, job) = init(&work, "v.csv", "s.csv");
    done.says(&["header: \"v.csv\" has no header line", "header: \"s.csv\" has no header line"]);
    assert!(job.contains("header = [\"column_1\", \"column_2\", \"column_3\"]"), "{job}");
    work.traxload_with(&["check", "job.toml"], &[]).ends_with(2).says(&["which column is store_number"]);
    let work = Workdir::with_visits(3);
    let (done, _) = init(&work, "visits.csv", "scenes.csv");
    assert!(!done.stderr.contains("first line"), "{}", done.stderr);
    // Two files put behind each other: the header is no row.
    work.write("twice.csv", work.read("visits.csv").repeat(2));
    let (done, _) = init_anew(&work, "twice.csv", "scenes.csv");
    assert!(!done.stderr.contains("question"), "{}", done.stderr);
    assert!(!done.stderr.contains("first line"), "{}", done.stderr);
}

#[test]
fn a_note_beside_the_exports_is_named_and_says_nothing_of_them() {
    let work = Workdir::new();
    for n in 1..=2 {
        work.write(
            &format!("v/part-{n}.csv"),
            format!("visit_id;store;date;start\nV{n};1;2026-11-23;2026-11-23T08:00:00Z\n"),
        );
    }
    work.write("v/README.txt", "These are the exports, of the week.\nCall us, or not.\n");
    work.write("s.csv", "visit_id,scene_id\nV1,S1\nV2,S2\n");
    let (done, job) = init(&work, "v", "s.csv");
    done.says(&["\"v/README.txt\" has none of the columns of the other files"]);
    assert!(job.contains("delimiter = \";\""), "{job}");
    let check = work.traxload_with(&["check", "job.toml"], &[]);
    check.ends_with(2).says(&["other_header: ", "v/README.txt has none of the columns that the job names"]);
}

#[test]
fn a_day_in_the_name_of_a_file_may_become_the_one_of_the_command_line() {
    let work = Workdir::with_visits(2);
    work.write("visits_2024-03-05.csv", work.read("visits.csv")).write("scenes_20240305.csv", work.read("scenes.csv"));
    let (_, job) = init(&work, "visits_2024-03-05.csv", "scenes_20240305.csv");
    assert!(
        job.contains("path = \"visits_{date}.csv\"") && job.contains("path = \"scenes_{date:%Y%m%d}.csv\""),
        "{job}"
    );
    work.write("job.toml", job.replace("path = \"visits_2024-03-05.csv\"", "path = \"visits_{date}.csv\""));
    work.traxload_with(&["check", "job.toml", "--date", "2024-03-05"], &[]).ends_with(0);
}
