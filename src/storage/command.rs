//! Runs programs whose standard output is an export, and keeps that output.
//!
//! A program is started without a shell, in a process group of its own, so that all of it can be ended. It gets no
//! standard input. Its output goes through a pipe into a file without a name: the header has to be known before the rows
//! are read, and a program can be asked only once.

use super::spool::Spool;
use crate::host::{temporary_file, temporary_folder};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How much of the end of standard error is kept, in bytes.
const SAID: usize = 4 << 10;
/// How many of its last lines are shown.
const LINES_SHOWN: usize = 5;
/// How long the end of standard error is waited for: what a program left running may hold it open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// How often it is looked whether a program that has closed its output has ended.
const LOOK: Duration = Duration::from_millis(5);

/// A program, and how it is started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Invocation<'a> {
    /// The program and its arguments.
    pub(crate) args: &'a [String],
    /// The folder in which it is started; empty: this process's.
    pub(crate) folder: &'a Path,
    /// Environment variables that it does not get.
    pub(crate) without: &'a [&'a str],
    /// When it is ended at the latest.
    pub(crate) until: Option<Instant>,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    #[error(
        "there is no program {0:?}; is it installed, and in a folder of PATH? A path starts from the working directory"
    )]
    NotFound(String),
    #[error("cannot start {0:?}: {1}")]
    NotStarted(String, io::Error),
    #[error("{program:?} {how}{said}")]
    Failed { program: String, how: String, said: String },
    #[error("{0:?} was still running when max_duration was over, so it was stopped")]
    TimeIsUp(String),
    #[error("{0:?} was ended with the run")]
    Ended(String),
    #[error("its output cannot be kept in {folder}: {source}; make room there, or set TMPDIR to another folder")]
    Disk { folder: String, source: io::Error },
}

impl CommandError {
    fn disk(source: io::Error) -> CommandError {
        CommandError::Disk { folder: temporary_folder().display().to_string(), source }
    }
}

/// The programs of a run that are running. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Commands(Arc<Mutex<Running>>);

#[derive(Debug, Default)]
struct Running {
    is_over: bool,
    /// The number of each program that has not been waited for, which is that of its process group.
    groups: Vec<u32>,
}

impl Commands {
    /// Ends all programs with all that they have started, and starts no other: for a run that was asked to end.
    pub(crate) fn end(&self) {
        let mut running = self.running();
        running.is_over = true;
        running.groups.iter().for_each(|group| kill_group(*group));
    }

    /// Runs a program to its end and keeps what it writes.
    ///
    /// # Errors
    /// Where it cannot be started, ends with anything but 0, is ended, or its output cannot be kept.
    pub(crate) fn run(&self, invocation: &Invocation<'_>) -> Result<Arc<Spool>, CommandError> {
        let program = invocation.args.first().cloned().unwrap_or_default();
        let file = temporary_file().map_err(CommandError::disk)?;
        let mut started = self.start(command(invocation), &program)?;
        let said = last_words(started.child.stderr.take());
        // Where it is left here, it is ended with all that it has started.
        let spool = match wait_until(&copied(started.child.stdout.take(), file), invocation.until) {
            Some(copied) => copied.map_err(CommandError::disk)?,
            None => return Err(CommandError::TimeIsUp(program)),
        };
        let status = started.wait(invocation.until);
        if self.running().is_over {
            return Err(CommandError::Ended(program));
        }
        match status {
            Ok(Some(status)) if status.success() => Ok(Arc::new(spool)),
            Ok(Some(status)) => Err(CommandError::Failed { program, how: in_words(status), said: said() }),
            Ok(None) => Err(CommandError::TimeIsUp(program)),
            Err(error) => Err(CommandError::NotStarted(program, error)),
        }
    }

    /// Starts a program, unless the run is over.
    fn start(&self, mut command: Command, program: &str) -> Result<Started<'_>, CommandError> {
        let mut running = self.running();
        if running.is_over {
            return Err(CommandError::Ended(program.to_owned()));
        }
        let child = command.spawn().map_err(|error| match error.kind() {
            ErrorKind::NotFound => CommandError::NotFound(program.to_owned()),
            _ => CommandError::NotStarted(program.to_owned(), error),
        })?;
        running.groups.push(child.id());
        Ok(Started { child, commands: self, is_over: false })
    }

    fn running(&self) -> MutexGuard<'_, Running> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program that was started. It is ended with its process group where nobody waits for it.
struct Started<'a> {
    child: Child,
    commands: &'a Commands,
    is_over: bool,
}

