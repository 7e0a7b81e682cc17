//! The lines of a job file, and the remarks on some of them.

use super::entry::FieldEntry;
use super::toml_text::comment;

/// A drafted job file, and what the user has to look at in it.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The job file, in TOML.
    pub text: String,
    /// In the order of its lines.
    pub remarks: Vec<Remark>,
}

/// Something that the user has to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// The line of the job file that it is about, from 1.
    pub line: usize,
    /// Whether the job file is refused until the user has answered it.
    pub is_question: bool,
    /// What it is.
    pub message: String,
}

/// A job file while it is written.
#[derive(Default)]
pub(super) struct JobPage {
    lines: Vec<String>,
    remarks: Vec<Remark>,
}

impl JobPage {
    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    pub(super) fn comment(&mut self, text: &str) {
        self.lines.extend(comment(text));
    }

    /// Remarks on the line that was written last.
    pub(super) fn remark(&mut self, is_question: bool, message: String) {
        self.remarks.push(Remark { line: self.lines.len(), is_question, message });
    }

    /// A comment that is a remark too.
    pub(super) fn warn(&mut self, message: String) {
        self.comment(&message);
        self.remark(false, message);
    }

    /// `key = value`, with a comment beside it unless that is empty.
    pub(super) fn pair(&mut self, key: &str, value: &str, beside: &str) {
        let line = format!("{key} = {value}");
        self.line(if beside.is_empty() { line } else { format!("{line:<50}  # {beside}") });
    }

    pub(super) fn entries(&mut self, entries: &[FieldEntry]) {
        for entry in entries {
            for text in &entry.above {
                // What is meant to be copied stays on one line.
                if text.starts_with("  ") || text.starts_with(entry.field) && text.contains(" = {") {
                    self.line(format!("# {text}"));
                } else {
                    self.comment(text);
                }
            }
            if let Some(value) = entry.toml() {
                self.pair(&format!("{:<18}", entry.field), &value, &entry.beside);
            }
            if let Some(question) = &entry.question {
                self.remark(true, question.clone());
            }
            if let Some(doubt) = &entry.doubt {
                self.remark(false, doubt.clone());
            }
        }
    }

    pub(super) fn into_draft(self) -> Draft {
        let text = self.lines.iter().map(|line| format!("{line}\n")).collect();
        Draft { text, remarks: self.remarks }
    }
}
