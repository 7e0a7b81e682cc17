//! The page of a result file: what it says, that text from exports and answers stays text, and that it stays small.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Gate, JobFile, Reply, ScriptedServer, Workdir};
use std::fmt::Write as _;

pub(crate) const HEADER: &str = "visit_id,session_uid,status,http_status,error_code,error,attempts,elapsed_ms,finished_at,\
                      store_number,visit_date,scenes,payload_sha256,source";

/// A row of a result file, finished in this second of an hour.
fn row(visit: &str, status: &str, code: &str, error: &str, store: &str, second: usize) -> String {
    let attempts = if matches!(status, "invalid" | "not_attempted") { 0 } else { 1 };
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    format!(
        "{},65122e0f-cb0e-56c9-b1b9-ce0a93874602,{status},200,{},{},{attempts},{},2024-03-05T08:{:02}:{:02}.000Z,{},\
         2024-03-{:02},2,79bc,exports/visits.csv:{}\n",
        quoted(visit),
        quoted(code),
        quoted(error),
        20 + second % 30,
        second / 60 % 60,
        second % 60,
        quoted(store),
        1 + second % 3,
        second + 2,
    )
}

fn file(rows: &[String]) -> String {
    format!("{HEADER}\n{}", rows.concat())
}

/// The rows of a small run with most statuses.
fn small() -> String {
    let mut rows: Vec<String> = (0..12).map(|n| row(&format!("V{n}"), "uploaded", "", "", "1001", n)).collect();
    rows.push(row("V12", "already_received", "", "", "1001", 12));
    rows.push(row("V13", "rejected", "unknown_store", "Unknown Store 1002", "1002", 13));
    rows.push(row("V14", "rejected", "unknown_store", "Unknown Store 1002", "1002", 14));
    rows.push(row(
        "",
        "invalid",
        "missing_field",
        "missing_field visit_id: the visit has no key (exports/visits.csv:17)",
        "",
        15,
    ));
    file(&rows)
}

pub(crate) const MANIFEST: &str = r#"{
  "traxload": "0.1.0", "job": "jobs/nightly.toml", "working_directory": "/srv/trax",
  "options": {"date": "2024-03-04", "from": null, "to": null, "limit": null, "rate": null, "memory": null,
              "ignore_unreadable_scenes": false, "allow_empty": false},
  "namespace": "6ba7b811-9dad-11d1-80b4-00c04fd430c8", "ids_version": 5,
  "base_url": "https://services.traxretail.com", "project": "my-project",
  "started_at": "2024-03-05T08:00:00.000Z", "finished_at": "2024-03-05T08:00:16.000Z", "exit_code": 3,
  "counts": {"uploaded": 12, "already_received": 1, "rejected": 2, "invalid": 1, "failed": 0, "not_attempted": 0,
             "carried_over": 3, "carried_over_not_in_exports": 1, "rows_read": 17, "identical_duplicates": 2}
}"#;

/// The page of a result file with this content, named `results.csv`.
#[track_caller]
fn page(content: &str) -> String {
    let work = Workdir::new();
    work.write("results.csv", content);
    let done = work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0);
    assert_eq!(work.listing("."), ["results.csv"]);
    done.stdout
}

/// The text of a page as readers see it, one line per block.
pub(crate) fn text(page: &str) -> String {
    let body = page.split_once("<body>").expect("a body").1;
    let mut out = String::new();
    for piece in body.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a whole tag");
        let name = tag.trim_start_matches('/').split(' ').next().unwrap_or_default();
        if !matches!(name, "span" | "bdi" | "strong" | "small" | "code" | "time" | "td" | "th") {
            out.push('\n');
        } else if matches!(tag, "/td" | "/th") {
            out.push_str(" | ");
        }
        out.push_str(text);
    }
    let lines = out.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn the_text_of_a_small_page() {
    let work = Workdir::new();
    work.write("results.csv", small()).write("results.csv.json", MANIFEST);
    work.traxload(&["report", "results.csv"]).ends_with(0).says(&["report: results.csv.html"]);
    let folder = work.path(".").canonicalize().expect("a folder").display().to_string();
    let shown = text(&work.read("results.csv.html")).replace(&folder, "FOLDER");
    insta::with_settings!({filters => vec![(r"Made by traxload .* UTC\. All", "Made by traxload VERSION on TIME. All")]}, {
        insta::assert_snapshot!(shown);
    });
}

