//! Recognises a result file by its header, and says what a spreadsheet or an editor has done to one.

use super::cells::is_row;
use super::error::ResultsError;
use super::row::{COLUMNS, Layout};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The header of a result file has 132 bytes, or three times as many in UTF-16 with quotes.
const START: u64 = 1024;
/// A file with fewer of our columns never was a result file.
const MIN_COLUMNS: usize = COLUMNS.len() / 2;
/// Without these a row says nothing.
const NEEDED: [&str; 3] = ["visit_id", "session_uid", "status"];

/// What the first bytes of a file say about it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// A result file, and where its columns are.
    ResultFile(Layout),
    /// A result file that was changed: what changed, and how to undo it.
    Changed(String),
    /// Any other file.
    Other,
}

/// Whether a file has the header of a result file.
///
/// # Errors
/// [`ResultsError::Changed`] if it is a result file that was saved in another form, such as UTF-16;
/// [`ResultsError::Unreadable`] if it cannot be read.
pub(crate) fn is_result_file(path: &Path) -> Result<bool, ResultsError> {
    Ok(layout(path)?.is_some())
}

/// Where the columns of a result file are; `None` for any other file.
///
/// # Errors
/// As [`is_result_file`].
pub(super) fn layout(path: &Path) -> Result<Option<Layout>, ResultsError> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    read.map_err(|error| ResultsError::unreadable(path, error))?;
    match kind(&start) {
        Kind::ResultFile(layout) => Ok(Some(layout)),
        Kind::Changed(reason) => Err(ResultsError::Changed { path: path.display().to_string(), reason }),
        Kind::Other => Ok(None),
    }
}

fn kind(start: &[u8]) -> Kind {
    let wide = utf_16(start);
    let is_wide = wide.is_some();
    let text = wide.unwrap_or_else(|| String::from_utf8_lossy(start).into_owned());
    let text = text.trim_start_matches('\u{feff}');
    let text = match text.split_once('\n') {
        Some((first, rest)) if is_sep_line(first.as_bytes()) => rest,
        _ => text,
    };
    // Nearly all files are as this version writes them, and a year has hundreds.
    if !is_wide && text.lines().next() == Some(&COLUMNS.join(",")) {
        return Kind::ResultFile(Layout::ours());
    }
    let known = |(_, cells): &(char, Vec<String>)| COLUMNS.iter().filter(|name| has(cells, name)).count();
    let mut read = [',', ';', '\t', '|'].into_iter().map(|delimiter| (delimiter, cells(text, delimiter)));
    let Some((delimiter, cells)) = read.find(|read| known(read) >= MIN_COLUMNS) else {
        return match start {
            [] => Kind::Changed("it is empty; remove it".to_owned()),
            _ if text.lines().next().is_some_and(|line| is_row(line.as_bytes(), &Layout::ours())) => {
                let header = COLUMNS.join(",");
                Kind::Changed(format!("its header line is missing; put it back: {header}"))
            }
            _ => Kind::Other,
        };
    };
    let csv = "save it as comma-separated UTF-8";
    if is_wide {
        return Kind::Changed(format!("it is UTF-16; {csv}"));
    }
    if !matches!(delimiter, ',' | ';' | '\t') {
        return Kind::Changed(format!("its cells are separated by '{delimiter}'; {csv}"));
    }
    // Spreadsheets add empty columns.
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    let cells = &cells[..filled];
    match changed_columns(cells) {
        None => Kind::ResultFile(Layout::of_header(delimiter as u8, cells)),
        Some(reason) => Kind::Changed(format!("{reason}; undo that")),
    }
}

/// Whether a line tells spreadsheets the delimiter.
pub(super) fn is_sep_line(line: &[u8]) -> bool {
    line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).starts_with(b"sep=")
}

/// What was done to the columns; `None` if nothing was.
fn changed_columns(cells: &[String]) -> Option<String> {
    if cells == COLUMNS {
        return None;
    }
    // An older version wrote fewer columns.
    if let Some(missing) = NEEDED.iter().find(|name| !has(cells, name)) {
        return Some(format!("its column {missing:?} is missing or has another name"));
    }
    let mut ours = cells.iter().enumerate();
    // A second column of one name is extra, too.
    let extra = ours.find(|(at, cell)| !COLUMNS.contains(&cell.as_str()) || cells[..*at].contains(cell));
    extra.map(|(at, extra)| format!("it has an extra column, {extra:?}, the {} from the left", ordinal(at + 1)))
}

