//! Files that hold something else than CSV or Parquet, known by their first bytes, each with a way to get a table out of
//! it: people rename files, and servers answer with a login page.
//!
//! What is honest CSV is in none of them. Nothing here is opened or unpacked.

/// What a file holds that is read nowhere here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Workbook,
    OldWorkbook,
    OpenDocument,
    Document,
    Zip,
    Bzip2,
    Xz,
    Lz4,
    Compress,
    SevenZip,
    Rar,
    Tar,
    Avro,
    Orc,
    Arrow,
    Sqlite,
    DuckDb,
    Access,
    Json,
    Html,
    XmlWorkbook,
    Xml,
    Pdf,
    Utf32,
}

/// What files of a kind begin with.
const FIRST_BYTES: [(&[u8], Container); 17] = [
    // Microsoft's compound file, which .xls files are.
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Container::OldWorkbook),
    (b"PK\x05\x06", Container::Zip),
    (b"PK\x07\x08", Container::Zip),
    (b"\xfd7zXZ\0", Container::Xz),
    (b"\x04\x22\x4d\x18", Container::Lz4),
    (b"\x1f\x9d", Container::Compress),
    (b"7z\xbc\xaf\x27\x1c", Container::SevenZip),
    (b"Rar!\x1a\x07", Container::Rar),
    (b"Obj\x01", Container::Avro),
    (b"ARROW1\0\0", Container::Arrow),
    (b"FEA1", Container::Arrow),
    (b"\xff\xff\xff\xff", Container::Arrow),
    (b"SQLite format 3\0", Container::Sqlite),
    (b"%PDF-", Container::Pdf),
    // Big endian and little endian; the second begins as UTF-16 does, and no text begins with a zero.
    (b"\0\0\xfe\xff", Container::Utf32),
    (b"\xff\xfe\0\0", Container::Utf32),
    (b"\0\x01\0\0Standard ", Container::Access),
];

/// The container that a file begins as; nothing where it may be CSV.
pub(super) fn container(head: &[u8]) -> Option<Container> {
    let known = FIRST_BYTES.into_iter().find(|(bytes, _)| head.starts_with(bytes)).map(|(_, container)| container);
    known.or_else(|| deeper(head)).or_else(|| text(head))
}

/// What shows a little behind the first bytes.
fn deeper(head: &[u8]) -> Option<Container> {
    let at = |from: usize, bytes: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(bytes));
    // The first block of bzip2 begins with the digits of pi, the end of an empty file with those of its root.
    let is_bzip2 = || head.get(3).is_some_and(u8::is_ascii_digit) && (at(4, b"1AY&SY") || at(4, b"\x17rE8P\x90"));
    // A column of CSV may be called so. Behind it ORC has numbers.
    let is_orc = || head.iter().take(64).any(|byte| *byte < b' ' && !byte.is_ascii_whitespace());
    match head {
        [b'P', b'K', 3, 4, ..] => Some(zip(head)),
        [b'B', b'Z', b'h', ..] if is_bzip2() => Some(Container::Bzip2),
        [b'O', b'R', b'C', ..] if is_orc() => Some(Container::Orc),
        _ if at(257, b"ustar") => Some(Container::Tar),
        _ if at(8, b"DUCK") && head.contains(&0) => Some(Container::DuckDb),
        _ if is_utf32(head) => Some(Container::Utf32),
        _ => None,
    }
}

/// Office writes zip archives. What is in them tells which.
fn zip(head: &[u8]) -> Container {
    const NAME: usize = 30;
    let length = |entry: &[u8]| entry.get(26..28).map(|bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8);
    let entries = memchr::memmem::find_iter(head, b"PK\x03\x04").filter_map(|at| {
        let entry = &head[at..];
        entry.get(NAME..NAME + length(entry)?).map(|name| (name, &entry[NAME + name.len()..]))
    });
    let mut is_office = false;
    for (name, content) in entries {
        if name.starts_with(b"xl/") {
            return Container::Workbook;
        }
        if name.starts_with(b"word/") || name.starts_with(b"ppt/") {
            return Container::Document;
        }
        if name == b"mimetype" && content.starts_with(b"application/vnd.oasis") {
            return Container::OpenDocument;
        }
        is_office |= name == b"[Content_Types].xml" || name.starts_with(b"_rels/") || name.starts_with(b"docProps/");
    }
    if is_office { Container::Workbook } else { Container::Zip }
}

/// Text of four bytes a letter, without a mark.
fn is_utf32(head: &[u8]) -> bool {
    let is_letter = |letter: &[u8], at: usize| letter.iter().enumerate().all(|(n, byte)| (*byte != 0) == (n == at));
    let letters = || head.chunks_exact(4).take(8);
    head.len() >= 32 && (letters().all(|four| is_letter(four, 0)) || letters().all(|four| is_letter(four, 3)))
}

