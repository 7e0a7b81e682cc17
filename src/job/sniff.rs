//! Whether an export was given in place of the job file.

use crate::scan::{begins_like_an_export, is_ending_of_an_export};
use std::path::Path;

/// Whether a file is an export and not a job file, by its name and content.
pub(super) fn is_export(path: &Path, bytes: &[u8]) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    if ending == "toml" {
        return false;
    }
    if begins_like_an_export(bytes) {
        return true;
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let line = bytes.split(|b| matches!(b, b'\n' | b'\r')).find(|line| !line.trim_ascii().is_empty());
    let line = line.unwrap_or_default().trim_ascii();
    // Excel's first line, which names the delimiter, is not a key.
    let is_separator = line.len() == 5 && line[..4].eq_ignore_ascii_case(b"sep=");
    let is_toml = line.starts_with(b"#") || line.starts_with(b"[") || line.contains(&b'=') && !is_separator;
    let is_table = line.iter().any(|b| matches!(b, b',' | b';' | b'\t' | b'|'));
    !is_toml && (is_table || is_ending_of_an_export(&ending) && !line.is_empty())
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
