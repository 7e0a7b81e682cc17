//! What does not fit the memory for grouping goes through temporary files, and the results do not show it.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use crate::harness::{JobFile, SCENES_HEADER, VISITS_HEADER, Workdir, lines};
use std::collections::BTreeSet;

const VISITS: usize = 6_000;

/// Shuffled scenes, and a little of everything that grouping has to tell apart: identical and differing duplicates, orphans,
/// visits without a key, undecodable cells, rows with too many cells.
fn exports() -> Workdir {
    let work = Workdir::new();
    let visit = |n: usize, store: &str| format!("V{n},{store},2024-03-05,2024-03-05T08:00:00Z,,801,");
    let mut visits: Vec<String> = (0..VISITS).map(|n| visit(n, "S1")).collect();
    visits.extend((0..VISITS).step_by(500).map(|n| visit(n, "S1")));
    visits.extend((0..VISITS).step_by(777).map(|n| visit(n, "S2")));
    visits.push(",S1,2024-03-05,2024-03-05T08:00:00Z,,801,".to_owned());
    visits.push("V-wide,S1,2024-03-05,2024-03-05T08:00:00Z,,801,,,".to_owned());
    let mut text = lines(VISITS_HEADER, &visits).into_bytes();
    text.extend_from_slice(b"V-text,S\xff,2024-03-05,2024-03-05T08:00:00Z,,801,\n");
    work.write("visits.csv", text);
    // Multiplying by a number that shares no factor with the count visits all of them, in no order.
    let count = VISITS * 4;
    let mut scenes: Vec<String> = (0..count)
        .map(|n| n * 7_919 % count)
        .map(|n| format!("V{},scene-{},{}", n % VISITS, n / VISITS, n % 9))
        .collect();
    scenes.extend((0..20).map(|n| format!("orphan-{n},scene,1")));
    scenes.extend((0..20).map(|n| format!("V{n},scene-0,differs")));
    work.write("scenes.csv", lines(SCENES_HEADER, &scenes));
    work.job(&JobFile::to("sandbox").upload("rate", "\"100000/s\""));
    work
}

/// The rows of a result file, without what differs from run to run.
fn rows(work: &Workdir, name: &str) -> BTreeSet<Vec<String>> {
    let mut reader = csv::Reader::from_path(work.path(name)).expect("a result file");
    let steady = [0, 1, 2, 4, 5, 9, 10, 11, 12, 13];
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        steady.map(|column| row[column].to_owned()).to_vec()
    });
    rows.collect()
}

#[test]
fn results_are_the_same_in_memory_and_through_temporary_files() {
    let work = exports();
    for selection in [&["--limit", "2500"][..], &[]] {
        let run = |memory: &str, bodies: &str, results: &str| {
            let mut args = vec!["check", "job.toml", "--memory", memory, "--payloads", bodies, "--json"];
            args.extend(selection);
            let checked = work.traxload(&args).ends_with(3);
            // Which visits are alike is not looked for through temporary files, only how many.
            let is_same = |line: &&str| !line.contains("temporary") && !line.contains("alike but for their keys");
            let said: Vec<String> = checked.stderr.lines().filter(is_same).map(str::to_owned).collect();
            let checked = (checked.json(), said);
            let mut args = vec!["run", "job.toml", "--memory", memory, "--results", results, "--fresh"];
            args.extend(selection);
            work.traxload(&args).ends_with(3);
            let bodies: BTreeSet<String> = work.read(bodies).lines().map(str::to_owned).collect();
            (checked, bodies, rows(&work, results))
        };
        let (in_memory, on_disk) = (run("1GB", "a.ndjson", "a.csv"), run("300KB", "b.ndjson", "b.csv"));
        assert_eq!(in_memory.0, on_disk.0, "the counts, and what is said of the first ones");
        assert!(in_memory.1 == on_disk.1, "the bodies");
        assert!(in_memory.2 == on_disk.2, "the result rows");
        assert!(in_memory.2.len() >= 2_500);
    }
}

#[test]
fn temporary_files_have_no_name_while_they_are_in_use() {
    let work = exports();
    std::fs::create_dir(work.path("tmp")).expect("a folder");
    let folder = work.path("tmp").display().to_string();
    let args = ["check", "job.toml", "--memory", "300KB"];
    work.traxload_with(&args, &[("TMPDIR", &folder)]).ends_with(3).says(&["using temporary files"]);
    assert!(work.listing("tmp").is_empty());
    let gone = work.path("gone").display().to_string();
    work.traxload_with(&args, &[("TMPDIR", &gone)]).ends_with(1).says(&["temporary files", "TMPDIR"]);
}

/// Exports of many times the memory that they are given: 60,000 visits with twenty shuffled scenes each, keys of 36
/// characters, 130 MB.
#[cfg(target_os = "linux")]
fn large_exports() -> Workdir {
    use std::fmt::Write as _;
    let work = Workdir::new();
    let key = |n: usize| uuid::Uuid::from_u128((n as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
    let count = 60_000;
    let mut visits = format!("{VISITS_HEADER}\n");
    for n in 0..count {
        let _ = writeln!(visits, "{},S1,2024-03-05,2024-03-05T08:00:00Z,,801,", key(n));
    }
    let mut scenes = format!("{SCENES_HEADER},remark\n");
    for n in 0..count * 20 {
        let _ = writeln!(scenes, "{},{},{},a-remark-that-no-job-maps", key(n * 7_919 % count), key(n + count), n % 9);
    }
    work.write("visits.csv", visits);
    work.write("scenes.csv", scenes);
    work.job(&JobFile::to("sandbox"));
    work
}

/// The most memory that a process ever had, in kilobytes, as the system counts it. `None` once it has ended.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.parse().ok()
}

#[cfg(target_os = "linux")]
#[test]
fn the_memory_is_bounded_whatever_the_exports() {
    let work = large_exports();
    // What the program takes beside: its code, its threads, what is under way between them.
    let most = |memory: &str| {
        let started = work.start(&["check", "job.toml", "--memory", memory]);
        let mut most = 0;
        crate::harness::wait_until("the end of the check", || match peak(started.id()) {
            Some(now) => {
                most = now;
                false
            }
            None => true,
        });
        started.finish().ends_with(0);
        most
    };
    let (little, plenty) = (most("4MB"), most("1GB"));
    assert!(little < 80_000, "{little} kB with a limit of 4 MB");
    assert!(plenty > 90_000, "{plenty} kB without a limit that matters: the exports are too small to show anything");
}

#[cfg(target_os = "linux")]
#[test]
fn a_process_that_is_killed_leaves_no_temporary_files() {
    let work = large_exports();
    std::fs::create_dir(work.path("tmp")).expect("a folder");
    let folder = work.path("tmp").canonicalize().expect("a folder");
    let started =
        work.start_with(&["check", "job.toml", "--memory", "4MB"], &[("TMPDIR", &folder.display().to_string())]);
    let open_files = format!("/proc/{}/fd", started.id());
    let is_in_use = || {
        let files = std::fs::read_dir(&open_files).into_iter().flatten().flatten();
        files.filter_map(|file| file.path().read_link().ok()).any(|file| file.starts_with(&folder))
    };
    crate::harness::wait_until("temporary files in use", is_in_use);
    started.signal("KILL");
    drop(started);
    assert!(work.listing("tmp").is_empty());
}
