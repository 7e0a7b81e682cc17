//! Lines of a CSV file that are no rows: titles above the header, rulers below it, and what a console prints at the end.

use crate::scan::{Dialect, split};

/// Lines above the header that are looked at.
const MOST: usize = 20;

/// The patterns for lines that consoles print around rows, as `ignore_lines` has them.
const FOOTERS: [(&str, &str, &str); 8] = [
    ("(", " rows affected)", "(* rows affected)"),
    ("(", " row affected)", "(* row affected)"),
    ("(", " rows)", "(* rows)"),
    ("(", " row)", "(* row)"),
    ("", " rows selected.", "* rows selected."),
    ("", " row selected.", "* row selected."),
    ("Changed database context to", "", "Changed database context to*"),
    ("Warning: Null value is eliminated", "", "Warning: Null value is eliminated*"),
];

/// The patterns for the lines of a text that are no rows, each once; `text` may be several pieces of a file.
pub(super) fn ignored(pieces: &[&[u8]]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for piece in pieces {
        for line in piece.split(|b| *b == b'\n').take(200_000) {
            if let Some(pattern) = pattern(line)
                && !found.contains(&pattern)
            {
                found.push(pattern);
            }
        }
    }
    found
}

/// A text without the lines that are no rows.
pub(super) fn without_ignored(text: &[u8]) -> Vec<u8> {
    let lines = text.split_inclusive(|b| *b == b'\n').filter(|line| pattern(line).is_none());
    lines.flatten().copied().collect()
}

fn pattern(line: &[u8]) -> Option<String> {
    let is_possible =
        line.len() < 4_000 && matches!(line.first(), Some(b'(' | b'-' | b'+' | b' ' | b'C' | b'W' | b'0'..=b'9'));
    let line = if is_possible { std::str::from_utf8(line).ok()?.trim() } else { return None };
    if is_ruler(line) {
        let dashes = line.bytes().take_while(|b| *b == b'-').count().min(3);
        return Some(if dashes > 1 { format!("{}*", "-".repeat(dashes)) } else { "+-*".to_owned() });
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b',');
    let footer = FOOTERS.iter().find(|(start, end, pattern)| match pattern.ends_with('*') {
        true => line.starts_with(start),
        false => line.strip_prefix(start).and_then(|rest| rest.strip_suffix(end)).is_some_and(is_number),
    });
    footer.map(|(_, _, pattern)| (*pattern).to_owned())
}

/// `-----,-----` or `+-----+-----+`.
fn is_ruler(line: &str) -> bool {
    let is_of_ruler = |b: u8| matches!(b, b'-' | b'+' | b'|' | b' ' | b'\t' | b',' | b';');
    (line.starts_with("--") || line.starts_with("+-")) && line.len() > 4 && line.bytes().all(is_of_ruler)
}

/// How many lines stand above the header: those of which nearly all cells are empty, where the rows are wider.
pub(super) fn lines_above(text: &[u8], dialect: &Dialect) -> usize {
    let (records, _) = split(text, dialect, 60);
    let mut widths: Vec<usize> = records.iter().map(Vec::len).collect();
    widths.sort_unstable();
    let width = widths.get(widths.len() / 2).copied().unwrap_or_default();
    if width < 2 || records.len() < 3 {
        return 0;
    }
    let mut rest = text;
    for above in 0..MOST {
        let line_end = rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, below) = rest.split_at(line_end);
        let (cells, _) = split(line, dialect, 1);
        let filled = cells.first().map_or(0, |cells| cells.iter().filter(|cell| !cell.trim_ascii().is_empty()).count());
        // A title may be quoted and have line breaks in it; more than that is not told here.
        if filled > (width / 3).max(1) {
            return above;
        }
        rest = below;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_rows_are_known() {
        let of = |text: &str| ignored(&[text.as_bytes()]);
        assert_eq!(of("a|b\r\n---|----\r\n1|2\r\n\r\n(6 rows affected)\r\n"), ["---*", "(* rows affected)"]);
        assert_eq!(of("a,b\n--,---\n1,2\n\n12 rows selected.\n"), ["--*", "* rows selected."]);
        assert!(of("a,b\n-1,2\n(none),3\n(two rows),4\n").is_empty());
        assert_eq!(without_ignored(b"a|b\n---|---\n1|2\n"), b"a|b\n1|2\n");
    }

    #[test]
    fn titles_above_the_header_are_counted() {
        let dialect = Dialect { delimiter: Some(b';'), ..Dialect::default() };
        let lines = |text: &str| lines_above(text.as_bytes(), &dialect);
        let rows = "a;b;c\n1;2;3\n4;5;6\n";
        assert_eq!(lines(rows), 0);
        assert_eq!(lines(&format!("Visits of the week\n\n{rows}")), 2);
        assert_eq!(lines(&format!("Visits;;\r\n;;\r\n{rows}")), 2);
        assert_eq!(lines("a;b;c;\n1;2;3\n4;5;6\n"), 0);
        assert_eq!(lines("a;b;c\n1;;;\n"), 0);
    }
}
