//! Commands in place of paths: what a program prints is the export.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Reply, ScriptedServer, TOKEN, VISITS_HEADER, Workdir, body, lines, visit, wait_until};

fn bodies(count: usize) -> Vec<String> {
    (1..=count).map(body).collect()
}

/// Whether the process whose number is in a file is still there.
fn is_alive(work: &Workdir, file: &str) -> bool {
    assert!(work.exists(file), "no process has left its number in {file}");
    work.shell(&format!("kill -0 $(cat {file})")).code == 0
}

#[test]
fn what_a_command_prints_is_an_export_of_that_name() {
    let work = Workdir::with_visits(3);
    let job = JobFile::new().visits_command(r#"["cat", "visits.csv"]"#).scenes_command(r#"["cat", "scenes.csv"]"#);
    let (done, found) = work.check(&job);
    assert_eq!(found, bodies(3), "{}", done.stderr);
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(&work.results().of("V2")["source"], "visits command:3");
    work.traxload(&["ids", "job.toml"]).ends_with(0);
    work.write("scenes.csv", work.read("scenes.csv").replace("S2,T1", ","));
    std::fs::remove_file(work.path("results.csv")).expect("removed");
    work.check(&job).0.ends_with(3).says(&["(scenes command:3)"]);
}

#[test]
fn the_dialect_of_the_job_counts_and_a_command_may_be_packed() {
    let work = Workdir::with_visits(2);
    work.write("semicolons", work.read("visits.csv").replace(',', ";"));
    let job = JobFile::new().visits_command(r#"["gzip", "-c", "semicolons"]"#).visits("delimiter", "\";\"");
    let (done, found) = work.check(&job);
    assert_eq!(found, bodies(2), "{}", done.stderr);
}

#[test]
fn there_is_no_shell_and_only_placeholders_are_filled_in() {
    let work = Workdir::with_visits(1);
    let script = "printf '%s\\n' \"$@\" > args; cat visits.csv";
    work.write("print.sh", format!("#!/bin/sh\n{script}\n"));
    work.shell("chmod +x print.sh").ends_with(0);
    let command = r#"["./print.sh", "{date}", "{name}/{date}", "$HOME *", "{print $1}", "{}", "{time}"]"#;
    work.job(&JobFile::new().visits_command(command));
    work.traxload(&["check", "job.toml"]).ends_with(2).says(&["this command needs a day"]);
    work.traxload(&["check", "job.toml", "--date", "2024-03-05"]).ends_with(0);
    assert_eq!(work.read("args"), "2024-03-05\ntest/2024-03-05\n$HOME *\n{print $1}\n{}\n{time}\n");
}

#[test]
fn a_command_does_not_get_the_token() {
    let work = Workdir::with_visits(1);
    let job = JobFile::new().visits_command(r#"["sh", "-c", "env > env.txt; cat visits.csv"]"#);
    work.job(&job.api("token_env", "\"MY_TOKEN\""));
    let environment = [("TRAX_TOKEN", TOKEN), ("MY_TOKEN", TOKEN), ("TRAX_TOKEN_FILE", "t"), ("OTHER", "x")];
    work.traxload_with(&["check", "job.toml"], &environment).ends_with(0);
    let seen = work.read("env.txt");
    assert!(!seen.contains("TOKEN") && seen.contains("OTHER=x"), "{seen}");
}

#[test]
fn both_sections_of_a_flat_export_share_one_run_of_the_command() {
    let work = Workdir::new();
    let header = format!("{VISITS_HEADER},scene_id,task_code");
    work.write("flat.csv", lines(&header, &[format!("{},S1,T1", visit(1)), format!("{},S2,T1", visit(2))]));
    let command = r#"["sh", "-c", "echo once >> times; cat flat.csv"]"#;
    let (done, found) = work.check(&JobFile::new().visits_command(command).scenes_command(command));
    assert_eq!(found, bodies(2), "{}", done.stderr);
    assert_eq!(work.read("times"), "once\n");
}

#[test]
fn a_command_that_fails_is_2_and_nothing_is_sent() {
    let server = ScriptedServer::start(|_, _| Reply::ok());
    let work = Workdir::with_visits(1);
    let job = |command: &str| JobFile::to(&server.url()).visits_command(command);
    let failing = r#"["sh", "-c", "cat visits.csv; seq 1 9 >&2; echo no such table >&2; exit 3"]"#;
    let said =
        work.run(&job(failing)).ends_with(2).says(&["\"sh\" exited with 3 and said:", "\n    9\n    no such table"]);
    assert!(!said.stderr.contains("\n    5\n"), "{}", said.stderr);
    work.run(&job(r#"["sh", "-c", "kill -9 $$"]"#)).ends_with(2).says(&["was killed by signal 9"]);
    work.run(&job(r#"["no-such-program"]"#)).ends_with(2).says(&["there is no program \"no-such-program\""]);
    work.run(&job(r#"["./visits.csv"]"#)).ends_with(2).says(&["cannot start \"./visits.csv\""]);
    work.run(&job(r#"["true"]"#)).ends_with(2).says(&["visits command is empty"]);
    work.run(&job(r#"["echo", "{\"error\": \"no\"}"]"#)).ends_with(2).says(&["visits command is JSON", "print CSV"]);
    work.run(&job(r#"["echo", "id,store"]"#)).ends_with(2).says(&["no column \"visit_id\" in visits command"]);
    assert!(server.requests().is_empty() && !work.exists("results.csv"));
    // A rerun asks the command anew.
    let job = job(r#"["sh", "-c", "test -e broken && exit 1; cat visits.csv"]"#);
    work.run(&job).ends_with(0);
    work.write("broken", "");
    work.traxload(&["rerun", "results.csv"])
        .ends_with(2)
        .says(&["exited with 1 and printed nothing to standard error"]);
}

#[test]
fn much_on_standard_error_holds_nothing_up() {
    let work = Workdir::with_visits(2);
    let command = r#"["sh", "-c", "head -c 3000000 /dev/zero >&2; cat visits.csv"]"#;
    let (done, found) = work.check(&JobFile::new().visits_command(command));
    assert_eq!(found, bodies(2), "{}", done.stderr);
}

#[test]
fn a_command_ends_with_the_run_and_so_does_all_that_it_started() {
    let work = Workdir::with_visits(1);
    let command = r#"["sh", "-c", "sleep 600 & echo $! > child; echo $$ > parent; wait"]"#;
    work.job(&JobFile::new().visits_command(command));
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let run = work.start(&["run", "job.toml"]);
        wait_until("the command runs", || work.exists("parent") && !work.read("parent").is_empty());
        run.signal(signal);
        run.finish().ends_with(code);
        wait_until("all of it has ended", || !is_alive(&work, "parent") && !is_alive(&work, "child"));
        std::fs::remove_file(work.path("parent")).expect("it is there");
    }
    // What is left for the run limits the command too, also one that has closed its output.
    let closed = command.replace("600 &", "600 >&2 &").replace("wait", "cat visits.csv; exec >&-; sleep 601");
    for command in [command, closed.as_str()] {
        let _ = std::fs::remove_file(work.path("parent"));
        work.job(&JobFile::new().visits_command(command));
        work.traxload(&["run", "job.toml", "--max-duration", "1s"]).ends_with(2).says(&["when max_duration was over"]);
        wait_until("all of it has ended", || !is_alive(&work, "parent") && !is_alive(&work, "child"));
    }
}

#[test]
fn a_mistake_elsewhere_ends_the_run_before_the_command_is_started() {
    let work = Workdir::with_visits(1);
    let command = r#"["sh", "-c", "touch started; cat visits.csv"]"#;
    let job = JobFile::new().visits_command(command).scenes("path", "\"gone.csv\"");
    work.check(&job).0.ends_with(2).says(&["cannot open gone.csv"]);
    assert!(!work.exists("started"));
}

#[test]
fn mistakes_about_commands_are_told_in_the_job_file() {
    let work = Workdir::with_visits(1);
    let cat = r#"["cat", "visits.csv"]"#;
    for (job, says) in [
        (JobFile::new().visits("command", cat), "`path` and `command` exclude each other"),
        (JobFile::new().visits_command(cat).visits("format", "\"parquet\""), "what a command prints is read as CSV"),
        (JobFile::new().visits_command("[]"), "no program is given"),
        (JobFile::new().visits_command("\"cat visits.csv\""), "expected a list, found text in quotes"),
    ] {
        work.check(&job).0.ends_with(2).says(&["job.toml:", says]);
    }
    work.job(&JobFile::new());
    work.write("job.toml", work.read("job.toml").replace("path = \"visits.csv\"\n", ""));
    work.traxload(&["check", "job.toml"]).ends_with(2).says(&["the key `path` is missing under [visits]"]);
}
