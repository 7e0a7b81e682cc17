//! A quote that nobody closes, as a hand at an editor leaves one: the cell that it begins takes in the rows behind it,
//! up to the next quote or to the end of the file.

use super::row::COLUMNS;
use crate::upload::Status;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use uuid::Uuid;

/// Where in the bytes of one record the first line begins that is a row by itself, if there is one behind the record's
/// own first line. A key with a line break in it makes no such lines.
pub(super) fn swallowed(mut file: &File, record: Range<u64>) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(record.start))?;
    let mut lines = BufReader::with_capacity(1 << 10, file.take(record.end.saturating_sub(record.start)));
    let (mut at, mut line, mut is_behind) = (record.start, Vec::new(), false);
    loop {
        line.clear();
        let length = lines.read_until(b'\n', &mut line)? as u64;
        if length == 0 {
            return Ok(None);
        }
        // What a line break of two bytes leaves is no line.
        let is_blank = line.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        if is_behind && is_row(&line) {
            return Ok(Some(at));
        }
        is_behind |= !is_blank;
        at += length;
    }
}

/// Whether a text begins with a row. A line that ends a key of two lines is none: it has a quote in its first cell.
pub(super) fn is_row(text: &[u8]) -> bool {
    let mut cells = csv::ByteRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    // Reading from memory fails for nothing but text that is no UTF-8, which bytes need not be.
    let _ = reader.read_byte_record(&mut cells);
    let cell = |at: usize| cells.get(at).and_then(|cell| std::str::from_utf8(cell).ok());
    cells.len() >= COLUMNS.len()
        && cells.get(0).is_some_and(|key| !key.contains(&b'"'))
        && cell(1).is_some_and(|uid| uid.is_empty() || Uuid::parse_str(uid).is_ok())
        && cell(2).is_some_and(|status| Status::from_name(status).is_some())
}

#[cfg(test)]
mod tests {
    use crate::results::read;
    use crate::results::row::COLUMNS;
    use proptest::prelude::*;

    const KEYS: [&str; 6] = ["V1", "a\nb", "c,d", "e\"f", "\"", "g\"\n\"h"];

    proptest! {
        /// One more quote anywhere in a file of rows, some of whose keys have quotes and line breaks of their own.
        /// Of those that have, some may be lost behind it.
        #[test]
        fn of_the_rows_around_a_quote_all_plain_ones_are_read_but_its_own_and_the_next(
            keys in proptest::collection::vec(0..KEYS.len(), 1..12),
            at in any::<prop::sample::Index>(),
            is_torn in any::<bool>(),
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(if is_torn { "r.csv.partial" } else { "r.csv" });
            let uid = |number: usize| uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, &[number as u8]).to_string();
            let mut rows = Vec::new();
            for (number, key) in keys.iter().enumerate() {
                let mut row = csv::Writer::from_writer(Vec::new());
                let uid = uid(number);
                let cells = [KEYS[*key], &uid, "uploaded", "200", "", "", "1", "5", "", "1001", "2024-03-05", "1", "", "v.csv:2"];
                row.write_record(cells).expect("written");
                rows.push(row.into_inner().expect("written"));
            }
            let mut bytes = rows.concat();
            let at = at.index(bytes.len());
            bytes.insert(at, b'"');
            if is_torn {
                bytes.extend(format!("V9,{},uploa", uid(99)).bytes());
            }
            std::fs::write(&path, [COLUMNS.join(",").as_bytes(), b"\n", &bytes].concat()).expect("written");
            let mut ends = rows.iter().scan(0, |end, row| { *end += row.len(); Some(*end) });
            let own = ends.position(|end| at < end).expect("within");
            let mut seen = Vec::new();
            read(&path, |row| seen.push((row.visit_id().to_owned(), row.session_uid().map(|uid| uid.to_string())))).expect("readable");
            let is_plain = |key: usize| !KEYS[key].contains(['"', '\n']);
            let others = keys.iter().enumerate().filter(|(number, key)| is_plain(**key) && *number != own && *number != own + 1);
            for (number, key) in others {
                let row = (KEYS[*key].to_owned(), Some(uid(number)));
                prop_assert!(seen.contains(&row), "{row:?} of {:?}: {seen:?}", String::from_utf8_lossy(&bytes));
            }
        }
    }
}
