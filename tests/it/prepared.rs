//! Prepared visits: what `prepare` leaves in a folder, and what `upload` takes from one.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, Gate, JobFile, Reply, ScriptedServer, TOKEN, Workdir, body, session_uid};
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int32Type};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const COLUMNS: &str =
    "visit_id,session_uid,store_number,visit_date,scenes,status,error_code,error,body,payload_sha256,source";
const PART: &str = "out/prepared-00000.parquet";

/// Valid visits, and one without a store.
fn work(valid: usize) -> Workdir {
    let work = Workdir::with_visits(valid);
    work.write("visits.csv", work.read("visits.csv") + "V9,,2024-03-05,2024-03-05T08:00:00Z,,,\n");
    work.write("scenes.csv", work.read("scenes.csv") + "V9,S9,T1\n");
    work
}

#[track_caller]
fn prepare(work: &Workdir, job: &JobFile) -> Done {
    work.job(job);
    work.traxload(&["prepare", "job.toml", "-o", "out", "--json"])
}

fn rows(work: &Workdir, name: &str) -> RecordBatch {
    let file = std::fs::File::open(work.path(name)).expect("a file");
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet").build().expect("readable");
    reader.next().expect("rows").expect("readable")
}

fn texts<'b>(rows: &'b RecordBatch, column: &str) -> Vec<Option<&'b str>> {
    rows.column_by_name(column).expect("a column").as_string::<i32>().iter().collect()
}

fn write(work: &Workdir, name: &str, rows: &RecordBatch) {
    let mut file = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut file, rows.schema(), None).expect("a writer");
    writer.write(rows).expect("in memory");
    writer.close().expect("in memory");
    work.write(name, file);
}

/// The rows with one cell of a column replaced. Whoever writes such a folder writes an empty `_SUCCESS`.
fn with_cell(rows: &RecordBatch, column: &str, at: usize, cell: Option<&str>) -> RecordBatch {
    let mut cells = texts(rows, column);
    cells[at] = cell;
    let array: ArrayRef = Arc::new(StringArray::from(cells));
    with_column(rows, column, array)
}

fn with_column(rows: &RecordBatch, column: &str, array: ArrayRef) -> RecordBatch {
    let schema = rows.schema();
    let columns = schema.fields().iter().zip(rows.columns()).map(|(field, known)| {
        (field.name().clone(), if field.name() == column { array.clone() } else { known.clone() }, true)
    });
    RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length")
}

/// What tells a row of a result file from others, whenever it was sent.
fn lasting(work: &Workdir) -> Vec<Vec<String>> {
    let columns = [
        "visit_id",
        "session_uid",
        "status",
        "error_code",
        "error",
        "store_number",
        "visit_date",
        "scenes",
        "payload_sha256",
        "source",
    ];
    let mut rows: Vec<Vec<String>> =
        work.results().rows.iter().map(|row| columns.iter().map(|column| row[*column].to_owned()).collect()).collect();
    rows.sort();
    rows
}

#[test]
fn a_folder_has_a_row_for_everything_that_would_be_a_result_row() {
    let work = work(2);
    let done = prepare(&work, &JobFile::new()).ends_with(3);
    let rows = rows(&work, PART);
    let schema = rows.schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names.join(","), COLUMNS);
    assert_eq!(texts(&rows, "visit_id"), [Some("V1"), Some("V2"), Some("V9")]);
    assert_eq!(texts(&rows, "session_uid")[0], Some(session_uid("V1").as_str()));
    assert_eq!(texts(&rows, "status"), [Some("prepared"), Some("prepared"), Some("invalid")]);
    assert_eq!(texts(&rows, "error_code"), [None, None, Some("missing_field")]);
    assert_eq!(texts(&rows, "body"), [Some(body(1).as_str()), Some(body(2).as_str()), None]);
    assert_eq!(texts(&rows, "store_number"), [Some("1001"), Some("1002"), None]);
    assert_eq!(texts(&rows, "source"), [Some("visits.csv:2"), Some("visits.csv:3"), Some("visits.csv:4")]);
    let scenes = rows.column_by_name("scenes").expect("a column").as_primitive::<Int32Type>();
    assert_eq!(scenes.values(), &[1, 1, 1]);

    // One hash for all files, as anybody can make it.
    let hex = |bytes: &[u8]| Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let file = hex(&std::fs::read(work.path(PART)).expect("a file"));
    let summary = done.json();
    let expected = hex(format!("prepared-00000.parquet {file}\n").as_bytes());
    assert_eq!(summary["prepared_sha256"], expected.as_str());
    assert_eq!((&summary["prepared"], &summary["invalid"], &summary["exit_code"]), (&2.into(), &1.into(), &3.into()));
    done.says(&[
        "2 visits prepared",
        "missing_field (1)",
        &format!("traxload upload job.toml out --expect {expected}"),
    ]);
}

