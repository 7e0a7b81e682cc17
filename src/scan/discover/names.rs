//! What the name of a file in a folder says of it: data, something beside data, or a file that is still being copied.
//!
//! It knows names only. A file that the job names itself is data, whatever it is called.

use crate::scan::formats::{is_ending_of_a_table, without_compression};

/// What the name of a file in a folder says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameKind {
    /// An export, by its ending.
    Data,
    /// There is no ending: what it is shows in its first bytes.
    Bare,
    /// Something that lies beside data and is none: a checksum, a log, a note.
    Aside,
    /// An older version of a file, as editors and people keep it.
    Backup,
    /// A file that is still being copied, as those who copy name it until they are done.
    Unfinished,
    /// Anything else.
    Other,
}

const CHECKSUMS: [&str; 22] = [
    "crc",
    "crc32",
    "cksum",
    "checksum",
    "sfv",
    "md5",
    "md5sum",
    "md5sums",
    "sha1",
    "sha1sum",
    "sha224",
    "sha256",
    "sha256sum",
    "sha256sums",
    "sha384",
    "sha512",
    "sha512sum",
    "b2sum",
    "blake3",
    "asc",
    "sig",
    "minisig",
];
/// Names without their ending, which may be one of a text.
const CHECKSUM_FILES: [&str; 10] = [
    "checksum",
    "checksums",
    "md5sum",
    "md5sums",
    "sha1sum",
    "sha1sums",
    "sha256sum",
    "sha256sums",
    "sha512sum",
    "sha512sums",
];
const BACKUPS: [&str; 3] = ["bak", "orig", "old"];
/// FTP clients, browsers, Hadoop, and programs that rename a file once it is whole.
const UNFINISHED: [&str; 17] = [
    "part",
    "partial",
    "filepart",
    "crdownload",
    "download",
    "opdownload",
    "tmp",
    "temp",
    "_copying_",
    "incomplete",
    "inprogress",
    "in-progress",
    "uploading",
    "upload",
    "writing",
    "aria2",
    "gstmp",
];

/// What the name of a file says. `any_ending`: whether the job says the format, so that any other ending is that of data.
pub(super) fn kind_of_name(name: &str, any_ending: bool) -> NameKind {
    let lower = name.to_lowercase();
    if lower.ends_with('~') || lower.starts_with("~$") {
        return NameKind::Backup;
    }
    let bare = without_compression(&lower);
    // The last ending of the whole name, and the one below those of compression: `visits.csv.gz.part`, `visits.bak.gz`.
    let endings = [ending(&lower), ending(bare)];
    let is_one_of = |known: &[&str]| endings.iter().flatten().any(|ending| known.contains(ending));
    if is_one_of(&UNFINISHED) {
        return NameKind::Unfinished;
    }
    if is_one_of(&BACKUPS) {
        return NameKind::Backup;
    }
    if is_one_of(&CHECKSUMS) || is_checksum_file(&lower) || is_log(bare) || is_note(&lower) {
        return NameKind::Aside;
    }
    match ending(bare) {
        None => NameKind::Bare,
        Some(ending) if any_ending || is_ending_of_a_table(ending) => NameKind::Data,
        Some(_) => NameKind::Other,
    }
}

/// Whether a pattern says how the names that it matches end, as `*.dat` and `*.dat.gz` do. Such a file is named by the job.
pub(super) fn names_the_ending(pattern: &str) -> bool {
    let last = pattern.rsplit('/').next().unwrap_or_default();
    let tail = last.rsplit(['*', '?', ']']).next().unwrap_or_default().to_lowercase();
    ending(without_compression(&tail)).is_some()
}

fn ending(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, ending)| ending).filter(|ending| !ending.is_empty())
}

/// `SHA256SUMS`, `md5sums.txt` and the like.
fn is_checksum_file(name: &str) -> bool {
    let stem = name.strip_suffix(".txt").unwrap_or(name);
    CHECKSUM_FILES.contains(&stem)
}

/// `import.log`, also as the programs that rotate logs number and date them.
fn is_log(name: &str) -> bool {
    let is_number = |ending: &str| ending.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'_');
    match name.rsplit_once('.') {
        Some((_, "log")) => true,
        Some((rest, ending)) if is_number(ending) => rest.ends_with(".log"),
        _ => false,
    }
}

fn is_note(name: &str) -> bool {
    ["thumbs.db", "ehthumbs.db", "desktop.ini"].contains(&name) || name.ends_with(".md")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn all(kind: NameKind, names: &[&str]) {
        for name in names {
            assert_eq!(kind_of_name(name, false), kind, "{name}");
        }
    }

    #[test]
    fn a_name_tells_what_lies_beside_data() {
        let data = ["v.csv", "V.CSV.GZ", "v.tsv.zst", "v.tab", "v.psv", "v.TXT", "v.pq", "v.parq", "v.snappy.parquet"];
        all(NameKind::Data, &data);
        all(NameKind::Bare, &["part-00000", "000000_0", "000000_0.gz", "v."]);
        all(NameKind::Aside, &["v.csv.md5", "v.csv.SHA256", "SHA256SUMS", "MD5SUMS.txt", "v.csv.gz.asc", "v.csv.crc"]);
        all(NameKind::Aside, &["import.log", "import.log.gz", "import.log.1", "Thumbs.db", "Desktop.ini", "README.md"]);
        all(NameKind::Backup, &["v.csv~", "v.csv.bak", "v.ORIG", "v.csv.old", "v.csv.bak.gz", "~$day3.xlsx"]);
        let copied =
            ["v.csv.part", "v.csv.filepart", "v.crdownload", "v.csv._COPYING_", "v.csv.TMP", "v.csv.gz.partial"];
        all(NameKind::Unfinished, &copied);
        let others =
            ["day3.xlsx", "scenes-2.csv.zip", "notes.docx", "v.dat", "v.csv.1", "v.csv.bz2", "v.tar.gz", "v.json"];
        all(NameKind::Other, &others);
        // The nearest that are data.
        all(
            NameKind::Data,
            &["old.csv", "tmp.csv", "part.csv", "log.csv", "checksum_visits.csv", "v.log.csv", "md.txt"],
        );
    }

    #[test]
    fn where_the_job_says_the_format_any_other_ending_is_data() {
        assert_eq!(kind_of_name("v.dat", true), NameKind::Data);
        assert_eq!(kind_of_name("v.2024-03-05", true), NameKind::Data);
        assert_eq!(kind_of_name("v.dat.part", true), NameKind::Unfinished);
        assert_eq!(kind_of_name("v.dat.md5", true), NameKind::Aside);
    }

    #[test]
    fn a_pattern_may_name_the_ending() {
        assert!(names_the_ending("x/*.dat") && names_the_ending("v[0-9].dat.gz") && names_the_ending("*.dat"));
        assert!(!names_the_ending("x.d/*") && !names_the_ending("visits*") && !names_the_ending("*.gz"));
        assert!(!names_the_ending("v.*") && !names_the_ending("x/**"));
    }
}
