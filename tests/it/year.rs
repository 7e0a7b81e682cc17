//! A year of nights over one job, with all that happens to such a job in a year: exports that overlap and are corrected, a
//! counter that starts again, missed weeks, kills, outages, answers that are lost, full disks, an upgrade, a spreadsheet. In the
//! end the server has every visit as it was first sent, and a result row says so of every visit, or why not.

#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use crate::harness::{
    Done, Gate, JobFile, Reply, SCENES_HEADER, ScriptedServer, VISITS_HEADER, Workdir, lines, scene_uid, session_uid,
    wait_until,
};
use chrono::{Days, NaiveDate};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

const NIGHTS: u64 = 365;
/// Nobody ran the job in these nights.
const MISSED: [Range<u64>; 2] = [60..74, 200..214];
/// In this night a new version was put in place.
const UPGRADE: u64 = 180;
/// On these days somebody opened result files with a spreadsheet, and saved them.
const SPREADSHEETS: [u64; 3] = [40, 120, 280];
/// In these nights the counter that makes the keys began at 1 again.
const COUNTER_STARTS_AGAIN: Range<u64> = 250..262;

/// A visit as an export has it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Visit {
    key: String,
    store: u64,
    start: NaiveDate,
    day: NaiveDate,
    email: String,
    scenes: u64,
}

impl Visit {
    fn is_valid(&self) -> bool {
        self.email.contains('@')
    }

    fn uid(&self) -> String {
        session_uid(&self.key)
    }

    fn row(&self) -> String {
        let Visit { key, store, start, day, email, .. } = self;
        format!("{key},{store},{day},{start}T08:00:00Z,{start}T08:30:00Z,801,{email}")
    }

    fn scene_rows(&self) -> impl Iterator<Item = String> {
        (1..=self.scenes).map(|scene| format!("{},S{scene},T1", self.key))
    }

    fn body(&self) -> String {
        let Visit { key, store, start, day, email, scenes } = self;
        let start = start.and_hms_opt(8, 0, 0).expect("a time").and_utc().timestamp();
        let scene =
            |scene| format!("{{\"scene_uid\":\"{}\",\"task_code\":\"T1\"}}", scene_uid(key, &format!("S{scene}")));
        let scenes = (1..=*scenes).map(scene).collect::<Vec<_>>().join(",");
        format!(
            "{{\"client_session_uid\":\"{key}\",\"store_number\":\"{store}\",\"visit_date\":\"{day}\",\
             \"session_start_time\":{start},\"visit_type_id\":801,\"session_end_time\":{end},\
             \"email_address\":\"{email}\",\"scenes\":[{scenes}]}}",
            end = start + 1800
        )
    }
}

/// How a night goes for the requests of it, which are counted from 0.
#[derive(Clone, Debug)]
enum Weather {
    Fair,
    /// From this request on there is nobody but a gateway.
    Outage(usize),
    /// The answer to this request is lost: another one, or none, takes its place.
    Lost(usize, Reply),
    /// The answer to this request waits, and by then the process is gone. Whether the visit was stored.
    Held(usize, bool),
    /// The process does not keep what it is told.
    Forgotten,
}

/// What the API knows.
struct Api {
    weather: Weather,
    /// The requests since the weather changed.
    tonight: usize,
    /// The request that waits.
    held: Option<(usize, Gate)>,
    /// The number of the request that brought each session.
    stored: HashMap<String, usize>,
    /// Sessions that came once more.
    conflicts: BTreeSet<String>,
    /// Sessions of which the program may not know that they arrived.
    unclear: BTreeSet<String>,
}

impl Api {
    fn answer(&mut self, uid: &str, nth: usize) -> Reply {
        let at = self.tonight;
        self.tonight += 1;
        if matches!(self.weather, Weather::Outage(from) if at >= from) {
            return Reply::status(503);
        }
        let waits = matches!(self.weather, Weather::Held(this, _) if at == this);
        let gate = Gate::default();
        if waits {
            self.held = Some((nth, gate.clone()));
        }
        if waits && matches!(self.weather, Weather::Held(_, false)) {
            return Reply::After(gate, Box::new(Reply::Drop));
        }
        let reply = match self.stored.contains_key(uid) {
            true => {
                self.conflicts.insert(uid.to_owned());
                Reply::error(409, "already received")
            }
            false => {
                self.stored.insert(uid.to_owned(), nth);
                Reply::ok()
            }
        };
        let is_unclear = match &self.weather {
            Weather::Lost(this, _) => at == *this,
            Weather::Held(..) | Weather::Forgotten => true,
            Weather::Fair | Weather::Outage(_) => false,
        };
        if is_unclear {
            self.unclear.insert(uid.to_owned());
        }
        match &self.weather {
            Weather::Lost(this, instead) if at == *this => instead.clone(),
            _ if waits => Reply::After(gate, Box::new(reply)),
            _ => reply,
        }
    }
}

