//! The file through which runs share their rate: where it is, whose it may be, what is in it.
//!
//! It is in `$XDG_RUNTIME_DIR`, else in `traxload-UID` in the temporary folder, where nobody else may write; its name is a hash over
//! token and address. A lock of the system, which goes with its process, keeps runs apart. Nothing is synced: what a crash of the
//! machine loses is of another boot anyway. It does not know what the number is good for.

use super::gate::Pace;
use super::token::Token;
use std::fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// From this rate on, in requests a second, nothing is shared: it is a test of one's own server (the vendor allows 150), which the
/// file would slow down.
const NO_LIMIT: f64 = 1_000.0;
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const HEADER: &str = "traxload-rate 1";
/// Longer than any record.
const LONGEST: usize = 256;

/// A file that all runs under one token and address have open.
#[derive(Debug)]
pub(crate) struct RateFile {
    file: File,
    path: PathBuf,
    name: String,
    boot: String,
    clock: SharedClock,
}

/// What is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// When the next permit is due.
    pub(super) number: Duration,
    /// Of the fastest run, and when one last had it.
    pub(super) pace: Pace,
    pub(super) pace_at: Duration,
}

#[derive(Debug)]
enum SharedClock {
    /// Since the machine was started; it goes on while the machine sleeps.
    Boot,
    #[cfg(test)]
    Test(tokio::time::Instant),
}

impl RateFile {
    /// The file of this token and address. `None` where the rate is none to share, or where there can be no file.
    pub(crate) fn of(token: &Token, base_url: &str, rate: f64) -> Option<RateFile> {
        if rate >= NO_LIMIT {
            return None;
        }
        let address = reqwest::Url::parse(base_url).map_or_else(|_| base_url.to_owned(), String::from);
        RateFile::open(&token.name_with(&address))
            .inspect_err(|reason| tracing::info!("this run shares its rate with no other one: {reason}"))
            .ok()
    }

    fn open(name: &str) -> Result<RateFile, String> {
        let boot = std::fs::read_to_string(BOOT_ID).map_err(|error| format!("{BOOT_ID}: {error}"))?;
        let boot = boot.trim().to_owned();
        let runtime = match std::env::var_os("XDG_RUNTIME_DIR") {
            Some(folder) if Path::new(&folder).is_absolute() => RateFile::open_in(Path::new(&folder), name),
            _ => Err("XDG_RUNTIME_DIR names no folder".to_owned()),
        };
        let (file, path) = runtime.or_else(|reason| {
            let folder = std::env::temp_dir().join(format!("traxload-{}", rustix::process::geteuid().as_raw()));
            // Whether it is there now, and ours, shows when it is looked at.
            let _ = DirBuilder::new().mode(0o700).create(&folder);
            RateFile::open_in(&folder, name).map_err(|other| format!("{reason}; {other}"))
        })?;
        Ok(RateFile { file, path, name: name.to_owned(), boot, clock: SharedClock::Boot })
    }

