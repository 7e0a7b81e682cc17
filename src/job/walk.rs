//! Holds a job file against the schema in one walk: unknown and missing keys, wrong types, words and numbers that are not
//! among those to choose from.
//!
//! It knows no key by its name: what there is, and what is said of it, comes from the schema. Values are never repeated in
//! a message, as any of them may be a secret; the line below the message shows what may be shown.

use super::diagnostics::Diagnostics;
use super::mistake::Mistake;
use super::schema::schema;
use crate::text::nearest;
use serde_json::Value;
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// Adds all mistakes of keys and types, and takes what has one out of the file. Returns whether no required key is missing
/// in what is left, so that it can be deserialized.
pub(super) fn walk(file: &mut DeTable<'_>, diagnostics: &mut Diagnostics<'_>) -> bool {
    let schema = schema();
    Walk { root: &schema, diagnostics }.table(file, &schema, 0..0, &Place::default())
}

struct Walk<'w, 't> {
    root: &'w Value,
    diagnostics: &'w mut Diagnostics<'t>,
}

/// Where the walk is.
#[derive(Default)]
struct Place {
    /// The name of the table, such as `visits.columns`; empty for the whole file.
    path: String,
    /// What the schema says of the innermost key that it knows.
    about: Option<String>,
}

impl Walk<'_, '_> {
    /// Whether the value can stay in the file.
    fn value(&mut self, value: &mut toml::Spanned<DeValue<'_>>, schema: &Value, place: &Place) -> bool {
        let span = value.span();
        let alternatives = alternatives(self.root, schema);
        let found = type_of(value.get_ref());
        let Some(fitting) = alternatives.iter().find(|schema| types(schema).any(|name| fits(found, name))) else {
            let expected: Vec<&str> = alternatives.iter().flat_map(|schema| types(schema)).map(in_words).collect();
            let message = format!("expected {}, found {}", either(&expected), in_words(found));
            return self.refuse(span, message, place);
        };
        if let Some(expected) = limits(value.get_ref(), fitting) {
            let key = place.path.rsplit('.').next().unwrap_or_default();
            return self.refuse(span, format!("`{key}` must be {expected}"), place);
        }
        match value.get_mut() {
            DeValue::Table(table) => self.table(table, fitting, span, place),
            DeValue::Array(items) => {
                let sound = items.iter_mut().map(|item| self.value(item, &fitting["items"], place));
                // All of them are looked at, also after the first mistake.
                sound.fold(true, |all, sound| all & sound)
            }
            _ => true,
        }
    }

    /// Whether the table can stay in the file: no required key is missing in it.
    fn table(&mut self, table: &mut DeTable<'_>, schema: &Value, span: Range<usize>, place: &Place) -> bool {
        let known = &schema["properties"];
        let others = &schema["additionalProperties"];
        // What has a mistake of its own, and what it was probably meant to be, is not missing as well.
        let (mut taken_out, mut misspelt) = (Vec::new(), Vec::new());
        for (key, value) in table.iter_mut() {
            let name = key.get_ref().as_ref();
            let is_sound = match (known.get(name), others.is_object()) {
                (Some(schema), _) => self.value(value, schema, &place.within(self.root, name, schema)),
                (None, true) => self.value(value, others, place),
                (None, false) => {
                    misspelt.extend(self.unknown_key(name, key.span(), known));
                    false
                }
            };
            if !is_sound {
                taken_out.push(name.to_owned());
            }
        }
        for key in &taken_out {
            table.remove(key.as_str());
        }
        let missing: Vec<&str> = texts(&schema["required"]).filter(|key| !table.contains_key(*key)).collect();
        for key in &missing {
            if !taken_out.iter().chain(&misspelt).any(|known| known == key) {
                self.missing_key(key, &known[*key], span.clone(), place);
            }
        }
        let of_these: Vec<&str> = one_of(schema).collect();
        let is_named =
            |key: &&str| table.contains_key(*key) || taken_out.iter().chain(&misspelt).any(|known| known == key);
        if let Some(first) = of_these.first().filter(|_| !of_these.iter().any(is_named)) {
            self.missing_key(first, &known[*first], span, place);
        }
        missing.is_empty()
    }

    fn refuse(&mut self, span: Range<usize>, message: String, place: &Place) -> bool {
        let mistake = self.diagnostics.mistake(span, message);
        self.diagnostics.push(Mistake { help: place.about.clone(), ..mistake });
        false
    }

    /// Adds the mistake, and returns the known key that was probably meant.
    fn unknown_key(&mut self, name: &str, span: Range<usize>, known: &Value) -> Option<String> {
        let known: Vec<&str> = known.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let near = nearest(name, known.iter().copied());
        let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        // What does not look like a key may be a secret that stands in the place of one.
        let is_plain = name.len() <= 40 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let mistake = match is_plain {
            true => self.diagnostics.mistake_at_key(span, format!("unknown key `{name}`{hint}")),
            false => self.diagnostics.mistake(span, "unknown key `…`"),
        };
        self.diagnostics.push(Mistake { help: Some(format!("known here: {}", known.join(", "))), ..mistake });
        near.map(str::to_owned)
    }

