//! Object storage on this machine: moto, which speaks S3, and a proxy before it that watches, cuts and interferes.

use super::{DEADLINE, wait_until};
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};

/// A server that speaks S3. It ends when this is dropped.
pub struct Moto {
    process: Child,
    address: SocketAddr,
}

impl Moto {
    /// The server that all tests share; each test takes a bucket of its own. `None` if moto is not installed.
    pub fn shared() -> Option<Arc<Moto>> {
        static SHARED: Mutex<Weak<Moto>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().expect("no panic holds it");
        let moto = shared.upgrade().or_else(|| Moto::start().map(Arc::new))?;
        *shared = Arc::downgrade(&moto);
        Some(moto)
    }

    /// A server of its own. `None` if moto is not installed.
    pub fn start() -> Option<Moto> {
        // `.ci/run` installs it here.
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/moto/bin/moto_server");
        let program = if own.exists() { own.into_os_string() } else { OsString::from("moto_server") };
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", "0"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            super::skipped("moto_server is not installed");
            return None;
        };
        let mut lines = BufReader::new(process.stderr.take().expect("piped")).lines().map_while(Result::ok);
        let address = lines.find_map(|line| line.split_once("http://")?.1.trim().parse().ok());
        // With pyenv, the command may exist for another version only, and does not start.
        let Some(address) = address else {
            super::skipped("moto_server does not start");
            let _ = process.wait();
            return None;
        };
        // Its output must be read, or it would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let moto = Moto { process, address };
        wait_until("moto listens", || TcpStream::connect(address).is_ok());
        Some(moto)
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn create_bucket(&self, bucket: &str) {
        self.request("PUT", &format!("/{bucket}"), b"");
    }

    /// Puts an object, or replaces it.
    pub fn put(&self, bucket: &str, key: &str, content: impl AsRef<[u8]>) {
        put(self.address, bucket, key, content.as_ref());
    }

    /// From now on, requests need credentials that the server knows.
    pub fn demand_credentials(&self) {
        self.request("POST", "/moto-api/reset-auth", b"0");
    }

    fn request(&self, method: &str, path: &str, body: &[u8]) {
        request(self.address, method, path, body);
    }

    /// A proxy before the server. The script gets the head of a request and its number, counted from 0.
    pub fn proxy(&self, script: impl Fn(&str, usize) -> Way + Send + Sync + 'static) -> Proxy {
        Proxy::start(self.address, script)
    }

    /// A function that replaces an object.
    pub fn replacing(&self, bucket: &str, key: &str, content: Vec<u8>) -> impl Fn() + Send + Sync + use<> {
        let (address, bucket, key) = (self.address, bucket.to_owned(), key.to_owned());
        move || put(address, &bucket, &key, &content)
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn put(address: SocketAddr, bucket: &str, key: &str, content: &[u8]) {
    request(address, "PUT", &format!("/{bucket}/{key}"), content);
}

fn request(address: SocketAddr, method: &str, path: &str, body: &[u8]) {
    let mut connection = TcpStream::connect(address).expect("moto listens");
    connection.set_read_timeout(Some(DEADLINE)).expect("a socket");
    let length = body.len();
    // An anonymous request may not replace an object.
    let who = "AWS4-HMAC-SHA256 Credential=TESTS/20240305/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0";
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: {who}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n"
    );
    connection.write_all(&[head.as_bytes(), body].concat()).expect("the request is taken");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{method} {path}: {answer}");
}

/// What a proxy does with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Hands it on.
    Through,
    /// Hands on this many bytes and breaks the connection.
    Cut(usize),
}

/// Stands between the program and moto until the test process ends.
pub struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(behind: SocketAddr, script: impl Fn(&str, usize) -> Way + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (script, seen) = (Arc::new(script), heads.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let (script, seen) = (script.clone(), seen.clone());
                // A connection that breaks is the client's business.
                std::thread::spawn(move || pass_on(connection, behind, &seen, &*script));
            }
        });
        Proxy { address, heads }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests that came, in lower case.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic holds it").clone()
    }
}

/// Passes on one request and its answer, and closes the connection.
fn pass_on(
    mut client: TcpStream,
    behind: SocketAddr,
    seen: &Mutex<Vec<String>>,
    script: &dyn Fn(&str, usize) -> Way,
) -> std::io::Result<()> {
    let mut head = String::new();
    let mut input = BufReader::new(client.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if input.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let nth = {
        let mut seen = seen.lock().expect("no panic holds it");
        seen.push(head.to_lowercase());
        seen.len() - 1
    };
    let way = script(&head.to_lowercase(), nth);
    let mut server = TcpStream::connect(behind)?;
    server.write_all(head.trim_end().as_bytes())?;
    server.write_all(b"\r\nconnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    // Clients must not keep the connection.
    let at = answer.windows(2).position(|pair| pair == b"\r\n").unwrap_or(0);
    answer.splice(at..at, *b"\r\nconnection: close");
    match way {
        Way::Through => client.write_all(&answer),
        Way::Cut(bytes) => client.write_all(&answer[..bytes.min(answer.len())]),
    }
}