#[test]
fn preparing_and_uploading_leaves_the_rows_of_a_run() {
    let work = work(3);
    let job = JobFile::new();
    work.run(&job).ends_with(3);
    let of_run = lasting(&work);
    let hash = prepare(&work, &job).ends_with(3).json()["prepared_sha256"].as_str().expect("a hash").to_owned();
    // Of the exports nothing is needed any more.
    for name in ["visits.csv", "scenes.csv", "results.csv", "results.csv.json"] {
        std::fs::remove_file(work.path(name)).expect("removed");
    }
    work.traxload(&["upload", "job.toml", "out", "--expect", &hash]).ends_with(3);
    assert_eq!(lasting(&work), of_run);
}

#[test]
fn what_was_signed_off_is_what_is_sent() {
    let work = Workdir::with_visits(30);
    let server = ScriptedServer::start(|_, _| Reply::ok());
    let job = JobFile::to(&server.url());
    let hash = prepare(&work, &job).ends_with(0).json()["prepared_sha256"].as_str().expect("a hash").to_owned();
    let sealed = std::fs::read(work.path(PART)).expect("a file");
    let send =
        |more: &[&str]| work.traxload_with(&[&["upload", "job.toml", "out"], more].concat(), &[("TRAX_TOKEN", TOKEN)]);

    let mut changed = sealed.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    work.write(PART, &changed);
    send(&["--expect", &hash]).ends_with(2).says(&["out is not the folder that was signed off", &hash]);
    // Its own _SUCCESS says so as well.
    send(&[]).ends_with(2).says(&["out is not as it was when it was written"]);
    work.write(PART, &sealed).write("out/prepared-00001.parquet", &sealed);
    send(&["--expect", &hash]).ends_with(2).says(&["one too many"]);
    std::fs::remove_file(work.path("out/prepared-00001.parquet")).expect("removed");
    work.write("out/_SUCCESS", "{\"prepared_sha256\":\"5e");
    send(&[]).ends_with(2).says(&["out/_SUCCESS cannot be read"]);
    std::fs::remove_file(work.path("out/_SUCCESS")).expect("removed");
    send(&["--expect", &hash]).ends_with(2).says(&["out has no _SUCCESS, so it is not complete"]);
    send(&["--results", "out/r.csv"]).ends_with(2).says(&["out/r.csv is, or lies in, what is read"]);
    assert!(server.requests().is_empty() && !work.exists("results.csv") && !work.exists("results.csv.partial"));

    // What lies beside the files is no part of them.
    work.write("out/_SUCCESS", "").write("out/SIGNED.pdf", "by Ann").write("out/.part.crc", "x");
    send(&["--expect", &hash]).ends_with(0).says(&["out holds 1 file beside the prepared visits, such as SIGNED.pdf"]);
    assert_eq!(server.requests().len(), 30);
    let sent = server.requests_for("V7");
    assert_eq!(sent[0].text(), body(7));
}

