//! A field's entry in the job file: how it is filled, and what is said about that.

use super::sample_column::SampleColumn;
use super::toml_text::{listed, quoted, quoted_list, shown};
use crate::job::OPEN;

/// What fills a field, as far as it can be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filling {
    /// Columns, most often a single one, and the settings by which they are read.
    Of(Vec<String>, Vec<(&'static str, Setting)>),
    /// Only a person can say: the job file holds a question.
    Open,
    /// The field is left out.
    Absent,
}

/// The value of a setting of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    Text(String),
    Number(usize),
    List(Vec<String>),
}

impl Setting {
    fn toml(&self) -> String {
        match self {
            Setting::Text(text) => quoted(text),
            Setting::Number(number) => number.to_string(),
            Setting::List(texts) => quoted_list(texts),
        }
    }
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

    /// A field that is read from a column, or from several of them joined by a space.
    pub(super) fn of(field: &'static str, column: &SampleColumn) -> FieldEntry {
        FieldEntry { filling: Filling::Of(column.sources().to_vec(), Vec::new()), ..FieldEntry::absent(field) }
    }

    /// A field that is text or a key.
    pub(super) fn text(field: &'static str, column: &SampleColumn) -> FieldEntry {
        let mut entry = FieldEntry::of(field, column);
        if !column.parts.is_empty() {
            entry = entry.with("separator", column.separator);
        }
        if column.has_decimals {
            let name = quoted(&column.name);
            entry = entry
                .with("decimals", "drop")
                .says(format!("the values of {name} end in .0, as where numbers were saved as decimals: decimals = \"drop\" takes it off"));
        }
        entry
    }

    /// A field for which several columns would do: a question with the entry of each, in their order. `why` is a sentence.
    pub(super) fn one_of(field: &'static str, why: &str, options: &[FieldEntry]) -> FieldEntry {
        let mut above = vec![format!("QUESTION: {why} Put the right one in place of \"?\":")];
        for option in options {
            let beside = if option.beside.is_empty() { String::new() } else { format!("   {}", option.beside) };
            above.push(format!("  {field} = {}{beside}", option.toml().unwrap_or_default()));
        }
        let question = Some(format!("{field}: {why}"));
        FieldEntry { filling: Filling::Open, above, question, ..FieldEntry::absent(field) }
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
    pub(super) fn with(self, key: &'static str, value: &str) -> FieldEntry {
        self.set(key, Setting::Text(value.to_owned()))
    }

    /// Adds a setting that may be a number or a list.
    pub(super) fn set(mut self, key: &'static str, value: Setting) -> FieldEntry {
        if let Filling::Of(_, settings) = &mut self.filling {
            settings.push((key, value));
        }
        self
    }

    /// The columns that it reads.
    pub(super) fn columns(&self) -> Vec<&str> {
        let Filling::Of(columns, settings) = &self.filling else { return Vec::new() };
        let zone = settings.iter().find_map(|(key, value)| match value {
            Setting::Text(column) if *key == "timezone_column" => Some(column.as_str()),
            _ => None,
        });
        columns.iter().map(String::as_str).chain(zone).collect()
    }

    /// The value in TOML; `None` for a field that is left out.
    pub(super) fn toml(&self) -> Option<String> {
        match &self.filling {
            // A bare "?" is a question. A column of that name needs a table.
            Filling::Of(columns, settings) => Some(match columns.as_slice() {
                [only] if settings.is_empty() && only != OPEN => quoted(only),
                [only] => format!("{{ column = {}{} }}", quoted(only), in_table(settings)),
                several => format!("{{ columns = {}{} }}", quoted_list(several), in_table(settings)),
            }),
            Filling::Open => Some(quoted(OPEN)),
            Filling::Absent => None,
        }
    }
}

fn in_table(settings: &[(&'static str, Setting)]) -> String {
    settings.iter().map(|(key, value)| format!(", {key} = {}", value.toml())).collect()
}
