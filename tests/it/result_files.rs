//! Result files that changed after the run: links, pipes, and what spreadsheets make of them.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir, lines, session_uid, skipped};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
fn a_result_file_is_not_called_as_a_journal_is() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new());
    let before = work.listing(".");
    for args in [&["run", "job.toml", "--results"] as &[&str], &["check", "job.toml", "--results"], &["rerun"]] {
        let done = work.traxload(&[args, &["x.csv.partial"]].concat()).ends_with(2);
        done.says(&["x.csv.partial has the name of a journal", "name the result file, x.csv"]);
    }
    assert_eq!(work.listing("."), before);
}

#[test]
fn a_result_file_that_nobody_may_replace_is_found_before_anything_is_sent() {
    let server = ScriptedServer::start(|_, nth| if nth == 0 { Reply::status(400) } else { Reply::ok() });
    let work = Workdir::with_visits(2);
    work.run(&JobFile::to(&server.url())).ends_with(3);
    for mark in ["i", "a"] {
        let chattr = |sign: &str| work.shell(&format!("chattr {sign}{mark} results.csv"));
        if chattr("+").code != 0 {
            skipped("chattr does not work here");
            return;
        }
        let done = work.traxload(&["rerun", "results.csv"]);
        chattr("-").ends_with(0);
        done.ends_with(2).says(&["nobody can replace it", "chattr -i -a"]);
    }
    assert_eq!(server.requests().len(), 2);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
}

#[test]
fn a_link_stays_and_the_file_it_points_at_is_written_read_and_moved_aside() {
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new()).write("archive/older.csv", "");
    // Through a folder that is one as well, and back: the same file has many names.
    symlink("archive", work.path("folder")).expect("a link");
    symlink("folder/../archive/march.csv", work.path("results.csv")).expect("a link");
    let is_link = || work.path("results.csv").is_symlink();
    work.traxload(&["check", "job.toml", "--payloads", "results.csv"]).ends_with(2);
    work.traxload(&["run", "job.toml"]).ends_with(0).says(&["archive/march.csv"]);
    assert!(is_link(), "the link is replaced by a file");
    assert_eq!(work.listing("archive"), ["march.csv", "march.csv.json", "older.csv"]);
    assert_eq!(work.results().count("uploaded"), 2);
    work.traxload(&["run", "job.toml"]).ends_with(2).says(&["archive/march.csv is already there"]);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    work.traxload(&["report", "results.csv"]).ends_with(0).says(&["archive/march.csv.html"]);
    assert!(is_link());
    // Both names are of one file, so that a journal is found by either, and kept from what would write over it.
    std::fs::rename(work.path("archive/march.csv"), work.path("archive/march.csv.partial")).expect("renamed");
    for journal in ["archive/march.csv.partial", "folder/march.csv.partial"] {
        let done = work.traxload(&["check", "job.toml", "--payloads", journal]).ends_with(2);
        done.says(&["belongs to the job's results"]);
    }
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert_eq!(work.results().count("uploaded"), 2);
    work.traxload(&["run", "job.toml", "--fresh"])
        .ends_with(0)
        .says(&["the older result file is now folder/../archive/march.csv."]);
    assert!(is_link());
    assert_eq!(work.results().count("uploaded"), 2);
}

#[test]
fn bodies_replace_nothing_but_bodies() {
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new());
    work.traxload(&["run", "job.toml", "--results", "other.csv"]).ends_with(0);
    std::fs::hard_link(work.path("other.csv"), work.path("hard.csv")).expect("a link");
    work.write("journal.csv.partial", "visit_id,session_uid,status\n")
        .write("list.csv", "store\n1001\n")
        .write("empty", "");
    let before = std::fs::read(work.path("other.csv")).expect("readable");
    for there in ["other.csv", "other.csv.json", "hard.csv", "journal.csv.partial", "list.csv"] {
        let done = work.traxload(&["check", "job.toml", "--payloads", there]).ends_with(2);
        done.says(&[there, "is already there and is not a file with bodies", "name another file"]);
    }
    assert_eq!(std::fs::read(work.path("other.csv")).expect("readable"), before);
    for free in ["empty", "new.jsonl", "new.jsonl"] {
        work.traxload(&["check", "job.toml", "--payloads", free]).ends_with(0);
        assert_eq!(std::fs::read_to_string(work.path(free)).expect("readable").lines().count(), 2);
    }
    // Exports that look wrong replace no bodies either, and leave nothing beside them.
    let before = (work.read("new.jsonl"), work.listing("."));
    work.write("scenes.csv", format!("{}V1,S9\n", work.read("scenes.csv")));
    let done = work.traxload(&["check", "job.toml", "--payloads", "new.jsonl"]).ends_with(2);
    done.says(&["--accept unreadable_scenes"]);
    assert_eq!((work.read("new.jsonl"), work.listing(".")), before);
}