#[test]
fn the_counts_of_the_page_are_those_of_the_file_and_of_the_run() {
    let server = ScriptedServer::start(|request, _| match () {
        () if request.is_for("V2") => Reply::error(400, "Unknown Store 1002"),
        () if request.is_for("V3") => Reply::status(409),
        () => Reply::ok(),
    });
    let work = Workdir::with_visits(5);
    // An identical duplicate, and a row without a store.
    let visits = work.read("visits.csv");
    let last = visits.lines().last().expect("a row");
    work.write("visits.csv", format!("{visits}{last}\nV9,,2024-03-05,2024-03-05T08:00:00Z,,801,rep@example.com\n"));
    let job = JobFile::to(&server.url()).and("[results]\npath = \"results.csv\"\nreport = true");
    work.run(&job).ends_with(3).says(&["report: results.csv.html"]);
    let page = text(&work.read("results.csv.html"));
    for line in [
        "4 of 6 visits delivered; 2 need attention",
        "Uploadedthe API took it in this run | 3 | 50.0% |",
        "Already receivedthe API had it before | 1 | 16.7% |",
        "Invalidit has problems; never sent | 1 | 16.7% |",
        "Rejectedthe API refused it for good | 1 | 16.7% |",
        "7 rows read = 6 result rows + 1 identical duplicate",
        "Fix the causes, then run:",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
    assert!(page.contains(&format!("traxload rerun {}", work.path("results.csv").display())), "{page}");
    work.traxload(&["rerun", "results.csv"]).ends_with(3);
    assert!(text(&work.read("results.csv.html")).contains("4 rows were carried over from an earlier run."));
}

#[test]
fn a_page_that_cannot_be_written_is_a_warning_at_the_end_of_a_run_and_an_error_of_the_command() {
    let work = Workdir::with_visits(1);
    std::fs::create_dir(work.path("results.csv.html")).expect("a folder in the way");
    work.run(&JobFile::new().and("[results]\npath = \"results.csv\"\nreport = true"))
        .ends_with(0)
        .says(&["warning: there is no report: cannot write results.csv.html"]);
    work.traxload(&["report", "results.csv"]).ends_with(2).says(&["cannot write results.csv.html"]);
    assert!(!work.exists("results.csv.html.new"));
}

#[test]
fn text_from_exports_and_servers_stays_text() {
    let nasty = [
        "<script>alert(1)</script>",
        "\"'><img src=https://evil.example/x onerror=alert(1)>",
        "]]></style></title>--><b>",
        "\u{202e}gnp.exe\u{2066}",
        "nul\u{0}bell\u{7}escape\u{1b}[31m\u{9b}",
        "&lt;b&amp;",
    ];
    let mut rows: Vec<String> =
        nasty.iter().enumerate().map(|(n, nasty)| row(nasty, "rejected", nasty, nasty, nasty, n)).collect();
    rows.push(row("long", "failed", "timeout", &"<é>".repeat(3_500), &"9".repeat(5_000), 9));
    let page = page(&file(&rows));
    assert!(page.len() < 60_000, "{} bytes", page.len());
    for forbidden in
        ["<script", "<img", "<b>", "onerror=alert(1)>", "\u{202e}", "\u{2066}", "\0", "\u{7}", "\u{1b}", "\u{9b}"]
    {
        assert!(!page.contains(forbidden), "{forbidden:?}");
    }
    for shown in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&quot;'&gt;&lt;img",
        "\\u{202e}gnp.exe",
        "nul␀bell␇escape␛[31m",
        "&amp;lt;b&amp;amp;",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert_eq!((page.matches("</style>").count(), page.matches("</title>").count()), (1, 1));
    // Only the start of a long error is shown.
    assert_eq!(page.matches("&lt;é&gt;").count(), 100);
    assert!(!page.contains(&"9".repeat(101)));
}

#[test]
fn the_page_needs_no_other_file() {
    let page = page(&small());
    for outside in ["<script", "<img", "<iframe", " src=", "url(", "@import", "http://", "https://"] {
        assert!(!page.contains(outside), "{outside}");
    }
    // Without an icon, browsers would ask a server for one.
    assert_eq!(page.matches("href=").count(), page.matches("href=\"data:,\"").count());
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn headings_are_nested_in_order_and_every_picture_has_a_text() {
    let page = page(&small());
    let levels = page
        .split("<h")
        .skip(1)
        .filter_map(|rest| rest.chars().next()?.to_digit(10).filter(|_| !rest.starts_with("tml")));
    let levels: Vec<u32> = levels.collect();
    assert_eq!(levels.iter().filter(|level| **level == 1).count(), 1);
    assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    for svg in page.split("<svg").skip(1) {
        let tag = svg.split_once('>').expect("a tag").0;
        assert!(tag.contains("role=\"img\"") && tag.contains("aria-label=\""), "{tag}");
    }
    assert!(
        page.split("<th").skip(1).filter(|th| !th.starts_with("ead")).all(|th| th
            .split_once('>')
            .expect("a tag")
            .0
            .contains("scope="))
    );
}

#[test]
fn two_hundred_thousand_rows_make_a_small_page_that_counts_every_row() {
    const ROWS: usize = 200_000;
    let mut content = format!("{HEADER}\n");
    for n in 0..ROWS {
        let (status, code, attempts) = match n % 50 {
            0 => ("rejected", "unknown_store", 1),
            1 => ("invalid", "missing_field", 0),
            _ => ("uploaded", "", 1),
        };
        let _ = writeln!(
            content,
            "V{n},65122e0f-cb0e-56c9-b1b9-ce0a93874602,{status},200,{code},{code} of {n},{attempts},{},\
             2024-03-{:02}T{:02}:{:02}:{:02}.{:03}Z,S{},20{:02}-{:02}-{:02},2,79bc,visits.csv:{}",
            20 + n % 400,
            1 + n / 86_400,
            n / 3600 % 24,
            n / 60 % 60,
            n % 60,
            n % 1000,
            n % 120_000,
            n % 24,
            1 + n % 12,
            1 + n % 28,
            n + 2,
        );
    }
    let page = page(&content);
    assert!(page.len() < 200_000, "{} bytes", page.len());
    let text = text(&page);
    for line in [
        "192,000 of 200,000 visits delivered; 8,000 need attention",
        "4,000 50.0% of those not delivered",
        "and 3,997 more in the result file",
        "Only the first 100,000 stores of the file are counted one by one. Of 20,000 visits to other stores, 800 were not delivered.",
    ] {
        assert!(text.contains(line), "{line} in\n{text}");
    }
}

#[test]
fn the_page_of_a_run_that_goes_on_shows_its_rows_so_far() {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |request, _| match request.is_for("V3") {
        true => Reply::After(held.clone(), Box::new(Reply::ok())),
        false => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()));
    let run = work.start(&["run", "job.toml"]);
    crate::harness::wait_until("two rows are written", || {
        work.exists("results.csv.partial") && work.read("results.csv.partial").lines().count() == 3
    });
    for named in ["results.csv", "results.csv.partial"] {
        let done = work.traxload(&["report", named]).ends_with(0).says(&["report: results.csv.html"]);
        assert!(done.stdout.is_empty());
        let page = text(&work.read("results.csv.html"));
        for line in [
            "The run has not finished: 2 of 3 visits have a row, 2 delivered",
            "Delivered so far\n66.7%2 of 3 visits",
            "Visits without a row yet | 1 | 33.3%",
            "Nothing so far: every visit that has a row was delivered. The others have no row yet.",
            "If the run is no longer going on, this resumes it:",
            "traxload rerun ",
        ] {
            assert!(page.contains(line), "{line} in\n{page}");
        }
        assert!(!page.contains("100%") && !page.contains("All 2 visits"), "{page}");
    }
    gate.open();
    run.finish().ends_with(0);
}

#[test]
fn the_page_of_a_journal_without_rows_shows_no_success_and_names_the_command_that_resumes_it() {
    let work = Workdir::new();
    let begun = MANIFEST
        .replace("\"2024-03-05T08:00:16.000Z\", \"exit_code\": 3", "null, \"exit_code\": null")
        .replace("\"carried_over\": 3", "\"carried_over\": 0");
    work.write("results.csv.partial", format!("{HEADER}\n")).write("results.csv.json", begun);
    let page = text(&work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout);
    assert!(page.contains("The run has not finished: none of 16 visits has a row yet"), "{page}");
    assert!(page.contains("traxload rerun "), "{page}");
    std::fs::remove_file(work.path("results.csv.json")).expect("it is there");
    let page = text(&work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout);
    assert!(page.contains("The run has not finished: no visit has a row yet"), "{page}");
    assert!(page.contains("traxload run with its job resumes it"), "{page}");
}

#[test]
fn the_page_of_a_stopped_run_begins_with_that() {
    let work = Workdir::new();
    let rows = [row("V1", "uploaded", "", "", "1001", 1), row("V2", "not_attempted", "stopped", "", "1001", 2)];
    work.write("results.csv", file(&rows));
    for (code, headline) in [
        (5, "The run stopped early: 1 of 2 visits delivered; 1 needs attention"),
        (6, "The run stopped early: "),
        (143, "The run stopped early: "),
        // Stopped by max_duration.
        (3, "The run stopped early: "),
        (4, "Nothing was sent: 0 of 2 visits are invalid"),
    ] {
        work.write("results.csv.json", MANIFEST.replace("\"exit_code\": 3", &format!("\"exit_code\": {code}")));
        let page = text(&work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout);
        assert!(page.lines().nth(1).is_some_and(|line| line.starts_with(headline)), "{headline} in\n{page}");
    }
}

#[test]
fn the_page_of_a_file_that_a_later_run_has_begun_to_replace_shows_no_success() {
    let work = Workdir::new();
    work.write("results.csv", file(&[row("V1", "uploaded", "", "", "1001", 1)]));
    let begun = MANIFEST.replace("\"2024-03-05T08:00:16.000Z\", \"exit_code\": 3", "null, \"exit_code\": null");
    work.write("results.csv.json", begun).write("results.csv.partial", format!("{HEADER}\n"));
    let page = text(&work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout);
    for line in [
        "A later run has not finished; before it, the only visit was delivered",
        "The page shows the file as it was before",
        "Nothing before the later run",
        "traxload rerun ",
    ] {
        assert!(page.contains(line), "{line} in\n{page}");
    }
}

#[test]
fn a_page_of_the_sandbox_says_that_nothing_was_sent_to_trax() {
    let work = Workdir::with_visits(2);
    work.run(&JobFile::new().and("[results]\npath = \"results.csv\"\nreport = true")).ends_with(0);
    let page = work.read("results.csv.html");
    assert!(text(&page).contains("Sandbox, nothing was sent to Trax. All 2 visits delivered"), "{page}");
    assert!(page.contains("<title>Sandbox, nothing was sent to Trax."), "{page}");
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    work.job(&JobFile::to(&server.url()).and("[results]\npath = \"real.csv\"\nreport = true"));
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert!(!work.read("real.csv.html").contains("andbox"));
}

#[test]
fn an_error_of_several_visits_is_shown_once_and_rows_of_an_earlier_run_are_counted() {
    let rows = [
        row("V1", "rejected", "unknown_store", "Unknown Store 7 (exports/visits.csv:3)", "7", 1),
        row("V2", "rejected", "unknown_store", "Unknown Store 7", "7", 2),
        row("V3", "rejected", "unknown_store", "Unknown Store 8", "8", 3),
        row("V4", "failed", "timeout", "no answer in time", "8", 4),
    ];
    let work = Workdir::new();
    // The run started after the first two rows were finished.
    let started = MANIFEST.replace("2024-03-05T08:00:00.000Z", "2024-03-05T08:00:03.000Z");
    work.write("results.csv", file(&rows)).write("results.csv.json", started);
    let page = text(&work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0).stdout);
    assert!(page.contains("3 75.0% of those not delivered, 2 from an earlier run"), "{page}");
    assert!(page.contains("1 25.0% of those not delivered\n"), "{page}");
    let samples = "V1store 7exports/visits.csv:3\nV2store 7exports/visits.csv:4\nUnknown Store 7\n\
                   V3store 8exports/visits.csv:5\nUnknown Store 8\n";
    assert!(page.contains(samples), "{page}");
}

