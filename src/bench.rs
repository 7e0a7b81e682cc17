//! How fast the inner steps are, each by itself and in memory that is already warm: ids, reading CSV, grouping, bodies, permits.
//!
//! It lives in the crate, since it needs the inside of it: `cargo bench --features bench --bench steps`. Beside each other
//! stand short keys (`V000000042`) and those of 36 characters that many systems make, and scenes in no order and next to
//! each other, since these two decide most.
//! Nothing here fails for being slow; `benches/README.md` says what the figures are good for.

#![expect(clippy::expect_used, reason = "without its exports there is nothing to measure")]

use crate::build::{Builder, Ids, Version, Visits};
use crate::job::{Job, Options};
use crate::near_key::Folding;
use crate::scan::{Export, Rows, Source};
use crate::shuffle::{Shuffle, ShuffleError, Shuffled};
use crate::upload::{Limiter, RateFile, Token};
use chrono::DateTime;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput};
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use uuid::Uuid;

/// Scenes of a visit.
const SCENES: usize = 8;
/// Batches of scenes that are taken in at once, as the program does.
const BATCHES_AT_ONCE: usize = 16;
/// 2026-01-01, after every visit.
const NOW: i64 = 1_767_225_600;

/// Runs all of them, as the command line of `cargo bench` says.
pub fn steps() {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let visits = if is_measuring() { 100_000 } else { 500 };
    let workloads: Vec<Workload> = Keys::ALL
        .into_iter()
        .flat_map(|keys| [true, false].map(|shuffled| Workload::new(keys, shuffled, visits)))
        .collect();
    ids(&mut criterion);
    csv_scan(&mut criterion, &workloads);
    grouping(&mut criterion, &workloads);
    body(&mut criterion, &workloads);
    permits(&mut criterion);
    criterion.final_summary();
}

/// `cargo bench` says so; `cargo test --benches` only wants to see that everything runs.
fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// What keys look like.
#[derive(Clone, Copy)]
enum Keys {
    Short,
    Uuids,
}

impl Keys {
    const ALL: [Keys; 2] = [Keys::Short, Keys::Uuids];

    fn name(self) -> &'static str {
        match self {
            Keys::Short => "short keys",
            Keys::Uuids => "uuid keys",
        }
    }

    fn key(self, kind: char, number: usize) -> String {
        match self {
            Keys::Short => format!("{kind}{number:09}"),
            Keys::Uuids => Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{kind}{number}").as_bytes()).to_string(),
        }
    }
}

/// Two exports on the disk, and how the program reads them.
struct Workload {
    name: String,
    keys: Keys,
    shuffled: bool,
    visits: usize,
    job: Job,
    /// The exports go with it.
    _folder: TempDir,
}

impl Workload {
    fn new(keys: Keys, shuffled: bool, visits: usize) -> Workload {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("visits.csv"), visits_csv(keys, visits)).expect("a file");
        std::fs::write(path("scenes.csv"), scenes_csv(keys, shuffled, visits)).expect("a file");
        std::fs::write(path("job.toml"), job_file(&path("visits.csv"), &path("scenes.csv"))).expect("a file");
        let now = DateTime::from_timestamp(NOW, 0).expect("a time");
        let options = Options {
            base_dir: PathBuf::new(),
            date: None,
            now,
            results: None,
            rate: None,
            memory: None,
            max_duration: None,
            accept: Vec::new(),
            exports: crate::job::ExportsMeant::OfJob,
        };
        let job = Job::load(&path("job.toml"), &options).expect("a job file without mistakes");
        let order = if shuffled { "shuffled" } else { "clustered" };
        Workload { name: format!("{}, {order}", keys.name()), keys, shuffled, visits, job, _folder: folder }
    }

    fn scenes(&self) -> u64 {
        (self.visits * SCENES) as u64
    }

    /// Both exports as they come out of the scan.
    fn rows(&self) -> (Vec<Rows>, Vec<Rows>) {
        (all_rows(&self.job.visits), all_rows(&self.job.scenes))
    }
}

