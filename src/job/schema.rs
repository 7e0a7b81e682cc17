//! The job file as a JSON Schema, made from the types of `keys`: editors check a job file against it, and so does `walk`.
//!
//! It knows the keys, their types, the words to choose from and the bounds of numbers. What a rate or a path must look
//! like is the business of the sections.

use super::keys::JobKeys;
use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

/// The JSON Schema of a job file (draft 7, which editors for TOML know), as `traxload schema` prints it.
pub(crate) fn schema() -> Value {
    let settings = SchemaSettings::draft07().with_transform(RecursiveTransform(adapt_to_toml));
    let mut schema = settings.into_generator().into_root_schema_for::<JobKeys>();
    schema.insert("title".to_owned(), "The job file of traxload".into());
    schema.to_value()
}

/// TOML has no null, editors do not know the widths of integers, and comments have line breaks only for our own source.
fn adapt_to_toml(schema: &mut Schema) {
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
