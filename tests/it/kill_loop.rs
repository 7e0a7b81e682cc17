//! The real binary, killed at random moments again and again over one job: what the server has and what the result
//! file says must agree in the end.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use crate::harness::wait_until;
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use traxload::sandbox::{Options, Running, start};

const VISITS: usize = 5_000;
const KILLS: usize = 30;

fn write_job(folder: &Path, base_url: &str) {
    let mut visits = String::from("visit_id,store,day,start\n");
    let mut scenes = String::from("visit_id,scene_id\n");
    for visit in 0..VISITS {
        writeln!(visits, "V{visit},S{},2024-03-05,2024-03-05T08:00:00Z", visit % 7).expect("memory");
        writeln!(scenes, "V{visit},a\nV{visit},b").expect("memory");
    }
    let job = format!(
        r#"
        [visits]
        path = "visits.csv"
        settle = "0s"
        columns = {{ visit_id = "visit_id", store_number = "store", visit_date = "day", session_start_time = "start" }}
        [scenes]
        path = "scenes.csv"
        settle = "0s"
        columns = {{ visit_id = "visit_id", scene_id = "scene_id" }}
        [api]
        base_url = "{base_url}"
        project = "p"
        [upload]
        rate = "1000/s"
        [results]
        path = "results.csv"
        "#
    );
    std::fs::write(folder.join("visits.csv"), visits).expect("a file");
    std::fs::write(folder.join("scenes.csv"), scenes).expect("a file");
    std::fs::write(folder.join("job.toml"), job).expect("a file");
}

fn traxload(folder: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_traxload"));
    command.args(["run", "job.toml", "-q"]).current_dir(folder).env("TRAX_TOKEN", "kill-loop");
    command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("the binary")
}

/// Rows of a result file or journal, by visit; a torn last row is none.
fn statuses(path: &Path) -> HashMap<String, Vec<String>> {
    let mut rows: HashMap<String, Vec<String>> = HashMap::new();
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).expect("result rows");
    for row in reader.records().flatten().filter(|row| row.len() == 14) {
        rows.entry(row[0].to_owned()).or_default().push(row[2].to_owned());
    }
    rows
}

async fn server() -> Running {
    start(Options { latency: Duration::from_millis(3), ..Options::default() }).await.expect("a free port")
}

#[test]
fn thirty_kills_lose_nothing_and_claim_nothing() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let server = runtime.block_on(server());
    let folder = tempfile::tempdir().expect("a folder");
    write_job(folder.path(), &server.base_url());
    let results = folder.path().join("results.csv");
    let partial = folder.path().join("results.csv.partial");
    let mut random = fastrand::Rng::with_seed(20_240_305);
    let (mut kills, mut kills_while_sending) = (0, 0);
    while !results.exists() && kills < KILLS {
        let before = attempts(&server, &runtime);
        let mut child = traxload(folder.path());
        // Half of the kills come at any moment, the other half once the run sends, on however busy a machine.
        let moment = if kills % 2 == 0 {
            Duration::from_millis(random.u64(20..220))
        } else {
            wait_until("the run sends", || attempts(&server, &runtime) > before);
            Duration::from_millis(random.u64(0..60))
        };
        let (tell, told) = std::sync::mpsc::channel::<()>();
        let _ = told.recv_timeout(moment);
        drop(tell);
        child.kill().expect("a child");
        child.wait().expect("a child");
        kills += 1;
        kills_while_sending += usize::from(partial.exists());
    }
    assert_eq!(kills, KILLS, "the job is too short for as many kills");
    assert!(kills_while_sending >= 5, "only {kills_while_sending} of {kills} kills hit a run that was sending");
    let on_record: BTreeSet<String> = match partial.exists() {
        true => statuses(&partial).into_keys().collect(),
        false => BTreeSet::new(),
    };
    let before = attempts(&server, &runtime);
    assert!(traxload(folder.path()).wait().expect("a child").success(), "the last run finishes the job");
    let sent = attempts(&server, &runtime) - before;
    assert_eq!(sent, VISITS - on_record.len(), "what is on record is not sent again, and all the rest is");
    let rows = statuses(&results);
    assert_eq!(rows.len(), VISITS, "no visit is missing from the result file");
    for (visit, statuses) in &rows {
        let delivered = matches!(statuses.as_slice(), [status] if status == "uploaded" || status == "already_received");
        assert!(delivered, "{visit}: {statuses:?}");
    }
    assert_eq!(sessions(&server, &runtime), VISITS, "the server has every visit");
    assert!(!partial.exists());
    println!(
        "{kills} kills, {kills_while_sending} of them while it was sending; {before} requests before the last run"
    );
}

/// A number from one of the sandbox's own pages.
fn number(server: &Running, runtime: &tokio::runtime::Runtime, page: &str, name: &str) -> usize {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let text = runtime.block_on(async {
        let mut stream = tokio::net::TcpStream::connect(server.address()).await.expect("the sandbox");
        let request = format!("GET {page} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("an answer");
        text
    });
    let body = &text[text.find("\r\n\r\n").expect("a body")..];
    let json: serde_json::Value = serde_json::from_str(body.trim()).expect("JSON");
    json[name].as_u64().expect("a number") as usize
}

fn attempts(server: &Running, runtime: &tokio::runtime::Runtime) -> usize {
    number(server, runtime, "/sandbox/stats", "attempts")
}

fn sessions(server: &Running, runtime: &tokio::runtime::Runtime) -> usize {
    number(server, runtime, "/sandbox/sessions?limit=1", "count")
}
