//! Disks that are full, files that cannot be read or written, exports that change or break off: a clear message, the
//! contract's exit code, nothing lost and nothing sent that cannot be accounted for.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, Gate, JobFile, Reply, Rows, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir};
use crate::harness::{gzip, lines, visit};
use arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::sync::Arc;

const PARTIAL: &str = "results.csv.partial";

fn taking() -> ScriptedServer {
    ScriptedServer::replying(vec![Reply::ok()])
}

/// Fails unless a run of this job ends with 2 and says so, with nothing sent and nothing written.
#[track_caller]
fn refused(work: &Workdir, job: &JobFile, server: &ScriptedServer, says: &[&str]) {
    work.job(job);
    let before = work.listing(".");
    let done = work.traxload(&["run", "job.toml"]).ends_with(2).says(says);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    assert!(server.requests().is_empty());
    assert_eq!(work.listing("."), before);
}

fn results_at(server: &ScriptedServer, path: &str) -> JobFile {
    JobFile::to(&server.url()).and(&format!("[results]\npath = {path:?}"))
}

#[test]
fn a_result_path_that_is_a_folder_is_2() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.write("out/notes.txt", "");
    refused(&work, &results_at(&server, "out"), &server, &["out", "folder"]);
    refused(&work, &results_at(&server, "out/"), &server, &["out", "folder"]);
    assert_eq!(work.listing("out"), ["notes.txt"]);
}

#[test]
fn a_result_path_below_a_file_is_2() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.write("out", "");
    refused(&work, &results_at(&server, "out/results.csv"), &server, &["out"]);
    refused(&work, &results_at(&server, "out/deeper/results.csv"), &server, &["out"]);
}

#[test]
fn a_result_folder_without_write_permission_is_2() {
    // Not even root makes files there.
    if !std::path::Path::new("/proc/self").exists() {
        eprintln!("skipped: no /proc on this system");
        return;
    }
    let (server, work) = (taking(), Workdir::with_visits(1));
    refused(&work, &results_at(&server, "/proc/results.csv"), &server, &["/proc/results.csv"]);
    refused(&work, &results_at(&server, "/proc/new/results.csv"), &server, &["/proc/new"]);
}

