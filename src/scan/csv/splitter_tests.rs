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

const PLAIN: Syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: None };
const SPARK: Syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: Some(b'\\') };
const POSTGRES: Syntax = Syntax { delimiter: b'\t', quote: None, escape: Some(b'\\') };

/// Useless, but possible.
const ESCAPED_DELIMITER: Syntax = Syntax { delimiter: b'\\', quote: Some(b'"'), escape: Some(b'\\') };

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

#[test]
fn a_quote_that_is_never_closed_is_an_error_with_its_line() {
    let error = read("a,b\n1,2\n3,\"4\n5,6\n".as_bytes(), PLAIN).expect_err("open");
    assert!(matches!(error, RecordError::OpenQuote { line: 3 }), "{error:?}");
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
        match read(OneByOne(text.as_bytes()), PLAIN) {
            Ok(rows) => {
                let cells: Vec<Vec<String>> = rows.into_iter().map(|(_, cells)| cells).collect();
                prop_assert_eq!(cells, expected);
            }
            // `csv` closes an open quote by itself. All that can be compared is that there is a quote.
            Err(RecordError::OpenQuote { .. }) => prop_assert!(text.contains('"')),
            Err(other) => prop_assert!(false, "{other:?}"),
        }
    }

    /// Of a whole text, the splitter looks at 64 bytes at once; read one byte at a time, it sees nothing ahead.
    #[test]
    fn the_size_of_a_read_does_not_matter_in_any_dialect(
        text in r#"([ab",;\t\\\r\n]|"[ab,\\]{0,90}"|[ab]{50,90}){0,60}"#,
        syntax in prop::sample::select(vec![PLAIN, SPARK, POSTGRES, ESCAPED_DELIMITER]),
    ) {
        let seen = |result: Result<Vec<(u64, Vec<String>)>, RecordError>| match result {
            Ok(rows) => Ok(rows),
            Err(RecordError::OpenQuote { line }) => Err(line),
            Err(other) => panic!("{other:?}"),
        };
        let whole = seen(read(text.as_bytes(), syntax));
        prop_assert_eq!(whole, seen(read(OneByOne(text.as_bytes()), syntax)));
    }
}
