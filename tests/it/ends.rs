//! What no waiting fixes ends a run at once with 2, its own words and nothing left behind; once the API has answered, the same
//! is an outage. And what ends a run from outside: signals, and a standard error that nobody reads.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may fail where they stand"
)]

use crate::harness::{Done, Gate, JobFile, Reply, ScriptedServer, TOKEN, Workdir, wait_until};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Someone who signs certificates, and its own one as a file of this name in the scratch folder.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = params.self_signed(&key).expect("signed");
        Authority { pem: own.pem(), der: own.der().clone(), issuer: Issuer::new(params, key) }
    }

    /// A server's certificate for `host`, from one year to another.
    fn server(&self, host: &str, from: i32, to: i32) -> ServerConfig {
        let (certificate, key) = self.signed(host, from, to);
        let config = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        config.expect("versions").with_no_client_auth().with_single_cert(vec![certificate], key).expect("a pair")
    }

    /// One that wants a certificate of its clients.
    fn mutual(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> ServerConfig {
        let (certificate, key) = self.signed("localhost", 2000, 2100);
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a root");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().expect("one");
        let config =
            ServerConfig::builder_with_provider(provider()).with_protocol_versions(versions).expect("versions");
        config.with_client_cert_verifier(verifier).with_single_cert(vec![certificate], key).expect("a pair")
    }

    fn signed(&self, host: &str, from: i32, to: i32) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("parameters");
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        (certificate.der().clone(), PrivatePkcs8KeyDer::from(key.serialize_der()).into())
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// Serves each connection on a thread of its own until the test process ends. `serve` gets the number of the connection.
fn listen(serve: impl Fn(TcpStream, usize) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for (nth, connection) in listener.incoming().map_while(Result::ok).enumerate() {
            let serve = serve.clone();
            std::thread::spawn(move || serve(connection, nth));
        }
    });
    address
}

/// An API behind TLS that takes one visit on each connection, with this configuration for the nth.
fn tls(config: impl Fn(usize) -> ServerConfig + Send + Sync + 'static) -> SocketAddr {
    listen(move |connection, nth| {
        let session = ServerConnection::new(Arc::new(config(nth))).expect("a session");
        let mut stream = BufReader::new(StreamOwned::new(session, connection));
        if read_request(&mut stream).is_some() {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            let _ = stream.get_mut().write_all(answer).and_then(|()| stream.get_mut().flush());
            stream.get_mut().conn.send_close_notify();
            let _ = stream.get_mut().flush();
        }
    })
}

/// A server that answers anything with these bytes.
fn answering(bytes: &'static [u8]) -> SocketAddr {
    listen(move |mut connection, _| {
        let _ = connection.read(&mut [0; 4096]).and_then(|_| connection.write_all(bytes));
        // What is still to come is read, so that the answer is not lost.
        let _ = connection.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut connection, &mut std::io::sink());
    })
}

/// The head of a request, whose body is read as well.
fn read_request(stream: &mut impl BufRead) -> Option<String> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    stream.read_exact(&mut vec![0; length.unwrap_or(0)]).ok()?;
    Some(head)
}

fn pass_on(client: TcpStream, server: TcpStream) {
    let (mut from, mut to) = (client.try_clone().expect("a socket"), server.try_clone().expect("a socket"));
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (server, client);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// A proxy that leads every CONNECT to this address; it keeps the heads.
fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = heads.clone();
    let address = listen(move |client, _| {
        let mut reader = BufReader::new(client.try_clone().expect("a socket"));
        let Some(head) = read_request(&mut reader) else { return };
        seen.lock().expect("no panic holds it").push(head);
        let _ = (&client).write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
        pass_on(client, TcpStream::connect(to).expect("a server"));
    });
    (address, heads)
}

fn job(address: &str, ca_file: bool) -> JobFile {
    let job = JobFile::to(address).upload("patience", "\"1s\"").upload("connect_timeout", "\"5s\"");
    if ca_file { job.api("ca_file", "\"ca.pem\"") } else { job }
}

