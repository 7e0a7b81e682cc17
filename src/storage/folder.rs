//! A folder that files are written to, on this machine or in object storage. What is written is its owner's alone.

use super::address::Address;
use super::cloud::Bucket;
use crate::owned_file::PRIVATE;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A folder, wherever it lies. It need not be there.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// As it was named, without slashes at its end.
    name: String,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Local(PathBuf),
    Remote {
        bucket: Bucket,
        /// What the keys of its objects begin with: empty, or ending in a slash.
        prefix: String,
    },
}

/// A file that is being written. It is in its folder once it is put there.
#[derive(Debug)]
pub(crate) struct NewFile {
    name: String,
    kept: KeptIn,
}

#[derive(Debug)]
enum KeptIn {
    Folder(File),
    /// What goes to object storage waits here until it is complete.
    Temporary(NamedTempFile),
}

impl NewFile {
    /// To be written to.
    pub(crate) fn file(&self) -> &File {
        match &self.kept {
            KeptIn::Folder(file) => file,
            KeptIn::Temporary(file) => file.as_file(),
        }
    }

    /// What it is called in its folder.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl Folder {
    /// The folder of this name; a relative path starts from `base_dir`. Nothing is asked of object storage yet.
    ///
    /// # Errors
    /// Where the address or the settings of object storage cannot be used.
    pub(crate) fn named(name: &str, base_dir: &Path) -> io::Result<Folder> {
        let shorter = name.trim_end_matches('/');
        let short = if shorter.is_empty() { name } else { shorter };
        let place = match Address::parse(name) {
            None => Place::Local(base_dir.join(name)),
            Some(address) => {
                let address = address?;
                let key = address.key.trim_matches('/');
                let prefix = if key.is_empty() { String::new() } else { format!("{key}/") };
                Place::Remote { bucket: Bucket::open(&address)?, prefix }
            }
        };
        Ok(Folder { name: Address::shown(short), place })
    }

    /// As it is shown.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The names of everything in it and below, with slashes between; none where it is not there.
    ///
    /// # Errors
    /// Where it cannot be looked into, or is no folder.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        match &self.place {
            Place::Local(path) => local_names(path, "", &mut names)?,
            Place::Remote { bucket, prefix } => {
                let objects = bucket.below(prefix.trim_end_matches('/'))?;
                names.extend(
                    objects.iter().filter_map(|object| object.key().strip_prefix(prefix.as_str())).map(str::to_owned),
                );
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The content of a small file of it; `None` where there is no such file.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    pub(crate) fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match &self.place {
            Place::Local(path) => match std::fs::read(path.join(name)) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
                read => read.map(Some),
            },
            Place::Remote { bucket, prefix } => match bucket.find(&format!("{prefix}{name}"))? {
                None => Ok(None),
                Some(object) => {
                    let mut content = Vec::new();
                    super::cloud::ObjectReader::new(object).read_to_end(&mut content)?;
                    Ok(Some(content))
                }
            },
        }
    }

    /// Makes the folder, where that is needed.
    ///
    /// # Errors
    /// Where it cannot be made.
    pub(crate) fn make(&self) -> io::Result<()> {
        let Place::Local(path) = &self.place else { return Ok(()) };
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(path)
    }

    /// Begins a file. `temporary`: where what goes to object storage waits.
    ///
    /// # Errors
    /// Where it cannot be created, and where it is there already.
    pub(crate) fn begin(&self, name: String, temporary: &Path) -> io::Result<NewFile> {
        let kept = match &self.place {
            Place::Remote { .. } => KeptIn::Temporary(NamedTempFile::new_in(temporary)?),
            Place::Local(path) => {
                let mut options = File::options();
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
                KeptIn::Folder(options.write(true).create_new(true).open(path.join(&name))?)
            }
        };
        Ok(NewFile { name, kept })
    }

    /// Puts a file that is complete into the folder, and onto its disk.
    ///
    /// # Errors
    /// Where the disk is full, or object storage does not take it.
    pub(crate) fn put(&self, file: NewFile) -> io::Result<()> {
        match (file.kept, &self.place) {
            (KeptIn::Temporary(kept), Place::Remote { bucket, prefix }) => {
                Ok(bucket.put(&format!("{prefix}{}", file.name), kept.reopen()?)?)
            }
            (KeptIn::Temporary(kept), Place::Local(_)) => kept.as_file().sync_all(),
            (KeptIn::Folder(kept), _) => kept.sync_all(),
        }
    }

    /// Removes a file.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        match &self.place {
            Place::Local(path) => std::fs::remove_file(path.join(name)),
            Place::Remote { bucket, prefix } => Ok(bucket.remove(&format!("{prefix}{name}"))?),
        }
    }
}

fn local_names(folder: &Path, below: &str, names: &mut Vec<String>) -> io::Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            local_names(&entry.path(), &format!("{name}/"), names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}
