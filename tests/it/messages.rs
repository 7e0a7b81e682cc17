//! What the program says to people, area by area, as it stands on their screens: to be read, not only to be compared.
//! A message says what is wrong, where, and what to do next. `INSTA_UPDATE=always cargo test --test it messages::`
//! accepts changed ones.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{
    Gate, JobFile, Reply, SCENES_HEADER, ScriptedServer, TOKEN, VISITS_HEADER, Workdir, gzip, lines, visit,
};
use std::fmt::Write;
use std::path::Path;

/// All that was said in one area.
#[derive(Default)]
struct Said(String);

impl Said {
    /// Runs a command and writes down what it says. Standard output is data and left out.
    fn add(&mut self, what: &str, work: &Workdir, args: &[&str]) -> &mut Said {
        self.add_with(what, work, args, &[("TRAX_TOKEN", TOKEN)])
    }

    fn add_with(&mut self, what: &str, work: &Workdir, args: &[&str], environment: &[(&str, &str)]) -> &mut Said {
        let done = work.traxload_with(args, environment);
        self.write(what, &args.join(" "), done.code, &done.stderr)
    }

    fn write(&mut self, what: &str, command: &str, code: i32, said: &str) -> &mut Said {
        assert!(!said.contains(TOKEN));
        let _ = writeln!(self.0, "# {what}\n$ traxload {command}\n{}\n[{code}]\n", said.trim_end());
        self
    }