fn has(cells: &[String], name: &str) -> bool {
    cells.iter().any(|cell| cell == name)
}

fn ordinal(n: usize) -> String {
    match (n % 10, n % 100) {
        (1, teen) if teen != 11 => format!("{n}st"),
        (2, teen) if teen != 12 => format!("{n}nd"),
        (3, teen) if teen != 13 => format!("{n}rd"),
        _ => format!("{n}th"),
    }
}

/// The cells of the first line.
fn cells(text: &str, delimiter: char) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new();
    reader.has_headers(false).delimiter(delimiter as u8);
    let first = reader.from_reader(text.as_bytes()).into_records().next();
    let first = first.and_then(Result::ok).unwrap_or_default();
    // Case and spaces do not matter.
    first.iter().map(|cell| cell.trim().to_lowercase()).collect()
}

/// The text of a file in UTF-16, which spreadsheets call "Unicode text", with or without a byte order mark; `None` for any
/// other file.
fn utf_16(start: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match start {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        [letter, 0, ..] if *letter != 0 => u16::from_le_bytes,
        [0, letter, ..] if *letter != 0 => u16::from_be_bytes,
        _ => return None,
    };
    let (pairs, _) = start.as_chunks::<2>();
    Some(String::from_utf16_lossy(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(start: impl AsRef<[u8]>) -> String {
        match kind(start.as_ref()) {
            Kind::Changed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    fn delimiter(start: impl AsRef<[u8]>) -> Option<u8> {
        match kind(start.as_ref()) {
            Kind::ResultFile(layout) => Some(layout.delimiter),
            _ => None,
        }
    }

    #[test]
    fn a_file_that_a_spreadsheet_saved_is_read_or_described() {
        let ours = format!("{}\nV1,", COLUMNS.join(","));
        assert_eq!(kind(ours.as_bytes()), Kind::ResultFile(Layout::ours()));
        assert_eq!(kind(format!("\u{feff}{}\r\nV1", COLUMNS.join(",")).as_bytes()), Kind::ResultFile(Layout::ours()));
        assert_eq!(delimiter(ours.replace(',', ";")), Some(b';'));
        assert_eq!(delimiter(ours.replace(',', "\t")), Some(b'\t'));
        assert_eq!(delimiter(format!("sep=;\r\n{}", ours.replace(',', ";"))), Some(b';'));
        assert_eq!(delimiter(format!("\u{feff}\"{}\"\n", COLUMNS.join("\";\""))), Some(b';'));
        assert!(changed(ours.replace(',', "|")).contains("separated by '|'"));
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{}", ours.replace(',', "\t"));
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert!(changed(little).contains("UTF-16") && changed(big).contains("UTF-16"));
        }
    }

    #[test]
    fn columns_go_by_their_names_and_an_extra_or_a_needed_one_is_named() {
        let ours = COLUMNS.join(",");
        assert!(changed(format!("{ours},notes\n")).contains("\"notes\", the 15th from the left"));
        assert_eq!(kind(format!("{ours},,\n").as_bytes()), Kind::ResultFile(Layout::ours()));
        assert!(changed(format!("status,{ours}\n")).contains("\"status\", the 4th"));
        assert!(changed(ours.replace("session_uid,", "")).contains("\"session_uid\" is missing"));
        assert_eq!(delimiter(ours.replace("attempts,", "")), Some(b','));
        assert_eq!(delimiter(ours.replace("session_uid,status", "status,session_uid")), Some(b','));
    }

    #[test]
    fn files_without_our_columns_are_not_result_files() {
        for other in ["\n", "hello", "visit_id,store_number,visit_date,started_at\n", "PK\u{3}\u{4}", "\0\0\0\0"] {
            assert_eq!(kind(other.as_bytes()), Kind::Other, "{other:?}");
        }
    }
}
