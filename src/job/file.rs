//! The job file as it is written: its keys and the types of their values, each with its place for messages.
//!
//! What the values mean is checked in `checked`. The comments on the keys are what an editor shows of them: `schema`
//! takes them from here, and the values that are allowed from where they are checked.

use super::checked::{FORMATS, ID_VERSIONS, MOST_ATTEMPTS, MOST_BURST, MOST_IN_FLIGHT, RESOURCES};
use super::columns::UNITS;
use super::notify::WHENS;
use super::schema::names;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

/// A value with its place in the file. A type of our own, so that `schema` can say that the place is no part of it.
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

/// What traxload reads, checks and sends, and how.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// The name of the job, by which its results are filed. Left out: the name of this file without its ending.
    pub(super) name: Option<Spanned<String>>,
    /// The export of visits: one row a visit.
    pub(super) visits: Section<VisitColumns>,
    /// The export of scenes: one row a scene. The same file as the visits' where one flat export has both.
    pub(super) scenes: Section<SceneColumns>,
    /// How scenes are brought to their visits.
    #[serde(default)]
    pub(super) shuffle: Shuffle,
    /// Time zones.
    #[serde(default)]
    pub(super) time: Time,
    /// How the ids of sessions and scenes are made. Once visits are sent, leave this as it is.
    #[serde(default)]
    pub(super) ids: Ids,
    /// What is checked before anything is sent.
    #[serde(default)]
    pub(super) check: Check,
    /// Where sessions go.
    #[serde(default)]
    pub(super) api: Api,
    /// How fast and how patiently they are sent.
    #[serde(default)]
    pub(super) upload: Upload,
    /// What a run leaves behind.
    #[serde(default)]
    pub(super) results: Results,
    /// Whom to tell how a run ended.
    #[serde(default)]
    pub(super) notify: Notify,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[schemars(rename = "Export_{C}")]