/// A run to this address that ends with 2 and leaves nothing behind.
#[track_caller]
fn ends_at_once(work: &Workdir, job: &JobFile, environment: &[(&str, &str)], words: &[&str]) -> Done {
    work.job(job);
    let before = work.listing(".");
    let environment = [environment, &[("TRAX_TOKEN", TOKEN)]].concat();
    let done = work.traxload_with(&["run", "job.toml"], &environment).ends_with(2).says(words);
    assert_eq!(work.listing("."), before, "nothing is left behind\n{}", done.stderr);
    assert!(!done.stderr.contains(TOKEN), "{}", done.stderr);
    done
}

#[test]
fn a_certificate_that_is_not_trusted_ends_at_once_and_the_same_command_works_with_ca_file() {
    let authority = Authority::new();
    let work = Workdir::with_visits(20);
    work.write("ca.pem", &authority.pem);
    let config = authority.server("localhost", 2000, 2100);
    let address = format!("https://localhost:{}", tls(move |_| config.clone()).port());
    ends_at_once(
        &work,
        &job(&address, false),
        &[],
        &["localhost is not trusted", "ca_file under [api]", "same command"],
    );
    work.job(&job(&address, true));
    work.traxload(&["run", "job.toml"]).ends_with(0);
    assert_eq!(work.results().count("uploaded"), 20);
    // Another authority than the one that has signed.
    work.write("ca.pem", Authority::new().pem);
    let other = job(&address, true).and("[results]\npath = \"other.csv\"");
    ends_at_once(&work, &other, &[], &["ca.pem (ca_file under [api]) has not signed it"]);
}

#[test]
fn a_machine_without_certificates_is_told_so_and_tries_things_out_all_the_same() {
    // As in an image of an empty system.
    let work = Workdir::with_visits(1);
    let nothing = [("SSL_CERT_FILE", "no-such-file"), ("SSL_CERT_DIR", "no-such-folder")];
    ends_at_once(&work, &job("https://localhost:1", false), &nothing, &["no certificates to trust", "SSL_CERT_FILE"]);
    work.job(&job("sandbox", false));
    work.traxload_with(&["run", "job.toml"], &nothing).ends_with(0);
}

#[test]
fn certificates_of_another_time_or_host_are_told_apart() {
    let authority = Authority::new();
    let work = Workdir::with_visits(3);
    work.write("ca.pem", &authority.pem);
    for (host, from, to, words) in [
        ("localhost", 2000, 2001, "localhost has expired"),
        ("localhost", 2090, 2100, "is not valid yet"),
        ("api.example.com", 2000, 2100, "is of another host than localhost"),
    ] {
        let config = authority.server(host, from, to);
        let address = format!("https://localhost:{}", tls(move |_| config.clone()).port());
        ends_at_once(&work, &job(&address, true), &[], &[words]);
    }
}

#[test]
fn what_speaks_no_tls_or_another_one_ends_at_once() {
    let work = Workdir::with_visits(3);
    for (bytes, words) in [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n" as &[u8], "does not speak TLS"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "does not speak TLS"),
        // Alerts: the version, the ciphers.
        (b"\x15\x03\x03\x00\x02\x02\x46", "no TLS in common"),
        (b"\x15\x03\x03\x00\x02\x02\x28", "no TLS in common"),
        (b"\x15\x03\x03\x00\x02\x02\x70", "does not know this name"),
    ] {
        let address = format!("https://localhost:{}", answering(bytes).port());
        ends_at_once(&work, &job(&address, false), &[], &[words, "base_url"]);
    }
    let authority = Authority::new();
    work.write("ca.pem", &authority.pem);
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let config = authority.mutual(&[version]);
        let address = format!("https://localhost:{}", tls(move |_| config.clone()).port());
        ends_at_once(&work, &job(&address, true), &[], &["certificate of"]);
    }
}

