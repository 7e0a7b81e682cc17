//! What is wrong with a job file, shown where it stands.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A job file that cannot be used. Nothing was read or sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// The file itself cannot be read.
    #[error("cannot read the job file {}: {source}", path.display())]
    Unreadable {
        /// The job file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// An option of the command line.
    #[error("{0}")]
    Option(String),
    /// Mistakes in it, with their places.
    #[error("{}", .0.iter().map(Mistake::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
}

/// One mistake: what it is, and the line that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The job file.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
    /// The line as it stands in the file.
    pub source: String,
    /// How many characters of it are meant.
    pub length: usize,
}

impl Mistake {
    pub(super) fn at(file: &Path, text: &str, span: Range<usize>, message: String) -> Mistake {
        let start = span.start.min(text.len());
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line_end = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let end = span.end.clamp(start, line_end);
        Mistake {
            file: file.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            message,
            source: text[line_start..line_end].trim_end().to_owned(),
            length: text[start..end].chars().count().max(1),
        }
        .without_secrets(&text[..line_start])
    }
}

impl Mistake {
    /// Somebody may have put the token itself where it does not belong, and the address of a notification is a secret:
    /// of what stands under `api` and `notify`, only keys are shown.
    fn without_secrets(mut self, before: &str) -> Mistake {
        const NAMES: [&str; 8] = ["token", "auth", "key", "secret", "password", "api", "notify", "hook"];
        let section = before.lines().rev().find(|line| line.trim_start().starts_with('[')).unwrap_or_default();
        let key = self.source.split('=').next().unwrap_or_default().to_owned();
        let lower = key.to_ascii_lowercase();
        let harmless = ["base_url", "version", "project", "resource", "ca_file"].contains(&key.trim());
        let in_api = section.trim().starts_with("[api") && !harmless;
        let in_notify = section.trim().starts_with("[notify");
        let is_assigned = self.source.contains('=');
        // The rest of a text that goes over several lines has no key.
        if in_notify && !is_assigned {
            self.source = "…".to_owned();
            (self.column, self.length) = (1, 1);
        }
        if is_assigned && (in_api || in_notify || NAMES.iter().any(|name| lower.contains(name))) {
            let shown = key.trim_end().chars().count();
            self.source = format!("{} = …", key.trim_end());
            self.column = self.column.min(shown.max(1));
            self.length = self.length.min(shown + 5 - self.column);
            let words: Vec<&str> = self.message.split('`').collect();
            self.message = words.iter().enumerate().map(|(at, word)| if at % 2 == 1 { "…" } else { word }).collect();
            // So serde repeats a text that is none of what it expected.
            if let Some((start, rest)) = self.message.split_once("string \"")
                && let Some((_, end)) = rest.rsplit_once("\", expected")
            {
                self.message = format!("{start}string …, expected{end}");
            }
        }
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{}:{}:{}: {}", self.file.display(), self.line, self.column, self.message)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.source)?;
        write!(f, "{margin} | {}{}", " ".repeat(self.column - 1), "^".repeat(self.length))
    }
}

/// What serde says of an unknown key names all the known ones; people want the nearest.
pub(super) fn in_plain_words(message: &str) -> String {
    let quoted = |text: &str| -> Vec<String> { text.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let message = message.trim_end();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let names = quoted(rest);
        if let Some((unknown, known)) = names.split_first() {
            let hint = crate::nearest::hint(unknown, known.iter().map(String::as_str));
            return format!("unknown key {unknown:?}{hint}; known here: {}", known.join(", "));
        }
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return format!("the key {} is missing", name.replace('`', "\""));
    }
    const WORDS: [(&str, &str); 4] = [
        ("expected a string", "expected text in quotes"),
        ("expected struct Backoff", "expected a table like { first = \"500ms\", max = \"60s\" }"),
        ("expected u32", "expected a whole number"),
        ("expected a sequence", "expected a list like [\"\", \"NULL\"]"),
    ];
    WORDS.iter().fold(message.to_owned(), |message, (serde, ours)| message.replace(serde, ours))
}
