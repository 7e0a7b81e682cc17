//! Sends prepared visits: one PUT each, under one rate, with retries, until all are answered or there is a reason to
//! stop.
//!
//! | file | what it decides |
//! | --- | --- |
//! | `network`, `http` | how a request goes out and what counts as a reply |
//! | `answer`, `vendor` | what an answer says went wrong, and which texts the vendor documents |
//! | `classify` | what a reply means for its visit |
//! | `pace`, `climb` | when the next request may go out: the rate, pauses after 429 |
//! | `health` | whether the API as a whole is down |
//! | `backoff`, `retry_after` | how long a visit waits for its next attempt |
//! | `stop` | whether the run has to end early |
//! | `engine` | puts all of these together, for many visits at once |
//! | `config`, `token`, `traffic` | what the job decides; the key; counts of requests |
//!
//! This room knows nothing of exports and of result files.

mod answer;
mod backoff;
mod classify;
mod climb;
mod config;
mod engine;
mod health;
mod http;
mod network;
mod pace;
mod retry_after;
mod stop;
mod token;
mod traffic;
mod vendor;

pub(crate) use config::{Backoff, Config, Endpoint};
pub(crate) use engine::upload;
pub(crate) use http::Http;
pub use http::HttpError;
#[cfg(test)]
pub(crate) use network::{Network, Reply};
pub(crate) use stop::Stop;
pub(crate) use token::Token;
pub(crate) use traffic::Traffic;