    /// Compares it with the accepted snapshot, without what differs from run to run.
    #[track_caller]
    fn hold(&self, area: &str) {
        insta::with_settings!({
            filters => vec![
                (r"/[^\s,'`]*/\.tmp[A-Za-z0-9]+", "FOLDER"),
                (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
                (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME"),
                (r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "since TIME"),
                (r"\d{8}T\d{6}Z", "STAMP"),
                (r"process \d+ on [^,]+,", "process N on HOST,"),
                (r" in \d+\.\d s, \d+ requests? \([\d.]+/(s|min)\)", " in N s, N requests (N/s)"),
                (r"\.traxload-\w+", ".traxload-NAME"),
                (r" in \d+\.\d s, nothing sent", " in N s, nothing sent"),
                (r"at [\d.]+/(s|min): pausing for [\d.]+ m?s", "at N/s: pausing for N s"),
                // As many as there is time for.
                (r"(TIME  WARN HTTP 429[^\n]*\n)+", "$1"),
            ],
            omit_expression => true,
        }, {
            insta::assert_snapshot!(area, self.0);
        });
    }
}

/// A job of the tests, at a rate below the vendor's ceiling, so that there is no warning.
fn job() -> JobFile {
    JobFile::new().upload("rate", "\"150/s\"")
}

fn job_to(server: &ScriptedServer) -> JobFile {
    JobFile::to(&server.url()).upload("rate", "\"150/s\"").upload("max_in_flight", "1")
}

#[test]
fn mistakes_in_the_values_of_a_job_file() {
    let mut said = Said::default();
    let table = |key: &str, value: &str| JobFile::new().visit_column(key, value);
    let start = "{ column = \"started_at\"";
    for (what, job) in [
        ("names that are none", job().and("[notify]\nwhen = \"never\"\nurl_env = \"a b\"").api("project", "\"a/b\"")),
        ("two where one belongs", {
            job()
                .api("token_env", "\"A\"")
                .api("token_file", "\"b\"")
                .and("[notify]\nurl = \"https://a.b/c\"\nurl_env = \"D\"")
        }),
        (
            "numbers out of range",
            job().upload("burst", "0").upload("max_attempts", "9999").upload("max_in_flight", "0"),
        ),
        ("times that make no sense", {
            job()
                .upload("timeout", "\"0s\"")
                .upload("backoff", "{ first = \"9s\", max = \"1s\" }")
                .upload("patience", "\"900d\"")
        }),
        ("a run of no duration", job().upload("max_duration", "\"0s\"")),
        (
            "paths",
            job()
                .visits("path", "\"\"")
                .scenes("path", "\"a/{date}.csv\"")
                .and("[results]\npath = \"\"\nmetrics = \"{day}.txt\""),
        ),
        ("no size", job().and("[shuffle]\nmemory = \"lots\"")),
        ("a size of nothing", job().and("[shuffle]\nmemory = \"0KB\"")),
        ("no project", JobFile::to("https://example.com").api("project", "\"\"")),
        ("an address with a password", JobFile::to("https://me:pw@example.com")),
        ("no version of the API", job().api("version", "\"\"")),
        (
            "no format, no unit",
            table("session_start_time", &format!("{start}, unit = \"h\" }}")).visits("format", "\"xml\""),
        ),
        (
            "keys of a column that mean nothing there",
            table("store_number", "{ column = \"store_code\", unit = \"s\", format = \"%Y\" }"),
        ),
        ("a key that is mapped", table("visit_id", "{ column = \"visit_id\", map = { a = 1 } }")),
        ("a column without a column", table("store_number", "{ }").visit_column("visit_type_id", "{ value = \"\" }")),
        ("map and map_file", table("visit_type_id", "{ column = \"a\", map = { a = 1 }, map_file = \"b.csv\" }")),
        ("a map file of three columns", table("visit_type_id", "{ column = \"a\", map_file = \"three.csv\" }")),
        ("a map file that says two things", table("visit_type_id", "{ column = \"a\", map_file = \"twice.csv\" }")),
        ("a list that is no text", job().and("[check]\nstores = \"latin.csv\"")),
        ("the delimiter is the quote", job().visits("delimiter", "\"'\"").visits("quote", "\"'\"")),
        ("nobody to notify", job().and("[notify]\ntimeout = \"1s\"")),
        ("a long wait for a notification", job().and("[notify]\nurl_env = \"A\"\ntimeout = \"1h\"")),
        ("no address to notify", job().and("[notify]\nurl = \"hooks.example.com/T0\"")),
        ("another unit of a rate", job().upload("rate", "\"1/day\"")),
        (
            "formats that cannot be right",
            table("session_start_time", &format!("{start}, format = \"%H:%M\" }}"))
                .visit_column("session_end_time", "{ column = \"ended_at\", format = \"%d/%m/%Y\" }")
                .visit_column("visit_date", "{ column = \"visit_date\", format = \"DD/MM/YYYY\" }"),
        ),
        ("a date without its day", {
            table("visit_date", "{ column = \"visit_date\", format = \"%H:%M\" }")
                .and("[time]\ndate_format = \"%m/%Y\"")
        }),
        (
            "questions that are left open",
            table("session_start_time", &format!("{start}, format = \"?\" }}"))
                .visit_column("visit_type_id", "{ column = \"visit_type\", map = { weekly = \"?\", monthly = 2 } }")
                .visit_column("email_address", "{ value = \"?\" }")
                .and("[time]\ntimezone = \"?\"\ndate_format = \"?\""),
        ),
        ("keys twice, and text without an end", job().and("[check]\nstores = \"a\"\nstores = \"b\"\nusers = \"c")),
    ] {
        let work = Workdir::with_visits(1);
        work.write("three.csv", "a,1,x\n").write("twice.csv", "a,1\na,2\n").write("latin.csv", b"caf\xe9\n");
        work.job(&job);
        said.add(what, &work, &["check", "job.toml"]);
    }
    said.hold("job_file");
}

#[test]
fn job_files_as_editors_of_windows_write_them() {
    let mut said = Said::default();
    let work = Workdir::with_visits(1);
    let text = job().upload("rate", "\"fast\"").to_string();
    work.write("job.toml", format!("\u{feff}nam = 5\n{text}"));
    said.add("a byte order mark", &work, &["check", "job.toml"]);
    work.write("job.toml", text.replace('\n', "\r\n"));
    said.add("line breaks of Windows", &work, &["check", "job.toml"]);
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    work.write("job.toml", [b"\xff\xfe".as_slice(), &wide].concat());
    said.add("UTF-16", &work, &["check", "job.toml"]);
    work.write("job.toml", b"name = \"a\"\n# caf\xe9\n");
    said.add("one letter of another encoding", &work, &["check", "job.toml"]);
    work.write("job.toml", "");
    said.add("an empty file", &work, &["check", "job.toml"]);
    said.hold("job_file_as_it_is_saved");
}

#[test]
fn the_command_line() {
    let mut said = Said::default();
    let work = Workdir::with_visits(1);
    work.job(&job());
    for (what, args) in [
        ("no job file", &["run", "no-such-job.toml"] as &[&str]),
        ("no such day", &["check", "job.toml", "--date", "05.03.2024"]),
        ("no such day", &["check", "job.toml", "--from", "2024-02-30"]),
        ("days that are swapped", &["check", "job.toml", "--from", "2024-03-05", "--to", "2024-03-04"]),
        ("no rate", &["check", "job.toml", "--rate", "fast"]),
        ("no size", &["check", "job.toml", "--memory", "lots"]),
        ("a size of nothing", &["check", "job.toml", "--memory", "0KB"]),
        ("no duration", &["check", "job.toml", "--max-duration", "soon"]),
        ("no shell", &["completions", "cmd"]),
        ("an option that is none", &["run", "job.toml", "--alow-empty"]),
        ("a status that is delivered", &["rerun", "results.csv", "--status", "uploaded"]),
        ("bodies over an export", &["check", "job.toml", "--payloads", "visits.csv"]),
        ("bodies into a folder that is not there", &["check", "job.toml", "--payloads", "no/such/folder.jsonl"]),
        ("a rate above the ceiling", &["check", "job.toml", "--rate", "200/s"]),
    ] {
        said.add(what, &work, args);
    }
    said.hold("command_line");
}

#[test]
fn exports_that_cannot_be_read() {
    let mut said = Said::default();
    let visits = lines(VISITS_HEADER, &[visit(1)]);
    let mut check = |what: &str, content: &[u8], job: JobFile| {
        let work = Workdir::with_visits(1);
        work.write("visits.csv", content).job(&job);
        said.add(what, &work, &["check", "job.toml"]);
    };
    check("no file", b"", job().visits("path", "\"exports/visits.csv\""));
    check("nothing matches", b"", job().visits("path", "\"exports/*.csv\""));
    check("no pattern", b"", job().visits("path", "\"exports/[.csv\""));
    check("an empty file", b"", job());
    check(
        "an Excel workbook",
        b"PK\x03\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0f\0\0\0xl/workbook.xml",
        job(),
    );
    check("a Parquet file by the name of a CSV file", b"PAR1\x00\x00PAR1", job());
    check("a CSV file as Parquet", visits.as_bytes(), job().visits("format", "\"parquet\""));
    check(
        "a Parquet file that is cut short",
        b"PAR1\x00\x00\x00\x00\x00\x00\x00",
        job().visits("format", "\"parquet\""),
    );
    check("a column that is not there", visits.replace("store_code", "store").as_bytes(), job());
    check(
        "columns of both exports that are not there",
        visits.replace("store_code", "store").replace("ended_at", "end").as_bytes(),
        job().scene_column("scene_id", "\"scene\"").scene_column("task_code", "\"taskcode\""),
    );
    check("times of day without a date", visits.replace("2024-03-05T08:00:00Z", "08:00").as_bytes(), job());
    check("another delimiter", visits.replace(',', ";").as_bytes(), job());
    check("a column twice", visits.replace("visit_date", "store_code").as_bytes(), job());
    check("a header of another encoding", b"visit_id,caf\xe9\n", job());
    let wide: Vec<u8> = visits.encode_utf16().flat_map(u16::to_le_bytes).collect();
    check("UTF-16 without a mark", &wide, job());
    let wide: Vec<u8> = visits.encode_utf16().flat_map(u16::to_be_bytes).collect();
    check("UTF-16 the other way round", &wide, job().visits("encoding", "\"windows-1252\""));
    check("a header with a no-break space", visits.replacen("visit_id", "visit_id\u{a0}", 1).as_bytes(), job());
    check("keys with a no-break space", visits.replacen("V1", "V1\u{a0}", 1).as_bytes(), job());
    check("a quote without an end", format!("{visits}V2,\"1002,,,,,\n").as_bytes(), job());
    let packed = gzip(visits.repeat(50));
    check("a compressed file that is cut short", &packed[..packed.len() / 2], job());
    let work = Workdir::with_visits(12);
    let scenes: Vec<String> = (1..=12).map(|n| format!("V{n},S{n}")).chain([",S13,T1".to_owned()]).collect();
    work.write("scenes.csv", lines(SCENES_HEADER, &scenes)).job(&job());
    said.add("scenes of nobody knows which visit", &work, &["check", "job.toml"]);
    let work = Workdir::with_visits(1);
    said.add("an export in place of the job file", &work, &["check", "visits.csv"]);
    let work = Workdir::with_visits(0);
    work.job(&job());
    said.add("no visits", &work, &["check", "job.toml"]);
    said.add("no visits", &work, &["run", "job.toml"]);
    said.add("no visits", &work, &["ids", "job.toml"]);
    said.hold("exports");
}

#[test]
fn exports_that_are_worth_a_word() {
    let mut said = Said::default();
    let rows = [visit(1), visit(1), visit(2)];
    let work = Workdir::with_rows(&rows, &["V1,S1,T", "V1,S1,T", "V2,S2,T", "gone,S3,T"].map(str::to_owned));
    work.job(&job());
    said.add("rows twice, and a scene without a visit", &work, &["check", "job.toml"]);
    let work = Workdir::with_visits(1);
    work.write("more/a.csv", lines(VISITS_HEADER, &[visit(1)])).write("more/b.csv", "");
    work.write("more/c.csv", "visit_id,store_code,visit_date,started_at\n");
    work.write(
        "more/d.csv",
        "visit_id,store_code,visit_date,started_at,ended_at,visit_type\nV2,1,2024-03-05,2024-03-05T08:00:00Z,,\n",
    );
    work.write("scenes.csv", lines(SCENES_HEADER, &["V1,S1,T", "V2,S2,T"]));
    work.job(&job().visits("path", "\"more\""));
    work.write("more/README.txt", "The visits of the week.\n");
    said.add("an empty file, one without a column, and a note", &work, &["check", "job.toml"]);
    std::fs::remove_file(work.path("more/README.txt")).expect("it is there");
    said.add("a window that is too short", &work, &["check", "job.toml", "--rate", "1/min", "--max-duration", "10s"]);
    let work = Workdir::with_visits(1);
    let format = "{ column = \"started_at\", format = \"%Y-%m-%dT%H:%M:%SZ\" }";
    work.job(&job().visit_column("session_start_time", format).and("[time]\ntimezone = \"Europe/Paris\""));
    said.add("a format that passes over UTC", &work, &["check", "job.toml"]);
    said.hold("exports_with_warnings");
}

/// The sample of a bad day, in which every kind of problem occurs.
#[test]
fn problems_of_every_kind() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let work = Workdir::new();
    for folder in ["sample-data", "sample-data/reference", "jobs"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.strip_prefix(root).expect("inside").to_string_lossy().into_owned();
                work.write(&name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut said = Said::default();
    said.add("all problems of a bad day", &work, &["check", "jobs/messy.toml"]);
    said.add("quietly", &work, &["check", "jobs/messy.toml", "--quiet"]);
    // One of them needs an earlier run.
    for code in traxload::build::Code::ALL.iter().filter(|code| code.name() != "reused_key") {
        assert!(said.0.contains(&format!("\n  {code} (")), "{code} does not occur");
    }
    said.add("the run of it", &work, &["run", "jobs/messy.toml"]);
    said.hold("problems");
}

#[test]
fn ends_of_runs() {
    let mut said = Said::default();
    let invalid = "V9,,,,,,".to_owned();
    let mut run =
        |what: &str, replies: Vec<Reply>, visits: Vec<String>, change: &dyn Fn(JobFile) -> JobFile, args: &[&str]| {
            let server = ScriptedServer::replying(replies);
            let scenes: Vec<String> = (1..=9).map(|n| format!("V{n},S{n},T")).take(visits.len()).collect();
            let work = Workdir::with_rows(&visits, &scenes);
            work.job(&change(job_to(&server)));
            said.add(what, &work, &[&["run", "job.toml"], args].concat());
            if what.starts_with("some") {
                said.add("and quietly again", &work, &["rerun", "results.csv", "--quiet"]);
            }
        };
    let same = |job| job;
    let impatient = |job: JobFile| job.upload("patience", "\"100ms\"").upload("max_attempts", "1");
    run("all are delivered", vec![Reply::ok(), Reply::status(409)], vec![visit(1), visit(2)], &same, &[]);
    run(
        "some are refused",
        vec![
            Reply::ok(),
            Reply::error(400, "Unknown Store 1002"),
            Reply::error(400, "Lookup value does not exist: 9"),
            Reply::error(404, "no such route"),
        ],
        vec![visit(1), visit(2), visit(3), visit(4)],
        &same,
        &[],
    );
    run("too many are invalid", vec![Reply::ok()], vec![visit(1), invalid.clone(), "V8,,,,,,".to_owned()], &same, &[]);
    run("the API is down", vec![Reply::error(503, "down")], vec![visit(1)], &impatient, &[]);
    run("only 429", vec![Reply::status(429)], vec![visit(1)], &impatient, &[]);
    run(
        "the key is refused",
        vec![Reply::error(401, "Incorrect or expired token")],
        vec![visit(1), visit(2)],
        &same,
        &[],
    );
    run("a pause", vec![Reply::status(429).with("retry-after", "0"), Reply::ok()], vec![visit(1)], &same, &[]);
    run("the time is up", vec![Reply::ok()], vec![visit(1)], &same, &["--max-duration", "1ms"]);
    run(
        "nowhere to write the metrics to",
        vec![Reply::ok()],
        vec![visit(1)],
        &|job| job.and("[results]\npath = \"results.csv\"\nmetrics = \"no/such/folder/x.prom\""),
        &[],
    );
    run(
        "nobody is notified",
        vec![Reply::ok()],
        vec![visit(1)],
        &|job| job.and("[notify]\nurl_env = \"NO_SUCH_HOOK\""),
        &[],
    );
    run(
        "the notification fails",
        vec![Reply::ok(), Reply::status(404)],
        vec![visit(1)],
        &|job| {
            let url = job.to_string().lines().find_map(|line| line.strip_prefix("base_url = ").map(str::to_owned));
            job.and(&format!("[notify]\nurl = {}\nwhen = \"always\"", url.expect("an address")))
        },
        &[],
    );
    let gate = Gate::default();
    let closed = gate.clone();
    let server = ScriptedServer::start(move |_, _| Reply::After(closed.clone(), Box::new(Reply::ok())));
    let work = Workdir::with_visits(2);
    work.job(&job_to(&server));
    let run = work.start(&["run", "job.toml"]);
    server.wait_for(1);
    said.add("another run goes on", &work, &["run", "job.toml"]);
    let mut run = run;
    run.signal("INT");
    run.wait_for("a second signal");
    gate.open();
    let done = run.finish();
    said.write("Ctrl-C", "run job.toml", done.code, &done.stderr);
    said.hold("ends_of_runs");
}

#[test]
fn result_files_that_are_in_the_way_or_missing() {
    let mut said = Said::default();
    let work = Workdir::with_visits(1);
    work.job(&job());
    said.add("nothing to run again", &work, &["rerun", "no-such-results.csv"]);
    said.add("nothing to make a page of", &work, &["report", "no-such-results.csv"]);
    said.add("a folder", &work, &["run", "job.toml", "--results", "."]);
    said.add("some other file", &work, &["run", "job.toml", "--results", "visits.csv"]);
    work.shell("mkfifo pipe").ends_with(0);
    said.add("a named pipe", &work, &["run", "job.toml", "--results", "pipe"]);
    said.add("what the job reads", &work, &["run", "job.toml", "--results", "visits.csv", "--fresh"]);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    said.add("a finished one", &work, &["run", "job.toml"]);
    said.add("anew", &work, &["run", "job.toml", "--fresh"]);
    said.add("a page over its source", &work, &["report", "results.csv", "-o", "results.csv"]);
    said.add("a page over an export", &work, &["report", "results.csv", "-o", "visits.csv"]);
    said.add("a page over a pipe", &work, &["report", "results.csv", "-o", "pipe"]);
    said.add("a page to nowhere", &work, &["report", "results.csv", "-o", "no/such/folder.html"]);
    let whole = work.read("results.csv");
    work.write("results.csv", whole.replace(',', ";"));
    said.add("saved with semicolons", &work, &["rerun", "results.csv"]);
    work.write("results.csv", whole.replace(',', "\t"));
    said.add("saved with tabs", &work, &["report", "results.csv"]);
    work.write("results.csv", whole.replace('\n', ",notes\n"));
    said.add("saved with a column more", &work, &["rerun", "results.csv"]);
    work.write("results.csv", format!("{}V5,half of a row\n", whole.replace("V1,", "1,")));
    said.add("rows that something has changed", &work, &["rerun", "results.csv"]);
    work.write("results.csv", whole.lines().take(1).map(|line| format!("{line}\n")).collect::<String>());
    said.add("rows taken out", &work, &["rerun", "results.csv"]);
    work.write("results.csv", &whole);
    work.job(&job().and(&format!("[ids]\nversion = 4\nnamespace = \"{}\"", crate::harness::NAMESPACE)));
    said.add("other ids", &work, &["rerun", "results.csv"]);
    work.job(&job())
        .write("scenes.csv", lines(SCENES_HEADER, &["V2,S2,T"]))
        .write("visits.csv", lines(VISITS_HEADER, &[visit(2)]));
    said.add("delivered visits that are gone from the exports", &work, &["rerun", "results.csv"]);
    std::fs::rename(work.path("results.csv"), work.path("results.csv.partial")).expect("renamed");
    work.write("other.toml", job().to_string().replace("name = \"test\"", "name = \"other\""));
    said.add("a journal of another job", &work, &["run", "other.toml"]);
    said.add("a journal that is taken up", &work, &["run", "job.toml"]);
    work.write("results.csv.json", "{");
    said.add("a damaged manifest", &work, &["rerun", "results.csv"]);
    std::fs::remove_file(work.path("results.csv.json")).expect("removed");
    said.add("no manifest", &work, &["rerun", "results.csv"]);
    work.write("visits-report.csv", "a,b\n");
    said.add("no result file", &work, &["report", "visits-report.csv"]);
    said.hold("result_files");
}

#[test]
fn tokens_certificates_and_the_sandbox() {
    let mut said = Said::default();
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.job(&job_to(&server));
    said.add_with("no token", &work, &["run", "job.toml"], &[]);
    said.add_with("an empty one", &work, &["run", "job.toml"], &[("TRAX_TOKEN", " ")]);
    said.add_with("one that is none", &work, &["run", "job.toml"], &[("TRAX_TOKEN", "two words")]);
    work.job(&job_to(&server).api("token_file", "\"token\""));
    said.add("no token file", &work, &["run", "job.toml"]);
    work.write("token", "");
    said.add("an empty token file that all may read", &work, &["run", "job.toml"]);
    work.job(&job_to(&server).api("ca_file", "\"ca.pem\""));
    said.add("no certificate", &work, &["run", "job.toml"]);
    let port = server.url().rsplit(':').next().expect("a port").to_owned();
    let done = work.traxload(&["sandbox", "--port", &port]);
    said.write("a port that is taken", "sandbox --port PORT", done.code, &done.stderr);
    work.write("types.csv", "id\nweekly\n");
    said.add("a list that is none", &work, &["sandbox", "--port", "0", "--visit-types", "types.csv"]);
    said.add("a list that is not there", &work, &["sandbox", "--port", "0", "--stores", "no-such.csv"]);
    said.hold("tokens_and_sandbox");
}

/// What no test can bring about: a disk that breaks, a file that changes under the reader.
#[test]
fn messages_of_what_cannot_be_brought_about() {
    use traxload::app::HttpError;
    use traxload::app::ScanError;
    use traxload::app::ShuffleError;
    use traxload::results::{LockError, ResultsError};
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let file = || "visits.parquet".to_owned();
    let errors: Vec<Box<dyn std::error::Error>> = vec![
        Box::new(ScanError::Changed { file: file() }),
        Box::new(ScanError::TooLong { file: file(), line: 7, megabytes: 16 }),
        Box::new(ScanError::ColumnType { file: file(), column: "store".to_owned(), found: "a list".to_owned() }),
        Box::new(ScanError::Unreadable { file: file(), reason: "input/output error".to_owned() }),
        Box::new(ShuffleError::TooManyScenes),
        Box::new(ShuffleError::Disk { folder: "/tmp".to_owned(), source: full() }),
        Box::new(ShuffleError::Damaged { folder: "/tmp".to_owned(), source: std::io::ErrorKind::InvalidData.into() }),
        Box::new(ResultsError::Write { path: "results.csv.partial".to_owned(), source: full() }),
        Box::new(ResultsError::Unreadable { path: "results.csv".to_owned(), reason: "input/output error".to_owned() }),
        Box::new(LockError::Unwritable { path: "results.csv.lock".to_owned(), source: full() }),
        Box::new(HttpError::Client("no certificates".to_owned())),
    ];
    let said: String = errors.iter().map(|error| format!("error: {error}\n")).collect();
    Said(said).hold("not_brought_about");
}
