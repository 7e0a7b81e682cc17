//! The tables `[visits.columns]` and `[scenes.columns]`: which fields they have, and what may be said of a column.
//!
//! Editors show the comments on the keys, and so do mistakes. What a value means is the business of `columns`.

use super::values::{Scalar, Spanned};
use super::vocabulary::{DECIMALS, MAX_PAD, OPEN, UNITS, words};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// What a field holds, which decides what may be said of its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    /// A key that ids are made from.
    Key,
    /// Any text.
    Text,
    /// A whole number.
    Number,
    /// A day.
    Date,
    /// A moment.
    Time,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VisitColumns {
    /// The key that scenes refer to. The id of the session is made from it, so it is a column as it stands, or
    /// several joined.
    pub(super) visit_id: Spanned<Column>,
    /// The store, as Trax knows it; at most 100 characters.
    pub(super) store_number: Spanned<Column>,
    /// The day of the visit, such as 2024-03-05. Left out: the local date of session_start_time.
    pub(super) visit_date: Option<Spanned<Column>>,
    /// When the visit began.
    pub(super) session_start_time: Spanned<Column>,
    /// When the visit ended.
    pub(super) session_end_time: Option<Spanned<Column>>,
    /// A whole number; names are turned into numbers by a map.
    pub(super) visit_type_id: Option<Spanned<Column>>,
    /// Who made the visit; at most 255 characters.
    pub(super) email_address: Option<Spanned<Column>>,
    /// A name of your own for the visit, at most 100 characters. Left out: the visit_id.
    pub(super) client_session_uid: Option<Spanned<Column>>,
    /// How many scenes the visit has. Another number of them is a problem; it is never sent.
    pub(super) scene_count: Option<Spanned<Column>>,
}

impl VisitColumns {
    /// Every column that is named, in no particular order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<Column>> {
        let optional = [
            &self.visit_date,
            &self.session_end_time,
            &self.visit_type_id,
            &self.email_address,
            &self.client_session_uid,
            &self.scene_count,
        ];
        let required = [&self.visit_id, &self.store_number, &self.session_start_time];
        required.into_iter().chain(optional.into_iter().flatten())
    }
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SceneColumns {
    /// The visit to which the scene belongs.
    pub(super) visit_id: Spanned<Column>,
    /// The key of the scene within its visit. The id of the scene is made from it, so it is a column as it stands, or
    /// several joined.
    pub(super) scene_id: Spanned<Column>,
    /// The task that was agreed with Trax.
    pub(super) task_code: Option<Spanned<Column>>,
}

impl SceneColumns {
    /// Every column that is named, in no particular order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<Column>> {
        [&self.visit_id, &self.scene_id].into_iter().chain(&self.task_code)
    }
}

/// How a field is filled: a column's name, or a table with more to say.
#[derive(Debug, Default)]
pub(super) struct Column(pub(super) ColumnTable);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    /// The name of the export's column.
    pub(super) column: Option<String>,
    /// Several columns in place of one, such as ["store", "day"]: keys and texts are joined by the separator, times and
    /// dates by a space. Where one of the cells is empty, the whole is.
    pub(super) columns: Option<Spanned<Vec<Spanned<String>>>>,
    /// What stands between joined columns. Left out: "-".
    pub(super) separator: Option<Spanned<String>>,
    /// A cell of digits only gets zeros in front, up to so many characters.
    #[schemars(range(min = 1, max = MAX_PAD))]
    pub(super) pad: Option<Spanned<u32>>,
    /// What 1001.0 is: 1001 ("drop"), or what it is ("keep"). Left out: it is kept, and suspicious where all are so.
    #[schemars(extend("enum" = words(&DECIMALS)))]
    pub(super) decimals: Option<Spanned<String>>,
    /// Cells of this column that mean "empty", such as ["0"], in addition to those of the section.
    pub(super) null_values: Option<Spanned<Vec<Scalar>>>,
    /// A constant, in place of a column.
    pub(super) value: Option<Scalar>,
    /// How dates and times are written, in the notation of strftime, such as "%d/%m/%Y %H:%M".
    pub(super) format: Option<Spanned<String>>,
    /// What a number counts since 1970. Left out: "s".
    #[schemars(extend("enum" = words(&UNITS)))]
    pub(super) unit: Option<Spanned<String>>,
    /// The zone of times in this column that carry none, such as "Europe/Paris" or "+01:00".
    pub(super) timezone: Option<Spanned<String>>,
    /// A column with the zone of each row; where it is empty, timezone counts.
    pub(super) timezone_column: Option<Spanned<String>>,
    /// What the values of the export stand for, such as { monthly = 801, weekly = 802 }; any other is a problem.
    pub(super) map: Option<Spanned<BTreeMap<String, Spanned<Scalar>>>>,
    /// In place of map: a CSV file with two columns and no header, a value of the export and what it stands for.
    pub(super) map_file: Option<Spanned<String>>,
    /// `field = "?"`, as `init` leaves it where nothing tells the column. A column of that name is `{ column = "?" }`.
    #[serde(skip)]
    pub(super) is_open: bool,
}

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ColumnVisitor;
        impl<'de> Visitor<'de> for ColumnVisitor {
            type Value = Column;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a column, or a table such as { column = \"…\" }")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<Column, E> {
                let is_open = name == OPEN;
                Ok(Column(ColumnTable { column: Some(name.to_owned()), is_open, ..ColumnTable::default() }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Column, A::Error> {
                ColumnTable::deserialize(de::value::MapAccessDeserializer::new(map)).map(Column)
            }
        }
        deserializer.deserialize_any(ColumnVisitor)
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
