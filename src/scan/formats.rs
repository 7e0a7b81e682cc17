//! The one table of file formats: how files of each are called, and which bytes they begin with.
//!
//! To read one more compressed format, add a variant to [`Compression`] and its row to [`FORMATS`]. The compiler then
//! asks for its decoder in `unpack`.

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
    /// An Excel workbook. An .xlsx file is a zip archive, and any other zip archive counts as a workbook too.
    Workbook,
}

struct KnownFormat {
    kind: FileKind,
    /// What stands behind the last dot of a file's name, in lower case.
    endings: &'static [&'static str],
    /// What a file begins with, if it does not begin like any text.
    first_bytes: &'static [&'static [u8]],
}

const FORMATS: [KnownFormat; 5] = [
    KnownFormat { kind: FileKind::Table(Format::Csv), endings: &["csv", "tsv", "tab", "txt"], first_bytes: &[] },
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
    KnownFormat {
        kind: FileKind::Workbook,
        endings: &["xlsx", "xls", "zip"],
        // Zip, which .xlsx files are, and Microsoft's compound file, which .xls files are.
        first_bytes: &[b"PK\x03\x04", b"\xd0\xcf\x11\xe0"],
    },
];

/// As many bytes of a file as [`kind_of_bytes`] looks at, and a few more.
pub(super) const HEAD: usize = 8;

/// The kind of a file that begins with `head`. `None`: nothing known; CSV is, as all text.
pub(super) fn kind_of_bytes(head: &[u8]) -> Option<FileKind> {
    let begins = |format: &&KnownFormat| format.first_bytes.iter().any(|bytes| head.starts_with(bytes));
    FORMATS.iter().find(begins).map(|format| format.kind)
}

fn kind_of_ending(ending: &str) -> Option<FileKind> {
    FORMATS.iter().find(|format| format.endings.contains(&ending)).map(|format| format.kind)
}

/// The format that the name of a file says, and whether it says that tabs separate the cells. Endings of compressed
/// files are passed over: `visits.tsv.gz` is CSV with tabs.
pub(super) fn named_format(name: &str) -> (Option<Format>, bool) {
    let lower = name.to_lowercase();
    let mut bare = lower.as_str();
    while let Some((rest, ending)) = bare.rsplit_once('.')
        && matches!(kind_of_ending(ending), Some(FileKind::Compressed(_)))
    {
        bare = rest;
    }
    let ending = bare.rsplit(['.', '/', '\\']).next().unwrap_or_default();
    let format = match kind_of_ending(ending) {
        Some(FileKind::Table(format)) => Some(format),
        _ => None,
    };
    (format, bare.ends_with(".tsv") || bare.ends_with(".tab"))
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
    kind_of_ending(ending).is_some()
}

/// Whether a file begins as Parquet, compressed files and workbooks do. CSV, like all text, does not show.
pub(crate) fn begins_like_an_export(bytes: &[u8]) -> bool {
    kind_of_bytes(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_named_by_the_ending_below_those_of_compression() {
        assert_eq!(named_format("v/Visits.CSV"), (Some(Format::Csv), false));
        assert_eq!(named_format("visits.tsv.gz"), (Some(Format::Csv), true));
        assert_eq!(named_format("part-0.snappy.parquet"), (Some(Format::Parquet), false));
        assert_eq!(named_format("visits.xlsx"), (None, false));
        assert_eq!(named_format("v.csv/part-0.zst"), (None, false));
    }

    #[test]
    fn first_bytes_tell_all_but_text() {
        assert_eq!(kind_of_bytes(b"PARE...."), Some(FileKind::Table(Format::Parquet)));
        assert_eq!(kind_of_bytes(b"\x1f\x8b\x08"), Some(FileKind::Compressed(Compression::Gzip)));
        assert_eq!(kind_of_bytes(b"PK\x03\x04"), Some(FileKind::Workbook));
        assert_eq!(kind_of_bytes(b"visit_id"), None);
        assert_eq!(kind_of_bytes(b""), None);
    }
}
