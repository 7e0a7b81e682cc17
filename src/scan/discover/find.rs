//! The files of a list of paths, wherever they lie.

use super::found::Findings;
use super::{local, objects};
use crate::scan::error::ScanError;
use crate::storage::Address;
use std::collections::HashSet;
use std::path::Path;

/// The files of a list of paths, each a file, a folder or a glob. Relative local paths start from `base_dir`. The list
/// keeps its order. Folders and globs are read in name order. A file that is named twice is read once. `any_ending`:
/// whether the job says the format, so that files in folders may end in anything.
///
/// # Errors
/// Where a path is not there or may not be read, and where a pattern is invalid or matches nothing.
pub(in crate::scan) fn find(paths: &[String], base_dir: &Path, any_ending: bool) -> Result<Findings, ScanError> {
    let mut found = Findings::new(any_ending);
    for path in paths {
        match Address::parse(path) {
            Some(address) => objects::find(path, address, &mut found)?,
            None => local::find(path, base_dir, &mut found)?,
        }
    }
    // A file that the job names too is not left out where a folder has it.
    let mut seen = HashSet::new();
    found.files.retain(|file| seen.insert(file.data.identity()));
    found.left_out.retain(|(_, file)| seen.insert(file.data.identity()));
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use glob::Pattern;

    fn write(folder: &Path, names: &[&str]) {
        for name in names {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
            std::fs::write(path, "").expect("a file");
        }
    }

    #[test]
    fn folders_are_read_in_name_order_without_hidden_names() {
        let folder = tempfile::tempdir().expect("a folder");
        write(
            folder.path(),
            &["b/part-1.csv", "a.csv", "b/part-0.csv", "_SUCCESS", ".a.csv.crc", "b/_temporary/x.csv"],
        );
        write(folder.path(), &["_landing/v.csv", "_landing/_committed_1"]);
        let root = folder.path().display().to_string();
        let find = |paths: &[String]| find(paths, Path::new(""), false).map(|found| found.files);
        let names = |path: String| -> Vec<String> {
            let found = find(&[path]).expect("found");
            found.iter().map(|file| file.name.replace(&root, "")).collect()
        };
        assert_eq!(names(root.clone()), ["/a.csv", "/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/**")), ["/a.csv", "/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/*/**")), ["/b/part-0.csv", "/b/part-1.csv"]);
        assert_eq!(names(format!("{root}/_landing/**")), ["/_landing/v.csv"]);
        assert!(matches!(find(&[format!("{root}/c/**")]), Err(ScanError::NothingMatches { .. })));
        assert_eq!(names(format!("{root}/*/part-*.csv")), ["/b/part-0.csv", "/b/part-1.csv"]);
        let both = [format!("{root}/b/part-1.csv"), format!("{root}/b")];
        let found = find(&both).expect("found");
        assert_eq!(found.len(), 2, "a file named twice is read once");
        assert!(matches!(find(&[format!("{root}/*.tsv")]), Err(ScanError::NothingMatches { .. })));
    }

    #[test]
    fn paths_start_from_the_base_folder_and_names_stay_as_the_job_gives_them() {
        let folder = tempfile::tempdir().expect("a folder");
        // What is special in a pattern, and what is hidden, is neither in the name of the base folder.
        let base_dir = folder.path().join("_jobs [1]*");
        write(&base_dir, &["v/day=1/b.csv", "v/day=1/a.csv", "v/_SUCCESS", "w/c.csv"]);
        let names = |path: &str, base_dir: &Path| -> Vec<String> {
            let found = find(&[path.to_owned()], base_dir, false).expect("found").files;
            assert!(found.iter().all(|file| file.data.path() == base_dir.join(&file.given)));
            found.into_iter().map(|file| file.name).collect()
        };
        for base_dir in [base_dir.clone(), base_dir.join("."), folder.path().join("./_jobs [1]*/")] {
            assert_eq!(names("w/c.csv", &base_dir), ["w/c.csv"]);
            assert_eq!(names("./w/c.csv", &base_dir), ["./w/c.csv"]);
            assert_eq!(names("v", &base_dir), ["v/day=1/a.csv", "v/day=1/b.csv"]);
            assert_eq!(names("v/*/*.csv", &base_dir), ["v/day=1/a.csv", "v/day=1/b.csv"]);
            assert_eq!(names("v/**", &base_dir), ["v/day=1/a.csv", "v/day=1/b.csv"]);
            assert_eq!(names("*", &base_dir), ["v/day=1/a.csv", "v/day=1/b.csv", "w/c.csv"]);
            assert_eq!(names("v/../w/*.csv", &base_dir), ["v/../w/c.csv"]);
        }
        let absolute = base_dir.join("w/c.csv").display().to_string();
        assert_eq!(names(&absolute, Path::new("elsewhere")), [absolute.as_str()]);
        let pattern = format!("{}/w/*.csv", Pattern::escape(&base_dir.display().to_string()));
        assert_eq!(names(&pattern, Path::new("elsewhere")), [absolute.as_str()]);
    }

    #[test]
    fn messages_do_not_name_the_base_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        let says =
            |path: &str| find(&[path.to_owned()], folder.path(), false).expect_err("nothing is there").to_string();
        let paths = [("v.csv", "cannot open v.csv: "), ("*.csv", "no file matches *.csv;"), ("a[", "position 1: ")];
        for (path, start) in paths {
            let text = says(path);
            assert!(text.contains(start) && !text.contains(&folder.path().display().to_string()), "{text}");
        }
    }
}
