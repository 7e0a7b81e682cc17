//! The one table of file formats: how files of each are called, and which bytes they begin with.
//!
//! To read one more compressed format, add a variant to [`Compression`] and its row to [`FORMATS`]. The compiler then
//! asks for its decoder in `unpack`. What is no table at all stands in `containers`.

use super::containers::{Container, container};

/// How the files of an export are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text with a header line, also compressed.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// The name of the format in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Format::Csv => "CSV",
            Format::Parquet => "Parquet",
        }
    }
}

/// How a CSV file may be compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

/// What kind of file it is, by its name or by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Table(Format),
    Compressed(Compression),
    /// Nothing that is read here.
    Container(Container),
}

/// Endings of files that may hold a table, and are not read here.
const FOREIGN_ENDINGS: [&str; 3] = ["xlsx", "xls", "zip"];

struct KnownFormat {
    kind: FileKind,
    /// What stands behind the last dot of a file's name, in lower case.
    endings: &'static [&'static str],
    /// What a file begins with, if it does not begin like any text.
    first_bytes: &'static [&'static [u8]],
}

const FORMATS: [KnownFormat; 4] = [
    KnownFormat { kind: FileKind::Table(Format::Csv), endings: &["csv", "tsv", "tab", "psv", "txt"], first_bytes: &[] },
    KnownFormat {
        kind: FileKind::Table(Format::Parquet),
        endings: &["parquet", "parq", "pq"],
        // The second is Parquet with an encrypted footer.
        first_bytes: &[b"PAR1", b"PARE"],
    },
    KnownFormat { kind: FileKind::Compressed(Compression::Gzip), endings: &["gz"], first_bytes: &[b"\x1f\x8b"] },
    KnownFormat {
        kind: FileKind::Compressed(Compression::Zstd),
        endings: &["zst", "zstd"],
        first_bytes: &[b"\x28\xb5\x2f\xfd"],
    },
];

/// As many bytes of a file as [`kind_of_bytes`] looks at.
pub(super) const HEAD: usize = 4 << 10;

/// The kind of a file that begins with `head`. `None`: nothing known; CSV is, as all text.
pub(super) fn kind_of_bytes(head: &[u8]) -> Option<FileKind> {
    let begins = |format: &&KnownFormat| format.first_bytes.iter().any(|bytes| head.starts_with(bytes));
    let known = FORMATS.iter().find(begins).map(|format| format.kind);
    known.or_else(|| container(head).map(FileKind::Container))
}

fn kind_of_ending(ending: &str) -> Option<FileKind> {
    FORMATS.iter().find(|format| format.endings.contains(&ending)).map(|format| format.kind)
}

/// A name in lower case without the endings of compressed files.
pub(super) fn without_compression(name: &str) -> &str {
    let mut bare = name;
    while let Some((rest, ending)) = bare.rsplit_once('.')
        && matches!(kind_of_ending(ending), Some(FileKind::Compressed(_)))
    {
        bare = rest;
    }
    bare
}

/// Whether this ending (without the dot, in lower case) is that of a table.
pub(super) fn is_ending_of_a_table(ending: &str) -> bool {
    matches!(kind_of_ending(ending), Some(FileKind::Table(_)))
}

/// The format that the name of a file says, and the delimiter that it says: tabs in `.tsv` and `.tab`, bars in `.psv`.
/// Endings of compressed files are passed over: `visits.tsv.gz` is CSV with tabs.
pub(crate) fn named_format(name: &str) -> (Option<Format>, Option<u8>) {
    let lower = name.to_lowercase();
    let bare = without_compression(&lower);
    let ending = bare.rsplit(['.', '/', '\\']).next().unwrap_or_default();
    let format = match kind_of_ending(ending) {
        Some(FileKind::Table(format)) => Some(format),
        _ => None,
    };
    let delimiter = match ending {
        "tsv" | "tab" => Some(b'\t'),
        "psv" => Some(b'|'),
        _ => None,
    };
    (format, delimiter)
}

/// Whether the ending of a table stands anywhere in a name, as in `visits.csv.bak`. That of any text says nothing.
pub(super) fn has_the_name_of_a_table(name: &str) -> bool {
    let lower = name.to_lowercase();
    let tables = FORMATS.iter().filter(|format| matches!(format.kind, FileKind::Table(_)));
    let mut endings = tables.flat_map(|format| format.endings).filter(|ending| **ending != "txt");
    endings.any(|ending| lower.contains(&format!(".{ending}")))
}

/// Whether files with this ending (without the dot, in lower case) are exports, compressed or not, or workbooks.
pub(crate) fn is_ending_of_an_export(ending: &str) -> bool {
    kind_of_ending(ending).is_some() || FOREIGN_ENDINGS.contains(&ending)
}

/// Whether a file begins as Parquet, compressed files and workbooks do. CSV, like all text, does not show.
pub(crate) fn begins_like_an_export(bytes: &[u8]) -> bool {
    match kind_of_bytes(&bytes[..bytes.len().min(HEAD)]) {
        // A table of TOML may look like a list of JSON.
        Some(FileKind::Container(container)) => !container.is_text(),
        kind => kind.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_named_by_the_ending_below_those_of_compression() {
        assert_eq!(named_format("v/Visits.CSV"), (Some(Format::Csv), None));
        assert_eq!(named_format("visits.tsv.gz"), (Some(Format::Csv), Some(b'\t')));
        assert_eq!(named_format("visits.PSV"), (Some(Format::Csv), Some(b'|')));
        assert_eq!(named_format("part-0.snappy.parquet"), (Some(Format::Parquet), None));
        assert_eq!(named_format("visits.xlsx"), (None, None));
        assert_eq!(named_format("v.csv/part-0.zst"), (None, None));
    }

    #[test]
    fn first_bytes_tell_all_but_text() {
        assert_eq!(kind_of_bytes(b"PARE...."), Some(FileKind::Table(Format::Parquet)));
        assert_eq!(kind_of_bytes(b"\x1f\x8b\x08"), Some(FileKind::Compressed(Compression::Gzip)));
        assert_eq!(kind_of_bytes(b"PK\x03\x04"), Some(FileKind::Container(Container::Zip)));
        assert_eq!(kind_of_bytes(b"visit_id"), None);
        assert_eq!(kind_of_bytes(b""), None);
    }
}