    /// In a folder and by the clock of a test.
    #[cfg(test)]
    pub(super) fn of_test(folder: &Path, origin: tokio::time::Instant) -> Result<RateFile, String> {
        let _ = std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700));
        let (file, path) = RateFile::open_in(folder, "test")?;
        let (name, boot) = ("test".to_owned(), "of-the-test".to_owned());
        Ok(RateFile { file, path, name, boot, clock: SharedClock::Test(origin) })
    }

    fn open_in(folder: &Path, name: &str) -> Result<(File, PathBuf), String> {
        let shown = |path: &Path, reason: &str| format!("{}: {reason}", path.display());
        let found = folder.symlink_metadata().map_err(|error| shown(folder, &error.to_string()))?;
        if !found.is_dir() || !is_ours(&found) || found.mode() & 0o077 != 0 {
            return Err(shown(folder, "not a folder of this user alone"));
        }
        let path = folder.join(format!("traxload-{name}.rate"));
        // A pipe in its place must not make this run wait.
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .custom_flags(flags.bits() as i32)
            .open(&path)
            .map_err(|error| shown(&path, &error.to_string()))?;
        match file.metadata() {
            Ok(found) if found.is_file() && is_ours(&found) => Ok((file, path)),
            _ => Err(shown(&path, "not a file of this user")),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether other runs find it: somebody may have cleaned up.
    pub(super) fn is_there(&self) -> bool {
        self.file.metadata().is_ok_and(|found| found.nlink() > 0)
    }

    /// Opens, or creates, the file in its place.
    pub(super) fn open_again(&mut self) -> Result<(), String> {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        self.file = RateFile::open_in(folder, &self.name)?.0;
        Ok(())
    }

    /// The time on the clock of all runs.
    pub(super) fn now(&self) -> Duration {
        match self.clock {
            SharedClock::Boot => {
                let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
                Duration::new(now.tv_sec.unsigned_abs(), now.tv_nsec as u32)
            }
            #[cfg(test)]
            SharedClock::Test(origin) => origin.elapsed(),
        }
    }

    pub(super) fn try_lock(&self) -> Result<(), TryLockError> {
        self.file.try_lock()
    }

    pub(super) fn unlock(&self) -> io::Result<()> {
        self.file.unlock()
    }

    /// What this boot has left in it. Anything else is taken out.
    pub(super) fn read(&self) -> io::Result<Option<Record>> {
        let mut buffer = [0; LONGEST];
        let length = self.file.read_at(&mut buffer, 0)?;
        let text = std::str::from_utf8(&buffer[..length]).ok();
        let record = text.and_then(|text| Record::parse(text, &self.boot));
        if record.is_none() && length > 0 {
            self.file.set_len(0)?;
        }
        Ok(record)
    }

    pub(super) fn write(&self, record: &Record) -> io::Result<()> {
        self.file.write_all_at(record.render(&self.boot).as_bytes(), 0)
    }
}

impl Record {
    fn parse(text: &str, boot: &str) -> Option<Record> {
        let mut fields = text.strip_prefix(HEADER)?.strip_prefix(' ')?.strip_suffix('\n')?.split(' ');
        if fields.next()? != boot {
            return None;
        }
        let mut number = || fields.next().filter(|field| field.len() == 20)?.parse::<u64>().ok();
        let (due, period, burst, pace_at) = (number()?, number()?, number()?, number()?);
        let burst = u32::try_from(burst).ok()?;
        let is_pace = period > 0 && burst > 0;
        (is_pace && fields.next().is_none()).then(|| Record {
            number: Duration::from_nanos(due),
            pace: Pace { period: Duration::from_nanos(period), burst },
            pace_at: Duration::from_nanos(pace_at),
        })
    }

    /// All records of a boot have the same length, so that one takes the place of another.
    fn render(&self, boot: &str) -> String {
        let Record { number, pace, pace_at } = self;
        let [number, period, pace_at] = [number, &pace.period, pace_at].map(Duration::as_nanos);
        format!("{HEADER} {boot} {number:020} {period:020} {:020} {pace_at:020}\n", pace.burst)
    }
}

fn is_ours(found: &Metadata) -> bool {
    found.uid() == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, chown, symlink};

    fn folder() -> tempfile::TempDir {
        let private = std::fs::Permissions::from_mode(0o700);
        tempfile::Builder::new().permissions(private).tempdir().expect("a folder")
    }

    #[test]
    fn a_file_is_for_its_user_alone_and_is_found_again() {
        let folder = folder();
        let (file, path) = RateFile::open_in(folder.path(), "x").expect("a file");
        assert_eq!(file.metadata().expect("it is there").mode() & 0o777, 0o600);
        assert_eq!(RateFile::open_in(folder.path(), "x").expect("the same file").1, path);
    }

    #[test]
    fn what_others_may_have_put_there_is_not_used() {
        let folder = folder();
        let path = folder.path().join("traxload-x.rate");
        let is_refused = || RateFile::open_in(folder.path(), "x").is_err() && std::fs::remove_file(&path).is_ok();
        symlink("elsewhere", &path).expect("a link");
        assert!(is_refused() && !folder.path().join("elsewhere").exists());
        std::process::Command::new("mkfifo").arg(&path).status().expect("mkfifo is there");
        assert!(is_refused());
        std::fs::write(&path, "").expect("written");
        // Only root can give a file away.
        if chown(&path, Some(4711), None).is_ok() {
            assert!(is_refused());
        }
    }

    #[test]
    fn a_folder_that_is_not_of_this_user_alone_is_not_used() {
        let folder = folder();
        let (open, link) = (folder.path().join("open"), folder.path().join("link"));
        std::fs::create_dir(&open).expect("a folder");
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o770)).expect("its mode");
        assert!(RateFile::open_in(&open, "x").is_err());
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o700)).expect("its mode");
        symlink(&open, &link).expect("a link");
        assert!(RateFile::open_in(&link, "x").is_err());
        assert!(RateFile::open_in(&open, "x").is_ok());
        if chown(&open, Some(4711), None).is_ok() {
            assert!(RateFile::open_in(&open, "x").is_err());
        }
        assert!(RateFile::open_in(&folder.path().join("nowhere"), "x").is_err());
    }
}
