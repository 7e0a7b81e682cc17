//! Dialects one by one, and the plain one against the `csv` crate.

use super::*;
use proptest::prelude::*;

/// Gives its bytes one at a time, so that every record crosses the end of a buffer.
struct OneByOne<'a>(&'a [u8]);

impl Read for OneByOne<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(1).min(into.len());
        into[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

const PLAIN: Syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: None, blanks: false };
const SPARK: Syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: Some(b'\\'), blanks: false };
const POSTGRES: Syntax = Syntax { delimiter: b'\t', quote: None, escape: Some(b'\\'), blanks: false };

const BLANKS: Syntax = Syntax { blanks: true, ..PLAIN };

/// Useless, but possible.
const ESCAPED_DELIMITER: Syntax = Syntax { delimiter: b'\\', quote: Some(b'"'), escape: Some(b'\\'), blanks: false };

fn read(input: impl Read, syntax: Syntax) -> Result<Vec<(u64, Vec<String>)>, RecordError> {
    let mut records = Splitter::new(input, syntax);
    let mut all = Vec::new();
    while records.advance()? {
        let cells = (0..records.len()).filter_map(|at| records.cell(at));
        let cells = cells.map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        all.push((records.record_line(), cells));
    }
    Ok(all)
}

fn rows(text: &str, syntax: Syntax) -> Vec<(u64, Vec<String>)> {
    let whole = read(text.as_bytes(), syntax).expect("readable");
    let split = read(OneByOne(text.as_bytes()), syntax).expect("readable");
    assert_eq!(whole, split, "the size of a read must not matter");
    whole
}

fn cells(text: &str, syntax: Syntax) -> Vec<Vec<String>> {
    rows(text, syntax).into_iter().map(|(_, cells)| cells).collect()
}

#[test]
fn lines_are_counted_over_blank_lines_line_breaks_in_quotes_and_crlf() {
    let rows = rows("a,b\r\n\r\n\"1\n2\r\n3\",x\r\ny,z\rlast,one", PLAIN);
    let lines: Vec<u64> = rows.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 3, 6, 7]);
    assert_eq!(rows[1].1, ["1\n2\r\n3", "x"]);
}

/// What is worth a look in each record: the cell, the line of its quote, whether it spans lines, the bytes behind it, and
/// whether it is never closed.
fn marks(text: &str, syntax: Syntax) -> Vec<(usize, u64, bool, usize, bool)> {
    let mut records = Splitter::new(OneByOne(text.as_bytes()), syntax);
    let mut all = Vec::new();
    while records.advance().expect("in memory") {
        let marks = records.quoted().iter();
        all.extend(marks.map(|mark| (mark.cell, mark.line, mark.spans_lines, mark.behind, mark.is_open)));
    }
    all
}

#[test]
fn a_quote_that_is_never_closed_takes_the_rest_of_the_file_and_is_marked_with_its_line() {
    let text = "a,b\n\"1\n\",\"2\"\"\n5,6\n";
    assert_eq!(cells(text, PLAIN), [["a", "b"], ["1\n", "2\"\n5,6\n"]]);
    assert_eq!(marks(text, PLAIN), [(0, 2, true, 0, false), (1, 3, true, 0, true)]);
}

#[test]
fn text_behind_a_closing_quote_is_marked_and_other_quotes_are_not() {
    assert_eq!(marks("\"a\",b\n\"a\"\"b\",c\"d\"\n", PLAIN), []);
    assert_eq!(marks("x,\"5 inch\ny,6\" wide,z\n", PLAIN), [(1, 1, true, 5, false)]);
}

#[test]
fn blanks_around_a_quoted_cell_are_no_part_of_it_where_they_are_dropped() {
    let text = "\"a\" , \"b, c\"\t\n  \"d\ne\"  ,\t\"f\"\"g\" \n a b , \"h\" i\n \"j";
    let expected = [vec!["a", "b, c"], vec!["d\ne", "f\"g"], vec![" a b ", "h i"], vec!["j"]];
    assert_eq!(cells(text, BLANKS), expected);
    let with_tabs = Syntax { delimiter: b'\t', ..BLANKS };
    assert_eq!(cells("\"a\" \t \"b\tc\"\t\t \n", with_tabs), [["a", "b\tc", "", " "]]);
}

#[test]
fn zeros_and_ctrl_z_behind_the_text_are_no_part_of_it() {
    for (text, is_cut, zeros) in [
        ("a,b\n1,2\n", false, 0),
        ("a,b\n1,2", true, 0),
        ("a,b\n1,2\n\u{1a}", false, 0),
        ("a,b\n1,2\u{1a}\u{1a}", false, 0),
        ("a,b\n1,2\n\0\0", false, 2),
        ("a,b\n1,2\0\0\0", true, 3),
    ] {
        let mut records = Splitter::new(OneByOne(text.as_bytes()), PLAIN);
        let mut all = Vec::new();
        while records.advance().expect("in memory") {
            all.push(records.cell(1).expect("two cells").to_vec());
        }
        assert_eq!(all, [b"b", b"2"], "{text:?}");
        assert_eq!((records.is_cut(), records.zeros_at_end()), (is_cut, zeros), "{text:?}");
    }
}

