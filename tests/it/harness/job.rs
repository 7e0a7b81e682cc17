//! A job file for tests: the columns of the usual exports and a fast upload. A test changes what it needs.

use super::NAMESPACE;
use std::fmt;

/// A job file, printed as TOML. Values are TOML: text has its quotes.
#[derive(Clone, Debug)]
pub struct JobFile {
    visits: Vec<(String, String)>,
    visit_columns: Vec<(String, String)>,
    scenes: Vec<(String, String)>,
    scene_columns: Vec<(String, String)>,
    api: Vec<(String, String)>,
    upload: Vec<(String, String)>,
    rest: String,
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn set(pairs: &mut Vec<(String, String)>, key: &str, value: &str) {
    match pairs.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => *old = value.to_owned(),
        None => pairs.push((key.to_owned(), value.to_owned())),
    }
}

impl JobFile {
    /// A job that sends to this address, or to `sandbox`.
    pub fn to(base_url: &str) -> JobFile {
        // The exports of a test have just been written, and nobody writes to them. The sandbox does not wait anyway.
        let settle: &[_] = if base_url == "sandbox" { &[] } else { &[("settle", "\"0s\"")] };
        JobFile {
            visits: [pairs(&[("path", "\"visits.csv\"")]), pairs(settle)].concat(),
            visit_columns: pairs(&[
                ("visit_id", "\"visit_id\""),
                ("store_number", "\"store_code\""),
                ("visit_date", "\"visit_date\""),
                ("session_start_time", "\"started_at\""),
                ("session_end_time", "\"ended_at\""),
                ("visit_type_id", "\"visit_type\""),
                ("email_address", "\"rep_email\""),
            ]),
            scenes: [pairs(&[("path", "\"scenes.csv\"")]), pairs(settle)].concat(),
            scene_columns: pairs(&[
                ("visit_id", "\"visit_id\""),
                ("scene_id", "\"scene_id\""),
                ("task_code", "\"task_code\""),
            ]),
            api: pairs(&[("base_url", &format!("\"{base_url}\"")), ("project", "\"my-project\"")]),
            upload: pairs(&[
                ("rate", "\"1000/s\""),
                ("timeout", "\"20s\""),
                ("max_attempts", "2"),
                ("backoff", "{ first = \"1ms\", max = \"5ms\" }"),
                ("patience", "\"20s\""),
            ]),
            rest: String::new(),
        }
    }

    /// A job that sends to the sandbox.
    pub fn new() -> JobFile {
        JobFile::to("sandbox")
    }

    pub fn visits(mut self, key: &str, value: &str) -> JobFile {
        set(&mut self.visits, key, value);
        self
    }

    pub fn scenes(mut self, key: &str, value: &str) -> JobFile {
        set(&mut self.scenes, key, value);
        self
    }

    /// A command in place of the path of the visits.
    pub fn visits_command(self, command: &str) -> JobFile {
        let mut job = self.visits("command", command);
        job.visits.retain(|(key, _)| key != "path");
        job
    }

    /// A command in place of the path of the scenes.
    pub fn scenes_command(self, command: &str) -> JobFile {
        let mut job = self.scenes("command", command);
        job.scenes.retain(|(key, _)| key != "path");
        job
    }

    /// Sets a key in `[visits]` and in `[scenes]`.
    pub fn exports(self, key: &str, value: &str) -> JobFile {
        self.visits(key, value).scenes(key, value)
    }

    pub fn visit_column(mut self, field: &str, value: &str) -> JobFile {
        set(&mut self.visit_columns, field, value);
        self
    }

    pub fn scene_column(mut self, field: &str, value: &str) -> JobFile {
        set(&mut self.scene_columns, field, value);
        self
    }

    /// Leaves fields out of both sections' columns.
    pub fn without(mut self, fields: &[&str]) -> JobFile {
        self.visit_columns.retain(|(field, _)| !fields.contains(&field.as_str()));
        self.scene_columns.retain(|(field, _)| !fields.contains(&field.as_str()));
        self
    }

    pub fn api(mut self, key: &str, value: &str) -> JobFile {
        set(&mut self.api, key, value);
        self
    }

    pub fn upload(mut self, key: &str, value: &str) -> JobFile {
        set(&mut self.upload, key, value);
        self
    }

    /// Adds whole sections, such as `[check]`.
    pub fn and(mut self, sections: &str) -> JobFile {
        self.rest.push_str(sections);
        self.rest.push('\n');
        self
    }
}

impl fmt::Display for JobFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name = \"test\"\n")?;
        for (section, pairs) in [
            ("visits", &self.visits),
            ("visits.columns", &self.visit_columns),
            ("scenes", &self.scenes),
            ("scenes.columns", &self.scene_columns),
            ("api", &self.api),
            ("upload", &self.upload),
        ] {
            writeln!(f, "[{section}]")?;
            for (key, value) in pairs {
                writeln!(f, "{key} = {value}")?;
            }
            writeln!(f)?;
        }
        if !self.rest.contains("[ids]") {
            writeln!(f, "[ids]\nnamespace = \"{NAMESPACE}\"\n")?;
        }
        if !self.rest.contains("[results]") {
            writeln!(f, "[results]\npath = \"results.csv\"\n")?;
        }
        f.write_str(&self.rest)
    }
}
