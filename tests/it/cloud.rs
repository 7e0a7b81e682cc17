//! Exports in object storage: read as local ones, through broken connections too, from a real S3 server on this machine
//! (moto). Skipped where it is not installed: `pip install 'moto[server]'`.

#![allow(clippy::expect_used, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Workdir};

#[test]
fn a_local_path_may_look_like_an_address() {
    let work = Workdir::with_visits(2);
    work.write("odd:/visits.csv", work.read("visits.csv"));
    let (done, bodies) = work.check(&JobFile::new().visits("path", "\"odd://visits.csv\""));
    assert_eq!((done.code, bodies.len()), (0, 2), "{}", done.stderr);
}

#[test]
fn credentials_in_a_path_are_refused_and_not_shown() {
    let work = Workdir::with_visits(1);
    work.job(&JobFile::new().visits("path", "\"s3://AKIA1:hush-hush@bucket/visits.csv\""));
    let done: Done = work.traxload(&["check", "job.toml"]).ends_with(2);
    assert!(!done.stderr.contains("hush"), "{}", done.stderr);
    done.says(&["cannot read s3://…", "credentials belong into the environment"]);
}

#[test]
fn results_and_lists_stay_on_this_machine() {
    let work = Workdir::with_visits(1);
    let sections = "[results]\npath = \"s3://bucket/results.csv\"\n[check]\nstores = \"s3://bucket/stores.csv\"";
    let said = work.run(&JobFile::new().and(sections)).ends_with(2);
    said.says(&["result files are written to this machine only", "lists are read from this machine only"]);
    work.job(&JobFile::new());
    let said = work.traxload(&["run", "job.toml", "--results", "s3://bucket/results.csv"]).ends_with(2);
    said.says(&["--results: result files are written to this machine only"]);
}

mod moto {
    use crate::harness::{
        Done, JobFile, Moto, Reply, SCENES_HEADER, ScriptedServer, TOKEN, VISITS_HEADER, Way, Workdir, body, gzip,
        lines, visit,
    };
    use arrow::array::{ArrayRef, RecordBatch, StringArray};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::Compression;
    use parquet::file::properties::WriterProperties;
    use std::fmt::Write;
    use std::net::TcpListener;
    use std::path::Path;
    use std::sync::Arc;

    const SECRET: &str = "s3cret/of+the+tests";

