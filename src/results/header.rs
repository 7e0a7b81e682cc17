//! Whether a file begins as result files do; and of one that did once, what a spreadsheet has made of it.

use super::ResultsError;
use super::cells::is_row;
use super::row::COLUMNS;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// The header of a result file has 132 bytes, in UTF-16 and with quotes three times as many.
const START: u64 = 1024;
/// A file with fewer of our columns is none of ours that was changed, but another one.
const ENOUGH: usize = COLUMNS.len() / 2;

/// What the beginning of a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Beginning {
    /// A result file.
    Ours,
    /// What was one: what is wrong with it now, and what to do about it.
    Changed(String),
    /// Something else.
    Other,
}

/// Whether a file begins as result files do.
///
/// # Errors
/// Where it did once and something has changed it, and where it cannot be read.
pub fn is_result_file(path: &Path) -> Result<bool, ResultsError> {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(START).read_to_end(&mut start));
    let path = || path.display().to_string();
    read.map_err(|error| ResultsError::Unreadable { path: path(), reason: error.to_string() })?;
    match told(&start) {
        Beginning::Ours => Ok(true),
        Beginning::Changed(reason) => Err(ResultsError::Changed { path: path(), reason }),
        Beginning::Other => Ok(false),
    }
}

fn told(start: &[u8]) -> Beginning {
    let wide = utf_16(start);
    let is_wide = wide.is_some();
    let text = wide.unwrap_or_else(|| String::from_utf8_lossy(start).into_owned());
    let text = text.trim_start_matches('\u{feff}');
    let (is_marked, text) = match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("sep=") => (true, rest),
        _ => (false, text),
    };
    let read = [',', ';', '\t', '|'].map(|delimiter| (delimiter, cells(text, delimiter)));
    let known = |(_, cells): &&(char, Vec<String>)| COLUMNS.iter().filter(|name| has(cells, name)).count();
    let Some((delimiter, cells)) = read.iter().max_by_key(known).filter(|read| known(read) >= ENOUGH) else {
        return match start {
            [] => Beginning::Changed("there is nothing in it; remove it".to_owned()),
            _ if text.lines().next().is_some_and(|line| is_row(line.as_bytes())) => {
                let header = COLUMNS.join(",");
                Beginning::Changed(format!(
                    "its first line, the names of its columns, is missing; put it back: {header}"
                ))
            }
            _ => Beginning::Other,
        };
    };
    let csv = "save it as comma-separated UTF-8";
    if is_wide {
        return Beginning::Changed(format!("it is UTF-16; {csv}"));
    }
    match delimiter {
        ',' => {}
        '\t' => return Beginning::Changed(format!("its cells are separated by tabs; {csv}")),
        other => return Beginning::Changed(format!("its cells are separated by '{other}'; {csv}")),
    }
    if is_marked {
        return Beginning::Changed("its first line is \"sep=…\"; remove that line".to_owned());
    }
    match changed_columns(cells) {
        None => Beginning::Ours,
        Some(reason) => Beginning::Changed(format!("{reason}; put it back as it was")),
    }
}

/// What was done to the columns.
fn changed_columns(cells: &[String]) -> Option<String> {
    // Spreadsheets add columns without anything.
    let filled = cells.iter().rposition(|cell| !cell.is_empty()).map_or(0, |last| last + 1);
    let cells = &cells[..filled];
    if cells.iter().eq(&COLUMNS) {
        return None;
    }
    if let Some(missing) = COLUMNS.iter().find(|name| !has(cells, name)) {
        return Some(format!("its column {missing:?} is missing or has another name"));
    }
    let mut ours = cells.iter().enumerate();
    // One that is there twice is one too many as well.
    let more = ours.find(|(at, cell)| !COLUMNS.contains(&cell.as_str()) || cells[..*at].contains(cell));
    if let Some((at, more)) = more {
        return Some(format!("it has a column too many, {more:?}, the {} from the left", ordinal(at + 1)));
    }
    let moved = COLUMNS.iter().zip(cells).find(|(name, cell)| **name != *cell);
    moved.map(|(name, cell)| format!("its columns are in another order, with {cell:?} where {name:?} belongs"))
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
    // Capitals and spaces are of no consequence: rows are read by their places.
    first.iter().map(|cell| cell.trim().to_lowercase()).collect()
}

/// The text of a file in UTF-16, which spreadsheets call Unicode text, with or without its mark.
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
        match told(start.as_ref()) {
            Beginning::Changed(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_a_spreadsheet_has_done_is_told() {
        let ours = format!("{}\nV1,", COLUMNS.join(","));
        assert_eq!(told(ours.as_bytes()), Beginning::Ours);
        assert_eq!(told(format!("\u{feff}{}\r\nV1", COLUMNS.join(",")).as_bytes()), Beginning::Ours);
        assert!(changed(ours.replace(',', ";")).contains("separated by ';'"));
        assert!(changed(ours.replace(',', "\t")).contains("separated by tabs"));
        assert!(changed(format!("sep=,\r\n{ours}")).contains("sep="));
        assert!(changed(format!("sep=;\r\n{}", ours.replace(',', ";"))).contains("separated by ';'"));
        assert!(changed(format!("\"{}\"\n", COLUMNS.join("\";\""))).contains("separated by ';'"));
        for mark in ["", "\u{feff}"] {
            let text = format!("{mark}{}", ours.replace(',', "\t"));
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert!(changed(little).contains("UTF-16") && changed(big).contains("UTF-16"));
        }
    }

    #[test]
    fn a_column_more_or_less_or_elsewhere_is_named() {
        let ours = COLUMNS.join(",");
        assert!(changed(format!("{ours},notes\n")).contains("\"notes\", the 15th from the left"));
        assert_eq!(told(format!("{ours},,\n").as_bytes()), Beginning::Ours);
        assert!(changed(format!("status,{ours}\n")).contains("\"status\", the 4th"));
        assert!(changed(ours.replace("attempts,", "")).contains("\"attempts\" is missing"));
        let moved = changed(ours.replace("session_uid,status", "status,session_uid"));
        assert!(moved.contains("\"status\" where \"session_uid\" belongs"), "{moved}");
    }

    #[test]
    fn other_files_are_others() {
        for other in ["\n", "hello", "visit_id,store_number,visit_date,started_at\n", "PK\u{3}\u{4}", "\0\0\0\0"] {
            assert_eq!(told(other.as_bytes()), Beginning::Other, "{other:?}");
        }
    }
}
