//! Folders as they lie around: what in them is an export, what is left out, and what is so probably a mistake that nothing
//! is sent.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{
    Done, JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, body, gzip, lines, visit,
};
use std::time::{Duration, SystemTime};

/// A folder `v` with three visits in two files, and `scenes.csv`.
fn in_a_folder() -> Workdir {
    let work = Workdir::with_visits(3);
    work.write("v/1.csv", lines(VISITS_HEADER, &[visit(1), visit(2)]));
    work.write("v/2.csv", lines(VISITS_HEADER, &[visit(3)]));
    work
}

fn job(path: &str) -> JobFile {
    JobFile::new().visits("path", &format!("\"{path}\""))
}

/// Fails unless these visits are read, and nothing is said.
#[track_caller]
fn quietly(work: &Workdir, job: &JobFile, visits: &[usize]) {
    // A faster one would be a warning.
    let (done, bodies) = work.check(&job.clone().upload("rate", "\"120/s\""));
    let done = done.ends_with(0);
    assert_eq!(bodies, visits.iter().map(|n| body(*n)).collect::<Vec<_>>(), "{}", done.stderr);
    assert!(!done.stderr.contains("warning"), "{}", done.stderr);
}

/// Fails unless a check is refused with these words. Returns what it says.
#[track_caller]
fn refused(work: &Workdir, job: &JobFile, says: &[&str]) -> String {
    work.check(job).0.ends_with(2).says(says).stderr
}

#[track_caller]
fn accepted(work: &Workdir, job: &JobFile, code: &str, visits: usize) -> Done {
    let (done, bodies) = work.check(&job.clone().and(&format!("[check]\naccept = [\"{code}\"]")));
    assert_eq!(bodies.len(), visits, "{}", done.stderr);
    done
}

fn aged(work: &Workdir, name: &str, age: Duration) {
    let file = std::fs::File::options().write(true).open(work.path(name)).expect("it is there");
    file.set_modified(SystemTime::now() - age).expect("a time");
}

#[test]
fn what_lies_beside_exports_is_left_out_without_a_word() {
    let work = in_a_folder();
    for name in [
        "_SUCCESS",
        ".1.csv.crc",
        "_temporary/0.csv",
        "1.csv.md5",
        "2.csv.SHA256",
        "SHA256SUMS",
        "md5sums.txt",
        "1.csv.asc",
        "export.log",
        "Thumbs.db",
        "desktop.ini",
        "README.md",
        "2.csv.sig",
    ] {
        work.write(&format!("v/{name}"), "these are no rows\n");
    }
    work.shell("mkfifo v/pipe.csv && cd v && ln -s . again && ln -s loop.csv loop.csv && ln -s ../v/1.csv same.csv")
        .ends_with(0);
    quietly(&work, &job("v"), &[1, 2, 3]);
    quietly(&work, &job("v/*"), &[1, 2, 3]);
    quietly(&work, &job("**/v/**"), &[1, 2, 3]);
    // A link to a file that is gone is an export that is missing.
    work.shell("ln -s gone.csv v/3.csv").ends_with(0);
    refused(&work, &job("v"), &["cannot open v/3.csv"]);
}

#[test]
fn backups_are_left_out_with_a_warning() {
    let work = in_a_folder();
    for name in ["1.csv~", "1.csv.bak", "2.csv.ORIG", "old.csv.old"] {
        work.write(&format!("v/{name}"), lines(VISITS_HEADER, &[visit(9)]));
    }
    let (done, bodies) = work.check(&job("v"));
    done.ends_with(0).says(&["left out, as backups: v/1.csv.bak, v/1.csv~, v/2.csv.ORIG, v/old.csv.old"]);
    assert_eq!(bodies.len(), 3);
    // A file that the job names is meant, and so is an ending that it names.
    work.write("v/1.csv.bak", work.read("visits.csv"));
    quietly(&work, &job("v/1.csv.bak"), &[1, 2, 3]);
    quietly(&work, &job("v/*.csv.bak"), &[1, 2, 3]);
}

