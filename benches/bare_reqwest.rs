//! How many requests a second reqwest sends if a program does nothing else: the yardstick beside which `run` reads its
//! exports, keeps its rate, and writes its result file.
//!
//! `cargo bench --bench bare_reqwest -- http://127.0.0.1:8197/sessions/ 64 900 5` sends bodies of 900 bytes to addresses
//! below this one over 64 connections for 5 seconds, and prints the rate.

#![expect(clippy::expect_used, reason = "a yardstick that cannot measure has failed")]

use reqwest::{Client, redirect};
use std::cell::Cell;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// What a server is asked, and how.
struct Load {
    client: Client,
    sessions: String,
    body: Vec<u8>,
    sent: Cell<u64>,
    until: Instant,
}

impl Load {
    /// One connection's requests, one after the other.
    async fn send(&self) {
        while Instant::now() < self.until {
            // No address is that of an earlier request, as in a run: the same one over and over is taken apart faster.
            let session = Uuid::from_u128(fastrand::u128(..));
            let request = self.client.put(format!("{}{session}", self.sessions)).body(self.body.clone());
            let request = request.header("Authorization", "Auth-Token none").header("Content-Type", "application/json");
            let response = request.send().await.and_then(|response| response.error_for_status()).expect("an answer");
            response.bytes().await.expect("a whole answer");
            self.sent.set(self.sent.get() + 1);
        }
    }
}

fn main() {
    // Cargo adds a word of its own.
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let [sessions, connections, bytes, seconds] = words.as_slice() else {
        println!("usage: cargo bench --bench bare_reqwest -- ADDRESS CONNECTIONS BYTES SECONDS");
        return;
    };
    let number = |word: &String| word.parse::<u32>().expect("a number");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(Duration::from_secs(30));
    let began = Instant::now();
    let load = Load {
        client: client.build().expect("a client"),
        sessions: sessions.clone(),
        body: vec![b' '; number(bytes) as usize],
        sent: Cell::new(0),
        until: began + Duration::from_secs(number(seconds).into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(futures_util::future::join_all((0..number(connections)).map(|_| load.send())));
    println!("{:.0}", load.sent.get() as f64 / began.elapsed().as_secs_f64());
}
