//! Whether somebody has given an export in place of the job file.

use std::path::Path;

/// Endings of exports, as they are or packed.
const ENDINGS: [&str; 10] = ["csv", "tsv", "tab", "txt", "parquet", "gz", "zst", "zip", "xlsx", "xls"];

/// Whether a file is an export and no job file, whatever it is called.
pub(super) fn is_export(path: &Path, bytes: &[u8]) -> bool {
    // Parquet, gzip, zstd, workbooks.
    const MAGIC: [&[u8]; 5] = [b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"];
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ending == "toml" {
        return false;
    }
    if MAGIC.iter().any(|magic| bytes.starts_with(magic)) {
        return true;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = bytes.split(|b| matches!(b, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
    let line = line.unwrap_or_default().trim_ascii();
    // Excel's first line for the delimiter is no key.
    let is_separator = line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=");
    let is_toml = line.starts_with(b"#") || line.starts_with(b"[") || line.contains(&b'=') && !is_separator;
    let is_table = line.iter().any(|b| matches!(b, b',' | b';' | b'\t' | b'|'));
    !is_toml && (is_table || ENDINGS.contains(&ending.as_str()) && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exports_are_told_from_job_files() {
        let is = |name: &str, text: &str| is_export(Path::new(name), text.as_bytes());
        assert!(is("visits.csv", "visit_id,store\nV1,1\n") && is("job", "\n\"a\";\"b\"\n"));
        assert!(is("v.csv", "sep=;\r\na;b\r\n") && !is("job.txt", "\u{feff}[visits]\n"));
        assert!(is("v.csv", "only_one\nV1\n") && is("v.parquet", "PAR1"));
        assert!(!is("job.toml", "a,b") && !is("job.txt", "# a job, of mine\nname = \"x\""));
        assert!(!is("job.conf", "[visits]\npath = \"a,b\"") && !is("job.csv", "name = \"a,b\"") && !is("x.csv", ""));
    }
}