#[test]
fn files_of_other_kinds_are_refused_and_empty_ones_are_not() {
    let work = Workdir::new();
    work.write("visits.csv", "visit_id,store\nV1,1001\n")
        .write("nothing.csv", "")
        .write("empty.csv", format!("{HEADER}\n"));
    work.traxload(&["report", "visits.csv"]).ends_with(2).says(&["not a result file of traxload"]);
    work.traxload(&["report", "nothing.csv"]).ends_with(2).says(&["it is empty; remove it"]);
    work.traxload(&["report", "missing.csv"]).ends_with(2).says(&["there is no result file missing.csv"]);
    // A folder is all result files in it.
    work.traxload(&["report", ".", "-o", "-"]).ends_with(0).says(&["visits.csv", "nothing.csv"]);
    work.traxload(&["report", "empty.csv"]).ends_with(0);
    assert!(text(&work.read("empty.csv.html")).contains("There are no visits in this result file"));
    // A page never replaces the file that it is made from.
    work.write("results.csv", small()).write("results.csv.json", MANIFEST);
    for own in ["results.csv", "results.csv.json"] {
        work.traxload(&["report", "results.csv", "-o", own]).ends_with(2).says(&["is what the page is made from"]);
    }
    assert_eq!(work.read("results.csv"), small());
}

