//! Result files that are not as a run left them: links, pipes, and what spreadsheets make of them.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

mod harness;

use harness::{JobFile, Workdir};
use std::os::unix::fs::symlink;

#[test]
fn what_is_no_regular_file_is_refused_at_once_and_no_lock_is_left() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    work.shell("mkfifo pipe.csv journal.csv.partial manifest.csv.json").ends_with(0);
    symlink("pipe.csv", work.path("link.csv")).expect("a link");
    std::fs::create_dir(work.path("folder.csv")).expect("a folder");
    let before = work.listing(".");
    for (named, special) in [
        ("pipe.csv", "pipe.csv"),
        ("link.csv", "link.csv"),
        ("journal.csv", "journal.csv.partial"),
        ("journal.csv.partial", "journal.csv.partial"),
        ("manifest.csv", "manifest.csv.json"),
    ] {
        let says = format!("{special} is not a regular file");
        work.traxload(&["run", "job.toml", "--results", named]).ends_with(2).says(&[&says]);
        work.traxload(&["run", "job.toml", "--results", named, "--fresh"]).ends_with(2).says(&[&says]);
        work.traxload(&["rerun", named]).ends_with(2).says(&[&says]);
        work.traxload(&["report", named]).ends_with(2).says(&[&says]);
    }
    for args in [&["run", "job.toml", "--results", "folder.csv"] as &[&str], &["rerun", "folder.csv"]] {
        work.traxload(args).ends_with(2).says(&["folder.csv is a folder"]);
    }
    assert_eq!(work.listing("."), before);
}

#[test]
fn a_link_stays_and_the_file_it_points_at_is_written_read_and_moved_aside() {
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new()).write("archive/older.csv", "");
    symlink("archive/march.csv", work.path("results.csv")).expect("a link");
    let is_link = || work.path("results.csv").is_symlink();
    work.traxload(&["run", "job.toml"]).ends_with(0).says(&["result file: archive/march.csv"]);
    assert!(is_link(), "the link is replaced by a file");
    assert_eq!(work.listing("archive"), ["march.csv", "march.csv.json", "older.csv"]);
    assert_eq!(work.results().count("uploaded"), 2);
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["archive/march.csv is there already"]);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    work.traxload(&["report", "results.csv"]).ends_with(0).says(&["archive/march.csv.html"]);
    assert!(is_link());
    // Both names are of one file, so that a journal is found by either.
    std::fs::rename(work.path("archive/march.csv"), work.path("archive/march.csv.partial")).expect("renamed");
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(work.results().count("uploaded"), 2);
    work.traxload(&["run", "job.toml", "--fresh"])
        .ends_with(0)
        .says(&["the older result file is now archive/march.csv."]);
    assert!(is_link());
    assert_eq!(work.results().count("uploaded"), 2);
}
