//! The JSON Schema of the job file: the committed one is the program's, the examples keep to it, and what the program
//! refuses for a key or a type, an editor marks as well.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{JobFile, Workdir};
use boon::{Compiler, SchemaIndex, Schemas};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn jobs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("jobs")
}

/// As `traxload schema` prints it.
fn printed() -> String {
    let done = Workdir::new().traxload_with(&["schema"], &[]).ends_with(0);
    assert_eq!(done.stderr, "");
    done.stdout
}

struct Editor {
    schemas: Schemas,
    index: SchemaIndex,
}

impl Editor {
    fn new() -> Editor {
        let mut schemas = Schemas::new();
        let mut compiler = Compiler::new();
        let schema: Value = serde_json::from_str(&printed()).expect("JSON");
        compiler.add_resource("job.schema.json", schema).expect("a schema");
        let index = compiler.compile("job.schema.json", &mut schemas).expect("a sound schema");
        Editor { schemas, index }
    }

    /// What it marks in a job file.
    fn marks(&self, job: &str) -> Option<String> {
        let job: Value = toml::from_str(job).expect("TOML");
        self.schemas.validate(&job, self.index).err().map(|error| error.to_string())
    }
}

/// `INSTA_UPDATE=always cargo test --test it schema::` writes it anew.
#[test]
fn the_committed_schema_is_what_the_program_prints() {
    let path = jobs().join("job.schema.json");
    let printed = printed();
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(&path, &printed).expect("written");
    }
    let committed = std::fs::read_to_string(&path).expect("jobs/job.schema.json is there");
    assert!(committed == printed, "jobs/job.schema.json is out of date: INSTA_UPDATE=always writes it anew");
}

#[test]
fn the_examples_keep_to_the_schema_and_name_it() {
    let editor = Editor::new();
    let mut seen = 0;
    for entry in std::fs::read_dir(jobs()).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        seen += 1;
        let job = std::fs::read_to_string(&path).expect("text");
        assert_eq!(editor.marks(&job), None, "{}", path.display());
        assert_eq!(job.lines().next(), Some("#:schema ./job.schema.json"), "{}", path.display());
    }
    assert!(seen >= 5);
    assert_eq!(editor.marks(&JobFile::new().to_string()), None);
}

#[test]
fn what_may_be_written_in_several_ways_may_be_so_in_an_editor() {
    let editor = Editor::new();
    let work = Workdir::with_visits(1);
    for job in [
        JobFile::new().visits("path", "[\"visits.csv\"]"),
        JobFile::new().visits("only", "{ visit_id = \"V1\", visit_type = [801, \"802\"] }"),
        JobFile::new().visit_column("visit_type_id", "{ column = \"visit_type\", map = { 801 = 1, \"802\" = \"2\" } }"),
        JobFile::new().visit_column("store_number", "{ value = 7 }"),
        JobFile::new().visit_column("visit_date", "{ column = \"visit_date\", format = \"%Y-%m-%d\" }"),
        JobFile::new().and("[check]\nmax_invalid = 3"),
        JobFile::new().and("[check]\nmax_invalid = \"3%\""),
    ] {
        assert_eq!(editor.marks(&job.to_string()), None, "{job}");
        work.check(&job).0.ends_with(0);
    }
}

#[test]
fn unknown_keys_wrong_types_and_unknown_values_are_marked() {
    let editor = Editor::new();
    let work = Workdir::with_visits(1);
    for job in [
        JobFile::new().upload("max_attempt", "3"),
        JobFile::new().visits("zzz", "1"),
        JobFile::new().and("[uplaod]\nrate = \"1/s\""),
        JobFile::new().visit_column("store_nr", "\"store_code\""),
        JobFile::new().visit_column("visit_date", "{ colum = \"x\" }"),
        JobFile::new().visit_column("visit_date", "5"),
        JobFile::new().without(&["store_number"]),
        JobFile::new().upload("rate", "120"),
        JobFile::new().upload("burst", "\"1\""),
        JobFile::new().upload("burst", "0"),
        JobFile::new().upload("burst", "1001"),
        JobFile::new().upload("max_attempts", "2.5"),
        JobFile::new().upload("backoff", "\"1s\""),
        JobFile::new().upload("backoff", "{ frist = \"1s\" }"),
        JobFile::new().visits("path", "5"),
        JobFile::new().visits("path", "[5]"),
        JobFile::new().visits("path", "[]"),
        JobFile::new().visits("trim", "\"yes\""),
        JobFile::new().visits("null_values", "\"NULL\""),
        JobFile::new().visits("format", "\"xlsx\""),
        JobFile::new().visits("only", "{ status = { a = 1 } }"),
        JobFile::new().visit_column("session_start_time", "{ column = \"started_at\", unit = \"h\" }"),
        JobFile::new().visit_column("visit_type_id", "{ column = \"visit_type\", map = { a = [1] } }"),
        JobFile::new().api("resource", "\"visits\""),
        JobFile::new().and("[ids]\nversion = 7"),
        JobFile::new().and("[ids]\nversion = \"5\""),
        JobFile::new().and("[check]\ntask_code_required = \"true\""),
        JobFile::new().and("[check]\nmax_invalid = [5]"),
        JobFile::new().and("[notify]\nurl_env = \"HOOK\"\nwhen = \"never\""),
    ] {
        assert!(editor.marks(&job.to_string()).is_some(), "the schema allows\n{job}");
        work.check(&job).0.ends_with(2);
    }
}

#[test]
fn every_key_says_what_it_is_for() {
    let schema: Value = serde_json::from_str(&printed()).expect("JSON");
    let tables = schema["definitions"].as_object().expect("definitions").values().chain([&schema]);
    let mut keys = 0;
    for table in tables {
        for (key, about) in table["properties"].as_object().into_iter().flatten() {
            let text = about["description"].as_str().unwrap_or_default();
            assert!(text.ends_with('.') && !text.contains('\n'), "{key}: {text:?}");
            keys += 1;
        }
    }
    assert!(keys > 60, "{keys}");
}
