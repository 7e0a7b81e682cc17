//! What the behaviour tests share: a scratch folder with exports, a job file and the real binary, and a server that
//! answers by a script. It knows the command line, the job file and the result file; nothing of the library.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "every test file takes a part of the harness, and a test may fail where it stands"
)]

mod buckets;
mod job;
mod server;
mod tools;

pub use buckets::{Moto, Proxy, Way};
pub use job::JobFile;
pub use server::{Gate, Reply, Request, ScriptedServer, http};
pub use tools::skipped;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::ops::Index;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use uuid::Uuid;

/// The token of the tests.
pub const TOKEN: &str = "t0ken-of-the-tests";
/// A test that waits longer has failed.
pub const DEADLINE: Duration = Duration::from_secs(120);
/// The job's namespace in the tests: ids do not depend on the server's port.
pub const NAMESPACE: Uuid = Uuid::NAMESPACE_OID;

pub const VISITS_HEADER: &str = "visit_id,store_code,visit_date,started_at,ended_at,visit_type,rep_email";
pub const SCENES_HEADER: &str = "visit_id,scene_id,task_code";

/// A scratch folder, the working directory of all commands run in it.
pub struct Workdir {
    folder: tempfile::TempDir,
}

impl Workdir {
    pub fn new() -> Workdir {
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
        Workdir { folder: builder.tempdir().expect("a scratch folder") }
    }

    /// A folder with `count` valid visits `V1`, `V2`, … of one scene each, in `visits.csv` and `scenes.csv`.
    pub fn with_visits(count: usize) -> Workdir {
        let work = Workdir::new();
        let visits: Vec<String> = (1..=count).map(visit).collect();
        let scenes: Vec<String> = (1..=count).map(|n| format!("V{n},S{n},T1")).collect();
        work.write("visits.csv", lines(VISITS_HEADER, &visits));
        work.write("scenes.csv", lines(SCENES_HEADER, &scenes));
        work
    }

