//! Draws a mistake with its line, as compilers do. It knows nothing of secrets: what it gets may be shown.

use super::mistake::Mistake;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::ops::Range;

/// Characters of a line that are shown. Some editors write a map of a job file into one line.
const MAX_SHOWN: usize = 120;
/// How many of them stand before the mistake, where the line has to be cut there.
const MAX_BEFORE: usize = 40;

/// As much of a line as a person reads, with the marked bytes of what is left.
pub(super) fn cut(line: &str, marked: Range<usize>) -> (String, Range<usize>) {
    let trimmed = line.trim_end();
    let line = if marked.end <= trimmed.len() { trimmed } else { line };
    let count = line.chars().count();
    if count <= MAX_SHOWN {
        return (line.to_owned(), marked);
    }
    let place = line[..marked.start].chars().count();
    let first = if place + MAX_BEFORE < MAX_SHOWN { 0 } else { place - MAX_BEFORE };
    let byte = |nth: usize| line.char_indices().nth(nth).map_or(line.len(), |(at, _)| at);
    let (from, to) = (byte(first), byte(first + MAX_SHOWN));
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let moved = |at: usize| at.clamp(from, to) - from + before.len();
    (format!("{before}{}{after}", &line[from..to]), moved(marked.start)..moved(marked.end))
}

impl Mistake {
    /// Where it is and what it is, with the line below, as compilers show it; for a terminal also with colours.
    pub fn shown(&self, with_colours: bool) -> String {
        // Lines are cut by us, whatever the width of a terminal.
        let renderer = if with_colours { Renderer::styled() } else { Renderer::plain() }.term_width(10 * MAX_SHOWN);
        let path = self.file.display().to_string();
        let line = Snippet::source(self.source.as_str())
            .path(path.as_str())
            .line_start(self.line)
            .annotation(AnnotationKind::Primary.span(self.marked.clone()));
        let group = Level::ERROR.primary_title(self.message.as_str()).element(line);
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        let shown = renderer.render(&[group]);
        // The library counts columns in what is shown; people and editors count in the file, where nothing is cut or hidden.
        let counted = self.source[..self.marked.start].chars().count() + 1;
        let place = |column: usize| format!("{path}:{}:{column}", self.line);
        shown.replacen(&place(counted), &place(self.column), 1)
    }
}
