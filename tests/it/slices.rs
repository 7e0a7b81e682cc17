//! `report` of many result files: a line for each, totals in which a visit counts once, and where the page goes.

use crate::harness::Workdir;
use crate::report::{HEADER, MANIFEST, text};

/// A row of the visit with this number, settled in this minute.
fn row(visit: usize, status: &str, code: &str, minute: usize) -> String {
    let attempts = usize::from(status != "invalid");
    format!(
        "V{visit},{visit:08x}-cb0e-56c9-b1b9-ce0a93874602,{status},200,{code},,{attempts},40,2024-03-05T08:{minute:02}:00.000Z,\
         1001,2024-03-05,2,79bc,exports/visits.csv:{visit}\n"
    )
}

/// The manifest of a finished run that ended with this code.
fn manifest(exit_code: u8) -> String {
    MANIFEST.replace("\"exit_code\": 3", &format!("\"exit_code\": {exit_code}"))
}

/// A folder of slices: two finished, one that died, one of the sandbox; and what else lies beside them.
fn migration() -> Workdir {
    let work = Workdir::new();
    let file = |rows: &[String]| format!("{HEADER}\n{}", rows.concat());
    // A visit without a valid date is in every slice.
    let undated =
        ",,invalid,,missing_field,missing_field visit_id: no key (exports/visits.csv:9),0,0,2024-03-05T08:00:00.000Z,,,2,,exports/visits.csv:9\n"
            .to_owned();
    let january = [row(1, "uploaded", "", 0), row(2, "failed", "server_error", 1), undated.clone()];
    work.write("results/2024-01.csv", file(&january)).write("results/2024-01.csv.json", manifest(3));
    // Visit 2 was sent again with the next slice; visit 3 was refused in both, at last for its store.
    let february = [
        row(2, "already_received", "", 10),
        row(3, "rejected", "unknown_store", 12),
        row(4, "uploaded", "", 11),
        undated,
    ];
    work.write("results/2024-02.csv", file(&february)).write("results/2024-02.csv.json", manifest(3));
    let begun = MANIFEST
        .replace("\"2024-03-05T08:00:16.000Z\", \"exit_code\": 3", "null, \"exit_code\": null")
        .replace("\"carried_over_not_in_exports\": 1", "\"carried_over_not_in_exports\": 0")
        .replace("\"rows_read\": 17", "\"rows_read\": 5");
    let march = [row(3, "failed", "timeout", 5), row(5, "uploaded", "", 20)];
    work.write("results/2024-03.csv.partial", file(&march)).write("results/2024-03.csv.json", begun);
    // What went to the sandbox says nothing about what Trax has.
    let trial = [row(3, "uploaded", "", 30)];
    work.write("results/trial.csv", file(&trial))
        .write("results/trial.csv.json", manifest(0).replace("https://services.traxretail.com", "sandbox"));
    work.write("results/2024-01.csv.20240304T080000Z.old", file(&[row(3, "uploaded", "", 40)]))
        .write("results/2024-01.csv.html", "<!DOCTYPE html>")
        .write("results/notes.txt", "call Mary")
        .write("results/more/visits.csv", "visit_id,store\nV1,1001\n");
    work
}

#[test]
fn slices_are_shown_together_and_a_visit_in_several_of_them_counts_once() {
    let work = migration();
    work.traxload(&["report", "results"]).ends_with(0).says(&[
        "passed over: 2 files that are no result files: results/more/visits.csv, results/notes.txt",
        "warning: results/2024-03.csv: not finished: the run still goes on, or it died; 1 visit has no row yet",
        "4 files: 6 visits, 4 delivered, 2 not delivered",
        "report: results/report.html",
    ]);
    let folder = work.path(".").canonicalize().expect("a folder").display().to_string();
    let shown = text(&work.read("results/report.html")).replace(&folder, "FOLDER");
    insta::with_settings!({filters => vec![(r"Made by traxload .* UTC\. All", "Made by traxload VERSION on TIME. All")]}, {
        insta::assert_snapshot!(shown);
    });
    // A pattern means the journals of what it matches too, and a list of files is as good.
    let by_pattern = work.traxload(&["report", "results/2024-*.csv", "-o", "-"]).ends_with(0).stdout;
    let files = ["report", "-o", "-", "results/2024-02.csv", "results/2024-01.csv", "results/2024-03.csv.partial"];
    let by_name = work.traxload(&files).ends_with(0).stdout;
    for page in [by_pattern, by_name] {
        let page = text(&page);
        assert!(
            page.contains("4 of 6 visits in 3 files delivered; 2 need attention; 1 file is not finished"),
            "{page}"
        );
        assert!(!page.contains("trial.csv"), "{page}");
    }
}

#[test]
fn the_page_of_many_goes_into_their_folder_or_where_it_is_told_and_replaces_no_other_file() {
    let work = migration();
    work.traxload(&["report", "results/2024-*.csv"]).ends_with(0).says(&["report: results/report.html"]);
    work.traxload(&["report", "results/2024-01.csv", "results/2024-02.csv"])
        .ends_with(0)
        .says(&["report: results/report.html"]);
    // One file alone has its own page, as ever.
    work.traxload(&["report", "results/2024-01.csv", "-o", "one.html"]).ends_with(0);
    assert!(text(&work.read("one.html")).contains("1 of 3 visits delivered; 2 need attention"));
    work.write("other/r.csv", format!("{HEADER}\n{}", row(7, "uploaded", "", 1)));
    work.traxload(&["report", "results", "other"]).ends_with(2).says(&["in several folders", "-o PAGE"]);
    work.traxload(&["report", "results", "other", "-o", "all.html"]).ends_with(0).says(&["report: all.html"]);
    assert!(text(&work.read("all.html")).contains("5 of 7 visits in 4 files delivered"));
    for source in ["results/2024-02.csv", "results/2024-02.csv.json", "results/2024-03.csv.partial"] {
        work.traxload(&["report", "results", "-o", source]).ends_with(2).says(&["is what the page is made from"]);
    }
    work.traxload(&["report", "results", "-o", "results/notes.txt"]).ends_with(2).says(&["is not a page of traxload"]);
    // What somebody names is to be a result file; what lies in a folder need not be one, and some of it has to.
    work.traxload(&["report", "results", "results/notes.txt"]).ends_with(2).says(&["not a result file of traxload"]);
    work.traxload(&["report", "results", "results/2023.csv"]).ends_with(2).says(&["there is no result file"]);
    work.traxload(&["report", "results/more"]).ends_with(2).says(&["there is no result file results/more"]);
    work.traxload(&["report", "results/2025-*.csv"]).ends_with(2).says(&["there is no result file results/2025-*.csv"]);
}

#[test]
fn a_slice_that_a_spreadsheet_has_changed_is_named_and_the_others_are_shown() {
    let work = migration();
    let other = format!("{HEADER}\n{}", row(8, "uploaded", "", 1)).replace(',', "|");
    work.write("results/2024-04.csv", other).write("results/2024-04.csv.json", manifest(0));
    work.traxload(&["report", "results"]).ends_with(0).says(&["warning: results/2024-04.csv: ", "separated by '|'"]);
    let page = text(&work.read("results/report.html"));
    assert!(page.contains("4 of 6 visits in 4 files delivered; 2 need attention; 2 files are not finished"), "{page}");
    assert!(page.contains("separated by '|'"), "{page}");
}