#[test]
fn lines_before_the_header_and_lines_like_a_pattern_are_left_out_and_lines_still_count() {
    for ends in ["\n", "\r\n", "\r"] {
        let text = "5\" report\n\na,b\n---,---\n1,\"---\n---\"\n\n(1 row)".replace('\n', ends);
        let mut records = Splitter::new(OneByOne(text.as_bytes()), PLAIN);
        records.skip_lines_before(2).expect("in memory");
        records.ignored = LinePatterns::new(&["---*".to_owned(), "(? row)".to_owned()], true);
        let mut lines = Vec::new();
        while records.advance().expect("in memory") {
            lines.push((records.record_line(), records.len()));
        }
        assert_eq!(lines, [(3, 2), (5, 2)]);
        assert_eq!((records.ignored.count, &records.ignored.lines[..]), (2, &[4, 8][..]));
        assert!(!records.is_cut(), "a footer is no row");
    }
}

#[test]
fn the_line_end_and_the_quotes_of_a_record_are_known() {
    let mut records = Splitter::new(OneByOne(b"\"a\",b,\"c\"\"\"\r\nd"), PLAIN);
    assert!(records.advance().expect("in memory"));
    assert_eq!((records.line_end(), [0, 1, 2].map(|at| records.is_quoted(at))), (&b"\r\n"[..], [true, false, true]));
}

#[test]
fn an_escape_acts_inside_quotes_before_quote_escape_and_line_break_only() {
    assert_eq!(cells(r#""a\"b","c\\","d\n",e\"f"#, SPARK), [["a\"b", "c\\", "d\\n", "e\\\"f"]]);
    assert_eq!(cells("\"a\\\nb\",c", SPARK), [["a\nb", "c"]]);
}

#[test]
fn without_quotes_the_escape_acts_everywhere() {
    let text = "a\\tb\t\\N\tx\\\\N\t\"q\"\nl1\\nl2\t\\\\N\tc\\\td\t\\\n!";
    assert_eq!(cells(text, POSTGRES), [vec!["a\tb", "", "x\\N", "\"q\""], vec!["l1\nl2", "\\N", "c\td", "\n!"]]);
}

#[test]
fn a_separator_line_is_honoured_and_skipped() {
    let mut records = Splitter::new("sep=;\r\na;b\r\n".as_bytes(), PLAIN);
    records.take_separator_line().expect("in memory");
    assert!(records.advance().expect("in memory"));
    assert_eq!((records.record_line(), records.len()), (2, 2));
    // Below lines that are left out, and however little of it a read gives.
    let mut records = Splitter::new(OneByOne("All the visits of May\nSep=;\r\na;b\r\n".as_bytes()), PLAIN);
    records.skip_lines_before(2).expect("in memory");
    records.take_separator_line().expect("in memory");
    assert!(records.advance().expect("in memory"));
    assert_eq!((records.record_line(), records.len()), (3, 2));
}

#[test]
fn text_behind_a_closing_quote_and_quotes_inside_a_cell_are_kept() {
    assert_eq!(cells("\"a\" b,c\"d\"\n\"\"x,\"\"", PLAIN), [["a b", "c\"d\""], ["x", ""]]);
}

proptest! {
    #[test]
    fn plain_csv_reads_as_the_csv_crate_reads_it(text in r#"([ab",\r\n]|"x"){0,40}"#) {
        let mut oracle = csv::ReaderBuilder::new();
        let oracle = oracle.has_headers(false).flexible(true).from_reader(text.as_bytes()).into_records();
        let expected: Vec<Vec<String>> =
            oracle.map(|r| r.expect("text").iter().map(String::from).collect()).collect();
        let cells = |syntax| -> Vec<Vec<String>> {
            let rows = read(OneByOne(text.as_bytes()), syntax).expect("in memory");
            rows.into_iter().map(|(_, cells)| cells).collect()
        };
        prop_assert_eq!(cells(PLAIN), expected);
    }

    #[test]
    fn blanks_around_quotes_change_nothing_else(
        rows in proptest::collection::vec(proptest::collection::vec(
            ("[ \t]{0,3}", prop_oneof![r#""([ab, \n]|"")*""#, "[a-c][ a-c\"]{0,5}"], "[ \t]{0,3}"), 1..4), 1..4),
    ) {
        let written = |with_blanks: bool| {
            let cell = |(before, cell, behind): &(String, String, String)| match with_blanks && cell.starts_with('"') {
                true => format!("{before}{cell}{behind}"),
                false => cell.clone(),
            };
            rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n").collect::<String>()
        };
        let (plain, with_blanks) = (written(false), written(true));
        let whole = read(with_blanks.as_bytes(), BLANKS).expect("in memory");
        prop_assert_eq!(&whole, &read(OneByOne(with_blanks.as_bytes()), BLANKS).expect("in memory"));
        prop_assert_eq!(whole, read(plain.as_bytes(), PLAIN).expect("in memory"));
    }

    /// Of a whole text, the splitter looks at 64 bytes at once; read one byte at a time, it sees nothing ahead.
    #[test]
    fn the_size_of_a_read_does_not_matter_in_any_dialect(
        text in r#"([ab",; \t\\\r\n]|"[ab,\\]{0,90}"|[ab]{50,90}){0,60}"#,
        syntax in prop::sample::select(vec![PLAIN, SPARK, POSTGRES, BLANKS, ESCAPED_DELIMITER]),
    ) {
        let whole = read(text.as_bytes(), syntax).expect("in memory");
        prop_assert_eq!(whole, read(OneByOne(text.as_bytes()), syntax).expect("in memory"));
    }
}
