//! Sends prepared visits: one PUT each, under one rate, with retries, until all are answered or there is a reason to
//! stop.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `network`, `http` | how a request goes out and what counts as a reply |
//! | `fault`, `proxy_answer` | what keeps a run from the API that no waiting changes |
//! | `body_text` | the text of an answer, unpacked |
//! | `answer`, `vendor` | what an answer says went wrong, and which texts the vendor documents |
//! | `classify` | what a reply means for its visit |
//! | `machine` | everything that is decided while a run sends: pauses, outages, doubts, stops |
//! | `rate`, `concurrency` | how fast, and how many at once, as far as answers tell |
//! | `other_words` | whether failures among successes are a limit |
//! | `limiter`, `gate` | the permits of one rate |
//! | `sharing`, `rate_file` | the permits of all runs under one token and address |
//! | `descriptors` | how many connections this machine allows |
//! | `backoff`, `retry_after` | how long a visit waits for its next attempt |
//! | `stop` | whether the run has to end early |
//! | `engine` | the loop around the machine: sends, sleeps, says what happens |
//! | `config`, `traffic` | what the job decides; counts of requests |
//! | `token`, `spelled` | the key, and how it is kept out of what a server echoes |
//!
//! This room knows nothing of exports and of result files.

mod answer;
mod backoff;
mod body_text;
mod classify;
mod concurrency;
mod config;
mod descriptors;
mod engine;
mod fault;
mod gate;
mod http;
mod limiter;
mod machine;
mod network;
mod other_words;
mod proxy_answer;
mod rate;
#[cfg_attr(not(target_os = "linux"), path = "no_rate_file.rs")]
mod rate_file;
mod retry_after;
mod sharing;
mod spelled;
mod stop;
mod token;
mod traffic;
mod vendor;

pub(crate) use config::{Backoff, Config, Endpoint};
pub(crate) use descriptors::make_room;
pub(crate) use engine::{Beginning, upload};
pub(crate) use http::Http;
pub use http::HttpError;
#[cfg(feature = "bench")]
pub(crate) use limiter::Limiter;
pub(crate) use machine::Start;
#[cfg(test)]
pub(crate) use network::{Look, Network, Reply};
pub(crate) use rate_file::RateFile;
pub(crate) use stop::Stop;
pub(crate) use token::Token;
pub(crate) use traffic::Traffic;