#[test]
fn without_a_manifest_or_with_another_one_the_page_says_so() {
    let alone = text(&page(&small()));
    assert!(alone.contains("there is no manifest beside the file"), "{alone}");
    assert!(alone.contains("Without the manifest a rerun cannot know its job"), "{alone}");
    let work = Workdir::new();
    work.write("results.csv", file(&[row("V1", "uploaded", "", "", "1001", 1), "V2,torn\n".to_owned()]));
    work.write("results.csv.json", MANIFEST);
    let done = work.traxload(&["report", "results.csv", "-o", "-"]).ends_with(0);
    let page = text(&done.stdout);
    assert!(page.contains("the file was changed after the run: the manifest counts 16 rows, the file has 1"), "{page}");
    assert!(page.contains("1 row of the file cannot be read"), "{page}");
}

#[test]
fn an_older_page_is_replaced_and_no_other_file_is() {
    let work = Workdir::new();
    work.write("results.csv", small()).write("results.csv.json", MANIFEST).write("empty.html", "");
    let make = |output: &str| work.traxload(&["report", "results.csv", "-o", output]);
    for _ in 0..2 {
        make("page.html").ends_with(0);
        make("empty.html").ends_with(0);
        assert!(text(&work.read("page.html")).contains("visits"));
        assert_eq!(work.read("page.html").len(), work.read("empty.html").len());
    }
    // A page of another program.
    let other = work.read("page.html").replace("<meta name=\"generator\"", "<meta name=\"other\"");
    work.write("other.html", other);
    make("other.html").ends_with(2).says(&["other.html is already there"]);
    std::fs::remove_file(work.path("other.html")).expect("it is there");
    let others =
        [("visits.csv", "visit_id\nV1\n"), ("job.toml", "name = \"a\"\n"), ("site.html", "<!DOCTYPE html><p>Hi")];
    for (name, content) in others {
        work.write(name, content);
        make(name).ends_with(2).says(&[name, "is already there and is not a page of traxload", "-o"]);
        assert_eq!(work.read(name), content);
    }
    std::fs::create_dir(work.path("folder")).expect("a folder");
    make("folder").ends_with(2).says(&["cannot write folder"]);
    make("no/such.html").ends_with(2).says(&["cannot write no/such.html: there is no folder no"]);
    let names =
        ["empty.html", "folder", "job.toml", "page.html", "results.csv", "results.csv.json", "site.html", "visits.csv"];
    assert_eq!(work.listing("."), names);
}