#[test]
fn once_the_api_has_answered_the_same_is_an_outage() {
    let (authority, other) = (Authority::new(), Authority::new());
    let work = Workdir::with_visits(3);
    work.write("ca.pem", &authority.pem);
    let (good, bad) = (authority.server("localhost", 2000, 2100), other.server("localhost", 2000, 2100));
    let address = tls(move |nth| if nth == 0 { good.clone() } else { bad.clone() });
    work.job(&job(&format!("https://localhost:{}", address.port()), true).upload("max_in_flight", "1"));
    work.traxload(&["run", "job.toml"]).ends_with(5).says(&["was down"]);
    let rows = work.results();
    assert_eq!((rows.count("uploaded"), rows.count("failed") + rows.count("not_attempted")), (1, 2));
    // A rerun that gets no answer at all leaves the file as it was.
    let manifest = work.read("results.csv.json");
    let done = work.traxload(&["rerun", "results.csv"]).ends_with(2);
    done.says(&["has not signed it"]);
    assert_eq!(work.results().rows, rows.rows);
    assert_eq!(work.read("results.csv.json"), manifest);
    assert!(!work.exists("results.csv.partial"));
}

#[test]
fn a_name_that_is_not_found_is_said_with_whose_it_is() {
    let work = Workdir::with_visits(3);
    let nowhere = job("https://no-such-host.invalid", false);
    ends_at_once(&work, &nowhere, &[], &["the name no-such-host.invalid is not found", "base_url", "HTTPS_PROXY"]);
    let through = [("https_proxy", "http://me:s3cret@no-such-proxy.invalid:3128")];
    let words = ["the name of the proxy, no-such-proxy.invalid, is not found: check https_proxy"];
    let done = ends_at_once(&work, &nowhere, &through, &words);
    assert!(!done.stderr.contains("s3cret"), "{}", done.stderr);
}

