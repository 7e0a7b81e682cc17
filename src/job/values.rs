//! The types of values in a job file that serde and schemars do not have: with a span, or written in several ways.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error};
use std::borrow::Cow;
use std::ops::Range;

/// A value with the bytes of the file that it comes from. A type of our own, so that it can have the schema of `T`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Spanned<T>(toml::Spanned<T>);

impl<T> Spanned<T> {
    pub(super) fn get_ref(&self) -> &T {
        self.0.get_ref()
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for Spanned<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

// One path or several. Not a doc comment, as the schema would show it beside the description of the key.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum PathList {
    One(String),
    Several(#[schemars(length(min = 1))] Vec<String>),
}

impl PathList {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            PathList::One(path) => std::slice::from_ref(path),
            PathList::Several(paths) => paths,
        }
    }
}

// One path or several, or none. Not a doc comment, as for `PathList`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum EarlierFiles {
    One(String),
    Several(Vec<String>),
}

impl EarlierFiles {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            EarlierFiles::One(path) => std::slice::from_ref(path),
            EarlierFiles::Several(paths) => paths,
        }
    }
}

/// A value that is text in the end: `801` and `"801"` say the same.
#[derive(Debug)]
pub(super) struct Scalar(pub(super) String);

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match toml::Value::deserialize(deserializer)? {
            toml::Value::String(text) => Ok(Scalar(text)),
            toml::Value::Integer(number) => Ok(Scalar(number.to_string())),
            toml::Value::Float(number) => Ok(Scalar(number.to_string())),
            toml::Value::Boolean(value) => Ok(Scalar(value.to_string())),
            _ => Err(D::Error::custom("expected text, a number, or true or false")),
        }
    }
}

impl JsonSchema for Scalar {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scalar".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

// One such value or several. Not a doc comment, as the schema would show it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum ScalarList {
    One(Scalar),
    Several(Vec<Scalar>),
}

impl ScalarList {
    pub(super) fn as_slice(&self) -> &[Scalar] {
        match self {
            ScalarList::One(value) => std::slice::from_ref(value),
            ScalarList::Several(values) => values,
        }
    }
}