    /// Runs the binary with the credentials of the tests, which must not come out of it anywhere.
    #[track_caller]
    fn traxload(work: &Workdir, endpoint: &str, args: &[&str]) -> Done {
        let environment = [
            ("TRAX_TOKEN", TOKEN),
            ("AWS_ACCESS_KEY_ID", "AKIAOFTHETESTS"),
            ("AWS_SECRET_ACCESS_KEY", SECRET),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ALLOW_HTTP", "true"),
        ];
        let done = work.traxload_with(args, &environment);
        for text in [&done.stdout, &done.stderr] {
            assert!(!text.contains(SECRET), "the secret is told: {text}");
        }
        for name in work.listing(".").iter().filter(|name| Path::new(name).extension().is_some()) {
            let content = std::fs::read(work.path(name)).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&content).contains(SECRET), "the secret is in {name}");
        }
        done
    }

    /// `check` with a job, and the bodies that it would send.
    #[track_caller]
    fn check(work: &Workdir, endpoint: &str, job: &JobFile) -> (Done, Vec<String>) {
        work.job(job);
        let _ = std::fs::remove_file(work.path("payloads.jsonl"));
        let done = traxload(work, endpoint, &["check", "job.toml", "-vv", "--payloads", "payloads.jsonl"]);
        let bodies = match work.exists("payloads.jsonl") {
            true => work.read("payloads.jsonl").lines().map(str::to_owned).collect(),
            false => Vec::new(),
        };
        (done, bodies)
    }

    #[track_caller]
    fn says_and_stops(endpoint: &str, visits: &str, texts: &[&str]) {
        let work = Workdir::with_visits(1);
        let job = JobFile::new().visits("path", &format!("\"{visits}\""));
        let (done, _) = check(&work, endpoint, &job);
        done.ends_with(2).says(texts);
    }

    fn job(visits: &str, scenes: &str) -> JobFile {
        JobFile::new().visits("path", &format!("\"{visits}\"")).scenes("path", &format!("\"{scenes}\""))
    }

    fn bodies(count: usize) -> Vec<String> {
        (1..=count).map(body).collect()
    }

    fn csv(visits: std::ops::RangeInclusive<usize>) -> String {
        lines(VISITS_HEADER, &visits.map(visit).collect::<Vec<_>>())
    }

    fn scenes(count: usize) -> String {
        lines(SCENES_HEADER, &(1..=count).map(|n| format!("V{n},S{n},T1")).collect::<Vec<_>>())
    }

    /// A CSV text as a Parquet file of text columns, with more of them at the end.
    fn parquet(csv: &str, more: Vec<(&str, ArrayRef)>, group: usize) -> Vec<u8> {
        let mut rows = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = rows.next().expect("a header");
        let rows: Vec<Vec<&str>> = rows.collect();
        let column = |at: usize| Arc::new(rows.iter().map(|row| Some(row[at])).collect::<StringArray>()) as ArrayRef;
        let columns = header.iter().enumerate().map(|(at, name)| (*name, column(at))).chain(more);
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let properties = WriterProperties::builder()
            .set_max_row_group_row_count(Some(group))
            .set_compression(Compression::UNCOMPRESSED)
            .set_dictionary_enabled(false)
            .build();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).expect("a writer");
        writer.write(&batch).expect("in memory");
        writer.into_inner().expect("in memory")
    }

    #[test]
    fn folders_are_looked_at_as_on_this_machine() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("folders");
        moto.put("folders", "scenes.csv", scenes(2));
        for name in ["v/1.csv.md5", "v/_SUCCESS", "v/export.log", "v/README.md"] {
            moto.put("folders", name, "no rows");
        }
        moto.put("folders", "v/1.CSV", csv(1..=1));
        moto.put("folders", "v/part-2", csv(2..=2));
        let work = Workdir::new();
        let (done, found) = check(&work, &moto.url(), &job("s3://folders/v", "s3://folders/scenes.csv"));
        assert_eq!(found, bodies(2), "{}", done.stderr);
        moto.put("folders", "v/3.csv.part", csv(3..=3));
        moto.put("folders", "v/day4.xlsx", "PK");
        says_and_stops(
            &moto.url(),
            "s3://folders/v/*",
            &["unfinished_file", "s3://folders/v/3.csv.part", "v/day4.xlsx"],
        );
        moto.put("folders", "delta/_delta_log/0.json", "{}");
        moto.put("folders", "delta/part-0.csv", csv(1..=1));
        for path in ["delta", "delta/*.csv", "*", "**"] {
            says_and_stops(&moto.url(), &format!("s3://folders/{path}"), &["belongs to a Delta table"]);
        }
        moto.put("folders", "ice/metadata/v1.metadata.json", "{}");
        moto.put("folders", "ice/data/part-0.csv", csv(1..=1));
        for path in ["ice", "ice/*/*.csv"] {
            says_and_stops(&moto.url(), &format!("s3://folders/{path}"), &["belongs to an Iceberg table"]);
        }
    }

    #[test]
    fn csv_packed_csv_and_parquet_make_the_same_bodies_as_local_files() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("kinds");
        let text = csv(1..=300);
        moto.put("kinds", "scenes.csv", scenes(300));
        moto.put("kinds", "visits.csv", &text);
        moto.put("kinds", "visits.csv.gz", gzip(&text));
        moto.put("kinds", "visits.csv.zst", zstd::encode_all(text.as_bytes(), 1).expect("in memory"));
        moto.put("kinds", "visits.parquet", parquet(&text, Vec::new(), 100));
        moto.put(
            "kinds",
            "utf16.csv",
            [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()].concat(),
        );
        let work = Workdir::new();
        for name in ["visits.csv", "visits.csv.gz", "visits.csv.zst", "visits.parquet", "utf16.csv"] {
            let (done, found) = check(&work, &moto.url(), &job(&format!("s3://kinds/{name}"), "s3://kinds/scenes.csv"));
            assert_eq!(done.code, 0, "{name}: {}", done.stderr);
            assert_eq!(found, bodies(300), "{name}");
        }
        // A file on this machine beside one in the bucket.
        work.write("more.csv", csv(301..=302)).write("scenes.csv", scenes(302));
        let both =
            JobFile::new().visits("path", "[\"s3://kinds/visits.csv\", \"more.csv\", \"s3://kinds/visits.csv\"]");
        assert_eq!(check(&work, &moto.url(), &both).1, bodies(302), "a file named twice is read once");
    }

    #[test]
    fn folders_and_patterns_follow_the_rules_of_local_ones() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("rules");
        let local = Workdir::new();
        let without_date = |visits: std::ops::RangeInclusive<usize>| csv(visits).replace("visit_date", "day");
        for (key, content) in [
            ("scenes.csv", scenes(12)),
            ("in/visit_date=2024-03-05/part-1.csv", without_date(3..=4)),
            ("in/visit_date=2024-03-05/part-0.csv", without_date(1..=2)),
            ("in/visit_date=2024-03-05/sub/part-2.csv", without_date(5..=6)),
            ("in/visit_date=2024-03-05/_SUCCESS", String::new()),
            ("in/visit_date=2024-03-05/.part-0.csv.crc", "x".to_owned()),
            ("in/visit_date=2024-03-05/_temporary/part-9.csv", without_date(9..=9)),
            ("in/visit_date=2024-03-06/part-0.csv", without_date(7..=8)),
            ("in-2/part-0.csv", without_date(10..=11)),
            ("in/a [b]*.csv", csv(12..=12)),
        ] {
            local.write(key, &content);
            moto.put(
                "rules",
                &key.replace(' ', "%20").replace('[', "%5B").replace(']', "%5D").replace('*', "%2A"),
                content,
            );
        }
        for path in [
            "in/visit_date=2024-03-05",
            "in/visit_date=2024-03-05/",
            "in/visit_date=*",
            "in/visit_date=*/part-*.csv",
            "in/visit_date=2024-03-0[56]/part-0.csv",
            "in/**/part-?.csv",
            "i*/visit_date=2024-03-06",
            "in/visit_date=2024-03-05/_temporary/part-9.csv",
            "in/visit_date=2024-03-05/_t*/*.csv",
            "in/a [b]*.csv",
        ] {
            let (here, expected) = local.check(&job(path, "scenes.csv"));
            let stored = job(&format!("s3://rules/{path}"), "s3://rules/scenes.csv");
            let (there, found) = check(&Workdir::new(), &moto.url(), &stored);
            assert!(!expected.is_empty(), "{path}: {}", here.stderr);
            assert_eq!((there.code, &found), (here.code, &expected), "{path}: {}", there.stderr);
        }
        let tsv = "s3://rules/in/*.tsv";
        says_and_stops(&moto.url(), tsv, &["no file matches s3://rules/in/*.tsv"]);
        let missing = "s3://rules/nowhere";
        says_and_stops(&moto.url(), missing, &["cannot read s3://rules/nowhere: there is no such object"]);
    }

    #[test]
    fn a_run_and_its_rerun_name_the_objects_as_the_job_does() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("nightly");
        let mut text = csv(1..=3);
        text.push_str(&format!("{}\n", visit(4).replace(",801,", ",weekly,")));
        moto.put("nightly", "2024-03-05/visits.csv.gz", gzip(&text));
        moto.put("nightly", "2024-03-05/scenes.csv", scenes(4));
        let work = Workdir::new();
        let paths = job("s3://nightly/{date}/visits*.csv.gz", "s3://nightly/{date}/scenes.csv");
        work.job(&paths);
        let date = ["--date", "2024-03-05"];
        traxload(&work, &moto.url(), &[&["run", "job.toml"][..], &date].concat()).ends_with(3);
        let rows = work.results();
        assert_eq!((rows.count("uploaded"), rows.count("invalid")), (3, 1));
        for (visit, line) in [("V1", 2), ("V2", 3), ("V3", 4), ("V4", 5)] {
            assert_eq!(&rows.of(visit)["source"], format!("s3://nightly/2024-03-05/visits.csv.gz:{line}"));
        }
        // The export is fixed, and the rest is sent.
        moto.put("nightly", "2024-03-05/visits.csv.gz", gzip(csv(1..=4)));
        traxload(&work, &moto.url(), &["rerun", "results.csv"]).ends_with(0);
        assert_eq!(work.results().count("uploaded"), 4);
    }

    #[test]
    fn init_drafts_the_job_that_local_files_would_give() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("drafts");
        let work = Workdir::with_visits(40);
        moto.put("drafts", "visits.csv", work.read("visits.csv"));
        moto.put("drafts", "part/scenes.csv", work.read("scenes.csv"));
        let here = work.traxload(&["init", "--visits", "visits.csv", "--scenes", "scenes.csv"]).ends_with(0);
        let args = ["init", "--visits", "s3://drafts/visits.csv", "--scenes", "s3://drafts/part/"];
        let there = traxload(&work, &moto.url(), &args).ends_with(0);
        let stored = there.stdout.replace("s3://drafts/part/", "scenes.csv").replace("s3://drafts/", "");
        assert_eq!(stored, here.stdout);
    }

    #[test]
    fn a_missing_bucket_and_refused_credentials_are_told_apart() {
        // Nobody else's bucket may be closed by it.
        let Some(moto) = Moto::start() else { return };
        for path in ["s3://no-such-bucket/visits.csv", "s3://no-such-bucket/*.csv", "s3://no-such-bucket/in/"] {
            says_and_stops(&moto.url(), path, &[path, "there is no bucket no-such-bucket"]);
        }
        moto.create_bucket("closed");
        moto.put("closed", "visits.csv", csv(1..=1));
        moto.demand_credentials();
        for path in ["s3://closed/visits.csv", "s3://closed/*.csv"] {
            let said = ["the credentials for it are not accepted (InvalidAccessKeyId)", "AWS_SECRET_ACCESS_KEY"];
            says_and_stops(&moto.url(), path, &said);
        }
    }

    #[test]
    fn what_a_storage_refuses_is_told_without_its_answer() {
        let denied = |code: &str| {
            let text = format!("<Error><Code>{code}</Code><Region>us-west-2</Region><Signed>{SECRET}</Signed></Error>");
            ScriptedServer::replying(vec![Reply::status(403), Reply::text(403, &text)])
        };
        let path = "s3://bucket/visits.csv";
        says_and_stops(&denied("AccessDenied").url(), path, &["may not read it (AccessDenied)", "check `path`"]);
        says_and_stops(&denied("AuthorizationHeaderMalformed").url(), path, &["set AWS_REGION=us-west-2"]);
        let moved = ScriptedServer::replying(vec![Reply::status(301).with("x-amz-bucket-region", "eu-west-1")]);
        says_and_stops(&moved.url(), path, &["the bucket bucket is in another region; set AWS_REGION=eu-west-1"]);
    }

    #[test]
    fn a_storage_that_never_answers_is_given_up_soon() {
        let closed = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("an address");
        let said = ["its storage cannot be reached at 127.0.0.1:", "Connection refused", "AWS_ENDPOINT_URL"];
        says_and_stops(&format!("http://{closed}"), "s3://bucket/visits.csv", &said);
        let silent = ScriptedServer::replying(vec![Reply::Stall]);
        says_and_stops(
            &silent.url(),
            "s3://bucket/visits.csv",
            &["cannot be reached at 127.0.0.1", "no answer in time"],
        );
    }

    #[test]
    fn a_storage_that_is_overloaded_for_a_moment_is_asked_again() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("slow");
        moto.put("slow", "visits.csv", csv(1..=1));
        // The connection breaks before there is an answer.
        let proxy = moto.proxy(|_, nth| if nth.is_multiple_of(2) { Way::Cut(0) } else { Way::Through });
        let (done, found) = check(&Workdir::with_visits(1), &proxy.url(), &job("s3://slow/visits.csv", "scenes.csv"));
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert_eq!(found, bodies(1));
    }

    #[test]
    fn broken_connections_are_taken_up_at_the_byte_reached() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("broken");
        let text = csv(1..=6000);
        moto.put("broken", "visits.csv", &text);
        moto.put("broken", "visits.csv.gz", gzip(&text));
        moto.put("broken", "visits.parquet", parquet(&text, Vec::new(), 2500));
        moto.put("broken", "scenes.csv", scenes(6000));
        for name in ["visits.csv", "visits.csv.gz", "visits.parquet"] {
            let gets = std::sync::atomic::AtomicUsize::new(0);
            let proxy = moto.proxy(move |head, _| {
                let nth = gets.fetch_add(usize::from(head.starts_with("get ")), std::sync::atomic::Ordering::Relaxed);
                if head.starts_with("get ") && nth.is_multiple_of(2) { Way::Cut(20_000) } else { Way::Through }
            });
            let stored = job(&format!("s3://broken/{name}"), "s3://broken/scenes.csv");
            let (done, found) = check(&Workdir::new(), &proxy.url(), &stored);
            assert_eq!(done.code, 0, "{name}: {}", done.stderr);
            assert!(found == bodies(6000), "{name}: {} bodies", found.len());
            let resumed = proxy.heads().iter().filter(|head| head.contains("if-match")).count();
            assert!(resumed > 0, "{:#?}", proxy.heads());
        }
    }

    #[test]
    fn an_object_that_is_replaced_meanwhile_is_no_export() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("replaced");
        let (old, new) = (csv(1..=6000), csv(1..=6000).replace("rep", "REP"));
        let scenes = scenes(6000);
        for (name, content, other) in [
            ("visits.csv", old.clone().into_bytes(), new.clone().into_bytes()),
            ("visits.parquet", parquet(&old, Vec::new(), 2500), parquet(&new, Vec::new(), 2500)),
        ] {
            // Between two requests for its bytes, then behind the last of them.
            for moment in ["get ", "head "] {
                moto.put("replaced", name, &content);
                let replace = moto.replacing("replaced", name, other.clone());
                let seen = std::sync::atomic::AtomicUsize::new(0);
                let key = format!("{moment}/replaced/{name}");
                let proxy = moto.proxy(move |head, _| {
                    let is_it = head.starts_with(&key);
                    if is_it && seen.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 1 {
                        replace();
                    }
                    Way::Through
                });
                let work = Workdir::new();
                work.write("scenes.csv", &scenes);
                let path = format!("s3://replaced/{name}");
                let (done, _) = check(&work, &proxy.url(), &job(&path, "scenes.csv"));
                done.ends_with(2).says(&[&format!("{path} was changed while it was being read")]);
            }
        }
    }

    #[test]
    fn of_a_parquet_file_only_the_mapped_columns_are_fetched() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("columns");
        let photo = |n: usize| format!("{:x>1000}", n);
        let photos = Arc::new((1..=9000).map(|n| Some(photo(n))).collect::<StringArray>()) as ArrayRef;
        let file = parquet(&csv(1..=9000), vec![("photo", photos)], 3000);
        moto.put("columns", "visits.parquet", &file);
        moto.put("columns", "scenes.csv", scenes(9000));
        let proxy = moto.proxy(|_, _| Way::Through);
        let stored = job("s3://columns/visits.parquet", "s3://columns/scenes.csv");
        let (done, found) = check(&Workdir::new(), &proxy.url(), &stored);
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(found == bodies(9000), "{} bodies", found.len());
        let heads = proxy.heads();
        let mut fetched = 0;
        let mut requests = String::new();
        for head in heads.iter().filter(|head| head.starts_with("get /columns/visits.parquet")) {
            let range = head.lines().find_map(|line| line.strip_prefix("range: bytes=")).expect("all are for a range");
            let (start, end) = range.trim().split_once('-').expect("from and to");
            fetched += end.parse::<usize>().expect("a number") + 1 - start.parse::<usize>().expect("a number");
            writeln!(requests, "{range}").expect("in memory");
        }
        assert!(file.len() > 9_000_000 && fetched < 2_500_000, "{fetched} of {}:\n{requests}", file.len());
        assert!(requests.lines().count() < 12, "{requests}");
    }

    #[test]
    fn a_prepared_folder_may_lie_there() {
        let Some(moto) = Moto::shared() else { return };
        moto.create_bucket("prepared");
        let work = Workdir::with_visits(3);
        work.job(&JobFile::new());
        let folder = "s3://prepared/2024/march";
        let prepare = ["prepare", "job.toml", "-o", folder, "--json"];
        let done = traxload(&work, &moto.url(), &prepare).ends_with(0);
        let hash = done.json()["prepared_sha256"].as_str().expect("a hash").to_owned();
        traxload(&work, &moto.url(), &prepare).ends_with(2).says(&["s3://prepared/2024/march is there already"]);
        let upload = ["upload", "job.toml", "s3://prepared/2024/march/", "--expect", &hash];
        traxload(&work, &moto.url(), &upload).ends_with(0);
        assert_eq!(work.results().count("uploaded"), 3);
        // The same folder brought here has the same hash.
        traxload(&work, &moto.url(), &["prepare", "job.toml", "-o", "here"]).ends_with(0);
        let here = ["upload", "job.toml", "here", "--expect", &hash, "--results", "2.csv"];
        traxload(&work, &moto.url(), &here).ends_with(0);
        // Replaced, and then without what says that it is complete.
        work.write("visits.csv", csv(1..=2));
        traxload(&work, &moto.url(), &[&prepare[..], &["--overwrite"]].concat()).ends_with(0);
        traxload(&work, &moto.url(), &[&upload[..], &["--fresh"]].concat()).ends_with(2).says(&["signed off"]);
        let gone = ["upload", "job.toml", "s3://prepared/2024/april", "--results", "3.csv"];
        traxload(&work, &moto.url(), &gone).ends_with(2).says(&["there is no folder s3://prepared/2024/april"]);
        moto.put("prepared", "2025/prepared-00000.parquet", "half of it");
        let half = ["upload", "job.toml", "s3://prepared/2025", "--results", "3.csv"];
        traxload(&work, &moto.url(), &half).ends_with(2).says(&["s3://prepared/2025 has no _SUCCESS"]);
    }

    /// Serves one object, as `answer` heads it.
    fn serving(content: String, extra: &'static str) -> ScriptedServer {
        ScriptedServer::start(move |request, _| {
            let size = content.len();
            let tag = "last-modified: Tue, 05 Mar 2024 08:00:00 GMT\r\netag: \"1\"\r\nconnection: close\r\n";
            let range = request.headers.iter().find(|(name, _)| ["range", "x-ms-range"].contains(&name.as_str()));
            let (first, start, end) = match range {
                Some((_, range)) => {
                    let (start, end) = range.trim_start_matches("bytes=").split_once('-').expect("from and to");
                    let (start, end): (usize, usize) = (start.parse().expect("from"), end.parse().expect("to"));
                    (format!("206 Partial\r\ncontent-range: bytes {start}-{end}/{size}"), start, end + 1)
                }
                None => ("200 OK".to_owned(), 0, size),
            };
            let mut answer = format!("HTTP/1.1 {first}\r\ncontent-length: {}\r\n{tag}{extra}\r\n", end - start);
            if request.method == "GET" {
                answer.push_str(&content[start..end]);
            }
            Reply::Bytes(answer.into_bytes())
        })
    }

    #[test]
    fn google_and_azure_are_asked_in_their_own_ways() {
        let work = Workdir::with_visits(3);
        let google = serving(csv(1..=3), "");
        let azure = serving(csv(1..=3), "x-ms-blob-type: BlockBlob\r\n");
        let (google_url, azure_url) = (google.url(), format!("{}/account", azure.url()));
        let environment = [
            ("GOOGLE_BASE_URL", google_url.as_str()),
            ("GOOGLE_SKIP_SIGNATURE", "true"),
            ("GOOGLE_ALLOW_HTTP", "true"),
            ("AZURE_STORAGE_ACCOUNT_NAME", "account"),
            ("AZURE_STORAGE_ACCOUNT_KEY", "c2VjcmV0LW9mLXRoZS10ZXN0cw=="),
            ("AZURE_STORAGE_ENDPOINT", azure_url.as_str()),
            ("AZURE_ALLOW_HTTP", "true"),
        ];
        for path in ["gs://bucket/in/visits.csv", "az://container/in/visits.csv"] {
            work.job(&JobFile::new().visits("path", &format!("\"{path}\"")));
            let done = work.traxload_with(&["check", "job.toml", "--payloads", "payloads.jsonl"], &environment);
            let done = done.ends_with(0);
            assert!(!done.stderr.contains("c2VjcmV0"), "{}", done.stderr);
            assert_eq!(work.read("payloads.jsonl").lines().collect::<Vec<_>>(), bodies(3), "{path}");
        }
        let paths: Vec<String> = google.requests().into_iter().map(|request| request.path).collect();
        assert!(paths.iter().all(|path| path == "/bucket/in%2Fvisits%2Ecsv"), "{paths:?}");
        assert!(google.requests().iter().all(|request| request.header("accept-encoding") == "gzip"));
        let azure = azure.requests();
        assert!(azure.iter().all(|request| request.path == "/account/container/in/visits.csv"), "{azure:#?}");
        assert!(azure.iter().all(|request| request.header("authorization").starts_with("SharedKey account:")));
    }
}
