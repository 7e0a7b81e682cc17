//! The token is in no message, log, result or page, whatever a server makes of it, and wherever a user has put it.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests may fail where they stand")]

use crate::harness::{Done, JobFile, Reply, ScriptedServer, Workdir, gzip};
use std::os::unix::fs::{PermissionsExt, chown};

/// A token with every letter that somebody encodes.
const SECRET: &str = "q7R+9/xk=&Zm_04-tail.Z<w>";

/// Fails if six letters of the token in a row are in any file of the folder, or were said.
#[track_caller]
fn shows_nothing(work: &Workdir, done: &Done) {
    let texts = ["results.csv", "results.html", "results.csv.json"].map(|name| match work.exists(name) {
        true => work.read(name),
        false => String::new(),
    });
    let parts: Vec<&str> = (0..SECRET.len() - 6).map(|at| &SECRET[at..at + 6]).collect();
    for text in texts.iter().chain([&done.stdout, &done.stderr]) {
        let text = text.to_lowercase();
        let found: Vec<&&str> = parts.iter().filter(|part| text.contains(&part.to_lowercase())).collect();
        assert!(found.is_empty(), "{found:?} in {text}");
    }
}

fn run(work: &Workdir, args: &[&str]) -> Done {
    work.traxload_with(args, &[("TRAX_TOKEN", SECRET)])
}

#[test]
fn a_token_that_a_server_echoes_is_hidden_in_every_spelling() {
    let json =
        |text: &str| text.replace('/', "\\/").replace('&', "\\u0026").replace('=', "\\u003d").replace('<', "\\u003C");
    let html =
        |text: &str| text.replace('&', "&amp;").replace('/', "&#x2F;").replace('=', "&#61;").replace('<', "&lt;");
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    // Auth-Token and the token, in Base64, and the token alone.
    let in_base64 = ["QXV0aC1Ub2tlbiBxN1IrOS94az0mWm1fMDQtdGFpbC5aPHc+", "cTdSKzkveGs9JlptXzA0LXRhaWwuWjx3Pg=="];
    let mut bodies = vec![
        format!(r#"{{"error":"no such key {}"}}"#, json(SECRET)),
        format!(r#"{{"error":"no such key {}"}}"#, json(&html(SECRET))),
        format!(r#"{{"error":"no such key {}","message":"{}"}}"#, percent, percent.to_uppercase()),
        format!("<html><body>no such key {}</body></html>", html(SECRET)),
        format!("<html><body>no such key {}</body></html>", html(&html(SECRET))),
        format!("no such key {SECRET}{SECRET}"),
        format!("no such key {}", &SECRET[..12]),
        format!("no such key Authorization: Auth-Token {}", SECRET.to_uppercase()),
    ];
    bodies.extend(in_base64.map(|text| format!("no such key {text}")));
    let count = bodies.len();
    let texts = bodies.clone();
    let server = ScriptedServer::start(move |_, nth| Reply::text(400, &texts[nth % count]));
    let work = Workdir::with_visits(count);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let done = run(&work, &["run", "job.toml", "-v"]).ends_with(3);
    shows_nothing(&work, &done);
    for (row, body) in work.results().rows.iter().zip(&bodies) {
        assert!(
            row["error"].starts_with("no such key") && row["error"].contains("[token]"),
            "{body}: {}",
            &row["error"]
        );
    }
    for word in in_base64 {
        assert!(!work.read("results.csv").contains(&word[4..12]), "{word}");
    }
    // An answer that is not HTTP at all, and one in which the token is cut by the end.
    let bytes = format!("HTTP/1.1 400 Bad\r\ncontent-length: 9000\r\n\r\nno such key {}", &SECRET[..7]);
    let server = ScriptedServer::replying(vec![Reply::Bytes(bytes.into_bytes()), Reply::Bytes(SECRET.into())]);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1").upload("patience", "\"1s\""));
    let done = run(&work, &["run", "job.toml", "-v", "--fresh", "--limit", "3"]);
    shows_nothing(&work, &done);
}

#[test]
fn a_token_in_the_place_of_its_variable_or_file_is_refused_and_not_shown() {
    let work = Workdir::with_visits(1);
    for (key, value) in [
        ("token_env", "9f86d081884c7d659a2feaa0c55ad015"),
        ("token_env", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
        ("token_env", "Bearer dozjgNryP4J3jVmNHl0w5N"),
        ("token_file", "9f86d081884c7d659a2feaa0c55ad015"),
        ("token_file", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"),
        ("token_file", "Auth-Token dozjgNryP4J3jVmNHl0w5N"),
    ] {
        work.job(&JobFile::to("https://localhost:1").api(key, &format!("{value:?}")));
        for command in ["run", "check"] {
            let done = run(&work, &[command, "job.toml"]).ends_with(2).says(&[&format!("{key} is the")]);
            assert!(!done.stderr.contains(&value[value.len() - 12..]), "{}", done.stderr);
        }
    }
    // A file may have such a name.
    let name = "9f86d081884c7d659a2feaa0c55ad015";
    work.write(name, SECRET);
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    work.job(&JobFile::to(&server.url()).api("token_file", &format!("{name:?}")));
    work.traxload_with(&["run", "job.toml"], &[]).ends_with(0);
}

#[test]
fn a_variable_may_name_the_file_with_the_token() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url())).write("token", format!("{SECRET}\n"));
    let file = [("TRAX_TOKEN_FILE", "token")];
    work.traxload_with(&["run", "job.toml"], &file).ends_with(0);
    let sent = |nth: usize| {
        let requests = server.requests();
        let headers = requests[nth].headers.clone();
        headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization")).map(|(_, value)| value)
    };
    assert_eq!(sent(0), Some(format!("Auth-Token {SECRET}")));
    // The token itself goes before its file, and a job that names another variable means that one.
    let both = [("TRAX_TOKEN_FILE", "no-such-file"), ("TRAX_TOKEN", "the-other-one")];
    work.traxload_with(&["run", "job.toml", "--fresh"], &both).ends_with(0);
    assert_eq!(sent(1), Some("Auth-Token the-other-one".to_owned()));
    let missing = [("TRAX_TOKEN_FILE", "no-such-file")];
    work.traxload_with(&["run", "job.toml", "--fresh"], &missing)
        .ends_with(2)
        .says(&["no-such-file", "TRAX_TOKEN_FILE"]);
    work.job(&JobFile::to(&server.url()).api("token_env", "\"MINE\""));
    work.traxload_with(&["run", "job.toml", "--fresh"], &file).ends_with(2).says(&["MINE is not set"]);
}

