//! An export as a whole: its files found and opened, and their columns looked for, before a row is read.

use super::batches::Batches;
use super::columns::{check_columns, columns};
use super::discover::{FoundFile, LeftOut, find};
use super::error::ScanError;
use super::file::ExportFile;
use super::formats::Format;
use super::open_file::open_file;
use super::remarks::Remarks;
use super::source::Source;
use super::{left_out, parquet};
use crate::storage::{DataFile, Input, Spool, Stamp, StorageError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// An export whose files are there and have the columns that the job names.
#[derive(Debug)]
pub(crate) struct Export {
    source: Source,
    files: Vec<ExportFile>,
    remarks: Remarks,
    opened: SystemTime,
}

/// A local file as it was opened, for a last look at it before anything is sent.
#[derive(Debug)]
pub(crate) struct ReadFile {
    pub(crate) name: String,
    data: DataFile,
    stamp: Stamp,
    settle: Duration,
    opened: SystemTime,
}

impl ReadFile {
    /// How long it has to rest until nothing is left to wait for: since it was changed, or since it was opened where it
    /// claims to have been changed later.
    pub(crate) fn must_rest(&self, now: SystemTime) -> Duration {
        let changed = self.stamp.modified().unwrap_or(SystemTime::UNIX_EPOCH).min(self.opened);
        self.settle.saturating_sub(now.duration_since(changed).unwrap_or_default())
    }

    /// Whether it is no longer as it was opened.
    pub(crate) fn has_changed(&self) -> bool {
        !self.data.stamp().is_ok_and(|now| now.same_content(&self.stamp))
    }
}

impl Export {
    /// Finds the files and reads their headers.
    ///
    /// # Errors
    /// Where a path is missing, a file is not of the format that it is taken for, or no file has a wanted column.
    pub(crate) fn open(source: Source) -> Result<Export, ScanError> {
        let found = find(&source.paths, &source.base_dir, source.format.is_some())?;
        let mut left_out: Vec<_> = found.left_out.into_iter().map(|(why, file)| (why, file.name)).collect();
        let mut files = Vec::new();
        for file in found.files {
            let name = file.name.clone();
            match open_file(file, &source)? {
                Some(file) => files.push(file),
                None => left_out.push((LeftOut::Other, name)),
            }
        }
        Export::of_files(source, files, left_out::remarks(&left_out))
    }

    /// The export that a command has written.
    ///
    /// # Errors
    /// Where it is not CSV, or lacks a wanted column.
    pub(crate) fn open_output(source: Source, output: Arc<Spool>) -> Result<Export, ScanError> {
        let name = PathBuf::from(format!("{} command", source.section));
        let file = open_file(FoundFile::new(DataFile::Output(output, name.clone()), name), &source)?;
        Export::of_files(source, file.into_iter().collect(), Remarks::default())
    }

    fn of_files(source: Source, mut files: Vec<ExportFile>, mut remarks: Remarks) -> Result<Export, ScanError> {
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
        remarks.add(check_columns(&source, &mut files)?);
        Ok(Export { source, files, remarks, opened: SystemTime::now() })
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

    /// Where to open the files, in order: local paths start with [`Source::base_dir`]. What a command wrote has none.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().filter(|file| !file.is_output()).map(|file| file.data.path())
    }

    /// The local files as they were opened, but for those that need not rest.
    pub(crate) fn read_files(&self) -> impl Iterator<Item = ReadFile> {
        let settle = self.source.settle;
        let is_local = move |file: &&ExportFile| matches!(file.data, DataFile::Local(_)) && !settle.is_zero();
        self.files.iter().filter(is_local).map(move |file| ReadFile {
            name: file.name.to_string(),
            data: file.data.clone(),
            stamp: file.stamp.clone(),
            settle,
            opened: self.opened,
        })
    }

    /// The names of the files, in order, and their state as they were opened.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Stamp)> {
        self.files.iter().map(|file| (&*file.name, &file.stamp))
    }

    /// The files opened one after the other, as bytes, each with its name. A file that is not the one that was found is an
    /// error.
    pub(crate) fn open_files(&self) -> impl Iterator<Item = (&str, io::Result<Input>)> {
        self.files.iter().map(|file| {
            let opened = file.data.open().and_then(|(input, stamp)| match stamp.same_content(&file.stamp) {
                true => Ok(input),
                false => Err(StorageError::Changed.into()),
            });
            (&*file.name, opened)
        })
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
            command: None,
            settle: std::time::Duration::ZERO,
            mandatory: Vec::new(),
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
