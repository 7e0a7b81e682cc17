//! Tells rows that are no rows: empty ones, and headers of files that were joined. And whether a row fits the header.
//!
//! It knows one record at a time. What becomes of the row is the reader's business.

use super::splitter::Splitter;
use super::text_end::END_MARK;
use crate::scan::cleaning::trimmed;
use std::io::Read;
use std::ops::RangeInclusive;

/// The byte order mark of a file that was joined to another.
const MARK: &[u8] = b"\xef\xbb\xbf";
const MARK_BEGINS: u8 = MARK[0];

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowKind {
    /// A row as any other.
    Row,
    /// All its cells are empty.
    Empty,
    /// It is the header once more.
    Header,
    /// It has the names of the header in another order, or all that the job maps.
    OtherHeader,
    /// It is Ctrl-Z and nothing else.
    EndMark,
}

/// What the header says of the rows below it.
pub(super) struct RowKinds {
    /// Without unnamed columns at its end.
    header: Vec<Vec<u8>>,
    /// How many columns it has with those.
    columns: usize,
    /// The names of the columns that the job maps, each once.
    mapped: Vec<Vec<u8>>,
    /// Where the cell stands that, beside the first, tells a header from a row: the key's.
    key: usize,
    /// Whether blanks around a cell are no part of it.
    trim: bool,
    /// First bytes of the names, and of a line that names the delimiter.
    first: [bool; 256],
    /// A bit for each length that one of these has.
    lengths: u64,
}

fn length_bit(length: usize) -> u64 {
    1 << length.min(63)
}

/// Whether a cell is a line such as `sep=;`, or what the delimiter that it names leaves of it.
fn names_a_delimiter(cell: &[u8]) -> bool {
    matches!(cell, [name @ .., b'='] | [name @ .., b'=', _] if name.eq_ignore_ascii_case(b"sep"))
}

impl RowKinds {
    /// `key`: the first column of the key, among `names`.
    pub(super) fn new(names: &[String], mapped: Vec<String>, key: usize, trim: bool) -> RowKinds {
        let columns = names.len();
        let named = names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        let header: Vec<Vec<u8>> = names[..named].iter().map(|name| name.clone().into_bytes()).collect();
        let mut first = [false; 256];
        let mut lengths = 0;
        let separators: [&[u8]; 4] = [b"sep=", b"SEP=", b"sep=;", b"SEP=;"];
        for name in header.iter().map(Vec::as_slice).chain(separators).filter(|name| !name.is_empty()) {
            first[usize::from(name[0])] = true;
            lengths |= length_bit(name.len());
        }
        let mapped = mapped.into_iter().map(String::into_bytes).collect();
        RowKinds { header, columns, mapped, key, trim, first, lengths }
    }

    /// How many columns the header has.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// How many cells a row may have, but for empty ones behind its last.
    pub(super) fn cells(&self) -> RangeInclusive<usize> {
        self.header.len()..=self.columns
    }

    /// Whether a record has a cell for every column, those without a name at the end of the header left aside, and nothing
    /// in cells beyond.
    #[inline]
    pub(super) fn fits<R: Read>(&self, record: &Splitter<R>) -> bool {
        record.len() == self.columns || self.fits_all_the_same(record)
    }

    #[cold]
    fn fits_all_the_same<R: Read>(&self, record: &Splitter<R>) -> bool {
        record.len() >= self.header.len()
            && (self.columns..record.len()).all(|at| record.cell(at).is_none_or(|cell| self.cell(cell).is_empty()))
    }

    /// What kind of row a record is.
    #[inline]
    pub(super) fn of<R: Read>(&self, record: &Splitter<R>) -> RowKind {
        let needs_a_look = match record.cell(0).map(|cell| self.cell(cell)) {
            Some([]) | None => true,
            Some(cell) => matches!(cell[0], END_MARK | MARK_BEGINS) || self.is_of_a_header(cell),
        };
        // The first cell may have another name in a file that was joined.
        let needs_a_look = needs_a_look
            || self.key > 0 && record.cell(self.key).is_some_and(|cell| self.is_of_a_header(self.cell(cell)));
        if needs_a_look || record.len() != self.columns { self.look(record) } else { RowKind::Row }
    }

    /// Whether a cell is a name of the header, or names the delimiter.
    #[inline]
    fn is_of_a_header(&self, cell: &[u8]) -> bool {
        cell.first().is_some_and(|byte| self.first[usize::from(*byte)])
            && self.lengths & length_bit(cell.len()) != 0
            && (self.header.iter().any(|name| name == cell) || names_a_delimiter(cell))
    }

