//! Collects what is wrong with a job file, and what is worth a warning. A span becomes a [`Mistake`] here, with a line that
//! shows no secret.

use super::error::JobError;
use super::mistake::Mistake;
use super::values::Spanned;
use super::{secrets, snippet};
use std::ops::Range;
use std::path::Path;

/// What was found so far in one job file.
pub(super) struct Diagnostics<'t> {
    path: &'t Path,
    text: &'t str,
    mistakes: Vec<Mistake>,
    /// The first mistake in an option of the command line.
    option: Option<String>,
    warnings: Vec<String>,
    /// Whether keys were taken out because of a mistake. What is missing may then be missing just because of that.
    is_partial: bool,
}

impl<'t> Diagnostics<'t> {
    /// `text` is the content of the job file `path`.
    pub(super) fn new(path: &'t Path, text: &'t str) -> Diagnostics<'t> {
        Diagnostics { path, text, mistakes: Vec::new(), option: None, warnings: Vec::new(), is_partial: false }
    }

    /// The content of the job file. All spans are ranges of its bytes.
    pub(super) fn text(&self) -> &'t str {
        self.text
    }

    pub(super) fn path(&self) -> &'t Path {
        self.path
    }

    /// The end of the file, where something is missing that has no place yet.
    pub(super) fn end(&self) -> Range<usize> {
        let end = self.text.trim_end().len();
        end..end
    }

    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.mistakes.push(self.mistake(span, message));
    }

    pub(super) fn push(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    /// A mistake that may come of another one: it is dropped where keys were taken out.
    pub(super) fn add_missing(&mut self, span: Range<usize>, message: impl Into<String>) {
        if !self.is_partial {
            self.add(span, message);
        }
    }

    pub(super) fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    pub(super) fn take_warnings(&mut self) -> Vec<String> {
        std::mem::take(&mut self.warnings)
    }

    /// From here on the keys and their types are known, and values are looked at.
    pub(super) fn keys_are_read(&mut self) {
        self.is_partial = !self.mistakes.is_empty();
    }

    /// The value; or nothing, and its mistake is added.
    pub(super) fn take<T>(&mut self, span: Range<usize>, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.add(span, message)).ok()
    }

    /// The value of a key; nothing where the key is left out, or where its mistake is added.
    pub(super) fn parsed<T>(
        &mut self,
        text: &Option<Spanned<String>>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = text.as_ref()?;
        self.take(text.span(), parse(text.get_ref()))
    }

    /// The value of an option of the command line; or nothing, and its mistake is kept.
    pub(super) fn option<T>(&mut self, name: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|message| self.option.get_or_insert(format!("{name} {message}")).len()).ok()
    }

    /// The value that was made of the file, if nothing is wrong with it.
    pub(super) fn finish<T>(self, made: Option<T>) -> Result<T, JobError> {
        match (self.option, made) {
            (Some(message), _) => Err(JobError::Option(message)),
            (None, Some(made)) if self.mistakes.is_empty() => Ok(made),
            _ => Err(JobError::of(self.mistakes)),
        }
    }

    /// A mistake at the bytes `span` of the file, not yet added.
    pub(super) fn mistake(&self, span: Range<usize>, message: impl Into<String>) -> Mistake {
        self.located(span, false, message.into())
    }

    /// A mistake whose span is a key and not a value: the key itself is shown, even where its value is a secret.
    pub(super) fn mistake_at_key(&self, span: Range<usize>, message: impl Into<String>) -> Mistake {
        self.located(span, true, message.into())
    }

    fn located(&self, span: Range<usize>, is_key: bool, message: String) -> Mistake {
        let text = self.text;
        let start = char_boundary(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let from = (start - line_start).min(line.len());
        let to = char_boundary(line, span.end.saturating_sub(line_start)).max(from);
        let (source, marked) = match secrets::without(&text[..line_start], line, from..to, is_key) {
            Some(shown) => shown,
            None => snippet::cut(line, from..to),
        };
        Mistake {
            file: self.path.to_owned(),
            line: text[..start].matches('\n').count() + 1,
            column: text[line_start..start].chars().count() + 1,
            message,
            help: None,
            source,
            marked,
        }
    }
}

/// The last place at or before `at` where a character begins.
fn char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistake(text: &str, span: Range<usize>) -> Mistake {
        Diagnostics::new(Path::new("job.toml"), text).mistake(span, "a mistake; fix it")
    }

    fn of(text: &str, what: &str) -> String {
        let start = text.find(what).unwrap_or(text.len());
        mistake(text, start..start + what.len()).shown(false)
    }

    #[test]
    fn the_mark_stands_below_the_span() {
        let long = format!("only = {{ {} status = 1, {} }}", "a = 1, ".repeat(60), "b = 2, ".repeat(60));
        let places = [
            ("plain", of("a = 1\nrate = \"fast\"\n", "\"fast\"")),
            ("a tab", of("\trate\t= \"fast\"", "\"fast\"")),
            ("wide characters", of("name = \"店舗\" # 訪問\nb = { 店 = 1, c = \"x\" }", "\"x\"")),
            ("a combining accent", of("e = \"cafe\u{301}\", x = 5", "5")),
            ("line breaks of Windows", of("a = 1\r\nrate = \"fast\"\r\nb = 2\r\n", "\"fast\"")),
            ("the end of a file", of("a = 1\nb = ", "nowhere")),
            ("the end of a file, after its last line break", of("a = 1\n", "nowhere")),
            ("an empty file", of("", "nowhere")),
            ("several lines", of("a = [\n  1,\n]\n", "[\n  1,\n]")),
            ("a long line", of(&long, "status")),
            ("a long line that is marked as a whole", of(&long, &long)),
        ];
        let shown: String = places.iter().map(|(what, shown)| format!("# {what}\n{shown}\n\n")).collect();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn a_mistake_has_colours_only_where_they_are_wanted() {
        let mistake = mistake("a = 1", 4..5);
        assert!(mistake.shown(true).contains("\u{1b}["));
        assert!(!mistake.shown(false).contains('\u{1b}'));
    }
}