#[test]
fn a_proxy_that_cannot_be_used_is_never_passed_over() {
    let work = Workdir::with_visits(3);
    let port = |bytes| answering(bytes).port();
    let refusing = port(b"HTTP/1.1 403 Forbidden\r\n\r\n");
    let asking = port(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
    let (refusing, no_http) = (format!("http://localhost:{refusing}"), format!("localhost:{}", port(b"SSH-2.0-x\r\n")));
    let (asking, known) = (format!("localhost:{asking}"), format!("http://me:s3cret@localhost:{asking}"));
    for (value, words) in [
        ("http://me:s3cret@proxy:port", "HTTPS_PROXY cannot be read as a proxy"),
        ("quic://proxy:1", "of a kind that is not known (quic://)"),
        (&refusing, "refuses the way to api.example.com: HTTP 403 Forbidden"),
        (&asking, "wants a user and a password: write them into HTTPS_PROXY"),
        (&known, "does not accept the user and the password in HTTPS_PROXY"),
        (&no_http, "is no HTTP proxy"),
    ] {
        let job = job("https://api.example.com", false);
        let done = ends_at_once(&work, &job, &[("HTTPS_PROXY", value)], &[words]);
        assert!(!done.stderr.contains("s3cret"), "{}", done.stderr);
    }
    let socks = |login, bytes| format!("socks5h://{login}localhost:{}", port(bytes));
    let plain = format!(
        "https://localhost:{}",
        listen(|mut connection, _| {
            // It waits for the end of a line, as proxies do, and no TLS has one.
            let mut line = [0; 4096];
            let read = connection.read(&mut line).unwrap_or_default();
            if line[..read].ends_with(b"\r\n\r\n") {
                let _ = connection.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n");
            }
            let _ = std::io::copy(&mut connection, &mut std::io::sink());
        })
        .port()
    );
    for (value, words) in [
        (socks("me:s3cret@", b"\x05\x02\x01\x01"), "does not accept the user and the password in ALL_PROXY"),
        (
            socks("", b"\x05\x00\x05\x02\x00\x01\0\0\0\0\0\0"),
            "refuses the way to api.example.com: connection not allowed",
        ),
        (socks("", b"HTTP/1.1 400 Bad Request\r\n\r\n"), "is no socks5h proxy: check kind, host and port in ALL_PROXY"),
        (plain, "write ALL_PROXY with http:// in place of https://"),
    ] {
        let job = job("https://api.example.com", false).upload("timeout", "\"1s\"");
        let done = ends_at_once(&work, &job, &[("ALL_PROXY", &value)], &[words]);
        assert!(!done.stderr.contains("s3cret"), "{}", done.stderr);
    }
    // A proxy that cannot reach the API just now is an outage, and so is one that is not there.
    let busy = format!("http://localhost:{}", port(b"HTTP/1.1 503 Service Unavailable\r\n\r\n"));
    let away = format!("socks5h://localhost:{}", port(b"\x05\x00\x05\x04\x00\x01\0\0\0\0\0\0"));
    for (value, words) in [
        (busy.as_str(), "HTTP 503 Service Unavailable"),
        ("http://127.0.0.1:1", "refused"),
        (&away, "host unreachable"),
    ] {
        let _ = std::fs::remove_file(work.path("results.csv"));
        let environment = [("HTTPS_PROXY", value), ("TRAX_TOKEN", TOKEN)];
        work.traxload_with(&["run", "job.toml"], &environment).ends_with(5);
        let rows = work.results();
        assert!(rows.column("error").iter().any(|error| error.contains(words) && error.contains(value)), "{rows:?}");
    }
}

#[test]
fn proxies_are_used_with_any_password_and_passed_by_for_what_no_proxy_names() {
    let authority = Authority::new();
    let work = Workdir::with_visits(2);
    work.write("ca.pem", &authority.pem);
    let config = authority.server("localhost", 2000, 2100);
    let server = tls(move |_| config.clone());
    let url = format!("https://localhost:{}", server.port());
    work.job(&job(&url, true));
    let run = |environment: &[(&str, &str)]| {
        let environment = [environment, &[("TRAX_TOKEN", TOKEN)]].concat();
        work.traxload_with(&["run", "job.toml", "--fresh"], &environment).ends_with(0);
    };
    let (address, heads) = proxy(server);
    let value = format!("http://me:a#b/c@{address}");
    run(&[("HTTPS_PROXY", &value)]);
    let seen = heads.lock().expect("no panic holds it").clone();
    // me:a#b/c
    assert!(!seen.is_empty() && seen.iter().all(|head| head.contains("Basic bWU6YSNiL2M=")), "{seen:?}");
    run(&[("HTTPS_PROXY", &value), ("NO_PROXY", &format!("example.com,localhost:{}", server.port()))]);
    assert_eq!(heads.lock().expect("no panic holds it").len(), seen.len(), "not through the proxy");
    run(&[("HTTPS_PROXY", &value), ("NO_PROXY", "localhost:1")]);
    assert!(heads.lock().expect("no panic holds it").len() > seen.len(), "another port");
    let socks = format!("socks5h://{}", socks5(server));
    run(&[("ALL_PROXY", &socks)]);
}

/// A SOCKS 5 proxy without a password.
fn socks5(to: SocketAddr) -> SocketAddr {
    listen(move |mut client, _| {
        let mut greeting = [0; 2];
        client.read_exact(&mut greeting).expect("a greeting");
        client.read_exact(&mut vec![0; greeting[1].into()]).expect("methods");
        client.write_all(&[5, 0]).expect("taken");
        let mut head = [0; 5];
        client.read_exact(&mut head).expect("a request");
        assert_eq!(head[3], 3, "a name");
        client.read_exact(&mut vec![0; usize::from(head[4]) + 2]).expect("a name and a port");
        client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).expect("taken");
        pass_on(client, TcpStream::connect(to).expect("a server"));
    })
}

/// A run whose first visit is under way until the gate opens, on a command line of the shell, with `exec traxload run job.toml`.
fn held(line: &str) -> (Workdir, ScriptedServer, Gate, std::process::Child) {
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, nth| match nth {
        0 => Reply::After(held.clone(), Box::new(Reply::ok())),
        _ => Reply::ok(),
    });
    let work = Workdir::with_visits(3);
    work.job(&JobFile::to(&server.url()).upload("max_in_flight", "1"));
    let mut command = shell(&work, line);
    let child = command.stderr(Stdio::piped()).spawn().expect("a shell");
    server.wait_for(1);
    (work, server, gate, child)
}