    #[cold]
    fn look<R: Read>(&self, record: &Splitter<R>) -> RowKind {
        if record.len() == 1 && record.cell(0) == Some(&[END_MARK]) {
            return RowKind::EndMark;
        }
        let mut cells = (0..record.len()).filter_map(|at| record.cell(at)).map(|cell| self.cell(cell));
        if cells.clone().all(<[u8]>::is_empty) {
            return RowKind::Empty;
        }
        let first = cells.next().map(|cell| self.without_mark(cell));
        let mut cells: Vec<&[u8]> = first.into_iter().chain(cells).collect();
        while cells.last().is_some_and(|cell| cell.is_empty()) {
            cells.pop();
        }
        // A line such as `sep=;` goes with the header of a joined file.
        let is_separator =
            || matches!(cells[..], [cell] if names_a_delimiter(cell) && (cell.len() == 5 || record.len() == 2));
        if cells == self.header || is_separator() {
            return RowKind::Header;
        }
        let has_all_mapped =
            || self.mapped.len() > 1 && self.mapped.iter().all(|name| cells.contains(&name.as_slice()));
        if self.has_the_same_names(&cells) || has_all_mapped() { RowKind::OtherHeader } else { RowKind::Row }
    }

    fn has_the_same_names(&self, cells: &[&[u8]]) -> bool {
        let mut names: Vec<&[u8]> = self.header.iter().map(Vec::as_slice).collect();
        let mut cells = cells.to_vec();
        names.sort_unstable();
        cells.sort_unstable();
        names.len() > 1 && names == cells
    }

    fn cell<'c>(&self, cell: &'c [u8]) -> &'c [u8] {
        if self.trim { trimmed(cell) } else { cell }
    }

    /// The first cell of a joined file without the end mark of the file before and its own byte order mark, behind which
    /// quotes are no quotes.
    fn without_mark<'c>(&self, cell: &'c [u8]) -> &'c [u8] {
        let cell = cell.strip_prefix(&[END_MARK]).unwrap_or(cell);
        match cell.strip_prefix(MARK) {
            Some([b'"', name @ .., b'"']) => self.cell(name),
            Some(name) => self.cell(name),
            None => cell,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::csv::syntax::Syntax;

    fn kinds(text: &str) -> Vec<(RowKind, bool)> {
        let names = ["id", "store", "note", ""].map(str::to_owned);
        kinds_of(&names, &["id", "store"], 0, text)
    }

    fn kinds_of(names: &[String], mapped: &[&str], key: usize, text: &str) -> Vec<(RowKind, bool)> {
        let mapped = mapped.iter().map(|name| (*name).to_owned()).collect();
        let kinds = RowKinds::new(names, mapped, key, true);
        let syntax = Syntax { delimiter: b',', quote: Some(b'"'), escape: None, blanks: true };
        let mut records = Splitter::new(text.as_bytes(), syntax);
        let mut all = Vec::new();
        while records.advance().expect("in memory") {
            all.push((kinds.of(&records), kinds.fits(&records)));
        }
        all
    }

    #[test]
    fn a_row_fits_without_unnamed_columns_and_with_empty_cells_behind_its_last() {
        let fits = |text| kinds(text) == [(RowKind::Row, true)];
        assert!(fits("1,2,3") && fits("1,2,3,") && fits("1,2,3,4") && fits("1,2,3,4,, \t,"));
        assert!(!fits("1,2") && !fits("1,2,3,4,5"));
    }

    #[test]
    fn empty_rows_and_headers_are_told_from_rows() {
        let empty = |fits| (RowKind::Empty, fits);
        assert_eq!(kinds(",,,\n , \"\"\t,\n,\n"), [empty(true), empty(true), empty(false)]);
        let kind = |text| kinds(text)[0].0;
        for header in [
            "id,store,note,",
            "id,store,note",
            " \"id\" ,store,note,,",
            "\u{feff}id,store,note",
            "\u{feff}\"id\",store,note",
            "\u{1a}\u{feff}id,store,note",
            "sep=,",
            "\"sep=;\"",
            "SEP=;",
            "Sep=,",
        ] {
            assert_eq!(kind(header), RowKind::Header, "{header}");
        }
        assert_eq!(kind("store,id,note"), RowKind::OtherHeader);
        assert_eq!(kind("note,other,store,id,more"), RowKind::OtherHeader);
        for row in ["id,7,x", "note,note,note", "ID,STORE,NOTE", ",7,x"] {
            assert_eq!(kind(row), RowKind::Row, "{row}");
        }
        assert_eq!(kind("\u{1a}\nx"), RowKind::EndMark);
    }

    #[test]
    fn a_header_is_told_by_its_key_where_its_first_name_is_another() {
        let names = ["note", "visit", "scene", "task"].map(str::to_owned);
        let kind = |row| kinds_of(&names, &["visit", "scene", "task"], 1, row)[0].0;
        for other in ["comment,visit,task,scene", "comment,scene,visit,task", "comment, \"task\" ,scene,visit"] {
            assert_eq!(kind(other), RowKind::OtherHeader, "{other}");
        }
        for row in ["x,visit,S1,T1", "x,V1,scene,task", "x,task,scene,T1", "visit,V1,S1,T1"] {
            assert_eq!(kind(row), RowKind::Row, "{row}");
        }
        // A line that names the delimiter, in a file of as many columns as it has cells.
        let names = ["id", "store"].map(str::to_owned);
        assert_eq!(kinds_of(&names, &["id", "store"], 0, "Sep=,\nsep=1,2\n")[0].0, RowKind::Header);
        assert_eq!(kinds_of(&names, &["id", "store"], 0, "sep=1,2\n")[0].0, RowKind::Row);
    }
}