#[test]
fn a_row_that_does_not_hold_what_it_promises_keeps_all_others_back() {
    let work = work(3);
    let job = JobFile::new();
    prepare(&work, &job).ends_with(3);
    let sound = rows(&work, PART);
    work.write("out/_SUCCESS", "");
    let other_body = body(1).replace("1001", "1002");
    let cases: [(&str, usize, Option<&str>, &str); 9] = [
        ("body", 0, Some(&other_body), "its body does not fit its payload_sha256"),
        ("body", 0, None, "is prepared and has no body"),
        ("payload_sha256", 1, None, "its body does not fit its payload_sha256"),
        ("session_uid", 1, Some(&session_uid("V1")), "this job makes"),
        ("session_uid", 1, None, "has no session_uid"),
        ("visit_id", 2, Some("V03"), "this job makes"),
        ("visit_date", 0, Some("5 March"), "visit_date is \"5 March\", which is no day"),
        ("status", 3, Some("perhaps"), "status is \"perhaps\""),
        ("error_code", 3, Some("bad_luck"), "error_code is \"bad_luck\""),
    ];
    for (column, at, cell, told) in cases {
        write(&work, PART, &with_cell(&sound, column, at, cell));
        let place = format!("{PART}:{}: ", at + 1);
        work.traxload(&["upload", "job.toml", "out"]).ends_with(2).says(&[
            "1 row is not what it should be",
            &place,
            told,
        ]);
    }
    // The same visit twice, in two files.
    write(&work, PART, &sound);
    write(&work, "out/prepared-00001.parquet", &sound.slice(1, 1));
    let twice = work.traxload(&["upload", "job.toml", "out"]).ends_with(2);
    twice.says(&["out/prepared-00001.parquet:1: ", "of \"V2\" is prepared a second time"]);
    // Another project makes other ids.
    std::fs::remove_file(work.path("out/prepared-00001.parquet")).expect("removed");
    work.job(&job.clone().and("[ids]\nnamespace = \"6ba7b811-9dad-11d1-80b4-00c04fd430c8\""));
    work.traxload(&["upload", "job.toml", "out"]).ends_with(2).says(&["4 rows are not what they should be"]);
    assert!(!work.exists("results.csv"));
}

#[test]
fn a_folder_of_another_writer_is_taken_as_it_is() {
    let work = work(3);
    prepare(&work, &JobFile::new()).ends_with(3);
    let ours = rows(&work, PART);
    let spread = Workdir::new();
    spread.write("job.toml", JobFile::new().to_string());
    // Columns in another order, other types of text and number, several files, a name of Spark's.
    let mut columns: Vec<(String, ArrayRef, bool)> = Vec::new();
    for name in COLUMNS.split(',').rev() {
        let array = ours.column_by_name(name).expect("a column");
        let kind = if name == "scenes" { DataType::Int64 } else { DataType::LargeUtf8 };
        columns.push((name.to_owned(), cast(array, &kind).expect("arrow can"), true));
    }
    let theirs = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    write(&spread, "out/part-00000-7c.c000.snappy.parquet", &theirs.slice(2, 2));
    write(&spread, "out/part-00001-7c.c000.snappy.parquet", &theirs.slice(0, 2));
    spread.write("out/_SUCCESS", "").write("out/.part-00000-7c.c000.snappy.parquet.crc", "x");
    spread.traxload(&["upload", "job.toml", "out"]).ends_with(3);
    work.traxload(&["upload", "job.toml", "out"]).ends_with(3);
    assert_eq!(lasting(&spread), lasting(&work));
}

#[test]
fn too_many_invalid_visits_are_not_sent_from_a_folder_either() {
    let work = work(1);
    let few = JobFile::new().and("[check]\nmax_invalid = \"10%\"");
    let done = prepare(&work, &few).ends_with(4);
    assert!(done.json()["prepared_sha256"].is_null() && work.exists(PART) && !work.exists("out/_SUCCESS"));
    done.says(&["It is not to be sent, and has no _SUCCESS: 1 of 2 visits is invalid"]);
    // Of another job's share.
    work.job(&JobFile::new());
    work.traxload(&["prepare", "job.toml", "-o", "out", "--overwrite"]).ends_with(3);
    work.job(&few);
    work.traxload(&["upload", "job.toml", "out"]).ends_with(4);
    assert_eq!((work.results().count("invalid"), work.results().count("not_attempted")), (1, 1));
}