#[cfg(unix)]
#[test]
fn a_result_folder_that_may_only_be_read_is_2() {
    use std::os::unix::fs::PermissionsExt;
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.write("out/notes.txt", "");
    let mode = |mode| std::fs::set_permissions(work.path("out"), PermissionsExt::from_mode(mode)).expect("it is ours");
    mode(0o555);
    if std::fs::write(work.path("out/try"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere, as root may");
        return;
    }
    refused(&work, &results_at(&server, "out/results.csv"), &server, &["out/results.csv"]);
    mode(0o755);
    assert_eq!(work.listing("out"), ["notes.txt"]);
}

#[test]
fn folders_in_the_place_of_the_files_beside_a_result_file_send_nothing() {
    for beside in ["partial", "lock", "json", "partial.new"] {
        let (server, work) = (taking(), Workdir::with_visits(1));
        let name = format!("results.csv.{beside}");
        work.write(&format!("{name}/notes.txt"), "");
        work.run(&JobFile::to(&server.url())).ends_with(2).says(&["results.csv"]);
        assert!(server.requests().is_empty() && !work.exists("results.csv"), "{beside}");
        assert_eq!(work.listing(&name), ["notes.txt"]);
    }
}

#[test]
fn a_result_folder_that_vanishes_during_a_run_is_1_and_told() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(held.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(1);
    work.job(&results_at(&server, "out/results.csv"));
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    std::fs::remove_dir_all(work.path("out")).expect("it is there");
    gate.open();
    let done = run.finish().ends_with(1).says(&["out/results.csv"]);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
}

/// Runs under a limit of blocks per file, which acts like a full disk.
fn on_a_full_disk(work: &Workdir, blocks: usize, command: &str) -> Done {
    work.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec traxload {command}"))
}

/// The rows of a journal whose last one may be torn.
fn whole_rows(work: &Workdir) -> Rows {
    let journal = work.read(PARTIAL);
    let end = journal.rfind('\n').expect("a header at least") + 1;
    work.write("whole.csv", &journal[..end]);
    let rows = Rows::read(&work.path("whole.csv"));
    std::fs::remove_file(work.path("whole.csv")).expect("it is there");
    assert!(rows.rows.iter().all(|row| &row["status"] == "uploaded"), "{rows:#?}");
    rows
}

/// A number of visits whose rows fill the tests' disks several times over.
const MANY: usize = 150;
/// Of 512 or 1024 bytes, as the shell has it.
const BLOCKS: usize = 8;

#[cfg(unix)]
#[test]
fn a_full_disk_is_1_with_a_whole_journal_and_the_same_command_finishes_later() {
    let (server, work) = (taking(), Workdir::with_visits(MANY));
    work.job(&JobFile::to(&server.url()));
    let done = on_a_full_disk(&work, BLOCKS, "run job.toml");
    assert_eq!(done.code, 1, "{}", done.stderr);
    let done = done.says(&[PARTIAL, "resumes from there"]);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    assert!(!work.exists("results.csv") && !work.exists("results.csv.lock"));
    let kept = whole_rows(&work);
    assert!(kept.rows.len() > 5 && kept.rows.len() < MANY, "{}", kept.rows.len());
    let asked = server.requests().len();
    // It is still full: again a clear end, and what is there stays.
    on_a_full_disk(&work, BLOCKS, "run job.toml").ends_with(1).says(&[PARTIAL]);
    assert!(whole_rows(&work).rows.len() >= kept.rows.len());
    let again = work.traxload(&["run", "job.toml", "--json"]).ends_with(0);
    assert!(again.json()["carried_over"].as_u64().is_some_and(|rows| rows >= kept.rows.len() as u64));
    assert_eq!(work.results().rows.len(), MANY);
    assert!(asked >= kept.rows.len());
    for row in &kept.rows {
        assert_eq!(work.results().of(&row["visit_id"]), row);
        assert_eq!(server.requests_for(&row["visit_id"]).len(), 1, "{} was answered and written", &row["visit_id"]);
    }
}

#[cfg(unix)]
#[test]
fn a_rerun_finishes_what_a_full_disk_stopped_and_a_full_disk_in_a_rerun_leaves_the_result_file() {
    let work = Workdir::with_visits(MANY);
    // What the first run leaves is longer than the disk of the rerun.
    let server = ScriptedServer::start(|_, nth| if nth < MANY { Reply::status(400) } else { Reply::ok() });
    work.run(&JobFile::to(&server.url())).ends_with(3);
    let before = work.read("results.csv");
    on_a_full_disk(&work, BLOCKS, "rerun results.csv").ends_with(1).says(&[PARTIAL]);
    assert_eq!(work.read("results.csv"), before);
    let kept = whole_rows(&work).rows.len();
    let done = work.traxload(&["rerun", "results.csv", "--json"]).ends_with(0);
    assert_eq!(done.json()["carried_over"], kept);
    assert_eq!((work.results().rows.len(), work.results().count("uploaded")), (MANY, MANY));
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_before_a_journal_is_taken_up_leaves_it_as_it_was() {
    let (server, work) = (taking(), Workdir::with_visits(MANY));
    work.run(&JobFile::to(&server.url())).ends_with(0);
    let journal = work.read("results.csv");
    std::fs::remove_file(work.path("results.csv")).expect("it is there");
    let third = journal.match_indices('\n').nth(MANY - 3).expect("enough rows").0 + 1;
    work.write(PARTIAL, &journal[..third]);
    let done = on_a_full_disk(&work, BLOCKS, "run job.toml").ends_with(1).says(&[PARTIAL]);
    assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    assert_eq!((work.read(PARTIAL), server.requests().len()), (journal[..third].to_owned(), MANY));
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!((work.read("results.csv").lines().count(), server.requests().len()), (MANY + 1, MANY + 3));
}

#[cfg(unix)]
#[test]
fn a_disk_without_room_for_anything_sends_nothing() {
    let (server, work) = (taking(), Workdir::with_visits(2));
    work.job(&JobFile::to(&server.url()));
    let done = on_a_full_disk(&work, 0, "run job.toml").ends_with(1).says(&["results.csv"]);
    assert!(!done.stderr.contains("panicked") && !done.stderr.contains("in the journal"), "{}", done.stderr);
    assert!(server.requests().is_empty());
    work.traxload(&["run", "job.toml"]).ends_with(0);
}

#[cfg(unix)]
#[test]
fn bodies_that_cannot_be_written_are_2() {
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new());
    for path in ["no/such/folder/payloads.jsonl", "."] {
        let done = work.traxload(&["check", "job.toml", "--payloads", path]).ends_with(2).says(&[path]);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_behind_standard_output_or_error_is_no_panic_and_loses_no_row() {
    for (n, redirected) in ["> /dev/full", "2> /dev/full", "> /dev/full 2> /dev/full", "2>&-", ">&-"].iter().enumerate()
    {
        let (server, work) = (taking(), Workdir::with_visits(2));
        work.job(&JobFile::to(&server.url()));
        let done = work.shell(&format!("traxload run job.toml --json {redirected}"));
        // What became of the visits decides.
        assert_eq!(done.code, 0, "{redirected}: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{redirected}: {}", done.stderr);
        if n == 0 {
            assert!(done.stderr.contains("standard output"), "{}", done.stderr);
        }
        assert_eq!((work.results().count("uploaded"), server.requests().len()), (2, 2), "{redirected}");
        let left = ["job.toml", "results.csv", "results.csv.json", "scenes.csv", "visits.csv"];
        assert_eq!(work.listing("."), left, "{redirected}");
    }
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new());
    for command in ["check job.toml --json", "ids job.toml"] {
        let done = work.shell(&format!("traxload {command} > /dev/full"));
        assert!(![0, 101].contains(&done.code) && !done.stderr.contains("panicked"), "{command}: {done:?}");
        // The reader has seen enough.
        let done = work.shell(&format!("traxload {command} | head -c 1"));
        assert!(done.code == 0 && !done.stderr.contains("panicked"), "{command}: {done:?}");
    }
}

#[test]
fn an_export_without_a_single_byte_is_2() {
    for name in ["visits.csv", "scenes.csv"] {
        let (server, work) = (taking(), Workdir::with_visits(1));
        work.write(name, "");
        refused(&work, &JobFile::to(&server.url()), &server, &[name, "empty"]);
    }
    // Nor is there one in a member or frame of nothing.
    let (server, work) = (taking(), Workdir::with_visits(1));
    work.write("visits.csv.gz", gzip(""))
        .write("empty.parquet", "")
        .write("empty.csv.zst", "")
        .write("empty.csv.gz", "");
    for name in ["visits.csv.gz", "empty.parquet", "empty.csv.zst", "empty.csv.gz"] {
        refused(&work, &JobFile::to(&server.url()).visits("path", &format!("{name:?}")), &server, &[name]);
    }
}

#[test]
fn an_export_that_is_gone_or_a_loop_is_2() {
    let (server, work) = (taking(), Workdir::with_visits(1));
    std::fs::remove_file(work.path("scenes.csv")).expect("it is there");
    refused(&work, &JobFile::to(&server.url()), &server, &["scenes.csv"]);
    #[cfg(unix)]
    for target in ["nowhere.csv", "scenes.csv"] {
        std::os::unix::fs::symlink(target, work.path("scenes.csv")).expect("a link");
        refused(&work, &JobFile::to(&server.url()), &server, &["scenes.csv"]);
        std::fs::remove_file(work.path("scenes.csv")).expect("it is there");
    }
}

/// A number of visits so large that the reader reaches the end of a part only after it has begun.
const LONG: usize = 20_000;

fn long_rows() -> Vec<String> {
    (1..=LONG).map(visit).collect()
}

/// Fails unless a run with this as the visits ends with 2, names it, and leaves nothing.
#[track_caller]
fn unreadable(name: &str, content: &[u8], format: &str) {
    let (server, work) = (taking(), Workdir::new());
    work.write(name, content).write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T1"]));
    let job = JobFile::to(&server.url()).visits("path", &format!("{name:?}")).visits("format", &format!("{format:?}"));
    refused(&work, &job, &server, &[name]);
    work.traxload(&["check", "job.toml"]).ends_with(2).says(&[name]);
}

#[test]
fn a_compressed_export_that_breaks_off_or_is_damaged_is_2_and_nothing_is_sent() {
    let text = lines(VISITS_HEADER, &long_rows());
    let zipped = gzip(&text);
    let zstd = zstd::encode_all(text.as_bytes(), 1).expect("in memory");
    for (name, whole) in [("visits.csv.gz", &zipped), ("visits.csv.zst", &zstd)] {
        for cut in [12, whole.len() / 2, whole.len() - 9, whole.len() - 1] {
            unreadable(name, &whole[..cut], "csv");
        }
        // A second member that breaks off, where the first one is whole.
        unreadable(name, &[whole, &whole[..whole.len() / 2]].concat(), "csv");
    }
    // Its checksum does not fit.
    let mut damaged = zipped.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    unreadable("visits.csv.gz", &damaged, "csv");
    // Bytes after the last member are not a member.
    unreadable("visits.csv.gz", &[&zipped, &b"and more"[..]].concat(), "csv");
}

#[test]
fn a_parquet_export_that_breaks_off_or_is_damaged_in_its_middle_is_2_and_nothing_is_sent() {
    let rows = long_rows();
    let cells: Vec<Vec<&str>> = rows.iter().map(|row| row.split(',').collect()).collect();
    let column = |at: usize| Arc::new(cells.iter().map(|row| Some(row[at])).collect::<StringArray>()) as ArrayRef;
    let columns = VISITS_HEADER.split(',').enumerate().map(|(at, name)| (name, column(at)));
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let options = WriterProperties::builder().set_max_row_group_row_count(Some(1000)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(options)).expect("a writer");
    writer.write(&batch).expect("in memory");
    let whole = writer.into_inner().expect("in memory");
    for cut in [4, 12, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        unreadable("visits.parquet", &whole[..cut], "parquet");
    }
    // The footer is fine, and a row group in the middle is not.
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged[middle..middle + 20_000].fill(0xff);
    unreadable("visits.parquet", &damaged, "parquet");
}

#[cfg(target_os = "linux")]
#[test]
fn an_export_that_grows_while_it_is_read_is_2_and_nothing_is_sent() {
    use std::io::{Read, Write};
    use std::sync::mpsc::channel;
    // A run opens the visits, then the scenes, then says that the rate is high, then reads them. Where its standard
    // error is a pipe that is full, it waits there, and the time of its last look at the scenes tells that it has come
    // that far.
    let (server, work) = (taking(), Workdir::with_visits(3));
    work.job(&JobFile::to(&server.url()));
    let scenes = work.path("scenes.csv");
    let looked_at = || std::fs::metadata(&scenes).and_then(|about| about.accessed()).expect("it is there");
    let long_ago = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    let never = std::fs::FileTimes::new().set_accessed(long_ago);
    let forget = || std::fs::File::options().write(true).open(&scenes).and_then(|file| file.set_times(never));
    forget().expect("it is ours");
    std::fs::read(&scenes).expect("it is there");
    let (mut said, error) = std::io::pipe().expect("a pipe");
    let mut filler = error.try_clone().expect("a pipe");
    let (full, until_full) = channel();
    // Waits for good where a pipe holds less.
    std::thread::spawn(move || (filler.write_all(&[b' '; 1 << 16]).is_ok()).then(|| full.send(())));
    if looked_at() == long_ago || until_full.recv_timeout(std::time::Duration::from_secs(5)).is_err() {
        eprintln!("skipped: this system does not note when a file is read, or has small pipes");
        return;
    }
    forget().expect("it is ours");
    let mut command = crate::harness::plain_command(&work.path("."), &["run", "job.toml"]);
    command.env("TRAX_TOKEN", crate::harness::TOKEN).stderr(error.try_clone().expect("a pipe"));
    let mut run = command.spawn().expect("the binary starts");
    drop((command, error));
    crate::harness::wait_until("the scenes are opened", || looked_at() != long_ago);
    let mut visits = std::fs::File::options().append(true).open(work.path("visits.csv")).expect("it is there");
    visits.write_all(format!("{}\n", visit(4)).as_bytes()).expect("it is ours");
    let mut text = String::new();
    said.read_to_string(&mut text).expect("text");
    let code = run.wait().expect("a status").code();
    assert_eq!(code, Some(2), "{}", text.trim_start());
    assert!(text.contains("visits.csv was changed while it was being read"), "{}", text.trim_start());
    assert!(server.requests().is_empty());
    assert_eq!(work.listing("."), ["job.toml", "scenes.csv", "visits.csv"]);
}

#[test]
fn a_full_disk_is_1_wherever_it_is_met() {
    if !std::path::Path::new("/dev/full").exists() {
        eprintln!("skipped: no /dev/full on this system");
        return;
    }
    let work = Workdir::with_visits(2);
    work.run(&JobFile::new()).ends_with(0);
    for command in [
        "traxload check job.toml --payloads /dev/full",
        "traxload check job.toml --payloads - > /dev/full",
        "traxload ids job.toml > /dev/full",
        "traxload report results.csv -o - > /dev/full",
        "traxload init --visits visits.csv --scenes scenes.csv --force -o /dev/full",
    ] {
        let done = work.shell(command);
        assert_eq!(done.code, 1, "{command}: {}", done.stderr);
        assert!(done.stderr.contains("No space left"), "{command}: {}", done.stderr);
    }
    let many = Workdir::with_visits(MANY);
    many.job(&JobFile::new());
    on_a_full_disk(&many, BLOCKS, "check job.toml --payloads p.jsonl").ends_with(1).says(&["p.jsonl"]);
}

#[test]
fn bodies_go_to_standard_output_where_that_is_asked_for() {
    let work = Workdir::with_visits(2);
    work.job(&JobFile::new());
    let done = work.traxload(&["check", "job.toml", "--payloads", "-"]).ends_with(0);
    assert_eq!(done.stdout, format!("{}\n{}\n", crate::harness::body(1), crate::harness::body(2)));
    assert!(!work.exists("-"));
    let both = work.traxload(&["check", "job.toml", "--payloads", "-", "--json"]).ends_with(2);
    both.says(&["--payloads - and --json both write to standard output"]);
    // The reader has seen enough.
    work.shell("traxload check job.toml --payloads - | true").ends_with(0);
}
