//! How a CSV file is written: encoding, delimiter and quotes, guessed from its first bytes.
//!
//! It knows nothing of columns and of what they mean.

use crate::scan::{Dialect, decoded, split};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// A guess, and what the job file says about it.
#[derive(Debug)]
pub(super) struct GuessedDialect {
    pub(super) dialect: Dialect,
    /// Whether the file names its delimiter itself, in a first line such as `sep=;`.
    pub(super) separator_line: bool,
    /// A word by which a person can tell whether the encoding is right.
    pub(super) word: Option<String>,
    /// Other delimiters that split the file as evenly.
    pub(super) others: Vec<u8>,
}

/// Rows that are split to try a dialect.
const ROWS: usize = 300;
/// Bytes that are split at most: with a wrong quote, everything becomes one cell.
const BYTES: usize = 256 << 10;

/// The delimiters that are tried, the likeliest first.
const DELIMITERS: [u8; 6] = [b',', b';', b'\t', b'|', 0x01, b'^'];

/// Guesses from the first bytes of a file. `whole` says that they are all it has.
pub(super) fn guess(head: &[u8], whole: bool) -> GuessedDialect {
    let encoding = encoding(head, whole);
    let text = decoded(head, encoding);
    let word = (encoding == WINDOWS_1252).then(|| odd_word(&text)).flatten();
    let beginning = &text[..text.len().min(BYTES)];
    let first_line = beginning.split(|b| matches!(b, b'\n' | b'\r')).next().unwrap_or_default();
    let first_line = first_line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(first_line);
    let named = match first_line {
        [s, e, p, b'=', delimiter] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*delimiter),
        _ => None,
    };
    let whole = whole && text.len() <= BYTES;
    let mut best: Option<(Score, Dialect)> = None;
    let mut others = Vec::new();
    for (quote, escape) in quotings(beginning) {
        for delimiter in DELIMITERS {
            if named.is_some_and(|named| named != delimiter) {
                continue;
            }
            let dialect = Dialect { delimiter: Some(delimiter), quote, escape, encoding };
            let Some(score) = score(beginning, &dialect, whole) else { continue };
            match &best {
                Some((known, _)) if *known > score => {}
                Some((known, chosen)) if *known == score => {
                    if chosen.delimiter != Some(delimiter) {
                        others.push(delimiter);
                    }
                }
                _ => {
                    others.clear();
                    best = Some((score, dialect));
                }
            }
        }
    }
    // There is one column only, or nothing to go by.
    let plain = Dialect { delimiter: named, encoding, ..Dialect::default() };
    let dialect = best.map_or(plain, |(_, dialect)| dialect);
    GuessedDialect { dialect, separator_line: named.is_some(), word, others }
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

/// The encoding that the job file has to name. With a byte order mark it need not: the reader follows the mark.
fn encoding(head: &[u8], whole: bool) -> &'static Encoding {
    if let [0xef, 0xbb, 0xbf, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] = head {
        return UTF_8;
    }
    // Half of the bytes of a Latin text in UTF-16 are zero.
    let sample = &head[..head.len().min(4096)];
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|b| **b == 0).count() * 3 > sample.len() / 2;
    match (zeros(0), zeros(1)) {
        (true, false) => return UTF_16BE,
        (false, true) => return UTF_16LE,
        _ => {}
    }
    match std::str::from_utf8(head) {
        Ok(_) => UTF_8,
        // A letter may be cut off where the head ends.
        Err(error) if !whole && error.error_len().is_none() => UTF_8,
        // A few broken cells among sound letters do not make it another encoding.
        Err(_) => {
            let (mut sound, mut broken) = (0, 0);
            for chunk in head.utf8_chunks() {
                sound += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
                broken += usize::from(!chunk.invalid().is_empty());
            }
            if sound > broken { UTF_8 } else { WINDOWS_1252 }
        }
    }
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
        let Dialect { delimiter, quote, escape, encoding } = guess(text.as_ref(), true).dialect;
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
        let separated = guess(b"sep=;\r\na;b,c\r\n1;2\r\n", true);
        assert!(separated.separator_line && separated.dialect.delimiter == Some(b';'));
    }

    #[test]
    fn encodings_are_told() {
        assert_eq!(told("a;b\nM\u{fc}ller;2\n").3, "UTF-8");
        assert_eq!(told(b"a;b\nM\xc3\xbcller;K\xc3\xb6ln\nM\xfcller;2\n").3, "UTF-8", "one cell is broken");
        let old = guess(b"a;b\nM\xfcller;2\n", true);
        assert_eq!((old.dialect.encoding.name(), old.word.as_deref()), ("windows-1252", Some("Müller")));
        let wide: Vec<u8> = "a;b\n1;2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(told(&wide), (b';', Some(b'"'), None, "UTF-16LE"));
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(wide).collect();
        assert_eq!(told(&marked), (b';', Some(b'"'), None, "UTF-8"));
        assert_eq!(
            guess("é".repeat(9).as_bytes().split_last().map_or(&[][..], |(_, cut)| cut), false).dialect.encoding,
            UTF_8
        );
    }
}
