//! Whether a quoted cell was probably opened by mistake, by an inch mark: then another one closes it, and whole rows are
//! inside.
//!
//! It knows one record at a time. Comments over several lines, addresses and JSON are honest; what tells is text behind the
//! closing quote, and a line inside that is a row.

use super::splitter::{QuotedCellMark, Splitter};
use crate::scan::cleaning::trimmed;
use std::io::Read;
use std::ops::RangeInclusive;

/// Why the quote of a cell is odd.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stray {
    /// The file ends before it is closed.
    Open,
    /// There is text behind the closing quote, and the cell matters.
    Behind,
    /// A line inside is shaped as a row.
    Rows,
    /// There is text behind the closing quote of a cell that does not matter.
    Harmless,
}

/// What has to be known of a file to judge its quotes.
pub(super) struct StrayQuotes {
    pub(super) delimiter: u8,
    /// How many cells a row may have.
    pub(super) columns: RangeInclusive<usize>,
    /// The columns of the key.
    pub(super) keys: Vec<usize>,
    /// The columns that the job maps.
    pub(super) mapped: Vec<usize>,
}

impl StrayQuotes {
    /// Judges a quoted cell of a record; `fits`: whether the record has as many cells as the header.
    pub(super) fn judge<R: Read>(&self, record: &Splitter<R>, mark: &QuotedCellMark, fits: bool) -> Option<Stray> {
        if mark.is_open {
            return Some(Stray::Open);
        }
        if mark.behind > 0 {
            let matters = mark.spans_lines || !fits || self.mapped.contains(&mark.cell);
            return Some(if matters { Stray::Behind } else { Stray::Harmless });
        }
        (mark.spans_lines && self.has_a_row_inside(record, mark.cell)).then_some(Stray::Rows)
    }

    fn has_a_row_inside<R: Read>(&self, record: &Splitter<R>, at: usize) -> bool {
        let text = record.cell(at).unwrap_or_default();
        // Where the cell is itself the key's, its beginning was meant as the key.
        let whole = |key: usize, cell| if key == at { beginning(cell, self.delimiter) } else { cell };
        let own = |key: usize| record.cell(key).map(|cell| trimmed(whole(key, cell)));
        let lines = lines(text);
        let [first, between @ .., last] = &lines[..] else { return false };
        let is_a_row = |line: &&[u8]| {
            let cells = self.cells(line);
            let is_like_own =
                |key: &usize| own(*key).zip(cells.get(*key)).is_some_and(|(own, cell)| is_like_key(own, cell));
            self.columns.contains(&cells.len()) && !self.keys.is_empty() && self.keys.iter().all(is_like_own)
        };
        between.iter().any(is_a_row) || self.is_the_row_below(record, at, first, last)
    }

    fn cells<'l>(&self, line: &'l [u8]) -> Vec<&'l [u8]> {
        line.split(|byte| *byte == self.delimiter).map(trimmed).collect()
    }

    /// Whether the first line in a cell is the end of a row, and its last line the beginning of another: a second stray quote
    /// closes the cell there, and behind it come the other cells of that row. So each has as many cells as are missing on its
    /// side, and the cells that both rows have then are compared: the keys must be alike, and of all cells two and half.
    fn is_the_row_below<R: Read>(&self, record: &Splitter<R>, at: usize, first: &[u8], last: &[u8]) -> bool {
        let (first, last) = (self.cells(first), self.cells(last));
        if last.len() != at + 1 || !self.columns.contains(&(at + first.len())) {
            return false;
        }
        let of_record = |column| trimmed(record.cell(column).unwrap_or_default());
        let before = (0..at).map(|column| (column, of_record(column), last[column]));
        let behind = (at + 1..at + first.len()).map(|column| (column, first[column - at], of_record(column)));
        let (mut all, mut alike) = (0, 0);
        for (column, one, other) in before.chain(behind) {
            let is_alike = is_like_key(one, other);
            if !is_alike && self.keys.contains(&column) {
                return false;
            }
            all += 1;
            alike += usize::from(is_alike || one.is_empty() && other.is_empty());
        }
        alike >= 2 && alike * 2 >= all
    }
}