#[test]
fn only_a_file_that_is_ours_to_change_is_warned_of() {
    let server = ScriptedServer::replying(vec![Reply::ok()]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()).api("token_file", "\"token\"")).write("token", SECRET);
    let warns = |mode: u32| {
        std::fs::set_permissions(work.path("token"), PermissionsExt::from_mode(mode)).expect("ours");
        let done = work.traxload_with(&["run", "job.toml", "--fresh"], &[]).ends_with(0);
        done.stderr.contains("others can read the token file token")
    };
    assert!(warns(0o444) && warns(0o640) && !warns(0o600));
    // As secrets of containers are: somebody else's. Only root can give a file away.
    if chown(work.path("token"), Some(12_345), None).is_ok() {
        assert!(!warns(0o444));
    }
}

#[test]
fn errors_are_read_however_they_are_packed() {
    let text = r#"{"error_description":"invalid token"}"#;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let marked = [b"\xff\xfe".as_slice(), &utf16].concat();
    let packed = |body: Vec<u8>, headers: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Reply::Answer { status: 400, headers: headers.iter().map(own).collect(), body }
    };
    let deflated = |bytes: &[u8], is_raw: bool| {
        use std::io::Write;
        let level = flate2::Compression::default();
        if is_raw {
            let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), level);
            raw.write_all(bytes).and_then(|()| raw.finish()).expect("packed")
        } else {
            let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
            zlib.write_all(bytes).and_then(|()| zlib.finish()).expect("packed")
        }
    };
    let mut brotli = Vec::new();
    brotli::BrotliCompress(&mut text.as_bytes(), &mut brotli, &Default::default()).expect("packed");
    let zstd = zstd::encode_all(text.as_bytes(), 0).expect("packed");
    for reply in [
        packed(gzip(text), &[("content-encoding", "gzip")]),
        packed(gzip(text), &[("Content-Encoding", " X-GZIP")]),
        packed(gzip(text), &[]),
        packed(deflated(text.as_bytes(), false), &[("content-encoding", "deflate")]),
        packed(deflated(text.as_bytes(), true), &[("content-encoding", "deflate")]),
        packed(gzip(deflated(text.as_bytes(), false)), &[("content-encoding", "deflate, gzip")]),
        packed(brotli, &[("content-encoding", "br")]),
        packed(zstd, &[("content-encoding", "zstd")]),
        packed(text.into(), &[("content-encoding", "gzip")]),
        packed(utf16.clone(), &[("content-type", "application/json; charset=\"UTF-16LE\"")]),
        packed(utf16, &[("content-type", "application/json")]),
        packed(marked.clone(), &[]),
        packed(gzip(marked), &[("content-encoding", "gzip")]),
        packed(text.into(), &[("content-type", "application/json; charset=utf-16")]),
    ] {
        let server = ScriptedServer::replying(vec![reply.clone()]);
        let work = Workdir::with_visits(2);
        work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
        let done = run(&work, &["run", "job.toml"]);
        assert_eq!(done.code, 6, "{reply:?}\n{}", done.stderr);
        assert!(done.stderr.contains("invalid token"), "{reply:?}\n{}", done.stderr);
    }
    // Letters of a charset, a token inside, and a bomb.
    let latin = b"{\"error\":\"Magasin n\xb0 5 d\xe9sactiv\xe9\"}".to_vec();
    let echo = gzip(format!("{{\"error\":\"no such key {SECRET}\"}}"));
    let bomb = gzip(vec![b'x'; 50 << 20]);
    for (reply, said) in [
        (packed(latin.clone(), &[("content-type", "text/plain; charset=ISO-8859-1")]), "Magasin n° 5 désactivé"),
        (packed(latin, &[]), "Magasin n° 5 désactivé"),
        (packed(echo, &[("content-encoding", "gzip")]), "no such key [token]"),
        (packed(bomb, &[("content-encoding", "gzip")]), "xxx"),
    ] {
        let server = ScriptedServer::replying(vec![reply]);
        let work = Workdir::with_visits(1);
        work.job(&JobFile::to(&server.url()));
        let done = run(&work, &["run", "job.toml"]).ends_with(3);
        shows_nothing(&work, &done);
        assert!(work.results().of("V1")["error"].contains(said), "{:?}", work.results());
    }
}

#[test]
fn a_page_that_is_packed_is_not_believed() {
    let page = Reply::Answer {
        status: 200,
        headers: vec![("content-encoding".to_owned(), "gzip".to_owned())],
        body: gzip("<!DOCTYPE html><title>Log in</title>"),
    };
    let server = ScriptedServer::replying(vec![page]);
    let work = Workdir::with_visits(1);
    work.job(&JobFile::to(&server.url()));
    run(&work, &["run", "job.toml"]);
    assert_eq!(work.results().count("uploaded"), 0);
}
