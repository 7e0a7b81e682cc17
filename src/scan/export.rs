//! An export as a whole: its files found and opened, and their columns looked for, before a row is read.

use super::batches::Batches;
use super::columns::{check_columns, columns};
use super::discover::find;
use super::error::ScanError;
use super::file::ExportFile;
use super::formats::Format;
use super::open_file::open_file;
use super::parquet;
use super::remarks::Remarks;
use super::source::Source;
use std::path::{Path, PathBuf};

/// An export whose files are there and have the columns that the job names.
#[derive(Debug)]
pub(crate) struct Export {
    source: Source,
    files: Vec<ExportFile>,
    remarks: Remarks,
}

impl Export {
    /// Finds the files and reads their headers.
    ///
    /// # Errors
    /// Where a path is missing, a file is not of the format that it is taken for, or no file has a wanted column.
    pub(crate) fn open(source: Source) -> Result<Export, ScanError> {
        let mut files = Vec::new();
        let mut remarks = Remarks::default();
        for found in find(&source.paths, &source.base_dir)? {
            files.push(open_file(found, &source)?);
        }
        let are_all_empty = files.iter().all(|file: &ExportFile| file.header.is_empty());
        if let Some(first) =
            files.first().filter(|first| are_all_empty && (files.len() > 1 || first.format == Format::Csv))
        {
            return Err(ScanError::Empty { file: first.name.to_string() });
        }
        for file in files.iter().filter(|file| file.header.is_empty() && file.format == Format::Csv) {
            remarks
                .warnings
                .push(format!("{} is empty: it has no header line and no rows; is its export complete?", file.name));
        }
        remarks.add(check_columns(&source, &files)?);
        Ok(Export { source, files, remarks })
    }

    /// What opening has shown: files that are empty, or that lack a column that others have.
    pub(crate) fn remarks(&self) -> &Remarks {
        &self.remarks
    }

    /// Whether both exports consist of the same files: one flat export with a row per scene.
    pub(crate) fn has_the_files_of(&self, other: &Export) -> bool {
        let identities =
            |export: &Export| -> Vec<PathBuf> { export.files.iter().map(|file| file.data.identity()).collect() };
        !self.files.is_empty() && identities(self) == identities(other)
    }

    /// Where to open the files, in order: local paths start with [`Source::base_dir`].
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.data.path())
    }

    /// The names of the files, in order: as the job gives them, and as [`Location::file`](super::Location::file) has
    /// them.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| &*file.name)
    }

    /// The names of files that share no column with any other file: notes, lists and other things beside an export.
    pub(crate) fn strays(&self) -> Vec<String> {
        let with_rows: Vec<&ExportFile> = self.files.iter().filter(|file| !file.header.is_empty()).collect();
        let shares = |one: &ExportFile, other: &ExportFile| one.header.iter().any(|name| other.header.contains(name));
        let is_stray = |file: &&&ExportFile| {
            // Of two files either may be the stray one; a table has more than one column.
            let is_odd = with_rows.len() > 2 || with_rows.len() == 2 && file.header.len() == 1;
            is_odd && !with_rows.iter().any(|other| other.name != file.name && shares(file, other))
        };
        let strays = with_rows.iter().filter(is_stray).map(|file| file.name.to_string()).collect::<Vec<_>>();
        // Where no two files share a column, none of them is the odd one.
        if strays.len() == with_rows.len() { Vec::new() } else { strays }
    }

    /// The columns of all files, each once. Those that folders add stand behind each file's own.
    pub(crate) fn columns(&self) -> Vec<String> {
        columns(&self.files)
    }

    /// The columns that cannot be read, each with the reason: the file has its name twice, or its type is neither text,
    /// number nor time.
    ///
    /// # Errors
    /// Where the schema of a Parquet file can no longer be read.
    pub(crate) fn unusable_columns(&self) -> Result<Vec<(String, String)>, ScanError> {
        let mut unusable: Vec<(String, String)> = Vec::new();
        let mut add = |name: &String, why: String| {
            if !unusable.iter().any(|(known, _)| known == name) {
                unusable.push((name.clone(), why));
            }
        };
        for file in &self.files {
            for (at, name) in file.header.iter().enumerate() {
                if file.header[..at].contains(name) {
                    add(name, "the header has it more than once".to_owned());
                }
            }
            if file.format == Format::Parquet {
                for (name, kind) in parquet::unusable(file)? {
                    add(&name, format!("it holds {kind}"));
                }
            }
        }
        Ok(unusable)
    }

    /// How many bytes the mapped columns may fill in memory: a guess from the sizes of the files.
    pub(crate) fn expected_memory(&self) -> u64 {
        self.files.iter().map(ExportFile::expected_memory).sum()
    }

    /// Reads all files, in order.
    pub(crate) fn batches(&self) -> Batches<'_> {
        Batches::new(&self.source, &self.files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Dialect, Frame, Pick};

    fn source(base_dir: PathBuf, column: &str) -> Source {
        Source {
            section: "visits",
            paths: vec!["exports/*/v.csv".to_owned()],
            base_dir,
            format: None,
            dialect: Dialect::default(),
            frame: Frame::default(),
            nulls: Vec::new(),
            trim: true,
            only: Vec::new(),
            picks: vec![Pick::plain("picked", column, true)],
        }
    }

    #[test]
    fn an_export_lies_below_the_base_folder_and_is_named_without_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let base_dir = folder.path().join("region=North");
        let path = base_dir.join("exports/day=2/v.csv");
        std::fs::create_dir_all(path.parent().expect("inside")).expect("a folder");
        std::fs::write(&path, "id\nV1\n").expect("a file");

        let export = Export::open(source(base_dir.clone(), "day")).expect("readable");
        assert_eq!(export.paths().collect::<Vec<_>>(), [path]);
        assert_eq!(export.names().collect::<Vec<_>>(), ["exports/day=2/v.csv"]);
        let rows = export.batches().next().expect("a batch").expect("readable");
        assert_eq!(rows.location(0).to_string(), "exports/day=2/v.csv:2");
        assert_eq!(rows.text(0, 0), "2");

        // Folders of the base folder are not part of the path that the job gives.
        assert_eq!(export.columns(), ["id", "day"]);
        let error = Export::open(source(base_dir, "region")).expect_err("no such column").to_string();
        assert!(error.contains("no column \"region\" in exports/day=2/v.csv"), "{error}");
    }
}