/// The text before the first line break or delimiter.
fn beginning(cell: &[u8], delimiter: u8) -> &[u8] {
    cell.split(|byte| matches!(byte, b'\n' | b'\r') || *byte == delimiter).next().unwrap_or_default()
}

/// The lines of a text, without their line breaks.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = text.split(|byte| matches!(byte, b'\n' | b'\r')).collect();
    // `\r\n` gives an empty line, which is no row either.
    if lines.len() > 2 {
        let last = lines.len() - 1;
        let mut at = 0;
        lines.retain(|line| {
            at += 1;
            at == 1 || at > last || !line.is_empty()
        });
    }
    lines
}

/// Whether a cell is shaped as a row's own key. Where keys are numbered, the next one may have a digit more: V99 and V100.
fn is_like_key(own: &[u8], cell: &[u8]) -> bool {
    if is_alike(own, cell) {
        return true;
    }
    let digits = |text: &[u8]| text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (of_own, of_cell) = (digits(own), digits(cell));
    let (own, own_number) = own.split_at(own.len() - of_own);
    let (cell, cell_number) = cell.split_at(cell.len() - of_cell);
    // Numbers with zeros in front stay as long as they are.
    let is_padded = own_number.starts_with(b"0") || cell_number.starts_with(b"0");
    // The numbers of a list in a comment are short.
    let is_next = match own.is_empty() {
        true => of_cell == of_own + 1 && of_cell > 2,
        false => of_cell.abs_diff(of_own) == 1,
    };
    of_own > 0 && of_cell > 0 && is_next && !is_padded && own == cell
}

