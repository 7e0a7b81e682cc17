//! The job file as a JSON Schema, for editors: made from the types of `file`, so that it cannot say anything else.
//!
//! It knows the keys, their types and the values to choose from. What a rate or a path must look like is checked when
//! the job file is read.

use super::file::{Column, ColumnTable, File, Paths, Scalar, Scalars, Spanned};
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;
use std::borrow::Cow;

/// The schema, as `traxload schema` prints it.
pub fn schema() -> Value {
    // The draft that editors for TOML know.
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(for_editors_of_toml));
    let mut schema = settings.into_generator().into_root_schema_for::<File>();
    schema.insert("title".to_owned(), "The job file of traxload".into());
    schema.to_value()
}

/// The first halves of pairs: what may be written in the job file for each value.
pub(super) fn names<N: Copy, T>(pairs: &[(N, T)]) -> Vec<N> {
    pairs.iter().map(|(name, _)| *name).collect()
}

/// TOML has no null, the width of an integer is nobody's business, and comments are broken into lines for us alone.
fn for_editors_of_toml(schema: &mut Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    object.remove("format");
    if let Some(Value::String(text)) = object.get_mut("description") {
        *text = text.replace('\n', " ");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    let without_null = object.get_mut("anyOf").and_then(Value::as_array_mut).and_then(|kinds| {
        kinds.retain(|kind| kind["type"] != "null");
        (kinds.len() == 1).then(|| kinds.remove(0))
    });
    if let Some(Value::Object(only)) = without_null {
        object.remove("anyOf");
        object.extend(only);
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

impl JsonSchema for Column {
    fn schema_name() -> Cow<'static, str> {
        "Column".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let table = generator.subschema_for::<ColumnTable>();
        json_schema!({
            "description": "The name of a column, or a table such as { column = \"started_at\", unit = \"ms\" }.",
            "anyOf": [{ "type": "string" }, table],
        })
    }
}

impl JsonSchema for Paths {
    fn schema_name() -> Cow<'static, str> {
        "Paths".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [
            { "type": "string" },
            { "type": "array", "items": { "type": "string" }, "minItems": 1 },
        ] })
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

impl JsonSchema for Scalars {
    fn schema_name() -> Cow<'static, str> {
        "Scalars".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<Scalar>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}