/// A visit with this key, as a row of `visits.csv`.
fn row(key: &str) -> String {
    format!("{key},1001,2024-03-05,2024-03-05T08:00:00Z,,801,rep@example.com")
}

fn exports(work: &Workdir, keys: &[&str]) {
    work.write(
        "visits.csv",
        lines(crate::harness::VISITS_HEADER, &keys.iter().map(|key| row(key)).collect::<Vec<_>>()),
    );
    let scenes: Vec<String> = keys.iter().map(|key| format!("{key},S,T1")).collect();
    work.write("scenes.csv", lines(crate::harness::SCENES_HEADER, &scenes));
}

/// The folder after a run of these visits in which the API refused `refused`. It would take the visit now.
fn after_a_run(keys: &[&str], refused: &'static str) -> (Workdir, ScriptedServer) {
    let is_fixed = Arc::new(AtomicBool::new(false));
    let seen = is_fixed.clone();
    let server = ScriptedServer::start(move |request, _| match request.is_for(refused) {
        true if !seen.load(Ordering::SeqCst) => Reply::error(400, "Unknown Store"),
        _ => Reply::ok(),
    });
    let work = Workdir::new();
    exports(&work, keys);
    work.run(&JobFile::to(&server.url()).upload("max_in_flight", "1")).ends_with(3);
    is_fixed.store(true, Ordering::SeqCst);
    (work, server)
}

/// Changes the keys in the first column and saves the file as a spreadsheet does.
fn damage(work: &Workdir, change: impl Fn(&str) -> String) {
    let text = work.read("results.csv");
    let mut damaged = "\u{feff}".to_owned();
    for (at, line) in text.lines().enumerate() {
        let (key, rest) = line.split_once(',').expect("cells");
        let key = if at == 0 { key.to_owned() } else { change(key) };
        damaged.push_str(&format!("{key},{rest}\r\n"));
    }
    work.write("results.csv", damaged);
}

fn without_zeros(key: &str) -> String {
    key.trim_start_matches('0').to_owned()
}

fn sent(server: &ScriptedServer, keys: &[&str]) -> Vec<usize> {
    keys.iter().map(|key| server.requests_for(key).len()).collect()
}

/// The result file has the sessions of these visits, each once, and all of them delivered.
#[track_caller]
fn has_exactly(work: &Workdir, keys: &[&str]) {
    let results = work.results();
    assert_eq!((results.rows.len(), results.count("uploaded")), (keys.len(), keys.len()), "{results:#?}");
    let mut sessions = results.column("session_uid");
    let mut expected: Vec<String> = keys.iter().map(|key| session_uid(key)).collect();
    sessions.sort_unstable();
    expected.sort_unstable();
    assert_eq!(sessions, expected);
}

#[test]
fn keys_that_a_spreadsheet_changed_are_known_by_their_session_uid() {
    let keys = ["001", "002", "007", "7", "20240305000000000001", "20240305000000000002"];
    for delimiter in [",", ";", "\t"] {
        let (work, server) = after_a_run(&keys, "002");
        damage(&work, |key| if key.len() > 9 { "2.0240305E+19".to_owned() } else { without_zeros(key) });
        work.write("results.csv", work.read("results.csv").replace(',', delimiter));
        let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
        assert_eq!(done.json()["carried_over"], 5);
        assert_eq!(sent(&server, &keys), [1, 2, 1, 1, 1, 1]);
        has_exactly(&work, &keys);
    }
}

#[test]
fn a_visit_that_is_gone_keeps_its_row_whatever_became_of_its_key() {
    let keys = ["20240305000000000001", "20240305000000000002", "20240305000000000003", "7"];
    let (work, server) = after_a_run(&keys, "20240305000000000003");
    damage(&work, |key| if key == "7" { "7".to_owned() } else { "2.0240305E+19".to_owned() });
    exports(&work, &keys[1..]);
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert_eq!((&done.json()["carried_over"], &done.json()["carried_over_not_in_exports"]), (&3.into(), &1.into()));
    assert_eq!(sent(&server, &keys), [1, 1, 2, 1]);
    has_exactly(&work, &keys);
}