/// What is told from CSV by its first words.
fn text(head: &[u8]) -> Option<Container> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    match text {
        [b'<', rest @ ..] => markup(text, rest),
        [b'{' | b'[', ..] if is_json(text) => Some(Container::Json),
        _ => None,
    }
}

fn markup(text: &[u8], rest: &[u8]) -> Option<Container> {
    let lower = text.to_ascii_lowercase();
    let has = |words: &[u8]| memchr::memmem::find(&lower, words).is_some();
    // A tag ends before the first line does, and no delimiter stands behind it. `<id>,<store>` is a header.
    let tag = &text[..memchr::memchr(b'>', text)? + 1];
    let behind = text[tag.len()..].iter().find(|byte| !byte.is_ascii_whitespace());
    let is_tag = rest.first().is_some_and(|first| first.is_ascii_alphabetic() || matches!(first, b'!' | b'?'))
        && (behind.is_none_or(|byte| *byte == b'<')
            || has(b"</")
            || lower.starts_with(b"<html")
            || lower.starts_with(b"<!doctype"));
    if !is_tag {
        return None;
    }
    Some(if has(b"<html") || has(b"<!doctype html") || has(b"<table") || has(b"<head>") {
        Container::Html
    } else if has(b"urn:schemas-microsoft-com:office:spreadsheet") || has(b"progid=\"excel.sheet\"") {
        Container::XmlWorkbook
    } else {
        Container::Xml
    })
}

/// Whether a text that begins with a bracket goes on as JSON does. `[visit_id],[store]` is a header.
fn is_json(text: &[u8]) -> bool {
    let (first, rest) = (text[0], text[1..].trim_ascii_start());
    match (first, rest.first()) {
        (b'{', Some(b'}')) | (b'[', Some(b'{' | b']')) => true,
        (b'{', Some(b'"')) => behind_text(rest) == Some(b':'),
        (b'[', Some(b'[')) => {
            rest[1..].trim_ascii_start().first().is_some_and(|next| b"\"[{-0123456789".contains(next))
        }
        (b'[', Some(b'"')) => matches!(behind_text(rest), Some(b',' | b']')),
        _ => false,
    }
}

/// What follows a text in quotes, but for blanks.
fn behind_text(text: &[u8]) -> Option<u8> {
    let mut at = 1;
    while *text.get(at)? != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    text[at + 1..].trim_ascii_start().first().copied()
}