    /// A folder with these rows in `visits.csv` and `scenes.csv`, below the usual headers.
    pub fn with_rows<S: AsRef<str>>(visits: &[S], scenes: &[S]) -> Workdir {
        let work = Workdir::new();
        work.write("visits.csv", lines(VISITS_HEADER, visits));
        work.write("scenes.csv", lines(SCENES_HEADER, scenes));
        work
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Workdir {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("inside the folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        self
    }

    pub fn job(&self, job: &JobFile) -> &Workdir {
        self.write("job.toml", job.to_string())
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// The names of the files and folders in it, in order.
    pub fn listing(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).expect("a folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Runs the binary with the tests' token and waits for its end.
    pub fn traxload(&self, args: &[&str]) -> Done {
        self.traxload_with(args, &[("TRAX_TOKEN", TOKEN)])
    }

    /// Runs the binary with this environment and waits for its end.
    pub fn traxload_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Done {
        self.output(plain_command(self.folder.path(), args), environment, &args.join(" "))
    }

    fn output(&self, command: Command, environment: &[(&str, &str)], what: &str) -> Done {
        let mut command = assert_cmd::Command::from_std(command);
        command.envs(environment.iter().copied()).timeout(DEADLINE);
        let output = command.output().expect("the binary starts");
        let text = |bytes| String::from_utf8(bytes).expect("what is printed is UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let code = output.status.code().unwrap_or_else(|| panic!("{what} had no end of its own\n{stderr}"));
        Done { code, stdout, stderr }
    }

    /// Runs a line of shell with the binary on the path, as a person would.
    pub fn shell(&self, line: &str) -> Done {
        self.output(shell_command(self.folder.path(), line), &[("TRAX_TOKEN", TOKEN)], line)
    }

    /// `run job.toml` of this job.
    pub fn run(&self, job: &JobFile) -> Done {
        self.job(job);
        self.traxload(&["run", "job.toml"])
    }

    /// `check job.toml` of this job, with the bodies that it would send.
    pub fn check(&self, job: &JobFile) -> (Done, Vec<String>) {
        self.job(job);
        // The bodies of an earlier check must not count.
        let _ = std::fs::remove_file(self.path("payloads.jsonl"));
        let done = self.traxload_with(&["check", "job.toml", "--payloads", "payloads.jsonl"], &[]);
        let bodies = match self.exists("payloads.jsonl") {
            true => self.read("payloads.jsonl").lines().map(str::to_owned).collect(),
            false => Vec::new(),
        };
        (done, bodies)
    }

    /// Starts the binary with the tests' token.
    pub fn start(&self, args: &[&str]) -> Started {
        self.start_with(args, &[])
    }

    /// Starts the binary with the tests' token and these variables.
    pub fn start_with(&self, args: &[&str], environment: &[(&str, &str)]) -> Started {
        let mut command = plain_command(self.folder.path(), args);
        command.envs(environment.iter().copied());
        command.env("TRAX_TOKEN", TOKEN).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary starts");
        let stdout = read_lines(child.stdout.take().expect("piped"));
        let stderr = read_lines(child.stderr.take().expect("piped"));
        Started { child, stdout, stderr, said: String::new() }
    }

    /// The line of a visit in a result file. It finds only rows without line breaks in cells.
    #[track_caller]
    pub fn raw_row(&self, name: &str, visit: &str) -> String {
        let text = self.read(name);
        let found: Vec<&str> = text.lines().filter(|line| line.starts_with(&format!("{visit},"))).collect();
        assert_eq!(found.len(), 1, "rows of {visit} in {text}");
        found[0].to_owned()
    }

    /// The rows of the job's result file.
    pub fn results(&self) -> Rows {
        Rows::read(&self.path("results.csv"))
    }
}

/// The binary in this folder, without a token and without the machine's proxies.
pub fn plain_command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traxload"));
    command.args(args);
    in_folder(command, folder)
}

fn shell_command(folder: &Path, line: &str) -> Command {
    let binaries = Path::new(env!("CARGO_BIN_EXE_traxload")).parent().expect("it is in a folder");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::iter::once(binaries.to_owned()).chain(std::env::split_paths(&path));
    let mut command = Command::new("sh");
    command.args(["-c", line]).env("PATH", std::env::join_paths(path).expect("folders"));
    in_folder(command, folder)
}

fn in_folder(mut command: Command, folder: &Path) -> Command {
    // Runs of one test share their rate, if they are slow enough to share it; those of others have other folders.
    command.current_dir(folder).env("XDG_RUNTIME_DIR", folder).env_remove("TRAX_TOKEN");
    // A proxy of the machine must not stand between the tests and this machine.
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(name);
    }
    command
}

fn read_lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// The visit `V{n}` as a row of `visits.csv`.
pub fn visit(n: usize) -> String {
    format!("V{n},100{n},2024-03-05,2024-03-05T08:00:00Z,2024-03-05T08:30:00Z,801,rep{n}@example.com")
}

/// Waits until `is_so` returns true.
#[track_caller]
pub fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let (_open, never) = channel::<()>();
    let start = std::time::Instant::now();
    while !is_so() {
        assert!(start.elapsed() < DEADLINE, "{what}: it never came to that");
        let _ = never.recv_timeout(Duration::from_millis(2));
    }
}

/// A header and rows as a file.
pub fn lines<S: AsRef<str>>(header: &str, rows: &[S]) -> String {
    std::iter::once(header).chain(rows.iter().map(AsRef::as_ref)).map(|line| format!("{line}\n")).collect()
}

/// The id of a visit in the tests' jobs.
pub fn session_uid(visit: &str) -> String {
    Uuid::new_v5(&NAMESPACE, visit.as_bytes()).to_string()
}

/// The id of a scene in the tests' jobs.
pub fn scene_uid(visit: &str, scene: &str) -> String {
    Uuid::new_v5(&Uuid::new_v5(&NAMESPACE, visit.as_bytes()), scene.as_bytes()).to_string()
}

/// The body of `V{n}`.
pub fn body(n: usize) -> String {
    let scene = scene_uid(&format!("V{n}"), &format!("S{n}"));
    format!(
        "{{\"client_session_uid\":\"V{n}\",\"store_number\":\"100{n}\",\"visit_date\":\"2024-03-05\",\
         \"session_start_time\":1709625600,\"visit_type_id\":801,\"session_end_time\":1709627400,\
         \"email_address\":\"rep{n}@example.com\",\"scenes\":[{{\"scene_uid\":\"{scene}\",\"task_code\":\"T1\"}}]}}"
    )
}

/// The exit code and the output of a command.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Done {
    /// Fails with the whole output unless the command ended with this code.
    #[track_caller]
    pub fn ends_with(self, code: i32) -> Done {
        assert_eq!(self.code, code, "the exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails unless every one of these texts is on standard error.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Done {
        for text in texts {
            assert!(self.stderr.contains(text), "{text:?} is missing in\n{}", self.stderr);
        }
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {:?}", self.stdout))
    }
}

/// A running command. It is killed if the test ends first.
pub struct Started {
    child: Child,
    stdout: Receiver<String>,
    stderr: Receiver<String>,
    said: String,
}

impl Started {
    /// Waits for a line on standard error that contains this.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("{text:?} was never said:\n{}", self.said));
            self.said.push_str(&line);
            self.said.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `INT`.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Done {
        let mut rest = |lines: &Receiver<String>| {
            let mut text = String::new();
            loop {
                match lines.recv_timeout(DEADLINE) {
                    Ok(line) => text.extend([line.as_str(), "\n"]),
                    Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return text,
                    Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                        let _ = self.child.kill();
                        panic!("it does not end; so far it said\n{}{text}", self.said);
                    }
                }
            }
        };
        let stdout = rest(&self.stdout);
        let stderr = rest(&self.stderr);
        // Both outputs are closed, so the process is ending.
        let status = self.child.wait().expect("a status");
        let code = status.code().unwrap_or_else(|| panic!("{status}\n{}{stderr}", self.said));
        Done { code, stdout, stderr: format!("{}{stderr}", self.said) }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended long ago.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A result file: its rows in their order, cells by the names of their columns.
#[derive(Debug)]
pub struct Rows {
    pub header: Vec<String>,
    pub rows: Vec<Row>,
}

/// One row of a result file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row(BTreeMap<String, String>);

impl Index<&str> for Row {
    type Output = str;

    fn index(&self, column: &str) -> &str {
        self.0.get(column).unwrap_or_else(|| panic!("no column {column}"))
    }
}

impl Rows {
    pub fn read(path: &Path) -> Rows {
        let mut reader = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let header: Vec<String> = reader.headers().expect("a header").iter().map(str::to_owned).collect();
        let rows = reader.records().map(|record| {
            let record = record.expect("a whole row");
            Row(header.iter().cloned().zip(record.iter().map(str::to_owned)).collect())
        });
        let rows = rows.collect();
        Rows { header, rows }
    }

    /// The one row of a visit.
    #[track_caller]
    pub fn of(&self, visit: &str) -> &Row {
        let found: Vec<&Row> = self.all_of(visit).collect();
        assert_eq!(found.len(), 1, "rows of {visit} in {:#?}", self.rows);
        found[0]
    }

    /// All rows of a key.
    pub fn all_of(&self, visit: &str) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| &row["visit_id"] == visit)
    }

    /// The cells of a column.
    pub fn column(&self, name: &str) -> Vec<&str> {
        self.rows.iter().map(|row| &row[name]).collect()
    }

    /// How many rows have this status.
    pub fn count(&self, status: &str) -> usize {
        self.rows.iter().filter(|row| &row["status"] == status).count()
    }
}

/// The bytes as a gzip member.
pub fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes.as_ref()).expect("in memory");
    encoder.finish().expect("in memory")
}
