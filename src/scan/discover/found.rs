//! One file of an export, found and not yet opened; and all that a search has found.

use super::names::{NameKind, kind_of_name};
use crate::storage::DataFile;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// A copy that nothing was added to for this long is not under way any more.
const COPYING: Duration = Duration::from_secs(24 * 60 * 60);

/// One file of an export.
#[derive(Clone, Debug)]
pub(in crate::scan) struct FoundFile {
    /// Where to open it.
    pub(in crate::scan) data: DataFile,
    /// The path as the job gives it, with what a folder or a glob adds to it.
    pub(in crate::scan) given: PathBuf,
    /// `given` as text: how messages and results name the file.
    pub(in crate::scan) name: String,
    /// Whether nothing but its first bytes can tell if it is an export: it lies in a folder, and its name has no ending.
    pub(in crate::scan) is_unsure: bool,
}

impl FoundFile {
    pub(in crate::scan) fn new(data: DataFile, given: PathBuf) -> FoundFile {
        FoundFile { data, name: given.display().to_string(), given, is_unsure: false }
    }
}

/// Why a file that was found is left out, where that is worth a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::scan) enum LeftOut {
    /// An older version of another file.
    Backup,
    /// It has the name of a file that is being copied, and was changed within a day.
    Unfinished,
    /// It has such a name, and nobody has changed it for longer.
    Abandoned,
    /// It is no export that can be read.
    Other,
}

/// All that a search has found so far.
#[derive(Debug)]
pub(in crate::scan) struct Findings {
    pub(in crate::scan) files: Vec<FoundFile>,
    pub(in crate::scan) left_out: Vec<(LeftOut, FoundFile)>,
    any_ending: bool,
    now: SystemTime,
}

impl Findings {
    /// Nothing yet. `any_ending`: whether the job says the format, so that any ending may be that of data.
    pub(super) fn new(any_ending: bool) -> Findings {
        Findings { files: Vec::new(), left_out: Vec::new(), any_ending, now: SystemTime::now() }
    }

    /// Adds a file that the job names itself.
    pub(super) fn add_named(&mut self, file: FoundFile) {
        self.files.push(file);
    }

    /// Adds a file that lies in a folder, or that a pattern matches, as what its own name says.
    pub(super) fn add(&mut self, file: FoundFile, modified: Option<SystemTime>) {
        let name = file.given.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let why = match kind_of_name(&name, self.any_ending) {
            NameKind::Aside => return,
            NameKind::Data => return self.files.push(file),
            NameKind::Bare => return self.files.push(FoundFile { is_unsure: !self.any_ending, ..file }),
            NameKind::Backup => LeftOut::Backup,
            NameKind::Unfinished if self.is_recent(modified) => LeftOut::Unfinished,
            NameKind::Unfinished => LeftOut::Abandoned,
            NameKind::Other => LeftOut::Other,
        };
        self.left_out.push((why, file));
    }

    /// Whether a file was changed within a day, or in the future, or nobody knows when.
    fn is_recent(&self, modified: Option<SystemTime>) -> bool {
        let age = modified.map(|modified| self.now.duration_since(modified).unwrap_or_default());
        age.is_none_or(|age| age < COPYING)
    }
}