#[test]
fn a_folder_that_is_there_is_replaced_where_that_is_asked_for_and_it_is_ours() {
    let work = Workdir::with_visits(2);
    let job = JobFile::new();
    prepare(&work, &job).ends_with(0);
    let before = std::fs::read(work.path(PART)).expect("a file");
    prepare(&work, &job).ends_with(2).says(&["out is there already", "--overwrite"]);
    work.traxload(&["prepare", "job.toml", "-o", "out", "--overwrite"]).ends_with(0);
    assert_eq!(std::fs::read(work.path(PART)).expect("a file"), before, "the same bytes of the same visits");
    work.write("out/visits.parquet", "an export");
    let done = work.traxload(&["prepare", "job.toml", "-o", "out", "--overwrite"]).ends_with(2);
    done.says(&["out holds \"visits.parquet\", which `prepare` has not written"]);
    assert_eq!(work.read("out/visits.parquet"), "an export");
    // A file in the place of the folder, and a folder that is empty.
    work.traxload(&["prepare", "job.toml", "-o", "visits.csv"]).ends_with(2);
    std::fs::create_dir(work.path("empty")).expect("a folder");
    work.traxload(&["prepare", "job.toml", "-o", "empty"]).ends_with(0);
    // Exports are no prepared visits.
    work.write("exports/v.csv", work.read("visits.csv")).write("exports/_SUCCESS", "");
    work.traxload(&["upload", "job.toml", "exports"]).ends_with(2).says(&["exports has no Parquet file"]);
    let texts = RecordBatch::try_from_iter([("visit_id", Arc::new(StringArray::from(vec!["V1"])) as ArrayRef)]);
    write(&work, "exports/v.parquet", &texts.expect("a column"));
    work.traxload(&["upload", "job.toml", "exports"]).ends_with(2).says(&["holds something else than prepared visits"]);
    // One that broke off, and an address that nobody knows.
    std::fs::remove_file(work.path("empty/_SUCCESS")).expect("removed");
    work.traxload(&["prepare", "job.toml", "-o", "empty"]).ends_with(2).says(&["is not complete", "--overwrite"]);
    work.traxload(&["prepare", "job.toml", "-o", "http://x/y"]).ends_with(2).says(&["neither a folder here nor"]);
    // Exports that look wrong leave nothing, nor do exports without visits.
    work.write("scenes.csv", work.read("scenes.csv") + "V1\n");
    work.traxload(&["prepare", "job.toml", "-o", "other"]).ends_with(2).says(&["unreadable_scenes"]);
    work.write("visits.csv", work.read("visits.csv").lines().next().expect("a header").to_owned() + "\n");
    work.traxload(&["prepare", "job.toml", "-o", "other", "--accept", "unreadable_scenes"]).ends_with(8);
    assert!(!work.exists("other"));
}