fn visits_csv(keys: Keys, visits: usize) -> String {
    let mut text = "visit_id,store,day,started,ended,type,email\n".to_owned();
    for visit in 0..visits {
        let (key, minute) = (keys.key('V', visit), visit % 30);
        let (store, rep) = (100_050_000_000_000 + visit % 40_000, visit % 3_000);
        let _ = writeln!(
            text,
            "{key},{store},2024-03-05,2024-03-05T08:{minute:02}:00Z,2024-03-05T09:{minute:02}:00Z,{},rep{rep}@example.com",
            800 + visit % 6
        );
    }
    text
}

fn scenes_csv(keys: Keys, shuffled: bool, visits: usize) -> String {
    let mut owners: Vec<usize> = (0..visits * SCENES).map(|scene| scene / SCENES).collect();
    if shuffled {
        fastrand::Rng::with_seed(7).shuffle(&mut owners);
    }
    let mut text = "visit_id,scene_id,task\n".to_owned();
    for (scene, visit) in owners.into_iter().enumerate() {
        let _ = writeln!(text, "{},{},{}", keys.key('V', visit), keys.key('S', scene), 1 + scene % 59);
    }
    text
}

fn job_file(visits: &std::path::Path, scenes: &std::path::Path) -> String {
    format!(
        r#"
[visits]
path = {visits:?}
[visits.columns]
visit_id = "visit_id"
store_number = "store"
visit_date = "day"
session_start_time = "started"
session_end_time = "ended"
visit_type_id = "type"
email_address = "email"
[scenes]
path = {scenes:?}
[scenes.columns]
visit_id = "visit_id"
scene_id = "scene_id"
task_code = "task"
[api]
base_url = "sandbox"
project = "my-project"
[results]
path = "never-written.csv"
"#
    )
}

fn all_rows(source: &Source) -> Vec<Rows> {
    let export = Export::open(source.clone()).expect("an export");
    export.batches().collect::<Result<_, _>>().expect("a readable export")
}

/// Takes everything in, with this much memory for it.
fn group((visits, scenes): (Vec<Rows>, Vec<Rows>), memory: u64) -> Shuffled {
    let bytes = |rows: &[Rows]| rows.iter().map(|rows| rows.batch.get_array_memory_size() as u64).sum::<u64>();
    let mut shuffle = Shuffle::new(false, memory, bytes(&visits) + bytes(&scenes), Folding::default());
    for rows in visits {
        shuffle.add_visits(rows, None).expect("room for visits");
    }
    let mut scenes = scenes.into_iter().peekable();
    while scenes.peek().is_some() {
        shuffle.add_scenes(scenes.by_ref().take(BATCHES_AT_ONCE).collect()).expect("room for scenes");
    }
    shuffle.finish().expect("grouped")
}

/// One thread, the ids of a thousand visits and of their scenes.
fn ids(criterion: &mut Criterion) {
    const VISITS: usize = 1_000;
    let mut group = criterion.benchmark_group("ids");
    group.throughput(Throughput::Elements((VISITS * (1 + SCENES)) as u64));
    let ids = Ids::new(Uuid::NAMESPACE_OID, Version::V5);
    for keys in Keys::ALL {
        let visits: Vec<String> = (0..VISITS).map(|visit| keys.key('V', visit)).collect();
        let scenes: Vec<String> = (0..VISITS * SCENES).map(|scene| keys.key('S', scene)).collect();
        group.bench_function(keys.name(), |bencher| {
            bencher.iter(|| {
                for (visit, scenes) in visits.iter().zip(scenes.chunks(SCENES)) {
                    let session = ids.session(black_box(visit));
                    for scene in scenes {
                        black_box(session.scene(black_box(scene)));
                    }
                    black_box(session.uid);
                }
            });
        });
    }
    group.finish();
}

