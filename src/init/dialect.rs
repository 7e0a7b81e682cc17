//! How a CSV file is written: encoding, delimiter and quotes, guessed from its first bytes.
//!
//! It knows nothing of columns and of what they mean.

use super::encoding::{encoding, mangled_word};
use super::frame::{ignored, lines_above, without_ignored};
use super::open_encoding::{Candidate, open};
use crate::scan::{Dialect, Format, Frame, Sniffed, Source, decoded, split};
use encoding_rs::Encoding;
use std::path::Path;
use std::time::Duration;

/// A guess, and what the job file says about it.
#[derive(Clone, Debug)]
pub(super) struct GuessedDialect {
    pub(super) dialect: Dialect,
    /// Whether the file names its delimiter itself, in a first line such as `sep=;`.
    pub(super) separator_line: bool,
    /// The encodings that may be meant, where nothing decides between them.
    pub(super) encodings: Vec<Candidate>,
    /// A word by which a person can tell whether the encoding is right.
    pub(super) word: Option<String>,
    /// Other delimiters that split the file as evenly.
    pub(super) others: Vec<u8>,
    /// Lines that are no rows.
    pub(super) frame: Frame,
    /// A word of UTF-8 that was once read in another encoding and saved so.
    pub(super) mangled: Option<String>,
    /// How many cells the first row has.
    pub(super) cells: usize,
}

/// Rows that are split to try a dialect.
const ROWS: usize = 300;
/// Bytes that are split at most: with a wrong quote, everything becomes one cell.
const BYTES: usize = 256 << 10;

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', 0x01, b'^'];

/// Guesses from the first and the last bytes of a file. `whole` says that the first are all it has.
pub(super) fn guess(head: &[u8], tail: &[u8], whole: bool, hint: Option<&'static Encoding>) -> GuessedDialect {
    let likeliest = encoding(head, whole, hint);
    let lines = head[..head.len().min(BYTES)].iter().rposition(|b| *b == b'\n').map_or(head, |end| &head[..end]);
    let encodings = open(lines, likeliest, hint);
    let encoding = encodings.first().map_or(likeliest, |first| first.encoding);
    let text = decoded(head, encoding);
    let word = encoding.is_single_byte().then(|| odd_word(&text)).flatten();
    let mangled = std::str::from_utf8(&text).ok().and_then(mangled_word).map(|word| word.chars().take(30).collect());
    let tail = decoded(tail, encoding);
    let ignore_lines = ignored(&[&text, &tail]);
    let text = if ignore_lines.is_empty() { text } else { without_ignored(&text) };
    let beginning = &text[..text.len().min(BYTES)];
    let first_line = beginning.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let first_line = first_line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(first_line);
    let named = match first_line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*delimiter),
        _ => None,
    };
    let whole = whole && text.len() <= BYTES;
    let mut best: Option<(Score, Dialect, usize)> = None;
    let mut others = Vec::new();
    for (quote, escape) in quotings(beginning) {
        for delimiter in DELIMITERS {
            if named.is_some_and(|named| named != delimiter) {
                continue;
            }
            let dialect = Dialect { delimiter: Some(delimiter), quote, escape, encoding };
            let skip = if named.is_some() { 0 } else { lines_above(beginning, &dialect) };
            let Some(score) = score(below(beginning, skip), &dialect, whole) else { continue };
            match &best {
                Some((known, _, _)) if *known > score => {}
                Some((known, chosen, _)) if *known == score => {
                    if chosen.delimiter != Some(delimiter) {
                        others.push(delimiter);
                    }
                }
                _ => {
                    others.clear();
                    best = Some((score, dialect, skip));
                }
            }
        }
    }
    // There is one column only, or nothing to go by.
    let plain = Dialect { delimiter: named, encoding, ..Dialect::default() };
    let (dialect, skip) = best.map_or((plain, 0), |(_, dialect, skip)| (dialect, skip));
    let (first, _) = split(below(beginning, skip), &dialect, 1);
    let cells = first.first().map_or(0, Vec::len);
    let frame = Frame { header: None, skip: u32::try_from(skip).unwrap_or_default(), ignore_lines };
    GuessedDialect { dialect, separator_line: named.is_some(), encodings, word, others, frame, mangled, cells }
}

/// An export as it is read by what was guessed from its beginning.
pub(super) fn source(
    section: &'static str,
    base_dir: &Path,
    paths: &[String],
    look: &Sniffed,
    guess: Option<&GuessedDialect>,
) -> Source {
    Source {
        base_dir: base_dir.to_owned(),
        section,
        paths: paths.to_vec(),
        command: None,
        settle: Duration::ZERO,
        mandatory: Vec::new(),
        format: look.misnamed.then_some(look.format),
        dialect: guess.map(|guess| guess.dialect).unwrap_or_default(),
        frame: guess.map(|guess| guess.frame.clone()).unwrap_or_default(),
        nulls: Vec::new(),
        trim: true,
        only: Vec::new(),
        picks: Vec::new(),
    }
}

