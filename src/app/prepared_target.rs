//! The folder that `prepare` writes: whether it may be written to, and how that begins.

use super::prepared_error::PreparedError;
use super::{AppError, Context};
use crate::host;
use crate::prepared::{PART_ENDING, PART_START, SUCCESS, Writer};
use crate::storage::{Address, Folder};
use std::io::{self, ErrorKind};

/// A folder that may be written to.
pub(super) struct Target {
    folder: Folder,
    /// What an earlier call has left there.
    older: Vec<String>,
}

impl Target {
    /// Refuses a folder that is not to be replaced. Nothing is changed yet.
    pub(super) fn new(cx: &Context, name: &str, overwrite: bool) -> Result<Target, AppError> {
        let unreadable = |source| PreparedError::unreadable(name, source);
        if is_like_an_address(name) {
            return Err(PreparedError::Address { folder: name.to_owned() }.into());
        }
        let folder = Folder::named(name, &cx.base_dir).map_err(unreadable)?;
        let older = folder.names().map_err(unreadable)?;
        let is_ours = |name: &String| name == SUCCESS || name.starts_with(PART_START) && name.ends_with(PART_ENDING);
        // What the system of somebody's machine leaves there, such as .DS_Store, is not asked about and stays.
        let older: Vec<String> = older.into_iter().filter(|name| !name.starts_with('.')).collect();
        if !older.is_empty() && !overwrite {
            let is_unfinished = older.iter().all(is_ours) && !older.iter().any(|name| name == SUCCESS);
            let folder = folder.name().to_owned();
            return Err(match is_unfinished {
                true => PreparedError::Unfinished { folder },
                false => PreparedError::IsThere { folder },
            }
            .into());
        }
        if let Some(foreign) = older.iter().find(|name| !is_ours(name)) {
            let (folder, name) = (folder.name().to_owned(), foreign.clone());
            return Err(PreparedError::Foreign { folder, name }.into());
        }
        Ok(Target { folder, older })
    }

    pub(super) fn name(&self) -> &str {
        self.folder.name()
    }

    /// Clears the folder and begins to write. From here on it is not complete until it is sealed.
    pub(super) fn writer(&self) -> Result<Writer, AppError> {
        let clear = || {
            // First what says that it is complete, which sorts before the files.
            for name in &self.older {
                match self.folder.remove(name) {
                    Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                    _ => {}
                }
            }
            self.folder.make()
        };
        clear().map_err(|source| self.unwritten(source))?;
        Ok(Writer::new(self.folder.clone(), host::temporary_folder().to_owned()))
    }

    pub(super) fn unwritten(&self, source: io::Error) -> AppError {
        match source.kind() {
            ErrorKind::AlreadyExists => PreparedError::Taken { folder: self.name().to_owned() }.into(),
            _ => PreparedError::unwritten(self.name(), source).into(),
        }
    }
}

/// Whether a name is meant for object storage, and says so in a way that nobody knows: `http://…`, `s3:/bucket`.
fn is_like_an_address(name: &str) -> bool {
    let scheme = name.split_once(":/").map(|(scheme, _)| scheme);
    let is_scheme = |scheme: &str| scheme.len() > 1 && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric());
    scheme.is_some_and(is_scheme) && !Address::is_remote(name)
}
