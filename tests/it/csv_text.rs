//! CSV as people write it: what is read for what it says, and what ends a run before anything is sent, each beside the
//! nearest export that is right as it is.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, SCENES_HEADER, VISITS_HEADER, Workdir, body, gzip, lines, scene_uid, visit};

/// Fails unless the exports say what [`Workdir::with_visits`] says of three visits; returns what was said.
#[track_caller]
fn says_the_same(work: &Workdir, job: &JobFile) -> String {
    let (done, bodies) = work.check(job);
    let done = done.ends_with(0);
    assert_eq!(bodies, [body(1), body(2), body(3)]);
    done.stderr
}

/// Fails unless this suspicion, and no other, stops a check, and accepting it lets it through.
#[track_caller]
fn suspected(work: &Workdir, job: &JobFile, code: &str, says: &[&str]) {
    let done = work.check(job).0.ends_with(2).says(says).says(&[&format!("  {code}: "), &format!("--accept {code}")]);
    assert_eq!(done.stderr.matches("\n  ").count() - done.stderr.matches("\n    ").count(), 1, "{}", done.stderr);
    let accepted = work.traxload(&["check", "job.toml", "--accept", code]);
    // It was read to its end. Its visits may be invalid: some of them, or too many for a run.
    assert!([0, 3, 4].contains(&accepted.code), "{}", accepted.stderr);
    accepted.says(&[&format!("accepted, {code}: ")]);
}

#[track_caller]
fn refused(work: &Workdir, job: &JobFile, says: &[&str]) {
    work.check(job).0.ends_with(2).says(says);
}

/// Three visits whose scenes are rows of `header`, with a note behind the task code.
fn with_notes(rows: &[&str]) -> Workdir {
    let work = Workdir::with_visits(3);
    work.write("scenes.csv", lines("visit_id,scene_id,task_code,note", rows));
    work
}

/// The number of scenes of each visit, in the order of the export.
#[track_caller]
fn scenes(work: &Workdir, job: &JobFile) -> Vec<usize> {
    let (done, bodies) = work.check(job);
    done.ends_with(0);
    bodies.iter().map(|body| body.matches("scene_uid").count()).collect()
}