#[test]
fn a_file_that_is_replaced_while_it_is_sent_sends_nothing_that_was_not_checked() {
    let work = Workdir::with_visits(40);
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, nth| match nth {
        0 => Reply::After(held.clone(), Box::new(Reply::ok())),
        _ => Reply::ok(),
    });
    let job = JobFile::to(&server.url()).upload("max_in_flight", "1");
    work.job(&job);
    work.traxload(&["prepare", "job.toml", "-o", "out"]).ends_with(0);
    // Many files: those at the end are read once more while those at the start are sent.
    let sound = rows(&work, PART);
    std::fs::remove_file(work.path(PART)).expect("removed");
    for n in 0..40 {
        write(&work, &format!("out/part-{n:02}.parquet"), &sound.slice(n, 1));
    }
    work.write("out/_SUCCESS", "");
    let sending = work.start_with(&["upload", "job.toml", "out"], &[("TRAX_TOKEN", TOKEN)]);
    server.wait_for(1);
    let other = body(40).replace("10040", "99999");
    let hash: String = Sha256::digest(other.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    let changed = with_cell(&with_cell(&sound.slice(39, 1), "body", 0, Some(&other)), "payload_sha256", 0, Some(&hash));
    write(&work, "out/new.tmp", &changed);
    std::fs::rename(work.path("out/new.tmp"), work.path("out/part-39.parquet")).expect("renamed");
    gate.open();
    let done = sending.finish().ends_with(1);
    done.says(&["Sending stopped there", "the same command goes on"]);
    assert!(server.requests_for("V40").iter().all(|request| request.text() == body(40)));
    assert!(work.exists("results.csv.partial") && !work.exists("results.csv"));
    // What was signed off is put back, and the same command goes on.
    write(&work, "out/part-39.parquet", &sound.slice(39, 1));
    work.traxload_with(&["upload", "job.toml", "out"], &[("TRAX_TOKEN", TOKEN)]).ends_with(0);
    assert_eq!(work.results().rows.len(), 40);
}

#[test]
fn a_journal_of_one_folder_is_not_taken_up_with_another_unless_that_is_asked_for() {
    let work = Workdir::with_visits(4);
    let is_up = Arc::new(AtomicBool::new(false));
    let up = is_up.clone();
    let server = ScriptedServer::start(move |_, _| if up.load(Ordering::SeqCst) { Reply::ok() } else { Reply::Stall });
    work.job(&JobFile::to(&server.url()));
    let token = [("TRAX_TOKEN", TOKEN)];
    work.traxload(&["prepare", "job.toml", "-o", "a"]).ends_with(0);
    work.traxload(&["prepare", "job.toml", "-o", "b", "--limit", "2"]).ends_with(0);
    let killed = work.start_with(&["upload", "job.toml", "a"], &token);
    server.wait_for(1);
    drop(killed);
    for other in [vec!["upload", "job.toml", "b"], vec!["run", "job.toml"]] {
        let done = work.traxload_with(&other, &token).ends_with(2);
        done.says(&["results.csv.partial is the journal of a run that did not end", "--continue"]);
    }
    // A copy of the same folder is the same.
    std::fs::create_dir(work.path("copy")).expect("a folder");
    for name in work.listing("a") {
        std::fs::copy(work.path(&format!("a/{name}")), work.path(&format!("copy/{name}"))).expect("copied");
    }
    is_up.store(true, Ordering::SeqCst);
    work.traxload_with(&["upload", "job.toml", "copy"], &token).ends_with(0).says(&["resuming"]);
    assert_eq!(work.results().count("uploaded"), 4);
}

#[test]
fn an_upload_is_taken_up_and_sent_again_as_a_run_is() {
    let work = work(8);
    let down = ScriptedServer::start(|request, _| match request.is_for("V3") {
        true => Reply::error(400, "Unknown Store"),
        false => Reply::ok(),
    });
    let job = JobFile::to(&down.url()).and("[ids]\nnamespace = \"6ba7b812-9dad-11d1-80b4-00c04fd430c8\"");
    let token = [("TRAX_TOKEN", TOKEN)];
    prepare(&work, &job).ends_with(3);
    let done = work.traxload_with(&["upload", "job.toml", "out"], &token).ends_with(3);
    done.says(&["prepare the visits again, in another folder, then run: traxload upload job.toml NEW_DIR"]);
    assert_eq!((work.results().count("uploaded"), work.results().count("rejected")), (7, 1));
    work.traxload_with(&["upload", "job.toml", "out"], &token)
        .ends_with(2)
        .says(&["is already there, from a finished run", "traxload upload job.toml out --continue"]);

    // The store was added at Trax: a rerun knows where its visits come from. Nothing else is sent.
    let sent = down.requests().len();
    work.traxload_with(&["rerun", "results.csv"], &token).ends_with(3);
    assert_eq!(down.requests().len(), sent + 1);
    // Corrected and prepared again, elsewhere.
    work.write("visits.csv", work.read("visits.csv").replace("V9,,", "V9,1009,"));
    work.traxload(&["prepare", "job.toml", "-o", "again"]).ends_with(0);
    work.traxload_with(&["upload", "job.toml", "again", "--continue"], &token).ends_with(3);
    assert_eq!(&work.results().of("V9")["status"], "uploaded");
    // What was delivered there is known to another result file.
    let elsewhere = ["upload", "job.toml", "again", "--results", "results-2.csv"];
    let before = down.requests().len();
    work.job(&job.and("[results]\npath = \"results-{time}.csv\"\nearlier = \"results*.csv\""));
    work.traxload_with(&elsewhere, &token).ends_with(3);
    assert_eq!(down.requests().len(), before + 1, "only what was rejected");
}