#[test]
fn a_file_that_was_sent_again_while_it_was_damaged_has_one_row_a_visit_afterwards() {
    let keys = ["001", "002", "003"];
    let (work, server) = after_a_run(&keys, "003");
    let whole = work.read("results.csv");
    let rows: Vec<&str> = whole.lines().skip(1).collect();
    let failed = rows[1].replace(",uploaded,200,", ",failed,503,");
    // 001 is there twice, delivered; of 002 the row under its own key is that of a later failure.
    work.write(
        "results.csv",
        format!("{whole}{}\n", &rows[0][2..]).replace(rows[1], &format!("{failed}\n{}", &rows[1][2..])),
    );
    assert_eq!(work.results().rows.len(), 5);
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert_eq!(done.json()["carried_over"], 2);
    assert_eq!(sent(&server, &keys), [1, 1, 2]);
    has_exactly(&work, &keys);
}

#[test]
fn what_a_spreadsheet_made_of_result_file_and_exports_is_not_sent_a_second_time() {
    let keys = ["007", "8", "9"];
    let (work, server) = after_a_run(&keys, "9");
    damage(&work, without_zeros);
    let before = work.read("results.csv");
    exports(&work, &["7", "8", "9"]);
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(2);
    done.says(&["new_keys", "\"7\" has come"]);
    assert_eq!((sent(&server, &keys), work.read("results.csv")), (vec![1, 1, 1], before));
    assert!(!work.exists("results.csv.partial") && !work.exists("results.csv.lock"));
}

#[test]
fn rows_that_cannot_be_read_are_counted_with_the_line_of_the_first() {
    for line_break in ["\n", "\r\n"] {
        let keys = ["V1", "V2", "V3", "V4", "V5"];
        let (work, server) = after_a_run(&keys, "V1");
        let text = work.read("results.csv").replace('\n', line_break);
        let text = text.replace("V2,", "V2,,");
        let mut bytes = text.into_bytes();
        // What the session_uid tells is read all the same.
        let at = bytes.windows(3).position(|some| some == b"V4,").expect("its row");
        bytes[at] = 0xff;
        work.write("results.csv", bytes);
        let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
        done.says(&["1 row of ", "cannot be read (line 3), so its visit is sent again"]);
        assert_eq!(sent(&server, &keys), [2, 2, 1, 1, 1]);
        has_exactly(&work, &keys);
    }
    let (work, _) = after_a_run(&["V1", "V2"], "V1");
    work.write("results.csv", work.read("results.csv").replace(",uploaded,", ",upploaded,"));
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
    done.says(&["1 row of ", "cannot be read (line 3), so its visit is sent again"]);
}

#[test]
fn rows_with_other_spelling_are_read_and_written_in_our_spelling() {
    let keys = ["V1", "V2", "V3", "V4", "V5"];
    let (work, server) = after_a_run(&keys, "V1");
    let whole = work.read("results.csv");
    let lines: Vec<&str> = whole.lines().collect();
    let touched = [
        format!("{},,", lines[0].to_uppercase()),
        format!("{},,", lines[1]),
        lines[2].replace(",uploaded,", ", Uploaded ,"),
        lines[3].replacen(&session_uid("V3"), &format!(" {{{}}} ", session_uid("V3").to_uppercase()), 1),
        format!("{},", lines[4]),
        lines[5].replace("visits.csv", "visites-fran\u{e7}aises.csv"),
    ];
    // As an editor saves it that knows nothing of UTF-8.
    let bytes: Vec<u8> = touched.join("\r\n").chars().map(|char| char as u8).collect();
    work.write("results.csv", bytes);
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert!(!done.stderr.contains("cannot be read") && !done.stderr.contains("a visit_id"), "{}", done.stderr);
    assert_eq!(sent(&server, &keys), [2, 1, 1, 1, 1]);
    has_exactly(&work, &keys);
    let after = work.read("results.csv");
    for line in lines[2..5].iter().chain(&[&*lines[5].replace("visits.csv", "visites-fran\u{fffd}aises.csv")]) {
        assert!(after.lines().any(|after| after == *line), "{line:?} in {after}");
    }
}

