//! A mistake with its line, as compilers show it. It knows nothing of secrets: what it gets may be shown.

use super::error::Mistake;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::ops::Range;

/// Characters of a line that are shown. Some editors write a job file's map into one line.
const LONGEST: usize = 120;
/// Of those, how many stand before the mistake where the line has to be cut there.
const BEFORE: usize = 40;

/// A line of which no more is shown than a person reads, with what is marked of it.
pub(super) fn cut(line: &str, marked: Range<usize>) -> (String, Range<usize>) {
    let trimmed = line.trim_end();
    let line = if marked.end <= trimmed.len() { trimmed } else { line };
    let count = line.chars().count();
    if count <= LONGEST {
        return (line.to_owned(), marked);
    }
    let place = line[..marked.start].chars().count();
    let first = if place + BEFORE < LONGEST { 0 } else { place - BEFORE };
    let byte = |nth: usize| line.char_indices().nth(nth).map_or(line.len(), |(at, _)| at);
    let (from, to) = (byte(first), byte(first + LONGEST));
    let (before, after) = (if from > 0 { "…" } else { "" }, if to < line.len() { "…" } else { "" });
    let moved = |at: usize| at.clamp(from, to) - from + before.len();
    (format!("{before}{}{after}", &line[from..to]), moved(marked.start)..moved(marked.end))
}

pub(super) fn shown(mistake: &Mistake, with_colours: bool) -> String {
    // Lines are cut by us: how wide a terminal is changes nothing of what is said.
    let renderer = if with_colours { Renderer::styled() } else { Renderer::plain() }.term_width(10 * LONGEST);
    let path = mistake.file.display().to_string();
    let line = Snippet::source(mistake.source.as_str())
        .path(path.as_str())
        .line_start(mistake.line)
        .annotation(AnnotationKind::Primary.span(mistake.marked.clone()));
    let group = Level::ERROR.primary_title(mistake.message.as_str()).element(line);
    let group = match &mistake.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    };
    let shown = renderer.render(&[group]);
    // The library counts in what it is shown; people and editors look in the file, where nothing is cut or hidden.
    let counted = mistake.source[..mistake.marked.start].chars().count() + 1;
    let place = |column: usize| format!("{path}:{}:{column}", mistake.line);
    shown.replacen(&place(counted), &place(mistake.column), 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn of(text: &str, what: &str) -> String {
        let start = text.find(what).unwrap_or(text.len());
        let message = "a mistake; mend it".to_owned();
        Mistake::at(Path::new("job.toml"), text, start..start + what.len(), message).shown(false)
    }

    #[test]
    fn the_mark_stands_below_what_is_meant() {
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
            ("a long line that is meant as a whole", of(&long, &long)),
        ];
        let shown: String = places.iter().map(|(what, shown)| format!("# {what}\n{shown}\n\n")).collect();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn colours_are_for_those_who_ask_for_them() {
        let mistake = Mistake::at(Path::new("job.toml"), "a = 1", 4..5, "a mistake".to_owned());
        assert!(mistake.shown(true).contains("\u{1b}["));
        assert!(!mistake.shown(false).contains('\u{1b}'));
    }
}
