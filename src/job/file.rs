//! The job file as it is written: its keys and the types of their values, each with its place for messages.
//!
//! What the values mean is checked in `checked`.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use toml::Spanned;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: Option<Spanned<String>>,
    pub(super) visits: Section<VisitColumns>,
    pub(super) scenes: Section<SceneColumns>,
    #[serde(default)]
    pub(super) shuffle: Shuffle,
    #[serde(default)]
    pub(super) time: Time,
    #[serde(default)]
    pub(super) ids: Ids,
    #[serde(default)]
    pub(super) check: Check,
    #[serde(default)]
    pub(super) api: Api,
    #[serde(default)]
    pub(super) upload: Upload,
    #[serde(default)]
    pub(super) results: Results,
    #[serde(default)]
    pub(super) notify: Notify,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section<C> {
    pub(super) path: Spanned<Paths>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) delimiter: Option<Spanned<String>>,
    pub(super) quote: Option<Spanned<String>>,
    pub(super) escape: Option<Spanned<String>>,
    pub(super) null_values: Option<Vec<String>>,
    pub(super) encoding: Option<Spanned<String>>,
    pub(super) trim: Option<bool>,
    #[serde(default)]
    pub(super) only: BTreeMap<String, Scalars>,
    pub(super) columns: C,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VisitColumns {
    pub(super) visit_id: Spanned<Column>,
    pub(super) store_number: Spanned<Column>,
    pub(super) visit_date: Option<Spanned<Column>>,
    pub(super) session_start_time: Spanned<Column>,
    pub(super) session_end_time: Option<Spanned<Column>>,
    pub(super) visit_type_id: Option<Spanned<Column>>,
    pub(super) email_address: Option<Spanned<Column>>,
    pub(super) client_session_uid: Option<Spanned<Column>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SceneColumns {
    pub(super) visit_id: Spanned<Column>,
    pub(super) scene_id: Spanned<Column>,
    pub(super) task_code: Option<Spanned<Column>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shuffle {
    pub(super) memory: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    pub(super) timezone: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ids {
    pub(super) namespace: Option<Spanned<String>>,
    pub(super) version: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    pub(super) task_code_required: Option<Spanned<bool>>,
    pub(super) stores: Option<Spanned<String>>,
    pub(super) users: Option<Spanned<String>>,
    pub(super) task_codes: Option<Spanned<String>>,
    pub(super) visit_types: Option<Spanned<String>>,
    pub(super) max_invalid: Option<Spanned<Scalar>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    pub(super) base_url: Option<Spanned<String>>,
    pub(super) version: Option<Spanned<String>>,
    pub(super) project: Option<Spanned<String>>,
    pub(super) resource: Option<Spanned<String>>,
    pub(super) token_env: Option<Spanned<String>>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Upload {
    pub(super) rate: Option<Spanned<String>>,
    pub(super) burst: Option<Spanned<u32>>,
    pub(super) max_in_flight: Option<Spanned<u32>>,
    pub(super) timeout: Option<Spanned<String>>,
    pub(super) connect_timeout: Option<Spanned<String>>,
    pub(super) max_attempts: Option<Spanned<u32>>,
    #[serde(default)]
    pub(super) backoff: Backoff,
    pub(super) patience: Option<Spanned<String>>,
    pub(super) max_duration: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Backoff {
    pub(super) first: Option<Spanned<String>>,
    pub(super) max: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Results {
    pub(super) path: Option<Spanned<String>>,
    pub(super) metrics: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) report: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    pub(super) url: Option<Spanned<String>>,
    pub(super) url_env: Option<Spanned<String>>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) timeout: Option<Spanned<String>>,
}

/// What stands where only a person can tell the value: a question that has to be answered first.
pub(crate) const OPEN: &str = "?";

/// How a field is filled: a column's name, or a table with more to say.
#[derive(Debug, Default)]
pub(super) struct Column(pub(super) ColumnTable);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    pub(super) column: Option<String>,
    pub(super) value: Option<Scalar>,
    pub(super) format: Option<Spanned<String>>,
    pub(super) unit: Option<Spanned<String>>,
    pub(super) timezone: Option<Spanned<String>>,
    pub(super) timezone_column: Option<Spanned<String>>,
    pub(super) map: Option<Spanned<BTreeMap<String, Scalar>>>,
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

/// One path or several.
#[derive(Debug)]
pub(super) struct Paths(pub(super) Vec<String>);

/// A value that is text in the end: `801` and `"801"` say the same.
#[derive(Debug)]
pub(super) struct Scalar(pub(super) String);

/// One such value or several.
#[derive(Debug)]
pub(super) struct Scalars(pub(super) Vec<String>);

/// Reads one string-like value, or a list of them.
struct ListVisitor {
    expecting: &'static str,
    only_text: bool,
    only_one: bool,
}

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Vec<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Vec<String>, E> {
        Ok(vec![text.to_owned()])
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Vec<String>, E> {
        if self.only_text {
            return Err(E::invalid_type(de::Unexpected::Signed(value), &self));
        }
        Ok(vec![value.to_string()])
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Vec<String>, E> {
        if self.only_text {
            return Err(E::invalid_type(de::Unexpected::Float(value), &self));
        }
        Ok(vec![value.to_string()])
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Vec<String>, E> {
        if self.only_text {
            return Err(E::invalid_type(de::Unexpected::Bool(value), &self));
        }
        Ok(vec![value.to_string()])
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<String>, A::Error> {
        if self.only_one {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut values = Vec::new();
        while let Some(Scalar(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(values)
    }
}

impl<'de> Deserialize<'de> for Paths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "a path or a list of paths";
        deserializer.deserialize_any(ListVisitor { expecting, only_text: true, only_one: false }).map(Paths)
    }
}

impl<'de> Deserialize<'de> for Scalars {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expecting = "a value or a list of values";
        deserializer.deserialize_any(ListVisitor { expecting, only_text: false, only_one: false }).map(Scalars)
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let visitor = ListVisitor { expecting: "text or a number", only_text: false, only_one: true };
        let values = deserializer.deserialize_any(visitor)?;
        Ok(Scalar(values.into_iter().next().unwrap_or_default()))
    }
}