/// Whether one cell is shaped as another that is not empty: character by character a digit for a digit, a letter for a
/// letter, anything else itself. Digits and letters of hexadecimal ids take turns, so there one stands for the other.
fn is_alike(one: &[u8], other: &[u8]) -> bool {
    let (Ok(one), Ok(other)) = (std::str::from_utf8(one), std::str::from_utf8(other)) else { return false };
    let kind = |is_hex: bool| {
        move |letter: char| match letter {
            letter if is_hex && letter.is_ascii_hexdigit() => '0',
            letter if letter.is_numeric() => '0',
            letter if letter.is_alphabetic() => 'a',
            other => other,
        }
    };
    let is_hex =
        |text: &str| text.len() >= 16 && text.chars().all(|letter| letter.is_ascii_hexdigit() || letter == '-');
    let kind = kind(is_hex(one) && is_hex(other));
    !one.is_empty() && one.chars().map(&kind).eq(other.chars().map(&kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::csv::syntax::Syntax;

    /// What is found in a file of four columns with the key in the first, of which the last is not mapped.
    fn found(text: &str) -> Vec<(u64, Stray)> {
        found_by(0, text)
    }

    fn found_by(key: usize, text: &str) -> Vec<(u64, Stray)> {
        let quotes = StrayQuotes { delimiter: b',', columns: 4..=4, keys: vec![key], mapped: vec![0, 1, 2] };
        let syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: None, blanks: true };
        let mut records = Splitter::new(text.as_bytes(), syntax);
        let mut all = Vec::new();
        while records.advance().expect("in memory") {
            let fits = records.len() == 4;
            all.extend(
                records
                    .quoted()
                    .iter()
                    .filter_map(|mark| quotes.judge(&records, mark, fits).map(|stray| (mark.line, stray))),
            );
        }
        all
    }

    #[test]
    fn inch_marks_that_swallow_rows_are_found() {
        for (text, line, stray) in [
            ("V001,S1,1,\"5 inch\nV001,S2,2,ok\nV001,S3,3,6\" wide\n", 1, Stray::Behind),
            ("V001,S1,1,\"5 inch\nV001,S2,2,ok\nV001,S3,3,wide 6\"\n", 1, Stray::Rows),
            ("V001,S1,1,\"5 inch\r\nV002,S1,2,ok\r\nV003,S1,3,6\"\r\n", 1, Stray::Rows),
            ("V001,S1,1,\"5 inch\nV001,S2,2,6\"\n", 1, Stray::Rows),
            ("V001,S1,\"5,1\nV001,S2,6\",x\n", 1, Stray::Rows),
            ("\"V001,S1,1,x\nV002,S1,1,x\nV003\",S1,1,x\n", 1, Stray::Rows),
            ("V001,\"S1\" a,1,x\n", 1, Stray::Behind),
            ("V001,S1,1,\"5\" a,b\n", 1, Stray::Behind),
            ("a,b,c,d\nV001,S1,1,\"5\nV002,S1,1,x\n", 2, Stray::Open),
            (
                "3f2a0000-0000-4000-8000-00000000000a,S1,1,\"5\n00000000-aaaa-4bbb-8ccc-000000000000,S1,1,x\n,,,\"\n",
                1,
                Stray::Rows,
            ),
        ] {
            assert_eq!(found(text), [(line, stray)], "{text}");
        }
        assert_eq!(found("V001,S1,1,\"5\" wide\n"), [(1, Stray::Harmless)]);
    }

    #[test]
    fn inch_marks_in_neighbouring_rows_are_found_wherever_the_key_stands() {
        for (key, text) in [
            (0, "V1,\"5,S1,T1\nV2,6\",S2,T1\n"),
            (0, "V9,\"5,S9,T1\r\nV10,6\",S10,T22\r\n"),
            (0, "V1,Tesco,\"5,T1\nV2,Aldi,6\",T1\n"),
            (0, "\"V1,S1,T1,x\nV2\",S2,T1,x\n"),
            (1, "\"5,V1,S1,T1\n6\",V2,S2,T1\n"),
            (2, "S1,\"5,V1,x\nS2,6\",V2,y\n"),
            (3, "S1,\"5,T1,99\nS2,6\",T1,100\n"),
            (3, "S1,T1,,\"V1\nS2,T1,,V2\"\n"),
        ] {
            assert_eq!(found_by(key, text), [(1, Stray::Rows)], "{text}");
        }
    }

    #[test]
    fn honest_cells_are_left_alone() {
        for text in [
            "V001,S1,1,\"said \"\"yes\"\", and left\nthen, later, came, back\n\"\n",
            "V001,S1,1,\"{\"\"a\"\": 1,\n\"\"b\"\": 2, \"\"c\"\": 3, \"\"d\"\": 4\n}\"\n",
            "12345,\"1 Main St\n75001, Paris\",1,x\n",
            "12345,\"1 Main St, Hall 2, Floor 3\n75001, Paris\",S1,x\n",
            "12345,S1,\"1 Main St, 2\n75001, Paris, 3\",x\n",
            "12345,S1,1,\"Shop\n75001, Paris, FR, a\"\n",
            "12345,\"counted 10, 20, 30\n10117, 40\",7,x\n",
            "V001,\"a, b, c\nd, e\",S1,x\n",
            "V001,\"5, S1, T1\nW1, 6\",S2,T1\n",
            "V001,\"5, S1, T1\nand V002, 6\",S2,T1\n",
            ",\"a,,\nb,\",,\n",
            "12345,S1,1,\"Shop\n1 Main St\n75001 Paris, FR, a, b\n\"\n",
            "V001,S1,1,6\" wide and 5\" high\n",
            "V001,S1,1,\"- one\n- two, three\n\n- four\"\n",
            "V001,S1,1,\"store,day,rep,note\nA12,3,4,5\nend\"\n",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn the_next_key_may_have_a_digit_more() {
        let is_like = |own: &str, cell: &str| is_like_key(own.as_bytes(), cell.as_bytes());
        assert!(is_like("99", "100") && is_like("V-9", "V-10") && is_like("V100", "V99") && is_like("V001", "W002"));
        assert!(!is_like("V001", "A12") && !is_like("V001", "V0010") && !is_like("V0100", "V100"));
        assert!(!is_like("9", "10") && !is_like("100", "15") && !is_like("1001", "15") && !is_like("V", "V1"));
        let quoted = "\"A,12\",S1,T,\"Dear all,\nb, milk, eggs, rice\n\"\n";
        assert_eq!(found(quoted), []);
    }

    #[test]
    fn shapes_are_compared_letter_by_letter() {
        assert!(is_alike(b"V001-a", b"W992-b") && is_alike("É1".as_bytes(), b"e2"));
        assert!(
            !is_alike(b"V001", b"V01")
                && !is_alike(b"V001", b"7001")
                && !is_alike(b"V-1", b"V_1")
                && !is_alike(b"", b"")
        );
    }
}