/// One thread, a file to batches of clean columns. The order of scenes means nothing here, so one is enough.
fn csv_scan(criterion: &mut Criterion, workloads: &[Workload]) {
    let mut group = criterion.benchmark_group("csv scan");
    for workload in workloads.iter().filter(|workload| workload.shuffled) {
        for (export, source) in [("visits", &workload.job.visits), ("scenes", &workload.job.scenes)] {
            let size = std::fs::metadata(&source.paths[0]).expect("a file").len();
            let rows = if export == "visits" { workload.visits as u64 } else { workload.scenes() };
            group.throughput(Throughput::ElementsAndBytes { elements: rows, bytes: size });
            group.bench_function(BenchmarkId::new(export, workload.keys.name()), |bencher| {
                let opened = Export::open(source.clone()).expect("an export");
                bencher.iter(|| opened.batches().map(|rows| rows.expect("rows").batch.num_rows()).sum::<usize>());
            });
        }
    }
    group.finish();
}

/// All threads, batches to visits with their scenes: in memory, and with a fifth of what that takes.
fn grouping(criterion: &mut Criterion, workloads: &[Workload]) {
    let mut group_of = criterion.benchmark_group("grouping");
    for workload in workloads {
        let rows = workload.rows();
        let held = rows.0.iter().chain(&rows.1).map(|rows| rows.batch.get_array_memory_size() as u64).sum::<u64>();
        group_of.throughput(Throughput::Elements(workload.scenes()));
        for (place, memory) in [("in memory", u64::MAX), ("through files", held / 5)] {
            group_of.bench_function(BenchmarkId::new(place, &workload.name), |bencher| {
                // Batches are shared, so that copies of them cost next to nothing.
                bencher.iter_batched(
                    || rows.clone(),
                    |rows| {
                        let shuffled = group(rows, memory);
                        // What went to files is grouped when it is read back.
                        let each = shuffled.each::<ShuffleError>(|part| {
                            black_box(part.len());
                            Ok(())
                        });
                        each.expect("parts are read back");
                        // Giving the memory back is not part of the step.
                        shuffled
                    },
                    BatchSize::PerIteration,
                );
            });
        }
    }
    group_of.finish();
}

/// One thread, all checks and the body of every visit.
fn body(criterion: &mut Criterion, workloads: &[Workload]) {
    let mut group_of = criterion.benchmark_group("body");
    for workload in workloads {
        let shuffled = group(workload.rows(), u64::MAX);
        let build_all = |body: &mut Vec<u8>| {
            let mut bytes = 0;
            let built = shuffled.each::<ShuffleError>(|part| {
                let builder = Builder::new(&workload.job.rules, part, NOW);
                for visit in 0..part.len() {
                    body.clear();
                    builder.build(visit, body).expect("a valid visit");
                    bytes += body.len() as u64;
                }
                Ok(())
            });
            built.expect("grouped in memory");
            bytes
        };
        let mut body = Vec::with_capacity(4096);
        let bytes = build_all(&mut body);
        group_of.throughput(Throughput::ElementsAndBytes { elements: workload.visits as u64, bytes });
        group_of.bench_function(&workload.name, |bencher| bencher.iter(|| build_all(&mut body)));
    }
    group_of.finish();
}

/// One thread, a permit of a limiter that refuses none: of the run alone, and of a rate that it shares through a file.
fn permits(criterion: &mut Criterion) {
    const NO_LIMIT: f64 = 1e9;
    let mut group = criterion.benchmark_group("permit");
    group.throughput(Throughput::Elements(1));
    let mut alone = Limiter::new(NO_LIMIT, 1);
    group.bench_function("alone", |bencher| bencher.iter(|| black_box(alone.take())));
    let token = Token::new("of-the-benchmark").expect("a token");
    if let Some(file) = RateFile::of(&token, "http://benchmark.invalid", 1.0) {
        let path = file.path().to_owned();
        let mut shared = Limiter::new(NO_LIMIT, 1).sharing(file, Duration::from_secs(600));
        group.bench_function("shared", |bencher| bencher.iter(|| black_box(shared.take())));
        assert!(std::fs::read(&path).is_ok_and(|text| !text.is_empty()), "it was not shared");
        let _ = std::fs::remove_file(path);
    }
    group.finish();
}