impl Started<'_> {
    /// Waits for the end of a program: one may go on after it has closed its output. `None` where it does not come in time.
    /// Its number is given back to the system only while nobody may end it by that.
    fn wait(&mut self, until: Option<Instant>) -> io::Result<Option<ExitStatus>> {
        loop {
            let mut running = self.commands.running();
            let ended = self.child.try_wait();
            if !matches!(ended, Ok(None)) {
                running.groups.retain(|group| *group != self.child.id());
                self.is_over = true;
            }
            drop(running);
            match ended {
                Ok(None) if until.is_none_or(|until| Instant::now() < until) => std::thread::park_timeout(LOOK),
                ended => return ended,
            }
        }
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            kill_group(self.child.id());
            let _ = self.wait(None);
        }
    }
}

fn command(invocation: &Invocation<'_>) -> Command {
    let (program, args) = invocation.args.split_first().map_or(("", [].as_slice()), |(first, rest)| (first, rest));
    // A path starts from the folder in which the program runs, whatever the system would make of it. Some start it from
    // there already: a folder that is relative itself would count twice.
    let folder = || std::path::absolute(invocation.folder).unwrap_or_else(|_| invocation.folder.to_owned());
    let mut command = match program.contains('/') {
        true => Command::new(folder().join(program)),
        false => Command::new(program),
    };
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    invocation.without.iter().for_each(|name| {
        command.env_remove(name);
    });
    if !invocation.folder.as_os_str().is_empty() {
        command.current_dir(invocation.folder);
    }
    own_group(&mut command);
    command
}

/// Copies all output into a file, on a thread of its own.
fn copied(output: Option<impl Read + Send + 'static>, mut file: File) -> Receiver<io::Result<Spool>> {
    let (done, copied) = channel();
    std::thread::spawn(move || {
        let bytes = output.map_or(Ok(0), |mut output| io::copy(&mut output, &mut file));
        let _ = done.send(bytes.and_then(|bytes| file.flush().map(|()| Spool::new(file, bytes))));
    });
    copied
}

/// What comes, unless it does not come in time.
fn wait_until<T>(coming: &Receiver<io::Result<T>>, until: Option<Instant>) -> Option<io::Result<T>> {
    let broke_off = || Err(io::Error::other("the thread that keeps it broke off"));
    match until {
        None => Some(coming.recv().unwrap_or_else(|_| broke_off())),
        Some(until) => match coming.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(result) => Some(result),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(broke_off()),
        },
    }
}

/// Drains standard error on a thread of its own. What is returned tells its last lines, below each other.
fn last_words(output: Option<impl Read + Send + 'static>) -> impl FnOnce() -> String {
    let tail = Arc::new(Mutex::new(Vec::new()));
    let (over, until_over) = channel::<()>();
    let kept = tail.clone();
    std::thread::spawn(move || {
        let _over = over;
        let Some(mut output) = output else { return };
        let mut piece = [0; SAID];
        while let Ok(bytes) = output.read(&mut piece)
            && bytes > 0
        {
            let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.extend_from_slice(&piece[..bytes]);
            let cut = kept.len().saturating_sub(SAID);
            kept.drain(..cut);
        }
    });
    move || {
        let _ = until_over.recv_timeout(LAST_WORDS);
        let tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        in_lines(&String::from_utf8_lossy(&tail))
    }
}

fn in_lines(said: &str) -> String {
    let lines: Vec<&str> = said.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(LINES_SHOWN)..];
    match last {
        [] => " and printed nothing to standard error".to_owned(),
        last => {
            last.iter().fold(" and said:".to_owned(), |text, line| text + "\n    " + &crate::text::printable(line, 300))
        }
    }
}

#[cfg(unix)]
fn in_words(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (None, Some(signal)) => format!("was killed by signal {signal}"),
        (None, None) => "ended abnormally".to_owned(),
    }
}

#[cfg(not(unix))]
fn in_words(status: ExitStatus) -> String {
    status.code().map_or_else(|| "ended abnormally".to_owned(), |code| format!("exited with {code}"))
}

#[cfg(unix)]
fn own_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(not(unix))]
fn own_group(_: &mut Command) {}

/// Ends a process group whose first process was not waited for yet.
#[cfg(unix)]
fn kill_group(group: u32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(group).ok().and_then(Pid::from_raw) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

#[cfg(not(unix))]
fn kill_group(_: u32) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::path::{Component, PathBuf};

    #[test]
    fn the_path_of_a_program_starts_from_a_relative_folder_once() {
        let folder = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/bin/pwd", folder.path().join("where")).expect("a link");
        let here = std::env::current_dir().expect("there is one").canonicalize().expect("it is there");
        let named = |part: &Component<'_>| matches!(part, Component::Normal(_));
        let relative: PathBuf = here.components().filter(named).map(|_| Component::ParentDir).collect();
        let full = folder.path().canonicalize().expect("it is there");
        let relative = relative.join(full.strip_prefix("/").expect("it is absolute"));
        let args = ["./where".to_owned()];
        let invocation = Invocation { args: &args, folder: &relative, without: &[], until: None };
        assert!(Commands::default().run(&invocation).is_ok(), "{}", relative.display());
    }
}
