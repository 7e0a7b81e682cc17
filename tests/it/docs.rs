//! The tables in README.md and docs/ that say what the program itself knows: exit codes, error codes, problems, the keys of
//! the job file. They are made from it. `UPDATE_DOCS=1 cargo test --test it docs::` writes them anew.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail where they stand")]

use serde_json::Value;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use traxload::app::SuspicionCode;
use traxload::build::Code;
use traxload::outcome::{ErrorCode, Exit};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pages() -> Vec<PathBuf> {
    let docs = std::fs::read_dir(root().join("docs")).expect("the folder docs");
    let mut pages: Vec<PathBuf> = docs.map(|entry| entry.expect("an entry").path()).collect();
    pages.push(root().join("README.md"));
    pages.retain(|page| page.extension().is_some_and(|ending| ending == "md"));
    pages
}

/// Replaces what stands between `<!-- NAME:begin ARGUMENT -->` and `<!-- NAME:end -->`, for every argument. `make` gets the
/// argument and what is there now. Returns how many there were.
fn replace(page: &mut String, name: &str, make: impl Fn(&str, &str) -> String) -> usize {
    let (begin, end) = (format!("<!-- {name}:begin"), format!("<!-- {name}:end -->"));
    let (mut out, mut rest, mut count) = (String::new(), page.as_str(), 0);
    while let Some(at) = rest.find(&begin) {
        let body = at + rest[at..].find("-->").expect("the marker ends") + "-->".len();
        let close = body + rest[body..].find(&end).unwrap_or_else(|| panic!("{end} is missing"));
        let argument = rest[at + begin.len()..body - "-->".len()].trim();
        let _ = write!(out, "{}\n\n{}\n\n", &rest[..body], make(argument, &rest[body..close]));
        rest = &rest[close..];
        count += 1;
    }
    out.push_str(rest);
    *page = out;
    count
}

#[test]
fn the_tables_say_what_the_program_knows() {
    let schema: Value =
        serde_json::from_str(&std::fs::read_to_string(root().join("jobs/job.schema.json")).expect("the schema"))
            .expect("JSON");
    let mut tables = 0;
    for path in pages() {
        let before = std::fs::read_to_string(&path).expect("a page");
        let mut page = before.clone();
        tables += replace(&mut page, "exits", |_, _| {
            table("code | meaning", Exit::ALL.iter().map(|exit| format!("{} | {}", exit.code(), exit.meaning())))
        });
        tables += replace(&mut page, "errors", |_, _| {
            table(
                "code | what to do",
                ErrorCode::OF_SENDING.iter().map(|code| format!("`{}` | {}", code.name(), code.hint())),
            )
        });
        tables += replace(&mut page, "problems", |_, _| {
            table("code | what to do", Code::ALL.iter().map(|code| format!("`{}` | {}", code.name(), code.hint())))
        });
        tables += replace(&mut page, "suspicions", |_, _| {
            table("code | when", SuspicionCode::ALL.iter().map(|code| format!("`{}` | {}", code.name(), code.about())))
        });
        tables += replace(&mut page, "schema", |section, old| keys(&schema, section, old));
        if page != before && std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(&path, &page).expect("written");
        } else {
            let path = path.display();
            assert_eq!(page, before, "{path} lags behind the program: UPDATE_DOCS=1 cargo test --test it docs::");
        }
    }
    assert!(tables >= 19, "only {tables} tables were found");
}

fn table(head: &str, rows: impl IntoIterator<Item = String>) -> String {
    let line = head.split('|').map(|_| " --- ").collect::<Vec<_>>().join("|");
    let rows: Vec<String> = rows.into_iter().map(|row| format!("| {row} |")).collect();
    format!("| {head} |\n|{line}|\n{}", rows.join("\n"))
}

/// The keys of one section of the job file, in the order in which the page has them.
fn keys(schema: &Value, section: &str, old: &str) -> String {
    let table_of =
        |path: &str| path.split('.').fold(schema.clone(), |at, key| resolved(schema, &at["properties"][key]));
    let object = match section {
        "job" => schema.clone(),
        // A column is a text or a table.
        "column" => {
            let column = table_of("visits.columns.visit_id");
            let of = |kind: &str| column[kind].as_array().cloned().unwrap_or_default();
            let mut forms = of("anyOf").into_iter().chain(of("oneOf")).map(|form| resolved(schema, &form));
            forms.find(|form| form["properties"].is_object()).expect("a column may be a table")
        }
        path => table_of(path),
    };
    let properties = object["properties"].as_object().unwrap_or_else(|| panic!("no keys in {section}"));
    let known = |key: &&str| properties.contains_key(*key) && (section != "job" || *key == "name");
    let listed: Vec<&str> = old.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let new = properties.keys().map(String::as_str).filter(|key| !listed.contains(key));
    let order: Vec<&str> = listed.iter().copied().chain(new).filter(known).collect();
    let required = |key: &str| object["required"].as_array().is_some_and(|keys| keys.iter().any(|name| name == key));
    table("key | type | default | meaning", order.iter().map(|key| row(schema, key, &properties[*key], required(key))))
}