impl Container {
    /// Whether it is text, which is less sure than first bytes that no text has.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Container::Json | Container::Html | Container::XmlWorkbook | Container::Xml)
    }

    /// What messages call it, with its article.
    pub(super) fn name(self) -> &'static str {
        match self {
            Container::Workbook | Container::OldWorkbook => "an Excel workbook",
            Container::OpenDocument => "an OpenDocument spreadsheet",
            Container::Document => "a document of Word or PowerPoint",
            Container::Zip => "a zip archive",
            Container::Bzip2 => "compressed with bzip2",
            Container::Xz => "compressed with xz",
            Container::Lz4 => "compressed with lz4",
            Container::Compress => "compressed with compress (.Z)",
            Container::SevenZip => "a 7z archive",
            Container::Rar => "a RAR archive",
            Container::Tar => "a tar archive",
            Container::Avro => "Avro",
            Container::Orc => "ORC",
            Container::Arrow => "Arrow (Feather)",
            Container::Sqlite => "an SQLite database",
            Container::DuckDb => "a DuckDB database",
            Container::Access => "an Access database",
            Container::Json => "JSON",
            Container::Html => "HTML, a web page",
            Container::XmlWorkbook => "a spreadsheet in XML",
            Container::Xml => "XML",
            Container::Pdf => "a PDF document",
            Container::Utf32 => "text in UTF-32",
        }
    }

    /// What to do, beginning with a verb. `file`: the file in quotes, as a job file and a shell have it.
    pub(super) fn way_on(self, file: &str) -> String {
        let command = |parts: &str| format!("in place of `path`: command = [{}]", parts.replace('@', file));
        let duckdb = |call: &str| command(&format!(r#""duckdb", "-csv", "-c", "SELECT * FROM {call}""#));
        let inner = file.trim_matches('"').replace('\'', "''");
        match self {
            Container::Workbook => {
                let xlsx2csv = command(r#""xlsx2csv", @"#);
                format!("save it as CSV UTF-8 and name that file, or have it converted, {xlsx2csv}")
            }
            Container::OldWorkbook | Container::OpenDocument | Container::XmlWorkbook => {
                let ssconvert = command(r#""ssconvert", "-T", "Gnumeric_stf:stf_csv", @, "fd://1""#);
                format!("save it as CSV UTF-8 and name that file, or have it converted, {ssconvert}")
            }
            Container::Document | Container::Pdf => "export the table as CSV and name that file".to_owned(),
            Container::Zip => format!("unpack it, or {}", command(r#""unzip", "-p", @"#)),
            Container::Bzip2 => format!("unpack it, or {}", command(r#""bzip2", "-dc", @"#)),
            Container::Xz => format!("unpack it, or {}", command(r#""xz", "-dc", @"#)),
            Container::Lz4 => format!("unpack it, or {}", command(r#""lz4", "-dc", @"#)),
            Container::Compress => format!("unpack it, or {}", command(r#""gzip", "-dc", @"#)),
            Container::SevenZip => format!("unpack it, or {}", command(r#""7z", "x", "-so", @"#)),
            Container::Rar => format!("unpack it, or {}", command(r#""unrar", "p", "-inul", @"#)),
            Container::Tar => format!("unpack it; where it holds one file, {}", command(r#""tar", "-xOf", @"#)),
            Container::Avro => format!("convert it to Parquet or CSV, or {}", duckdb(&format!("read_avro('{inner}')"))),
            Container::Json => {
                let duckdb = duckdb(&format!("read_json_auto('{inner}')"));
                format!("is it what the export should be, or the message of a server? If it is the export, {duckdb}")
            }
            Container::Orc | Container::Arrow => "convert it to Parquet, with pyarrow for example".to_owned(),
            Container::Sqlite => {
                format!("name a table of it, {}", command(r#""sqlite3", "-csv", "-header", @, "SELECT * FROM visits""#))
            }
            Container::DuckDb => {
                format!("name a table of it, {}", command(r#""duckdb", "-csv", @, "SELECT * FROM visits""#))
            }
            Container::Access => format!("name a table of it, {}", command(r#""mdb-export", @, "visits""#)),
            Container::Html => "most often it is a login page or an error of a server: open it in a browser, then fetch the export again, logged in".to_owned(),
            Container::Xml => {
                "is it the message of a server? Look into it. If it is the export, export it as CSV or Parquet".to_owned()
            }
            Container::Utf32 => {
                format!("export it as UTF-8, or {}", command(r#""iconv", "-f", "UTF-32", "-t", "UTF-8", @"#))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A local header of a zip archive with this name.
    fn entry(name: &str) -> Vec<u8> {
        let mut bytes = [b"PK\x03\x04".as_slice(), &[0; 22]].concat();
        bytes.extend((name.len() as u16).to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(name.as_bytes());
        bytes
    }

    #[test]
    fn first_bytes_tell_containers_apart() {
        let office = |second: &str| [entry("[Content_Types].xml"), b"packed".to_vec(), entry(second)].concat();
        let tar = [vec![b'v'; 257], b"ustar\x0000".to_vec()].concat();
        let utf32: Vec<u8> = "visit_id,store".chars().flat_map(|c| (c as u32).to_le_bytes()).collect();
        for (head, expected) in [
            (office("xl/workbook.xml").as_slice(), Container::Workbook),
            (&office("word/document.xml"), Container::Document),
            (&entry("visits.csv"), Container::Zip),
            (
                &[entry("mimetype"), b"application/vnd.oasis.opendocument.spreadsheet".to_vec()].concat(),
                Container::OpenDocument,
            ),
            (b"BZh91AY&SY\x01\x02", Container::Bzip2),
            (b"\xfd7zXZ\0\0\x04", Container::Xz),
            (&tar, Container::Tar),
            (b"Obj\x01\x04\x16", Container::Avro),
            (b"ORC\n\x1a\n\x02\x03", Container::Orc),
            (b"ARROW1\0\0", Container::Arrow),
            (b"SQLite format 3\0", Container::Sqlite),
            (b"%PDF-1.7", Container::Pdf),
            (&utf32, Container::Utf32),
            (b"\n <!DOCTYPE html><title>Log in", Container::Html),
            (b"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied", Container::Xml),
            (b"{\"visit_id\": \"V1\"}\n", Container::Json),
            (b"\xef\xbb\xbf[ {\"visit_id\": 1}]", Container::Json),
        ] {
            assert_eq!(container(head), Some(expected), "{:?}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn csv_is_none_of_them() {
        for head in [
            "visit_id,store",
            "[visit_id],[store_code]",
            "<id>,<store>\n1,2\n",
            "{id},{store}",
            "{\"a\",\"b\"}\n",
            "ORCode,store",
            "BZh9,store",
            "PKZ,store",
            "\"{\"\"a\"\":1}\",store",
            "Object,store",
            "< 5,x",
            "FEA,x",
            "",
            "[1],[2]",
            "<",
        ] {
            assert_eq!(container(head.as_bytes()), None, "{head}");
        }
        assert_eq!(container(b"\xff\xfev\0i\0s\0"), None, "UTF-16 is read");
    }
}