#[test]
fn blanks_around_quotes_are_dropped_and_the_quotes_act() {
    let work = Workdir::with_visits(3);
    let padded = |file: &str, delimiter: &str| {
        let row = |line: &str| {
            let cells: Vec<String> = line.split(',').map(|cell| format!(" \"{cell}\"\t")).collect();
            cells.join(delimiter).replace('\t', if delimiter == "\t" { " " } else { "\t" })
        };
        work.read(file).lines().map(|line| row(line) + "\r\n").collect::<String>()
    };
    let (visits, scenes) = (padded("visits.csv", ","), padded("scenes.csv", ";"));
    work.write("visits.csv", format!("\u{feff}{visits}")).write("scenes.csv", format!("sep=;\r\n{scenes}"));
    says_the_same(&work, &JobFile::new());
    let work = Workdir::with_visits(3);
    let with_tabs = |file: &str| -> String {
        let row = |line: &str| line.split(',').map(|cell| format!(" \"{cell}\" ")).collect::<Vec<_>>().join("\t");
        work.read(file).lines().map(|line| row(line) + "\n").collect()
    };
    work.write("v.tsv", with_tabs("visits.csv")).write("s.tsv", with_tabs("scenes.csv"));
    says_the_same(&work, &JobFile::new().visits("path", "\"v.tsv\"").scenes("path", "\"s.tsv\""));
    // A delimiter and a line break inside are the cell's.
    let work = Workdir::with_visits(1);
    work.write("visits.csv", lines(VISITS_HEADER, &["V1 , \"7, \nx\" ,2024-03-05,2024-03-05T08:00:00Z,,,"]));
    let (done, bodies) = work.check(&JobFile::new());
    done.ends_with(0);
    assert!(bodies[0].contains(r#""store_number":"7, \nx""#), "{bodies:?}");
    // Without `trim`, blanks are text and the quotes behind them too.
    work.check(&JobFile::new().visits("trim", "false")).0.ends_with(4);
}

#[test]
fn empty_rows_and_cells_too_many_at_the_end_of_a_row_do_no_harm() {
    let work = Workdir::with_visits(3);
    let with_empty_rows = format!("{},,,,,,\n , ,\"\",\t,,,\n,,\n", work.read("visits.csv"));
    work.write("visits.csv", with_empty_rows);
    work.write("scenes.csv", work.read("scenes.csv").replace("T1\n", "T1,, ,\n") + "\n\n  \n");
    let said = says_the_same(&work, &JobFile::new());
    for says in ["visits: 3 empty rows left out, the first visits.csv:5", "scenes: 1 empty row left out"] {
        assert!(said.contains(says), "{said}");
    }
    // A delimiter at the end of every row, of the header alone, and of the rows alone.
    let work = Workdir::with_visits(3);
    let plain = work.read("scenes.csv");
    let (header, rows) = plain.split_once('\n').expect("a header");
    for text in
        [plain.replace('\n', ",\n"), format!("{header},\n{rows}"), format!("{header}\n{}", rows.replace('\n', ",\n"))]
    {
        work.write("scenes.csv", text);
        let said = says_the_same(&work, &JobFile::new());
        assert!(!said.contains("left out"), "{said}");
    }
    // A cell that says something is no empty one, and too few cells are too few.
    let work = with_notes(&["V1,S1,T1,a,b", "V2,S2,T1,a", "V3,S3,T1,a"]);
    suspected(&work, &JobFile::new(), "unreadable_scenes", &["scenes.csv:2: the row has 5 cells, the header 4"]);
    let work = with_notes(&["V1,S1,T1,a", "V2,S2,T1", "V3,S3,T1,a"]);
    suspected(&work, &JobFile::new(), "unreadable_scenes", &["scenes.csv:3: the row has 3 cells, the header 4"]);
}

#[test]
fn a_header_between_the_rows_is_left_out_and_one_in_another_order_refused() {
    let work = Workdir::with_visits(3);
    let joined = |text: &str| {
        let rows: Vec<&str> = text.lines().collect();
        [
            rows[0],
            rows[1],
            rows[0],
            rows[2],
            &format!("\u{feff}\"{}\"", rows[0].replace(',', "\",\"")),
            rows[3],
            rows[0],
            "",
        ]
        .join("\n")
    };
    work.write("visits.csv", joined(&work.read("visits.csv"))).write("scenes.csv", joined(&work.read("scenes.csv")));
    let said = says_the_same(&work, &JobFile::new());
    assert!(said.contains("scenes: 3 rows that equal the header left out, the first scenes.csv:3"), "{said}");
    // The first column has another name in a file that was joined.
    let with_note = |other: &str| format!("note,{SCENES_HEADER}\nx,V1,S1,T1\nx,V2,S2,T1\n{other}\n");
    for other in ["comment,visit_id,task_code,scene_id\nx,V3,T1,S3", "comment,scene_id,visit_id,task_code\nx,S3,V3,T1"]
    {
        work.write("scenes.csv", with_note(other));
        refused(&work, &JobFile::new(), &["scenes.csv:4", "line 1", "another order"]);
    }
    work.write("scenes.csv", with_note("comment,V3,S3,T1"));
    says_the_same(&work, &JobFile::new());
    for other in ["visit_id,task_code,scene_id\nV3,T1,S3", "day,task_code,scene_id,visit_id\n1,T1,S3,V3"] {
        work.write("scenes.csv", format!("{SCENES_HEADER}\nV1,S1,T1\nV2,S2,T1\n{other}\n"));
        refused(&work, &JobFile::new(), &["scenes.csv:4", "line 1", "another order"]);
        assert_eq!(work.traxload(&["run", "job.toml", "--accept", "stray_quote"]).code, 2);
    }
    // A scene that is called like a column is a scene.
    work.write("scenes.csv", format!("{SCENES_HEADER}\nV1,S1,T1\nV2,S2,T1\nV3,S3,T1\nV3,scene_id,task_code\n"));
    assert_eq!(scenes(&work, &JobFile::new()), [1, 1, 2]);
}

#[test]
fn ctrl_z_at_the_end_is_no_row() {
    let work = Workdir::with_visits(3);
    let text = work.read("scenes.csv").replace('\n', "\r\n");
    for end in ["\u{1a}", "\u{1a}\r\n", "\u{1a}\u{1a}\u{1a}"] {
        work.write("scenes.csv", format!("{text}{end}"));
        says_the_same(&work, &JobFile::new());
    }
    work.write("scenes.csv", format!("{}\u{1a}", text.trim_end()));
    says_the_same(&work, &JobFile::new());
    work.write("scenes.csv", format!("{}\u{1a}\r\nV3,S4,T1\r\n", text));
    suspected(&work, &JobFile::new(), "unreadable_scenes", &["scenes.csv:5: the row has 1 cell"]);
}

#[test]
fn zeros_behind_compressed_files_are_padding_and_other_bytes_are_not() {
    let work = Workdir::with_visits(3);
    let job = JobFile::new().visits("path", "\"visits.csv.gz\"").scenes("path", "\"scenes.csv.zst\"");
    let visits = gzip(work.read("visits.csv"));
    let scenes = zstd::encode_all(work.read("scenes.csv").as_bytes(), 1).expect("in memory");
    let padded = |bytes: &[u8], behind: &[u8]| [bytes, &vec![0; 700_000], behind].concat();
    work.write("visits.csv.gz", padded(&visits, b"")).write("scenes.csv.zst", padded(&scenes, b""));
    says_the_same(&work, &job);
    work.write("visits.csv.gz", padded(&visits, b"V4"));
    refused(&work, &job, &["visits.csv.gz"]);
}

#[test]
fn a_stray_quote_is_told_by_the_rows_that_it_takes_with_it() {
    let job = JobFile::new();
    let rest = ["V2,S2,T1,", "V3,S3,T1,"];
    let rows = |rows: &[&'static str]| with_notes(&[rows, &rest].concat());
    for (inches, says) in [
        (&["V1,S1,T1,\"5 inch gap", "V1,S2,T1,ok", "V1,S3,T1,6\" wide"][..], "there is text behind its closing quote"),
        (&["V1,S1,T1,\"5 inch gap", "V1,S2,T1,ok", "V1,S3,T1,wide 6\""][..], "there are rows inside its cell"),
        (&["V1,S1,\"T1\" x,ok"][..], "there is text behind its closing quote"),
    ] {
        suspected(&rows(inches), &job, "stray_quote", &[&format!("scenes.csv:2: {says}"), "quote = \"\""]);
    }
    // Two in neighbouring rows, before other cells and before the key.
    let swallowed = &["scenes.csv:2: there are rows inside its cell"];
    for (header, rows) in [
        ("visit_id,note,scene_id,task_code", ["V1,\"5,S1,T1", "V2,6\",S2,T1", "V3,x,S3,T1"]),
        ("scene_id,note,task_code,visit_id", ["S1,\"5,T1,V1", "S2,6\",T1,V2", "S3,x,T1,V3"]),
    ] {
        let work = Workdir::with_visits(3);
        work.write("scenes.csv", lines(header, &rows));
        suspected(&work, &job, "stray_quote", swallowed);
        says_the_same(&work, &job.clone().scenes("quote", "\"\""));
    }
    let cells_too_many = ["scenes.csv:2: there is text behind its closing quote", "the row has 5 cells"];
    refused(&rows(&["V1,S1,T1,\"5 inch\" gap,ok"]), &job, &cells_too_many);
    let work = with_notes(&["V1,S1,T1,", "V2,S2,T1,\"5 inch", "V3,S3,T1,"]);
    let accept = "[check]\naccept = [\"stray_quote\"]";
    suspected(&work, &job, "stray_quote", &["scenes.csv:3: it is still open at the end of the file"]);
    work.check(&job.clone().and(accept)).0.says(&["accepted, stray_quote: "]);
    // Without quotes all rows are there.
    let work = rows(&["V1,S1,T1,\"5 inch gap", "V1,S2,T1,ok", "V1,S3,T1,6\" wide"]);
    assert_eq!(scenes(&work, &job.scenes("quote", "\"\"")), [3, 1, 1]);
}

#[test]
fn a_stray_quote_in_a_flat_export_of_many_visits_is_told_once() {
    let work = Workdir::new();
    let row = |n: usize| {
        let note = match n {
            5_000 => "\"5 inch",
            19_900 => "6\" wide",
            _ => "ok",
        };
        format!("V{n:05},7,2024-03-05,2024-03-05T08:00:00Z,,,,S1,T1,{note}")
    };
    work.write(
        "flat.csv",
        lines(&format!("{VISITS_HEADER},scene_id,task_code,note"), &(1..20_000).map(row).collect::<Vec<_>>()),
    );
    let job = JobFile::new().exports("path", "\"flat.csv\"");
    suspected(&work, &job, "stray_quote", &["flat.csv:5001: there is text behind its closing quote"]);
    assert_eq!(work.check(&job.exports("quote", "\"\"")).1.len(), 19_999);
}

#[test]
fn honest_quotes_are_no_stray_ones() {
    let work = with_notes(&[
        "V1,S1,T1,\"left at noon,\nback, with, boxes\n\"\"5 inch\"\" ones\"",
        "V2,S2,T1,\"1 Main St\r\n75001, Paris, 2, F\r\nFrance\"",
        "V2,S3,T1,6\" wide and 5\" high",
        "V3,S3,T1,\"{\"\"a\"\": 1,\n \"\"b\"\": [1, 2, 3],\n\"\"c\"\": {}}\"",
    ]);
    let (done, bodies) = work.check(&JobFile::new());
    let done = done.ends_with(0);
    assert_eq!(bodies.len(), 3);
    assert!(!done.stderr.contains("quote"), "{}", done.stderr);
    // Notes of as many pieces as cells are left in the row.
    let work = Workdir::with_visits(3);
    let rows = ["V1,\"Hall 1, 2 racks, door\nV7, again\",S1,T1", "V2,\"a, b, c\nd, e\",S2,T1", "V3,,S3,T1"];
    work.write("scenes.csv", lines("visit_id,note,scene_id,task_code", &rows));
    let said = says_the_same(&work, &JobFile::new());
    assert!(!said.contains("quote"), "{said}");
    // Text behind a quote where it concerns no column of the job.
    let work = with_notes(&["V1,S1,T1,\"5\" wide", "V2,S2,T1,", "V3,S3,T1,"]);
    work.check(&JobFile::new())
        .0
        .ends_with(0)
        .says(&["1 cell has text behind the closing quote, the first scenes.csv:2"]);
}

#[test]
fn a_wrong_encoding_is_told_by_letters_that_are_none() {
    let job = JobFile::new().visits("encoding", "\"windows-1252\"");
    let with_store = |store: &[u8]| {
        let work = Workdir::with_visits(1);
        let row = [b"V1,", store, b",2024-03-05,2024-03-05T08:00:00Z,,,\n"].concat();
        work.write("visits.csv", [format!("{VISITS_HEADER}\n").as_bytes(), &row].concat());
        work
    };
    suspected(&with_store("Café".as_bytes()), &job, "wrong_encoding", &["visits.csv:2", "UTF-8"]);
    suspected(&with_store(b"Caf\xe9 \x81"), &job, "wrong_encoding", &["visits.csv:2", "control characters"]);
    let latin2 = JobFile::new().visits("encoding", "\"iso-8859-2\"");
    suspected(&with_store(b"\x8aibenik \xe9"), &latin2, "wrong_encoding", &["visits.csv:2"]);
    for right in [&b"Caf\xe9 \x80 \x93x\x94"[..], b"Cafe", "Cafe\u{301}".as_bytes()] {
        let encoding = if right.contains(&0xcc) { JobFile::new() } else { job.clone() };
        with_store(right).check(&encoding).0.ends_with(0);
    }
    // A mark says what the job does not know.
    with_store("Café".as_bytes())
        .write("scenes.csv", format!("\u{feff}{SCENES_HEADER}\nV1,S1,É\n"))
        .check(&JobFile::new().scenes("encoding", "\"windows-1252\""))
        .0
        .ends_with(0);
}

#[test]
fn frames_of_other_programs_are_left_out_as_the_job_says() {
    let work = Workdir::with_visits(3);
    let (visits, scenes) = (work.read("visits.csv"), work.read("scenes.csv"));
    let rows = |text: &str| text.split_once('\n').expect("a header").1.to_owned();
    let names = |header: &str| format!("[\"{}\"]", header.replace(',', "\", \""));
    // MySQL's OUTFILE: no header, tabs, escapes.
    work.write("v.tsv", rows(&visits).replace(',', "\t")).write("s.tsv", rows(&scenes).replace(',', "\t"));
    let mysql = JobFile::new().exports("quote", "\"\"").exports("escape", "'\\'");
    let mysql = mysql.visits("path", "\"v.tsv\"").scenes("path", "\"s.tsv\"");
    says_the_same(&work, &mysql.visits("header", &names(VISITS_HEADER)).scenes("header", &names(SCENES_HEADER)));
    // sqlcmd: a ruler below the header, and a footer.
    let ruled = |text: &str| {
        let (header, rows) = text.split_once('\n').expect("a header");
        format!("{header}\n---------------{}\n{rows}\n(3 rows affected)\n", ",----".repeat(header.matches(',').count()))
    };
    work.write("visits.csv", ruled(&visits).replace('\n', "\r\n"))
        .write("scenes.csv", ruled(&scenes).replace('\n', "\r"));
    let sqlcmd = JobFile::new().exports("ignore_lines", "[\"---*\", \"(* rows affected)\"]");
    let said = says_the_same(&work, &sqlcmd);
    assert!(said.contains("scenes: 2 lines left out as `ignore_lines` says, the first scenes.csv:2"), "{said}");
    // psql: cells lined up, and a footer without a line end.
    let aligned = |text: &str| {
        let lined_up = text.replace(',', "   | ").replace('\n', " \n ");
        let (header, rows) = lined_up.split_once('\n').expect("a header");
        format!(" {header}\n--------+-------\n{}\n(3 rows)", rows.trim_end())
    };
    work.write("visits.csv", aligned(&visits)).write("scenes.csv", aligned(&scenes));
    says_the_same(
        &work,
        &JobFile::new().exports("delimiter", "\"|\"").exports("ignore_lines", "[\"---*\", \"(? rows)\"]"),
    );
    // A title above, an odd quote in it, and lines still count as they are in the file.
    work.write("visits.csv", format!("sep=,\nVisits of the 5\" shelf\n\n{visits}"));
    work.write("scenes.csv", format!("Scenes\n{}", rows(&scenes)));
    let titled = JobFile::new().visits("skip", "2").scenes("skip", "1").scenes("header", &names(SCENES_HEADER));
    says_the_same(&work, &titled);
    work.write("visits.csv", format!("Visits\n\n{}", visits.replace("V2,1002", "V2,")));
    work.check(&titled.clone().visits("skip", "1")).0.ends_with(3).says(&["(visits.csv:5)"]);
    work.write("visits.csv", format!("Visits, all of them\n{visits}"));
    says_the_same(&work, &titled.visits("skip", "0").visits("ignore_lines", "[\"Visits*\"]"));
}

#[test]
fn a_headerless_export_may_be_empty_and_may_have_a_header_after_all() {
    let work = Workdir::with_visits(3);
    let names = |header: &str| format!("[\"{}\"]", header.replace(',', "\", \""));
    let job = JobFile::new().visits("header", &names(VISITS_HEADER)).scenes("header", &names(SCENES_HEADER));
    let said = says_the_same(&work, &job);
    assert!(said.contains("visits: 1 row that equals the header left out, the first visits.csv:1"), "{said}");
    work.write("visits.csv", "").write("scenes.csv", "");
    work.check(&job).0.ends_with(8);
    work.write("scenes.csv", "scene_id,visit_id,task_code\nS1,V1,T1\n").write("visits.csv", visit(1) + "\n");
    refused(&work, &job, &["scenes.csv:1", "`header` in the job file"]);
}

#[test]
fn a_last_row_without_a_line_end_is_suspect_where_its_like_have_one() {
    let job = JobFile::new();
    let cut = |work: &Workdir, file: &str| {
        work.write(file, work.read(file).trim_end());
    };
    let work = Workdir::with_visits(3);
    cut(&work, "scenes.csv");
    suspected(&work, &job, "unterminated", &["scenes.csv:4, and visits.csv ends with a line end"]);
    // None of them has one; or the other file is of another hand.
    let warns = |work: &Workdir, job: &JobFile| {
        let said = says_the_same(work, job);
        assert!(said.contains("the last row of "), "{said}");
    };
    cut(&work, "visits.csv");
    warns(&work, &job);
    for (from, to) in [("\n", "\r\n"), (",", ";"), ("visit_id", "\"visit_id\"")] {
        let work = Workdir::with_visits(3);
        work.write("visits.csv", work.read("visits.csv").replace(from, to));
        cut(&work, "scenes.csv");
        warns(&work, &if from == "," { job.clone().visits("delimiter", "\";\"") } else { job.clone() });
    }
    // Another file of the section counts whatever its hand is; a header is a row.
    let work = Workdir::with_visits(3);
    work.write("s/1.csv", work.read("scenes.csv").trim_end()).write("s/2.csv", format!("{SCENES_HEADER}\r\n"));
    work.write("visits.csv", work.read("visits.csv").trim_end());
    let folder = job.scenes("path", "\"s\"");
    work.check(&folder).0.ends_with(2).says(&["s/1.csv:4, and s/2.csv ends with a line end"]);
}

#[test]
fn a_file_that_ends_in_zeros_is_not_finished() {
    let work = Workdir::with_visits(3);
    let text = work.read("scenes.csv");
    for (end, place) in [("\0\0\0", "scenes.csv:5: 3 zeros"), ("V3,S4,T\0", "scenes.csv:5: 1 zero")] {
        work.write("scenes.csv", format!("{text}{end}"));
        suspected(&work, &JobFile::new(), "unfinished_file", &[place]);
    }
    work.write("scenes.csv", vec![0; 5000]);
    refused(&work, &JobFile::new(), &["scenes.csv", "zeros"]);
}

#[test]
fn as_many_rows_as_a_spreadsheet_holds_are_suspect_and_a_round_number_is_a_word() {
    let of = |scenes: usize| {
        let work = Workdir::with_visits(1);
        work.write("scenes.csv", lines(SCENES_HEADER, &(0..scenes).map(|n| format!("V1,S{n},T1")).collect::<Vec<_>>()));
        work
    };
    suspected(&of(65_535), &JobFile::new(), "row_limit", &["scenes.csv: 65536 rows with its header"]);
    let is_silent = |work: Workdir| {
        let done = work.check(&JobFile::new()).0.ends_with(0);
        assert!(!done.stderr.contains("exactly"), "{}", done.stderr);
    };
    is_silent(of(65_536));
    is_silent(of(999));
    of(1_000).check(&JobFile::new()).0.ends_with(0).says(&["scenes.csv has exactly 1000 rows"]);
}

#[test]
fn scenes_of_one_visit_keep_their_ids_however_they_are_written() {
    let work = Workdir::with_visits(1);
    work.write("scenes.csv", " \"visit_id\" ; \"scene_id\" ; \"price\" ;\r\n \"V1\" ; \"S,1\" ; 1,50 ;\r\n;;;\r\n");
    let job = JobFile::new().scenes("delimiter", "\";\"").without(&["task_code"]);
    let (done, bodies) = work.check(&job);
    done.ends_with(0);
    assert!(bodies[0].contains(&scene_uid("V1", "S,1")), "{bodies:?}");
}
