//! Which bytes of a result file are one row, also where a hand at an editor has left a quote that nobody closes: the cell
//! that it begins would take in all rows behind it. So a line that is a row by itself ends whatever is open before it.

use super::cells::{Quotes, is_row};
use super::row::Layout;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// What a quote holds together is given up past so many bytes: no row of ours is as long.
const LONGEST: usize = 4 << 20;

/// What was found of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// All of it.
    Whole,
    /// All of it, but for a quote that is open at its end.
    Open,
    /// What a dying process left half written: the visit of what comes last had no time to get a row.
    Torn,
}

/// Reads a file row by row.
#[derive(Debug)]
pub(super) struct Framing<'l> {
    layout: &'l Layout,
    file: BufReader<File>,
    /// Only a journal can be torn; somebody's editor may have taken a finished file's last line break.
    is_journal: bool,
    /// A line that was read already.
    ahead: Vec<u8>,
    /// Where in the file what comes next begins.
    at: u64,
}

impl Framing<'_> {
    pub(super) fn of<'l>(path: &Path, layout: &'l Layout) -> io::Result<Framing<'l>> {
        let file = BufReader::with_capacity(1 << 18, File::open(path)?);
        let is_journal = path.extension().is_some_and(|ending| ending == "partial");
        Ok(Framing { layout, file, is_journal, ahead: Vec::new(), at: 0 })
    }

    /// Reads the next row with its line break, and says where it begins; `None` at the end of the file.
    pub(super) fn next(&mut self, row: &mut Vec<u8>) -> io::Result<Option<(u64, Frame)>> {
        row.clear();
        std::mem::swap(row, &mut self.ahead);
        if row.is_empty() && self.file.read_until(b'\n', row)? == 0 {
            return Ok(None);
        }
        let mut quotes = Quotes::of(self.layout);
        quotes.go_over(row);
        let (mut frame, mut is_one_line) = (Frame::Whole, true);
        while quotes.is_open() && frame == Frame::Whole {
            self.file.read_until(b'\n', &mut self.ahead)?;
            if self.ahead.is_empty() || row.len() > LONGEST || is_row(&self.ahead, self.layout) {
                frame = Frame::Open;
            } else {
                quotes.go_over(&self.ahead);
                row.append(&mut self.ahead);
                is_one_line = false;
            }
        }
        // A quote that is open over several lines may have been there before the process died.
        if self.is_journal && !row.ends_with(b"\n") && !row.ends_with(b"\r") && (is_one_line || !quotes.is_open()) {
            frame = Frame::Torn;
        }
        let start = self.at;
        self.at += row.len() as u64;
        Ok(Some((start, frame)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Status;
    use crate::results::row::COLUMNS;
    use crate::results::{Draft, StoredRows, for_each_row, read};
    use proptest::prelude::*;
    use std::collections::{HashMap, HashSet};
    use uuid::Uuid;

    const KEYS: [&str; 7] = ["V1", "V2", "a\nb", "c,d", "e\"f", "\"", "g\"\n\"h"];

    fn uid(key: &str) -> Uuid {
        Uuid::new_v5(&Uuid::NAMESPACE_OID, key.as_bytes())
    }

    /// A row of the visit with this number, whose key is made of one of those above.
    fn row(number: usize, key: usize, status: Status) -> (String, Vec<u8>) {
        let key = format!("{}{number}", KEYS[key]);
        let id = uid(&key).to_string();
        let cells = [&*key, &id, status.name(), "200", "", "", "1", "5", "", "1001", "2024-03-05", "1", "", "v.csv:2"];
        let mut row = csv::Writer::from_writer(Vec::new());
        row.write_record(cells).expect("written");
        (key, row.into_inner().expect("written"))
    }

    fn file(folder: &Path, name: &str, rows: &[u8]) -> std::path::PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, [COLUMNS.join(",").as_bytes(), b"\n", rows].concat()).expect("written");
        path
    }

    proptest! {
        /// The oracle is the `csv` crate; of such text no line is a row.
        #[test]
        fn rows_are_those_of_csv_where_nothing_is_damaged(text in "[a,\"\r\n]{0,40}") {
            let folder = tempfile::tempdir().expect("a folder");
            let path = file(folder.path(), "r.csv", text.as_bytes());
            let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(&path).expect("open");
            let filled = |record: &csv::StringRecord| record.iter().any(|cell| !cell.is_empty());
            let expected: Vec<_> = reader.records().map(|record| record.expect("text")).filter(filled).collect();
            prop_assert_eq!(read(&path, |_| ()).expect("readable") as usize, expected.len());
        }

        /// Quotes that come and go in a file of rows, some of whose keys have quotes and line breaks of their own.
        #[test]
        fn whatever_becomes_of_quotes_no_row_is_made_up_and_plain_ones_are_all_there(
            rows in proptest::collection::vec((0..KEYS.len(), 0usize..6), 1..12),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..4),
            is_journal in any::<bool>(),
        ) {
            let rows: Vec<(String, Vec<u8>, Status)> = rows.iter().enumerate().map(|(number, (key, status))| {
                let status = Status::ALL[*status];
                let (key, row) = row(number, *key, status);
                (key, row, status)
            }).collect();
            let mut bytes: Vec<(usize, u8)> =
                rows.iter().enumerate().flat_map(|(number, (_, row, _))| row.iter().map(move |byte| (number, *byte))).collect();
            let mut touched = HashSet::new();
            for (at, is_added) in damage {
                let at = at.index(bytes.len());
                let number = bytes[at].0;
                let own = bytes.iter().position(|byte| *byte == (number, b'"'));
                match own {
                    Some(quote) if !is_added => drop(bytes.remove(quote)),
                    _ => bytes.insert(at, (number, b'"')),
                }
                // What stands before it on its line may be that of a row before, whose line break was its cell's.
                touched.extend([number, number + 1]);
            }
            let bytes: Vec<u8> = bytes.into_iter().map(|(_, byte)| byte).collect();
            let folder = tempfile::tempdir().expect("a folder");
            let results = folder.path().join("r.csv");
            let name = if is_journal { "r.csv.partial" } else { "r.csv" };
            file(folder.path(), name, &bytes);
            let written: HashMap<Uuid, Status> = rows.iter().map(|(key, _, status)| (uid(key), *status)).collect();
            let read_from = folder.path().join(name);
            let mut spans = Vec::new();
            for_each_row(&read_from, |row, span| {
                let is_known = row.session_uid().is_some() && row.status().is_some();
                spans.extend(is_known.then_some(span));
                is_known
            }).expect("readable");
            let mut draft = Draft::new(&results).expect("written");
            let mut stored = StoredRows::open(&read_from).expect("readable");
            for span in &spans {
                draft.add_row(stored.at(span).expect("readable"), None, true).expect("written");
            }
            let journal = draft.begin().expect("written");
            let mut left = HashMap::new();
            let damaged = read(journal.path(), |row| {
                // One that was never delivered may have an id that cannot be read.
                if let (Some(id), Some(status)) = (row.session_uid(), row.status()) {
                    left.insert(id, status);
                }
            });
            prop_assert_eq!(damaged.expect("readable"), 0, "what is written is whole");
            for (id, status) in &left {
                prop_assert_eq!(written.get(id), Some(status), "made up");
            }
            let is_plain = |key: &str| !key.contains(['"', '\n']);
            for (number, (key, ..)) in rows.iter().enumerate() {
                if is_plain(key) && !touched.contains(&number) {
                    prop_assert!(left.contains_key(&uid(key)), "{key:?} of {:?}", String::from_utf8_lossy(&bytes));
                }
            }
        }
    }

    #[test]
    fn of_lines_that_end_with_a_carriage_return_only_the_torn_one_is_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let rows: Vec<String> = (0..3)
            .map(|number| String::from_utf8(row(number, 0, Status::Uploaded).1).expect("text").replace('\n', "\r"))
            .collect();
        let text = format!("{}\r{}", COLUMNS.join(","), rows.concat());
        for (cut, left) in [(0, 3), (1, 2), (9, 2), (rows[2].len(), 2), (rows[2].len() + 1, 1)] {
            let path = folder.path().join("r.csv.partial");
            std::fs::write(&path, &text[..text.len() - cut]).expect("written");
            let mut seen = 0;
            assert_eq!(read(&path, |_| seen += 1).expect("readable"), 0);
            assert_eq!(seen, left, "{cut}");
        }
    }

    #[test]
    fn a_quote_that_is_open_to_the_end_of_a_line_costs_nothing_where_its_cell_is_the_last() {
        let folder = tempfile::tempdir().expect("a folder");
        let quoted = |number: usize| {
            let (_, row) = row(number, 0, Status::Uploaded);
            let row = String::from_utf8(row).expect("text");
            format!("\"{}\n", row.trim_end().replace(',', "\",\""))
        };
        let rows: String = (0..5_000).map(quoted).collect();
        for name in ["r.csv", "r.csv.partial"] {
            let path = file(folder.path(), name, rows.as_bytes());
            let mut seen = 0;
            assert_eq!(read(&path, |_| seen += 1).expect("readable"), 0);
            assert_eq!(seen, 5_000);
        }
    }
}