fn row(schema: &Value, key: &str, property: &Value, is_required: bool) -> String {
    let text = property["description"].as_str().unwrap_or_default();
    // `Left out: 120/s.` is the default.
    let (meaning, default) = match text.split_once("Left out: ") {
        Some((before, rest)) => {
            let end = rest.find(". ").unwrap_or(rest.trim_end_matches('.').len());
            let after = rest[end..].trim_start_matches('.').trim();
            (format!("{} {after}", before.trim()), rest[..end].to_owned())
        }
        None => (text.to_owned(), String::new()),
    };
    let default = match (is_required, &property["default"]) {
        (true, _) => "required".to_owned(),
        (false, value) if default.is_empty() && !value.is_null() => value.to_string(),
        _ => default,
    };
    let cell = |text: &str| format!(" {} ", text.trim().replace('|', "\\|")).replace("  ", " ");
    format!("`{key}` |{}|{}|{}", cell(&kind(schema, property)), cell(&code(&default)), cell(&code(&meaning)))
        .trim_end()
        .to_owned()
}

/// What a value may be, in words.
fn kind(schema: &Value, property: &Value) -> String {
    let value = resolved(schema, property);
    let quoted = |values: &Vec<Value>| values.iter().map(|v| format!("`{v}`")).collect::<Vec<_>>().join(" or ");
    if let Some(values) = value["enum"].as_array() {
        return quoted(values);
    }
    let forms = value["anyOf"].as_array().or(value["oneOf"].as_array());
    if let Some(forms) = forms {
        let mut kinds: Vec<String> =
            forms.iter().map(|form| kind(schema, form)).filter(|kind| kind != "null").collect();
        kinds.dedup();
        // A field is filled from a column by its name, or by a table that says more.
        return kinds.join(" or ").replace("text or table", "column");
    }
    let one = |kind: &str| match kind {
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => match (value["minimum"].as_i64(), value["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("whole number, {least} to {most}"),
            _ => "whole number".to_owned(),
        },
        "array" => "list of text".to_owned(),
        "object" => "table".to_owned(),
        other => other.to_owned(),
    };
    match &value["type"] {
        Value::String(kind) => one(kind),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null");
            kinds.map(one).collect::<Vec<_>>().join(" or ").replace("`true` or `false`", "boolean")
        }
        _ => String::new(),
    }
}

/// A schema behind its `$ref`, or behind the `$ref` that an `allOf` wraps.
fn resolved(schema: &Value, value: &Value) -> Value {
    let reference = value["$ref"].as_str().or_else(|| value["allOf"][0]["$ref"].as_str());
    let Some(reference) = reference else {
        // An optional table is itself or null.
        let forms = value["anyOf"].as_array().filter(|forms| forms.iter().any(|form| form["type"] == "null"));
        let form = forms.and_then(|forms| forms.iter().find(|form| form["$ref"].is_string()));
        return form.map_or_else(|| value.clone(), |form| resolved(schema, form));
    };
    let found = reference.trim_start_matches("#/").split('/').fold(schema, |at, key| &at[key]);
    resolved(schema, found)
}

/// Sets what is typed in code: what stands in quotes, brackets or braces, and plain values.
fn code(text: &str) -> String {
    if !text.is_empty() && (text.parse::<f64>().is_ok() || text == "true" || text == "false") {
        return format!("`{text}`");
    }
    if text == "'\"'" {
        return format!("`{text}`");
    }
    let (mut out, mut rest) = (String::new(), text);
    while let Some(at) = rest.find(['"', '[', '{', '`']) {
        let open = rest.as_bytes()[at];
        let close = match open {
            b'[' => ']',
            b'{' => '}',
            b'`' => '`',
            _ => '"',
        };
        let Some(end) = rest[at + 1..].find(close).map(|end| at + 1 + end + 1) else { break };
        let span = rest[at..end].trim_matches('`');
        let _ = write!(out, "{}`{span}`", &rest[..at]);
        rest = &rest[end..];
    }
    out + rest
}
