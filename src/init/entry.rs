//! A line of the job file with what is said about it.

use super::text::{listed, quoted, shown};

/// How a field is filled, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A column as it stands.
    Column(String),
    /// A column with what has to be known to read it.
    Table(Vec<(&'static str, String)>),
    /// Nobody but a person can say.
    Open,
    /// The field is left out.
    Absent,
}

/// A field of the API.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) field: &'static str,
    pub(super) value: Value,
    /// Comments on lines of their own.
    pub(super) above: Vec<String>,
    /// A comment at the end of the line.
    pub(super) beside: String,
    /// What has to be answered before the job file can be used.
    pub(super) question: Option<String>,
    /// What should be looked at.
    pub(super) doubt: Option<String>,
}

impl Entry {
    pub(super) fn absent(field: &'static str) -> Entry {
        let (above, beside) = (Vec::new(), String::new());
        Entry { field, value: Value::Absent, above, beside, question: None, doubt: None }
    }

    pub(super) fn column(field: &'static str, column: &str) -> Entry {
        Entry { value: Value::Column(column.to_owned()), ..Entry::absent(field) }
    }

    /// A mandatory field without a column; `why` is a sentence.
    pub(super) fn open(field: &'static str, why: &str) -> Entry {
        let above = vec![format!("QUESTION: {why} Put the column's name in place of \"?\".")];
        let question = Some(format!("{field}: {why}"));
        Entry { value: Value::Open, above, question, ..Entry::absent(field) }
    }

    /// Other columns that the field may mean.
    pub(super) fn or<'a>(mut self, others: impl IntoIterator<Item = &'a str>) -> Entry {
        let others = listed(others, 4);
        if !others.is_empty() {
            self.above.push(match self.value {
                Value::Open => format!("It may be {others}"),
                _ => format!("could also be {others}"),
            });
        }
        self
    }

    pub(super) fn says(mut self, comment: impl Into<String>) -> Entry {
        self.above.push(comment.into());
        self
    }

    pub(super) fn example<'a>(mut self, values: impl IntoIterator<Item = &'a str>) -> Entry {
        if let Some(value) = values.into_iter().next() {
            self.beside = format!("such as {}", shown(value));
        }
        self
    }

    /// The value in TOML; `None` for a field that is left out.
    pub(super) fn toml(&self) -> Option<String> {
        match &self.value {
            // A bare "?" is a question; a column of that name is told from it by its table.
            Value::Column(column) if column == crate::job::OPEN => Some(format!("{{ column = {} }}", quoted(column))),
            Value::Column(column) => Some(quoted(column)),
            Value::Table(pairs) => {
                let pairs: Vec<String> =
                    pairs.iter().map(|(key, value)| format!("{key} = {}", quoted(value))).collect();
                Some(format!("{{ {} }}", pairs.join(", ")))
            }
            Value::Open => Some(quoted(crate::job::OPEN)),
            Value::Absent => None,
        }
    }
}
