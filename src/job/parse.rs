//! From the text of a job file to its keys, with all that is wrong with them: serde tells one mistake at a time, so what
//! it has told is taken out, and it is asked again.

use super::error::Mistake;
use super::file::File;
use crate::text::nearest;
use serde::Deserialize;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue, Deserializer};

/// More mistakes than anybody mends at once.
const MOST: usize = 50;

/// What stands in for what is missing, while the rest is looked at.
const VISITS: &str = "{ path = '', columns = { visit_id = '', store_number = '', session_start_time = '' } }";
const SCENES: &str = "{ path = '', columns = { visit_id = '', scene_id = '' } }";

/// What can be told of a job file by its keys and types.
pub(super) struct Parsed {
    /// Without what is wrong; `None` where too little is left to look at the values.
    pub(super) file: Option<File>,
    pub(super) mistakes: Vec<Mistake>,
}

pub(super) fn parse(path: &Path, text: &str) -> Parsed {
    let at = |span: Option<Range<usize>>, message: String| Mistake::at(path, text, span.unwrap_or(0..0), message);
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        let mut mistakes: Vec<Mistake> =
            errors.iter().map(|error| at(error.span(), no_toml(error.message()))).collect();
        // What else is found on a line comes of the first mistake there.
        mistakes.dedup_by_key(|mistake| mistake.line);
        mistakes.truncate(MOST);
        return Parsed { file: None, mistakes };
    }
    let mut rest = Rest { table, gone: Vec::new(), is_filled: false };
    let mut mistakes: Vec<Mistake> = Vec::new();
    loop {
        let error = match File::deserialize(Deserializer::from(rest.table.clone())) {
            Ok(file) => return Parsed { file: (!rest.is_filled).then_some(file), mistakes },
            Err(error) => error,
        };
        let span = error.span();
        let goes_on = match (Told::from(error.message()), span.clone()) {
            (Told::Missing(key), span) => {
                let is_ours = span.as_ref().is_some_and(|span| rest.gone.contains(&(span.clone(), key.clone())));
                if !is_ours {
                    let span = span.clone().filter(|span| *span != (0..text.len())).unwrap_or(0..0);
                    mistakes.push(at(Some(span), missing(&key)));
                }
                rest.fill(span.as_ref(), &key)
            }
            (Told::Unknown { key, known }, span) => {
                let near = nearest(&key, known.iter().map(String::as_str)).map(str::to_owned);
                let hint = near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                // What looks like no key may be a secret that stands in the place of one.
                let is_plain =
                    key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
                let mistake = match span.clone().filter(|_| is_plain) {
                    Some(span) => Mistake::at_key(path, text, span, format!("unknown key `{key}`{hint}")),
                    None => at(span.clone(), "unknown key `…`".to_owned()),
                };
                mistakes.push(mistake.with_help(format!("known here: {}", known.join(", "))));
                rest.take_out(span.as_ref(), near)
            }
            (Told::Other(message), span) => {
                mistakes.push(at(span.clone(), message));
                rest.take_out(span.as_ref(), None)
            }
        };
        if !goes_on || mistakes.len() >= MOST {
            return Parsed { file: None, mistakes };
        }
    }
}

fn no_toml(message: &str) -> String {
    match message {
        "duplicate key" => "this is there twice; keep one of them".to_owned(),
        message => format!("this is no TOML: {message}"),
    }
}

fn missing(key: &str) -> String {
    match key {
        "visits" | "scenes" => {
            format!("the section [{key}] is missing; add it, with the path of the export and its columns")
        }
        "columns" => "the table of columns is missing: add [visits.columns] or [scenes.columns]".to_owned(),
        "path" => "the key `path` is missing: the file, folder or glob of the export".to_owned(),
        field => format!("the key `{field}` is missing: name the export's column for it"),
    }
}

/// What is left of a job file after its mistakes are taken out.
struct Rest<'t> {
    table: Spanned<DeTable<'t>>,
    /// Keys that are missing because they were taken out, by the place of their table.
    gone: Vec<(Range<usize>, String)>,
    is_filled: bool,
}

impl Rest<'_> {
    fn take_out(&mut self, span: Option<&Range<usize>>, instead_of: Option<String>) -> bool {
        let Some(span) = span else { return false };
        let place = self.table.span();
        let Some((place, key)) = take_out(place, self.table.get_mut(), span) else { return false };
        self.gone.extend(instead_of.map(|key| (place.clone(), key)));
        self.gone.push((place, key));
        true
    }

    fn fill(&mut self, span: Option<&Range<usize>>, key: &str) -> bool {
        let depth = match key {
            "visits" | "scenes" => 0,
            "path" | "columns" => 1,
            _ => 2,
        };
        self.is_filled = true;
        let place = self.table.span();
        fill(place, self.table.get_mut(), (span, key), depth, "")
    }
}