#[test]
fn what_is_no_export_in_a_folder_is_a_suspicion_unless_the_job_says_the_format() {
    let work = in_a_folder();
    work.write("v/day3.xlsx", "PK").write("v/sub/scenes-2.csv.zip", "PK").write("v/notes.docx", "PK");
    let said = refused(&work, &job("v"), &["other_file: ", "v/day3.xlsx", "v/notes.docx", "v/sub/scenes-2.csv.zip"]);
    assert!(said.contains("--accept other_file") && said.contains("set `format`"), "{said}");
    accepted(&work, &job("v"), "other_file", 3).ends_with(0).says(&["accepted, other_file", "v/day3.xlsx"]);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    // A pattern leaves out what it does not match, and a list may name a file.
    quietly(&work, &job("v/*.csv"), &[1, 2, 3]);
    work.write("w/3.dat", work.read("v/2.csv")).write("w/1.DAT", work.read("v/1.csv"));
    refused(&work, &job("w"), &["other_file", "w/3.dat"]);
    quietly(&work, &job("w").visits("format", "\"csv\""), &[1, 2, 3]);
    work.write("x/all.dat", work.read("visits.csv"));
    quietly(&work, &job("x/*.dat"), &[1, 2, 3]);
    quietly(&work, &JobFile::new().visits("path", "[\"w/3.dat\", \"w/1.DAT\"]"), &[3, 1, 2]);
}

#[test]
fn endings_in_any_case_and_files_without_one_are_exports() {
    let work = Workdir::with_visits(4);
    let one = |n: usize, delimiter: &str| lines(VISITS_HEADER, &[visit(n)]).replace(',', delimiter);
    work.write("v/1.CSV.GZ", gzip(one(1, ","))).write("v/2.PSV", one(2, "|")).write("v/3.Tab", one(3, "\t"));
    work.write("v/part-00004", one(4, ","));
    quietly(&work, &job("v"), &[1, 2, 3, 4]);
    // What has no ending is known by its first bytes.
    let work = in_a_folder();
    work.write("v/archive", b"7z\xbc\xaf\x27\x1c\0\x04").write("v/000000_0.gz", gzip("%PDF-1.7\n"));
    refused(&work, &job("v"), &["other_file", "v/archive", "v/000000_0.gz"]);
    accepted(&work, &job("v"), "other_file", 3).ends_with(0);
}

#[test]
fn a_copy_under_way_is_a_suspicion_and_an_old_one_a_warning() {
    let work = in_a_folder();
    for name in ["3.csv.part", "4.csv.filepart", "5.csv._COPYING_", "6.csv.gz.crdownload", "7.TMP", "8.partial"] {
        work.write(&format!("v/{name}"), lines(VISITS_HEADER, &[visit(9)]));
    }
    let said = refused(&work, &job("v"), &["unfinished_file", "v/3.csv.part", "v/7.TMP", "… and 1 more"]);
    assert!(said.contains("--accept unfinished_file"), "{said}");
    accepted(&work, &job("v"), "unfinished_file", 3).ends_with(0).says(&["accepted, unfinished_file"]);
    for name in work.listing("v").iter().filter(|name| !name.ends_with(".csv")) {
        aged(&work, &format!("v/{name}"), Duration::from_secs(25 * 3600));
    }
    let (done, bodies) = work.check(&job("v"));
    done.ends_with(0).says(&["warning: left out, as copies left unfinished for more than a day: v/3.csv.part, "]);
    assert_eq!(bodies.len(), 3);
}

#[test]
fn a_pipe_as_a_path_is_refused_and_not_opened() {
    let work = Workdir::with_visits(1);
    work.shell("mkfifo pipe.csv").ends_with(0);
    refused(&work, &job("pipe.csv"), &["pipe.csv is not a regular file", "command = ["]);
    refused(&work, &job("/dev/null"), &["/dev/null is not a regular file"]);
    let done = work.shell("sed s,visits.csv,/dev/stdin, job.toml > in.toml; cat visits.csv | traxload check in.toml");
    done.ends_with(2).says(&["is not a regular file", "command"]);
}

