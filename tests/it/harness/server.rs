//! An HTTP/1.1 server that answers each request as a test's script says, including answers that break the protocol.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// One request, as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    /// Empty while the script decides, and for [`Reply::DropEarly`].
    pub body: Vec<u8>,
    pub at: Instant,
}

impl Request {
    /// The only value of a header.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<&str> =
            self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).collect();
        assert_eq!(found.len(), 1, "{name} in {:?}", self.headers);
        found[0]
    }

    /// Whether the request is for this visit of the tests' jobs.
    pub fn is_for(&self, visit: &str) -> bool {
        self.path.ends_with(&super::session_uid(visit))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a body is UTF-8")
    }
}

/// What happens to a request.
#[derive(Clone, Debug)]
pub enum Reply {
    Answer {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// Announces more bytes than it sends.
    Truncated {
        status: u16,
        body: Vec<u8>,
    },
    /// This many bytes of text, as fast as the client takes them.
    Flood {
        status: u16,
        bytes: usize,
    },
    /// These bytes, and then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, and then nothing until the client closes the connection.
    Hang(Vec<u8>),
    /// No answer until the client closes the connection.
    Stall,
    /// The request is read, and the connection is closed.
    Drop,
    /// The connection is closed after the header lines of the request.
    DropEarly,
    /// This reply, once the gate is open.
    After(Gate, Box<Reply>),
}

impl Reply {
    pub fn ok() -> Reply {
        Reply::status(200)
    }

    pub fn status(status: u16) -> Reply {
        Reply::Answer { status, headers: Vec::new(), body: Vec::new() }
    }

    /// The vendor's `{"error": …}`.
    pub fn error(status: u16, text: &str) -> Reply {
        Reply::json(status, &serde_json::json!({ "error": text }))
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Reply {
        Reply::text(status, &body.to_string())
    }

    pub fn text(status: u16, body: &str) -> Reply {
        Reply::Answer { status, headers: Vec::new(), body: body.into() }
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        if let Reply::Answer { headers, .. } = &mut self {
            headers.push((name.to_owned(), value.to_owned()));
        }
        self
    }
}

/// A request waits for it, and a test or another request opens it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().expect("no panic holds it") = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().expect("no panic holds it");
        let _ = self.0.1.wait_timeout_while(open, DEADLINE, |open| !*open);
    }
}

type Script = dyn Fn(&Request, usize) -> Reply + Send + Sync;

#[derive(Default)]
struct Record {
    requests: Vec<Request>,
    /// How many bytes of [`Reply::Flood`] the system took.
    flooded: usize,
}

struct Shared {
    script: Box<Script>,
    record: Mutex<Record>,
    changed: Condvar,
}

/// Serves until the test process ends; its threads only wait by then.
pub struct ScriptedServer {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl ScriptedServer {
    /// The script gets the head of a request and its number, from 0 on.
    pub fn start(script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> ScriptedServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let shared =
            Arc::new(Shared { script: Box::new(script), record: Mutex::default(), changed: Condvar::default() });
        let serving = shared.clone();
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let shared = serving.clone();
                // A connection that breaks is the client's business.
                std::thread::spawn(move || serve(&shared, connection));
            }
        });
        ScriptedServer { address, shared }
    }

    /// These replies in turn; the last one for all further requests.
    pub fn replying(replies: Vec<Reply>) -> ScriptedServer {
        ScriptedServer::start(move |_, nth| replies[nth.min(replies.len() - 1)].clone())
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests that have arrived, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.record.lock().expect("no panic holds it").requests.clone()
    }

    /// The requests that have arrived for a visit.
    pub fn requests_for(&self, visit: &str) -> Vec<Request> {
        self.requests().into_iter().filter(|request| request.is_for(visit)).collect()
    }

    /// Waits until `count` requests have arrived.
    #[track_caller]
    pub fn wait_for(&self, count: usize) {
        let record = self.shared.record.lock().expect("no panic holds it");
        let waited = self.shared.changed.wait_timeout_while(record, DEADLINE, |record| record.requests.len() < count);
        let (record, _) = waited.expect("no panic holds it");
        assert!(record.requests.len() >= count, "only {} requests arrived", record.requests.len());
    }

    pub fn flooded(&self) -> usize {
        self.shared.record.lock().expect("no panic holds it").flooded
    }
}

fn serve(shared: &Shared, connection: TcpStream) -> std::io::Result<()> {
    let mut output = connection.try_clone()?;
    output.set_nodelay(true)?;
    let mut input = BufReader::new(connection);
    while let Some(mut request) = read_head(&mut input)? {
        let nth = {
            let mut record = shared.record.lock().expect("no panic holds it");
            record.requests.push(request.clone());
            record.requests.len() - 1
        };
        let reply = (shared.script)(&request, nth);
        if !matches!(reply, Reply::DropEarly) {
            let length = request.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case("content-length"));
            let length = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
            request.body.resize(length, 0);
            input.read_exact(&mut request.body)?;
        }
        shared.record.lock().expect("no panic holds it").requests[nth] = request;
        shared.changed.notify_all();
        if !perform(shared, reply, &mut input, &mut output)? {
            break;
        }
    }
    Ok(())
}

/// Sends a reply. Returns whether the connection stays open.
fn perform(
    shared: &Shared,
    reply: Reply,
    input: &mut BufReader<TcpStream>,
    output: &mut TcpStream,
) -> std::io::Result<bool> {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            output.write_all(&[head.as_bytes(), b"\r\n", &body].concat())?;
            Ok(true)
        }
        Reply::Truncated { status, body } => {
            let head = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n\r\n", body.len() + 100);
            output.write_all(&[head.as_bytes(), &body].concat())?;
            Ok(false)
        }
        Reply::Flood { status, bytes } => {
            output.write_all(format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {bytes}\r\n\r\n").as_bytes())?;
            let chunk = [b'x'; 1 << 16];
            let mut left = bytes;
            while left > 0 {
                let written = output.write(&chunk[..chunk.len().min(left)])?;
                left -= written;
                shared.record.lock().expect("no panic holds it").flooded += written;
            }
            Ok(true)
        }
        Reply::Bytes(bytes) => output.write_all(&bytes).map(|()| false),
        Reply::Hang(bytes) => {
            output.write_all(&bytes)?;
            std::io::copy(input, &mut std::io::sink()).map(|_| false)
        }
        Reply::Stall => std::io::copy(input, &mut std::io::sink()).map(|_| false),
        Reply::Drop | Reply::DropEarly => Ok(false),
        Reply::After(gate, reply) => {
            gate.wait();
            perform(shared, *reply, input, output)
        }
    }
}

fn read_head(input: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first().map(|line| line.split(' ')).into_iter().flatten().map(str::to_owned);
    let (method, path) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
    let headers = headers.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect();
    Ok(Some(Request { method, path, headers, body: Vec::new(), at: Instant::now() }))
}

/// Sends a request on a connection of its own. Returns status and body of the answer.
pub fn http(base_url: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, String) {
    let address = base_url.strip_prefix("http://").expect("plain http");
    let mut connection = TcpStream::connect(address).expect("a server listens");
    connection.set_read_timeout(Some(DEADLINE)).expect("a socket");
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("content-length: {}\r\n\r\n{body}", body.len()));
    connection.write_all(request.as_bytes()).expect("the request is taken");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    (status, body.to_owned())
}