fn take_out(place: Range<usize>, table: &mut DeTable<'_>, span: &Range<usize>) -> Option<(Range<usize>, String)> {
    let is_meant = |key: &Range<usize>, value: &Range<usize>| key == span || value == span;
    let meant = table.iter().find(|(key, value)| is_meant(&key.span(), &value.span()));
    if let Some(key) = meant.map(|(key, _)| key.get_ref().to_string()) {
        table.remove(key.as_str());
        return Some((place, key));
    }
    for (_, value) in table.iter_mut() {
        let place = value.span();
        if let DeValue::Table(table) = value.get_mut()
            && let Some(taken) = take_out(place, table, span)
        {
            return Some(taken);
        }
    }
    // Somewhere within a list: all of it goes.
    let around = |value: &Range<usize>| value.start <= span.start && span.end <= value.end;
    let key = table.iter().find(|(_, value)| around(&value.span())).map(|(key, _)| key.get_ref().to_string())?;
    table.remove(key.as_str());
    Some((place, key))
}

fn fill(
    place: Range<usize>,
    table: &mut DeTable<'_>,
    (span, key): (Option<&Range<usize>>, &str),
    depth: usize,
    within: &str,
) -> bool {
    if depth == 0 && (span.is_none_or(|span| *span == place) || within.is_empty()) && !table.contains_key(key) {
        let text = match (key, within) {
            ("visits", _) | ("columns", "visits") => VISITS,
            ("scenes", _) | ("columns", _) => SCENES,
            _ => "''",
        };
        let Ok(mut value) = DeValue::parse(text) else { return false };
        if key == "columns" {
            let columns = match value.get_mut() {
                DeValue::Table(section) => section.remove(key),
                _ => None,
            };
            let Some(columns) = columns else { return false };
            value = columns;
        }
        table.insert(Spanned::new(0..0, key.to_owned().into()), value);
        return true;
    }
    let Some(depth) = depth.checked_sub(1) else { return false };
    table.iter_mut().any(|(name, value)| {
        let place = value.span();
        let within = if within.is_empty() { name.get_ref().as_ref() } else { within };
        let is_section = ["visits", "scenes", "columns"].contains(&name.get_ref().as_ref());
        match value.get_mut() {
            DeValue::Table(table) if is_section => fill(place, table, (span, key), depth, within),
            _ => false,
        }
    })
}

/// What serde says, taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Missing(String),
    Unknown {
        key: String,
        known: Vec<String>,
    },
    /// In plain words, without the value: it may be a secret, and the line shows it where it is none.
    Other(String),
}

impl Told {
    fn from(message: &str) -> Told {
        let quoted = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
        let message = message.trim_end();
        if let Some(names) = message.strip_prefix("unknown field ").map(quoted)
            && let Some((key, known)) = names.split_first()
        {
            return Told::Unknown { key: key.clone(), known: known.to_vec() };
        }
        if let Some(name) = message.strip_prefix("missing field ").and_then(|rest| quoted(rest).into_iter().next()) {
            return Told::Missing(name);
        }
        let other = ["invalid type: ", "invalid value: "].into_iter().find_map(|start| message.strip_prefix(start));
        match other.and_then(|rest| rest.rsplit_once(", expected ")) {
            Some((found, expected)) => {
                Told::Other(format!("expected {}, found {}", expected_in_words(expected), found_in_words(found)))
            }
            None => Told::Other(message.to_owned()),
        }
    }
}

fn expected_in_words(expected: &str) -> &str {
    match expected {
        "a string" => "text in quotes",
        "a boolean" => "true or false",
        "u8" | "u32" => "a whole number",
        "a sequence" => "a list like [\"\", \"NULL\"]",
        "a map" => "a table like { name = \"value\" }",
        "struct Backoff" => "a table like { first = \"500ms\", max = \"60s\" }",
        other if other.starts_with("struct ") => "a table with keys of its own",
        other => other,
    }
}

fn found_in_words(found: &str) -> &'static str {
    match found.split([' ', '`', '"']).next() {
        Some("string") => "text",
        Some("integer") => "a whole number",
        Some("floating") => "a number with a fraction",
        Some("boolean") => "true or false",
        Some("map") => "a table",
        Some("sequence") => "a list",
        _ => "something else",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut mistakes = parse(Path::new("j"), text).mistakes;
        mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        mistakes.iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn nothing_of_a_value_is_in_what_is_told_of_its_type() {
        for message in [
            "invalid type: string \"s3cret, expected x\", expected u32",
            "invalid type: integer `5`, expected a string",
            "invalid value: integer `300`, expected u8",
        ] {
            let Told::Other(told) = Told::from(message) else { panic!("{message}") };
            assert!(!told.contains("s3cret") && !told.contains(['5', '3', '`']), "{told}");
        }
    }

    #[test]
    fn missing_sections_and_keys_are_all_told_and_once() {
        let shown =
            told("").join("\n") + "\n--\n" + &told("[visits]\n[scenes]\npath = 'x'\n[scenes.columns]\n").join("\n");
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn what_is_wrong_with_a_key_is_not_told_again_as_its_absence() {
        let shown = told(
            "[visits]\npaht = 'x'\n[visits.columns]\nvisit_id = 5\nstore_nr = 'a'\nsession_start_time = 'b'\n\
             [scenes]\npath = ['a', 5]\ncolumns = { visit_id = 'v', scene_id = { colum = 's' } }\n[uplaod]\nrate = 5\n",
        );
        insta::assert_snapshot!(shown.join("\n"));
    }
}