#[test]
fn one_bucket_of_many_is_prepared_without_the_exports_of_the_job() {
    let work = work(2);
    prepare(&work, &JobFile::new()).ends_with(3);
    let whole = rows(&work, PART);
    // What a cluster hands over: the rows of some keys, as Parquet. The job's own exports are elsewhere, and dated.
    let columns = |name: &str| -> Vec<(String, ArrayRef)> {
        let text = work.read(name);
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().expect("a header");
        let rows: Vec<Vec<&str>> = lines.collect();
        let column = |at: usize| {
            Arc::new(rows.iter().map(|row| Some(row[at]).filter(|cell| !cell.is_empty())).collect::<StringArray>())
        };
        header.iter().enumerate().map(|(at, name)| ((*name).to_owned(), column(at) as ArrayRef)).collect()
    };
    let visits = RecordBatch::try_from_iter_with_nullable(columns("visits.csv").into_iter().map(|(n, c)| (n, c, true)))
        .expect("rows");
    let scenes = RecordBatch::try_from_iter_with_nullable(columns("scenes.csv").into_iter().map(|(n, c)| (n, c, true)))
        .expect("rows");
    write(&work, "b/v.parquet", &visits.slice(2, 1));
    write(&work, "b/s.parquet", &scenes.slice(2, 1));
    let far = JobFile::new().exports("path", "\"s3://lake/{date}/visits.csv\"").exports("delimiter", "\";\"");
    let far = far.and("[check]\nmax_invalid = 0");
    work.job(&far);
    let bucket =
        ["prepare", "job.toml", "--bucket", "--visits", "b/v.parquet", "--scenes", "b/s.parquet", "-o", "b/out"];
    work.traxload(&bucket).ends_with(3);
    let part = rows(&work, "b/out/prepared-00000.parquet");
    assert_eq!(texts(&part, "error_code"), texts(&whole, "error_code")[2..]);
    // An empty one is fine.
    write(&work, "b/v.parquet", &visits.slice(0, 0));
    write(&work, "b/s.parquet", &scenes.slice(0, 0));
    work.traxload(&[&bucket[..], &["--overwrite"]].concat()).ends_with(0);
    assert!(work.exists("b/out/_SUCCESS"));
    // What a cluster has to know of the job. Where results go, and the token, play no part.
    work.job(&far.and("[results]\npath = \"results/{date}.csv\"").api("token_file", "\"secrets/{date}\""));
    work.traxload(&[&bucket[..], &["--overwrite"]].concat()).ends_with(0);
    let told = work.traxload(&["prepare", "job.toml", "--describe"]).ends_with(0).json();
    assert_eq!(
        (&told["visits"]["key"], &told["scenes"]["scene_id"]),
        (&serde_json::json!(["visit_id"]), &serde_json::json!(["scene_id"]))
    );
    assert_eq!(told["scenes"]["columns"], serde_json::json!(["visit_id", "scene_id", "task_code"]));
    assert_eq!(told["flat"], true, "both sections name one path");
}