type Row = HashMap<String, String>;

/// The delimiter and the rows of a result file in whatever form it is.
fn read_rows(text: &str) -> (u8, Vec<Row>) {
    let delimiter = if text.starts_with("visit_id;") { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let rows = reader.deserialize().map(|row| row.expect("a whole row")).collect();
    (delimiter, rows)
}

/// A result file with other cells, or without a column where `cell` says `None`.
fn rewritten(text: &str, delimiter: u8, cell: impl Fn(&str, &str) -> Option<String>) -> String {
    let mut reader =
        csv::ReaderBuilder::new().delimiter(read_rows(text).0).has_headers(false).from_reader(text.as_bytes());
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let mut header = Vec::new();
    for row in reader.records() {
        let row = row.expect("a whole row");
        if header.is_empty() {
            header = row.iter().map(str::to_owned).collect();
        }
        let cells = header.iter().zip(row.iter()).filter_map(|(name, text)| match name == text {
            true => cell(name, "").map(|_| name.clone()),
            false => cell(name, text),
        });
        writer.write_record(cells).expect("in memory");
    }
    String::from_utf8(writer.into_inner().expect("in memory")).expect("UTF-8")
}

struct Year {
    work: Workdir,
    server: ScriptedServer,
    api: Arc<Mutex<Api>>,
    random: fastrand::Rng,
    /// What was exported on each day.
    exports: BTreeMap<NaiveDate, Vec<Visit>>,
    /// The last key.
    counter: u64,
    /// Days whose visits were not, or not all, sent on that day.
    late: BTreeSet<NaiveDate>,
    /// Days that ended in an outage, and are gone on with later.
    open: Vec<NaiveDate>,
    /// Whether the next night has something to make up for.
    is_behind: bool,
}

fn result_file(day: NaiveDate) -> String {
    format!("results/test-{day}.csv")
}

impl Year {
    fn new(seed: u64) -> Year {
        let api = Arc::new(Mutex::new(Api {
            weather: Weather::Fair,
            tonight: 0,
            held: None,
            stored: HashMap::new(),
            conflicts: BTreeSet::new(),
            unclear: BTreeSet::new(),
        }));
        let answering = api.clone();
        let server = ScriptedServer::start(move |request, nth| {
            let uid = request.path.rsplit('/').next().expect("a path");
            answering.lock().expect("no panic holds it").answer(uid, nth)
        });
        let work = Workdir::new();
        work.job(
            &JobFile::to(&server.url())
                .upload("patience", "\"50ms\"")
                .visits("path", "\"exports/{date}/visits.csv\"")
                .scenes("path", "\"exports/{date}/scenes.csv\"")
                .and("[check]\nmax_invalid = \"100%\"\n[results]\npath = \"results/{name}-{date}.csv\""),
        );
        Year {
            work,
            server,
            api,
            random: fastrand::Rng::with_seed(seed),
            exports: BTreeMap::new(),
            counter: 0,
            late: BTreeSet::new(),
            open: Vec::new(),
            is_behind: false,
        }
    }

    fn api(&self) -> MutexGuard<'_, Api> {
        self.api.lock().expect("no panic holds it")
    }

    fn weather(&self, weather: Weather) {
        let mut api = self.api();
        (api.weather, api.tonight) = (weather, 0);
    }

    fn one_in(&mut self, chance: u32) -> bool {
        self.random.u32(0..chance) == 0
    }

    /// Writes the export of a day: visits of that day, and some of the day before once more.
    fn export(&mut self, today: NaiveDate) {
        let before = today.pred_opt().and_then(|day| self.exports.get(&day)).cloned().unwrap_or_default();
        let mut visits = Vec::new();
        for number in 0..self.random.u64(2..4) {
            self.counter += 1;
            // Of each day one at least is valid.
            let is_mistyped = number > 0 && self.one_in(8);
            visits.push(Visit {
                key: format!("{:06}", self.counter),
                store: self.random.u64(1000..1100),
                start: today,
                day: today,
                email: if is_mistyped { "nobody".to_owned() } else { format!("rep{}@example.com", self.counter % 7) },
                scenes: self.random.u64(1..4),
            });
        }
        for mut visit in before {
            if visits.len() == 5 || visits.iter().any(|other| other.key == visit.key) {
                continue;
            }
            match self.random.u32(0..16) {
                0..4 => {}
                4..6 => visit.scenes += 1,
                6 => visit.email = "corrected@example.com".to_owned(),
                7 => visit.day = visit.start.succ_opt().expect("a day"),
                8 => visit.store += 5000,
                _ if !visit.is_valid() => visit.email = "found@example.com".to_owned(),
                _ => continue,
            }
            visits.push(visit);
        }
        let (rows, scenes): (Vec<_>, Vec<_>) = visits.iter().map(|visit| (visit.row(), visit.scene_rows())).unzip();
        self.work.write(&format!("exports/{today}/visits.csv"), lines(VISITS_HEADER, &rows));
        let scenes: Vec<String> = scenes.into_iter().flatten().collect();
        self.work.write(&format!("exports/{today}/scenes.csv"), lines(SCENES_HEADER, &scenes));
        self.exports.insert(today, visits);
    }

    fn command(&self, today: NaiveDate, mode: &str) -> String {
        format!("run job.toml --date {today} -q {mode}")
    }

    /// A night without kills and outages.
    #[track_caller]
    fn fair_night(&mut self, today: NaiveDate, mode: &str) -> Done {
        self.weather(Weather::Fair);
        let done = self.said(&self.command(today, mode));
        self.is_behind = false;
        self.has_its_code(&done, today, mode);
        done
    }

    fn said(&self, command: &str) -> Done {
        self.work.traxload(&command.split(' ').collect::<Vec<_>>())
    }

    /// 0 where every row is delivered, 3 where one is not; of keys used again other files may have told it.
    #[track_caller]
    fn has_its_code(&self, done: &Done, today: NaiveDate, mode: &str) {
        let rows = self.rows(today);
        let is_delivered = |row: &&Row| matches!(row["status"].as_str(), "uploaded" | "already_received");
        let left: Vec<_> = rows.iter().filter(|row| !is_delivered(row)).collect();
        let codes: &[i32] = match left.iter().any(|row| row["error_code"] != "reused_key") {
            true => &[3],
            false if left.is_empty() && mode == "--continue" => &[0],
            false => &[0, 3],
        };
        assert!(codes.contains(&done.code), "{today} {mode}: {done:#?} {rows:#?}");
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
    }

    fn rows(&self, day: NaiveDate) -> Vec<Row> {
        read_rows(&self.work.read(&result_file(day))).1
    }

    /// Any night of the year.
    fn night(&mut self, today: NaiveDate) {
        // Of each export so many visits are valid and new.
        let new = |visit: &&Visit| visit.start == today && visit.is_valid();
        let new = self.exports[&today].iter().filter(new).count();
        let at = self.random.usize(0..new);
        let mode = if self.is_behind || self.one_in(2) { "--catch-up 7d" } else { "--continue" };
        match self.random.u32(0..30) {
            0..2 => self.killed_night(today, mode, at),
            2 => {
                self.weather(Weather::Outage(at));
                let done = self.said(&self.command(today, mode));
                // The last few visits may have used up their attempts by then.
                assert!([3, 5].contains(&done.code), "{today} {mode}: {done:#?}");
                self.late.insert(today);
                // A night that it made up for ended it before this one.
                match self.work.exists(&result_file(today)) {
                    true => self.open.push(today),
                    false => self.is_behind = true,
                }
            }
            3..6 => {
                let instead = if self.one_in(2) { Reply::Drop } else { Reply::status(502) };
                self.weather(Weather::Lost(at, instead));
                let done = self.said(&self.command(today, mode));
                self.is_behind = false;
                self.has_its_code(&done, today, mode);
            }
            6 => {
                let blocks = self.random.u32(0..5);
                self.weather(Weather::Forgotten);
                let full = format!("trap '' XFSZ; ulimit -f {blocks}; exec traxload {}", self.command(today, mode));
                let done = self.work.shell(&full);
                assert!([0, 1, 3].contains(&done.code), "{today} {mode}: {done:#?}");
                self.late.insert(today);
                self.fair_night(today, "--catch-up 7d");
            }
            _ => {
                self.fair_night(today, mode);
            }
        }
        if !self.open.is_empty() && self.one_in(2) {
            let day = self.open.swap_remove(self.random.usize(0..self.open.len()));
            self.goes_on_with(day);
        }
    }

    /// Somebody goes on with a night that ended in an outage.
    fn goes_on_with(&mut self, day: NaiveDate) {
        self.weather(Weather::Fair);
        let command = match self.one_in(2) {
            true => self.command(day, "--continue"),
            false => format!("rerun {}", result_file(day)),
        };
        let done = self.said(&command);
        self.has_its_code(&done, day, "--continue");
    }

    /// The process is killed while an answer is under way. The next night takes it up, or somebody does at once.
    fn killed_night(&mut self, today: NaiveDate, mode: &str, at: usize) {
        let is_stored = self.one_in(2);
        self.weather(Weather::Held(at, is_stored));
        let run = self.work.start(&self.command(today, mode).split(' ').collect::<Vec<_>>());
        wait_until("a request waits", || self.api().held.is_some());
        let (nth, gate) = self.api().held.take().expect("it waits");
        wait_until("all of it is there", || !self.server.requests()[nth].body.is_empty());
        // It is killed.
        drop(run);
        gate.open();
        self.late.insert(today);
        self.is_behind = true;
        if self.one_in(2) {
            self.fair_night(today, "--catch-up 7d");
        }
    }

    /// The files of a day as the version before left them.
    fn is_of_older_version(&self, day: NaiveDate) {
        let path = result_file(day);
        let is_kept = |name: &str| !["elapsed_ms", "scenes", "source"].contains(&name);
        for path in [path.clone(), format!("{path}.partial")].iter().filter(|path| self.work.exists(path)) {
            let cell = |name: &str, text: &str| is_kept(name).then(|| text.to_owned());
            self.work.write(path, rewritten(&self.work.read(path), b',', cell));
        }
        let manifest = format!("{path}.json");
        if self.work.exists(&manifest) {
            let mut keys: serde_json::Value = serde_json::from_str(&self.work.read(&manifest)).expect("JSON");
            for key in ["format", "reads", "inputs", "user", "host", "sha256", "ids_version"] {
                keys.as_object_mut().expect("a table").remove(key);
            }
            self.work.write(&manifest, keys.to_string());
        }
    }

    /// A spreadsheet takes keys for numbers and has its own way to write days.
    fn is_saved_by_a_spreadsheet(&self, day: NaiveDate) {
        let path = result_file(day);
        if !self.work.exists(&path) {
            return;
        }
        let cell = |name: &str, text: &str| {
            Some(match name {
                "visit_id" => text.trim_start_matches('0').to_owned(),
                "visit_date" => text.split('-').rev().collect::<Vec<_>>().join("."),
                _ => text.to_owned(),
            })
        };
        self.work.write(&path, rewritten(&self.work.read(&path), b';', cell).replace('\n', "\r\n"));
    }

    /// What holds at the end of the year. Returns what there was of each kind of row.
    fn adds_up(&self) -> BTreeMap<String, usize> {
        let (api, requests) = (self.api(), self.server.requests());
        let stored: HashMap<&str, &str> =
            api.stored.iter().map(|(uid, nth)| (uid.as_str(), requests[*nth].text())).collect();
        let strange: Vec<_> = api.conflicts.difference(&api.unclear).collect();
        assert!(strange.is_empty(), "sent again, although their answers had come: {strange:?}");
        let mut kinds = BTreeMap::new();
        let mut delivered: HashSet<String> = HashSet::new();
        let mut uploaded: HashSet<String> = HashSet::new();
        let mut first: HashMap<String, (NaiveDate, &Visit)> = HashMap::new();
        for (day, visits) in &self.exports {
            let rows = self.rows(*day);
            assert_eq!(rows.len(), visits.len(), "{day}: {rows:#?}");
            for visit in visits {
                let uid = visit.uid();
                let row = rows.iter().filter(|row| row["session_uid"] == uid).collect::<Vec<_>>();
                let [row] = row[..] else { panic!("{day} {visit:?}: {rows:#?}") };
                let at_server = stored.get(uid.as_str()).copied();
                let is_same = visit.is_valid() && at_server == Some(visit.body().as_str());
                let (status, code, hash) = (&*row["status"], &*row["error_code"], &*row["payload_sha256"]);
                let has_hash = at_server.is_some_and(|body| hash == hex(body));
                let what = || format!("{day} {visit:?}\n{row:#?}\nthe server has {at_server:?}");
                match (status, code) {
                    ("uploaded", "") => {
                        assert!(is_same && has_hash, "{}", what());
                        assert!(uploaded.insert(uid.clone()), "uploaded twice: {}", what());
                    }
                    // Of a visit whose answer was lost with its run, nobody knows which version arrived.
                    ("already_received", "") if hash.is_empty() => assert!(api.unclear.contains(&uid), "{}", what()),
                    ("already_received", "") => assert!(is_same && has_hash, "{}", what()),
                    ("already_received" | "uploaded", "changed_since_delivery") => {
                        assert!(!is_same && has_hash && !is_another(visit, at_server), "{}", what());
                    }
                    ("invalid", "reused_key") => assert!(is_another(visit, at_server), "{}", what()),
                    ("invalid", "bad_email") => assert!(!visit.is_valid(), "{}", what()),
                    ("failed", "server_error") | ("not_attempted", "stopped") => {
                        assert!(self.late.contains(day), "{}", what());
                    }
                    _ => panic!("{}", what()),
                }
                if matches!(status, "uploaded" | "already_received") {
                    delivered.insert(uid.clone());
                }
                if visit.is_valid() {
                    first.entry(uid).or_insert((*day, visit));
                }
                *kinds.entry(format!("{status} {code}")).or_default() += 1;
            }
        }
        assert_eq!(delivered, stored.keys().map(|uid| (*uid).to_owned()).collect(), "rows and server");
        for (uid, (day, visit)) in first {
            let is_there = stored.get(uid.as_str()) == Some(&visit.body().as_str());
            assert!(
                is_there || self.late.contains(&day),
                "{day} {visit:?}: the server has {:?}",
                stored.get(uid.as_str())
            );
        }
        kinds
    }
}