#[cfg(unix)]
#[test]
fn a_page_is_written_through_a_link_and_never_over_a_pipe() {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    let work = Workdir::new();
    work.write("results.csv", small()).write("site/older.txt", "");
    let make = |output: &str| work.traxload(&["report", "results.csv", "-o", output]);
    symlink("site/page.html", work.path("page.html")).expect("a link");
    symlink("results.csv", work.path("other.html")).expect("a link");
    for _ in 0..2 {
        make("page.html").ends_with(0).says(&["report: page.html"]);
        assert!(work.path("page.html").is_symlink());
        assert!(text(&work.read("site/page.html")).contains("visits"));
    }
    let path = work.path("site/page.html");
    let mode = || path.metadata().expect("a page").permissions().mode() & 0o777;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("ours");
    make("page.html").ends_with(0);
    assert_eq!(mode(), 0o640, "the readers of the older page can read the new one");
    make("other.html").ends_with(2).says(&["other.html is what the page is made from"]);
    work.shell("mkfifo pipe").ends_with(0);
    make("pipe").ends_with(2).says(&["pipe is not a regular file"]);
    assert!(work.path("pipe").symlink_metadata().expect("it is there").file_type().is_fifo());
    // A link like /dev/stdout: only the system knows where it leads.
    symlink("/proc/self/fd/1", work.path("stdout")).expect("a link");
    let done = work.shell("traxload report results.csv -o stdout | cat");
    assert!(done.stdout.is_empty() && done.stderr.contains("stdout is not a regular file"), "{}", done.stderr);
    assert!(work.path("stdout").is_symlink());
    assert_eq!(work.listing("."), ["other.html", "page.html", "pipe", "results.csv", "site", "stdout"]);
    assert_eq!(work.listing("site"), ["older.txt", "page.html"]);
}