#[test]
fn other_containers_are_named_with_a_way_on() {
    let work = Workdir::with_visits(1);
    let entry = |name: &str| {
        let length = u8::try_from(name.len()).expect("short");
        [b"PK\x03\x04".as_slice(), &[0; 22], &[length, 0, 0, 0], name.as_bytes()].concat()
    };
    let tar = [vec![0; 257], b"ustar\x0000".to_vec(), vec![0; 300]].concat();
    let utf32: Vec<u8> = "\u{feff}visit_id".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
    for (bytes, says) in [
        (entry("xl/workbook.xml"), "an Excel workbook, not CSV: save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec(), "an Excel workbook"),
        (
            entry("visits.csv"),
            "a zip archive, not CSV: unpack it, or in place of `path`: command = [\"unzip\", \"-p\", \"v.csv\"]",
        ),
        (b"BZh91AY&SY".to_vec(), "command = [\"bzip2\", \"-dc\", \"v.csv\"]"),
        (b"\xfd7zXZ\0\0".to_vec(), "command = [\"xz\", \"-dc\", \"v.csv\"]"),
        (tar.clone(), "a tar archive"),
        (gzip(tar), "a tar archive"),
        (b"Obj\x01\x04".to_vec(), "is Avro"),
        (b"ORC\x00\x00\x12".to_vec(), "is ORC"),
        (b"ARROW1\0\0".to_vec(), "is Arrow (Feather)"),
        (b"SQLite format 3\0".to_vec(), "an SQLite database"),
        (b"[{\"visit_id\": \"V1\"}]".to_vec(), "is JSON"),
        (b"{\"visit_id\": \"V1\"}\n{\"visit_id\": \"V2\"}\n".to_vec(), "read_json_auto('v.csv')"),
        (b"\n<!DOCTYPE html>\n<html><title>Log in</title>".to_vec(), "a login page"),
        (b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>".to_vec(), "is XML"),
        (b"%PDF-1.4".to_vec(), "a PDF document"),
        (b"7z\xbc\xaf\x27\x1c".to_vec(), "a 7z archive"),
        (b"Rar!\x1a\x07\x01".to_vec(), "a RAR archive"),
        (utf32, "text in UTF-32"),
    ] {
        work.write("v.csv", bytes);
        refused(&work, &job("v.csv"), &["v.csv is ", says]);
    }
    // What is honest CSV is read, whatever its first letters are.
    work.write("v.csv", format!("{{\"note\"}},[x],{VISITS_HEADER}\na,b,{}\n", visit(1)));
    quietly(&work, &job("v.csv"), &[1]);
    work.write("v.csv", gzip(work.read("visits.csv")));
    quietly(&work, &job("v.csv"), &[1]);
}

#[test]
fn a_renamed_column_and_one_that_every_row_needs_are_suspicions() {
    let work = Workdir::with_visits(2);
    work.write("s/1.csv", lines(SCENES_HEADER, &["V1,S1,T1"]));
    work.write("s/2.csv", lines("visit_id,scene_id,Task", &["V2,S2,T1"]));
    let job = JobFile::new().scenes("path", "\"s\"");
    let pair = "s/2.csv has no column \"task_code\", and has \"Task\", which the others do not have";
    refused(&work, &job, &["other_header", pair]);
    accepted(&work, &job, "other_header", 2).ends_with(0).says(&["accepted, other_header"]);
    work.write("s/2.csv", lines("visit_id,task_code", &["V2,T1"]));
    refused(&work, &job, &["other_header", "s/2.csv has no column \"scene_id\""]);
    work.write("s/2.csv", "Ask Joe about these.\n");
    refused(&work, &job, &["s/2.csv has none of the columns that the job names"]);
    // The nearest that is right: a part of the export that knows no task, in another order.
    work.write("s/2.csv", lines("scene_id,visit_id", &["S2,V2"]));
    let (done, bodies) = work.check(&job);
    done.ends_with(0).says(&["warning: s/2.csv has no column \"task_code\"; the cells of its 1 row count as empty"]);
    assert_eq!(bodies.len(), 2);
    // A column of its own that nobody needs.
    work.write("s/2.csv", lines("visit_id,scene_id,task_code,note", &["V2,S2,T1,x"]));
    quietly(&work, &job, &[1, 2]);
}

#[test]
fn a_flat_export_is_looked_at_for_the_columns_of_both_sections() {
    let work = Workdir::new();
    let header = format!("{VISITS_HEADER},scene_id,");
    work.write("f/1.csv", lines(&format!("{header}task_code"), &[format!("{},S1,T1", visit(1))]));
    work.write("f/2.csv", lines(&format!("{header}task"), &[format!("{},S2,T1", visit(2))]));
    let job = JobFile::new().exports("path", "\"f\"");
    refused(&work, &job, &["other_header", "f/2.csv has no column \"task_code\", and has \"task\""]);
}

#[test]
fn tables_of_table_formats_are_refused_also_from_within() {
    let work = in_a_folder();
    work.write("delta/_delta_log/00000000000000000000.json", "{}").write("delta/y=1/m=2/1.csv", work.read("v/1.csv"));
    for path in ["delta", "delta/y=1", "delta/*/*/*.csv", "delta/y=1/m=2", ".", "*"] {
        let said = refused(&work, &job(path), &["belongs to a Delta table", "command = ["]);
        assert!(path != "delta" || said.contains("delta_scan('delta')"), "{said}");
    }
    work.write("delta/y=1/m=2/d=3/h=4/1.csv", work.read("v/1.csv")).write("delta/y=1/m=2/d=3/h=4/1.parquet", "PAR1");
    for path in ["delta/y=1/m=2/d=3", "delta/y=1/m=2/d=3/h=4", "delta/y=1/m=2/d=3/h=4/1.parquet"] {
        refused(&work, &job(path), &["belongs to a Delta table", "/delta')"]);
    }
    // A file that is named and is none of a table's.
    work.check(&job("delta/y=1/m=2/d=3/h=4/1.csv")).0.ends_with(0);
    std::fs::remove_dir_all(work.path("delta")).expect("removed");
    work.write("ice/metadata/v1.metadata.json", "{}").write("ice/data/1.csv", work.read("v/1.csv"));
    refused(&work, &job("ice/data"), &["belongs to an Iceberg table", "iceberg_scan('", "/ice')"]);
    std::fs::remove_dir_all(work.path("ice")).expect("removed");
    work.write("hudi/.hoodie/hoodie.properties", "").write("hudi/1.csv", work.read("v/1.csv"));
    work.write("hudi/2024/03/05/1.csv", work.read("v/1.csv"));
    for path in ["hudi/*.csv", "hudi/2024/03/05"] {
        refused(&work, &job(path), &["belongs to a Hudi table"]);
    }
    std::fs::remove_dir_all(work.path("hudi")).expect("removed");
    // A folder that is called so, and is none.
    work.write("v/metadata/notes.md", "").write("v/delta_log/README.md", "");
    quietly(&work, &job("v"), &[1, 2, 3]);
}

#[test]
fn a_file_that_changes_again_while_it_settles_is_not_sent() {
    let server = ScriptedServer::start(|_, _| Reply::ok());
    let work = in_a_folder();
    let job = JobFile::to(&server.url()).visits("path", "\"v\"").visits("settle", "\"3s\"");
    work.job(&job);
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("looking at it again in");
    work.write("v/2.csv", lines(VISITS_HEADER, &[visit(3), visit(3)]));
    run.finish().ends_with(2).says(&["unfinished_file", "v/2.csv", "still being written"]);
    assert_eq!(server.requests().len(), 0);
    assert!(!work.exists("results.csv"));
    // A check warns and does not wait.
    let touch = || work.write("v/2.csv", lines(VISITS_HEADER, &[visit(3)]));
    touch();
    work.traxload(&["check", "job.toml"])
        .ends_with(0)
        .says(&["warning: v/2.csv has just been changed; is it complete?"]);
    // A signal ends the wait.
    touch();
    let mut run = work.start(&["run", "job.toml"]);
    run.wait_for("looking at it again in");
    run.signal("INT");
    run.finish().ends_with(130);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn what_has_settled_is_sent_without_a_wait() {
    let server = ScriptedServer::start(|_, _| Reply::ok());
    let work = in_a_folder();
    for name in ["v/1.csv", "v/2.csv", "scenes.csv"] {
        aged(&work, name, Duration::from_secs(60));
    }
    let job = JobFile::to(&server.url()).visits("path", "\"v\"").exports("settle", "\"50s\"");
    let done = work.run(&job).ends_with(0);
    assert!(!done.stderr.contains("looking at it again"), "{}", done.stderr);
    // A time in the future is none to count from.
    aged(&work, "scenes.csv", Duration::from_secs(60));
    let file = std::fs::File::options().write(true).open(work.path("v/1.csv")).expect("it is there");
    file.set_modified(SystemTime::now() + Duration::from_secs(3600)).expect("a time");
    work.job(&job.exports("settle", "\"300ms\""));
    work.traxload(&["run", "job.toml", "--fresh"])
        .ends_with(0)
        .says(&["v/1.csv has just been changed: looking at it again"]);
}