fn shell(work: &Workdir, line: &str) -> Command {
    let mut command = Command::new("sh");
    let line = line.replace("traxload", env!("CARGO_BIN_EXE_traxload"));
    command.args(["-c", &line]).current_dir(work.path(".")).env("TRAX_TOKEN", TOKEN);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

#[track_caller]
fn code(mut child: Child) -> i32 {
    let mut ended = None;
    wait_until("the end", || {
        ended = child.try_wait().expect("a child");
        ended.is_some()
    });
    ended.and_then(|status| status.code()).expect("an end of its own")
}

/// Whether the tests themselves were started with SIGHUP ignored, as by `nohup`: then every child ignores it, too.
fn is_sighup_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0");
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|mask| mask & 1 == 1)
}

#[test]
fn sighup_finishes_what_is_under_way_and_is_129() {
    if is_sighup_ignored() {
        eprintln!("skipped: SIGHUP is ignored here");
        return;
    }
    let (work, server, gate, mut child) = held("exec traxload run job.toml");
    signal(&child, "HUP");
    let mut said = BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("stopping") {
        line.clear();
        assert!(said.read_line(&mut line).expect("text") > 0, "it never says that it stops");
    }
    gate.open();
    assert_eq!(code(child), 129);
    let rows = work.results();
    assert_eq!((rows.count("uploaded"), rows.count("not_attempted")), (1, 2));
    assert_eq!(server.requests().len(), 1);
    assert!(work.read("results.csv.json").contains("129"));
    work.traxload(&["rerun", "results.csv"]).ends_with(0);
}

#[test]
fn a_signal_that_the_parent_ignores_stays_ignored() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for (ignored, sent) in [("HUP", "HUP"), ("INT", "INT"), ("HUP INT TERM", "TERM")] {
        let (work, _server, gate, mut child) = held(&format!("trap '' {ignored}; exec traxload run job.toml"));
        signal(&child, sent);
        gate.open();
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        assert_eq!(code(child), 0, "{said}");
        assert_eq!(work.results().count("uploaded"), 3, "{sent}");
    }
}

#[test]
fn a_standard_error_that_is_closed_ends_nothing() {
    for line in ["exec traxload run job.toml 2>&-", "exec traxload run job.toml -v"] {
        let (work, _server, gate, mut child) = held(line);
        // The reader goes away.
        drop(child.stderr.take());
        signal(&child, "TERM");
        gate.open();
        assert_eq!(code(child), 143, "{line}");
        assert_eq!(work.results().rows.len(), 3);
    }
}

#[test]
fn a_standard_error_that_nobody_reads_holds_nothing_up() {
    let work = Workdir::with_visits(2500);
    work.job(&JobFile::new().upload("rate", "\"100000/s\""));
    // With -v there are several times as many lines as a pipe takes.
    let mut child = shell(&work, "exec traxload run job.toml -v").stderr(Stdio::piped()).spawn().expect("a shell");
    let unread = child.stderr.take();
    wait_until("the end of the work", || work.exists("results.csv"));
    drop(unread);
    assert_eq!(code(child), 0);
    assert_eq!(work.results().count("uploaded"), 2500);
    // A signal ends it as well, and so does a second one.
    let gate = Gate::default();
    let held = gate.clone();
    let server = ScriptedServer::start(move |_, nth| match nth {
        2000 => Reply::After(held.clone(), Box::new(Reply::ok())),
        _ => Reply::ok(),
    });
    work.job(&JobFile::to(&server.url()).upload("rate", "\"100000/s\"").upload("max_in_flight", "1"));
    let line = "exec traxload run job.toml -v --fresh";
    let mut child = shell(&work, line).stderr(Stdio::piped()).spawn().expect("a shell");
    let _unread = child.stderr.take();
    server.wait_for(2001);
    signal(&child, "TERM");
    let sent = Instant::now();
    wait_until("a moment", || sent.elapsed() > Duration::from_millis(200));
    signal(&child, "TERM");
    assert_eq!(code(child), 143);
    assert!(!work.exists("results.csv"), "at once");
}