#[test]
fn an_unclosed_quote_costs_its_own_row_and_no_other() {
    let keys = ["V1", "V2", "V3", "V4", "V5"];
    for name in ["results.csv", "results.csv.partial"] {
        // At the end of the row it would leave as many cells as there should be.
        for cell in [0, 1, 4, 13] {
            let (work, server) = after_a_run(&keys, "V1");
            let text = work.read("results.csv");
            let line = text.lines().nth(3).expect("V3");
            let mut cells: Vec<&str> = line.split(',').collect();
            let quoted = format!("\"{}", cells[cell]);
            cells[cell] = &quoted;
            std::fs::remove_file(work.path("results.csv")).expect("removed");
            work.write(name, text.replace(line, &cells.join(",")));
            let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
            if cell == 13 {
                // Where the last cell ends is known.
                assert_eq!(sent(&server, &keys), [2, 1, 1, 1, 1], "{name}: {}", done.stderr);
            } else {
                done.says(&["1 row of ", "cannot be read (line 4), so its visit is sent again"]);
                assert_eq!(sent(&server, &keys), [2, 1, 2, 1, 1], "{name} {cell}");
            }
            has_exactly(&work, &keys);
        }
    }
    // The last row of all, behind which others are written.
    let (work, server) = after_a_run(&keys, "V1");
    let text = work.read("results.csv");
    let line = text.lines().last().expect("V5");
    let (cells, last) = line.rsplit_once(',').expect("cells");
    work.write("results.csv", text.replace(line, &format!("{cells},\"{last}")));
    for _ in 0..2 {
        work.traxload(&["rerun", "results.csv"]).ends_with(0);
        assert_eq!(sent(&server, &keys), [2, 1, 1, 1, 1]);
        has_exactly(&work, &keys);
    }
}

#[test]
fn a_delivered_row_without_its_id_does_not_stay_beside_the_row_of_its_visit() {
    let (work, server) = after_a_run(&["V1", "V2"], "V1");
    work.write("results.csv", work.read("results.csv").replace(&format!("V2,{}", session_uid("V2")), "X2,4f6d"));
    work.traxload(&["rerun", "results.csv"]).ends_with(0).says(&["1 row of ", "cannot be read (line 3)"]);
    assert_eq!(sent(&server, &["V1", "V2"]), [2, 2]);
    has_exactly(&work, &["V1", "V2"]);
}

#[test]
fn rows_that_were_taken_out_are_missed() {
    let keys = ["V1", "V2", "V3"];
    let (work, server) = after_a_run(&keys, "V1");
    let whole = work.read("results.csv");
    // As a user may do who wants only the rest to be sent.
    work.write("results.csv", whole.lines().take(2).map(|line| format!("{line}\n")).collect::<String>());
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
    done.says(&["the result file has 1 row, and had 3 when the run before ended", "leaves delivered visits alone"]);
    assert_eq!(sent(&server, &keys), [2, 2, 2]);
    has_exactly(&work, &keys);
    // Also where another row is there twice, and the header of another file.
    let whole = work.read("results.csv");
    let lines: Vec<&str> = whole.lines().collect();
    work.write("results.csv", [lines[0], lines[1], lines[0], lines[1], lines[1]].join("\n"));
    work.traxload(&["rerun", "results.csv"]).ends_with(0).says(&["has 1 row, and had 3 when the run before ended"]);
    has_exactly(&work, &keys);
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(0);
    assert!(!done.stderr.contains("the run before"), "{}", done.stderr);
}

/// `rerun`, `report` and `run` with this in place of the result file.
fn each_says(work: &Workdir, content: &[u8], says: &str) {
    let saying = |done: Done| done.ends_with(2).says(&["results.csv was changed after the run wrote it", says]);
    work.write("results.csv", content);
    saying(work.traxload(&["rerun", "results.csv"]));
    saying(work.traxload(&["report", "results.csv"]));
    saying(work.traxload(&["run", "job.toml"]));
    assert_eq!(std::fs::read(work.path("results.csv")).expect("it is there"), content);
}

#[test]
fn a_result_file_that_was_saved_in_another_form_is_told_what_it_is_now() {
    let (work, server) = after_a_run(&["V1", "V2"], "V1");
    let text = work.read("results.csv");
    let tabs = text.replace(',', "\t");
    let wide: Vec<u8> = format!("\u{feff}{tabs}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    each_says(&work, text.replace(',', "|").as_bytes(), "separated by '|'; save it as comma-separated UTF-8");
    each_says(&work, &wide, "it is UTF-16; save it as comma-separated UTF-8");
    each_says(
        &work,
        text.replacen(",error,", ",error,,", 1).as_bytes(),
        "an extra column, \"\", the 7th from the left",
    );
    each_says(&work, b"", "it is empty; remove it");
    let (_, rows) = text.split_once('\n').expect("rows");
    each_says(&work, rows.as_bytes(), "its header line is missing; put it back: visit_id,session_uid,status");
    each_says(&work, text.replacen("session_uid,", "", 1).as_bytes(), "its column \"session_uid\" is missing");
    assert_eq!(server.requests().len(), 2);
    work.write("results.csv", text);
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
}
