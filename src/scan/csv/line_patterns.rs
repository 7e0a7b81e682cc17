//! Lines that the job leaves out by a pattern: rulers, footers, titles. It knows lines as bytes, and no records.

use crate::scan::cleaning::trimmed;
use memchr::memchr2;

/// The first places of what was found are kept, the rest is counted.
const PLACES: usize = 5;

/// Patterns of lines, and how many lines were like one of them.
#[derive(Clone, Debug, Default)]
pub(super) struct LinePatterns {
    patterns: Vec<Vec<u8>>,
    /// Whether blanks around a line do not count.
    trim: bool,
    pub(super) count: u64,
    /// The first of these lines, from 1.
    pub(super) lines: Vec<u64>,
}

/// What the beginning of a line is.
pub(super) enum Matched {
    /// No line that is left out.
    No,
    /// The line goes on behind the text that is at hand.
    More,
    /// A line that is left out, of this length with its line break.
    Line { length: usize },
}

impl LinePatterns {
    pub(super) fn new(patterns: &[String], trim: bool) -> LinePatterns {
        let patterns = patterns.iter().map(|pattern| pattern.clone().into_bytes()).collect();
        LinePatterns { patterns, trim, ..LinePatterns::default() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Looks at the line at the beginning of `text`, which is number `line`, and counts it where it is left out.
    pub(super) fn take(&mut self, text: &[u8], at_end: bool, line: u64) -> Matched {
        let may_begin = |pattern: &Vec<u8>| match pattern.first() {
            Some(b'*' | b'?') | None => true,
            first => self.trim && matches!(text.first(), Some(b' ' | b'\t')) || first == text.first(),
        };
        if !self.patterns.iter().any(may_begin) {
            return Matched::No;
        }
        let (end, length) = match memchr2(b'\n', b'\r', text) {
            Some(at) if text[at] == b'\n' => (at, at + 1),
            Some(at) => match text.get(at + 1) {
                Some(b'\n') => (at, at + 2),
                None if !at_end => return Matched::More,
                _ => (at, at + 1),
            },
            None if at_end => (text.len(), text.len()),
            None => return Matched::More,
        };
        let is_like = |text: &[u8]| self.patterns.iter().any(|pattern| is_like(text, pattern));
        if !(is_like(&text[..end]) || self.trim && is_like(trimmed(&text[..end]))) {
            return Matched::No;
        }
        self.count += 1;
        if self.lines.len() < PLACES {
            self.lines.push(line);
        }
        Matched::Line { length }
    }
}

/// Whether a whole line is like a pattern, in which `*` stands for any text and `?` for one character.
fn is_like(line: &[u8], pattern: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    // Where to go on if what follows the last `*` does not fit: behind it in the pattern, and one byte further.
    let mut last_star: Option<(usize, usize)> = None;
    while at < line.len() {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                in_pattern += 1;
                last_star = Some((in_pattern, at));
            }
            Some(b'?') => {
                in_pattern += 1;
                at += 1;
                // The other bytes of the same character.
                while line.get(at).is_some_and(|byte| byte & 0xc0 == 0x80) {
                    at += 1;
                }
            }
            Some(byte) if *byte == line[at] => {
                in_pattern += 1;
                at += 1;
            }
            _ => {
                let Some((behind, from)) = last_star else { return false };
                (in_pattern, at) = (behind, from + 1);
                last_star = Some((behind, at));
            }
        }
    }
    pattern[in_pattern..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_of_the_whole_line() {
        let like = |line: &str, pattern: &str| is_like(line.as_bytes(), pattern.as_bytes());
        assert!(like("---", "---*") && like("--------,----", "---*") && !like("--", "---*"));
        assert!(like("(6 rows affected)", "(* rows affected)") && !like("(6 rows affected).", "(* rows affected)"));
        assert!(like("total: 6, of 9", "total: *of *") && !like("subtotal: 6", "total*"));
        assert!(like("é1", "?1") && !like("é", "??") && like("*** end", "*** *"));
        assert!(like("[6 rows]", "[? rows]") && like("aab", "*ab") && !like("aab", "*aa"));
    }

    #[test]
    fn blanks_around_a_line_do_not_count_where_cells_are_trimmed() {
        let like = |trim| {
            matches!(
                LinePatterns::new(&["(*)".to_owned()], trim).take(b" (6) \r\n", true, 1),
                Matched::Line { length: 7 }
            )
        };
        assert!(like(true) && !like(false));
    }
}