/// Whether what the server has is of another store or day.
fn is_another(visit: &Visit, at_server: Option<&str>) -> bool {
    at_server.is_some_and(|body| {
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let day: NaiveDate = body["visit_date"].as_str().expect("a text").parse().expect("a day");
        body["store_number"].as_str() != Some(visit.store.to_string().as_str())
            || (visit.day - day).num_days().abs() > 1
    })
}

fn hex(body: &str) -> String {
    Sha256::digest(body).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("in memory");
        text
    })
}

fn a_year(seed: u64) {
    let mut year = Year::new(seed);
    let start = NaiveDate::from_ymd_opt(2023, 1, 1).expect("a day");
    let mut counter = 0;
    for night in 0..NIGHTS {
        let today = start + Days::new(night);
        let yesterday = today - Days::new(1);
        if night == COUNTER_STARTS_AGAIN.start {
            counter = std::mem::take(&mut year.counter);
        }
        if night == COUNTER_STARTS_AGAIN.end {
            year.counter = counter;
        }
        year.export(today);
        if MISSED.iter().any(|nights| nights.contains(&night)) {
            year.late.insert(today);
            continue;
        }
        if SPREADSHEETS.contains(&night) {
            year.open.iter().chain([&yesterday]).for_each(|day| year.is_saved_by_a_spreadsheet(*day));
        }
        if night == UPGRADE {
            year.exports.keys().for_each(|day| year.is_of_older_version(*day));
        }
        match night {
            // One week is made up for, and the other is named.
            _ if night == MISSED[0].end => {
                let done = year.fair_night(today, "--catch-up 7d");
                let named: Vec<String> = (8..=14).rev().map(|back| (today - Days::new(back)).to_string()).collect();
                done.says(&[&named.join(", "), "--catch-up 14d"]);
            }
            _ if night == MISSED[0].end + 1 || night == MISSED[1].end || night == NIGHTS - 1 => {
                let done = year.fair_night(today, "--catch-up 31d");
                assert!(!done.stderr.contains("--catch-up"), "{}", done.stderr);
            }
            // The new version takes up the journal of the older one.
            _ if night == UPGRADE - 1 => {
                year.killed_night(today, "--continue", 0);
            }
            _ if COUNTER_STARTS_AGAIN.contains(&night) || MISSED.iter().any(|nights| nights.start == night + 1) => {
                let mode = if year.is_behind { "--catch-up 7d" } else { "--continue" };
                year.fair_night(today, mode);
            }
            _ => year.night(today),
        }
    }
    let kinds = year.adds_up();
    println!("seed {seed}: {kinds:?}, {} requests", year.server.requests().len());
    for kind in
        ["already_received ", "already_received changed_since_delivery", "invalid bad_email", "invalid reused_key"]
    {
        assert!(kinds.get(kind).is_some_and(|count| *count >= 10), "{kind} in {kinds:?}");
    }
}

#[test]
fn a_year_of_nights_loses_nothing_and_sends_nothing_twice() {
    // Another year, for those who look for one that goes wrong.
    let seed = std::env::var("TRAXLOAD_YEAR").ok().and_then(|seed| seed.parse().ok());
    a_year(seed.unwrap_or(2023));
}