/// The guess for a file of CSV.
pub(super) fn of(look: &Sniffed, hint: Option<&'static Encoding>) -> Option<GuessedDialect> {
    (look.format == Format::Csv).then(|| guess(&look.head, &look.tail, look.whole, hint))
}

/// A text without its first lines.
fn below(text: &[u8], lines: usize) -> &[u8] {
    let ends = text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    let start = if lines == 0 { Some(0) } else { ends.take(lines).last() };
    &text[start.unwrap_or_default()..]
}

/// How evenly a dialect splits a text: in twentieths the share of rows with as many cells as the header, then the number
/// of columns.
type Score = (usize, usize);

fn score(text: &[u8], dialect: &Dialect, whole: bool) -> Option<Score> {
    let (mut records, is_split) = split(text, dialect, ROWS);
    if !is_split && whole {
        return None;
    }
    // The last row may be cut off where the head ends.
    if !whole && records.len() > 1 && records.len() < ROWS {
        records.pop();
    }
    let (header, rows) = records.split_first()?;
    if header.len() < 2 {
        return None;
    }
    let even = rows.iter().filter(|row| row.len() == header.len()).count();
    let share = if rows.is_empty() { 100 } else { even * 100 / rows.len() };
    // A delimiter that is missing in many rows does not split the text.
    (share >= 60).then_some((share / 5, header.len()))
}

/// The pairs of quote and escape that may be right, the likeliest first.
fn quotings(text: &[u8]) -> Vec<(Option<u8>, Option<u8>)> {
    let ends_cell =
        |next: Option<&u8>| next.is_none_or(|b| matches!(b, b'"' | b'\n' | b'\r') || DELIMITERS.contains(b));
    let escapes = text.windows(2).enumerate().any(|(at, pair)| pair == b"\\\"" && !ends_cell(text.get(at + 2)));
    let nulls = text.windows(2).any(|pair| pair == b"\\N");
    let first_line = text.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let single = first_line.first() == Some(&b'\'') && first_line.last() == Some(&b'\'');
    let mut found = Vec::new();
    if single {
        found.push((Some(b'\''), None));
    }
    if escapes {
        found.push((Some(b'"'), Some(b'\\')));
    }
    found.push((Some(b'"'), None));
    if nulls {
        // The text format of PostgreSQL and MySQL.
        found.push((None, Some(b'\\')));
    }
    found
}

/// The first word with a letter outside ASCII.
fn odd_word(text: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let words = text.split(|c: char| !c.is_alphanumeric());
    let odd = words.filter(|word| !word.is_ascii()).map(|word| word.chars().take(30).collect());
    odd.take(1).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: impl AsRef<[u8]>) -> (u8, Option<u8>, Option<u8>, &'static str) {
        let Dialect { delimiter, quote, escape, encoding } = guess(text.as_ref(), b"", true, None).dialect;
        (delimiter.unwrap_or(0), quote, escape, encoding.name())
    }

    #[test]
    fn delimiters_and_quotes_are_told() {
        let quoted = Some(b'"');
        assert_eq!(told("a,b;c\n1,2;3\n"), (b',', quoted, None, "UTF-8"));
        assert_eq!(told("a;b;c\n1,5;2,5;3,5\n\"x;y\";2;3\n"), (b';', quoted, None, "UTF-8"));
        assert_eq!(told("a\tb\n1\t2\n"), (b'\t', quoted, None, "UTF-8"));
        assert_eq!(told("\"a\"|\"b\"\n1|2\n"), (b'|', quoted, None, "UTF-8"));
        assert_eq!(told("'a','b'\n'1,5','2'\n"), (b',', Some(b'\''), None, "UTF-8"));
        assert_eq!(told("a,b\n\"say \\\"x\\\", no\",2\n"), (b',', quoted, Some(b'\\'), "UTF-8"));
        assert_eq!(told("a\tb\nhalf a \" quote\t\\N\n\"open\t2\n"), (b'\t', None, Some(b'\\'), "UTF-8"));
        assert_eq!(told("only\n1\n").0, 0);
        let separated = guess(b"sep=;\r\na;b,c\r\n1;2\r\n", b"", true, None);
        assert!(separated.separator_line && separated.dialect.delimiter == Some(b';'));
    }

    #[test]
    fn encodings_are_told() {
        assert_eq!(told("a;b\nM\u{fc}ller;2\n").3, "UTF-8");
        assert_eq!(told(b"a;b\nM\xc3\xbcller;K\xc3\xb6ln\nM\xfcller;2\n").3, "UTF-8", "one cell is broken");
        let old = guess(b"a;b\nM\xfcller;2\n", b"", true, None);
        assert_eq!((old.dialect.encoding.name(), old.word.as_deref()), ("windows-1252", Some("Müller")));
        let wide: Vec<u8> = "a;b\n1;2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(told(&wide), (b';', Some(b'"'), None, "UTF-16LE"));
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
        assert_eq!(told(&marked), (b';', Some(b'"'), None, "UTF-8"));
        assert_eq!(
            guess("é".repeat(9).as_bytes().split_last().map_or(&[][..], |(_, cut)| cut), b"", false, None)
                .dialect
                .encoding,
            encoding_rs::UTF_8
        );
    }
}
