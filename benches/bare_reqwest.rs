//! How many requests a second reqwest sends if a program does nothing else: the yardstick beside which `run` reads its
//! exports, keeps its rate, and writes its result file.
//!
//! `cargo bench --bench bare_reqwest -- http://127.0.0.1:8197/sessions/ 64 900 5` sends bodies of 900 bytes to addresses
//! below this one over 64 connections for 5 seconds, and prints the rate.

#![expect(clippy::expect_used, reason = "a yardstick that cannot measure has failed")]

use bytes::Bytes;
use http_body_util::Full;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Body, Client, redirect};
use std::cell::Cell;
use std::time::{Duration, Instant};
use uuid::Uuid;

// As in the program, and for the same reason.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a server is asked, and how.
struct Load {
    client: Client,
    sessions: String,
    body: Bytes,
    sent: Cell<u64>,
    until: Instant,
}

impl Load {
    /// One connection's requests, one after the other.
    async fn send(&self) {
        while Instant::now() < self.until {
            // No address is that of an earlier request, as in a run: the same one over and over is taken apart faster.
            let session = Uuid::from_u128(fastrand::u128(..));
            let request = self.client.put(format!("{}{session}", self.sessions));
            // One that cannot be copied, or reqwest does copy it.
            let request = request.body(Body::wrap(Full::new(self.body.clone())));
            let response = request.send().await.and_then(|response| response.error_for_status()).expect("an answer");
            response.bytes().await.expect("a whole answer");
            self.sent.set(self.sent.get() + 1);
        }
    }
}

fn main() {
    // Cargo adds a word of its own, and words that are meant for the steps come here too.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [sessions, connections, bytes, seconds] = words.as_slice() else { return };
    if !sessions.starts_with("http://") {
        return;
    }
    let number = |word: &String| word.parse::<u32>().expect("a number");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let headers = HeaderMap::from_iter([
        (AUTHORIZATION, HeaderValue::from_static("Auth-Token none")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    let client = Client::builder().no_proxy().http1_only().redirect(redirect::Policy::none());
    let client = client.retry(reqwest::retry::never()).default_headers(headers).timeout(Duration::from_secs(30));
    let client = client.tcp_nodelay(true).build().expect("a client");
    let body = Bytes::from(vec![b' '; number(bytes) as usize]);
    let began = Instant::now();
    let until = began + Duration::from_secs(number(seconds).into());
    let load = Load { client, sessions: sessions.clone(), body, sent: Cell::new(0), until };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(futures_util::future::join_all((0..number(connections)).map(|_| load.send())));
    println!("{:.0}", load.sent.get() as f64 / began.elapsed().as_secs_f64());
}
