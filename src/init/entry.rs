//! A field's entry in the job file: how it is filled, and what is said about that.

use super::toml_text::{listed, quoted, shown};
use crate::job::OPEN;

/// What fills a field, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    /// A column as it is.
    Column(String),
    /// A column, and the settings by which it is read.
    Table(String, Vec<(&'static str, String)>),
    /// Only a person can say: the job file holds a question.
    Open,
    /// The field is left out.
    Absent,
}

/// A field of the API in a section of the job file.
#[derive(Clone, Debug)]
pub(super) struct FieldEntry {
    pub(super) field: &'static str,
    pub(super) filling: Filling,
    /// Comments on lines of their own.
    pub(super) above: Vec<String>,
    /// A comment at the end of the line.
    pub(super) beside: String,
    /// What has to be answered before the job file can be used.
    pub(super) question: Option<String>,
    /// What should be looked at.
    pub(super) doubt: Option<String>,
}

impl FieldEntry {
    pub(super) fn absent(field: &'static str) -> FieldEntry {
        let (above, beside) = (Vec::new(), String::new());
        FieldEntry { field, filling: Filling::Absent, above, beside, question: None, doubt: None }
    }

    pub(super) fn column(field: &'static str, column: &str) -> FieldEntry {
        FieldEntry { filling: Filling::Column(column.to_owned()), ..FieldEntry::absent(field) }
    }

    /// A mandatory field for which no column is known. `why` is a sentence.
    pub(super) fn open(field: &'static str, why: &str) -> FieldEntry {
        let above = vec![format!("QUESTION: {why} Put the column's name in place of \"?\".")];
        let question = Some(format!("{field}: {why}"));
        FieldEntry { filling: Filling::Open, above, question, ..FieldEntry::absent(field) }
    }

    /// Names other columns that the field may mean.
    pub(super) fn or<'a>(self, others: impl IntoIterator<Item = &'a str>) -> FieldEntry {
        let others = listed(others, 4);
        match self.filling {
            _ if others.is_empty() => self,
            Filling::Open => self.says(format!("It may be {others}")),
            _ => self.says(format!("could also be {others}")),
        }
    }

    /// Adds a comment on a line of its own.
    pub(super) fn says(mut self, comment: impl Into<String>) -> FieldEntry {
        self.above.push(comment.into());
        self
    }

    /// Adds something to look at, in a comment and among the remarks.
    pub(super) fn doubts(mut self, doubt: &str) -> FieldEntry {
        self.doubt = Some(format!("{}: {doubt}", self.field));
        self.says(doubt)
    }

    /// Adds a value as an example.
    pub(super) fn example(mut self, value: Option<&str>) -> FieldEntry {
        self.beside = value.map(|value| format!("such as {}", shown(value))).unwrap_or_default();
        self
    }

    /// Adds a setting to the column, such as its format.
    pub(super) fn with(mut self, key: &'static str, value: &str) -> FieldEntry {
        self.filling = match self.filling {
            Filling::Column(column) => Filling::Table(column, vec![(key, value.to_owned())]),
            Filling::Table(column, mut settings) => {
                settings.push((key, value.to_owned()));
                Filling::Table(column, settings)
            }
            other => other,
        };
        self
    }

    /// The columns that it reads.
    pub(super) fn columns(&self) -> Vec<&str> {
        match &self.filling {
            Filling::Column(column) => vec![column],
            Filling::Table(column, settings) => {
                let zones = settings.iter().filter(|(key, _)| *key == "timezone_column");
                std::iter::once(column.as_str()).chain(zones.map(|(_, zone)| zone.as_str())).collect()
            }
            Filling::Open | Filling::Absent => Vec::new(),
        }
    }

    /// The value in TOML; `None` for a field that is left out.
    pub(super) fn toml(&self) -> Option<String> {
        let table = |column: &str, settings: &[(&str, String)]| {
            let settings = settings.iter().map(|(key, value)| format!(", {key} = {}", quoted(value)));
            format!("{{ column = {}{} }}", quoted(column), settings.collect::<String>())
        };
        match &self.filling {
            // A bare "?" is a question. A column of that name needs a table.
            Filling::Column(column) if column == OPEN => Some(table(column, &[])),
            Filling::Column(column) => Some(quoted(column)),
            Filling::Table(column, settings) => Some(table(column, settings)),
            Filling::Open => Some(quoted(OPEN)),
            Filling::Absent => None,
        }
    }
}