#[serde(deny_unknown_fields)]
pub(super) struct Section<C> {
    /// A file, a folder, a glob such as "exports/*.csv.gz", or a list of them, on this machine or in object storage
    /// ("s3://bucket/exports/", gs://, az://). {date} is the day of --date.
    pub(super) path: Spanned<Paths>,
    /// Left out: told from the name of the file.
    #[schemars(extend("enum" = names(&FORMATS)))]
    pub(super) format: Option<Spanned<String>>,
    /// A single ASCII character, such as ";" or "\t". Left out: ",", and "\t" for .tsv and .tab.
    pub(super) delimiter: Option<Spanned<String>>,
    /// The quote; doubled inside quotes it stands for itself. Left out: '"'. "": there are no quotes.
    pub(super) quote: Option<Spanned<String>>,
    /// The escape character, such as "\\", inside quotes only; where quote = "", everywhere. Left out: none.
    pub(super) escape: Option<Spanned<String>>,
    /// Cells that mean "empty", such as ["NULL", "\\N"]. The empty cell always does.
    pub(super) null_values: Option<Vec<String>>,
    /// Such as "windows-1252" or "utf-16". Left out: "utf-8".
    pub(super) encoding: Option<Spanned<String>>,
    /// Whether spaces and tabs around a cell count for nothing. Left out: true.
    pub(super) trim: Option<bool>,
    /// Only rows with these values in these columns, such as { status = ["completed"] }. The others are counted.
    pub(super) only: Option<Spanned<BTreeMap<String, Scalars>>>,
    /// Field of the API = column of the export.
    pub(super) columns: C,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VisitColumns {
    /// The key that scenes refer to. The id of the session is made from it, so it is a column as it stands.
    pub(super) visit_id: Spanned<Column>,
    /// The store, as Trax knows it; at most 100 characters.
    pub(super) store_number: Spanned<Column>,
    /// The day of the visit, such as 2024-03-05. Left out: the local date of session_start_time.
    pub(super) visit_date: Option<Spanned<Column>>,
    /// When the visit began.
    pub(super) session_start_time: Spanned<Column>,
    /// When it ended.
    pub(super) session_end_time: Option<Spanned<Column>>,
    /// A whole number; names are turned into numbers by a map.
    pub(super) visit_type_id: Option<Spanned<Column>>,
    /// Who made the visit; at most 255 characters.
    pub(super) email_address: Option<Spanned<Column>>,
    /// A name of your own for the visit, at most 100 characters. Left out: the visit_id.
    pub(super) client_session_uid: Option<Spanned<Column>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SceneColumns {
    /// The visit to which the scene belongs.
    pub(super) visit_id: Spanned<Column>,
    /// The key of the scene within its visit. The id of the scene is made from it, so it is a column as it stands.
    pub(super) scene_id: Spanned<Column>,
    /// The task that was agreed with Trax.
    pub(super) task_code: Option<Spanned<Column>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shuffle {
    /// The memory for bringing scenes to their visits, such as "4GB" or "512MiB"; past it, temporary files. Left out:
    /// half of the machine's.
    pub(super) memory: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Time {
    /// Of times that carry no zone, such as "Europe/Paris" or "+01:00". Without it such a time is a problem.
    pub(super) timezone: Option<Spanned<String>>,
    /// What %x stands for in every `format`, such as "%d/%m/%Y".
    pub(super) date_format: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ids {
    /// The UUID that all ids are made with. Left out: made from base_url and project.
    pub(super) namespace: Option<Spanned<String>>,
    /// Left out: 5. 4: the same bits marked as version 4, for a server that insists.
    #[schemars(extend("enum" = names(&ID_VERSIONS)))]
    pub(super) version: Option<Spanned<u8>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Check {
    /// Whether a scene without a task code is a problem, as the PUREAI solution wants it. Left out: false.
    pub(super) task_code_required: Option<Spanned<bool>>,
    /// A list of the stores that Trax knows: a CSV file with a header, of which the first column counts.
    pub(super) stores: Option<Spanned<String>>,
    /// A list of known e-mail addresses, likewise.
    pub(super) users: Option<Spanned<String>>,
    /// A list of known task codes, likewise.
    pub(super) task_codes: Option<Spanned<String>>,
    /// A list of known visit types, likewise.
    pub(super) visit_types: Option<Spanned<String>>,
    /// With more invalid visits than this nothing is sent: a share of the result rows such as "5%", or a number of
    /// visits. Left out: "50%".
    pub(super) max_invalid: Option<Spanned<Scalar>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    /// An https address, or "sandbox" for a local API inside the process. Left out: "https://services.traxretail.com".
    pub(super) base_url: Option<Spanned<String>>,
    /// The version in the address. Left out: "v4".
    pub(super) version: Option<Spanned<String>>,
    /// The project's name, as Trax gave it. Required, but for the sandbox.
    pub(super) project: Option<Spanned<String>>,
    /// The last part of the address; the vendor's pages have both. Left out: "session".
    #[schemars(extend("enum" = RESOURCES))]
    pub(super) resource: Option<Spanned<String>>,
    /// The environment variable that holds the token, never the token itself. Left out: "TRAX_TOKEN".
    pub(super) token_env: Option<Spanned<String>>,
    /// A file that holds the token and nothing else, in place of token_env.
    pub(super) token_file: Option<Spanned<String>>,
    /// A certificate (PEM) to trust beside the system's.
    pub(super) ca_file: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Upload {
    /// Requests a second, retries counted, such as "120/s", "30/min" or "0.5/s"; the vendor allows 150/s. Left out:
    /// "120/s".
    pub(super) rate: Option<Spanned<String>>,
    /// How many requests may go at once after a quiet time. Left out: 1.
    #[schemars(range(min = 1, max = MOST_BURST))]
    pub(super) burst: Option<Spanned<u32>>,
    /// Requests under way at the same time. Left out: 64.
    #[schemars(range(min = 1, max = MOST_IN_FLIGHT))]
    pub(super) max_in_flight: Option<Spanned<u32>>,
    /// For a whole request, such as "30s" or "1m30s". Left out: "30s".
    pub(super) timeout: Option<Spanned<String>>,
    /// For the connection alone. Left out: "10s".
    pub(super) connect_timeout: Option<Spanned<String>>,
    /// For one visit; those in an outage and those answered 429 do not count. Left out: 5.
    #[schemars(range(min = 1, max = MOST_ATTEMPTS))]
    pub(super) max_attempts: Option<Spanned<u32>>,
    /// The waits between the attempts of a visit.
    #[serde(default)]
    pub(super) backoff: Backoff,
    /// How long an outage of the whole API is waited out, such as "1h". Left out: "10m".
    pub(super) patience: Option<Spanned<String>>,
    /// How long a run may take, from its start, such as "5h"; the rest is not attempted. Left out: as long as it takes.
    pub(super) max_duration: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Backoff {
    /// The longest first wait. Left out: "500ms".
    pub(super) first: Option<Spanned<String>>,
    /// The longest wait of all. Left out: "60s".
    pub(super) max: Option<Spanned<String>>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Results {
    /// The result file; {name}, {date} and {time} (the run's start, 20240305T081233Z) are filled in. Left out:
    /// "results/{name}-{date}.csv" with --date, else "results/{name}.csv".
    pub(super) path: Option<Spanned<String>>,
    /// A file of metrics for Prometheus, with the same placeholders; its name ends in .prom.
    pub(super) metrics: Option<Spanned<String>>,
    /// Whether a page is made beside the result file, under its name and .html.
    #[serde(default)]
    pub(super) report: bool,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Notify {
    /// An https address that gets a POST when a run ends. Who knows it can write to the channel: url_env is better.
    pub(super) url: Option<Spanned<String>>,
    /// The environment variable that holds the address, in place of url.
    pub(super) url_env: Option<Spanned<String>>,
    /// Left out: "not_delivered", which is every run that ends with anything but 0.
    #[schemars(extend("enum" = names(&WHENS)))]
    pub(super) when: Option<Spanned<String>>,
    /// For the whole notification, at most "5m". Left out: "10s".
    pub(super) timeout: Option<Spanned<String>>,
}

/// What stands where only a person can tell the value: a question that has to be answered first.
pub(crate) const OPEN: &str = "?";

/// How a field is filled: a column's name, or a table with more to say.
#[derive(Debug, Default)]
pub(super) struct Column(pub(super) ColumnTable);

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ColumnTable {
    /// The name of the export's column.
    pub(super) column: Option<String>,
    /// A constant, in place of a column.
    pub(super) value: Option<Scalar>,
    /// How dates and times are written, in the notation of strftime, such as "%d/%m/%Y %H:%M".
    pub(super) format: Option<Spanned<String>>,
    /// What a number counts since 1970. Left out: "s".
    #[schemars(extend("enum" = names(&UNITS)))]
    pub(super) unit: Option<Spanned<String>>,
    /// The zone of times in this column that carry none, such as "Europe/Paris" or "+01:00".
    pub(super) timezone: Option<Spanned<String>>,
    /// A column with the zone of each row; where it is empty, timezone counts.
    pub(super) timezone_column: Option<Spanned<String>>,
    /// What the values of the export stand for, such as { monthly = 801, weekly = 802 }; any other is a problem.
    pub(super) map: Option<Spanned<BTreeMap<String, Spanned<Scalar>>>>,
    /// The same from a CSV file with two columns and no header.
    pub(super) map_file: Option<Spanned<String>>,
    /// `field = "?"`, as `init` leaves it where nothing tells the column. A column of that name is `{ column = "?" }`.
    #[serde(skip)]
    pub(super) is_open: bool,
}

impl VisitColumns {
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<Column>> {
        let optional = [
            &self.visit_date,
            &self.session_end_time,
            &self.visit_type_id,
            &self.email_address,
            &self.client_session_uid,
        ];
        let required = [&self.visit_id, &self.store_number, &self.session_start_time];
        required.into_iter().chain(optional.into_iter().flatten())
    }
}

impl SceneColumns {
    pub(super) fn all(&self) -> impl Iterator<Item = &Spanned<Column>> {
        [&self.visit_id, &self.scene_id].into_iter().chain(&self.task_code)
    }
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
        if self.only_text {
            while let Some(text) = list.next_element()? {
                values.push(text);
            }
            return Ok(values);
        }
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