    fn missing_key(&mut self, key: &str, schema: &Value, span: Range<usize>, place: &Place) {
        let Place { path, about } = place.within(self.root, key, schema);
        let message = match alternatives(self.root, schema).as_slice() {
            [table] if table["type"] == "object" => {
                let required: Vec<&str> = one_of(table).take(1).chain(texts(&table["required"])).collect();
                format!("the section [{path}] is missing; add it with the keys {}", required.join(", "))
            }
            _ => format!("the key `{key}` is missing under [{}]; add it", place.path),
        };
        let mistake = self.diagnostics.mistake(span, message);
        self.diagnostics.push(Mistake { help: about, ..mistake });
    }
}

impl Place {
    /// At a key of this table.
    fn within(&self, root: &Value, key: &str, schema: &Value) -> Place {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        let about = descriptions(root, schema).join(" ");
        let about = (!about.is_empty()).then(|| format!("about `{key}`: {}", about.trim_end_matches('.')));
        Place { path, about: about.or_else(|| self.about.clone()) }
    }
}

/// The schemas of which a value has to fit one, without references.
fn alternatives<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s Value> {
    let referred = referred(root, schema);
    let several = ["anyOf", "oneOf"].iter().find_map(|key| schema[key].as_array());
    match (referred, several) {
        (Some(referred), _) => alternatives(root, referred),
        (None, Some(several)) if !schema["properties"].is_object() => {
            several.iter().flat_map(|schema| alternatives(root, schema)).collect()
        }
        _ => vec![schema],
    }
}

/// What a reference points to. In draft 7 one with a description beside it stands alone in an `allOf`.
fn referred<'s>(root: &'s Value, schema: &'s Value) -> Option<&'s Value> {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str())?;
    root.pointer(reference.trim_start_matches('#'))
}

/// What the schema says of a key, and then of the type of its value.
fn descriptions<'s>(root: &'s Value, schema: &'s Value) -> Vec<&'s str> {
    let of_type = referred(root, schema).and_then(|schema| schema["description"].as_str());
    schema["description"].as_str().into_iter().chain(of_type).collect()
}

/// The keys of which a table needs one.
fn one_of(schema: &Value) -> impl Iterator<Item = &str> {
    let several = schema["oneOf"].as_array().filter(|_| schema["properties"].is_object());
    several.into_iter().flatten().flat_map(|one| texts(&one["required"]))
}

fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// The names of the types that a schema allows: it has one, or a list of them.
fn types(schema: &Value) -> impl Iterator<Item = &str> {
    schema["type"].as_str().into_iter().chain(texts(&schema["type"]))
}

/// The type of a value, by the names of JSON Schema where it has one.
fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "string",
        DeValue::Integer(_) => "integer",
        DeValue::Float(_) => "fraction",
        DeValue::Boolean(_) => "boolean",
        DeValue::Array(_) => "array",
        DeValue::Table(_) => "object",
        DeValue::Datetime(_) => "datetime",
    }
}

fn fits(found: &str, expected: &str) -> bool {
    found == expected || expected == "number" && matches!(found, "integer" | "fraction")
}

fn in_words(name: &str) -> &'static str {
    match name {
        "string" => "text in quotes",
        "integer" => "a whole number",
        "number" => "a number",
        "fraction" => "a number with a fraction",
        "boolean" => "true or false",
        "array" => "a list",
        "datetime" => "a date or time without quotes",
        _ => "a table",
    }
}

/// What a value of the right type has to be, where it is not one of those to choose from; else nothing.
fn limits(value: &DeValue<'_>, schema: &Value) -> Option<String> {
    let whole = match value {
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    if let Some(words) = schema["enum"].as_array() {
        let is_known = words.iter().any(|word| match word {
            Value::String(word) => value.as_str() == Some(word),
            word => whole.is_some() && word.as_i64() == whole,
        });
        let expected = || either(&words.iter().map(Value::to_string).collect::<Vec<_>>());
        return (!is_known).then(expected);
    }
    let (least, most) = (schema["minimum"].as_i64()?, schema["maximum"].as_i64()?);
    let is_within = whole.is_some_and(|whole| (least..=most).contains(&whole));
    (!is_within).then(|| format!("a whole number from {least} to {most}"))
}

/// `a`, `a or b`, `a, b, or c`.
fn either(parts: &[impl AsRef<str>]) -> String {
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
    match parts.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [one, other] => format!("{one} or {other}"),
        [first @ .., last] => format!("{}, or {last}", first.join(", ")),
    }
}
