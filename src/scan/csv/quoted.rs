//! Where quoted cells end. It knows one cell at a time, in the bytes that are at hand.

use super::marks::Marks;
use super::syntax::Syntax;

/// How far a quoted cell could be read.
pub(super) enum QuotedCell {
    /// The cell's text stands in the buffer, up to the closing quote at `end`.
    Plain { end: usize },
    /// The cell's text is in the scratch from `from` on; the closing quote is at `end`.
    Unescaped { from: usize, end: usize },
    /// The buffer ends before the cell does.
    More,
    /// The file ends before the cell does. Its text is in the scratch from `from` on, or else in the buffer.
    Open { from: Option<usize> },
}

/// Where a quoted cell ends that starts, behind its opening quote, at `start`. It is `None` for the few that are not plain:
/// text without quotes, escapes and line breaks, the closing quote, and another cell or line behind it.
#[inline]
pub(super) fn plain_end(bytes: &[u8], start: usize, syntax: &Syntax, marks: &mut Marks) -> Option<usize> {
    let mut end = marks.next(bytes, start);
    // A delimiter is an ordinary character here, unless it is the escape too.
    while bytes.get(end) == Some(&syntax.delimiter) && syntax.escape != Some(syntax.delimiter) {
        end = marks.next(bytes, end + 1);
    }
    let &[last, next] = bytes.get(end..)?.first_chunk()?;
    let is_behind = next == syntax.delimiter || matches!(next, b'\n' | b'\r');
    (Some(last) == syntax.quote && is_behind && Some(next) != syntax.quote).then_some(end)
}

/// Reads any quoted cell that starts, behind its opening quote, at `start`. What has to be unescaped goes to `scratch`. The
/// line breaks in the cell are added to `line`.
pub(super) fn quoted_cell(
    bytes: &[u8],
    start: usize,
    syntax: &Syntax,
    at_end: bool,
    scratch: &mut Vec<u8>,
    line: &mut u64,
) -> QuotedCell {
    let Some(quote) = syntax.quote else { return QuotedCell::Open { from: None } };
    let escape = syntax.escape.unwrap_or(quote);
    let mut from = None;
    let mut stretch = start;
    let mut at = start;
    let mut is_open = false;
    loop {
        let Some(found) = memchr::memchr2(quote, escape, bytes.get(at..).unwrap_or_default()) else {
            is_open = true;
            break;
        };
        at += found;
        let next = bytes.get(at + 1).copied();
        if bytes[at] == quote {
            match next {
                Some(b) if b == quote => {
                    from.get_or_insert(scratch.len());
                    scratch.extend_from_slice(&bytes[stretch..=at]);
                    at += 2;
                    stretch = at;
                }
                None if !at_end => return QuotedCell::More,
                _ => break,
            }
        } else {
            match next {
                None => {
                    is_open = true;
                    break;
                }
                Some(b) if b == quote || b == escape || matches!(b, b'\r' | b'\n') => {
                    from.get_or_insert(scratch.len());
                    scratch.extend_from_slice(&bytes[stretch..at]);
                    scratch.push(b);
                    at += 2;
                    stretch = at;
                }
                Some(_) => at += 1,
            }
        }
    }
    if is_open {
        if !at_end {
            return QuotedCell::More;
        }
        at = bytes.len();
        if from.is_some() {
            scratch.extend_from_slice(&bytes[stretch..]);
        }
    }
    *line += line_breaks(&bytes[start..at]);
    if is_open {
        return QuotedCell::Open { from };
    }
    match from {
        None => QuotedCell::Plain { end: at },
        Some(from) => {
            scratch.extend_from_slice(&bytes[stretch..at]);
            QuotedCell::Unescaped { from, end: at }
        }
    }
}

/// How many lines end in `bytes`: at `\n`, at `\r\n`, and at a lone `\r`.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    let breaks =
        memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'));
    breaks.count() as u64
}
